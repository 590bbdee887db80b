"""Passkeys in the store: taken into use once, spent with what they open, never gone around, and suspected for good."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bonafides.model import CredentialStatus, FactorKind, Factors, OneTimePurpose, Proof
from bonafides.passkey import AddedPasskey, Challenge, Passkey, PasskeyUse
from bonafides.store.sql import SqlStore
from tests.store.records import LATER, NOW, event, secret, user
from tests.store.test_factors import CODES, account, begun, confirmed, used
from tests.store.test_sessions import opening, session, status_of

PHONE = Passkey(
    "psk_1",
    "usr_owner",
    b"\x00phone\xff",
    b"cose",
    4,
    ("hybrid", "internal"),
    "00010203-0405-0607-0809-0a0b0c0d0e0f",
    "Phone",
    backup_eligible=True,
    backed_up=False,
    created_at=NOW,
)
KEY = replace(
    PHONE, id="psk_2", credential_id=b"key", name="Key", backup_eligible=False, created_at=NOW + timedelta(1)
)
WISH: dict[str, Any] = {"kept_session": None, "end_others": False}


def challenge(number: int) -> Challenge:
    """Something to sign."""
    return Challenge(bytes([number]) * 32, LATER)


async def added(store: SqlStore, passkey: Passkey = PHONE, number: int = 200, **wish: Any) -> Any:
    """Take a passkey into use."""
    return await store.add_passkey(passkey, challenge(number), CODES, event(), **{**WISH, **wish})


def proof(number: int, sign_count: int = 5, step_id: str | None = None, **fields: Any) -> Proof:
    """The phone was at hand."""
    use = PasskeyUse("psk_1", sign_count, backed_up=True, challenge=challenge(number))
    return Proof(FactorKind.PASSKEY, step_id, passkey=replace(use, **fields))


async def test_a_passkey_is_kept_whole_and_the_first_brings_codes(store: SqlStore) -> None:
    """A key that is not the one that was registered verifies nothing; one without codes locks its owner out."""
    assert await store.find_passkey(PHONE.credential_id) is None
    assert await added(store) == AddedPasskey(codes_given=True, ended_sessions=0)
    assert await store.find_passkey(PHONE.credential_id) == PHONE
    assert await store.find_factors("usr_owner") == Factors(None, 2, (PHONE,))
    assert (await account(store)).factors == (FactorKind.PASSKEY, FactorKind.RECOVERY_CODE)
    assert await added(store, KEY, 201) == AddedPasskey(codes_given=False, ended_sessions=0)
    assert (await store.find_factors("usr_owner")).passkeys == (PHONE, KEY)
    await confirmed(store)
    assert (await account(store)).factors == (
        FactorKind.TOTP,
        FactorKind.PASSKEY,
        FactorKind.RECOVERY_CODE,
    )
    assert await store.replace_recovery_codes("usr_owner", CODES[:1], event())


async def test_a_passkey_is_somebodys_once(store: SqlStore, opened: Callable[[], SqlStore]) -> None:
    """Web Authentication Level 3 §7.1: whoever registers another's key again would be signed in as they are."""
    outcomes = await asyncio.gather(*(added(opened(), number=200) for _ in range(4)))
    assert sum(each is not None for each in outcomes) == 1
    await store.create_user(user("usr_second"), event())
    theirs = replace(PHONE, id="psk_9", user_id="usr_second")
    assert await added(store, theirs, 201) is None
    assert (await store.find_factors("usr_second")).passkeys == ()
    assert (await store.find_factors("usr_second")).recovery_codes == 0
    assert await added(store, replace(KEY), 200) is None, "a challenge serves once"


async def test_a_passkey_ends_what_is_half_done_and_other_sessions(store: SqlStore) -> None:
    """ASVS 7.4.3: a thief's session would go on beside the new key."""
    for number in (1, 2):
        await store.open_session(opening(session(f"ses_{number}")), event())
    await begun(store, "mfa_1")
    assert await added(store, kept_session="ses_2", end_others=True) == AddedPasskey(
        codes_given=True, ended_sessions=1
    )
    assert await status_of(store, "ses_1") is CredentialStatus.REVOKED
    assert await status_of(store, "ses_2") is CredentialStatus.ACTIVE
    digests = [secret("mfa_1").digest]
    assert await store.find_one_time_secret(digests, OneTimePurpose.LOGIN, NOW) is None


async def test_who_has_a_passkey_opens_no_session_without_it(store: SqlStore) -> None:
    """Attack 42: a password that was read over a shoulder would open the account; so would an answer that was seen."""
    await added(store)
    assert not await store.open_session(opening(session()), event())
    assert not await store.open_session(opening(session(), password_hash=None), event())
    assert await store.open_session(opening(session(), password_hash=None, proof=proof(1)), event(at=LATER))
    found = await store.find_passkey(PHONE.credential_id)
    assert found == replace(PHONE, sign_count=5, backed_up=True, last_used_at=LATER)
    wrong = (
        proof(1, 6),
        proof(2, 5),
        proof(3, 0),
        proof(4, 6, passkey_id="psk_nobodys"),
    )
    for each in wrong:
        assert not await store.open_session(opening(session("ses_2"), proof=each), event())
    await store.create_user(user("usr_second"), event())
    theirs = session("ses_3", user_id="usr_second")
    assert not await store.open_session(opening(theirs, password_hash=None, proof=proof(5, 7)), event())
    await begun(store, "mfa_1")
    assert not await store.open_session(opening(session("ses_4"), proof=proof(6, 7, "mfa_x")), event())
    assert await store.open_session(opening(session("ses_4"), proof=proof(6, 7, "mfa_1")), event())
    assert not await store.open_session(opening(session("ses_5"), proof=proof(7, 8, "mfa_1")), event())


async def test_a_passkey_that_does_not_count_is_spent_by_its_challenge(
    store: SqlStore, opened: Callable[[], SqlStore]
) -> None:
    """Those that sync always say 0: of many who send one answer, each would be let in."""
    await added(store, replace(PHONE, sign_count=0))
    wins = await asyncio.gather(
        *(
            opened().open_session(opening(session(f"ses_{number}"), proof=proof(1, 0)), event())
            for number in range(5)
        )
    )
    assert sum(wins) == 1
    assert await store.open_session(opening(session("ses_9"), proof=proof(2, 0)), event())


async def test_a_suspected_passkey_opens_nothing_and_is_not_gone_around(store: SqlStore) -> None:
    """Web Authentication Level 3 §6.1.1: its copy would go on; without it the password would be enough."""
    await added(store)
    assert not await store.suspect_passkey("psk_1", challenge(200), event()), "only sent again"
    assert await store.suspect_passkey("psk_1", challenge(1), event("user.passkey_suspected"))
    assert not await store.suspect_passkey("psk_1", challenge(2), event())
    found = await store.find_passkey(PHONE.credential_id)
    assert found is not None
    assert found.suspected_at == NOW
    assert not await store.open_session(opening(session(), proof=proof(3, 9)), event())
    assert not await store.open_session(opening(session()), event())


async def test_a_passkey_is_renamed_and_removed_by_its_owner(store: SqlStore) -> None:
    """Attack 1: a stranger would take it away, and the password would be enough."""
    await added(store)
    await confirmed(store)
    await store.create_user(user("usr_second"), event())
    assert await store.rename_passkey("usr_second", "psk_1", "mine", event()) is None
    renamed = await store.rename_passkey("usr_owner", "psk_1", "Old phone", event())
    assert renamed == replace(PHONE, name="Old phone")
    assert await store.remove_passkey("usr_second", "psk_1", event(), **WISH) is None
    assert await store.remove_totp("usr_second", event(), **WISH) is None
    assert await store.remove_passkey("usr_owner", "psk_1", event(), **WISH) == 0
    assert await store.find_factors("usr_owner") == Factors(used(1), 2)
    assert await store.remove_totp("usr_owner", event(), **WISH) == 0
    assert await store.find_factors("usr_owner") == Factors(None, 0)


@pytest.mark.parametrize("last", ["app", "passkey"])
async def test_codes_go_with_the_last_factor_and_a_reset_takes_all(store: SqlStore, last: str) -> None:
    """Codes without a factor would be a way in of their own."""
    await added(store)
    await confirmed(store)
    if last == "app":
        await store.remove_passkey("usr_owner", "psk_1", event(), **WISH)
    else:
        await store.remove_totp("usr_owner", event(), **WISH)
    assert (await store.find_factors("usr_owner")).recovery_codes == 2
    assert await store.remove_factors("usr_owner", event(), **WISH) == 0
    assert await store.find_factors("usr_owner") == Factors(None, 0)
