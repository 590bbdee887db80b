"""Scripts of other sites read what clients of OAuth in a browser need, and nothing else."""

from __future__ import annotations

import re

import pytest

from bonafides.web.cross_origin import is_open
from tests.serving import RunningServer

ORIGIN = "https://evil.example"
ASKS = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "dpop"}
OPEN = {
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
    "/.well-known/jwks.json",
    "/.well-known/oauth-protected-resource",
    "/oauth/token",
    "/oauth/revoke",
    "/oauth/par",
    "/oauth/userinfo",
    "/oauth/register",
}


@pytest.fixture(scope="module")
def paths(house: RunningServer) -> list[str]:
    """Every path of the API, with something in place of ids."""
    described = house.nobody.get("/openapi.json").json()
    pages = ["/login", "/oauth/authorize", "/oauth/logout", "/settings/api-keys", "/oauth/consent"]
    return [re.sub(r"{\w+}", "x", path) for path in described["paths"]] + pages


def test_no_script_of_another_site_reads_anything_else(house: RunningServer, paths: list[str]) -> None:
    """Attack 49, ASVS 3.4.2: a site that somebody visits could read what their browser may, or send what it must not."""
    for path in paths:
        for method, headers in (("OPTIONS", ASKS), ("GET", {"Origin": ORIGIN})):
            answer = house.nobody.request(method, path, headers=headers)
            told = {name for name in answer.headers if name.startswith("access-control-")}
            assert "access-control-allow-credentials" not in told, path
            assert ORIGIN not in str(answer.headers), path
            if not is_open(path):
                assert not told, path


def test_scripts_read_what_clients_in_a_browser_need(house: RunningServer, paths: list[str]) -> None:
    """RFC 9700 §2.6: a single-page application could not even learn where tokens are given."""
    for path in OPEN:
        assert path in paths
        answer = house.nobody.options(path, headers=ASKS)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "DPoP" in answer.headers["access-control-allow-headers"]
        read = house.nobody.get(path, headers={"Origin": ORIGIN})
        assert read.headers["access-control-allow-origin"] == "*", "refusals too, or nobody learns why"


def test_a_browser_that_asks_nothing_is_told_the_methods(house: RunningServer) -> None:
    """RFC 9110 §15.5.6: OPTIONS is a method like others where no browser asks for leave."""
    assert house.nobody.options("/oauth/token").status_code == 405
