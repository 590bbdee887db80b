"""PostgreSQL's NOTIFY: tells other processes that there is something in the feed, sooner than they would look.

What is said may be lost. Nothing relies on it: the feed's table is the truth, and is polled whatever was heard.
See docs/decisions/0003-change-feed-by-snapshot.md.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg

from bonafides.errors import AppError

CHANNEL: Final = "bonafides_changes"

_CHANGED: Final = ""
_ECHO: Final = "echo"
# NOTIFY takes a lock of the whole cluster at its commit: some hundreds a second are all that it bears.
_PAUSE_SECONDS: Final = 0.02
_BEAT_SECONDS: Final = 5.0
_ECHO_SECONDS_MAX: Final = 1.0
_AGAIN_SECONDS: Final = 1.0
_LAST_WORD_SECONDS_MAX: Final = 1.0


class Wakeups:
    """Says that something has changed, and hears it from others, over a connection of its own.

    Args:
        connect: Makes the connection.
        failures_translated: Raises what the driver raises as an `AppError`.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        failures_translated: Callable[[], contextlib.AbstractContextManager[None]],
    ) -> None:
        self._connect = connect
        self._failures_translated = failures_translated
        self._connection: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()
        self._unsaid = False
        self._speaker: asyncio.Task[None] | None = None
        self.hears = False
        """Whether a change elsewhere would be heard of, as far as was tried."""

    def announce(self) -> None:
        """Tell the others soon; any number of calls in between are one."""
        self._unsaid = True
        if self._speaker is None:
            self._speaker = asyncio.create_task(self._speak(), name="wake-ups")

    async def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever another process says that something has changed; cancel it to stop."""
        while True:
            try:
                # Without it the feed is polled more often, so there is nothing to complain of.
                with contextlib.suppress(AppError), self._failures_translated():
                    await self._hear(wake)
            finally:
                self.hears = False
                self._drop()
            wake()
            await asyncio.sleep(_AGAIN_SECONDS)

    async def close(self) -> None:
        """Say what is unsaid, if that takes no time, and disconnect."""
        if self._speaker is not None:
            _, late = await asyncio.wait([self._speaker], timeout=_LAST_WORD_SECONDS_MAX)
            for speaker in late:
                speaker.cancel()
        self._drop()

    async def _speak(self) -> None:
        try:
            while self._unsaid:
                self._unsaid = False
                with contextlib.suppress(AppError), self._failures_translated():
                    await self._say(_CHANGED)
                await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            self._speaker = None

    async def _hear(self, wake: Callable[[], None]) -> None:
        lost, echo = asyncio.Event(), asyncio.Event()

        def hear(_connection: object, pid: int, _channel: str, payload: object) -> None:
            if pid == own_pid:
                echo.set()
            elif payload == _CHANGED:
                wake()

        async with self._turn:
            connection = await self._connected()
            # What came before the connection was cut may be told after that, when it knows its number no more.
            own_pid = connection.get_server_pid()
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, hear)
        while not lost.is_set():
            # A pooler between, or a line that was cut in silence, lets nothing through: then it is not heard either.
            echo.clear()
            await self._say(_ECHO)
            async with asyncio.timeout(_ECHO_SECONDS_MAX):
                await echo.wait()
            if not self.hears:
                self.hears = True
                wake()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_BEAT_SECONDS):
                    await lost.wait()

    async def _say(self, payload: str) -> None:
        async with self._turn:
            connection = await self._connected()
            try:
                await connection.execute(f"NOTIFY {CHANNEL}, '{payload}'")
            except Exception:
                # Whatever it was, the next one does not inherit it.
                self._drop()
                raise

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
