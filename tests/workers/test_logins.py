"""Logins are served by a process of their own, and nobody but verification can tell."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest import mock

import pytest

from bonafides.web.handover import PATHS, Handover, is_for_logins
from tests.attacks.test_anonymous_bootstrap import PROVEN_IN_THE_BODY
from tests.processes import ServerProcess, process
from tests.workers.connections import Connection
from tests.workers.test_lifecycle import parent, runs, within

SECONDS_MAX: Final = 20.0
_PROCESS_OF_ID: Final = slice(4, 20)
PASSWORD: Final = "nine quiet harbours"


@dataclass(frozen=True, slots=True)
class Answered:
    """What somebody was answered, and by which process."""

    status: int
    headers: http.client.HTTPMessage
    said: dict[str, Any]

    @property
    def process(self) -> str:
        """Which of the processes it was."""
        return str(self.headers["X-Request-Id"])[_PROCESS_OF_ID]


def posted(
    server: ServerProcess, path: str, body: object, *, over: http.client.HTTPConnection | None = None
) -> Answered:
    """What a call is answered, on a connection of its own unless there is one."""
    connection = over or http.client.HTTPConnection(*server.address, timeout=30)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    with connection.getresponse() as answer:
        content = answer.read()
        found = Answered(answer.status, answer.headers, json.loads(content) if content else {})
    if over is None:
        connection.close()
    return found


def login(server: ServerProcess, *, over: http.client.HTTPConnection | None = None) -> Answered:
    """The first user logs in."""
    founded = server.founded
    return posted(
        server, "/v1/auth/login", {"username": founded.email, "password": founded.password}, over=over
    )


def pids(server: ServerProcess) -> list[int]:
    """The processes for logins that were started, one after the other."""
    # Mails are printed between the lines of the log.
    told = (json.loads(line) for line in server.stderr().splitlines() if line.startswith("{"))
    return [line["pid"] for line in told if line["event"] == "logins_started"]


def listening(server: ServerProcess) -> list[int]:
    """The processes that accept connections."""
    told = (json.loads(line) for line in server.stderr().splitlines() if line.startswith("{"))
    workers = [line["pid"] for line in told if line["event"] == "worker_started"]
    return workers or [server.pid]


def reset_after(server: ServerProcess, request: bytes) -> None:
    """Send a request and reset the connection at once."""
    with socket.create_connection(server.address, timeout=30) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(request)


def by_workers(server: ServerProcess) -> set[str]:
    """The processes that verify."""
    found = set()
    for _ in range(10):
        connection = Connection(server)
        found.add(connection.verify(server.founded.api_key).worker)
        connection.close()
    return found


def wait_for_logins(server: ServerProcess) -> str:
    """The process by which logins are answered, once it is there."""
    verifying = by_workers(server)
    found: list[str] = []

    def is_apart() -> bool:
        answered = login(server)
        assert answered.status == http.client.OK, answered.said
        found.append(answered.process)
        return answered.process not in verifying

    within(SECONDS_MAX, is_apart, "logins are served where verification is")
    return found[-1]


@pytest.fixture(params=[1, 2], ids=["alone", "two workers"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server whose process for logins has begun."""
    with process(f"sqlite:///{tmp_path}/bonafides.db", tmp_path, workers=request.param) as server:
        wait_for_logins(server)
        yield server
        for pid in pids(server):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def test_nobody_who_verifies_sees_them(server: ServerProcess) -> None:
    """A connection that has verified is handed over with its login, and what was opened there holds everywhere at once."""
    verifying = by_workers(server)
    connection = http.client.HTTPConnection(*server.address, timeout=30)
    connection.request("GET", "/v1/auth/verify", headers={"X-API-Key": server.founded.api_key})
    with connection.getresponse() as answer:
        answer.read()
        assert answer.headers["X-Request-Id"][_PROCESS_OF_ID] in verifying
    answered = login(server, over=connection)
    connection.close()
    assert answered.status == http.client.OK
    assert answered.process not in verifying
    assert answered.headers["Connection"] == "close", "the next request would come to the wrong process"
    told = server.client(answered.said["token"]).get("/v1/auth/verify")
    assert told.status_code == http.client.OK
    assert told.headers["X-Request-Id"][_PROCESS_OF_ID] in verifying
    wrong = posted(server, "/v1/auth/login", {"username": server.founded.email, "password": "no"})
    assert (wrong.status, wrong.process in verifying) == (http.client.UNAUTHORIZED, False)


def test_what_is_ended_there_ends_everywhere(server: ServerProcess) -> None:
    """A password that was reset by the process for logins ends the sessions that others have in memory.

    See: OWASP ASVS 7.4.3
    """
    founded, admin = server.founded, server.admin
    user = admin.post("/v1/users", json={"email": "one@example.com"}).json()
    code = admin.post(f"/v1/users/{user['id']}/password-reset").json()["token"]
    first = posted(server, "/v1/auth/password/reset", {"token": code, "new_password": PASSWORD})
    assert first.status == http.client.NO_CONTENT, first.said
    session = posted(server, "/v1/auth/login", {"username": "one@example.com", "password": PASSWORD}).said
    bearer = server.client(session["token"])
    for _ in range(5):
        assert bearer.get("/v1/auth/verify").status_code == http.client.OK
    code = admin.post(f"/v1/users/{user['id']}/password-reset").json()["token"]
    second = posted(server, "/v1/auth/password/reset", {"token": code, "new_password": PASSWORD + "!"})
    assert second.process not in by_workers(server)
    assert {bearer.get("/v1/auth/verify").status_code for _ in range(5)} == {http.client.UNAUTHORIZED}
    # And the other way: what a worker has ended is not refreshed.
    mine = login(server).said
    assert server.client(mine["token"]).post("/v1/auth/logout").status_code < http.client.BAD_REQUEST
    refreshed = posted(server, "/v1/auth/refresh", {"refresh_token": mine["refresh_token"]})
    assert refreshed.status == http.client.UNAUTHORIZED
    assert founded.password not in server.stderr()


def test_a_request_in_pieces_is_one(server: ServerProcess) -> None:
    """What was read before the connection changed hands is not lost, and what comes later is waited for."""
    body = json.dumps({"username": server.founded.email, "password": server.founded.password}).encode()
    head = b"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    whole = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    for cut in (30, len(head), len(whole) - len(body), len(whole) - 3):
        with socket.create_connection(server.address, timeout=30) as connection:
            connection.sendall(whole[:cut])
            time.sleep(0.05)
            connection.sendall(whole[cut:])
            with connection.makefile("rb") as answer:
                assert answer.read().startswith(b"HTTP/1.1 200 OK\r\n"), cut


def test_nothing_is_admitted_there(server: ServerProcess) -> None:
    """A request behind a login is not answered by who cannot count it: limits would hold twice."""
    admin = server.admin
    plan = admin.post("/v1/plans", json={"name": "few", "requests_per_hour": 5, "burst": 5})
    assert plan.status_code == http.client.CREATED, plan.text
    key = admin.post("/v1/api-keys", json={"name": "few", "plan": "few"}).json()["key"]
    body = b'{"username": "nobody@example.com", "password": "wrong"}'
    asked = b"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-API-Key: %b\r\nContent-Length: %d\r\n\r\n%b"
    verify = b"GET /v1/auth/verify HTTP/1.1\r\nHost: x\r\nX-API-Key: %b\r\n\r\n" % key.encode()
    for _ in range(8):
        with socket.create_connection(server.address, timeout=30) as connection:
            connection.sendall(asked % (key.encode(), len(body), body) + verify)
            answers = b""
            while piece := connection.recv(65_536):
                answers += piece
        assert answers.count(b"HTTP/1.1 ") == 1
        assert b"200 OK" not in answers
    last = Connection(server)
    told = [last.verify(key) for _ in range(6)]
    last.close()
    assert [each.status for each in told] == [200] * 5 + [429]


def test_its_death_is_a_moment(server: ServerProcess) -> None:
    """People log in while it is gone, served by whoever verifies; and it comes again."""
    before = _logins_counted(server)
    os.kill(pids(server)[-1], signal.SIGKILL)
    within(SECONDS_MAX, lambda: not runs(pids(server)[0]), "it did not die")
    for _ in range(3):
        assert login(server).status == http.client.OK
    within(SECONDS_MAX, lambda: len(pids(server)) > 1, "nobody has replaced it")
    wait_for_logins(server)
    assert _logins_counted(server) >= before + 3, "the metrics went back"


def test_nobody_waits_for_one_that_hangs(server: ServerProcess) -> None:
    """A process that gets no time at all keeps nobody out who comes after it was noticed."""
    hangs = pids(server)[-1]
    os.kill(hangs, signal.SIGSTOP)
    try:
        time.sleep(0.3)
        answered = login(server)
    finally:
        os.kill(hangs, signal.SIGCONT)
    assert answered.status == http.client.OK
    assert answered.process in by_workers(server)
    wait_for_logins(server)


def test_nobody_waits_for_one_that_never_comes(server: ServerProcess) -> None:
    """Where none can be started any more, whoever was on the way to it sees so at once, and others are served."""
    gone = pids(server)[-1]
    body = json.dumps({"username": server.founded.email, "password": server.founded.password}).encode()
    head = b"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    os.kill(parent(gone), signal.SIGKILL)
    os.kill(gone, signal.SIGSTOP)
    with socket.create_connection(server.address, timeout=10) as connection:
        connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        time.sleep(0.1)
        os.kill(gone, signal.SIGKILL)
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""
    assert login(server).status == http.client.OK


def _logins_counted(server: ServerProcess) -> float:
    text = server.admin.get("/metrics").text
    lines = [
        line for line in text.splitlines() if 'route="/v1/auth/login"' in line and "requests_total" in line
    ]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def test_a_drain_waits_for_logins(server: ServerProcess) -> None:
    """Whoever is logging in when a server is asked to end has their answer, and then nobody is left."""
    found: list[int] = []

    def log_in() -> None:
        found.append(login(server).status)

    people = [threading.Thread(target=log_in) for _ in range(4)]
    for person in people:
        person.start()
    time.sleep(0.05)
    assert server.stop() == 0
    for person in people:
        person.join()
    assert found == [200] * 4
    assert not [pid for pid in pids(server) if runs(pid)]


def test_it_does_not_outlive_the_server(server: ServerProcess) -> None:
    """A server that is killed leaves nobody behind who could still open sessions."""
    server.kill()
    within(SECONDS_MAX, lambda: not [pid for pid in pids(server) if runs(pid)], "it outlives its server")


def test_nobody_acts_without_an_address(server: ServerProcess) -> None:
    """Who resets the connection at once has no address left by which to be counted or found: nothing is done for them.

    It is so when a connection is accepted late, and when it changes hands.
    """
    said = len(server.stderr())
    body = b'{"username": "nobody@example.com", "password": "wrong"}'
    login = b"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
    verify = b"GET /v1/auth/verify HTTP/1.1\r\nHost: x\r\nX-API-Key: wrong\r\n\r\n"
    for stopped in (listening(server), pids(server)[-1:]):
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            for request in (login % (len(body), body), verify) * 10:
                reset_after(server, request)
            time.sleep(0.1)
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        time.sleep(0.5)
        wait_for_logins(server)
    lines = [json.loads(line) for line in server.stderr()[said:].splitlines() if line.startswith("{")]
    asked = [line for line in lines if line["event"] == "request"]
    assert asked
    assert not [line for line in asked if line["address"] is None]


async def test_a_full_queue_is_no_failure() -> None:
    """Whoever would give more than can be on its way keeps it, and what was given is taken whole and in order."""
    if not Handover.is_possible():
        pytest.skip("needs Linux")
    wanted: list[bool] = []
    taken: list[bytes] = []
    came = asyncio.Event()

    def take(data: bytes, connection: socket.socket) -> None:
        taken.append(data)
        connection.close()
        came.set()

    ours, theirs = socket.socketpair()
    with ours, theirs, contextlib.closing(Handover()) as handover:
        give = handover.giver(lambda: wanted.append(True))
        assert not give(b"POST /login", theirs)
        assert wanted == [True]
        handover.begin(take)
        assert not give(b"x" * 65_537, theirs), "more than one message can hold"
        given = [b"%d" % number + b"." * 2_000 for number in range(5_000)]
        count = next(number for number, data in enumerate(given) if not give(data, theirs))
        assert count > 10
        await came.wait()
        assert taken == given[:1], "a busy process must not take all at once"
        assert give(given[count], theirs)
        handover.end()
        assert not give(b"late", theirs)
        handover.rest(take)
        assert taken == given[: count + 1]
        assert wanted == [True, True]


async def test_who_is_away_is_given_nothing() -> None:
    """A process that has no time, or hangs, would keep people waiting whom others can serve."""
    if not Handover.is_possible():
        pytest.skip("needs Linux")
    ours, theirs = socket.socketpair()
    loop = asyncio.get_running_loop()
    with ours, theirs, contextlib.closing(Handover()) as handover, contextlib.ExitStack() as stack:
        give = handover.giver(lambda: pytest.fail("it is there, only not now"))
        handover.begin(lambda _, connection: connection.close())
        stack.callback(loop.remove_reader, handover._taking)
        stack.callback(handover.end)
        assert give(b"now", theirs)
        with mock.patch.object(loop, "time", return_value=loop.time() + 0.3):
            assert not give(b"later", theirs)
        assert give(b"again", theirs)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"POST /login HTTP/1.1\r\n", True),
        (b"POST /login?next=/x HTTP/1.1\r\n", True),
        (b"POST /v1/auth/login HTTP/1.1\r\n", True),
        (b"POST /v1/auth/login", False),
        (b"POST /v1/auth/loginx", False),
        (b"POST /login?next=/" + b"x" * 200, True),
        (b"POST /v1/auth/log", False),
        (b"POST /v1/auth/loginx HTTP/1.1\r\n", False),
        (b"POST /v1/auth/logout HTTP/1.1\r\n", False),
        (b"POST //login HTTP/1.1\r\n", False),
        (b"POST /login/ HTTP/1.1\r\n", False),
        (b"GET /login HTTP/1.1\r\n", False),
        (b"post /login HTTP/1.1\r\n", False),
        (b"POST /v1/credentials/verify HTTP/1.1\r\n", False),
        (b"", False),
    ],
)
def test_what_is_handed_over(data: bytes, expected: bool) -> None:  # noqa: FBT001 - a table
    """Only calls that prove in their body who somebody is: on no other does nobody's limit count."""
    assert is_for_logins(data) is expected


def test_nothing_that_is_counted_is_handed_over() -> None:
    """Each path is one of those that take no credential but what stands in the body."""
    shown = {path.decode() for path in PATHS}
    assert shown - {"/v1/auth/login/passkey/options"} <= PROVEN_IN_THE_BODY
    assert not [path for path in shown if re.search(r"oauth|token|bim|verify", path)]
