"""The three questions of verification: by the credential itself, about somebody's, and for a proxy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from bonafides import intake
from bonafides.directory import Directory
from bonafides.errors import InvalidRequest
from bonafides.model import CREDENTIALS_VERIFY, Accepted, Clock, Principal, Verdict
from bonafides.resources import identity_resource, verdict_resource
from bonafides.verification.denials import Denials
from bonafides.verification.verifier import Facts, Verifier
from bonafides.web import address as addresses
from bonafides.web.answers import json_answer
from bonafides.web.bodies import SCOPE_TEXT_MAX, VerifyQuestion
from bonafides.web.bound import Presentations
from bonafides.web.exchange import Exchange
from bonafides.web.guard import (
    SCOPES_KEY,
    CallerPrincipal,
    GuardedRoute,
    RejectedError,
    check_query,
    exchange_of,
)
from bonafides.web.metrics import Metrics
from bonafides.web.presented import refuse_credential_in_url
from bonafides.web.replies import reply
from bonafides.web.schemas import Identity, VerifyVerdict

PROXIES: Final = ("nginx", "caddy", "traefik", "envoy")
ORIGINAL_URL_HEADERS: Final = frozenset(
    {b"x-forwarded-uri", b"x-original-uri", b"x-original-url", b"x-envoy-original-path"}
)
_PARAMETERS: Final = frozenset({"scope"})
_PROXY_NAMES: Final = {
    "": "any proxy",
    "nginx": "nginx",
    "caddy": "Caddy",
    "traefik": "Traefik",
    "envoy": "Envoy",
}
_FORWARD: Final = (
    "For nginx `auth_request`, Caddy and Traefik forward auth, and Envoy ext_authz: 204 with the identity "
    "headers, or the error. Never redirects, and is never 2xx without the identity headers."
)
_ENVOY: Final = (
    " Envoy's path prefix may end here: any method, and any path below, is answered alike, and the query is "
    "then the original request's and is not read."
)
_IDENTITY_HEADERS: Final[Mapping[str, Any]] = {
    "X-Auth-User": {"description": "The user's id.", "schema": {"type": "string"}},
    "X-Auth-Tenant": {"description": "The tenant's id.", "schema": {"type": "string"}},
    "X-Auth-Scopes": {
        "description": "The credential's scopes, separated by spaces.",
        "schema": {"type": "string"},
    },
    "X-Auth-Credential": {"description": "The credential's id.", "schema": {"type": "string"}},
}
_ANY_CREDENTIAL: Final[dict[str, Any]] = {SCOPES_KEY: []}
_REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    403: {"description": "The credential is good, but lacks a scope, or may not be used from this address."},
}

ScopeParameter = Annotated[
    str,
    Query(
        alias="scope",
        description="Scopes that the credential must have, separated by spaces.",
        max_length=SCOPE_TEXT_MAX,
        json_schema_extra={"pattern": intake.SCOPE_WORDS_PATTERN},
    ),
]


class VerifyCalls:
    """Answers verification calls.

    Args:
        verifier: Judges.
        directory: Knows whose credentials a resource server may ask about.
        denials: Told of each refusal that is an answer and not an error; the gate tells of the others.
        metrics: Counts verdicts.
        clock: The time.
        presentations: Find the credential in a request.
    """

    def __init__(
        self,
        verifier: Verifier,
        directory: Directory,
        denials: Denials,
        metrics: Metrics,
        clock: Clock,
        presentations: Presentations,
    ) -> None:
        self._verifier = verifier
        self._directory = directory
        self._denials = denials
        self._metrics = metrics
        self._clock = clock
        self._presentations = presentations

    async def own(
        self, request: Request, scope: str, *, forwarded: bool = False
    ) -> tuple[Exchange, Accepted]:
        """Judge the credential that the request itself presents.

        Args:
            request: The request.
            scope: What it must have, separated by spaces.
            forwarded: Whether it is a proxy's, and presents what came with another.

        Raises:
            RejectedError: It is refused.
        """
        exchange = exchange_of(request)
        found = self._presentations.find(request, exchange, forwarded=forwarded)
        facts = Facts(address=exchange.address, scopes=intake.scope_words(scope), jkt=found.jkt)
        verdict = await self._verifier.verify(found.credential, facts)
        self._metrics.count_verdict(verdict)
        exchange.take(verdict)
        if not isinstance(verdict, Accepted):
            raise RejectedError(verdict)
        await self._presentations.use(found, verdict.principal)
        return exchange, verdict

    async def asked(
        self, exchange: Exchange, caller_tenant_id: str, question: VerifyQuestion
    ) -> dict[str, Any]:
        """Judge a credential that somebody else presented to a resource server.

        Raises:
            InvalidRequest: The question is malformed.
        """
        verdict = await self.judged(
            exchange,
            caller_tenant_id,
            question.credential,
            ip=question.ip,
            scope=question.scope,
            cost=question.cost,
        )
        return verdict_resource(verdict)

    async def told(self, exchange: Exchange, caller_tenant_id: str, credential: str) -> dict[str, Any]:
        """The verdict on a credential that somebody pastes, as if it came from their own address."""
        verdict = await self.judged(
            exchange, caller_tenant_id, credential, ip=exchange.address, scope="", cost=1
        )
        return verdict_resource(verdict)

    async def judged(
        self,
        exchange: Exchange,
        caller_tenant_id: str,
        credential: str,
        *,
        ip: str | None,
        scope: str,
        cost: int,
        jkt: str | None = None,
    ) -> Verdict:
        """The verdict on a credential that somebody else presented to a resource server.

        Args:
            exchange: The resource server's; told how the credential fared.
            caller_tenant_id: Whose credentials the resource server may ask about.
            credential: As it was presented.
            ip: From where, if it is known.
            scope: What it must have, separated by spaces.
            cost: How many requests it counts for.
            jkt: Of the key that whoever presented it holds, if it has to be proven.

        Raises:
            InvalidRequest: The question is malformed.
        """
        address = None
        if ip is not None:
            parsed = addresses.parse(ip)
            if parsed is None:
                message = "ip must be an IPv4 or IPv6 address."
                raise InvalidRequest(message, field="ip")
            address = str(parsed)
        facts = Facts(
            address=address,
            scopes=intake.scope_words(scope),
            cost=cost,
            tenant=await self._directory.sees(caller_tenant_id),
            jkt=jkt,
        )
        verdict = await self._verifier.verify(credential.encode("utf-8"), facts)
        self._metrics.count_verdict(verdict)
        if verdict.principal is not None:
            exchange.allowance = verdict.allowance
        exchange.outcome = "ok"
        if not isinstance(verdict, Accepted):
            exchange.outcome = f"told_{verdict.reason}"
            self._denials.note(exchange.request_id, verdict, self._clock.micros())
        return verdict


def forward_headers(principal: Principal) -> dict[str, str]:
    """The identity headers that a proxy passes on to the API behind it."""
    return {
        "X-Auth-User": principal.user_id,
        "X-Auth-Tenant": principal.tenant_id,
        "X-Auth-Scopes": " ".join(sorted(principal.scopes)),
        "X-Auth-Credential": principal.credential_id,
    }


def _refuse_original_url(request: Request) -> None:
    """A credential in the URL that the proxy asks about is as much in the logs as one in ours."""
    for name, value in request.scope["headers"]:
        if name in ORIGINAL_URL_HEADERS:
            path, _, query = value.partition(b"?")
            refuse_credential_in_url(path, query)


def routes(calls: VerifyCalls) -> APIRouter:
    """The verification routes."""
    router = APIRouter(tags=["Verification"])

    async def verify(request: Request, scope: ScopeParameter = "") -> Response:
        check_query(request, _PARAMETERS)
        _, accepted = await calls.own(request, scope)
        return reply(json_answer(200, identity_resource(accepted.principal, accepted.expires_at_us)))

    for method in ("GET", "POST"):
        router.add_api_route(
            "/v1/auth/verify",
            verify,
            methods=[method],
            operation_id=f"verifySelf{method.capitalize()}",
            summary="Verify the credential that this request presents",
            description=(
                "Answers who the presented credential speaks for. Takes a credential of any kind, in any of the "
                "accepted headers; counts as one request of the credential."
            ),
            responses={
                200: {"model": Identity, "description": "The credential is good for the scopes asked."},
                **_REFUSALS,
            },
            openapi_extra=_ANY_CREDENTIAL,
        )

    guarded = APIRouter(route_class=GuardedRoute)

    @guarded.post(
        "/v1/credentials/verify",
        operation_id="verifyCredential",
        summary="Verify somebody's credential, as a resource server",
        description=(
            "Always 200 when the question could be answered. Counts for the credential that is asked about, never "
            "for the caller. A credential of a tenant that the caller may not see is unknown."
        ),
        responses={200: {"model": VerifyVerdict, "description": "The verdict."}},
        openapi_extra={"x-required-scopes": [CREDENTIALS_VERIFY], "x-cost": 0},
    )
    async def verify_credential(
        request: Request, principal: CallerPrincipal, question: VerifyQuestion
    ) -> Response:
        return reply(json_answer(200, await calls.asked(exchange_of(request), principal.tenant_id, question)))

    router.include_router(guarded)

    async def judge(request: Request, scope: str) -> Response:
        _refuse_original_url(request)
        _, accepted = await calls.own(request, scope, forwarded=True)
        return Response(
            status_code=204, headers={**forward_headers(accepted.principal), "Cache-Control": "no-store"}
        )

    async def forward(request: Request, scope: ScopeParameter = "") -> Response:
        check_query(request, _PARAMETERS)
        return await judge(request, scope)

    for path, name in (("/auth/forward", ""), *((f"/auth/forward/{proxy}", proxy) for proxy in PROXIES)):
        router.add_api_route(
            path,
            forward,
            methods=["GET"],
            status_code=204,
            operation_id=f"forwardAuth{name.capitalize()}",
            summary=f"Forward authentication for {_PROXY_NAMES[name]}",
            description=_FORWARD + (_ENVOY if name == "envoy" else ""),
            responses={
                204: {
                    "description": "The credential is good; who it speaks for stands in the headers.",
                    "headers": {
                        header: {**text, "required": True} for header, text in _IDENTITY_HEADERS.items()
                    },
                },
                **_REFUSALS,
            },
            openapi_extra=_ANY_CREDENTIAL,
        )

    async def forward_envoy(request: Request) -> Response:
        # The query is the original request's, so a `scope` in it is the client's word and not the operator's.
        return await judge(request, "")

    # Envoy keeps the method and appends the path and query of the request that it asks about.
    router.add_api_route(
        "/auth/forward/envoy/{original:path}",
        forward_envoy,
        methods=["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"],
        status_code=204,
        include_in_schema=False,
    )
    return router
