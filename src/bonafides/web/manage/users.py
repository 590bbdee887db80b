"""`/v1/users`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.convertors import StringConvertor, register_url_convertor

from bonafides.directory import Directory
from bonafides.errors import NotFound
from bonafides.idempotency import Idempotency
from bonafides.model import ADMIN, READ, WRITE, Status, UserChanges
from bonafides.resources import user_resource
from bonafides.web import bodies, schemas
from bonafides.web.answers import json_answer
from bonafides.web.guard import Caller, GuardedRoute
from bonafides.web.paging import LIMIT_DEFAULT, Cursor, Limit, Paging, Search
from bonafides.web.replies import NO_TENANT, attempt_of, claim_for, created, reply

_READS: Final = {"x-required-scopes": [READ]}
_WRITES: Final = {"x-required-scopes": [WRITE]}
_ADMIN: Final = {"x-required-scopes": [ADMIN]}
_NO_USER: Final = {"description": "There is no such user, or they are not yours to see."}
_MORE_POWERFUL: Final = {"description": "They are, or would be, more powerful than you."}
_WHERE: Final = "Of this tenant; another tenant's: the operator."

UserId = Annotated[str, Path(description="The user's id.")]


class _OtherThanMe(StringConvertor):
    """Matches every id but `me`, which is a path of its own: it would hide which methods that one has."""

    regex = "(?!me$)[^/]+"


register_url_convertor("user_id", _OtherThanMe())


def routes(directory: Directory, idempotency: Idempotency, paging: Paging) -> APIRouter:
    """The routes of users."""
    router = APIRouter(prefix="/v1/users", route_class=GuardedRoute, tags=["Users"])

    def place_of(user: Mapping[str, Any]) -> str:
        return f"/v1/users/{user['id']}"

    @router.get(
        "",
        operation_id="listUsers",
        summary="List the tenant's users, newest first",
        responses={200: {"model": schemas.UserPage, "description": "A page of users."}, 404: NO_TENANT},
        openapi_extra=_ADMIN,
    )
    async def listing(
        caller: Caller,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
        tenant_id: Annotated[str | None, Query(max_length=bodies.ID_MAX, description=_WHERE)] = None,
        search: Search = None,
    ) -> Response:
        context = f"users {caller.tenant(tenant_id)} {search or ''}"
        found = await directory.users(
            caller, paging.page(limit, cursor, context), tenant_id=tenant_id, search=search
        )
        return paging.answer(found, limit, context, user_resource, lambda user: (user.created_at, user.id))

    @router.post(
        "",
        operation_id="createUser",
        summary="Create a person or a service",
        status_code=201,
        responses={
            201: {"model": schemas.User, "description": "The user."},
            403: _MORE_POWERFUL,
            404: NO_TENANT,
            409: {
                "description": (
                    "Somebody in the tenant has this e-mail address, or the Idempotency-Key was used for a "
                    "different call."
                )
            },
        },
        openapi_extra=_ADMIN,
    )
    async def create(request: Request, caller: Caller, body: bodies.NewUser) -> Response:
        attempt = await attempt_of(request, idempotency, caller)
        outcome = await directory.create_user(
            caller,
            kind=body.kind,
            name=body.name,
            email=body.email,
            role=body.role,
            scopes=body.scopes,
            tenant_id=body.tenant_id,
            claim_for=claim_for(idempotency, attempt, user_resource),
        )
        return created(idempotency, attempt, outcome, user_resource, place_of)

    @router.get(
        "/me",
        operation_id="getMe",
        summary="Show the caller's own user",
        responses={200: {"model": schemas.User, "description": "The user behind the credential."}},
        openapi_extra=_READS,
    )
    async def me(caller: Caller) -> Response:
        if caller.user_id is None:  # pragma: no cover - every credential on the wire has a user
            message = "This credential has no user."
            raise NotFound(message)
        return reply(json_answer(200, user_resource(await directory.user(caller, caller.user_id))))

    @router.get(
        "/{user_id:user_id}",
        operation_id="getUser",
        summary="Show a user",
        responses={200: {"model": schemas.User, "description": "The user."}, 404: _NO_USER},
        openapi_extra=_READS,
    )
    async def get(caller: Caller, user_id: UserId) -> Response:
        return reply(json_answer(200, user_resource(await directory.user(caller, user_id))))

    @router.patch(
        "/{user_id:user_id}",
        operation_id="changeUser",
        summary="Change a user",
        description="What is left out stays. A disabled user's credentials are refused at once.",
        responses={
            200: {"model": schemas.User, "description": "The user as they are now."},
            403: _MORE_POWERFUL,
            404: _NO_USER,
            409: {
                "description": (
                    "Somebody in the tenant has this e-mail address, or the tenant would be left without an "
                    "active owner."
                )
            },
        },
        openapi_extra=_WRITES,
    )
    async def change(caller: Caller, user_id: UserId, body: bodies.UserPatch) -> Response:
        given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
        if "scopes" in given and given["scopes"] is not None:
            given["scopes"] = frozenset(given["scopes"])
        if "status" in given:
            given["status"] = Status(given["status"])
        return reply(
            json_answer(
                200, user_resource(await directory.change_user(caller, user_id, UserChanges(**given)))
            )
        )

    @router.delete(
        "/{user_id:user_id}",
        operation_id="deleteUser",
        summary="Delete a user and revoke all their credentials",
        status_code=204,
        responses={
            204: {"description": "The user is gone."},
            403: _MORE_POWERFUL,
            404: _NO_USER,
            409: {"description": "The tenant would be left without an active owner."},
        },
        openapi_extra=_ADMIN,
    )
    async def delete(caller: Caller, user_id: UserId) -> Response:
        await directory.delete_user(caller, user_id)
        return Response(status_code=204)

    return router
