"""The change feed: no change is missed, whatever order the commits fall in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import asyncpg
import pytest

from bonafides.model import Change, ChangeKind
from bonafides.store import FeedLost, FeedPosition
from bonafides.store.sql import SqlStore
from tests.store.databases import open_store, run_sql
from tests.store.records import NOW, credential, event, plan, secret

NOTE = """
    INSERT INTO changes (transaction_id, kind, subject_id, at)
    VALUES (CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT), 'user', '{}', 0)
"""


def names(changes: object) -> list[str]:
    """The subjects of some changes."""
    assert isinstance(changes, list)
    return [change.subject_id for change in changes]


async def put(store: SqlStore, *plans: str) -> None:
    """Make some changes, one after the other."""
    for name in plans:
        await store.put_plan(plan(name), event())


async def test_a_follower_reads_each_change_once(store: SqlStore, opened: Callable[[], SqlStore]) -> None:
    """A process that misses a revocation goes on accepting a stolen key."""
    other = opened()
    position = await other.feed_position()
    assert await other.changes_since(position) == ([], position)
    await put(store, "a", "b")
    changes, position = await other.changes_since(position)
    assert changes == [Change(ChangeKind.PLAN, "a"), Change(ChangeKind.PLAN, "b")]
    assert (await other.changes_since(position))[0] == []
    await put(other, "c")
    assert names((await other.changes_since(position))[0]) == ["c"]


async def test_an_idle_follower_sees_what_another_process_writes(
    store: SqlStore, opened: Callable[[], SqlStore]
) -> None:
    """A poll that is answered without reading must end with the first commit of anybody."""
    other = opened()
    position = await store.feed_position()
    for name in "abc":
        for _ in range(3):
            changes, position = await store.changes_since(position)
            assert names(changes) == []
        await put(other, name)
        changes, position = await store.changes_since(position)
        assert names(changes) == [name]


async def test_a_position_is_before_all_that_commits_later(store: SqlStore) -> None:
    """A follower that starts while others write must not begin behind them."""
    positions = [await store.feed_position()]
    for name in "abc":
        await put(store, name)
        positions.append(await store.feed_position())
    for number, position in enumerate(positions):
        assert names((await store.changes_since(position))[0]) == list("abc"[number:])


async def test_readers_among_writers_miss_nothing(store: SqlStore, opened: Callable[[], SqlStore]) -> None:
    """The gap shows only under load, when a lower number commits after a higher one was read."""
    writers = [store, opened(), opened()]
    reader = opened()
    position = await reader.feed_position()
    read: list[str] = []

    async def write(writer: SqlStore, name: str) -> None:
        for number in range(25):
            await put(writer, f"{name}{number}")

    writing = asyncio.gather(*(write(writer, f"w{number}_") for number, writer in enumerate(writers)))
    while not writing.done():
        changes, position = await reader.changes_since(position)
        read += names(changes)
        await asyncio.sleep(0)
    await writing
    read += names((await reader.changes_since(position))[0])
    assert sorted(read) == sorted(f"w{writer}_{number}" for writer in range(3) for number in range(25))


async def settled(store: SqlStore, position: FeedPosition) -> None:
    """Return once nothing is being written; there was nothing to read.

    A wake-up for other servers takes a transaction number too, some moments after the write.
    """
    for _ in range(500):
        changes, position = await store.changes_since(position)
        assert names(changes) == []
        if not position.pending:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(position)


async def test_a_change_that_commits_late_is_read_late_and_others_do_not_wait(migrated_postgres: str) -> None:
    """PostgreSQL numbers rows before it commits them: who remembers only the highest number loses some."""
    store = open_store(migrated_postgres)
    slow = await asyncpg.connect(migrated_postgres)
    try:
        before = slow.transaction()
        await before.start()
        await slow.execute(NOTE.format("slow"))
        position = await store.feed_position()
        await put(store, "quick")
        changes, position = await store.changes_since(position)
        assert names(changes) == ["quick"]
        assert position.pending
        await put(store, "quicker")
        changes, position = await store.changes_since(position)
        assert names(changes) == ["quicker"]
        await before.commit()
        changes, position = await store.changes_since(position)
        assert names(changes) == ["slow"]
        await settled(store, position)
    finally:
        await slow.close()
        await store.close()


async def test_a_change_that_was_rolled_back_is_never_read(migrated_postgres: str) -> None:
    """A number that never comes must not keep the follower waiting for it."""
    store = open_store(migrated_postgres)
    slow = await asyncpg.connect(migrated_postgres)
    try:
        undone = slow.transaction()
        await undone.start()
        await slow.execute(NOTE.format("undone"))
        position = await store.feed_position()
        await undone.rollback()
        await put(store, "after")
        changes, position = await store.changes_since(position)
        assert names(changes) == ["after"]
        await settled(store, position)
    finally:
        await slow.close()
        await store.close()


async def test_pruning_is_told_to_who_had_not_read(store: SqlStore) -> None:
    """A laptop that slept for a day must forget everything, not trust what it knew yesterday."""
    start = await store.feed_position()
    await put(store, "a")
    current = (await store.changes_since(start))[1]
    await store.prune(NOW + timedelta(seconds=1))
    with pytest.raises(FeedLost):
        await store.changes_since(start)
    assert names((await store.changes_since(current))[0]) == []
    await put(store, "b")
    for _ in range(2):
        changes, later = await store.changes_since(current)
        assert names(changes) == ["b"]
        await settled(store, later)


async def test_pruning_keeps_what_is_recent(url: str, store: SqlStore) -> None:
    """A follower that reads once a second must find what happened in the last hour."""
    start = await store.feed_position()
    await put(store, "a")
    await store.prune(NOW)
    assert names((await store.changes_since(start))[0]) == ["a"]
    await store.prune(NOW + timedelta(seconds=1))
    await store.prune(NOW + timedelta(seconds=1))
    assert await run_sql(url, "SELECT count(*) FROM changes") == [(0,)]


async def test_a_database_that_went_back_is_noticed(store: SqlStore) -> None:
    """After a backup was restored, numbers are given again: whoever read past them would miss the new ones."""
    position = await store.feed_position()
    with pytest.raises(FeedLost):
        await store.changes_since(FeedPosition(position.sequence + 1000))


async def test_a_pruned_change_of_a_transaction_that_was_pending_is_noticed(migrated_postgres: str) -> None:
    """The newest pruned row may be the very one that a follower still waits for."""
    store = open_store(migrated_postgres)
    slow = await asyncpg.connect(migrated_postgres)
    try:
        late = slow.transaction()
        await late.start()
        await slow.execute(NOTE.format("late"))
        await put(store, "later")
        position = await store.feed_position()
        assert position.pending
        await late.commit()
        await store.prune(NOW)
        with pytest.raises(FeedLost):
            await store.changes_since(position)
    finally:
        await slow.close()
        await store.close()


async def test_a_credential_that_is_made_is_in_the_feed(store: SqlStore) -> None:
    """Another process remembers for a while that a secret is unknown; it must learn that it is known now."""
    position = await store.feed_position()
    key = credential()
    await store.create_credential(key, secret(key), event())
    changes, _ = await store.changes_since(position)
    assert changes == [Change(ChangeKind.CREDENTIAL_CREATED, key.id)]
