"""The outermost layer: every request passes in through it, and every answer out.

It gives the request its id and address, bounds its body in size and time, refuses credentials in URLs,
turns whatever fails into the one error shape, and adds the headers that every answer carries.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, NamedTuple

from bonafides import errors
from bonafides.model import Clock, Reason, Rejected
from bonafides.settings import Settings
from bonafides.verification.denials import Denials
from bonafides.verification.limiter import AddressLimiter
from bonafides.web.access import log, note_access
from bonafides.web.address import client_address
from bonafides.web.answers import Answer, HeaderList, expiry_headers, limit_headers
from bonafides.web.cross_origin import headers_for, preflight
from bonafides.web.exchange import SCOPE_KEY, Dialect, Exchange
from bonafides.web.guard import RejectedError
from bonafides.web.metrics import Metrics
from bonafides.web.presented import carried_by, loggable_path, refuse_credential_in_url
from bonafides.web.problems import Problems, takes_problem_json
from bonafides.web.requestids import RequestIds

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_DIALECTS: Final = {"/api/auth/": Dialect.ACCOUNT, "/oauth/": Dialect.OAUTH}
UNCOUNTED: Final = frozenset(
    {
        "/",
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/openapi.yaml",
        "/favicon.ico",
    }
)
_UNCOUNTED_BELOW: Final = ("/.well-known/", "/static/")
_SECURITY_HEADERS: Final[HeaderList] = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
]


def common_headers(settings: Settings) -> tuple[HeaderList, HeaderList]:
    """The headers of every answer that never change: those before the rate-limit headers, and those after."""
    strict = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
    return _SECURITY_HEADERS, [strict] if settings.base_url.startswith("https://") else []


class Manner(NamedTuple):
    """How requests for a path are treated.

    Args:
        dialect: Which names their errors have.
        counted: Whether they are counted at all.
    """

    dialect: Dialect
    counted: bool


class ClientGoneError(Exception):
    """The client closed the connection before its request was whole."""


class Gate:
    """ASGI middleware around everything.

    Args:
        app: What answers.
        settings: Bounds, trusted proxies, public URL.
        addresses: Counts what has no good credential.
        problems: Renders failures.
        denials: Told of each refusal.
        metrics: Counts answers.
        clock: The time.
        request_ids: Names requests.
    """

    def __init__(
        self,
        app: AsgiApp,
        *,
        settings: Settings,
        addresses: AddressLimiter,
        problems: Problems,
        denials: Denials,
        metrics: Metrics,
        clock: Clock,
        request_ids: RequestIds,
    ) -> None:
        self._app = app
        self._settings = settings
        self._addresses = addresses
        self._problems = problems
        self._denials = denials
        self._metrics = metrics
        self._clock = clock
        self._request_ids = request_ids
        self.common = common_headers(settings)
        self._logs = settings.log_level in {"debug", "info"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request; anything else goes straight on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: HeaderList = scope["headers"]
        client = scope.get("client")
        exchange = scope[SCOPE_KEY] = self.opened(
            manner_of(scope["path"]), headers, client[0] if client else None
        )
        began = self._clock.monotonic()
        status = 0
        body = _Body(receive, self._settings, headers)
        asked = preflight(scope["method"], scope["path"], headers)

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                path = scope["path"] if asked is None else None
                message["headers"] = [*message.get("headers", ()), *self.headers(path, exchange)]
                if body.is_withheld():
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        try:
            _refuse_nul(scope["path"], scope["query_string"])
            refuse_credential_in_url(scope["raw_path"], scope["query_string"], carried_by(scope["path"]))
            body.check_declared()
            if asked is None:
                await self._app(scope, body, send_on)
            else:
                await _send(asked, send_on)
        except ClientGoneError:
            exchange.outcome = "client_gone"
        except Exception as error:
            answer = self.failed(error, exchange)
            if status:
                raise
            await _send(answer, send_on)
        finally:
            route = scope.get("route")
            template = getattr(route, "path_format", "") or "unmatched"
            seconds = self._clock.monotonic() - began
            self.note(exchange, scope["method"], template, loggable_path(scope["path"]), status, seconds)

    def opened(self, manner: Manner, headers: HeaderList, peer: str | None) -> Exchange:
        """The exchange of a new request.

        Args:
            manner: How requests for its path are treated.
            headers: Of it.
            peer: The other end of the connection.
        """
        return Exchange(
            request_id=self._request_ids.next(),
            address=client_address(peer, headers, self._settings.trusted_proxies),
            problem_json=any(name == b"accept" and takes_problem_json(value) for name, value in headers),
            dialect=manner.dialect,
            counted=manner.counted,
        )

    def failed(self, error: Exception, exchange: Exchange) -> Answer:
        """The answer for an exception; one that nobody foresaw is logged whole and told as nothing."""
        now_us = self._clock.micros()
        if not isinstance(error, errors.AppError):
            log.error("unexpected_failure", request_id=exchange.request_id, exc_info=error)
            return self._problems.of_failure(exchange, now_us)
        if isinstance(error, RejectedError):
            self._denials.note(exchange.request_id, error.rejected, now_us)
            return self._problems.of_rejection(error.rejected, exchange, now_us)
        if isinstance(error, errors.Unavailable):
            log.error("unavailable", request_id=exchange.request_id, reason=error.internal)
            return self._problems.of_error(error, exchange, now_us)
        if exchange.counted and exchange.allowance is None:
            exchange.allowance = self._addresses.spend(exchange.address)
            if not exchange.allowance.admitted:
                return self._problems.of_rejection(
                    Rejected(Reason.RATE, exchange.allowance), exchange, now_us
                )
        return self._problems.of_error(error, exchange, now_us)

    def headers(self, path: str | None, exchange: Exchange) -> HeaderList:
        """What every answer tells, beside its own headers.

        Args:
            path: That was asked for; None for what a browser asks about a path.
            exchange: What is known of the request.
        """
        before, after = self.common
        now_us = self._clock.micros()
        headers = [(b"x-request-id", exchange.request_id.encode("ascii"))]
        headers += [*expiry_headers(exchange.ends_at_us, now_us), *before]
        if exchange.allowance is not None:
            headers += limit_headers(exchange.allowance, now_us)
        open_to = [] if path is None else headers_for(path)
        return [*headers, *after, *exchange.cookies, *exchange.told, *open_to]

    def note(
        self, exchange: Exchange, method: str, template: str, path: str, status: int, seconds: float
    ) -> None:
        """Count an answer, and log it.

        Args:
            exchange: What is known of the request.
            method: Of the request.
            template: Of its path, for the metrics.
            path: As it was asked for, without secrets.
            status: Sent; 0 if the client had gone.
            seconds: From the request's head to the answer's end.
        """
        self._metrics.count_answer(method, template, status, seconds)
        if self._logs:
            note_access(exchange, method, path, status, seconds)


class _Body:
    """The request's body, no longer and no slower than the settings allow."""

    def __init__(self, receive: Receive, settings: Settings, headers: HeaderList) -> None:
        self._receive = receive
        self._bytes_max = settings.body_bytes_max
        self._seconds_max = settings.body_seconds_max
        self._declared = next((value for name, value in headers if name == b"content-length"), b"")
        self._awaited = any(name == b"expect" for name, _ in headers)
        self._read = 0
        self._deadline: float | None = None
        self._whole = False

    def check_declared(self) -> None:
        """Refuse a body by its length before anything is done, whether or not the call reads one.

        Raises:
            PayloadTooLarge: It says that it is longer than the server reads.
        """
        if self._declared.isdigit() and int(self._declared) > self._bytes_max:
            raise self._too_large()

    def is_withheld(self) -> bool:
        """Whether the client waits to be asked for the body, and was not: nobody knows if it will come.

        On a connection that stays open, the next request could be read as that body.

        See: RFC 9110 §10.1.1
        """
        return self._awaited and self._deadline is None

    async def __call__(self) -> Message:
        if self._whole:
            return await self._receive()
        loop = asyncio.get_running_loop()
        if self._deadline is None:
            self._deadline = loop.time() + self._seconds_max
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            text = f"The request's body did not arrive within {self._seconds_max:g} seconds."
            raise errors.RequestTimeout(text) from None
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        self._read += len(message.get("body", b""))
        if self._read > self._bytes_max:
            raise self._too_large()
        self._whole = not message.get("more_body", False)
        return message

    def _too_large(self) -> errors.PayloadTooLarge:
        return errors.PayloadTooLarge(f"The body must be at most {self._bytes_max} bytes long.", field="body")


def manner_of(path: str) -> Manner:
    """How requests for a path are treated."""
    dialect = next((each for prefix, each in _DIALECTS.items() if path.startswith(prefix)), Dialect.OWN)
    return Manner(dialect, path not in UNCOUNTED and not path.startswith(_UNCOUNTED_BELOW))


async def _send(answer: Answer, send: Send) -> None:
    length = (b"content-length", b"%d" % len(answer.body))
    await send({"type": "http.response.start", "status": answer.status, "headers": [*answer.headers, length]})
    await send({"type": "http.response.body", "body": answer.body})


def _refuse_nul(path: str, query: bytes) -> None:
    """Refuse what no database column takes, before it gets to one."""
    if "\x00" in path or b"%00" in query:
        message = "The URL must not contain NUL characters."
        raise errors.InvalidRequest(message, field="URL")
