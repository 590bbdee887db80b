"""`/oauth/par`: what a client sends ahead is judged at once, bound to it, and used once."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from tests.pages.browsing import Browser, Read, visitor
from tests.pages.clients import (
    AUTHORIZE,
    Application,
    answered,
    application,
    consent_page,
    signed_in_at,
)
from tests.web.people import person
from tests.web.tenancy import Tenancy

PREFIX = "urn:ietf:params:oauth:request_uri:"


@pytest.fixture(scope="module")
def app(tenancy: Tenancy) -> Application:
    """A confidential client."""
    return application(tenancy, "read", "write", "openid")


@pytest.fixture
def browser(tenancy: Tenancy) -> Browser:
    """A browser in which a new person is signed in; logins of before are not counted any more."""
    tenancy.server.clock.advance(1_000)
    return visitor(tenancy)


def push(app: Application, secret: str | None = None, **changes: Any) -> httpx2.Response:
    """What becomes of a request that a client sends ahead."""
    fields = {**app.parameters(**changes), "client_secret": secret or app.secret or ""}
    return app.tenancy.client().post("/oauth/par", data=fields)


def pushed(app: Application, **changes: Any) -> str:
    """Where a browser is sent with a request that was taken."""
    answer = push(app, **changes)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["request_uri"].startswith(PREFIX)
    assert body["expires_in"] == 300
    return f"{AUTHORIZE}?{urlencode({'client_id': app.id, 'request_uri': body['request_uri']})}"


def test_a_pushed_request_is_answered_once(app: Application, browser: Browser) -> None:
    """RFC 9126, ASVS 10.4.13: the browser carries one word, and whoever saw it go by can do nothing with it later."""
    path = pushed(app)
    told = app.answer(answered(browser, consent_page(browser, path)))
    assert "code" in told
    again = browser.send("GET", path)
    assert again.status_code == 400
    assert "location" not in again.headers


def test_what_the_browser_adds_changes_nothing(app: Application, browser: Browser) -> None:
    """Whoever changes the address cannot ask for more than the client has."""
    path = (
        pushed(app, scope="read")
        + "&"
        + urlencode({"scope": "write", "redirect_uri": "https://evil.example/"})
    )
    read = consent_page(browser, path)
    assert "Change what you have here" not in read.words
    assert "code" in app.answer(answered(browser, read))


def test_a_pushed_request_is_its_clients_own(tenancy: Tenancy, app: Application, browser: Browser) -> None:
    """Another client that names it gets nothing."""
    other = application(tenancy)
    path = pushed(app).replace(app.id, other.id)
    assert browser.send("GET", path).status_code == 400


def test_who_comes_in_time_may_take_their_time(tenancy: Tenancy, app: Application) -> None:
    """A person who has to sign in first would find the request gone; one who comes late does."""
    who = person(tenancy)
    browser = Browser(tenancy.server)
    answer = browser.send("GET", pushed(app))
    login = Read(browser.send("GET", answer.headers["location"]))
    tenancy.server.clock.advance(900)
    assert "code" in app.answer(answered(browser, Read(signed_in_at(browser, login, who))))
    late = pushed(app)
    tenancy.server.clock.advance(301)
    assert browser.send("GET", late).status_code == 400


def test_no_uses_a_request_up(app: Application, browser: Browser) -> None:
    """What was answered is answered."""
    path = pushed(app)
    page = consent_page(browser, path)
    assert app.answer(answered(browser, page, "deny"))["error"] == "access_denied"
    assert answered(browser, page).status_code == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"redirect_uri": None, "scope": "openid"}, "invalid_request"),
        ({"request_uri": PREFIX + "x"}, "invalid_request"),
        ({"request": "x"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"scope": "nonsense"}, "invalid_scope"),
        ({"resource": "https://elsewhere.example/"}, "invalid_target"),
    ],
)
def test_what_would_be_refused_is_refused_at_once(
    app: Application, changes: dict[str, str | None], error: str
) -> None:
    """The client learns it where it can do something about it, and nobody is sent anywhere."""
    answer = push(app, **changes)
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert (body["error"], bool(body["error_description"])) == (error, True)


def test_only_the_client_itself_pushes(tenancy: Tenancy, app: Application) -> None:
    """ASVS 10.4.10: nobody can put words into its mouth."""
    other = application(tenancy)
    assert push(app, secret=other.secret).status_code == 401
    assert push(app, secret="x").status_code == 401
    assert tenancy.client().post("/oauth/par", data=app.parameters()).status_code == 401
    assert tenancy.client().get("/oauth/par").status_code == 405


def test_a_client_may_have_to_push(tenancy: Tenancy, browser: Browser) -> None:
    """ASVS 10.4.13: of such a client, what comes through the browser is refused."""
    strict = application(tenancy, metadata={"require_pushed_authorization_requests": True})
    assert strict.answer(browser.send("GET", strict.path()))["error"] == "invalid_request"
    assert "code" in strict.answer(answered(browser, consent_page(browser, pushed(strict))))
