"""PostgreSQL: SQLAlchemy over asyncpg for the verbs, asyncpg alone for the cold look-up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, Final, TypeVar

import asyncpg
from sqlalchemy import ARRAY, Connection, LargeBinary, Text, any_, bindparam, event
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bonafides.errors import AppError, Conflict, Misconfigured, Unavailable
from bonafides.model import Verifiable
from bonafides.store import FeedPosition, OnCommit, feed
from bonafides.store.database import Contention, Key, News, Question, Row, Version
from bonafides.store.lookup import by_digest, lineage, statement, verifiables, with_parents
from bonafides.store.sql import SqlStore, ignore
from bonafides.store.tables import credentials
from bonafides.store.wakeups import Wakeups

T = TypeVar("T")

SCHEMES: Final = ("postgresql://", "postgres://")

_CONNECT_SECONDS_MAX: Final = 2.0
_STATEMENT_SECONDS_MAX: Final = 4.0
_SETTINGS: Final = {
    "application_name": "bonafides",
    # A process that is stopped in mid-transaction must not hold its locks for ever.
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "2s",
}

_DIALECT: Final = PGDialect_asyncpg()  # type: ignore[no-untyped-call]
_BY_DIGEST: Final = statement(
    by_digest(credentials.c.digest == any_(bindparam("digests", type_=ARRAY(LargeBinary)))), _DIALECT
)
_LINEAGE: Final = statement(lineage(credentials.c.id == any_(bindparam("ids", type_=ARRAY(Text)))), _DIALECT)

# SQLSTATE classes and codes, see appendix A of PostgreSQL's manual.
_IN_THE_WAY: Final = ("40001", "40P01", "55P03")
_FOREIGN_KEY: Final = "23503"
_MISTAKES: Final = ("22", "23", "42")
# No such table, no privilege: mistakes, but the operator's.
_NOT_OURS: Final = frozenset({"42P01", "42501"})
_FAILURES: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # A connection that is used between the last word of a server that was killed and its end.
    asyncpg.InternalClientError,
    PoolExhausted,
    OSError,
    TimeoutError,
)


def open_postgres(url: str, *, on_commit: OnCommit = ignore, connections_max: int = 10) -> SqlStore:
    """The store in a PostgreSQL database that `migrate` has prepared; connected when it is first needed.

    Args:
        url: `postgresql://user:password@host:port/name?sslmode=…`.
        on_commit: Told of the changes of each committed transaction before its verb returns.
        connections_max: Connections at the same time; one more is for look-ups, one for who
            calls, and one for wake-ups.
    """
    return SqlStore(PostgresDatabase(url, connections_max), on_commit)


class PostgresDatabase:
    """A PostgreSQL database, as a `Database`.

    Connections that were lost are noticed and made anew when they are next needed, so that service
    returns with the database.
    """

    def __init__(self, url: str, connections_max: int) -> None:
        self._connect = partial(
            connect,
            url,
            timeout=_CONNECT_SECONDS_MAX,
            command_timeout=_STATEMENT_SECONDS_MAX,
            server_settings=_SETTINGS,
        )
        self._writing = engine_of(self._connect, connections_max)
        # A read is one statement, which needs no BEGIN and no COMMIT around it.
        self._reading = self._writing.execution_options(isolation_level="AUTOCOMMIT")
        # Nobody waits for what is said there to reach a disk.
        speaking = partial(self._connect, server_settings=_SETTINGS | {"synchronous_commit": "off"})
        self._wakeups = Wakeups(speaking, failures_translated)
        # Of their own: what a flood of credentials asks must not keep those waiting who manage things.
        self._look_ups, self._questions = Line(self._connect), Line(self._connect)

    async def read(self, work: Callable[[Connection], T]) -> T:
        with failures_translated():
            async with self._reading.connect() as connection:
                return await connection.run_sync(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        with failures_translated():
            async with self._writing.begin() as connection:
                return await connection.run_sync(work)

    async def look_up(self, digests: Sequence[bytes]) -> Mapping[bytes, Verifiable]:
        with failures_translated():
            async with self._look_ups.in_turn() as connection:
                rows = await connection.fetch(_BY_DIGEST, digests)
                children = with_parents(rows)
                ancestors = await connection.fetch(_LINEAGE, children) if children else []
        return verifiables(rows, ancestors)

    async def ask(self, question: Question, keys: Sequence[Key]) -> Mapping[Key, Row]:
        with failures_translated():
            async with self._questions.in_turn() as connection:
                rows = await connection.fetch(question.many, *zip(*keys, strict=True))
        parts = len(keys[0])
        return {tuple(row[:parts]): row[parts:] for row in rows}

    async def news(self, start: FeedPosition, known: Version | None) -> News:  # noqa: ARG002 - it has no version
        return News(None, *await self.read(partial(feed.since_on_postgresql, start=start)))

    async def version(self) -> None:
        return None

    def announce(self) -> None:
        self._wakeups.announce()

    async def listen(self, wake: Callable[[], None]) -> None:
        await self._wakeups.listen(wake)

    def hears(self) -> bool:
        return self._wakeups.hears

    async def close(self) -> None:
        await self._wakeups.close()
        self._look_ups.close()
        self._questions.close()
        await self._writing.dispose()


class Line:
    """A connection for statements of one kind, which take turns; made when it is first needed.

    Args:
        connect: Makes it.
    """

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]]) -> None:
        self._connect = connect
        self._turn = asyncio.Lock()
        self._connection: asyncpg.Connection | None = None

    @asynccontextmanager
    async def in_turn(self) -> AsyncIterator[asyncpg.Connection]:
        """The connection, until the block ends; made anew where it was lost."""
        async with self._turn:
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._connect()
            try:
                yield self._connection
            except BaseException:
                # Whatever it was, whoever comes next does not inherit it.
                self._connection.terminate()
                raise

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._connection is not None:
            self._connection.terminate()


def engine_of(connecting: Callable[[], Any], connections_max: int) -> AsyncEngine:
    """An engine whose connections are made by asyncpg itself, which knows every option of a URL."""
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connecting,
        pool_size=connections_max,
        max_overflow=0,
        pool_timeout=_STATEMENT_SECONDS_MAX,
        hide_parameters=True,
    )

    # asyncpg hears of the end of its connection; SQLAlchemy would ask the database each time, in three statements.
    @event.listens_for(engine.sync_engine, "checkout")
    def _require_open(connection: Any, _record: object, _proxy: object) -> None:  # noqa: ANN401 - SQLAlchemy's own
        if connection.driver_connection.is_closed():
            raise DisconnectionError

    return engine


async def connect(url: str, **options: Any) -> asyncpg.Connection:  # noqa: ANN401 - asyncpg's own
    """A connection of asyncpg's.

    Raises:
        Misconfigured: The URL cannot be read. It is not repeated, since it may hold a password.
    """
    try:
        return await asyncpg.connect(url, **options)
    except ValueError:
        raise Misconfigured(
            "database: the URL cannot be read; it must look like postgresql://user:password@host:5432/name.",
            field="database",
        ) from None


@contextmanager
def failures_translated() -> Iterator[None]:
    """Raise what the driver and the network raise as an `AppError` that repeats no value of a row."""
    try:
        yield
    except DBAPIError as error:
        raise _translated(error.driver_exception) from None
    except _FAILURES as error:
        raise _translated(error) from None


def _translated(error: Exception) -> AppError:
    # Not str(error): its DETAIL line repeats the values of the row.
    said = getattr(error, "message", None) or error
    state = getattr(error, "sqlstate", None) or ""
    internal = f"PostgreSQL: {type(error).__name__} {state}: {said}"
    if state in _IN_THE_WAY:
        return Contention(internal=internal)
    if state == _FOREIGN_KEY:
        return Conflict("Something that this refers to does not exist any more.", internal=internal)
    if state not in _NOT_OURS and state.startswith(_MISTAKES):
        return AppError("Something failed that should not have.", internal=internal)
    return Unavailable(internal=internal)
