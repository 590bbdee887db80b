"""`POST /oauth/introspect`: what a resource server asks about a credential of any kind, in the words of RFC 7662."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from bonafides.errors import InvalidRequest
from bonafides.model import CREDENTIALS_VERIFY
from bonafides.resources import introspection_resource
from bonafides.web import schemas
from bonafides.web.answers import json_answer
from bonafides.web.forms import FORM, form_of
from bonafides.web.guard import COST_KEY, SCOPES_KEY, CallerPrincipal, GuardedRoute, exchange_of
from bonafides.web.replies import reply
from bonafides.web.verify import VerifyCalls

PATH: Final = "/oauth/introspect"
_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {FORM: {"schema": {"$ref": "#/components/schemas/IntrospectionRequest"}}},
}


def routes(calls: VerifyCalls, issuer: str) -> APIRouter:
    """The route of introspection.

    Args:
        calls: Judges what is asked about.
        issuer: Told as `iss`.
    """
    router = APIRouter(route_class=GuardedRoute, tags=["Verification"])

    @router.post(
        PATH,
        operation_id="introspect",
        summary="Introspect a credential, as a resource server (RFC 7662)",
        description=(
            'For credentials of every kind. `{"active": false}` and nothing else for one that is unknown, has ended, is '
            "over its limit, or is of a tenant that you may not see. Counts for the credential that is asked about, never for you. "
            "`token_type_hint` is not needed, and fields that are not known are left aside."
        ),
        responses={200: {"model": schemas.Introspection, "description": "Whether it is good, and for whom."}},
        openapi_extra={SCOPES_KEY: [CREDENTIALS_VERIFY], COST_KEY: 0, "requestBody": _BODY},
    )
    async def introspect(request: Request, principal: CallerPrincipal) -> Response:
        fields = await form_of(request)
        token = fields.get("token")
        if token is None:
            message = "token: say which credential you ask about."
            raise InvalidRequest(message, field="token")
        verdict = await calls.judged(
            exchange_of(request), principal.tenant_id, token, ip=fields.get("ip"), scope="", cost=1
        )
        return reply(json_answer(200, introspection_resource(verdict, issuer)))

    return router
