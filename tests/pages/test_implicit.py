"""Tokens in the answer itself: nowhere by default, and where they are switched on, to know who somebody is and no more.

See: OpenID Connect Core §3.2, docs/decisions/0027
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from tests.pages.browsing import Browser, Read, visitor
from tests.pages.clients import AUTHORIZE, CALLBACK, answered, application
from tests.pages.issuers import served
from tests.serving import RunningServer
from tests.web.tenancy import Json, Tenancy

BOTH: Final = "id_token token"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server on which it is switched on."""
    folder = tmp_path_factory.mktemp("server")
    with served(folder, implicit_grant_for_certification=True, self_registration=True) as it:
        yield it


@pytest.fixture
def browser(tenancy: Tenancy) -> Browser:
    """In which somebody has signed in."""
    tenancy.server.clock.advance(1_000)
    return visitor(tenancy)


def registered(server: RunningServer, *types: str, **said: Any) -> httpx2.Response:
    """What becomes of a client that registers itself for these response types."""
    grants = ["implicit", *(["authorization_code"] if "code" in types else [])]
    body = {"redirect_uris": [CALLBACK], "grant_types": grants, "response_types": list(types), **said}
    return server.client().post("/oauth/register", json=body)


@pytest.fixture(scope="module")
def client(server: RunningServer) -> Json:
    """A client that takes all that there is; its words are in the suite's order."""
    answer = registered(server, "code", "id_token", "token id_token")
    assert answer.status_code == 201, answer.text
    told: Json = answer.json()
    assert told["response_types"] == ["code", "id_token", BOTH]
    return told


def path(client: Json, **changes: str | None) -> str:
    """Where it sends people."""
    said = {
        "client_id": client["client_id"],
        "response_type": BOTH,
        "redirect_uri": CALLBACK,
        "scope": "openid profile email",
        "state": "s",
        "nonce": "n",
        **changes,
    }
    return f"{AUTHORIZE}?{urlencode({name: value for name, value in said.items() if value is not None})}"


def brought(browser: Browser, client: Json, **changes: str | None) -> Json:
    """What a browser brings back in the fragment, once the person has said yes."""
    answer = browser.send("GET", path(client, **changes))
    if answer.status_code != 303:
        answer = answered(browser, Read(answer))
    location = urlsplit(answer.headers["location"])
    assert answer.headers["location"].startswith(f"{CALLBACK}#"), answer.headers["location"]
    assert answer.headers["cache-control"] == "no-store"
    told = dict(parse_qsl(location.fragment, strict_parsing=True))
    assert told.pop("state") == "s"
    assert told.pop("iss") == browser.server.settings.base_url
    return told


def claims_of(server: RunningServer, id_token: str) -> Json:
    """What an ID token says, signed by us."""
    keys = KeySet.import_key_set(server.client().get("/.well-known/jwks.json").json())
    told: Json = json.loads(jws.deserialize_compact(id_token, keys, algorithms=["RS256"]).payload)
    return told


def half(text: str) -> str:
    """Its `at_hash`."""
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).rstrip(b"=").decode()


def test_both_tokens_are_told_in_the_fragment(server: RunningServer, browser: Browser, client: Json) -> None:
    """OpenID Connect Core §3.2.2.5: with `at_hash`, `nonce`, and nothing by which somebody could go on."""
    told = brought(browser, client, scope="openid profile email offline_access")
    assert sorted(told) == ["access_token", "expires_in", "id_token", "scope", "token_type"]
    assert (told["token_type"], told["expires_in"], told["scope"]) == (
        "Bearer",
        "600",
        "email openid profile",
    )
    claims = claims_of(server, told["id_token"])
    assert (claims["nonce"], claims["aud"], claims["at_hash"]) == (
        "n",
        client["client_id"],
        half(told["access_token"]),
    )
    assert "email" not in claims
    bearer = {"Authorization": f"Bearer {told['access_token']}"}
    who = server.client().get("/oauth/userinfo", headers=bearer).json()
    assert (who["sub"], bool(who["email"])) == (claims["sub"], True)
    # It opens nothing else, and ends soon, whatever others last.
    assert server.client().get("/v1/auth/verify", params={"scope": "read"}, headers=bearer).status_code == 403
    server.clock.advance(601)
    assert server.client().get("/oauth/userinfo", headers=bearer).status_code == 401


def test_an_id_token_alone_tells_what_userinfo_would(
    server: RunningServer, browser: Browser, client: Json
) -> None:
    """OpenID Connect Core §5.4: there is no access token by which the client could ask."""
    told = brought(browser, client, response_type="id_token")
    assert sorted(told) == ["id_token"]
    claims = claims_of(server, told["id_token"])
    assert claims["email"]
    assert claims["name"]
    assert "at_hash" not in claims
    silent = brought(browser, client, response_type="id_token", prompt="none")
    assert silent == {"error": "consent_required", "error_description": silent["error_description"]}


def test_a_form_may_carry_them(browser: Browser, client: Json) -> None:
    """OAuth 2.0 Form Post Response Mode §2: then they stand in no address at all."""
    page = Read(browser.send("GET", path(client, response_mode="form_post")))
    posted = Read(answered(browser, page))
    (form,) = (form for form in posted.forms if form.action == CALLBACK)
    assert {"access_token", "id_token", "state", "iss"} <= form.fields.keys()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"nonce": None}, "invalid_request"),
        ({"response_mode": "query"}, "invalid_request"),
        ({"scope": "read"}, "invalid_scope"),
        ({"scope": "openid read"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"resource": "https://api.example.com"}, "invalid_request"),
        ({"dpop_jkt": "A" * 43}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
    ],
)
def test_what_makes_it_worse_is_refused(
    server: RunningServer, client: Json, changes: dict[str, str | None], error: str
) -> None:
    """Attack 14, attack 15: no token without a nonce, none for an API, and none in a query, which servers log."""
    assert brought(Browser(server), client, **changes)["error"] == error


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("token", "unsupported_response_type"),
        ("code id_token", "unsupported_response_type"),
        ("code token", "unsupported_response_type"),
        ("code id_token token", "unsupported_response_type"),
        ("none", "unsupported_response_type"),
        ("id_token  token", "unsupported_response_type"),
    ],
)
def test_no_other_type_comes_with_it(server: RunningServer, client: Json, kind: str, error: str) -> None:
    """Attack 14: what was not switched on stays off."""
    location = Browser(server).send("GET", path(client, response_type=kind)).headers["location"]
    assert f"{CALLBACK}?error={error}&" in location


def test_a_client_gets_what_it_has_registered(server: RunningServer, tenancy: Tenancy) -> None:
    """Attack 14, RFC 9700 §2.1.2: nobody turns a client that takes codes into one that takes tokens, by its address or by PAR."""
    codes = application(tenancy, "openid", "read")
    ids = registered(server, "id_token").json()
    for known, kind in (({"client_id": codes.id}, BOTH), ({"client_id": codes.id}, "id_token"), (ids, BOTH)):
        assert brought(Browser(server), known, response_type=kind)["error"] == "unauthorized_client"
    assert brought(Browser(server), ids, response_type="id_token", prompt="none")["error"] == "login_required"
    location = Browser(server).send("GET", path(ids, response_type="code")).headers["location"]
    assert "error=unauthorized_client" in location
    body = {
        **codes.parameters(scope="openid", response_type=BOTH, nonce="n"),
        "client_secret": codes.secret or "",
    }
    pushed = server.client().post("/oauth/par", data=body)
    assert (pushed.status_code, pushed.json()["error"]) == (400, "unauthorized_client")
    asked = server.client().post("/oauth/token", data={"grant_type": "implicit", **body})
    assert asked.json()["error"] == "unsupported_grant_type"


@pytest.mark.parametrize(
    ("types", "said"),
    [
        (("code",), {}),
        (("token",), {}),
        (("id_token",), {"redirect_uris": ["http://127.0.0.1/callback"]}),
        (("id_token",), {"redirect_uris": ["com.example.app:/callback"]}),
        (("id_token",), {"redirect_uris": []}),
        (("id_token",), {"dpop_bound_access_tokens": True}),
        (("id_token",), {"grant_types": ["authorization_code"]}),
        (("id_token",), {"grant_types": ["authorization_code", "implicit"]}),
    ],
)
def test_what_cannot_be_is_not_registered(
    server: RunningServer, types: tuple[str, ...], said: dict[str, Any]
) -> None:
    """OpenID Connect Registration §2: tokens are sent by https alone, and types go with grants."""
    answer = registered(server, *types, **said)
    assert answer.status_code == 400
    assert answer.json()["error"] in {"invalid_client_metadata", "invalid_redirect_uri"}


def test_people_see_and_end_it(server: RunningServer, tenancy: Tenancy, client: Json) -> None:
    """It is a grant as any other: seen, counted, ended by who gave it."""
    browser = visitor(tenancy)
    told = brought(browser, client)
    bearer = {"Authorization": f"Bearer {told['access_token']}"}
    assert server.client().get("/oauth/userinfo", headers=bearer).status_code == 200
    answer = server.client().post(
        "/oauth/revoke",
        data={"token": told["access_token"], "client_id": client["client_id"]},
        auth=httpx2.BasicAuth(client["client_id"], client["client_secret"]),
    )
    assert answer.status_code == 200, answer.text
    assert server.client().get("/oauth/userinfo", headers=bearer).status_code == 401
