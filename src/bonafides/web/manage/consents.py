"""`/v1/consents` and `/v1/grants`: what people have let clients do."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response

from bonafides.model import READ, WRITE
from bonafides.oauth.consents import Consents
from bonafides.resources import consent_resource, grant_resource
from bonafides.web.answers import json_answer
from bonafides.web.bodies import ID_MAX
from bonafides.web.guard import SCOPES_KEY, Caller, GuardedRoute
from bonafides.web.paging import LIMIT_DEFAULT, Cursor, Limit, Paging
from bonafides.web.replies import NO_TENANT, reply
from bonafides.web.schemas import Consent, ConsentPage, Grant, GrantPage

_READS: Final = {SCOPES_KEY: [READ]}
_WRITES: Final = {SCOPES_KEY: [WRITE]}
_NO_CONSENT: Final = {"description": "There is no such consent, or it is not yours to see."}
_NO_GRANT: Final = {"description": "There is no such grant, it has ended, or it is not yours to see."}
_NOT_YOURS: Final = {"description": "You asked for another user's without `admin`."}
_POWERFUL: Final = {"description": "It belongs to somebody more powerful."}

UserId = Annotated[
    str | None, Query(max_length=ID_MAX, description="Of this user; another user's: with `admin`.")
]
TenantId = Annotated[
    str | None, Query(max_length=ID_MAX, description="Of this tenant; another tenant's: the operator.")
]
ClientId = Annotated[str | None, Query(max_length=ID_MAX, description="For this client alone.")]


def routes(consents: Consents, paging: Paging) -> APIRouter:
    """The routes of consents and grants."""
    router = APIRouter()
    router.include_router(_consents(consents, paging))
    router.include_router(_grants(consents, paging))
    return router


def _consents(consents: Consents, paging: Paging) -> APIRouter:
    router = APIRouter(prefix="/v1/consents", route_class=GuardedRoute, tags=["Consents"])

    @router.get(
        "",
        operation_id="listConsents",
        summary="List what people have let clients do, newest first",
        description="One's own; with `admin`, the tenant's.",
        responses={
            200: {"model": ConsentPage, "description": "A page of consents."},
            403: _NOT_YOURS,
            404: NO_TENANT,
        },
        openapi_extra=_READS,
    )
    async def listing(
        caller: Caller,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
        user_id: UserId = None,
        client_id: ClientId = None,
        tenant_id: TenantId = None,
    ) -> Response:
        context = f"consents {caller.tenant(tenant_id)} {user_id} {client_id}"
        found = await consents.page(
            caller,
            paging.page(limit, cursor, context),
            tenant_id=tenant_id,
            user_id=user_id,
            client_id=client_id,
        )
        return paging.answer(
            found, limit, context, consent_resource, lambda seen: (seen.consent.created_at, seen.consent.id)
        )

    @router.get(
        "/{consent_id}",
        operation_id="getConsent",
        summary="Show a consent",
        responses={200: {"model": Consent, "description": "The consent."}, 404: _NO_CONSENT},
        openapi_extra=_READS,
    )
    async def get(caller: Caller, consent_id: Annotated[str, Path(description="Its id.")]) -> Response:
        return reply(json_answer(200, consent_resource(await consents.get(caller, consent_id))))

    @router.delete(
        "/{consent_id}",
        operation_id="withdrawConsent",
        summary="Take a consent back",
        description="Every grant that its user has given the client ends at once, and the client has to ask again.",
        status_code=204,
        responses={204: {"description": "It is taken back."}, 403: _POWERFUL, 404: _NO_CONSENT},
        openapi_extra=_WRITES,
    )
    async def withdraw(caller: Caller, consent_id: Annotated[str, Path(description="Its id.")]) -> Response:
        await consents.withdraw(caller, consent_id)
        return Response(status_code=204)

    return router


def _grants(consents: Consents, paging: Paging) -> APIRouter:
    router = APIRouter(prefix="/v1/grants", route_class=GuardedRoute, tags=["Consents"])

    @router.get(
        "",
        operation_id="listGrants",
        summary="List the grants that have not ended, newest first",
        description="A grant is what a client got when somebody answered it once. One's own; with `admin`, the tenant's.",
        responses={
            200: {"model": GrantPage, "description": "A page of grants."},
            403: _NOT_YOURS,
            404: NO_TENANT,
        },
        openapi_extra=_READS,
    )
    async def listing(
        caller: Caller,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
        user_id: UserId = None,
        client_id: ClientId = None,
        tenant_id: TenantId = None,
    ) -> Response:
        context = f"grants {caller.tenant(tenant_id)} {user_id} {client_id}"
        found = await consents.grants(
            caller,
            paging.page(limit, cursor, context),
            tenant_id=tenant_id,
            user_id=user_id,
            client_id=client_id,
        )
        return paging.answer(
            found, limit, context, grant_resource, lambda seen: (seen.grant.created_at, seen.grant.id)
        )

    @router.get(
        "/{grant_id}",
        operation_id="getGrant",
        summary="Show a grant",
        responses={200: {"model": Grant, "description": "The grant."}, 404: _NO_GRANT},
        openapi_extra=_READS,
    )
    async def get(caller: Caller, grant_id: Annotated[str, Path(description="Its id.")]) -> Response:
        return reply(json_answer(200, grant_resource(await consents.grant(caller, grant_id))))

    @router.delete(
        "/{grant_id}",
        operation_id="endGrant",
        summary="End a grant, with every token of it",
        status_code=204,
        responses={204: {"description": "It has ended."}, 403: _POWERFUL, 404: _NO_GRANT},
        openapi_extra=_WRITES,
    )
    async def end(caller: Caller, grant_id: Annotated[str, Path(description="Its id.")]) -> Response:
        await consents.end_grant(caller, grant_id)
        return Response(status_code=204)

    return router
