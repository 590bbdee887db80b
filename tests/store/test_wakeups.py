"""Wake-ups on PostgreSQL: other processes hear of a change at once, and nothing depends on it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import asyncpg
import pytest

from bonafides.store import wakeups as wakeups_module
from bonafides.store.postgres import connect, failures_translated
from bonafides.store.wakeups import CHANNEL, Wakeups
from tests.faults.outages import frozen
from tests.postgres import PostgresServer
from tests.store.databases import open_store, run_sql
from tests.store.records import event, plan

SECONDS_MAX = 20.0


async def until(condition: Callable[[], bool]) -> None:
    """Let others run until something has happened."""
    async with asyncio.timeout(SECONDS_MAX):
        while not condition():  # noqa: ASYNC110 - what is waited for knows nothing of this test
            await asyncio.sleep(0.001)


@dataclass
class Listener:
    """A process that listens, and counts how often it is woken."""

    wakeups: Wakeups
    woken: int = 0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def wake(self) -> None:
        """Count."""
        self.woken += 1

    async def start(self) -> None:
        """Listen, and return once it hears."""
        self.tasks.append(asyncio.create_task(self.wakeups.listen(self.wake)))
        await until(lambda: self.wakeups.hears)

    async def stop(self) -> None:
        """End."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.wakeups.close()


def wakeups_on(url: str) -> Wakeups:
    """Wake-ups of a process of its own."""
    return Wakeups(lambda: connect(url, timeout=2, command_timeout=2), failures_translated)


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakeups_module, "_BEAT_SECONDS", 0.05)
    monkeypatch.setattr(wakeups_module, "_AGAIN_SECONDS", 0.01)


@pytest.fixture
async def listen(migrated_postgres: str) -> AsyncIterator[Callable[[], Listener]]:
    """Makes listeners on one database."""
    made: list[Listener] = []

    def another() -> Listener:
        made.append(Listener(wakeups_on(migrated_postgres)))
        return made[-1]

    yield another
    for listener in made:
        await listener.stop()


async def test_a_change_wakes_the_others_and_not_whoever_made_it(listen: Callable[[], Listener]) -> None:
    """A revoked key would work elsewhere until each process happens to look."""
    one, two = listen(), listen()
    await one.start()
    await two.start()
    before = one.woken, two.woken
    one.wakeups.announce()
    await until(lambda: two.woken > before[1])
    assert one.woken == before[0]
    # A beat is for whoever beats alone.
    await asyncio.sleep(0.2)
    assert two.woken == before[1] + 1
    assert one.woken == before[0]


async def test_a_committed_change_is_told_and_nothing_else(migrated_postgres: str) -> None:
    """Whoever writes through the store would have to remember to tell the others."""
    writer, reader = open_store(migrated_postgres), open_store(migrated_postgres)
    woken = 0

    def wake() -> None:
        nonlocal woken
        woken += 1

    listening = asyncio.create_task(reader.listen(wake))
    try:
        await until(reader.hears)
        assert not writer.hears()
        before = woken
        await writer.append_event(event())
        await writer.is_founded()
        await asyncio.sleep(0.1)
        assert woken == before
        await writer.put_plan(plan(), event())
        await until(lambda: woken > before)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await writer.close()
        await reader.close()


async def test_on_sqlite_nobody_calls_and_nobody_waits(migrated_sqlite: str) -> None:
    """A server on SQLite would look less often for the sake of calls that never come."""
    store = open_store(migrated_sqlite)
    await store.put_plan(plan(), event())
    await store.listen(lambda: None)
    assert not store.hears()
    await store.close()


async def test_a_burst_of_changes_is_few_calls(
    listen: Callable[[], Listener], migrated_postgres: str
) -> None:
    """NOTIFY takes a lock of the whole cluster: one for each commit would be the ceiling of all writes."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    ear = await asyncpg.connect(migrated_postgres)
    try:
        await ear.add_listener(CHANNEL, count)
        speaker = listen().wakeups
        began = time.monotonic()
        for _ in range(400):
            speaker.announce()
            await asyncio.sleep(0.0005)
        await until(lambda: calls > 0)
        await speaker.close()
        assert 1 <= calls <= 2 + (time.monotonic() - began) / wakeups_module._PAUSE_SECONDS
    finally:
        await ear.close()


async def test_a_process_that_ends_says_its_last_word(
    listen: Callable[[], Listener], migrated_postgres: str
) -> None:
    """`bonafides keys revoke` ends right after its commit; servers would learn of it later than they could."""
    ear = listen()
    await ear.start()
    woken = ear.woken
    mouth = wakeups_on(migrated_postgres)
    mouth.announce()
    await mouth.close()
    await until(lambda: ear.woken > woken)


async def test_a_connection_that_is_cut_is_noticed_and_made_anew(
    listen: Callable[[], Listener], migrated_postgres: str
) -> None:
    """Whoever hears nothing and does not know it would look too seldom, for good."""
    ear, mouth = listen(), listen()
    await ear.start()
    for _ in range(2):
        woken = ear.woken
        connection = ear.wakeups._connection
        assert connection is not None
        await run_sql(migrated_postgres, f"SELECT pg_terminate_backend({connection.get_server_pid()})")
        # It wakes for what was said meanwhile.
        await until(lambda woken=woken: ear.woken > woken)  # type: ignore[misc]
        await until(lambda: ear.wakeups.hears)
    woken = ear.woken
    mouth.wakeups.announce()
    await until(lambda: ear.woken > woken)


async def test_whoever_hears_nothing_knows_it(
    listen: Callable[[], Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a pooler LISTEN succeeds and nothing comes; the process would look four times less often than it must."""
    monkeypatch.setattr(wakeups_module, "_ECHO_SECONDS_MAX", 0.2)
    ear = listen()
    await ear.start()
    connection = ear.wakeups._connection
    assert connection is not None
    heard = ear.woken
    await connection.execute("UNLISTEN *")
    await until(lambda: ear.woken > heard)
    await until(lambda: ear.wakeups.hears)


async def test_what_cannot_be_said_is_not_said_and_breaks_nothing(
    listen: Callable[[], Listener], migrated_postgres: str
) -> None:
    """A write that is committed would fail for the sake of a wake-up that nobody needs."""
    mouth, ear = listen(), listen()
    await ear.start()
    mouth.wakeups.announce()
    await until(lambda: mouth.wakeups._speaker is None)
    connection = mouth.wakeups._connection
    assert connection is not None
    await run_sql(migrated_postgres, f"SELECT pg_terminate_backend({connection.get_server_pid()})")
    for _ in range(3):
        woken = ear.woken
        mouth.wakeups.announce()
        await until(lambda: mouth.wakeups._speaker is None)
    await until(lambda: ear.woken > woken)


async def test_without_a_database_it_goes_on_trying(own_postgres: PostgresServer) -> None:
    """A restart of the database would need a restart of every node."""
    url = own_postgres.create_database()
    await asyncio.to_thread(own_postgres.stop)
    ear = Listener(wakeups_on(url))
    ear.wakeups.announce()
    listening = asyncio.create_task(ear.wakeups.listen(ear.wake))
    await until(lambda: ear.woken > 3)
    assert not ear.wakeups.hears
    await asyncio.to_thread(own_postgres.start)
    await until(lambda: ear.wakeups.hears)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await ear.wakeups.close()


async def test_an_end_does_not_wait_for_a_database_that_hangs(own_postgres: PostgresServer) -> None:
    """A drain, or a command that has done its work, would hang with it."""
    url = own_postgres.create_database()
    mouth = wakeups_on(url)
    mouth.announce()
    await until(lambda: mouth._speaker is None)
    with frozen(own_postgres):
        mouth.announce()
        began = time.monotonic()
        await mouth.close()
        assert time.monotonic() - began < 5


async def test_a_connection_that_hangs_is_given_up(own_postgres: PostgresServer) -> None:
    """Every later change would wait behind the one word that was never taken."""
    url = own_postgres.create_database()
    mouth = Wakeups(lambda: connect(url, timeout=2, command_timeout=0.2), failures_translated)
    mouth.announce()
    await until(lambda: mouth._speaker is None)
    with frozen(own_postgres):
        mouth.announce()
        await until(lambda: mouth._connection is None)
    await until(lambda: mouth._speaker is None)
    mouth.announce()
    await until(lambda: mouth._connection is not None)
    await mouth.close()
