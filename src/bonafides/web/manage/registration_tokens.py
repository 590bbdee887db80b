"""`/v1/registration-tokens`: what lets somebody register OAuth clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response

from bonafides.idempotency import Idempotency
from bonafides.model import ADMIN
from bonafides.oauth.registrations import MadeToken, Registrations
from bonafides.resources import initial_token_resource
from bonafides.web.bodies import ID_MAX
from bonafides.web.guard import Caller, GuardedRoute
from bonafides.web.paging import LIMIT_DEFAULT, Cursor, Limit, Paging
from bonafides.web.registered import InitialTokenPage, MadeInitialToken, NewInitialToken
from bonafides.web.replies import NO_TENANT, NOT_ADMIN, attempt_of, claim_for, created

PREFIX: Final = "/v1/registration-tokens"

_ADMIN: Final = {"x-required-scopes": [ADMIN]}


def routes(registrations: Registrations, idempotency: Idempotency, paging: Paging) -> APIRouter:
    """The routes of initial access tokens."""
    router = APIRouter(prefix=PREFIX, route_class=GuardedRoute, tags=["OAuth clients"])

    def show_made(made: MadeToken) -> dict[str, Any]:
        return {**initial_token_resource(made.record), "initial_access_token": made.secret}

    def place_of(_: Mapping[str, Any]) -> str:
        return PREFIX

    @router.post(
        "",
        operation_id="createRegistrationToken",
        summary="Let somebody register OAuth clients",
        description="The clients are this tenant's, can do no more than the token's scopes allow, and stay when it ends.",
        status_code=201,
        responses={
            201: {"model": MadeInitialToken, "description": "The token, shown this once."},
            403: {"description": "You need the scope admin, and every scope that the clients would have."},
            404: NO_TENANT,
            409: {"description": "The Idempotency-Key was used for a different call."},
        },
        openapi_extra=_ADMIN,
    )
    async def create(request: Request, caller: Caller, body: NewInitialToken) -> Response:
        attempt = await attempt_of(request, idempotency, caller)
        outcome = await registrations.make_token(
            caller,
            body.name,
            body.scopes,
            uses=body.uses,
            expires_in=body.expires_in,
            tenant_id=body.tenant_id,
            claim_for=claim_for(idempotency, attempt, show_made),
        )
        return created(idempotency, attempt, outcome, show_made, place_of)

    @router.get(
        "",
        operation_id="listRegistrationTokens",
        summary="List what lets somebody register OAuth clients, newest first",
        responses={
            200: {"model": InitialTokenPage, "description": "A page of those that have not ended."},
            403: NOT_ADMIN,
            404: NO_TENANT,
        },
        openapi_extra=_ADMIN,
    )
    async def listing(
        caller: Caller,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
        tenant_id: Annotated[
            str | None,
            Query(max_length=ID_MAX, description="Of this tenant; another tenant's: the operator."),
        ] = None,
    ) -> Response:
        context = f"registration-tokens {caller.tenant(tenant_id)}"
        found = await registrations.tokens(caller, paging.page(limit, cursor, context), tenant_id=tenant_id)
        return paging.answer(
            found, limit, context, initial_token_resource, lambda token: (token.created_at, token.id)
        )

    @router.delete(
        "/{token_id}",
        operation_id="deleteRegistrationToken",
        summary="End a token by which OAuth clients are registered; those clients stay",
        status_code=204,
        responses={
            204: {"description": "It lets nobody register any more."},
            403: NOT_ADMIN,
            404: {"description": "There is no such token, or it is not yours to see."},
        },
        openapi_extra=_ADMIN,
    )
    async def delete(
        caller: Caller, token_id: Annotated[str, Path(description="The token's id.")]
    ) -> Response:
        await registrations.remove_token(caller, token_id)
        return Response(status_code=204)

    return router
