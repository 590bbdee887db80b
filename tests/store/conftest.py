"""Every test that asks for `url` or `store` runs on SQLite and on PostgreSQL: one contract, two databases."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from bonafides.model import Change
from bonafides.store.migrations import migrate
from bonafides.store.sql import SqlStore
from tests.postgres import PostgresServer
from tests.store.databases import open_store
from tests.store.records import credential, event, plan, secret, tenant, user


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with the schema, to copy."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    migrate(str(path))
    return path


@pytest.fixture
def migrated_sqlite(sqlite_template: Path, sqlite_path: Path) -> str:
    """A SQLite database of the test's own, empty but for the schema."""
    shutil.copy(sqlite_template, sqlite_path)
    return f"sqlite:///{sqlite_path}"


@pytest.fixture
def migrated_postgres(postgres: PostgresServer) -> Iterator[str]:
    """A PostgreSQL database of the test's own, empty but for the schema."""
    url = postgres.create_prepared_database("store", migrate)
    yield url
    postgres.drop_database(url)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """A database of each kind, empty but for the schema."""
    found: str = request.getfixturevalue(f"migrated_{request.param}")
    return found


@pytest.fixture
async def opened(url: str) -> AsyncIterator[Callable[[], SqlStore]]:
    """Opens stores on the same database, as several processes would."""
    stores: list[SqlStore] = []

    def open_another() -> SqlStore:
        stores.append(open_store(url))
        return stores[-1]

    yield open_another
    for store in stores:
        await store.close()


@pytest.fixture
def told() -> list[Change]:
    """The changes that `store` told its process of, in order."""
    return []


@pytest.fixture
async def empty(url: str, told: list[Change]) -> AsyncIterator[SqlStore]:
    """A store before its first run."""
    store = open_store(url, told.extend)
    yield store
    await store.close()


@pytest.fixture
async def store(empty: SqlStore, told: list[Change]) -> SqlStore:
    """An installation: a plan, the operator's tenant `ten_a`, its owner `usr_owner`, their key `key_first`."""
    key = credential("key_first")
    assert await empty.found(
        tenant(operator=True), user(), "$argon2id$…", key, secret(key), [plan()], event("founded")
    )
    told.clear()
    return empty
