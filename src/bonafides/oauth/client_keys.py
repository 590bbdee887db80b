"""The public keys of clients: those that were registered, or those that stand at the URL that was.

See: RFC 7591 §2, OpenID Connect Core §10.1.1
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from bonafides.delegation import Client
from bonafides.model import Clock
from bonafides.oauth.foreign_keys import KEYS_MAX, is_signed_by
from bonafides.outgoing import Outgoing, Unfetched

FRESH_SECONDS: Final = 300.0
AGAIN_SECONDS: Final = 30.0
"""Between two questions for a URL's keys, however many tokens come with a key that is not known."""
KEPT_SECONDS: Final = 3_600.0
"""How long keys are good whose URL does not answer."""
URLS_MAX: Final = 1_000
_OK: Final = 200

_decode = msgspec.json.Decoder(dict[str, Any]).decode

Keys = Sequence[Mapping[str, Any]]


@dataclass(slots=True)
class _Place:
    """What is known of a URL, by the machine's monotonic clock."""

    keys: Keys = ()
    read_at: float = float("-inf")
    asked_at: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class ClientKeys:
    """Knows what clients sign with.

    Args:
        outgoing: Asks their URLs.
        clock: How old an answer is.
    """

    def __init__(self, outgoing: Outgoing, clock: Clock) -> None:
        self._outgoing = outgoing
        self._clock = clock
        self._places: OrderedDict[str, _Place] = OrderedDict()

    async def has_signed(self, client: Client, token: str, header: Mapping[str, Any]) -> bool:
        """Whether a token is signed with a key of the client.

        A key that is not known makes its URL be asked again, though not for every token that names one.

        Args:
            client: Whose.
            token: As it was presented.
            header: What its header says, which is not proven.
        """
        url = client.jwks_uri
        if url is None:
            return is_signed_by(token, header, client.jwks.get("keys", ()))
        now = self._clock.monotonic()
        keys = await self._keys(url, now - FRESH_SECONDS)
        if is_signed_by(token, header, keys):
            return True
        newer = await self._keys(url, now)
        return newer is not keys and is_signed_by(token, header, newer)

    async def _keys(self, url: str, since: float) -> Keys:
        """The keys of a URL as they were read since then, unless it was asked just now."""
        place = self._places.setdefault(url, _Place())
        self._places.move_to_end(url)
        while len(self._places) > URLS_MAX:
            self._places.popitem(last=False)
        async with place.lock:
            now = self._clock.monotonic()
            if place.read_at < since and place.asked_at <= now - AGAIN_SECONDS:
                place.asked_at = now
                found = await self._read(url)
                if found is not None:
                    place.keys, place.read_at = found, now
            return place.keys if place.read_at > now - KEPT_SECONDS else ()

    async def _read(self, url: str) -> Keys | None:
        """The keys that stand at a URL; None where there are none."""
        answer = await self._outgoing.get(url, accept="application/jwk-set+json, application/json")
        if isinstance(answer, Unfetched) or answer.status != _OK:
            return None
        try:
            keys = _decode(answer.body).get("keys")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if not isinstance(keys, list):
            return None
        return [key for key in keys[:KEYS_MAX] if isinstance(key, dict)]
