"""`/settings/checklist`: what should be mended, each with the button that mends it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response

from bonafides.checklist import TEXTS, Checklist
from bonafides.credentials.api_keys import ApiKeys, KeyChanges
from bonafides.model import READ, WRITE
from bonafides.web.guard import SCOPES_KEY
from bonafides.web.pages.reception import PAGE_KEY, PageRoute, Reader
from bonafides.web.pages.rendering import Pages

PATH: Final = "/settings/checklist"
GIVEN_DAYS: Final = 90


def routes(checklist: Checklist, api_keys: ApiKeys, pages: Pages) -> APIRouter:
    """The routes of the page."""
    router = APIRouter(prefix=PATH, route_class=PageRoute, include_in_schema=False)

    @router.get("", openapi_extra={SCOPES_KEY: [READ]})
    async def show(request: Request, reader: Reader) -> Response:
        found = await checklist.findings(reader.authority)
        return pages.render(
            request,
            "checklist.html",
            findings=found,
            texts=TEXTS,
            clean=not any(finding.credentials or finding.people for finding in found),
            days=GIVEN_DAYS,
        )

    @router.post("/api-keys/{key_id}/expire", openapi_extra={SCOPES_KEY: [WRITE], PAGE_KEY: PATH})
    async def expire(reader: Reader, key_id: Annotated[str, Path()]) -> Response:
        """Give a key an end."""
        ends = pages.now() + timedelta(days=GIVEN_DAYS)
        await api_keys.change(reader.authority, key_id, KeyChanges(expires_at=ends))
        return pages.go(PATH)

    @router.post("/api-keys/{key_id}/narrow", openapi_extra={SCOPES_KEY: [WRITE], PAGE_KEY: PATH})
    async def narrow(reader: Reader, key_id: Annotated[str, Path()]) -> Response:
        """Leave a key the scopes that something has needed."""
        needed = await checklist.needed_scopes(await api_keys.get(reader.authority, key_id))
        if needed:
            await api_keys.change(reader.authority, key_id, KeyChanges(scopes=sorted(needed)))
        return pages.go(PATH)

    @router.post("/api-keys/{key_id}/bind", openapi_extra={SCOPES_KEY: [WRITE], PAGE_KEY: PATH})
    async def bind(reader: Reader, key_id: Annotated[str, Path()]) -> Response:
        """Let a key be used from the networks alone that it is known from."""
        known = await checklist.known_networks(await api_keys.get(reader.authority, key_id))
        if known:
            await api_keys.change(reader.authority, key_id, KeyChanges(allowed_ips=known))
        return pages.go(PATH)

    return router
