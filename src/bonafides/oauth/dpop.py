"""Proofs that whoever sends a request holds a key (DPoP): a token that is bound to it is nothing without them.

See: RFC 9449
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from bonafides.delegation import Client
from bonafides.errors import InvalidDpopProof, UseDpopNonce
from bonafides.model import Clock, to_datetime
from bonafides.oauth.foreign_keys import ALGORITHMS, FAPI_ALGORITHMS, is_signed_by, read, thumbprint
from bonafides.secret import Peppers
from bonafides.store import GrantStore

TYPE: Final = "dpop+jwt"
AGE_SECONDS_MAX: Final = 300
SKEW_SECONDS: Final = 60
NONCE_SECONDS: Final = 300
"""How long a nonce is given out; it is good for as long again."""
JTI_MAX: Final = 512

_PORTS: Final = {"http": 80, "https": 443}
_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class KeyProof:
    """A proof that is good, if it was not used before.

    Args:
        jkt: Thumbprint of the key that its sender holds (RFC 7638).
        jti: What it calls itself.
        ends_at: When it would not be taken any more by itself.
        algorithm: How it is signed.
    """

    jkt: str
    jti: str
    ends_at: datetime
    algorithm: str


class KeyProofs:
    """Judges proofs, and gives out what they repeat.

    Args:
        store: Knows which were used.
        peppers: Make nonces that every process knows and nobody guesses.
        clock: How old a proof is.
        nonce_required: Whether a proof without a nonce of ours is refused.
    """

    def __init__(self, store: GrantStore, peppers: Peppers, clock: Clock, *, nonce_required: bool) -> None:
        self._store = store
        self._peppers = peppers
        self._clock = clock
        self._nonce_required = nonce_required

    def nonce(self) -> str:
        """What the next proof shall repeat.

        See: RFC 9449 §8
        """
        return self._nonces()[0]

    def read(
        self,
        proofs: Sequence[str],
        method: str,
        urls: Collection[str],
        token: bytes | None = None,
        *,
        algorithms: Collection[str] = ALGORITHMS,
    ) -> KeyProof:
        """The proof of a request, which was not yet looked for among those that were used.

        Args:
            proofs: The values of its `DPoP` headers.
            method: Its own.
            urls: By which it may have been called.
            token: What it presents, at a resource.
            algorithms: By which it may be signed.

        Raises:
            InvalidDpopProof: It is none, or one for something else.
            UseDpopNonce: It does not repeat what this server wants to see.

        See: RFC 9449 §4.3
        """
        if len(proofs) != 1:
            message = "DPoP: send one proof, in one header."
            raise InvalidDpopProof(message, field="DPoP")
        said = read(proofs[0], TYPE)
        key = said.header.get("jwk") if said is not None else None
        jkt = thumbprint(key) if isinstance(key, dict) else None
        if said is None or key is None or jkt is None or not is_signed_by(proofs[0], said.header, (key,)):
            message = "DPoP: is no proof that is signed with the public key in its header."
            raise InvalidDpopProof(message, field="DPoP")
        require_algorithm(said.header["alg"], algorithms)
        ends_at = self._judged(said.claims, method, urls, token)
        return KeyProof(jkt, str(said.claims["jti"]), ends_at, said.header["alg"])

    async def spend(self, proof: KeyProof) -> None:
        """Use a proof: of any number of requests with one, one does.

        Raises:
            InvalidDpopProof: It was used.

        See: RFC 9449 §11.1
        """
        digest = self._peppers.claim_digest("dpop", proof.jkt, proof.jti)
        if not await self._store.spend_assertion(digest, proof.ends_at):
            message = "DPoP: the proof was used before. Make one for each request."
            raise InvalidDpopProof(message, field="DPoP")

    def _judged(
        self, claims: Mapping[str, Any], method: str, urls: Collection[str], token: bytes | None
    ) -> datetime:
        """When a proof ends whose claims fit the request."""
        jti, made, target = claims.get("jti"), claims.get("iat"), claims.get("htu")
        now = self._clock.micros() // _SECOND_US
        wrong = None
        if not isinstance(jti, str) or not 1 <= len(jti) <= JTI_MAX:
            wrong = "jti"
        elif claims.get("htm") != method:
            wrong = "htm"
        elif not isinstance(target, str) or _plain(target) not in {_plain(url) for url in urls}:
            wrong = "htu"
        elif not isinstance(made, int | float) or not now - AGE_SECONDS_MAX <= made <= now + SKEW_SECONDS:
            wrong = "iat"
        elif token is not None and claims.get("ath") != _hashed(token):
            wrong = "ath"
        if wrong is not None:
            message = f"DPoP: {wrong} is missing in the proof, or is not this request's."
            raise InvalidDpopProof(message, field="DPoP")
        nonce = claims.get("nonce")
        if (nonce is None and self._nonce_required) or (nonce is not None and nonce not in self._nonces()):
            message = "DPoP: the proof must repeat the nonce of the DPoP-Nonce header."
            raise UseDpopNonce(message, field="DPoP")
        return to_datetime((now + AGE_SECONDS_MAX + SKEW_SECONDS) * _SECOND_US)

    def _nonces(self) -> Sequence[str]:
        """The nonce that is given out, and the one before it."""
        period = self._clock.micros() // _SECOND_US // NONCE_SECONDS
        return [
            _encoded(self._peppers.claim_digest("dpop_nonce", str(number))[:16])
            for number in (period, period - 1)
        ]


def require_algorithm(algorithm: str, allowed: Collection[str]) -> None:
    """Refuse a proof that is signed in another way than its client may sign.

    Raises:
        InvalidDpopProof: It is.
    """
    if algorithm not in allowed:
        message = f"DPoP: this client's proofs must be signed by one of {', '.join(allowed)}."
        raise InvalidDpopProof(message, field="DPoP")


def algorithms_of(client: Client) -> Collection[str]:
    """By which the proofs of a client may be signed, where it asks for tokens and where it uses them.

    See: FAPI 2.0 Security Profile §5.4.1
    """
    return FAPI_ALGORITHMS if client.keeps_fapi else ALGORITHMS


def _plain(url: str) -> tuple[str, str, int | None, str] | None:
    """A URL as it is compared: without its query and fragment; None where it is none.

    See: RFC 9449 §4.3, RFC 3986 §6.2
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    return parts.scheme, parts.hostname or "", port, parts.path or "/"


def _hashed(token: bytes) -> str:
    return _encoded(hashlib.sha256(token).digest())


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
