"""PostgreSQL alone: what a network and a server of its own can do, and what they must not."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import asyncpg
import pytest

from bonafides.errors import AppError, Misconfigured, Unavailable
from bonafides.model import EVERYWHERE, Page, Plan
from bonafides.store import postgres as postgres_store
from bonafides.store.database import Contention
from bonafides.store.migrations import migrate
from bonafides.store.postgres import PostgresDatabase, failures_translated, open_postgres
from bonafides.store.sql import SqlStore
from tests.postgres import PostgresServer
from tests.store.databases import run_sql
from tests.store.records import LATER, credential, digest, event, of_keys, plan, secret, tenant, user

ALL = Page(limit=100_000)


async def founded(url: str) -> SqlStore:
    """An installation in a database."""
    store = open_postgres(url)
    key = credential("key_first")
    await store.found(tenant(operator=True), user(), "hash", key, secret(key), [plan()], event())
    return store


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


async def test_service_returns_with_the_database(own_postgres: PostgresServer) -> None:
    """Nobody wants to restart every node because the database was restarted."""
    url = own_postgres.create_database()
    await asyncio.to_thread(migrate, url)
    store = await founded(url)
    await assert_there(store)
    await asyncio.to_thread(own_postgres.stop)
    await assert_away(store)
    await asyncio.to_thread(own_postgres.start)
    await assert_there(store)
    await asyncio.to_thread(own_postgres.restart)
    await assert_there(store)
    await store.close()


async def test_acknowledged_keys_survive_a_crash() -> None:
    """A key that was handed out and then forgotten is a customer who is locked out."""
    server = PostgresServer(durable=True)
    try:
        await asyncio.to_thread(server.start)
        url = server.create_database()
        await asyncio.to_thread(migrate, url)
        store = await founded(url)
        keys = [credential() for _ in range(300)]
        acknowledged: list[str] = []

        async def create(place: int) -> None:
            for key in keys[place::10]:
                await store.create_credential(key, secret(key), event(id=f"evt_{key.id}"))
                acknowledged.append(key.id)
                if len(acknowledged) == 150:
                    await asyncio.to_thread(server.crash)

        await asyncio.gather(*map(create, range(10)), return_exceptions=True)
        assert len(acknowledged) >= 150
        await asyncio.to_thread(server.start)
        kept = {key.id for key in await store.list_credentials("ten_a", ALL, of_keys())}
        recorded = {written.id for written in await store.list_events("ten_a", ALL)}
        assert set(acknowledged) <= kept
        assert {f"evt_{identity}" for identity in kept - {"key_first"}} <= recorded
        await store.close()
    finally:
        server.close()


async def test_a_server_that_hangs_is_an_outage_in_bounded_time(
    own_postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that waits for ever holds a connection, a worker and at last the whole server."""
    monkeypatch.setattr(postgres_store, "_STATEMENT_SECONDS_MAX", 0.5)
    monkeypatch.setattr(postgres_store, "_CONNECT_SECONDS_MAX", 0.5)
    url = own_postgres.create_database()
    await asyncio.to_thread(migrate, url)
    store = await founded(url)
    await assert_there(store)
    with own_postgres.paused():
        began = time.monotonic()
        new = open_postgres(url)
        await assert_away(new)
        await new.close()
        assert time.monotonic() - began < 10
    await assert_there(store)
    await store.close()


async def test_backends_that_hang_are_an_outage_in_bounded_time(
    own_postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same for connections that stand already: a dead network says nothing at all."""
    monkeypatch.setattr(postgres_store, "_STATEMENT_SECONDS_MAX", 0.5)
    monkeypatch.setattr(postgres_store, "_CONNECT_SECONDS_MAX", 0.5)
    url = own_postgres.create_database()
    await asyncio.to_thread(migrate, url)
    store = await founded(url)
    await assert_there(store)
    backends = own_postgres.sql(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'bonafides'"
    ).split()
    assert len(backends) >= 2
    with own_postgres.paused():
        for pid in backends:
            os.kill(int(pid), signal.SIGSTOP)
        began = time.monotonic()
        await assert_away(store)
        assert time.monotonic() - began < 10
        for pid in backends:
            os.kill(int(pid), signal.SIGCONT)
    await assert_there(store)
    await store.close()


async def test_a_lock_that_is_held_for_long_is_an_outage(
    migrated_postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who left a transaction open in psql must not stop every write for ever."""
    monkeypatch.setitem(postgres_store._SETTINGS, "lock_timeout", "50ms")
    store = await founded(migrated_postgres)
    other = await asyncpg.connect(migrated_postgres)
    held = other.transaction()
    await held.start()
    await other.execute("LOCK TABLE plans")
    outcomes = await asyncio.gather(
        store.put_plan(plan("gold"), event()), store.append_event(event("fine")), return_exceptions=True
    )
    assert isinstance(outcomes[0], Contention)
    assert outcomes[1] is None
    await held.rollback()
    await other.close()
    assert await store.put_plan(plan("gold"), event()) is True
    await store.close()


async def test_a_deadlock_between_nodes_is_resolved(migrated_postgres: str) -> None:
    """Two nodes that lock the same rows in different orders; neither client must hear of it."""
    store, other = await founded(migrated_postgres), open_postgres(migrated_postgres)
    for name in ("a", "b"):
        await store.put_plan(plan(name), event())

    def put(first: str, second: str) -> list[Plan]:
        return [plan(first, burst=1), plan(second, burst=1)]

    for _ in range(5):
        outcomes = await asyncio.gather(
            *(store.put_plan(made, event()) for made in put("a", "b")),
            *(other.put_plan(made, event()) for made in put("b", "a")),
        )
        assert outcomes == [False] * 4
    await store.close()
    await other.close()


async def test_look_ups_connect_anew_when_their_connection_was_ended(migrated_postgres: str) -> None:
    """An administrator who ends idle connections must not end verification."""
    store = await founded(migrated_postgres)
    await assert_there(store)
    administrator = await asyncpg.connect(migrated_postgres)
    await administrator.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await administrator.close()
    await asyncio.sleep(0.1)
    await assert_there(store)
    # Nor those who manage things: who calls is asked on a connection of its own, and writes have a pool.
    assert None not in await store.find_member("usr_owner", "ten_a")
    assert await store.put_plan(plan("anew"), event()) is True
    await store.close()


async def test_a_look_up_that_failed_is_not_inherited_by_the_next(migrated_postgres: str) -> None:
    """A connection in a state that nobody knows would answer one look-up with another's rows."""
    store = await founded(migrated_postgres)
    await assert_there(store)
    await run_sql(migrated_postgres, "ALTER TABLE credentials RENAME TO away")
    with pytest.raises(Unavailable):
        await store.find_verifiable([digest("key_first")])
    await run_sql(migrated_postgres, "ALTER TABLE away RENAME TO credentials")
    await assert_there(store)
    await store.close()


@pytest.mark.parametrize(
    "url",
    ["postgresql://user:hunter2@host:port/name", "postgresql://user:hunter2@host/name?sslmode=nonsense"],
)
async def test_a_url_that_cannot_be_read_is_named_but_not_repeated(url: str) -> None:
    """Its password would be in the log."""
    store = open_postgres(url)
    with pytest.raises(Misconfigured) as caught:
        await store.ping()
    with pytest.raises(Misconfigured):
        await asyncio.to_thread(migrate, url)
    assert "hunter2" not in f"{caught.value!r}{caught.value.__dict__}{caught.value.__cause__!r}"
    await store.close()


async def test_nobody_listens(migrated_postgres: str) -> None:
    """A refused connection, a wrong database and a wrong password are outages of the same shape."""
    for url in ("postgresql://u:hunter2@127.0.0.1:1/x", migrated_postgres.rsplit("/", 1)[0] + "/gone"):
        store = open_postgres(url)
        await assert_away(store)
        await store.close()


async def test_a_statement_that_is_wrong_is_no_outage(migrated_postgres: str) -> None:
    """Told as 503 it would be retried for ever; and what it was about stays out of the log."""
    store = await founded(migrated_postgres)
    with pytest.raises(AppError) as caught:
        await store.append_event(event("a\x00b precious"))
    assert caught.value.code == "internal_error"
    assert "precious" not in f"{caught.value.internal}{caught.value.__cause__!r}"
    with pytest.raises(AppError) as caught:
        await store.create_credential(credential(expires_at=LATER), secret("key_first"), event())
    assert caught.value.code == "internal_error"
    assert "key_first" not in caught.value.internal
    await store.close()


async def test_every_connection_taken_is_an_outage(
    migrated_postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader waits for a free connection for a bounded time."""
    monkeypatch.setattr(postgres_store, "_STATEMENT_SECONDS_MAX", 0.2)
    database = PostgresDatabase(migrated_postgres, 1)

    async with database._reading.connect():
        with pytest.raises(Unavailable):
            await database.read(lambda _: None)
    await database.close()


@pytest.mark.parametrize(
    "error", [TimeoutError(), asyncpg.InternalClientError("another operation is in progress")]
)
def test_what_has_no_state_is_an_outage(error: Exception) -> None:
    """A lost connection has no SQLSTATE, nor has one whose server has just been killed; nothing is known about the row."""
    with pytest.raises(Unavailable), failures_translated():
        raise error
