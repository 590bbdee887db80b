"""`/v1/clients`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel

from bonafides.delegation import Client, ClientChanges
from bonafides.idempotency import Idempotency
from bonafides.model import ADMIN, Status
from bonafides.oauth.client_metadata import in_order
from bonafides.oauth.clients import Clients, ClientWish, MadeClient, MadeSecret
from bonafides.resources import SHOWN_METADATA, client_resource, client_secret_resource
from bonafides.web.answers import json_answer
from bonafides.web.bodies import ID_MAX, ClientPatch, NewClient, NewClientSecret
from bonafides.web.guard import Caller, GuardedRoute
from bonafides.web.paging import LIMIT_DEFAULT, Cursor, Limit, Paging
from bonafides.web.replies import NOT_ADMIN, attempt_of, claim_for, created, reply
from bonafides.web.schemas import Client as ClientSchema
from bonafides.web.schemas import (
    ClientPage,
    ClientWithSecrets,
    MadeClientSecret,
)
from bonafides.web.schemas import MadeClient as MadeClientSchema

_ADMIN: Final = {"x-required-scopes": [ADMIN]}
_NO_CLIENT: Final = {"description": "There is no such client, or it is not yours to see."}
_TOO_MUCH: Final = {
    "description": "You need the scope admin, and every scope that the client has or would have."
}
_WHERE: Final = "Of this tenant; another tenant's: the operator."
_LISTS: Final = ("redirect_uris", "post_logout_redirect_uris", "audiences")
_SETS: Final = ("scopes", "grant_types")

ClientId = Annotated[str, Path(description="The client's id, which is its `client_id`.")]
SecretId = Annotated[str, Path(description="The secret's id.")]


def changes_of(body: BaseModel, given: frozenset[str]) -> ClientChanges:
    """What a body says of a client, as far as it says anything.

    Args:
        body: Its fields.
        given: Those that were sent.
    """
    changes: dict[str, Any] = {}
    for name in given - {"tenant_id", *SHOWN_METADATA}:
        value = getattr(body, name)
        if name in _LISTS:
            changes[name] = tuple(dict.fromkeys(value))
        elif name == "response_types":
            if value is not None:
                changes[name] = frozenset(map(in_order, value))
        elif name in _SETS:
            if value is not None:
                changes[name] = frozenset(value)
        elif name == "access_token_format":
            changes["token_format"] = value
        elif name == "dpop_bound_access_tokens":
            changes["dpop_bound"] = value
        elif name == "jwks":
            changes[name] = value or {}
        elif name == "status":
            changes[name] = Status(value)
        else:
            changes[name] = value
    return ClientChanges(**changes)


def routes(clients: Clients, idempotency: Idempotency, paging: Paging) -> APIRouter:
    """The routes of OAuth clients."""
    router = APIRouter(prefix="/v1/clients", route_class=GuardedRoute, tags=["OAuth clients"])

    def show_made(made: MadeClient) -> dict[str, Any]:
        return {
            **client_resource(made.client),
            "client_secret": None if made.secret is None else made.secret.secret,
        }

    def show_made_secret(made: MadeSecret) -> dict[str, Any]:
        return {**client_secret_resource(made.record), "client_secret": made.secret}

    def place_of(made: Mapping[str, Any]) -> str:
        return f"/v1/clients/{made['id']}"

    def place_of_secret(made: Mapping[str, Any]) -> str:
        return f"/v1/clients/{made['client_id']}"

    @router.post(
        "",
        operation_id="createClient",
        summary="Create an OAuth client",
        description=(
            "By the names of RFC 7591. What it does by itself, with `client_credentials`, it does as a service user of the same id."
        ),
        status_code=201,
        responses={
            201: {"model": MadeClientSchema, "description": "The client with its secret, shown this once."},
            403: _TOO_MUCH,
            404: {"description": "There is no such tenant, or it is not yours to see."},
            409: {"description": "The Idempotency-Key was used for a different call."},
        },
        openapi_extra=_ADMIN,
    )
    async def create(request: Request, caller: Caller, body: NewClient) -> Response:
        attempt = await attempt_of(request, idempotency, caller)
        given = frozenset(body.model_fields_set)
        changes = with_metadata(changes_of(body, given - {"name", "scopes"}), body, given, {})
        wish = ClientWish(body.name, body.scopes, changes, body.tenant_id)
        outcome = await clients.create(caller, wish, claim_for=claim_for(idempotency, attempt, show_made))
        return created(idempotency, attempt, outcome, show_made, place_of)

    @router.get(
        "",
        operation_id="listClients",
        summary="List OAuth clients, newest first",
        responses={
            200: {"model": ClientPage, "description": "A page of clients."},
            403: NOT_ADMIN,
            404: {"description": "There is no such tenant, or it is not yours to see."},
        },
        openapi_extra=_ADMIN,
    )
    async def listing(
        caller: Caller,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
        tenant_id: Annotated[str | None, Query(max_length=ID_MAX, description=_WHERE)] = None,
    ) -> Response:
        context = f"clients {caller.tenant(tenant_id)}"
        found = await clients.page(caller, paging.page(limit, cursor, context), tenant_id=tenant_id)
        return paging.answer(
            found, limit, context, client_resource, lambda client: (client.created_at, client.id)
        )

    @router.get(
        "/{client_id}",
        operation_id="getClient",
        summary="Show an OAuth client, and which secrets it has",
        responses={
            200: {
                "model": ClientWithSecrets,
                "description": "The client; of its secrets, what tells them apart.",
            },
            403: NOT_ADMIN,
            404: _NO_CLIENT,
        },
        openapi_extra=_ADMIN,
    )
    async def get(caller: Caller, client_id: ClientId) -> Response:
        client = await clients.get(caller, client_id)
        held = await clients.secrets(caller, client_id)
        shown = {**client_resource(client), "secrets": [client_secret_resource(each) for each in held]}
        return reply(json_answer(200, shown))

    @router.patch(
        "/{client_id}",
        operation_id="changeClient",
        summary="Change, disable or enable an OAuth client",
        description="What is left out stays. Scopes that it loses are lost to its tokens at once.",
        responses={
            200: {"model": ClientSchema, "description": "The client as it is now."},
            403: _TOO_MUCH,
            404: _NO_CLIENT,
        },
        openapi_extra=_ADMIN,
    )
    async def change(caller: Caller, client_id: ClientId, body: ClientPatch) -> Response:
        current: Client = await clients.get(caller, client_id)
        given = frozenset(body.model_fields_set)
        changes = with_metadata(changes_of(body, given), body, given, current.metadata)
        return reply(json_answer(200, client_resource(await clients.change(caller, client_id, changes))))

    @router.delete(
        "/{client_id}",
        operation_id="deleteClient",
        summary="Delete an OAuth client, and end every token that it was given",
        status_code=204,
        responses={204: {"description": "It is gone."}, 403: NOT_ADMIN, 404: _NO_CLIENT},
        openapi_extra=_ADMIN,
    )
    async def delete(caller: Caller, client_id: ClientId) -> Response:
        await clients.delete(caller, client_id)
        return Response(status_code=204)

    @router.post(
        "/{client_id}/secrets",
        operation_id="createClientSecret",
        summary="Give an OAuth client another secret",
        description="The others stay, unless `overlap_seconds` says when they end: so a secret is rotated without an outage.",
        status_code=201,
        responses={
            201: {"model": MadeClientSecret, "description": "The secret, shown this once."},
            403: _TOO_MUCH,
            404: _NO_CLIENT,
            409: {
                "description": (
                    "The client uses no secret, or has ten already, or the Idempotency-Key was used for a different call."
                )
            },
        },
        openapi_extra=_ADMIN,
    )
    async def add_secret(
        request: Request, caller: Caller, client_id: ClientId, body: NewClientSecret | None = None
    ) -> Response:
        attempt = await attempt_of(request, idempotency, caller)
        wish = body or NewClientSecret()
        outcome = await clients.add_secret(
            caller,
            client_id,
            wish.name,
            expires_at=wish.expires_at,
            expires_in=wish.expires_in,
            overlap_seconds=wish.overlap_seconds,
            claim_for=claim_for(idempotency, attempt, show_made_secret),
        )
        return created(idempotency, attempt, outcome, show_made_secret, place_of_secret)

    @router.delete(
        "/{client_id}/secrets/{secret_id}",
        operation_id="deleteClientSecret",
        summary="Delete a secret of an OAuth client",
        status_code=204,
        responses={
            204: {"description": "It proves nothing any more."},
            403: NOT_ADMIN,
            404: {"description": "There is no such secret, or the client is not yours to see."},
        },
        openapi_extra=_ADMIN,
    )
    async def remove_secret(caller: Caller, client_id: ClientId, secret_id: SecretId) -> Response:
        await clients.remove_secret(caller, client_id, secret_id)
        return Response(status_code=204)

    return router


def with_metadata(
    changes: ClientChanges, body: NewClient | ClientPatch, given: frozenset[str], current: Mapping[str, Any]
) -> ClientChanges:
    """The changes, with what else a body says of a client; null takes a line away."""
    said: dict[str, Any] = {name: getattr(body, name) for name in SHOWN_METADATA if name in given}
    if not said:
        return changes
    whole = dict(current) | said
    return replace(changes, metadata={name: value for name, value in whole.items() if value is not None})
