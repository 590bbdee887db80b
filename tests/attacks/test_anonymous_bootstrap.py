"""There is no moment, setting or path in which nobody is somebody: the first key is made on the machine itself."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from bonafides.app import build, prepare
from bonafides.settings import Settings
from bonafides.web.api import Api
from tests.attacks.cast import house_settings
from tests.serving import FakeClock, RunningServer, running

OPEN: Final = frozenset(
    {
        ("GET", "/"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/docs"),
        ("GET", "/docs.md"),
        ("GET", "/docs/style.css"),
        ("GET", "/docs/search"),
        ("GET", "/docs/index.json"),
        ("GET", "/docs/errors/{code}"),
        ("GET", "/docs/{name}"),
        ("GET", "/llms.txt"),
        ("GET", "/status"),
        ("GET", "/openapi.json"),
        ("GET", "/openapi.yaml"),
        ("GET", "/.well-known/oauth-protected-resource"),
        ("GET", "/.well-known/jwks.json"),
        ("GET", "/.well-known/oauth-authorization-server"),
        ("GET", "/.well-known/oauth-authorization-server/{issuer_path:path}"),
        ("GET", "/.well-known/openid-configuration"),
        ("GET", "/.well-known/openid-configuration/{issuer_path:path}"),
        ("GET", "/login"),
        ("POST", "/v1/auth/login/passkey/options"),
        ("GET", "/forgotten-password"),
        ("GET", "/choose-password"),
        ("GET", "/set-up"),
        ("GET", "/oauth/authorize"),
        ("POST", "/oauth/authorize"),
        ("GET", "/oauth/logout"),
        ("POST", "/oauth/logout"),
        ("GET", "/static/{name}"),
    }
)
PROVEN_IN_THE_BODY: Final = frozenset(
    {
        "/v1/auth/login",
        "/v1/auth/login/second-factor",
        "/v1/auth/login/passkey",
        "/v1/auth/refresh",
        "/v1/auth/password/forgotten",
        "/v1/auth/password/reset",
        "/bim/apikey/authenticate",
        "/login",
        "/login/second-factor",
        "/login/second-factor/passkey",
        "/login/passkey",
        "/forgotten-password",
        "/choose-password",
        "/set-up",
        "/oauth/par",
        "/oauth/device_authorization",
        "/oauth/token",
        "/oauth/revoke",
    }
)
"""What these take in place of a credential stands in the body, which is looked at first."""
PAGES: Final = frozenset(
    {
        "/login",
        "/login/passkey",
        "/login/second-factor",
        "/login/second-factor/passkey",
        "/forgotten-password",
        "/choose-password",
        "/set-up",
    }
)
"""The same for people."""
TEMPTING: Final = (
    "init",
    "setup",
    "install",
    "bootstrap",
    "first-run",
    "register",
    "signup",
    "sign-up",
    "v1/init",
    "v1/setup",
    "v1/bootstrap",
    "v1/register",
    "v1/admin",
    "v1/auth/register",
    "v1/auth/token",
    "v1/keys",
    "api/keys",
    "api-keys",
    "admin",
    "debug",
    "console",
    "metrics/",
    "actuator",
    "actuator/env",
    ".env",
    ".git/config",
    "bonafides.db",
    "bonafides.pepper",
    "bonafides.toml",
    "docs/../bonafides.db",
    "static/../bonafides.pepper",
    "openapi.json/../bonafides.db",
    "redoc",
    "swagger",
    "graphql",
)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that was founded a moment ago, and that nobody has used yet."""
    with running(house_settings(tmp_path_factory.mktemp("fresh"))) as server:
        yield server


def every_route(api: Api) -> Iterator[tuple[str, str]]:
    """Every method and path that is mounted, described or not."""
    waiting: list[Any] = list(api.routes)
    while waiting:
        route = waiting.pop()
        inner = getattr(route, "original_router", None)
        if inner is not None:
            waiting += inner.routes
            continue
        for method in route.methods:
            yield method, route.path


@pytest.fixture(scope="module")
def routes(fresh: RunningServer) -> list[tuple[str, str]]:
    """Of the very application."""
    gate: Any = build(fresh.rooms).asgi
    return sorted(set(every_route(gate._app)))


def filled(path: str) -> str:
    """A path with something in the place of each parameter."""
    return re.sub(r"\{[^}]*\}", lambda match: "/x" if match[0].endswith(":path}") else "x", path)


def test_every_route_is_known_here(routes: list[tuple[str, str]]) -> None:
    """Attack 8: a test that does not see the routes sees no hole."""
    assert len(routes) > 30
    assert {(method, path) for method, path in routes} >= OPEN


def test_every_way_to_authenticate_is_described(fresh: RunningServer) -> None:
    """ASVS 6.1.3: a way in that nobody knows of is one that nobody watches."""
    described = fresh.client().get("/openapi.json").json()["paths"]
    assert set(described) >= {path for path in PROVEN_IN_THE_BODY if path not in PAGES}


@pytest.mark.parametrize("body", [None, {}, {"name": "x"}, {"email": "a@example.com", "role": "owner"}])
def test_nobody_gets_past_the_door(
    fresh: RunningServer, routes: list[tuple[str, str]], body: dict[str, str] | None
) -> None:
    """Attack 8 (Sandcastle #7), ASVS 8.3.1: while nobody had logged in yet, anybody could make admin keys."""
    client = fresh.client()
    for method, path in routes:
        if (method, path) in OPEN or (method == "HEAD" and ("GET", path) in OPEN):
            continue
        answer = client.request(method, filled(path), json=body)
        if path in PROVEN_IN_THE_BODY:
            assert answer.status_code in {400, 401}, (method, path)
            continue
        assert answer.status_code == 401, (method, path)
        assert answer.headers["www-authenticate"].startswith("Bearer ")
        if method != "HEAD":
            assert answer.json()["error"] == "missing_api_key"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_there_is_no_way_to_set_up_over_the_wire(fresh: RunningServer, method: str) -> None:
    """Attack 8, ASVS 13.4.5: installers, consoles and files that were left open are how others were taken over."""
    for path in TEMPTING:
        answer = fresh.client().request(
            method, f"/{path}", json={"email": "eve@example.com"} if method != "GET" else None
        )
        assert answer.status_code == 404, path


def test_a_second_founding_changes_nothing(fresh: RunningServer) -> None:
    """Attack 8: whoever starts the first run again would get a new admin key."""
    before = fresh.admin.get("/v1/audit").json()
    again = asyncio.run(prepare(fresh.settings, "eve@example.com", clock=FakeClock()))
    assert again is None
    assert fresh.admin.get("/v1/audit").json() == before
    assert len(fresh.admin.get("/v1/tenants").json()["data"]) == 1


def test_two_foundings_at_once_make_one_installation(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Attack 8: two first runs that meet would leave two admins, one of whom nobody knows."""
    settings = house_settings(tmp_path_factory.mktemp("race"))

    async def both() -> list[object]:
        found = (prepare(settings, f"{name}@example.com", clock=FakeClock()) for name in "abc")
        return list(await asyncio.gather(*found))

    founded = asyncio.run(both())
    assert sum(made is not None for made in founded) == 1


def test_an_installation_without_a_good_key_stays_shut(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Attack 8: when the last admin key is gone, the server must not take that for a first run."""
    with running(house_settings(tmp_path_factory.mktemp("shut"))) as server:
        admin = server.admin
        key_id = admin.get("/v1/auth/verify").json()["credential"]["id"]
        assert admin.delete(f"/v1/api-keys/{key_id}").status_code == 200
        assert admin.post("/v1/api-keys", json={"name": "x"}).status_code == 401
        assert server.client().post("/v1/api-keys", json={"name": "x"}).status_code == 401
        assert asyncio.run(prepare(server.settings, "eve@example.com", clock=FakeClock())) is None
        assert server.client().get("/v1/tenants").status_code == 401


def test_no_setting_switches_authentication_off() -> None:
    """Attack 8, attack 53: keys that were made while it was off would stay good when it is on again."""
    suspicious = (
        "auth",
        "anonymous",
        "disable",
        "insecure",
        "debug",
        "bypass",
        "open",
        "public_access",
        "skip",
        "dev",
    )
    found = [name for name in Settings.model_fields if any(word in name for word in suspicious)]
    assert found == []


def test_the_first_key_is_not_a_known_one(tmp_path_factory: pytest.TempPathFactory) -> None:
    """ASVS 6.3.2, ASVS 13.2.3: a default account has the same password everywhere."""
    founded = []
    for _ in range(2):
        settings = house_settings(tmp_path_factory.mktemp("first"))
        made = asyncio.run(prepare(settings, "admin@example.com", clock=FakeClock()))
        assert made is not None
        founded.append(made)
    one, other = founded
    assert one.api_key != other.api_key
    assert one.password != other.password
    assert len(one.password) >= 15
    assert one.tenant_id != other.tenant_id
