"""Forward authentication: 2xx with the identity headers, or not 2xx; whatever the proxied request pretends."""

from __future__ import annotations

from typing import Final

import httpx2
import pytest

from tests.attacks.cast import Party, as_, refused
from tests.attacks.wire import request, wire
from tests.serving import RunningServer

IDENTITY: Final = ("x-auth-user", "x-auth-tenant", "x-auth-scopes", "x-auth-credential")
PATHS: Final = (
    "/auth/forward",
    "/auth/forward/nginx",
    "/auth/forward/caddy",
    "/auth/forward/traefik",
    "/auth/forward/envoy",
    "/auth/forward/envoy/",
    "/auth/forward/envoy/healthz",
    "/auth/forward/envoy/v1/auth/verify",
)
PRETENCES: Final[dict[str, dict[str, str]]] = {
    "nothing": {},
    "a public path": {"X-Forwarded-Uri": "/healthz"},
    "a public path, for nginx": {"X-Original-URI": "/docs"},
    "a public path, for others": {"X-Original-URL": "/.well-known/openid-configuration"},
    "a public path, for Envoy": {"X-Envoy-Original-Path": "/openapi.json"},
    "a rewritten path": {"X-Rewrite-Url": "/healthz", "X-Forwarded-Prefix": "/public"},
    "a path with a query": {"X-Forwarded-Uri": "/private?/healthz"},
    "a path with a fragment": {"X-Forwarded-Uri": "/private#/healthz"},
    "a path that climbs": {"X-Forwarded-Uri": "/private/..;/healthz"},
    "a path that is encoded": {"X-Forwarded-Uri": "/%68ealthz"},
    "a preflight": {
        "X-Forwarded-Method": "OPTIONS",
        "Origin": "https://example.com",
        "Access-Control-Request-Method": "GET",
    },
    "another method": {"X-HTTP-Method-Override": "OPTIONS", "X-Original-Method": "OPTIONS"},
    "a health check of Kubernetes": {"User-Agent": "kube-probe/1.31"},
    "a health check of Google": {"User-Agent": "GoogleHC/1.0"},
    "a health check of AWS": {"User-Agent": "ELB-HealthChecker/2.0"},
    "a health check of Prometheus": {"User-Agent": "Prometheus/3.0"},
    "an identity": {
        "X-Auth-User": "usr_admin",
        "X-Auth-Tenant": "ten_admin",
        "X-Auth-Scopes": "admin",
        "X-Auth-Credential": "key_admin",
    },
    "an identity by other names": {
        "X-Forwarded-User": "admin",
        "X-Forwarded-Email": "admin@example.com",
        "X-Remote-User": "admin",
        "X-User": "admin",
        "Remote-User": "admin",
        "X-SSL-Client-Verify": "SUCCESS",
        "X-SSL-Client-S-DN": "CN=admin",
    },
    "the machine itself": {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "Host": "localhost"},
    "an inner call": {"X-Internal": "true", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "localhost"},
    "a page for a person": {"Accept": "text/html", "X-Requested-With": "XMLHttpRequest"},
    "a broken cookie": {"Cookie": "__Host-session=\xff; =; ;;"},
    "an empty cookie": {"Cookie": ""},
    "a cookie of another make": {"Cookie": "authentik_proxy=x; _oauth2_proxy=y; session=z"},
    "a long cookie": {"Cookie": "__Host-session=" + "a" * 8_000},
}


def identity_of(answer: httpx2.Response) -> dict[str, str]:
    """The identity headers of an answer, each of which may stand there once at most."""
    names = [name.decode().lower() for name, _ in answer.headers.raw]
    assert all(names.count(name) <= 1 for name in IDENTITY)
    return {name: answer.headers[name] for name in IDENTITY if name in answer.headers}


@pytest.mark.parametrize("pretence", PRETENCES.values(), ids=PRETENCES)
@pytest.mark.parametrize("path", PATHS)
def test_no_pretence_opens_the_door(house: RunningServer, path: str, pretence: dict[str, str]) -> None:
    """Attack 34 (CVE-2026-40575, CVE-2026-76835), attack 36 (CVE-2026-25748), attack 38 (CVE-2026-34457)."""
    client = house.client()
    headers = [(name.encode(), value.encode("latin-1")) for name, value in pretence.items()]
    nothing = client.get(path, headers=headers)
    assert refused(nothing, 401, "missing_api_key")
    bad = client.get(path, headers=[*headers, (b"Authorization", b"Bearer bf_key_nonsense")])
    assert refused(bad, 401, "invalid_api_key")
    for answer in (nothing, bad):
        assert identity_of(answer) == {}
        assert "location" not in answer.headers
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("pretence", PRETENCES.values(), ids=PRETENCES)
@pytest.mark.parametrize("path", PATHS)
def test_no_pretence_changes_who_comes_in(
    house: RunningServer, mine: Party, path: str, pretence: dict[str, str]
) -> None:
    """Attack 34, attack 36, attack 37, RFC 9700 §4.13: the identity that is passed on is the credential's, whole and once."""
    client = as_(house, mine.member)
    headers = [(name.encode(), value.encode("latin-1")) for name, value in pretence.items()]
    for _ in range(2):
        answer = client.get(path, headers=headers)
        assert (answer.status_code, answer.content) == (204, b"")
        assert identity_of(answer) == {
            "x-auth-user": mine.member.id,
            "x-auth-tenant": mine.id,
            "x-auth-scopes": "payouts read write",
            "x-auth-credential": mine.member.key_id,
        }
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]
)
@pytest.mark.parametrize("path", PATHS)
def test_no_method_is_2xx_without_identity(house: RunningServer, mine: Party, path: str, method: str) -> None:
    """Attack 36: on 2xx the headers are always there; a method that nobody thought of once answered without."""
    for key in (None, "bf_key_nonsense", mine.member.key):
        with wire(house.url) as connection:
            connection.send(request(method, path, key=key))
            reply = connection.reply(to_head=method == "HEAD")
            whole = all(reply.header(name) is not None for name in IDENTITY)
            assert (200 <= reply.status < 300) == whole
            assert not 300 <= reply.status < 400
            if key != mine.member.key:
                assert reply.status in {400, 401, 405}


@pytest.mark.parametrize("path", PATHS)
def test_every_state_of_a_credential_is_judged(house: RunningServer, mine: Party, path: str) -> None:
    """Attack 36: a proxy asks only here, so here everything is judged that is judged elsewhere."""
    wish = {"user_id": mine.owner.id}
    expired = house.create_key(**wish, expires_in=1)
    disabled = house.create_key(**wish)
    elsewhere = house.create_key(**wish, allowed_ips=["192.0.2.1"])
    limited = house.create_key(**wish, plan=_one_an_hour(house))
    for key in (expired, disabled):
        assert house.client(key["key"]).get(path).status_code == 204
    house.admin.post(f"/v1/api-keys/{disabled['id']}/disable")
    house.clock.advance(1)
    assert house.client(limited["key"]).get(path).status_code == 204
    expected = [
        (expired, 401, "token_expired"),
        (disabled, 401, "invalid_api_key"),
        (elsewhere, 403, "ip_not_allowed"),
        (limited, 429, "rate_limit_exceeded"),
    ]
    for key, status, error in expected:
        for _ in range(2):
            answer = house.client(key["key"]).get(path)
            assert refused(answer, status, error)
            assert identity_of(answer) == {}


def _one_an_hour(house: RunningServer) -> str:
    house.create_plan("one-an-hour", requests_per_hour=1)
    return "one-an-hour"


@pytest.mark.parametrize("path", PATHS[:5])
@pytest.mark.parametrize(
    "query",
    [
        "?scope=admin",
        "?scope=read+admin",
        "?scope=read&scope=admin",
        "?scope=admin&scope=read",
        "?scope=read&scope=",
        "?scope=&scope=admin",
        "?scope=read%20admin",
        "?Scope=admin",
        "?scopes=admin",
        "?scope[]=admin",
        "?scope=read;scope=admin",
    ],
)
def test_the_scope_that_a_proxy_asks_for_cannot_be_talked_away(
    house: RunningServer, mine: Party, path: str, query: str
) -> None:
    """Attack 35, RFC 6749 §3.1: a second `scope`, or a misspelt one, must not replace the one that protects."""
    answer = as_(house, mine.member).get(path + query)
    assert answer.status_code in {400, 403}, query
    assert identity_of(answer) == {}


@pytest.mark.parametrize(
    "rest",
    [
        "/?scope=admin",
        "/x?scope=admin",
        "/x?scope=read",
        "//x",
        "/x/../../../v1/users",
        "/%2e%2e/x",
        "/a?b=%41",
    ],
)
def test_what_envoy_appends_is_not_read(house: RunningServer, mine: Party, rest: str) -> None:
    """Attack 34, attack 35: path and query there are the original request's, so they neither open nor close."""
    for key, status in ((mine.member.key, 204), (None, 401), ("bf_key_nonsense", 401)):
        with wire(house.url) as connection:
            connection.send(request("GET", f"/auth/forward/envoy{rest}", key=key))
            reply = connection.reply()
            assert reply.status == status
            assert all((reply.header(name) is not None) == (status == 204) for name in IDENTITY)


@pytest.mark.parametrize("path", PATHS[:4])
@pytest.mark.parametrize("suffix", ["/", "/x", "/..", "/../healthz", ";x", "%2f", "%00", ".json", "//"])
def test_nothing_below_answers_2xx(house: RunningServer, mine: Party, path: str, suffix: str) -> None:
    """Attack 35: a proxy that appends what it should not must not be told yes by a page that happens to be there."""
    for key in (None, mine.member.key):
        with wire(house.url) as connection:
            connection.send(request("GET", path + suffix, key=key))
            assert connection.reply().status in {400, 401, 404}


def test_a_credential_without_scopes_still_has_an_identity(house: RunningServer, mine: Party) -> None:
    """Attack 36: an empty header is a header; a proxy that copies what is there must find it there."""
    key = house.create_key(user_id=mine.member.id, scopes=[])["key"]
    for _ in range(2):
        answer = house.client(key).get("/auth/forward")
        assert (answer.status_code, identity_of(answer)["x-auth-scopes"]) == (204, "")
