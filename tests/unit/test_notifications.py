"""Letters that people can switch off are sent to who wants them, and to nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from bonafides.credentials.guesses import Visitor
from bonafides.errors import Forbidden, InvalidRequest
from bonafides.model import Actor, Role, Topic, UserKind
from bonafides.notifications import NotificationSettings
from bonafides.outgoing import Fetched
from tests.unit.conftest import House
from tests.unit.credentials.test_jwt_sessions import login
from tests.unit.test_deliveries import World, happen, hook
from tests.unit.test_deliveries import world as world  # noqa: PLC0414 - a fixture

DAY = 86_400
ELSEWHERE = Visitor("198.51.100.7", "198.51.100.7", "a browser at www.evil.example")


@pytest.fixture
def sent(house: House) -> Iterator[list[EmailMessage]]:
    """What the mail server has taken."""
    taken: list[EmailMessage] = []
    house.rooms.mail._carry = taken.append
    yield taken
    house.rooms.mail._carry = None


@pytest.fixture
def settings(house: House) -> NotificationSettings:
    """The room."""
    return house.rooms.notifications


async def test_who_wants_no_letters_of_ends_gets_none(
    house: House, sent: list[EmailMessage], settings: NotificationSettings
) -> None:
    """Somebody who renews keys by a program would learn to ignore our mails."""
    users = [await house.make_user(role=Role.ADMIN) for _ in range(2)]
    for user in users:
        await house.make_key(user, expires_in=2 * DAY)
    await settings.change(house.operator, users[0].id, {Topic.EXPIRING: False})
    house.clock.advance(DAY + 1)
    assert len(await house.rooms.notices.tell()) == 2, "the trail tells of both"
    await house.rooms.outbox.settle()
    assert [letter["To"] for letter in sent] == [users[1].email]
    assert "/settings/notifications" in sent[0].get_content()


async def test_a_login_from_a_new_place_is_told_once(
    house: House, sent: list[EmailMessage], settings: NotificationSettings
) -> None:
    """Whose password was stolen would hear of it from the damage."""
    assert await login(house) is not None
    await house.rooms.outbox.settle()
    assert sent == [], "nobody was anywhere before their first login"
    for visitor in (ELSEWHERE, ELSEWHERE):
        assert await login(house, visitor=visitor) is not None
    await house.rooms.outbox.settle()
    (letter,) = sent
    assert letter["To"] == house.founded.email
    text = letter.get_content()
    assert "198.51.100.7" in text
    assert "www.evil" not in text
    await settings.change(house.operator, house.founded.user_id, {Topic.PLACES: False})
    third = Visitor("198.51.100.8", "198.51.100.8", "")
    assert await login(house, visitor=third) is not None
    await settings.change(house.operator, house.founded.user_id, {Topic.PLACES: True})
    house.rooms.mail._carry = None
    assert await login(house, visitor=Visitor(None, "198.51.100.9", "")) is not None
    house.rooms.mail._carry = sent.append
    await house.rooms.outbox.settle()
    assert len(sent) == 1


async def test_a_login_after_years_is_told_from_wherever_it_comes(
    house: House, sent: list[EmailMessage]
) -> None:
    """Nobody watches an account that is not used: its thief would be taken for its owner on their first day."""
    house.clock.advance(3 * 365 * DAY)
    assert await login(house) is not None
    await house.rooms.outbox.settle()
    assert [letter["To"] for letter in sent] == [house.founded.email]


async def test_who_administers_a_webhook_hears_of_its_end(
    house: House, world: World, sent: list[EmailMessage], settings: NotificationSettings
) -> None:
    """A program would go by what it was told last, and nobody would know for how long."""
    admin, quiet, member = [
        await house.make_user(role=role) for role in (Role.ADMIN, Role.ADMIN, Role.MEMBER)
    ]
    await settings.change(house.operator, quiet.id, {Topic.WEBHOOKS: False})
    await hook(house)
    await happen(house)
    world.answer = Fetched(410, b"", {})
    await house.rooms.deliveries.settle()
    await house.rooms.outbox.settle()
    assert {letter["To"] for letter in sent} == {admin.email, house.founded.email}
    assert member.email is not None
    text = sent[0].get_content()
    assert "example.com" in text
    assert "gone (410)" in text


async def test_people_choose_for_themselves_and_admins_for_those_below_them(
    house: House, settings: NotificationSettings
) -> None:
    """A colleague could keep somebody from hearing of a theft, or a letter be awaited that no program reads."""
    tenant = await house.make_tenant()
    owner, member = [await house.make_user(tenant.id, role) for role in (Role.OWNER, Role.MEMBER)]
    key = await house.make_key(member, scopes=["read", "write"])
    own = await house.rooms.directory.authority(await house.principal_of(key), Actor(member.id, None, "api"))
    changed = await settings.change(own, member.id, {Topic.PLACES: False})
    assert changed.wanted == {Topic.EXPIRING: True, Topic.PLACES: False, Topic.WEBHOOKS: True}
    assert (await settings.get(own, member.id)).wanted == changed.wanted
    assert (await settings.change(own, member.id, {})).wanted == changed.wanted
    with pytest.raises(Forbidden):
        await settings.get(own, owner.id)
    admins = await house.make_user(tenant.id, Role.ADMIN)
    key = await house.make_key(admins, scopes=["read", "write", "admin"])
    above = await house.rooms.directory.authority(
        await house.principal_of(key), Actor(admins.id, None, "api")
    )
    assert (await settings.change(above, member.id, {Topic.PLACES: True})).wanted[Topic.PLACES]
    with pytest.raises(Forbidden):
        await settings.change(above, owner.id, {Topic.PLACES: False})
    service = await house.make_user(role=Role.MEMBER, kind=UserKind.SERVICE, email=None, name="a program")
    with pytest.raises(InvalidRequest):
        await settings.get(house.operator, service.id)
