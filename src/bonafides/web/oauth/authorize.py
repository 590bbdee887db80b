"""`/oauth/authorize`, where clients send people, and the question that people answer there.

Neither is ever called by a script of another site: there is no CORS here, and nobody may frame these pages.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from typing_extensions import override

from bonafides.credentials.jwt_sessions import JwtSessions
from bonafides.errors import InvalidRequest, NotFound
from bonafides.model import Actor
from bonafides.oauth.authorization_request import (
    Destination,
    Refusal,
    ResponseMode,
    Told,
    Unproven,
    answer_parameters,
    answer_uri,
    pairs_of,
)
from bonafides.oauth.authorize import (
    BEGAN,
    Answered,
    Authorizations,
    LogInFirst,
    Outcome,
    Person,
    Question,
)
from bonafides.oauth.redirect_uris import form_action_source, origin_shown
from bonafides.oauth.request_objects import names_object
from bonafides.web.answers import NO_STORE, Answer
from bonafides.web.exchange import Dialect
from bonafides.web.forms import FORM, media_type_of
from bonafides.web.guard import SCOPES_KEY, exchange_of
from bonafides.web.pages.reception import LOGIN, PageForm, PageRoute, Reader, Reception, SignedIn, own_path
from bonafides.web.replies import reply

AUTHORIZE: Final = "/oauth/authorize"
CONSENT: Final = "/oauth/consent"

_Pairs = Sequence[tuple[str, str]]
_BODY_MAX: Final = 16_384
_PATH_SAFE: Final = "/?:@!$'()*,;~"

SCOPES_IN_WORDS: Final = {
    "read": "See what you have here",
    "write": "Change what you have here",
    "admin": "Do everything that you can do as an administrator",
    "credentials:verify": "Ask whether credentials of others are good",
    "openid": "Know which user you are",
    "profile": "See your name",
    "email": "See your e-mail address",
    "offline_access": "Keep its access while you are away, until you end it",
}


class AuthorizePages:
    """Answers where clients send people.

    Args:
        authorizations: Judges and decides.
        sessions: Knows when and how people signed in.
        reception: Knows who is signed in.
        issuer: Who we are to clients.
    """

    def __init__(
        self, authorizations: Authorizations, sessions: JwtSessions, reception: Reception, issuer: str
    ) -> None:
        self._authorizations = authorizations
        self._sessions = sessions
        self._reception = reception
        self._issuer = issuer

    async def open(self, request: Request) -> Response:
        """What comes next for a client's request: a page of ours, or its answer."""
        pairs = await pairs_asked(request)
        if request.method == "POST" or (not is_from_here(request) and BEGAN not in dict(pairs)):
            return await self._lead_on(request, pairs)
        if names_object(dict(pairs)):
            # It may be asked of another server, and is written down.
            request.app.state.guard.count_visit(exchange_of(request))
        signed_in = await self._reception.signed_in(request)
        person = await self.person(signed_in)
        return self._show(request, await self._authorizations.open(pairs, person, _actor(request, signed_in)))

    async def decide(self, request: Request, signed_in: SignedIn, form: dict[str, str]) -> Response:
        """Take a person's answer; whatever it is not is no."""
        person = await self.person(signed_in)
        if person is None:
            message = "Sign in with your password to answer this."
            raise InvalidRequest(message, field="csrf")
        pairs = pairs_of(form.get("request", ""))
        allowed = form.get("decision") == "allow"
        actor = _actor(request, signed_in)
        return self._show(request, await self._authorizations.decide(pairs, person, actor, allowed=allowed))

    async def _lead_on(self, request: Request, pairs: _Pairs) -> Response:
        """A step of our own, after which the cookies of who is signed in are there.

        It says when the request began, and so is made once.
        """
        request.app.state.guard.count_visit(exchange_of(request))
        arrived = await self._authorizations.arrive(pairs)
        if not isinstance(arrived, Sequence):
            return self._show(request, arrived)
        path = f"{AUTHORIZE}?{urlencode(arrived)}"
        if own_path(path) is None:
            raise _too_long()
        return self._reception.pages.lead_on(request, path)

    async def person(self, signed_in: SignedIn | None) -> Person | None:
        """Who is signed in, and how; None where it is not by a login."""
        if signed_in is None or signed_in.session_id is None or signed_in.authority.user is None:
            return None
        try:
            found = await self._sessions.get(signed_in.authority, signed_in.session_id)
        except NotFound:
            return None
        return Person(signed_in.authority.user, found.session)

    def _show(self, request: Request, outcome: Outcome) -> Response:
        match outcome:
            case Unproven():
                exchange_of(request).outcome = "invalid_request"
                return self._reception.pages.render(
                    request, "unproven.html", status=400, message=outcome.message
                )
            case Answered():
                return self._tell(request, outcome.destination, outcome.outcome)
            case LogInFirst():
                path = f"{AUTHORIZE}?{urlencode(outcome.pairs)}"
                if own_path(path) is None:
                    raise _too_long()
                hint = f"&login_hint={quote(outcome.login_hint)}" if outcome.login_hint else ""
                return self._reception.pages.go(f"{LOGIN}?next={quote(path, safe=_PATH_SAFE)}{hint}")
            case Question():
                return self._ask(request, outcome)

    def _ask(self, request: Request, question: Question) -> Response:
        destination = question.request.destination
        path = f"{AUTHORIZE}?{urlencode(question.pairs)}"
        return self._reception.pages.render(
            request,
            "consent.html",
            form_action=(form_action_source(destination.redirect_uri),),
            client=question.client,
            origin=origin_shown(destination.redirect_uri),
            resources=question.request.resources,
            scopes=scopes_in_words(question.scopes),
            known=question.known,
            remembered=question.remembered,
            document_host=None
            if question.client.document is None
            else urlsplit(question.client.document).netloc,
            unchecked=question.client.registered and question.client.created_by is None,
            carried=urlencode(question.pairs),
            another=f"{LOGIN}?next={quote(path, safe=_PATH_SAFE)}",
        )

    def _tell(self, request: Request, destination: Destination, outcome: Told) -> Response:
        """Lead the browser to the client, with its answer.

        303, so that no browser sends the password or the form along.

        See: RFC 9700 §4.12, OAuth 2.0 Form Post Response Mode §2
        """
        if isinstance(outcome, Refusal):
            exchange_of(request).outcome = outcome.error
        if destination.mode is ResponseMode.FORM_POST:
            return self._reception.pages.render(
                request,
                "form_post.html",
                form_action=(form_action_source(destination.redirect_uri),),
                target=destination.redirect_uri,
                origin=origin_shown(destination.redirect_uri),
                parameters=answer_parameters(destination, self._issuer, outcome),
            )
        location = answer_uri(destination, self._issuer, outcome).encode("ascii")
        return reply(Answer(303, [(b"location", location), NO_STORE], b""))


async def pairs_asked(request: Request) -> _Pairs:
    """What a client has sent somebody with, in the address or in a form.

    Raises:
        InvalidRequest: It cannot be read.
    """
    if request.method == "GET":
        return pairs_of(request.scope["query_string"].decode("latin-1"))
    if media_type_of(request) != FORM:
        message = f"The body must be a form. Send Content-Type: {FORM}."
        raise InvalidRequest(message, field="Content-Type")
    body = await request.body()
    if len(body) > _BODY_MAX:
        message = f"The request must be at most {_BODY_MAX} bytes long. Push it instead."
        raise InvalidRequest(message, field="body")
    return pairs_of(body.decode("latin-1"))


def is_from_here(request: Request) -> bool:
    """Whether the browser sends our strict cookies along, as far as it tells."""
    sites = request.headers.getlist("sec-fetch-site")
    return all(site in {"same-origin", "none"} for site in sites)


def scopes_in_words(scopes: frozenset[str]) -> list[tuple[str, str | None]]:
    """Scopes with what they mean to a person, those without words last."""
    known = list(SCOPES_IN_WORDS)
    ordered = sorted(scopes, key=lambda scope: (known.index(scope) if scope in known else len(known), scope))
    return [(scope, SCOPES_IN_WORDS.get(scope)) for scope in ordered]


def _too_long() -> InvalidRequest:
    message = "The application's request is too long to be carried in an address. It has to push it instead."
    return InvalidRequest(message, field="query")


def _actor(request: Request, signed_in: SignedIn | None) -> Actor:
    if signed_in is not None:
        return signed_in.authority.actor
    exchange = exchange_of(request)
    return Actor(None, None, "pages", exchange.request_id, exchange.address)


class AuthorizeRoute(APIRoute):
    """The route that clients send people to: whatever else is in the request is ignored, and failures are pages."""

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, without the checks of calls."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            if "text/html" in request.headers.get("accept", "").lower():
                exchange_of(request).dialect = Dialect.PAGE
            return await inner(request)

        return handle


def routes(pages: AuthorizePages) -> APIRouter:
    """The routes of authorization."""
    router = APIRouter(include_in_schema=False)
    asked = APIRouter(route_class=AuthorizeRoute)
    answered = APIRouter(route_class=PageRoute)

    @asked.api_route(AUTHORIZE, methods=["GET", "POST"])
    async def open_request(request: Request) -> Response:
        return await pages.open(request)

    @answered.post(CONSENT, openapi_extra={SCOPES_KEY: []})
    async def decide(request: Request, reader: Reader, form: PageForm) -> Response:
        return await pages.decide(request, reader, form)

    router.include_router(asked)
    router.include_router(answered)
    return router
