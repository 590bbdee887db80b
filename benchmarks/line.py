"""One connection to a server: one request under way at a time, over and over."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any, Final

_WORKER_OF_ID: Final = slice(len("req_"), len("req_") + 16)
_SECONDS_MAX: Final = 30.0


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, with the moments between which it came to be."""

    status: int
    headers: dict[str, str]
    body: bytes
    sent: float
    answered: float

    @property
    def worker(self) -> str:
        """Which process answered."""
        return self.headers.get("x-request-id", "")[_WORKER_OF_ID]

    def json(self) -> dict[str, Any]:
        """The body, which is an object."""
        found: dict[str, Any] = json.loads(self.body)
        return found


class Line:
    """A connection that is kept, and so stays with the worker that took it.

    Args:
        port: Where to, on this machine.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._turn = asyncio.Lock()

    async def ask(self, method: str, path: str, key: str, body: object = None) -> Said:
        """The answer to a request.

        Raises:
            OSError, EOFError, TimeoutError: There was none.
        """
        text = json.dumps(body) if body is not None else ""
        kind = f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n" if text else ""
        request = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nAuthorization: Bearer {key}\r\n{kind}\r\n{text}"
        async with self._turn, asyncio.timeout(_SECONDS_MAX):
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            sent = time.monotonic()
            writer.write(request.encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.rstrip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            said = await reader.readexactly(int(headers.get("content-length", "0")))
            answered = time.monotonic()
            if headers.get("connection") == "close":
                await self._close()
        return Said(int(first.split()[1]), headers, said, sent, answered)

    async def close(self) -> None:
        """End it."""
        async with self._turn:
            await self._close()

    async def _close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
