"""The PostgreSQL server that the tests stand on does what they believe it does."""

from __future__ import annotations

import subprocess

import asyncpg
import pytest

from tests.postgres import PostgresError, PostgresServer


async def test_a_url_opens_an_empty_database_of_the_tests_own(
    postgres: PostgresServer, postgres_url: str
) -> None:
    """Tests that share rows pass or fail by their order."""
    connection = await asyncpg.connect(postgres_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
        assert await connection.fetchval("SELECT current_database()") == postgres_url.rsplit("/", 1)[1]
    finally:
        await connection.close()
    assert postgres.running()


def test_a_prepared_database_is_prepared_once_and_copied(postgres: PostgresServer) -> None:
    """Migrating for every test would make the suite too slow to run."""
    runs: list[str] = []

    def prepare(url: str) -> None:
        runs.append(url)
        postgres.sql("CREATE TABLE t (i int)", url.rsplit("/", 1)[1])

    first = postgres.create_prepared_database("a table", prepare)
    postgres.sql("INSERT INTO t VALUES (1)", first.rsplit("/", 1)[1])
    second = postgres.create_prepared_database("a table", prepare)
    assert len(runs) == 1
    assert postgres.sql("SELECT count(*) FROM t", second.rsplit("/", 1)[1]) == "0"
    postgres.drop_database(first)
    postgres.drop_database(second)


def test_committed_rows_survive_a_crash_and_clients_find_the_same_port(own_postgres: PostgresServer) -> None:
    """Fault tests would blame the product for what the test server lost."""
    port = own_postgres.port
    own_postgres.sql("CREATE TABLE t (i int)")
    for number in range(3):
        own_postgres.sql(f"INSERT INTO t VALUES ({number})")
        own_postgres.crash()
        assert not own_postgres.running()
        with pytest.raises(PostgresError):
            own_postgres.sql("SELECT 1")
        own_postgres.start()
    own_postgres.restart()
    assert own_postgres.sql("SELECT count(*) FROM t") == "3"
    assert own_postgres.port == port


def test_a_paused_server_hangs_rather_than_refuses(own_postgres: PostgresServer) -> None:
    """A database that hangs is the harder fault, and is not simulated by one that refuses."""
    with own_postgres.paused(), pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(
            [own_postgres.program("pg_isready"), "-t", "30", "-d", own_postgres.url()],
            timeout=0.5,
            check=False,
        )
    assert own_postgres.sql("SELECT 1") == "1"


def test_closing_leaves_nothing_behind() -> None:
    """A suite that leaks servers fills the machine it runs on."""
    server = PostgresServer()
    home = server.home
    server.start()
    server.close()
    server.close()
    assert not server.running()
    assert not home.exists()
