"""Letters on their way: sealed in the database from the transaction of the event that they tell of, until a mail server has them.

So a process that is killed, or a mail server that is away for a day, loses none; what is sent twice is what
was taken in the moment in which the process that sent it died.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta
from typing import Final

import msgspec
import structlog

from bonafides.errors import Unavailable
from bonafides.mail import Letter, Mail
from bonafides.model import Clock, Entropy, WaitingLetter, to_datetime
from bonafides.secret import Peppers, new_id
from bonafides.store import LetterStore

KEPT_DAYS: Final = 3
"""How long a letter is tried that serves for nothing which ends before."""
AGAIN_AFTER_SECONDS: Final = (5, 30, 120, 600, 1_800, 3_600)
"""How long after each failure; the last one holds for all that follow."""
SETTLING_SECONDS_MAX: Final = 5.0

_AT_ONCE: Final = 10
_TAKEN_SECONDS: Final = 180
"""Nobody else sends a letter meanwhile: longer than two threads need for `_AT_ONCE` that hang."""
_HURRIED_LOOKS: Final = 5
_LOOKS_PAST: Final = 15

log = structlog.get_logger("bonafides.outbox")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[str, str, str]).decode


class Pace:
    """How often a process asks for what waits: at each look for a while after it has written something, else now and then."""

    def __init__(self) -> None:
        self._hurried = 0
        self._passed = 0

    @property
    def is_hurried(self) -> bool:
        """Whether this process has written something of late."""
        return bool(self._hurried)

    def hurry(self) -> None:
        """Something was written."""
        self._hurried = _HURRIED_LOOKS

    def is_time(self) -> bool:
        """Whether to ask at this look."""
        if self._hurried:
            self._hurried -= 1
            return True
        self._passed = (self._passed + 1) % _LOOKS_PAST
        return self._passed == 0


class Outbox:
    """Seals letters, and sends those that are due, each by one process.

    Args:
        store: Where they wait.
        mail: Hands them over.
        peppers: Seal them: what serves once stands in them.
        clock: When they are due.
        entropy: For ids and nonces.
    """

    def __init__(
        self, store: LetterStore, mail: Mail, peppers: Peppers, clock: Clock, entropy: Entropy
    ) -> None:
        self._store = store
        self._mail = mail
        self._peppers = peppers
        self._clock = clock
        self._entropy = entropy
        self._sending = asyncio.Lock()
        self._pace = Pace()

    def sealed(self, letter: Letter, expires_at: datetime | None = None) -> tuple[WaitingLetter, ...]:
        """A letter for the transaction of the event that it tells of; none where mails cannot be sent.

        Args:
            letter: What is said.
            expires_at: When what it holds serves no more, and nobody needs it.
        """
        if not self._mail.is_set_up:
            log.warning("mail_not_sent", reason="smtp_host is not set", subject=letter.subject)
            return ()
        now_us = self._clock.micros()
        now = to_datetime(now_us)
        identifier = new_id("ltr", now_us, self._entropy)
        told = _encode((letter.to, letter.subject, letter.text))
        sealed = self._peppers.seal_at_rest(told, _place(identifier), self._entropy)
        self._pace.hurry()
        ends = expires_at or now + timedelta(days=KEPT_DAYS)
        return (WaitingLetter(identifier, sealed, self._peppers.newest_id, now, now, ends),)

    async def look(self) -> None:
        """Send what is due, soon after this process has written a letter, else at every fifteenth call.

        Raises:
            Unavailable: The database cannot be asked; the letters stay.
        """
        if self._pace.is_time():
            await self.send_due()

    async def send_due(self) -> None:
        """Send every letter that is due.

        Raises:
            Unavailable: The database cannot be asked; the letters stay.
        """
        if not self._mail.is_set_up:
            return
        async with self._sending:
            while due := await self._store.due_letters(to_datetime(self._clock.micros()), _AT_ONCE):
                await asyncio.gather(*(self._send(letter) for letter in due))

    async def settle(self) -> None:
        """Send what this process has written, for a while; what is not sent by then, another one sends."""
        await self._mail.settle()
        if self._pace.is_hurried:
            with contextlib.suppress(Unavailable, TimeoutError):
                await asyncio.wait_for(self.send_due(), SETTLING_SECONDS_MAX)

    async def _send(self, letter: WaitingLetter) -> None:
        now = to_datetime(self._clock.micros())
        if not await self._store.put_letter_off(letter, now + timedelta(seconds=_TAKEN_SECONDS)):
            return
        opened = self._opened(letter)
        if opened is None:
            log.error("mail_given_up", reason="no pepper in force opens it", letter_id=letter.id)
        elif letter.expires_at <= now:
            log.error("mail_given_up", reason="the mail server did not take it", subject=opened.subject)
        elif not await self._mail.deliver(opened):
            # Each try puts it off twice: until somebody else may send it, and until it is worth it.
            wait = AGAIN_AFTER_SECONDS[min(letter.tries // 2, len(AGAIN_AFTER_SECONDS) - 1)]
            again = to_datetime(self._clock.micros()) + timedelta(seconds=wait)
            await self._store.put_letter_off(letter.put_off(now + timedelta(seconds=_TAKEN_SECONDS)), again)
            return
        await self._store.forget_letter(letter.id)

    def _opened(self, letter: WaitingLetter) -> Letter | None:
        told = self._peppers.unseal_at_rest(letter.sealed, _place(letter.id))
        return None if told is None else Letter(*_decode(told))


def _place(identifier: str) -> str:
    return f"letters.sealed.{identifier}"
