"""Usage and denials, for people."""

from __future__ import annotations

import re
import time

from tests.pages.browsing import Browser, Read, visitor
from tests.pages.test_pages import assert_safe
from tests.web.people import person
from tests.web.tenancy import Tenancy


def settled(browser: Browser, path: str, words: str) -> Read:
    """The page, once what was counted is written."""
    deadline = time.monotonic() + 20
    while words not in (read := browser.get(path)).words:
        assert time.monotonic() < deadline, read.words
        time.sleep(0.05)
    return read


def test_what_was_asked_is_drawn_and_told(tenancy: Tenancy) -> None:
    """Nobody could see that a key is refused, or how much of a plan is used."""
    browser, who = Browser(tenancy.server), person(tenancy)
    browser.sign_in(who)
    key = tenancy.key(user_id=who.id, scopes=["read"])
    for scope in ("", "", "", "write", "write"):
        tenancy.verify(key["key"], scope=scope)
    read = settled(browser, f"/usage?credential_id={key['id']}", "3 accepted, 2 refused")
    assert_safe(read)
    assert "insufficient_scope" in read.words
    bars = [given for tag, given in read.tags if tag == "rect" and float(given["height"]) > 0]
    assert {given["class"] for given in bars} == {"accepted", "refused"}
    for period, buckets in (("hour", 60), ("day", 24), ("month", 30)):
        drawn = browser.get(f"/usage?period={period}&credential_id={key['id']}")
        assert sum(tag == "rect" for tag, _ in drawn.tags) == 2 * buckets
        assert re.search(r"UTC\s*3\s*2\s*insufficient_scope", drawn.words), "the table says the same"
    assert browser.get("/usage?period=year").status == 400


def test_members_see_no_usage_of_others(tenancy: Tenancy) -> None:
    """Attack 47: how busy a competitor's key is would be told to whoever knows its id."""
    browser = visitor(tenancy)
    assert browser.get(f"/usage?credential_id={tenancy.owner_key['id']}").status == 404
    assert "Your organisation's" not in browser.get("/usage?whose=all").words
    elsewhere = tenancy.server.create_tenant_user_key()["key"]
    assert visitor(tenancy, "owner").get(f"/usage?credential_id={elsewhere['id']}").status == 404


def test_why_a_request_was_denied(tenancy: Tenancy) -> None:
    """Whoever is refused would have to ask the operator for the reason."""
    browser, who = Browser(tenancy.server), person(tenancy)
    browser.sign_in(who)
    key = tenancy.key(user_id=who.id, allowed_ips=["192.0.2.0/24"])
    refused = tenancy.verify(key["key"], "198.51.100.7").json()
    form = browser.get("/usage/denials").form("/usage/denials")
    read = browser.submit(form, request_id=f" {refused['request_id']} ")
    assert read.status == 200
    assert "198.51.100.7" in read.words
    assert "not reached" in read.words
    assert_safe(read)
    for who_else in (visitor(tenancy), Browser(tenancy.server)):
        other = who_else.send("GET", f"/usage/denials?request_id={refused['request_id']}")
        assert "198.51.100.7" not in other.text
    missing = browser.submit(form, request_id='req_"><script>')
    assert missing.status == 404
    assert_safe(missing)
