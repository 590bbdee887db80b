"""Processes that hash: nobody waits for them but who has asked, and their death is no answer."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from unittest import mock

import pytest

from bonafides import hashers
from bonafides.errors import Unavailable
from bonafides.hashers import Hashers
from tests.processes import ServerProcess, process
from tests.workers.test_lifecycle import parent, runs, within

SECONDS_MAX = 60.0


def _work(job: bytes) -> bytes:
    """Answer backwards, or do what a job says."""
    if job == b"die":
        os._exit(9)
    if job == b"fail":
        raise ValueError
    if job == b"sleep":
        time.sleep(1.5)
    if job.startswith(b"/") and not os.path.exists(job):  # noqa: PTH110 - what a hasher does is plain
        os.close(os.open(job, os.O_CREAT))
        os._exit(9)
    return job[::-1]


async def _asked(crew: Hashers, once: bytes) -> list[str]:
    """What is wrong with a crew's answers."""
    wrong = []

    async def expect(job: bytes, expected: bytes | type[Exception]) -> None:
        found: bytes | type[Exception]
        try:
            found = await crew.ask(job)
        except (Unavailable, ConnectionError) as error:
            found = ConnectionError if isinstance(error, ConnectionError) else type(error)
        if found != expected:
            wrong.append(f"{job[:20]!r}: {found[:20] if isinstance(found, bytes) else found!r}")

    await asyncio.gather(*(expect(bytes([number, 0]), bytes([0, number])) for number in range(10)))
    await expect(b"ab" * 500_000, b"ba" * 500_000)
    await expect(b"", b"")
    await expect(once, once[::-1])
    await expect(b"die", Unavailable)
    await expect(b"fail", Unavailable)
    await expect(b"ab", b"ba")
    with (
        mock.patch.object(hashers, "_IDLE_SECONDS_MAX", 0.1),
        mock.patch.object(hashers, "_ANSWER_SECONDS_MAX", 0.1),
    ):
        await expect(b"sleep", Unavailable)
    await expect(b"ab", b"ba")
    os.killpg(crew._pid, signal.SIGKILL)
    await asyncio.sleep(0.5)  # the kernel ends the last of them a moment later
    await expect(b"ab", ConnectionError)
    return wrong


def _check(folder: str) -> list[str]:
    crew = Hashers(_work, 1)
    with contextlib.closing(crew):
        return asyncio.run(_asked(crew, f"{folder}/once".encode()))


def test_a_death_is_no_answer(tmp_path: Path) -> None:
    """A hasher that runs out of memory would let somebody in, or keep everybody out until somebody notices."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as processes:
        assert processes.submit(_check, str(tmp_path)).result(SECONDS_MAX) == []


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server of two workers."""
    with process(f"sqlite:///{tmp_path}/bonafides.db", tmp_path, workers=2) as server:
        yield server


def descendants(pid: int) -> set[int]:
    """The processes that a process has started, and theirs."""
    parents = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            parents[int(entry.name)] = parent(int(entry.name))
    found = {pid}
    while more := {child for child, of in parents.items() if of in found} - found:
        found |= more
    return found - {pid}


def hashers_of(server: ServerProcess) -> set[int]:
    """Those of a server's processes that have idle time alone."""
    found = set()
    for pid in descendants(server.pid):
        with contextlib.suppress(ProcessLookupError):
            if os.sched_getscheduler(pid) == os.SCHED_IDLE:
                found.add(pid)
    return found


def test_logins_go_on_when_hashers_die_and_nothing_is_left_at_the_end(crew: ServerProcess) -> None:
    """Attack 43, ASVS 11.4.2: who kills the hasher by memory would get in, or lock everybody out; what outlived the server would keep its port and its secrets."""
    founded = crew.founded
    password = founded.password

    def log_in(word: str) -> int:
        body = {"username": founded.email, "password": word}
        return crew.client().post("/v1/auth/login", json=body).status_code

    within(20, lambda: bool(hashers_of(crew)), "there are no hashers")
    assert log_in(password) == 200
    first = hashers_of(crew)
    with ThreadPoolExecutor(4) as people:
        begun = [people.submit(log_in, word) for word in ("wrong", password, password, password)]
        for pid in first:
            os.kill(pid, signal.SIGKILL)
        statuses = [one.result(SECONDS_MAX) for one in begun]
    assert statuses[0] in {401, 503}
    assert set(statuses[1:]) <= {200, 503}
    within(20, lambda: len(hashers_of(crew)) == len(first) and not hashers_of(crew) & first, "not replaced")
    assert log_in(password) == 200

    all_of_them = descendants(crew.pid)
    for pid in all_of_them:
        for name in ("cmdline", "environ"):
            assert password.encode() not in Path(f"/proc/{pid}/{name}").read_bytes()
    assert password not in crew.stderr()
    assert crew.stop() == 0
    within(20, lambda: not any(map(runs, all_of_them)), "a process outlives the server")
