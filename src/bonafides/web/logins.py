"""`/v1/auth/login`, `/v1/auth/refresh` and `/v1/auth/logout`: for people, and for pages in their browsers."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from bonafides.credentials.guesses import Visitor
from bonafides.credentials.jwt_sessions import DEVICE_MAX, JwtSessions, Tokens
from bonafides.credentials.passkey_logins import PasskeyLogins
from bonafides.credentials.second_steps import SecondStep
from bonafides.credentials.step_ups import StepUps
from bonafides.errors import InvalidCredentials, InvalidRequest
from bonafides.model import Allowance, Clock, CredentialKind, Reason, Rejected, to_datetime
from bonafides.resources import time_text
from bonafides.secret import redact
from bonafides.verification.limiter import group_of
from bonafides.web.access import log
from bonafides.web.answers import json_answer
from bonafides.web.bodies import Login, Refresh
from bonafides.web.cookies import REFRESH_TOKEN, TOKEN, Cookies, clearing, setting
from bonafides.web.exchange import Exchange
from bonafides.web.guard import (
    SCOPES_KEY,
    VISITED,
    Caller,
    GuardedRoute,
    RejectedError,
    VisitedRoute,
    exchange_of,
)
from bonafides.web.passkey_bodies import FreshProof, SecondFactor
from bonafides.web.replies import reply
from bonafides.web.schemas import LoginAnswer, SignedTokenAnswer, TokensAnswer

WRONG_CODE: Final = (
    "The code is wrong or was used before, or the login took too long. Try the next code, or log in anew."
)
WRONG_PASSKEY: Final = "This passkey is not known here, or has not signed what this server asked for, in time and unlocked. Try again, or another way."
WRONG_PROOF: Final = "The password or the code is wrong, or the code was used before."

_UNPRINTED: Final = re.compile(r"[^ -~]+")
_HTML: Final = b"text/html"

_SET_COOKIE: Final[dict[str, Any]] = {
    "Set-Cookie": {
        "description": "`__Host-session` and `__Host-refresh`, where cookies are wanted or cleared.",
        "schema": {"type": "string"},
    }
}

AsCookie = Annotated[
    bool,
    Query(
        alias="cookie",
        description="Put the tokens into cookies that no script can read. `Accept: text/html` does so too.",
    ),
]


class LoginCalls:
    """Answers calls of logins.

    Args:
        sessions: Opens, refreshes and ends them.
        cookies: Finds tokens in cookies.
        clock: How long cookies last.
        step_ups: Let people prove anew who they are.
        passkey_logins: Open sessions for who has a passkey.
    """

    def __init__(
        self,
        sessions: JwtSessions,
        cookies: Cookies,
        clock: Clock,
        step_ups: StepUps,
        passkey_logins: PasskeyLogins,
    ) -> None:
        self._sessions = sessions
        self._passkey_logins = passkey_logins
        self._step_ups = step_ups
        self._cookies = cookies
        self._clock = clock

    async def login(self, request: Request, body: Login, *, as_cookie: bool) -> Response:
        """Open a session."""
        as_cookie = self._wants_cookie(request, as_cookie=as_cookie)
        exchange = exchange_of(request)
        tokens = await self._sessions.login(
            body.username,
            body.password,
            visitor_of(request),
            tenant_id=body.tenant_id,
            request_id=exchange.request_id,
        )
        if tokens is None:
            log.warning("login_refused", request_id=exchange.request_id, address=exchange.address)
            raise InvalidCredentials
        if isinstance(tokens, SecondStep):
            return reply(json_answer(200, shown_step(tokens)))
        return self._answer(tokens, as_cookie=as_cookie)

    async def second_factor(self, request: Request, body: SecondFactor, *, as_cookie: bool) -> Response:
        """Open the session of a login that has come to its second step."""
        as_cookie = self._wants_cookie(request, as_cookie=as_cookie)
        exchange = exchange_of(request)
        visitor = visitor_of(request)
        if (body.code is None) is (body.passkey is None):
            message = "code: or passkey is required, and not both."
            raise InvalidRequest(message, field="code")
        if body.passkey is not None:
            tokens = await self._passkey_logins.second_factor(
                body.mfa_token, body.passkey, visitor, request_id=exchange.request_id
            )
        else:
            tokens = await self._sessions.second_factor(
                body.mfa_token, body.code or "", visitor, request_id=exchange.request_id
            )
        if tokens is None:
            log.warning("second_factor_refused", request_id=exchange.request_id, address=exchange.address)
            raise InvalidCredentials(WRONG_CODE if body.passkey is None else WRONG_PASSKEY)
        return self._answer(tokens, as_cookie=as_cookie)

    async def passkey(self, request: Request, credential: dict[str, Any], *, as_cookie: bool) -> Response:
        """Open a session by a passkey alone."""
        as_cookie = self._wants_cookie(request, as_cookie=as_cookie)
        exchange = exchange_of(request)
        tokens = await self._passkey_logins.login(
            credential, visitor_of(request), request_id=exchange.request_id
        )
        if tokens is None:
            log.warning("passkey_refused", request_id=exchange.request_id, address=exchange.address)
            raise InvalidCredentials(WRONG_PASSKEY)
        return self._answer(tokens, as_cookie=as_cookie)

    async def step_up(
        self, request: Request, caller: Caller, body: FreshProof, *, as_cookie: bool
    ) -> Response:
        """Take a fresh proof for the session of the presented token."""
        as_cookie = self._wants_cookie(request, as_cookie=as_cookie)
        exchange = exchange_of(request)
        signed = await self._step_ups.prove(
            caller,
            visitor_of(request),
            password=body.password,
            code=body.code,
            passkey=body.passkey,
        )
        if signed is None:
            log.warning("step_up_refused", request_id=exchange.request_id, address=exchange.address)
            raise InvalidCredentials(WRONG_PROOF)
        told = {"expires_at": time_text(signed.expires_at)}
        if not as_cookie:
            return reply(json_answer(200, {"token": signed.token, **told}))
        now = to_datetime(self._clock.micros())
        return reply(json_answer(200, told, setting(TOKEN, signed.token, signed.expires_at, now)))

    async def refresh(self, request: Request, body: Refresh | None, *, as_cookie: bool) -> Response:
        """Refresh a session, by the token in the body or in the cookie."""
        as_cookie = self._wants_cookie(request, as_cookie=as_cookie)
        exchange = exchange_of(request)
        presented = body.refresh_token if body is not None else None
        if presented is None:
            cookie = self._cookies.find(request.scope["headers"], REFRESH_TOKEN)
            if cookie is None:
                message = "refresh_token: is required, in the body or in the cookie that the login has set."
                raise InvalidRequest(message, field="refresh_token")
            presented, as_cookie = cookie.decode("latin-1"), True
        outcome = await self._sessions.refresh(presented, visitor_of(request), request_id=exchange.request_id)
        if isinstance(outcome, Reason):
            raise refused(outcome, exchange)
        return self._answer(outcome, as_cookie=as_cookie)

    async def logout(self, caller: Caller) -> Response:
        """End the session of the presented token."""
        await self._sessions.logout(caller)
        response = Response(status_code=204)
        response.raw_headers += [clearing(TOKEN), clearing(REFRESH_TOKEN)]
        return response

    def _wants_cookie(self, request: Request, *, as_cookie: bool) -> bool:
        headers = request.scope["headers"]
        wanted = as_cookie or any(name == b"accept" and _HTML in value.lower() for name, value in headers)
        if wanted and not self._cookies.is_own(headers):
            message = "Cookies are set for pages of this server alone; this request says that another's has sent it."
            raise InvalidRequest(message, field="Origin")
        return wanted

    def _answer(self, tokens: Tokens, *, as_cookie: bool) -> Response:
        if not as_cookie:
            return reply(json_answer(200, shown(tokens)))
        now = to_datetime(self._clock.micros())
        return reply(
            json_answer(
                200,
                {"expires_at": time_text(tokens.expires_at)},
                setting(TOKEN, tokens.token, tokens.expires_at, now),
                setting(REFRESH_TOKEN, tokens.refresh_token, tokens.refresh_expires_at, now),
            )
        )


def shown(tokens: Tokens) -> dict[str, Any]:
    """The tokens of a session, shown this once."""
    return {
        "token": tokens.token,
        "expires_at": time_text(tokens.expires_at),
        "refresh_token": tokens.refresh_token,
    }


def shown_step(step: SecondStep) -> dict[str, Any]:
    """What somebody is told who has to prove a second factor."""
    return {
        "mfa_required": True,
        "mfa_token": step.mfa_token,
        "factors": [str(kind) for kind in step.factors],
    }


def visitor_of(request: Request) -> Visitor:
    """Where a request comes from, and what it says that it is."""
    address = exchange_of(request).address
    device = _UNPRINTED.sub(" ", request.headers.get("user-agent", ""))
    return Visitor(address, group_of(address or ""), redact(device)[:DEVICE_MAX].strip())


def refused(reason: Reason, exchange: Exchange) -> RejectedError:
    """The refusal of a token that was presented in a body."""
    return RejectedError(Rejected(reason, exchange.allowance or Allowance(()), CredentialKind.JWT_SESSION))


def routes(calls: LoginCalls) -> APIRouter:
    """The routes of logins."""
    router = APIRouter()
    router.include_router(_visited(calls))
    router.include_router(_guarded(calls))
    return router


def _visited(calls: LoginCalls) -> APIRouter:
    router = APIRouter(prefix="/v1/auth", route_class=VisitedRoute, tags=["Login"])

    @router.post(
        "/login",
        operation_id="logIn",
        summary="Log in with a user name and a password",
        description=(
            "The user name is the e-mail address. Whoever has accounts in several tenants names the tenant, or gets the oldest. "
            "Too many wrong passwords have to wait (429); nobody can use up what is admitted where the user has logged in before. "
            "Who has a second factor gets an `mfa_token` instead, for `/v1/auth/login/second-factor`."
        ),
        responses={
            200: {
                "model": LoginAnswer,
                "description": "The session's tokens; with cookies, only when they end.",
            },
            401: {"description": "The user name or the password is wrong."},
        },
        openapi_extra=VISITED,
    )
    async def login(*, request: Request, body: Login, as_cookie: AsCookie = False) -> Response:
        return await calls.login(request, body, as_cookie=as_cookie)

    @router.post(
        "/login/second-factor",
        operation_id="finishLogIn",
        summary="Prove a second factor, and be logged in",
        description=(
            "The `mfa_token` of the first step serves for five minutes and for one session. A code serves once. "
            "Too many wrong ones have to wait (429), whichever token they come with."
        ),
        responses={
            200: {
                "model": TokensAnswer,
                "description": "The session's tokens; with cookies, only when they end.",
                "headers": _SET_COOKIE,
            },
            401: {"description": "The code is wrong or was used before, or the first step is too long ago."},
        },
        openapi_extra=VISITED,
    )
    async def second_factor(*, request: Request, body: SecondFactor, as_cookie: AsCookie = False) -> Response:
        return await calls.second_factor(request, body, as_cookie=as_cookie)

    @router.post(
        "/refresh",
        operation_id="refreshTokens",
        summary="Get a new token for a refresh token, which is spent with it",
        description=(
            "A lost answer may be asked for again within some seconds. Later, a second use of a refresh token means that two have it, "
            "and ends the session."
        ),
        responses={
            200: {
                "model": TokensAnswer,
                "description": "The session's next tokens.",
                "headers": _SET_COOKIE,
            },
            401: {"description": "The refresh token is unknown, used before, or has ended."},
        },
        openapi_extra=VISITED,
    )
    async def refresh(
        *, request: Request, body: Refresh | None = None, as_cookie: AsCookie = False
    ) -> Response:
        return await calls.refresh(request, body, as_cookie=as_cookie)

    return router


def _guarded(calls: LoginCalls) -> APIRouter:
    router = APIRouter(prefix="/v1/auth", route_class=GuardedRoute, tags=["Login"])

    @router.post(
        "/step-up",
        operation_id="stepUp",
        summary="Prove anew who you are, before something sensitive",
        description=(
            "Some calls are refused with `insufficient_user_authentication` in `WWW-Authenticate` when the login is too long ago. "
            "Whoever has a second factor proves that one; else the password. The presented token ends, and this one takes its place."
        ),
        responses={
            200: {
                "model": SignedTokenAnswer,
                "description": "The session's next token; with cookies, only when it ends.",
                "headers": _SET_COOKIE,
            },
            401: {"description": "The credential is not good, or the password or the code is wrong."},
        },
        openapi_extra={SCOPES_KEY: []},
    )
    async def step_up(
        *, request: Request, caller: Caller, body: FreshProof, as_cookie: AsCookie = False
    ) -> Response:
        return await calls.step_up(request, caller, body, as_cookie=as_cookie)

    @router.post(
        "/logout",
        operation_id="logOut",
        summary="End the session of the presented token",
        description="Every token of the session is refused at once, everywhere.",
        status_code=204,
        responses={
            204: {"description": "The session has ended; its cookies are cleared.", "headers": _SET_COOKIE}
        },
        openapi_extra={SCOPES_KEY: []},
    )
    async def logout(caller: Caller) -> Response:
        return await calls.logout(caller)

    return router
