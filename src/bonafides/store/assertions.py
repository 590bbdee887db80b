"""What serves once: assertions and proofs, by the digest of who made them and what they call themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from bonafides.store.tables import spent_assertions
from bonafides.store.transaction import Transaction

_SPEND: Final = {
    "postgresql": postgresql.insert(spent_assertions).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(spent_assertions).on_conflict_do_nothing(),
}


def spend(transaction: Transaction, digest: bytes, expires_at: datetime) -> bool:
    """Spend an assertion: of any number of calls at once, one does."""
    connection = transaction.connection
    row = {"digest": digest, "expires_at": expires_at}
    return bool(connection.execute(_SPEND[connection.dialect.name], row).rowcount)


def prune(transaction: Transaction, now: datetime) -> None:
    """Forget assertions that have ended by themselves."""
    transaction.connection.execute(delete(spent_assertions).where(spent_assertions.c.expires_at < now))
