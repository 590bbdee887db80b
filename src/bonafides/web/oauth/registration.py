"""`/oauth/register`: clients that register themselves, and see and change what they have registered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Path, Request, Response
from pydantic import ValidationError

from bonafides.delegation import Client
from bonafides.errors import InvalidClientMetadata, InvalidRedirectUri, InvalidRequest, InvalidScope
from bonafides.model import Reason
from bonafides.oauth.client_metadata import SAID_METADATA
from bonafides.oauth.clients import ClientWish
from bonafides.oauth.registrations import Registrations
from bonafides.resources import REGISTRATION_PATH, SHOWN_METADATA, registration_resource
from bonafides.web.answers import json_answer
from bonafides.web.guard import VISITED, VisitedRoute, exchange_of, read_body
from bonafides.web.logins import refused, visitor_of
from bonafides.web.malformed import malformed
from bonafides.web.manage.clients import changes_of
from bonafides.web.oauth.parameters import JSON_TYPE, described_body
from bonafides.web.oauth.token import authorization_of
from bonafides.web.registered import ClientRegistration, ClientReregistration, RegisteredClient
from bonafides.web.replies import reply

T = TypeVar("T", bound=ClientRegistration)

_OF_CLIENT: Final = frozenset(
    {
        "dpop_bound_access_tokens",
        "grant_types",
        "jwks",
        "post_logout_redirect_uris",
        "redirect_uris",
        "response_types",
        "token_endpoint_auth_method",
    }
)
_URIS: Final = frozenset({"redirect_uris", "post_logout_redirect_uris"})
_NOT_YOURS: Final = {"description": "The token is missing, or not this client's registration access token."}
_NO_ENTRY: Final = {
    "description": "Not everybody may register here, or the initial access token is not good."
}
_SHOWN: Final = {"model": RegisteredClient, "description": "What is registered."}


ClientId = Annotated[str, Path(description="The client's `client_id`.")]


class RegistrationCalls:
    """Answers clients that register themselves.

    Args:
        registrations: Makes, finds and changes them.
        base_url: This server's own.
    """

    def __init__(self, registrations: Registrations, base_url: str) -> None:
        self._registrations = registrations
        self._base_url = base_url

    async def register(self, request: Request) -> Response:
        """Take a client."""
        presented = bearer_of(request)
        if presented is None and not self._registrations.is_open:
            raise refused(Reason.MISSING, exchange_of(request))
        token = None if presented is None else await self._registrations.admitted(presented)
        if presented is not None and token is None:
            raise refused(Reason.INVALID_TOKEN, exchange_of(request))
        body = await _said(request, ClientRegistration)
        visitor, request_id = visitor_of(request), exchange_of(request).request_id
        try:
            registered = await self._registrations.register(
                token, _wish(body), visitor, request_id=request_id
            )
        except (InvalidRequest, InvalidScope) as error:
            raise of_metadata(error) from None
        if registered is None:
            raise refused(Reason.INVALID_TOKEN, exchange_of(request))
        made = registered.made
        secret = None if made.secret is None else made.secret.secret
        told = registration_resource(made.client, self._base_url, registered.token, secret)
        return reply(json_answer(201, told))

    async def show(self, request: Request, client_id: str) -> Response:
        """What a client has registered."""
        client, token = await self._own(request, client_id)
        return reply(json_answer(200, registration_resource(client, self._base_url, token, None)))

    async def change(self, request: Request, client_id: str) -> Response:
        """Take what a client says of itself now."""
        client, token = await self._own(request, client_id)
        body = await _said(request, ClientReregistration)
        if body.client_id != client.id:
            message = "client_id: must be the one that was given to the client."
            raise InvalidClientMetadata(message, field="client_id")
        secret = body.client_secret
        if secret is not None and not await self._registrations.has_secret(client, secret):
            message = "client_secret: must be the client's own; it is not chosen by clients."
            raise InvalidClientMetadata(message, field="client_secret")
        visitor, request_id = visitor_of(request), exchange_of(request).request_id
        try:
            made = await self._registrations.change(client, _wish(body), visitor, request_id=request_id)
        except (InvalidRequest, InvalidScope) as error:
            raise of_metadata(error) from None
        new = None if made.secret is None else made.secret.secret
        return reply(json_answer(200, registration_resource(made.client, self._base_url, token, new)))

    async def delete(self, request: Request, client_id: str) -> Response:
        """Take a client back."""
        client, _ = await self._own(request, client_id)
        await self._registrations.delete(
            client, visitor_of(request), request_id=exchange_of(request).request_id
        )
        return Response(status_code=204)

    async def _own(self, request: Request, client_id: str) -> tuple[Client, str]:
        presented = bearer_of(request)
        if presented is None:
            raise refused(Reason.MISSING, exchange_of(request))
        client = await self._registrations.find(client_id, presented)
        if client is None:
            raise refused(Reason.INVALID_TOKEN, exchange_of(request))
        return client, presented


def bearer_of(request: Request) -> str | None:
    """The bearer token of a call that takes no credential of ours; None where there is no Authorization.

    Raises:
        InvalidRequest: There are two headers of it, or it is something else.
    """
    authorization = authorization_of(request)
    if authorization is None:
        return None
    scheme, _, token = authorization.decode("latin-1").strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        message = "Authorization must be Bearer with a token."
        raise InvalidRequest(message, field="Authorization")
    return token.strip()


def of_metadata(error: InvalidRequest | InvalidScope) -> InvalidClientMetadata | InvalidRedirectUri:
    """The same refusal by the names of registration.

    See: RFC 7591 §3.2.2
    """
    uris = (error.field or "").partition(".")[0] in _URIS
    return (InvalidRedirectUri if uris else InvalidClientMetadata)(error.public, field=error.field)


async def _said(request: Request, model: type[T]) -> T:
    """What a client says of itself.

    Raises:
        InvalidRequest: The body is not JSON.
        InvalidClientMetadata: It is malformed.
        InvalidRedirectUri: The same, of a redirect URI.
    """
    return _validated(await read_body(request, required=True), model)


def wish_of(said: Mapping[str, Any]) -> ClientWish:
    """What a client says of itself elsewhere.

    Raises:
        InvalidClientMetadata: It is malformed.
        InvalidRedirectUri: The same, of a redirect URI.
    """
    return _wish(_validated(said, ClientRegistration))


def _validated(value: object, model: type[T]) -> T:
    if isinstance(value, Mapping):
        value = {name: said for name, said in value.items() if said is not None}
    try:
        return model.model_validate(value)
    except ValidationError as error:
        # The place of what stands in the body: the first step names the body itself.
        problems = [{**problem, "loc": ("body", *problem["loc"])} for problem in error.errors()]
        raise of_metadata(malformed(problems)) from None


def _wish(body: ClientRegistration) -> ClientWish:
    given = frozenset(body.model_fields_set)
    said: dict[str, Any] = {
        name: getattr(body, name) for name in (*SHOWN_METADATA, *SAID_METADATA) if name in given
    }
    changes = changes_of(body, given & _OF_CLIENT)
    return ClientWish(body.client_name, body.scope.split(), replace(changes, metadata=said))


def routes(calls: RegistrationCalls) -> APIRouter:
    """The routes of registration."""
    router = APIRouter(prefix=REGISTRATION_PATH, route_class=VisitedRoute, tags=["OAuth 2.0"])

    @router.post(
        "",
        operation_id="registerClient",
        summary="Register an OAuth client (RFC 7591)",
        description=(
            "With an initial access token as `Authorization: Bearer …`, or without one where the setting `self_registration` lets everybody. "
            "Fields that are not known are left aside."
        ),
        status_code=201,
        responses={
            201: {"model": RegisteredClient, "description": "The client, with what is shown this once."},
            401: _NO_ENTRY,
        },
        openapi_extra={**VISITED, "requestBody": described_body("ClientRegistration", JSON_TYPE)},
    )
    async def register(request: Request) -> Response:
        return await calls.register(request)

    @router.get(
        "/{client_id}",
        operation_id="getRegistration",
        summary="Show what a client has registered (RFC 7592)",
        description="With the client's registration access token as `Authorization: Bearer …`.",
        responses={200: _SHOWN, 401: _NOT_YOURS},
        openapi_extra=VISITED,
    )
    async def show(request: Request, client_id: ClientId) -> Response:
        return await calls.show(request, client_id)

    @router.put(
        "/{client_id}",
        operation_id="changeRegistration",
        summary="Replace what a client has registered (RFC 7592)",
        description=(
            "With the client's registration access token. What is not said again is as if it had never been said; scopes become fewer and never more."
        ),
        responses={200: _SHOWN, 401: _NOT_YOURS},
        openapi_extra={**VISITED, "requestBody": described_body("ClientReregistration", JSON_TYPE)},
    )
    async def change(request: Request, client_id: ClientId) -> Response:
        return await calls.change(request, client_id)

    @router.delete(
        "/{client_id}",
        operation_id="deleteRegistration",
        summary="Delete a client that has registered itself, and end every token that it was given (RFC 7592)",
        description="With the client's registration access token.",
        status_code=204,
        responses={204: {"description": "It is gone."}, 401: _NOT_YOURS},
        openapi_extra=VISITED,
    )
    async def delete(request: Request, client_id: ClientId) -> Response:
        return await calls.delete(request, client_id)

    return router
