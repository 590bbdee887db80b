"""`/settings/sessions`: where one is signed in, and the end of it."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response

from bonafides.credentials.jwt_sessions import JwtSessions
from bonafides.model import READ, WRITE
from bonafides.web.guard import SCOPES_KEY
from bonafides.web.pages.listings import Listings, PageCursor
from bonafides.web.pages.reception import PageRoute, Reader
from bonafides.web.pages.rendering import Pages

PATH: Final = "/settings/sessions"


def routes(sessions: JwtSessions, listings: Listings, pages: Pages) -> APIRouter:
    """The routes of sessions' pages."""
    router = APIRouter(prefix=PATH, route_class=PageRoute, include_in_schema=False)

    @router.get("", openapi_extra={SCOPES_KEY: [READ]})
    async def listing(request: Request, reader: Reader, cursor: PageCursor = "") -> Response:
        authority = reader.authority
        context = f"page of sessions {authority.user_id}"
        found = await sessions.page(authority, listings.page(cursor, context), user_id=authority.user_id)
        return pages.render(
            request,
            "sessions.html",
            listing=listings.listing(
                found, cursor, context, lambda live: (live.session.created_at, live.session.id), PATH
            ),
            own=reader.session_id,
        )

    @router.post("/end-others", openapi_extra={SCOPES_KEY: [WRITE]})
    async def end_others(reader: Reader) -> Response:
        await sessions.end_all(reader.authority, keep_own=True)
        return pages.go(PATH)

    @router.post("/{session_id}/end", openapi_extra={SCOPES_KEY: [WRITE]})
    async def end(reader: Reader, session_id: Annotated[str, Path()]) -> Response:
        await sessions.end(reader.authority, session_id)
        return pages.go(PATH)

    return router
