"""`/oauth/par` and `/oauth/device_authorization`: what clients ask for before a person is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NoReturn

from fastapi import APIRouter, Request, Response

from bonafides import errors
from bonafides.delegation import Client
from bonafides.oauth.authorization_request import Refusal
from bonafides.oauth.client_authentication import ClientAuthentication, named_in
from bonafides.oauth.client_documents import ClientDocuments
from bonafides.oauth.devices import Devices
from bonafides.oauth.dpop import KeyProofs, algorithms_of
from bonafides.oauth.pushed_requests import PushedRequests
from bonafides.verification.limiter import AddressLimiter
from bonafides.web.answers import json_answer
from bonafides.web.forms import FORM
from bonafides.web.guard import VISITED, VisitedRoute, exchange_of
from bonafides.web.logins import visitor_of
from bonafides.web.oauth.devices import DEVICE
from bonafides.web.oauth.parameters import JSON_TYPE, described_body, parameters_of
from bonafides.web.oauth.token import TOKEN_PATH, authorization_of, proofs_told
from bonafides.web.replies import reply
from bonafides.web.schemas import BegunDevice, PushedAnswer

PAR_PATH: Final = "/oauth/par"
DEVICE_PATH: Final = "/oauth/device_authorization"

_NOT_A_CLIENT: Final = {"description": "The client is unknown, disabled, or did not prove who it is."}
_REFUSED: Final = {
    "invalid_request_object": errors.InvalidRequestObject,
    "invalid_scope": errors.InvalidScope,
    "invalid_target": errors.InvalidTarget,
    "unauthorized_client": errors.UnauthorizedClient,
    "unsupported_response_type": errors.UnsupportedResponseType,
}


class RequestCalls:
    """Answers clients that ask ahead.

    Args:
        authentication: Finds out who calls.
        documents: Find those who describe themselves.
        pushed_requests: Takes authorization requests.
        devices: Takes requests of devices.
        proofs: Judge what shows that a client holds a key.
        addresses: Counted the call before anybody was known; who proves who they are gets it back.
        base_url: The server's own.
    """

    def __init__(
        self,
        authentication: ClientAuthentication,
        documents: ClientDocuments,
        pushed_requests: PushedRequests,
        devices: Devices,
        proofs: KeyProofs,
        addresses: AddressLimiter,
        base_url: str,
    ) -> None:
        self._authentication = authentication
        self._documents = documents
        self._pushed_requests = pushed_requests
        self._devices = devices
        self._proofs = proofs
        self._addresses = addresses
        self._base_url = base_url

    async def push(self, request: Request) -> Response:
        """Take an authorization request."""
        client, pairs = await self._asked(request, PAR_PATH)
        pairs = await self._bound(request, client, pairs)
        pushed = await self._pushed_requests.push(client, pairs)
        if isinstance(pushed, Refusal):
            _refuse(pushed)
        self._addresses.give_back(exchange_of(request).address)
        body = {"request_uri": pushed.request_uri, "expires_in": pushed.expires_in}
        return reply(json_answer(201, body))

    async def _bound(
        self, request: Request, client: Client, pairs: Sequence[tuple[str, str]]
    ) -> Sequence[tuple[str, str]]:
        """What is asked, with the key that a proof beside it shows: the code will be bound to it.

        See: RFC 9449 §10.1
        """
        found = proofs_told(request, self._proofs)
        if not found:
            return pairs
        urls = (self._base_url + PAR_PATH,)
        proof = self._proofs.read(found, "POST", urls, algorithms=algorithms_of(client))
        named = dict(pairs).get("dpop_jkt", proof.jkt)
        if named != proof.jkt:
            message = "dpop_jkt: is not the key of the proof in DPoP."
            raise errors.InvalidDpopProof(message, field="dpop_jkt")
        await self._proofs.spend(proof)
        return [*(pair for pair in pairs if pair[0] != "dpop_jkt"), ("dpop_jkt", proof.jkt)]

    async def begin(self, request: Request) -> Response:
        """Take a device's request."""
        client, pairs = await self._asked(request, DEVICE_PATH)
        begun = await self._devices.begin(client, pairs, exchange_of(request).address)
        if isinstance(begun, Refusal):
            _refuse(begun)
        page = self._base_url + DEVICE
        body = {
            "device_code": begun.device_code,
            "user_code": begun.user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={begun.user_code}",
            "expires_in": begun.expires_in,
            "interval": begun.interval,
        }
        return reply(json_answer(200, body))

    async def _asked(self, request: Request, path: str) -> tuple[Client, Sequence[tuple[str, str]]]:
        """Who asks, and what."""
        parameters = await parameters_of(request)
        await self._documents.introduce(named_in(parameters.fields) or "", visitor_of(request))
        endpoints = (self._base_url + path, self._base_url + TOKEN_PATH)
        client = await self._authentication.authenticate(
            authorization_of(request), parameters.fields, endpoints
        )
        resources = [("resource", resource) for resource in parameters.all("resource")]
        return client, [*parameters.fields.items(), *resources]


def _refuse(refusal: Refusal) -> NoReturn:
    raise _REFUSED.get(refusal.error, errors.InvalidRequest)(refusal.description)


def routes(calls: RequestCalls) -> APIRouter:
    """The routes of what is asked ahead."""
    router = APIRouter(route_class=VisitedRoute, tags=["OAuth 2.0"])

    @router.post(
        PAR_PATH,
        operation_id="pushAuthorizationRequest",
        summary="Send an authorization request ahead, as a client (RFC 9126)",
        description=(
            "The client proves who it is as at `/oauth/token`, and sends what it would send a browser with. It is judged at once. "
            "The browser is sent with `client_id` and the `request_uri` alone, which serves once."
        ),
        status_code=201,
        responses={
            201: {"model": PushedAnswer, "description": "What the browser is sent with."},
            401: _NOT_A_CLIENT,
        },
        openapi_extra={
            **VISITED,
            "requestBody": described_body("PushedAuthorizationRequest", FORM, JSON_TYPE),
        },
    )
    async def push(request: Request) -> Response:
        return await calls.push(request)

    @router.post(
        DEVICE_PATH,
        operation_id="beginDeviceAuthorization",
        summary="Ask for access from a device without a browser (RFC 8628)",
        description=(
            "The device shows `user_code` and `verification_uri`, and asks `/oauth/token` with `device_code` every `interval` seconds what has become of it."
        ),
        responses={
            200: {"model": BegunDevice, "description": "What the device shows, and asks with."},
            401: _NOT_A_CLIENT,
        },
        openapi_extra={
            **VISITED,
            "requestBody": described_body("DeviceAuthorizationRequest", FORM, JSON_TYPE),
        },
    )
    async def begin(request: Request) -> Response:
        return await calls.begin(request)

    return router
