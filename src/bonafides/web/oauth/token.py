"""`/oauth/token` and `/oauth/revoke`: for clients, which prove who they are in each call."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from bonafides.errors import InvalidRequest
from bonafides.model import Actor
from bonafides.oauth.client_authentication import Claim, ClientAuthentication
from bonafides.oauth.dpop import KeyProofs
from bonafides.oauth.revocation import Revocation
from bonafides.oauth.token_endpoint import TokenEndpoint, TokenRequest
from bonafides.verification.limiter import AddressLimiter
from bonafides.web.answers import NO_STORE, Answer, json_answer
from bonafides.web.bound import NONCE, proofs_of
from bonafides.web.exchange import Exchange
from bonafides.web.forms import FORM
from bonafides.web.guard import VISITED, VisitedRoute, exchange_of
from bonafides.web.oauth.parameters import JSON_TYPE, Parameters, described_body, parameters_of
from bonafides.web.replies import reply
from bonafides.web.schemas import TokenAnswer

TOKEN_PATH: Final = "/oauth/token"
REVOCATION_PATH: Final = "/oauth/revoke"

_NOT_A_CLIENT: Final = {"description": "The client is unknown, disabled, or did not prove who it is."}


class TokenCalls:
    """Answers calls of clients.

    Args:
        endpoint: Gives tokens.
        authentication: Finds out who calls.
        revocation: Takes them back.
        proofs: Give out what the next proof of a key repeats.
        addresses: Counted the call before anybody was known; who proves who they are gets it back.
        endpoints: URLs that client assertions may be for, beside the issuer.
    """

    def __init__(
        self,
        endpoint: TokenEndpoint,
        authentication: ClientAuthentication,
        revocation: Revocation,
        proofs: KeyProofs,
        addresses: AddressLimiter,
        endpoints: tuple[str, ...],
    ) -> None:
        self._endpoint = endpoint
        self._authentication = authentication
        self._revocation = revocation
        self._proofs = proofs
        self._addresses = addresses
        self._endpoints = endpoints

    async def token(self, request: Request) -> Response:
        """Give tokens."""
        parameters = await parameters_of(request)
        authorization, proofs = authorization_of(request), proofs_told(request, self._proofs)
        return reply(await self.grant(exchange_of(request), authorization, parameters, proofs))

    async def grant(
        self,
        exchange: Exchange,
        authorization: bytes | None,
        parameters: Parameters,
        proofs: tuple[str, ...] = (),
        claim: Claim | None = None,
    ) -> Answer:
        """The tokens that a request asks for, whichever way it was read.

        Args:
            exchange: What is known of the request; its visit was counted.
            authorization: The value of the Authorization header.
            parameters: The fields of its body.
            proofs: The values of the `DPoP` headers.
            claim: Who its client says it is, where that was read before.
        """
        answer = await self._endpoint.answer(
            TokenRequest(
                authorization,
                parameters.fields,
                parameters.all("resource"),
                exchange.address,
                exchange.request_id,
                proofs,
                parameters.all("audience"),
                claim,
            )
        )
        self._addresses.give_back(exchange.address)
        return json_answer(200, answer)

    def claim(self, authorization: bytes | None, parameters: Parameters) -> Claim | None:
        """Who a client says it is, where a secret shall prove it.

        Raises:
            InvalidClient: It cannot be read.
            InvalidRequest: It tries to prove it in two ways.
        """
        return self._authentication.claim(authorization, parameters.fields)

    async def revoke(self, request: Request) -> Response:
        """Take a token back."""
        exchange = exchange_of(request)
        fields = (await parameters_of(request)).fields
        client = await self._authentication.authenticate(authorization_of(request), fields, self._endpoints)
        token = fields.get("token")
        if token is None:
            message = "token: say which token shall be revoked."
            raise InvalidRequest(message, field="token")
        actor = Actor(client.id, client.id, "revocation", exchange.request_id, exchange.address)
        await self._revocation.revoke(client, token, actor)
        self._addresses.give_back(exchange.address)
        return reply(Answer(200, [NO_STORE], b""))


def proofs_told(request: Request, proofs: KeyProofs) -> tuple[str, ...]:
    """The values of the `DPoP` headers; whoever sends one is told what the next one repeats.

    See: RFC 9449 §8.2
    """
    found = tuple(proofs_of(request.scope["headers"]))
    if found:
        exchange_of(request).told.append((NONCE, proofs.nonce().encode("ascii")))
    return found


def authorization_of(request: Request) -> bytes | None:
    """The value of the Authorization header.

    Raises:
        InvalidRequest: There are two.
    """
    found = [value for name, value in request.scope["headers"] if name == b"authorization"]
    if len(found) > 1:
        message = "Authorization must be sent once."
        raise InvalidRequest(message, field="Authorization")
    return found[0] if found else None


def routes(calls: TokenCalls) -> APIRouter:
    """The routes of clients."""
    router = APIRouter(route_class=VisitedRoute, tags=["OAuth 2.0"])

    @router.post(
        TOKEN_PATH,
        operation_id="requestToken",
        summary="Get tokens, as a client (RFC 6749)",
        description=(
            "The client proves who it is by `client_secret_basic`, `client_secret_post` or `private_key_jwt`, or, a public one, says who it is. "
            "A form, or JSON with the same fields. Fields that are not known are left aside."
        ),
        responses={
            200: {"model": TokenAnswer, "description": "The tokens."},
            401: _NOT_A_CLIENT,
        },
        openapi_extra={**VISITED, "requestBody": described_body("TokenRequest", FORM, JSON_TYPE)},
    )
    async def token(request: Request) -> Response:
        return await calls.token(request)

    @router.post(
        REVOCATION_PATH,
        operation_id="revokeToken",
        summary="Revoke a token, as the client that it was given to (RFC 7009)",
        description=(
            "An access token ends alone; with a refresh token ends all that it goes on with. 200 also for a token that is unknown, "
            "or another client's."
        ),
        responses={200: {"description": "It is not good any more."}, 401: _NOT_A_CLIENT},
        response_class=Response,
        openapi_extra={**VISITED, "requestBody": described_body("RevocationRequest", FORM, JSON_TYPE)},
    )
    async def revoke(request: Request) -> Response:
        return await calls.revoke(request)

    return router
