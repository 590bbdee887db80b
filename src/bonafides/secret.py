"""The only file that makes, parses, digests, compares, seals or hides secret strings.

A secret reads `bf_<kind>_<id and random, base62>_<checksum>`: underscores only, so that a double click
takes it whole, and a CRC-32, so that a scanner can tell a real one offline and the server drops typos
without a look-up. The wire format may only grow: a new kind gets a new name, and neither the widths
below nor the checksum of an existing kind ever change.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from typing_extensions import override

from bonafides.errors import InvalidRequest, Misconfigured
from bonafides.model import DigestedSecret, Entropy, ForeignRule, ForeignScheme

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ID_WIDTH: Final = 22
RANDOM_WIDTH: Final = 22
CHECKSUM_WIDTH: Final = 6
DIGEST_BYTES: Final = 32
PEPPER_BYTES_MIN: Final = 32
WEBHOOK_KEY_BYTES: Final = 32

Sign = Callable[[bytes], bytes]
"""Given a text, its signature."""

_NONCE_BYTES: Final = 12
_ES256: Final = ECDSA(SHA256())
_P256_BYTES: Final = 32
_WEBHOOK_PREFIX: Final = "whsec_"
_PAIRS: Final = tuple(first + second for first in ALPHABET for second in ALPHABET)
_CHUNK_WIDTH: Final = 10
_CHUNK: Final = 62**_CHUNK_WIDTH
_HALF: Final = 62 ** (_CHUNK_WIDTH // 2)
_PAIR: Final = 62**2
_TWO_PAIRS: Final = 62**4


class SecretKind(StrEnum):
    """The word after `bf_`: what a secret opens."""

    KEY = "key"
    PAT = "pat"
    TOK = "tok"
    OAT = "oat"
    ORT = "ort"
    SEC = "sec"
    INV = "inv"
    RST = "rst"
    MFA = "mfa"
    IAT = "iat"
    RAT = "rat"


class Shape(StrEnum):
    """What a presented string looks like, before anything is looked up."""

    WHOLE = "whole"
    DAMAGED_KEY = "damaged_key"
    DAMAGED_TOKEN = "damaged_token"
    JWT = "jwt"
    UNKNOWN = "unknown"


_KEY_KINDS: Final = frozenset({SecretKind.KEY, SecretKind.PAT})
_WHOLE: Final = re.compile(
    rb"bf_(%s)_([0-9A-Za-z]{%d})_([0-9A-Za-z]{%d})"
    % ("|".join(SecretKind).encode(), ID_WIDTH + RANDOM_WIDTH, CHECKSUM_WIDTH)
)
_OURS: Final = re.compile(rb"bf_([a-z]+)_")
_JWT: Final = re.compile(rb"eyJ[0-9A-Za-z_-]*\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]*")
# To the end of the word, whatever it is: of two secrets without a space between them, neither is left.
_IN_TEXT: Final = re.compile(rf"bf_({'|'.join(SecretKind)})_[0-9A-Za-z]{{8}}[0-9A-Za-z_]*+")
# The look of these is Standard Webhooks'.
_WEBHOOK_IN_TEXT: Final = re.compile(r"whsec_[0-9A-Za-z+/]{8}[0-9A-Za-z+/=]*+")
# Whoever asks chooses the text, so one pass must do: a run of these characters is entered at its start
# alone, and only where two dots follow; from there on the first "eyJ" that is long enough matches.
_JWT_IN_TEXT: Final = re.compile(
    r"(?<![0-9A-Za-z_-])(?=[0-9A-Za-z_-]++\.[0-9A-Za-z_-]++\.)([0-9A-Za-z_-]*?)"
    r"eyJ[0-9A-Za-z_-]{8,}+\.[0-9A-Za-z_-]++(?:\.[0-9A-Za-z_-]*+)++"
)


def base62(number: int, width: int) -> str:
    """A number in fixed-width base62 whose byte order is its numeric order."""
    digits = []
    # A part that fits into a machine word is divided much faster than the whole, and one of half a word faster still.
    while width > _CHUNK_WIDTH:
        number, part = divmod(number, _CHUNK)
        high, low = divmod(part, _HALF)
        digits.append(
            f"{ALPHABET[high // _TWO_PAIRS]}{_PAIRS[high // _PAIR % _PAIR]}{_PAIRS[high % _PAIR]}"
            f"{ALPHABET[low // _TWO_PAIRS]}{_PAIRS[low // _PAIR % _PAIR]}{_PAIRS[low % _PAIR]}"
        )
        width -= _CHUNK_WIDTH
    for _ in range(width // 2):
        number, pair = divmod(number, _PAIR)
        digits.append(_PAIRS[pair])
    if width % 2:
        digits.append(ALPHABET[number % 62])
    return "".join(reversed(digits))


def new_id(prefix: str, now_us: int, entropy: Entropy) -> str:
    """An id that was never given before: 48 bits of time in milliseconds, then 80 random bits.

    Args:
        prefix: Without the underscore: `key`, `usr`, `ten`, …
        now_us: Microseconds since the epoch.
        entropy: Where the random bits come from.
    """
    number = ((now_us // 1000) & (2**48 - 1)) << 80 | int.from_bytes(entropy(10), "big")
    return f"{prefix}_{base62(number, ID_WIDTH)}"


def mint(kind: SecretKind, identifier: str, entropy: Entropy) -> str:
    """A new secret for the thing with that id, with 128 random bits of its own.

    Args:
        kind: What it opens.
        identifier: A prefixed id made by `new_id`; its base62 part becomes part of the secret.
        entropy: Where the random bits come from.
    """
    payload = identifier.rpartition("_")[2] + base62(int.from_bytes(entropy(16), "big"), RANDOM_WIDTH)
    head = f"bf_{kind}_{payload}"
    return f"{head}_{checksum(head)}"


def mint_password(entropy: Entropy) -> str:
    """A first password that a person can copy: 128 random bits in base62."""
    return base62(int.from_bytes(entropy(16), "big"), RANDOM_WIDTH)


def mint_webhook_secret(entropy: Entropy) -> str:
    """What a webhook's deliveries are signed with: 256 random bits, in the look that Standard Webhooks has for it."""
    return _WEBHOOK_PREFIX + base64.b64encode(entropy(WEBHOOK_KEY_BYTES)).decode("ascii")


def webhook_signature(secret: str, told: bytes) -> str:
    """The signature of what a webhook is told, as its header has it.

    Args:
        secret: Made by `mint_webhook_secret`.
        told: The delivery's id, its time in seconds and its body, a dot between them.

    See: Standard Webhooks, "Signature scheme"
    """
    key = base64.b64decode(secret.removeprefix(_WEBHOOK_PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, told, "sha256")).decode("ascii")


def checksum(head: str) -> str:
    """The CRC-32 of everything before the last underscore, in base62."""
    return base62(zlib.crc32(head.encode("ascii")), CHECKSUM_WIDTH)


def shape(presented: bytes) -> Shape:
    """What a presented string is by its look alone; a typo in one of ours is noticed without a look-up."""
    match = _WHOLE.fullmatch(presented)
    if match is not None:
        head = presented[: -CHECKSUM_WIDTH - 1].decode("ascii")
        if match[3].decode("ascii") == checksum(head):
            return Shape.WHOLE
        return Shape.DAMAGED_KEY if match[1].decode("ascii") in _KEY_KINDS else Shape.DAMAGED_TOKEN
    ours = _OURS.match(presented)
    if ours is not None:
        kinds: frozenset[str] = frozenset(SecretKind) - _KEY_KINDS
        return Shape.DAMAGED_TOKEN if ours[1].decode("ascii") in kinds else Shape.DAMAGED_KEY
    if _JWT.fullmatch(presented) is not None:
        return Shape.JWT
    return Shape.UNKNOWN


def whole(presented: str, kind: SecretKind) -> bytes | None:
    """A presented string as it is digested, if it looks like an undamaged secret of that kind; else None."""
    raw = presented.encode("utf-8", "replace")
    return raw if raw.startswith(f"bf_{kind}_".encode()) and shape(raw) is Shape.WHOLE else None


def display(secret: str) -> str:
    """What may be shown of a secret: its kind, the first four and the last four characters."""
    kind, _, rest = secret.removeprefix("bf_").partition("_")
    return f"bf_{kind}_{rest[:4]}…{rest[-4:]}"


def redact(text: str) -> str:
    """The text with everything that looks like a secret made unreadable."""
    # JWTs first: a part of one may look like a key, and without it the rest would not look like a JWT.
    hidden = _WEBHOOK_IN_TEXT.sub("whsec_[redacted]", _JWT_IN_TEXT.sub(r"\1eyJ[redacted]", text))
    return _IN_TEXT.sub(r"bf_\1_[redacted]", hidden)


def contains_own_secret(text: str) -> bool:
    """Whether something in the text looks like a secret of ours."""
    return _IN_TEXT.search(text) is not None or _WEBHOOK_IN_TEXT.search(text) is not None


def contains_secret(text: str) -> bool:
    """Whether something in the text looks like a secret of ours or a JWT."""
    return contains_own_secret(text) or _JWT_IN_TEXT.search(text) is not None


@dataclass(frozen=True, slots=True, repr=False)
class Pepper:
    """One key of the keyed digest; its `id` is a digest of it and may be seen."""

    id: str
    key: bytes

    @override
    def __repr__(self) -> str:
        return f"Pepper(id={self.id!r})"


def parse_pepper(text: str) -> Pepper:
    """A pepper from its 64 or more hexadecimal digits.

    Raises:
        Misconfigured: It is not hexadecimal, or shorter than 256 bits. The text is not repeated.
    """
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if not PEPPER_BYTES_MIN <= len(key) <= hashlib.blake2b.MAX_KEY_SIZE:
        message = (
            "A pepper must be 64 to 128 hexadecimal digits. Make one with: "
            "python3 -c 'import secrets; print(secrets.token_hex(32))'"
        )
        raise Misconfigured(message)
    return Pepper(id=hashlib.blake2b(b"bonafides pepper id", key=key, digest_size=6).hexdigest(), key=key)


def new_pepper(entropy: Entropy) -> str:
    """The hexadecimal text of a new pepper."""
    return entropy(PEPPER_BYTES_MIN).hex()


class Peppers:
    """Digests under a list of peppers, newest first, so that a pepper can be rotated.

    What is digested anew always takes the newest; what was stored under an older one is still found.

    Args:
        peppers: At least one, newest first.
    """

    def __init__(self, peppers: Sequence[Pepper]) -> None:
        if not peppers:
            message = "No pepper is set. Set BONAFIDES_PEPPERS or pepper_file."
            raise Misconfigured(message)
        self._peppers = tuple(peppers)
        self._keyed = tuple(hashlib.blake2b(key=pepper.key, digest_size=DIGEST_BYTES) for pepper in peppers)
        self._newest = self._keyed[0]
        self.newest_id = self._peppers[0].id
        self.ids = tuple(pepper.id for pepper in peppers)

    @override
    def __reduce__(self) -> tuple[type[Peppers], tuple[tuple[Pepper, ...]]]:
        """How a worker process gets what its supervisor has: keyed digests themselves cannot be sent."""
        return Peppers, (self._peppers,)

    def digest(self, secret: bytes) -> bytes:
        """The digest under the newest pepper."""
        keyed = self._newest.copy()
        keyed.update(secret)
        return keyed.digest()

    def older(self, secret: bytes) -> tuple[bytes, ...]:
        """The digests under every older pepper, newest first."""
        digests = []
        for pepper in self._keyed[1:]:
            keyed = pepper.copy()
            keyed.update(secret)
            digests.append(keyed.digest())
        return tuple(digests)

    def candidates(self, secret: bytes) -> tuple[bytes, ...]:
        """Every digest under which the secret may be stored, newest pepper first."""
        return self.digest(secret), *self.older(secret)

    def digested(self, secret: str) -> DigestedSecret:
        """What the store keeps of a new secret."""
        return DigestedSecret(self.digest(secret.encode("ascii")), self.newest_id)

    def every_foreign(self, rule_id: str, kept: bytes) -> tuple[bytes, ...]:
        """What is kept, under every pepper in force, newest first, of a digest that another program kept of a key.

        It is made apart from `digest`, so that nobody opens a credential by presenting the other program's digest.

        Args:
            rule_id: How the other program made it.
            kept: What it kept.
        """
        return tuple(self._derive(pepper, b"bf-foreign", rule_id.encode(), kept) for pepper in self._peppers)

    def foreign_rule(self, key: bytes, entropy: Entropy) -> ForeignRule:
        """A rule for keyed digests that were made with this key, which is kept sealed."""
        name = f"{ForeignScheme.HMAC_SHA256}:{entropy(12).hex()}"
        return self.resealed(ForeignRule(name, ForeignScheme.HMAC_SHA256), key, entropy)

    def resealed(self, rule: ForeignRule, key: bytes, entropy: Entropy) -> ForeignRule:
        """The same rule, its key sealed under the newest pepper."""
        return replace(
            rule, sealed_key=self.seal_at_rest(key, f"foreign_rules.sealed_key.{rule.id}", entropy)
        )

    def foreign_key(self, rule: ForeignRule) -> bytes | None:
        """The key of a rule, empty where it has none; None where no pepper in force opens it."""
        if not rule.sealed_key:
            return b""
        return self.unseal_at_rest(rule.sealed_key, f"foreign_rules.sealed_key.{rule.id}")

    def _derive(self, pepper: Pepper, purpose: bytes, *parts: bytes) -> bytes:
        """A key for one purpose; parts are length-framed, so that no two lists of them collide."""
        keyed = hashlib.blake2b(key=pepper.key, digest_size=DIGEST_BYTES, person=purpose)
        for part in parts:
            keyed.update(len(part).to_bytes(8, "big"))
            keyed.update(part)
        return keyed.digest()

    def claim_digest(self, *parts: str) -> bytes:
        """The digest by which an idempotency claim is found again.

        It is made with the oldest pepper, so that adding a newest one orphans no claim.
        """
        return self._derive(self._peppers[-1], b"bf-claim", *(part.encode() for part in parts))

    def subject_digest(self, *parts: str) -> str:
        """A name under which something is counted, that tells nobody who reads the database whose it is."""
        return self._derive(self._peppers[-1], b"bf-subject", *(part.encode() for part in parts)).hex()

    def seal(self, plain: bytes, opener: str, context: bytes, entropy: Entropy) -> bytes:
        """Encrypt so that only somebody who presents `opener` again, to this server, can read it.

        Args:
            plain: What to keep.
            opener: What only the caller knows, such as their `Idempotency-Key`; it is not stored.
            context: Binds the result to its place; authenticated, not hidden.
            entropy: Where the nonce comes from.
        """
        nonce = entropy(_NONCE_BYTES)
        key = self._derive(self._peppers[0], b"bf-seal", opener.encode())
        return nonce + AESGCM(key).encrypt(nonce, plain, context)

    def unseal(self, sealed: bytes, opener: str, context: bytes) -> bytes | None:
        """What `seal` was given, or None where no pepper in force opens it."""
        for pepper in self._peppers:
            key = self._derive(pepper, b"bf-seal", opener.encode())
            try:
                return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
            except (InvalidTag, ValueError):  # ValueError: shorter than a nonce
                continue
        return None

    def seal_at_rest(self, plain: bytes, place: str, entropy: Entropy) -> bytes:
        """Encrypt what the server itself must read again, such as a private key, under the newest pepper.

        Args:
            plain: What to keep.
            place: Table, column and row; authenticated, so that nothing is moved from one row to another.
            entropy: Where the nonce comes from.

        See: OWASP ASVS 11.3.2
        """
        nonce = entropy(_NONCE_BYTES)
        key = self._derive(self._peppers[0], b"bf-rest", b"")
        return nonce + AESGCM(key).encrypt(nonce, plain, place.encode())

    def unseal_at_rest(self, sealed: bytes, place: str) -> bytes | None:
        """What `seal_at_rest` was given for that place, or None where no pepper in force opens it."""
        for pepper in self._peppers:
            key = self._derive(pepper, b"bf-rest", b"")
            try:
                return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode())
            except (InvalidTag, ValueError):  # ValueError: shorter than a nonce
                continue
        return None

    def sign_form(self, whose: str) -> str:
        """The token of a form that only its own reader can send.

        Args:
            whose: The session or the visit that it is shown in.

        See: OWASP ASVS 3.5.1
        """
        return self._derive(self._peppers[0], b"bf-form", whose.encode()).hex()

    def is_form_of(self, token: str, whose: str) -> bool:
        """Whether `sign_form` made the token for that reader, under whichever pepper in force."""
        given = token.encode("utf-8", "replace")
        return any(
            hmac.compare_digest(given, self._derive(pepper, b"bf-form", whose.encode()).hex().encode())
            for pepper in self._peppers
        )

    def sign_challenge(self, purpose: str, ends_us: int, entropy: Entropy) -> bytes:
        """Bytes for one ceremony, which the server knows again without having kept them; the last 32 name them.

        Args:
            purpose: What they serve for, and whom: they are good for nothing else.
            ends_us: Microseconds since the epoch, until when they are good.
            entropy: For 128 random bits.

        See: Web Authentication Level 3 §13.4.3
        """
        body = ends_us.to_bytes(8, "big") + entropy(16)
        return body + self._derive(self._peppers[0], b"bf-challenge", purpose.encode(), body)

    def challenge_end(self, challenge: bytes, purpose: str) -> int | None:
        """Until when a challenge is good, if `sign_challenge` made it for this purpose, under whichever pepper in force."""
        body, tag = challenge[:-DIGEST_BYTES], challenge[-DIGEST_BYTES:]
        for pepper in self._peppers:
            if hmac.compare_digest(tag, self._derive(pepper, b"bf-challenge", purpose.encode(), body)):
                return int.from_bytes(body[:8], "big")
        return None

    def sign_cursor(self, position: Sequence[Any], context: str) -> str:
        """An opaque, authenticated cursor for a listing.

        Args:
            position: JSON values: where the listing goes on.
            context: The listing and its filters; a cursor of one listing is refused by another.
        """
        body = json.dumps(list(position), separators=(",", ":")).encode()
        tag = self._derive(self._peppers[0], b"bf-cursor", context.encode(), body)[:12]
        return (tag + body).hex()

    def read_cursor(self, cursor: str, context: str) -> list[Any]:
        """The position that `sign_cursor` was given.

        Raises:
            InvalidRequest: The cursor was not made by this server for this listing.
        """
        message = "The cursor was not made by this server for this listing. Start again without a cursor."
        try:
            raw = bytes.fromhex(cursor)
        except ValueError:
            raise InvalidRequest(message, field="cursor") from None
        tag, body = raw[:12], raw[12:]
        for pepper in self._peppers:
            if hmac.compare_digest(tag, self._derive(pepper, b"bf-cursor", context.encode(), body)[:12]):
                position: list[Any] = json.loads(body)
                return position
        raise InvalidRequest(message, field="cursor")


def es256_signer(key: object) -> Sign:
    """Signs texts with a private key on P-256, as JWS has it; the key is judged once.

    Raises:
        TypeError: It is no such key.

    See: RFC 7518 §3.4
    """
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        message = "ES256 takes a private key on P-256"
        raise TypeError(message)
    sign = key.sign

    def signature(text: bytes) -> bytes:
        left, right = decode_dss_signature(sign(text, _ES256))
        return left.to_bytes(_P256_BYTES, "big") + right.to_bytes(_P256_BYTES, "big")

    return signature


def same(left: bytes, right: bytes) -> bool:
    """Whether two secrets or digests are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(left, right)


def foreign_digest(scheme: ForeignScheme, presented: bytes, key: bytes = b"") -> bytes:
    """The digest that another program made of a key, for the schemes that need nothing but the key.

    Args:
        scheme: Its way.
        presented: The key.
        key: Of a keyed way.
    """
    if scheme is ForeignScheme.HMAC_SHA256:
        return hmac.digest(key, presented, "sha256")
    return (hashlib.sha512 if scheme is ForeignScheme.SHA512 else hashlib.sha256)(presented).digest()
