"""Clients that nobody has made: known by the https URL at which they describe themselves.

Such a client is read when it sends somebody, and kept once a person has let it do something, or when it asks ahead of
any person; until then a stranger's request leaves nothing behind. It is a client that nobody vouches for: people are
asked each time.

See: draft-ietf-oauth-client-id-metadata-document
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import structlog

from bonafides.credentials.guesses import Visitor
from bonafides.delegation import DOCUMENT, Client, ClientChanges
from bonafides.errors import AppError, InvalidClientMetadata, InvalidRedirectUri, InvalidRequest, InvalidScope
from bonafides.model import Actor, Clock
from bonafides.oauth.clients import Clients, ClientWish, document_id
from bonafides.oauth.registrations import OPEN_GRANTS, VIA, Registrations
from bonafides.outgoing import Outgoing, Unfetched, may_be_named

BYTES_MAX: Final = 5_120
"""Of a document, as the draft recommends."""
URL_LENGTH_MAX: Final = 500
FRESH_SECONDS: Final = 300.0
FRESH_SECONDS_MAX: Final = 3_600.0
"""However long a document says that it may be kept: until then a change of it, or its end, is not noticed."""
AGAIN_SECONDS: Final = 10.0
"""Between two questions for a URL that had nothing good to say."""
URLS_MAX: Final = 1_000
ASKED_MAX: Final = 30
"""Questions a minute to one host, whoever makes us ask: nobody is flooded through us."""
MINUTE: Final = 60.0

_OK: Final = 200
_MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])")
_SECRETS: Final = ("client_secret", "client_secret_expires_at")
_MALFORMED: Final = (InvalidRequest, InvalidScope, InvalidClientMetadata, InvalidRedirectUri)
_decode = msgspec.json.Decoder(dict[str, Any]).decode

log = structlog.get_logger("bonafides.client_documents")

ReadWish = Callable[[Mapping[str, Any]], ClientWish]
"""What a client says of itself, as in a registration.

Raises `InvalidClientMetadata` or `InvalidRedirectUri` where it is malformed.
"""


@dataclass(slots=True)
class _Place:
    """What is known of a URL, by the machine's monotonic clock."""

    wish: ClientWish | None = None
    good_until: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class ClientDocuments:
    """Finds clients by their `client_id`, whether somebody has made them or they describe themselves.

    Args:
        clients: Those that are here.
        registrations: What a client may be that nobody vouches for.
        outgoing: Asks URLs, and no address of a private network.
        read: Reads what a client says.
        clock: How old a document is.
        open: Whether clients may be known by a URL at all.
    """

    def __init__(
        self,
        clients: Clients,
        registrations: Registrations,
        outgoing: Outgoing,
        read: ReadWish,
        clock: Clock,
        *,
        open: bool,  # noqa: A002 - as the setting says
    ) -> None:
        self._clients = clients
        self._registrations = registrations
        self._outgoing = outgoing
        self._read = read
        self._clock = clock
        self._open = open
        self._places: OrderedDict[str, _Place] = OrderedDict()
        self._asked: OrderedDict[str, deque[float]] = OrderedDict()

    async def find(self, client_id: str) -> Client | None:
        """The client as it describes itself now; None where there is none, or somebody has switched it off."""
        if document_id(client_id) is None:
            found = await self._clients.find(client_id)
            # By its own name it would be what it was when somebody last used it.
            return None if found is None or found.document is not None else found
        if not self._open or not is_document_url(client_id) or await self._clients.is_off(client_id):
            return None
        wish = await self._wish(client_id)
        return None if wish is None else await self._described(client_id, wish)

    async def introduce(self, client_id: str, visitor: Visitor) -> None:
        """Keep a client that asks before any person is there, so that its request can wait for one.

        Nobody fills the database so: each address may as often as it may register clients.

        Raises:
            TooManyRequests: There were too many from there.
            InvalidRequest: It was removed here.
        """
        identifier = document_id(client_id)
        if identifier is None or not self._open or await self._clients.find(identifier) is not None:
            return
        client = await self.find(client_id)
        if client is not None:
            await self._registrations.admit(visitor)
            await self._begin(client, Actor(None, None, VIA, address=visitor.address))

    async def keep(self, client: Client, actor: Actor) -> None:
        """Keep a client that somebody lets do something, as it describes itself now.

        Raises:
            InvalidRequest: It cannot be kept.
        """
        if client.document is None:
            return
        current = await self._clients.find(client.id)
        if current is None:
            await self._begin(client, actor)
        elif any(getattr(current, name) != getattr(client, name) for name in ClientChanges.__slots__):
            await self._clients.become(current, client, actor)

    async def _begin(self, client: Client, actor: Actor) -> None:
        try:
            await self._registrations.keep(client, actor)
        except AppError as error:
            # It is there: somebody else has let it at the same moment, or it was deleted, and stays so.
            if type(error) is not AppError:
                raise
            if await self._clients.find(client.id) is None:
                message = "This application was removed here, and cannot come back."
                raise InvalidRequest(message, field="client_id") from None

    async def _described(self, url: str, wish: ClientWish) -> Client | None:
        try:
            client = await self._registrations.described(wish)
        except _MALFORMED as error:
            log.info("client_document_refused", url=url, reason=error.public)
            return None
        return replace(client, id=document_id(url) or "", metadata={**client.metadata, DOCUMENT: url})

    async def _wish(self, url: str) -> ClientWish | None:
        """What stands at a URL, as it was read a short while ago."""
        place = self._places.setdefault(url, _Place())
        self._places.move_to_end(url)
        while len(self._places) > URLS_MAX:
            self._places.popitem(last=False)
        async with place.lock:
            now = self._clock.monotonic()
            if place.good_until <= now:
                place.wish, seconds = await self._ask(url) if self._may_ask(url, now) else (None, 0.0)
                place.good_until = now + seconds
            return place.wish

    def _may_ask(self, url: str, now: float) -> bool:
        host = urlsplit(url).netloc
        asked = self._asked.setdefault(host, deque(maxlen=ASKED_MAX))
        self._asked.move_to_end(host)
        while len(self._asked) > URLS_MAX:
            self._asked.popitem(last=False)
        if len(asked) == ASKED_MAX and asked[0] > now - MINUTE:
            return False
        asked.append(now)
        return True

    async def _ask(self, url: str) -> tuple[ClientWish | None, float]:
        """What a document says, and for how many seconds that is believed."""
        answer = await self._outgoing.get(url, bytes_max=BYTES_MAX)
        if isinstance(answer, Unfetched):
            return None, AGAIN_SECONDS
        if answer.status != _OK:
            log.info("client_document_refused", url=url, reason=f"status {answer.status}")
            return None, AGAIN_SECONDS
        try:
            said = _decode(answer.body)
            wish = self._read(_allowed(url, said))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, *_MALFORMED) as error:
            log.info("client_document_refused", url=url, reason=str(error)[:500])
            return None, AGAIN_SECONDS
        told = _MAX_AGE.search(answer.headers.get("cache-control", ""))
        seconds = FRESH_SECONDS if told is None else float(told[1])
        return wish, min(max(seconds, AGAIN_SECONDS), FRESH_SECONDS_MAX)


def is_document_url(client_id: str) -> bool:
    """Whether a `client_id` is a URL at which a client may describe itself.

    See: draft-ietf-oauth-client-id-metadata-document §3
    """
    if len(client_id) > URL_LENGTH_MAX or not may_be_named(client_id):
        return False
    path = urlsplit(client_id).path
    steps = path.lower().replace("%2e", ".").split("/")
    return len(path) > 1 and not {".", ".."} & set(steps)


def _allowed(url: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a document says, if it is this client's and holds nothing that two would have to know.

    Raises:
        InvalidRequest: It is another's, or names a secret.

    See: draft-ietf-oauth-client-id-metadata-document §4.1
    """
    if said.get("client_id") != url:
        message = "client_id: must be the document's own URL, letter by letter."
        raise InvalidRequest(message, field="client_id")
    method = said.get("token_endpoint_auth_method") or "none"
    if method not in {"none", "private_key_jwt"} or any(name in said for name in _SECRETS):
        message = "token_endpoint_auth_method: a client that is known by a URL has no secret with anybody."
        raise InvalidRequest(message, field="token_endpoint_auth_method")
    grants = said.get("grant_types")
    known = [grant for grant in grants if grant in OPEN_GRANTS] if isinstance(grants, list) else None
    return {**said, "token_endpoint_auth_method": method, "grant_types": known}
