"""Idempotency: a creating call that is sent again is answered as before, and happens once."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bonafides.model import IdempotencyClaim, Replayed
from bonafides.secret import same
from bonafides.store import Reused
from bonafides.store.tables import idempotency_claims, row_of

# While another transaction holds the same claim, PostgreSQL waits here until that one has ended.
_TAKE: Final = {
    "postgresql": postgresql.insert(idempotency_claims).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(idempotency_claims).on_conflict_do_nothing(),
}


def settle(connection: Connection, claim: IdempotencyClaim | None, now: datetime) -> Replayed | Reused | None:
    """Take the claim, or say how the call before was answered; None means: carry on, it is yours."""
    if claim is None or connection.execute(_TAKE[connection.dialect.name], row_of(claim)).rowcount:
        return None
    same_key = idempotency_claims.c.key_digest == claim.key_digest
    earlier = connection.execute(select(idempotency_claims).where(same_key).with_for_update()).one()
    if earlier.expires_at <= now:
        connection.execute(update(idempotency_claims).where(same_key).values(row_of(claim)))
        return None
    return Replayed(earlier.sealed_answer) if same(earlier.request_digest, claim.request_digest) else Reused()


def release(connection: Connection, claim: IdempotencyClaim | None) -> None:
    """Give a claim back that `settle` took in this transaction: the call came to nothing."""
    if claim is not None:
        connection.execute(
            delete(idempotency_claims).where(idempotency_claims.c.key_digest == claim.key_digest)
        )
