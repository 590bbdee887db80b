"""A client that speaks HTTP byte by byte, for requests that no library would send."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

ANSWER_SECONDS_MAX: Final = 20.0


@dataclass(frozen=True)
class WireAnswer:
    """An answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    def problem(self) -> dict[str, Any]:
        """The body, which must be the one error shape and agree with the status."""
        assert self.headers["content-type"] == "application/json", self
        found: dict[str, Any] = json.loads(self.body)
        assert found.keys() >= {"error", "message", "code", "timestamp", "request_id", "doc_url"}, found
        assert found["code"] == self.status
        assert found["request_id"] == self.headers["x-request-id"]
        return found


class Wire:
    """One TCP connection.

    Args:
        url: The server's.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host = parts.netloc
        self.socket = socket.create_connection((parts.hostname or "", parts.port or 0), ANSWER_SECONDS_MAX)
        self._kept = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def request(self, method: str, path: str, *headers: str, body: bytes = b"") -> None:
        """Send a request with these header lines."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def answer(self) -> WireAnswer:
        """The next answer, whole.

        Raises:
            ConnectionError: The connection ended without one.
        """
        head = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        status = int(head[0].split()[1])
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        length = int(headers.get("content-length", "0"))
        while len(self._kept) < length:
            self._more()
        body, self._kept = self._kept[:length], self._kept[length:]
        return WireAnswer(status, headers, body)

    def closed(self, seconds: float = ANSWER_SECONDS_MAX) -> bool:
        """Whether the server ends the connection, without another byte, within a time."""
        self.socket.settimeout(seconds)
        try:
            return not self._kept and self.socket.recv(1) == b""
        except TimeoutError:
            return False
        except ConnectionError:
            return True

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._kept:
            self._more()
        found, _, self._kept = self._kept.partition(mark)
        return found

    def _more(self) -> None:
        data = self.socket.recv(65_536)
        if not data:
            raise ConnectionError(f"the connection ended after {self._kept!r}")
        self._kept += data


@contextmanager
def crowd(url: str, size: int) -> Iterator[list[Wire]]:
    """So many connections at once."""
    wires: list[Wire] = []
    try:
        for _ in range(size):
            wires.append(Wire(url))  # noqa: PERF401 - those that were made are closed if one fails
        yield wires
    finally:
        for wire in wires:
            wire.socket.close()
