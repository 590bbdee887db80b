"""The transaction that the verbs write in, and in which they record what they did."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Table

from bonafides.model import Actor, AuditEvent, Change
from bonafides.store.fan_out import deliveries_of
from bonafides.store.prepared import Form, insert_all, rows_of
from bonafides.store.tables import audit_events, changes, letters, row_of, webhook_deliveries

_EVENT: Final = Form(
    audit_events,
    {name: name for name in AuditEvent.__slots__ if name not in {"actor", "letters"}}
    | {f"actor_{name}": f"actor.{name}" for name in Actor.__slots__},
)
_CHANGE: Final = Form(changes, {name: name for name in Change.__slots__}, {"at": "at"})


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
        self._records: dict[Form, list[tuple[Any, ...]]] = {}
        self._events: list[AuditEvent] = []

    def insert(self, table: Table, row: dict[str, Any]) -> None:
        """Insert a row that nothing else in this transaction has to find or refer to."""
        self._rows.setdefault(table, []).append(row)

    def add(self, form: Form, *records: object) -> None:
        """Insert what a form makes of records; as `insert`, for what is inserted all the time."""
        self._records.setdefault(form, []).append(records)

    def record(self, event: AuditEvent, *changed: Change) -> None:
        """Note what was done, whose copies in memory it makes outdated, and who is told: never one without the other."""
        self.add(_EVENT, event)
        self._events.append(event)
        for letter in event.letters:
            self.insert(letters, row_of(letter))
        for change in changed:
            self.add(_CHANGE, change, event)
        self.changes += changed

    def finish(self) -> None:
        """Write what was put off, and who has to be told of its events; the last thing before the commit."""
        for delivery in deliveries_of(self.connection, self._events):
            self.insert(webhook_deliveries, row_of(delivery))
        dialect = self.connection.dialect.name
        made = [form.rows(records, dialect) for form, records in self._records.items()]
        made += [rows_of(table, rows, dialect) for table, rows in self._rows.items()]
        insert_all(self.connection, made)
