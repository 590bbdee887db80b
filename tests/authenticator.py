"""A software authenticator: it makes passkeys and signs with them as a phone does, and lies where a test asks for it."""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

Json = dict[str, Any]

PRESENT: Final = 0x01
VERIFIED: Final = 0x04
ELIGIBLE: Final = 0x08
BACKED_UP: Final = 0x10
ATTESTED: Final = 0x40
AAGUID: Final = bytes(range(16))


def encoded(raw: bytes) -> str:
    """Base64url, without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The bytes again."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def cbor(value: Any) -> bytes:
    """The little of CBOR that authenticators write (RFC 8949)."""
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    assert isinstance(value, dict)
    return _head(5, len(value)) + b"".join(cbor(name) + cbor(part) for name, part in value.items())


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    if number < 0x100:
        return bytes([major << 5 | 24, number])
    return bytes([major << 5 | 25]) + number.to_bytes(2, "big")


@dataclass
class Authenticator:
    """One device with one passkey for each user that it has made one for.

    Args:
        origin: Of the page that it is asked on.
        flags: What it says of its user, and of copies.
        counts: What it counts up by each time; 0 for one that does not count, as those that sync do not.
    """

    origin: str
    flags: int = PRESENT | VERIFIED | ELIGIBLE | BACKED_UP
    counts: int = 0
    sign_count: int = 0
    rp_id: str | None = None
    client: Json = field(default_factory=dict)
    statement: Json = field(default_factory=lambda: {"fmt": "none", "attStmt": {}})
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    user_handle: str | None = None

    def create(self, options: Json) -> Json:
        """What `navigator.credentials.create` gives: `RegistrationResponseJSON`."""
        self.user_handle = options["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        attested = (
            AAGUID
            + len(self.credential_id).to_bytes(2, "big")
            + self.credential_id
            + cbor({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        )
        data = self._data(options["rp"]["id"], ATTESTED) + attested
        return self._answer(
            {
                "clientDataJSON": self._client_data("webauthn.create", options),
                "attestationObject": encoded(cbor({**self.statement, "authData": data})),
                "transports": ["internal", "hybrid", "telepathy"],
                "publicKeyAlgorithm": -7,
            }
        )

    def get(self, options: Json) -> Json:
        """What `navigator.credentials.get` gives: `AuthenticationResponseJSON`."""
        allowed = [each["id"] for each in options["allowCredentials"]]
        assert not allowed or encoded(self.credential_id) in allowed
        self.sign_count += self.counts
        data = self._data(options["rpId"])
        client = self._client_data("webauthn.get", options)
        signature = self.key.sign(data + hashlib.sha256(decoded(client)).digest(), ec.ECDSA(SHA256()))
        return self._answer(
            {
                "clientDataJSON": client,
                "authenticatorData": encoded(data),
                "signature": encoded(signature),
                "userHandle": self.user_handle,
            }
        )

    def _data(self, rp_id: str, flags: int = 0) -> bytes:
        about = hashlib.sha256((self.rp_id or rp_id).encode()).digest()
        return about + bytes([self.flags | flags]) + self.sign_count.to_bytes(4, "big")

    def _client_data(self, what: str, options: Json) -> str:
        said = {"type": what, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return encoded(json.dumps({**said, **self.client}).encode())

    def _answer(self, response: Json) -> Json:
        return {
            "id": encoded(self.credential_id),
            "rawId": encoded(self.credential_id),
            "type": "public-key",
            "response": response,
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {"credProps": {"rk": True}},
        }
