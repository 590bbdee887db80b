"""The transaction that the verbs write in, and the ledger of what was done in it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from bonafides.model import AuditEvent, Change
from bonafides.store.tables import audit_events, changes, row_of


class Transaction:
    """One write transaction: a connection, and a ledger.

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


class transaction_number(ColumnElement[int]):  # noqa: N801 - reads as the SQL function that it stands for
    """The number of the transaction that it is evaluated in; 0 on SQLite, which needs none."""

    type = BigInteger()
    inherit_cache = True


@compiles(transaction_number)
def _no_number(_element: transaction_number, _compiler: SQLCompiler, **_options: Any) -> str:  # noqa: ANN401
    return "0"


@compiles(transaction_number, "postgresql")
def _postgres_number(_element: transaction_number, _compiler: SQLCompiler, **_options: Any) -> str:  # noqa: ANN401
    return "CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)"
