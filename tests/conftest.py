"""Fixtures that every test may ask for, and rules that bind every test."""

from __future__ import annotations

import ipaddress
import logging
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from bonafides.store.migrations import migrate
from tests.postgres import PostgresServer
from tests.processes import started
from tests.serving import RunningServer, running, settings_for
from tests.valkey import ValkeyServer

pytest_plugins = ("tests.hangs", "tests.no_skips", "pytester")

# No deadline: a slow machine is not a fault. On CI hypothesis tries the same examples on each run.
settings.register_profile(
    "house", deadline=None, max_examples=int(os.environ.get("BONAFIDES_EXAMPLES", "100")), print_blob=True
)
settings.load_profile("house")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, the only event loop that the server supports."""
    return "asyncio"


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """A command that a test runs in this process sets up logs for a stream that ends with the test: no later test has them."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def sqlite_path(tmp_path: Path) -> Path:
    """Where a test's own SQLite database goes; nothing is there yet."""
    return tmp_path / "bonafides.db"


@pytest.fixture
def sqlite_url(sqlite_path: Path) -> str:
    """`--database` for a test's own SQLite file; nothing is there yet."""
    return f"sqlite:///{sqlite_path}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One running server for all the tests of a worker. Do not stop it: ask for `own_postgres` to do that."""
    with started(PostgresServer()) as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """`--database` for a test's own, empty PostgreSQL database."""
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A running server of the test's own, which it may stop, crash, pause and restart."""
    with started(PostgresServer()) as server:
        yield server


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    """One running Valkey for all the tests of a worker; do not stop it, and do not expect it to be empty."""
    with started(ValkeyServer()) as server:
        yield server


@pytest.fixture
def own_valkey() -> Iterator[ValkeyServer]:
    """A running Valkey of the test's own, which it may stop, empty and restart."""
    with started(ValkeyServer()) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """`--database` for an empty database of the test's own; the test runs once on each kind."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "bonafides.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def migrated_sqlite_url(_migrated_sqlite: Path, sqlite_path: Path) -> str:
    """`--database` for a test's own SQLite file with the newest schema and no rows; a copy, so it costs little."""
    shutil.copyfile(_migrated_sqlite, sqlite_path)
    sqlite_path.chmod(0o600)
    return f"sqlite:///{sqlite_path}"


@pytest.fixture
def migrated_postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """`--database` for a test's own PostgreSQL database with the newest schema and no rows; a copy, as above."""
    url = postgres.create_prepared_database("newest schema", migrate)
    yield url
    postgres.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest) -> str:
    """`--database` for a database with the newest schema and no rows; the test runs once on each kind."""
    url: str = request.getfixturevalue(
        "migrated_sqlite_url" if request.param == "sqlite" else "migrated_postgres_url"
    )
    return url


class UnexpectedNetworkUseError(Exception):
    """A test tried to leave this machine."""


def _refuse_other_machines(event: str, arguments: tuple[object, ...]) -> None:
    if event not in {"socket.connect", "socket.sendto"}:
        return
    address = arguments[1]
    if not isinstance(address, tuple) or not address:
        return
    host = str(address[0])
    try:
        near = ipaddress.ip_address(host).is_loopback
    except ValueError:
        near = host == "localhost"
    if not near:
        raise UnexpectedNetworkUseError(f"tests talk to this machine alone, not to {host}")


sys.addaudithook(_refuse_other_machines)


@pytest.fixture
def server(sqlite_url: str, tmp_path: Path) -> Iterator[RunningServer]:
    """A founded server on SQLite, with a fake clock."""
    with running(settings_for(sqlite_url, tmp_path)) as server:
        yield server


@pytest.fixture
def any_server(database_url: str, tmp_path: Path) -> Iterator[RunningServer]:
    """A founded server with a fake clock; the test runs once on SQLite and once on PostgreSQL."""
    with running(settings_for(database_url, tmp_path)) as server:
        yield server


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def shared_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server on each kind of database that many tests use, one after the other: a start costs what ten tests do.

    Whoever asks for it makes a tenant, users, keys and plans of their own, leaves `free`, `pro`, `enterprise` and
    the operator's tenant as they are, and expects the clock to stand anywhere. It believes `X-Forwarded-For`, so
    that a test can come from any address. The admin's key is on a plan without limits.
    """
    folder = tmp_path_factory.mktemp("shared")
    if request.param == "sqlite":
        url = f"sqlite:///{folder / 'bonafides.db'}"
    else:
        url = request.getfixturevalue("postgres").create_database()
    settings = settings_for(
        url,
        folder,
        trusted_proxies=["127.0.0.1"],
        address_requests_per_minute=1_000_000,
        public_url="https://api.example.com",
        scopes=["invoices:read", "invoices:write"],
    )
    with running(settings) as server:
        server.create_plan("unmetered")
        admin_key_id = server.admin.get("/v1/auth/verify").json()["credential"]["id"]
        answer = server.admin.patch(f"/v1/api-keys/{admin_key_id}", json={"plan": "unmetered"})
        assert answer.status_code == 200, answer.text
        yield server
