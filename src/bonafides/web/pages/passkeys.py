"""`/settings/security/passkeys`: one's own passkeys, added, renamed and removed.

A page shows what the browser is to be asked, and its form sends what the browser gives: no page asks the server for anything behind
its reader's back.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response

from bonafides.credentials.jwt_sessions import JwtSessions
from bonafides.credentials.passkeys import NAME_MAX, Passkeys
from bonafides.errors import AppError, Conflict, InvalidRequest
from bonafides.model import WRITE
from bonafides.web.bodies import ID_MAX
from bonafides.web.guard import SCOPES_KEY, exchange_of
from bonafides.web.pages.factors import PATH
from bonafides.web.pages.reception import PAGE_KEY, PageForm, PageRoute, Reader, Reception
from bonafides.web.passkey_bodies import credential_in
from bonafides.web.problems import STATUS

_WRITES: Final = {SCOPES_KEY: [WRITE], PAGE_KEY: PATH}

PasskeyId = Annotated[str, Path(max_length=ID_MAX)]


def routes(passkeys: Passkeys, sessions: JwtSessions, reception: Reception) -> APIRouter:
    """The routes of passkeys' pages."""
    router = APIRouter(prefix=f"{PATH}/passkeys", route_class=PageRoute, include_in_schema=False)
    pages = reception.pages

    async def page(
        request: Request, reader: Reader, name: str = "", error: AppError | None = None
    ) -> Response:
        own = await sessions.own_session(reader.authority)
        if error is not None:
            exchange_of(request).outcome = error.code
        return pages.render(
            request,
            "passkey_begun.html",
            status=200 if error is None else STATUS[type(error)],
            options=await passkeys.begin(reader.authority, own_session=own),
            origin=passkeys.origin,
            name=name,
            error=error,
        )

    @router.post("/begin", openapi_extra=_WRITES)
    async def begin(request: Request, reader: Reader) -> Response:
        return await page(request, reader)

    @router.post("", openapi_extra=_WRITES)
    async def add(request: Request, reader: Reader, form: PageForm) -> Response:
        name = form.get("name", "")[: NAME_MAX + 1]
        try:
            made = await passkeys.add(
                reader.authority,
                credential_in(form),
                name,
                own_session=await sessions.own_session(reader.authority),
                end_others="end_sessions" in form,
            )
        except (InvalidRequest, Conflict) as error:
            return await page(request, reader, name, error)
        if not made.recovery_codes:
            return pages.go(PATH)
        return pages.render(request, "recovery_codes.html", codes=made.recovery_codes)

    @router.post("/{passkey_id}/rename", openapi_extra=_WRITES)
    async def rename(reader: Reader, form: PageForm, passkey_id: PasskeyId) -> Response:
        await passkeys.rename(reader.authority, passkey_id, form.get("name", "")[: NAME_MAX + 1])
        return pages.go(PATH)

    @router.post("/{passkey_id}/remove", openapi_extra=_WRITES)
    async def remove(reader: Reader, passkey_id: PasskeyId) -> Response:
        own = await sessions.own_session(reader.authority)
        await passkeys.remove(reader.authority, passkey_id, own_session=own, end_others=False)
        return pages.go(PATH)

    return router
