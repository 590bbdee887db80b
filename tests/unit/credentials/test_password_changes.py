"""Passwords as the rooms see them: who changes whose, what a reset token opens, and what ends with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from bonafides.credentials.guesses import FREE
from bonafides.credentials.password_changes import RESET_SECONDS, StartedReset
from bonafides.errors import (
    Conflict,
    Forbidden,
    InvalidCredentials,
    InvalidRequest,
    NotFound,
    TooManyRequests,
)
from bonafides.model import Page, Reason, Role, Status, User, UserChanges, UserKind
from tests.unit.conftest import House
from tests.unit.credentials.test_jwt_sessions import ELSEWHERE, HOME, caller, logged_in, login, reason

NEW: Final = "several quiet paper lanterns"
OTHER: Final = "a horse that nobody stapled"


async def started(house: House, user: User) -> StartedReset:
    """A reset that the operator begins."""
    return await house.rooms.password_changes.start_reset(house.operator, user.id)


async def reset(house: House, token: str, new: str = NEW) -> None:
    """Choose a password with a token."""
    await house.rooms.password_changes.reset(token, new, HOME)


async def test_a_person_changes_their_own_and_the_other_sessions_end(house: House) -> None:
    """Whoever changes a password because somebody else knows it would leave them logged in."""
    own, other = await logged_in(house), await logged_in(house, ELSEWHERE)
    authority = await caller(house, own)
    session = await house.rooms.sessions.own_session(authority)
    changes = house.rooms.password_changes
    ended = await changes.change(authority, house.founded.password, NEW, HOME, own_session=session)
    assert ended == 1
    await house.rooms.feed.read()
    assert await reason(house, own) is None
    assert await reason(house, other) is Reason.INVALID_TOKEN
    assert await login(house) is None
    assert await login(house, NEW) is not None
    kept = await changes.change(authority, NEW, OTHER, HOME, own_session=session, keep_others=True)
    assert kept == 0
    (event, _) = await house.rooms.audit.events(house.operator, Page(100), action="user.password_changed")
    assert NEW not in repr(event)


async def test_the_current_password_is_needed_and_cannot_be_guessed(house: House) -> None:
    """A stolen session would become a stolen account (ASVS 6.2.3)."""
    authority = await caller(house, await logged_in(house))
    changes = house.rooms.password_changes
    told: list[type[Exception]] = []
    for _ in range(FREE + 1):
        try:
            await changes.change(authority, "wrong", NEW, HOME, own_session=None)
        except (InvalidCredentials, TooManyRequests) as error:
            told.append(type(error))
    assert told[0] is InvalidCredentials
    assert told[-1] is TooManyRequests
    assert await login(house, visitor=ELSEWHERE) is not None


@pytest.mark.parametrize("new", ["short", "passwordpassword", "founder@example.com", "bonafides bonafides"])
async def test_a_new_password_is_not_one_that_is_guessed_first(house: House, new: str) -> None:
    """The first thousand guesses would open the account (ASVS 6.2.4)."""
    authority = await caller(house, await logged_in(house))
    with pytest.raises(InvalidRequest) as caught:
        await house.rooms.password_changes.change(
            authority, house.founded.password, new, HOME, own_session=None
        )
    assert caught.value.field == "new_password"
    assert new not in caught.value.public or new == "short"


async def test_an_admin_begins_a_reset_and_does_not_choose_the_password(house: House) -> None:
    """An admin who types in somebody's password knows it from then on (ASVS 6.4.6)."""
    user = await house.make_user(role=Role.MEMBER)
    begun = await started(house, user)
    assert begun.token not in repr(begun)
    assert begun.expires_at.timestamp() * 1_000_000 == house.clock.now_us + RESET_SECONDS * 1_000_000
    await reset(house, begun.token)
    assert await login(house, NEW, username=str(user.email)) is not None
    with pytest.raises(InvalidCredentials):
        await reset(house, begun.token, OTHER)
    tokens = await login(house, NEW, username=str(user.email))
    assert tokens is not None
    await reset(house, (await started(house, user)).token, OTHER)
    await house.rooms.feed.read()
    assert await reason(house, tokens) is Reason.INVALID_TOKEN


async def test_only_the_newest_token_serves_and_for_a_day(house: House) -> None:
    """A token that was left in an old mail would open the account a year later (ASVS 6.4.1)."""
    user = await house.make_user()
    first, second = await started(house, user), await started(house, user)
    with pytest.raises(InvalidCredentials):
        await reset(house, first.token)
    with pytest.raises(InvalidRequest):
        await reset(house, second.token, "short")
    house.clock.now_us += RESET_SECONDS * 1_000_000
    with pytest.raises(InvalidCredentials):
        await reset(house, second.token)
    for nonsense in ("", "x", f"{second.token}0", house.founded.api_key):
        with pytest.raises(InvalidCredentials):
            await reset(house, nonsense)


async def test_a_token_that_is_used_twice_at_once_serves_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people would have set a password, and one of them would be wrong about it."""
    begun = await started(house, await house.make_user())

    async def lost(*_: object, **__: object) -> bool:
        return False

    monkeypatch.setattr(house.rooms.store, "redeem_for_password", lost)
    with pytest.raises(InvalidCredentials):
        await reset(house, begun.token)


async def test_a_change_that_another_overtakes_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user would believe in the password that lost."""
    authority = await caller(house, await logged_in(house))

    async def overtaken(*_: object, **__: object) -> None:
        return None

    monkeypatch.setattr(house.rooms.store, "set_password", overtaken)
    with pytest.raises(Conflict, match="in this moment"):
        await house.rooms.password_changes.change(
            authority, house.founded.password, NEW, HOME, own_session=None
        )


async def test_only_whom_it_concerns_begins_a_reset(house: House) -> None:
    """A member would take over a colleague's account, or an admin the owner's."""
    owner, admin = await house.make_user(), await house.make_user(role=Role.ADMIN)
    member = await house.make_user(role=Role.MEMBER)
    begin = house.rooms.password_changes.start_reset
    with pytest.raises(Forbidden):
        await begin(house.authority_of(member), admin.id)
    with pytest.raises(Forbidden, match="Only an owner may reset the password of an owner"):
        await begin(house.authority_of(admin), owner.id)
    stranger = house.authority_of(await house.make_user((await house.make_tenant()).id))
    with pytest.raises(NotFound):
        await begin(stranger, member.id)
    service = await house.make_user(role=Role.MEMBER, kind=UserKind.SERVICE, email=None, name="ci")
    with pytest.raises(InvalidRequest, match="a service has no password"):
        await begin(house.operator, service.id)
    await house.rooms.directory.change_user(house.operator, member.id, UserChanges(status=Status.DISABLED))
    with pytest.raises(Conflict, match="is disabled"):
        await begin(house.operator, member.id)


async def test_who_has_no_password_has_none_to_change(house: House) -> None:
    """The call would make a password for whoever holds a key of a service."""
    authority = house.authority_of(await house.make_user())
    with pytest.raises(Conflict, match="You have no password"):
        await house.rooms.password_changes.change(authority, "x", NEW, HOME, own_session=None)
    nobody = replace(authority, user_id=None)
    with pytest.raises(Conflict, match="You have no password"):
        await house.rooms.password_changes.change(nobody, "x", NEW, HOME, own_session=None)
