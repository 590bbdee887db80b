"""One connection: uvicorn's HTTP protocol, with bounds on the request's head and our own error shape."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bonafides.errors import AppError, HeaderFieldsTooLarge, InvalidRequest, RequestTimeout
from bonafides.model import Clock, Entropy
from bonafides.secret import new_id
from bonafides.settings import Settings
from bonafides.web.exchange import Exchange
from bonafides.web.problems import Problems

_STATUS_LINES: Final = {
    400: b"HTTP/1.1 400 Bad Request\r\n",
    408: b"HTTP/1.1 408 Request Timeout\r\n",
    431: b"HTTP/1.1 431 Request Header Fields Too Large\r\n",
}


class HeadTooLargeError(Exception):
    """Stops the parser in the middle of a head that is too long."""


def connection_class(settings: Settings, clock: Clock, entropy: Entropy) -> type[HttpToolsProtocol]:
    """The protocol class that uvicorn makes a connection of, with these settings.

    Args:
        settings: Bounds of the request's head.
        clock: For the time in errors.
        entropy: For request ids.
    """
    problems = Problems(settings.base_url)

    class Connection(HttpToolsProtocol):
        """A connection whose client must send each head within a time and a size."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own
            super().__init__(*args, **kwargs)
            self._head_bytes = 0
            self._head_timer: asyncio.TimerHandle | None = None

        @override
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._head_timer = self.loop.call_later(settings.header_seconds_max, self._too_slow)

        @override
        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_timer()
            super().connection_lost(exc)

        @override
        def data_received(self, data: bytes) -> None:
            try:
                super().data_received(data)
            except HeadTooLargeError:
                message = f"The request's head must be at most {settings.header_bytes_max} bytes long."
                self._refuse(HeaderFieldsTooLarge(message, field="headers"))

        @override
        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._head_bytes = 0
            if self._head_timer is None:
                self._head_timer = self.loop.call_later(settings.header_seconds_max, self._too_slow)

        @override
        def on_url(self, url: bytes) -> None:
            self._count(len(url))
            super().on_url(url)

        @override
        def on_header(self, name: bytes, value: bytes) -> None:
            self._count(len(name) + len(value) + 4)
            super().on_header(name, value)

        @override
        def on_headers_complete(self) -> None:
            self._stop_timer()
            super().on_headers_complete()

        @override
        def send_400_response(self, msg: str) -> None:
            message = (
                "The request is not valid HTTP. Header names and values must not contain control characters."
            )
            self._refuse(InvalidRequest(message, field="headers"))

        def _count(self, size: int) -> None:
            self._head_bytes += size
            if self._head_bytes > settings.header_bytes_max:
                raise HeadTooLargeError

        def _stop_timer(self) -> None:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None

        def _too_slow(self) -> None:
            self._head_timer = None
            message = f"The request's head did not arrive within {settings.header_seconds_max:g} seconds."
            self._refuse(RequestTimeout(message))

        def _refuse(self, error: AppError) -> None:
            """Answer what never became a request, and close."""
            self._stop_timer()
            if self.transport.is_closing():
                return
            now_us = clock.micros()
            exchange = Exchange(request_id=new_id("req", now_us, entropy), address=None)
            answer = problems.of_error(error, exchange, now_us)
            lines = [_STATUS_LINES[answer.status]]
            headers = [
                *((name, value) for name, value in answer.headers if name != b"connection"),
                (b"x-request-id", exchange.request_id.encode("ascii")),
                (b"content-length", b"%d" % len(answer.body)),
                (b"connection", b"close"),
            ]
            lines += [name + b": " + value + b"\r\n" for name, value in headers]
            self.transport.write(b"".join([*lines, b"\r\n", answer.body]))
            self.transport.close()

    return Connection
