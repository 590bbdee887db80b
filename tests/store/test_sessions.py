"""Sessions in the store: opened while they may be, refreshed once, and ended with all that came of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bonafides.model import (
    EVERYWHERE,
    Change,
    ChangeKind,
    CredentialKind,
    CredentialStatus,
    DigestedSecret,
    GuessLimit,
    OneTimePurpose,
    OneTimeSecret,
    Opening,
    Page,
    RefreshToken,
    Renewal,
    Session,
    Status,
    TenantChanges,
    UserChanges,
)
from bonafides.store import Clash, directory
from bonafides.store.guesses import NEVER_SECONDS
from bonafides.store.sql import SqlStore
from tests.store.databases import run_sql
from tests.store.records import LATER, NOW, credential, event, secret, tenant, user

PAGE = Page(10)
HASH = "$argon2id$…"
"""What the founding owner's password was hashed to."""


def session(identity: str = "ses_1", **fields: Any) -> Session:
    """A login of the founding owner."""
    made = Session(
        identity, "ten_a", "usr_owner", "a browser", "192.0.2.1", frozenset({"pwd"}), NOW, NOW, NOW, LATER
    )
    return replace(made, **fields)


def token(identity: str, of: Session, **fields: Any) -> Any:
    """A signed token of a session."""
    return credential(
        identity,
        kind=CredentialKind.JWT_SESSION,
        tenant_id=of.tenant_id,
        user_id=of.user_id,
        parent_id=of.id,
        root_id=of.id,
        expires_at=LATER,
        **fields,
    )


def refresh_token(name: str, of: Session, expires_at: datetime = LATER) -> RefreshToken:
    """A refresh token of a session."""
    return RefreshToken(secret(name), of.id, NOW, expires_at)


def opening(of: Session, **fields: Any) -> Opening:
    """All that begins with a session."""
    own = credential(
        of.id,
        kind=CredentialKind.JWT_SESSION,
        tenant_id=of.tenant_id,
        user_id=of.user_id,
        expires_at=of.ends_at,
    )
    made = Opening(
        of,
        own,
        secret(own),
        token(f"jwt_{of.id}", of),
        secret(f"jwt_{of.id}"),
        refresh_token(f"first {of.id}", of),
        HASH,
        "here",
        ("account",),
    )
    return replace(made, **fields)


def renewal(of: Session, spent: str, successor: str) -> Renewal:
    """What takes the place of a refresh token."""
    return Renewal(
        secret(spent).digest,
        refresh_token(successor, of),
        f"answer {successor}".encode(),
        token(f"jwt_{successor}", of),
        secret(f"jwt_{successor}"),
    )


async def status_of(store: SqlStore, identity: str) -> CredentialStatus:
    """Of a credential."""
    found = await store.find_credential(identity, EVERYWHERE)
    assert found is not None
    return found.status


async def test_a_session_is_opened_whole(store: SqlStore, told: list[Change]) -> None:
    """A session without its tokens is one that nobody can use or end."""
    made = session()
    assert await store.open_session(opening(made), event("session.opened"))
    assert told == [Change(ChangeKind.CREDENTIAL_CREATED, name) for name in ("ses_1", "jwt_ses_1")]
    found = await store.find_refreshable([b"x" * 32, secret("first ses_1").digest])
    assert found is not None
    assert (found.session, found.user, found.live) == (made, user(), True)
    assert (found.spent_at, found.sealed_answer, found.successor_spent) == (None, None, False)
    assert await store.find_refreshable([b"x" * 32]) is None
    live = await store.find_session("ses_1", "ten_a", NOW)
    assert live is not None
    assert (live.session, live.last_used_at) == (made, None)
    assert await store.find_session("ses_1", "ten_b", NOW) is None
    assert await store.knows_place("usr_owner", "here")
    assert not await store.knows_place("usr_owner", "there")
    assert not await store.knows_place("usr_other", "here")
    assert await store.knows_places("usr_owner")
    assert not await store.knows_places("usr_other")
    assert await store.open_session(opening(session("ses_2")), event())


@pytest.mark.parametrize("obstacle", ["password", "user", "tenant", "nobody"])
async def test_what_no_longer_holds_opens_nothing(store: SqlStore, obstacle: str) -> None:
    """A login that was under way would outlive the change that was to end it."""
    made = opening(session())
    if obstacle == "password":
        made = replace(made, password_hash="$argon2id$another")
    elif obstacle == "user":
        await store.create_user(user("usr_second"), event())
        await store.change_user("usr_owner", "ten_a", UserChanges(status=Status.DISABLED), event())
    elif obstacle == "tenant":
        await store.create_tenant(tenant("ten_b"), event())
        await store.create_user(user("usr_b", "ten_b"), event())
        await store.change_tenant("ten_b", TenantChanges(status=Status.DISABLED), event())
        made = opening(session(user_id="usr_b", tenant_id="ten_b"), password_hash=None)
    else:
        made = opening(session(user_id="usr_nobody"))
    assert not await store.open_session(made, event())
    assert await store.find_credential("ses_1", EVERYWHERE) is None


async def test_of_many_refreshes_at_once_one_is_carried_out(
    opened: Callable[[], SqlStore], store: SqlStore
) -> None:
    """Attack 18: each of them would leave a token that lives on beside the others."""
    made = session()
    await store.open_session(opening(made), event())
    stores = [store, *(opened() for _ in range(4))]
    wins = await asyncio.gather(
        *(
            stores[number % 5].refresh(
                renewal(made, "first ses_1", f"next {number}"), event("session.refreshed")
            )
            for number in range(20)
        )
    )
    assert sum(wins) == 1
    number = wins.index(True)
    spent = await store.find_refreshable([secret("first ses_1").digest])
    assert spent is not None
    assert (spent.spent_at, spent.sealed_answer) == (NOW, f"answer next {number}".encode())
    assert not spent.successor_spent
    rows = await store.find_verifiable([secret(f"jwt_next {each}").digest for each in range(20)])
    assert [row.id for row in rows.values()] == [f"jwt_next {number}"]
    assert await store.refresh(renewal(made, f"next {number}", "third"), event())
    spent = await store.find_refreshable([secret("first ses_1").digest])
    assert spent is not None
    assert spent.successor_spent


async def test_what_has_ended_is_not_refreshed(store: SqlStore) -> None:
    """A session that was ended would go on by its refresh token."""
    made = session()
    await store.open_session(opening(made), event())
    assert not await store.refresh(renewal(made, "first ses_1", "late"), event(at=LATER))
    await store.set_credential_status("ses_1", "ten_a", CredentialStatus.REVOKED, event())
    assert not await store.refresh(renewal(made, "first ses_1", "next"), event())
    found = await store.find_refreshable([secret("first ses_1").digest])
    assert found is not None
    assert not found.live
    assert await store.find_session("ses_1", "ten_a", NOW) is None


async def test_sessions_are_listed_while_they_last(store: SqlStore) -> None:
    """ASVS 7.5.2: nobody would see who else is in."""
    await store.create_user(user("usr_second"), event())
    for number, whose in enumerate(("usr_owner", "usr_owner", "usr_second"), 1):
        at = NOW + timedelta(seconds=number)
        made = session(f"ses_{number}", user_id=whose, created_at=at, seen_at=at)
        await store.open_session(opening(made, password_hash=None), event())
    await store.record_use({"jwt_ses_2": LATER}, {})
    listed = await store.list_sessions("ten_a", PAGE, NOW)
    assert [each.session.id for each in listed] == ["ses_3", "ses_2", "ses_1"]
    assert [each.last_used_at for each in listed] == [None, LATER, None]
    own = await store.list_sessions("ten_a", PAGE, NOW, user_id="usr_owner")
    assert [each.session.id for each in own] == ["ses_2", "ses_1"]
    assert await store.list_sessions("ten_b", PAGE, NOW) == []
    assert len(await store.list_sessions(EVERYWHERE, Page(1), NOW)) == 1
    assert await store.list_sessions("ten_a", PAGE, LATER) == []


async def test_all_sessions_of_a_user_end_but_one(store: SqlStore, told: list[Change]) -> None:
    """ASVS 7.4.3: a stolen session would stay while its owner ends the others."""
    await store.create_user(user("usr_second"), event())
    for number, whose in enumerate(("usr_owner", "usr_owner", "usr_second"), 1):
        made = session(f"ses_{number}", user_id=whose)
        await store.open_session(opening(made, password_hash=None), event())
    told.clear()
    assert await store.end_sessions("usr_owner", event(), reason="asked", kept="ses_2") == 1
    assert {change.subject_id for change in told} == {"ses_1", "jwt_ses_1"}
    assert await status_of(store, "jwt_ses_1") is CredentialStatus.REVOKED
    for kept in ("ses_2", "jwt_ses_2", "ses_3", "key_first"):
        assert await status_of(store, kept) is CredentialStatus.ACTIVE
    told.clear()
    assert await store.end_sessions("usr_owner", event(), reason="asked", kept="ses_2") == 0
    assert told == []
    assert await store.end_sessions("usr_owner", event(), reason="asked") == 1


async def test_a_disabled_users_sessions_end_and_their_keys_wait(store: SqlStore) -> None:
    """ASVS 7.4.2: enabled again, they would find a stranger in the old session."""
    await store.create_user(user("usr_second"), event())
    await store.open_session(opening(session()), event())
    await store.change_user("usr_owner", "ten_a", UserChanges(status=Status.DISABLED), event())
    assert await status_of(store, "ses_1") is await status_of(store, "jwt_ses_1") is CredentialStatus.REVOKED
    assert await status_of(store, "key_first") is CredentialStatus.ACTIVE


async def test_what_decides_nothing_any_more_is_forgotten(store: SqlStore, url: str) -> None:
    """Tables would grow with each login, for ever, and hold what nobody may read any more."""
    made = session()
    await store.open_session(opening(made), event())
    await store.refresh(renewal(made, "first ses_1", "next"), event())
    await store.count_guess([GuessLimit("old", 5, 60)], NOW)
    await store.prune_logins(NOW + timedelta(seconds=10), grace_seconds=10, idle_seconds=3_600)
    found = await store.find_refreshable([secret("first ses_1").digest])
    assert found is not None
    assert found.sealed_answer is not None
    await store.prune_logins(NOW + timedelta(seconds=11), grace_seconds=10, idle_seconds=3_600)
    found = await store.find_refreshable([secret("first ses_1").digest])
    assert found is not None
    assert found.sealed_answer is None
    await store.prune_logins(LATER + timedelta(hours=2), grace_seconds=10, idle_seconds=3_600)
    assert await store.find_refreshable([secret("first ses_1").digest]) is None
    assert not await store.knows_place("usr_owner", "here")
    assert await run_sql(url, "SELECT subject FROM guesses") == []


# Guesses

ONE = GuessLimit("one", 3, 60, most=6)
FORGETFUL = GuessLimit("forgetful", 1, 8, forgotten_seconds=100)


async def guess(store: SqlStore, *limits: GuessLimit, after: float = 0) -> int:
    """Guess wrong, so many seconds after the beginning."""
    return await store.count_guess(limits, NOW + timedelta(seconds=after))


async def test_wrong_guesses_wait_longer_each_time(store: SqlStore) -> None:
    """ASVS 6.3.1: whoever may try without end will find it."""
    waits: list[int] = []
    now = 0.0
    for _ in range(6):
        assert await guess(store, ONE, after=now) == 0
        wait = await guess(store, ONE, after=now) if len(waits) > 1 else 0
        waits.append(wait)
        now += wait
        if len(waits) == 2:
            now += 0.5
    assert waits[2:] == [1, 2, 4, NEVER_SECONDS]
    assert await guess(store, ONE, after=10_000_000) == NEVER_SECONDS
    assert await guess(store, replace(ONE, most=None), after=10_000_000) == 0


async def test_a_count_that_is_old_begins_anew(store: SqlStore) -> None:
    """An office behind one address would add up the slips of years."""
    for _ in range(2):
        await guess(store, FORGETFUL)
    assert await guess(store, FORGETFUL, after=0.5) == 1
    assert await guess(store, FORGETFUL, after=100) == 0
    assert await guess(store, FORGETFUL, after=100) == 1


async def test_what_one_of_two_subjects_refuses_counts_for_neither(store: SqlStore) -> None:
    """Somebody who is refused for their address would use up what the account may guess."""
    await guess(store, FORGETFUL)
    assert await guess(store, FORGETFUL, ONE) == 1
    for _ in range(3):
        assert await guess(store, ONE) == 0
    assert await guess(store, ONE) == 1


async def test_being_right_begins_anew(store: SqlStore) -> None:
    """Slips of months would add up until the owner is locked out."""
    account = GuessLimit("account", 1, 60)
    await guess(store, account)
    assert await guess(store, account) == 1
    await store.open_session(opening(session()), event())
    assert await guess(store, account) == 0


async def test_guesses_at_once_count_as_those_one_after_another(
    opened: Callable[[], SqlStore], store: SqlStore
) -> None:
    """ASVS 2.3.4: a hundred guesses in one moment would be one."""
    stores = [store, *(opened() for _ in range(4))]
    waits = await asyncio.gather(
        *(stores[number % 5].count_guess([ONE, FORGETFUL], NOW) for number in range(20))
    )
    assert waits.count(0) == 1


# Accounts


async def test_an_account_is_found_by_address_where_it_may_log_in(store: SqlStore) -> None:
    """One address in several tenants would open whichever comes first."""
    owner = await store.find_account("usr_owner@example.com", None)
    assert owner is not None
    assert (owner.user, owner.password_hash, owner.tenant_active, owner.totp) == (user(), HASH, True, False)
    assert await store.find_account("nobody@example.com", None) is None
    await store.create_tenant(tenant("ten_b"), event())
    namesake = user("usr_b", "ten_b", email="USR_OWNER@example.com", created_at=NOW - timedelta(days=1))
    await store.create_user(namesake, event())
    found = await store.find_account("usr_owner@example.com", None)
    assert found is not None
    assert found.user.id == "usr_owner"
    there = await store.find_account("usr_owner@example.com", "ten_b")
    assert there is not None
    assert (there.user.id, there.password_hash) == ("usr_b", None)
    assert [each.user.id for each in await store.find_accounts("usr_owner@example.com")] == [
        "usr_b",
        "usr_owner",
    ]
    await store.change_tenant("ten_b", TenantChanges(status=Status.DISABLED), event())
    assert [each.user.id for each in await store.find_accounts("usr_owner@example.com")] == ["usr_owner"]
    same = await store.find_account_of("usr_b", "ten_b")
    assert same is not None
    assert not same.tenant_active
    assert await store.find_account_of("usr_b", "ten_a") is None


async def test_another_password_ends_what_the_old_one_began(store: SqlStore, told: list[Change]) -> None:
    """ASVS 7.4.3: whoever knew the old password would stay in."""
    for number in (1, 2):
        await store.open_session(opening(session(f"ses_{number}")), event())
    told.clear()
    wish: dict[str, Any] = {"kept_session": "ses_2", "end_others": True}
    assert await store.set_password("usr_owner", "new", event(), replaced="another", **wish) is None
    assert told == []
    assert await store.set_password("usr_owner", "new", event(), replaced=HASH, **wish) == 1
    assert Change(ChangeKind.USER, "usr_owner") in told
    assert await status_of(store, "ses_1") is CredentialStatus.REVOKED
    assert await status_of(store, "ses_2") is CredentialStatus.ACTIVE
    assert (
        await store.set_password(
            "usr_owner", "third", event(), replaced=None, kept_session=None, end_others=False
        )
        == 0
    )
    assert await status_of(store, "ses_2") is CredentialStatus.ACTIVE


def one_time(
    identity: str, purpose: OneTimePurpose = OneTimePurpose.PASSWORD_RESET, **fields: Any
) -> OneTimeSecret:
    """A secret that was sent to the founding owner."""
    made = OneTimeSecret(identity, purpose, "ten_a", "usr_owner", "usr_owner@example.com", None, NOW, LATER)
    return replace(made, **fields)


async def found(store: SqlStore, identity: str, at: datetime = NOW) -> OneTimeSecret | None:
    """A reset that still serves."""
    digests = [secret(identity).digest]
    return await store.find_one_time_secret(digests, OneTimePurpose.PASSWORD_RESET, at)


async def redeemed(store: SqlStore, identity: str, password_hash: str = "new") -> bool:
    """Whether a reset gave its user another password."""
    return await store.redeem_for_password(
        identity, OneTimePurpose.PASSWORD_RESET, password_hash, event("user.password_reset")
    )


async def test_a_secret_that_serves_once_serves_once(opened: Callable[[], SqlStore], store: SqlStore) -> None:
    """ASVS 6.5.1: of a mail that was forwarded, two people would choose the password."""
    await store.open_session(opening(session()), event())
    made = one_time("rst_1")
    await store.create_one_time_secret(made, secret("rst_1"), event())
    assert await found(store, "rst_1") == made
    assert await store.find_one_time_secret([secret("rst_1").digest], OneTimePurpose.INVITATION, NOW) is None
    assert await found(store, "rst_1", LATER) is None
    stores = [store, opened(), opened()]
    wins = await asyncio.gather(*(redeemed(each, "rst_1", f"new {n}") for n, each in enumerate(stores)))
    assert sum(wins) == 1
    account = await store.find_account("usr_owner@example.com", None)
    assert account is not None
    assert account.password_hash == f"new {wins.index(True)}"
    assert await status_of(store, "ses_1") is CredentialStatus.REVOKED
    assert await found(store, "rst_1") is None
    assert not await redeemed(store, "rst_nobodys")


async def set_up(store: SqlStore, email: str = "ada@example.org") -> bool | Clash:
    """What came of an invitation that was spent on an address, a name and a password."""
    changes = UserChanges(name="Ada", email=email)
    return await store.redeem_for_set_up("inv_1", changes, "new", event("tenant.set_up"), event())


async def owner(store: SqlStore) -> tuple[str | None, str, str | None]:
    """Address, name and password of the founding owner."""
    account = await store.find_account_of("usr_owner", "ten_a")
    assert account is not None
    return account.user.email, account.user.name, account.password_hash


async def test_an_installation_is_handed_over_whole(
    opened: Callable[[], SqlStore], store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who set up a server that was killed meanwhile would have a password for somebody else's address."""
    before = await owner(store)
    assert not await set_up(store)
    made = one_time("inv_1", OneTimePurpose.INVITATION)
    await store.create_one_time_secret(made, secret("inv_1"), event())
    await store.create_user(user("usr_b", "ten_a"), event())
    assert await set_up(store, "USR_b@example.com") == Clash("email")
    with monkeypatch.context() as patch:
        patch.setattr(directory, "change_user", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            await set_up(store)
    assert await owner(store) == before
    outcomes = await asyncio.gather(*(set_up(each) for each in (store, opened(), opened())))
    assert sorted(map(str, outcomes)) == ["False", "False", "True"]
    assert await owner(store) == ("ada@example.org", "Ada", "new")


async def test_the_newest_secret_is_the_only_one(store: SqlStore) -> None:
    """Each mail of a flood would go on serving."""
    for identity in ("rst_1", "rst_2"):
        await store.create_one_time_secret(one_time(identity), secret(identity), None)
    other = one_time("inv_1", OneTimePurpose.INVITATION)
    await store.create_one_time_secret(other, secret("inv_1"), None)
    assert await found(store, "rst_1") is None
    assert await found(store, "rst_2") is not None


@pytest.mark.parametrize("obstacle", ["address", "disabled", "tenant", "password"])
async def test_a_secret_is_void_once_its_reason_is(store: SqlStore, obstacle: str) -> None:
    """Attack 44: who has lost an address, or the account, would choose its password."""
    await store.create_tenant(tenant("ten_b"), event())
    await store.create_user(user("usr_b", "ten_b"), event())
    await store.create_user(user("usr_c", "ten_b"), event())
    made = one_time("rst_1", tenant_id="ten_b", user_id="usr_b", email_folded="usr_b@example.com")
    await store.create_one_time_secret(made, secret("rst_1"), event())
    assert await found(store, "rst_1") is not None
    if obstacle == "address":
        await store.change_user("usr_b", "ten_b", UserChanges(email="other@example.com"), event())
    elif obstacle == "disabled":
        await store.change_user("usr_b", "ten_b", UserChanges(status=Status.DISABLED), event())
    elif obstacle == "tenant":
        await store.change_tenant("ten_b", TenantChanges(status=Status.DISABLED), event())
    else:
        await store.set_password("usr_b", "x", event(), replaced=None, kept_session=None, end_others=True)
    assert await found(store, "rst_1") is None
    assert not await redeemed(store, "rst_1")
    assert isinstance(secret("rst_1"), DigestedSecret)
