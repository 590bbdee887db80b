"""No client can hold or fill the server by how it sends, and every client gets to read its answer.

How long and how strict a request's head and body are is told in tests/attacks (attack 55).
"""

from __future__ import annotations

import http.client
import resource
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx2
import pytest

from tests.faults.wire import Wire, crowd
from tests.processes import ServerProcess
from tests.serving import RunningServer, running, settings_for

HEADER_BYTES_MAX: Final = 8_192
BODY_BYTES_MAX: Final = 65_536
SECONDS_MAX: Final = 0.6


@pytest.fixture(scope="module")
def bounded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with little patience."""
    folder: Path = tmp_path_factory.mktemp("bounded")
    settings = settings_for(
        f"sqlite:///{folder}/bonafides.db",
        folder,
        header_seconds_max=SECONDS_MAX,
        body_seconds_max=SECONDS_MAX,
        keep_alive_seconds=1,
        header_bytes_max=HEADER_BYTES_MAX,
        body_bytes_max=BODY_BYTES_MAX,
    )
    with running(settings) as server:
        yield server


def _authorization(server: RunningServer) -> str:
    return f"Authorization: Bearer {server.founded.api_key}"


def _alive(server: RunningServer) -> None:
    server.clock.advance(2)  # past the second of the burst
    assert server.admin.get("/v1/auth/verify").status_code == 200


@pytest.mark.parametrize("letter", [b"x", b"\r\n"], ids=["header", "empty lines"])
def test_a_head_that_drips_is_refused_on_a_new_and_on_a_used_connection(
    bounded: RunningServer, letter: bytes
) -> None:
    """A timer that each byte winds up again never ends."""
    for used in (False, True):
        with Wire(bounded.url) as wire:
            if used:
                wire.request("GET", "/healthz")
                assert wire.answer().status == 200
            began = time.monotonic()
            wire.send(b"GET /healthz HTTP/1.1\r\nX-Drip: " if letter == b"x" else letter)
            ended = threading.Event()

            def drip(wire: Wire = wire, ended: threading.Event = ended) -> None:
                while not ended.wait(0.1):
                    try:
                        wire.send(letter)
                    except OSError:
                        return

            dripping = threading.Thread(target=drip)
            dripping.start()
            try:
                if used and letter == b"\r\n":
                    assert wire.closed()  # a 408 would be taken for the answer to the next request
                else:
                    assert wire.answer().status == 408
                assert time.monotonic() - began < SECONDS_MAX + 3
            finally:
                ended.set()
                dripping.join()


@pytest.mark.parametrize("path", ["/healthz", "/v1/auth/verify", "/nowhere"])
def test_a_body_that_nobody_reads_does_not_hold_the_connection(bounded: RunningServer, path: str) -> None:
    """Where no handler waits for the body, no timer of the handler's ends the connection."""
    with Wire(bounded.url) as wire:
        wire.request("GET", path, _authorization(bounded), "Content-Length: 60000")
        assert wire.answer().status in {200, 404}
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                wire.send(b"x")
            except OSError:
                break
            if wire.closed(0.1):
                break
        else:
            pytest.fail("the connection is still held")
    _alive(bounded)


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("expecting", [False, True], ids=["at once", "after 100"])
def test_ten_megabytes_are_refused_and_the_client_can_read_why(
    bounded: RunningServer, framing: str, *, expecting: bool
) -> None:
    """A reset connection tells nothing: the client retries the same 10 MB for ever."""
    body = b"x" * 10_000_000
    content: bytes | Iterator[bytes] = body if framing == "length" else iter([body])
    headers = {"Content-Type": "application/json"} | ({"Expect": "100-continue"} if expecting else {})
    client = bounded.admin
    for _ in range(5):
        answer = client.post(
            "/v1/api-keys", content=content if framing == "length" else iter([body]), headers=headers
        )
        assert answer.status_code == 413, answer.text
        assert answer.json()["error"] == "invalid_request"
        assert answer.json()["field"] == "body"
        assert client.get("/v1/auth/verify").status_code == 200


def test_ten_megabytes_from_a_client_that_reads_at_the_end_are_answered(bounded: RunningServer) -> None:
    """Many libraries send the whole body first; one whose connection is cut then never learns why."""
    connection = http.client.HTTPConnection(bounded.url.removeprefix("http://"), timeout=20)
    headers = {"Authorization": f"Bearer {bounded.founded.api_key}", "Content-Type": "application/json"}
    for _ in range(3):
        connection.request("POST", "/v1/api-keys", body=b"x" * 10_000_000, headers=headers)
        answer = connection.getresponse()
        assert answer.status == 413
        assert b'"field":"body"' in answer.read()
    connection.close()


def test_a_body_without_end_is_cut_off(bounded: RunningServer) -> None:
    """What is read and thrown away so that the client may read its answer must end too."""
    sent = 0
    with Wire(bounded.url) as wire:
        wire.request(
            "POST", "/v1/api-keys", _authorization(bounded), "Content-Type: application/json",
            "Content-Length: 10000000000",
        )  # fmt: skip
        assert wire.answer().status == 413
        try:
            while sent < 256 * 2**20:
                wire.send(b"x" * 2**20)
                sent += 2**20
        except OSError:
            pass
    assert sent < 256 * 2**20


@pytest.mark.parametrize("path", ["/v1/api-keys", "/nowhere", "/v1/auth/verify"])
def test_a_client_that_asks_first_and_is_refused_gets_a_closed_connection(
    bounded: RunningServer, path: str
) -> None:
    """It need not send the body then; on an open connection its next request would be read as that body."""
    with Wire(bounded.url) as wire:
        wire.request("POST", path, "Content-Length: 50", "Expect: 100-continue")
        answer = wire.answer()
        assert answer.status in {401, 404}
        assert answer.headers["connection"] == "close"
        assert wire.closed()


def test_ten_megabytes_to_a_call_that_reads_no_body_do_no_harm(bounded: RunningServer) -> None:
    """They would be kept in memory, or read as the next request."""
    client = bounded.admin
    for path in ("/healthz", "/v1/auth/verify", "/nowhere"):
        answer = client.request("POST" if "verify" in path else "GET", path, content=b"x" * 10_000_000)
        assert answer.status_code in {200, 404, 413}
        assert client.get("/healthz").status_code == 200


def test_an_idle_connection_is_closed(bounded: RunningServer) -> None:
    """Clients that go away without a word would gather for ever."""
    with Wire(bounded.url) as wire:
        wire.request("GET", "/healthz")
        assert wire.answer().status == 200
        began = time.monotonic()
        assert wire.closed(10)
        assert 0.5 < time.monotonic() - began < 5


def test_a_connection_in_use_is_kept(bounded: RunningServer) -> None:
    """A connection for each request would cost the clients of a hot path a round trip each."""
    with Wire(bounded.url) as wire:
        for _ in range(50):
            wire.request("GET", "/v1/auth/verify", _authorization(bounded))
            assert wire.answer().status == 200


def test_a_crowd_of_idle_connections_does_not_stop_service(server: RunningServer) -> None:
    """Opening connections is free for an attacker; it must not be dear for everybody else."""
    with crowd(server.url, 400) as wires:
        for wire in wires[::4]:
            wire.send(b"GET /heal")
        for wire in wires[1::4]:
            wire.request("GET", "/healthz")
        began = time.monotonic()
        assert server.admin.get("/v1/auth/verify").status_code == 200
        assert time.monotonic() - began < 5
        for wire in wires[1::4]:
            assert wire.answer().status == 200


def _with_few_files() -> None:
    """What most systems give a process unasked is more, but as easily used up."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def test_a_crowd_is_not_limited_by_what_the_system_gives_unasked(tmp_path: Path) -> None:
    """With the usual 1,024 files, a thousand idle connections would be the end of service."""
    server = ServerProcess(f"sqlite:///{tmp_path}/bonafides.db", tmp_path)
    server.begin = _with_few_files
    try:
        server.start()
        with crowd(server.url, 300):
            assert server.client(timeout=5).get("/healthz").status_code == 200
            assert server.admin.post("/v1/api-keys", json={"name": "in a crowd"}).status_code == 201
    finally:
        server.close()


@pytest.mark.parametrize("path", ["/openapi.json", "/v1/auth/verify"], ids=["slow lane", "fast lane"])
def test_a_client_that_does_not_read_its_answers_is_not_read_either(
    bounded: RunningServer, path: str
) -> None:
    """Answers that nobody takes would pile up in the server's memory."""
    bytes_max = 64 * 2**20

    def taken() -> int:
        sent = 0
        with Wire(bounded.url) as wire:
            wire.socket.settimeout(1)
            try:
                while sent < bytes_max:
                    wire.request("GET", path, _authorization(bounded), "X-Padding: " + "a" * 4_000)
                    sent += 4_000
            except OSError:
                pass
        return sent

    # Client and server share an interpreter here, and on a busy machine one of them may hardly get a turn.
    assert any(taken() < bytes_max for _ in range(3)), "it took in every request, and kept every answer"
    _alive(bounded)


def test_a_client_that_goes_away_in_the_middle_does_no_harm(bounded: RunningServer) -> None:
    """Every mobile client does it; it is not an error of the server's."""
    for part in ("GET /hea", "POST /v1/api-keys HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{"):
        for _ in range(20):
            with Wire(bounded.url) as wire:
                wire.send(part.encode())
    for _ in range(20):
        with Wire(bounded.url) as wire:
            wire.request("GET", "/v1/auth/verify", _authorization(bounded))
    _alive(bounded)


def test_http_1_0_is_answered_and_closed(bounded: RunningServer) -> None:
    """Old probes speak it, and wait for the end of the connection."""
    with Wire(bounded.url) as wire:
        wire.send(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert wire.answer().status == 200
        assert wire.closed()


def test_library_clients_share_connections_without_errors(bounded: RunningServer) -> None:
    """An idle connection that ends just as it is used again must be retried or closed in order, not broken."""
    failures: list[BaseException] = []

    def use() -> None:
        try:
            with httpx2.Client(base_url=bounded.url, trust_env=False) as client:
                for _ in range(30):
                    assert client.get("/healthz").status_code == 200
        except BaseException as error:  # noqa: BLE001 - shown below
            failures.append(error)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
