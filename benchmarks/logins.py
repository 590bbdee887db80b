"""Rows on logins: whether verification waits while people log in, each of whom costs 25 ms of a processor and 19 MiB.

People log in to the server that verifies, and then to another one on the same machine: what verification waits for in both cases is the
machine, and no server's own doing.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

from benchmarks.crew import told
from benchmarks.load import WRK, hammer
from benchmarks.measure import Row, Target, UnfitError, Workplace
from benchmarks.service import Installation, Service, serving, verify_request
from bonafides.hashers import take_idle_time

_LOGINS_A_SECOND: Final = 10
_VERIFIES_A_SECOND: Final = 200
_AT_ONCE: Final = 8
_GROWTH_MAX: Final = 1.5
_PASSWORD: Final = "seven quiet harbours"


def logins(place: Workplace) -> list[Row]:
    """The delay of verification on both cores, with logins and without, in turn: at a steady pace, and at full load."""
    paced = _rows("verify-delay", "verify, one by one, p99")
    full = _rows("verify-delay-load", "verify, 32 at a time at full speed, p99")
    effort = place.effort
    with ExitStack() as stack:
        service, other = (
            stack.enter_context(serving(_installation(place, name), anywhere=True))
            for name in ("here", "there")
        )
        service.make_plan()
        crowds = (_Crowd.of(service), _Crowd.of(other))
        request = verify_request(service.make_key())
        sent = request.text(service.port).encode()
        probe = stack.enter_context(socket.create_connection(("127.0.0.1", service.port)))
        if effort.warm_up_seconds:
            _delays(probe, sent, effort.warm_up_seconds)

        def at_full_speed() -> float:
            delay = hammer(service.port, request, effort.seconds).p99_ms
            if delay is None:
                raise UnfitError("wrk did not tell its delays")
            return delay

        for _ in range(effort.runs):
            _compare(paced, lambda: _p99(_delays(probe, sent, effort.seconds)), crowds)
        if WRK is None:
            return paced
        for _ in range(effort.runs):
            _compare(full, at_full_speed, crowds)
    return [*paced, *full]


def _installation(place: Workplace, name: str) -> Installation:
    return Installation.make(place.subfolder(f"logins-{name}"), trusted_proxies=["127.0.0.1"])


def _rows(name: str, title: str) -> list[Row]:
    """A row without logins, and two with them that are held against it."""
    alone = Row(name, title, "ms")
    here = Row(
        f"{name}-logins",
        f"the same while {_LOGINS_A_SECOND} people a second log in",
        "ms",
        target=Target(_GROWTH_MAX, name, most=True),
    )
    there = Row(
        f"{name}-logins-elsewhere", "the same while they log in to another server of the machine", "ms"
    )
    for row in (here, there):
        row.beside[name] = alone.runs
    return [alone, here, there]


@dataclass(frozen=True, slots=True)
class _Crowd:
    """People who have a password, and where they log in."""

    port: int
    accounts: list[str]

    @staticmethod
    def of(service: Service) -> _Crowd:
        return _Crowd(service.port, [_account(service, number) for number in range(_LOGINS_A_SECOND)])


def _compare(rows: Sequence[Row], delay: Callable[[], float], crowds: Sequence[_Crowd]) -> None:
    alone, *with_logins = rows
    alone.runs.append(delay())
    for row, crowd in zip(with_logins, crowds, strict=True):
        with _people(crowd) as people:
            row.runs.append(delay())
            people.send(None)
            row.notes["logins"] = row.notes.get("logins", 0) + _answer_of(people)


def _delays(probe: socket.socket, request: bytes, seconds: float) -> list[float]:
    """How long each verification took, counted from when it was due: one that had to wait for the last one waited."""
    found = []
    began = time.perf_counter()
    for number in range(max(1, round(seconds * _VERIFIES_A_SECOND))):
        due = began + number / _VERIFIES_A_SECOND
        time.sleep(max(0.0, due - time.perf_counter()))
        if told(probe, request)[0] != http.client.OK:
            raise UnfitError("a good key was refused")
        found.append((time.perf_counter() - due) * 1000)
    return found


def _p99(delays: list[float]) -> float:
    delays.sort()
    return delays[int(len(delays) * 0.99)]


@contextmanager
def _people(crowd: _Crowd) -> Iterator[Connection]:
    """People log in one after the other, at that pace, until they are sent something; then they tell how many did.

    They are a process of their own: in this one, the probe would wait for them, and not for the server. It has idle time alone,
    since people come from other machines.
    """
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_keep_coming, args=(theirs, crowd.port, crowd.accounts)
    )
    process.start()
    theirs.close()
    try:
        ours.recv()
        yield ours
    finally:
        ours.close()
        process.join()


def _answer_of(people: Connection) -> int:
    told_by_them = people.recv()
    if isinstance(told_by_them, int):
        return told_by_them
    raise UnfitError(str(told_by_them))


def _keep_coming(told: Connection, port: int, accounts: list[str]) -> None:
    with suppress(OSError):
        take_idle_time()
    begun: list[Future[None]] = []
    told.send("ready")
    with ThreadPoolExecutor(_AT_ONCE) as people:
        while not told.poll(1 / _LOGINS_A_SECOND):
            begun.append(people.submit(_log_in, port, len(begun) % len(accounts), accounts))
    try:
        for one in begun:
            one.result()
    except UnfitError as error:
        told.send(str(error))
    else:
        told.send(len(begun))


def _log_in(port: int, number: int, accounts: list[str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    # Guesses are counted by account and by address, and each of them has their own.
    headers = {"Content-Type": "application/json", "X-Forwarded-For": f"192.0.2.{number + 1}"}
    body = json.dumps({"username": accounts[number], "password": _PASSWORD})
    connection.request("POST", "/v1/auth/login", body, headers)
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    if answer.status != http.client.OK:
        raise UnfitError(f"somebody could not log in: {said.decode()}")


def _account(service: Service, number: int) -> str:
    """The address of somebody who has a password now."""
    email = f"person-{number}@example.com"
    user = service.require(*service.call("POST", "/v1/users", {"email": email}))
    begun = service.require(*service.call("POST", f"/v1/users/{user['id']}/password-reset"))
    chosen = {"token": begun["token"], "new_password": _PASSWORD}
    service.require(*service.call("POST", "/v1/auth/password/reset", chosen))
    return email
