"""Signing in and out in a browser, without scripts."""

from __future__ import annotations

import pytest

from tests.pages.browsing import Browser, Read, visitor
from tests.web.people import login, person
from tests.web.tenancy import Tenancy
from tests.web.test_second_factors import enrol


def test_a_person_signs_in_and_out(tenancy: Tenancy) -> None:
    """ASVS 3.3.1, ASVS 3.3.2, ASVS 3.3.3, ASVS 3.3.4: cookies that scripts and other hosts read; the browser of these tests takes no others."""
    browser, who = Browser(tenancy.server), person(tenancy)
    read = browser.sign_in(who)
    assert read.status == 200
    assert who.email in read.words
    assert "no keys yet" in read.words
    left = browser.submit(read.form("/logout"))
    assert "Sign in" in left.words
    assert set(browser.cookies) == {"__Host-visit"}
    assert browser.send("GET", "/profile").status_code == 303


def test_a_session_that_was_signed_out_of_opens_nothing(tenancy: Tenancy) -> None:
    """ASVS 7.4.1: whoever had copied the cookies would stay signed in."""
    browser = visitor(tenancy)
    kept = dict(browser.cookies)
    browser.submit(browser.get("/profile").form("/logout"))
    thief = Browser(tenancy.server)
    thief.cookies = kept
    assert thief.send("GET", "/profile").headers["location"] == "/login?next=/profile"
    assert not {"__Host-session", "__Host-refresh"} & set(thief.cookies)


def test_whoever_was_turned_away_goes_on_after_signing_in(tenancy: Tenancy) -> None:
    """They would have to find the page again that they had asked for."""
    browser = Browser(tenancy.server)
    form = browser.get("/profile").form("/login")
    assert form.fields["next"] == "/profile"
    who = person(tenancy)
    read = browser.submit(form, username=who.email, password=who.password, tenant_id=who.tenant_id)
    assert read.answer.request.url.path == "/profile"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/%5Cevil\\.example",
        "javascript:alert(1)",
        "evil",
        "/\tevil.example",
        "/a b",
        "/\r\nSet-Cookie: a=b",
        "",
        "/" + "a" * 8_192,
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(tenancy: Tenancy, elsewhere: str) -> None:
    """ASVS 3.7.2, attack 12: a link to our own login page would end on somebody else's copy of it."""
    browser, who = Browser(tenancy.server), person(tenancy)
    form = browser.get("/login").form("/login")
    fields = {"username": who.email, "password": who.password, "tenant_id": who.tenant_id, "next": elsewhere}
    answer = browser.send("POST", "/login", {**form.fields, **fields})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/settings/api-keys"


@pytest.mark.parametrize("changes", [{"password": "another password"}, {"username": "nobody@example.com"}])
def test_what_is_wrong_is_told_in_the_form(tenancy: Tenancy, changes: dict[str, str]) -> None:
    """ASVS 6.3.8, attack 43: the words, the status and the form are the same whoever does not exist."""
    browser, who = Browser(tenancy.server), person(tenancy)
    read = browser.sign_in(who, **changes)
    assert read.status == 401
    assert "The user name or the password is wrong." in read.words
    assert read.answer.headers["WWW-Authenticate"].startswith("Bearer ")
    form = read.form("/login")
    assert form.fields["username"] == changes.get("username", who.email)
    assert form.fields["password"] == ""
    assert "__Host-session" not in browser.cookies


def test_what_is_missing_is_named(tenancy: Tenancy) -> None:
    """A screen reader would find an error without the field that it is about."""
    browser = Browser(tenancy.server)
    read = browser.submit(browser.get("/login").form("/login"), username="ada@example.com")
    assert read.status == 400
    assert "Type your password." in read.words
    invalid = [given["name"] for tag, given in read.tags if "aria-invalid" in given]
    assert invalid == ["password"]


def test_too_many_guesses_have_to_wait(tenancy: Tenancy) -> None:
    """ASVS 6.3.1, attack 41: the limit of the API's login would not hold on the page."""
    browser, who = Browser(tenancy.server), person(tenancy)
    statuses = {browser.sign_in(who, password=f"wrong {guess}").status for guess in range(8)}
    assert statuses == {401, 429}
    last = browser.sign_in(who, password="wrong again")
    assert int(last.answer.headers["retry-after"]) > 0
    assert "Try again in" in last.words


def test_the_session_cookie_is_renewed_by_itself(tenancy: Tenancy) -> None:
    """People would have to sign in every hour; after a failure as much as after a page, or they are thrown out."""
    browser = visitor(tenancy)
    former = dict(browser.cookies)
    del browser.cookies["__Host-session"]
    assert browser.send("GET", "/profile?x=1").status_code == 400
    assert browser.cookies["__Host-refresh"] != former["__Host-refresh"]
    assert browser.get("/profile").answer.request.url.path == "/profile"


def test_an_expired_token_is_renewed_too(tenancy: Tenancy) -> None:
    """A browser whose clock is behind sends it longer than it lasts."""
    browser = visitor(tenancy)
    former = dict(browser.cookies)
    tenancy.server.clock.advance(3_700)
    assert browser.get("/profile").status == 200
    assert browser.cookies["__Host-session"] != former["__Host-session"]


def test_who_comes_in_gets_a_new_session(tenancy: Tenancy) -> None:
    """Attack 45, ASVS 7.2.4: whoever put their own session into a browser would share what its user does."""
    attacker, victim = visitor(tenancy), Browser(tenancy.server)
    planted = dict(attacker.cookies)
    victim.cookies = dict(planted)
    victim.sign_in(person(tenancy))
    assert not set(victim.cookies.values()) & {planted["__Host-session"], planted["__Host-refresh"]}
    assert attacker.send("GET", "/profile").status_code == 303, "the planted session is over"


def test_cookies_that_open_nothing_leave_with_the_form(tenancy: Tenancy) -> None:
    """Attack 45 (oauth2-proxy CVE-2026-34454): the next user of the browser would be taken for the former."""
    browser = visitor(tenancy)
    form = browser.get("/profile").form("/logout")
    elsewhere = Browser(tenancy.server)
    elsewhere.cookies = dict(browser.cookies)
    elsewhere.submit(form)
    assert "__Host-session" in browser.cookies
    browser.get("/login")
    assert set(browser.cookies) == {"__Host-visit"}


def test_a_login_form_of_another_browser_does_nothing(tenancy: Tenancy) -> None:
    """ASVS 3.5.1: a page elsewhere would sign its visitors in to an account of its own, and read what they do there."""
    attacker, victim, who = Browser(tenancy.server), Browser(tenancy.server), person(tenancy)
    form = attacker.get("/login").form("/login")
    fields = {"username": who.email, "password": who.password, "tenant_id": who.tenant_id}
    victim.get("/login")
    for sent in (
        victim.send("POST", "/login", {**form.fields, **fields}),
        Browser(tenancy.server).send("POST", "/login", {**form.fields, **fields}),
        attacker.send("POST", "/login", {**form.fields, **fields}, site="cross-site"),
        attacker.send("POST", "/login", fields),
    ):
        assert sent.status_code == 400
        assert "was not shown to you here" in Read(sent).words
    assert "__Host-session" not in victim.cookies | attacker.cookies


def test_a_login_page_can_ask_for_somebody(tenancy: Tenancy) -> None:
    """A client that knows who comes would have them type their address again."""
    form = Browser(tenancy.server).get("/login?login_hint=ada%40example.com").form("/login")
    assert form.fields["username"] == "ada@example.com"


def test_who_comes_from_another_site_is_known_after_one_step_of_our_own(tenancy: Tenancy) -> None:
    """ASVS 3.3.2: browsers send no strict cookie along with a link elsewhere, so everybody would have to sign in again."""
    browser = visitor(tenancy)
    answer = browser.send("GET", "/profile", site="cross-site")
    assert answer.status_code == 200
    read = Read(answer)
    assert "/profile" in read.links
    assert [given["content"] for tag, given in read.tags if given.get("http-equiv") == "refresh"] == [
        "0; url=/profile"
    ]
    assert "Organisation" not in read.words
    assert "Organisation" in browser.get("/profile").words


def test_a_step_of_our_own_leads_nowhere_else(tenancy: Tenancy) -> None:
    """Attack 12, attack 50: an address with quotes in it would write the page that leads on."""
    path = "/profile?a=%22%3E%3Cscript%3E&b='onload=x;url=//evil.example"
    read = Read(visitor(tenancy).send("GET", path, site="cross-site"))
    assert path in read.links
    assert sum(tag == "script" for tag, _ in read.tags) == 1


def test_the_door_leads_to_the_pages(tenancy: Tenancy) -> None:
    """Whoever types the address into a browser would meet JSON."""
    assert "Sign in" in Browser(tenancy.server).get("/").words
    assert tenancy.client().get("/").json()["name"] == "Bonafides"


def test_who_has_a_second_factor_types_its_code(tenancy: Tenancy) -> None:
    """ASVS 6.3.3, attack 42: the pages would be the way around it, or closed to whoever has one."""
    who = person(tenancy)
    app, codes = enrol(tenancy.client(login(who).json()["token"]), tenancy.server)
    browser = Browser(tenancy.server)
    form = browser.get("/profile").form("/login")
    read = browser.submit(form, username=who.email, password=who.password, tenant_id=who.tenant_id)
    assert not {"__Host-session", "__Host-refresh"} & set(browser.cookies)
    empty = browser.submit(read.form("/login/second-factor"))
    assert "Type the code" in empty.words
    wrong = browser.submit(empty.form("/login/second-factor"), code=app.wrong())
    assert wrong.status == 401
    assert "The code is wrong" in wrong.words
    assert app.wrong() not in wrong.answer.text
    done = browser.submit(wrong.form("/login/second-factor"), code=app.fresh())
    assert done.answer.request.url.path == "/profile"
    other = Browser(tenancy.server)
    read = other.submit(
        other.get("/login").form("/login"), username=who.email, password=who.password, tenant_id=who.tenant_id
    )
    for _ in range(5):
        read = other.submit(read.form("/login/second-factor"), code=app.wrong())
    refused = other.submit(read.form("/login/second-factor"), code=codes[0])
    assert refused.status == 429
    assert "retry-after" in refused.answer.headers
    foreign = other.send("POST", "/login/second-factor", {"mfa_token": "x", "code": codes[0]})
    assert foreign.status_code == 400
