"""When a user, a tenant, a key or its parent is out of service, so is every credential of theirs, at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from tests.attacks.cast import Party, as_, house_settings, party, refused, somebody
from tests.attacks.pathways import everywhere, outcomes
from tests.serving import RunningServer, running, settings_for

Deed = Callable[[RunningServer, Party, str, dict[str, Any]], Any]
"""Takes the server, the party, the user's id and the key; ends the key's service."""


def change_user(**changes: object) -> Deed:
    """The operator changes the key's user."""
    return lambda server, _, user_id, __: server.admin.patch(f"/v1/users/{user_id}", json=changes)


DEEDS: Final[dict[str, Deed]] = {
    "the user is disabled": change_user(status="disabled"),
    "the user is disabled by an owner": lambda server, there, user_id, _: as_(server, there.owner).patch(
        f"/v1/users/{user_id}", json={"status": "disabled"}
    ),
    "the user is deleted": lambda server, _, user_id, __: server.admin.delete(f"/v1/users/{user_id}"),
    "the tenant is disabled": lambda server, there, _, __: server.admin.patch(
        f"/v1/tenants/{there.id}", json={"status": "disabled"}
    ),
    "the key is disabled": lambda server, _, __, key: server.admin.post(f"/v1/api-keys/{key['id']}/disable"),
    "the key is revoked": lambda server, _, __, key: server.admin.delete(f"/v1/api-keys/{key['id']}"),
    "the key disables itself": lambda server, _, __, key: server.client(key["key"]).post(
        f"/v1/api-keys/{key['id']}/disable"
    ),
    "the key revokes itself": lambda server, _, __, key: server.client(key["key"]).delete(
        f"/v1/api-keys/{key['id']}"
    ),
}


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server on each database."""
    folder = tmp_path_factory.mktemp("both")
    if request.param == "sqlite":
        settings = house_settings(folder)
    else:
        url = request.getfixturevalue("postgres").create_database()
        settings = settings_for(url, folder, scopes=("payouts",))
    with running(settings) as server:
        server.create_plan("enterprise")
        server.create_plan("free")
        yield server


@pytest.mark.parametrize("name", DEEDS)
def test_every_credential_stops_on_every_way_in(both: RunningServer, name: str) -> None:
    """Attack 6 (CVE-2025-3230, CVE-2025-64521, CVE-2024-47000, CVE-2024-47060): tokens outlived users and tenants."""
    there = party(both)
    on_sqlite = both.settings.database_scheme == "sqlite"
    user = somebody(both, there.id, "member", kind="person" if on_sqlite else "service")
    resident = both.create_key(user_id=user.id)
    never_used = both.create_key(user_id=user.id)
    successor = both.client(resident["key"]).post(f"/v1/api-keys/{resident['id']}/rotate").json()
    for key in (resident, successor):
        assert outcomes(both, key["key"]) == everywhere("accepted")
    DEEDS[name](both, there, user.id, resident)
    assert outcomes(both, resident["key"]) == everywhere("invalid_api_key")
    assert outcomes(both, successor["key"]) == everywhere("invalid_api_key"), "a child of what was ended"
    of_the_key_alone = name.startswith("the key")
    assert outcomes(both, never_used["key"]) == everywhere(
        "accepted" if of_the_key_alone else "invalid_api_key"
    )
    colleague = everywhere("invalid_api_key" if name.startswith("the tenant") else "accepted")
    assert outcomes(both, there.owner.key) == colleague
    assert both.admin.get("/v1/auth/verify").status_code == 200


def test_the_unusable_make_nothing_new(both: RunningServer) -> None:
    """Attack 6: a deactivated service account still got tokens."""
    there = party(both)
    client, member = as_(both, there.owner), there.member
    client.patch(f"/v1/users/{member.id}", json={"status": "disabled"})
    answer = client.post("/v1/api-keys", json={"name": "x", "user_id": member.id})
    assert refused(answer, 409, "conflict")
    rotated = client.post(f"/v1/api-keys/{member.key_id}/rotate").json()
    assert outcomes(both, rotated["key"]) == everywhere("invalid_api_key")
    assert refused(as_(both, member).post("/v1/api-keys", json={"name": "x"}), 401, "invalid_api_key")
    key = both.create_key(user_id=there.admin.id)
    client.post(f"/v1/api-keys/{key['id']}/disable")
    assert refused(client.post(f"/v1/api-keys/{key['id']}/rotate"), 409, "conflict")
    client.delete(f"/v1/api-keys/{key['id']}")
    for verb in ("rotate", "enable", "disable"):
        assert refused(client.post(f"/v1/api-keys/{key['id']}/{verb}"), 409, "conflict")
    assert refused(client.patch(f"/v1/api-keys/{key['id']}", json={"name": "y"}), 409, "conflict")


def test_a_deleted_user_leaves_nothing_behind(both: RunningServer) -> None:
    """Attack 6, attack 47 (CVE-2026-55670): an id that comes again would inherit what the first one had."""
    there = party(both)
    member = there.member
    client = as_(both, there.owner)
    assert client.delete(f"/v1/users/{member.id}").status_code == 204
    for method, path, body in (
        ("GET", f"/v1/users/{member.id}", None),
        ("PATCH", f"/v1/users/{member.id}", {"status": "active"}),
        ("DELETE", f"/v1/users/{member.id}", None),
        ("POST", "/v1/api-keys", {"name": "x", "user_id": member.id}),
    ):
        assert refused(client.request(method, path, json=body), 404, "not_found")
    for verb in ("enable", "rotate"):
        assert client.post(f"/v1/api-keys/{member.key_id}/{verb}").status_code in {404, 409}
    assert outcomes(both, member.key) == everywhere("invalid_api_key")
    email = client.get(f"/v1/users/{there.admin.id}").json()["email"]
    assert client.delete(f"/v1/users/{there.admin.id}").status_code == 204
    again = client.post("/v1/users", json={"email": email, "role": "member"}).json()
    assert again["id"] != there.admin.id
    assert outcomes(both, there.admin.key) == everywhere("invalid_api_key")


def test_what_is_back_in_service_is_what_it_was(both: RunningServer) -> None:
    """Attack 6: an enabled user must not bring revoked or expired keys back to life."""
    there = party(both)
    user_id = there.member.id
    good, revoked, disabled = (both.create_key(user_id=user_id) for _ in range(3))
    expiring = both.create_key(user_id=user_id, expires_in=5)
    client = as_(both, there.owner)
    client.delete(f"/v1/api-keys/{revoked['id']}")
    client.post(f"/v1/api-keys/{disabled['id']}/disable")
    for path, body in (
        (f"/v1/users/{user_id}", {"status": "disabled"}),
        (f"/v1/tenants/{there.id}", {"status": "disabled"}),
    ):
        both.admin.patch(path, json=body)
        assert outcomes(both, good["key"]) == everywhere("invalid_api_key")
    both.clock.advance(10)
    both.admin.patch(f"/v1/tenants/{there.id}", json={"status": "active"})
    assert outcomes(both, good["key"]) == everywhere("invalid_api_key"), "the user is disabled still"
    both.admin.patch(f"/v1/users/{user_id}", json={"status": "active"})
    assert outcomes(both, good["key"]) == everywhere("accepted")
    assert outcomes(both, revoked["key"]) == everywhere("invalid_api_key")
    assert outcomes(both, disabled["key"]) == everywhere("invalid_api_key")
    assert outcomes(both, expiring["key"]) == everywhere("token_expired")


def test_a_child_is_not_freed_from_its_parent(both: RunningServer) -> None:
    """Attack 6, ASVS 7.4.1: enabling the successor alone would undo what was decided about its line."""
    there = party(both)
    grandparent = both.create_key(user_id=there.member.id)
    client = as_(both, there.owner)
    parent = client.post(f"/v1/api-keys/{grandparent['id']}/rotate").json()
    child = client.post(f"/v1/api-keys/{parent['id']}/rotate").json()
    client.post(f"/v1/api-keys/{grandparent['id']}/disable")
    assert outcomes(both, child["key"]) == everywhere("invalid_api_key")
    for key in (parent, child):
        client.post(f"/v1/api-keys/{key['id']}/enable")
    assert outcomes(both, child["key"]) == everywhere("invalid_api_key")
    client.post(f"/v1/api-keys/{grandparent['id']}/enable")
    assert outcomes(both, child["key"]) == everywhere("accepted")
    client.delete(f"/v1/api-keys/{grandparent['id']}")
    assert outcomes(both, child["key"]) == everywhere("invalid_api_key")
    assert refused(client.post(f"/v1/api-keys/{child['id']}/enable"), 409, "conflict")
