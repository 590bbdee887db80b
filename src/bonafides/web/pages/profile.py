"""`/profile`: who one is here."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from bonafides.directory import Directory
from bonafides.errors import InvalidRequest
from bonafides.model import READ, WRITE, UserChanges
from bonafides.web.guard import SCOPES_KEY
from bonafides.web.pages.reception import PageForm, PageRoute, Reader
from bonafides.web.pages.rendering import Pages
from bonafides.web.problems import STATUS


def routes(directory: Directory, pages: Pages) -> APIRouter:
    """The routes of the profile."""
    router = APIRouter(prefix="/profile", route_class=PageRoute, include_in_schema=False)

    async def page(request: Request, reader: Reader, error: InvalidRequest | None = None) -> Response:
        authority = reader.authority
        user = await directory.user(authority, authority.user_id or "")
        return pages.render(
            request,
            "profile.html",
            status=200 if error is None else STATUS[type(error)],
            user=user,
            tenant=await directory.tenant(authority.tenant_id),
            ceiling=sorted(directory.ceiling(user)),
            error=error,
        )

    @router.get("", openapi_extra={SCOPES_KEY: [READ]})
    async def show(request: Request, reader: Reader) -> Response:
        return await page(request, reader)

    @router.post("", openapi_extra={SCOPES_KEY: [WRITE]})
    async def rename(request: Request, reader: Reader, form: PageForm) -> Response:
        try:
            changes = UserChanges(name=form.get("name", ""))
            await directory.change_user(reader.authority, reader.authority.user_id or "", changes)
        except InvalidRequest as error:
            return await page(request, reader, error)
        return pages.go("/profile")

    return router
