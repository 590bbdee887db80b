"""`/v1/personal-access-tokens`, `/v1/bearer-tokens` and `/v1/credentials/{id}/lineage`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response

from bonafides.credentials.bearer_tokens import BearerTokens
from bonafides.credentials.holdings import REASON_MAX, Holdings, Made
from bonafides.credentials.lineage import Lineage
from bonafides.credentials.personal_tokens import PersonalTokens, TokenWish
from bonafides.idempotency import Idempotency
from bonafides.intake import TEXT_PATTERN
from bonafides.model import READ, WRITE, Clock, Credential, CredentialStatus, ShownStatus, to_datetime
from bonafides.resources import bearer_token_resource, lineage_resource, personal_token_resource
from bonafides.web import schemas
from bonafides.web.answers import json_answer
from bonafides.web.bodies import ID_MAX, NewPersonalToken
from bonafides.web.guard import Caller, GuardedRoute
from bonafides.web.paging import LIMIT_DEFAULT, Cursor, Limit, Paging
from bonafides.web.replies import NO_TENANT, attempt_of, claim_for, created, reply

_READS: Final = {"x-required-scopes": [READ]}
_WRITES: Final = {"x-required-scopes": [WRITE]}
_NO_TOKEN: Final = {"description": "There is no such token, or it is not yours to see."}
_OTHERS: Final = {"description": "You asked for another user's tokens without `admin`."}
_MORE_POWERFUL: Final = {"description": "The token belongs to somebody more powerful."}

TokenId = Annotated[str, Path(description="The token's id.")]
OfUser = Annotated[
    str | None, Query(max_length=ID_MAX, description="Of this user; another user's: with `admin`.")
]
OfTenant = Annotated[
    str | None, Query(max_length=ID_MAX, description="Of this tenant; another tenant's: the operator.")
]
OfStatus = Annotated[ShownStatus | None, Query(description="Only those that are shown with this status.")]
Reason = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=REASON_MAX,
        description="Why, for the audit trail.",
        json_schema_extra={"pattern": TEXT_PATTERN},
    ),
]


def personal_routes(
    tokens: PersonalTokens, idempotency: Idempotency, paging: Paging, clock: Clock
) -> APIRouter:
    """The routes of personal access tokens."""
    router = APIRouter(
        prefix="/v1/personal-access-tokens", route_class=GuardedRoute, tags=["Personal access tokens"]
    )

    def show(token: Credential) -> dict[str, Any]:
        return personal_token_resource(token, to_datetime(clock.micros()))

    def show_made(made: Made) -> dict[str, Any]:
        return {**show(made.credential), "token": made.secret}

    def place_of(made: Mapping[str, Any]) -> str:
        return f"/v1/personal-access-tokens/{made['id']}"

    @router.post(
        "",
        operation_id="createPersonalAccessToken",
        summary="Create a personal access token of your own",
        status_code=201,
        responses={
            201: {
                "model": schemas.MadePersonalAccessToken,
                "description": "The token with its secret, shown this once.",
            },
            403: {"description": "The token would have more than your credential."},
            409: {"description": "The Idempotency-Key was used for a different call."},
        },
        openapi_extra=_WRITES,
    )
    async def create(request: Request, caller: Caller, body: NewPersonalToken) -> Response:
        attempt = await attempt_of(request, idempotency, caller)
        wish = TokenWish(body.description, body.scopes, body.expires_at, body.expires_in)
        outcome = await tokens.create(caller, wish, claim_for=claim_for(idempotency, attempt, show_made))
        return created(idempotency, attempt, outcome, show_made, place_of)

    @router.get(
        "",
        operation_id="listPersonalAccessTokens",
        summary="List personal access tokens, newest first",
        description="One's own; with `admin`, those of the tenant.",
        responses={
            200: {"model": schemas.PersonalAccessTokenPage, "description": "A page of tokens."},
            403: _OTHERS,
            404: NO_TENANT,
        },
        openapi_extra=_READS,
    )
    async def listing(
        caller: Caller,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
        user_id: OfUser = None,
        tenant_id: OfTenant = None,
        status: OfStatus = None,
    ) -> Response:
        context = f"personal-access-tokens {caller.tenant(tenant_id)} {user_id} {status}"
        found = await tokens.page(
            caller, paging.page(limit, cursor, context), tenant_id=tenant_id, user_id=user_id, status=status
        )
        return paging.answer(found, limit, context, show, lambda token: (token.created_at, token.id))

    _add_single(router, tokens, show, "PersonalAccessToken", schemas.PersonalAccessToken)
    return router


def bearer_routes(tokens: BearerTokens, paging: Paging, clock: Clock) -> APIRouter:
    """The routes of bearer tokens that exist; `web/compat.py` makes them."""
    router = APIRouter(prefix="/v1/bearer-tokens", route_class=GuardedRoute, tags=["Bearer tokens"])

    def show(token: Credential) -> dict[str, Any]:
        return bearer_token_resource(token, to_datetime(clock.micros()))

    @router.get(
        "",
        operation_id="listBearerTokens",
        summary="List bearer tokens, newest first",
        description="One's own; with `admin`, those of the tenant. A token is forgotten some time after its end.",
        responses={
            200: {"model": schemas.BearerTokenPage, "description": "A page of tokens."},
            403: _OTHERS,
            404: NO_TENANT,
        },
        openapi_extra=_READS,
    )
    async def listing(
        caller: Caller,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
        api_key_id: Annotated[str | None, Query(max_length=ID_MAX, description="Made from this key.")] = None,
        user_id: OfUser = None,
        tenant_id: OfTenant = None,
        status: OfStatus = None,
    ) -> Response:
        context = f"bearer-tokens {caller.tenant(tenant_id)} {api_key_id} {user_id} {status}"
        found = await tokens.page(
            caller,
            paging.page(limit, cursor, context),
            tenant_id=tenant_id,
            user_id=user_id,
            parent_id=api_key_id,
            status=status,
        )
        return paging.answer(found, limit, context, show, lambda token: (token.created_at, token.id))

    _add_single(router, tokens, show, "BearerToken", schemas.BearerToken)
    return router


def _add_single(
    router: APIRouter,
    tokens: Holdings,
    show: Callable[[Credential], dict[str, Any]],
    name: str,
    model: type[schemas.Token],
) -> None:
    """The routes of a single token: every kind is shown and revoked alike.

    Args:
        router: Of that kind.
        tokens: Of that kind.
        show: A token as JSON.
        name: In the ids of the operations.
        model: Describes that JSON.
    """
    noun = tokens.species.noun

    @router.get(
        "/{token_id}",
        operation_id=f"get{name}",
        summary=f"Show a {noun}",
        responses={200: {"model": model, "description": "The token, without its secret."}, 404: _NO_TOKEN},
        openapi_extra=_READS,
    )
    async def get(caller: Caller, token_id: TokenId) -> Response:
        return reply(json_answer(200, show(await tokens.get(caller, token_id))))

    @router.delete(
        "/{token_id}",
        operation_id=f"revoke{name}",
        summary=f"Revoke a {noun}",
        description="Final. What it was made from is not touched. Revoking a revoked token changes nothing.",
        responses={
            200: {"model": model, "description": "The token, revoked."},
            403: _MORE_POWERFUL,
            404: _NO_TOKEN,
        },
        openapi_extra=_WRITES,
    )
    async def revoke(caller: Caller, token_id: TokenId, reason: Reason = None) -> Response:
        revoked = await tokens.set_status(caller, token_id, CredentialStatus.REVOKED, reason=reason)
        return reply(json_answer(200, show(revoked)))


def lineage_routes(lineage: Lineage, clock: Clock) -> APIRouter:
    """The route of lineages."""
    router = APIRouter(prefix="/v1/credentials", route_class=GuardedRoute, tags=["Lineage"])

    @router.get(
        "/{credential_id}/lineage",
        operation_id="getLineage",
        summary="Show what a credential was made from, what was made from it, and what ends with it",
        description=(
            "`ends_with_it` marks what revoking the credential would end, itself included: a dry run. "
            "At most 1,000 members; `whole` is false where there are more."
        ),
        responses={
            200: {"model": schemas.Lineage, "description": "The family, oldest first."},
            404: {"description": "There is no such credential, or it is not yours to see."},
        },
        openapi_extra=_READS,
    )
    async def get(
        caller: Caller, credential_id: Annotated[str, Path(description="A credential of any kind.")]
    ) -> Response:
        family = await lineage.family(caller, credential_id)
        return reply(json_answer(200, lineage_resource(family, to_datetime(clock.micros()))))

    return router
