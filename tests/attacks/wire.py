"""Bare sockets, for requests that no client library would send."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

SECONDS_MAX: Final = 10.0


@dataclass(frozen=True)
class Reply:
    """One answer as it came over the wire."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header that stands there once; None where it does not stand there."""
        values = [value for other, value in self.headers if other == name]
        assert len(values) <= 1, f"{name} was sent {len(values)} times"
        return values[0] if values else None

    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)

    def refuses(self, status: int, error: str) -> bool:
        """Whether this is that very refusal, in the one shape of all errors."""
        body = self.json()
        return bool(self.status == status == body["code"] and body["error"] == error)


class Wire:
    """A connection, byte by byte.

    Args:
        connection: Connected.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = b""

    def send(self, data: bytes) -> None:
        """Send bytes; a server that hangs up in the middle may do so."""
        try:
            self._connection.sendall(data)
        except ConnectionError:
            return

    def reply(self, *, to_head: bool = False) -> Reply:
        """The next answer.

        Args:
            to_head: The request was a HEAD, whose answer has no body whatever its headers say.
        """
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        status_line, *lines = head.decode("latin-1").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d{3}) [\x20-\x7e]+", status_line)
        assert match is not None, status_line
        pairs = (line.partition(": ") for line in lines)
        headers = tuple((name, value) for name, _, value in pairs)
        lengths = [value for name, value in headers if name == "content-length"]
        length = 0 if to_head or not lengths else int(lengths[0])
        while len(self._buffer) < length:
            self._more()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return Reply(int(match[1]), headers, body)

    def is_closed(self) -> bool:
        """Whether the server hangs up without another byte; waits for it."""
        if self._buffer:
            return False
        try:
            return self._connection.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def drain(self) -> bytes:
        """Everything that comes until the server hangs up."""
        try:
            while True:
                self._more()
        except (AssertionError, ConnectionError):
            pass
        everything, self._buffer = self._buffer, b""
        return everything

    def _more(self) -> None:
        data = self._connection.recv(65_536)
        assert data, f"the server hung up after {self._buffer[:200]!r}"
        self._buffer += data


@contextmanager
def wire(url: str, *, seconds_max: float = SECONDS_MAX) -> Iterator[Wire]:
    """A new connection to a server.

    Args:
        url: The server's.
        seconds_max: How long to wait for a byte.
    """
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), seconds_max) as connection:
        yield Wire(connection)


def request(
    method: str, target: str, *headers: str, body: bytes = b"", key: str | None = None, version: str = "1.1"
) -> bytes:
    """The bytes of a request with exactly these header lines.

    Args:
        method: As it shall stand there.
        target: As it shall stand there.
        headers: Lines; only `Host` and the credential are added.
        body: As it shall stand there; no length is added.
        key: Presented as a bearer credential.
        version: Of HTTP.
    """
    lines = [f"{method} {target} HTTP/{version}", "Host: api.example.com"]
    if key is not None:
        lines.append(f"Authorization: Bearer {key}")
    return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1") + body
