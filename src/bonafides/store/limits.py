"""The verb that leases shares of limits to many processes, one row a subject, one a holder.

Its statements go to the driver as text, for a whole batch at once: where many keys come once each, every
one of them asks for a lease.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, delete, select

from bonafides.model import Lease, LeaseAsk, to_micros
from bonafides.store.leasing import HOUR_US, Held, Windows, lease
from bonafides.store.tables import limit_holders, limit_windows
from bonafides.store.transaction import Transaction


class Statements(NamedTuple):
    """What is asked of a database: the first and the last three take rows, the others take subjects."""

    open_windows: str
    lock_windows: str
    find_holders: str
    put_windows: str
    put_holders: str
    drop_holders: str


def lease_all(connection: Connection, asks: Sequence[LeaseAsk], now_us: int) -> Sequence[Lease]:
    """What each ask gets, in their order; a subject's row is locked until the end of the transaction."""
    statements = _STATEMENTS[connection.dialect.name]
    # In the order of their names, so that two that want the same ones do not wait for each other.
    subjects = sorted({each.subject for each in asks})
    _carry_out(connection, statements.open_windows, [(subject,) for subject in subjects])
    state = {row[0]: Windows(*row[1:]) for row in _found(connection, statements.lock_windows, subjects)}
    before = set()
    for subject, holder, *figures in _found(connection, statements.find_holders, subjects):
        state[subject].held[holder] = Held(*figures)
        before.add((subject, holder))
    leases = [lease(state[each.subject], each, now_us) for each in asks]
    _carry_out(connection, statements.put_windows, [_window(*each) for each in state.items()])
    held = [
        (subject, holder, each.units, each.until_us, each.burst_ends_us)
        for subject, windows in state.items()
        for holder, each in windows.held.items()
    ]
    _carry_out(connection, statements.put_holders, held)
    gone = before - {(subject, holder) for subject, holder, *_ in held}
    _carry_out(connection, statements.drop_holders, sorted(gone))
    return leases


def prune(transaction: Transaction, before: datetime) -> None:
    """Forget windows that ended before a moment, with whoever held units of them."""
    connection = transaction.connection
    ended = limit_windows.c.seen_us < to_micros(before) - HOUR_US
    connection.execute(
        delete(limit_holders).where(limit_holders.c.subject.in_(select(limit_windows.c.subject).where(ended)))
    )
    connection.execute(delete(limit_windows).where(ended))


def _window(subject: str, windows: Windows) -> tuple[str | int, ...]:
    return (
        subject,
        windows.hour_ends_us,
        windows.hour_used,
        windows.burst_ends_us,
        windows.burst_used,
        windows.seen_us,
    )


def _carry_out(connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Carry out a statement for each row; PostgreSQL takes the columns, and sees one statement."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(statement, tuple(list(column) for column in zip(*rows, strict=True)))
    else:
        connection.exec_driver_sql(statement, list(rows))


def _found(connection: Connection, statement: str, subjects: list[str]) -> Sequence[Any]:
    given = subjects if connection.dialect.name == "postgresql" else json.dumps(subjects)
    return connection.exec_driver_sql(statement, (given,)).all()


_STATEMENTS: Final = {
    "sqlite": Statements(
        open_windows="INSERT INTO limit_windows VALUES (?1, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING",
        lock_windows="""
            SELECT subject, hour_ends_us, hour_used, burst_ends_us, burst_used, seen_us
            FROM limit_windows WHERE subject IN (SELECT value FROM json_each(?1))
        """,
        find_holders="""
            SELECT subject, holder, units, until_us, burst_ends_us
            FROM limit_holders WHERE subject IN (SELECT value FROM json_each(?1))
        """,
        put_windows="""
            UPDATE limit_windows
            SET hour_ends_us = ?2, hour_used = ?3, burst_ends_us = ?4, burst_used = ?5, seen_us = ?6
            WHERE subject = ?1
        """,
        put_holders="""
            INSERT INTO limit_holders VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (subject, holder) DO UPDATE
            SET units = excluded.units, until_us = excluded.until_us, burst_ends_us = excluded.burst_ends_us
        """,
        drop_holders="DELETE FROM limit_holders WHERE subject = ?1 AND holder = ?2",
    ),
    "postgresql": Statements(
        open_windows="""
            INSERT INTO limit_windows
            SELECT subject, 0, 0, 0, 0, 0 FROM unnest($1::text[]) AS given (subject)
            ORDER BY subject ON CONFLICT DO NOTHING
        """,
        lock_windows="""
            SELECT subject, hour_ends_us, hour_used, burst_ends_us, burst_used, seen_us
            FROM limit_windows WHERE subject = ANY ($1::text[]) ORDER BY subject FOR UPDATE
        """,
        find_holders="""
            SELECT subject, holder, units, until_us, burst_ends_us
            FROM limit_holders WHERE subject = ANY ($1::text[])
        """,
        put_windows="""
            UPDATE limit_windows
            SET (hour_ends_us, hour_used, burst_ends_us, burst_used, seen_us)
                = (put.hour_ends_us, put.hour_used, put.burst_ends_us, put.burst_used, put.seen_us)
            FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
                AS put (subject, hour_ends_us, hour_used, burst_ends_us, burst_used, seen_us)
            WHERE limit_windows.subject = put.subject
        """,
        put_holders="""
            INSERT INTO limit_holders
            SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
            ON CONFLICT (subject, holder) DO UPDATE
            SET units = excluded.units, until_us = excluded.until_us, burst_ends_us = excluded.burst_ends_us
        """,
        drop_holders="""
            DELETE FROM limit_holders USING unnest($1::text[], $2::text[]) AS gone (subject, holder)
            WHERE limit_holders.subject = gone.subject AND limit_holders.holder = gone.holder
        """,
    ),
}
