"""`X-Credential-Expires-At`: whoever presents a credential hears of its end two weeks before it comes."""

from __future__ import annotations

from typing import Final

import httpx2
import pytest

from tests.web.tenancy import Json, Tenancy

HEADER: Final = "X-Credential-Expires-At"
DAY: Final = 86_400
CALLS: Final = ("/v1/auth/verify", "/auth/forward", "/auth/forward/envoy", "/v1/api-keys", "/v1/users/me")


def told(answer: httpx2.Response) -> str | None:
    """The end that an answer warns of."""
    assert len(answer.headers.get_list(HEADER)) <= 1
    warning: str | None = answer.headers.get(HEADER)
    return warning


@pytest.mark.parametrize("path", CALLS)
def test_every_answer_in_the_last_two_weeks_tells_the_end(tenancy: Tenancy, path: str) -> None:
    """A client that never sees the warning finds out when everything stops."""
    key = tenancy.key(expires_in=15 * DAY)
    client = tenancy.client(key["key"])
    for _ in range(3):
        assert told(client.get(path)) is None
    tenancy.server.clock.advance(DAY - 0.000_001)
    for _ in range(3):
        assert told(client.get(path)) is None
    tenancy.server.clock.advance(0.000_001)
    for _ in range(3):
        answer = client.get(path)
        assert answer.is_success
        assert told(answer) == key["expires_at"]
    tenancy.server.clock.advance(14 * DAY)
    ended = client.get(path)
    assert ended.status_code == 401
    assert told(ended) is None


def test_a_credential_without_an_end_is_never_warned(tenancy: Tenancy) -> None:
    """A warning on every answer is one that nobody reads."""
    client = tenancy.client(tenancy.key(allowed_ips=["127.0.0.0/8", "192.0.2.1"])["key"])
    for path in CALLS:
        assert told(client.get(path, headers={"X-Forwarded-For": "192.0.2.1"})) is None


def test_refusals_of_a_good_credential_warn_too_and_those_of_a_bad_one_do_not(tenancy: Tenancy) -> None:
    """A client at its limit all day long would only ever see refusals; whoever holds a dead key is told nothing."""
    key = tenancy.key(expires_in=DAY, plan=tenancy.plan(1), allowed_ips=["192.0.2.1"], scopes=["read"])
    answers = [
        tenancy.verify(key["key"], "198.51.100.1"),
        tenancy.verify(key["key"], "192.0.2.1", scope="write"),
        tenancy.verify(key["key"], "192.0.2.1"),
        tenancy.verify(key["key"], "192.0.2.1"),
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 200, 429]
    assert {told(answer) for answer in answers} == {key["expires_at"]}
    tenancy.api.post(f"/v1/api-keys/{key['id']}/disable")
    assert told(tenancy.verify(key["key"], "192.0.2.1")) is None


def test_what_ends_with_its_parent_is_warned_of_that_end(tenancy: Tenancy) -> None:
    """A successor without an expiry of its own still ends when the key does that it was made from."""
    key = tenancy.key(expires_in=10 * DAY)
    successor: Json = tenancy.api.post(
        f"/v1/api-keys/{key['id']}/rotate", json={"overlap_seconds": 60}
    ).json()
    assert told(tenancy.verify(successor["key"])) == key["expires_at"]
    old = tenancy.verify(key["key"])
    assert told(old) == tenancy.api.get(f"/v1/api-keys/{key['id']}").json()["overlap_ends_at"]


def test_a_resource_server_is_warned_of_its_own_end_alone(tenancy: Tenancy) -> None:
    """The header is about the credential that the request presents; the other one's end stands in the body."""
    asked_about = tenancy.key(expires_in=DAY)
    asker = tenancy.key(expires_in=3 * DAY, scopes=["credentials:verify"])
    for _ in range(3):
        answer = tenancy.client(asker["key"]).post(
            "/v1/credentials/verify", json={"credential": asked_about["key"]}
        )
        assert answer.json()["expires_at"] == asked_about["expires_at"]
        assert told(answer) == asker["expires_at"]
        lasting = tenancy.api.post("/v1/credentials/verify", json={"credential": asked_about["key"]})
        assert told(lasting) is None


def test_a_longer_life_ends_the_warning(tenancy: Tenancy) -> None:
    """What is rendered once must not warn for ever."""
    key = tenancy.key(expires_in=DAY)
    assert told(tenancy.verify(key["key"])) is not None
    tenancy.api.patch(f"/v1/api-keys/{key['id']}", json={"expires_in": 30 * DAY})
    assert told(tenancy.verify(key["key"])) is None
