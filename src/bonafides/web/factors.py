"""`/v1/auth/factors`, `/v1/auth/recovery-codes` and `/v1/users/{id}/factors`: second factors, of oneself and of who has lost theirs."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Response

from bonafides.credentials.factors import SecondFactors
from bonafides.credentials.jwt_sessions import JwtSessions
from bonafides.credentials.passkeys import Passkeys
from bonafides.model import ADMIN, READ, WRITE, FactorKind
from bonafides.resources import factors_resource
from bonafides.web import schemas
from bonafides.web.answers import json_answer
from bonafides.web.bodies import ID_MAX, FactorConfirmation, NewFactor
from bonafides.web.guard import SCOPES_KEY, Caller, GuardedRoute
from bonafides.web.passkey_schemas import FactorPage
from bonafides.web.qr import svg
from bonafides.web.replies import reply

_NOT_LATELY: Final[dict[str, Any]] = {
    "description": (
        "The credential is not of a login, or that login is too long ago: `WWW-Authenticate` says "
        "`insufficient_user_authentication`, and `/v1/auth/step-up` helps."
    )
}


def routes(factors: SecondFactors, passkeys: Passkeys, sessions: JwtSessions) -> APIRouter:
    """The routes of second factors."""
    router = APIRouter(route_class=GuardedRoute, tags=["Second factors"])

    @router.get(
        "/v1/auth/factors",
        operation_id="listFactors",
        summary="List your second factors",
        responses={200: {"model": FactorPage, "description": "Those that are in use."}},
        openapi_extra={SCOPES_KEY: [READ]},
    )
    async def listing(caller: Caller) -> Response:
        return reply(json_answer(200, factors_resource(await factors.own(caller))))

    @router.post(
        "/v1/auth/factors",
        operation_id="addFactor",
        summary="Begin to set up an authenticator app",
        description="It counts once a code of it was sent to `/v1/auth/factors/totp/confirm`, within 15 minutes.",
        status_code=201,
        responses={
            201: {"model": schemas.Enrolment, "description": "What the app needs, shown this once."},
            403: _NOT_LATELY,
            409: {"description": "You have an authenticator app already."},
        },
        openapi_extra={SCOPES_KEY: [WRITE]},
    )
    async def add(caller: Caller, body: NewFactor) -> Response:
        begun = await factors.begin_totp(caller)
        return reply(
            json_answer(
                201,
                {
                    "object": "enrolment",
                    "kind": body.kind,
                    "secret": begun.secret,
                    "uri": begun.uri,
                    "qr_svg": svg(begun.uri),
                },
                (b"location", b"/v1/auth/factors"),
            )
        )

    @router.post(
        "/v1/auth/factors/totp/confirm",
        operation_id="confirmFactor",
        summary="Take an authenticator app into use with its first code",
        description="From then on every login asks for a code. Recovery codes stand in for a lost phone, each once.",
        responses={
            200: {"model": schemas.ConfirmedFactor, "description": "The recovery codes, shown this once."},
            403: _NOT_LATELY,
            409: {"description": "No authenticator app was begun in the last 15 minutes."},
        },
        openapi_extra={SCOPES_KEY: [WRITE]},
    )
    async def confirm(caller: Caller, body: FactorConfirmation) -> Response:
        made = await factors.confirm_totp(
            caller,
            body.code,
            own_session=await sessions.own_session(caller),
            end_others=body.end_sessions,
        )
        return reply(json_answer(200, {**_shown(made.recovery_codes), "ended_sessions": made.ended_sessions}))

    @router.post(
        "/v1/auth/recovery-codes",
        operation_id="renewRecoveryCodes",
        summary="Get new recovery codes; the ones before serve no more",
        responses={
            200: {"model": schemas.RecoveryCodes, "description": "The recovery codes, shown this once."},
            403: _NOT_LATELY,
            409: {"description": "You have no second factor."},
        },
        openapi_extra={SCOPES_KEY: [WRITE]},
    )
    async def renew(caller: Caller) -> Response:
        return reply(json_answer(200, _shown(await factors.renew_codes(caller))))

    @router.delete(
        "/v1/auth/factors/{factor_id}",
        operation_id="removeFactor",
        summary="Remove one of your second factors",
        description="The authenticator app is `totp`; passkeys have ids. With the last factor go the recovery codes, and a password is enough again.",
        responses={
            200: {"model": schemas.RemovedFactor, "description": "It is removed."},
            403: _NOT_LATELY,
            404: {"description": "You have no such factor."},
        },
        openapi_extra={SCOPES_KEY: [WRITE]},
    )
    async def remove(
        *,
        caller: Caller,
        factor_id: Annotated[str, Path(max_length=ID_MAX, description="As it is listed.")],
        end_sessions: Annotated[bool, Query(description="Also end your other sessions.")] = False,
    ) -> Response:
        own = await sessions.own_session(caller)
        if factor_id == FactorKind.TOTP:
            ended = await factors.remove_totp(caller, own_session=own, end_others=end_sessions)
        else:
            ended = await passkeys.remove(caller, factor_id, own_session=own, end_others=end_sessions)
        return reply(json_answer(200, {"ended_sessions": ended}))

    @router.delete(
        "/v1/users/{user_id}/factors",
        operation_id="resetFactors",
        summary="Remove every second factor of somebody who has lost theirs, and end their sessions",
        responses={
            200: {"model": schemas.RemovedFactor, "description": "They have none any more."},
            403: {"description": "They are more powerful than you, or your own login is too long ago."},
            404: {"description": "There is no such user, they are not yours to see, or they have no factor."},
        },
        openapi_extra={SCOPES_KEY: [ADMIN]},
    )
    async def reset(caller: Caller, user_id: Annotated[str, Path(description="The user's id.")]) -> Response:
        return reply(json_answer(200, {"ended_sessions": await factors.reset(caller, user_id)}))

    return router


def _shown(recovery_codes: tuple[str, ...]) -> dict[str, Any]:
    return {"object": "recovery_codes", "recovery_codes": list(recovery_codes)}
