"""Slow hashes that other programs made of keys: read, bounded, and compared off the event loop. The only file that knows bcrypt."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import bcrypt

from bonafides.credentials.passwords import argon2_matches, step_back
from bonafides.secret import same

BCRYPT_BYTES_MAX: Final = 72
"""bcrypt looks no further: of a longer key, every extension would match."""

_BCRYPT: Final = re.compile(r"\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}")
_ARGON2: Final = re.compile(
    r"\$argon2(?:id|i|d)\$v=19\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})\$[A-Za-z0-9+/]{8,128}\$[A-Za-z0-9+/]{16,256}"
)
_PBKDF2: Final = re.compile(
    r"pbkdf2_(sha256|sha512)\$(\d{1,9})\$([\x21-\x23\x25-\x7e]{1,128})\$([A-Za-z0-9+/]{22,128}={0,2})"
)
_DJANGO_BCRYPT: Final = "bcrypt$"
_DJANGO_BCRYPT_SHA256: Final = "bcrypt_sha256$"
_DJANGO_ARGON2: Final = "argon2"

# What one comparison may cost: a file from elsewhere decides how long each first use takes.
_BCRYPT_COST_MAX: Final = 14
_ARGON2_KIB_MAX: Final = 262_144
_ARGON2_PASSES_MAX: Final = 16
_ARGON2_LANES_MAX: Final = 16
_PBKDF2_ROUNDS_MAX: Final = 2_000_000


def objection(encoded: str) -> str | None:
    """What speaks against a slow hash, None if it can be compared with.

    Args:
        encoded: As `$2b$…`, `$argon2id$…`, or with the names that Django puts before these and before PBKDF2.
    """
    kind, inner = _unwrapped(encoded)
    if (found := _BCRYPT.fullmatch(inner)) is not None:
        return None if int(found[1]) <= _BCRYPT_COST_MAX else f"has a bcrypt cost above {_BCRYPT_COST_MAX}"
    if kind:
        return "has a hash that cannot be read"
    if (found := _ARGON2.fullmatch(inner)) is not None:
        kib, passes, lanes = (int(figure) for figure in found.groups())
        within = kib <= _ARGON2_KIB_MAX and passes <= _ARGON2_PASSES_MAX and lanes <= _ARGON2_LANES_MAX
        return (
            None
            if within
            else f"has an argon2 hash that takes more than {_ARGON2_KIB_MAX // 1024} MiB or {_ARGON2_PASSES_MAX} passes"
        )
    if (found := _PBKDF2.fullmatch(inner)) is not None:
        return (
            None
            if int(found[2]) <= _PBKDF2_ROUNDS_MAX
            else f"has more than {_PBKDF2_ROUNDS_MAX} rounds of PBKDF2"
        )
    return "has a hash of no kind that is known here: bcrypt, argon2, or Django's PBKDF2"


class ForeignHashes:
    """Compares keys with slow hashes, a bounded number at once; the others wait, and verification waits for none.

    Args:
        at_once_max: Under way at the same time; an argon2 hash may take 256 MiB.
    """

    def __init__(self, *, at_once_max: int = 1) -> None:
        self._threads = ThreadPoolExecutor(at_once_max, "foreign-hashes", initializer=step_back)

    async def matches(self, presented: bytes, encoded: str) -> bool:
        """Whether a hash was made of this key."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, _matches, presented, encoded)


def _matches(presented: bytes, encoded: str) -> bool:
    kind, inner = _unwrapped(encoded)
    if _BCRYPT.fullmatch(inner) is not None:
        if kind == _DJANGO_BCRYPT_SHA256:
            presented = hashlib.sha256(presented).hexdigest().encode("ascii")
        return _is_of_bcrypt(presented, inner)
    if inner.startswith("$argon2"):
        return argon2_matches(presented, inner)
    found = _PBKDF2.fullmatch(inner)
    return found is not None and _is_of_pbkdf2(presented, *found.groups())


def _is_of_bcrypt(presented: bytes, encoded: str) -> bool:
    if len(presented) > BCRYPT_BYTES_MAX or b"\x00" in presented:
        return False
    # 2y and 2x are PHP's names for the same.
    return bcrypt.checkpw(presented, b"$2b$" + encoded[4:].encode("ascii"))


def _is_of_pbkdf2(presented: bytes, name: str, rounds: str, salt: str, kept: str) -> bool:
    try:
        wanted = base64.b64decode(kept, validate=True)
    except binascii.Error:
        return False
    return same(hashlib.pbkdf2_hmac(name, presented, salt.encode("utf-8"), int(rounds)), wanted)


def _unwrapped(encoded: str) -> tuple[str, str]:
    """Django's name of a bcrypt hash, if it has one, and the hash itself."""
    for name in (_DJANGO_BCRYPT_SHA256, _DJANGO_BCRYPT):
        if encoded.startswith(name):
            return name, encoded[len(name) :]
    return "", encoded.removeprefix(_DJANGO_ARGON2) if encoded.startswith(
        f"{_DJANGO_ARGON2}$argon2"
    ) else encoded
