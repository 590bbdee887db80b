"""Processes of their own that hash, behind everybody else: what verifies waits neither for their lock nor for their core.

A thread that hashes needs the interpreter's lock when it is done, and with a low priority may lose its core
while it has it; then everything waits. A process takes nothing but the core that it is on, and Linux takes
that back at once from one that may only have idle time.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import select
import signal
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from bonafides.errors import Unavailable
from bonafides.supervision import exit_with

Work = Callable[[bytes], bytes]
"""What a hasher does with a job; it fails by raising, and then the job has no answer."""

_SIZE: Final = struct.Struct(">I")
_WHOLE: Final = b"."
_PIECE: Final = 65_536
_IDLE_SECONDS_MAX: Final = 1.0
_ANSWER_SECONDS_MAX: Final = 30.0
_END_SECONDS_MAX: Final = 5.0
_LIVED_SECONDS: Final = 10.0
_PAUSE_SECONDS_MAX: Final = 5.0
_NICENESS: Final = 15
_NICEST: Final = 19


class Hashers:
    """A few processes that take jobs from all processes of a server, one at a time each, and are replaced when they die.

    Most of them have the machine's idle time alone. What they have not done within a second, because there is
    none or because one has died, is done by one that has a small share of the time in any case.

    A job is a connection of its own, handed over by its descriptor: whoever takes it alone can read and answer
    it, nobody is answered what another has asked, and if they die, whoever asked sees it at once. They end
    when the last process has ended that could ask them.

    Make it before the first event loop and the first thread of this process that are to go on, and before
    anything is opened that they need not have.

    Args:
        work: Done to each job.
        count: How many have idle time; with the one that has more, so many jobs are under way at once.
    """

    def __init__(self, work: Work, count: int) -> None:
        self._idle, idle_jobs = socket.socketpair()
        self._late, late_jobs = socket.socketpair()
        self._pid = os.fork()
        if self._pid == 0:
            self._idle.close()
            self._late.close()
            crew = [_Place(idle_jobs, late_jobs, work, take_idle_time)] * count
            exit_with(partial(_keep, [*crew, _Place(late_jobs, idle_jobs, work, _take_little_time)]))
        for jobs in (idle_jobs, late_jobs):
            jobs.close()
        for end in (self._idle, self._late):
            end.settimeout(0.0)

    async def ask(self, job: bytes) -> bytes:
        """What the work has made of a job.

        Raises:
            Unavailable: Nobody has an answer, or has one in time.
            ConnectionError: There are no hashers any more.
        """
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(_IDLE_SECONDS_MAX):
                answer = await _asked(self._idle, job)
            if answer is not None:
                return answer
        try:
            async with asyncio.timeout(_ANSWER_SECONDS_MAX):
                answer = await _asked(self._late, job)
        except TimeoutError:
            raise Unavailable(internal=f"hashers: no answer within {_ANSWER_SECONDS_MAX:g} s") from None
        if answer is None:
            raise Unavailable(internal="hashers: no answer from two of them")
        return answer

    def close(self) -> None:
        """Let them end, unless others can still ask them; what does not end in time is ended."""
        self._idle.close()
        self._late.close()
        deadline = time.perf_counter() + _END_SECONDS_MAX
        while not os.waitpid(self._pid, os.WNOHANG)[0]:
            if time.perf_counter() > deadline:
                os.killpg(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
                return
            time.sleep(0.002)


async def _asked(end: socket.socket, job: bytes) -> bytes | None:
    """The answer of whoever takes a job; None if they had none."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            _hand_over(end, theirs)
        ours.settimeout(0.0)
        loop = asyncio.get_running_loop()
        answer = b""
        try:
            await loop.sock_sendall(ours, _SIZE.pack(len(job)) + job)
            while piece := await loop.sock_recv(ours, _PIECE):
                answer += piece
        except ConnectionError:
            return None
    return answer.removesuffix(_WHOLE) if answer.endswith(_WHOLE) else None


def _hand_over(end: socket.socket, theirs: socket.socket) -> None:
    try:
        socket.send_fds(end, [_WHOLE], [theirs.fileno()])
    except ConnectionError:
        raise
    except OSError as error:
        # The queue is bounded, and so are the descriptors that may be on their way.
        raise Unavailable(internal=f"hashers: {type(error).__name__}: {error}") from None


@dataclass(frozen=True, slots=True)
class _Place:
    """What a hasher does, and is replaced for."""

    jobs: socket.socket
    of_others: socket.socket
    work: Work
    step_back: Callable[[], None]


def _keep(places: list[_Place]) -> int:
    """Have a hasher in each place until they end because nobody can ask them any more."""
    # A group of its own, and deaf to what asks to end: a server that drains needs them until it is done.
    os.setpgid(0, 0)
    gc.freeze()  # what is never searched for garbage is never written to, and stays one copy for all
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    running = {_fork(place): (place, time.perf_counter()) for place in places}
    pause = 0.0
    while running:
        pid, status = os.wait()
        place, started = running.pop(pid)
        if status == 0:
            continue
        lived = time.perf_counter() - started
        pause = 0.0 if lived > _LIVED_SECONDS else min(_PAUSE_SECONDS_MAX, 2 * pause + 0.01)
        time.sleep(pause)
        running[_fork(place)] = (place, time.perf_counter())
    return 0


def _fork(place: _Place) -> int:
    pid = os.fork()
    if pid == 0:
        place.of_others.close()
        exit_with(partial(_serve, place))
    return pid


def _serve(place: _Place) -> int:
    with contextlib.suppress(OSError):
        place.step_back()
    while True:
        _, descriptors, _, _ = socket.recv_fds(place.jobs, len(_WHOLE), 1)
        if not descriptors:
            return 0
        # What fails here must not be told: it may be about a password.
        with socket.socket(fileno=descriptors[0]) as asker, contextlib.suppress(Exception):
            (size,) = _SIZE.unpack(asker.recv(_SIZE.size, socket.MSG_WAITALL))
            job = asker.recv(size, socket.MSG_WAITALL)
            if not _has_left(asker):
                asker.sendall(place.work(job) + _WHOLE)


def _has_left(asker: socket.socket) -> bool:
    """Whether nobody waits for an answer any more."""
    poll = select.poll()
    poll.register(asker, 0)
    return bool(poll.poll(0))


def take_idle_time() -> None:
    """Have this thread, and those that it starts, run when nobody else wants the processor.

    Raises:
        OSError: The system does not let it.
    """
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    else:
        os.setpriority(os.PRIO_PROCESS, 0, _NICEST)


def _take_little_time() -> None:
    os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
