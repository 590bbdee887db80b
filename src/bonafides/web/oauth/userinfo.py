"""`/oauth/userinfo`: who the person is that an access token speaks for, as far as it may know."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Response

from bonafides.credentials.signing_keys import SigningKeys
from bonafides.model import OPENID, Principal
from bonafides.oauth.claims import claims_of
from bonafides.oauth.clients import Clients
from bonafides.web.answers import NO_STORE, Answer, json_answer
from bonafides.web.guard import SCOPES_KEY, Caller, CallerPrincipal, GuardedRoute
from bonafides.web.replies import reply
from bonafides.web.schemas import UserInfo

PATH: Final = "/oauth/userinfo"
JWT: Final = (b"content-type", b"application/jwt")


def routes(clients: Clients, signing_keys: SigningKeys) -> APIRouter:
    """The routes of userinfo.

    Args:
        clients: Knows who gets it signed.
        signing_keys: Signs it.
    """
    router = APIRouter(route_class=GuardedRoute, tags=["OAuth 2.0"])

    async def userinfo(principal: CallerPrincipal, caller: Caller) -> Response:
        user = caller.user
        told = {"sub": principal.user_id} if user is None else claims_of(user, principal.scopes)
        client_id = client_of(principal)
        client = None if client_id is None else await clients.find(client_id)
        if client is None or client.userinfo_algorithm is None:
            return reply(json_answer(200, told))
        # OpenID Connect Core §5.3.2: with who says it, and to whom.
        signed = await signing_keys.sign({**told, "aud": client.wire_id}, algorithm=client.userinfo_algorithm)
        return reply(Answer(200, [JWT, NO_STORE], signed.encode("ascii")))

    for method, operation_id in (("GET", "getUserinfo"), ("POST", "postUserinfo")):
        router.add_api_route(
            PATH,
            userinfo,
            methods=[method],
            operation_id=operation_id,
            summary="Who an access token speaks for (OpenID Connect Core §5.3)",
            description=(
                "With the scope `openid`; `profile` and `email` tell more. A client that has said how it wants it signed "
                "(`userinfo_signed_response_alg`) gets a JWT, as `application/jwt`."
            ),
            responses={
                200: {"model": UserInfo, "description": "The claims that the token's scopes open."},
                403: {"description": "The token does not have the scope `openid`."},
            },
            openapi_extra={SCOPES_KEY: [OPENID]},
        )
    return router


def client_of(principal: Principal) -> str | None:
    """The client that a token was given to; None where it was given to none."""
    return None if principal.delegation is None else principal.delegation.client_id
