"""What should be mended before somebody else finds it: keys that are old, unused or endless, people with a password alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol

from bonafides.authority import Authority
from bonafides.directory import whose
from bonafides.model import (
    Clock,
    Credential,
    CredentialFilter,
    CredentialKind,
    CredentialStatus,
    Page,
    User,
    to_datetime,
)
from bonafides.store import CredentialStore, FactorStore

OLD_DAYS: Final = 90
UNUSED_DAYS: Final = 30
NEW_DAYS: Final = 1
"""A key that was made since then may still be on its way to where it is used."""
SHOWN_MAX: Final = 25


class CheckName(StrEnum):
    """What is looked for, by the names of the wire."""

    OLD_KEY = "old_key"
    NEVER_USED_KEY = "never_used_key"
    UNUSED_KEY = "unused_key"
    ENDLESS_KEY = "endless_key"
    SPARE_SCOPES = "spare_scopes"
    NO_SECOND_FACTOR = "no_second_factor"


TEXTS: Final = MappingProxyType(
    {
        CheckName.OLD_KEY: "Made more than 90 days ago: rotate it.",
        CheckName.NEVER_USED_KEY: "Made more than a day ago, and never used: revoke it.",
        CheckName.UNUSED_KEY: "Not used for 30 days: revoke it.",
        CheckName.ENDLESS_KEY: "Without an expiry: give it one.",
        CheckName.SPARE_SCOPES: "Has scopes that nothing has needed in 30 days and more: take them away.",
        CheckName.NO_SECOND_FACTOR: "A password alone opens this account: set a second factor up.",
    }
)
"""What is wrong with what was found, and what mends it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check has found.

    Args:
        check: Which.
        credentials: The newest of those that it holds against.
        people: The same.
        more: Whether there are others.
        spare: The scopes that nothing has needed, by the id of their credential.
    """

    check: CheckName
    credentials: Sequence[Credential] = ()
    people: Sequence[User] = ()
    more: bool = False
    spare: Mapping[str, frozenset[str]] = field(default_factory=dict)


class ChecklistStore(CredentialStore, FactorStore, Protocol):
    """What the checks ask of the store."""


class Checklist:
    """Looks for what should be mended, as it is now.

    Args:
        store: Where it is.
        clock: How old things are.
    """

    def __init__(self, store: ChecklistStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def findings(self, authority: Authority, *, tenant_id: str | None = None) -> Sequence[Finding]:
        """Every check: of the tenant for who administers it, else of one's own things.

        Raises:
            NotFound: The tenant is not the caller's.
        """
        tenant, user_id = authority.tenant(tenant_id), whose(authority, None)
        now = to_datetime(self._clock.micros())
        page = Page(SHOWN_MAX + 1)
        found = []
        for check, which in _filters(user_id, now).items():
            keys = await self._store.list_credentials(tenant, page, which)
            shown = keys[:SHOWN_MAX]
            spare = await self._spare(shown) if check is CheckName.SPARE_SCOPES else {}
            found.append(Finding(check, credentials=shown, more=len(keys) > SHOWN_MAX, spare=spare))
        people = await self._store.list_people_without_factor(tenant, page, user_id)
        found.append(
            Finding(CheckName.NO_SECOND_FACTOR, people=people[:SHOWN_MAX], more=len(people) > SHOWN_MAX)
        )
        return found

    async def needed_scopes(self, key: Credential) -> frozenset[str]:
        """Of the scopes that a key has, those that something has needed."""
        return key.scopes & (await self._store.used_scopes([key.id]))[key.id]

    async def _spare(self, keys: Sequence[Credential]) -> Mapping[str, frozenset[str]]:
        if not keys:
            return {}
        used = await self._store.used_scopes([key.id for key in keys])
        return {key.id: key.scopes - used[key.id] for key in keys}


def _filters(user_id: str | None, now: datetime) -> MappingProxyType[CheckName, CredentialFilter]:
    def keys(
        *,
        created_days: int = 0,
        used_days: int = 0,
        never_used: bool = False,
        endless: bool = False,
        spare_days: int = 0,
    ) -> CredentialFilter:
        return CredentialFilter(
            kind=CredentialKind.API_KEY,
            user_id=user_id,
            status=CredentialStatus.ACTIVE,
            lasting_at=now,
            created_before=now - timedelta(days=created_days) if created_days else None,
            used_before=now - timedelta(days=used_days) if used_days else None,
            never_used=never_used,
            endless=endless,
            spare_before=now - timedelta(days=spare_days) if spare_days else None,
        )

    return MappingProxyType(
        {
            CheckName.OLD_KEY: keys(created_days=OLD_DAYS),
            CheckName.NEVER_USED_KEY: keys(created_days=NEW_DAYS, never_used=True),
            CheckName.UNUSED_KEY: keys(used_days=UNUSED_DAYS),
            CheckName.ENDLESS_KEY: keys(endless=True),
            CheckName.SPARE_SCOPES: keys(spare_days=UNUSED_DAYS),
        }
    )
