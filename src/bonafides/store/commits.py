"""Group commit: writes that arrive while one is being made durable share the next transaction.

Why the database is told of many at once, and what happens when one of them fails, is in
docs/decisions/0004-one-writer-and-group-commit.md.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from sqlalchemy import Connection

from bonafides.errors import Unavailable
from bonafides.model import Change
from bonafides.store import OnCommit
from bonafides.store.database import Contention, Database
from bonafides.store.transaction import Transaction

T = TypeVar("T")
Work = Callable[[Transaction], T]

_TOGETHER_MAX: Final = 256
_RETRIES_MAX: Final = 3
_QUIET_ROUNDS: Final = 2
"""Of the event loop, with nobody new: those who were answered last ask again within as many."""
_ROUNDS_MAX: Final = 16


class GroupCommit:
    """Carries out each work in a durable transaction, which it may share with others.

    A work may be carried out more than once, in transactions of which all but the last are undone: it
    has no effect but through its transaction. Once begun it is finished, also for a caller who left.

    Args:
        database: Where to write.
        on_commit: Told of a transaction's changes before any of its callers is answered.
    """

    def __init__(self, database: Database, on_commit: OnCommit) -> None:
        self._database = database
        self._on_commit = on_commit
        self._waiting: deque[tuple[Work[Any], asyncio.Future[Any]]] = deque()
        self._committed: list[Change] = []
        self._writer: asyncio.Task[None] | None = None

    async def carry_out(self, work: Work[T]) -> T:
        """What the work returns, once all that it wrote is durable.

        Raises:
            Unavailable: The database cannot be asked. What was written may yet be there, if the
                connection was lost during the commit.
        """
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, answer))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        return await answer

    async def finish(self) -> None:
        """Return once nothing is under way."""
        if self._writer is not None:
            await self._writer

    async def _write(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _TOGETHER_MAX))]
                outcomes = await self._outcomes([work for work, _ in batch])
                outcomes = self._announce(outcomes)
                for (_, answer), outcome in zip(batch, outcomes, strict=True):
                    _tell(answer, outcome)
        finally:
            self._writer = None

    async def _gather(self) -> None:
        """Let whoever is on their way come along: return once the event loop has come round with nobody new."""
        quiet = 0
        for _ in range(_ROUNDS_MAX):
            before = len(self._waiting)
            await asyncio.sleep(0)
            quiet = quiet + 1 if len(self._waiting) == before else 0
            if quiet == _QUIET_ROUNDS or before >= _TOGETHER_MAX:
                return

    async def _outcomes(self, works: Sequence[Work[Any]]) -> Sequence[object]:
        try:
            return await self._commit(works)
        except Unavailable as error:
            if not isinstance(error, Contention):
                return [error] * len(works)
        except Exception:  # noqa: BLE001, S110 - told below to the one whose failure it is
            pass
        # One of them failed and undid the others too, or lost a race that is decided by now.
        return await self._one_by_one(works)

    async def _one_by_one(self, works: Sequence[Work[Any]]) -> Sequence[object]:
        outcomes: list[object] = []
        for work in works:
            try:
                outcomes += await self._alone(work)
            except Contention as error:
                outcomes.append(error)
            except Unavailable as error:
                # Not asked again for each of the others: a database that hangs would take a timeout for each.
                return outcomes + [error] * (len(works) - len(outcomes))
            except Exception as error:  # noqa: BLE001 - raised where the answer is awaited
                outcomes.append(error)
        return outcomes

    async def _alone(self, work: Work[Any]) -> Sequence[object]:
        for _ in range(_RETRIES_MAX):
            with contextlib.suppress(Contention):
                return await self._commit([work])
        return await self._commit([work])

    async def _commit(self, works: Sequence[Work[Any]]) -> Sequence[object]:
        answers, changes = await self._database.write(partial(_run_all, works))
        self._committed += changes
        return answers

    def _announce(self, outcomes: Sequence[object]) -> Sequence[object]:
        changes, self._committed = self._committed, []
        try:
            if changes:
                self._on_commit(changes)
        except Exception as error:  # noqa: BLE001 - a listener's failure must not leave callers waiting
            return [error] * len(outcomes)
        return outcomes


def _run_all(works: Sequence[Work[Any]], connection: Connection) -> tuple[list[object], list[Change]]:
    transaction = Transaction(connection)
    answers = [work(transaction) for work in works]
    transaction.finish()
    return answers, transaction.changes


def _tell(answer: asyncio.Future[Any], outcome: object) -> None:
    if answer.done():
        return  # the caller left
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
