"""`/v1/api-keys`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response

from bonafides.credentials.api_keys import ApiKeys, KeyChanges, KeyWish
from bonafides.credentials.holdings import REASON_MAX, Made
from bonafides.idempotency import Idempotency
from bonafides.intake import TEXT_PATTERN
from bonafides.model import READ, WRITE, Clock, Credential, CredentialStatus, ShownStatus, to_datetime
from bonafides.resources import key_resource
from bonafides.web.answers import json_answer
from bonafides.web.bodies import ID_MAX, KeyPatch, NewKey, Revocation, Rotation
from bonafides.web.guard import Caller, GuardedRoute
from bonafides.web.paging import LIMIT_DEFAULT, Cursor, Limit, Paging, Search
from bonafides.web.replies import attempt_of, claim_for, created, reply
from bonafides.web.schemas import ApiKey, ApiKeyPage, MadeApiKey

_READS: Final = {"x-required-scopes": [READ]}
_WRITES: Final = {"x-required-scopes": [WRITE]}
_NO_KEY: Final = {"description": "There is no such key, or it is not yours to see."}
_REVOKED: Final = {"description": "The key is revoked, and that is final."}
_WHOSE: Final = "Of this user; another user's: with `admin`."
_WHERE: Final = "Of this tenant; another tenant's: the operator."

KeyId = Annotated[str, Path(description="The key's id.")]


def routes(api_keys: ApiKeys, idempotency: Idempotency, paging: Paging, clock: Clock) -> APIRouter:
    """The routes of API keys."""
    router = APIRouter(prefix="/v1/api-keys", route_class=GuardedRoute, tags=["API keys"])

    def show(key: Credential) -> dict[str, Any]:
        return key_resource(key, to_datetime(clock.micros()))

    def show_made(made: Made) -> dict[str, Any]:
        return {**show(made.credential), "key": made.secret}

    def place_of(made: Mapping[str, Any]) -> str:
        return f"/v1/api-keys/{made['id']}"

    @router.post(
        "",
        operation_id="createApiKey",
        summary="Create an API key",
        status_code=201,
        responses={
            201: {"model": MadeApiKey, "description": "The key with its secret, shown this once."},
            403: {"description": "The key would have more than your credential, or be somebody else's."},
            404: {"description": "There is no such user or tenant, or it is not yours to see."},
            409: {
                "description": "The user is disabled, or the Idempotency-Key was used for a different call."
            },
        },
        openapi_extra=_WRITES,
    )
    async def create(request: Request, caller: Caller, body: NewKey) -> Response:
        attempt = await attempt_of(request, idempotency, caller)
        wish = KeyWish(
            name=body.name,
            scopes=body.scopes,
            expires_at=body.expires_at,
            expires_in=body.expires_in,
            user_id=body.user_id,
            tenant_id=body.tenant_id,
            plan=body.plan,
            allowed_ips=body.allowed_ips,
            metadata=body.metadata,
            bearer_token_seconds=body.bearer_token_seconds,
        )
        outcome = await api_keys.create(caller, wish, claim_for=claim_for(idempotency, attempt, show_made))
        return created(idempotency, attempt, outcome, show_made, place_of)

    @router.get(
        "",
        operation_id="listApiKeys",
        summary="List API keys, newest first",
        description="One's own keys; with `admin`, those of the tenant.",
        responses={
            200: {"model": ApiKeyPage, "description": "A page of keys."},
            403: {"description": "You asked for another user's keys without `admin`."},
            404: {"description": "There is no such tenant, or it is not yours to see."},
        },
        openapi_extra=_READS,
    )
    async def listing(
        caller: Caller,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
        user_id: Annotated[str | None, Query(max_length=ID_MAX, description=_WHOSE)] = None,
        tenant_id: Annotated[str | None, Query(max_length=ID_MAX, description=_WHERE)] = None,
        status: Annotated[
            ShownStatus | None, Query(description="Only those that are shown with this status.")
        ] = None,
        search: Search = None,
    ) -> Response:
        context = f"api-keys {caller.tenant(tenant_id)} {user_id} {status} {search or ''}"
        found = await api_keys.page(
            caller,
            paging.page(limit, cursor, context),
            tenant_id=tenant_id,
            user_id=user_id,
            status=status,
            search=search,
        )
        return paging.answer(found, limit, context, show, lambda key: (key.created_at, key.id))

    @router.get(
        "/{key_id}",
        operation_id="getApiKey",
        summary="Show an API key",
        responses={200: {"model": ApiKey, "description": "The key, without its secret."}, 404: _NO_KEY},
        openapi_extra=_READS,
    )
    async def get(caller: Caller, key_id: KeyId) -> Response:
        return reply(json_answer(200, show(await api_keys.get(caller, key_id))))

    @router.patch(
        "/{key_id}",
        operation_id="changeApiKey",
        summary="Change an API key",
        description="What is left out stays. Changes bind the next request.",
        responses={
            200: {"model": ApiKey, "description": "The key as it is now."},
            403: {"description": "The key has, or would have, more than your credential."},
            404: _NO_KEY,
            409: {"description": "The key is revoked, or has no overlap that could be moved."},
        },
        openapi_extra=_WRITES,
    )
    async def change(caller: Caller, key_id: KeyId, body: KeyPatch) -> Response:
        given = {name: getattr(body, name) for name in body.model_fields_set}
        return reply(json_answer(200, show(await api_keys.change(caller, key_id, KeyChanges(**given)))))

    @router.delete(
        "/{key_id}",
        operation_id="revokeApiKey",
        summary="Revoke an API key, and every credential made from it",
        description="Final. Revoking a revoked key changes nothing.",
        responses={
            200: {"model": ApiKey, "description": "The key, revoked."},
            403: {"description": "The key belongs to somebody more powerful."},
            404: _NO_KEY,
        },
        openapi_extra=_WRITES,
    )
    async def revoke(
        caller: Caller,
        key_id: KeyId,
        body: Revocation | None = None,
        reason: Annotated[
            str | None,
            Query(
                min_length=1,
                max_length=REASON_MAX,
                description="Why; instead of a body.",
                json_schema_extra={"pattern": TEXT_PATTERN},
            ),
        ] = None,
    ) -> Response:
        why = body.reason if body is not None and body.reason is not None else reason
        return reply(
            json_answer(
                200, show(await api_keys.set_status(caller, key_id, CredentialStatus.REVOKED, reason=why))
            )
        )

    @router.post(
        "/{key_id}/rotate",
        operation_id="rotateApiKey",
        summary="Issue a key's successor",
        description=(
            "The old key works until the overlap ends, and never past its own expiry. The successor has the same "
            "powers and the same expiry; revoking or disabling the old key ends it too."
        ),
        status_code=201,
        responses={
            201: {"model": MadeApiKey, "description": "The successor with its secret, shown this once."},
            403: {"description": "The key has more than your credential."},
            404: _NO_KEY,
            409: {
                "description": (
                    "The key is revoked, disabled or expired, was rotated before, or the Idempotency-Key was "
                    "used for a different call."
                )
            },
        },
        openapi_extra=_WRITES,
    )
    async def rotate(
        request: Request, caller: Caller, key_id: KeyId, body: Rotation | None = None
    ) -> Response:
        attempt = await attempt_of(request, idempotency, caller)
        outcome = await api_keys.rotate(
            caller,
            key_id,
            overlap_seconds=body.overlap_seconds if body is not None else None,
            claim_for=claim_for(idempotency, attempt, show_made),
        )
        return created(idempotency, attempt, outcome, show_made, place_of)

    def status_route(verb: str, status: CredentialStatus, summary: str) -> None:
        async def set_status(caller: Caller, key_id: KeyId) -> Response:
            return reply(json_answer(200, show(await api_keys.set_status(caller, key_id, status))))

        router.add_api_route(
            f"/{{key_id}}/{verb}",
            set_status,
            methods=["POST"],
            operation_id=f"{verb}ApiKey",
            summary=summary,
            responses={
                200: {"model": ApiKey, "description": "The key as it is now."},
                403: {"description": "The key has more than your credential."},
                404: _NO_KEY,
                409: _REVOKED,
            },
            openapi_extra=_WRITES,
        )

    status_route("disable", CredentialStatus.DISABLED, "Disable an API key until it is enabled")
    status_route("enable", CredentialStatus.ACTIVE, "Enable a disabled API key")
    return router
