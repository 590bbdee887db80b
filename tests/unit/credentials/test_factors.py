"""Second factors as the rooms see them: set up by who has logged in, judged, and asked for anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyotp
import pytest

from bonafides.app import open_rooms
from bonafides.authority import Authority
from bonafides.credentials.api_keys import KeyWish
from bonafides.credentials.factors import CONFIRM_SECONDS, NewCodes
from bonafides.credentials.guesses import Visitor
from bonafides.credentials.holdings import Made
from bonafides.credentials.jwt_sessions import Tokens
from bonafides.credentials.second_steps import STEP_SECONDS, SecondStep
from bonafides.errors import Conflict, Forbidden, InvalidRequest, NotFound, ProofNeeded, TooManyRequests
from bonafides.model import Actor, FactorKind, Reason, Role, Status, UserChanges
from bonafides.secret import Peppers, parse_pepper
from tests.unit.conftest import House
from tests.unit.credentials.test_jwt_sessions import (
    ELSEWHERE,
    HOME,
    OWNER,
    caller,
    give_password,
    logged_in,
    reason,
)


def code_of(house: House, secret: str, after_seconds: int = 0) -> str:
    """What an authenticator app shows."""
    return pyotp.TOTP(secret).at(house.clock.now_us // 1_000_000 + after_seconds)


def fresh(house: House, secret: str) -> str:
    """A code that was not used before."""
    house.clock.advance(60)
    return code_of(house, secret)


async def enrolled(house: House, authority: Authority, **options: Any) -> tuple[str, NewCodes]:
    """An app that is in use, and what came with it."""
    factors = house.rooms.second_factors
    begun = await factors.begin_totp(authority)
    options = {"own_session": None, "end_others": False, **options}
    made = await factors.confirm_totp(authority, code_of(house, begun.secret), **options)
    assert begun.secret not in repr(begun)
    assert made.recovery_codes[0] not in repr(made)
    return begun.secret, made


async def step(house: House, visitor: Visitor = HOME, password: str | None = None) -> SecondStep:
    """The founder's first step."""
    begun = await house.rooms.sessions.login(OWNER, password or house.founded.password, visitor)
    assert isinstance(begun, SecondStep)
    assert begun.mfa_token not in repr(begun)
    return begun


async def finish(house: House, begun: SecondStep, code: str, visitor: Visitor = HOME) -> Tokens | None:
    """The founder's second step."""
    return await house.rooms.sessions.second_factor(begun.mfa_token, code, visitor)


async def test_two_steps_open_a_session(house: House) -> None:
    """A password alone would be enough, or never."""
    me = await caller(house, await logged_in(house))
    secret, made = await enrolled(house, me)
    assert (await house.rooms.second_factors.own(me)).recovery_codes == 10
    begun = await step(house)
    assert begun.factors == (FactorKind.TOTP, FactorKind.RECOVERY_CODE)
    assert begun.expires_at.timestamp() * 1_000_000 == house.clock.now_us + STEP_SECONDS * 1_000_000
    assert await finish(house, begun, code_of(house, secret)) is None
    assert await finish(house, begun, fresh(house, secret)) is not None
    assert await finish(house, begun, fresh(house, secret)) is None
    assert await finish(house, await step(house), made.recovery_codes[3].upper()) is not None
    assert await finish(house, await step(house), made.recovery_codes[3]) is None
    for nonsense in ("", "x", "bf_mfa_x", house.founded.api_key):
        assert await house.rooms.sessions.second_factor(nonsense, made.recovery_codes[4], HOME) is None


async def test_who_was_disabled_since_does_not_come_in(house: House) -> None:
    """Attack 6: between the two steps, somebody is thrown out and comes back in."""
    user = await house.make_user()
    await give_password(house, user, "seven quiet harbours")
    tokens = await house.rooms.sessions.login(str(user.email), "seven quiet harbours", HOME)
    assert isinstance(tokens, Tokens)
    secret, _ = await enrolled(house, await caller(house, tokens))
    begun = await house.rooms.sessions.login(str(user.email), "seven quiet harbours", HOME)
    assert isinstance(begun, SecondStep)
    await house.rooms.directory.change_user(house.operator, user.id, UserChanges(status=Status.DISABLED))
    assert await finish(house, begun, fresh(house, secret)) is None


async def test_a_user_who_is_gone_between_the_look_ups_does_not_come_in(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request would fail on the server's side."""
    secret, _ = await enrolled(house, await caller(house, await logged_in(house)))
    begun = await step(house)

    async def nobody(*_: object) -> None:
        return None

    monkeypatch.setattr(house.rooms.store, "find_account_of", nobody)
    assert await finish(house, begun, fresh(house, secret)) is None


async def test_codes_have_to_wait_wherever_they_come_from(house: House) -> None:
    """Attack 41, ASVS 6.1.1: another address, another step, another kind of code would begin to count anew."""
    secret, made = await enrolled(house, await caller(house, await logged_in(house)))
    for number in range(5):
        visitor = Visitor(f"2001:db8:{number}::1", f"2001:db8:{number}::", "a script")
        assert await finish(house, await step(house, visitor), "wrong wrong", visitor) is None
    with pytest.raises(TooManyRequests):
        await finish(house, await step(house, ELSEWHERE), made.recovery_codes[0], ELSEWHERE)
    # Where the owner is known, strangers' guesses do not count.
    assert await finish(house, await step(house), fresh(house, secret)) is not None
    assert await finish(house, await step(house, ELSEWHERE), fresh(house, secret), ELSEWHERE) is not None


async def test_what_was_not_begun_is_not_confirmed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app that nobody has would be asked for at the next login."""
    me = await caller(house, await logged_in(house))
    factors = house.rooms.second_factors
    wish: dict[str, Any] = {"own_session": None, "end_others": False}
    with pytest.raises(Conflict):
        await factors.confirm_totp(me, "000000", **wish)
    begun = await factors.begin_totp(me)
    right = code_of(house, begun.secret)
    with pytest.raises(InvalidRequest) as caught:
        await factors.confirm_totp(me, str((int(right) + 1) % 1_000_000).rjust(6, "0")[::-1] + "x", **wish)
    assert caught.value.field == "code"
    assert await factors.judge(house.founded.user_id, right) is None

    async def overtaken(*_: object, **__: object) -> None:
        return None

    with monkeypatch.context() as patched:
        patched.setattr(house.rooms.store, "confirm_totp", overtaken)
        with pytest.raises(Conflict):
            await factors.confirm_totp(me, right, **wish)
    await factors.confirm_totp(me, right, **wish)
    with pytest.raises(Conflict):
        await factors.confirm_totp(me, right, **wish)
    with pytest.raises(Conflict):
        await factors.begin_totp(me)


async def test_a_setup_ends_after_a_while(house: House) -> None:
    """A secret that was left on a screen would become a factor the day after."""
    begun = await house.rooms.second_factors.begin_totp(await caller(house, await logged_in(house)))
    house.clock.advance(CONFIRM_SECONDS + 1)
    me = await caller(house, await logged_in(house))
    with pytest.raises(Conflict):
        await house.rooms.second_factors.confirm_totp(
            me, code_of(house, begun.secret), own_session=None, end_others=False
        )


async def test_only_a_recent_login_changes_factors(house: House) -> None:
    """ASVS 7.5.1: an open laptop, or a key in a script, would be enough to take the factor away."""
    factors = house.rooms.second_factors
    me = await caller(house, await logged_in(house))
    await enrolled(house, me)
    assert len(await factors.renew_codes(me)) == 10
    house.clock.advance(house.rooms.settings.step_up_seconds + 1)
    for old in (me, house.operator):
        with pytest.raises(Forbidden):
            await factors.begin_totp(old)
        with pytest.raises(Forbidden):
            await factors.renew_codes(old)
        with pytest.raises(Forbidden):
            await factors.remove_totp(old, own_session=None, end_others=False)
    with pytest.raises(ProofNeeded) as caught:
        await factors.renew_codes(me)
    assert caught.value.within_seconds == house.rooms.settings.step_up_seconds
    with pytest.raises(ProofNeeded):
        await house.rooms.password_changes.change(
            me, house.founded.password, "several quiet paper lanterns", HOME, own_session=None
        )
    with pytest.raises(ProofNeeded):
        await factors.reset(me, house.founded.user_id)


async def test_only_a_recent_login_makes_or_rotates_a_key_with_admin(house: House) -> None:
    """ASVS 7.5.3: an open laptop would be enough to take a key away that does everything."""
    keys = house.rooms.api_keys
    me = await caller(house, await logged_in(house))
    held = await keys.create(me, KeyWish("all", scopes=["admin"]))
    plain = await keys.create(me, KeyWish("some", scopes=["read"]))
    assert isinstance(held, Made)
    assert isinstance(plain, Made)
    house.clock.advance(house.rooms.settings.step_up_seconds + 1)
    with pytest.raises(ProofNeeded):
        await keys.create(me, KeyWish("more", scopes=["admin"]))
    with pytest.raises(ProofNeeded):
        await keys.rotate(me, held.credential.id)
    assert isinstance(await keys.rotate(me, plain.credential.id), Made)


async def test_a_factor_is_taken_away_once(house: House) -> None:
    """Somebody would believe that there was one."""
    factors = house.rooms.second_factors
    me = await caller(house, await logged_in(house))
    with pytest.raises(Conflict):
        await factors.renew_codes(me)
    await enrolled(house, me)
    other = await logged_in_with(house, (await factors.renew_codes(me))[0])
    own = await house.rooms.sessions.own_session(me)
    assert await factors.remove_totp(me, own_session=own, end_others=True) == 1
    assert await reason(house, other) is Reason.INVALID_TOKEN
    with pytest.raises(NotFound):
        await factors.remove_totp(me, own_session=own, end_others=True)


async def logged_in_with(house: House, code: str) -> Tokens:
    """The founder's tokens, by two steps."""
    tokens = await finish(house, await step(house), code)
    assert tokens is not None
    return tokens


async def test_an_admin_resets_whom_they_administer(house: House) -> None:
    """A member would strip a colleague of the second factor, or an admin the owner."""
    factors = house.rooms.second_factors
    await enrolled(house, await caller(house, await logged_in(house)))
    for role in (Role.MEMBER, Role.ADMIN):
        with pytest.raises(Forbidden):
            await factors.reset(house.authority_of(await house.make_user(role=role)), house.founded.user_id)
    assert await factors.reset(house.operator, house.founded.user_id) == 1
    with pytest.raises(NotFound, match="no second factor"):
        await factors.reset(house.operator, house.founded.user_id)
    assert isinstance(await house.rooms.sessions.login(OWNER, house.founded.password, HOME), Tokens)


async def test_a_factor_outlives_a_new_pepper_and_not_the_loss_of_its_own(house: House) -> None:
    """ASVS 13.3.4: rotating the pepper would lock out whoever has a second factor; without any, no code is good."""
    secret, made = await enrolled(house, await caller(house, await logged_in(house)))
    house.clock.advance(60)
    both = Peppers([parse_pepper("2" * 64), parse_pepper("1" * 64)])
    async with open_rooms(house.rooms.settings, both, clock=house.clock) as rooms:
        assert await rooms.second_factors.judge(house.founded.user_id, made.recovery_codes[0]) is not None
        proof = await rooms.second_factors.judge(house.founded.user_id, code_of(house, secret))
        assert proof is not None
        assert proof.totp is not None
        assert proof.totp.pepper_id == both.newest_id
    none = Peppers([parse_pepper("3" * 64)])
    async with open_rooms(house.rooms.settings, none, clock=house.clock) as rooms:
        assert await rooms.second_factors.judge(house.founded.user_id, code_of(house, secret)) is None
        assert await rooms.second_factors.judge(house.founded.user_id, made.recovery_codes[0]) is None


# Proving anew


async def test_a_password_proves_who_has_no_factor(house: House) -> None:
    """Nobody could do what is sensitive after ten minutes."""
    step_ups = house.rooms.step_ups
    tokens = await logged_in(house)
    me = await caller(house, tokens)
    house.clock.advance(house.rooms.settings.step_up_seconds + 1)
    with pytest.raises(ProofNeeded):
        await house.rooms.directory.require_recent_proof(me)
    for wrong in ({"password": None, "code": None}, {"password": "x", "code": "000000"}):
        with pytest.raises(InvalidRequest):
            await step_ups.prove(me, HOME, **wrong)
    assert await step_ups.prove(me, HOME, password="wrong", code=None) is None
    signed = await step_ups.prove(me, HOME, password=house.founded.password, code=None)
    assert signed is not None
    assert signed.token not in repr(signed)
    assert await reason(house, tokens) is Reason.INVALID_TOKEN
    now = await caller(house, _with(tokens, signed.token))
    await house.rooms.directory.require_recent_proof(now)
    with pytest.raises(InvalidRequest, match="not made by a login"):
        await step_ups.prove(house.operator, HOME, password=house.founded.password, code=None)


def _with(tokens: Tokens, token: str) -> Tokens:
    """The same login by another token."""
    return Tokens(token, tokens.expires_at, tokens.refresh_token, tokens.refresh_expires_at)


async def test_a_code_proves_who_has_a_factor(house: House) -> None:
    """ASVS 7.5.1: whoever knows the password would take the factor away."""
    step_ups = house.rooms.step_ups
    me = await caller(house, await logged_in(house))
    secret, _ = await enrolled(house, me)
    with pytest.raises(InvalidRequest) as caught:
        await step_ups.prove(me, HOME, password=house.founded.password, code=None)
    assert caught.value.field == "code"
    assert await step_ups.prove(me, HOME, password=None, code="wrong") is None
    assert await step_ups.prove(me, HOME, password="wrong", code=fresh(house, secret)) is None
    signed = await step_ups.prove(me, HOME, password=None, code=fresh(house, secret))
    assert signed is not None
    assert signed.credential.root_id == await house.rooms.sessions.own_session(me)


@pytest.mark.parametrize("obstacle", ["ended", "overtaken"])
async def test_a_session_that_ends_meanwhile_proves_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch, obstacle: str
) -> None:
    """A session that was ended would come back by a proof that was under way."""
    me = await caller(house, await logged_in(house))

    async def nothing(*_: object) -> None:
        return None

    monkeypatch.setattr(house.rooms.store, "find_session" if obstacle == "ended" else "elevate", nothing)
    assert await house.rooms.step_ups.prove(me, HOME, password=house.founded.password, code=None) is None


async def test_the_command_line_is_nobody_to_ask(house: House) -> None:
    """Whoever has the server's own machine could not make an admin key there."""
    nobody = replace(house.operator, actor=Actor(None, None, "command line"))
    await house.rooms.directory.require_recent_proof(nobody)
    with pytest.raises(Forbidden):
        await house.rooms.directory.require_recent_proof(nobody, login_needed=True)
