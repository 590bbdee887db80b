"""One connection: uvicorn's HTTP protocol, with a fast lane, bounds on the request's head, and our error shape."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn

from httptools import HttpParserUpgrade, HttpRequestParser
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from bonafides.errors import AppError, HeaderFieldsTooLarge, InvalidRequest, RequestTimeout
from bonafides.web.answers import Answer, HeaderList
from bonafides.web.fastlane import Origin
from bonafides.web.handover import is_for_logins
from bonafides.web.written import written

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from bonafides.web.fastlane import FastLane, Late
    from bonafides.web.handover import Give
    from bonafides.web.heads import Asked

_HEAD_RECALLED_MAX: Final = 4_096
"""Heads longer than this are parsed each time."""

_UNKNOWN: Final = -1
_OF_BODIES: Final = frozenset({b"content-length", b"transfer-encoding"})

_DISCARDED_BYTES_MAX: Final = 16 * 2**20
"""What is read of a body that nobody waits for any more, so that its sender gets to read the answer."""


class StoppedError(Exception):
    """Stops the parser in the middle of a request that is refused for its form."""


class Connection(HttpToolsProtocol):
    """A connection whose client must send each head within a time and a size.

    A request that the fast lane can answer is answered as soon as its head, and where it has one its
    body, is there. Everything else goes to uvicorn's own machinery as if the lane were not there.

    Args:
        lane: Answers hot requests; knows the bounds.
        give: Hands a connection on whose next request is a login to the process for these, if it will.
        first: What somebody else has read of this connection, who has handed it over: one request is answered, and it ends.
    """

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - uvicorn's own
        lane: FastLane,
        give: Give | None = None,
        first: bytes = b"",
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(*args, **kwargs)
        self._lane = lane
        self._give = give
        self._first = first
        self._bounds = lane.settings
        self._head_bytes = 0
        self._untold_bytes = 0
        self._objection: AppError | None = None
        self._in_head = False
        self._head_timer: asyncio.TimerHandle | None = None
        self._discard_timer: asyncio.TimerHandle | None = None
        self._discarded_bytes = 0
        self._idle_timer: asyncio.TimerHandle | None = None
        self._last_answer = 0.0
        self._answered = False
        self._held: bytearray | None = None
        self._peer: str | None = None
        self._origin = Origin()
        self._ending = False
        self._at_boundary = True
        self._answers: list[Asked] = []
        self._requests = 0
        self._behind_head = _UNKNOWN
        self._received = self._early = b""
        self._looking_up: asyncio.Task[None] | None = None
        self._leaving = False
        self._heard_out = False
        self._anew = False

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client is None:
            # Whoever sent something and was gone at once has no address any more: nothing they do may be counted on nobody.
            self._ending = True
            transport.close()
            return
        self._peer = self.client[0]
        self._origin = self._lane.origin(self._peer)
        self._start_timer()
        if self._first:
            self.data_received(self._first)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        self._stop_discarding()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self._ending or (self._looking_up is not None and self._put_by(data)):
            return
        whole = self._at_boundary
        if whole and len(data) <= _HEAD_RECALLED_MAX:
            asked = self._lane.recall(data)
            if asked is not None and self._is_next():
                answer = self._lane.answer(asked, self._origin, self.server_state.default_headers)
                if answer is not None:
                    if self._head_timer is not None:
                        self._stop_timer()
                    self._write(answer)
                    return
            elif asked is None and self._grant_again(data):
                return
        if whole and self._is_given(data):
            return
        self._answers.clear()
        self._requests = 0
        # Whatever stands behind a request is parsed before an answer that takes a while could be there.
        self._behind_head = len(data) - 4 - data.find(b"\r\n\r\n") if whole else _UNKNOWN
        # The parser tells of a header or an extension of a chunk when it is whole, and gathers it until then.
        self._untold_bytes += len(data)
        self._received = data
        super().data_received(data)
        self._received = b""
        if self._untold_bytes > self._bounds.header_bytes_max:
            self._refuse(self._too_large())
            return
        if whole and self._answers and self._requests == 1 and self._at_boundary:
            kept = self._lane.remember(data, self._answers[0])
            if self._origin.asked is self._answers[0]:
                self._origin.asked = kept
        if self._held is not None:
            self._release()
        self._await_head()

    def _await_head(self) -> None:
        # A head has begun, or the empty lines that may come before one, but not for ever.
        awaits_head = self._in_head or (self._at_boundary and not self._requests and not self._is_busy())
        if awaits_head and self._head_timer is None and not self.transport.is_closing():
            self._start_timer()

    @override
    def on_message_begin(self) -> None:
        # uvicorn makes the ASGI scope here; a hot request never needs one, so `_hand_over` makes it.
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._head_bytes = self._untold_bytes = 0
        self._in_head = True
        self._at_boundary = False
        self._requests += 1
        self._answered = False

    @override
    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        self.url += url

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes > self._bounds.header_bytes_max:
            self._count(0)
        # What stands behind the body is not part of the head, whatever it is called (RFC 9110 §6.5.1).
        if self._in_head:
            self.headers.append((name.lower(), value))

    @override
    def on_headers_complete(self) -> None:
        self._in_head = False
        self._untold_bytes = 0
        if self._head_timer is not None:
            self._stop_timer()
        if self._ending:
            self._answered = True
            return
        if self._requests <= 1 and self.parser.should_upgrade() and self._has_body_and_upgrade():
            self._anew = True
            return
        if self._is_next():
            parser = self.parser
            method = parser.get_method()
            if parser.get_http_version() == "1.1" and not parser.should_upgrade():
                parsed = self._lane.parse(method, self.url, self.headers)
                if parsed is not None and self._answer(parsed):
                    return
                if self._lane.asks(method, self.url, self.headers):
                    self._held = bytearray()
                    return
        self._hand_over()

    @override
    def on_body(self, body: bytes) -> None:
        self._untold_bytes = 0
        if self._discard_timer is not None:
            self._discarded_bytes += len(body)
            if self._discarded_bytes > _DISCARDED_BYTES_MAX:
                self.transport.close()
            return
        if self._answered:
            return
        if self._held is not None:
            self._held += body
            return
        super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        if self._anew:
            return
        self._at_boundary = True
        self._stop_discarding()
        if self._answered:
            return
        if self._held is not None:
            answer = self._lane.answer_question(
                self.url, self.headers, self._held, self._peer, self.server_state.default_headers
            )
            if answer is not None:
                self._held = None
                self._write(answer)
                return
            plain = None
            if self._is_alone(len(self._held)):
                plain = self._lane.tokens.read(self.url, self.headers, self._held, self._peer, self._received)
            if plain is not None:
                self._held = None
                self._answer_later(self._lane.tokens.answer(plain, self.server_state.default_headers))
                return
            self._release()
        super().on_message_complete()

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        rest_follows = not self._at_boundary and not self._in_head and not self._is_busy()
        if rest_follows and not self.transport.is_closing():
            # No handler waits for the rest of the body, so no handler's bound ends it.
            self._discard_timer = self.loop.call_later(self._bounds.body_seconds_max, self.transport.close)

    @override
    def send_400_response(self, msg: str) -> None:
        message = (
            "The request is not valid HTTP. Header names and values must not contain control characters."
        )
        self._refuse(self._objection or InvalidRequest(message, field="headers"))

    @override
    def _unsupported_upgrade_warning(self) -> None:
        """Nothing to warn of: a server may stay with the protocol that it speaks (RFC 9110 §7.8).

        The parser reads no body of a request that asks for another one. So another reads it, of which nothing is asked.
        """
        if not self._anew:
            return
        self._anew = False
        upgrade = sys.exc_info()[1]
        behind = self._received[upgrade.args[0] :] if isinstance(upgrade, HttpParserUpgrade) else b""
        line = b"%b %b HTTP/%b\r\n" % (
            self.parser.get_method(),
            self.url,
            self.parser.get_http_version().encode("ascii"),
        )
        fields = b"".join(b"%b: %b\r\n" % field for field in self.headers if field[0] != b"upgrade")
        self.parser = HttpRequestParser(self)
        self._requests -= 1
        self._received = line + fields + b"\r\n" + behind
        super().data_received(self._received)

    def _has_body_and_upgrade(self) -> bool:
        names = {name for name, _ in self.headers}
        return b"upgrade" in names and not names.isdisjoint(_OF_BODIES)

    def _answer(self, parsed: tuple[Asked, bytes]) -> bool:
        """Have the lane answer, now or after a look-up, if it will."""
        lane, defaults = self._lane, self.server_state.default_headers
        asked, _ = parsed
        answer = lane.answer_from(asked, self.headers, self._peer, self._origin, defaults)
        if answer is not None:
            self._write(answer)
            self._answers.append(asked)
            return True
        asking = lane.asking(parsed, self.headers, self._peer)
        told = lane.tell(asking, defaults)
        if isinstance(told, bytes):
            self._write(told)
        elif told is not None:
            self._refuse_late(told)
        elif self._is_alone(0):
            self._answer_later(lane.look_up(asking, defaults))
        else:
            return False
        return True

    def _grant_again(self, data: bytes) -> bool:
        """Have the lane of tokens answer a request that it granted before, if this is one."""
        plain = self._lane.tokens.recall(data, self._peer)
        if plain is None or not self._is_next():
            return False
        if self._head_timer is not None:
            self._stop_timer()
        self._unset_keepalive_if_required()
        self._answer_later(self._lane.tokens.answer(plain, self.server_state.default_headers))
        return True

    def _is_alone(self, body_bytes: int) -> bool:
        """Whether nothing stands behind the request that is being read, whose head began what was received last."""
        return self._requests == 1 and self._behind_head == body_bytes

    def _answer_later(self, answering: Coroutine[Any, Any, bytes]) -> None:
        """Answer a request that something has to be waited for; what comes meanwhile is looked at afterwards."""
        self._answered = True
        self._looking_up = task = self.loop.create_task(self._answer_in_time(answering))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _put_by(self, data: bytes) -> bool:
        """Look at what came too early when the answer that is under way was written."""
        self._early += data
        self.flow.pause_reading()
        return True

    async def _answer_in_time(self, answering: Coroutine[Any, Any, bytes]) -> None:
        answer = await answering
        self._looking_up = None
        if self.transport.is_closing():
            return
        self._write(answer)
        if self._leaving:
            self.transport.close()
            return
        if self._early:
            early, self._early = self._early, b""
            self.flow.resume_reading()
            self.data_received(early)
        if self._heard_out and self._looking_up is None:
            self.transport.close()

    @override
    def eof_received(self) -> bool:  # type: ignore[override]
        # Who has said all that they had to say still waits for the answer that is under way.
        self._heard_out = self._looking_up is not None
        return self._heard_out

    @override
    def shutdown(self) -> None:
        if self._looking_up is None:
            super().shutdown()
        self._leaving = True

    def _is_given(self, data: bytes) -> bool:
        """Hand this connection on, if a login comes next and nothing that was asked before it waits for an answer."""
        if self._give is None or not is_for_logins(data):
            return False
        if not self._is_next() or self.transport.get_write_buffer_size():
            return False
        if not self._give(data, self.transport.get_extra_info("socket")):
            return False
        self._ending = True
        self.transport.close()
        return True

    def _is_next(self) -> bool:
        """Whether an answer written now would be the next one that the client waits for, and would not pile up."""
        return not (self.flow.write_paused or self._is_busy())

    def _is_answered(self) -> bool:
        """Whether the request whose head was read last has its answer."""
        cycle: RequestResponseCycle | None = self.cycle
        return self._answered or (cycle is not None and cycle.response_complete)

    def _is_busy(self) -> bool:
        # uvicorn declares the cycle as always there; before the first slow request there is none.
        if self._looking_up is not None:
            return True
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _write(self, answer: bytes) -> None:
        self._answered = True
        self.transport.write(answer)
        self.server_state.total_requests += 1
        self._last_answer = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._close_if_idle)

    def _refuse_late(self, late: Late) -> None:
        """Write the last answer of this connection after a while; nothing more is read from it."""
        self._answered = True
        self._ending = True
        self.flow.pause_reading()
        self.loop.call_later(late.seconds, self._write_last, late.answer)

    def _write_last(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()

    def _close_if_idle(self) -> None:
        """One timer for many answers: it runs out, and looks when the last one was."""
        self._idle_timer = None
        if self.transport.is_closing():
            return
        left = self._last_answer + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._idle_timer = self.loop.call_later(left, self._close_if_idle)
        elif not self._is_busy():
            self.transport.close()

    def _hand_over(self) -> None:
        """Let uvicorn see the request as if it had parsed it itself."""
        url, headers = self.url, self.headers
        self._check_form(url, headers)
        super().on_message_begin()
        self.url = url
        self.headers.extend(headers)
        self.expect_100_continue = any(
            name == b"expect" and value.lower() == b"100-continue" for name, value in headers
        )
        super().on_headers_complete()
        if self.parser.should_upgrade() or self._first:
            # The parser reads no HTTP after this, or whoever handed it over serves the rest: nobody may send another
            # request on this connection.
            self.cycle.keep_alive = False

    def _check_form(self, url: bytes, headers: HeaderList) -> None:
        """Refuse what a proxy before this server may read differently, and secrets where no other rule looks.

        See: RFC 9112 §3.2 and §6.1, RFC 9110 §4.2.4
        """
        version = self.parser.get_http_version()
        if version not in {"1.0", "1.1"}:
            self._stop(InvalidRequest("The request must be HTTP/1.1.", field="HTTP version"))
        coded = [value for name, value in headers if name == b"transfer-encoding"]
        if coded and (version != "1.1" or len(coded) > 1 or coded[0].lower() != b"chunked"):
            message = "Transfer-Encoding must be chunked, once, and in HTTP/1.1."
            self._stop(InvalidRequest(message, field="Transfer-Encoding"))
        authority = b"" if url.startswith(b"/") else url.partition(b"://")[2].partition(b"/")[0]
        if b"#" in url or b"@" in authority:
            message = "The request's target must be a path, without a user name or a fragment."
            self._stop(InvalidRequest(message, field="URL"))

    def _release(self) -> None:
        """Hand over a request whose body the lane was waiting for."""
        held = self._held
        self._held = None
        self._hand_over()
        if held:
            super().on_body(bytes(held))

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self._bounds.header_bytes_max:
            self._stop(self._too_large())

    def _stop(self, objection: AppError) -> NoReturn:
        """Leave the parser, which makes every exception its own; `send_400_response` then says why."""
        self._objection = objection
        raise StoppedError

    def _too_large(self) -> HeaderFieldsTooLarge:
        message = f"The request's head must be at most {self._bounds.header_bytes_max} bytes long."
        return HeaderFieldsTooLarge(message, field="headers")

    def _stop_discarding(self) -> None:
        if self._discard_timer is not None:
            self._discard_timer.cancel()
            self._discard_timer = None
        self._discarded_bytes = 0

    def _start_timer(self) -> None:
        self._head_timer = self.loop.call_later(self._bounds.header_seconds_max, self._too_slow)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_slow(self) -> None:
        self._head_timer = None
        if not self._in_head and (self._last_answer or self.cycle is not None):
            self.transport.close()  # nothing but empty lines came: a 408 would answer the next request
            return
        message = f"The request's head did not arrive within {self._bounds.header_seconds_max:g} seconds."
        self._refuse(RequestTimeout(message))

    def _refuse(self, error: AppError) -> None:
        """Answer what never became a request, and close; the answer to another request is not disturbed."""
        self._stop_timer()
        if self.transport.is_closing():
            return
        if self._in_head and self._is_busy():
            # The answers before it come first, and with the last of them the connection ends.
            self._ending = True
            self.cycle.keep_alive = False
            return
        if not self._in_head and self._is_answered():
            self.transport.close()
            return
        request_id, answer = self._lane.refusal(error, self._peer)
        self.transport.write(closing_bytes(answer, request_id))
        self.transport.close()


def closing_bytes(answer: Answer, request_id: bytes) -> bytes:
    """The last answer on a connection, as bytes."""
    headers = [
        *((name, value) for name, value in answer.headers if name != b"connection"),
        (b"x-request-id", request_id),
        (b"content-length", b"%d" % len(answer.body)),
        (b"connection", b"close"),
    ]
    return written(answer.status, headers, answer.body)
