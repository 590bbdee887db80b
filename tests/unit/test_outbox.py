"""Letters on their way: sealed where they wait, sent again until they are taken, and given up in the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from bonafides.errors import Unavailable
from bonafides.mail import Letter
from bonafides.model import Actor, WaitingLetter, to_datetime
from bonafides.outbox import AGAIN_AFTER_SECONDS, KEPT_DAYS, Outbox
from bonafides.secret import Peppers, parse_pepper
from tests.unit.conftest import House

ADDRESS = "ada@example.com"
TOKEN = "bf_rst_a_secret"
SECOND_US = 1_000_000


class Postman:
    """Takes letters, when he is not away."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.tries = 0
        self.away = False
        self.seconds = 0.0

    def __call__(self, message: EmailMessage) -> None:
        """Take one."""
        self.tries += 1
        time.sleep(self.seconds)
        if self.away:
            raise ConnectionRefusedError
        self.taken.append(message)


@pytest.fixture
def postman(house: House) -> Iterator[Postman]:
    """Stands where the mail server would."""
    made, before = Postman(), house.rooms.mail._carry
    house.rooms.mail._carry = made
    yield made
    house.rooms.mail._carry = before


async def write(house: House, ends_in: int | None = None) -> tuple[WaitingLetter, ...]:
    """Write a letter with an event."""
    ends = None if ends_in is None else to_datetime(house.clock.now_us + ends_in * SECOND_US)
    letters = house.rooms.outbox.sealed(Letter(ADDRESS, "Choose", TOKEN), ends)
    actor = Actor(None, None, "test")
    recorder = house.rooms.notices._recorder
    await house.rooms.store.append_event(
        recorder.event("user.changed", actor, house.operator.tenant_id, "usr_1", letters=letters)
    )
    return letters


async def waiting(house: House) -> int:
    """How many letters wait."""
    return len(await house.rooms.store.due_letters(to_datetime(house.clock.now_us * 2), 100))


async def test_a_letter_waits_sealed_until_it_is_sent(
    house: House, postman: Postman, sqlite_path: Path
) -> None:
    """Attack 7: whoever reads a backup would choose everybody's password who has just asked for another."""
    await write(house)
    assert await waiting(house) == 1
    for path in sqlite_path.parent.glob(f"{sqlite_path.name}*"):
        assert TOKEN.encode() not in path.read_bytes()
        assert ADDRESS.encode() not in path.read_bytes()
    await house.rooms.outbox.send_due()
    (message,) = postman.taken
    assert message["To"] == ADDRESS
    assert message.get_content().strip() == TOKEN
    assert await waiting(house) == 0


async def test_a_letter_is_tried_again_ever_later_and_once_it_is_taken_no_more(
    house: House, postman: Postman
) -> None:
    """A mail server that is away for an hour would cost everybody their mails, or be asked without a pause."""
    postman.away = True
    await write(house)
    for tries, seconds in enumerate((*AGAIN_AFTER_SECONDS, AGAIN_AFTER_SECONDS[-1]), 1):
        await house.rooms.outbox.send_due()
        house.clock.advance(seconds - 1)
        await house.rooms.outbox.send_due()
        assert postman.tries == tries
        house.clock.advance(1)
    postman.away = False
    await house.rooms.outbox.send_due()
    await house.rooms.outbox.send_due()
    assert (len(postman.taken), await waiting(house)) == (1, 0)


async def test_another_process_sends_what_one_died_over(house: House, postman: Postman) -> None:
    """A kill between two commands would lose a reset that its owner waits for."""
    (letter,) = await write(house)
    later = to_datetime(house.clock.now_us + 180 * SECOND_US)
    assert await house.rooms.store.put_letter_off(letter, later)  # and dies
    await house.rooms.outbox.send_due()
    assert postman.taken == []
    house.clock.advance(180)
    await house.rooms.outbox.send_due()
    assert len(postman.taken) == 1


@pytest.mark.parametrize(("ends_in", "kept"), [(600, 600), (None, KEPT_DAYS * 86_400)])
async def test_what_serves_no_more_is_given_up(
    house: House, postman: Postman, ends_in: int | None, kept: int
) -> None:
    """People would get a week of old resets when the mail server comes back."""
    await write(house, ends_in)
    house.clock.advance(kept)
    await house.rooms.outbox.send_due()
    assert (postman.tries, await waiting(house)) == (0, 0)


async def test_what_nobody_can_open_is_given_up(house: House, postman: Postman) -> None:
    """A pepper that was taken out of force would leave an error each second for ever."""
    await write(house)
    rooms = house.rooms
    others = Peppers([parse_pepper("ab" * 32)])
    await Outbox(rooms.store, rooms.mail, others, house.clock, bytes).send_due()
    assert (postman.tries, await waiting(house)) == (0, 0)


async def test_of_two_senders_at_once_one_sends(house: House, postman: Postman) -> None:
    """Everybody would get everything twice."""
    await write(house)
    rooms = house.rooms
    other = Outbox(rooms.store, rooms.mail, house.rooms.outbox._peppers, house.clock, bytes)
    await asyncio.gather(rooms.outbox.send_due(), other.send_due(), rooms.outbox.send_due())
    assert len(postman.taken) == 1


async def test_it_is_looked_for_soon_after_something_was_written_and_else_now_and_then(
    house: House, postman: Postman, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody would wait a quarter of a minute for their mail, or each process ask the database each second."""
    looks: list[int] = []
    found = house.rooms.store.due_letters

    async def counted(*arguments: object) -> object:
        looks.append(1)
        return await found(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(house.rooms.store, "due_letters", counted)
    for _ in range(30):
        await house.rooms.outbox.look()
    assert len(looks) == 2
    await write(house)
    await house.rooms.outbox.look()
    assert len(postman.taken) == 1


async def test_a_program_that_ends_sends_what_it_has_written_but_waits_for_nobody_long(
    house: House, postman: Postman, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An invitation by the command line would wait for the server, or the command for a mail server that hangs."""
    await house.rooms.outbox.settle()
    await write(house)
    await house.rooms.outbox.settle()
    assert len(postman.taken) == 1
    monkeypatch.setattr("bonafides.outbox.SETTLING_SECONDS_MAX", 0.05)
    postman.seconds = 0.5
    await write(house)
    await house.rooms.outbox.settle()
    assert await waiting(house) == 1

    async def away(*_: object) -> None:
        raise Unavailable

    monkeypatch.setattr(house.rooms.store, "due_letters", away)
    await house.rooms.outbox.settle()


async def test_where_no_mail_can_be_sent_nothing_is_written(house: House, postman: Postman) -> None:
    """Letters that nobody will ever send would gather."""
    await write(house)
    house.rooms.mail._carry = None
    assert house.rooms.outbox.sealed(Letter(ADDRESS, "Choose", TOKEN)) == ()
    assert not await house.rooms.mail.deliver(Letter(ADDRESS, "Choose", TOKEN))
    await house.rooms.outbox.send_due()
    assert (postman.tries, await waiting(house)) == (0, 1)
