"""§4: users: `/v1/users`, `/v1/users/me`, `/v1/users/{id}`, and what becomes of their credentials."""

from __future__ import annotations

import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import httpx2
import pytest

from tests.web.tenancy import ALL_SCOPES, Json, Tenancy, every, made, refusal, tenancy_on

PATH: Final = "/v1/users"
MEMBERS_SCOPES: Final = ["invoices:read", "invoices:write", "read", "write"]


def email() -> str:
    """An address that nobody has."""
    return f"{secrets.token_hex(6)}@example.com"


def change(tenancy: Tenancy, user: Json, **fields: object) -> httpx2.Response:
    """Change a user as the tenant's owner."""
    return tenancy.api.patch(f"{PATH}/{user['id']}", json=fields)


def test_a_person(tenancy: Tenancy) -> None:
    """The people of a customer could not be let in."""
    wish = {"email": email()}
    answer = tenancy.api.post(PATH, json=wish)
    assert answer.status_code == 201
    user = answer.json()
    assert answer.headers["Location"] == f"{PATH}/{user['id']}"
    assert re.fullmatch(r"usr_[0-9A-Za-z]{22}", user["id"])
    assert user["created_at"].endswith("Z")
    assert {name: user[name] for name in user.keys() - {"id", "created_at", "updated_at"}} == {
        "object": "user",
        "tenant_id": tenancy.id,
        "kind": "person",
        "email": wish["email"],
        "name": wish["email"],
        "role": "member",
        "scopes": None,
        "status": "active",
    }
    assert tenancy.api.get(f"{PATH}/{user['id']}").json() == user
    assert user in every(tenancy.api, PATH)


def test_a_service_needs_no_address_and_has_no_password(tenancy: Tenancy) -> None:
    """Programs would be given the mailbox of somebody who leaves the company."""
    wish = {"kind": "service", "name": "nightly billing", "scopes": ["invoices:read"]}
    user = made(tenancy.api.post(PATH, json=wish))
    assert user["email"] is None
    assert wish.items() <= user.items()
    assert "password" not in str(user)
    key = tenancy.key(user_id=user["id"], scopes=["invoices:read"])
    assert tenancy.verify(key["key"]).json()["user_id"] == user["id"]


def test_me(tenancy: Tenancy) -> None:
    """A program could not tell its user whose key it holds."""
    member = tenancy.user(name="Ada")
    client = tenancy.client(tenancy.key(user_id=member["id"], scopes=["read"])["key"])
    assert client.get(f"{PATH}/me").json() == member
    assert client.get(f"{PATH}/{member['id']}").json() == member
    without_read = tenancy.client(tenancy.key(scopes=["write"])["key"])
    assert refusal(without_read.get(f"{PATH}/me")) == (403, "insufficient_scope")


@pytest.mark.parametrize(
    ("role", "scopes", "expected"),
    [
        ("owner", None, ALL_SCOPES),
        ("admin", None, ALL_SCOPES),
        ("member", None, MEMBERS_SCOPES),
        ("member", ["read"], ["read"]),
        ("member", ["credentials:verify", "read"], ["credentials:verify", "read"]),
        ("admin", ["read", "admin"], ["admin", "read"]),
        ("member", [], []),
    ],
)
def test_a_role_and_scopes_bound_every_key(
    tenancy: Tenancy, role: str, scopes: list[str] | None, expected: list[str]
) -> None:
    """A key would be able to do more than the person whose key it is."""
    user = tenancy.user(role, scopes=scopes)
    asked = tenancy.api.post("/v1/api-keys", json={"name": "all", "user_id": user["id"], "scopes": expected})
    assert made(asked)["scopes"] == expected
    for beyond in set(ALL_SCOPES) - set(expected):
        wish = {"name": "more", "user_id": user["id"], "scopes": [beyond]}
        assert refusal(tenancy.api.post("/v1/api-keys", json=wish)) == (400, "invalid_request"), beyond


def test_a_demoted_owner_is_bound_at_once(tenancy: Tenancy) -> None:
    """Somebody who was relieved would go on ruling through the keys that they made before."""
    user = tenancy.user("owner")
    key = tenancy.key(user_id=user["id"], scopes=ALL_SCOPES)
    client = tenancy.client(key["key"])
    assert client.get("/v1/auth/verify?scope=admin").status_code == 200
    assert client.get("/v1/audit").status_code == 200
    change(tenancy, user, role="member")
    assert refusal(client.get("/v1/auth/verify?scope=admin")) == (403, "insufficient_scope")
    assert refusal(client.get("/v1/audit")) == (403, "insufficient_scope")
    assert client.get("/v1/auth/verify").json()["scopes"] == MEMBERS_SCOPES
    assert tenancy.ask(key["key"], scope="admin")["code"] == "insufficient_scope"
    change(tenancy, user, scopes=["read"])
    assert client.get("/v1/auth/verify").json()["scopes"] == ["read"]
    change(tenancy, user, scopes=None, role="admin")
    assert client.get("/v1/auth/verify").json()["scopes"] == ALL_SCOPES


def test_a_disabled_user_is_bound_at_once(tenancy: Tenancy) -> None:
    """Somebody who was dismissed would have the rest of the day."""
    user = tenancy.user()
    keys = [tenancy.key(user_id=user["id"]) for _ in range(2)]
    keys.append(made(tenancy.client(keys[0]["key"]).post(f"/v1/api-keys/{keys[0]['id']}/rotate")))
    for key in keys:
        assert tenancy.verify(key["key"]).status_code == 200
    assert change(tenancy, user, status="disabled").json()["status"] == "disabled"
    for key in keys:
        assert refusal(tenancy.verify(key["key"])) == (401, "invalid_api_key")
        assert refusal(tenancy.client(key["key"]).get("/v1/users/me")) == (401, "invalid_api_key")
        assert tenancy.ask(key["key"])["code"] == "invalid_api_key"
    change(tenancy, user, status="active")
    for key in keys:
        assert tenancy.verify(key["key"]).status_code == 200


def test_a_deleted_user_is_gone_with_all_keys(fresh_tenancy: Tenancy) -> None:
    """Keys would live on without anybody who answers for them."""
    tenancy = fresh_tenancy
    user = tenancy.user()
    key = tenancy.key(user_id=user["id"])
    assert tenancy.verify(key["key"]).status_code == 200
    answer = tenancy.api.delete(f"{PATH}/{user['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert refusal(tenancy.verify(key["key"])) == (401, "invalid_api_key")
    for method in ("GET", "DELETE"):
        assert refusal(tenancy.api.request(method, f"{PATH}/{user['id']}")) == (404, "not_found")
    assert refusal(change(tenancy, user, status="active")) == (404, "not_found")
    assert [one["id"] for one in every(tenancy.api, PATH)] == [tenancy.owner["id"]]
    listed = tenancy.api.get(f"/v1/api-keys/{key['id']}").json()
    assert (listed["status"], listed["revocation_reason"]) == ("revoked", "user deleted")
    again = tenancy.user(email=user["email"])
    assert again["id"] != user["id"], "an address may come back, an id never"


@pytest.mark.parametrize("fields", [{"role": "member"}, {"role": "admin"}, {"status": "disabled"}, None])
def test_a_tenant_keeps_an_owner(fresh_tenancy: Tenancy, fields: Json | None) -> None:
    """Nobody could let anybody in any more."""
    tenancy = fresh_tenancy
    client, path = tenancy.api, f"{PATH}/{tenancy.owner['id']}"

    def attempt() -> httpx2.Response:
        return client.delete(path) if fields is None else client.patch(path, json=fields)

    before = tenancy.everything()
    answer = attempt()
    assert refusal(answer) == (409, "conflict")
    assert "owner" in answer.json()["message"]
    assert tenancy.everything() == before
    disabled = tenancy.user("owner")
    change(tenancy, disabled, status="disabled")
    assert refusal(attempt()) == (409, "conflict"), "one who cannot act does not count"
    change(tenancy, disabled, status="active")
    assert attempt().is_success


def test_two_owners_who_leave_at_once(fresh_tenancy: Tenancy) -> None:
    """Each would see the other, and both would be gone."""
    tenancy = fresh_tenancy
    owners = [tenancy.owner, *(tenancy.user("owner") for _ in range(5))]
    clients = [tenancy.server.client(tenancy.server.founded.api_key) for _ in owners]
    with ThreadPoolExecutor(len(owners)) as pool:
        answers = list(
            pool.map(
                lambda pair: pair[1].patch(f"{PATH}/{pair[0]['id']}", json={"role": "member"}),
                zip(owners, clients, strict=True),
            )
        )
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [409]
    users = every(tenancy.operator, PATH, tenant_id=tenancy.id)
    assert [user["role"] for user in users].count("owner") == 1


def test_an_address_is_one_persons_in_a_tenant(fresh_tenancy: Tenancy) -> None:
    """Two people would share a login; and two tenants may know the same person."""
    tenancy, other = fresh_tenancy, tenancy_on(fresh_tenancy.server)
    ada = tenancy.user(email="Ada.Lovelace@Example.com")
    assert ada["email"] == "Ada.Lovelace@Example.com"
    bob = tenancy.user()
    before = tenancy.everything()
    for taken in ("Ada.Lovelace@Example.com", "ada.lovelace@example.com", "ADA.LOVELACE@EXAMPLE.COM"):
        answer = tenancy.api.post(PATH, json={"email": taken})
        assert refusal(answer) == (409, "conflict"), taken
        assert answer.json()["field"] == "email"
        assert refusal(change(tenancy, bob, email=taken)) == (409, "conflict"), taken
    assert tenancy.everything() == before
    assert change(tenancy, ada, email="ada.lovelace@example.com").status_code == 200, "one's own, respelt"
    assert made(other.api.post(PATH, json={"email": "ada.lovelace@example.com"}))["id"] != ada["id"]


MALFORMED: Final[list[tuple[Json, str]]] = [
    ({"email": None}, "email"),
    ({"email": ""}, "email"),
    ({"email": "nobody"}, "email"),
    ({"email": "a@b"}, "email"),
    ({"email": "a b@example.com"}, "email"),
    ({"email": "a@b@example.com"}, "email"),
    ({"email": "Ada <ada@example.com>"}, "email"),
    ({"email": "a@example.com\r\nBcc: b@example.com"}, "email"),
    ({"email": "a" * 250 + "@example.com"}, "email"),
    ({"email": 7}, "email"),
    ({"name": ""}, "name"),
    ({"name": 7}, "name"),
    ({"name": "x" * 201}, "name"),
    ({"role": "root"}, "role"),
    ({"role": "OWNER"}, "role"),
    ({"role": None}, "role"),
    ({"scopes": "read"}, "scopes"),
    ({"scopes": ["unheard-of"]}, "scopes"),
    ({"scopes": ["admin"]}, "scopes"),
    ({"password": "secret"}, "password"),
    ({"id": "usr_mine"}, "id"),
]


def test_a_malformed_user_names_its_field_and_changes_nothing(fresh_tenancy: Tenancy) -> None:
    """A slip would let the wrong person in, or the right one with the wrong powers."""
    tenancy = fresh_tenancy
    user = tenancy.user()
    before = tenancy.everything()
    creating: list[tuple[Json, str]] = [
        *MALFORMED,
        ({"kind": "robot"}, "kind"),
        ({"kind": "service", "email": None}, "name"),
        ({"kind": "service", "name": "x", "role": "owner"}, "role"),
        ({"status": "disabled"}, "status"),
        ({"tenant_id": 7}, "tenant_id"),
    ]
    for fields, field in creating:
        answer = tenancy.api.post(PATH, json={"email": "x@example.com", **fields})
        assert refusal(answer) == (400, "invalid_request"), fields
        assert answer.json()["field"].partition(".")[0] == field, fields
        assert field in answer.json()["message"], fields
    changing: list[tuple[Json, str]] = [
        *MALFORMED,
        ({"status": "deleted"}, "status"),
        ({"status": None}, "status"),
        ({"kind": "service"}, "kind"),
        ({"tenant_id": tenancy.id}, "tenant_id"),
    ]
    for fields, field in changing:
        answer = change(tenancy, user, **fields)
        assert refusal(answer) == (400, "invalid_request"), fields
        assert answer.json()["field"].partition(".")[0] == field, fields
    assert tenancy.everything() == before


def test_what_is_left_out_stays(tenancy: Tenancy) -> None:
    """A script that renames somebody would make them a member again."""
    user = tenancy.user("admin", name="before", scopes=["admin", "read"])
    tenancy.server.clock.advance(1)
    for fields in ({"name": "after"}, {"email": email()}, {"scopes": ["read"]}, {"role": "member"}, {}):
        answer = change(tenancy, user, **fields)
        assert answer.status_code == 200, answer.text
        assert answer.json() == {**user, **fields, "updated_at": answer.json()["updated_at"]}
        user = answer.json()


def test_members_may_rename_themselves_and_no_more(fresh_tenancy: Tenancy) -> None:
    """Anybody would make themselves an owner."""
    tenancy = fresh_tenancy
    member, colleague = tenancy.user(), tenancy.user()
    client = tenancy.client(tenancy.key(user_id=member["id"])["key"])
    before = tenancy.everything()
    for fields in (
        {"role": "owner"},
        {"scopes": ALL_SCOPES},
        {"email": email()},
        {"status": "disabled"},
        {"name": "x", "role": "admin"},
    ):
        answer = client.patch(f"{PATH}/{member['id']}", json=fields)
        assert refusal(answer) == (403, "insufficient_scope"), fields
        assert answer.json()["scope"] == "admin"
    assert refusal(client.patch(f"{PATH}/{colleague['id']}", json={"name": "x"})) == (404, "not_found")
    assert refusal(client.get(f"{PATH}/{colleague['id']}")) == (404, "not_found")
    for answer in (
        client.get(PATH),
        client.post(PATH, json={"email": email()}),
        client.delete(f"{PATH}/{member['id']}"),
    ):
        assert refusal(answer) == (403, "insufficient_scope")
        assert answer.json()["scope"] == "admin"
    assert tenancy.everything() == before
    assert client.patch(f"{PATH}/{member['id']}", json={"name": "Ada"}).json()["name"] == "Ada"


def test_an_admin_does_not_rule_the_owner(fresh_tenancy: Tenancy) -> None:
    """Whoever was trusted with the daily work could take the company over."""
    tenancy = fresh_tenancy
    admin = tenancy.user("admin")
    client = tenancy.client(tenancy.key(user_id=admin["id"], scopes=ALL_SCOPES)["key"])
    before = tenancy.everything()
    owner = f"{PATH}/{tenancy.owner['id']}"
    for answer in (
        client.patch(owner, json={"role": "member"}),
        client.patch(owner, json={"name": "x"}),
        client.patch(owner, json={"email": email()}),
        client.delete(owner),
        client.patch(f"{PATH}/{admin['id']}", json={"role": "owner"}),
        client.post(PATH, json={"email": email(), "role": "owner"}),
        client.post("/v1/api-keys", json={"name": "x", "user_id": tenancy.owner["id"]}),
    ):
        assert refusal(answer) == (403, "insufficient_scope"), answer.request.url
        assert "owner" in answer.json()["message"]
    assert tenancy.everything() == before
    assert client.post(PATH, json={"email": email(), "role": "admin"}).status_code == 201


def test_nothing_is_seen_or_done_across_tenants(fresh_tenancy: Tenancy) -> None:
    """A customer would read another's staff list."""
    tenancy, other = fresh_tenancy, tenancy_on(fresh_tenancy.server)
    before = other.everything()
    foreign = f"{PATH}/{other.owner['id']}"
    unknown = f"{PATH}/usr_0000000000000000000000"
    for path in (foreign, unknown):
        for answer in (
            tenancy.api.get(path),
            tenancy.api.patch(path, json={"name": "x"}),
            tenancy.api.delete(path),
        ):
            assert refusal(answer) == (404, "not_found"), path
    for answer in (
        tenancy.api.get(PATH, params={"tenant_id": other.id}),
        tenancy.api.post(PATH, json={"email": email(), "tenant_id": other.id}),
    ):
        assert refusal(answer) == (404, "not_found")
    assert other.owner["id"] not in [user["id"] for user in every(tenancy.api, PATH)]
    assert other.everything() == before


def test_what_happens_to_people_is_audited(fresh_tenancy: Tenancy) -> None:
    """Nobody could find out who let whom in; and addresses are personal, so they are not repeated."""
    tenancy = fresh_tenancy
    clock = tenancy.server.clock
    clock.advance(1)
    user = made(tenancy.api.post(PATH, json={"email": "grace@example.com"}))
    for fields in ({"role": "admin"}, {"email": "hopper@example.com"}, {"status": "disabled"}):
        clock.advance(1)
        change(tenancy, user, **fields)
    clock.advance(1)
    tenancy.api.delete(f"{PATH}/{user['id']}")
    events = every(tenancy.api, "/v1/audit", subject_id=user["id"])
    assert [event["action"] for event in reversed(events)] == [
        "user.created",
        "user.changed",
        "user.changed",
        "user.changed",
        "user.deleted",
    ]
    assert {event["actor"]["user_id"] for event in events} == {tenancy.owner["id"]}
    assert [event["details"] for event in reversed(events)][1:4] == [
        {"role": "admin"},
        {"email": "changed"},
        {"status": "disabled"},
    ]
    assert "example.com" not in str(events)
