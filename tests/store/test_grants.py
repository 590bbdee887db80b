"""What people let clients do, in the store: begun by a code once, renewed once, and gone with who gave it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bonafides.delegation import (
    AuthorizationCode,
    Grant,
    GrantRefreshToken,
    GrantRenewal,
    NewGrant,
)
from bonafides.model import (
    EVERYWHERE,
    Change,
    ChangeKind,
    CredentialKind,
    CredentialStatus,
    Role,
    Status,
    TenantChanges,
    UserChanges,
)
from bonafides.store.sql import SqlStore
from tests.store.databases import run_sql
from tests.store.records import LATER, NOW, credential, digest, event, secret, tenant, user
from tests.store.test_clients import begun

SOON = NOW + timedelta(seconds=60)
CODE = secret("code")


def code(**fields: Any) -> AuthorizationCode:
    """A code for the founding owner's client."""
    made = AuthorizationCode(
        client_id="cli_1",
        tenant_id="ten_a",
        user_id="usr_owner",
        session_id="ses_1",
        redirect_uri="https://a.example/cb",
        redirect_uri_given=True,
        code_challenge="challenge",
        scopes=frozenset({"read", "openid"}),
        resources=("https://b.example", "https://a.example"),
        authenticated_at=NOW,
        methods=frozenset({"pwd", "otp"}),
        acr="1",
        nonce="n",
        claims={"id_token": {"acr": None}},
        jkt="thumb",
        created_at=NOW,
        expires_at=SOON,
    )
    return replace(made, **fields)


def grant(identity: str = "grt_1", **fields: Any) -> Grant:
    """What the founding owner lets the client do."""
    made = Grant(
        id=identity,
        tenant_id="ten_a",
        user_id="usr_owner",
        client_id="cli_1",
        session_id=None,
        scopes=frozenset({"read"}),
        resources=(),
        authenticated_at=None,
        methods=frozenset(),
        acr=None,
        nonce=None,
        claims={},
        jkt=None,
        created_at=NOW,
        ends_at=LATER,
    )
    return replace(made, **fields)


def token(of: Grant, identity: str) -> Any:
    """An access token of a grant."""
    return credential(
        identity,
        kind=CredentialKind.OAUTH_ACCESS_TOKEN,
        tenant_id=of.tenant_id,
        user_id=of.user_id,
        parent_id=of.id,
        root_id=of.id,
        expires_at=LATER,
        allowed_ips=(),
        client_id=of.client_id,
    )


def refresh_token(name: str, of: Grant, **fields: Any) -> GrantRefreshToken:
    """A refresh token of a grant."""
    return replace(GrantRefreshToken(secret(name), of.id, NOW, LATER), **fields)


def new(of: Grant, **fields: Any) -> NewGrant:
    """All that begins with a grant."""
    own = credential(
        of.id,
        kind=CredentialKind.OAUTH_ACCESS_TOKEN,
        tenant_id=of.tenant_id,
        user_id=of.user_id,
        expires_at=of.ends_at,
        client_id=of.client_id,
    )
    made = NewGrant(
        of,
        own,
        secret(own),
        token(of, f"oat_{of.id}"),
        secret(f"oat_{of.id}"),
        refresh_token(f"first {of.id}", of),
    )
    return replace(made, **fields)


def renewal(of: Grant, spent: str, successor: str) -> GrantRenewal:
    """What takes the place of a refresh token."""
    return GrantRenewal(
        secret(spent).digest,
        refresh_token(successor, of),
        f"answer {successor}".encode(),
        token(of, f"oat_{successor}"),
        secret(f"oat_{successor}"),
    )


@pytest.fixture
async def granted(store: SqlStore) -> Grant:
    """Something that the founding owner let a client do."""
    await begun(store)
    await store.add_authorization_code(code(), CODE, event("client.authorized"))
    made = grant()
    assert await store.redeem_code(CODE.digest, new(made), event("grant.created"))
    return made


async def hold_back(store: SqlStore, who: str) -> None:
    """Let a user or their tenant be active no more."""
    if who == "user":
        await store.create_user(user("usr_second", role=Role.OWNER), event())
        await store.change_user("usr_owner", "ten_a", UserChanges(status=Status.DISABLED), event())
    else:
        await store.change_tenant("ten_b", TenantChanges(status=Status.DISABLED), event())


async def test_a_code_is_kept_whole(store: SqlStore) -> None:
    """A token would be for something else than the person has allowed."""
    await begun(store)
    assert await store.find_code([CODE.digest]) is None
    await store.add_authorization_code(code(), CODE, event("client.authorized"))
    found = await store.find_code([b"x" * 32, CODE.digest])
    assert found is not None
    assert (found.code, found.digest, found.grant_id, found.live) == (code(), CODE.digest, None, True)
    assert found.user == user()


async def test_a_code_begins_a_grant_whole(store: SqlStore, granted: Grant, told: list[Change]) -> None:
    """A grant without its credential could not be ended, and one without its tokens is of no use."""
    assert told[-2:] == [Change(ChangeKind.CREDENTIAL_CREATED, name) for name in ("grt_1", "oat_grt_1")]
    found = await store.find_code([CODE.digest])
    assert found is not None
    assert found.grant_id == "grt_1"
    seen = await store.find_grant("grt_1", "ten_a", NOW)
    assert seen is not None
    assert seen.grant == granted
    refreshable = await store.find_refreshable_grant([secret("first grt_1").digest])
    assert refreshable is not None
    assert (refreshable.grant, refreshable.user, refreshable.live) == (granted, user(), True)
    assert (refreshable.spent_at, refreshable.sealed_answer, refreshable.successor_spent) == (
        None,
        None,
        False,
    )
    assert await store.find_refreshable_grant([b"x" * 32]) is None
    usable = (await store.find_verifiable([digest("oat_grt_1")]))[digest("oat_grt_1")]
    assert usable.usable


async def test_a_code_is_spent_once(store: SqlStore) -> None:
    """ASVS 10.4.2: two who have the code would both get tokens."""
    await begun(store)
    await store.add_authorization_code(code(), CODE, event())
    outcomes = await asyncio.gather(
        *(
            store.redeem_code(CODE.digest, new(grant(f"grt_{number}"), refresh_token=None), event())
            for number in range(10)
        )
    )
    assert outcomes.count(True) == 1
    winner = f"grt_{outcomes.index(True)}"
    for number in range(10):
        found = await store.find_grant(f"grt_{number}", EVERYWHERE, NOW)
        assert (found is not None) == (f"grt_{number}" == winner)


async def test_a_code_that_has_ended_begins_nothing(store: SqlStore) -> None:
    """ASVS 10.4.3: its end would depend on a sweep."""
    await begun(store)
    await store.add_authorization_code(code(), CODE, event())
    assert not await store.redeem_code(CODE.digest, new(grant()), event(at=SOON))


@pytest.mark.parametrize("who", ["user", "tenant"])
async def test_a_grant_begins_by_itself_for_who_may_have_tokens(store: SqlStore, who: str) -> None:
    """Attack 6: an assertion would give tokens for somebody who may not log in any more."""
    await begun(store)
    owner = {"tenant_id": "ten_a", "user_id": "usr_owner"}
    if who == "tenant":
        await store.create_tenant(tenant("ten_b"), event())
        await store.create_user(user("usr_b", "ten_b"), event())
        owner = {"tenant_id": "ten_b", "user_id": "usr_b"}
    assert await store.begin_grant(new(grant(**owner)), event("grant.created"))
    found = await store.find_refreshable_grant([secret("first grt_1").digest])
    assert found is not None
    assert found.live
    await hold_back(store, who)
    assert not await store.begin_grant(new(grant("grt_2", **owner)), event())


@pytest.mark.parametrize("who", ["user", "tenant"])
async def test_nobody_gets_tokens_who_may_not_log_in(store: SqlStore, who: str) -> None:
    """Attack 6: a code that was under way would outlive the change that was to end it."""
    await begun(store)
    owner = {"tenant_id": "ten_a", "user_id": "usr_owner"}
    if who == "tenant":
        await store.create_tenant(tenant("ten_b"), event())
        await store.create_user(user("usr_b", "ten_b"), event())
        owner = {"tenant_id": "ten_b", "user_id": "usr_b"}
    await store.add_authorization_code(code(**owner), CODE, event())
    assert await store.redeem_code(CODE.digest, new(grant(**owner)), event())
    await store.add_authorization_code(code(**owner), secret("other"), event())
    await hold_back(store, who)
    found = await store.find_code([secret("other").digest])
    assert found is not None
    assert not found.live
    assert not await store.redeem_code(secret("other").digest, new(grant("grt_2", **owner)), event())
    refreshable = await store.find_refreshable_grant([secret("first grt_1").digest])
    assert refreshable is not None
    assert not refreshable.live
    assert not await store.renew_grant(renewal(grant(**owner), "first grt_1", "second"), event())


async def test_what_clients_may_do_ends_with_all_sessions_but_what_one_of_them_allowed(
    store: SqlStore, granted: Grant, told: list[Change]
) -> None:
    """ASVS 7.4.3: a stranger's application would stay when its owner puts the stranger out."""
    await store.add_authorization_code(code(session_id="ses_2"), secret("waiting"), event())
    await store.add_authorization_code(code(session_id="ses_2"), secret("of ses_2"), event())
    kept = grant("grt_2", session_id="ses_2")
    assert await store.redeem_code(secret("of ses_2").digest, new(kept), event())
    await store.add_authorization_code(code(), secret("other"), event())
    told.clear()
    assert await store.end_sessions("usr_owner", event(), reason="asked", kept="ses_2") == 0
    assert {change.subject_id for change in told} == {"grt_1", "oat_grt_1"}
    renewed = renewal(granted, "first grt_1", "second")
    assert not await store.renew_grant(renewed, event())
    assert not await store.redeem_code(secret("other").digest, new(grant("grt_3")), event())
    assert await store.renew_grant(renewal(kept, "first grt_2", "third"), event())
    told.clear()
    assert await store.end_sessions("usr_owner", event(), reason="asked") == 0
    assert {change.subject_id for change in told} == {"grt_2", "oat_grt_2", "oat_third"}
    assert not await store.redeem_code(secret("waiting").digest, new(grant("grt_4")), event())


async def test_a_refresh_token_is_spent_once(store: SqlStore, granted: Grant, told: list[Change]) -> None:
    """Attack 18: of two who refresh at once both would get tokens of their own."""
    told.clear()
    names = [f"second {number}" for number in range(10)]
    outcomes = await asyncio.gather(
        *(store.renew_grant(renewal(granted, "first grt_1", name), event(at=SOON)) for name in names)
    )
    assert outcomes.count(True) == 1
    winner = names[outcomes.index(True)]
    assert told == [Change(ChangeKind.CREDENTIAL_CREATED, f"oat_{winner}")]
    found = await store.find_refreshable_grant([secret("first grt_1").digest])
    assert found is not None
    assert (found.spent_at, found.sealed_answer) == (SOON, f"answer {winner}".encode())
    assert not found.successor_spent
    assert await store.renew_grant(renewal(granted, winner, "third"), event(at=SOON))
    found = await store.find_refreshable_grant([secret("first grt_1").digest])
    assert found is not None
    assert found.successor_spent


async def test_a_refresh_token_that_goes_on_is_given_a_later_end(store: SqlStore, granted: Grant) -> None:
    """FAPI 2.0 §5.3.2.1: clients that hold a key would lose what they may do when one answer is lost."""
    for name in ("second", "third"):
        longer = refresh_token("first grt_1", granted, expires_at=LATER + timedelta(seconds=9))
        goes_on = replace(renewal(granted, "first grt_1", name), refresh_token=longer, sealed_answer=None)
        assert await store.renew_grant(goes_on, event())
    found = await store.find_refreshable_grant([secret("first grt_1").digest])
    assert found is not None
    assert (found.spent_at, found.expires_at) == (None, LATER + timedelta(seconds=9))
    await store.set_credential_status("grt_1", "ten_a", CredentialStatus.REVOKED, event())
    fourth = replace(renewal(granted, "first grt_1", "fourth"), sealed_answer=None)
    assert not await store.renew_grant(fourth, event())


async def test_what_was_ended_is_not_renewed(store: SqlStore, granted: Grant) -> None:
    """Attack 19: a token that was taken would bring a grant back that was ended."""
    assert not await store.renew_grant(renewal(granted, "first grt_1", "second"), event(at=LATER))
    await store.set_credential_status("grt_1", "ten_a", CredentialStatus.REVOKED, event())
    assert not await store.renew_grant(renewal(granted, "first grt_1", "second"), event())
    usable = (await store.find_verifiable([digest("oat_grt_1")]))[digest("oat_grt_1")]
    assert not usable.usable


async def test_an_assertion_is_spent_once(store: SqlStore) -> None:
    """Attack 16: whoever saw one could use it too."""
    outcomes = await asyncio.gather(*(store.spend_assertion(b"a" * 32, SOON) for _ in range(10)))
    assert outcomes.count(True) == 1
    assert await store.spend_assertion(b"b" * 32, SOON)


async def test_what_decides_nothing_any_more_is_forgotten(store: SqlStore, granted: Grant, url: str) -> None:
    """The database would grow with every login; and a code is remembered as long as somebody may use it again."""
    assert await store.renew_grant(renewal(granted, "first grt_1", "second"), event())
    await store.spend_assertion(b"a" * 32, SOON)
    await store.prune_grants(SOON, grace_seconds=60)
    found = await store.find_refreshable_grant([secret("first grt_1").digest])
    assert found is not None
    assert found.sealed_answer is not None
    await store.prune_grants(SOON + timedelta(seconds=1), grace_seconds=60)
    found = await store.find_refreshable_grant([secret("first grt_1").digest])
    assert found is not None
    assert found.sealed_answer is None
    assert await store.spend_assertion(b"a" * 32, SOON)
    await store.prune_grants(LATER + timedelta(seconds=1), grace_seconds=60)
    assert await store.find_refreshable_grant([secret("second").digest]) is None
    assert await store.find_code([CODE.digest]) is not None
    await store.prune_grants(NOW + timedelta(days=2), grace_seconds=60)
    assert await store.find_code([CODE.digest]) is None
    await store.prune_tokens(LATER + timedelta(days=1), 100)
    await store.prune_tokens(LATER + timedelta(days=1), 100)
    assert await run_sql(url, "SELECT id FROM grants") == []
