"""`/administration/settings`: the settings as they are in force, for the operator."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from bonafides.model import ADMIN
from bonafides.settings import SETTINGS_FILE, Settings
from bonafides.web.guard import SCOPES_KEY
from bonafides.web.manage.settings import MAY
from bonafides.web.pages.reception import PageRoute, Reader
from bonafides.web.pages.rendering import Pages
from bonafides.web.settings_in_force import settings_in_force

PATH: Final = "/administration/settings"


def routes(settings: Settings, pages: Pages) -> APIRouter:
    """The routes of the page."""
    router = APIRouter(prefix=PATH, route_class=PageRoute, include_in_schema=False)

    @router.get("", openapi_extra={SCOPES_KEY: [ADMIN]})
    async def show(request: Request, reader: Reader) -> Response:
        reader.authority.require_operator(MAY)
        return pages.render(
            request, "settings.html", settings=list(settings_in_force(settings)), file=SETTINGS_FILE
        )

    return router
