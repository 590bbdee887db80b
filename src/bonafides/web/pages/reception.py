"""Who is signed in, and whose form it is: the one way into a page that is not for everybody.

A page finds its reader by the cookies of their login, and renews the short-lived one by the long-lived one. A form
counts only with the token that stands in it, which belongs to the session that it was shown in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import Depends, Request, Response
from typing_extensions import override

from bonafides.authority import Authority
from bonafides.credentials.jwt_sessions import JwtSessions, Tokens
from bonafides.errors import InvalidRequest, ProofNeeded
from bonafides.model import Clock, Entropy, Principal, Reason, to_datetime
from bonafides.secret import Peppers
from bonafides.web.answers import NO_STORE, Answer, HeaderList
from bonafides.web.arguments import NO_BODY, answering
from bonafides.web.cookies import REFRESH_TOKEN, TOKEN, Cookies, Header, clearing, setting
from bonafides.web.exchange import Dialect
from bonafides.web.forms import FORM, fields_of, media_type_of
from bonafides.web.guard import (
    COST_KEY,
    SCOPES_KEY,
    CheckedRoute,
    Guard,
    RejectedError,
    check_query,
    exchange_of,
)
from bonafides.web.logins import refused, visitor_of
from bonafides.web.pages.rendering import SIGNED_IN, Pages
from bonafides.web.presented import presented
from bonafides.web.replies import reply

HOME: Final = "/settings/api-keys"
LOGIN: Final = "/login"
PROVE: Final = "/prove"
PAGE_KEY: Final = "x-page"
"""The page that a form stands on, where its own address cannot be asked for."""
VISIT: Final = "__Host-visit"
CSRF: Final = "csrf"
NEXT_MAX: Final = 8_192

_FIELDS_MAX: Final = 300
_OWN_PATH: Final = re.compile(r"/(?![/\\])[!-\[\]-~]*", re.ASCII)
_VISIT_BYTES: Final = 16
_VISIT_ATTRIBUTES: Final = "Path=/; Secure; HttpOnly; SameSite=Strict"
_STALE: Final = frozenset({Reason.MISSING, Reason.INVALID_TOKEN, Reason.EXPIRED})
_FORM: Final = "form"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who reads a page.

    Args:
        authority: What they may do.
        session_id: Of their login; None where another credential was presented.
        csrf: The token of their forms.
    """

    authority: Authority
    session_id: str | None
    csrf: str

    @property
    def name(self) -> str:
        """Theirs, or what they are known by."""
        user = self.authority.user
        return user.name if user is not None else self.authority.tenant_id


class Reception:
    """Lets people in to their pages.

    Args:
        guard: Judges credentials, for pages as for calls.
        sessions: Renews tokens.
        cookies: Finds them.
        peppers: Sign forms.
        clock: How long cookies last.
        entropy: Names visits of who is not signed in.
        pages: Renders.
    """

    def __init__(
        self,
        guard: Guard,
        sessions: JwtSessions,
        cookies: Cookies,
        peppers: Peppers,
        clock: Clock,
        entropy: Entropy,
        pages: Pages,
    ) -> None:
        self._guard = guard
        self._sessions = sessions
        self._cookies = cookies
        self._peppers = peppers
        self._clock = clock
        self._entropy = entropy
        self.pages = pages

    async def admit(self, request: Request, scopes: frozenset[str], cost: int = 1) -> SignedIn:
        """Who is signed in, if they may do this; their cookies are renewed with the answer where it is time.

        Raises:
            RejectedError: Nobody is, or they may not.
            Unavailable: The server cannot know.
        """
        exchange = exchange_of(request)
        exchange.extra["principal"] = await self._principal(request, scopes, cost)
        authority = await self._guard.authority(request, via="pages")
        session_id = await self._sessions.own_session(authority)
        whose = session_id or authority.actor.credential_id or ""
        signed_in = SignedIn(authority, session_id, self._peppers.sign_form(f"session {whose}"))
        exchange.extra[SIGNED_IN] = signed_in
        return signed_in

    async def signed_in(self, request: Request) -> SignedIn | None:
        """Who is signed in; None where nobody is. Counts the request, for them or for their address.

        Raises:
            RejectedError: The limit is reached.
            Unavailable: The server cannot know.
        """
        try:
            return await self.admit(request, frozenset())
        except RejectedError as error:
            if error.rejected.reason is Reason.RATE:
                raise
            return None

    async def _principal(self, request: Request, scopes: frozenset[str], cost: int) -> Principal:
        headers = request.scope["headers"]
        refresh_token = None if presented(headers) is not None else self._cookies.find(headers, REFRESH_TOKEN)
        if refresh_token is None or self._cookies.credential(headers) is not None:
            try:
                return await self._guard.admit(request, scopes, cost)
            except RejectedError as error:
                if refresh_token is None or error.rejected.reason not in _STALE:
                    raise
        self._guard.count_visit(exchange_of(request))
        exchange = exchange_of(request)
        outcome = await self._sessions.refresh(
            refresh_token.decode("latin-1"), visitor_of(request), request_id=exchange.request_id
        )
        if isinstance(outcome, Reason):
            exchange.cookies = [clearing(TOKEN), clearing(REFRESH_TOKEN)]
            raise refused(outcome, exchange)
        exchange.cookies = self.cookies_of(outcome)
        return await self._guard.judge(request, outcome.token.encode("ascii"), scopes, cost)

    def cookies_of(self, tokens: Tokens) -> HeaderList:
        """The headers that put a session's tokens into a browser."""
        now = to_datetime(self._clock.micros())
        return [
            setting(TOKEN, tokens.token, tokens.expires_at, now),
            setting(REFRESH_TOKEN, tokens.refresh_token, tokens.refresh_expires_at, now),
        ]

    def holds_cookies(self, request: Request) -> bool:
        """Whether a browser has sent cookies of a login, good or not."""
        headers = request.scope["headers"]
        return any(self._cookies.find(headers, name) is not None for name in (TOKEN, REFRESH_TOKEN))

    def arrive(self, request: Request) -> Response | None:
        """The page that leads on to this very address, for who comes by a link of another site; else None.

        Browsers send our strict cookies along with what our own pages ask for, and with nothing else.

        See: RFC 6265bis §5.2, Fetch Metadata §2.3
        """
        headers = request.scope["headers"]
        if request.method != "GET" or self._cookies.is_own(headers):
            return None
        path = asked_path(request)
        return self.pages.lead_on(request, path) if own_path(path) is not None else None

    def visit(self, request: Request) -> tuple[str, Header | None]:
        """The token for a form that is shown to who is not signed in, and the cookie that it belongs to.

        Args:
            request: Whose cookie is kept where it has one.
        """
        cookie = self._cookies.find(request.scope["headers"], VISIT)
        if cookie is not None:
            return self._peppers.sign_form(f"visit {cookie.decode('latin-1')}"), None
        visit = self._entropy(_VISIT_BYTES).hex()
        header = (b"set-cookie", f"{VISIT}={visit}; {_VISIT_ATTRIBUTES}".encode("ascii"))
        return self._peppers.sign_form(f"visit {visit}"), header

    async def visitors_form(self, request: Request) -> dict[str, str]:
        """The form of who is not signed in, if it was shown to this very browser.

        Raises:
            InvalidRequest: It was not.
        """
        cookie = self._cookies.find(request.scope["headers"], VISIT)
        if cookie is None:
            raise _foreign()
        return await self._form(request, f"visit {cookie.decode('latin-1')}")

    async def persons_form(self, request: Request, signed_in: SignedIn) -> dict[str, str]:
        """The form of who is signed in, if it was shown in this very session.

        Raises:
            InvalidRequest: It was not.

        See: OWASP ASVS 3.5.1
        """
        whose = signed_in.session_id or signed_in.authority.actor.credential_id or ""
        return await self._form(request, f"session {whose}")

    async def _form(self, request: Request, whose: str) -> dict[str, str]:
        if not self._cookies.is_own(request.scope["headers"]) or media_type_of(request) != FORM:
            raise _foreign()
        form = fields_of(await request.body(), fields_max=_FIELDS_MAX)
        if not self._peppers.is_form_of(form.pop(CSRF, ""), whose):
            raise _foreign()
        return {name: value for name, value in form.items() if value}


def _foreign() -> InvalidRequest:
    message = (
        "This form was not shown to you here, or you have signed in anew since. Open the page again and send it from there. "
        "If this goes on, your browser keeps no cookies of this server: they need https, or the very machine that it runs on."
    )
    return InvalidRequest(message, field=CSRF)


def own_path(text: str | None) -> str | None:
    """A path of ours to go on to; None where the text is anything else, which may lead to another site.

    See: OWASP ASVS 3.7.2
    """
    if text is None or len(text) > NEXT_MAX or _OWN_PATH.fullmatch(text) is None:
        return None
    return text


def asked_path(request: Request) -> str:
    """The path of a request with its query, as it can stand in a link."""
    query = request.scope["query_string"].decode("latin-1")
    return quote(request.scope["path"]) + (f"?{query}" if query else "")


def reception_of(request: Request) -> Reception:
    """The reception of the application that a request came to."""
    reception: Reception = request.app.state.reception
    return reception


def _reader_of(request: Request) -> SignedIn:
    signed_in: SignedIn = exchange_of(request).extra[SIGNED_IN]
    return signed_in


def _authority_of(request: Request) -> Authority:
    return _reader_of(request).authority


def _form_of(request: Request) -> dict[str, str]:
    form: dict[str, str] = exchange_of(request).extra[_FORM]
    return form


Reader = Annotated[SignedIn, Depends(_reader_of)]
PageCaller = Annotated[Authority, Depends(_authority_of)]
PageForm = Annotated[dict[str, str], Depends(_form_of)]


class PublicPageRoute(CheckedRoute):
    """A page for everybody; its visits are counted by address, and it fails as a page."""

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, behind the checks."""
        answer = answering(self)
        parameters = frozenset(field.alias for field in self.dependant.query_params)

        async def handle(request: Request) -> Response:
            if wants_page(request):
                exchange_of(request).dialect = Dialect.PAGE
                arriving = self.arrive(request)
                if arriving is not None:
                    return arriving
            try:
                await self.admit(request, request.app.state.guard)
            except RejectedError as error:
                if error.rejected.reason in _STALE and wants_page(request):
                    return self.turn_away(request)
                raise
            check_query(request, parameters)
            try:
                return await answer(request, NO_BODY)
            except ProofNeeded:
                if not wants_page(request):
                    raise
                page = str((self.openapi_extra or {}).get(PAGE_KEY, quote(request.scope["path"])))
                return reception_of(request).pages.go(f"{PROVE}?next={quote(page, safe='/')}")

        return handle

    @override
    async def admit(self, request: Request, guard: Guard) -> None:
        """Count the visit."""
        guard.count_visit(exchange_of(request))

    def arrive(self, request: Request) -> Response | None:  # noqa: ARG002 - for pages of people
        """What is answered before anybody is admitted."""
        return None

    def turn_away(self, request: Request) -> Response:
        """To the page where one signs in, and from there back to a page that can be asked for."""
        target = LOGIN
        if request.method == "GET":
            path = asked_path(request)
            target += f"?next={quote(path, safe='/')}" if own_path(path) is not None else ""
        location = reception_of(request).pages.path(target).encode("ascii")
        return reply(Answer(303, [(b"location", location), NO_STORE], b""))


class PageRoute(PublicPageRoute):
    """A page for who is signed in and has the scopes that it declares; a form on it is theirs or does nothing."""

    @override
    def arrive(self, request: Request) -> Response | None:
        """The step of our own that brings the cookies; counted by address."""
        response = reception_of(request).arrive(request)
        if response is not None:
            request.app.state.guard.count_visit(exchange_of(request))
        return response

    @override
    async def admit(self, request: Request, guard: Guard) -> None:
        """Find out who reads, and read their form."""
        extra = self.openapi_extra or {}
        reception = reception_of(request)
        signed_in = await reception.admit(
            request, frozenset(extra.get(SCOPES_KEY, ())), int(extra.get(COST_KEY, 1))
        )
        if request.method == "POST":
            exchange_of(request).extra[_FORM] = await reception.persons_form(request, signed_in)


def wants_page(request: Request) -> bool:
    """Whether a browser asks, for somebody who reads."""
    return "text/html" in request.headers.get("accept", "").lower()
