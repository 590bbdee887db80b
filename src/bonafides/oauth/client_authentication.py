"""How a client proves who it is: one way at a time, and nothing is told of what was wrong.

See: RFC 6749 §2.3, RFC 7523 §2.2, OpenID Connect Core §9
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol
from urllib.parse import unquote_plus

from bonafides.delegation import AuthMethod, Client, ClientSecret, PresentedClient
from bonafides.errors import InvalidClient, InvalidRequest
from bonafides.model import Clock, to_datetime
from bonafides.oauth.client_keys import ClientKeys
from bonafides.oauth.client_metadata import METHOD_NAMED
from bonafides.oauth.clients import document_id
from bonafides.oauth.foreign_keys import FAPI_ALGORITHMS, Unverified, read
from bonafides.oauth.known_clients import KnownClients
from bonafides.secret import Peppers, SecretKind, whole
from bonafides.store import ClientStore, GrantStore

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS_MAX: Final = 3_600
SKEW_SECONDS: Final = 60
JTI_MAX: Final = 512
TOKEN_PATH: Final = "/oauth/token"

_BASIC: Final = b"basic"


class AuthenticationStore(ClientStore, GrantStore, Protocol):
    """What proving who a client is asks of the store."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says of its client, with the digests of the secret that shall prove it; the secret is not in it."""

    client_id: str
    digests: tuple[bytes, ...]
    method: AuthMethod


class ClientAuthentication:
    """Finds out which client calls.

    Args:
        store: Knows clients, and what was used before.
        known: Clients that are in memory.
        keys: What clients sign with.
        peppers: Digest secrets and names of assertions.
        clock: The time that ends go by.
        issuer: The server's own URL: whom assertions are for.
    """

    def __init__(
        self,
        store: AuthenticationStore,
        known: KnownClients,
        keys: ClientKeys,
        peppers: Peppers,
        clock: Clock,
        issuer: str,
    ) -> None:
        self._store = store
        self._known = known
        self._keys = keys
        self._peppers = peppers
        self._clock = clock
        self._issuer = issuer

    async def authenticate(
        self, authorization: bytes | None, fields: Mapping[str, str], endpoints: Collection[str] = ()
    ) -> Client:
        """The client that calls; it and its tenant are active.

        Args:
            authorization: The header's value, if there is one.
            fields: Of the body; `client_id`, `client_secret` and `client_assertion` are looked at.
            endpoints: URLs that an assertion may be for instead of the issuer: those of the call.

        Raises:
            InvalidClient: It is unknown, disabled, or did not prove who it is.
            InvalidRequest: It tries to prove it in two ways.
        """
        claim = self.claim(authorization, fields)
        if claim is not None:
            return await self.prove(claim)
        if "client_assertion" in fields:
            return await self._by_assertion(fields, endpoints)
        named = fields.get("client_id")
        if named is None:
            raise InvalidClient
        return await self._public(named)

    def claim(self, authorization: bytes | None, fields: Mapping[str, str]) -> Claim | None:
        """Which client a request says that it is of, where a secret shall prove it; None where something else shall.

        Raises:
            InvalidClient: It cannot be read.
            InvalidRequest: It tries to prove it in two ways.
        """
        basic = _of_basic(authorization)
        by_field = "client_secret" in fields
        if (basic is not None) + by_field + ("client_assertion" in fields) > 1:
            message = "The client must prove who it is in one way: with Authorization, client_secret or client_assertion."
            raise InvalidRequest(message, field="client_secret")
        named = fields.get("client_id")
        if basic is not None:
            identifier, secret = basic
            if named is not None and named != identifier:
                raise InvalidClient
            return self._claim(identifier, secret, AuthMethod.BASIC)
        if not by_field:
            return None
        if named is None:
            raise InvalidClient
        return self._claim(named, fields["client_secret"], AuthMethod.POST)

    def _claim(self, client_id: str, secret: str, method: AuthMethod) -> Claim:
        presented = whole(secret, SecretKind.SEC)
        return Claim(client_id, () if presented is None else self._peppers.candidates(presented), method)

    async def prove(self, claim: Claim) -> Client:
        """The client that a claim is of, if the claim is true now.

        Raises:
            InvalidClient: It is not.
        """
        found = await self._present(claim.client_id, claim.digests)
        if (
            found is None
            or not found.live
            or found.secret is None
            or not _may_send(found.client, claim.method)
            or self._has_ended(found.secret)
        ):
            raise InvalidClient
        return found.client

    def _has_ended(self, secret: ClientSecret) -> bool:
        ends_at = secret.expires_at
        return ends_at is not None and ends_at <= to_datetime(self._clock.micros())

    async def _present(self, client_id: str, digests: tuple[bytes, ...]) -> PresentedClient | None:
        """The client that calls itself so: one that is known by a URL, by that alone."""
        found = await self._known.present(document_id(client_id) or client_id, digests)
        return found if found is not None and found.client.wire_id == client_id else None

    async def _public(self, client_id: str) -> Client:
        found = await self._present(client_id, ())
        if found is None or not found.live or not found.client.is_public:
            raise InvalidClient
        return found.client

    async def _by_assertion(self, fields: Mapping[str, str], endpoints: Collection[str]) -> Client:
        """The client that has signed an assertion, which serves once.

        See: RFC 7523 §3
        """
        if fields.get("client_assertion_type") != ASSERTION_TYPE:
            raise InvalidClient
        assertion = fields["client_assertion"]
        said = read(assertion)
        if said is None:
            raise InvalidClient
        identifier = said.claims.get("sub")
        if (
            not isinstance(identifier, str)
            or said.claims.get("iss") != identifier
            or fields.get("client_id", identifier) != identifier
        ):
            raise InvalidClient
        found = await self._present(identifier, ())
        if (
            found is None
            or not found.live
            or found.client.token_endpoint_auth_method is not AuthMethod.PRIVATE_KEY_JWT
            or (found.client.keeps_fapi and not self._keeps_fapi(said, endpoints))
            or not await self._keys.has_signed(found.client, assertion, said.header)
        ):
            raise InvalidClient
        ends = self._judged(said.claims, {self._issuer, *endpoints})
        digest = self._peppers.claim_digest("client_assertion", identifier, str(said.claims["jti"]))
        kept = to_datetime(ends * 1_000_000) + timedelta(seconds=SKEW_SECONDS)
        if not await self._store.spend_assertion(digest, kept):
            raise InvalidClient
        return found.client

    def _keeps_fapi(self, said: Unverified, endpoints: Collection[str]) -> bool:
        """Whether an assertion may come from a client that keeps FAPI 2.0: for one place, and not by RS256.

        That place is the issuer. Where tokens are asked for it is the token endpoint too, as the clients of older drafts write.

        See: FAPI 2.0 Security Profile §5.3.2.1 and §5.4.1
        """
        own = (self._issuer, *endpoints) if len(endpoints) == 1 else (self._issuer,)
        return said.claims.get("aud") in own and said.header["alg"] in FAPI_ALGORITHMS

    async def named_by(self, assertion: str) -> Client:
        """The client that an assertion says it is of; whether it is, `asserted` tells.

        Raises:
            InvalidClient: There is none, or it is disabled or has no keys.

        See: RFC 7521 §4.1
        """
        said = read(assertion)
        identifier = said.claims.get("iss") if said is not None else None
        found = await self._store.present_client(identifier, ()) if isinstance(identifier, str) else None
        if found is None or not found.live or not found.client.has_keys:
            raise InvalidClient
        return found.client

    async def asserted(self, client: Client, assertion: str) -> str | None:
        """For whom a client has signed an assertion, which serves once; None where it is not good.

        One that has no name of its own is known by all that it says.

        See: RFC 7523 §3
        """
        said = read(assertion)
        if said is None or said.claims.get("iss") != client.id or not client.has_keys:
            return None
        subject = said.claims.get("sub")
        if not isinstance(subject, str) or not await self._keys.has_signed(client, assertion, said.header):
            return None
        try:
            # Without its signature, of which there may be several that are good.
            content = assertion.rpartition(".")[0]
            named = {"jti": hashlib.sha256(content.encode()).hexdigest(), **said.claims}
            ends = self._judged(named, {self._issuer, self._issuer + TOKEN_PATH})
        except InvalidClient:
            return None
        digest = self._peppers.claim_digest("assertion", client.id, str(named["jti"]))
        kept = to_datetime(ends * 1_000_000) + timedelta(seconds=SKEW_SECONDS)
        return subject if await self._store.spend_assertion(digest, kept) else None

    def _judged(self, claims: Mapping[str, Any], audiences: Collection[str]) -> int:
        """When a good assertion ends, in seconds since the epoch."""
        audience, jti = claims.get("aud"), claims.get("jti")
        named = [audience] if isinstance(audience, str) else audience
        now = self._clock.micros() // 1_000_000
        ends, begins, made = (
            claims.get(name, default) for name, default in (("exp", None), ("nbf", 0), ("iat", 0))
        )
        if (
            not isinstance(named, list)
            or not any(isinstance(each, str) and each in audiences for each in named)
            or not isinstance(jti, str)
            or not 1 <= len(jti) <= JTI_MAX
            or not all(isinstance(moment, int | float) for moment in (ends, begins, made))
            or not now - SKEW_SECONDS < ends <= now + ASSERTION_SECONDS_MAX + SKEW_SECONDS
            or max(begins, made) > now + SKEW_SECONDS
        ):
            raise InvalidClient
        return int(ends)


def named_in(fields: Mapping[str, str]) -> str | None:
    """As which client a call says that it is made, by its body alone; nothing of it is proven.

    Args:
        fields: Of the body.
    """
    said = read(fields.get("client_assertion", ""))
    subject = None if said is None else said.claims.get("sub")
    return fields.get("client_id") or (subject if isinstance(subject, str) else None)


def _may_send(client: Client, method: AuthMethod) -> bool:
    """Whether a client may send its secret in this way: in the one that it named, or in either."""
    own = client.token_endpoint_auth_method
    return own is method or (own.by_secret and not client.metadata.get(METHOD_NAMED))


def _of_basic(authorization: bytes | None) -> tuple[str, str] | None:
    """Name and secret of a Basic header, each of which is form-encoded; None where the header is something else.

    Raises:
        InvalidClient: It cannot be read.

    See: RFC 6749 §2.3.1
    """
    if authorization is None:
        return None
    scheme, _, encoded = authorization.strip().partition(b" ")
    if scheme.lower() != _BASIC:
        return None
    try:
        identifier, colon, secret = (
            base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
        )
    except (binascii.Error, ValueError):
        raise InvalidClient from None
    if not colon:
        raise InvalidClient
    return unquote_plus(identifier), unquote_plus(secret)
