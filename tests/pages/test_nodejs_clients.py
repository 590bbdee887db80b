"""Stock clients on Node.js, with a person at the pages: one process, which is told what to do next."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bonafides.delegation import AuthMethod
from tests.nodejs import Script, has
from tests.pages.browsing import Browser, visitor
from tests.pages.clients import CALLBACK, allowed, application
from tests.pages.issuers import server as server  # noqa: PLC0414 - its issuer is where it is reached
from tests.pages.test_devices import FACTS
from tests.programs import Program
from tests.serving import RunningServer
from tests.web.oauth import app_of
from tests.web.people import person
from tests.web.tenancy import Json, Tenancy

pytestmark = pytest.mark.slow

SCOPE = "openid offline_access read"

__test__ = has("openid-client")
"""Without Node.js there is nothing here to run, and `make test` has said so; a skip would be a failure in CI."""


@pytest.fixture(scope="module")
def script() -> Iterator[Script]:
    """The process with the clients."""
    with Script("clients.mjs") as it:
        yield it


def done(script: Program, step: str, **given: Any) -> Json:
    """What comes of a step, which must go well."""
    told: Json = json.loads(script.ask(json.dumps({"step": step, **given})))
    assert "failed" not in told, told
    return told


def test_openid_client_logs_somebody_in_and_out(
    script: Script, tenancy: Tenancy, server: RunningServer
) -> None:
    """What most applications on Node.js log in with: it checks issuer, state, nonce, signature and times."""
    goodbye = "https://app.example.com/goodbye"
    made = application(tenancy, *SCOPE.split(), post_logout_redirect_uris=(goodbye,))
    known = {"issuer": server.settings.base_url, "id": made.id, "secret": made.secret}
    browser = visitor(tenancy)
    begun = done(script, "openidBegins", **known, callback=CALLBACK, scope=SCOPE)
    location = allowed(browser, server, begun["url"])
    told = done(script, "openidEnds", location=location, logout=goodbye)
    assert told["sub"] == told["user"]
    assert (told["active"], told["after"], told["signed"]) == (True, False, "EdDSA")
    answer = browser.send("GET", told["end"].removeprefix(server.url))
    assert answer.headers["location"] == f"{goodbye}?state=s"


def test_openid_client_asks_by_an_object_that_it_signs(
    script: Script, tenancy: Tenancy, server: RunningServer
) -> None:
    """RFC 9101: an application that keeps what it asks for from whoever sits at the browser."""
    said = {"require_signed_request_object": True, "request_object_signing_alg": "ES256"}
    made = application(tenancy, *SCOPE.split(), jwks={"keys": [done(script, "jarKey")]}, metadata=said)
    known = {"issuer": server.settings.base_url, "id": made.id, "secret": made.secret}
    begun = done(script, "jarBegins", **known, callback=CALLBACK, scope=SCOPE)
    assert begun["beside"] == ["client_id", "request"]
    assert done(script, "jarEnds", location=allowed(visitor(tenancy), server, begun["url"]))["sub"]


def test_openid_client_takes_an_id_token_from_the_fragment(
    script: Script, tenancy: Tenancy, server: RunningServer
) -> None:
    """OpenID Connect Core §3.2.2.11: it checks `iss`, state, nonce, signature and times, where all this is switched on."""
    body = {"redirect_uris": [CALLBACK], "grant_types": ["implicit"], "response_types": ["id_token"]}
    made = server.nobody.post("/oauth/register", json={**body, "token_endpoint_auth_method": "none"}).json()
    known = {"issuer": server.settings.base_url, "id": made["client_id"]}
    begun = done(script, "implicitBegins", **known, callback=CALLBACK)
    told = done(script, "implicitEnds", location=allowed(visitor(tenancy), server, begun["url"]))
    assert told["sub"]
    assert "@" in told["email"]


def test_openid_client_gets_tokens_for_itself_and_for_a_key(script: Script, server: RunningServer) -> None:
    """RFC 9449: its proofs, with the nonce that it is told, are good at the token endpoint and at an API."""
    made = app_of(server.admin, server)
    known = {"id": made.id, "secret": made.client["client_secret"]}
    told = done(script, "openidByItself", issuer=server.settings.base_url, **known)
    assert told == {"plain": "bearer", "held": "dpop", "status": 200}


@pytest.mark.parametrize("steps", ["device", "strictDevice"])
def test_openid_client_and_oauth4webapi_connect_a_device(
    script: Script, tenancy: Tenancy, server: RunningServer, steps: str
) -> None:
    """RFC 8628: a television with one of these libraries would never get in."""
    made = application(tenancy, "read", **FACTS)
    begun = done(script, f"{steps}Begins", issuer=server.settings.base_url, id=made.id)
    browser = visitor(tenancy)
    read = browser.submit(browser.get("/device").form("/device"), user_code=begun["code"])
    browser.submit(read.form("/device/decision"), decision="allow")
    told = done(script, f"{steps}Ends")
    assert tenancy.client(told["token"]).get("/v1/auth/verify").status_code == 200


def test_oauth4webapi_finds_nothing_wrong_where_nobody_is_asked(
    script: Script, server: RunningServer
) -> None:
    """The strictest reader of answers: client credentials, introspection and revocation."""
    made = app_of(server.admin, server)
    known = {"id": made.id, "secret": made.client["client_secret"]}
    told = done(script, "strictByItself", issuer=server.settings.base_url, **known)
    assert told == {"scope": "read", "whose": made.id, "active": True, "after": False}


def test_oauth4webapi_finds_nothing_wrong(script: Script, tenancy: Tenancy, server: RunningServer) -> None:
    """The strictest reader of answers: pushed request, code, ID token, userinfo and refresh, bound to a key."""
    made = application(tenancy, *SCOPE.split())
    known = {"issuer": server.settings.base_url, "id": made.id, "secret": made.secret}
    begun = done(script, "strictBegins", **known, callback=CALLBACK, scope=SCOPE)
    told = done(script, "strictEnds", location=allowed(visitor(tenancy), server, begun["url"]))
    assert told["sub"] == told["user"]
    assert (told["type"], told["renewed"]) == ("dpop", "dpop")


def test_simple_oauth2_gets_renews_and_revokes(
    script: Script, tenancy: Tenancy, server: RunningServer
) -> None:
    """The plain redirect of older guides, without a challenge, as most of its users write it."""
    made = application(tenancy, "read", require_pkce=False, token_endpoint_auth_method=AuthMethod.BASIC)
    known = {"issuer": server.settings.base_url, "id": made.id, "secret": made.secret}
    begun = done(script, "simpleBegins", **known, callback=CALLBACK)
    location = allowed(visitor(tenancy), server, begun["url"])
    code = parse_qs(urlsplit(location).query)["code"][0]
    told = done(script, "simpleEnds", code=code, callback=CALLBACK)
    for gone in (told["first"], told["renewed"]):
        assert tenancy.client(gone).get("/v1/auth/verify").status_code == 401
    alone = app_of(server.admin, server)
    known |= {"id": alone.id, "secret": alone.client["client_secret"]}
    token = done(script, "simpleByItself", **known)["token"]
    assert server.client(token).get("/v1/auth/verify").status_code == 200


def test_passport_oauth2_logs_somebody_in(script: Script, tenancy: Tenancy, server: RunningServer) -> None:
    """What Express applications log in with."""
    made = application(tenancy, "openid", "read")
    known = {"issuer": server.settings.base_url, "id": made.id, "secret": made.secret}
    begun = done(script, "passportBegins", **known, callback=CALLBACK)
    told = done(script, "passportEnds", location=allowed(visitor(tenancy), server, begun["url"]))
    assert told["type"] == "Bearer"
    assert tenancy.client(told["access"]).get("/v1/auth/verify").status_code == 200


def test_auth_core_logs_somebody_in(script: Script, tenancy: Tenancy, server: RunningServer) -> None:
    """What Next.js and SvelteKit applications log in with, by nothing but the issuer."""
    uri = "https://app.example.com/auth/callback/bonafides"
    facts = {"redirect_uris": (uri,), "token_endpoint_auth_method": AuthMethod.BASIC}
    made = application(tenancy, "openid", "profile", "email", **facts)
    known = {"issuer": server.settings.base_url, "id": made.id, "secret": made.secret}
    begun = done(script, "authBegins", **known)
    browser, who = Browser(server), person(tenancy)
    browser.sign_in(who)
    told = done(script, "authEnds", location=allowed(browser, server, begun["url"]))
    assert told["user"]["email"] == who.email
