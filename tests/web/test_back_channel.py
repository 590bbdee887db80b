"""Back-channel logout: clients hear of the end of a login, once, however it ended, and by a token that is nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest

from tests.elsewhere import Call, Elsewhere, Reply, elsewhere
from tests.pages.browsing import Browser, visitor
from tests.pages.clients import Application, answered, application, consent_page
from tests.serving import RunningServer, running, settings_for
from tests.web.tenancy import UNMETERED, Tenancy, refusal, tenancy_on
from tests.web.test_token_client_credentials import claims_in

SECONDS_MAX = 30
EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    """The client's own server."""
    with elsewhere(tmp_path_factory.mktemp("client")) as server:
        yield server


@pytest.fixture(scope="module")
def server(other: Elsewhere, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that may call this machine."""
    assert other.port
    folder = tmp_path_factory.mktemp("server")
    settings = settings_for(
        f"sqlite:///{folder}/test.db",
        folder,
        outgoing_private_addresses=True,
        scopes=["invoices:read", "invoices:write"],
    )
    with running(settings) as it:
        yield it


@pytest.fixture(scope="module")
def shop(server: RunningServer) -> Tenancy:
    """A tenant with clients."""
    server.create_plan(UNMETERED)
    return tenancy_on(server)


def logged_in(shop: Tenancy, browser: Browser, other: Elsewhere, path: str) -> dict[str, Any]:
    """A client of its own, to which the person at the browser has logged in; what its ID token says."""
    other.replies.setdefault(path, Reply())
    program: Application = application(
        shop, "openid", "read", metadata={"backchannel_logout_uri": other.url(path)}
    )
    answer = answered(browser, consent_page(browser, program.path(scope="openid read")))
    form = {
        "grant_type": "authorization_code",
        "code": program.answer(answer)["code"],
        "client_id": program.id,
        "client_secret": program.secret or "",
        "redirect_uri": program.redirect_uri,
        "code_verifier": program.verifier,
    }
    tokens = shop.client().post("/oauth/token", data=form).json()
    return dict(claims_in(tokens["id_token"]))


def told(other: Elsewhere, path: str, times: int = 1) -> list[Call]:
    """What the client was told, so many times at least."""
    until = time.monotonic() + SECONDS_MAX
    while True:
        found = [call for call in other.calls if call.path == path]
        if len(found) >= times or time.monotonic() > until:
            return found
        time.sleep(0.05)


def logout_token(call: Call) -> str:
    """What was posted."""
    assert call.method == "POST"
    form = parse_qs(call.body.decode(), strict_parsing=True)
    assert form.keys() == {"logout_token"}
    return form["logout_token"][0]


def test_a_client_is_told_that_its_login_has_ended(shop: Tenancy, other: Elsewhere) -> None:
    """Back-Channel Logout 1.0 §2.4: somebody who has logged out would be logged in at the application still."""
    browser = visitor(shop)
    ids = logged_in(shop, browser, other, "/one")
    assert browser.send("POST", "/v1/auth/logout").status_code in {200, 204}
    (call,) = told(other, "/one")
    token = logout_token(call)
    keys = jwt.PyJWKSet.from_dict(shop.client().get("/.well-known/jwks.json").json())
    header = jwt.get_unverified_header(token)
    assert header["typ"] == "logout+jwt"
    said = jwt.decode(
        token,
        keys[header["kid"]],
        [header["alg"]],
        audience=ids["aud"],
        options={"verify_exp": False, "verify_iat": False},
    )
    assert (said["iss"], said["sub"], said["sid"]) == (ids["iss"], ids["sub"], ids["sid"])
    assert said["events"] == {EVENT: {}}
    assert said["exp"] - said["iat"] == 120
    assert said.keys() == {"iss", "aud", "sub", "sid", "iat", "exp", "jti", "events"}
    assert refusal(shop.client(token).get("/v1/auth/verify"))[0] == 401
    hint = shop.client().get("/oauth/logout", params={"id_token_hint": token})
    assert hint.status_code == 400


def test_every_way_to_end_a_login_is_told(shop: Tenancy, other: Elsewhere) -> None:
    """Back-Channel Logout 1.0 §1: an admin who ends a stolen login would end it here alone."""
    ended, disabled = visitor(shop), visitor(shop)
    one, two = logged_in(shop, ended, other, "/ended"), logged_in(shop, disabled, other, "/disabled")
    assert shop.api.delete(f"/v1/sessions/{one['sid']}").status_code == 204
    assert shop.api.patch(f"/v1/users/{two['sub']}", json={"status": "disabled"}).status_code == 200
    for ids, path in ((one, "/ended"), (two, "/disabled")):
        (call,) = told(other, path)
        assert claims_in(logout_token(call))["sid"] == ids["sid"]


def test_who_does_not_answer_is_told_again(shop: Tenancy, other: Elsewhere) -> None:
    """A client that is restarted in that moment would never know."""
    answers = [Reply(status=503), Reply(status=200)]
    other.replies["/restarting"] = lambda: answers.pop(0)
    browser = visitor(shop)
    logged_in(shop, browser, other, "/restarting")
    browser.send("POST", "/v1/auth/logout")
    assert len(told(other, "/restarting", 2)) == 2


def test_where_a_client_is_told_is_checked(shop: Tenancy) -> None:
    """Attack 48: the server would call whatever stands in its own network."""
    body = {"name": "x", "redirect_uris": ["https://shop.example/cb"], "scopes": ["read"]}
    for uri in ("http://shop.example/out", "https://shop.example/out#x", "ftp://shop.example/"):
        answer = shop.api.post("/v1/clients", json={**body, "backchannel_logout_uri": uri})
        assert answer.json()["field"] == "backchannel_logout_uri", answer.text
    metadata = shop.client().get("/.well-known/openid-configuration").json()
    assert metadata["backchannel_logout_supported"] is True
    assert metadata["backchannel_logout_session_supported"] is True
