"""Rows that go to the driver as they are: SQLAlchemy says once what the statement is and how each value is kept.

Passing through its execution each time takes longer than the statement itself, and every call that changes
something writes its rows here.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, Connection, Dialect, Enum, Table
from sqlalchemy.dialects import postgresql, sqlite

from bonafides.store.columns import Addresses, Document, Moment, Scopes
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
_OURS: Final = (Addresses, Document, Moment, Scopes)
"""Of which SQLAlchemy keeps what we make of a value as it is."""
_COMPUTED_COLUMN: Final = "transaction_id"


class Rows(NamedTuple):
    """Rows of one table, as the driver takes them.

    Args:
        table: Where they go.
        names: Of the columns that they have values for.
        columns: The values, column by column.
    """

    table: Table
    names: tuple[str, ...]
    columns: Sequence[Sequence[Any]]


class Form:
    """How a table's rows are made of records, which are read as they are and never copied.

    Args:
        table: Where they go.
        parts: Of each record that a row is made of: where each column's value is found in it.
    """

    def __init__(self, table: Table, *parts: Mapping[str, str]) -> None:
        self.table = table
        self._reads = [_reading(tuple(part.values())) for part in parts]
        self._names = tuple(name for part in parts for name in part)

    def rows(self, records: Sequence[tuple[Any, ...]], dialect: str) -> Rows:
        """The rows of so many records, each of which has as many parts as the form."""
        read = [
            [value for reads, part in zip(self._reads, record, strict=True) for value in reads(part)]
            for record in records
        ]
        return _made(self.table, self._names, list(zip(*read, strict=True)), dialect)


def rows_of(table: Table, rows: Sequence[Row], dialect: str) -> Rows:
    """Rows that name the same columns."""
    names = tuple(rows[0])
    return _made(table, names, [[row[name] for row in rows] for name in names], dialect)


def _made(table: Table, names: tuple[str, ...], columns: list[Sequence[Any]], dialect: str) -> Rows:
    """Rows of such columns, with their values made into what the driver takes."""
    for place, keep in _kept(table, names, dialect):
        columns[place] = list(map(keep, columns[place]))
    return Rows(table, names, columns)


def insert_all(connection: Connection, given: Sequence[Rows]) -> None:
    """Insert rows into their tables, in their order.

    SQLite is told once for each table, PostgreSQL once for all of them.
    """
    if not given:
        return
    if connection.dialect.name == "postgresql":
        values = tuple(list(column) for rows in given for column in rows.columns)
        statement = _on_postgresql(tuple((rows.table, rows.names) for rows in given))
        connection.exec_driver_sql(statement, values)
        return
    for rows in given:
        statement = _on_sqlite(rows.table, rows.names)
        driver_of(connection).executemany(statement, zip(*rows.columns, strict=True))


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


def _reading(paths: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Reads attributes, and attributes of these, into a tuple."""
    read = attrgetter(*paths)
    return read if len(paths) > 1 else lambda record: (read(record),)


@lru_cache
def _kept(table: Table, names: tuple[str, ...], dialect: str) -> tuple[tuple[int, Callable[[Any], Any]], ...]:
    """How a value becomes what the driver takes, by the place of its column; left out where it is that already."""
    keepers = [(place, _keeper(table.c[name], dialect)) for place, name in enumerate(names)]
    return tuple((place, keep) for place, keep in keepers if keep is not None)


def _keeper(column: Column[Any], dialect: str) -> Callable[[Any], Any] | None:
    """SQLAlchemy's way, where it does more than to call ours."""
    kind = column.type
    if isinstance(kind, _OURS):
        bind = kind.process_bind_param
        return lambda value: bind(value, _DIALECTS[dialect])
    if isinstance(kind, Enum) and kind.enum_class is not None:
        return {member: member.value for member in kind.enum_class}.__getitem__
    return kind.dialect_impl(_DIALECTS[dialect]).bind_processor(_DIALECTS[dialect])


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
