"""Last uses, usage and outdated digests: gathered in memory and written in batches, never on the request.

An accepted request costs two comparisons and one addition on the tally of the resident that it has in hand. What
that has counted is of one minute, and is taken from it when the minute or the flush comes, so that
no request is counted in another minute than its own; and what it has counted since its network changed is
of one network, and is taken from it when that changes.
"""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import Final, Protocol

from bonafides.errors import Unavailable
from bonafides.model import ACCEPTED, Clock, DigestedSecret, Reason, UsageKey, UsageSpan, to_datetime
from bonafides.store import CredentialStore, UsageStore
from bonafides.verification.resident import UNCOUNTED, Resident, Tally

_MINUTE_US: Final = UsageSpan.MINUTE * 1_000_000
_BATCH_MAX: Final = 4_000
_WAITING_MAX: Final = 500_000
_SCOPES_MAX: Final = 100_000
_KEYS: Final = ("key_", "pat_")
"""How the ids begin of what people give scopes to, and may take them from."""


class UsesStore(CredentialStore, UsageStore, Protocol):
    """What the bookkeeping of verification asks of the store."""


class Uses:
    """What verification learned that the store does not know yet.

    Args:
        store: Takes the batches.
        clock: When they are written.
        writer: The name of this process, which no other has or will have.
        waiting_max: Counts that are kept while they cannot be written; those beyond are lost, and `lost` says so.
        networks: Whether it is kept from which networks keys are used.
    """

    def __init__(
        self,
        store: UsesStore,
        clock: Clock,
        writer: str,
        *,
        waiting_max: int = _WAITING_MAX,
        networks: bool = True,
    ) -> None:
        self._store = store
        self._clock = clock
        self._writer = writer
        self._waiting_max = waiting_max
        self._keeps_networks = networks
        self._networks: dict[tuple[str, str], tuple[int, int]] = {}
        self._used: list[Resident] = []
        self._last_used: dict[str, int] = {}
        self._redigested: dict[str, DigestedSecret] = {}
        self._scopes: dict[str, frozenset[str]] = {}
        self._first_used: dict[tuple[str, str], int] = {}
        self._counts: dict[UsageKey, int] = {}
        # Kept, with its number, until it is known to be written: sent again, it is not counted again.
        self._batch: dict[UsageKey, int] = {}
        self._batches = 0
        self._writing = asyncio.Lock()
        self.lost = 0
        """Requests that were answered and will never be counted."""

    @property
    def waiting(self) -> int:
        """How many counts are gathered and not written."""
        return len(self._counts) + len(self._batch)

    def note(self, resident: Resident, network: str, now_us: int) -> None:
        """A request on this resident, from this network, was accepted."""
        tally = resident.tally
        if now_us < tally.until_us:
            if tally.network != network:
                self._leave(resident, tally)
                tally.network, tally.elsewhere = network, tally.accepted
            tally.last_us = now_us
            tally.accepted += 1
            return
        if tally is UNCOUNTED:
            self._used.append(resident)
        else:
            self._take(resident, tally)
        resident.tally = Tally(now_us - now_us % _MINUTE_US + _MINUTE_US, network, now_us)

    def note_scopes(self, resident: Resident, scopes: frozenset[str], now_us: int) -> None:
        """A request needed these scopes, and this resident has them; they count for the first of its lineage."""
        root_id = resident.root_id
        known = self._scopes.get(root_id, frozenset())
        if scopes <= known:
            return
        if len(self._scopes) >= _SCOPES_MAX:
            self._scopes.clear()
        self._scopes[root_id] = known | scopes
        if root_id.startswith(_KEYS) and len(self._first_used) < _SCOPES_MAX:
            self._first_used |= {(root_id, scope): now_us for scope in scopes - known}

    def note_refusal(self, resident: Resident, reason: Reason, now_us: int) -> None:
        """A request on this resident was refused."""
        self._add(resident, now_us - now_us % _MINUTE_US, reason, 1)

    def redigest(self, credential_id: str, secret: DigestedSecret) -> None:
        """This credential was found under an outdated pepper; here is its digest under the newest."""
        self._redigested[credential_id] = secret

    async def flush(self) -> None:
        """Write the last uses and digests that have gathered; on failure they are kept for the next flush.

        Raises:
            Unavailable: The database cannot be asked.
        """
        await self._flush_scopes()
        self._gather()
        await self._flush_networks()
        last_used, self._last_used = self._last_used, {}
        redigested, self._redigested = self._redigested, {}
        if not last_used and not redigested:
            return
        try:
            await self._store.record_use(
                {name: to_datetime(used_us) for name, used_us in last_used.items()}, redigested
            )
        except Unavailable:
            for name, used_us in last_used.items():
                self._last_used[name] = max(used_us, self._last_used.get(name, 0))
            self._redigested = redigested | self._redigested
            raise

    async def _flush_scopes(self) -> None:
        first_used, self._first_used = self._first_used, {}
        if not first_used:
            return
        try:
            await self._store.record_scopes({pair: to_datetime(us) for pair, us in first_used.items()})
        except Unavailable:
            self._first_used = first_used | self._first_used
            raise

    async def _flush_networks(self) -> None:
        waiting, self._networks = self._networks, {}
        while waiting:
            # So many at a time that nobody waits long for the lock.
            batch = dict(islice(waiting.items(), _BATCH_MAX))
            try:
                await self._store.record_networks(
                    {name: (to_datetime(last_us), requests) for name, (last_us, requests) in batch.items()}
                )
            except Unavailable:
                for name, (last_us, requests) in waiting.items():
                    self._add_network(name, last_us, requests)
                raise
            for name in batch:
                del waiting[name]

    async def flush_counts(self) -> None:
        """Write what was counted until now; on failure it is kept for the next flush.

        Raises:
            Unavailable: The database cannot be asked.
        """
        async with self._writing:
            self._gather()
            if self._batch:
                await self._write()
            for _ in range(-(-len(self._counts) // _BATCH_MAX)):
                self._batch = {key: self._counts.pop(key) for key in list(islice(self._counts, _BATCH_MAX))}
                self._batches += 1
                await self._write()

    async def _write(self) -> None:
        at = to_datetime(self._clock.micros())
        try:
            await self._store.record_usage(self._writer, self._batches, self._batch, at)
        except Unavailable:
            raise
        except Exception:
            # What the database will never take must not hold up all that comes after it.
            self.lost += sum(self._batch.values())
            self._batch = {}
            raise
        self._batch = {}

    def _gather(self) -> None:
        used, self._used = self._used, []
        for resident in used:
            tally, resident.tally = resident.tally, UNCOUNTED
            self._take(resident, tally)
            # One credential may have been evicted and come back: two residents, the latest use counts.
            name = resident.credential_id
            self._last_used[name] = max(tally.last_us, self._last_used.get(name, 0))

    def _take(self, resident: Resident, tally: Tally) -> None:
        self._leave(resident, tally)
        self._add(resident, tally.until_us - _MINUTE_US, ACCEPTED, tally.accepted)

    def _leave(self, resident: Resident, tally: Tally) -> None:
        """Note how often this resident was used since its network changed."""
        if tally.network and self._keeps_networks and resident.credential_id.startswith(_KEYS):
            name = (resident.credential_id, tally.network)
            self._add_network(name, tally.last_us, tally.accepted - tally.elsewhere)

    def _add_network(self, name: tuple[str, str], last_us: int, requests: int) -> None:
        known = self._networks.get(name)
        if known is not None:
            self._networks[name] = max(last_us, known[0]), requests + known[1]
        elif requests and len(self._networks) < self._waiting_max:
            self._networks[name] = last_us, requests

    def _add(self, resident: Resident, minute_us: int, outcome: str, requests: int) -> None:
        owner, name, root_id = resident.owner, resident.credential_id, resident.root_id
        above = None if root_id == name else root_id
        key = UsageKey(minute_us, owner.tenant_id, owner.user_id, name, outcome, above)
        counted = self._counts.get(key)
        if counted is not None:
            self._counts[key] = counted + requests
        elif self.waiting < self._waiting_max:
            self._counts[key] = requests
        else:
            self.lost += requests
