"""Worker processes: started together, watched, replaced when they die, and ended together.

The supervisor answers no request, or is itself the only one that does. It holds one channel to each worker, over which a worker says that
it is ready, tells the others that something has changed, and asks for what all have counted. Workers never
outlive it: they drain when their channel ends.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import enum
import gc
import os
import selectors
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

READY: Final = b"ready"
"""A worker answers requests from now on."""
CHANGED: Final = b"changed"
"""Something that others have in memory has changed: read the change feed now."""
WANTED: Final = b"wanted"
"""Somebody logs in, and there is no process for it."""
ASK: Final = b"ask"
TELL: Final = b"tell"

_HEAD: Final = struct.Struct(">8sII")
_FORKED: Final = b"forked"
_ENDED: Final = b"ended"
_NEWS: Final = struct.Struct(">8sIi")
_ANSWER_SECONDS_MAX: Final = 2.0
_MARGIN_SECONDS: Final = 5.0
_LIVED_SECONDS: Final = 10.0
_PAUSE_SECONDS_MAX: Final = 5.0
_STATUS_UNKNOWN: Final = 255
_ENDING: Final = (signal.SIGINT, signal.SIGTERM)

log = structlog.get_logger("bonafides.supervision")


class Duty(enum.Enum):
    """What a process is there for; its value goes with the order to fork it."""

    WORKER = b"w"
    """Listens, and answers whatever comes."""
    LOGINS = b"l"
    """Serves the logins that workers hand over, and begins with the first of them."""


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


class ForkServer:
    """A process that forks workers: they start at once, because everything is imported, and share its memory.

    Make it before the first event loop and the first thread of this process that are to go on: neither lives
    in a fork.

    Args:
        work: What a worker does in its duty with its end of a channel, in a process of its own; its exit status.
    """

    def __init__(self, work: Callable[[Duty, socket.socket], int]) -> None:
        self._end, theirs = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        # What is never searched for garbage is never written to, and so stays one copy for all.
        gc.freeze()
        self._pid = os.fork()
        if self._pid == 0:
            self._end.close()
            exit_with(partial(_fork_as_told, theirs, work))
        theirs.close()
        self._end.settimeout(0.0)
        self._read = b""
        self._awaited: collections.deque[asyncio.Future[tuple[int, asyncio.Future[int]]]] = (
            collections.deque()
        )
        self._running: dict[int, asyncio.Future[int]] = {}

    async def fork(self, duty: Duty, end: socket.socket) -> tuple[int, asyncio.Future[int]]:
        """Start a worker.

        Args:
            duty: What for.
            end: Its end of a channel; the caller closes its own copy.

        Returns:
            The worker's process id, and its exit status once it has ended: as `subprocess` counts, the negative
            number of the signal that ended it; 255 if the fork server is gone and cannot tell.

        Raises:
            ConnectionError: The fork server is gone; nobody can be started any more.
        """
        loop = asyncio.get_running_loop()
        loop.add_reader(self._end, self._receive)
        forked: asyncio.Future[tuple[int, asyncio.Future[int]]] = loop.create_future()
        socket.send_fds(self._end, [duty.value], [end.fileno()])
        self._awaited.append(forked)
        return await forked

    def close(self) -> None:
        """End the fork server, once all workers have ended."""
        self._end.close()
        os.waitpid(self._pid, 0)

    def _receive(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            news = self._end.recv(1024 * _NEWS.size)
        except ConnectionError:
            news = b""
        if not news:
            loop.remove_reader(self._end)
            for forked in self._awaited:
                forked.set_exception(ConnectionResetError("the fork server is gone"))
            self._awaited.clear()
            for ended in self._running.values():
                ended.set_result(_STATUS_UNKNOWN)
            self._running.clear()
            return
        self._read += news
        whole = len(self._read) - len(self._read) % _NEWS.size
        for kind, pid, status in _NEWS.iter_unpack(self._read[:whole]):
            if kind.rstrip(b"\0") == _FORKED:
                ended = self._running[pid] = loop.create_future()
                self._awaited.popleft().set_result((pid, ended))
            else:
                self._running.pop(pid).set_result(status)
        self._read = self._read[whole:]


def exit_with(work: Callable[[], int]) -> None:
    """End this process, a fork, with what the work says: nothing that its parent has begun is gone on with."""
    status = 1
    try:
        status = work()
    except BaseException:  # noqa: BLE001 - the stack below belongs to the parent
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _fork_as_told(orders: socket.socket, work: Callable[[Duty, socket.socket], int]) -> int:
    """Fork a worker for each channel that comes, and tell when one has ended, until the supervisor is gone."""
    # A group of its own: a terminal's Ctrl-C reaches the supervisor alone, who ends all in order.
    os.setpgid(0, 0)
    # Held back, not ignored: what a worker is sent before it has begun reaches it when it has.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    woken, waker = socket.socketpair()
    woken.settimeout(0.0)
    waker.settimeout(0.0)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _nothing)
    with selectors.DefaultSelector() as selector:
        selector.register(orders, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if woken in ready:
                woken.recv(4096)
                for pid, status in _ended_children():
                    orders.sendall(_NEWS.pack(_ENDED, pid, status))
            if orders in ready:
                duty, descriptors, _, _ = socket.recv_fds(orders, 1, 1)
                if not descriptors:
                    return 0
                channel = socket.socket(fileno=descriptors[0])
                with channel:
                    pid = os.fork()
                    if pid == 0:
                        _begin_worker()
                        for end in (orders, woken, waker):
                            end.close()
                        exit_with(partial(work, Duty(duty), channel))
                orders.sendall(_NEWS.pack(_FORKED, pid, 0))


def _begin_worker() -> None:
    """Have what a new program has, and the fork server has not: a group of its own, and ends by signals."""
    os.setpgid(0, 0)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)


def _ended_children() -> list[tuple[int, int]]:
    """Process ids and exit statuses of those that have ended since it was asked last."""
    ended = []
    with contextlib.suppress(ChildProcessError):
        while (child := os.waitpid(-1, os.WNOHANG))[0]:
            ended.append((child[0], os.waitstatus_to_exitcode(child[1])))
    return ended


def _nothing(_number: int, _frame: object) -> None:
    """A signal with a handler wakes `select`; one that is ignored does not."""


@dataclass(frozen=True, slots=True, eq=False)
class Worker:
    """One worker process, as its supervisor knows it."""

    duty: Duty
    number: int
    pid: int
    ended: asyncio.Future[int]
    channel: Channel
    started: float
    ready: asyncio.Event

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal; if it has ended, nothing happens."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


class Supervisor:
    """Keeps a number of workers running until it is asked to end, and a process for logins once it is wanted.

    Args:
        fork_server: Starts them.
        count: How many workers; 0 where the supervisor's own process is the only one that listens.
        drain_seconds_max: How long they may take to end.
        changed: Told when a worker has changed something.
        logins_ended: Told when the process for logins has ended, however it did.
        logins_lost: Told when none comes in its place for now: nobody takes what is on its way to it.
    """

    def __init__(
        self,
        fork_server: ForkServer,
        count: int,
        *,
        drain_seconds_max: float,
        changed: Callable[[], None],
        logins_ended: Callable[[], None],
        logins_lost: Callable[[], None],
    ) -> None:
        self._fork_server = fork_server
        self._count = count
        self._drain_seconds_max = drain_seconds_max
        self._changed = changed
        self._logins_ended = logins_ended
        self._logins_lost = logins_lost
        self._started = 0
        self._workers: set[Worker] = set()
        self._all_ready = asyncio.Event()
        self._wanted = asyncio.Event()
        self._stopping = asyncio.Event()
        self._telling: set[asyncio.Task[None]] = set()
        self._failed = 0

    def stop(self) -> None:
        """Ask every worker to drain; asked again, end them at once."""
        if self._stopping.is_set():
            self._end_all()
        self._stopping.set()

    def want_logins(self) -> None:
        """Have a process for logins from now on, if there is none yet."""
        self._wanted.set()

    async def run(self, announce: Callable[[], None], answer: Answer) -> int:
        """Run the workers until `stop`; the exit status, 1 if one of them could not start.

        Args:
            announce: Called once, when all of them answer.
            answer: Answers what a worker asks.
        """
        keepers = [asyncio.create_task(self._keep(Duty.WORKER, answer)) for _ in range(self._count)]
        announcing = asyncio.create_task(self._announce(announce))
        for_logins = asyncio.create_task(self._keep_when_wanted(answer))
        await self._stopping.wait()
        announcing.cancel()
        await self._end(Duty.WORKER, keepers)
        # Nobody hands it connections any more.
        self._wanted.set()
        await self._end(Duty.LOGINS, [for_logins])
        return self._failed

    @property
    def has_started(self) -> bool:
        """Whether there is, or was, anybody but this process."""
        return self._started > 0

    async def ask_all(self) -> dict[int, bytes | None]:
        """What each running worker answers, by its number; None for one that does not answer in time."""
        workers = [worker for worker in self._workers if worker.ready.is_set()]
        answers = await asyncio.gather(*(worker.channel.ask() for worker in workers))
        return {worker.number: answer for worker, answer in zip(workers, answers, strict=True)}

    def tell_all(self) -> None:
        """Tell all workers that something has changed."""
        for worker in self._workers:
            worker.channel.send(CHANGED)

    async def _announce(self, announce: Callable[[], None]) -> None:
        await self._all_ready.wait()
        announce()

    async def _keep_when_wanted(self, answer: Answer) -> None:
        await self._wanted.wait()
        await self._keep(Duty.LOGINS, answer)

    async def _keep(self, duty: Duty, answer: Answer) -> None:
        """Have a worker in one place until the end."""
        loop = asyncio.get_running_loop()
        pause = 0.0
        was_ready = False
        while not self._stopping.is_set():
            try:
                worker = await self._start(duty)
            except ConnectionError:
                log.error("fork_server_died", running=len(self._workers))  # noqa: TRY400 - a trace says no more
                if duty is Duty.WORKER:
                    self._failed = 1
                    self._stopping.set()
                else:
                    self._logins_lost()
                return
            try:
                await worker.channel.open()
                await worker.channel.listen(partial(self._receive, worker, answer))
                status = await worker.ended
            finally:
                self._workers.discard(worker)
                if duty is Duty.LOGINS:
                    self._logins_ended()
                    if not worker.ready.is_set():
                        self._logins_lost()
            was_ready = was_ready or worker.ready.is_set()
            if self._stopping.is_set():
                return
            if not was_ready and duty is Duty.WORKER:
                # What keeps the first one from starting, a setting or a database, keeps every one.
                self._failed = 1
                self._stopping.set()
                return
            lived = loop.time() - worker.started
            pause = 0.0 if lived > _LIVED_SECONDS else min(_PAUSE_SECONDS_MAX, 2 * pause + 0.1)
            log.error("worker_died", pid=worker.pid, status=status, restart_in_seconds=pause)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopping.wait()

    async def _start(self, duty: Duty) -> Worker:
        ours, theirs = socket.socketpair()
        with theirs:
            pid, ended = await self._fork_server.fork(duty, theirs)
        self._started += 1
        now = asyncio.get_running_loop().time()
        worker = Worker(duty, self._started, pid, ended, Channel(ours), now, asyncio.Event())
        self._workers.add(worker)
        log.info("worker_started" if duty is Duty.WORKER else "logins_started", pid=pid)
        if self._stopping.is_set():
            worker.send_signal(signal.SIGTERM)  # it was not there yet when all others were told
        return worker

    def _receive(self, worker: Worker, answer: Answer, kind: bytes, number: int) -> None:
        if kind == READY:
            worker.ready.set()
            listening = [each for each in self._workers if each.duty is Duty.WORKER and each.ready.is_set()]
            if len(listening) == self._count:
                self._all_ready.set()
        elif kind == CHANGED:
            for other in self._workers - {worker}:
                other.channel.send(CHANGED)
            self._changed()
        elif kind == WANTED:
            self.want_logins()
        elif kind == ASK:
            telling = asyncio.create_task(self._tell(worker.channel, number, answer))
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)

    async def _tell(self, channel: Channel, number: int, answer: Answer) -> None:
        channel.send(TELL, number, await answer())

    async def _end(self, duty: Duty, keepers: list[asyncio.Task[None]]) -> None:
        """Have the workers of a duty end, and wait until they have."""
        for worker in self._workers:
            if worker.duty is duty:
                worker.send_signal(signal.SIGTERM)
        if not keepers:
            return
        # A worker has a bound of its own; whoever is past it, with a margin, does not end by itself.
        _, late = await asyncio.wait(keepers, timeout=self._drain_seconds_max + _MARGIN_SECONDS)
        if late:
            self._end_all()
        await asyncio.gather(*keepers, return_exceptions=True)

    def _end_all(self) -> None:
        for worker in self._workers:
            worker.send_signal(signal.SIGKILL)
