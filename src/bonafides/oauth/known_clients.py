"""Clients in memory: what was read of one that proved by a secret who it is, until something of it changes.

It is kept who a client is, never that it may have what it asks: whether it and its secret are good is judged anew by
each request. A presented secret that is nobody's is asked for each time, as is the secret of a client that is not
there, so that the time of an answer does not tell the two apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from bonafides.delegation import PresentedClient
from bonafides.model import Change, ChangeKind
from bonafides.store import ClientStore

_CLIENTS_MAX: Final = 4_096


class KnownClients:
    """Presents clients as the store does, at most once for as long as nothing behind them changes.

    What was read before a change is never used after it.

    Args:
        store: Where clients are.
        is_fresh: Whether memory may be used now; false when the change feed was not read for too long.
    """

    def __init__(self, store: ClientStore, is_fresh: Callable[[], bool]) -> None:
        self._store = store
        self._is_fresh = is_fresh
        self._known: dict[str, dict[tuple[bytes, ...], PresentedClient]] = {}
        self._epoch = 0

    async def present(self, client_id: str, digests: tuple[bytes, ...]) -> PresentedClient | None:
        """The client of that id, with its secret that has one of these digests, if there is one.

        Raises:
            Unavailable: It is not in memory, or that may not be trusted, and the database cannot be asked.
        """
        known = self._known.get(client_id)
        if known is not None and self._is_fresh():
            found = known.get(digests)
            if found is not None:
                return found
        epoch = self._epoch
        found = await self._store.present_client(client_id, digests)
        if found is not None and found.secret is not None and epoch == self._epoch:
            if len(self._known) >= _CLIENTS_MAX:
                self._known.clear()
            self._known.setdefault(client_id, {})[digests] = found
        return found

    def apply(self, changes: Iterable[Change]) -> None:
        """Forget what these changes have made outdated."""
        for change in changes:
            if change.kind is ChangeKind.USER:
                self._epoch += 1
                self._known.pop(change.subject_id, None)
            elif change.kind is ChangeKind.TENANT:
                self.forget()

    def forget(self) -> None:
        """Forget everything; said when changes may have been missed."""
        self._epoch += 1
        self._known.clear()
