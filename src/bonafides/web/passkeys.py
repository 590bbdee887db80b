"""`/v1/auth/passkeys` and `/v1/auth/login/passkey`: passkeys added, renamed and asked for.

What is answered first is what a browser takes; what it gives is sent back as it is.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response

from bonafides.credentials.jwt_sessions import JwtSessions
from bonafides.credentials.passkey_logins import PasskeyLogins
from bonafides.credentials.passkeys import Passkeys
from bonafides.credentials.step_ups import StepUps
from bonafides.model import WRITE
from bonafides.resources import passkey_resource
from bonafides.web.answers import json_answer
from bonafides.web.bodies import ID_MAX
from bonafides.web.guard import SCOPES_KEY, VISITED, Caller, GuardedRoute, VisitedRoute
from bonafides.web.logins import AsCookie, LoginCalls
from bonafides.web.passkey_bodies import NewPasskeyBody, PasskeyChange, PasskeyLogin, PasskeyWish
from bonafides.web.passkey_schemas import AddedPasskey, CreationOptions, PasskeyFactor, RequestOptions
from bonafides.web.replies import reply
from bonafides.web.schemas import TokensAnswer

_NOT_LATELY: Final[dict[str, Any]] = {
    "description": (
        "The credential is not of a login, or that login is too long ago: `WWW-Authenticate` says "
        "`insufficient_user_authentication`, and `/v1/auth/step-up` helps."
    )
}
_NAMELESS: Final = "the server is known by an address alone, for which browsers have no passkeys."


def routes(
    passkeys: Passkeys,
    passkey_logins: PasskeyLogins,
    step_ups: StepUps,
    sessions: JwtSessions,
    calls: LoginCalls,
) -> APIRouter:
    """The routes of passkeys."""
    router = APIRouter()
    router.include_router(_visited(passkey_logins, calls))
    router.include_router(_guarded(passkeys, step_ups, sessions))
    return router


def _visited(passkey_logins: PasskeyLogins, calls: LoginCalls) -> APIRouter:
    router = APIRouter(prefix="/v1/auth/login/passkey", route_class=VisitedRoute, tags=["Login"])

    @router.post(
        "/options",
        operation_id="askForPasskey",
        summary="What a browser is asked for a login by passkey",
        description=(
            "Without an `mfa_token`, for signing in by a passkey alone; with one, for the second step after a password. "
            "Nothing is kept until the answer comes."
        ),
        responses={
            200: {"model": RequestOptions, "description": "For `navigator.credentials.get`."},
            401: {"description": "The first step is too long ago."},
            409: {"description": f"There is no passkey to ask for, or {_NAMELESS}"},
        },
        openapi_extra=VISITED,
    )
    async def options(body: PasskeyWish | None = None) -> Response:
        if body is None or body.mfa_token is None:
            return reply(json_answer(200, passkey_logins.options()))
        return reply(json_answer(200, await passkey_logins.step_options(body.mfa_token)))

    @router.post(
        "",
        operation_id="logInByPasskey",
        summary="Log in with a passkey alone",
        description=(
            "Send what `navigator.credentials.get` gave for `/v1/auth/login/passkey/options`. A passkey that its user has unlocked "
            "is two factors in one, so nothing else is asked for."
        ),
        responses={
            200: {
                "model": TokensAnswer,
                "description": "The session's tokens; with cookies, only when they end.",
                "headers": {
                    "Set-Cookie": {
                        "description": "`__Host-session` and `__Host-refresh`, where cookies are wanted.",
                        "schema": {"type": "string"},
                    }
                },
            },
            401: {
                "description": "Nobody has this passkey, or it has not signed what was asked, or too late, or not for this server."
            },
            409: {"description": f"It cannot be, for {_NAMELESS}"},
        },
        openapi_extra=VISITED,
    )
    async def login(*, request: Request, body: PasskeyLogin, as_cookie: AsCookie = False) -> Response:
        return await calls.passkey(request, body.credential, as_cookie=as_cookie)

    return router


def _guarded(passkeys: Passkeys, step_ups: StepUps, sessions: JwtSessions) -> APIRouter:
    router = APIRouter(route_class=GuardedRoute, tags=["Second factors"])

    @router.post(
        "/v1/auth/passkeys/options",
        operation_id="beginPasskey",
        summary="What a browser is asked for a new passkey",
        responses={
            200: {"model": CreationOptions, "description": "For `navigator.credentials.create`."},
            403: _NOT_LATELY,
            409: {"description": f"You have as many as one may have, or {_NAMELESS}"},
        },
        openapi_extra={SCOPES_KEY: [WRITE]},
    )
    async def begin(caller: Caller) -> Response:
        own = await sessions.own_session(caller)
        return reply(json_answer(200, await passkeys.begin(caller, own_session=own)))

    @router.post(
        "/v1/auth/passkeys",
        operation_id="addPasskey",
        summary="Take a passkey into use",
        description=(
            "Send what `navigator.credentials.create` gave for `/v1/auth/passkeys/options`. From then on a password alone is not enough. "
            "Recovery codes come with the first factor."
        ),
        status_code=201,
        responses={
            201: {"model": AddedPasskey, "description": "The passkey is in use."},
            403: _NOT_LATELY,
            409: {"description": f"Somebody has this passkey already, or {_NAMELESS}"},
        },
        openapi_extra={SCOPES_KEY: [WRITE]},
    )
    async def add(caller: Caller, body: NewPasskeyBody) -> Response:
        made = await passkeys.add(
            caller,
            body.credential,
            body.name,
            own_session=await sessions.own_session(caller),
            end_others=body.end_sessions,
        )
        shown = {
            **passkey_resource(made.passkey),
            "recovery_codes": list(made.recovery_codes),
            "ended_sessions": made.ended_sessions,
        }
        return reply(json_answer(201, shown, (b"location", b"/v1/auth/factors")))

    @router.patch(
        "/v1/auth/factors/{factor_id}",
        operation_id="renameFactor",
        summary="Rename one of your passkeys",
        responses={
            200: {"model": PasskeyFactor, "description": "The passkey."},
            403: _NOT_LATELY,
            404: {"description": "You have no such passkey."},
        },
        openapi_extra={SCOPES_KEY: [WRITE]},
    )
    async def rename(
        caller: Caller,
        factor_id: Annotated[str, Path(max_length=ID_MAX, description="As it is listed.")],
        body: PasskeyChange,
    ) -> Response:
        return reply(json_answer(200, passkey_resource(await passkeys.rename(caller, factor_id, body.name))))

    @router.post(
        "/v1/auth/step-up/options",
        operation_id="askForStepUp",
        summary="What a browser is asked for a step-up by passkey",
        responses={
            200: {"model": RequestOptions, "description": "For `navigator.credentials.get`."},
            409: {"description": f"You have no passkey, or {_NAMELESS}"},
        },
        openapi_extra={SCOPES_KEY: []},
    )
    async def step_up_options(caller: Caller) -> Response:
        return reply(json_answer(200, await step_ups.options(caller)))

    return router
