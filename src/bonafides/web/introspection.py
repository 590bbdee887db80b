"""`POST /oauth/introspect`: what a resource server asks about a credential of any kind, in the words of RFC 7662."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from fastapi import APIRouter, Request, Response
from typing_extensions import override

from bonafides.delegation import Client
from bonafides.directory import CLIENT_PREFIX
from bonafides.errors import InvalidClient, InvalidRequest
from bonafides.model import CREDENTIALS_VERIFY, Verdict
from bonafides.oauth.client_authentication import ClientAuthentication
from bonafides.resources import introspection_resource
from bonafides.verification.verifier import ANY_KEY
from bonafides.web import schemas
from bonafides.web.answers import json_answer
from bonafides.web.forms import FORM, fields_of, form_of, media_type_of
from bonafides.web.guard import COST_KEY, SCOPES_KEY, Guard, GuardedRoute, exchange_of, principal_of
from bonafides.web.replies import reply
from bonafides.web.verify import VerifyCalls

PATH: Final = "/oauth/introspect"
_CLIENT: Final = f"{CLIENT_PREFIX}_".encode()
_PROOFS: Final = frozenset({"client_id", "client_secret", "client_assertion", "client_assertion_type"})
_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {FORM: {"schema": {"$ref": "#/components/schemas/IntrospectionRequest"}}},
}


def routes(calls: VerifyCalls, issuer: str, authentication: ClientAuthentication) -> APIRouter:
    """The route of introspection.

    Args:
        calls: Judges what is asked about.
        issuer: Told as `iss`.
        authentication: Finds out which client asks, if it is one.
    """

    class IntrospectionRoute(GuardedRoute):
        """A route that admits a credential, or a client that proves who it is."""

        @override
        async def admit(self, request: Request, guard: Guard) -> None:
            fields = await _proof_in(request)
            if not fields and not _is_clients(request):
                await super().admit(request, guard)
                return
            guard.count_visit(exchange_of(request))
            client = await authentication.authenticate(
                request.headers.get("authorization", "").encode("latin-1") or None, fields, (issuer + PATH,)
            )
            if client.is_public:
                # Anybody could ask for it about whatever they have found.
                raise InvalidClient
            exchange_of(request).extra["client"] = client

    router = APIRouter(route_class=IntrospectionRoute, tags=["Verification"])

    @router.post(
        PATH,
        operation_id="introspect",
        summary="Introspect a credential, as a resource server (RFC 7662)",
        description=(
            'For credentials of every kind. `{"active": false}` and nothing else for one that is unknown, has ended, is '
            "over its limit, or is of a tenant that you may not see. Counts for the credential that is asked about, never for you. "
            "`token_type_hint` is not needed, and fields that are not known are left aside. An OAuth client asks too, proving who it is as at "
            "`/oauth/token`: without the scope `credentials:verify`, about its own tokens alone."
        ),
        responses={200: {"model": schemas.Introspection, "description": "Whether it is good, and for whom."}},
        openapi_extra={SCOPES_KEY: [CREDENTIALS_VERIFY], COST_KEY: 0, "requestBody": _BODY},
    )
    async def introspect(request: Request) -> Response:
        exchange = exchange_of(request)
        client: Client | None = exchange.extra.get("client")
        tenant_id = client.tenant_id if client is not None else principal_of(request).tenant_id
        fields = await form_of(request)
        token = fields.get("token")
        if token is None:
            message = "token: say which credential you ask about."
            raise InvalidRequest(message, field="token")
        verdict = await calls.judged(
            exchange, tenant_id, token, ip=fields.get("ip"), scope="", cost=1, jkt=ANY_KEY
        )
        if client is not None and not _may_see(client, verdict):
            return reply(json_answer(200, {"active": False}))
        return reply(json_answer(200, introspection_resource(verdict, issuer)))

    return router


async def _proof_in(request: Request) -> dict[str, str]:
    """By what a client proves in a form who it is; nothing, where it does so elsewhere or is no client."""
    if media_type_of(request) != FORM:
        return {}
    fields = fields_of(await request.body())
    return {name: value for name, value in fields.items() if name in _PROOFS and value}


def _is_clients(request: Request) -> bool:
    """Whether a client presents its secret in the header, where it may stand form-encoded (RFC 6749 §2.3.1)."""
    scheme, _, encoded = request.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        return unquote_to_bytes(base64.b64decode(encoded.strip(), validate=True)).startswith(_CLIENT)
    except (binascii.Error, ValueError):
        return False


def _may_see(client: Client, verdict: Verdict) -> bool:
    """Whether a client may learn of a token: its own, or with the scope for it any in its sight."""
    if CREDENTIALS_VERIFY in client.scopes:
        return True
    delegation = verdict.principal.delegation if verdict.principal is not None else None
    return delegation is not None and delegation.client_id == client.id
