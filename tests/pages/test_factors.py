"""Second factors, and proving anew who one is, on pages without scripts."""

from __future__ import annotations

import re

from tests.pages.browsing import Browser, Read, visitor
from tests.pages.test_pages import assert_safe
from tests.web.people import Person, person
from tests.web.tenancy import Tenancy
from tests.web.test_second_factors import App

SECURITY = "/settings/security"


def set_up(browser: Browser, who: Person) -> tuple[App, list[str]]:
    """Set up an app; it, and the recovery codes."""
    begun = browser.submit(browser.get(SECURITY).form(f"{SECURITY}/factors/begin"))
    assert_safe_but_for_the_picture(begun)
    secret = next(code for code in begun.codes if re.fullmatch("[A-Z2-7]{32,}", code))
    app = App(who.server, secret)
    wrong = browser.submit(begun.form(f"{SECURITY}/factors/confirm"), code=app.wrong())
    assert wrong.status == 400
    assert "is not the one that the app shows" in wrong.words
    codes = browser.submit(wrong.form(f"{SECURITY}/factors/confirm"), code=app.code())
    assert "Recovery codes" in codes.words
    return app, codes.codes[0].split()


def assert_safe_but_for_the_picture(read: Read) -> None:
    """The QR code is drawn into the page."""
    assert sum(tag == "svg" for tag, _ in read.tags) == 1
    assert_safe(read)


def test_an_app_is_set_up_asked_for_and_removed(tenancy: Tenancy) -> None:
    """ASVS 6.3.3: only programs could have a second factor."""
    browser, who = Browser(tenancy.server), person(tenancy)
    browser.sign_in(who)
    app, recovery_codes = set_up(browser, who)
    assert len(recovery_codes) == 10
    assert "10 recovery codes" in browser.get(SECURITY).words
    again = Browser(tenancy.server)
    step = again.sign_in(who)
    assert "One more step" in step.words
    read = again.submit(step.form("/login/second-factor"), code=recovery_codes[0])
    assert "API keys" in read.words
    renewed = again.submit(again.get(SECURITY).form(f"{SECURITY}/factors/recovery-codes"))
    assert not set(renewed.codes[0].split()) & set(recovery_codes)
    removed = again.submit(again.get(SECURITY).form(f"{SECURITY}/factors/remove"))
    assert "Set up an authenticator app" in removed.words
    assert app.code()


def test_who_signed_in_long_ago_proves_it_anew(tenancy: Tenancy) -> None:
    """ASVS 7.5.1, ASVS 7.5.3: whoever finds a browser open would take the account for good."""
    browser, who = Browser(tenancy.server), person(tenancy, "owner")
    browser.sign_in(who)
    tenancy.server.clock.advance(1_000)
    asked = browser.submit(browser.get(SECURITY).form(f"{SECURITY}/factors/begin"))
    assert "Is it you?" in asked.words
    assert_safe(asked)
    wrong = browser.submit(asked.form("/prove"), password="wrong")
    assert (wrong.status, "is wrong" in wrong.words) == (401, True)
    assert browser.submit(asked.form("/prove")).status == 400
    back = browser.submit(wrong.form("/prove"), password=who.password)
    assert back.answer.request.url.path == SECURITY
    begun = browser.submit(back.form(f"{SECURITY}/factors/begin"))
    assert "Scan this picture" in begun.words


def test_a_key_with_admin_is_made_after_a_fresh_proof(tenancy: Tenancy) -> None:
    """ASVS 7.5.3: the page would send its reader to an API that they do not know."""
    browser, who = Browser(tenancy.server), person(tenancy, "owner")
    browser.sign_in(who)
    tenancy.server.clock.advance(1_000)
    path = "/settings/api-keys/new"
    fields = {"name": "powerful", "scope:admin": "on"}
    asked = browser.submit(browser.get(path).form(path), **fields)
    back = browser.submit(asked.form("/prove"), password=who.password)
    assert back.answer.request.url.path == path
    made = browser.submit(back.form(path), **fields)
    assert "Your new key" in made.words


def test_a_proof_leads_nowhere_else(tenancy: Tenancy) -> None:
    """Attack 12, ASVS 3.7.2: a link to our own page would end elsewhere, with a fresh proof."""
    browser = visitor(tenancy)
    assert browser.get("/prove?next=//evil.example").form("/prove").fields["next"] == SECURITY
