"""The verbs on authorization requests that clients push: used once, and forgotten soon."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, insert, select, update

from bonafides.delegation import PresentedRequest, PushedRequest
from bonafides.model import DigestedSecret
from bonafides.store.tables import columns_of, pushed_requests, row_of
from bonafides.store.transaction import Transaction

_REQUEST: Final = columns_of(pushed_requests, PushedRequest)


def push(transaction: Transaction, request: PushedRequest, secret: DigestedSecret) -> None:
    """Keep a request under a secret."""
    transaction.connection.execute(insert(pushed_requests), row_of(request) | row_of(secret))


def find(connection: Connection, digests: Sequence[bytes], now: datetime) -> PresentedRequest | None:
    """The request with one of these digests, if it has neither ended nor been used up."""
    row = connection.execute(
        select(pushed_requests.c.digest, *_REQUEST).where(
            pushed_requests.c.digest.in_(digests),
            pushed_requests.c.spent_at.is_(None),
            pushed_requests.c.expires_at > now,
        )
    ).one_or_none()
    return None if row is None else PresentedRequest(row[0], PushedRequest(*row[1:]))


def spend(transaction: Transaction, digest: bytes, now: datetime) -> bool:
    """Use a request up: of any number of calls at once, one does."""
    spent = transaction.connection.execute(
        update(pushed_requests)
        .where(
            pushed_requests.c.digest == digest,
            pushed_requests.c.spent_at.is_(None),
            pushed_requests.c.expires_at > now,
        )
        .values(spent_at=now)
    )
    return spent.rowcount == 1
