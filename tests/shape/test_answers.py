"""§4 and §6: what every answer carries, and how every object and list looks."""

from __future__ import annotations

import re
from typing import Any, Final

import httpx2
import pytest

from bonafides.web.cross_origin import is_open
from tests.web.tenancy import Json, Tenancy, made, refusal

FAMILIES: Final = (
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "RateLimit-Policy",
    "RateLimit",
)
TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
PREFIXES: Final = {
    "tenant_id": "ten_",
    "user_id": "usr_",
    "created_by": "usr_",
    "parent_id": "key_",
    "credential_id": "key_",
    "request_id": "req_",
}
OF_OBJECTS: Final = {"api_key": "key_", "user": "usr_", "tenant": "ten_", "audit_event": "evt_"}
PAGES: Final = ["/", "/healthz", "/readyz", "/openapi.json", "/openapi.yaml"]
UNCOUNTED: Final = {
    *PAGES,
    "/docs",
    "/metrics",
    "/.well-known/oauth-protected-resource",
    "/.well-known/jwks.json",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
}


VISITED = frozenset(
    {
        "/oauth/token",
        "/oauth/register",
        "/oauth/register/{client_id}",
        "/oauth/par",
        "/oauth/device_authorization",
        "/oauth/revoke",
        "/v1/auth/login",
        "/v1/auth/login/second-factor",
        "/v1/auth/login/passkey",
        "/v1/auth/login/passkey/options",
        "/v1/auth/refresh",
        "/v1/auth/password/reset",
        "/v1/auth/password/forgotten",
    }
)
"""Calls for who has no credential yet: whatever is presented, the address is counted."""


def operations(tenancy: Tenancy) -> list[tuple[str, str]]:
    """Every method and path of the description, with ids that nothing has."""
    description = tenancy.client().get("/openapi.json").json()
    return [
        (method.upper(), re.sub(r"\{\w+\}", "nothing", path))
        for path, methods in description["paths"].items()
        for method in methods
        if path not in UNCOUNTED | VISITED
    ]


def assert_both_families(answer: httpx2.Response, limit: int) -> None:
    """The answer carries both families, and they speak of this limit."""
    where = f"{answer.request.method} {answer.request.url.path} {answer.status_code}"
    for name in FAMILIES:
        assert len(answer.headers.get_list(name)) == 1, f"{where}: {name}"
    assert answer.headers["X-RateLimit-Limit"] == str(limit), where
    assert f"q={limit};" in answer.headers["RateLimit-Policy"], where
    remaining = answer.headers["X-RateLimit-Remaining"]
    assert f"r={remaining};" in answer.headers["RateLimit"], where


def test_every_call_carries_both_families_for_its_credential(tenancy: Tenancy) -> None:
    """A client could not pace itself on just those calls that leave them out."""
    key = tenancy.key(plan=tenancy.plan(777), scopes=["admin", "read", "write"])
    client = tenancy.client(key["key"])
    seen = set()
    for method, path in operations(tenancy):
        answer = client.request(method, path)
        seen.add(answer.status_code)
        assert 200 <= answer.status_code < 500, path
        assert_both_families(answer, 777)
    assert seen >= {200, 204, 400, 403, 404}


def test_every_call_carries_both_families_for_an_address(tenancy: Tenancy) -> None:
    """Somebody without a key could not tell why they are refused."""
    limit = tenancy.server.settings.address_requests_per_minute
    assert limit is not None
    for credential in (None, "wrong"):
        for method, path in operations(tenancy):
            answer = tenancy.client(credential).request(method, path)
            assert refusal(answer)[0] == 401, path
            assert_both_families(answer, limit)
            assert '"address"' in answer.headers["RateLimit-Policy"]


def test_what_is_malformed_before_anybody_looks_carries_them_too(tenancy: Tenancy) -> None:
    """The policy of the address binds whoever was not asked for a credential yet."""
    limit = tenancy.server.settings.address_requests_per_minute
    assert limit is not None
    owner = tenancy.owner_key["key"]
    for answer in (
        *(tenancy.client(owner).post(path) for path in sorted(VISITED) if "{" not in path),
        tenancy.client().get(f"/v1/auth/verify?x={owner}"),
        tenancy.client().get("/v1/auth/verify", headers={"Authorization": owner, "X-API-Key": owner}),
        tenancy.client().get("/v1/auth/verify", headers={"Authorization": "Basic ?"}),
        tenancy.client().get("/v1/nothing"),
        tenancy.client().put("/v1/api-keys"),
    ):
        assert_both_families(answer, limit)


def test_probes_and_pages_carry_none(tenancy: Tenancy) -> None:
    """They are not the API, and nobody is counted for them."""
    for path in PAGES:
        answer = tenancy.client().get(path)
        assert answer.status_code == 200, path
        assert not any(name in answer.headers for name in FAMILIES), path


def test_every_answer_names_its_request(tenancy: Tenancy) -> None:
    """Support could not find what a customer asks about; two requests must never share a name."""
    names = set()
    for method, path in operations(tenancy):
        for client in (tenancy.client(), tenancy.client(tenancy.owner_key["key"])):
            answer = client.request(method, path, headers={"X-Request-Id": "mine"})
            assert re.fullmatch(r"req_[0-9A-Za-z]+", answer.headers["X-Request-Id"]), path
            names.add(answer.headers["X-Request-Id"])
    assert len(names) == 2 * len(operations(tenancy))


def test_every_answer_of_the_api_is_for_one_reader(tenancy: Tenancy) -> None:
    """A cache between would give one customer's answer to the next."""
    for method, path in operations(tenancy):
        answer = tenancy.client(tenancy.owner_key["key"]).request(method, path)
        assert answer.headers["Cache-Control"] == "no-store", path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert "Set-Cookie" not in answer.headers, path
        assert ("Access-Control-Allow-Origin" in answer.headers) is is_open(path), path
        assert "Server" not in answer.headers, path


def test_strict_transport_is_asked_for_where_the_public_url_is_https(tenancy: Tenancy) -> None:
    """ASVS 3.4.1: a first request over plain HTTP would carry a key."""
    answer = tenancy.client().get("/v1/auth/verify")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_every_answer_says_what_it_is(tenancy: Tenancy) -> None:
    """ASVS 4.1.1: a browser would guess, and read somebody's name for a key as a page."""
    for method, path in operations(tenancy):
        answer = tenancy.client(tenancy.owner_key["key"]).request(method, path)
        assert bool(answer.content) == ("Content-Type" in answer.headers), path
        kind, _, parameter = answer.headers.get("Content-Type", "application/json").partition(";")
        assert kind in {"application/json", "application/jwt"} or parameter.strip() == "charset=utf-8", path


def assert_shape(thing: object, where: str) -> None:
    """Ids are prefixed, times are in UTC with `Z`, and every object says what it is."""
    if isinstance(thing, list):
        for position, part in enumerate(thing):
            assert_shape(part, f"{where}.{position}")
        return
    if not isinstance(thing, dict):
        return
    kind = thing.get("object")
    if kind in OF_OBJECTS:
        assert thing["id"].startswith(OF_OBJECTS[kind]), where
    for name, value in thing.items():
        place = f"{where}.{name}"
        if name in {"metadata", "details"}:
            continue
        if (name.endswith("_at") or name in {"at", "timestamp"}) and value is not None:
            assert TIME.fullmatch(value), place
        elif name in PREFIXES and value is not None:
            assert value.startswith(PREFIXES[name]), place
        assert_shape(value, place)


@pytest.fixture(scope="module")
def lively(tenancy: Tenancy) -> Tenancy:
    """A tenant in which every kind of thing has happened once."""
    user = tenancy.user("admin")
    key = tenancy.key(user_id=user["id"], expires_in=60, allowed_ips=["192.0.2.0/24"], metadata={"a": 1})
    tenancy.verify(key["key"], "192.0.2.1")
    successor = made(tenancy.api.post(f"/v1/api-keys/{key['id']}/rotate"))
    tenancy.api.delete(f"/v1/api-keys/{successor['id']}", params={"reason": "test"})
    tenancy.api.patch(f"/v1/users/{user['id']}", json={"status": "disabled"})
    return tenancy


@pytest.mark.parametrize(
    "path", ["/v1/api-keys", "/v1/users", "/v1/tenants", "/v1/plans", "/v1/audit", "/audit"]
)
def test_every_list_and_object_has_the_one_shape(lively: Tenancy, path: str) -> None:
    """A client that reads one list would not read the next."""
    page: Json = lively.api.get(path).json()
    assert set(page) == {"data", "next_cursor"}
    assert page["data"]
    for thing in page["data"]:
        assert set(thing) == set(page["data"][0]), "no field comes and goes"
        assert_shape(thing, path)
        if path in {"/v1/api-keys", "/v1/users", "/v1/tenants"}:
            shown = lively.api.get(f"{path}/{thing['id']}").json()
            # The key that asks is used by asking, and that is noted every now and then.
            assert {**shown, "last_used_at": None} == {**thing, "last_used_at": None}
            assert set(shown) == set(thing)
        if path == "/v1/plans":
            assert lively.api.get(f"{path}/{thing['name']}").json() == thing


def test_what_is_made_looks_like_what_is_listed(lively: Tenancy) -> None:
    """A client would need two types for one thing."""
    key: dict[str, Any] = lively.key()
    assert_shape(key, "made")
    del key["key"]
    assert lively.api.get(f"/v1/api-keys/{key['id']}").json() == key
    for made_thing, path in ((lively.user(), "/v1/users"), (lively.tenant, "/v1/tenants")):
        assert lively.api.get(f"{path}/{made_thing['id']}").json() == made_thing
