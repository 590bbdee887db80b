"""Worker processes: started together, watched, replaced when they die, and ended together.

The supervisor answers no request. It holds one channel to each worker, over which a worker says that it is
ready, tells the others that something has changed, and asks for what all have counted. Workers never
outlive it: they drain when their channel ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

READY: Final = b"ready"
"""A worker answers requests from now on."""
CHANGED: Final = b"changed"
"""Something that others have in memory has changed: read the change feed now."""
ASK: Final = b"ask"
TELL: Final = b"tell"

_HEAD: Final = struct.Struct(">8sII")
_SIZE: Final = struct.Struct(">I")
_ANSWER_SECONDS_MAX: Final = 2.0
_MARGIN_SECONDS: Final = 5.0
_LIVED_SECONDS: Final = 10.0
_PAUSE_SECONDS_MAX: Final = 5.0

log = structlog.get_logger("bonafides.supervision")

Receive = Callable[[bytes, int], None]
"""Takes a message: what it is, and under which number an answer is expected."""
Answer = Callable[[], Awaitable[bytes]]


class Channel:
    """Whole messages in both directions between a supervisor and a worker.

    Args:
        end: One end of a socket pair.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._numbers = 0
        self._asked: dict[int, asyncio.Future[bytes | None]] = {}

    async def open(self) -> None:
        """Make it able to send."""
        self._streams = await asyncio.open_connection(sock=self._end)

    async def listen(self, receive: Receive) -> None:
        """Hand out the messages that come, until the other side ends; `open` comes first."""
        if self._streams is None:
            return
        reader, writer = self._streams
        try:
            while True:
                kind, number, size = _HEAD.unpack(await reader.readexactly(_HEAD.size))
                content = await reader.readexactly(size)
                kind = kind.rstrip(b"\0")
                if kind != TELL:
                    receive(kind, number)
                elif number in self._asked:
                    self._asked.pop(number).set_result(content)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()
            for answer in self._asked.values():
                answer.set_result(None)
            self._asked.clear()

    def send(self, kind: bytes, number: int = 0, content: bytes = b"") -> None:
        """Send a message; to a side that has ended, nothing happens."""
        if self._streams is not None and not self._streams[1].is_closing():
            self._streams[1].write(_HEAD.pack(kind, number, len(content)) + content)

    async def ask(self) -> bytes | None:
        """The other side's answer; None if it has none in time."""
        if self._streams is None or self._streams[1].is_closing():
            return None
        self._numbers += 1
        number = self._numbers
        answer: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        self.send(ASK, number)
        try:
            async with asyncio.timeout(_ANSWER_SECONDS_MAX):
                return await answer
        except TimeoutError:
            self._asked.pop(number, None)
            return None


@dataclass(frozen=True, slots=True, eq=False)
class Worker:
    """One worker process, as its supervisor knows it."""

    number: int
    process: subprocess.Popen[bytes]
    channel: Channel
    started: float
    ready: asyncio.Event


class Supervisor:
    """Keeps a number of workers running until it is asked to end.

    Args:
        command: Starts a worker; the number of its channel's file descriptor is appended.
        count: How many.
        inherited: File descriptors that every worker gets, under the same numbers.
        hello: What each worker is sent first.
        drain_seconds_max: How long they may take to end.
    """

    def __init__(
        self,
        command: Sequence[str],
        count: int,
        *,
        inherited: Sequence[int],
        hello: bytes,
        drain_seconds_max: float,
    ) -> None:
        self._command = command
        self._count = count
        self._inherited = tuple(inherited)
        self._hello = hello
        self._drain_seconds_max = drain_seconds_max
        self._started = 0
        self._workers: set[Worker] = set()
        self._all_ready = asyncio.Event()
        self._stopping = asyncio.Event()
        self._telling: set[asyncio.Task[None]] = set()
        self._failed = 0

    def stop(self) -> None:
        """Ask every worker to drain; asked again, end them at once."""
        if self._stopping.is_set():
            self._end_all()
        self._stopping.set()

    async def run(self, announce: Callable[[], None], answer: Answer) -> int:
        """Run the workers until `stop`; the exit status, 1 if one of them could not start.

        Args:
            announce: Called once, when all of them answer.
            answer: Answers what a worker asks.
        """
        keepers = [asyncio.create_task(self._keep(answer)) for _ in range(self._count)]
        announcing = asyncio.create_task(self._announce(announce))
        await self._stopping.wait()
        announcing.cancel()
        for worker in self._workers:
            worker.process.terminate()
        # A worker has a bound of its own; whoever is past it, with a margin, does not end by itself.
        _, late = await asyncio.wait(keepers, timeout=self._drain_seconds_max + _MARGIN_SECONDS)
        if late:
            self._end_all()
        await asyncio.gather(*keepers, return_exceptions=True)
        return self._failed

    async def ask_all(self) -> dict[int, bytes | None]:
        """What each running worker answers, by its number; None for one that does not answer in time."""
        workers = [worker for worker in self._workers if worker.ready.is_set()]
        answers = await asyncio.gather(*(worker.channel.ask() for worker in workers))
        return {worker.number: answer for worker, answer in zip(workers, answers, strict=True)}

    async def _announce(self, announce: Callable[[], None]) -> None:
        await self._all_ready.wait()
        announce()

    async def _keep(self, answer: Answer) -> None:
        """Have a worker in one place until the end."""
        loop = asyncio.get_running_loop()
        pause = 0.0
        was_ready = False
        while not self._stopping.is_set():
            worker = self._start()
            try:
                await worker.channel.open()
                await worker.channel.listen(partial(self._receive, worker, answer))
                status = await asyncio.to_thread(worker.process.wait)
            finally:
                self._workers.discard(worker)
            was_ready = was_ready or worker.ready.is_set()
            if self._stopping.is_set():
                return
            if not was_ready:
                # What keeps the first one from starting, a setting or a database, keeps every one.
                self._failed = 1
                self._stopping.set()
                return
            lived = loop.time() - worker.started
            pause = 0.0 if lived > _LIVED_SECONDS else min(_PAUSE_SECONDS_MAX, 2 * pause + 0.1)
            log.error("worker_died", pid=worker.process.pid, status=status, restart_in_seconds=pause)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopping.wait()

    def _start(self) -> Worker:
        ours, theirs = socket.socketpair()
        with theirs:
            ours.sendall(_SIZE.pack(len(self._hello)) + self._hello)
            # A group of its own: a terminal's Ctrl-C reaches the supervisor alone, who ends all in order.
            process = subprocess.Popen(  # noqa: S603 - this program, by the path of the running one
                [*self._command, str(theirs.fileno())],
                pass_fds=(theirs.fileno(), *self._inherited),
                process_group=0,
            )
        self._started += 1
        now = asyncio.get_running_loop().time()
        worker = Worker(self._started, process, Channel(ours), now, asyncio.Event())
        self._workers.add(worker)
        log.info("worker_started", pid=process.pid)
        return worker

    def _receive(self, worker: Worker, answer: Answer, kind: bytes, number: int) -> None:
        if kind == READY:
            worker.ready.set()
            if sum(each.ready.is_set() for each in self._workers) == self._count:
                self._all_ready.set()
        elif kind == CHANGED:
            for other in self._workers - {worker}:
                other.channel.send(CHANGED)
        elif kind == ASK:
            telling = asyncio.create_task(self._tell(worker.channel, number, answer))
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)

    async def _tell(self, channel: Channel, number: int, answer: Answer) -> None:
        channel.send(TELL, number, await answer())

    def _end_all(self) -> None:
        for worker in self._workers:
            worker.process.kill()


def receive_hello(end: socket.socket) -> bytes:
    """What the supervisor sent first; said before anything else is done with a channel's end."""
    (size,) = _SIZE.unpack(end.recv(_SIZE.size, socket.MSG_WAITALL))
    return end.recv(size, socket.MSG_WAITALL)
