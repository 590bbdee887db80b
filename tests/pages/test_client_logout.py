"""`/oauth/logout`: who is asked, whose login ends, and where nobody is led."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.pages.browsing import Browser, Read, visitor
from tests.pages.clients import Application, application, target_of
from tests.web.tenancy import Tenancy

LOGOUT = "/oauth/logout"
AFTER = "https://app.example.com/bye?from=here"


@pytest.fixture(scope="module")
def app(tenancy: Tenancy) -> Application:
    """A client that people come back to after a logout."""
    return application(tenancy, "read", "openid", post_logout_redirect_uris=(AFTER,))


@pytest.fixture
def browser(tenancy: Tenancy) -> Browser:
    """A browser in which a new person is signed in; logins of before are not counted any more."""
    tenancy.server.clock.advance(1_000)
    return visitor(tenancy)


def path(**parameters: str) -> str:
    """Where a client sends people to log out."""
    return f"{LOGOUT}?{urlencode(parameters)}"


def me(browser: Browser) -> dict[str, Any]:
    """Who is signed in, as the cookie tells."""
    answer = browser.send("GET", "/v1/auth/verify")
    return answer.json() if answer.status_code == 200 else {}


def session_of(browser: Browser) -> str:
    """The login that a browser is in."""
    (session,) = [one for one in browser.send("GET", "/v1/sessions").json()["data"] if one["current"]]
    return str(session["id"])


def id_token(app: Application, **claims: Any) -> str:
    """An ID token of ours, long expired."""
    server = app.tenancy.server
    past = server.clock.now_us // 1_000_000 - 86_400
    whole = {"aud": app.id, "iat": past, "exp": past + 60, **claims}
    return asyncio.run_coroutine_threadsafe(server.rooms.signing_keys.sign(whole), server.loop).result(20)


def test_a_person_is_asked_and_led_back(app: Application, browser: Browser) -> None:
    """ASVS 10.6.2: a link of anybody's does not sign people out; their own answer does."""
    answer = browser.send("GET", path(client_id=app.id, post_logout_redirect_uri=AFTER, state="a&b"))
    assert "form-action 'self' https://app.example.com" in answer.headers["content-security-policy"]
    assert me(browser)["authenticated"]
    form = Read(answer).form("/oauth/logout/decision")
    stayed = browser.send("POST", form.action, {**form.fields, "decision": "stay"})
    assert stayed.status_code == 200
    assert me(browser)["authenticated"]
    left = browser.send("POST", form.action, {**form.fields, "decision": "leave"})
    assert (left.status_code, left.headers["location"]) == (303, AFTER + "&state=a%26b")
    assert "__Host-session" not in browser.cookies
    assert me(browser) == {}


def test_the_login_ends_everywhere(app: Application, browser: Browser) -> None:
    """Who has kept the cookie is not signed in any more (ASVS 7.4.1)."""
    kept = dict(browser.cookies)
    form = Read(browser.send("GET", path(client_id=app.id))).form("/oauth/logout/decision")
    left = browser.submit(form, decision="leave")
    assert "signed out" in left.words
    assert not left.forms
    browser.cookies = kept
    assert me(browser) == {}


def test_a_client_that_knows_the_login_ends_it_at_once(app: Application, browser: Browser) -> None:
    """ASVS 10.6.2: the ID token of this very login shows it, however old it is; that of another does not."""
    user, session = me(browser)["user_id"], session_of(browser)
    for claims in ({"sub": "usr_other"}, {"sub": user, "sid": "ses_other"}):
        hint = id_token(app, **claims)
        Read(browser.send("GET", path(id_token_hint=hint))).form("/oauth/logout/decision")
        assert me(browser)["authenticated"]
    hint = id_token(app, sub=user, sid=session)
    answer = browser.send("GET", path(id_token_hint=hint, post_logout_redirect_uri=AFTER))
    assert (answer.status_code, answer.headers["location"]) == (303, AFTER)
    assert me(browser) == {}
    again = browser.send("GET", path(id_token_hint=hint, post_logout_redirect_uri=AFTER, state="s"))
    assert again.headers["location"] == AFTER + "&state=s"


def test_who_comes_from_another_site_is_led_on_once(app: Application, browser: Browser) -> None:
    """Strict cookies do not come along from there, nor with a form that another site posts."""
    asked = {"client_id": app.id, "post_logout_redirect_uri": AFTER}
    kept, browser.cookies = browser.cookies, {}
    target = ""
    for answer in (
        browser.send("GET", path(**asked), site="cross-site"),
        browser.send("POST", LOGOUT, asked, site="cross-site"),
    ):
        target = target_of(Read(answer)) or ""
        assert target.startswith(LOGOUT)
        assert browser.send("GET", target, site="cross-site").headers["location"] == AFTER
    browser.cookies = kept
    Read(browser.send("GET", target)).form("/oauth/logout/decision")


@pytest.mark.parametrize(
    "changes",
    [
        {"post_logout_redirect_uri": "https://evil.example/"},
        {"post_logout_redirect_uri": AFTER + "/"},
        {"post_logout_redirect_uri": "https://app.example.com/callback"},
        {"post_logout_redirect_uri": "javascript:alert(1)"},
        {"client_id": ""},
        {"client_id": "cli_0000000000000000000000"},
        {"id_token_hint": "x"},
        {"id_token_hint": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJlLXNpZ25hdHVyZQ"},
    ],
)
def test_nobody_is_led_to_an_unproven_address(
    app: Application, browser: Browser, changes: dict[str, str]
) -> None:
    """Attack 12, ASVS 3.7.2: the way out is no open redirect, and nobody is signed out on the way."""
    asked = {"client_id": app.id, "post_logout_redirect_uri": AFTER, **changes}
    for asking in (browser, Browser(browser.server)):
        for site in ("none", "cross-site"):
            answer = asking.send("GET", path(**asked), site=site)
            assert answer.status_code == 400
            assert "location" not in answer.headers
            assert "evil" not in answer.text
    assert me(browser)["authenticated"]


def test_a_hint_is_of_the_client_that_shows_it(tenancy: Tenancy, app: Application, browser: Browser) -> None:
    """A client that got hold of another's ID token cannot end a login with it."""
    other = application(tenancy)
    hint = id_token(app, sub=me(browser)["user_id"])
    assert browser.send("GET", path(id_token_hint=hint, client_id=other.id)).status_code == 400
    assert browser.send("GET", path(id_token_hint=hint) + f"&id_token_hint={hint}").status_code == 400
    login = browser.cookies["__Host-session"]
    assert browser.send("GET", path(id_token_hint=login)).status_code == 400
    assert me(browser)["authenticated"]


def test_the_answer_counts_in_its_own_session_alone(
    tenancy: Tenancy, app: Application, browser: Browser
) -> None:
    """Attack 17: another site, or another session's page, signs nobody out."""
    form = Read(browser.send("GET", path(client_id=app.id))).form("/oauth/logout/decision")
    other = visitor(tenancy)
    assert other.send("POST", form.action, {**form.fields, "decision": "leave"}).status_code == 400
    assert me(other)["authenticated"]
    answer = browser.send("POST", form.action, {**form.fields, "decision": "leave"}, site="cross-site")
    assert urlsplit(answer.headers.get("location", "/login")).path == "/login"
    assert me(browser)["authenticated"]
    tampered = {**form.fields, "request": urlencode({"post_logout_redirect_uri": "https://evil.example/"})}
    assert browser.send("POST", form.action, {**tampered, "decision": "leave"}).status_code == 400
    assert me(browser)["authenticated"]


def test_who_is_not_signed_in_is_told_so(tenancy: Tenancy) -> None:
    """There is nothing to ask."""
    assert "signed out" in Read(Browser(tenancy.server).send("GET", LOGOUT)).words
