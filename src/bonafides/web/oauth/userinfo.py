"""`/oauth/userinfo`: who the person is that an access token speaks for, as far as it may know."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Response

from bonafides.model import EMAIL, OPENID, PROFILE, User
from bonafides.web.answers import json_answer
from bonafides.web.guard import SCOPES_KEY, Caller, CallerPrincipal, GuardedRoute
from bonafides.web.replies import reply
from bonafides.web.schemas import UserInfo

PATH: Final = "/oauth/userinfo"
CLAIMS: Final = ("sub", "name", "updated_at", "email", "email_verified")
"""What is told at most."""


def claims_of(user: User, scopes: frozenset[str]) -> dict[str, Any]:
    """What is told of a person to who may have these scopes.

    See: OpenID Connect Core §5.3.2 and §5.4
    """
    claims: dict[str, Any] = {"sub": user.id}
    if PROFILE in scopes:
        claims |= {"name": user.name, "updated_at": int(user.updated_at.timestamp())}
    if EMAIL in scopes and user.email is not None:
        # Addresses are what administrators write down: nobody has proven that they are the person's.
        claims |= {"email": user.email, "email_verified": False}
    return claims


def routes() -> APIRouter:
    """The routes of userinfo."""
    router = APIRouter(route_class=GuardedRoute, tags=["OAuth 2.0"])

    async def userinfo(principal: CallerPrincipal, caller: Caller) -> Response:
        user = caller.user
        told = {"sub": principal.user_id} if user is None else claims_of(user, principal.scopes)
        return reply(json_answer(200, told))

    for method, operation_id in (("GET", "getUserinfo"), ("POST", "postUserinfo")):
        router.add_api_route(
            PATH,
            userinfo,
            methods=[method],
            operation_id=operation_id,
            summary="Who an access token speaks for (OpenID Connect Core §5.3)",
            description="With the scope `openid`; `profile` and `email` tell more.",
            responses={
                200: {"model": UserInfo, "description": "The claims that the token's scopes open."},
                403: {"description": "The token does not have the scope `openid`."},
            },
            openapi_extra={SCOPES_KEY: [OPENID]},
        )
    return router
