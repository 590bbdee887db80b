"""`/oauth/logout`: the end of a login that a client asks for, and the question whether the person wants it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from bonafides.credentials.jwt_sessions import JwtSessions
from bonafides.errors import InvalidRequest
from bonafides.oauth.authorization_request import Unproven, pairs_of
from bonafides.oauth.logout import LogoutRequest, Logouts
from bonafides.oauth.redirect_uris import form_action_source
from bonafides.web.answers import NO_STORE, Answer
from bonafides.web.cookies import REFRESH_TOKEN, TOKEN, clearing
from bonafides.web.guard import SCOPES_KEY, exchange_of
from bonafides.web.oauth.authorize import AuthorizeRoute, is_from_here, pairs_asked
from bonafides.web.pages.reception import PageForm, PageRoute, Reader, Reception, SignedIn, own_path
from bonafides.web.pages.rendering import SIGNED_IN
from bonafides.web.replies import reply

LOGOUT: Final = "/oauth/logout"
DECISION: Final = "/oauth/logout/decision"

_ARRIVED: Final = ("arrived", "1")
_ANYBODY: Final[dict[str, Any]] = {SCOPES_KEY: []}


class LogoutPages:
    """Answers where clients send people to log out.

    Args:
        logouts: Read what is asked.
        sessions: End.
        reception: Knows who is signed in.
    """

    def __init__(self, logouts: Logouts, sessions: JwtSessions, reception: Reception) -> None:
        self._logouts = logouts
        self._sessions = sessions
        self._reception = reception

    async def open(self, request: Request) -> Response:
        """What comes of a client's request: the end of the login, the question, or nothing where nobody is signed in."""
        pairs = await pairs_asked(request)
        asked = await self._logouts.read(pairs)
        if isinstance(asked, Unproven):
            request.app.state.guard.count_visit(exchange_of(request))
            return self._refuse(request, asked)
        if request.method == "POST" or (not is_from_here(request) and _ARRIVED not in pairs):
            request.app.state.guard.count_visit(exchange_of(request))
            return self._lead_on(request, asked)
        signed_in = await self._reception.signed_in(request)
        if signed_in is None or signed_in.session_id is None or signed_in.authority.user is None:
            return self._leave(request, asked)
        if asked.is_about(signed_in.authority.user.id, signed_in.session_id):
            return await self._end(request, signed_in, asked)
        source = () if asked.target is None else (form_action_source(asked.target),)
        return self._reception.pages.render(
            request,
            "logout.html",
            form_action=source,
            client_name=asked.client_name,
            carried=urlencode(list(asked.values.items())),
        )

    async def decide(self, request: Request, reader: SignedIn, form: dict[str, str]) -> Response:
        """End the login of who says so; who does not stays, and is led nowhere."""
        asked = await self._logouts.read(pairs_of(form.get("request", "")))
        if isinstance(asked, Unproven):
            return self._refuse(request, asked)
        if form.get("decision") != "leave" or reader.session_id is None:
            return self._reception.pages.render(request, "logged_out.html", stayed=True)
        return await self._end(request, reader, asked)

    async def _end(self, request: Request, signed_in: SignedIn, asked: LogoutRequest) -> Response:
        await self._sessions.logout(signed_in.authority)
        exchange = exchange_of(request)
        exchange.cookies = [clearing(TOKEN), clearing(REFRESH_TOKEN)]
        exchange.extra.pop(SIGNED_IN, None)
        return self._leave(request, asked)

    def _leave(self, request: Request, asked: LogoutRequest) -> Response:
        if asked.target is None:
            return self._reception.pages.render(request, "logged_out.html", stayed=False)
        return reply(Answer(303, [(b"location", asked.target.encode("ascii")), NO_STORE], b""))

    def _lead_on(self, request: Request, asked: LogoutRequest) -> Response:
        pairs: Sequence[tuple[str, str]] = [*asked.values.items(), _ARRIVED]
        path = f"{LOGOUT}?{urlencode(pairs)}"
        if own_path(path) is None:
            message = "The application's request is too long."
            raise InvalidRequest(message, field="query")
        return self._reception.pages.lead_on(request, path)

    def _refuse(self, request: Request, unproven: Unproven) -> Response:
        exchange_of(request).outcome = "invalid_request"
        return self._reception.pages.render(request, "unproven.html", status=400, message=unproven.message)


def routes(pages: LogoutPages) -> APIRouter:
    """The routes of logging out."""
    router = APIRouter(include_in_schema=False)
    asked = APIRouter(route_class=AuthorizeRoute)
    answered = APIRouter(route_class=PageRoute)

    @asked.api_route(LOGOUT, methods=["GET", "POST"])
    async def open_request(request: Request) -> Response:
        return await pages.open(request)

    @answered.post(DECISION, openapi_extra=_ANYBODY)
    async def decide(request: Request, reader: Reader, form: PageForm) -> Response:
        return await pages.decide(request, reader, form)

    router.include_router(asked)
    router.include_router(answered)
    return router
