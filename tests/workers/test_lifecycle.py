"""Workers start together, are replaced when they die, end together, and leave nothing behind."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from typing_extensions import override

from tests.processes import ServerProcess, process
from tests.workers.connections import Connection, one_to_each

WORKERS: Final = 3
END_SECONDS_MAX: Final = 15.0
PAUSE_SECONDS_MAX: Final = 3.0
"""What a busy machine may make anybody wait; `make bench` measures the pause of a quiet one."""


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server of three workers on SQLite."""
    with process(f"sqlite:///{tmp_path}/bonafides.db", tmp_path, workers=WORKERS) as server:
        yield server
        for pid in pids(server):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def pids(server: ServerProcess) -> list[int]:
    """The processes of every worker that was started, in the order of their starts."""
    return [line["pid"] for line in server.log() if line["event"] == "worker_started"]


def runs(pid: int) -> bool:
    """Whether a process is there, and is more than a name for its parent."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except FileNotFoundError:
        return False


def parent(pid: int) -> int:
    """Whose child a process is."""
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[1])


def within(seconds: float, happens: Callable[[], bool], what: str) -> None:
    """Fail unless something happens in time."""
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


class Client(threading.Thread):
    """Verifies one key without end, over new connections where the old one was cut.

    Args:
        server: Asked.
        key: Presented.
    """

    def __init__(self, server: ServerProcess, key: str) -> None:
        super().__init__()
        self._server = server
        self._key = key
        self.statuses: dict[int, int] = {}
        self.longest = 0.0
        self.cut = 0
        self.ending = threading.Event()

    @override
    def run(self) -> None:
        """Go on until `ending`."""
        connection = Connection(self._server)
        while not self.ending.is_set():
            began = time.monotonic()
            try:
                status = connection.verify(self._key).status
            except (OSError, http.client.HTTPException):
                self.cut += 1
                connection.close()
                connection = Connection(self._server)
                continue
            self.longest = max(self.longest, time.monotonic() - began)
            self.statuses[status] = self.statuses.get(status, 0) + 1
        connection.close()


def test_a_killed_worker_is_replaced_and_its_count_stays(crew: ServerProcess) -> None:
    """One crash would stop the service, or open a window of free requests."""
    limit = 2_000
    crew.admin.post("/v1/plans", json={"name": "counted", "requests_per_hour": limit, "burst": None})
    key = crew.admin.post("/v1/api-keys", json={"name": "load", "plan": "counted"}).json()["key"]
    gone = crew.admin.post("/v1/api-keys", json={"name": "gone", "plan": "enterprise"}).json()
    crew.admin.delete(f"/v1/api-keys/{gone['id']}")
    good, bad = [Client(crew, key) for _ in range(6)], Client(crew, gone["key"])
    for client in (*good, bad):
        client.start()
    within(30, lambda: sum(client.statuses.get(200, 0) for client in good) > limit / 4, "no load")
    os.kill(pids(crew)[0], signal.SIGKILL)
    within(30, lambda: all(client.statuses.get(429) for client in good), "the limit was never reached")
    within(30, lambda: len(pids(crew)) == WORKERS + 1, "nobody was started in its place")
    for client in (*good, bad):
        client.ending.set()
    for client in (*good, bad):
        client.join()
    admitted = sum(client.statuses.get(200, 0) for client in good)
    cut = sum(client.cut for client in good)
    # A request that was counted when its worker died has no answer, and is not given back.
    assert limit - cut <= admitted <= limit
    assert {status for client in good for status in client.statuses} == {200, 429}
    assert set(bad.statuses) == {401}
    assert max(client.longest for client in good) < PAUSE_SECONDS_MAX
    for connection in one_to_each(crew, WORKERS, crew.founded.api_key):
        connection.close()
    died = [line for line in crew.log() if line["event"] == "worker_died"]
    assert [line["status"] for line in died] == [-signal.SIGKILL]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_every_worker(crew: ServerProcess, number: signal.Signals) -> None:
    """A deployment would cut requests off, or wait for a process that nobody told to end."""
    half = socket.create_connection(crew.address)
    body = b'{"name": "made during the drain"}'
    head = f"POST /v1/api-keys HTTP/1.1\r\nHost: x\r\nX-API-Key: {crew.founded.api_key}\r\n"
    half.sendall(
        f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body[:9]
    )
    time.sleep(0.3)
    crew.signal(number)
    within(END_SECONDS_MAX, lambda: sum(map(runs, pids(crew))) == 1, "the idle workers do not end")
    half.sendall(body[9:])
    assert half.recv(4096).startswith(b"HTTP/1.1 201 ")
    half.close()
    assert crew.wait() == 0
    assert not any(map(runs, pids(crew)))
    assert "worker_died" not in crew.stderr()


def test_workers_do_not_outlive_their_supervisor(crew: ServerProcess) -> None:
    """Orphans would hold the port, and answer with settings that nobody remembers."""
    crew.kill()
    within(END_SECONDS_MAX, lambda: not any(map(runs, pids(crew))), "orphans are left")


def test_a_second_signal_ends_at_once(crew: ServerProcess) -> None:
    """Somebody who cannot wait for a drain would have to look for each process."""
    half = socket.create_connection(crew.address)
    half.sendall(b"POST /v1/api-keys HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
    crew.signal(signal.SIGTERM)
    time.sleep(0.3)
    crew.signal(signal.SIGTERM)
    within(END_SECONDS_MAX, lambda: crew.exit_status() is not None, "it goes on")
    half.close()
    assert not any(map(runs, pids(crew)))


def test_a_server_that_can_start_nobody_ends(crew: ServerProcess) -> None:
    """It would go on with fewer and fewer workers, until nobody is left."""
    first, second, _ = pids(crew)
    os.kill(parent(first), signal.SIGKILL)
    assert crew.admin.get("/v1/auth/verify").status_code == 200
    os.kill(second, signal.SIGKILL)
    assert crew.wait() == 1
    assert [line["running"] for line in crew.log() if line["event"] == "fork_server_died"] == [WORKERS - 1]
    within(END_SECONDS_MAX, lambda: not any(map(runs, pids(crew))), "orphans are left")


def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    """Two servers that both share ports would share this one, and each client would meet now one, now the other."""
    with process(f"sqlite:///{tmp_path}/bonafides.db", tmp_path, workers=2) as running:
        port = running.address[1]
        second = ServerProcess(running.database, tmp_path / "second", port=port, workers=2)
        second.folder.mkdir()
        second.settings["pepper_file"] = running.settings["pepper_file"]
        second.launch("serve")
        assert second.wait() == 1
        assert f"port {port}: it is in use" in second.stderr()
        assert second.stdout() == ""


def test_workers_that_cannot_start_end_the_server(tmp_path: Path) -> None:
    """A supervisor that tries for ever looks healthy, and answers nobody."""
    server = ServerProcess(f"sqlite:///{tmp_path}/bonafides.db", tmp_path, workers=2)
    server.init()
    server.launch("serve")
    try:
        within(END_SECONDS_MAX, lambda: len(pids(server)) == 2, "no worker is started")
        os.kill(pids(server)[0], signal.SIGKILL)
        assert server.wait() == 1
        assert server.stdout() == ""
        assert not any(map(runs, pids(server)))
    finally:
        server.close()
