# ruff: noqa: ASYNC220, ASYNC240 - nothing else runs on these event loops
"""SQLite alone: what one file can do to a server, and what it must not."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bonafides.errors import Misconfigured, Unavailable
from bonafides.model import EVERYWHERE, CredentialKind, Page
from bonafides.store import FeedLost
from bonafides.store import sqlite as sqlite_store
from bonafides.store.sql import SqlStore
from bonafides.store.sqlite import connect, create_file, open_sqlite, path_of
from tests.store.records import credential, digest, event, of_keys, plan, secret, tenant, user

ALL = Page(limit=100_000)

WRITER = """
import asyncio, sys
from bonafides.store.sqlite import open_sqlite
from tests.store.records import credential, event, secret

async def write():
    store = open_sqlite(sys.argv[1])
    async def one(number):
        while True:
            key = credential(f"key_{number}_{event().id}")
            await store.create_credential(key, secret(key), event(id=f"evt_{key.id}"))
            print(key.id, flush=True)
    await asyncio.gather(*map(one, range(8)))

asyncio.run(write())
"""


@pytest.fixture
async def store(migrated_sqlite: str) -> AsyncIterator[SqlStore]:
    """An installation in a file."""
    store = open_sqlite(migrated_sqlite)
    key = credential("key_first")
    await store.found(tenant(operator=True), user(), "hash", key, secret(key), [plan()], event())
    yield store
    await store.close()


def written_elsewhere(path: Path) -> sqlite3.Connection:
    """Another connection to a file without a write-ahead log, in the midst of writing."""
    create_file(path)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE things (id INTEGER)")
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO things VALUES (1)")
    return other


async def assert_away(store: SqlStore) -> None:
    """Reading, writing and looking up all say that they cannot know."""
    with pytest.raises(Unavailable):
        await store.find_credential("key_first", EVERYWHERE)
    with pytest.raises(Unavailable):
        await store.append_event(event())
    with pytest.raises(Unavailable):
        await store.find_verifiable([digest("key_first")])


async def assert_there(store: SqlStore) -> None:
    """Service has returned."""
    assert await store.find_credential("key_first", EVERYWHERE) == credential("key_first")
    await store.append_event(event())
    assert len(await store.find_verifiable([digest("key_first")])) == 1


@pytest.mark.parametrize(
    "url", ["", "sqlite://", "sqlite:///", ":memory:", "sqlite:///:memory:", "mysql://h/d"]
)
def test_a_url_names_a_file(url: str) -> None:
    """A database in memory would forget every key at the next start."""
    with pytest.raises(Misconfigured):
        path_of(url)


def test_a_file_may_be_named_in_both_forms() -> None:
    """Relative to where the server was started, not to where it changes to."""
    assert path_of("bonafides.db") == path_of("sqlite:///bonafides.db") == Path.cwd() / "bonafides.db"
    assert path_of("sqlite:////var/lib/b.db") == Path("/var/lib/b.db")


async def test_a_file_that_is_moved_away_is_noticed_and_comes_back(
    store: SqlStore, sqlite_path: Path
) -> None:
    """Through its open handle SQLite would acknowledge keys into a file that has no name."""
    await assert_there(store)
    aside = sqlite_path.with_suffix(".aside")
    sqlite_path.rename(aside)
    await assert_away(store)
    aside.rename(sqlite_path)
    await assert_there(store)


def restore(path: Path) -> None:
    """Put a backup in the file's place, as somebody does while the server runs."""
    backup = path.with_suffix(".backup")
    with sqlite3.connect(path) as source, sqlite3.connect(backup) as target:
        source.backup(target)
        target.execute("UPDATE credentials SET name = 'from the backup'")
    source.close()
    target.close()
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    backup.replace(path)


async def test_a_follower_of_a_file_that_was_replaced_is_told(store: SqlStore, sqlite_path: Path) -> None:
    """A backup has as many changes as were read, if the last ones were not read yet; memory would stay as it was."""
    position = await store.feed_position()
    assert (await store.changes_since(position))[0] == []
    restore(sqlite_path)
    with pytest.raises(FeedLost):
        await store.changes_since(position)
    position = await store.feed_position()
    assert await store.changes_since(position) == ([], position)


async def test_a_file_that_is_replaced_is_noticed(store: SqlStore, sqlite_path: Path) -> None:
    """A restored backup must be what is served, in the same process."""
    await assert_there(store)
    restore(sqlite_path)
    found = await store.find_credential("key_first", EVERYWHERE)
    assert found == replace(credential("key_first"), name="from the backup")
    assert (await store.find_verifiable([digest("key_first")]))[digest("key_first")].name == "from the backup"


async def test_a_missing_file_is_never_made_by_the_server(tmp_path: Path) -> None:
    """A volume that was not mounted would become a new, empty installation."""
    store = open_sqlite(str(tmp_path / "gone.db"))
    await assert_away(store)
    await store.close()
    assert list(tmp_path.iterdir()) == []


async def test_a_file_that_is_no_database_is_an_outage(sqlite_path: Path) -> None:
    """A corrupt file is "we cannot know", never "this key is invalid"."""
    sqlite_path.write_bytes(b"this is no database, but it is long enough to look like one" * 100)
    store = open_sqlite(str(sqlite_path))
    await assert_away(store)
    await store.close()


async def test_a_damaged_page_is_an_outage(store: SqlStore, sqlite_path: Path) -> None:
    """The same, when the damage is in the middle."""
    await store.close()
    whole = sqlite_path.read_bytes()
    sqlite_path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    damaged = open_sqlite(str(sqlite_path))
    await assert_away(damaged)
    await damaged.close()


async def test_a_lock_that_is_held_for_long_is_an_outage(
    store: SqlStore, sqlite_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup tool that holds the lock must not hold requests for ever; readers go on."""
    await store.close()
    monkeypatch.setattr(sqlite_store, "_LOCK_SECONDS_MAX", 0.2)
    waiting = open_sqlite(str(sqlite_path))
    other = sqlite3.connect(sqlite_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match=r"Try again") as caught:
        await waiting.append_event(event())
    assert "locked" in caught.value.internal
    assert await waiting.find_credential("key_first", EVERYWHERE)
    other.execute("ROLLBACK")
    other.close()
    await assert_there(waiting)
    await waiting.close()


async def test_a_full_disk_is_an_outage_and_undoes_the_write(store: SqlStore) -> None:
    """Half a key must not be left, and service returns when there is room again."""

    def fill(transaction: object) -> None:
        connection = transaction.connection  # type: ignore[attr-defined]
        connection.exec_driver_sql("PRAGMA max_page_count = 1")

    await store._commits.carry_out(fill)
    events = [event(details={"filling": "x" * 2000}) for _ in range(50)]
    outcomes = await asyncio.gather(*map(store.append_event, events), return_exceptions=True)
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
    assert len(await store.list_events("ten_a", ALL)) == 1
    await store._commits.carry_out(
        lambda transaction: transaction.connection.exec_driver_sql("PRAGMA max_page_count = 1000000").close()
    )
    await assert_there(store)


async def test_commits_are_flushed_and_references_held(store: SqlStore) -> None:
    """The three settings that decide whether an acknowledged key survives a power cut."""

    def settings(transaction: object) -> list[object]:
        connection = transaction.connection  # type: ignore[attr-defined]
        return [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]

    assert await store._commits.carry_out(settings) == ["wal", 2, 1]


async def test_readers_cannot_write(store: SqlStore) -> None:
    """A verb that reads and yet writes would go around the one writer, its event and its change."""
    with pytest.raises(Unavailable) as caught:
        await store._database.read(
            lambda connection: connection.exec_driver_sql("DELETE FROM credentials").close()
        )
    assert "readonly" in caught.value.internal


def test_making_a_file_leaves_one_that_is_there(sqlite_path: Path) -> None:
    """`serve` on an existing installation."""
    sqlite_path.write_text("precious")
    create_file(sqlite_path)
    assert sqlite_path.read_text() == "precious"


def test_a_new_file_is_opened_while_another_writes_to_it(sqlite_path: Path) -> None:
    """Of two first runs at once, one was told that the database is away."""
    other = written_elsewhere(sqlite_path)
    ending = threading.Timer(0.2, other.rollback)
    ending.start()
    connection = connect(sqlite_path, writing=True)
    ending.join()
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    other.close()


def test_a_file_that_is_read_for_ever_cannot_be_opened(
    sqlite_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start that waits without end for a forgotten shell tells nobody what is wrong."""
    monkeypatch.setattr(sqlite_store, "_LOCK_SECONDS_MAX", 0.01)
    other = written_elsewhere(sqlite_path)
    other.commit()
    other.execute("BEGIN")
    other.execute("SELECT * FROM things").fetchone()
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        connect(sqlite_path, writing=True)
    other.close()


async def test_an_outage_tells_no_value_of_a_row(store: SqlStore) -> None:
    """Logs are read by people who must not see digests, addresses or metadata."""
    key = credential(kind=CredentialKind.API_KEY, name="precious", parent_id="gone", root_id="gone")
    with pytest.raises(Exception) as caught:  # noqa: PT011 - its text is what is looked at
        await store.create_credential(key, secret(key), event())
    shown = f"{caught.value!r} {caught.value.__dict__} {caught.value.__cause__} {caught.value.__context__!r}"
    assert "precious" not in shown


async def test_acknowledged_keys_survive_kill_9(store: SqlStore, migrated_sqlite: str) -> None:
    """A key that was handed out and then forgotten is a customer who is locked out."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, migrated_sqlite], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    acknowledged = [(await asyncio.to_thread(writer.stdout.readline)).strip() for _ in range(200)]
    os.kill(writer.pid, signal.SIGKILL)
    rest = (await asyncio.to_thread(writer.stdout.read)).splitlines(keepends=True)
    acknowledged += [line.strip() for line in rest if line.endswith("\n")]
    writer.wait()
    writer.stdout.close()
    kept = {key.id for key in await store.list_credentials("ten_a", ALL, of_keys())}
    recorded = {written.id for written in await store.list_events("ten_a", ALL)}
    assert set(acknowledged) <= kept
    assert {f"evt_{identity}" for identity in kept - {"key_first"}} <= recorded
