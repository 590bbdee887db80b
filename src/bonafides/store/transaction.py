"""The transaction that the verbs write in, and in which they record what they did."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table

from bonafides.model import AuditEvent, Change
from bonafides.store.fan_out import deliveries_of
from bonafides.store.prepared import insert_all
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
        insert_all(self.connection, self._rows)


def _event_row(event: AuditEvent) -> dict[str, Any]:
    row = row_of(event)
    del row["letters"]
    actor = row_of(row.pop("actor"))
    return row | {f"actor_{name}": value for name, value in actor.items()}
