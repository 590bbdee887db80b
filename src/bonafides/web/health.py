"""What works: the checks behind `/readyz` for machines and `/status` for people, who are told nothing that helps a stranger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bonafides.credentials.signing_keys import SigningKeys
from bonafides.errors import Unavailable
from bonafides.mail import Mail
from bonafides.settings import Settings
from bonafides.store import InstallationStore, LimitStore


class Freshness(Protocol):
    """Whether memory is kept up to date."""

    def is_fresh(self) -> bool:
        """False when the change feed was not read for too long."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the server.

    Args:
        name: For people.
        text: What it is for.
        works: None where it is not set up.
        needed: Whether nothing is answered without it.
    """

    name: str
    text: str
    works: bool | None
    needed: bool = False


class Health:
    """Looks at the parts of the server.

    Args:
        store: Asked whether it answers.
        freshness: Asked whether memory may be trusted.
        limits: Asked whether it leases.
        mail: Asked whether mails are taken.
        signing_keys: Asked whether there is one.
        settings: Say which parts there are.
    """

    def __init__(
        self,
        store: InstallationStore,
        freshness: Freshness,
        limits: LimitStore,
        mail: Mail,
        signing_keys: SigningKeys,
        settings: Settings,
    ) -> None:
        self._store = store
        self._freshness = freshness
        self._limits = limits
        self._mail = mail
        self._signing_keys = signing_keys
        self._settings = settings

    async def ready(self) -> None:
        """Return if requests can be answered truthfully.

        Raises:
            Unavailable: The database is away, or memory lags behind it.
        """
        await self._store.ping()
        if not self._freshness.is_fresh():
            message = "The change feed lags, so memory is not trusted."
            raise Unavailable(message)

    async def parts(self) -> Sequence[Part]:
        """Every part, as it is now."""
        database = await self._database()
        return (
            Part("Database", "Credentials are made, changed and looked up.", database, needed=True),
            Part("Changes", "Revocations reach every part at once.", self._freshness.is_fresh(), needed=True),
            Part(
                "Limits", "Requests are counted.", await self._leases() if self._settings.valkey else database
            ),
            Part("Signing keys", "Logins and tokens are signed.", await self._signs()),
            Part(
                "Mail", "Resets and invitations are sent.", self._mail.works if self._mail.is_set_up else None
            ),
        )

    async def _database(self) -> bool:
        try:
            await self._store.ping()
        except Unavailable:
            return False
        return True

    async def _leases(self) -> bool:
        """Whether every part of the other memory answers; one that does not is left out of its eras."""
        try:
            return bool(await self._limits.eras())
        except Unavailable:
            return False

    async def _signs(self) -> bool:
        try:
            return bool((await self._signing_keys.key_set())["keys"])
        except Unavailable:
            return False
