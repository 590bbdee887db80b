"""`/v1/consents` and `/v1/grants`: people see and end what they let clients do, and admins what their people do."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace

import pytest

from bonafides.audit import Recorder
from bonafides.credentials.holdings import blank_credential
from bonafides.model import Actor, CredentialKind, DigestedSecret, to_datetime, to_micros
from bonafides.secret import new_id
from tests.pages.browsing import Browser
from tests.pages.clients import Application, answered, application, consent_page
from tests.store.databases import run_sql
from tests.web.people import Person, person
from tests.web.tenancy import Tenancy, tenancy_on


@pytest.fixture(scope="module")
def app(tenancy: Tenancy) -> Application:
    """A client that people let in."""
    return application(tenancy)


@pytest.fixture
def member(tenancy: Tenancy) -> Person:
    """Somebody with a password; logins of before are not counted any more."""
    tenancy.server.clock.advance(1_000)
    return person(tenancy)


def agreed(who: Person, app: Application) -> Browser:
    """A browser in which somebody has let the client in."""
    browser = Browser(who.server)
    browser.sign_in(who)
    assert "code" in app.answer(answered(browser, consent_page(browser, app.path())))
    return browser


def granted(who: Person, app: Application) -> tuple[str, str]:
    """What the client got of it: a grant, and a token of it that is good."""
    server = who.server
    rooms, now_us = server.rooms, server.clock.now_us
    now, ends_us = to_datetime(now_us), now_us + 86_400_000_000
    kind, scopes = CredentialKind.OAUTH_ACCESS_TOKEN, frozenset({"read"})
    grant_id = new_id("grt", now_us, secrets.token_bytes)
    root = replace(
        blank_credential(kind, grant_id, who.tenant_id, who.id, "grant", scopes, now),
        expires_at=to_datetime(ends_us),
    )
    key = f"bf_oat_{secrets.token_hex(4)}"
    recorder = Recorder(rooms.clock, secrets.token_bytes)

    async def make() -> None:
        event = recorder.event("made", Actor(None, None, via="tests"), who.tenant_id, grant_id)
        secret = DigestedSecret(secrets.token_bytes(32), rooms.peppers.newest_id)
        await rooms.store.create_credential(root, secret, event)
        token = replace(root, id=new_id("oat", now_us, secrets.token_bytes), parent_id=grant_id)
        other = recorder.event("made", Actor(None, None, via="tests"), who.tenant_id, token.id)
        await rooms.store.create_credential(token, rooms.peppers.digested(key), other)
        await run_sql(
            server.settings.database_url,
            "INSERT INTO grants (id, tenant_id, user_id, client_id, scopes, resources, methods, claims, created_at, ends_at) "
            f"VALUES ('{grant_id}', '{who.tenant_id}', '{who.id}', '{app.id}', 'read', 'urn:a', 'pwd', '{{}}', "
            f"{to_micros(now)}, {ends_us})",
        )

    asyncio.run_coroutine_threadsafe(make(), server.loop).result(20)
    return grant_id, key


def test_people_see_and_take_back_what_they_allowed(app: Application, member: Person) -> None:
    """Who has let a client in finds it, ends it, and is asked anew."""
    browser = agreed(member, app)
    (consent,) = browser.send("GET", "/v1/consents").json()["data"]
    assert (consent["client_id"], consent["scopes"], consent["user_id"]) == (app.id, ["read"], member.id)
    shown = browser.send("GET", f"/v1/consents/{consent['id']}")
    assert shown.json() == consent
    assert "code" in app.answer(browser.send("GET", app.path()))
    assert browser.send("DELETE", f"/v1/consents/{consent['id']}").status_code == 204
    assert browser.send("GET", f"/v1/consents/{consent['id']}").status_code == 404
    assert browser.send("DELETE", f"/v1/consents/{consent['id']}").status_code == 404
    consent_page(browser, app.path())


def test_taking_a_consent_back_ends_its_tokens(app: Application, member: Person) -> None:
    """A client that was thrown out would go on with the token that it has."""
    browser = agreed(member, app)
    grants = [granted(member, app) for _ in range(2)]
    listed = browser.send("GET", f"/v1/grants?client_id={app.id}").json()["data"]
    assert {grant["id"] for grant in listed} == {grant_id for grant_id, _ in grants}
    assert listed[0]["resources"] == ["urn:a"]
    first = grants[0][0]
    assert browser.send("DELETE", f"/v1/grants/{first}").status_code == 204
    assert browser.send("GET", f"/v1/grants/{first}").status_code == 404
    assert browser.send("GET", f"/v1/grants/{grants[1][0]}").status_code == 200
    (consent,) = browser.send("GET", "/v1/consents").json()["data"]
    assert browser.send("DELETE", f"/v1/consents/{consent['id']}").status_code == 204
    assert browser.send("GET", "/v1/grants").json()["data"] == []


def test_nobody_sees_or_ends_what_others_allowed(tenancy: Tenancy, app: Application, member: Person) -> None:
    """Attack 47: neither another member, nor another tenant's admin; one's own admin may."""
    browser = agreed(member, app)
    grant_id, _ = granted(member, app)
    (consent,) = browser.send("GET", "/v1/consents").json()["data"]
    paths = (f"/v1/consents/{consent['id']}", f"/v1/grants/{grant_id}")
    other = Browser(tenancy.server)
    other.sign_in(person(tenancy))
    for path in paths:
        assert other.send("GET", path).status_code == 404
        assert other.send("DELETE", path).status_code == 404
        assert tenancy_on(tenancy.server).api.delete(path).status_code == 404
    for path in ("/v1/consents", "/v1/grants"):
        assert other.send("GET", path).json()["data"] == []
        assert other.send("GET", f"{path}?user_id={member.id}").status_code == 403
        found = tenancy.api.get(f"{path}?user_id={member.id}").json()["data"]
        assert [one["user_id"] for one in found] == [member.id]
        assert len(tenancy.api.get(f"{path}?client_id={app.id}").json()["data"]) >= 1
    for path in reversed(paths):
        assert tenancy.api.delete(path).status_code == 204


def test_an_admin_does_not_end_what_an_owner_allowed(
    tenancy: Tenancy, app: Application, member: Person
) -> None:
    """Rank holds here as for every other thing of a user."""
    assert member.id
    owner, admin = person(tenancy, "owner"), person(tenancy, "admin")
    browser = agreed(owner, app)
    (consent,) = browser.send("GET", f"/v1/consents?user_id={owner.id}").json()["data"]
    other = Browser(tenancy.server)
    other.sign_in(admin)
    assert other.send("GET", f"/v1/consents/{consent['id']}").status_code == 200
    assert other.send("DELETE", f"/v1/consents/{consent['id']}").status_code == 403
