"""`/status`: what works, for people."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from bonafides.web.health import Health
from bonafides.web.pages.reception import PublicPageRoute
from bonafides.web.pages.rendering import Pages

PATH: Final = "/status"


def routes(health: Health, pages: Pages) -> APIRouter:
    """The route of the page; 503 where requests cannot be answered, as `/readyz` says it."""
    router = APIRouter(route_class=PublicPageRoute, include_in_schema=False)

    @router.get(PATH)
    async def status(request: Request) -> Response:
        parts = await health.parts()
        broken = any(part.works is False for part in parts)
        answering = all(part.works for part in parts if part.needed)
        return pages.render(
            request,
            "status.html",
            status=200 if answering else 503,
            parts_of=parts,
            broken=broken,
            answering=answering,
        )

    return router
