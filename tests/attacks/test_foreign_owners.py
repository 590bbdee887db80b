"""Nobody makes or changes a key in somebody else's name by writing their id into a request."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.attacks.cast import Party, as_, refused
from tests.serving import RunningServer

ROLES: Final = ("owner", "admin", "member", "service")
NAMES_OF_AN_OWNER: Final = (
    "user_id",
    "userId",
    "owner_id",
    "owner",
    "user",
    "created_by",
    "createdBy",
    "referenceId",
)


def keys_of(server: RunningServer, user_id: str, tenant_id: str) -> list[str]:
    """The ids of a user's keys, as the operator sees them."""
    listing = server.admin.get("/v1/api-keys", params={"user_id": user_id, "tenant_id": tenant_id}).json()
    return [key["id"] for key in listing["data"]]


@pytest.mark.parametrize("name", NAMES_OF_AN_OWNER)
@pytest.mark.parametrize("credential", [None, "", "nonsense", "bf_key_nonsense"])
def test_without_a_credential_no_owner_counts(
    house: RunningServer, theirs: Party, name: str, credential: str | None
) -> None:
    """Attack 1 (CVE-2025-61928): a request without a session once made keys for whomever it named."""
    before = keys_of(house, theirs.owner.id, theirs.id)
    body = {"name": "x", name: theirs.owner.id}
    answer = house.client(credential).post("/v1/api-keys", json=body)
    assert answer.status_code == 401
    for key_id in before:
        assert house.client(credential).patch(f"/v1/api-keys/{key_id}", json=body).status_code == 401
    assert keys_of(house, theirs.owner.id, theirs.id) == before


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("victim", ROLES)
@pytest.mark.parametrize("with_tenant", [False, True])
def test_nobody_makes_a_key_for_a_user_of_another_tenant(
    house: RunningServer,
    mine: Party,
    theirs: Party,
    role: str,
    victim: str,
    with_tenant: bool,  # noqa: FBT001
) -> None:
    """Attack 1, attack 47: an owner of one tenant is nobody in another."""
    target = getattr(theirs, victim)
    before = keys_of(house, target.id, theirs.id)
    body = {"name": "x", "user_id": target.id, **({"tenant_id": theirs.id} if with_tenant else {})}
    answer = as_(house, getattr(mine, role)).post("/v1/api-keys", json=body)
    administers = role in {"owner", "admin"}
    if administers or with_tenant:
        assert refused(answer, 404, "not_found")
    else:
        assert refused(answer, 403, "insufficient_scope")
    assert keys_of(house, target.id, theirs.id) == before


@pytest.mark.parametrize("role", ["member", "service"])
@pytest.mark.parametrize("victim", ["owner", "admin"])
def test_a_member_makes_no_key_for_a_colleague(
    house: RunningServer, mine: Party, role: str, victim: str
) -> None:
    """Attack 1: in one tenant, too, only who administers it acts for others."""
    target = getattr(mine, victim)
    before = keys_of(house, target.id, mine.id)
    answer = as_(house, getattr(mine, role)).post("/v1/api-keys", json={"name": "x", "user_id": target.id})
    assert refused(answer, 403, "insufficient_scope")
    assert keys_of(house, target.id, mine.id) == before


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", NAMES_OF_AN_OWNER)
def test_a_key_does_not_change_hands(house: RunningServer, mine: Party, role: str, name: str) -> None:
    """Attack 1, attack 2: moved to the owner, one's own key would have the owner's powers."""
    me = getattr(mine, role)
    key = house.create_key(user_id=me.id)
    answer = as_(house, me).patch(f"/v1/api-keys/{key['id']}", json={name: mine.owner.id})
    assert refused(answer, 400, "invalid_request")
    assert house.admin.get(f"/v1/api-keys/{key['id']}").json()["user_id"] == me.id


@pytest.mark.parametrize(
    "place",
    [
        {"params": {"user_id": "{victim}"}},
        {"headers": {"X-User-Id": "{victim}"}},
        {"headers": {"X-Auth-User": "{victim}"}},
        {"headers": {"X-Forwarded-User": "{victim}"}},
        {"headers": {"X-Tenant-Id": "{tenant}"}},
        {"cookies": {"user_id": "{victim}"}},
    ],
)
def test_the_owner_is_taken_from_nowhere_but_the_body(
    house: RunningServer, mine: Party, theirs: Party, place: dict[str, dict[str, str]]
) -> None:
    """Attack 1: a header that a proxy is meant to set, or a cookie, must not name the owner of what is made."""
    ((kind, values),) = place.items()
    filled: dict[str, Any] = {
        name: value.format(victim=theirs.owner.id, tenant=theirs.id) for name, value in values.items()
    }
    client = house.client(mine.member.key)
    if kind == "cookies":
        client.cookies.update(filled)
        answer = client.post("/v1/api-keys", json={"name": "x"})
    elif kind == "headers":
        answer = client.post("/v1/api-keys", json={"name": "x"}, headers=filled)
    else:
        answer = client.post("/v1/api-keys", json={"name": "x"}, params=filled)
    if answer.status_code == 201:
        assert (answer.json()["user_id"], answer.json()["tenant_id"]) == (mine.member.id, mine.id)
    else:
        assert refused(answer, 400, "invalid_request")


def test_who_made_a_key_is_written_down(house: RunningServer, mine: Party) -> None:
    """Attack 1, ASVS 16.3.1: a key in somebody's name that somebody else made must be seen as such."""
    made = as_(house, mine.admin).post("/v1/api-keys", json={"name": "x", "user_id": mine.member.id}).json()
    assert (made["user_id"], made["created_by"]) == (mine.member.id, mine.admin.id)
    trail = as_(house, mine.owner).get("/v1/audit", params={"subject_id": made["id"]}).json()["data"]
    assert [(event["action"], event["actor"]["user_id"]) for event in trail] == [
        ("api_key.created", mine.admin.id)
    ]
