"""The verbs on notices: which keys end soon, and that each end is told of once, whoever notices it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import BigInteger, Connection, case, delete, exists, func, select, type_coerce
from sqlalchemy.dialects import postgresql, sqlite

from bonafides.model import AuditEvent, CredentialKind, CredentialStatus, Expiring, Status, WaitingLetter
from bonafides.store.columns import Moment
from bonafides.store.tables import credentials, expiry_notices, letters, row_of, tenants, users
from bonafides.store.transaction import Transaction

_KINDS: Final = (CredentialKind.API_KEY, CredentialKind.PERSONAL_ACCESS_TOKEN)
_DAY_US: Final = 86_400_000_000


def expiring(connection: Connection, now: datetime, days: Sequence[int], rows_max: int) -> Sequence[Expiring]:
    """Keys and personal access tokens that end soon, and whose owner was not told since the last of these days."""
    ending, child, key = credentials.alias("ending"), credentials.alias("child"), credentials
    # The partial index is of these kinds and of what expires at all.
    below = (
        select(ending.c.id, ending.c.expires_at.label("ends_at"))
        .where(
            ending.c.kind.in_(_KINDS),
            ending.c.expires_at.is_not(None),
            ending.c.expires_at > now,
            ending.c.expires_at <= now + timedelta(days=max(days)),
        )
        .cte("below", recursive=True)
    )
    below = below.union_all(select(child.c.id, below.c.ends_at).join(below, child.c.parent_id == below.c.id))
    first = select(below.c.id, func.min(below.c.ends_at).label("ends_at")).group_by(below.c.id).subquery()
    ends_at = type_coerce(first.c.ends_at, Moment)
    due = case(*((ends_at <= now + timedelta(days=day), day) for day in sorted(days)), else_=max(days))
    told = exists().where(
        expiry_notices.c.credential_id == key.c.id,
        expiry_notices.c.ends_at == ends_at,
        expiry_notices.c.days <= due,
    )
    made_us, ends_us = (type_coerce(moment, BigInteger) for moment in (key.c.created_at, first.c.ends_at))
    rows = connection.execute(
        select(
            key.c.id,
            key.c.kind,
            key.c.tenant_id,
            key.c.user_id,
            key.c.name,
            key.c.display,
            ends_at,
            type_coerce(due, BigInteger),
        )
        .join_from(first, key, key.c.id == first.c.id)
        .join(users, users.c.id == key.c.user_id)
        .join(tenants, tenants.c.id == key.c.tenant_id)
        .where(
            key.c.kind.in_(_KINDS),
            key.c.status == CredentialStatus.ACTIVE,
            # A rotated key is meant to end; its successor is told of.
            key.c.overlap_ends_at.is_(None),
            users.c.status == Status.ACTIVE,
            tenants.c.status == Status.ACTIVE,
            made_us + type_coerce(due, BigInteger) * _DAY_US <= ends_us,
            ~told,
        )
        .order_by(first.c.ends_at, key.c.id)
        .limit(rows_max)
    )
    return [Expiring(*row) for row in rows]


def note(
    transaction: Transaction,
    noticed: Sequence[tuple[Expiring, AuditEvent]],
    letters_of: Callable[[Sequence[Expiring]], Sequence[WaitingLetter]],
) -> Sequence[Expiring]:
    """Write the events of those that were not told of, and their letters; of two processes that notice the same end, one does."""
    connection = transaction.connection
    insert = _INSERT[connection.dialect.name]
    told = []
    # In one order, so that two processes never wait for each other.
    for found, event in sorted(noticed, key=lambda pair: pair[0].credential_id):
        row = {"credential_id": found.credential_id, "ends_at": found.ends_at, "days": found.days}
        if connection.execute(insert, row).rowcount:
            transaction.record(event)
            told.append(found)
    for letter in letters_of(told):
        transaction.insert(letters, row_of(letter))
    return told


def prune(transaction: Transaction, before: datetime) -> None:
    """Forget what ended before a moment."""
    transaction.connection.execute(delete(expiry_notices).where(expiry_notices.c.ends_at < before))


_INSERT: Final = {
    "sqlite": sqlite.insert(expiry_notices).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(expiry_notices).on_conflict_do_nothing(),
}
