"""`/settings/api-keys/check`: whether a credential is good, for who holds it and has only a browser."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from bonafides.errors import AppError, InvalidRequest
from bonafides.model import READ
from bonafides.web.bodies import SECRET_MAX
from bonafides.web.guard import SCOPES_KEY, exchange_of
from bonafides.web.pages.reception import PageForm, PageRoute, Reader
from bonafides.web.pages.rendering import Pages
from bonafides.web.verify import VerifyCalls

PATH: Final = "/settings/api-keys/check"

_READS: Final = {SCOPES_KEY: [READ]}


def routes(calls: VerifyCalls, pages: Pages) -> APIRouter:
    """The routes of trying a credential; it counts as one request of it, as if it came from the reader's own address."""
    router = APIRouter(prefix=PATH, route_class=PageRoute, include_in_schema=False)

    def page(request: Request, verdict: dict[str, object] | None, error: AppError | None = None) -> Response:
        status = 200 if error is None else 400
        request_id = exchange_of(request).request_id
        return pages.render(
            request, "check.html", status=status, verdict=verdict, error=error, request_id=request_id
        )

    @router.get("", openapi_extra=_READS)
    async def ask(request: Request) -> Response:
        return page(request, None)

    @router.post("", openapi_extra=_READS)
    async def check(request: Request, reader: Reader, form: PageForm) -> Response:
        credential = form.get("credential", "").strip()
        if not credential or len(credential) > SECRET_MAX:
            return page(request, None, InvalidRequest("Paste the whole credential.", field="credential"))
        exchange = exchange_of(request)
        verdict = await calls.told(exchange, reader.authority.tenant_id, credential)
        return page(request, verdict)

    return router
