"""The change feed: what was committed since a reader last looked, in whatever order the commits fell.

On SQLite commits follow one another, and so do sequence numbers. On PostgreSQL a lower number may
commit after a higher one: there a reader remembers which transactions it could not see yet, and asks
for those and for every later one. See docs/decisions/0003-change-feed-by-snapshot.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    SQLColumnExpression,
    Text,
    cast,
    delete,
    func,
    literal,
    select,
    update,
)

from bonafides.model import Change
from bonafides.store import FeedLost, FeedPosition
from bonafides.store.tables import changes, feed_bounds, idempotency_claims
from bonafides.store.transaction import Transaction


def position(connection: Connection) -> FeedPosition:
    """Where the feed ends: all that commits after this statement is beyond, or in `pending`."""
    if _has_snapshots(connection):
        return _position(connection.scalar(select(_snapshot())))
    return FeedPosition(connection.execute(select(_sqlite_end())).scalar_one() + 1)


def since(connection: Connection, start: FeedPosition) -> tuple[Sequence[Change], FeedPosition]:
    """Every change committed between `start` and now, and where now is, in one statement's view.

    Raises:
        FeedLost: Some of them were pruned, or this is not the database that `start` came from.
    """
    if _has_snapshots(connection):
        number: ColumnElement[int] = changes.c.transaction_id
        end: SQLColumnExpression[Any] = _snapshot()
    else:
        number, end = changes.c.sequence, _sqlite_end()
    unread = number >= start.sequence
    if start.pending:
        unread |= number.in_(start.pending)
    bounds = select(end.label("end"), feed_bounds.c.pruned_through).subquery()
    rows = connection.execute(
        select(bounds, changes.c.kind, changes.c.subject_id)
        .join_from(bounds, changes, unread, isouter=True)
        .order_by(changes.c.sequence)
    ).all()
    now = _position(rows[0].end) if _has_snapshots(connection) else FeedPosition(rows[0].end + 1)
    pruned = rows[0].pruned_through
    if now.sequence < start.sequence or pruned >= start.sequence or pruned in start.pending:
        raise FeedLost(internal=f"change feed: cannot go on from {start.sequence} at {now.sequence}")
    return [Change(row.kind, row.subject_id) for row in rows if row.kind is not None], now


def prune(transaction: Transaction, before: datetime) -> None:
    """Forget entries and claims from before a moment; readers that had not read them are told."""
    connection = transaction.connection
    outdated = changes.c.at < before
    number = changes.c.transaction_id if _has_snapshots(connection) else changes.c.sequence
    pruned_through = connection.scalar(select(func.max(number)).where(outdated))
    if pruned_through is not None:
        connection.execute(delete(changes).where(outdated))
        connection.execute(
            update(feed_bounds)
            .where(feed_bounds.c.pruned_through < pruned_through)
            .values(pruned_through=pruned_through)
        )
    connection.execute(delete(idempotency_claims).where(idempotency_claims.c.expires_at < before))


def _has_snapshots(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def _snapshot() -> ColumnElement[str]:
    return cast(func.pg_current_snapshot(), Text)


def _position(snapshot: str) -> FeedPosition:
    # "xmin:xmax:xip,xip,…": below xmin all is decided, from xmax on nothing is, and xip are under way.
    _, end, pending = snapshot.split(":")
    return FeedPosition(int(end), frozenset(map(int, filter(None, pending.split(",")))))


def _sqlite_end() -> SQLColumnExpression[Any]:
    last = select(func.coalesce(func.max(changes.c.sequence), literal(0))).scalar_subquery()
    pruned = select(feed_bounds.c.pruned_through).scalar_subquery()
    return func.max(last, pruned)
