"""Connections to a server of several workers, each to one of them."""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass
from typing import Final

from tests.processes import ServerProcess

_SECONDS_MAX: Final = 30.0
_WORKER_OF_ID: Final = slice(4, 20)


@dataclass(frozen=True, slots=True)
class Told:
    """What a verification answered, limit figures included."""

    status: int
    remaining: int
    worker: str


class Connection:
    """A connection that stays with the worker that took it.

    Args:
        server: To which.
    """

    def __init__(self, server: ServerProcess) -> None:
        self._connection = http.client.HTTPConnection(*server.address, timeout=30)

    def verify(self, key: str) -> Told:
        """Verify a key."""
        self._connection.request("GET", "/v1/auth/verify", headers={"X-API-Key": key})
        with self._connection.getresponse() as answer:
            answer.read()
            remaining = int(answer.headers["X-RateLimit-Remaining"] or -1)
            return Told(answer.status, remaining, answer.headers["X-Request-Id"][_WORKER_OF_ID])

    def close(self) -> None:
        """End it."""
        self._connection.close()


def one_to_each(server: ServerProcess, workers: int, key: str) -> list[Connection]:
    """A connection to each worker: more are opened until every worker has taken one."""
    found: dict[str, Connection] = {}
    deadline = time.monotonic() + _SECONDS_MAX
    while time.monotonic() < deadline:
        connection = Connection(server)
        if found.setdefault(connection.verify(key).worker, connection) is not connection:
            connection.close()
        if len(found) == workers:
            return list(found.values())
    raise AssertionError(f"only {len(found)} of {workers} workers take connections")
