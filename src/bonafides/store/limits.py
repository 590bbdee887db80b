"""The verb that leases shares of limits to many processes, one row a subject, one a holder."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from bonafides.model import Lease, LeaseAsk, to_micros
from bonafides.store.leasing import HOUR_US, Held, Windows, lease
from bonafides.store.tables import limit_holders, limit_windows
from bonafides.store.transaction import Transaction

_WINDOW = ("hour_ends_us", "hour_used", "burst_ends_us", "burst_used", "seen_us")
_HELD = ("units", "until_us", "burst_ends_us")


def lease_all(connection: Connection, asks: Sequence[LeaseAsk], now_us: int) -> Sequence[Lease]:
    """What each ask gets, in their order; a subject's row is locked until the end of the transaction."""
    subjects = sorted({ask.subject for ask in asks})
    state = _locked(connection, subjects)
    for row in connection.execute(select(limit_holders).where(limit_holders.c.subject.in_(subjects))):
        state[row.subject].held[row.holder] = Held(*(getattr(row, name) for name in _HELD))
    before = {(subject, holder) for subject in subjects for holder in state[subject].held}
    leases = [lease(state[ask.subject], ask, now_us) for ask in asks]
    _write(connection, state, before)
    return leases


def prune(transaction: Transaction, before: datetime) -> None:
    """Forget windows that ended before a moment, with whoever held units of them."""
    connection = transaction.connection
    ended = limit_windows.c.seen_us < to_micros(before) - HOUR_US
    connection.execute(
        delete(limit_holders).where(limit_holders.c.subject.in_(select(limit_windows.c.subject).where(ended)))
    )
    connection.execute(delete(limit_windows).where(ended))


def _locked(connection: Connection, subjects: Sequence[str]) -> dict[str, Windows]:
    """The windows of these subjects, in rows that nobody else changes before this transaction ends.

    In the order of their names, so that two that want the same ones do not wait for each other.
    """
    new = [{"subject": subject, **dict.fromkeys(_WINDOW, 0)} for subject in subjects]
    insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    connection.execute(insert(limit_windows).values(new).on_conflict_do_nothing())
    rows = connection.execute(
        select(limit_windows)
        .where(limit_windows.c.subject.in_(subjects))
        .order_by(limit_windows.c.subject)
        .with_for_update()
    )
    return {row.subject: Windows(*(getattr(row, name) for name in _WINDOW)) for row in rows}


def _write(connection: Connection, state: dict[str, Windows], before: set[tuple[str, str]]) -> None:
    insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    put = insert(limit_windows)
    connection.execute(
        put.on_conflict_do_update(
            index_elements=[limit_windows.c.subject], set_={name: put.excluded[name] for name in _WINDOW}
        ),
        [
            {"subject": subject, **{name: getattr(windows, name) for name in _WINDOW}}
            for subject, windows in state.items()
        ],
    )
    held = {
        (subject, holder): each for subject, windows in state.items() for holder, each in windows.held.items()
    }
    if held:
        put = insert(limit_holders)
        connection.execute(
            put.on_conflict_do_update(
                index_elements=[limit_holders.c.subject, limit_holders.c.holder],
                set_={name: put.excluded[name] for name in _HELD},
            ),
            [
                {"subject": subject, "holder": holder, **{name: getattr(each, name) for name in _HELD}}
                for (subject, holder), each in held.items()
            ],
        )
    gone = sorted(before - set(held))
    for subject, holder in gone:
        connection.execute(
            delete(limit_holders).where(limit_holders.c.subject == subject, limit_holders.c.holder == holder)
        )
