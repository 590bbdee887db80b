"""Authorization: a client's request, from the address that it sends somebody to, to the answer that it gets.

Nothing of a request is kept between its pages. Each of them sends the whole request along and it is judged anew, so
nothing that was refused once comes back by way of a page, and any node may serve any page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from urllib.parse import urlencode

from bonafides.audit import Recorder
from bonafides.delegation import AuthorizationCode, Client, Consent
from bonafides.directory import Directory
from bonafides.errors import InvalidRequest
from bonafides.model import Actor, Clock, Entropy, Session, User, to_datetime
from bonafides.oauth.authorization_request import (
    PUSHED_PREFIX,
    AuthorizationRequest,
    Destination,
    Parameters,
    Refusal,
    Told,
    Unproven,
    destination_of,
    judge,
    read,
    written,
)
from bonafides.oauth.claims import subject_asked_for
from bonafides.oauth.client_metadata import CODE
from bonafides.oauth.grants import GrantWish
from bonafides.oauth.implicit import Implicit
from bonafides.oauth.interaction import Given, Login, Step, is_assured, next_step, scopes_given
from bonafides.oauth.pushed_requests import keep
from bonafides.oauth.request_objects import RequestObjects
from bonafides.secret import Peppers, new_id
from bonafides.store import ConsentStore, DirectoryStore, PushedRequestStore

CODE_SECONDS: Final = 60
BEGAN: Final = "began"
BEGAN_SECONDS_MAX: Final = 3_600

_Pairs = Sequence[tuple[str, str]]
_SECOND_US: Final = 1_000_000


class AuthorizeStore(ConsentStore, PushedRequestStore, DirectoryStore, Protocol):
    """What authorization asks of the store."""


class ClientFinder(Protocol):
    """Finds clients, and nothing of those that are not active."""

    async def find(self, client_id: str) -> Client | None: ...


class ClientKeeper(ClientFinder, Protocol):
    """Keeps those, too, that are known by a URL alone, once somebody lets them."""

    async def keep(self, client: Client, actor: Actor) -> None: ...


class CodeIssuer(Protocol):
    """Makes authorization codes."""

    async def issue(self, code: AuthorizationCode, actor: Actor) -> str: ...


class HintReader(Protocol):
    """Reads ID tokens of ours that come back as hints."""

    async def hinted_user(self, id_token: str, client_id: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in, and how."""

    user: User
    session: Session


@dataclass(frozen=True, slots=True)
class Answered:
    """The client is told: a code, tokens, or why there are none."""

    destination: Destination
    outcome: Told


@dataclass(frozen=True, slots=True)
class LogInFirst:
    """Somebody has to prove who they are, and then comes back with these parameters.

    Args:
        pairs: The whole request, and when it began.
        login_hint: Who is expected; empty where nobody is named.
        destination: Where the answer will go.
    """

    pairs: _Pairs
    login_hint: str
    destination: Destination


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked.

    Args:
        client: Who wants it.
        request: What it wants.
        scopes: As much of that as the person can give.
        known: What they have let it do before.
        remembered: Whether they will not be asked again for as much.
        pairs: The whole request, and when it began.
    """

    client: Client
    request: AuthorizationRequest
    scopes: frozenset[str]
    known: frozenset[str]
    remembered: bool
    pairs: _Pairs


Outcome = Unproven | Answered | LogInFirst | Question


@dataclass(frozen=True, slots=True)
class _Judged:
    """A request that may be asked of a person."""

    client: Client
    request: AuthorizationRequest
    pushed: bytes | None
    pairs: _Pairs
    began_at: datetime


class Authorizations:
    """Judges authorization requests, asks people, and tells clients.

    Args:
        store: Where consents and pushed requests are.
        directory: What people may give.
        clients: Finds who asks.
        objects: Read what they ask for by request objects.
        codes: Makes what they get.
        implicit: Makes what they get in the answer itself, if they may.
        hints: Reads whom they expect.
        recorder: Makes audit events.
        peppers: Know pushed requests, and when one began.
        clock: The time.
        entropy: For ids.
        audiences: Resources for which every client may ask.
    """

    def __init__(  # noqa: PLR0913 - an authorization goes through all of these
        self,
        *,
        store: AuthorizeStore,
        directory: Directory,
        clients: ClientKeeper,
        objects: RequestObjects,
        codes: CodeIssuer,
        implicit: Implicit,
        hints: HintReader,
        recorder: Recorder,
        peppers: Peppers,
        clock: Clock,
        entropy: Entropy,
        audiences: Sequence[str],
    ) -> None:
        self._store = store
        self._directory = directory
        self._clients = clients
        self._objects = objects
        self._codes = codes
        self._implicit = implicit
        self._hints = hints
        self._recorder = recorder
        self._peppers = peppers
        self._clock = clock
        self._entropy = entropy
        self._audiences = audiences

    async def open(self, pairs: _Pairs, person: Person | None, actor: Actor) -> Outcome:
        """What comes next for a request: an answer, a login or a question.

        Args:
            pairs: Its parameters, and when it began if it has been here before.
            person: Who is signed in.
            actor: Of whatever is written down.

        Raises:
            Unavailable: The server cannot know.
        """
        judged = await self._judge(pairs)
        if not isinstance(judged, _Judged):
            return judged
        given = await self._given(judged.client, person)
        step = await self._step(judged, person, given)
        match step:
            case Refusal():
                return await self._answer(judged, step)
            case Step.LOG_IN:
                hint = judged.request.login_hint or ""
                return LogInFirst(judged.pairs, hint, judged.request.destination)
            case Step.GRANT if person is not None:
                return await self._grant(judged, person, actor)
            case _ if person is not None:
                return self._question(judged, person, given)
            case _:  # pragma: no cover - only somebody who is signed in is asked or grants
                raise AssertionError

    async def arrive(self, pairs: _Pairs) -> Unproven | Answered | _Pairs:
        """A request that has just come, with the fact of when; its answer where nobody can be asked for one.

        Raises:
            Unavailable: The server cannot know.
        """
        judged = await self._judge(pairs)
        return judged.pairs if isinstance(judged, _Judged) else judged

    async def decide(self, pairs: _Pairs, person: Person, actor: Actor, *, allowed: bool) -> Outcome:
        """What a person has answered, remembered and told to the client.

        Args:
            pairs: The whole request, as the page has sent it back.
            person: Who has answered, in the very session that was asked.
            actor: The same.
            allowed: What.

        Raises:
            Unavailable: The server cannot know.
        """
        judged = await self._judge(pairs)
        if not isinstance(judged, _Judged):
            return judged
        given = await self._given(judged.client, person)
        step = await self._step(judged, person, given)
        if isinstance(step, Refusal):
            return await self._answer(judged, step)
        if step is Step.LOG_IN:
            return LogInFirst(judged.pairs, judged.request.login_hint or "", judged.request.destination)
        if not allowed:
            return await self._answer(judged, Refusal("access_denied", "The person has said no."))
        await self._clients.keep(judged.client, actor)
        await self._remember(judged, person, actor)
        return await self._grant(judged, person, actor)

    async def _judge(self, pairs: _Pairs) -> _Judged | Unproven | Answered:
        parameters = read(pairs)
        client_id = parameters.get("client_id")
        if client_id is None:
            return Unproven(
                "The application does not say which one it is: client_id is missing from its request."
            )
        client = await self._clients.find(client_id)
        if client is None:
            return Unproven("No application of that client_id is known here, or it has been switched off.")
        sent, pushed = parameters, None
        request_uri = parameters.get("request_uri")
        token = dict(pairs).get(BEGAN)
        if request_uri is not None and request_uri.startswith(PUSHED_PREFIX):
            sent = Parameters({"client_id": client.wire_id, "request_uri": request_uri}, (), frozenset())
            digests = self._peppers.candidates(request_uri.encode("utf-8", "replace"))
            # Whoever came in time may take their time on the pages.
            found = await self._store.find_pushed_request(digests, self._began(written(sent), token)[0])
            if found is None or found.request.client_id != client.id or parameters.repeated:
                return Unproven(
                    "This link has been used already, or is too old. Go back to the application, and begin again."
                )
            parameters, pushed = _pushed(found.request.parameters), found.digest
        else:
            said = await self._objects.resolved(parameters, client)
            if isinstance(said, Refusal):
                return self._unreadable(parameters, client, said)
            parameters = said
        began_at, carried = self._began(written(sent), token)
        destination = destination_of(parameters, client, implicit=self._implicit.is_open)
        if isinstance(destination, Unproven):
            return destination
        request = judge(
            parameters,
            client,
            destination,
            defined_scopes=self._directory.defined_scopes,
            audiences=self._audiences,
            pushed=pushed is not None,
            implicit=self._implicit.is_open,
        )
        if isinstance(request, Refusal):
            if pushed is not None:
                await self._spend(pushed, began_at)
            return Answered(destination, request)
        if pushed is None and parameters is not sent:
            # From here on it is known by a name of ours: no page carries the object, and no other one takes its place.
            uri, pushed = await keep(
                self._store, self._peppers, self._clock, self._entropy, client, parameters
            )
            sent = Parameters({"client_id": client.wire_id, "request_uri": uri}, (), frozenset())
            began_at, carried = self._began(written(sent), None)
        return _Judged(client, request, pushed, carried, began_at)

    def _unreadable(self, parameters: Parameters, client: Client, refusal: Refusal) -> Unproven | Answered:
        """Tell the client that its request object cannot be believed, if what stands beside it names a place of its own."""
        destination = destination_of(parameters, client, implicit=self._implicit.is_open)
        if isinstance(destination, Unproven):
            return Unproven(f"What the application asks for cannot be read. {refusal.description}")
        return Answered(destination, refusal)

    def _began(self, carried: list[tuple[str, str]], token: str | None) -> tuple[datetime, _Pairs]:
        """When a request came first, and the request with that fact, which nobody else can make.

        So `prompt=login` and `max_age` are met by a login that was made for this very request, and by no other.
        """
        now_us = self._clock.micros()
        context = "authorization " + urlencode(carried)
        began_us = now_us
        if token is not None:
            try:
                (began_us,) = self._peppers.read_cursor(token, context)
            except InvalidRequest:
                began_us = now_us
            if not now_us - BEGAN_SECONDS_MAX * _SECOND_US <= began_us <= now_us:
                began_us = now_us
        return to_datetime(began_us), [*carried, (BEGAN, self._peppers.sign_cursor([began_us], context))]

    async def _given(self, client: Client, person: Person | None) -> Consent | None:
        return None if person is None else await self._store.find_consent(person.user.id, client.id)

    async def _step(self, judged: _Judged, person: Person | None, given: Consent | None) -> Step | Refusal:
        request, client = judged.request, judged.client
        hinted = None
        if request.id_token_hint is not None:
            hinted = await self._hints.hinted_user(request.id_token_hint, client.wire_id)
            if hinted is None:
                return Refusal(
                    "invalid_request", "id_token_hint is no ID token that was issued here to this client."
                )
        wanted = subject_asked_for(request.claims)
        if wanted is not None and hinted not in {None, wanted}:
            return Refusal("invalid_request", "id_token_hint and claims name two people.")
        hinted = hinted or wanted
        if person is not None and not await serves(self._store, client, person.user):
            if person.session.authenticated_at >= judged.began_at:
                return Refusal("access_denied", "The application is not for people of this organisation.")
            # Somebody else may sign in who can answer.
            person = None
        return next_step(
            request,
            client,
            None if person is None else self._login(person),
            None if given is None else Given(given.scopes, given.resources),
            began_at=judged.began_at,
            now=to_datetime(self._clock.micros()),
            hinted_user_id=hinted,
        )

    def _login(self, person: Person) -> Login:
        return Login(person.user.id, person.session.authenticated_at, self._directory.ceiling(person.user))

    def _question(self, judged: _Judged, person: Person, given: Consent | None) -> Question:
        return Question(
            client=judged.client,
            request=judged.request,
            scopes=scopes_given(judged.request, self._login(person)),
            known=frozenset() if given is None else given.scopes,
            remembered=is_assured(judged.request, judged.client),
            pairs=judged.pairs,
        )

    async def _remember(self, judged: _Judged, person: Person, actor: Actor) -> None:
        now_us = self._clock.micros()
        now = to_datetime(now_us)
        scopes = scopes_given(judged.request, self._login(person))
        given = Consent(
            id=new_id("con", now_us, self._entropy),
            user_id=person.user.id,
            client_id=judged.client.id,
            tenant_id=person.user.tenant_id,
            scopes=scopes,
            resources=judged.request.resources,
            created_at=now,
            updated_at=now,
        )
        details = {
            "client_id": judged.client.id,
            "scopes": sorted(scopes),
            "resources": list(given.resources),
        }
        event = self._recorder.event("consent.given", actor, given.tenant_id, judged.client.id, details)
        await self._store.give_consent(given, event)

    async def _grant(self, judged: _Judged, person: Person, actor: Actor) -> Outcome:
        if judged.pushed is not None and not await self._spend(judged.pushed, judged.began_at):
            return Unproven("This link has been used already. Go back to the application, and begin again.")
        request, destination = judged.request, judged.request.destination
        if request.response_type != CODE:
            return await self._give(judged, person, actor)
        now = to_datetime(self._clock.micros())
        code = AuthorizationCode(
            client_id=judged.client.id,
            tenant_id=person.user.tenant_id,
            user_id=person.user.id,
            session_id=person.session.id,
            redirect_uri=destination.redirect_uri,
            redirect_uri_given=destination.named,
            code_challenge=request.code_challenge,
            scopes=scopes_given(request, self._login(person)),
            resources=request.resources,
            authenticated_at=person.session.authenticated_at,
            methods=person.session.methods,
            acr=None,
            nonce=request.nonce,
            claims=request.claims,
            jkt=request.dpop_jkt,
            created_at=now,
            expires_at=now + timedelta(seconds=CODE_SECONDS),
        )
        return Answered(destination, await self._codes.issue(code, actor))

    async def _give(self, judged: _Judged, person: Person, actor: Actor) -> Outcome:
        """Tokens at once, for a client that has registered that it takes them so."""
        request = judged.request
        wish = GrantWish(
            user=person.user,
            scopes=scopes_given(request, self._login(person)),
            session_id=person.session.id,
            authenticated_at=person.session.authenticated_at,
            methods=person.session.methods,
            nonce=request.nonce,
            claims=request.claims,
        )
        told = await self._implicit.give(judged.client, wish, request.response_type, actor)
        return Answered(
            request.destination, told or Refusal("access_denied", "The person may not sign in now.")
        )

    async def _answer(self, judged: _Judged, refusal: Refusal) -> Answered:
        if judged.pushed is not None:
            await self._spend(judged.pushed, judged.began_at)
        return Answered(judged.request.destination, refusal)

    async def _spend(self, digest: bytes, began_at: datetime) -> bool:
        return await self._store.spend_pushed_request(digest, began_at)


async def serves(store: DirectoryStore, client: Client, user: User) -> bool:
    """Whether a client is for people of a user's tenant: its own, or, of the operator's, every one."""
    if client.tenant_id == user.tenant_id:
        return True
    tenant = await store.find_tenant(client.tenant_id)
    return tenant is not None and tenant.operator


def _pushed(document: object) -> Parameters:
    """The parameters of a pushed request, as they were read when it was pushed."""
    pairs = document["pairs"] if isinstance(document, dict) else ()
    return read([(str(name), str(value)) for name, value in pairs])
