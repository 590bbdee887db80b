"""A body sets what its call documents, and not one field more; who may not set a field cannot by any call.

The fields are those of every object that the server shows, and those that other servers fell for; so a field
that is added to an object later is tried from that day on.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

import pytest

from tests.attacks.cast import Party, as_, refused
from tests.serving import RunningServer

pytestmark = pytest.mark.slow

ROLES: Final = ("owner", "admin", "member", "service")
OTHERS_FELL_FOR: Final[dict[str, Any]] = {
    "permissions": {"admin": ["*"]},
    "rateLimitEnabled": False,
    "rateLimitMax": 10**9,
    "rateLimit": None,
    "remaining": 10**9,
    "refillAmount": 10**9,
    "refillInterval": 1,
    "requests_per_hour": None,
    "is_admin": True,
    "isAdmin": True,
    "admin": True,
    "roles": ["owner"],
    "scope": "admin",
    "verified": True,
    "email_verified": True,
    "password": "correct horse battery staple",
    "password_hash": "x",
    "digest": "00" * 32,
    "pepper_id": "x",
    "secret": "bf_key_x",
    "root_id": "key_x",
    "usable": True,
    "__proto__": {"admin": True},
    "constructor": {"prototype": {"admin": True}},
    "": True,
}
BODIES: Final = frozenset(
    {
        "/v1/api-keys",
        "/v1/api-keys/{key_id}",
        "/v1/users",
        "/v1/users/{user_id}",
        "/v1/tenants",
        "/v1/tenants/{tenant_id}",
        "/v1/plans",
        "/v1/credentials/verify",
        "/v1/clients",
        "/v1/clients/{client_id}",
        "/v1/clients/{client_id}/secrets",
        "/v1/personal-access-tokens",
    }
)
TRIED_BY_OWNERS: Final = frozenset(
    path for path in BODIES if path.startswith(("/v1/clients", "/v1/personal"))
)
"""Alone: a member may not make clients at all."""
VALUES: Final[dict[str, Any]] = {
    "role": "owner",
    "scopes": ["admin"],
    "status": "active",
    "plan": "enterprise",
    "operator": True,
    "kind": "person",
    "object": "api_key",
    "expires_at": None,
    "created_at": "2000-01-01T00:00:00Z",
    "last_used_at": None,
    "revoked_at": None,
    **OTHERS_FELL_FOR,
}


Matrix = list[tuple[str, str, str]]


def undocumented(description: dict[str, Any]) -> Matrix:
    """Every field that any object has, with every call whose body does not document it."""
    objects: dict[str, dict[str, Any]] = description["components"]["schemas"]
    fields = set(OTHERS_FELL_FOR).union(
        *(shape.get("properties", {}) for name, shape in objects.items() if name not in {"Error", "Problem"})
    )
    return [
        (method, path, name)
        for path, calls in description["paths"].items()
        for method, call in calls.items()
        if path in BODIES and method in {"post", "patch"}
        for name in sorted(fields - set(_properties(call, objects)))
    ]


def _properties(call: dict[str, Any], objects: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What the body of a call documents."""
    shape = call["requestBody"]["content"]["application/json"]["schema"]
    # A body that may be left out is one of two shapes, of which the other is nothing.
    shape = shape.get("anyOf", [shape])[0]
    found: dict[str, Any] = objects[shape["$ref"].rpartition("/")[2]]["properties"]
    return found


def body_for(path: str) -> dict[str, Any]:
    """A body that is good but for what is added to it."""
    mark = secrets.token_hex(6)
    bodies: dict[str, dict[str, Any]] = {
        "/v1/api-keys": {"name": "x"},
        "/v1/users": {"email": f"{mark}@example.com"},
        "/v1/tenants": {"name": f"tenant {mark}"},
        "/v1/plans": {"name": f"plan-{mark}", "requests_per_hour": 1, "burst": 1},
        "/v1/credentials/verify": {"credential": "x"},
        "/v1/clients": {"name": "x", "scopes": ["read"], "grant_types": ["client_credentials"]},
        "/v1/personal-access-tokens": {"description": "x"},
    }
    return bodies.get(path, {"name": "changed"})


@pytest.fixture(scope="module")
def matrix(house: RunningServer) -> Matrix:
    """From the server's own description."""
    return undocumented(house.client().get("/openapi.json").json())


def test_the_matrix_is_not_empty(matrix: Matrix) -> None:
    """Attack 2: a matrix that lost its fields passes every test."""
    assert len(matrix) > 200
    assert {path for _, path, _ in matrix} == BODIES
    assert {"user_id", "tenant_id", "root_id", "parent_id", "operator", "digest"} <= {
        name for *_, name in matrix
    }


@pytest.mark.parametrize("role", ["operator", *ROLES])
def test_no_call_takes_a_field_that_it_does_not_document(
    house: RunningServer, mine: Party, matrix: Matrix, role: str
) -> None:
    """Attack 2 (CVE-2025-61928), ASVS 8.2.3: server-only fields gave keys without limits; each is refused by name."""
    me = mine.owner if role == "operator" else getattr(mine, role)
    client = house.admin if role == "operator" else as_(house, me)
    shop = as_(house, mine.owner).post("/v1/clients", json=body_for("/v1/clients")).json()["id"]
    key_id = house.create_key(user_id=me.id)["id"]
    own = {"key_id": key_id, "user_id": me.id, "tenant_id": mine.id, "client_id": shop}
    shown = [
        f"/v1/api-keys/{key_id}",
        f"/v1/users/{me.id}",
        f"/v1/tenants/{mine.id}",
        f"/v1/clients/{shop}",
    ]
    before = [house.admin.get(path).json() for path in shown]
    for method, path, name in matrix:
        # Which fields a body has is not a question of the role: the rest is tried by owners alone.
        if role != "owner" and (path in TRIED_BY_OWNERS or name not in VALUES):
            continue
        body = {**body_for(path), name: VALUES.get(name, "x")}
        answer = client.request(method, path.format(**own), json=body)
        where = (method, path, name, answer.text)
        if answer.status_code == 403:
            assert role in {"member", "service"}, where
            assert path.split("/")[2] != "api-keys", where
        else:
            assert refused(answer, 400, "invalid_request"), where
            assert answer.json()["field"] == name, where
    assert [house.admin.get(path).json() for path in shown] == before


@pytest.mark.parametrize("role", ROLES)
def test_an_unknown_field_is_refused_also_where_it_lies_deeper(
    house: RunningServer, mine: Party, role: str
) -> None:
    """Attack 2: a model that forbids strangers at the top may let them in below."""
    if role in {"owner", "admin"}:
        body = {**body_for("plans"), "per_method": {"session": 1}}
        assert house.admin.post("/v1/plans", json=body).status_code == 400
    client = as_(house, getattr(mine, role))
    assert refused(client.post("/v1/api-keys", json={"NewKey": {"name": "x"}}), 400, "invalid_request")
    assert refused(client.post("/v1/api-keys", json=[{"name": "x"}]), 400, "invalid_request")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "body",
    [
        '{"name":"x","scopes":["write"],"scopes":["admin"]}',
        '{"name":"x","user_id":null,"user_id":"{victim}"}',
        '{"name":"x","tenant_id":"{mine}","tenant_id":"{theirs}"}',
        '{"name":"x","\\u0070lan":"enterprise"}',
        '{"name":"x","Plan":"enterprise"}',
        '{"name":"x","plan ":"enterprise"}',
        '{"name":"x","plan[]":"enterprise"}',
    ],
)
def test_no_second_spelling_of_a_field_slips_through(
    house: RunningServer, mine: Party, theirs: Party, role: str, body: str
) -> None:
    """Attack 2: a proxy that checks the first of two equal names, or the plain spelling, must not be the only check."""
    text = body.replace("{victim}", theirs.owner.id).replace("{mine}", mine.id).replace("{theirs}", theirs.id)
    client = as_(house, getattr(mine, role))
    answer = client.post("/v1/api-keys", content=text, headers={"Content-Type": "application/json"})
    if answer.status_code == 201:
        made = answer.json()
        assert role in {"owner", "admin"}
        assert (made["user_id"], made["tenant_id"], made["plan"]) == (getattr(mine, role).id, mine.id, None)
    else:
        assert answer.status_code in {400, 403, 404}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("verb", ["rotate", "disable", "enable"])
def test_a_verb_takes_no_fields_of_the_key(house: RunningServer, mine: Party, role: str, verb: str) -> None:
    """Attack 2: a rotation that took scopes or an expiry would be a way to change them without the checks."""
    me = getattr(mine, role)

    def key_with_bounds() -> dict[str, Any]:
        return house.create_key(user_id=me.id, scopes=["read"], allowed_ips=["127.0.0.1"], expires_in=600)

    key = key_with_bounds()
    for name, value in {
        **VALUES,
        "overlap_ends_at": None,
        "allowed_ips": [],
        "user_id": mine.owner.id,
    }.items():
        answer = as_(house, me).post(f"/v1/api-keys/{key['id']}/{verb}", json={name: value})
        if answer.status_code < 300:
            shown = answer.json()
            for same in ("scopes", "allowed_ips", "expires_at", "user_id", "tenant_id", "plan", "created_at"):
                assert shown[same] == key[same], (verb, name, same)
            key = key_with_bounds()
        else:
            assert refused(answer, 400, "invalid_request")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/api-keys", {"name": ["x"]}),
        ("/v1/api-keys", {"name": "x", "scopes": "read"}),
        ("/v1/api-keys", {"name": "x", "scopes": {"read": True}}),
        ("/v1/api-keys", {"name": "x", "scopes": [["read"]]}),
        ("/v1/api-keys", {"name": "x", "user_id": {"$ne": None}}),
        ("/v1/api-keys", {"name": "x", "user_id": ["usr_x"]}),
        ("/v1/api-keys", {"name": "x", "user_id": True}),
        ("/v1/api-keys", {"name": "x", "expires_in": "60"}),
        ("/v1/api-keys", {"name": "x", "expires_in": True}),
        ("/v1/api-keys", {"name": "x", "allowed_ips": "127.0.0.1"}),
        ("/v1/users", {"email": "a@example.com", "role": ["owner"]}),
        ("/v1/users", {"email": "a@example.com", "role": "OWNER"}),
        ("/v1/users", {"email": "a@example.com", "role": "owner "}),
        ("/v1/users", {"email": "a@example.com", "role": 0}),
        ("/v1/users", {"email": {"$gt": ""}}),
    ],
)
def test_a_field_of_another_type_is_refused_not_bent(
    house: RunningServer, mine: Party, path: str, body: dict[str, Any]
) -> None:
    """Attack 2: a value that is coerced after it was checked is another value than the one that was checked."""
    assert refused(as_(house, mine.owner).post(path, json=body), 400, "invalid_request")
