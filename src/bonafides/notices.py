"""Owners are told of the end of their keys and personal access tokens, some days before it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final, Protocol

from bonafides.audit import Recorder
from bonafides.letters import Letters
from bonafides.model import Actor, AuditEvent, Clock, Expiring, Topic, User, WaitingLetter, to_datetime
from bonafides.store import DirectoryStore, NoticeStore, NotificationStore

DAYS: Final = (30, 14, 7, 1)
"""How long before the end. Tokens that last for hours are not told of: their holders fetch new ones."""

_ACTOR: Final = Actor(None, None, via="server")
_AGAIN_SECONDS: Final = 3_600
_AT_ONCE: Final = 500


class NoticeUserStore(NoticeStore, NotificationStore, DirectoryStore, Protocol):
    """What notices ask of the store."""


class Notices:
    """Tells of each end at most once for each of `DAYS`, however many processes look for them.

    Args:
        store: Knows what ends, and what was told of.
        recorder: Makes audit events.
        clock: When it is looked for.
        letters: Tell them by mail, too.
    """

    def __init__(self, store: NoticeUserStore, recorder: Recorder, clock: Clock, letters: Letters) -> None:
        self._store = store
        self._recorder = recorder
        self._clock = clock
        self._letters = letters
        self._next_us = 0

    async def tell_each_hour(self) -> None:
        """Tell of what ends soon, unless this process has looked within the hour.

        Raises:
            Unavailable: The database cannot be asked.
        """
        now_us = self._clock.micros()
        if now_us < self._next_us:
            return
        await self.tell()
        await self._store.prune_notices(to_datetime(now_us) - timedelta(days=max(DAYS)))
        self._next_us = now_us + _AGAIN_SECONDS * 1_000_000

    async def tell(self) -> list[Expiring]:
        """Write an event for each credential of whose end it is time to tell; which they are.

        Raises:
            Unavailable: The database cannot be asked.
        """
        now = to_datetime(self._clock.micros())
        told: list[Expiring] = []
        while found := await self._store.expiring(now, DAYS, _AT_ONCE):
            owners = await self._owners(found)
            told += await self._store.note_expiring(
                [(ending, self._event(ending)) for ending in found],
                partial(self._letters_of, owners),
            )
        return told

    async def _owners(self, found: Sequence[Expiring]) -> dict[str, User]:
        """Whom to write to, by their ids."""
        if not self._letters.mail.is_set_up:
            return {}
        owners = {}
        unwanted = await self._store.unwanted_topics({ending.user_id for ending in found})
        for user_id, tenant_id in {(ending.user_id, ending.tenant_id) for ending in found}:
            user = await self._store.find_user(user_id, tenant_id)
            if user is not None and Topic.EXPIRING not in unwanted.get(user_id, ()):
                owners[user_id] = user
        return owners

    def _letters_of(self, owners: Mapping[str, User], told: Sequence[Expiring]) -> list[WaitingLetter]:
        """One letter for each owner, however many of their keys end."""
        by_owner: dict[str, list[Expiring]] = {}
        for ending in told:
            if ending.user_id in owners:
                by_owner.setdefault(ending.user_id, []).append(ending)
        return [
            letter
            for user_id, endings in by_owner.items()
            for letter in self._letters.expiring(owners[user_id], endings)
        ]

    def _event(self, ending: Expiring) -> AuditEvent:
        return self._recorder.event(
            f"{ending.kind}.expiring",
            _ACTOR,
            ending.tenant_id,
            ending.credential_id,
            {
                "name": ending.name,
                "display": ending.display,
                "user_id": ending.user_id,
                "days": ending.days,
                "ends_at": ending.ends_at.replace(tzinfo=None).isoformat() + "Z",
            },
        )
