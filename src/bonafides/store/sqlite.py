"""SQLite: one file, one writing thread, a few reading threads.

WAL lets readers read while the writer writes, and `synchronous=FULL` has every commit on the disk
before it is acknowledged, power cut included.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import BindParameter, Connection, Engine, bindparam, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from bonafides.errors import AppError, Conflict, Misconfigured, Unavailable
from bonafides.model import Verifiable
from bonafides.store import FeedPosition, OnCommit, feed
from bonafides.store.database import Key, News, Question, Row, Version
from bonafides.store.lookup import by_digest, lineage, statement, verifiables, with_parents
from bonafides.store.sql import SqlStore, ignore
from bonafides.store.tables import credentials

T = TypeVar("T")

SCHEME: Final = "sqlite:///"

# A write may have to wait for one that waits already, so a caller waits twice as long at the most.
_LOCK_SECONDS_MAX: Final = 2.5
_SWITCHES_MAX: Final = 5
_WRITERS_CACHE_KIB: Final = 32_768
"""At most, as pages are touched: with SQLite's own 2 MiB, what a second's usage is added to is read anew each second."""
_READERS_CACHE_KIB: Final = 8_192
_WRITE_AHEAD: Final = "PRAGMA journal_mode = WAL"
_OWNER_ONLY: Final = 0o600

_LINEAGE: Final = statement(lineage(credentials.c.id == bindparam("id")), sqlite.dialect())


def open_sqlite(url: str, *, on_commit: OnCommit = ignore, connections_max: int = 4) -> SqlStore:
    """The store in a SQLite file that `migrate` has made; the file is opened when it is first needed.

    Args:
        url: `sqlite:///file`, or the bare name of the file.
        on_commit: Told of the changes of each committed transaction before its verb returns.
        connections_max: Threads that read at the same time; one more writes.
    """
    return SqlStore(SqliteDatabase(path_of(url), connections_max), on_commit)


def path_of(url: str) -> Path:
    """The absolute path of the file that a URL names.

    Raises:
        Misconfigured: It names no file: a database in memory would be forgotten.
    """
    name = url.removeprefix(SCHEME)
    if not name or name.startswith(":") or "://" in name:
        raise Misconfigured("database: name a file, as in sqlite:///bonafides.db.", field="database")
    return Path(name).absolute()


class SqliteDatabase:
    """A SQLite file, as a `Database`.

    A file that was deleted or replaced under its name is noticed before each use: through a handle
    that is still open SQLite would go on acknowledging writes that nobody finds again.
    """

    def __init__(self, path: Path, connections_max: int) -> None:
        self._path = path
        self._writer = ThreadPoolExecutor(1, "store-writer")
        self._readers = ThreadPoolExecutor(connections_max, "store-reader")
        self._writing = engine_of(path, writing=True)
        self._reading = engine_of(path, writing=False, connections_max=connections_max)
        self._look_ups: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        # Held by look-ups and by whoever closes their connection.
        self._lock = threading.RLock()

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._run, self._reading, work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._run, self._writing, work)

    async def look_up(self, digests: Sequence[bytes]) -> Mapping[bytes, Verifiable]:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._look_up, digests)

    async def ask(self, question: Question, keys: Sequence[Key]) -> Mapping[Key, Row]:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._ask, question, keys)

    async def news(self, start: FeedPosition, known: Version | None) -> News | None:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._news, start, known)

    async def version(self) -> Version:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._version)

    def announce(self) -> None:
        """Say nothing: others learn of a commit for the price of a read, and look often."""

    async def listen(self, wake: Callable[[], None]) -> None:  # noqa: ARG002 - nobody calls
        return None

    def hears(self) -> bool:
        return False

    async def close(self) -> None:
        await asyncio.to_thread(self._close)

    def _run(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        with failures_translated():
            self._notice_another_file()
            with engine.begin() as connection:
                return work(connection)

    def _look_up(self, digests: Sequence[bytes]) -> Mapping[bytes, Verifiable]:
        with failures_translated(), self._lock:
            ask = self._look_up_connection().execute
            rows = ask(_by_digests(len(digests)), _filled(digests)).fetchall() if digests else []
            ancestors = [row for child in with_parents(rows) for row in ask(_LINEAGE, (child,))]
        return verifiables(rows, ancestors)

    def _ask(self, question: Question, keys: Sequence[Key]) -> Mapping[Key, Row]:
        with failures_translated(), self._lock:
            ask = self._look_up_connection().execute
            rows = {key: ask(question.one, key).fetchone() for key in keys}
        return {key: row for key, row in rows.items() if row is not None}

    def _news(self, start: FeedPosition, known: Version | None) -> News | None:
        with failures_translated(), self._lock:
            version = self._version()
            if version == known:
                return None
            return News(version, *feed.since_on_sqlite(self._look_up_connection(), start))

    def _version(self) -> Version:
        with failures_translated(), self._lock:
            # It changes when another connection commits; this one never does.
            (number,) = self._look_up_connection().execute("PRAGMA data_version").fetchone()
            return Version(self._identity, number)

    def _look_up_connection(self) -> sqlite3.Connection:
        self._notice_another_file()
        if self._look_ups is None:
            self._look_ups = connect(self._path, writing=False)
        return self._look_ups

    def _notice_another_file(self) -> None:
        status = self._path.stat()
        identity = (status.st_dev, status.st_ino)
        if identity != self._identity:
            with self._lock:
                self._disconnect()
                self._identity = identity

    def _close(self) -> None:
        self._writer.shutdown()
        self._readers.shutdown()
        self._disconnect()

    def _disconnect(self) -> None:
        self._writing.dispose()
        self._reading.dispose()
        if self._look_ups is not None:
            self._look_ups.close()
            self._look_ups = None


@lru_cache
def _by_digests(count: int) -> str:
    """The statement for so many digests or some more: one for each power of two."""
    places: list[BindParameter[Any]] = [bindparam(f"digest_{number}") for number in range(_room(count))]
    return statement(by_digest(credentials.c.digest.in_(places)), sqlite.dialect())


def _filled(digests: Sequence[bytes]) -> list[bytes]:
    """The digests, and the last of them again in every place that is left."""
    return [*digests, *[digests[-1]] * (_room(len(digests)) - len(digests))]


def _room(count: int) -> int:
    return 1 << (count - 1).bit_length()


def create_file(path: Path) -> None:
    """Make an empty file that nobody else may read, unless it is there; SQLite's own would follow the umask."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OWNER_ONLY))
    except FileExistsError:
        return


def connect(path: Path, *, writing: bool, lock_seconds_max: float | None = None) -> sqlite3.Connection:
    """A connection to a file that exists; a missing one is an outage, not a new, empty database.

    Args:
        path: Of the file.
        writing: Whether it may write.
        lock_seconds_max: How long it waits for others that write, None for as long as a server does.
    """
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw",
        uri=True,
        timeout=_LOCK_SECONDS_MAX if lock_seconds_max is None else lock_seconds_max,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    if writing:
        _write_ahead(connection)
        connection.execute(f"PRAGMA cache_size = -{_WRITERS_CACHE_KIB}")
    else:
        connection.execute("PRAGMA query_only = ON")
        connection.execute(f"PRAGMA cache_size = -{_READERS_CACHE_KIB}")
    return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    # The one statement for which SQLite does not wait while another connection writes, and on a new file first
    # runs meet here. So a transaction waits in its place; whoever comes to their turn next finds the file switched.
    for _ in range(_SWITCHES_MAX):
        with suppress(sqlite3.OperationalError):
            connection.execute(_WRITE_AHEAD)
            return
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    connection.execute(_WRITE_AHEAD)


def engine_of(
    path: Path, *, writing: bool, connections_max: int = 1, lock_seconds_max: float | None = None
) -> Engine:
    """An engine whose transactions, when it is for writing, begin with the write lock."""
    engine = create_engine(
        "sqlite://",
        creator=partial(connect, path, writing=writing, lock_seconds_max=lock_seconds_max),
        poolclass=QueuePool,
        pool_size=connections_max,
        max_overflow=0,
        hide_parameters=True,
    )

    # The driver would begin by itself, and without the lock; with isolation_level None it leaves it to us.
    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Past SQLAlchemy, for which it is a statement like others, a fifth of a read's time.
        driver = connection.connection.driver_connection
        if driver is not None:  # pragma: no branch - a connection that begins has one
            driver.execute("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


@contextmanager
def failures_translated() -> Iterator[None]:
    """Raise what the driver and the file system raise as an `AppError` that repeats no value of a row."""
    try:
        yield
    except DBAPIError as error:
        raise _translated(error.driver_exception) from None
    except (sqlite3.Error, OSError) as error:
        raise _translated(error) from None


def _translated(error: Exception) -> AppError:
    internal = f"SQLite: {type(error).__name__}: {error}"
    if not isinstance(error, sqlite3.IntegrityError):
        return Unavailable(internal=internal)
    if error.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
        return Conflict("Something that this refers to does not exist any more.", internal=internal)
    return AppError("Something failed that should not have.", internal=internal)
