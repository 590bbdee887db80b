"""Mails: given to an SMTP server off the event loop, or, on a developer's machine, shown. The only file that knows smtplib."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any, Final

import structlog
from typing_extensions import override

from bonafides.errors import AppError
from bonafides.model import Clock, Entropy, to_datetime
from bonafides.settings import Settings

SECONDS_MAX: Final = 15
"""Of one conversation with the server."""
WAITING_MAX: Final = 1_000
SETTLING_SECONDS_MAX: Final = 5.0

log = structlog.get_logger("bonafides.mail")

Carry = Callable[[EmailMessage], None]
"""Hands a message over, in a thread of its own; raises where that failed."""


@dataclass(frozen=True, slots=True, repr=False)
class Letter:
    """What somebody is told by mail; it may hold what serves once."""

    to: str
    subject: str
    text: str

    @override
    def __repr__(self) -> str:
        return f"Letter(subject={self.subject!r})"


class Mail:
    """Hands letters over, off the event loop; `outbox.py` knows which, and when again.

    Nobody waits for a letter, so that the time of an answer tells nothing about it.

    Args:
        carry: Hands a message over; None where mails cannot be sent.
        sender: The address that letters come from.
        clock: Their date.
        entropy: Their names.
    """

    def __init__(
        self,
        carry: Carry | None,
        sender: str,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._carry = carry
        self._sender = sender
        self._clock = clock
        self._entropy = entropy
        self._threads = ThreadPoolExecutor(2, "mail")
        self._under_way: set[asyncio.Task[None]] = set()
        self.works = True
        """Whether the mail server has taken what it was given last."""

    @property
    def is_set_up(self) -> bool:
        """Whether letters reach anybody."""
        return self._carry is not None

    async def deliver(self, letter: Letter) -> bool:
        """Hand a letter over; False where it is worth another try."""
        if self._carry is None:
            return False
        try:
            message = self._message(letter)
        except (MessageError, ValueError, UnicodeError):
            log.exception("mail_not_sent", reason="it cannot be written", subject=letter.subject)
            return True
        return await self._is_done_with(message, letter, self._carry)

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that ends in a letter, when nobody waits for it any more."""
        if len(self._under_way) >= WAITING_MAX:
            work.close()
            log.error("mail_not_sent", reason="too many are waiting")
            return
        task = asyncio.get_running_loop().create_task(self._guarded(work), name="mail")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def settle(self) -> None:
        """Return when all that was begun has ended; what takes too long is given up."""
        while self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=SETTLING_SECONDS_MAX)
            for task in late:
                task.cancel()

    async def close(self) -> None:
        """Finish what is under way, and end."""
        await self.settle()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except AppError as error:
            log.error("mail_not_sent", reason=error.internal or error.code)  # noqa: TRY400 - no traceback is needed

    async def _is_done_with(self, message: EmailMessage, letter: Letter, carry: Carry) -> bool:
        """Hand a message over; False where it is worth another try."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, carry, message)
        except smtplib.SMTPRecipientsRefused:
            log.warning("mail_refused", subject=letter.subject)
        except (OSError, smtplib.SMTPException) as error:
            log.warning("mail_failed", kind=type(error).__name__, subject=letter.subject)
            self.works = False
            return False
        else:
            log.info("mail_sent", subject=letter.subject)
        self.works = True
        return True

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = self._sender
        message["To"] = letter.to
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(to_datetime(self._clock.micros()))
        message["Message-ID"] = f"<{self._entropy(16).hex()}@{self._sender.rpartition('@')[2].rstrip('>')}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        return message


def carrier_of(settings: Settings) -> Carry | None:
    """How letters are handed over: to the server that is set, else shown to a developer, else not at all."""
    if settings.smtp_host:
        return lambda message: _hand_over(settings, message)
    return None if settings.production else _show


def _hand_over(settings: Settings, message: EmailMessage) -> None:
    """Give a message to the SMTP server. Where TLS is wanted, nothing is said without it.

    See: OWASP ASVS 12.3.2
    """
    host, port = settings.smtp_host, settings.smtp_port
    name = settings.mail_from.rpartition("@")[2].rstrip(">") or "localhost"
    context = ssl.create_default_context()
    connection = (
        smtplib.SMTP_SSL(host, port, name, timeout=SECONDS_MAX, context=context)
        if settings.smtp_tls == "tls"
        else smtplib.SMTP(host, port, name, timeout=SECONDS_MAX)
    )
    with connection:
        if settings.smtp_tls == "starttls":
            connection.starttls(context=context)
        if settings.smtp_user:
            connection.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        connection.send_message(message)


def _show(message: EmailMessage) -> None:
    """Show a message to whoever has started the server; past the log, which would hide what serves once."""
    lines = [f"{name}: {message[name]}" for name in ("To", "Subject")]
    text = "\n".join([*lines, "", message.get_content()]).rstrip()
    sys.stderr.write("\n".join(f"mail> {line}" for line in text.splitlines()) + "\n")
    sys.stderr.flush()
