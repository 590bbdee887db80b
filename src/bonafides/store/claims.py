"""Idempotency: a creating call that is sent again is answered as before, and happens once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from bonafides.model import IdempotencyClaim, Replayed
from bonafides.store import Reused
from bonafides.store.tables import idempotency_claims, row_of


def settle(connection: Connection, claim: IdempotencyClaim | None, now: datetime) -> Replayed | Reused | None:
    """Take the claim, or say how the call before was answered; None means: carry on, it is yours.

    Of two transactions that take the same claim, the later waits in the INSERT for the earlier, fails
    on the primary key, and when it is carried out anew finds the claim taken.
    """
    if claim is None:
        return None
    same_key = idempotency_claims.c.key_digest == claim.key_digest
    earlier = connection.execute(select(idempotency_claims).where(same_key)).one_or_none()
    if earlier is not None and earlier.expires_at > now:
        same_request = earlier.request_digest == claim.request_digest
        return Replayed(earlier.sealed_answer) if same_request else Reused()
    if earlier is not None:
        connection.execute(delete(idempotency_claims).where(same_key))
    connection.execute(insert(idempotency_claims), row_of(claim))
    return None


def release(connection: Connection, claim: IdempotencyClaim | None) -> None:
    """Give a claim back that `settle` took in this transaction: the call came to nothing."""
    if claim is not None:
        connection.execute(
            delete(idempotency_claims).where(idempotency_claims.c.key_digest == claim.key_digest)
        )
