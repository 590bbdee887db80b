"""Rows on several workers: how soon all of them refuse a key that one of them has revoked, under load."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks.load import WRK
from benchmarks.machine import load_core, on_core
from benchmarks.measure import Row, Target, UnfitError, Workplace
from benchmarks.service import Installation, Service, bearer, serving, verify_request

_WORKERS: Final = 4
_FIND_SECONDS_MAX: Final = 30.0
_LOAD_SECONDS: Final = 3_600
_CONNECTIONS: Final = 32
_GOOD: Final = 200
_REVOKED: Final = 401
_WORKER_OF_ID: Final = slice(len("req_"), len("req_") + 16)


def revocation(place: Workplace) -> list[Row]:
    """From the answer to a revocation until the last of four workers refuses the key, all of them under full load."""
    count = place.effort.revocations
    row = Row(
        "revocation-elsewhere",
        f"revoked at one of {_WORKERS} workers under load, until all refuse, p99 of {count}",
        "ms",
        target=Target(100, most=True),
    )
    installation = Installation.make(place.subfolder("crew"), workers=_WORKERS)
    with serving(installation) as service:
        service.make_plan()
        with under_load(service), contextlib.ExitStack() as stack:
            probes = [(stack.enter_context(probe), service) for probe in _probes(service)]
            watch_revocations(row, service, probes, count)
    return [row]


def watch_revocations(
    row: Row, service: Service, probes: Sequence[tuple[socket.socket, Service]], count: int
) -> None:
    """Note in a row how long keys are still accepted after the answer to their revocation, until none of the probed accepts them.

    Args:
        row: Takes the 99th percentile, in milliseconds.
        service: Where keys are made and revoked.
        probes: Connections, and to whom.
        count: How many keys.
    """
    delays, accepted = [], 0
    for _ in range(count):
        said = service.require(*service.call("POST", "/v1/api-keys", {"name": "bench"}))
        asking = [(probe, verify_request(said["key"]).text(asked.port).encode()) for probe, asked in probes]
        if any(told(probe, request)[0] != _GOOD for probe, request in asking):
            raise UnfitError("a new key was refused")
        service.require(*service.call("DELETE", f"/v1/api-keys/{said['id']}"))
        answered = time.perf_counter()
        while asking:
            # All at once: each is behind what its own worker has to do, not behind the others' answers.
            for probe, request in asking:
                probe.sendall(request)
            asking = [(probe, request) for probe, request in asking if _answer(probe)[0] != _REVOKED]
            accepted += len(asking)
        delays.append((time.perf_counter() - answered) * 1000)
    delays.sort()
    row.runs.append(delays[int(len(delays) * 0.99)])
    row.notes |= {
        "load": "wrk" if WRK else "none, wrk was not found",
        "p50_ms": delays[len(delays) // 2],
        "most_ms": delays[-1],
        "accepted": accepted,
    }


@contextlib.contextmanager
def under_load(service: Service) -> Iterator[None]:
    """Every worker verifies one key as fast as it can; none does where there is no wrk to ask them."""
    if WRK is None:
        yield
        return
    key = service.make_key()
    url = f"http://127.0.0.1:{service.port}/v1/auth/verify"
    with on_core(load_core()):
        load = subprocess.Popen(
            [WRK, "-t1", f"-c{_CONNECTIONS}", f"-d{_LOAD_SECONDS}s", "-H", bearer(key), url],
            stdout=subprocess.DEVNULL,
        )
    try:
        yield
    finally:
        load.terminate()
        load.wait()


def _probes(service: Service) -> list[socket.socket]:
    """A connection to each worker; which one it is, an answer's request id tells."""
    asking = verify_request(service.admin).text(service.port).encode()
    found: dict[str, socket.socket] = {}
    deadline = time.monotonic() + _FIND_SECONDS_MAX
    while len(found) < _WORKERS:
        if time.monotonic() > deadline:
            raise UnfitError(f"only {len(found)} of {_WORKERS} workers take connections")
        probe = socket.create_connection(("127.0.0.1", service.port))
        if found.setdefault(told(probe, asking)[1], probe) is not probe:
            probe.close()
    return list(found.values())


def told(connection: socket.socket, request: bytes) -> tuple[int, str]:
    """Send a request and read its whole answer; the status, and which worker gave it."""
    connection.sendall(request)
    return _answer(connection)


def _answer(connection: socket.socket) -> tuple[int, str]:
    """The status of the answer that comes next, and which worker gave it."""
    said = b""
    while b"\r\n\r\n" not in said:
        said += connection.recv(65_536)
    head, _, body = said.partition(b"\r\n\r\n")
    fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
    while len(body) < int(fields.get(b"content-length", b"0")):
        body += connection.recv(65_536)
    return int(said[9:12]), fields[b"x-request-id"].decode()[_WORKER_OF_ID]
