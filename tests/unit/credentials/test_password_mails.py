"""Mails about passwords as the rooms see them: who is written to, what serves, and who may invite."""

from __future__ import annotations

import re
from email.message import EmailMessage

import pytest

from bonafides.credentials.guesses import MAILS_FREE
from bonafides.credentials.jwt_sessions import Tokens
from bonafides.credentials.password_mails import FORGOTTEN_SECONDS, INVITATION_SECONDS
from bonafides.errors import Conflict, Forbidden, InvalidCredentials, InvalidRequest, TooManyRequests
from bonafides.model import Role, Status, UserChanges, UserKind
from tests.unit.conftest import House
from tests.unit.credentials.test_jwt_sessions import HOME, OWNER

NEW = "several quiet paper lanterns"
TOKEN = re.compile(r"bf_(?:rst|inv)_[0-9A-Za-z]{44}_[0-9A-Za-z]{6}")


def postbox(house: House) -> list[EmailMessage]:
    """Takes the house's letters."""
    messages: list[EmailMessage] = []
    house.rooms.mail._carry = messages.append
    return messages


def token_in(message: EmailMessage) -> str:
    """What serves once."""
    found = TOKEN.search(message.get_content())
    assert found is not None
    return found[0]


async def test_a_forgotten_password_is_chosen_anew(house: House) -> None:
    """Every forgotten password would be a call to an admin."""
    box = postbox(house)
    await house.rooms.password_mails.forgotten(OWNER.upper(), HOME)
    await house.rooms.password_mails.forgotten("nobody@example.com", HOME)
    await house.rooms.outbox.settle()
    (message,) = box
    assert message["To"] == OWNER
    await house.rooms.password_changes.reset(token_in(message), NEW, HOME)
    assert isinstance(await house.rooms.sessions.login(OWNER, NEW, HOME), Tokens)
    with pytest.raises(InvalidCredentials):
        await house.rooms.password_changes.reset(token_in(message), NEW, HOME)


async def test_a_mail_is_soon_old(house: House) -> None:
    """ASVS 6.5.5: whoever finds an old mail would choose the password."""
    box = postbox(house)
    await house.rooms.password_mails.forgotten(OWNER, HOME)
    await house.rooms.outbox.settle()
    house.clock.advance(FORGOTTEN_SECONDS)
    with pytest.raises(InvalidCredentials):
        await house.rooms.password_changes.reset(token_in(box[0]), NEW, HOME)


async def test_only_who_may_log_in_there_is_written_to(house: House) -> None:
    """Attack 6: somebody who was thrown out would come back by a mail; another tenant's account would change too."""
    box = postbox(house)
    user = await house.make_user()
    await house.rooms.directory.change_user(house.operator, user.id, UserChanges(status=Status.DISABLED))
    await house.rooms.password_mails.forgotten(str(user.email), HOME)
    await house.rooms.password_mails.forgotten(OWNER, HOME, tenant_id="ten_of_nobody")
    await house.rooms.outbox.settle()
    assert box == []


async def test_mails_have_to_wait_and_where_none_can_be_sent_nothing_begins(house: House) -> None:
    """ASVS 2.4.1: a mailbox would be filled by whoever knows its address."""
    house.rooms.mail._carry = None
    for _ in range(MAILS_FREE):
        await house.rooms.password_mails.forgotten(OWNER, HOME)
    with pytest.raises(TooManyRequests):
        await house.rooms.password_mails.forgotten(OWNER, HOME)


async def test_an_invitation_is_mailed_or_handed_over(house: House) -> None:
    """ASVS 6.4.6: an admin would know everybody's first password."""
    box = postbox(house)
    mails = house.rooms.password_mails
    user = await house.make_user(role=Role.MEMBER)
    mailed = await mails.invite(house.operator, user.id)
    await house.rooms.outbox.settle()
    assert mailed.token is None
    assert mailed.expires_at.timestamp() * 1_000_000 == house.clock.now_us + INVITATION_SECONDS * 1_000_000
    house.rooms.mail._carry = None
    handed = await mails.invite(house.operator, user.id)
    assert handed.token is not None
    assert handed.token not in repr(handed)
    with pytest.raises(InvalidCredentials):
        await house.rooms.password_changes.reset(token_in(box[0]), NEW, HOME)
    await house.rooms.password_changes.reset(handed.token, NEW, HOME)
    with pytest.raises(Conflict, match="has a password"):
        await mails.invite(house.operator, user.id)


async def test_only_whom_it_concerns_invites(house: House) -> None:
    """Attack 44 (CVE-2026-1529): a member would let themselves in as somebody else."""
    mails = house.rooms.password_mails
    owner = await house.make_user()
    for role in (Role.MEMBER, Role.ADMIN):
        with pytest.raises(Forbidden):
            await mails.invite(house.authority_of(await house.make_user(role=role)), owner.id)
    service = await house.make_user(kind=UserKind.SERVICE, name="billing", email=None, role=Role.MEMBER)
    with pytest.raises(InvalidRequest):
        await mails.invite(house.operator, service.id)
    await house.rooms.directory.change_user(house.operator, owner.id, UserChanges(status=Status.DISABLED))
    with pytest.raises(Conflict, match="disabled"):
        await mails.invite(house.operator, owner.id)
