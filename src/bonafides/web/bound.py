"""How a request presents a token that is bound to a key: with a proof of the key beside it.

See: RFC 9449 §7
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request

from bonafides.errors import InvalidDpopProof, UnreadableCredential, UseDpopNonce
from bonafides.model import Principal
from bonafides.oauth.clients import Clients
from bonafides.oauth.dpop import KeyProof, KeyProofs, algorithms_of, require_algorithm
from bonafides.oauth.foreign_keys import FAPI_ALGORITHMS
from bonafides.web.exchange import Exchange
from bonafides.web.presented import TWO, Headers, Presented, clean

PROOF: Final = b"dpop"
NONCE: Final = b"dpop-nonce"

_WORDS: Final = 2
_ORIGINAL_METHOD: Final = (b"x-forwarded-method", b"x-original-method")
_ORIGINAL_URI: Final = (b"x-forwarded-uri", b"x-original-uri")


@dataclass(frozen=True, slots=True)
class Presentation:
    """What a request presents.

    Args:
        proof: Of the key that its sender holds; None where it says nothing of one.
    """

    credential: bytes | None
    proof: KeyProof | None = None

    @property
    def jkt(self) -> str | None:
        """Thumbprint of that key."""
        return None if self.proof is None else self.proof.jkt


class Presentations:
    """Finds what requests present, with or without a proof.

    Args:
        presented: Finds a credential that needs none.
        proofs: Judge.
        clients: Tell how their proofs are signed.
        base_url: The server's own.
    """

    def __init__(self, presented: Presented, proofs: KeyProofs, clients: Clients, base_url: str) -> None:
        self._presented = presented
        self._proofs = proofs
        self._clients = clients
        self._bases = {base_url, f"{urlsplit(base_url).scheme}://{urlsplit(base_url).netloc}"}

    def find(self, request: Request, exchange: Exchange, *, forwarded: bool = False) -> Presentation:
        """What a request presents; a proof is judged, and not yet used.

        Args:
            request: The request.
            exchange: Of it; told how it presents what.
            forwarded: Whether the proof is for another request, which a proxy asks about.

        Raises:
            UnreadableCredential: It presents two, or one that cannot be read.
            InvalidDpopProof: Its proof is none, or one for something else.
            UseDpopNonce: Its proof does not repeat what this server wants to see.
        """
        headers = request.scope["headers"]
        token = _bound_token(headers)
        if token is None:
            return Presentation(self._presented(headers))
        if self._presented(headers) is not None:
            raise UnreadableCredential(TWO, field="Authorization")
        exchange.by_proof = True
        exchange.told.append((NONCE, self._proofs.nonce().encode("ascii")))
        if forwarded:
            method, urls = _original(headers)
        else:
            method, urls = request.method, {base + request.scope["path"] for base in self._bases}
        try:
            return Presentation(token, self._proofs.read(proofs_of(headers), method, urls, token))
        except (InvalidDpopProof, UseDpopNonce) as error:
            error.at_resource = True
            raise

    async def use(self, presentation: Presentation, principal: Principal) -> None:
        """Use the proof of a presentation that is good; it serves once.

        Args:
            presentation: What was presented.
            principal: Whom it speaks for.

        Raises:
            InvalidDpopProof: It was used before, or is signed in a way that its client has given up.
            Unavailable: The server cannot know.

        See: FAPI 2.0 Security Profile §5.4.1
        """
        proof = presentation.proof
        if proof is None:
            return
        client_id = None if principal.delegation is None else principal.delegation.client_id
        try:
            # Only who signs by RS256 is asked whether that is good: no other request is slower for it.
            if proof.algorithm not in FAPI_ALGORITHMS and client_id is not None:
                client = await self._clients.find(client_id)
                if client is not None:
                    require_algorithm(proof.algorithm, algorithms_of(client))
            await self._proofs.spend(proof)
        except InvalidDpopProof as error:
            error.at_resource = True
            raise


def proofs_of(headers: Headers) -> list[str]:
    """The values of the `DPoP` headers."""
    return [value.decode("latin-1") for name, value in headers if name == PROOF]


def _bound_token(headers: Headers) -> bytes | None:
    """The token that is presented by the scheme `DPoP`, if one is.

    Raises:
        UnreadableCredential: It is presented twice, or cannot be read.
    """
    found = [value.split() for name, value in headers if name == b"authorization"]
    bound = [words for words in found if words and words[0].lower() == PROOF]
    if not bound:
        return None
    if len(found) > 1:
        raise UnreadableCredential(TWO, field="Authorization")
    if len(bound[0]) != _WORDS:
        message = "The Authorization header must hold one credential after its scheme."
        raise UnreadableCredential(message, field="Authorization")
    return clean(bound[0][1], "Authorization")


def _original(headers: Headers) -> tuple[str, Collection[str]]:
    """Method and URL of the request that a proxy asks about; nothing fits where it does not tell both."""
    told: dict[bytes, str] = {}
    for name, value in headers:
        told.setdefault(name, value.decode("latin-1"))
    method = next((told[name] for name in _ORIGINAL_METHOD if name in told), "")
    if b"x-original-url" in told:
        return method, {told[b"x-original-url"]}
    uri = next((told[name] for name in _ORIGINAL_URI if name in told), None)
    if uri is None or b"x-forwarded-proto" not in told or b"x-forwarded-host" not in told:
        return method, ()
    return method, {f"{told[b'x-forwarded-proto']}://{told[b'x-forwarded-host']}{uri}"}
