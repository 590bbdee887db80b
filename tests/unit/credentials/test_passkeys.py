"""Passkeys as the rooms see them: registered by who has logged in, judged, and asked for anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bonafides.authority import Authority
from bonafides.credentials.ceremonies import RelyingParty
from bonafides.credentials.passkeys import CHALLENGE_SECONDS, MOST, NewPasskey
from bonafides.credentials.second_steps import SecondStep
from bonafides.errors import Conflict, Forbidden, InvalidCredentials, InvalidRequest, NotFound, ProofNeeded
from bonafides.model import Credential, FactorKind
from tests.authenticator import PRESENT, VERIFIED, Authenticator
from tests.unit.conftest import House
from tests.unit.credentials.test_factors import enrolled
from tests.unit.credentials.test_jwt_sessions import HOME, OWNER, caller, logged_in


def device(house: House, **fields: Any) -> Authenticator:
    """A phone that shows a page of the server."""
    party = house.rooms.passkeys._party
    assert isinstance(party, RelyingParty)
    return Authenticator(party.origin, **fields)


async def added(house: House, me: Authority, key: Authenticator, **wish: Any) -> NewPasskey:
    """Register a passkey."""
    own = await house.rooms.sessions.own_session(me)
    answer = key.create(await house.rooms.passkeys.begin(me, own_session=own))
    wish = {"name": None, "end_others": False, **wish}
    return await house.rooms.passkeys.add(me, answer, own_session=own, **wish)


async def step(house: House) -> SecondStep:
    """The founder's first step."""
    begun = await house.rooms.sessions.login(OWNER, house.founded.password, HOME)
    assert isinstance(begun, SecondStep)
    return begun


async def test_a_passkey_opens_a_session_alone_and_beside_a_password(house: House) -> None:
    """A passkey would be of no use, or a password would still be enough."""
    me, key = await caller(house, await logged_in(house)), device(house)
    made = await added(house, me, key)
    assert made.recovery_codes[0] not in repr(made)
    assert made.passkey.name == "Passkey"
    logins = house.rooms.passkey_logins
    assert logins.origin == key.origin
    assert await logins.login(key.get(logins.options()), HOME) is not None
    begun = await step(house)
    assert begun.factors == (FactorKind.PASSKEY, FactorKind.RECOVERY_CODE)
    answer = key.get(await logins.step_options(begun.mfa_token))
    assert await logins.login(answer, HOME) is None
    other = await step(house)
    assert await logins.second_factor(other.mfa_token, answer, HOME) is None
    assert await logins.second_factor("bf_mfa_x", answer, HOME) is None
    assert await logins.second_factor(begun.mfa_token, answer, HOME) is not None
    assert await logins.second_factor(begun.mfa_token, answer, HOME) is None
    with pytest.raises(InvalidCredentials):
        await logins.step_options(begun.mfa_token)
    finished = await house.rooms.sessions.second_factor(other.mfa_token, made.recovery_codes[0], HOME)
    assert finished is not None
    digits = await house.rooms.sessions.second_factor((await step(house)).mfa_token, "123456", HOME)
    assert digits is None


async def test_what_nobody_has_signed_here_opens_nothing(house: House) -> None:
    """Attack 42: an answer for another server, by another key, from long ago, or of somebody who has gone."""
    me, key = await caller(house, await logged_in(house)), device(house)
    await added(house, me, key)
    logins = house.rooms.passkey_logins

    async def refused(liar: Authenticator, after_seconds: int = 0) -> bool:
        answer = liar.get(logins.options())
        house.clock.advance(after_seconds)
        return await logins.login(answer, HOME) is None

    assert await logins.login({}, HOME) is None
    assert await refused(replace(key, credential_id=b"nobody's"))
    assert await refused(replace(key, user_handle=None))
    assert await refused(replace(key, origin="https://evil.example"))
    assert await refused(replace(key, key=device(house).key))
    assert await refused(replace(key, flags=PRESENT | VERIFIED))
    assert await refused(replace(key, client={"challenge": "AAAA"}))
    assert await refused(key, CHALLENGE_SECONDS)
    assert not await refused(key)


async def test_somebody_who_may_not_log_in_may_not_by_passkey(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack 6: whoever was let go would keep a way in."""
    me, key = await caller(house, await logged_in(house)), device(house)
    await added(house, me, key)
    logins, find = house.rooms.passkey_logins, house.rooms.store.find_account_of
    begun = await step(house)
    answer = key.get(await logins.step_options(begun.mfa_token))

    async def asleep(*whose: Any) -> Any:
        found = await find(*whose)
        return found and replace(found, tenant_active=False)

    monkeypatch.setattr(house.rooms.store, "find_account_of", asleep)
    assert await logins.login(key.get(logins.options()), HOME) is None
    assert await logins.second_factor(begun.mfa_token, answer, HOME) is None


async def test_only_what_this_session_was_asked_for_is_registered(house: House) -> None:
    """ASVS 7.5.1: a stranger's key would be added to the account."""
    me, key = await caller(house, await logged_in(house)), device(house)
    passkeys = house.rooms.passkeys
    own = await house.rooms.sessions.own_session(me)
    options = await passkeys.begin(me, own_session=own)
    wish: dict[str, Any] = {"own_session": own, "end_others": False}
    for answer in ({}, key.create({**options, "challenge": "AAAA"}), replace(key, rp_id="x").create(options)):
        with pytest.raises(InvalidRequest):
            await passkeys.add(me, answer, None, **wish)
    with pytest.raises(InvalidRequest):
        await passkeys.add(me, key.create(options), "x" * 101, **wish)
    made = await passkeys.add(me, key.create(options), "Phone", **wish)
    with pytest.raises(Conflict):
        await passkeys.add(me, key.create(options), "Phone", **wish)
    with pytest.raises(Forbidden):
        await passkeys.begin(house.operator, own_session=None)
    second = await added(house, me, device(house))
    assert second.recovery_codes == ()
    assert (await passkeys.rename(me, made.passkey.id, "Old phone")).name == "Old phone"
    wish = {"own_session": own, "end_others": True}
    assert await passkeys.remove(me, made.passkey.id, **wish) == 0
    with pytest.raises(NotFound):
        await passkeys.remove(me, made.passkey.id, **wish)
    with pytest.raises(NotFound):
        await passkeys.rename(me, made.passkey.id, "x")


async def test_nobody_has_passkeys_without_end(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """One account would fill the table."""
    me = await caller(house, await logged_in(house))
    made = await added(house, me, device(house))
    found = await house.rooms.second_factors.own(me)

    async def many(_: str) -> Any:
        return replace(found, passkeys=(made.passkey,) * MOST)

    monkeypatch.setattr(house.rooms.store, "find_factors", many)
    with pytest.raises(Conflict, match="20 passkeys"):
        await house.rooms.passkeys.begin(me, own_session=None)


async def test_a_server_without_a_name_has_none(house: House) -> None:
    """Browsers would show an error that nobody understands."""
    me = await caller(house, await logged_in(house))
    house.rooms.passkeys._party = None
    assert house.rooms.passkey_logins.origin is None
    with pytest.raises(Conflict, match="public_url"):
        house.rooms.passkey_logins.options()
    with pytest.raises(Conflict, match="public_url"):
        await house.rooms.passkeys.begin(me, own_session=None)


async def test_a_passkey_that_counts_backwards_is_suspected_once(house: House) -> None:
    """Web Authentication Level 3 §6.1.1: a copy would go on; and an answer that is sent again is none."""
    me = await caller(house, await logged_in(house))
    key = device(house, counts=1, sign_count=7)
    await added(house, me, key)
    logins, factors = house.rooms.passkey_logins, house.rooms.second_factors
    answer = key.get(logins.options())
    assert await logins.login(answer, HOME) is not None
    assert await logins.login(answer, HOME) is None
    assert (await factors.own(me)).passkeys[0].suspected_at is None
    assert await logins.login(replace(key, sign_count=2).get(logins.options()), HOME) is None
    assert (await factors.own(me)).passkeys[0].suspected_at is not None
    assert await logins.login(key.get(logins.options()), HOME) is None
    with pytest.raises(Conflict, match="no passkey to ask for"):
        await logins.step_options((await step(house)).mfa_token)


async def test_a_passkey_proves_anew_who_is_there(house: House) -> None:
    """ASVS 7.5.3: who has nothing but a passkey could never do what is sensitive."""
    me, key = await caller(house, await logged_in(house)), device(house)
    step_ups, nothing = house.rooms.step_ups, {"password": None, "code": None}
    await added(house, me, key)
    house.clock.advance(house.rooms.settings.step_up_seconds + 1)
    with pytest.raises(ProofNeeded):
        await house.rooms.passkeys.begin(me, own_session=None)
    answer = key.get(await step_ups.options(me))
    with pytest.raises(InvalidRequest):
        await step_ups.prove(me, HOME, password=None, code="123456", passkey=answer)
    assert await step_ups.prove(me, HOME, passkey={}, **nothing) is None
    signed = await step_ups.prove(me, HOME, passkey=answer, **nothing)
    assert signed is not None
    assert isinstance(signed.credential, Credential)
    session_id = await house.rooms.sessions.own_session(me)
    live = await house.rooms.store.find_session(session_id or "", me.tenant_id, signed.expires_at)
    assert live is None or "pop" in live.session.methods


async def test_an_app_may_go_while_a_passkey_stays(house: House) -> None:
    """The codes of who has another factor would be gone with the app."""
    me = await caller(house, await logged_in(house))
    await added(house, me, device(house))
    await enrolled(house, me)
    factors = house.rooms.second_factors
    assert await factors.remove_totp(me, own_session=None, end_others=False) == 0
    assert (await factors.own(me)).recovery_codes == 10
    with pytest.raises(NotFound):
        await factors.remove_totp(me, own_session=None, end_others=False)
