"""Answers clients that ask for tokens before any ASGI machinery.

The lane takes requests of the plain form and leaves the rest to the application, whose answers it matches byte for byte.
It has no rule of its own: the gate opens and ends the exchange, the guard counts the visit, and the same calls grant or
refuse. Only the routes and the stacks between these are passed by.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from bonafides.errors import InvalidRequest
from bonafides.model import Clock
from bonafides.web.answers import Answer, HeaderList
from bonafides.web.exchange import Exchange
from bonafides.web.forms import FORM
from bonafides.web.gate import Gate
from bonafides.web.guard import Guard
from bonafides.web.heads import waits_for_nothing
from bonafides.web.oauth.parameters import Parameters, parameters_in
from bonafides.web.oauth.token import TOKEN_PATH, TokenCalls
from bonafides.web.written import written

_URL: Final = TOKEN_PATH.encode("ascii")
_FORM: Final = FORM.encode("ascii")
_METHOD: Final = "POST"
_BYTES_MAX: Final = 16_384


class Plain(NamedTuple):
    """A request for tokens in the plain form, read."""

    exchange: Exchange
    authorization: bytes | None
    parameters: Parameters


class TokenLane:
    """Answers plain requests for tokens; one for all connections of a process.

    Args:
        calls: Grant and refuse.
        gate: Opens and ends exchanges.
        guard: Counts visits.
        clock: The time.
    """

    def __init__(self, calls: TokenCalls, gate: Gate, guard: Guard, clock: Clock) -> None:
        self._calls = calls
        self._gate = gate
        self._guard = guard
        self._clock = clock

    def asks(self, method: bytes, url: bytes, headers: HeaderList) -> bool:
        """Whether the lane wants to see the request's body before it says no."""
        return url == _URL and method == b"POST" and waits_for_nothing(headers)

    def read(self, url: bytes, headers: HeaderList, body: bytearray, peer: str | None) -> Plain | None:
        """A request that the lane takes; None, with nothing counted, where the application has to read it."""
        if url != _URL or len(body) > _BYTES_MAX:
            return None
        authorization, media_type = None, None
        for name, value in headers:
            if name == b"authorization":
                if authorization is not None:
                    return None
                authorization = value
            elif name == b"content-type":
                if media_type is not None or value.lower() != _FORM:
                    return None
                media_type = value
            elif name == b"dpop":
                return None
        if media_type is None:
            return None
        try:
            parameters = parameters_in(FORM, bytes(body))
        except InvalidRequest:
            return None
        return Plain(self._gate.opened(TOKEN_PATH, headers, peer), authorization, parameters)

    async def answer(self, plain: Plain, defaults: HeaderList) -> bytes:
        """The whole answer, once what it gives is durable.

        Args:
            plain: The request.
            defaults: uvicorn's default headers; the date.
        """
        exchange, authorization, parameters = plain
        began = self._clock.monotonic()
        try:
            self._guard.count_visit(exchange)
            answer = await self._calls.grant(exchange, authorization, parameters)
        except Exception as error:  # noqa: BLE001 - what nobody foresaw is logged by the gate, and told as nothing
            answer = self._gate.failed(error, exchange)
        self._gate.note(
            exchange, _METHOD, TOKEN_PATH, TOKEN_PATH, answer.status, self._clock.monotonic() - began
        )
        return self._written(answer, exchange, defaults)

    def _written(self, answer: Answer, exchange: Exchange, defaults: HeaderList) -> bytes:
        length = (b"content-length", b"%d" % len(answer.body))
        ending = self._gate.headers(TOKEN_PATH, exchange)
        return written(answer.status, [defaults[0], *answer.headers, length, *ending], answer.body)
