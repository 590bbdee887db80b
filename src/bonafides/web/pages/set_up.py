"""`/set-up`: a new installation, handed to who holds the code that the server has shown in its terminal."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from bonafides.credentials.jwt_sessions import JwtSessions, Tokens
from bonafides.errors import AppError, Conflict, InvalidCredentials, InvalidRequest, TooManyRequests
from bonafides.intake import EMAIL_MAX
from bonafides.set_up import SetUp
from bonafides.web.bodies import PASSWORD_MAX, SECRET_MAX
from bonafides.web.guard import exchange_of
from bonafides.web.logins import visitor_of
from bonafides.web.pages.reception import HOME, LOGIN, PublicPageRoute, Reception
from bonafides.web.problems import STATUS

PATH: Final = "/set-up"

_FIELDS: Final = (
    ("token", "the code", SECRET_MAX),
    ("email", "your e-mail address", EMAIL_MAX),
    ("new_password", "a password", PASSWORD_MAX),
)
_WRONG_CODE: Final = "This code is unknown, was used before, or has ended. It stands where the server was started first, and serves for a day."


def routes(set_up: SetUp, sessions: JwtSessions, reception: Reception) -> APIRouter:
    """The routes of the first run's page."""
    router = APIRouter(prefix=PATH, route_class=PublicPageRoute, include_in_schema=False)

    def page(request: Request, error: AppError | None = None, token: str = "", email: str = "") -> Response:
        csrf, cookie = reception.visit(request)
        if error is not None:
            exchange_of(request).outcome = error.code
        return reception.pages.render(
            request,
            "set_up.html",
            status=200 if error is None else STATUS[type(error)],
            headers=[] if cookie is None else [cookie],
            csrf=csrf,
            token=token,
            email=email,
            error=error,
        )

    @router.get("")
    async def show(request: Request) -> Response:
        return page(request)

    @router.post("")
    async def finish(request: Request) -> Response:
        form = await reception.visitors_form(request)
        visitor = visitor_of(request)
        request_id = exchange_of(request).request_id
        token, email = form.get("token", "").strip(), form.get("email", "").strip()
        try:
            _check(form)
            tenant_id = await set_up.finish(
                token, email, form["new_password"], visitor, request_id=request_id
            )
        except InvalidCredentials:
            wrong = InvalidRequest(_WRONG_CODE, field="token")
            return page(request, wrong, email=email[:EMAIL_MAX])
        except (InvalidRequest, Conflict) as error:
            return page(request, error, token[:SECRET_MAX], email[:EMAIL_MAX])
        try:
            tokens = await sessions.login(
                email, form["new_password"], visitor, tenant_id=tenant_id, request_id=request_id
            )
        except TooManyRequests:
            tokens = None
        if not isinstance(tokens, Tokens):
            return reception.pages.go(LOGIN)
        exchange_of(request).cookies = reception.cookies_of(tokens)
        return reception.pages.go(HOME)

    return router


def _check(form: dict[str, str]) -> None:
    for name, words, longest in _FIELDS:
        if name not in form:
            message = f"Type {words}."
            raise InvalidRequest(message, field=name)
        if len(form[name]) > longest:
            message = f"{name}: this is too long."
            raise InvalidRequest(message, field=name)
