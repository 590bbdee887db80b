"""The one way into a guarded call: the credential is judged before the body is read.

A route of class `GuardedRoute` declares the scopes that it needs; there is no other way to write one,
so a handler cannot forget to ask.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

import msgspec
from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from typing_extensions import override

from bonafides.authority import Authority
from bonafides.directory import Directory
from bonafides.errors import AppError, InvalidRequest, NotFound, UnsupportedMediaType
from bonafides.model import Accepted, Allowance, Principal, Reason, Rejected
from bonafides.verification.limiter import AddressLimiter
from bonafides.verification.verifier import Facts, Verifier
from bonafides.web.arguments import NO_BODY, answering, served
from bonafides.web.bound import Presentations
from bonafides.web.exchange import SCOPE_KEY, Exchange
from bonafides.web.metrics import Metrics

SCOPES_KEY: Final = "x-required-scopes"
COST_KEY: Final = "x-cost"
VISITED: Final = {"x-counted-by-address": True}
"""Of a call that takes no credential, and is counted by the address that it comes from."""

_decode = msgspec.json.Decoder().decode


class RejectedError(AppError):
    """Carries a refusal from the guard to the gate."""

    def __init__(self, rejected: Rejected) -> None:
        super().__init__(str(rejected.reason))
        self.rejected = rejected


class Guard:
    """Judges the credential of a request to our own API.

    Args:
        verifier: Judges.
        directory: Knows what the credential's user may do.
        metrics: Counts verdicts.
        presentations: Find the credential in a request.
        addresses: Counts calls that take none.
    """

    def __init__(
        self,
        verifier: Verifier,
        directory: Directory,
        metrics: Metrics,
        presentations: Presentations,
        addresses: AddressLimiter,
    ) -> None:
        self._verifier = verifier
        self._directory = directory
        self._metrics = metrics
        self._presentations = presentations
        self._addresses = addresses

    async def admit(self, request: Request, scopes: frozenset[str], cost: int) -> Principal:
        """Whom the request's own credential speaks for.

        Raises:
            RejectedError: It is missing, bad, or not good for this call.
            InvalidRequest: It is presented in a way that cannot be read.
            InvalidDpopProof: It comes with a proof that is none.
            Unavailable: The server cannot know.
        """
        found = self._presentations.find(request, exchange_of(request))
        principal = await self.judge(request, found.credential, scopes, cost, found.jkt)
        await self._presentations.use(found, principal)
        return principal

    async def judge(
        self,
        request: Request,
        credential: bytes | None,
        scopes: frozenset[str],
        cost: int,
        jkt: str | None = None,
    ) -> Principal:
        """Whom a credential speaks for that came with a request, or was renewed by it.

        Raises:
            RejectedError: It is missing, bad, or not good for this call.
            Unavailable: The server cannot know.
        """
        exchange = exchange_of(request)
        facts = Facts(address=exchange.address, scopes=scopes, cost=cost, jkt=jkt)
        verdict = await self._verifier.verify(credential, facts)
        self._metrics.count_verdict(verdict)
        exchange.take(verdict)
        if not isinstance(verdict, Accepted):
            raise RejectedError(verdict)
        return verdict.principal

    def count_visit(self, exchange: Exchange) -> None:
        """Count a call that takes no credential by the address that it comes from.

        Raises:
            RejectedError: That address has called too often.
        """
        exchange.allowance = self._addresses.spend(exchange.address)
        if not exchange.allowance.admitted:
            raise RejectedError(Rejected(Reason.RATE, exchange.allowance))

    async def authority(self, request: Request, *, via: str = "api") -> Authority:
        """What the admitted credential may do in the control plane.

        Args:
            request: With an admitted credential.
            via: Which way it came, for the audit trail.

        Raises:
            RejectedError: Its user or tenant was deleted since it was admitted.
        """
        exchange = exchange_of(request)
        principal: Principal = exchange.extra["principal"]
        actor = exchange.actor(principal, via)
        try:
            return await self._directory.authority(principal, actor)
        except NotFound:
            left = exchange.allowance or Allowance(())
            raise RejectedError(Rejected(Reason.INVALID_KEY, left, principal.kind)) from None


def exchange_of(request: Request) -> Exchange:
    """The exchange that the gate opened for this request."""
    exchange: Exchange = request.scope[SCOPE_KEY]
    return exchange


async def authority_of(request: Request) -> Authority:
    """The caller's authority, as a dependency of handlers."""
    guard: Guard = request.app.state.guard
    return await guard.authority(request)


def principal_of(request: Request) -> Principal:
    """Whom the caller's credential speaks for, as a dependency of handlers."""
    principal: Principal = exchange_of(request).extra["principal"]
    return principal


Caller = Annotated[Authority, Depends(authority_of)]
CallerPrincipal = Annotated[Principal, Depends(principal_of)]


class CheckedRoute(APIRoute):
    """A route that reads nothing of a request before it is admitted, and makes nothing of what is not strict."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - FastAPI's own
        super().__init__(*args, **kwargs)
        self.app = served(self.get_route_handler())

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, behind the checks."""
        answer = answering(self)
        parameters = frozenset(field.alias for field in self.dependant.query_params)
        takes_body = self.body_field is not None
        body_required = takes_body and bool(self.body_field and self.body_field.field_info.is_required())

        async def handle(request: Request) -> Response:
            await self.admit(request, request.app.state.guard)
            check_query(request, parameters)
            body = await read_body(request, required=body_required) if takes_body else NO_BODY
            return await answer(request, body)

        return handle

    async def admit(self, request: Request, guard: Guard) -> None:
        """Refuse whoever may not call this."""
        raise NotImplementedError


class GuardedRoute(CheckedRoute):
    """A route that admits nobody without a good credential."""

    @override
    async def admit(self, request: Request, guard: Guard) -> None:
        """Judge the credential, by the scopes that the route declares."""
        extra = self.openapi_extra or {}
        scopes = frozenset(extra.get(SCOPES_KEY, ()))
        cost = int(extra.get(COST_KEY, 1))
        exchange_of(request).extra["principal"] = await guard.admit(request, scopes, cost)


class VisitedRoute(CheckedRoute):
    """A route for who has no credential yet; its calls are counted by address."""

    @override
    async def admit(self, request: Request, guard: Guard) -> None:
        """Count the visit."""
        guard.count_visit(exchange_of(request))


def check_query(request: Request, parameters: frozenset[str]) -> None:
    """Refuse parameters that the call does not have, and those that are given twice.

    A misspelt `scope` would check nothing, and of two the first or the last might win.

    Raises:
        InvalidRequest: Naming the parameter.
    """
    if not request.scope["query_string"]:
        return
    given = Counter(name for name, _ in request.query_params.multi_items())
    for name, times in given.items():
        if name not in parameters:
            known = f"It has {', '.join(sorted(parameters))}." if parameters else "It has none."
            message = f"{name[:64]!a} is not a query parameter of this call. {known}"
            raise InvalidRequest(message, field=f"{name[:64]!a}"[1:-1])
        if times > 1:
            message = f"{name} must be given once."
            raise InvalidRequest(message, field=name)


async def read_body(request: Request, *, required: bool) -> object:
    """The JSON value of a body, `NO_BODY` where there is none and none is required.

    Python's own reader takes NaN, lone surrogates and deep nesting; the rest of the house must not meet them.

    Raises:
        InvalidRequest: It is not strict JSON, or is missing.
        UnsupportedMediaType: It does not say that it is JSON, or is compressed.
    """
    body = await request.body()
    if not body:
        if required:
            message = "The request needs a JSON body with Content-Type: application/json."
            raise InvalidRequest(message, field="body")
        return NO_BODY
    content_type = request.headers.get("content-type", "")
    media_type, _, parameters = content_type.partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if media_type.strip().lower() != "application/json" or (
        parameters.strip() and charset not in {"utf-8", "utf8"}
    ):
        message = "The body must be JSON in UTF-8. Send Content-Type: application/json."
        raise UnsupportedMediaType(message, field="Content-Type")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        message = "The body must not be compressed. Send it without Content-Encoding."
        raise UnsupportedMediaType(message, field="Content-Encoding")
    try:
        value: object = _decode(body)
        holds_nul = b"\\u0000" in body and _holds_nul(value)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        message = "The body is not valid JSON in UTF-8."
        raise InvalidRequest(message, field="body") from None
    if holds_nul:
        message = "The body must not contain NUL characters."
        raise InvalidRequest(message, field="body")
    return value


def _holds_nul(value: object) -> bool:
    """Whether a string in a JSON value holds U+0000, which no database column takes."""
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_holds_nul(part) for pair in value.items() for part in pair)
    return isinstance(value, list) and any(_holds_nul(part) for part in value)
