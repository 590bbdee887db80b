"""How much a credential, a user or a tenant was used: the last hour, day or month, bucket by bucket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, Protocol

from bonafides.authority import Authority
from bonafides.directory import Directory, require_self_or_administration
from bonafides.errors import NotFound
from bonafides.model import (
    ACCEPTED,
    Clock,
    NetworkUse,
    Usage,
    UsageBucket,
    UsagePeriod,
    UsageSpan,
    UsageSubject,
    to_datetime,
    to_micros,
)
from bonafides.store import CredentialStore, UsageStore

BUCKETS: Final[Mapping[UsagePeriod, tuple[UsageSpan, int]]] = {
    UsagePeriod.HOUR: (UsageSpan.MINUTE, 60),
    UsagePeriod.DAY: (UsageSpan.HOUR, 24),
    UsagePeriod.MONTH: (UsageSpan.DAY, 30),
}
"""For each period the length of its buckets and their number; all are of UTC, and the last one is under way."""

_SECOND_US: Final = 1_000_000
_FORGOTTEN_AT_ONCE: Final = 5_000
_FORGETTINGS_MAX: Final = 200
_NETWORKS_EVERY_US: Final = 3_600 * _SECOND_US


class CountedStore(CredentialStore, UsageStore, Protocol):
    """What this room asks of the store."""


class UsageReports:
    """Tells how much was used, to whoever may see the credentials, and forgets what is too old.

    Args:
        store: Where the counts are.
        directory: Whose credentials they are.
        clock: When it is asked.
        kept_days: How long the counts of each length are kept.
        networks_kept_days: How long a network is kept from which a credential was used; 0 for not at all.
    """

    def __init__(
        self,
        store: CountedStore,
        directory: Directory,
        clock: Clock,
        kept_days: Mapping[UsageSpan, int],
        networks_kept_days: int,
    ) -> None:
        self._store = store
        self._directory = directory
        self._clock = clock
        self._kept_days = kept_days
        self.networks_kept_days = networks_kept_days
        """How long a network is kept from which a credential was used; 0 for not at all."""
        self._networks_pruned_us = 0

    async def usage(
        self,
        authority: Authority,
        period: UsagePeriod,
        *,
        tenant_id: str | None = None,
        user_id: str | None = None,
        credential_id: str | None = None,
        lineage: bool = False,
    ) -> Usage:
        """The usage of a credential, of a user's credentials, or of the tenant's; a member's own by default.

        Args:
            authority: Whoever asks.
            period: How far back.
            tenant_id: Whose users.
            user_id: Whose credentials.
            credential_id: Of this one alone.
            lineage: Of everything of its lineage: what it was rotated from and to, and all tokens that were made
                from these, which limits count together. A token that has ended is still counted. Sums of a user
                or a tenant have all that in any case.

        Raises:
            Forbidden: The caller asks for another user's without `admin`.
            NotFound: There is no such credential, user or tenant, or it is not the caller's to see.
        """
        subject = await self.subject(authority, tenant_id, user_id, credential_id, lineage=lineage)
        span, number = BUCKETS[period]
        span_us = span * _SECOND_US
        now_us = self._clock.micros()
        last_us = now_us - now_us % span_us
        starts = [last_us - back * span_us for back in reversed(range(number))]
        found = await self._store.usage_of(subject, span, starts)
        refusals: dict[int, dict[str, int]] = {}
        total: dict[str, int] = {}
        for (start, outcome), requests in sorted(found.items()):
            total[outcome] = total.get(outcome, 0) + requests
            refusals.setdefault(start, {})[outcome] = requests
        buckets = tuple(_bucket(start, refusals.get(start, {})) for start in starts)
        return Usage(subject, period, span, _bucket(starts[0], total), buckets, last_us + span_us)

    async def networks(self, authority: Authority, credential_id: str) -> Sequence[NetworkUse]:
        """The networks that an API key or a personal access token was used from, the latest first; what is not told apart, last.

        Raises:
            NotFound: There is no such credential, or it is not the caller's to see.
        """
        await self._of_credential(authority, None, None, credential_id, lineage=False)
        return (await self._store.networks_of([credential_id]))[credential_id]

    async def prune(self) -> None:
        """Forget what is older than it is kept, a bounded number of counts a call.

        Raises:
            Unavailable: The database cannot be asked.
        """
        now = to_datetime(self._clock.micros())
        for span, days in self._kept_days.items():
            for _ in range(_FORGETTINGS_MAX):
                before = now - timedelta(days=days)
                if await self._store.prune_usage(span, before, _FORGOTTEN_AT_ONCE) < _FORGOTTEN_AT_ONCE:
                    break
        # All networks are read for it, since no index is kept of what changes with each use.
        if to_micros(now) - self._networks_pruned_us >= _NETWORKS_EVERY_US:
            await self._store.prune_networks(now - timedelta(days=self.networks_kept_days))
            self._networks_pruned_us = to_micros(now)

    async def subject(
        self,
        authority: Authority,
        tenant_id: str | None,
        user_id: str | None,
        credential_id: str | None,
        *,
        lineage: bool,
    ) -> UsageSubject:
        """Of whom a caller may ask, by the same arguments as `usage`.

        Raises:
            Forbidden: The caller asks for another user's without `admin`.
            NotFound: There is no such credential, user or tenant, or it is not the caller's to see.
        """
        within = None if tenant_id is None else authority.tenant(tenant_id)
        if credential_id is not None:
            return await self._of_credential(authority, within, user_id, credential_id, lineage=lineage)
        if user_id is None and authority.administers:
            tenant = await self._directory.visible_tenant(authority, within or authority.tenant_id)
            return UsageSubject(tenant.id)
        require_self_or_administration(authority, user_id or authority.user_id or "")
        user = await self._directory.user(authority, user_id or authority.user_id or "")
        if within is not None and user.tenant_id != within:
            message = f"There is no user {user.id[:64]!a} in this tenant."
            raise NotFound(message, field="user_id")
        return UsageSubject(user.tenant_id, user.id)

    async def _of_credential(
        self,
        authority: Authority,
        within: str | None,
        user_id: str | None,
        credential_id: str,
        *,
        lineage: bool,
    ) -> UsageSubject:
        found = await self._store.find_credential(credential_id, within or authority.reach)
        if found is not None and user_id not in {None, found.user_id}:
            found = None
        if found is None or not (authority.administers or found.user_id == authority.user_id):
            message = f"There is no credential {credential_id[:64]!a}."
            raise NotFound(message, field="credential_id")
        return UsageSubject(found.tenant_id, found.user_id, found.id, found.root_id if lineage else None)


def _bucket(starts_at_us: int, outcomes: Mapping[str, int]) -> UsageBucket:
    refused = {outcome: requests for outcome, requests in sorted(outcomes.items()) if outcome != ACCEPTED}
    return UsageBucket(starts_at_us, outcomes.get(ACCEPTED, 0), refused)
