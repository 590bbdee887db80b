"""`/settings/security` and `/choose-password`: one's own password, changed, or chosen with what an admin has handed over."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from bonafides.credentials.factors import SecondFactors
from bonafides.credentials.jwt_sessions import JwtSessions
from bonafides.credentials.password_changes import PasswordChanges
from bonafides.errors import AppError, Conflict, InvalidCredentials, InvalidRequest, TooManyRequests
from bonafides.letters import CHOOSE
from bonafides.model import READ, WRITE
from bonafides.web.answers import HeaderList
from bonafides.web.bodies import PASSWORD_MAX, SECRET_MAX
from bonafides.web.guard import SCOPES_KEY, exchange_of
from bonafides.web.logins import visitor_of
from bonafides.web.pages.reception import LOGIN, PageForm, PageRoute, PublicPageRoute, Reader, Reception
from bonafides.web.problems import STATUS

PATH: Final = "/settings/security"

_TOLD: Final = (InvalidCredentials, InvalidRequest, TooManyRequests, Conflict)


def routes(
    changes: PasswordChanges,
    sessions: JwtSessions,
    factors: SecondFactors,
    origin: str | None,
    reception: Reception,
) -> APIRouter:
    """The routes of passwords' pages."""
    router = APIRouter(include_in_schema=False)
    router.include_router(_personal(changes, sessions, factors, origin, reception))
    router.include_router(_public(changes, reception))
    return router


def _personal(
    changes: PasswordChanges,
    sessions: JwtSessions,
    factors: SecondFactors,
    origin: str | None,
    reception: Reception,
) -> APIRouter:
    router = APIRouter(prefix=PATH, route_class=PageRoute)

    async def page(
        request: Request, reader: Reader, error: AppError | None = None, *, done: bool = False
    ) -> Response:
        return reception.pages.render(
            request,
            "security.html",
            status=_status(request, error),
            headers=_headers(error),
            error=_placed(error, "current_password"),
            done=done,
            factors=await factors.own(reader.authority),
            origin=origin,
        )

    @router.get("", openapi_extra={SCOPES_KEY: [READ]})
    async def show(
        request: Request, reader: Reader, done: Annotated[str, Query(max_length=10)] = ""
    ) -> Response:
        return await page(request, reader, done=done == "yes")

    @router.post("/password", openapi_extra={SCOPES_KEY: [WRITE]})
    async def change(request: Request, reader: Reader, form: PageForm) -> Response:
        try:
            _check(form, ("current_password", "new_password"), PASSWORD_MAX)
            await changes.change(
                reader.authority,
                form["current_password"],
                form["new_password"],
                visitor_of(request),
                own_session=await sessions.own_session(reader.authority),
                keep_others="keep_sessions" in form,
            )
        except _TOLD as error:
            return await page(request, reader, error)
        return reception.pages.go(f"{PATH}?done=yes")

    return router


def _public(changes: PasswordChanges, reception: Reception) -> APIRouter:
    router = APIRouter(prefix=CHOOSE, route_class=PublicPageRoute)

    def page(request: Request, error: AppError | None = None) -> Response:
        csrf, cookie = reception.visit(request)
        return reception.pages.render(
            request,
            "choose_password.html",
            status=_status(request, error),
            headers=[*_headers(error), *([cookie] if cookie is not None else [])],
            csrf=csrf,
            error=_placed(error, "token"),
        )

    @router.get("")
    async def show(request: Request) -> Response:
        return page(request)

    @router.post("")
    async def choose(request: Request) -> Response:
        form = await reception.visitors_form(request)
        try:
            _check(form, ("token", "new_password"), SECRET_MAX)
            await changes.reset(
                form["token"].strip(),
                form["new_password"],
                visitor_of(request),
                request_id=exchange_of(request).request_id,
            )
        except _TOLD as error:
            return page(request, error)
        return reception.pages.go(LOGIN)

    return router


def _check(form: PageForm, names: tuple[str, ...], longest: int) -> None:
    for name in names:
        if name not in form:
            message = f"{name.replace('_', ' ').capitalize()} is missing."
            raise InvalidRequest(message, field=name)
        if len(form[name]) > longest:
            message = f"{name.replace('_', ' ').capitalize()} is too long."
            raise InvalidRequest(message, field=name)


def _placed(error: AppError | None, field: str) -> AppError | None:
    """A failure beside the field that it is about."""
    if not isinstance(error, InvalidCredentials):
        return error
    words = {
        "current_password": "This is not your current password.",
        "token": "This code is unknown, was used before, or has ended. Ask for another one.",
    }
    return InvalidRequest(words[field], field=field)


def _status(request: Request, error: AppError | None) -> int:
    if error is None:
        return 200
    exchange_of(request).outcome = error.code
    return STATUS[type(error)]


def _headers(error: AppError | None) -> HeaderList:
    if isinstance(error, TooManyRequests):
        return [(b"retry-after", b"%d" % error.retry_after_seconds)]
    if isinstance(error, InvalidCredentials):
        return [(b"www-authenticate", b'Bearer realm="bonafides"')]
    return []
