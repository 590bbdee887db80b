"""An answer as the bytes that go over the wire, as the server below the application would write it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from bonafides.web.answers import HeaderList

_STATUS_LINES: Final = {
    status.value: b"HTTP/1.1 %d %b" % (status.value, status.phrase.encode("ascii")) for status in HTTPStatus
}


def written(status: int, headers: HeaderList, body: bytes) -> bytes:
    """A whole answer with these headers, in their order."""
    lines = [_STATUS_LINES[status], *[name + b": " + value for name, value in headers]]
    return b"\r\n".join([*lines, b"", body])
