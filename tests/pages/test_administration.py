"""Users and the audit trail, as an admin without scripts meets them."""

from __future__ import annotations

import csv
import io
import json
import re
import secrets

import pytest

from tests.pages.browsing import Browser, Form, visitor
from tests.pages.test_factors import set_up
from tests.pages.test_pages import HOSTILE, assert_safe
from tests.web.people import Person, login, person
from tests.web.tenancy import Tenancy, tenancy_on

USERS = "/administration/users"
AUDIT = "/administration/audit"
ACTS = ("/disable", "/password-reset", "/invitation", "/reset-factors", "/delete")


def test_a_user_is_created_and_chooses_a_password(tenancy: Tenancy) -> None:
    """ASVS 6.4.6: an admin would have to choose it for them, and know it."""
    browser = visitor(tenancy, "admin")
    email = f"{secrets.token_hex(6)}@example.com"
    form = browser.get(USERS).form(USERS)
    read = browser.submit(form, email=email, name="Ada", role="member", kind="person")
    assert "Ada" in read.words
    path = read.answer.request.url.path
    shown = browser.submit(read.form(f"{path}/password-reset"))
    code = next(code for code in shown.codes if code.startswith("bf_rst_"))
    assert_safe(shown)
    theirs = Browser(tenancy.server)
    chosen = theirs.get("/choose-password").form("/choose-password")
    theirs.submit(chosen, token=code, new_password="nine loud islands at dusk")
    who = Person(tenancy, path.rpartition("/")[2], email, "nine loud islands at dusk")
    assert login(who).status_code == 200
    again = browser.submit(browser.get(USERS).form(USERS), email=email, role="member", kind="person")
    assert again.status == 409
    assert "has this e-mail address already" in again.words
    assert again.form(USERS).fields["email"] == email
    for fields in ({"kind": "robot"}, {"role": "king"}, {"email": "nobody"}, {"role": "owner"}):
        wrong = browser.submit(
            form, **{"kind": "person", "email": "x@example.com", "role": "member", **fields}
        )
        assert wrong.status in {400, 403}, fields


def test_a_user_is_changed_disabled_and_enabled(tenancy: Tenancy) -> None:
    """ASVS 7.4.2: somebody who left would go on, or a role would stay what it was."""
    browser, who = visitor(tenancy, "owner"), person(tenancy)
    theirs = Browser(tenancy.server)
    theirs.sign_in(who)
    path = f"{USERS}/{who.id}"
    read = browser.submit(browser.get(path).form(path), name="Grace", role="admin")
    assert tenancy.api.get(f"/v1/users/{who.id}").json()["role"] == "admin"
    assert tenancy.api.get(f"/v1/users/{who.id}").json()["email"] == who.email
    disabled = browser.submit(read.form(f"{path}/disable"))
    assert "disabled" in disabled.words
    assert theirs.send("GET", "/profile").status_code == 303
    browser.submit(disabled.form(f"{path}/enable"))
    assert login(who).status_code == 200
    assert browser.submit(browser.get(path).form(path), name="").status == 400


def test_somebody_is_invited_loses_their_factors_and_leaves(
    tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An admin would need the API for a colleague who comes, one who lost their phone, and one who goes."""
    browser = visitor(tenancy, "owner")
    form = browser.get(USERS).form(USERS)
    email = f"{secrets.token_hex(6)}@example.com"
    read = browser.submit(form, email=email, name="Ada", role="member", kind="person")
    path = read.answer.request.url.path
    assert "They get a mail with a link." in browser.submit(read.form(f"{path}/invitation")).words
    monkeypatch.setattr(tenancy.server.rooms.mail, "_carry", None)
    invited = browser.submit(read.form(f"{path}/invitation"))
    assert_safe(invited)
    code = next(code for code in invited.codes if code.startswith("bf_inv_"))
    theirs = Browser(tenancy.server)
    chosen = theirs.get("/choose-password").form("/choose-password")
    theirs.submit(chosen, token=code, new_password="nine loud islands at dusk")
    who = Person(tenancy, path.rpartition("/")[2], email, "nine loud islands at dusk")
    assert browser.submit(read.form(f"{path}/invitation")).status == 409
    assert "has no second factor" in browser.submit(read.form(f"{path}/reset-factors")).words
    theirs.sign_in(who)
    set_up(theirs, who)
    assert "your recovery codes" in Browser(tenancy.server).sign_in(who).words
    assert "are gone" in browser.submit(read.form(f"{path}/reset-factors")).words
    assert theirs.send("GET", "/profile").status_code == 303
    assert "API keys" in Browser(tenancy.server).sign_in(who).words
    assert "Users" in browser.submit(browser.get(path).form(f"{path}/delete")).words
    assert login(who).status_code == 401
    assert browser.get(path).status == 404


def test_only_admins_get_there(tenancy: Tenancy) -> None:
    """ASVS 8.2.1, ASVS 8.3.1: a member who knows the address would make themselves an owner."""
    browser, victim = visitor(tenancy), person(tenancy)
    assert "Administration" not in browser.get("/profile").words
    csrf = browser.get("/profile").form("/logout").fields["csrf"]
    for path in (USERS, f"{USERS}/{victim.id}", AUDIT, f"{AUDIT}/export?form=csv"):
        assert browser.get(path).status == 403
    for act in ("", *(f"/{victim.id}{act}" for act in ("", *ACTS))):
        form = Form("post", USERS + act, {"csrf": csrf, "name": "x", "role": "owner", "kind": "person"})
        assert browser.submit(form).status == 403
    assert login(victim).status_code == 200


def test_admins_see_nothing_of_other_tenants(tenancy: Tenancy) -> None:
    """Attack 47, ASVS 8.4.1: an owner elsewhere would read and change users here."""
    other = tenancy_on(tenancy.server)
    browser, victim = visitor(other, "owner"), person(tenancy)
    assert browser.get(f"{USERS}?tenant_id={tenancy.id}").status == 404
    assert browser.get(f"{USERS}/{victim.id}").status == 404
    csrf = browser.get("/profile").form("/logout").fields["csrf"]
    for act in ("", *ACTS):
        form = Form("post", f"{USERS}/{victim.id}{act}", {"csrf": csrf, "name": "x", "role": "member"})
        assert browser.submit(form).status == 404
    form = Form("post", USERS, {"csrf": csrf, "tenant_id": tenancy.id, "email": "eve@example.com"})
    assert browser.submit(form, role="owner", kind="person").status == 404
    assert victim.id not in browser.get(f"{AUDIT}?subject_id={victim.id}").answer.text.replace(
        f'value="{victim.id}"', ""
    ).replace(f"subject_id={victim.id}", "")


def test_the_trail_is_filtered_and_taken_home(tenancy: Tenancy) -> None:
    """ASVS 16.3.1: after an incident nobody finds who did it, or can hand it to somebody who asks."""
    browser, who = Browser(tenancy.server), person(tenancy, "owner")
    browser.sign_in(who)
    key = tenancy.api.post("/v1/api-keys", json={"name": "=HYPERLINK(1)"}).json()
    tenancy.api.delete(f"/v1/api-keys/{key['id']}", params={"reason": "leaked"})
    form = browser.get(AUDIT).form(AUDIT)
    read = browser.submit(form, subject_id=key["id"], action="api_key.revoked")
    assert "reason: leaked" in read.words
    assert "api_key.created" not in read.words
    exports = [link for link in read.links if "export" in link]
    texts = {link.partition("form=")[2][:3]: browser.send("GET", link) for link in exports}
    rows = list(csv.DictReader(io.StringIO(texts["csv"].text)))
    assert [(row["action"], row["subject_id"]) for row in rows] == [("api_key.revoked", key["id"])]
    assert texts["csv"].headers["content-disposition"] == 'attachment; filename="audit.csv"'
    lines = [json.loads(line) for line in texts["jso"].text.splitlines()]
    assert [line["action"] for line in lines] == ["api_key.revoked"]
    every = csv.reader(io.StringIO(browser.send("GET", f"{AUDIT}/export?form=csv").text))
    assert not [cell for row in every for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert browser.get(f"{AUDIT}/export?form=xml").status == 400


def test_the_trail_and_the_list_of_users_go_on(tenancy: Tenancy) -> None:
    """What is on the second page would not exist."""
    busy = tenancy_on(tenancy.server)
    for number in range(27):
        busy.user(name=f"user <{number}>")
    browser = visitor(busy, "owner")
    for path in (USERS, AUDIT):
        first = browser.get(path)
        older = browser.get(next(link for link in first.links if "cursor=" in link))
        assert older.status == 200
        assert path in older.links
    first = browser.get(USERS)
    older = browser.get(next(link for link in first.links if "cursor=" in link))
    names = set(re.findall(r"user <\d+>", first.words + older.words))
    assert names == {f"user <{number}>" for number in range(27)}


def test_what_members_type_is_text_to_their_admins(tenancy: Tenancy) -> None:
    """Attack 50: a member's name would run in the browser of whoever administers them."""
    browser = visitor(tenancy, "owner")
    for name in HOSTILE:
        who = person(tenancy)
        tenancy.api.patch(f"/v1/users/{who.id}", json={"name": name})
        for page in (browser.get(USERS), browser.get(f"{USERS}/{who.id}")):
            assert_safe(page)
            assert name in page.words
            assert sum(tag == "script" for tag, _ in page.tags) == 1
    assert_safe(browser.get(AUDIT))
