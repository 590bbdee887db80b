"""Group commit: writers share transactions, and neither failures nor answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, create_engine

from bonafides.errors import Unavailable
from bonafides.model import Change, ChangeKind, Credential, Page, Verifiable
from bonafides.store import FeedPosition, prepared
from bonafides.store.commits import GroupCommit
from bonafides.store.database import Contention, Key, News, Question, Row, Version
from bonafides.store.sql import SqlStore
from bonafides.store.transaction import Transaction
from tests.store.databases import run_sql
from tests.store.records import credential, event, of_keys, plan, secret

T = TypeVar("T")


class Recorded:
    """A database that runs work on nothing, fails as it is told, and remembers how often it was asked."""

    def __init__(self, *failures: Exception | None) -> None:
        self.failures = list(failures)
        self.transactions = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self._connection = create_engine("sqlite://").connect()

    async def read(self, work: Callable[[Connection], T]) -> T:
        return work(self._connection)

    async def write(self, work: Callable[[Connection], T]) -> T:
        self.transactions += 1
        await self.gate.wait()
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        return work(self._connection)

    async def look_up(self, digests: Sequence[bytes]) -> Mapping[bytes, Verifiable]:
        raise NotImplementedError(digests)

    async def ask(self, question: Question, keys: Sequence[Key]) -> Mapping[Key, Row]:
        raise NotImplementedError

    async def news(self, start: FeedPosition, known: Version | None) -> News | None:
        raise NotImplementedError

    async def version(self) -> None:
        return None

    async def close(self) -> None:
        self._connection.close()


def answering(answer: object) -> Callable[[Transaction], object]:
    """Work that writes nothing."""
    return lambda _transaction: answer


def failing(_transaction: Transaction) -> object:
    """Work that cannot be done."""
    raise ValueError("mine")


async def together(commits: GroupCommit, *works: Callable[[Transaction], object]) -> list[Any]:
    """The outcomes of works that are asked for at once."""
    return await asyncio.gather(*(commits.carry_out(work) for work in works), return_exceptions=True)


async def test_writers_that_meet_share_a_transaction() -> None:
    """One flush of the disk for each would limit a server to a few hundred keys a second."""
    database = Recorded()
    commits = GroupCommit(database, lambda _: None)
    assert await together(commits, *(answering(number) for number in range(200))) == list(range(200))
    assert database.transactions == 1
    assert await together(commits, *(answering(number) for number in range(257))) == list(range(257))
    assert database.transactions == 3


async def test_those_who_come_one_turn_later_come_along() -> None:
    """Clients that were answered together would be committed in two halves from then on, each with pages of its own."""
    database = Recorded()
    commits = GroupCommit(database, lambda _: None)
    first = asyncio.create_task(commits.carry_out(answering(1)))
    for _ in range(2):
        await asyncio.sleep(0)
    later = asyncio.create_task(commits.carry_out(answering(2)))
    assert [await first, await later] == [1, 2]
    assert database.transactions == 1


async def test_an_endless_stream_of_writers_keeps_nobody_waiting() -> None:
    """With one more in each turn of the event loop, the first would be told when the last has come."""
    database = Recorded()
    commits = GroupCommit(database, lambda _: None)
    writers = []
    for number in range(60):
        writers.append(asyncio.create_task(commits.carry_out(answering(number))))
        await asyncio.sleep(0)
    assert writers[0].done()
    assert await asyncio.gather(*writers) == list(range(60))


async def test_a_failure_is_told_to_its_own_caller_alone() -> None:
    """One bad request must not fail everybody who happened to write at the same moment."""
    database = Recorded()
    first, mine, last = await together(
        GroupCommit(database, lambda _: None), answering(1), failing, answering(3)
    )
    assert (first, last) == (1, 3)
    assert isinstance(mine, ValueError)
    assert database.transactions == 4


async def test_an_outage_is_told_to_all_at_once() -> None:
    """A database that hangs would otherwise be waited for once for each caller."""
    database = Recorded(Unavailable(internal="away"))
    commits = GroupCommit(database, lambda _: None)
    outcomes = await together(commits, answering(1), answering(2))
    assert [outcome.internal for outcome in outcomes] == ["away", "away"]
    assert database.transactions == 1
    assert await commits.carry_out(answering(3)) == 3


async def test_an_outage_among_single_works_ends_the_batch() -> None:
    """The same, when the database goes away after a first failure had separated the works."""
    database = Recorded(ValueError(), None, Unavailable(internal="away"))
    outcomes = await together(GroupCommit(database, lambda _: None), *map(answering, range(5)))
    assert outcomes[0] == 0
    assert [outcome.internal for outcome in outcomes[1:]] == ["away"] * 4
    assert database.transactions == 3


async def test_contention_is_tried_again_a_few_times() -> None:
    """A deadlock that two nodes ran into is no failure that a client must hear of."""
    database = Recorded(*[Contention(internal="deadlock")] * 3)
    assert await GroupCommit(database, lambda _: None).carry_out(answering(1)) == 1
    assert database.transactions == 4
    database = Recorded(*[Contention(internal="deadlock")] * 5)
    outcomes = await together(GroupCommit(database, lambda _: None), answering(1), answering(2))
    assert isinstance(outcomes[0], Contention)
    assert outcomes[1] == 2


async def test_what_queues_during_a_commit_is_the_next_batch() -> None:
    """Writers wait for nobody but the disk."""
    database = Recorded()
    database.gate.clear()
    commits = GroupCommit(database, lambda _: None)
    first = asyncio.create_task(commits.carry_out(answering("first")))
    await asyncio.sleep(0.01)
    rest = [asyncio.create_task(commits.carry_out(answering(number))) for number in range(20)]
    await asyncio.sleep(0.01)
    database.gate.set()
    assert await first == "first"
    assert await asyncio.gather(*rest) == list(range(20))
    assert database.transactions == 2


async def test_a_caller_who_leaves_takes_nothing_along() -> None:
    """A client that hangs up must neither undo another's write nor leave half of its own."""
    database = Recorded()
    database.gate.clear()
    commits = GroupCommit(database, lambda _: None)
    done: list[str] = []
    leaving = asyncio.create_task(commits.carry_out(lambda _: done.append("left")))
    staying = asyncio.create_task(commits.carry_out(answering("stayed")))
    await asyncio.sleep(0.01)
    leaving.cancel()
    await asyncio.sleep(0.01)
    database.gate.set()
    assert await staying == "stayed"
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert done == ["left"]


async def test_closing_waits_for_what_is_under_way() -> None:
    """A server that drains must not drop the write of its last request."""
    database = Recorded()
    database.gate.clear()
    commits = GroupCommit(database, lambda _: None)
    await commits.finish()
    writing = asyncio.create_task(commits.carry_out(answering(1)))
    await asyncio.sleep(0.01)
    finishing = asyncio.create_task(commits.finish())
    await asyncio.sleep(0.01)
    assert not finishing.done()
    database.gate.set()
    await finishing
    assert await writing == 1


async def test_a_listener_that_fails_leaves_nobody_waiting(store: SqlStore) -> None:
    """Callers would wait for ever for an answer, and a write that was made would be made again."""

    def fail(_changes: Sequence[Change]) -> None:
        raise RuntimeError("listener")

    commits = GroupCommit(store._database, fail)
    with pytest.raises(RuntimeError, match="listener"):
        await commits.carry_out(lambda it: it.record(event(), Change(ChangeKind.PLAN, "x")))
    assert len(await store.list_events("ten_a", Page(10))) == 2


async def test_a_failing_verb_does_not_undo_the_others(store: SqlStore) -> None:
    """On a real database: ten keys are asked for, one of them twice; nine and one come to be."""
    keys = [credential() for _ in range(10)]
    outcomes = await asyncio.gather(
        *(store.create_credential(key, secret(key), event()) for key in [*keys, keys[4]]),
        return_exceptions=True,
    )
    assert [outcome for outcome in outcomes if isinstance(outcome, Credential)] == keys
    assert isinstance(outcomes[-1], Exception)
    assert len(await store.list_credentials("ten_a", Page(100), of_keys())) == 11


async def test_changes_are_told_before_the_verb_returns(store: SqlStore, told: list[Change]) -> None:
    """A key that its admin was told is revoked must not pass one more request on this very process."""
    await asyncio.gather(*(store.put_plan(plan(name), event()) for name in "abc"))
    assert sorted(change.subject_id for change in told) == ["a", "b", "c"]


async def test_rows_events_and_changes_are_written_together(url: str, store: SqlStore) -> None:
    """Each event belongs to a row, and each row to an event, also when many share a transaction."""
    keys = [credential() for _ in range(50)]
    events = [event(subject_id=key.id) for key in keys]
    await asyncio.gather(
        *(store.create_credential(key, secret(key), made) for key, made in zip(keys, events, strict=True))
    )
    for table, column in (("credentials", "id"), ("audit_events", "subject_id"), ("changes", "subject_id")):
        rows = {row for (row,) in await run_sql(url, f"SELECT {column} FROM {table}")}
        assert {key.id for key in keys} <= rows


async def test_what_every_transaction_writes_is_put_into_words_once(store: SqlStore) -> None:
    """A statement that is built in each commit takes longer than the commit."""

    async def create() -> None:
        key = credential()
        await store.create_credential(key, secret(key), event(subject_id=key.id))

    await create()
    before = [made.cache_info().misses for made in (prepared._on_sqlite, prepared._on_postgresql)]
    await create()
    assert [made.cache_info().misses for made in (prepared._on_sqlite, prepared._on_postgresql)] == before
