"""Rows on logins: whether verification waits while people log in, each of whom costs 25 ms of a processor and 19 MiB."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Final

from benchmarks.crew import told
from benchmarks.load import WRK, hammer
from benchmarks.measure import Row, Target, UnfitError, Workplace
from benchmarks.service import Installation, Service, serving, verify_request

_LOGINS_A_SECOND: Final = 10
_VERIFIES_A_SECOND: Final = 200
_AT_ONCE: Final = 8
_GROWTH_MAX: Final = 1.5
_PASSWORD: Final = "seven quiet harbours"


def logins(place: Workplace) -> list[Row]:
    """The delay of verification on both cores, with logins and without, in turn: at a steady pace, and at full load."""
    rows = [
        *_pair("verify-delay", "verify, one by one, p99"),
        *_pair("verify-delay-load", "verify, 32 at a time at full speed, p99"),
    ]
    installation = Installation.make(place.subfolder("logins"), trusted_proxies=["127.0.0.1"])
    with serving(installation, anywhere=True) as service:
        service.make_plan()
        accounts = [_account(service, number) for number in range(_LOGINS_A_SECOND)]
        request = verify_request(service.make_key())
        sent = request.text(service.port).encode()
        with socket.create_connection(("127.0.0.1", service.port)) as probe:
            if place.effort.warm_up_seconds:
                _delays(probe, sent, place.effort.warm_up_seconds)

            def one_by_one() -> float:
                return _p99(_delays(probe, sent, place.effort.seconds))

            for _ in range(place.effort.runs):
                _compare(rows[0], rows[1], one_by_one, service.port, accounts)
        if WRK is None:
            return rows[:2]

        def at_full_speed() -> float:
            delay = hammer(service.port, request, place.effort.seconds).p99_ms
            if delay is None:
                raise UnfitError("wrk did not tell its delays")
            return delay

        for _ in range(place.effort.runs):
            _compare(rows[2], rows[3], at_full_speed, service.port, accounts)
    return rows


def _pair(name: str, title: str) -> tuple[Row, Row]:
    """A row without logins, and one with them that is held against it."""
    alone = Row(name, title, "ms")
    beside = Row(
        f"{name}-logins",
        f"the same while {_LOGINS_A_SECOND} people a second log in",
        "ms",
        target=Target(_GROWTH_MAX, name, most=True),
    )
    beside.beside[name] = alone.runs
    return alone, beside


def _compare(alone: Row, beside: Row, delay: Callable[[], float], port: int, accounts: list[str]) -> None:
    alone.runs.append(delay())
    with _people(port, accounts) as people:
        beside.runs.append(delay())
        people.send(None)
        beside.notes["logins"] = beside.notes.get("logins", 0) + _answer_of(people)


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
def _people(port: int, accounts: list[str]) -> Iterator[Connection]:
    """People log in one after the other, at that pace, until they are sent something; then they tell how many did.

    They are a process of their own: in this one, the probe would wait for them, and not for the server.
    """
    ours, theirs = multiprocessing.Pipe()
    crowd = multiprocessing.get_context("spawn").Process(target=_keep_coming, args=(theirs, port, accounts))
    crowd.start()
    theirs.close()
    try:
        ours.recv()
        yield ours
    finally:
        ours.close()
        crowd.join()


def _answer_of(people: Connection) -> int:
    told_by_them = people.recv()
    if isinstance(told_by_them, int):
        return told_by_them
    raise UnfitError(str(told_by_them))


def _keep_coming(told: Connection, port: int, accounts: list[str]) -> None:
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
