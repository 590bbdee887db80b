"""What a file says of a key, as what the store keeps of it: a digest to look up, or a slow hash and how the key begins."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from bonafides.credentials.dumps import Entry, UnusableError
from bonafides.credentials.foreign_hashes import objection
from bonafides.errors import InvalidRequest
from bonafides.model import Entropy, ForeignRule, ForeignScheme
from bonafides.secret import Peppers, Shape, same, shape

PREFIX_LENGTHS: Final = range(4, 33)
HMAC_KEY_BYTES_MIN: Final = 16
SCHEMES: Final = ("sha256", "sha512", "hmac-sha256", "bcrypt", "argon2", "django")

_SLOW: Final = frozenset({"bcrypt", "argon2", "django"})
_SHOWN: Final = 4
_KEY: Final = re.compile(r"[\x21-\x7e]+")
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})+")
_DIGEST_BYTES: Final = {
    ForeignScheme.SHA256: 32,
    ForeignScheme.HMAC_SHA256: 32,
    ForeignScheme.SHA512: 64,
}
_DJANGO_SHA512: Final = "sha512$$"


class Kept(NamedTuple):
    """What is kept of one key.

    Args:
        rule: How a presented string is recognised as it.
        digests: By which it is found, under every pepper, newest first.
        prefix: How it begins, where there is a slow hash.
        hash: The slow hash.
        display: What may be shown of it.
    """

    rule: ForeignRule
    digests: tuple[bytes, ...]
    prefix: str | None
    hash: str | None
    display: str


class ForeignKeys:
    """Reads what files say of keys.

    Args:
        peppers: What is kept is digested under them.
        known: Rules that are there already.
        entropy: For sealing the key of a keyed digest.
        scheme: What made the hashes of entries that do not say it themselves.
        hmac_key: Of keyed digests.
    """

    def __init__(
        self,
        peppers: Peppers,
        entropy: Entropy,
        known: Sequence[ForeignRule] = (),
        *,
        scheme: str | None = None,
        hmac_key: bytes | None = None,
    ) -> None:
        if scheme is not None and scheme not in SCHEMES:
            message = f"scheme must be one of {', '.join(SCHEMES)}."
            raise InvalidRequest(message, field="scheme")
        if hmac_key is not None and len(hmac_key) < HMAC_KEY_BYTES_MIN:
            message = f"The key of keyed digests must be at least {HMAC_KEY_BYTES_MIN} bytes long."
            raise InvalidRequest(message, field="hmac_key")
        self._peppers = peppers
        self._scheme = scheme
        self._rules = {
            scheme: ForeignRule(str(scheme), scheme)
            for scheme in (ForeignScheme.PLAIN, ForeignScheme.SHA256, ForeignScheme.SHA512)
        }
        if hmac_key is not None:
            self._rules[ForeignScheme.HMAC_SHA256] = self._keyed(hmac_key, entropy, known)

    def _keyed(self, key: bytes, entropy: Entropy, known: Sequence[ForeignRule]) -> ForeignRule:
        """The rule for this key, sealed as long as the newest of its digests: under the newest pepper."""
        for rule in known:
            if rule.sealed_key and same(self._peppers.foreign_key(rule) or b"", key):
                return self._peppers.resealed(rule, key, entropy)
        return self._peppers.foreign_rule(key, entropy)

    def read(self, entry: Entry) -> Kept:
        """What is to be kept of an entry's key.

        Raises:
            UnusableError: It has no key, two, or one that could never be presented or compared.
        """
        if (entry.key is None) == (entry.hash is None):
            raise UnusableError("must have either a key or its hash")
        if entry.key is not None:
            return self._plain(entry.key)
        kept = entry.hash or ""
        scheme = entry.scheme or self._scheme or _by_look(kept)
        if scheme == "django" and kept.startswith(_DJANGO_SHA512):
            scheme, kept = ForeignScheme.SHA512, kept.removeprefix(_DJANGO_SHA512)
        if scheme not in SCHEMES:
            raise UnusableError(f"has a scheme that is none of {', '.join(SCHEMES)}")
        if scheme in _SLOW:
            return self._hashed(kept, entry.prefix)
        return self._digested(ForeignScheme(scheme), kept, entry.prefix)

    def _plain(self, key: str) -> Kept:
        if _KEY.fullmatch(key) is None:
            raise UnusableError("has a key with blanks, or characters that no header can hold")
        presented = key.encode("ascii")
        if shape(presented) is not Shape.UNKNOWN:
            raise UnusableError("has a key that looks like one of this program's own, or like a JWT")
        digests = self._peppers.candidates(presented)
        return Kept(self._rules[ForeignScheme.PLAIN], digests, None, None, _display(key))

    def _digested(self, scheme: ForeignScheme, text: str, start: str | None) -> Kept:
        rule = self._rules.get(scheme)
        if rule is None:
            raise UnusableError("has a keyed digest, but the key was not given")
        digest = _decoded(text, _DIGEST_BYTES[scheme])
        if digest is None:
            raise UnusableError(f"has a hash that is not {scheme} in hexadecimal digits or base64")
        return Kept(rule, self._peppers.every_foreign(rule.id, digest), None, None, _shown(start))

    def _hashed(self, encoded: str, prefix: str | None) -> Kept:
        reason = objection(encoded)
        if reason is not None:
            raise UnusableError(reason)
        if prefix is None or len(prefix) not in PREFIX_LENGTHS or _KEY.fullmatch(prefix) is None:
            raise UnusableError(
                f"has a slow hash, so it needs the first {PREFIX_LENGTHS[0]} to {PREFIX_LENGTHS[-1]} characters of its key"
            )
        rule = ForeignRule(f"{ForeignScheme.HASH}:{len(prefix)}", ForeignScheme.HASH, b"", len(prefix))
        digests = self._peppers.every_foreign(str(ForeignScheme.HASH), encoded.encode("utf-8"))
        return Kept(rule, digests, prefix, encoded, _shown(prefix))


def _by_look(kept: str) -> str:
    if kept.startswith("$2"):
        return "bcrypt"
    if kept.startswith("$argon2"):
        return "argon2"
    return "django" if "$" in kept else "sha256"


def _decoded(text: str, length: int) -> bytes | None:
    """The bytes of a digest in hexadecimal digits or in either base64."""
    if _HEX.fullmatch(text) is not None and len(text) == 2 * length:
        return bytes.fromhex(text)
    try:
        padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
        decoded = base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if len(decoded) == length else None


def _display(key: str) -> str:
    """What may be shown of a key: of a short one, its ends would be half of it."""
    return f"{key[:_SHOWN]}…{key[-_SHOWN:]}" if len(key) >= 4 * _SHOWN else "imported"


def _shown(start: str | None) -> str:
    return f"{start[:_SHOWN]}…" if start and _KEY.fullmatch(start[:_SHOWN]) else "imported"
