"""SIGTERM drains: what is under way is finished, nothing new is begun, and the end comes in time, with status 0."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx2
import pytest

from tests.faults.outages import frozen, locked
from tests.faults.wire import Wire, crowd
from tests.postgres import PostgresServer
from tests.processes import ServerProcess, process

BODY: Final = b'{"name": "made during the drain"}'
DRAIN_SECONDS_MAX: Final = 2
SLACK_SECONDS: Final = 6.0
"""What an end may take beside its drain, on a machine that is busy with other tests."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server in a process of its own, on SQLite."""
    with process(f"sqlite:///{tmp_path}/bonafides.db", tmp_path) as server:
        yield server


@pytest.fixture
def hurried(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that drains briefly, though it would wait long for a request."""
    database = f"sqlite:///{tmp_path}/bonafides.db"
    with process(database, tmp_path, drain_seconds_max=DRAIN_SECONDS_MAX) as server:
        yield server


def begin_creation(server: ServerProcess) -> Wire:
    """A request whose body is half sent; the server waits for the rest."""
    wire = Wire(server.url)
    wire.request(
        "POST", "/v1/api-keys", f"Authorization: Bearer {server.founded.api_key}",
        "Content-Type: application/json", f"Content-Length: {len(BODY)}",
    )  # fmt: skip
    wire.send(BODY[:10])
    return wire


def wait_until_refused(server: ServerProcess) -> None:
    """Wait until the server takes no new connections."""
    deadline = time.monotonic() + SLACK_SECONDS
    while time.monotonic() < deadline:
        try:
            Wire(server.url).socket.close()
        except ConnectionError:
            return
        time.sleep(0.02)
    raise AssertionError("the server still takes new connections")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_under_way_is_finished_and_nothing_new_is_begun(
    server: ServerProcess, number: signal.Signals
) -> None:
    """Every deployment would cut off the requests that happen to be under way."""
    with begin_creation(server) as under_way, Wire(server.url) as idle:
        idle.request("GET", "/healthz")
        assert idle.answer().status == 200
        server.signal(number)
        wait_until_refused(server)
        assert idle.closed(SLACK_SECONDS)
        assert server.exit_status() is None
        under_way.send(BODY[10:])
        answer = under_way.answer()
        assert answer.status == 201
        assert answer.headers["connection"] == "close"
        assert under_way.closed()
    assert server.wait(SLACK_SECONDS) == 0
    server.start()
    assert "made during the drain" in server.admin.get("/v1/api-keys").text


def test_a_request_that_waits_for_the_database_is_finished(server: ServerProcess, tmp_path: Path) -> None:
    """The answer would be lost though the change was made."""
    answers: list[httpx2.Response] = []
    with locked(tmp_path / "bonafides.db"):
        client = server.admin
        asking = threading.Thread(
            target=lambda: answers.append(client.post("/v1/api-keys", json={"name": "waits"}))
        )
        asking.start()
        time.sleep(0.5)
        server.signal(signal.SIGTERM)
        wait_until_refused(server)
    asking.join()
    assert answers[0].status_code == 201
    assert server.wait(SLACK_SECONDS) == 0


def test_under_load_every_request_is_answered_whole_or_not_begun(server: ServerProcess) -> None:
    """A client must be able to tell what was done: half an answer, or a 5xx, tells nothing."""
    made: list[str] = []
    failures: list[BaseException] = []
    key = server.admin.post("/v1/api-keys", json={"name": "load", "plan": "enterprise"}).json()

    def work(number: int) -> None:
        try:
            client = server.admin
            while True:
                if number % 2:
                    answer = client.get("/v1/auth/verify", headers={"Authorization": f"Bearer {key['key']}"})
                    assert answer.status_code in {200, 429}
                else:
                    answer = client.post("/v1/api-keys", json={"name": "load"})
                    assert answer.status_code == 201, answer.text
                    made.append(answer.json()["id"])
        except (
            httpx2.ConnectError,
            httpx2.RemoteProtocolError,
            httpx2.ReadError,
            httpx2.WriteError,
        ) as error:
            # Refused, or a kept connection that was closed before it was answered; never in the middle of one.
            if "incomplete" in str(error) or "peer closed connection without" in str(error):
                failures.append(error)
        except BaseException as error:  # noqa: BLE001 - shown below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    while len(made) < 20:
        time.sleep(0.01)
        assert not failures, failures
    assert server.stop() == 0
    for thread in threads:
        thread.join()
    assert not failures, failures
    server.start()
    admin = server.admin
    for key_id in made:
        assert admin.get(f"/v1/api-keys/{key_id}").status_code == 200
    assert not [line for line in server.log() if line["level"] in {"error", "critical"}]


def test_last_uses_are_written_at_the_end(tmp_path: Path) -> None:
    """An unused key would seem to be one, and be deleted, after each restart."""
    database = f"sqlite:///{tmp_path}/bonafides.db"
    with process(database, tmp_path, last_used_flush_seconds=3600) as server:
        key = server.admin.post("/v1/api-keys", json={"name": "used"}).json()
        assert server.client(key["key"]).get("/v1/auth/verify").status_code == 200
        assert server.admin.get(f"/v1/api-keys/{key['id']}").json()["last_used_at"] is None
        assert server.stop() == 0
        server.start()
        assert server.admin.get(f"/v1/api-keys/{key['id']}").json()["last_used_at"] is not None


def test_usage_is_complete_at_the_end(tmp_path: Path) -> None:
    """Every deployment would leave out some requests of the bill."""
    database = f"sqlite:///{tmp_path}/bonafides.db"
    with process(database, tmp_path, usage_flush_seconds=60) as server:
        key = server.admin.post("/v1/api-keys", json={"name": "used"}).json()
        client = server.client(key["key"])
        for _ in range(7):
            assert client.get("/v1/auth/verify").status_code == 200
        for _ in range(2):
            assert client.get("/v1/auth/verify", params={"scope": "admin"}).status_code == 403
        path = f"/v1/api-keys/{key['id']}/usage"
        assert server.admin.get(path).json()["total"] == {"accepted": 0, "refused": {}}
        assert server.stop() == 0
        server.start()
        told = server.admin.get(path).json()["total"]
        assert told == {"accepted": 7, "refused": {"insufficient_scope": 2}}


@pytest.mark.parametrize("how", ["half a body", "half a head", "nothing read", "idle crowd"])
def test_no_client_holds_the_end_for_long(hurried: ServerProcess, how: str) -> None:
    """Whoever keeps a connection open could stop every deployment; the next step is then SIGKILL."""
    with crowd(hurried.url, 50 if how == "idle crowd" else 1) as wires:
        if how == "half a body":
            wires.append(begin_creation(hurried))
        elif how == "half a head":
            wires[0].send(b"GET /healthz HTT")
        elif how == "nothing read":
            wires[0].socket.settimeout(0.5)
            try:
                while True:
                    wires[0].request("GET", "/openapi.json")
            except OSError:
                pass
        began = time.monotonic()
        assert hurried.stop() == 0
        assert time.monotonic() - began < DRAIN_SECONDS_MAX + SLACK_SECONDS
        if how in {"half a head", "idle crowd"}:
            assert time.monotonic() - began < SLACK_SECONDS, "it waited for nothing"


def test_a_second_signal_ends_at_once(server: ServerProcess) -> None:
    """A person at a terminal who presses Ctrl-C twice does not want to wait."""
    with begin_creation(server):
        server.signal(signal.SIGTERM)
        wait_until_refused(server)
        assert server.exit_status() is None
        began = time.monotonic()
        server.signal(signal.SIGTERM)
        assert server.wait(SLACK_SECONDS) == 0
        assert time.monotonic() - began < SLACK_SECONDS


def test_a_database_that_hangs_does_not_hold_the_end(tmp_path: Path, own_postgres: PostgresServer) -> None:
    """The supervisor's patience is bounded; what could not be written by then is only a time of last use."""
    database = own_postgres.create_database()
    with process(
        database, tmp_path, drain_seconds_max=DRAIN_SECONDS_MAX, last_used_flush_seconds=3600
    ) as server:
        assert server.admin.get("/v1/auth/verify").status_code == 200
        with frozen(own_postgres):
            began = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - began < DRAIN_SECONDS_MAX + 8 + SLACK_SECONDS


def test_a_signal_during_the_start_is_not_lost(tmp_path: Path) -> None:
    """A deployment that is taken back at once would wait for a server that runs on."""
    server = ServerProcess(f"sqlite:///{tmp_path}/bonafides.db", tmp_path)
    try:
        server.init()
        for delay in (0.05, 0.4, 0.8, 1.2, 1.6):
            server.launch("serve")
            time.sleep(delay)
            server.signal(signal.SIGTERM)
            assert server.wait(SLACK_SECONDS) in {0, -signal.SIGTERM, 128 + signal.SIGTERM}
        server.start()
        assert server.admin.get("/v1/auth/verify").status_code == 200
    finally:
        server.close()


def test_a_server_that_was_drained_says_nothing_but_what_it_did(server: ServerProcess) -> None:
    """A traceback at each end teaches people not to read the log."""
    assert server.admin.get("/v1/auth/verify").status_code == 200
    with begin_creation(server):
        assert server.admin.get("/healthz").status_code == 200
    assert server.stop() == 0
    for line in server.log():
        assert line["level"] == "info", line
        assert "exception" not in line
