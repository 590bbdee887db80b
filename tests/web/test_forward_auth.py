"""§3: `/auth/forward`, for reverse proxies: the identity in headers, or the error."""

from __future__ import annotations

from typing import Final

import httpx2
import pytest

from tests.web.tenancy import Tenancy, refusal

PATHS: Final = [
    "/auth/forward",
    *(f"/auth/forward/{proxy}" for proxy in ("nginx", "caddy", "traefik", "envoy")),
]
IDENTITY: Final = ["X-Auth-User", "X-Auth-Tenant", "X-Auth-Scopes", "X-Auth-Credential"]


@pytest.mark.parametrize("path", PATHS)
def test_a_good_credential_is_204_with_the_identity(tenancy: Tenancy, path: str) -> None:
    """The API behind the proxy knows its caller by these headers alone."""
    key = tenancy.key(scopes=["write", "read"], plan=tenancy.plan(10))
    answer = tenancy.client(key["key"]).get(path)
    assert answer.status_code == 204
    assert answer.content == b""
    assert "Content-Type" not in answer.headers
    assert answer.headers.get("Content-Length", "0") == "0"
    assert answer.headers["X-Auth-User"] == tenancy.owner["id"]
    assert answer.headers["X-Auth-Tenant"] == tenancy.id
    assert answer.headers["X-Auth-Scopes"] == "read write"
    assert answer.headers["X-Auth-Credential"] == key["id"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-RateLimit-Remaining"] == "9"


def test_a_credential_without_scopes_still_has_the_header(tenancy: Tenancy) -> None:
    """A proxy that copies a missing header would pass on what the client sent in its place."""
    answer = tenancy.client(tenancy.key(scopes=[])["key"]).get("/auth/forward")
    assert answer.status_code == 204
    assert answer.headers["X-Auth-Scopes"] == ""


@pytest.mark.parametrize("path", PATHS)
def test_every_refusal_is_the_error_without_an_identity(tenancy: Tenancy, path: str) -> None:
    """A proxy that copies headers of refusals would let the caller through as somebody."""
    revoked, expired = tenancy.key(), tenancy.key(expires_in=1)
    tenancy.api.delete(f"/v1/api-keys/{revoked['id']}")
    tenancy.server.clock.advance(2)
    elsewhere = tenancy.key(allowed_ips=["192.0.2.0/24"])
    used_up = tenancy.key(plan=tenancy.plan(0))
    cases: list[tuple[str | None, str, tuple[int, str]]] = [
        (None, "", (401, "missing_api_key")),
        ("wrong", "", (401, "invalid_api_key")),
        ("bf_tok_wrong", "", (401, "invalid_token")),
        (revoked["key"], "", (401, "invalid_api_key")),
        (expired["key"], "", (401, "token_expired")),
        (tenancy.key(scopes=["read"])["key"], "?scope=read+write", (403, "insufficient_scope")),
        (elsewhere["key"], "", (403, "ip_not_allowed")),
        (used_up["key"], "", (429, "rate_limit_exceeded")),
    ]
    for credential, query, expected in cases:
        answer = tenancy.client(credential).get(path + query, headers={"Accept": "text/html"})
        assert refusal(answer) == expected
        assert not any(name in answer.headers for name in IDENTITY)
        assert "Location" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
        assert ("WWW-Authenticate" in answer.headers) == (expected[0] in {401, 403})
        assert ("Retry-After" in answer.headers) == (expected[0] == 429)


@pytest.mark.parametrize("path", PATHS)
def test_a_scope_may_be_required(tenancy: Tenancy, path: str) -> None:
    """A proxy could not tell an API's reading paths from its writing ones."""
    client = tenancy.client(tenancy.key(scopes=["read", "invoices:read"])["key"])
    assert client.get(f"{path}?scope=read+invoices:read").status_code == 204
    assert refusal(client.get(f"{path}?scope=read+write")) == (403, "insufficient_scope")


def test_what_the_client_says_about_itself_is_not_believed(tenancy: Tenancy) -> None:
    """Anybody could name themselves in the header that the API behind the proxy trusts."""
    key = tenancy.key(scopes=["read"])
    claims = dict.fromkeys(IDENTITY, "admin")
    answer = tenancy.client(key["key"]).get("/auth/forward", headers=claims)
    assert answer.headers.get_list("X-Auth-User") == [tenancy.owner["id"]]
    assert answer.headers.get_list("X-Auth-Scopes") == ["read"]
    anonymous = tenancy.client().get("/auth/forward", headers=claims)
    assert refusal(anonymous) == (401, "missing_api_key")


def test_a_key_is_bound_to_the_address_that_the_proxy_reports(tenancy: Tenancy) -> None:
    """Every request would come from the proxy, so no key could be bound to a network."""
    client = tenancy.client(tenancy.key(allowed_ips=["192.0.2.0/24", "2001:db8::/32"])["key"])

    def status(forwarded_for: str) -> int:
        return client.get("/auth/forward", headers={"X-Forwarded-For": forwarded_for}).status_code

    assert status("192.0.2.9") == 204
    assert status("2001:db8::9") == 204
    assert status("198.51.100.9") == 403
    assert status("192.0.2.9, 198.51.100.9") == 403, (
        "what stands left of the last hop anyone could have written"
    )
    assert status("198.51.100.9, 192.0.2.9") == 204


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_other_methods_are_refused(tenancy: Tenancy, method: str) -> None:
    """A proxy that is set up wrongly should hear so, and not let everything through."""
    answer = tenancy.client(tenancy.owner_key["key"]).request(method, "/auth/forward")
    assert answer.status_code == 405


def test_a_proxy_that_we_do_not_know_is_not_found(tenancy: Tenancy) -> None:
    """A misspelt path in a proxy's settings must not open the API."""
    answer = tenancy.client(tenancy.owner_key["key"]).get("/auth/forward/ngnix")
    assert refusal(answer) == (404, "not_found")


def test_each_request_counts(tenancy: Tenancy) -> None:
    """Requests through a proxy would be free."""
    client = tenancy.client(tenancy.key(plan=tenancy.plan(3))["key"])
    answers: list[httpx2.Response] = [client.get(path) for path in PATHS[:4]]
    assert [answer.status_code for answer in answers] == [204, 204, 204, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
