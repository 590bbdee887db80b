"""Expiry is judged at each use, by the clock; no job has to run for it, and no edit escapes it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.attacks.cast import Party, as_, house_settings, party
from tests.attacks.pathways import everywhere, outcomes
from tests.serving import RunningServer, running, settings_for


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def uncleaned(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server on each database, whose housekeeping sleeps longer than the tests take: its clock is real, ours is not."""
    folder = tmp_path_factory.mktemp("uncleaned")
    if request.param == "sqlite":
        settings = house_settings(folder)
    else:
        settings = settings_for(
            request.getfixturevalue("postgres").create_database(), folder, scopes=("payouts",)
        )
    with running(settings) as server:
        server.create_plan("enterprise")
        server.create_plan("free")
        yield server


@pytest.fixture
def there(uncleaned: RunningServer) -> Party:
    """A tenant of a test's own."""
    return party(uncleaned)


@pytest.mark.parametrize("resident", [True, False])
def test_a_key_ends_on_the_microsecond(
    uncleaned: RunningServer,
    there: Party,
    resident: bool,  # noqa: FBT001
) -> None:
    """Attack 7 (CVE-2025-64708): expired tokens were good until a job had removed them."""
    key = uncleaned.create_key(user_id=there.member.id, expires_in=60)
    if resident:
        assert outcomes(uncleaned, key["key"]) == everywhere("accepted")
    uncleaned.clock.now_us += 60_000_000 - 1
    assert uncleaned.client(key["key"]).get("/v1/auth/verify").status_code == 200
    uncleaned.clock.now_us += 1
    assert outcomes(uncleaned, key["key"]) == everywhere("token_expired")
    shown = uncleaned.admin.get(f"/v1/api-keys/{key['id']}").json()
    assert shown["status"] == "expired", "nobody has touched the row"


def test_an_overlap_ends_by_itself(uncleaned: RunningServer, there: Party) -> None:
    """Attack 7: the old half of a rotation would be good until somebody removed it."""
    old = uncleaned.create_key(user_id=there.member.id)
    new = (
        as_(uncleaned, there.owner)
        .post(f"/v1/api-keys/{old['id']}/rotate", json={"overlap_seconds": 30})
        .json()
    )
    assert outcomes(uncleaned, old["key"]) == everywhere("accepted")
    uncleaned.clock.advance(30)
    assert outcomes(uncleaned, old["key"]) == everywhere("token_expired")
    assert outcomes(uncleaned, new["key"]) == everywhere("accepted")


def test_an_overlap_of_nothing_ends_at_once(uncleaned: RunningServer, there: Party) -> None:
    """Attack 7: a key that is rotated because it leaked must not work one request longer."""
    old = uncleaned.create_key(user_id=there.member.id)
    assert outcomes(uncleaned, old["key"]) == everywhere("accepted")
    as_(uncleaned, there.owner).post(f"/v1/api-keys/{old['id']}/rotate", json={"overlap_seconds": 0})
    assert outcomes(uncleaned, old["key"]) == everywhere("token_expired")


def test_a_successor_does_not_outlive_its_line(uncleaned: RunningServer, there: Party) -> None:
    """Attack 7, ASVS 7.4.1: rotation, over and over, would make a key that was meant to end live for ever."""
    first = uncleaned.create_key(user_id=there.member.id, expires_in=100)
    client = as_(uncleaned, there.owner)
    second = client.post(f"/v1/api-keys/{first['id']}/rotate", json={"overlap_seconds": 1000}).json()
    third = client.post(f"/v1/api-keys/{second['id']}/rotate").json()
    assert third["expires_at"] == first["expires_at"]
    for patch in ({"expires_at": None}, {"expires_in": 10**6}):
        refused = client.patch(f"/v1/api-keys/{third['id']}", json=patch)
        assert (refused.status_code, refused.json()["field"]) == (409, "expires_at")
    assert outcomes(uncleaned, third["key"]) == everywhere("accepted")
    uncleaned.clock.advance(100)
    for key in (first, second, third):
        assert outcomes(uncleaned, key["key"]) == everywhere("token_expired")


def test_a_shortened_life_binds_the_next_request(uncleaned: RunningServer, there: Party) -> None:
    """Attack 7, ASVS 8.3.2: memory would go on with the end that it once read."""
    key = uncleaned.create_key(user_id=there.member.id, expires_in=10**6)
    assert outcomes(uncleaned, key["key"]) == everywhere("accepted")
    as_(uncleaned, there.owner).patch(f"/v1/api-keys/{key['id']}", json={"expires_in": 5})
    uncleaned.clock.advance(5)
    assert outcomes(uncleaned, key["key"]) == everywhere("token_expired")


def test_a_clock_that_is_set_back_revives_nothing_that_was_ended(
    uncleaned: RunningServer, there: Party
) -> None:
    """Attack 7: whoever moves the server's clock moves expiries; what was revoked stays revoked."""
    key = uncleaned.create_key(user_id=there.member.id)
    uncleaned.admin.delete(f"/v1/api-keys/{key['id']}")
    uncleaned.clock.advance(-3600)
    assert outcomes(uncleaned, key["key"]) == everywhere("invalid_api_key")
    uncleaned.clock.advance(3600)
