"""Personal access tokens, sessions and passwords, as a person without scripts uses them."""

from __future__ import annotations

import pytest

from tests.pages.browsing import Browser, Form, Read, visitor
from tests.pages.test_pages import HOSTILE, assert_safe
from tests.web.people import PASSWORD, login, person
from tests.web.tenancy import Tenancy

TOKENS = "/settings/tokens"
SESSIONS = "/settings/sessions"
SECURITY = "/settings/security"


def generate(browser: Browser, **fields: str) -> Read:
    """Fill in the form for a new token, and send it."""
    form = browser.get(f"{TOKENS}/new").form(f"{TOKENS}/new")
    return browser.submit(form, **{"description": "backup", **fields})


def secret_of(read: Read) -> str:
    """The token that is shown."""
    assert read.status == 200, read.words
    return next(code for code in read.codes if code.startswith("bf_pat_"))


def test_a_token_is_generated_used_and_revoked(tenancy: Tenancy) -> None:
    """Somebody's script would have to know their password."""
    browser = visitor(tenancy)
    token = secret_of(generate(browser, expires="never"))
    assert tenancy.verify(token).json()["credential"]["kind"] == "personal_access_token"
    assert tenancy.verify(token).json()["expires_at"] is None
    listed = browser.get(TOKENS)
    assert "backup" in listed.words
    assert token not in listed.answer.text
    revoke = next(form for form in listed.forms if form.action.endswith("/revoke"))
    read = browser.submit(revoke)
    assert "revoked" in read.words
    assert tenancy.verify(token).status_code == 401


def test_a_token_of_a_form_that_is_sent_twice_is_one(tenancy: Tenancy) -> None:
    """A reload would leave a token that nobody knows."""
    browser = visitor(tenancy)
    form = browser.get(f"{TOKENS}/new").form(f"{TOKENS}/new")
    assert len({secret_of(browser.submit(form, description="x")) for _ in range(2)}) == 1


def test_what_a_tenant_forbids_is_told_in_the_form(tenancy: Tenancy) -> None:
    """A page would make what the API refuses."""
    browser = visitor(tenancy)
    tenancy.api.patch(f"/v1/tenants/{tenancy.id}", json={"personal_access_token_seconds_max": 864_000})
    read = generate(browser, expires="never")
    tenancy.api.patch(f"/v1/tenants/{tenancy.id}", json={"personal_access_token_seconds_max": None})
    assert read.status == 400
    assert "10 days at most" in read.words
    assert read.form(f"{TOKENS}/new").fields["description"] == "backup"


def test_nobody_revokes_the_token_of_another(tenancy: Tenancy) -> None:
    """Attack 47, ASVS 8.2.2: ids of others would be good in one's own form."""
    theirs = tenancy.api.post("/v1/personal-access-tokens", json={"description": "x"}).json()
    browser = visitor(tenancy)
    csrf = browser.get(TOKENS).form("/logout").fields["csrf"]
    assert browser.submit(Form("post", f"{TOKENS}/{theirs['id']}/revoke", {"csrf": csrf})).status == 404
    assert tenancy.verify(theirs["token"]).status_code == 200


@pytest.mark.parametrize("name", HOSTILE)
def test_what_people_type_and_browsers_say_is_text(tenancy: Tenancy, name: str) -> None:
    """Attack 50: a token's description, or what a browser calls itself, would run in the page that shows it."""
    who = person(tenancy)
    browser = Browser(tenancy.server)
    browser._client.headers["User-Agent"] = name.encode("ascii", "ignore").decode("ascii").strip()
    browser.sign_in(who)
    made = generate(browser, description=name)
    for page in (made, browser.get(TOKENS), browser.get(SESSIONS)):
        assert_safe(page)
        assert sum(tag == "script" for tag, _ in page.tags) == 1
        assert not [tag for tag, _ in page.tags if tag in {"svg", "b"}]
    assert name in browser.get(TOKENS).words


def test_sessions_are_seen_and_ended(tenancy: Tenancy) -> None:
    """ASVS 7.5.2: nobody could throw a stranger out of their account."""
    who = person(tenancy)
    browser, stranger, third = (Browser(tenancy.server) for _ in range(3))
    for one in (browser, stranger, third):
        one.sign_in(who)
    read = browser.get(SESSIONS)
    assert read.words.count("Browser of the tests") >= 3
    assert read.words.count("this one") == 1
    ends = [form for form in read.forms if form.action.endswith("/end")]
    assert len(ends) == 2
    browser.submit(ends[0])
    assert len([form for form in browser.get(SESSIONS).forms if form.action.endswith("/end")]) == 1
    browser.submit(browser.get(SESSIONS).form(f"{SESSIONS}/end-others"))
    assert {one.send("GET", "/profile").status_code for one in (stranger, third)} == {303}
    assert browser.get("/profile").status == 200


def test_nobody_ends_the_session_of_another(tenancy: Tenancy) -> None:
    """Attack 47: whoever knows an id could throw others out."""
    who, victim = person(tenancy), Browser(tenancy.server)
    victim.sign_in(who)
    theirs = tenancy.api.get("/v1/sessions", params={"user_id": who.id}).json()["data"]
    browser = visitor(tenancy)
    csrf = browser.get(SESSIONS).form("/logout").fields["csrf"]
    for session in theirs:
        form = Form("post", f"{SESSIONS}/{session['id']}/end", {"csrf": csrf})
        assert browser.submit(form).status == 404
    assert len(theirs) == 1
    assert victim.get("/profile").status == 200


def test_a_password_is_changed(tenancy: Tenancy) -> None:
    """ASVS 6.2.2, ASVS 6.2.3: whoever fears that theirs is known could do nothing, and a stranger at the desk could."""
    who = person(tenancy)
    browser, other = Browser(tenancy.server), Browser(tenancy.server)
    browser.sign_in(who)
    other.sign_in(who)
    form = browser.get(SECURITY).form(f"{SECURITY}/password")
    wrong = browser.submit(form, current_password="wrong", new_password="nine loud islands at dusk")
    assert (wrong.status, "This is not your current password." in wrong.words) == (401, True)
    short = browser.submit(form, current_password=PASSWORD, new_password="short")
    assert short.status == 400
    assert [given["name"] for _, given in short.tags if "aria-invalid" in given] == ["new_password"]
    assert browser.submit(form, new_password="nine loud islands at dusk").status == 400
    read = browser.submit(form, current_password=PASSWORD, new_password="nine loud islands at dusk")
    assert "Your password is changed." in read.words
    assert other.send("GET", "/profile").status_code == 303
    assert login(who).status_code == 401
    assert login(who, password="nine loud islands at dusk").status_code == 200


def test_guesses_at_the_current_password_have_to_wait(tenancy: Tenancy) -> None:
    """ASVS 6.3.1: the page would let a stranger at the desk guess without end."""
    browser = visitor(tenancy)
    form = browser.get(SECURITY).form(f"{SECURITY}/password")
    sent = [
        browser.submit(form, current_password=f"wrong {guess}", new_password="nine loud islands at dusk")
        for guess in range(8)
    ]
    assert {read.status for read in sent} == {401, 429}


def test_a_password_is_chosen_with_what_an_admin_hands_over(tenancy: Tenancy) -> None:
    """Whoever was let in anew could only do it with a program."""
    who = person(tenancy)
    token = tenancy.api.post(f"/v1/users/{who.id}/password-reset").json()["token"]
    browser = Browser(tenancy.server)
    form = browser.get("/choose-password").form("/choose-password")
    short = browser.submit(form, token=token, new_password="short")
    assert short.status == 400
    assert token not in short.answer.text
    read = browser.submit(form, token=f" {token} ", new_password="nine loud islands at dusk")
    assert "Sign in" in read.words
    assert login(who, password="nine loud islands at dusk").status_code == 200
    again = browser.submit(form, token=token, new_password="ten loud islands at dusk")
    assert again.status == 401
    assert "unknown, was used before" in again.words
    assert browser.submit(form, token="bf_rst_x", new_password="ten loud islands at dusk").status == 401
    assert browser.submit(form).status == 400
    assert_safe(again)


def test_letters_are_chosen_on_a_page(tenancy: Tenancy) -> None:
    """Whoever gets letters that they do not want would have to find a call of the API."""
    path = "/settings/notifications"
    browser = visitor(tenancy)
    read = browser.get(path)
    assert_safe(read)
    form = read.form(path)
    assert {"expiring_credentials", "new_places"} <= set(form.fields)
    assert "disabled_webhooks" not in {**form.fields, **form.boxes}, "a member is never told of these"
    del form.fields["new_places"]
    after = browser.submit(form).form(path)
    assert "new_places" in after.boxes
    assert "expiring_credentials" in after.fields
    admins = visitor(tenancy, "admin").get(path).form(path)
    assert "disabled_webhooks" in admins.fields
    assert "has named no mail server" in read.words
