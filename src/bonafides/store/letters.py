"""The verbs on letters that wait to be sent; they are inserted with the event that they tell of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, select, update

from bonafides.model import WaitingLetter
from bonafides.store.tables import columns_of, letters
from bonafides.store.transaction import Transaction

_LETTER: Final = columns_of(letters, WaitingLetter)


def due(connection: Connection, now: datetime, rows_max: int) -> Sequence[WaitingLetter]:
    """Those that are due, the longest first."""
    query = (
        select(*_LETTER)
        .where(letters.c.due_at <= now)
        .order_by(letters.c.due_at, letters.c.id)
        .limit(rows_max)
    )
    return [WaitingLetter(*row) for row in connection.execute(query)]


def put_off(transaction: Transaction, letter: WaitingLetter, until: datetime) -> bool:
    """Let nobody send it until then, unless somebody else has put it off."""
    changed = transaction.connection.execute(
        update(letters)
        .where(letters.c.id == letter.id, letters.c.tries == letter.tries)
        .values(due_at=until, tries=letter.tries + 1)
    )
    return bool(changed.rowcount)


def forget(transaction: Transaction, letter_id: str) -> None:
    """Remove it."""
    transaction.connection.execute(delete(letters).where(letters.c.id == letter_id))
