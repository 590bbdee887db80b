"""What should be mended before somebody else finds it: keys that are old, unused, endless or on strange networks, people with a password alone."""

from __future__ import annotations

import asyncio
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
    NetworkUse,
    NewNetworks,
    Page,
    SharedNetworks,
    TenantScope,
    User,
    to_datetime,
)
from bonafides.store import CredentialStore, FactorStore

OLD_DAYS: Final = 90
UNUSED_DAYS: Final = 30
NEW_DAYS: Final = 1
"""A key that was made since then may still be on its way to where it is used."""
NEW_NETWORK_DAYS: Final = 7
KNOWN_DAYS: Final = 30
"""A key that was used for so long has networks that it is known from."""
NETWORKS_MAX: Final = 8
"""A key that is used from more networks has none that it is at home in."""
PEOPLE_MAX: Final = 5
"""A network that more people share is the way out of a house, and tells of nobody."""
SHOWN_MAX: Final = 25


class CheckName(StrEnum):
    """What is looked for, by the names of the wire."""

    OLD_KEY = "old_key"
    NEVER_USED_KEY = "never_used_key"
    UNUSED_KEY = "unused_key"
    ENDLESS_KEY = "endless_key"
    SPARE_SCOPES = "spare_scopes"
    NEW_NETWORK = "new_network"
    SHARED_NETWORK = "shared_network"
    NO_SECOND_FACTOR = "no_second_factor"


TEXTS: Final = MappingProxyType(
    {
        CheckName.OLD_KEY: "Made more than 90 days ago: rotate it.",
        CheckName.NEVER_USED_KEY: "Made more than a day ago, and never used: revoke it.",
        CheckName.UNUSED_KEY: "Not used for 30 days: revoke it.",
        CheckName.ENDLESS_KEY: "Without an expiry: give it one.",
        CheckName.SPARE_SCOPES: "Has scopes that nothing has needed in 30 days and more: take them away.",
        CheckName.NEW_NETWORK: "Used from a network that is new this week, after a month from others: bind it to those, or rotate it.",
        CheckName.SHARED_NETWORK: (
            "Used from a network from which a few other people's keys are used too: bind it to the networks that it is known from, so "
            "that it is of no use to who takes it elsewhere."
        ),
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
        networks: Those that are new to a credential or shared, by its id.
        known: Those that it is known from, to which it can be bound, by its id.
    """

    check: CheckName
    credentials: Sequence[Credential] = ()
    people: Sequence[User] = ()
    more: bool = False
    spare: Mapping[str, frozenset[str]] = field(default_factory=dict)
    networks: Mapping[str, Sequence[NetworkUse]] = field(default_factory=dict)
    known: Mapping[str, Sequence[str]] = field(default_factory=dict)


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
        # At once, for each of them reads much of a large tenant.
        return await asyncio.gather(
            *(self._keys(tenant, check, which, now) for check, which in _filters(user_id, now).items()),
            self._people(tenant, user_id),
        )

    async def _keys(
        self, tenant: TenantScope, check: CheckName, which: CredentialFilter, now: datetime
    ) -> Finding:
        keys = await self._store.list_credentials(tenant, Page(SHOWN_MAX + 1), which)
        shown = keys[:SHOWN_MAX]
        uses = await self._store.networks_of([key.id for key in shown]) if which.networks else {}
        return Finding(
            check,
            credentials=shown,
            more=len(keys) > SHOWN_MAX,
            spare=await self._spare(shown) if check is CheckName.SPARE_SCOPES else {},
            networks=await self._told(tenant, which.networks, uses),
            known={key_id: _known(used, now) for key_id, used in uses.items()},
        )

    async def _people(self, tenant: TenantScope, user_id: str | None) -> Finding:
        people = await self._store.list_people_without_factor(tenant, Page(SHOWN_MAX + 1), user_id)
        return Finding(CheckName.NO_SECOND_FACTOR, people=people[:SHOWN_MAX], more=len(people) > SHOWN_MAX)

    async def needed_scopes(self, key: Credential) -> frozenset[str]:
        """Of the scopes that a key has, those that something has needed."""
        return key.scopes & (await self._store.used_scopes([key.id]))[key.id]

    async def known_networks(self, key: Credential) -> Sequence[str]:
        """The networks that a key is known from: those of more than a week, or all where none is as old."""
        used = (await self._store.networks_of([key.id]))[key.id]
        return _known(used, to_datetime(self._clock.micros()))

    async def _told(
        self,
        tenant: TenantScope,
        which: NewNetworks | SharedNetworks | None,
        uses: Mapping[str, Sequence[NetworkUse]],
    ) -> Mapping[str, Sequence[NetworkUse]]:
        """Of the networks of each key, those that the check is about."""
        if isinstance(which, NewNetworks):
            return {
                key_id: [use for use in used if use.first_used_at >= which.since]
                for key_id, used in uses.items()
            }
        if which is None or not uses:
            return {}
        networks = sorted({use.network for used in uses.values() for use in used})
        shared = await self._store.shared_networks(tenant, networks, which.people_max)
        return {key_id: [use for use in used if use.network in shared] for key_id, used in uses.items()}

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
        networks: NewNetworks | SharedNetworks | None = None,
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
            unbound=networks is not None,
            networks=networks,
        )

    return MappingProxyType(
        {
            CheckName.OLD_KEY: keys(created_days=OLD_DAYS),
            CheckName.NEVER_USED_KEY: keys(created_days=NEW_DAYS, never_used=True),
            CheckName.UNUSED_KEY: keys(used_days=UNUSED_DAYS),
            CheckName.ENDLESS_KEY: keys(endless=True),
            CheckName.SPARE_SCOPES: keys(spare_days=UNUSED_DAYS),
            CheckName.NEW_NETWORK: keys(
                networks=NewNetworks(
                    since=now - timedelta(days=NEW_NETWORK_DAYS),
                    known_before=now - timedelta(days=KNOWN_DAYS),
                    networks_max=NETWORKS_MAX,
                )
            ),
            CheckName.SHARED_NETWORK: keys(networks=SharedNetworks(PEOPLE_MAX, NETWORKS_MAX)),
        }
    )


def _known(used: Sequence[NetworkUse], now: datetime) -> Sequence[str]:
    old = now - timedelta(days=NEW_NETWORK_DAYS)
    named = [use for use in used if use.network]
    return sorted(use.network for use in [use for use in named if use.first_used_at < old] or named)
