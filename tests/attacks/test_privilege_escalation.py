"""Nobody becomes more than they are: not by keys, not by users, not by somebody else's credential.

Each test is a way up that a caller with some power could take; the ones that once worked are here for good.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from tests.attacks.cast import NARROWED, OWN_SCOPE, Party, as_, party, refused, somebody
from tests.serving import RunningServer

Ways = dict[str, Callable[[httpx2.Client, str], httpx2.Response]]

WAYS_TO_A_KEY: Ways = {
    "rotate": lambda client, key_id: client.post(f"/v1/api-keys/{key_id}/rotate"),
    "rotate without overlap": lambda client, key_id: client.post(
        f"/v1/api-keys/{key_id}/rotate", json={"overlap_seconds": 0}
    ),
    "enable": lambda client, key_id: client.post(f"/v1/api-keys/{key_id}/enable"),
    "live for ever": lambda client, key_id: client.patch(f"/v1/api-keys/{key_id}", json={"expires_at": None}),
    "live longer": lambda client, key_id: client.patch(f"/v1/api-keys/{key_id}", json={"expires_in": 10**6}),
    "drop the networks": lambda client, key_id: client.patch(
        f"/v1/api-keys/{key_id}", json={"allowed_ips": []}
    ),
    "change the scopes": lambda client, key_id: client.patch(
        f"/v1/api-keys/{key_id}", json={"scopes": ["read"]}
    ),
    "rename": lambda client, key_id: client.patch(f"/v1/api-keys/{key_id}", json={"name": "mine now"}),
}
WAYS_TO_END_A_KEY: Ways = {
    "disable": lambda client, key_id: client.post(f"/v1/api-keys/{key_id}/disable"),
    "revoke": lambda client, key_id: client.delete(f"/v1/api-keys/{key_id}"),
}


def scopes_of(server: RunningServer, key: str) -> list[str]:
    """What a key is good for, as the server verifies it."""
    scopes: list[str] = server.client(key).get("/v1/auth/verify").json()["scopes"]
    return scopes


@pytest.mark.parametrize("way", WAYS_TO_A_KEY)
@pytest.mark.parametrize("scopes", [["write"], ["read", "write"], ["read", "write", "credentials:verify"]])
def test_a_lesser_key_has_no_power_over_a_greater_one(
    house: RunningServer, mine: Party, way: str, scopes: list[str]
) -> None:
    """ASVS 8.2.2: whoever finds an owner's `write` key would free, prolong or replace the owner's `admin` key."""
    owner = mine.owner
    greater = house.create_key(user_id=owner.id, scopes=["admin"], allowed_ips=["192.0.2.7"], expires_in=60)
    lesser = house.create_key(user_id=owner.id, scopes=scopes)
    house.admin.post(f"/v1/api-keys/{greater['id']}/disable")
    before = house.admin.get(f"/v1/api-keys/{greater['id']}").json()
    answer = WAYS_TO_A_KEY[way](house.client(lesser["key"]), greater["id"])
    assert refused(answer, 403, "insufficient_scope")
    assert house.admin.get(f"/v1/api-keys/{greater['id']}").json() == before


@pytest.mark.parametrize("way", WAYS_TO_END_A_KEY)
def test_a_lesser_key_may_end_a_greater_one_of_the_same_user(
    house: RunningServer, mine: Party, way: str
) -> None:
    """ASVS 8.2.1: somebody who sees their admin key in a leak could not stop it with what is at hand."""
    greater = house.create_key(user_id=mine.owner.id, scopes=["admin"])
    lesser = house.create_key(user_id=mine.owner.id, scopes=["write"])
    assert WAYS_TO_END_A_KEY[way](house.client(lesser["key"]), greater["id"]).status_code == 200
    assert house.client(greater["key"]).get("/v1/auth/verify").status_code == 401


@pytest.mark.parametrize("way", [*WAYS_TO_A_KEY, *WAYS_TO_END_A_KEY])
def test_an_admin_has_no_power_over_an_owners_key(house: RunningServer, mine: Party, way: str) -> None:
    """ASVS 8.2.1: an admin who rotates an owner's key would speak as the owner, and could depose them."""
    key = house.create_key(user_id=mine.owner.id, scopes=["read"], expires_in=3600)
    answer = {**WAYS_TO_A_KEY, **WAYS_TO_END_A_KEY}[way](as_(house, mine.admin), key["id"])
    assert refused(answer, 403, "insufficient_scope")
    assert scopes_of(house, key["key"]) == ["read"]


@pytest.mark.parametrize("way", [*WAYS_TO_A_KEY, *WAYS_TO_END_A_KEY])
@pytest.mark.parametrize("victim", ["owner", "admin", "service"])
def test_a_member_has_no_power_over_anybody_elses_key(
    house: RunningServer, mine: Party, victim: str, way: str
) -> None:
    """ASVS 8.2.2: in one tenant, too, a key is its user's; to a member, others' keys do not exist."""
    whose = getattr(mine, victim)
    answer = {**WAYS_TO_A_KEY, **WAYS_TO_END_A_KEY}[way](as_(house, mine.member), whose.key_id)
    assert refused(answer, 404, "not_found")


@pytest.mark.parametrize("role", ["owner", "admin", "member"])
def test_nobody_gives_a_key_more_than_their_credential_has(
    house: RunningServer, mine: Party, role: str
) -> None:
    """ASVS 8.2.1: a narrow key would mint a wide one."""
    narrow = house.create_key(user_id=getattr(mine, role).id, scopes=["write"])
    client = house.client(narrow["key"])
    for scopes in (["read"], ["admin"], ["read", "write"], ["credentials:verify"], ["write", "admin"]):
        made = client.post("/v1/api-keys", json={"name": "wide", "scopes": scopes})
        assert refused(made, 403, "insufficient_scope")
        changed = client.patch(f"/v1/api-keys/{narrow['id']}", json={"scopes": scopes})
        assert refused(changed, 403, "insufficient_scope")
    unsaid = client.post("/v1/api-keys", json={"name": "unsaid"}).json()
    assert unsaid["scopes"] == ["write"]
    assert scopes_of(house, narrow["key"]) == ["write"]


@pytest.mark.parametrize(
    "scopes", [["read", "read", "admin"], ["ADMIN"], ["admin "], ["write", "*"], [""], ["read write admin"]]
)
def test_no_spelling_of_a_scope_gets_past_the_check(
    house: RunningServer, mine: Party, scopes: list[str]
) -> None:
    """ASVS 8.2.1: a check that compares other strings than those that are stored checks nothing."""
    answer = as_(house, mine.member).post("/v1/api-keys", json={"name": "x", "scopes": scopes})
    assert answer.status_code in {400, 403}


def test_a_narrowed_admin_does_not_widen_through_another_admins_key(
    house: RunningServer, mine: Party
) -> None:
    """ASVS 8.2.1: an admin who lacks a scope would make an `admin` key for one who has it all, and mint on."""
    narrowed = somebody(house, mine.id, "admin", scopes=NARROWED)
    client = as_(house, narrowed)
    made = client.post("/v1/api-keys", json={"name": "step", "scopes": ["admin"], "user_id": mine.admin.id})
    assert refused(made, 403, "insufficient_scope")
    target = house.create_key(user_id=mine.admin.id, scopes=["admin"])
    for way in WAYS_TO_A_KEY.values():
        assert refused(way(client, target["id"]), 403, "insufficient_scope")
    own = client.post("/v1/api-keys", json={"name": "own", "scopes": NARROWED})
    assert own.status_code == 201


@pytest.mark.parametrize(
    "wish",
    [
        {"role": "admin"},
        {"role": "admin", "scopes": ["admin", OWN_SCOPE]},
        {"role": "member"},
        {"role": "member", "scopes": [OWN_SCOPE]},
        {"role": "member", "scopes": ["credentials:verify"]},
        {"role": "member", "kind": "service"},
        {"role": "admin", "kind": "service"},
    ],
)
def test_a_narrowed_admin_does_not_make_somebody_wider(
    house: RunningServer, mine: Party, wish: dict[str, Any]
) -> None:
    """ASVS 8.2.1: the new user would be an accomplice with the powers that the admin was denied."""
    narrowed = somebody(house, mine.id, "admin", scopes=NARROWED)
    body = {"name": "accomplice", "email": f"{secrets.token_hex(6)}@example.com", **wish}
    assert refused(as_(house, narrowed).post("/v1/users", json=body), 403, "insufficient_scope")


@pytest.mark.parametrize(
    ("scopes", "patch"),
    [
        (None, {"role": "admin"}),
        (["read"], {"role": "admin", "scopes": None}),
        (["read"], {"scopes": None}),
        (["read"], {"scopes": ["read", OWN_SCOPE]}),
        (["read"], {"scopes": ["read", "credentials:verify"]}),
        (["read"], {"role": "admin", "scopes": ["admin", "read", OWN_SCOPE]}),
    ],
)
def test_a_narrowed_admin_does_not_promote_anybody_past_themselves(
    house: RunningServer, mine: Party, scopes: list[str] | None, patch: dict[str, Any]
) -> None:
    """ASVS 8.2.1: a promotion alone, with the scopes left out, once gave what a new user could not get."""
    narrowed = somebody(house, mine.id, "admin", scopes=NARROWED)
    accomplice = somebody(house, mine.id, "member", scopes=scopes)
    answer = as_(house, narrowed).patch(f"/v1/users/{accomplice.id}", json=patch)
    assert refused(answer, 403, "insufficient_scope")
    shown = house.admin.get(f"/v1/users/{accomplice.id}").json()
    assert (shown["role"], shown["scopes"]) == ("member", scopes)


def test_a_narrowed_admin_does_not_widen_themselves(house: RunningServer, mine: Party) -> None:
    """ASVS 8.2.3: `PATCH` on oneself is the shortest way up."""
    narrowed = somebody(house, mine.id, "admin", scopes=NARROWED)
    client = as_(house, narrowed)
    for patch in ({"scopes": None}, {"scopes": [*NARROWED, OWN_SCOPE]}, {"role": "owner"}):
        answer = client.patch(f"/v1/users/{narrowed.id}", json=patch)
        assert refused(answer, 403, "insufficient_scope")
    assert client.patch(f"/v1/users/{narrowed.id}", json={"scopes": ["admin", "write"]}).status_code == 200


@pytest.mark.parametrize("role", ["admin", "member"])
def test_rank_holds_in_a_tenant(house: RunningServer, mine: Party, role: str) -> None:
    """ASVS 8.2.1: an admin would make themselves an owner, or depose the one there is."""
    client = as_(house, getattr(mine, role))
    me, owner = getattr(mine, role).id, mine.owner.id
    body = {"email": f"{secrets.token_hex(6)}@example.com", "role": "owner"}
    answers = [
        client.post("/v1/users", json=body),
        client.patch(f"/v1/users/{me}", json={"role": "owner"}),
        client.patch(f"/v1/users/{mine.service.id}", json={"role": "owner"}),
        client.patch(f"/v1/users/{owner}", json={"role": "member"}),
        client.patch(f"/v1/users/{owner}", json={"status": "disabled"}),
        client.patch(f"/v1/users/{owner}", json={"email": f"{secrets.token_hex(6)}@example.com"}),
        client.patch(f"/v1/users/{owner}", json={"name": "Eve"}),
        client.delete(f"/v1/users/{owner}"),
        client.post("/v1/api-keys", json={"name": "x", "user_id": owner}),
    ]
    assert {answer.status_code for answer in answers} <= {403, 404}
    shown = house.admin.get(f"/v1/users/{owner}").json()
    assert (shown["role"], shown["status"]) == ("owner", "active")


def test_rank_holds_in_the_operators_tenant_too(house: RunningServer) -> None:
    """ASVS 8.2.1: whoever runs the installation has no equal elsewhere, and their admins none of their owners."""
    owner_id = house.founded.user_id
    admin = somebody(house, house.founded.tenant_id, "admin")
    client = as_(house, admin)
    key = house.create_key(scopes=["read"])
    answers = [
        client.patch(f"/v1/users/{admin.id}", json={"role": "owner"}),
        client.post("/v1/users", json={"email": f"{secrets.token_hex(6)}@example.com", "role": "owner"}),
        client.patch(f"/v1/users/{owner_id}", json={"role": "member"}),
        client.delete(f"/v1/users/{owner_id}"),
        client.post("/v1/api-keys", json={"name": "x", "user_id": owner_id}),
        *(way(client, key["id"]) for way in [*WAYS_TO_A_KEY.values(), *WAYS_TO_END_A_KEY.values()]),
    ]
    assert all(refused(answer, 403, "insufficient_scope") for answer in answers)


def test_the_operators_admins_still_run_other_tenants(house: RunningServer, theirs: Party) -> None:
    """ASVS 8.2.1: a rule that is too tight would leave a tenant without owners for good."""
    client = as_(house, somebody(house, house.founded.tenant_id, "admin"))
    body = {"email": f"{secrets.token_hex(6)}@example.com", "role": "owner", "tenant_id": theirs.id}
    made = client.post("/v1/users", json=body)
    assert made.status_code == 201
    key = client.post("/v1/api-keys", json={"name": "x", "user_id": made.json()["id"]}).json()
    assert client.post(f"/v1/api-keys/{key['id']}/rotate").status_code == 201
    assert client.delete(f"/v1/users/{made.json()['id']}").status_code == 204


@pytest.mark.parametrize("role", ["owner", "admin", "member"])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/plans", {"name": "mine", "requests_per_hour": None, "burst": None}),
        ("POST", "/v1/plans", {"name": "free", "requests_per_hour": None, "burst": None}),
        ("DELETE", "/v1/plans/pro", None),
        ("POST", "/v1/tenants", {"name": "a tenant of my own"}),
        ("PATCH", "/v1/tenants/{tenant}", {"plan": "enterprise"}),
        ("PATCH", "/v1/tenants/{tenant}", {"status": "disabled"}),
        ("PATCH", "/v1/tenants/{tenant}", {"name": "ok", "plan": "enterprise"}),
        ("POST", "/v1/api-keys", {"name": "x", "plan": "enterprise"}),
        ("PATCH", "/v1/api-keys/{key}", {"plan": "enterprise"}),
        ("PATCH", "/v1/api-keys/{key}", {"plan": None}),
        ("GET", "/metrics", None),
    ],
)
def test_what_is_the_operators_is_nobody_elses(
    house: RunningServer, mine: Party, role: str, method: str, path: str, body: dict[str, Any] | None
) -> None:
    """ASVS 8.2.1: a tenant's own admin would lift its limits, or see what others do."""
    who = getattr(mine, role)
    target = path.format(tenant=mine.id, key=who.key_id)
    plans = house.admin.get("/v1/plans").json()
    tenant = house.admin.get(f"/v1/tenants/{mine.id}").json()
    if path.startswith("/v1/api-keys") and body == {"plan": None}:
        assert as_(house, who).request(method, target, json=body).json()["plan"] is None
    else:
        answer = as_(house, who).request(method, target, json=body)
        assert refused(answer, 403, "insufficient_scope")
    assert house.admin.get("/v1/plans").json() == plans
    assert house.admin.get(f"/v1/tenants/{mine.id}").json() == tenant


def test_a_key_cannot_shake_off_the_plan_that_the_operator_gave_it(house: RunningServer, mine: Party) -> None:
    """ASVS 2.4.1: a key on a tight plan would move itself to the tenant's wider one with `plan: null`."""
    house.create_plan("tight", requests_per_hour=5)
    key = house.create_key(user_id=mine.owner.id, scopes=["admin", "read", "write"], plan="tight")
    client = house.client(key["key"])
    assert refused(client.patch(f"/v1/api-keys/{key['id']}", json={"plan": None}), 403, "insufficient_scope")
    successor = client.post(f"/v1/api-keys/{key['id']}/rotate").json()
    assert successor["plan"] == "tight"
    limit = house.client(successor["key"]).get("/v1/auth/verify").headers
    assert (limit["x-ratelimit-limit"], limit["x-ratelimit-remaining"]) == ("5", "2")


def test_a_member_cannot_be_given_admin_by_any_route(house: RunningServer, mine: Party) -> None:
    """ASVS 8.2.1: `admin` in a member's list, or on a member's key, would make the role a decoration."""
    client = as_(house, mine.owner)
    body = {"email": f"{secrets.token_hex(6)}@example.com", "role": "member", "scopes": ["admin"]}
    assert refused(client.post("/v1/users", json=body), 400, "invalid_request")
    answer = client.patch(f"/v1/users/{mine.member.id}", json={"scopes": ["read", "admin"]})
    assert refused(answer, 400, "invalid_request")
    key = {"name": "x", "user_id": mine.member.id, "scopes": ["admin"]}
    assert refused(client.post("/v1/api-keys", json=key), 400, "invalid_request")


def test_a_service_cannot_own_a_tenant(house: RunningServer, mine: Party) -> None:
    """ASVS 8.2.1: an owner without a person behind it can be neither reached nor held to account."""
    client = as_(house, mine.owner)
    wish = {"kind": "service", "name": "x", "role": "owner"}
    assert refused(client.post("/v1/users", json=wish), 400, "invalid_request")
    answer = client.patch(f"/v1/users/{mine.service.id}", json={"role": "owner"})
    assert refused(answer, 400, "invalid_request")


def test_a_demotion_binds_every_key_at_once(house: RunningServer) -> None:
    """ASVS 8.3.2: keys made in better days would keep the old powers; so would their successors."""
    there = party(house)
    admin = there.admin
    client = as_(house, admin)
    assert client.get("/v1/users").status_code == 200
    changed = as_(house, there.owner).patch(f"/v1/users/{admin.id}", json={"role": "member"})
    assert changed.status_code == 200
    assert "admin" not in scopes_of(house, admin.key)
    assert refused(client.get("/v1/users"), 403, "insufficient_scope")
    assert refused(client.get("/v1/audit"), 403, "insufficient_scope")
    # The key still has `admin` written on it, which would count again after a promotion.
    assert refused(client.post(f"/v1/api-keys/{admin.key_id}/rotate"), 403, "insufficient_scope")


def test_a_tenant_keeps_an_owner(house: RunningServer) -> None:
    """ASVS 8.2.1: an owner who is tricked into stepping down would leave a tenant that nobody can lead."""
    there = party(house)
    client = as_(house, there.owner)
    for patch in ({"role": "admin"}, {"role": "member"}, {"status": "disabled"}):
        assert refused(client.patch(f"/v1/users/{there.owner.id}", json=patch), 409, "conflict")
    assert refused(client.delete(f"/v1/users/{there.owner.id}"), 409, "conflict")


def test_the_operators_tenant_cannot_be_shut_out(house: RunningServer) -> None:
    """ASVS 8.2.1: one call would lock everybody out of the installation, its operator first."""
    answer = house.admin.patch(f"/v1/tenants/{house.founded.tenant_id}", json={"status": "disabled"})
    assert refused(answer, 409, "conflict")
    assert house.admin.get("/v1/auth/verify").status_code == 200
