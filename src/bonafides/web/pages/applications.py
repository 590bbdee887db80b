"""`/settings/applications`: what somebody has let OAuth clients do, and the end of it."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response

from bonafides.model import READ, WRITE
from bonafides.oauth.consents import Consents
from bonafides.web.guard import SCOPES_KEY
from bonafides.web.pages.listings import Listings, PageCursor
from bonafides.web.pages.reception import PageRoute, Reader
from bonafides.web.pages.rendering import Pages

PATH: Final = "/settings/applications"

_READS: Final = {SCOPES_KEY: [READ]}
_WRITES: Final = {SCOPES_KEY: [WRITE]}


def routes(consents: Consents, listings: Listings, pages: Pages) -> APIRouter:
    """The routes of the page."""
    router = APIRouter(prefix=PATH, route_class=PageRoute, include_in_schema=False)

    @router.get("", openapi_extra=_READS)
    async def listing(request: Request, reader: Reader, cursor: PageCursor = "") -> Response:
        authority = reader.authority
        own = authority.user_id
        context = f"page of grants {own}"
        page = listings.page(cursor, context)
        found = await consents.grants(authority, page, user_id=own)
        allowed = [] if cursor else await consents.page(authority, listings.page("", context), user_id=own)
        return pages.render(
            request,
            "applications.html",
            consents=allowed,
            listing=listings.listing(
                found, cursor, context, lambda seen: (seen.grant.created_at, seen.grant.id), PATH
            ),
        )

    @router.post("/consents/{consent_id}/withdraw", openapi_extra=_WRITES)
    async def withdraw(reader: Reader, consent_id: Annotated[str, Path()]) -> Response:
        await consents.withdraw(reader.authority, consent_id)
        return pages.go(PATH)

    @router.post("/grants/{grant_id}/end", openapi_extra=_WRITES)
    async def end(reader: Reader, grant_id: Annotated[str, Path()]) -> Response:
        await consents.end_grant(reader.authority, grant_id)
        return pages.go(PATH)

    return router
