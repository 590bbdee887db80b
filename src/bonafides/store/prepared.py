"""Rows that go to the driver as they are: SQLAlchemy says once what the statement is and how each value is kept.

Passing through its execution each time takes longer than the statement itself, and every call that changes
something writes its rows here.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Column, Connection, Dialect, Table
from sqlalchemy.dialects import postgresql, sqlite

from bonafides.store.tables import changes

Row = Mapping[str, Any]

_DIALECTS: Final[Mapping[str, Dialect]] = {
    "sqlite": sqlite.dialect(),
    "postgresql": postgresql.dialect(),  # type: ignore[no-untyped-call]
}
# What the database itself puts into a column: the number of the transaction, which SQLite does not need.
_COMPUTED: Final = {
    changes: {"sqlite": "0", "postgresql": "CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)"},
}
_COMPUTED_COLUMN: Final = "transaction_id"


def insert_all(connection: Connection, rows: Mapping[Table, Sequence[Row]]) -> None:
    """Insert rows into their tables; all rows of a table name the same columns.

    SQLite is told once for each table, PostgreSQL once for all of them.
    """
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        shape = tuple((table, tuple(given[0])) for table, given in rows.items())
        values = [
            column
            for (table, names) in shape
            for column in zip(*_values(table, names, rows[table], "postgresql"), strict=True)
        ]
        connection.exec_driver_sql(_on_postgresql(shape), tuple(list(column) for column in values))
        return
    for table, given in rows.items():
        names = tuple(given[0])
        driver_of(connection).executemany(_on_sqlite(table, names), _values(table, names, given, "sqlite"))


def fetch(connection: Connection, statements: Mapping[str, str], *lists: Sequence[str]) -> Sequence[Any]:
    """The rows of a statement that takes lists: SQLite as JSON, PostgreSQL as arrays.

    Args:
        connection: Where to ask.
        statements: By the name of the dialect.
        lists: Of texts.
    """
    if connection.dialect.name == "postgresql":
        given = tuple(list(each) for each in lists)
        return connection.exec_driver_sql(statements["postgresql"], given).all()
    texts = [json.dumps(each) for each in lists]
    return driver_of(connection).execute(statements["sqlite"], texts).fetchall()


def driver_of(connection: Connection) -> sqlite3.Connection:
    """SQLite's own connection, whose transaction is that of SQLAlchemy's."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):  # pragma: no cover - for SQLite alone
        message = "not a connection to SQLite"
        raise TypeError(message)
    return driver


def reader_of(columns: Sequence[Column[Any]]) -> Callable[[Sequence[Any]], list[Any]]:
    """Makes of a driver's row what the columns mean."""
    # SQLite's way serves for both: what PostgreSQL gives is at most nearer to it.
    processors = [
        column.type.dialect_impl(_DIALECTS["sqlite"]).result_processor(_DIALECTS["sqlite"], None)
        for column in columns
    ]

    def read(row: Sequence[Any]) -> list[Any]:
        return [
            value if process is None else process(value)
            for value, process in zip(row, processors, strict=True)
        ]

    return read


def _values(
    table: Table, names: tuple[str, ...], rows: Sequence[Row], dialect: str
) -> Sequence[tuple[Any, ...]]:
    kept = _keepers(table, names, dialect)
    return [tuple(keep(row[name]) if keep is not None else row[name] for name, keep in kept) for row in rows]


@lru_cache
def _keepers(
    table: Table, names: tuple[str, ...], dialect: str
) -> tuple[tuple[str, Callable[[Any], Any] | None], ...]:
    """How a value becomes what the driver takes, by column; None where it is that already."""
    return tuple((name, _keeper(table.c[name], _DIALECTS[dialect])) for name in names)


def _keeper(column: Column[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    return column.type.dialect_impl(dialect).bind_processor(dialect)


@lru_cache
def _on_sqlite(table: Table, names: tuple[str, ...]) -> str:
    computed = _COMPUTED.get(table, {}).get("sqlite")
    places = ["?" for _ in names] + ([computed] if computed else [])
    return f"INSERT INTO {table.name} ({_listed(table, names)}) VALUES ({', '.join(places)})"  # noqa: S608 - names of ours


@lru_cache
def _on_postgresql(shape: tuple[tuple[Table, tuple[str, ...]], ...]) -> str:
    statements, number = [], 0
    for table, names in shape:
        arrays = []
        for name in names:
            number += 1
            arrays.append(f"${number}::{_element(table.c[name])}[]")
        computed = _COMPUTED.get(table, {}).get("postgresql")
        also = f", {computed}" if computed else ""
        statements.append(
            f"INSERT INTO {table.name} ({_listed(table, names)}) SELECT given.*{also} "  # noqa: S608 - names of ours
            f"FROM unnest({', '.join(arrays)}) AS given"
        )
    *first, last = statements
    named = ", ".join(f"part_{place} AS ({statement})" for place, statement in enumerate(first))
    return f"WITH {named} {last}" if named else last


def _listed(table: Table, names: tuple[str, ...]) -> str:
    given = [*names, _COMPUTED_COLUMN] if table in _COMPUTED else names
    return ", ".join(f'"{name}"' for name in given)


def _element(column: Column[Any]) -> str:
    """The type of a column, without its length and collation: that of the elements of an array of its values."""
    return column.type.compile(_DIALECTS["postgresql"]).partition(" ")[0].partition("(")[0]
