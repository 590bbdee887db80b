"""The transaction that the verbs write in, and in which they record what they did."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Table, insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from bonafides.model import AuditEvent, Change
from bonafides.store.fan_out import deliveries_of
from bonafides.store.tables import audit_events, changes, letters, row_of, webhook_deliveries


class Transaction:
    """One write transaction, which several verbs may share.

    What a verb inserts by `insert` and `record` is written at the end, in one statement a table
    however many verbs there were. It is as if their calls had come last, and calls that are under
    way together have no order of their own.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.changes: list[Change] = []
        self._rows: dict[Table, list[dict[str, Any]]] = {}

    def insert(self, table: Table, row: dict[str, Any]) -> None:
        """Insert a row that nothing else in this transaction has to find or refer to."""
        self._rows.setdefault(table, []).append(row)

    def record(self, event: AuditEvent, *changed: Change) -> None:
        """Note what was done, whose copies in memory it makes outdated, and who is told: never one without the other."""
        self.insert(audit_events, _event_row(event))
        for letter in event.letters:
            self.insert(letters, row_of(letter))
        for change in changed:
            self.insert(changes, {**row_of(change), "at": event.at})
        self.changes += changed

    def finish(self) -> None:
        """Write what was put off, and who has to be told of its events; the last thing before the commit."""
        for delivery in deliveries_of(self.connection, self._rows.get(audit_events, ())):
            self.insert(webhook_deliveries, row_of(delivery))
        for table, rows in self._rows.items():
            self.connection.execute(_INSERT_CHANGES if table is changes else insert(table), rows)


def _event_row(event: AuditEvent) -> dict[str, Any]:
    row = row_of(event)
    del row["letters"]
    actor = row_of(row.pop("actor"))
    return row | {f"actor_{name}": value for name, value in actor.items()}


class transaction_number(FunctionElement[int]):  # noqa: N801 - reads as the SQL function that it stands for
    """The number of the transaction that it is evaluated in; 0 on SQLite, which needs none."""

    type = BigInteger()
    inherit_cache = True


@compiles(transaction_number)
def _no_number(_element: transaction_number, _compiler: SQLCompiler, **_options: Any) -> str:  # noqa: ANN401
    return "0"


@compiles(transaction_number, "postgresql")
def _postgres_number(_element: transaction_number, _compiler: SQLCompiler, **_options: Any) -> str:  # noqa: ANN401
    return "CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)"


_INSERT_CHANGES: Final = insert(changes).values(transaction_id=transaction_number())
