"""Last uses and outdated digests, gathered in memory and written in batches, never on the request."""

from __future__ import annotations

from datetime import datetime

from bonafides.errors import Unavailable
from bonafides.model import DigestedSecret, to_datetime
from bonafides.store import CredentialStore
from bonafides.verification.resident import Resident


class Uses:
    """What verification learned that the store does not know yet.

    Args:
        store: Takes the batches.
    """

    def __init__(self, store: CredentialStore) -> None:
        self._store = store
        self._used: list[Resident] = []
        self._redigested: dict[str, DigestedSecret] = {}

    def note(self, resident: Resident, now_us: int) -> None:
        """A request on this resident was accepted."""
        resident.last_used_us = now_us
        if not resident.unsaved:
            resident.unsaved = True
            self._used.append(resident)

    def redigest(self, credential_id: str, secret: DigestedSecret) -> None:
        """This credential was found under an outdated pepper; here is its digest under the newest."""
        self._redigested[credential_id] = secret

    async def flush(self) -> None:
        """Write what has gathered; on failure it is kept for the next flush.

        Raises:
            Unavailable: The database cannot be asked.
        """
        used, self._used = self._used, []
        redigested, self._redigested = self._redigested, {}
        if not used and not redigested:
            return
        last_used: dict[str, datetime] = {}
        for resident in used:
            resident.unsaved = False
            # One credential may have been evicted and come back: two residents, the latest use counts.
            name, at = resident.principal.credential_id, to_datetime(resident.last_used_us)
            last_used[name] = max(at, last_used.get(name, at))
        try:
            await self._store.record_use(last_used, redigested)
        except Unavailable:
            for resident in used:
                if not resident.unsaved:
                    resident.unsaved = True
                    self._used.append(resident)
            self._redigested = redigested | self._redigested
            raise
