"""Request objects: what a client asks for, written down as one JWT, which it sends along or keeps at a URL of its own.

What the object says is all that counts: whatever stands beside it in the browser's address may be anybody's. It is
read once, when somebody comes with it, and waits from then on as a pushed request does, so that no page has to
carry it or fetch it again.

See: RFC 9101, OpenID Connect Core §6
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec

from bonafides.delegation import Client
from bonafides.model import Clock, to_datetime
from bonafides.oauth.authorization_request import KNOWN, PUSHED_PREFIX, Parameters, Refusal, read
from bonafides.oauth.client_keys import ClientKeys
from bonafides.oauth.client_metadata import REQUEST_ALGORITHM, REQUEST_URIS, SIGNS_REQUESTS
from bonafides.oauth.foreign_keys import FAPI_ALGORITHMS, TOKEN_BYTES_MAX, UNSIGNED, read_unsigned
from bonafides.oauth.foreign_keys import read as read_signed
from bonafides.outgoing import Outgoing, Unfetched
from bonafides.secret import Peppers
from bonafides.store import GrantStore

SKEW_SECONDS: Final = 60
ONCE_SECONDS_MAX: Final = 3_600
"""How long an object may last that has a name of its own, and so serves once."""
JTI_MAX: Final = 512

_ACCEPT: Final = "application/oauth-authz-req+jwt, application/jwt;q=0.9, */*;q=0.1"
_OK: Final = 200
_TYPES: Final = frozenset({"", "jwt", "oauth-authz-req+jwt", "application/oauth-authz-req+jwt"})
_BY_NAME: Final = frozenset({"request", "request_uri"})
_OBJECTS: Final = frozenset({"claims", "registration"})

_encode = msgspec.json.Encoder().encode


class Taken(StrEnum):
    """Which request objects are taken."""

    OFF = "off"
    SIGNED = "signed"
    ANY = "any"
    """Unsigned ones too, as far as the client has not said how it signs: they are worth as much as an address is."""


class RequestObjects:
    """Reads what clients ask for by request objects.

    Args:
        store: Knows which were used before.
        outgoing: Fetches them.
        keys: What clients sign with.
        peppers: Digest their names.
        clock: When they end.
        issuer: Whom they are for.
        taken: Which.
    """

    def __init__(
        self,
        store: GrantStore,
        outgoing: Outgoing,
        keys: ClientKeys,
        peppers: Peppers,
        clock: Clock,
        issuer: str,
        taken: Taken,
    ) -> None:
        self._store = store
        self._outgoing = outgoing
        self._keys = keys
        self._peppers = peppers
        self._clock = clock
        self._issuer = issuer
        self._taken = taken

    async def resolved(self, parameters: Parameters, client: Client) -> Parameters | Refusal:
        """What a client asks for: what its request object says, or, where there is none, the request as it was sent.

        A request that is wrong in another way, or comes with an object though none are taken, is given back as it is.

        Args:
            parameters: As sent.
            client: Who it says it is.

        Raises:
            Unavailable: The server cannot know.
        """
        if not _BY_NAME & parameters.values.keys():
            if client.metadata.get(SIGNS_REQUESTS) is True:
                return Refusal(
                    "invalid_request", "This client has to sign its requests: request or request_uri."
                )
            return parameters
        # A client that is known by a URL is nobody here until somebody has let it, so nothing can wait in its name.
        if self._taken is Taken.OFF or parameters.repeated or client.document is not None:
            return parameters
        sent, uri = parameters.get("request"), parameters.get("request_uri")
        if sent is not None and uri is not None:
            return Refusal("invalid_request", "request and request_uri cannot both be given.")
        found = sent if uri is None else await self._fetched(uri, client)
        if found is None or isinstance(found, Refusal):
            return found or _bad("is missing")
        claims = await self._claims(found, client)
        if isinstance(claims, Refusal):
            return claims
        return self._said(claims, client)

    async def _fetched(self, uri: str, client: Client) -> str | Refusal:
        """What stands at a URL of the client; no other URL is asked.

        The fragment tells versions of the object apart (OpenID Connect Core §6.2); each is read anew here.

        See: RFC 9101 §10.4
        """
        registered = client.metadata.get(REQUEST_URIS) or ()
        bare = uri.partition("#")[0]
        if bare not in {known.partition("#")[0] for known in registered}:
            return Refusal("invalid_request_uri", "request_uri is not registered for this client.")
        answer = await self._outgoing.get(bare, accept=_ACCEPT, bytes_max=TOKEN_BYTES_MAX)
        if isinstance(answer, Unfetched) or answer.status != _OK:
            return Refusal("invalid_request_uri", "No request object could be fetched from request_uri.")
        return answer.body.decode("ascii", "replace").strip()

    async def _claims(self, token: str, client: Client) -> Mapping[str, Any] | Refusal:
        """What an object says, if it is the client's as far as the client has to prove that."""
        named = client.metadata.get(REQUEST_ALGORITHM)
        unsigned = read_unsigned(token)
        if unsigned is not None:
            must = (
                self._taken is not Taken.ANY
                or client.keeps_fapi
                or client.metadata.get(SIGNS_REQUESTS) is True
            )
            if must or named not in {None, UNSIGNED}:
                return _bad("must be signed")
            return self._misfit(unsigned, client) or unsigned
        signed = read_signed(token)
        if signed is None or str(signed.header.get("typ", "")).lower() not in _TYPES:
            return _bad("must be a JWT that is signed in a way that is taken here")
        algorithm = signed.header["alg"]
        if named not in {None, algorithm} or (client.keeps_fapi and algorithm not in FAPI_ALGORITHMS):
            return _bad("is signed with another algorithm than the client has registered")
        if not client.has_keys or not await self._keys.has_signed(client, token, signed.header):
            return _bad("is not signed with a key of this client")
        misfit = self._misfit(signed.claims, client)
        if misfit is not None:
            return misfit
        return signed.claims if await self._is_first(signed.claims, client) else _bad("was used before")

    def _misfit(self, claims: Mapping[str, Any], client: Client) -> Refusal | None:
        """Why an object is not this client's, for this server, now.

        One with the client as its subject is an assertion by which it proves who it is, and asks for nothing.

        See: RFC 9101 §4 and §10.8
        """
        audience = claims.get("aud", self._issuer)
        named = audience if isinstance(audience, list) else [audience]
        now = self._clock.micros() // 1_000_000
        times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
        if any(claims.get(name, client.wire_id) != client.wire_id for name in ("iss", "client_id")):
            return _bad("is another client's")
        if claims.get("sub") == client.wire_id:
            return _bad("must not have the client as its sub")
        if self._issuer not in named:
            return _bad("is for another server (aud)")
        if any(isinstance(at, bool) or not isinstance(at, int | float) for at in times.values()):
            return _bad("must tell its times in seconds (exp, nbf, iat)")
        if times.get("exp", now) <= now - SKEW_SECONDS:
            return _bad("has ended (exp)")
        if max(times.get("nbf", 0), times.get("iat", 0)) > now + SKEW_SECONDS:
            return _bad("is not yet good (nbf, iat)")
        if _BY_NAME & claims.keys():
            return _bad("must not hold another one")
        jti = claims.get("jti")
        if jti is not None and not (isinstance(jti, str) and 1 <= len(jti) <= JTI_MAX):
            return _bad("has a jti that is no name")
        if (
            jti is not None
            and not now < times.get("exp", 0) + SKEW_SECONDS <= now + ONCE_SECONDS_MAX + 2 * SKEW_SECONDS
        ):
            return _bad(
                f"has a jti, so it serves once, and has to end (exp) within {ONCE_SECONDS_MAX} seconds"
            )
        return None

    async def _is_first(self, claims: Mapping[str, Any], client: Client) -> bool:
        """Whether a signed object that has a name comes for the first time."""
        if "jti" not in claims:
            return True
        digest = self._peppers.claim_digest("request_object", client.id, claims["jti"])
        ends_at = to_datetime(int(claims["exp"]) * 1_000_000) + timedelta(seconds=SKEW_SECONDS)
        return await self._store.spend_assertion(digest, ends_at)

    def _said(self, claims: Mapping[str, Any], client: Client) -> Parameters | Refusal:
        try:
            pairs = [pair for name, value in claims.items() for pair in _pairs(name, value)]
        except ValueError as error:
            return _bad(f"holds no text as {error}")
        return read([*(pair for pair in pairs if pair[0] != "client_id"), ("client_id", client.wire_id)])


def names_object(pairs: Mapping[str, str]) -> bool:
    """Whether a request comes with an object, which has yet to be read."""
    return "request" in pairs or not pairs.get("request_uri", PUSHED_PREFIX).startswith(PUSHED_PREFIX)


def _pairs(name: str, value: object) -> Iterator[tuple[str, str]]:
    """A claim as the parameter that it stands for; nothing of those that stand for none.

    Raises:
        ValueError: It is nothing that a parameter can be; with its name.
    """
    if name == "resource" and isinstance(value, list):
        for each in value:
            yield from _pairs(name, each)
        return
    if name != "resource" and name not in KNOWN:
        return
    if name in _OBJECTS and isinstance(value, dict):
        value = _encode(value).decode("utf-8")
    elif isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(name)
    yield name, value


def _bad(why: str) -> Refusal:
    return Refusal("invalid_request_object", f"The request object {why}.")
