"""`/login` and `/logout`: a password, and a second factor of who has one, for a session, and the end of it."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from bonafides.credentials.jwt_sessions import JwtSessions, Tokens
from bonafides.credentials.passkey_logins import PasskeyLogins
from bonafides.credentials.second_steps import SecondStep
from bonafides.errors import AppError, Conflict, InvalidCredentials, InvalidRequest, TooManyRequests
from bonafides.intake import EMAIL_MAX
from bonafides.set_up import SetUp
from bonafides.web.access import log
from bonafides.web.answers import HeaderList
from bonafides.web.bodies import CODE_MAX, ID_MAX, PASSWORD_MAX
from bonafides.web.cookies import REFRESH_TOKEN, TOKEN, clearing
from bonafides.web.guard import RejectedError, exchange_of
from bonafides.web.logins import WRONG_CODE, WRONG_PASSKEY, visitor_of
from bonafides.web.pages.reception import (
    HOME,
    LOGIN,
    NEXT_MAX,
    PageCaller,
    PageRoute,
    PublicPageRoute,
    Reception,
    own_path,
)
from bonafides.web.passkey_bodies import credential_in
from bonafides.web.problems import STATUS

SECOND_FACTOR: Final = "/login/second-factor"

_LEAVING: Final = "/oauth/"
_BOUNDS: Final = {"username": EMAIL_MAX, "password": PASSWORD_MAX, "tenant_id": ID_MAX}


class SigningIn:
    """Answers the pages on which people sign in and out.

    Args:
        sessions: Opens and ends sessions.
        passkey_logins: Opens them for who has a passkey.
        set_up: Knows whether the installation is new.
        reception: Knows who is signed in.
    """

    def __init__(
        self, sessions: JwtSessions, passkey_logins: PasskeyLogins, set_up: SetUp, reception: Reception
    ) -> None:
        self._sessions = sessions
        self._passkey_logins = passkey_logins
        self._set_up = set_up
        self._reception = reception

    def ask(
        self,
        request: Request,
        onward: str | None,
        *,
        username: str = "",
        tenant_id: str = "",
        new: bool = False,
        error: AppError | None = None,
    ) -> Response:
        """The form; cookies that open nothing go away with it."""
        possible = self._passkey_logins.origin is not None
        return self._form(
            request,
            "login.html",
            error,
            onward=onward or "",
            username=username,
            tenant_id=tenant_id,
            new=new,
            passkey=self._passkey_logins.options() if possible else None,
        )

    async def _ask_code(
        self, request: Request, onward: str | None, mfa_token: str, error: AppError | None = None
    ) -> Response:
        """The form for the second factor."""
        try:
            passkey = await self._passkey_logins.step_options(mfa_token)
        except (Conflict, InvalidCredentials):
            passkey = None
        return self._form(
            request,
            "second_factor.html",
            error,
            onward=onward or "",
            mfa_token=mfa_token,
            passkey=passkey,
        )

    def _form(self, request: Request, template: str, error: AppError | None, **values: Any) -> Response:  # noqa: ANN401 - what the template tells
        csrf, cookie = self._reception.visit(request)
        headers: HeaderList = [cookie] if cookie is not None else []
        if isinstance(error, TooManyRequests):
            headers.append((b"retry-after", b"%d" % error.retry_after_seconds))
        if isinstance(error, InvalidCredentials):
            headers.append((b"www-authenticate", b'Bearer realm="bonafides"'))
        if error is not None:
            exchange_of(request).outcome = error.code
        return self._reception.pages.render(
            request,
            template,
            status=200 if error is None else STATUS[type(error)],
            headers=headers,
            csrf=csrf,
            error=error,
            origin=self._passkey_logins.origin,
            **values,
        )

    async def show(self, request: Request, onward: str | None, username: str) -> Response:
        """The form, to whoever asks for it: a client may want somebody to prove again that they are there."""
        if self._reception.holds_cookies(request):
            try:
                await self._reception.admit(request, frozenset())
            except RejectedError:
                exchange_of(request).cookies = [clearing(TOKEN), clearing(REFRESH_TOKEN)]
        return self.ask(request, own_path(onward), username=username, new=await self._set_up.is_awaited())

    async def enter(self, request: Request) -> Response:
        """Open a session for who knows the password, and go on; the session of before ends.

        See: OWASP ASVS 7.2.4
        """
        form = await self._reception.visitors_form(request)
        onward = own_path(form.get("next"))
        try:
            _check_bounds(form)
            tokens = await self._sessions.login(
                form["username"],
                form["password"],
                visitor_of(request),
                tenant_id=form.get("tenant_id"),
                request_id=exchange_of(request).request_id,
            )
        except (InvalidCredentials, InvalidRequest, TooManyRequests) as error:
            return self._ask_again(request, onward, form, error)
        if tokens is None:
            exchange = exchange_of(request)
            log.warning("login_refused", request_id=exchange.request_id, address=exchange.address)
            return self._ask_again(request, onward, form, InvalidCredentials())
        if isinstance(tokens, SecondStep):
            return await self._ask_code(request, onward, tokens.mfa_token)
        return await self._go_on(request, onward, tokens)

    async def prove(self, request: Request) -> Response:
        """Open the session of a login that has come to its second step, and go on."""
        form = await self._reception.visitors_form(request)
        onward = own_path(form.get("next"))
        mfa_token, code = form.get("mfa_token", ""), form.get("code", "")
        exchange = exchange_of(request)
        if not code:
            message = "Type the code that your app shows, or one of your recovery codes."
            return await self._ask_code(request, onward, mfa_token, InvalidRequest(message, field="code"))
        try:
            tokens = await self._sessions.second_factor(
                mfa_token, code[:CODE_MAX], visitor_of(request), request_id=exchange.request_id
            )
        except TooManyRequests as error:
            return await self._ask_code(request, onward, mfa_token, error)
        if tokens is None:
            log.warning("second_factor_refused", request_id=exchange.request_id, address=exchange.address)
            return await self._ask_code(request, onward, mfa_token, InvalidCredentials(WRONG_CODE))
        return await self._go_on(request, onward, tokens)

    async def enter_by_passkey(self, request: Request) -> Response:
        """Open a session for who has a passkey, and go on; the session of before ends."""
        form = await self._reception.visitors_form(request)
        onward = own_path(form.get("next"))
        exchange = exchange_of(request)
        tokens = await self._passkey_logins.login(
            credential_in(form), visitor_of(request), request_id=exchange.request_id
        )
        if tokens is None:
            log.warning("passkey_refused", request_id=exchange.request_id, address=exchange.address)
            return self.ask(request, onward, error=InvalidCredentials(WRONG_PASSKEY))
        return await self._go_on(request, onward, tokens)

    async def prove_by_passkey(self, request: Request) -> Response:
        """Open the session of a login that has come to its second step, by a passkey, and go on."""
        form = await self._reception.visitors_form(request)
        onward = own_path(form.get("next"))
        mfa_token = form.get("mfa_token", "")
        exchange = exchange_of(request)
        tokens = await self._passkey_logins.second_factor(
            mfa_token,
            credential_in(form),
            visitor_of(request),
            request_id=exchange.request_id,
        )
        if tokens is None:
            log.warning("second_factor_refused", request_id=exchange.request_id, address=exchange.address)
            return await self._ask_code(request, onward, mfa_token, InvalidCredentials(WRONG_PASSKEY))
        return await self._go_on(request, onward, tokens)

    async def _go_on(self, request: Request, onward: str | None, tokens: Tokens) -> Response:
        await self._leave_former(request)
        exchange_of(request).cookies = self._reception.cookies_of(tokens)
        if onward is not None and onward.startswith(_LEAVING):
            # Browsers hold a form to its policy through all redirects, and these may end at a client's.
            return self._reception.pages.lead_on(request, onward)
        return self._reception.pages.go(onward or HOME)

    def _ask_again(
        self, request: Request, onward: str | None, form: dict[str, str], error: AppError
    ) -> Response:
        """The form with what was typed, but for the password."""
        username, tenant_id = (form.get(name, "")[: _BOUNDS[name]] for name in ("username", "tenant_id"))
        return self.ask(request, onward, username=username, tenant_id=tenant_id, error=error)

    async def _leave_former(self, request: Request) -> None:
        """End the session that the browser was in: its cookies are overwritten, so nobody could end it there."""
        if not self._reception.holds_cookies(request):
            return
        try:
            former = await self._reception.admit(request, frozenset())
        except RejectedError:
            return
        if former.session_id is not None:
            await self._sessions.logout(former.authority)

    async def leave(self, caller: PageCaller, request: Request) -> Response:
        """End the session, and forget its cookies."""
        await self._sessions.logout(caller)
        exchange_of(request).cookies = [clearing(TOKEN), clearing(REFRESH_TOKEN)]
        return self._reception.pages.go(LOGIN)


def _check_bounds(form: dict[str, str]) -> None:
    for name, label in (("username", "e-mail address"), ("password", "password")):
        if name not in form:
            message = f"Type your {label}."
            raise InvalidRequest(message, field=name)
    for name, most in _BOUNDS.items():
        if len(form.get(name, "")) > most:
            raise InvalidCredentials


def routes(signing_in: SigningIn) -> APIRouter:
    """The routes of signing in and out."""
    router = APIRouter(include_in_schema=False)
    public = APIRouter(route_class=PublicPageRoute)
    personal = APIRouter(route_class=PageRoute)

    @public.get(LOGIN)
    async def show(
        request: Request,
        onward: Annotated[str | None, Query(alias="next", max_length=NEXT_MAX)] = None,
        login_hint: Annotated[str, Query(max_length=EMAIL_MAX)] = "",
    ) -> Response:
        return await signing_in.show(request, onward, login_hint)

    @public.post(LOGIN)
    async def enter(request: Request) -> Response:
        return await signing_in.enter(request)

    @public.post(SECOND_FACTOR)
    async def prove(request: Request) -> Response:
        return await signing_in.prove(request)

    @public.post(f"{LOGIN}/passkey")
    async def enter_by_passkey(request: Request) -> Response:
        return await signing_in.enter_by_passkey(request)

    @public.post(f"{SECOND_FACTOR}/passkey")
    async def prove_by_passkey(request: Request) -> Response:
        return await signing_in.prove_by_passkey(request)

    @personal.post("/logout")
    async def leave(caller: PageCaller, request: Request) -> Response:
        return await signing_in.leave(caller, request)

    router.include_router(public)
    router.include_router(personal)
    return router
