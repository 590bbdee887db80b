"""Guesses at passwords and codes: limited by account and by address, so that nobody locks others out.

Strangers' guesses at an account count together, wherever they come from. Where its owner has logged in
from lately, guesses count apart: strangers cannot use those up.

See: NIST SP 800-63B-4 §3.2.2
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from bonafides.errors import TooManyRequests
from bonafides.model import Clock, GuessLimit, to_datetime
from bonafides.secret import Peppers
from bonafides.store import AccountStore, SessionStore

FREE: Final = 5
MOST: Final = 100
STRANGERS_SECONDS_MAX: Final = 3_600
OWNERS_SECONDS_MAX: Final = 300
ADDRESS_FREE: Final = 30
ADDRESS_SECONDS_MAX: Final = 300
ADDRESS_FORGOTTEN_SECONDS: Final = 900
MAILS_FREE: Final = 3
MAILS_FROM_FREE: Final = 20
MAILS_FORGOTTEN_SECONDS: Final = 3_600
REGISTRATIONS_FORGOTTEN_SECONDS: Final = 3_600


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a login comes from.

    Args:
        address: As far as it can be believed; None if it is not known.
        network: What is counted together with it: an IPv6 address's /64.
        device: What it says of itself.
    """

    address: str | None
    network: str
    device: str


class GuessStore(AccountStore, SessionStore, Protocol):
    """What is asked of the store."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A guess that may be judged; it is counted as wrong already.

    Args:
        counts: To forget if it was right.
        place: Where its user is known from then on.
        known: Whether they were known there before, as far as that was asked.
    """

    counts: tuple[str, ...]
    place: str
    known: bool | None = None


class Guesses:
    """Admits guesses.

    Args:
        store: Where they are counted, for all processes.
        peppers: Hide whose they are.
        clock: The time that waits go by.
    """

    def __init__(self, store: GuessStore, peppers: Peppers, clock: Clock) -> None:
        self._store = store
        self._peppers = peppers
        self._clock = clock

    async def admit(self, name: str, user_id: str | None, visitor: Visitor) -> Admitted:
        """Count one more guess at an account, whether or not there is one of that name.

        Args:
            name: What was typed in, in the one form in which names are compared.
            user_id: Whose account it is, if there is one.
            visitor: Who guesses.

        Raises:
            TooManyRequests: It has to wait; nothing was counted.
        """
        return await self._admit("account", name, user_id, visitor)

    async def admit_code(self, user_id: str, visitor: Visitor) -> Admitted:
        """Count one more guess at a user's second factor, whichever they have: all kinds count together.

        Args:
            user_id: Whose; only who knows their password gets so far.
            visitor: Who guesses.

        Raises:
            TooManyRequests: It has to wait; nothing was counted.

        See: OWASP ASVS 6.3.1
        """
        return await self._admit("factor", user_id, user_id, visitor)

    def uncounted(self, user_id: str, visitor: Visitor) -> Admitted:
        """What is judged without a count, because nobody guesses it: a signature."""
        return Admitted((), self._place(user_id, visitor))

    async def admit_mail(self, name: str, visitor: Visitor) -> None:
        """Count one more mail that was asked for, whether or not anybody has this name.

        Raises:
            TooManyRequests: There were too many, for this name or from there; nothing was counted.
        """
        limits = [
            GuessLimit(
                self._peppers.subject_digest("mail", name),
                MAILS_FREE,
                STRANGERS_SECONDS_MAX,
                forgotten_seconds=MAILS_FORGOTTEN_SECONDS,
            ),
            GuessLimit(
                self._peppers.subject_digest("mails from", visitor.network),
                MAILS_FROM_FREE,
                STRANGERS_SECONDS_MAX,
                forgotten_seconds=MAILS_FORGOTTEN_SECONDS,
            ),
        ]
        wait = await self._store.count_guess(limits, to_datetime(self._clock.micros()))
        if wait:
            raise TooManyRequests(retry_after_seconds=wait)

    async def admit_registration(self, visitor: Visitor, free: int) -> None:
        """Count one more client that somebody registers whom nobody knows.

        Args:
            visitor: Who does.
            free: How many they may register before they have to wait.

        Raises:
            TooManyRequests: There were too many from there; nothing was counted.
        """
        limit = GuessLimit(
            self._peppers.subject_digest("registrations from", visitor.network),
            free,
            STRANGERS_SECONDS_MAX,
            forgotten_seconds=REGISTRATIONS_FORGOTTEN_SECONDS,
        )
        wait = await self._store.count_guess([limit], to_datetime(self._clock.micros()))
        if wait:
            raise TooManyRequests(retry_after_seconds=wait)

    async def _admit(self, what: str, name: str, user_id: str | None, visitor: Visitor) -> Admitted:
        place = self._place(user_id or "", visitor)
        # Asked for nobody's account, too: the time must not tell whether there is one.
        known = await self._store.knows_place(user_id or "", place)
        everybodys = self._peppers.subject_digest(what, name)
        owners = self._peppers.subject_digest(what, name, visitor.network)
        limits = _owners(owners) if known else self._strangers(everybodys, visitor)
        wait = await self._store.count_guess(limits, to_datetime(self._clock.micros()))
        if wait:
            raise TooManyRequests(retry_after_seconds=wait)
        return Admitted((limits[0].subject, everybodys), place, known)

    def _place(self, user_id: str, visitor: Visitor) -> str:
        return self._peppers.subject_digest("place", user_id, visitor.network)

    def _strangers(self, subject: str, visitor: Visitor) -> list[GuessLimit]:
        address = self._peppers.subject_digest("address", visitor.network)
        return [
            GuessLimit(subject, FREE, STRANGERS_SECONDS_MAX, MOST),
            GuessLimit(
                address, ADDRESS_FREE, ADDRESS_SECONDS_MAX, forgotten_seconds=ADDRESS_FORGOTTEN_SECONDS
            ),
        ]


def _owners(subject: str) -> list[GuessLimit]:
    return [GuessLimit(subject, FREE, OWNERS_SECONDS_MAX, MOST)]
