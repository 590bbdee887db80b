"""Answers clients that ask for tokens before any ASGI machinery.

The lane takes requests of the plain form and leaves the rest to the application, whose answers it matches byte for byte.
It has no rule of its own: the gate opens and ends the exchange, the guard counts the visit, and the same calls grant or
refuse. Only the routes and the stacks between these are passed by.
"""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import Final, NamedTuple

from bonafides.errors import InvalidRequest
from bonafides.model import Clock, Entropy
from bonafides.oauth.client_authentication import Claim
from bonafides.web.answers import JSON, NO_STORE, Answer, HeaderList, limit_headers
from bonafides.web.cross_origin import headers_for
from bonafides.web.exchange import Exchange
from bonafides.web.forms import FORM
from bonafides.web.gate import Gate, manner_of
from bonafides.web.guard import Guard
from bonafides.web.heads import waits_for_nothing
from bonafides.web.oauth.parameters import Parameters, parameters_in
from bonafides.web.oauth.token import TOKEN_PATH, TokenCalls
from bonafides.web.written import written

_URL: Final = TOKEN_PATH.encode("ascii")
_FORM: Final = FORM.encode("ascii")
_METHOD: Final = "POST"
_BYTES_MAX: Final = 16_384
_MANNER: Final = manner_of(TOKEN_PATH)
_BEGINNING: Final = b"POST " + _URL + b" "
_KNOWN_MAX: Final = 4_096
_SECRET: Final = "client_secret"
_REMEMBERED: Final = frozenset({"grant_type", "scope", "client_id", _SECRET})
"""Fields of requests that are sent again as they are: for tokens of the client itself."""
_KEPT: Final = frozenset({b"accept", b"x-forwarded-for"})


class Known(NamedTuple):
    """What a request asks that came before, byte for byte; it holds no secret, and no verdict."""

    claim: Claim
    parameters: Parameters
    headers: HeaderList


class Plain(NamedTuple):
    """A request for tokens in the plain form, read.

    Args:
        exchange: What is known of it.
        authorization: The value of its header, if there is one.
        parameters: The fields of its body.
        known: What it asks, where it came before.
        digest: Of the whole request, where it did not.
        headers: Those by which it is told where it comes from, and what errors it understands.
    """

    exchange: Exchange
    authorization: bytes | None
    parameters: Parameters
    known: Known | None
    digest: bytes
    headers: HeaderList


class TokenLane:
    """Answers plain requests for tokens; one for all connections of a process.

    Args:
        calls: Grant and refuse.
        gate: Opens and ends exchanges.
        guard: Counts visits.
        clock: The time.
        entropy: For the key of the digests of requests.
    """

    def __init__(self, calls: TokenCalls, gate: Gate, guard: Guard, clock: Clock, entropy: Entropy) -> None:
        self._calls = calls
        self._known: dict[bytes, Known] = {}
        self._keyed = hashlib.sha256(entropy(32))
        self._gate = gate
        self._good = _good(gate.common)
        self._guard = guard
        self._clock = clock

    def asks(self, method: bytes, url: bytes, headers: HeaderList) -> bool:
        """Whether the lane wants to see the request's body before it says no."""
        return url == _URL and method == b"POST" and waits_for_nothing(headers)

    def recall(self, whole: bytes, peer: str | None) -> Plain | None:
        """A request that was granted before, byte for byte; None where it has to be read.

        Args:
            whole: What was received.
            peer: The other end of the connection.
        """
        if not whole.startswith(_BEGINNING):
            return None
        found = self._known.get(self._digest(whole))
        if found is None:
            return None
        exchange = self._gate.opened(_MANNER, found.headers, peer)
        return Plain(exchange, None, found.parameters, found, b"", found.headers)

    def read(
        self, url: bytes, headers: HeaderList, body: bytearray, peer: str | None, whole: bytes
    ) -> Plain | None:
        """A request that the lane takes; None, with nothing counted, where the application has to read it.

        Args:
            url: Its target.
            headers: Names in lower case.
            body: As received.
            peer: The other end of the connection.
            whole: All of it, as it was received.
        """
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
        exchange = self._gate.opened(_MANNER, headers, peer)
        kept = [header for header in headers if header[0] in _KEPT]
        return Plain(exchange, authorization, parameters, None, self._digest(whole), kept)

    async def answer(self, plain: Plain, defaults: HeaderList) -> bytes:
        """The whole answer, once what it gives is durable.

        Args:
            plain: The request.
            defaults: uvicorn's default headers; the date.
        """
        exchange, known = plain.exchange, plain.known
        began = self._clock.monotonic()
        try:
            self._guard.count_visit(exchange)
            claim = None if known is None else known.claim
            answer = await self._calls.grant(exchange, plain.authorization, plain.parameters, claim=claim)
            if known is None:
                self._remember(plain)
        except Exception as error:  # noqa: BLE001 - what nobody foresaw is logged by the gate, and told as nothing
            answer = self._gate.failed(error, exchange)
        self._gate.note(
            exchange, _METHOD, TOKEN_PATH, TOKEN_PATH, answer.status, self._clock.monotonic() - began
        )
        return self._written(answer, exchange, defaults)

    def _remember(self, plain: Plain) -> None:
        """Recall a request that was granted when it comes again; of what proves whose it is, the digests are kept."""
        fields = plain.parameters.fields
        claim = self._calls.claim(plain.authorization, plain.parameters)
        if claim is None or not fields.keys() <= _REMEMBERED:
            return
        if len(self._known) >= _KNOWN_MAX:
            self._known.clear()
        without = {name: value for name, value in fields.items() if name != _SECRET}
        self._known[plain.digest] = Known(
            claim, Parameters(without, plain.parameters.repeated), plain.headers
        )

    def _digest(self, whole: bytes) -> bytes:
        keyed = self._keyed.copy()
        keyed.update(whole)
        return keyed.digest()

    def _written(self, answer: Answer, exchange: Exchange, defaults: HeaderList) -> bytes:
        if answer.status == HTTPStatus.OK:
            limits = b""
            if exchange.allowance is not None and exchange.allowance.windows:
                told = limit_headers(exchange.allowance, self._clock.micros())
                limits = b"".join([b"\r\n" + name + b": " + value for name, value in told])
            request_id = exchange.request_id.encode("ascii")
            return self._good % (defaults[0][1], len(answer.body), request_id, limits) + answer.body
        length = (b"content-length", b"%d" % len(answer.body))
        ending = self._gate.headers(TOKEN_PATH, exchange)
        return written(answer.status, [defaults[0], *answer.headers, length, *ending], answer.body)


def _good(common: tuple[HeaderList, HeaderList]) -> bytes:
    """The head of each good answer: for the date, the length of its body, its id, and the lines of its limits."""
    before, after = common
    moving = (b"date", b"%b"), JSON, NO_STORE, (b"content-length", b"%d"), (b"x-request-id", b"%b")
    head, tail = (
        b"\r\n".join([name + b": " + value for name, value in headers])
        for headers in ([*moving, *before], [*after, *headers_for(TOKEN_PATH)])
    )
    return b"HTTP/1.1 200 OK\r\n" + head + b"%b\r\n" + tail + b"\r\n\r\n"
