"""Devices without a browser: the code that they show, the person who decides, and what they are told meanwhile."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from bonafides.delegation import AuthMethod
from tests.pages.browsing import Browser, Read, visitor
from tests.pages.clients import Application, application
from tests.web.people import person
from tests.web.tenancy import Json, Tenancy, tenancy_on

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
FACTS: dict[str, Any] = {
    "grant_types": frozenset({GRANT, "refresh_token"}),
    "redirect_uris": (),
    "token_endpoint_auth_method": AuthMethod.NONE,
    "response_types": frozenset(),
}


@pytest.fixture(scope="module")
def app(tenancy: Tenancy) -> Application:
    """A public client on a device."""
    return application(tenancy, "read", "write", "openid", "offline_access", "admin", **FACTS)


@pytest.fixture
def browser(tenancy: Tenancy) -> Browser:
    """A browser in which a new person is signed in; logins and guesses of before are not counted any more."""
    tenancy.server.clock.advance(10_000)
    return visitor(tenancy)


def begun(app: Application, **fields: str) -> Json:
    """What the device is told."""
    answer = app.tenancy.client().post("/oauth/device_authorization", data={"client_id": app.id, **fields})
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


def polled(app: Application, told: Json, **fields: str) -> httpx2.Response:
    """What the device is told when it asks, having waited."""
    app.tenancy.server.clock.advance(told["interval"])
    wish = {"grant_type": GRANT, "client_id": app.id, "device_code": told["device_code"], **fields}
    return app.tenancy.client().post("/oauth/token", data=wish)


def asked(browser: Browser, user_code: str) -> Read:
    """The page that comes of a code that was typed."""
    return browser.submit(browser.get("/device").form("/device"), user_code=user_code)


def test_a_person_connects_a_device(app: Application, browser: Browser) -> None:
    """RFC 8628: the whole way, from the device's first question to its tokens."""
    told = begun(app, scope="read openid offline_access")
    assert told["verification_uri"].endswith("/device")
    assert polled(app, told).json()["error"] == "authorization_pending"
    read = asked(browser, told["user_code"].lower().replace("-", " "))
    assert "See what you have here" in read.words
    done = browser.submit(read.form("/device/decision"), decision="allow")
    assert "connected" in done.words
    answer = polled(app, told)
    assert answer.status_code == 200, answer.text
    tokens = answer.json()
    assert set(tokens["scope"].split()) == {"read", "openid", "offline_access"}
    assert {"access_token", "refresh_token", "id_token"} <= set(tokens)
    me = app.tenancy.server.client(tokens["access_token"]).get("/v1/auth/verify").json()
    assert (me["authenticated"], me["user_id"][:4]) == (True, "usr_")
    assert "read" in me["scopes"]
    assert polled(app, told).json()["error"] == "invalid_grant"


def test_a_code_in_the_address_is_shown_and_not_taken(app: Application, browser: Browser) -> None:
    """A link that somebody sends decides nothing: the person sees code and client, and answers."""
    told = begun(app, scope="read")
    path = urlsplit(told["verification_uri_complete"])
    read = browser.get(f"{path.path}?{path.query}")
    form = read.form("/device")
    assert form.fields["user_code"] == told["user_code"]
    shown = browser.submit(form)
    assert told["user_code"] in shown.words
    assert polled(app, told).json()["error"] == "authorization_pending"


def test_a_person_says_no(app: Application, browser: Browser) -> None:
    """The device learns it, and stops asking; whatever is not yes is no."""
    for decision in ("deny", "whatever"):
        told = begun(app, scope="read")
        page = asked(browser, told["user_code"])
        browser.submit(page.form("/device/decision"), decision=decision)
        assert polled(app, told).json()["error"] == "access_denied"
        assert "No device waits" in asked(browser, told["user_code"]).words


def test_a_device_that_does_not_wait_is_slowed_down(app: Application) -> None:
    """RFC 8628 §3.5: five seconds more each time."""
    told = begun(app, scope="read")
    assert polled(app, told).json()["error"] == "authorization_pending"
    hasty = {**told, "interval": 1}
    assert polled(app, hasty).json()["error"] == "slow_down"
    assert polled(app, {**told, "interval": 6}).json()["error"] == "slow_down"
    assert polled(app, {**told, "interval": 16}).json()["error"] == "authorization_pending"


def test_a_request_ends(app: Application, browser: Browser) -> None:
    """A code on an old photograph opens nothing."""
    told = begun(app, scope="read")
    app.tenancy.server.clock.advance(600)
    assert polled(app, told).json()["error"] == "expired_token"
    assert "No device waits" in asked(browser, told["user_code"]).words


def test_user_codes_are_not_guessed(app: Application, browser: Browser) -> None:
    """RFC 8628 §5.1, ASVS 6.3.1: after a few wrong codes everybody waits, the right one included."""
    told = begun(app, scope="read")
    statuses = [asked(browser, f"WRNG-{letter * 4}").status for letter in "BCDFGHJK"]
    assert statuses[0] == 400
    assert statuses[-1] == 429
    assert asked(browser, told["user_code"]).status == 429


def test_nobody_gives_what_they_do_not_have(app: Application, browser: Browser) -> None:
    """Attack 15: a member's yes makes no administrator of a device."""
    told = begun(app, scope="read admin")
    browser.submit(asked(browser, told["user_code"]).form("/device/decision"), decision="allow")
    assert polled(app, told).json()["scope"] == "read"


def test_a_device_code_is_its_clients_own(tenancy: Tenancy, app: Application, browser: Browser) -> None:
    """Attack 13: another client that got hold of it gets nothing, and spends nothing."""
    told = begun(app, scope="read")
    browser.submit(asked(browser, told["user_code"]).form("/device/decision"), decision="allow")
    other = application(tenancy, **FACTS)
    assert polled(other, told).json()["error"] == "invalid_grant"
    assert polled(app, told).status_code == 200


def test_the_answer_counts_in_its_own_session_alone(
    tenancy: Tenancy, app: Application, browser: Browser
) -> None:
    """Attack 17: another site, or another session's page, connects nothing."""
    told = begun(app, scope="read")
    form = asked(browser, told["user_code"]).form("/device/decision")
    fields = {**form.fields, "decision": "allow"}
    assert visitor(tenancy).send("POST", form.action, fields).status_code == 400
    browser.send("POST", form.action, fields, site="cross-site")
    assert polled(app, told).json()["error"] == "authorization_pending"


def test_people_of_other_organisations_connect_nothing(tenancy: Tenancy, app: Application) -> None:
    """Attack 47: to them there is no such code."""
    told = begun(app, scope="read")
    browser = Browser(tenancy.server)
    tenancy.server.clock.advance(10)
    browser.sign_in(person(tenancy_on(tenancy.server)))
    assert "No device waits" in asked(browser, told["user_code"]).words


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"scope": "nonsense"}, 400, "invalid_scope"),
        ({"scope": "credentials:verify"}, 400, "invalid_scope"),
        ({"resource": "https://elsewhere.example/"}, 400, "invalid_target"),
        ({"client_id": "cli_0000000000000000000000"}, 401, "invalid_client"),
    ],
)
def test_what_a_device_may_not_ask_is_refused_at_once(
    app: Application, fields: dict[str, str], status: int, error: str
) -> None:
    """Nobody is asked for what cannot be had."""
    answer = app.tenancy.client().post("/oauth/device_authorization", data={"client_id": app.id, **fields})
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_only_clients_for_devices_ask(tenancy: Tenancy, app: Application) -> None:
    """ASVS 10.4.4: a client uses the grants that it has."""
    web = application(tenancy)
    fields = {"client_id": web.id, "client_secret": web.secret or ""}
    answer = tenancy.client().post("/oauth/device_authorization", data=fields)
    assert answer.json()["error"] == "unauthorized_client"
    told = begun(app, scope="read")
    wish = {"grant_type": GRANT, "device_code": told["device_code"], **fields}
    assert tenancy.client().post("/oauth/token", data=wish).json()["error"] == "unauthorized_client"
