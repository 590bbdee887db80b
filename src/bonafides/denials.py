"""Why was a request denied: told to whose credential it was and to who administers their tenant, for a day."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from bonafides.authority import Authority
from bonafides.errors import NotFound
from bonafides.model import Clock, Denial, to_datetime
from bonafides.store import DenialStore

KEPT: Final = timedelta(days=1)

_FORGOTTEN_AT_ONCE: Final = 5_000
_FORGETTINGS_MAX: Final = 200


class DenialReports:
    """Finds denials by their requests' ids, and forgets them after a day.

    Args:
        store: Where they are.
        clock: When it is asked.
        settle: Has those written that this process has only in memory.
    """

    def __init__(self, store: DenialStore, clock: Clock, settle: Callable[[], Awaitable[None]]) -> None:
        self._store = store
        self._clock = clock
        self._settle = settle

    async def get(self, authority: Authority, request_id: str) -> Denial:
        """Why that request was denied, if its credential is the caller's own or one that the caller administers.

        Raises:
            NotFound: It was not denied, or more than a day ago, or is not the caller's to see: all look the same.
        """
        await self._settle()
        since = to_datetime(self._clock.micros()) - KEPT
        found = await self._store.find_denial(request_id, authority.reach, since)
        if found is None or not (authority.administers or found.user_id == authority.user_id):
            message = (
                f"There is no denial of a request {request_id[:64]!a} in the last day that is yours to see."
            )
            raise NotFound(message)
        return found

    async def prune(self) -> None:
        """Forget what is older than a day, a bounded number of denials a call.

        Raises:
            Unavailable: The database cannot be asked.
        """
        before = to_datetime(self._clock.micros()) - KEPT
        for _ in range(_FORGETTINGS_MAX):
            if await self._store.prune_denials(before, _FORGOTTEN_AT_ONCE) < _FORGOTTEN_AT_ONCE:
                break
