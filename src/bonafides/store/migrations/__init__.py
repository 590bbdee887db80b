"""Brings a database to the schema that this program knows: forward, and all or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, func, inspect, select

from bonafides.errors import Misconfigured
from bonafides.store import postgres, sqlite
from bonafides.store.installation import VERSIONS
from bonafides.store.tables import REVISION

T = TypeVar("T")

_MIGRATING: Final = 0x626F6E62
"""The advisory lock (PostgreSQL) under which a schema is changed."""

_LOCK_SECONDS_MAX: Final = 60.0
"""How long one process waits for another that changes the schema of the same file."""


@dataclass(frozen=True, slots=True)
class RevisionStatus:
    """Which revision a database has (None: none yet), and which this program needs."""

    current: str | None
    needed: str = REVISION

    @property
    def up_to_date(self) -> bool:
        """Whether nothing is to be done."""
        return self.current == self.needed


def migrate(url: str) -> None:
    """Bring a database to the newest schema; of several processes that try at once, one does it.

    It blocks, for as long as the rows need: an event loop runs it in a thread.

    Args:
        url: Of a SQLite file, which is made if it is missing, or of a PostgreSQL database.

    Raises:
        Misconfigured: The database was made by a newer program, or the URL names none.
        Unavailable: The database cannot be asked.
    """
    if not url.startswith(postgres.SCHEMES):
        with sqlite.failures_translated():
            sqlite.create_file(sqlite.path_of(url))
    _run(url, _upgrade, writing=True)


def revision_status(url: str) -> RevisionStatus:
    """Which revision a database has; it blocks, and makes nothing.

    Raises:
        Unavailable: The database cannot be asked.
    """
    if not url.startswith(postgres.SCHEMES) and not sqlite.path_of(url).exists():
        return RevisionStatus(None)
    return RevisionStatus(_run(url, _revision, writing=False))


def configuration() -> Config:
    """Alembic's configuration: the revisions beside this file, wherever the wheel put them."""
    config = Config()
    # A per cent sign in a folder's name would be taken for the start of an interpolation.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _run(url: str, work: Callable[[Connection], T], *, writing: bool) -> T:
    if url.startswith(postgres.SCHEMES):
        return asyncio.run(_run_on_postgres(url, work))
    engine = sqlite.engine_of(
        sqlite.path_of(url), writing=writing, lock_seconds_max=_LOCK_SECONDS_MAX if writing else None
    )
    try:
        with sqlite.failures_translated(), engine.begin() as connection:
            return work(connection)
    finally:
        engine.dispose()


async def _run_on_postgres(url: str, work: Callable[[Connection], T]) -> T:
    # Without the limits of time that a server sets itself: a table may be long.
    engine = postgres.engine_of(partial(postgres.connect, url), 1)
    try:
        with postgres.failures_translated():
            async with engine.begin() as connection:
                return await connection.run_sync(work)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_MIGRATING)))
    config = configuration()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, REVISION)
    except CommandError:
        found = _revision(connection)
        raise Misconfigured(
            f"The database has schema {found}, which is newer than this program ({REVISION}). Install the newer one.",
            field="database",
        ) from None


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSIONS.name):
        return None
    revision: str | None = connection.scalar(select(VERSIONS.c.version_num))
    return revision
