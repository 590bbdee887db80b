"""What people have let clients do: remembered whole, seen where it may be, and taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bonafides.delegation import AuthorizationCode
from bonafides.model import EVERYWHERE, Change, ChangeKind, CredentialKind, Page, to_micros
from bonafides.store.sql import SqlStore
from tests.store.databases import open_store, run_sql
from tests.store.delegated import add_client, consent
from tests.store.records import LATER, NOW, child, credential, event, secret, tenant, user

PAGE = Page(10)


@pytest.fixture
async def remembered(store: SqlStore) -> SqlStore:
    """A store with two clients, and a consent to one of them."""
    await add_client(store)
    await add_client(store, "cli_2")
    await store.give_consent(consent(), event("consent.given"))
    return store


async def test_a_consent_is_found_by_who_gave_it_to_whom(remembered: SqlStore) -> None:
    """A client would get what was given to another, or by somebody else."""
    assert await remembered.find_consent("usr_owner", "cli_1") == consent()
    assert await remembered.find_consent("usr_owner", "cli_2") is None
    assert await remembered.find_consent("usr_other", "cli_1") is None


async def test_a_second_consent_adds_to_the_first(remembered: SqlStore) -> None:
    """Whoever gives one more scope has not taken back the others, and there is one consent to withdraw."""
    later = NOW + timedelta(minutes=1)
    more = consent(
        "con_2",
        scopes=frozenset({"openid"}),
        resources=("https://api.example.com/", "urn:other"),
        created_at=later,
        updated_at=later,
    )
    whole = replace(
        consent(),
        scopes=frozenset({"read", "openid"}),
        resources=("https://api.example.com/", "urn:other"),
        updated_at=later,
    )
    assert await remembered.give_consent(more, event("consent.given")) == whole
    assert await remembered.find_consent("usr_owner", "cli_1") == whole
    seen = await remembered.list_consents("ten_a", PAGE)
    assert [(found.consent, found.client_name) for found in seen] == [(whole, "Application cli_1")]


async def test_of_consents_at_once_none_is_lost(opened: Callable[[], SqlStore], store: SqlStore) -> None:
    """Two tabs that allow different things have allowed both."""
    await add_client(store)
    names = [f"scope{number}" for number in range(6)]
    await asyncio.gather(
        *(
            opened().give_consent(consent(f"con_{name}", scopes=frozenset({name})), event("consent.given"))
            for name in names
        )
    )
    found = await store.find_consent("usr_owner", "cli_1")
    assert found is not None
    assert found.scopes == set(names)


async def test_consents_are_listed_by_user_by_client_and_within_the_tenant(remembered: SqlStore) -> None:
    """People see their own, admins their tenant's, and nobody another's."""
    await remembered.create_user(user("usr_b"), event("user.created"), claim=None)
    later = NOW + timedelta(seconds=1)
    other = consent("con_2", user_id="usr_b", client_id="cli_2", created_at=later)
    await remembered.give_consent(other, event("consent.given"))

    async def listed(**filters: str) -> list[str]:
        found = await remembered.list_consents("ten_a", PAGE, **filters)
        return [seen.consent.id for seen in found]

    assert await listed() == ["con_2", "con_1"]
    assert await listed(user_id="usr_b") == ["con_2"]
    assert await listed(client_id="cli_1") == ["con_1"]
    assert await listed(user_id="usr_b", client_id="cli_1") == []
    assert await remembered.list_consents("ten_b", PAGE) == []
    assert len(await remembered.list_consents(EVERYWHERE, Page(1))) == 1
    seen = await remembered.get_consent("con_2", "ten_a")
    assert seen is not None
    assert seen.consent == other
    assert await remembered.get_consent("con_2", "ten_b") is None


async def test_a_consent_is_withdrawn_once_and_within_the_tenant(remembered: SqlStore) -> None:
    """What is taken back is gone; who is elsewhere takes nothing back, and writes nothing."""
    await remembered.create_tenant(tenant("ten_b"), event("tenant.created"), claim=None)
    assert not await remembered.withdraw_consent("con_1", "ten_b", event("consent.withdrawn"))
    assert await remembered.withdraw_consent("con_1", "ten_a", event("consent.withdrawn"))
    assert not await remembered.withdraw_consent("con_1", "ten_a", event("consent.withdrawn"))
    assert await remembered.find_consent("usr_owner", "cli_1") is None
    events = await remembered.list_events("ten_a", Page(100))
    assert [found.action for found in events].count("consent.withdrawn") == 1


async def grant(
    url: str, identity: str, client_id: str = "cli_1", user_id: str = "usr_owner", seconds: int = 60
) -> None:
    """What a client got when somebody said yes, and one token of it."""
    store = open_store(url)
    root = credential(
        identity, kind=CredentialKind.OAUTH_ACCESS_TOKEN, user_id=user_id, expires_at=NOW + timedelta(days=9)
    )
    token = child(
        root, f"oat_{identity}", kind=root.kind, user_id=user_id, last_used_at=LATER, expires_at=LATER
    )
    for one in (root, token):
        await store.create_credential(one, secret(one), event("made"))
    await store.close()
    created, ends = to_micros(NOW + timedelta(seconds=seconds)), to_micros(NOW + timedelta(days=9))
    await run_sql(
        url,
        "INSERT INTO grants (id, tenant_id, user_id, client_id, scopes, resources, methods, claims, created_at, ends_at) "
        f"VALUES ('{identity}', 'ten_a', '{user_id}', '{client_id}', 'openid read', '', 'pwd', '{{}}', {created}, {ends})",
    )


@pytest.fixture
async def granted(remembered: SqlStore, url: str) -> SqlStore:
    """A store with two grants to one client, one to another, and one of another user."""
    await remembered.create_user(user("usr_b"), event("user.created"), claim=None)
    await grant(url, "grt_1", seconds=1)
    await grant(url, "grt_2", seconds=2)
    await grant(url, "grt_3", "cli_2", seconds=3)
    await grant(url, "grt_4", user_id="usr_b", seconds=4)
    return remembered


async def test_grants_are_listed_by_user_by_client_and_within_the_tenant(granted: SqlStore) -> None:
    """People see what they let clients do, admins what their tenant's people do, and nobody another's."""

    async def listed(at: datetime = NOW, **filters: str) -> list[str]:
        found = await granted.list_grants("ten_a", PAGE, at, **filters)
        return [seen.grant.id for seen in found]

    assert await listed() == ["grt_4", "grt_3", "grt_2", "grt_1"]
    assert await listed(user_id="usr_owner") == ["grt_3", "grt_2", "grt_1"]
    assert await listed(client_id="cli_1") == ["grt_4", "grt_2", "grt_1"]
    assert await listed(user_id="usr_b", client_id="cli_2") == []
    assert await listed(at=NOW + timedelta(days=9)) == []
    assert await granted.list_grants("ten_b", PAGE, NOW) == []
    seen = await granted.find_grant("grt_1", "ten_a", NOW)
    assert seen is not None
    assert (seen.client_name, seen.last_used_at) == ("Application cli_1", LATER)
    assert seen.grant.scopes == {"openid", "read"}
    assert await granted.find_grant("grt_1", "ten_b", NOW) is None


async def test_who_takes_a_consent_back_ends_what_came_of_it(granted: SqlStore, told: list[Change]) -> None:
    """Every token of that client and user ends, at once and in every process; those of others go on."""
    assert await granted.withdraw_consent("con_1", "ten_a", event("consent.withdrawn"))
    left = await granted.list_grants("ten_a", PAGE, NOW)
    assert [seen.grant.id for seen in left] == ["grt_4", "grt_3"]
    for identity, status in (("oat_grt_1", "revoked"), ("oat_grt_2", "revoked"), ("oat_grt_3", "active")):
        found = await granted.find_credential(identity, "ten_a")
        assert found is not None
        assert found.status == status
    assert {"grt_1", "oat_grt_1", "grt_2", "oat_grt_2"} <= {
        change.subject_id for change in told if change.kind is ChangeKind.CREDENTIAL
    }


async def test_a_code_is_kept_with_all_that_it_was_given_for(store: SqlStore, url: str) -> None:
    """What the client gets is decided by what is kept; the code itself is nowhere."""
    await add_client(store)
    code = AuthorizationCode(
        client_id="cli_1",
        tenant_id="ten_a",
        user_id="usr_owner",
        session_id="ses_1",
        redirect_uri="https://app.example.com/callback",
        redirect_uri_given=True,
        code_challenge="x" * 43,
        scopes=frozenset({"read"}),
        resources=("urn:a", "urn:b"),
        authenticated_at=NOW,
        methods=frozenset({"pwd"}),
        acr=None,
        nonce="n",
        claims={"userinfo": {"name": None}},
        jkt=None,
        created_at=NOW,
        expires_at=LATER,
    )
    await store.add_authorization_code(code, secret("code"), event("authorization.granted"))
    rows = await run_sql(
        url, "SELECT redirect_uri, scopes, resources, nonce, claims FROM authorization_codes"
    )
    assert rows == [(code.redirect_uri, "read", "urn:a urn:b", "n", '{"userinfo":{"name":null}}')]
