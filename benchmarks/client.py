"""A small load generator on raw sockets: one request under way on each connection, no pipelining.

`python -m benchmarks.client ORDER` reads what to send as JSON from a file and prints what came back. It
serves where wrk is not found, and wherever each request has to present another credential.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import cycle
from pathlib import Path
from typing import cast

import uvloop
from typing_extensions import override

_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Order:
    """What to send.

    Args:
        request: The whole request; `{key}` in it is replaced by the next credential.
        keys: A file with credentials, one a line; empty if the request needs none.
        seconds: For how long; it ends sooner when `keys` are used up and not `repeated`.
        sources: Addresses to connect from, in turn.
    """

    port: int
    request: str
    connections: int
    seconds: float
    keys: str = ""
    first: int = 0
    count: int = 0
    repeated: bool = False
    sources: list[str] = field(default_factory=list)


class _Sender(asyncio.Protocol):
    """One connection: sends the next request when the answer to the last one is whole."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(_HEAD_END)
        if end < 0:
            return
        head = self._buffer[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].partition(b"\r\n")[0]) if at >= 0 else 0
        if len(self._buffer) < end + len(_HEAD_END) + length:
            return
        self._load.answers[int(head[9:12])] += 1
        self._buffer = b""
        if b"connection: close" not in head:
            self._send()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._load.lost()

    def _send(self) -> None:
        request = self._load.next()
        if self._transport is not None:
            if request is None:
                self._transport.close()
            else:
                self._transport.write(request)


class Load:
    """Carries out one order."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._requests = _requests(order)
        self._ends = time.monotonic() + order.seconds
        self._sources = cycle(order.sources or ["127.0.0.1"])
        self._open = 0
        self._done = asyncio.Event()
        self._over = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.answers: Counter[int] = Counter()
        self.reconnects = -order.connections

    def next(self) -> bytes | None:
        """The next request; None when the time is up or nothing is left to send."""
        request = None if time.monotonic() >= self._ends else next(self._requests, None)
        if request is None:
            self._over = True
        return request

    def lost(self) -> None:
        """A connection ended; open another unless all is done."""
        self._open -= 1
        if not self._over and time.monotonic() < self._ends:
            self._connect()
        elif self._open <= 0:
            self._done.set()

    async def run(self) -> None:
        """Send until the time is up or nothing is left to send."""
        for _ in range(self._order.connections):
            self._connect()
        try:
            async with asyncio.timeout(self._order.seconds + 5):
                await self._done.wait()
        except TimeoutError:
            return

    def _connect(self) -> None:
        self._open += 1
        self.reconnects += 1
        task = asyncio.create_task(self._open_one())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _open_one(self) -> None:
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: _Sender(self), "127.0.0.1", self._order.port, local_addr=(next(self._sources), 0)
            )
        except OSError:
            self.answers[0] += 1
            self._open -= 1
            if self._open <= 0:
                self._done.set()


def _requests(order: Order) -> Iterator[bytes]:
    if not order.keys:
        return cycle([order.request.encode()])
    before, _, after = (part.encode() for part in order.request.partition("{key}"))
    keys = Path(order.keys).read_bytes().split()
    chosen = keys[order.first : order.first + order.count] if order.count else keys
    requests = [before + key + after for key in chosen]
    return cycle(requests) if order.repeated else iter(requests)


async def _main(order: Order) -> None:
    load = Load(order)
    began = time.monotonic()
    await load.run()
    said = {"answers": load.answers, "reconnects": load.reconnects, "seconds": time.monotonic() - began}
    print(json.dumps(said))


def write_order(order: Order, path: Path) -> None:
    """Put an order where the client reads it."""
    path.write_text(json.dumps(asdict(order)))


if __name__ == "__main__":
    uvloop.run(_main(Order(**json.loads(Path(sys.argv[1]).read_text()))))
