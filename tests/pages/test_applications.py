"""What people have let applications do, and the applications that an admin makes, as both meet them without scripts."""

from __future__ import annotations

import base64

import pytest

from tests.pages.browsing import Browser, visitor
from tests.pages.clients import Application, answered, application, consent_page
from tests.pages.test_consents import granted
from tests.pages.test_pages import HOSTILE, assert_safe
from tests.web.people import person
from tests.web.tenancy import Tenancy, tenancy_on

APPLICATIONS = "/settings/applications"
CLIENTS = "/administration/clients"


@pytest.fixture(scope="module")
def app(tenancy: Tenancy) -> Application:
    """A client that people let in."""
    return application(tenancy)


def test_what_was_allowed_is_seen_and_taken_back(tenancy: Tenancy, app: Application) -> None:
    """Somebody who allowed an application once could never find it again."""
    browser, who = Browser(tenancy.server), person(tenancy)
    browser.sign_in(who)
    assert "allowed nothing" in browser.get(APPLICATIONS).words
    answered(browser, consent_page(browser, app.path()))
    grant_id, _ = granted(who, app)
    assert browser.send("GET", f"/v1/grants/{grant_id}").status_code == 200
    read = browser.get(APPLICATIONS)
    assert_safe(read)
    assert app.id in read.codes
    withdraw = next(form for form in read.forms if form.action.endswith("/withdraw"))
    foreign = visitor(tenancy).get("/profile").form("/logout").fields["csrf"]
    assert browser.send("POST", withdraw.action, {"csrf": foreign}).status_code == 400
    assert "allowed nothing" in browser.submit(withdraw).words
    assert browser.send("GET", f"/v1/grants/{grant_id}").status_code == 404


def test_one_grant_is_ended_and_others_cannot_end_it(tenancy: Tenancy, app: Application) -> None:
    """Whoever knew the id of a grant would sign out somebody else."""
    browser, who = Browser(tenancy.server), person(tenancy)
    browser.sign_in(who)
    grant_id, _ = granted(who, app)
    path = f"{APPLICATIONS}/grants/{grant_id}/end"
    other = visitor(tenancy)
    theirs = other.get("/profile").form("/logout").fields["csrf"]
    assert other.send("POST", path, {"csrf": theirs}).status_code == 404
    assert browser.send("GET", f"/v1/grants/{grant_id}").status_code == 200
    browser.submit(browser.get(APPLICATIONS).form(path))
    assert browser.send("GET", f"/v1/grants/{grant_id}").status_code == 404


def test_a_client_is_made_rotated_disabled_and_deleted(tenancy: Tenancy) -> None:
    """An admin would need the API, and a secret that is shown twice would be read twice."""
    browser = visitor(tenancy, "admin")
    form = browser.get(CLIENTS).form(CLIENTS)
    fields = {"name": HOSTILE[0], "grant:client_credentials": "on", "scope:read": "on"}
    form.fields = {name: value for name, value in form.fields.items() if not name.startswith("grant:")}
    read = browser.submit(form, **fields)
    assert read.status == 200, read.words
    assert_safe(read)
    secret = next(code for code in read.codes if code.startswith("bf_sec_"))
    client_id = next(code for code in read.codes if code.startswith("cli_"))
    path = f"{CLIENTS}/{client_id}"

    def works(secret: str) -> bool:
        pair = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        answer = tenancy.client().post(
            "/oauth/token",
            data={"grant_type": "client_credentials"},
            headers={"Authorization": f"Basic {pair}"},
        )
        return answer.status_code == 200

    assert works(secret)
    assert secret not in browser.get(path).answer.text
    assert secret in browser.submit(form, **fields).codes, "a form that is sent twice makes one"
    read = browser.submit(browser.get(path).form(f"{path}/secrets"), name="spring", overlap="0")
    other = next(code for code in read.codes if code.startswith("bf_sec_"))
    assert works(other)
    tenancy.server.clock.advance(1)
    assert not works(secret)
    browser.submit(browser.get(path).form(f"{path}/disable"))
    assert not works(other)
    browser.submit(browser.get(path).form(f"{path}/enable"))
    assert works(other)
    browser.submit(browser.get(path).form(f"{path}/delete"))
    assert not works(other)
    assert client_id not in browser.get(CLIENTS).codes


def test_what_a_client_may_not_be_is_told_in_the_form(tenancy: Tenancy) -> None:
    """What was typed would be lost, and the reason with it."""
    browser = visitor(tenancy, "admin")
    form = browser.get(CLIENTS).form(CLIENTS)
    for fields in ({"redirect_uris": "http://evil.example/x"}, {"method": "magic"}, {"name": ""}):
        read = browser.submit(form, **{"name": "Shop", "scope:read": "on", **fields})
        assert read.status == 400, fields
        assert_safe(read)
        assert 'role="alert"' in read.answer.text


def test_a_client_is_changed_where_it_is_seen(tenancy: Tenancy, app: Application) -> None:
    """An admin would delete a client to correct its redirect URI, and everybody's tokens with it."""
    browser = visitor(tenancy, "admin")
    page, path = f"{CLIENTS}/{app.id}", f"{CLIENTS}/{app.id}/change"
    read = browser.get(path)
    assert_safe(read)
    form = read.form(path)
    call = f"/v1/clients/{app.id}"
    before = tenancy.api.get(call).json()
    browser.submit(form)
    assert tenancy.api.get(call).json() == {
        **before,
        "updated_at": tenancy.api.get(call).json()["updated_at"],
    }
    uris = "https://app.example.com/callback https://other.example.com/cb"
    changed = browser.submit(
        form, name=HOSTILE[0], redirect_uris=uris, post_logout_redirect_uris="https://app.example.com/bye"
    )
    assert changed.status == 200, changed.words
    assert_safe(changed)
    after = tenancy.api.get(call).json()
    assert (after["name"], after["redirect_uris"]) == (HOSTILE[0], uris.split())
    assert after["post_logout_redirect_uris"] == ["https://app.example.com/bye"]
    assert after["token_endpoint_auth_method"] == before["token_endpoint_auth_method"]
    without = browser.get(path).form(path)
    for name in ("scope:write", "require_pkce"):
        del without.fields[name]
    browser.submit(without)
    after = tenancy.api.get(call).json()
    assert (after["scopes"], after["require_pkce"]) == (["read"], False)
    for fields in ({"redirect_uris": "http://evil.example/x"}, {"method": "magic"}, {"name": ""}):
        wrong = browser.submit(without, **fields)
        assert wrong.status == 400, fields
        assert_safe(wrong)
        assert 'role="alert"' in wrong.answer.text
    assert tenancy.api.get(call).json() == after
    assert page in browser.get(path).links
    assert visitor(tenancy).get(path).status == 403


def test_clients_are_for_admins_of_their_own_tenant(tenancy: Tenancy, app: Application) -> None:
    """Whoever is a member would make themselves an application with everybody's data."""
    assert visitor(tenancy).get(CLIENTS).status == 403
    stranger = visitor(tenancy_on(tenancy.server), "admin")
    assert stranger.get(f"{CLIENTS}/{app.id}").status == 404
