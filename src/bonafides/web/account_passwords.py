"""`/v1/auth/password` with `/forgotten` and `/reset`, and `/v1/users/{id}/password-reset` and `/invitation`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from bonafides.credentials.jwt_sessions import JwtSessions
from bonafides.credentials.password_changes import PasswordChanges
from bonafides.credentials.password_mails import PasswordMails
from bonafides.model import ADMIN, WRITE
from bonafides.resources import invitation_resource, reset_resource
from bonafides.web import schemas
from bonafides.web.answers import json_answer
from bonafides.web.bodies import ForgottenPassword, PasswordChange, PasswordReset
from bonafides.web.guard import SCOPES_KEY, VISITED, Caller, GuardedRoute, VisitedRoute, exchange_of
from bonafides.web.logins import visitor_of
from bonafides.web.replies import reply


def routes(changes: PasswordChanges, mails: PasswordMails, sessions: JwtSessions) -> APIRouter:
    """The routes of passwords."""
    router = APIRouter()
    router.include_router(_guarded(changes, mails, sessions))
    router.include_router(_visited(changes, mails))
    return router


def _guarded(changes: PasswordChanges, mails: PasswordMails, sessions: JwtSessions) -> APIRouter:
    router = APIRouter(route_class=GuardedRoute, tags=["Login"])

    @router.post(
        "/v1/auth/password",
        operation_id="changePassword",
        summary="Change your own password",
        description="Your other sessions end, with what OAuth clients may do by them, unless you keep them. Wrong current passwords have to wait, as at a login.",
        responses={
            200: {"model": schemas.PasswordChanged, "description": "The password is changed."},
            401: {"description": "The credential is not good, or the current password is another."},
            409: {"description": "You have no password, or it was changed in this moment."},
        },
        openapi_extra={SCOPES_KEY: [WRITE]},
    )
    async def change(request: Request, caller: Caller, body: PasswordChange) -> Response:
        ended = await changes.change(
            caller,
            body.current_password,
            body.new_password,
            visitor_of(request),
            own_session=await sessions.own_session(caller),
            keep_others=body.keep_sessions,
        )
        return reply(json_answer(200, {"ended_sessions": ended}))

    @router.post(
        "/v1/users/{user_id}/password-reset",
        operation_id="startPasswordReset",
        summary="Let a person choose a password, their first one or another",
        description=(
            "Gives you a token for them, which serves once and for a day: hand it over in a way that nobody else reads. "
            "Their password stays until they have used it; one that was begun before serves no more."
        ),
        responses={
            200: {"model": schemas.StartedPasswordReset, "description": "The token, shown this once."},
            403: {"description": "They are more powerful than you."},
            404: {"description": "There is no such user, or they are not yours to see."},
            409: {"description": "The user is disabled."},
        },
        openapi_extra={SCOPES_KEY: [ADMIN]},
    )
    async def start(caller: Caller, user_id: Annotated[str, Path(description="The user's id.")]) -> Response:
        return reply(json_answer(200, reset_resource(await changes.start_reset(caller, user_id))))

    @router.post(
        "/v1/users/{user_id}/invitation",
        operation_id="inviteUser",
        summary="Let a person choose their first password",
        description=(
            "Mails them a link that serves once and for a week. Where no mail server is set, you get the token to hand over. "
            "An invitation from before serves no more."
        ),
        responses={
            200: {"model": schemas.Invitation, "description": "They are invited."},
            403: {"description": "They are more powerful than you, or your own login is too long ago."},
            404: {"description": "There is no such user, or they are not yours to see."},
            409: {"description": "The user is disabled, or has a password."},
        },
        openapi_extra={SCOPES_KEY: [ADMIN]},
    )
    async def invite(caller: Caller, user_id: Annotated[str, Path(description="The user's id.")]) -> Response:
        return reply(json_answer(200, invitation_resource(await mails.invite(caller, user_id))))

    return router


def _visited(changes: PasswordChanges, mails: PasswordMails) -> APIRouter:
    router = APIRouter(route_class=VisitedRoute, tags=["Login"])

    @router.post(
        "/v1/auth/password/forgotten",
        operation_id="forgetPassword",
        summary="Ask for a mail with which you choose another password",
        description=(
            "The answer is the same whether or not there is such an account. The mail serves once and for ten minutes; "
            "a second factor is asked for as ever. Too many requests for one name, or from one address, have to wait (429)."
        ),
        status_code=204,
        responses={204: {"description": "If there is such an account, a mail is on its way."}},
        openapi_extra=VISITED,
    )
    async def forget(request: Request, body: ForgottenPassword) -> Response:
        await mails.forgotten(
            body.username,
            visitor_of(request),
            tenant_id=body.tenant_id,
            request_id=exchange_of(request).request_id,
        )
        return Response(status_code=204)

    @router.post(
        "/v1/auth/password/reset",
        operation_id="resetPassword",
        summary="Choose a password with a reset token or an invitation",
        description="Spends the token, and ends every session of its user.",
        status_code=204,
        responses={
            204: {"description": "The password is set; log in with it."},
            401: {"description": "The token is unknown, used before, or has ended."},
        },
        openapi_extra=VISITED,
    )
    async def reset(request: Request, body: PasswordReset) -> Response:
        await changes.reset(
            body.token, body.new_password, visitor_of(request), request_id=exchange_of(request).request_id
        )
        return Response(status_code=204)

    return router
