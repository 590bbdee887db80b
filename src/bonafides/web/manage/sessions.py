"""`/v1/sessions`."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Response

from bonafides.credentials.jwt_sessions import JwtSessions
from bonafides.model import READ, WRITE, LiveSession
from bonafides.resources import session_resource
from bonafides.web.answers import json_answer
from bonafides.web.bodies import ID_MAX
from bonafides.web.guard import Caller, GuardedRoute
from bonafides.web.paging import LIMIT_DEFAULT, Cursor, Limit, Paging
from bonafides.web.replies import reply
from bonafides.web.schemas import EndedSessions, Session, SessionPage

_READS: Final = {"x-required-scopes": [READ]}
_WRITES: Final = {"x-required-scopes": [WRITE]}
_NO_SESSION: Final = {"description": "There is no such session, it has ended, or it is not yours to see."}
_WHOSE: Final = "Of this user; another user's: with `admin`."
_WHERE: Final = "Of this tenant; another tenant's: the operator."

SessionId = Annotated[str, Path(description="The session's id.")]


def routes(sessions: JwtSessions, paging: Paging) -> APIRouter:
    """The routes of sessions."""
    router = APIRouter(prefix="/v1/sessions", route_class=GuardedRoute, tags=["Sessions"])

    @router.get(
        "",
        operation_id="listSessions",
        summary="List the sessions that have not ended, newest first",
        description="One's own; with `admin`, those of the tenant.",
        responses={
            200: {"model": SessionPage, "description": "A page of sessions."},
            403: {"description": "You asked for another user's sessions without `admin`."},
            404: {"description": "There is no such tenant, or it is not yours to see."},
        },
        openapi_extra=_READS,
    )
    async def listing(
        caller: Caller,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
        user_id: Annotated[str | None, Query(max_length=ID_MAX, description=_WHOSE)] = None,
        tenant_id: Annotated[str | None, Query(max_length=ID_MAX, description=_WHERE)] = None,
    ) -> Response:
        own = await sessions.own_session(caller)
        context = f"sessions {caller.tenant(tenant_id)} {user_id}"
        found = await sessions.page(
            caller, paging.page(limit, cursor, context), tenant_id=tenant_id, user_id=user_id
        )

        def show(live: LiveSession) -> dict[str, Any]:
            return session_resource(live, own)

        return paging.answer(
            found, limit, context, show, lambda live: (live.session.created_at, live.session.id)
        )

    @router.get(
        "/{session_id}",
        operation_id="getSession",
        summary="Show a session",
        responses={200: {"model": Session, "description": "The session."}, 404: _NO_SESSION},
        openapi_extra=_READS,
    )
    async def get(caller: Caller, session_id: SessionId) -> Response:
        own = await sessions.own_session(caller)
        return reply(json_answer(200, session_resource(await sessions.get(caller, session_id), own)))

    @router.delete(
        "/{session_id}",
        operation_id="endSession",
        summary="End a session, with every token of it",
        status_code=204,
        responses={
            204: {"description": "It has ended."},
            403: {"description": "It belongs to somebody more powerful."},
            404: _NO_SESSION,
        },
        openapi_extra=_WRITES,
    )
    async def end(caller: Caller, session_id: SessionId) -> Response:
        await sessions.end(caller, session_id)
        return Response(status_code=204)

    @router.delete(
        "",
        operation_id="endSessions",
        summary="End every session of a user, with every token of them",
        description="What the user lets OAuth clients do ends too, but for what they allowed in a session that stays.",
        responses={
            200: {"model": EndedSessions, "description": "How many have ended."},
            403: {
                "description": "They belong to somebody else, and you lack `admin`, or to somebody more powerful."
            },
            404: {"description": "There is no such user, or they are not yours to see."},
        },
        openapi_extra=_WRITES,
    )
    async def end_all(
        *,
        caller: Caller,
        user_id: Annotated[str | None, Query(max_length=ID_MAX, description="Whose; default: yours.")] = None,
        keep_current: Annotated[
            bool, Query(description="All but the session of the presented token.")
        ] = False,
    ) -> Response:
        ended = await sessions.end_all(caller, user_id=user_id, keep_own=keep_current)
        return reply(json_answer(200, {"ended": ended}))

    return router
