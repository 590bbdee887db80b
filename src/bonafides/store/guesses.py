"""The verbs on guesses: counted before they are judged, so that guesses at once count as those one after another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from bonafides.model import GuessLimit, to_micros
from bonafides.store.tables import guesses
from bonafides.store.transaction import Transaction

SECOND_US: Final = 1_000_000
NEVER_SECONDS: Final = 86_400
"""What is told where no guess is admitted any more."""


def count(transaction: Transaction, limits: Sequence[GuessLimit], now: datetime) -> int:
    """Count a guess as wrong; seconds to wait, with nothing counted, where one of its subjects may not guess now."""
    connection = transaction.connection
    now_us = to_micros(now)
    failures: dict[str, int] = {}
    waits = [0]
    # In the order of their names, so that two that count the same ones do not wait for each other.
    for limit in sorted(limits, key=lambda limit: limit.subject):
        known, refused_until_us, seen_us = _locked(connection, limit.subject)
        if limit.forgotten_seconds is not None and seen_us + limit.forgotten_seconds * SECOND_US <= now_us:
            known, refused_until_us = 0, 0
        if limit.most is not None and known >= limit.most:
            waits.append(NEVER_SECONDS)
        waits.append(-(-(refused_until_us - now_us) // SECOND_US))
        failures[limit.subject] = known
    if max(waits) > 0:
        return max(waits)
    for limit in limits:
        known = failures[limit.subject] + 1
        _put(
            connection,
            limit.subject,
            failures=known,
            refused_until_us=now_us + wait_seconds(limit, known) * SECOND_US,
            seen_us=now_us,
        )
    return 0


def wait_seconds(limit: GuessLimit, failures: int) -> int:
    """How long the next guess has to wait after so many wrong ones."""
    beyond = failures - limit.free
    return 0 if beyond < 0 else int(min(2 ** min(beyond, 32), limit.longest_seconds))


def forget(connection: Connection, subjects: Sequence[str]) -> None:
    """Begin anew: somebody was right."""
    connection.execute(delete(guesses).where(guesses.c.subject.in_(subjects)))


def prune(connection: Connection, before: datetime) -> None:
    """Forget who has not guessed since a moment."""
    connection.execute(delete(guesses).where(guesses.c.seen_us < to_micros(before)))


def _locked(connection: Connection, subject: str) -> tuple[int, int, int]:
    """A subject's count, in a row that nobody else changes before this transaction ends."""
    insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    new = {"subject": subject, "failures": 0, "refused_until_us": 0, "seen_us": 0}
    connection.execute(insert(guesses).values(new).on_conflict_do_nothing())
    row = connection.execute(select(guesses).where(guesses.c.subject == subject).with_for_update()).one()
    return row.failures, row.refused_until_us, row.seen_us


def _put(connection: Connection, subject: str, **values: int) -> None:
    connection.execute(guesses.update().where(guesses.c.subject == subject).values(values))
