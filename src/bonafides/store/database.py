"""What the verbs need of a database, and the transaction that they write in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from sqlalchemy import Connection, insert

from bonafides.errors import Unavailable
from bonafides.model import AuditEvent, Change, Verifiable
from bonafides.store.feed import transaction_number
from bonafides.store.tables import audit_events, changes, row_of

T = TypeVar("T")


class Contention(Unavailable):
    """Another transaction was in the way, and this one was undone: carrying it out again may succeed."""


class Database(Protocol):
    """One kind of database: where work is run, and how its failures are told.

    Every method raises `Unavailable` when the database cannot be asked.
    """

    async def read(self, work: Callable[[Connection], T]) -> T:
        """What `work` finds; it writes nothing."""
        ...

    async def write(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns, once all that it wrote is durable; nothing is written if it raises."""
        ...

    async def look_up(self, digests: Sequence[bytes]) -> Mapping[bytes, Verifiable]:
        """The cold look-up, by the shortest way to the driver."""
        ...

    async def close(self) -> None:
        """Finish what is under way and close every connection."""
        ...


class Transaction:
    """One write transaction: a connection, and the ledger of what was done in it.

    Events and changes are gathered and written at the end, in two statements however many verbs
    shared the transaction; so a verb cannot write one without the other.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.changes: list[Change] = []
        self._events: list[dict[str, object]] = []
        self._feed: list[dict[str, object]] = []

    def record(self, event: AuditEvent, *changed: Change) -> None:
        """Note what was done, and whose copies in memory it makes outdated."""
        self._events.append(_event_row(event))
        self._feed += ({**row_of(change), "at": event.at} for change in changed)
        self.changes += changed

    def write_ledger(self) -> None:
        """Write what was recorded; the last thing before the commit."""
        if self._events:
            self.connection.execute(insert(audit_events), self._events)
        if self._feed:
            self.connection.execute(insert(changes).values(transaction_id=transaction_number()), self._feed)


def _event_row(event: AuditEvent) -> dict[str, object]:
    row = row_of(event)
    actor: dict[str, object] = row_of(row.pop("actor"))
    return row | {f"actor_{name}": value for name, value in actor.items()}
