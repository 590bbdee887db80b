"""Refresh tokens of any family: spent once, and followed by another."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, exists, update


def state_of(table: Table) -> tuple[Column[Any] | ColumnElement[bool], ...]:
    """What a refresh token is judged by, in the order of the records: its digest first, then whether it was followed twice."""
    successors = table.alias("successors")
    successor_spent = exists().where(
        successors.c.digest == table.c.successor, successors.c.spent_at.is_not(None)
    )
    return table.c.digest, table.c.expires_at, table.c.spent_at, table.c.sealed_answer, successor_spent


def spend(
    connection: Connection,
    table: Table,
    digest: bytes,
    successor: bytes,
    sealed_answer: bytes,
    at: datetime,
) -> bool:
    """Spend a refresh token: of any number of calls at once, one does."""
    spent = connection.execute(
        update(table)
        .where(table.c.digest == digest, table.c.spent_at.is_(None), table.c.expires_at > at)
        .values(spent_at=at, successor=successor, sealed_answer=sealed_answer)
    )
    return bool(spent.rowcount)
