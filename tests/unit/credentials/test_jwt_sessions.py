"""Logins as the rooms see them: who gets in, who has to wait, and what ends what."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from bonafides.app import Rooms, open_rooms
from bonafides.authority import Authority
from bonafides.credentials.guesses import FREE, MOST, Visitor
from bonafides.credentials.jwt_sessions import JwtSessions, SessionRules, Tokens
from bonafides.credentials.second_steps import SecondStep
from bonafides.errors import Forbidden, InvalidRequest, NotFound, TooManyRequests
from bonafides.model import Accepted, Actor, Page, Reason, Role, User
from bonafides.verification.verifier import Facts
from tests.serving import weak_passwords
from tests.unit.conftest import PEPPERS, House

HOME: Final = Visitor("192.0.2.1", "192.0.2.1", "a browser")
ELSEWHERE: Final = Visitor("198.51.100.7", "198.51.100.7", "another")
OWNER: Final = "founder@example.com"


def stranger(number: int) -> Visitor:
    """One of many addresses."""
    return Visitor(f"2001:db8:{number:x}::1", f"2001:db8:{number:x}::", "a script")


async def login(
    house: House, password: str | None = None, visitor: Visitor = HOME, username: str = OWNER
) -> Tokens | None:
    """Log in, as the founder unless somebody is named."""
    right = house.founded.password if password is None else password
    tokens = await house.rooms.sessions.login(username, right, visitor)
    assert not isinstance(tokens, SecondStep)
    return tokens


async def logged_in(house: House, visitor: Visitor = HOME) -> Tokens:
    """The founder's tokens."""
    tokens = await login(house, visitor=visitor)
    assert tokens is not None
    return tokens


async def caller(house: House, tokens: Tokens) -> Authority:
    """What whoever presents a token may do."""
    verdict = await house.rooms.verifier.verify(tokens.token.encode(), Facts())
    assert isinstance(verdict, Accepted)
    principal = verdict.principal
    actor = Actor(principal.user_id, principal.credential_id, "api")
    return await house.rooms.directory.authority(principal, actor)


async def reason(house: House, tokens: Tokens) -> Reason | None:
    """Why a token is refused; None if it is not."""
    verdict = await house.rooms.verifier.verify(tokens.token.encode(), Facts())
    return None if isinstance(verdict, Accepted) else verdict.reason


async def give_password(house: House, user: User, password: str) -> None:
    """Let a user have a password."""
    event = house.rooms.sessions._recorder.event(
        "user.password_set", Actor(None, None, "test"), user.tenant_id, user.id
    )
    await house.rooms.store.set_password(
        user.id,
        await weak_passwords().hash(password),
        event,
        replaced=None,
        kept_session=None,
        end_others=True,
    )


async def test_tokens_tell_nothing_where_they_are_written_down(house: House) -> None:
    """ASVS 16.2.5: a traceback or a log line would open the session."""
    tokens = await logged_in(house)
    assert tokens.token not in repr(tokens)
    assert tokens.refresh_token not in repr(tokens)


# Guesses


async def test_wrong_passwords_have_to_wait_and_right_ones_with_them(house: House) -> None:
    """ASVS 6.3.1, attack 41: whoever may try without end will find it; another spelling is the same account."""
    for spelling in ("Founder@example.com", " founder@EXAMPLE.com", OWNER, OWNER.upper(), OWNER):
        assert await login(house, "wrong", username=spelling) is None
    with pytest.raises(TooManyRequests) as refused:
        await login(house)
    assert refused.value.retry_after_seconds == 1
    house.clock.advance(1)
    assert await login(house) is not None
    for _ in range(FREE):
        assert await login(house, "wrong") is None


async def test_who_is_not_there_has_to_wait_just_the_same(house: House) -> None:
    """Attack 43: waiting would tell who has an account."""
    for _ in range(FREE):
        assert await login(house, "wrong", username="nobody@example.com") is None
    with pytest.raises(TooManyRequests):
        await login(house, "wrong", username="nobody@example.com")


async def test_addresses_of_one_network_and_many_networks_count_for_the_account(house: House) -> None:
    """Attack 40: with an address for each guess, nobody would ever have to wait."""
    for number in range(FREE):
        assert await login(house, "wrong", stranger(number)) is None
    with pytest.raises(TooManyRequests):
        await login(house, "wrong", stranger(99))


async def test_strangers_cannot_lock_the_owner_out_where_they_are_known(house: House) -> None:
    """ASVS 6.1.1: anybody who knows an address could keep its owner from logging in."""
    await logged_in(house)
    wrong = 0
    for number in range(10_000):
        try:
            assert await login(house, "wrong", stranger(number)) is None
            wrong += 1
        except TooManyRequests as error:
            if wrong >= MOST:
                break
            house.clock.advance(error.retry_after_seconds)
    assert wrong == MOST
    house.clock.advance(10 * 86_400)
    with pytest.raises(TooManyRequests):
        await login(house, visitor=ELSEWHERE)
    assert await login(house) is not None
    assert await login(house, visitor=ELSEWHERE) is not None


async def test_an_address_that_tries_one_account_after_another_has_to_wait(house: House) -> None:
    """ASVS 6.3.1: a list of stolen passwords is tried with one guess for each account."""
    await logged_in(house)
    for number in range(30):
        assert await login(house, "wrong", ELSEWHERE, f"user{number}@example.com") is None
    with pytest.raises(TooManyRequests):
        await login(house, "wrong", ELSEWHERE, "user30@example.com")
    assert await login(house) is not None
    house.clock.advance(900)
    assert await login(house, visitor=ELSEWHERE) is not None


# What ends what


async def test_a_tokens_life_is_bounded_by_its_session(house: House) -> None:
    """ASVS 7.3.1: a token would outlive the time after which an unused session is to end."""
    tokens = await logged_in(house)
    sessions = _with(house.rooms, idle_seconds=600)
    short = await sessions.login(OWNER, house.founded.password, HOME)
    assert isinstance(short, Tokens)
    assert (tokens.expires_at - short.expires_at).total_seconds() == 3_000
    assert short.refresh_expires_at == short.expires_at


def _with(rooms: Rooms, **rules: Any) -> JwtSessions:
    """The room under other rules."""
    was = rooms.sessions
    return JwtSessions(
        store=rooms.store,
        directory=rooms.directory,
        recorder=was._recorder,
        peppers=PEPPERS,
        clock=rooms.clock,
        entropy=rooms.entropy,
        signing_keys=rooms.signing_keys,
        passwords=was._passwords,
        guesses=was._guesses,
        second_steps=was._second_steps,
        second_factors=was._second_factors,
        letters=was._letters,
        rules=replace(SessionRules(3_600, 86_400, 864_000, 10), **rules),
    )


async def test_a_password_that_was_changed_meanwhile_opens_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A login that was under way would outlive the change that was to end it."""
    passwords = house.rooms.sessions._passwords

    async def check(*_: object) -> bool:
        user = await house.rooms.directory.user(house.operator, house.founded.user_id)
        await give_password(house, user, "another one by now")
        return True

    monkeypatch.setattr(passwords, "check", check)
    assert await login(house) is None


async def test_refreshing_by_what_was_never_given_is_refused(house: House) -> None:
    """Each made-up token would be a query."""
    tokens = await logged_in(house)
    refresh = house.rooms.sessions.refresh
    for presented in ("", "ü", tokens.token, tokens.refresh_token[:-1], tokens.refresh_token + "x"):
        assert await refresh(presented, HOME) is Reason.INVALID_TOKEN
    again = await refresh(tokens.refresh_token, HOME)
    assert isinstance(again, Tokens)
    assert await refresh(tokens.refresh_token, HOME) == again
    house.clock.advance(10)
    assert await refresh(tokens.refresh_token, HOME) == again
    await house.rooms.store.prune_logins(again.expires_at, grace_seconds=0, idle_seconds=86_400)
    assert await refresh(tokens.refresh_token, HOME) is Reason.INVALID_TOKEN
    assert await reason(house, again) is None
    house.clock.advance(1)
    assert await refresh(tokens.refresh_token, HOME) is Reason.INVALID_TOKEN
    assert await reason(house, again) is Reason.INVALID_TOKEN


async def test_a_refresh_token_ends_in_time(house: House) -> None:
    """ASVS 10.4.8: one that is found years later would open the session again."""
    tokens = await logged_in(house)
    house.clock.advance(house.rooms.settings.session_idle_seconds)
    assert await house.rooms.sessions.refresh(tokens.refresh_token, HOME) is Reason.EXPIRED


async def test_a_refresh_that_always_loses_is_refused(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request would go round for ever."""
    tokens = await logged_in(house)

    async def lose(*_: object) -> bool:
        return False

    monkeypatch.setattr(house.rooms.store, "refresh", lose)
    assert await house.rooms.sessions.refresh(tokens.refresh_token, HOME) is Reason.INVALID_TOKEN


async def test_a_refresh_outlives_a_new_pepper(house: House) -> None:
    """ASVS 13.3.4: rotating the pepper would log everybody out."""
    from bonafides.secret import Peppers, parse_pepper  # noqa: PLC0415

    tokens = await logged_in(house)
    both = Peppers([parse_pepper("2" * 64), parse_pepper("1" * 64)])
    async with open_rooms(house.rooms.settings, both, clock=house.clock) as rooms:
        again = await rooms.sessions.refresh(tokens.refresh_token, HOME)
        assert isinstance(again, Tokens)
        assert await rooms.sessions.refresh(tokens.refresh_token, HOME) == again
        assert isinstance(await rooms.sessions.refresh(again.refresh_token, HOME), Tokens)


async def test_logging_out_takes_a_login(house: House) -> None:
    """A program's key would be revoked by a call that is meant for people."""
    tokens = await logged_in(house)
    with pytest.raises(InvalidRequest, match="not made by a login"):
        await house.rooms.sessions.logout(house.operator)
    nobody = replace(house.operator, actor=Actor(None, None, "command line"))
    assert await house.rooms.sessions.own_session(nobody) is None
    await house.rooms.sessions.logout(await caller(house, tokens))
    assert await reason(house, tokens) is Reason.INVALID_TOKEN
    assert await house.rooms.sessions.refresh(tokens.refresh_token, HOME) is Reason.INVALID_TOKEN


async def test_sessions_are_seen_and_ended_by_who_may(house: House) -> None:
    """ASVS 7.5.2, ASVS 7.4.5, ASVS 8.2.2: nobody ends, or sees, what is not theirs, but for who administers them."""
    sessions = house.rooms.sessions
    mine, other = await logged_in(house), await logged_in(house, ELSEWHERE)
    me = await caller(house, mine)
    own = await sessions.own_session(me)
    listed = await sessions.page(me, Page(10))
    assert {each.session.address for each in listed} == {"192.0.2.1", "198.51.100.7"}
    (elsewhere,) = [each.session.id for each in listed if each.session.id != own]
    member = await house.make_user(role=Role.MEMBER)
    as_member = house.authority_of(member)
    assert await sessions.page(as_member, Page(10)) == []
    with pytest.raises(Forbidden):
        await sessions.page(as_member, Page(10), user_id=house.founded.user_id)
    with pytest.raises(NotFound):
        await sessions.end(as_member, elsewhere)
    with pytest.raises(Forbidden):
        await sessions.end_all(as_member, user_id=house.founded.user_id)
    admin = house.authority_of(await house.make_user(role=Role.ADMIN))
    with pytest.raises(Forbidden, match="Only an owner"):
        await sessions.end(admin, elsewhere)
    stranger_ = house.authority_of(await house.make_user((await house.make_tenant()).id))
    with pytest.raises(NotFound):
        await sessions.get(stranger_, elsewhere)
    await sessions.end(me, elsewhere)
    assert await reason(house, other) is Reason.INVALID_TOKEN
    assert await reason(house, mine) is None
    with pytest.raises(NotFound):
        await sessions.get(me, elsewhere)


async def test_all_sessions_can_be_ended_with_or_without_ones_own(house: House) -> None:
    """ASVS 7.4.3: after a theft, the owner would have to find the thief's session among theirs."""
    sessions = house.rooms.sessions
    mine, other = await logged_in(house), await logged_in(house, ELSEWHERE)
    me = await caller(house, mine)
    assert await sessions.end_all(me, keep_own=True) == 1
    assert (await reason(house, other), await reason(house, mine)) == (Reason.INVALID_TOKEN, None)
    assert await sessions.end_all(house.operator, user_id=house.founded.user_id) == 1
    assert await reason(house, mine) is Reason.INVALID_TOKEN


async def test_a_person_of_another_tenant_logs_in_there(house: House) -> None:
    """The first tenant would be the only one whose people can log in."""
    tenant = await house.make_tenant()
    user = await house.make_user(tenant.id)
    await give_password(house, user, "seven quiet harbours")
    tokens = await login(house, "seven quiet harbours", username=str(user.email))
    assert tokens is not None
    assert (await caller(house, tokens)).tenant_id == tenant.id
