"""`/settings/security/factors` and `/prove`: an authenticator app set up and removed, and the proof anew that this takes."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from markupsafe import Markup

from bonafides.credentials.ceremonies import Json
from bonafides.credentials.factors import SecondFactors
from bonafides.credentials.jwt_sessions import JwtSessions
from bonafides.credentials.step_ups import StepUps
from bonafides.errors import AppError, InvalidCredentials, InvalidRequest, TooManyRequests
from bonafides.model import READ, WRITE
from bonafides.web.access import log
from bonafides.web.answers import HeaderList
from bonafides.web.bodies import CODE_MAX, PASSWORD_MAX
from bonafides.web.cookies import TOKEN, setting
from bonafides.web.guard import SCOPES_KEY, exchange_of
from bonafides.web.logins import WRONG_PROOF, visitor_of
from bonafides.web.pages.reception import (
    NEXT_MAX,
    PAGE_KEY,
    PROVE,
    PageForm,
    PageRoute,
    Reader,
    Reception,
    own_path,
)
from bonafides.web.passkey_bodies import credential_in
from bonafides.web.problems import STATUS
from bonafides.web.qr import svg

PATH: Final = "/settings/security"

_WRITES: Final = {SCOPES_KEY: [WRITE], PAGE_KEY: PATH}


def routes(
    factors: SecondFactors,
    step_ups: StepUps,
    sessions: JwtSessions,
    origin: str | None,
    reception: Reception,
) -> APIRouter:
    """The routes of second factors' pages."""
    router = APIRouter(include_in_schema=False)
    router.include_router(_factors(factors, sessions, reception))
    router.include_router(_proof(factors, step_ups, origin, reception))
    return router


def _factors(factors: SecondFactors, sessions: JwtSessions, reception: Reception) -> APIRouter:
    router = APIRouter(prefix=f"{PATH}/factors", route_class=PageRoute)
    pages = reception.pages

    @router.post("/begin", openapi_extra=_WRITES)
    async def begin(request: Request, reader: Reader) -> Response:
        begun = await factors.begin_totp(reader.authority)
        picture = Markup(svg(begun.uri))  # noqa: S704 - drawn by ourselves
        return pages.render(request, "factor_begun.html", begun=begun, picture=picture, error=None)

    @router.post("/confirm", openapi_extra=_WRITES)
    async def confirm(request: Request, reader: Reader, form: PageForm) -> Response:
        try:
            made = await factors.confirm_totp(
                reader.authority,
                form.get("code", "")[:CODE_MAX],
                own_session=await sessions.own_session(reader.authority),
                end_others="end_sessions" in form,
            )
        except InvalidRequest as error:
            return pages.render(request, "factor_begun.html", status=400, begun=None, picture="", error=error)
        return pages.render(request, "recovery_codes.html", codes=made.recovery_codes)

    @router.post("/recovery-codes", openapi_extra=_WRITES)
    async def renew(request: Request, reader: Reader) -> Response:
        codes = await factors.renew_codes(reader.authority)
        return pages.render(request, "recovery_codes.html", codes=codes)

    @router.post("/remove", openapi_extra=_WRITES)
    async def remove(reader: Reader) -> Response:
        own = await sessions.own_session(reader.authority)
        await factors.remove_totp(reader.authority, own_session=own, end_others=False)
        return pages.go(PATH)

    return router


def _proof(factors: SecondFactors, step_ups: StepUps, origin: str | None, reception: Reception) -> APIRouter:
    router = APIRouter(prefix=PROVE, route_class=PageRoute)

    async def page(request: Request, reader: Reader, onward: str, error: AppError | None = None) -> Response:
        headers: HeaderList = []
        if isinstance(error, TooManyRequests):
            headers.append((b"retry-after", b"%d" % error.retry_after_seconds))
        if isinstance(error, InvalidCredentials):
            headers.append((b"www-authenticate", b'Bearer realm="bonafides"'))
        own = await factors.own(reader.authority)
        app = own.totp is not None and own.totp.confirmed_at is not None
        asks = origin is not None and any(each.suspected_at is None for each in own.passkeys)
        return reception.pages.render(
            request,
            "prove.html",
            status=200 if error is None else STATUS[type(error)],
            headers=headers,
            error=error,
            onward=onward,
            by_code=app or bool(own.passkeys),
            passkey=await step_ups.options(reader.authority) if asks else None,
            origin=origin,
        )

    @router.get("", openapi_extra={SCOPES_KEY: [READ]})
    async def ask(
        request: Request,
        reader: Reader,
        onward: Annotated[str, Query(alias="next", max_length=NEXT_MAX)] = "",
    ) -> Response:
        return await page(request, reader, own_path(onward) or PATH)

    async def judged(
        request: Request,
        reader: Reader,
        onward: str,
        *,
        password: str | None = None,
        code: str | None = None,
        passkey: Json | None = None,
    ) -> Response:
        exchange = exchange_of(request)
        try:
            signed = await step_ups.prove(
                reader.authority, visitor_of(request), password=password, code=code, passkey=passkey
            )
        except (InvalidRequest, TooManyRequests) as error:
            return await page(request, reader, onward, error)
        if signed is None:
            log.warning("step_up_refused", request_id=exchange.request_id, address=exchange.address)
            return await page(request, reader, onward, InvalidCredentials(WRONG_PROOF))
        renewed = setting(TOKEN, signed.token, signed.expires_at, reception.pages.now())
        exchange.cookies = [
            *(cookie for cookie in exchange.cookies if not cookie[1].startswith(TOKEN.encode())),
            renewed,
        ]
        return reception.pages.go(onward)

    @router.post("", openapi_extra={SCOPES_KEY: [WRITE]})
    async def prove(request: Request, reader: Reader, form: PageForm) -> Response:
        code, password = form.get("code"), form.get("password")
        return await judged(
            request,
            reader,
            own_path(form.get("next")) or PATH,
            password=password[:PASSWORD_MAX] if password is not None else None,
            code=code[:CODE_MAX] if code is not None else None,
        )

    @router.post("/passkey", openapi_extra={SCOPES_KEY: [WRITE]})
    async def prove_passkey(request: Request, reader: Reader, form: PageForm) -> Response:
        onward = own_path(form.get("next")) or PATH
        return await judged(request, reader, onward, passkey=credential_in(form))

    return router
