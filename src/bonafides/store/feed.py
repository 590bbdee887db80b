"""The change feed: what was committed since a reader last looked, in whatever order the commits fell.

On SQLite commits follow one another, and so do sequence numbers. On PostgreSQL a lower number may
commit after a higher one: there a reader remembers which transactions it could not see yet, and asks
for those and for every later one. See docs/decisions/0003-change-feed-by-snapshot.md.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Select,
    SQLColumnExpression,
    Text,
    bindparam,
    cast,
    delete,
    func,
    or_,
    select,
    update,
)

from bonafides.model import Change, ChangeKind
from bonafides.store import FeedLost, FeedPosition
from bonafides.store.tables import changes, feed_bounds, idempotency_claims
from bonafides.store.transaction import Transaction


def position(connection: Connection) -> FeedPosition:
    """Where the feed ends: all that commits after this statement is beyond, or in `pending`."""
    return _position(connection.execute(select(_END[connection.dialect.name])).scalar_one())


def since_on_postgresql(connection: Connection, start: FeedPosition) -> tuple[Sequence[Change], FeedPosition]:
    """Every change committed between `start` and now, and where now is, in one statement's view.

    Raises:
        FeedLost: Some of them were pruned, or this is not the database that `start` came from.
    """
    unread = {"sequence": start.sequence, "pending": list(start.pending) or [_NO_NUMBER]}
    return _told(connection.execute(_SINCE_ON_POSTGRESQL, unread).all(), start)


def since_on_sqlite(driver: sqlite3.Connection, start: FeedPosition) -> tuple[Sequence[Change], FeedPosition]:
    """The same past SQLAlchemy: a follower asks after each commit of anybody else, in threads that share the event loop's lock.

    Raises:
        FeedLost: As there.
    """
    return _told(driver.execute(_SINCE_ON_SQLITE, (start.sequence,)).fetchall(), start)


def _told(rows: Sequence[Any], start: FeedPosition) -> tuple[Sequence[Change], FeedPosition]:
    end, pruned, *_ = rows[0]
    now = _position(end)
    if now.sequence < start.sequence or pruned >= start.sequence or pruned in start.pending:
        raise FeedLost(internal=f"change feed: cannot go on from {start.sequence} at {now.sequence}")
    return [Change(ChangeKind(kind), subject_id) for _, _, kind, subject_id in rows if kind is not None], now


def prune(transaction: Transaction, before: datetime) -> None:
    """Forget entries and claims from before a moment; readers that had not read them are told."""
    connection = transaction.connection
    outdated = changes.c.at < before
    number = _NUMBER[connection.dialect.name]
    pruned_through = connection.scalar(select(func.max(number)).where(outdated))
    if pruned_through is not None:
        connection.execute(delete(changes).where(outdated))
        connection.execute(
            update(feed_bounds)
            .where(feed_bounds.c.pruned_through < pruned_through)
            .values(pruned_through=pruned_through)
        )
    connection.execute(delete(idempotency_claims).where(idempotency_claims.c.expires_at < before))


def _position(end: str | int) -> FeedPosition:
    if isinstance(end, int):
        return FeedPosition(end + 1)
    # "xmin:xmax:xip,xip,…": below xmin all is decided, from xmax on nothing is, and xip are under way.
    _, next_, pending = end.split(":")
    return FeedPosition(int(next_), frozenset(int(number) for number in pending.split(",") if number))


def _newest_sequence() -> SQLColumnExpression[int]:
    newest = select(func.coalesce(func.max(changes.c.sequence), 0)).scalar_subquery()
    pruned = select(feed_bounds.c.pruned_through).scalar_subquery()
    return func.max(newest, pruned)


def _since() -> Select[Any]:
    bounds = select(_END["postgresql"].label("end"), feed_bounds.c.pruned_through).subquery()
    number = changes.c.transaction_id
    unread = or_(number >= bindparam("sequence"), number.in_(bindparam("pending", expanding=True)))
    return (
        select(bounds, changes.c.kind, changes.c.subject_id)
        .join_from(bounds, changes, unread, isouter=True)
        .order_by(changes.c.sequence)
    )


_NO_NUMBER: Final = -1
_NUMBER: Final = {"sqlite": changes.c.sequence, "postgresql": changes.c.transaction_id}
_END: Final[Mapping[str, SQLColumnExpression[Any]]] = {
    "sqlite": _newest_sequence(),
    "postgresql": cast(func.pg_current_snapshot(), Text),
}
# Built once: a follower asks many times a second.
_SINCE_ON_POSTGRESQL: Final = _since()
_SINCE_ON_SQLITE: Final = """
SELECT bounds.newest, bounds.pruned_through, changes.kind, changes.subject_id
FROM (
    SELECT max((SELECT coalesce(max(sequence), 0) FROM changes), pruned_through) AS newest, pruned_through FROM feed_bounds
) AS bounds
LEFT JOIN changes ON changes.sequence >= ?
ORDER BY changes.sequence
"""
