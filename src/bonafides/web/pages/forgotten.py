"""`/forgotten-password`: a mail for who has forgotten theirs."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from bonafides.credentials.password_mails import PasswordMails
from bonafides.errors import AppError, InvalidRequest, TooManyRequests
from bonafides.intake import EMAIL_MAX
from bonafides.web.answers import HeaderList
from bonafides.web.guard import exchange_of
from bonafides.web.logins import visitor_of
from bonafides.web.pages.reception import PublicPageRoute, Reception
from bonafides.web.problems import STATUS

FORGOTTEN: Final = "/forgotten-password"


def routes(mails: PasswordMails, reception: Reception) -> APIRouter:
    """The routes of forgotten passwords."""
    router = APIRouter(route_class=PublicPageRoute, include_in_schema=False)

    def page(
        request: Request, username: str = "", *, asked: bool = False, error: AppError | None = None
    ) -> Response:
        csrf, cookie = reception.visit(request)
        headers: HeaderList = [cookie] if cookie is not None else []
        if isinstance(error, TooManyRequests):
            headers.append((b"retry-after", b"%d" % error.retry_after_seconds))
        if error is not None:
            exchange_of(request).outcome = error.code
        return reception.pages.render(
            request,
            "forgotten_password.html",
            status=200 if error is None else STATUS[type(error)],
            headers=headers,
            csrf=csrf,
            username=username,
            asked=asked,
            error=error,
        )

    @router.get(FORGOTTEN)
    async def show(request: Request) -> Response:
        return page(request)

    @router.post(FORGOTTEN)
    async def ask(request: Request) -> Response:
        form = await reception.visitors_form(request)
        username = form.get("username", "")
        if not username or len(username) > EMAIL_MAX:
            return page(request, error=InvalidRequest("Type your e-mail address.", field="username"))
        try:
            await mails.forgotten(username, visitor_of(request), request_id=exchange_of(request).request_id)
        except TooManyRequests as error:
            return page(request, username, error=error)
        return page(request, username, asked=True)

    return router
