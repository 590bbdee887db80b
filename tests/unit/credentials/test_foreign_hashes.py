"""Slow hashes that other programs made: each kind compared, none that would take for ever, none that matches more than its key."""

from __future__ import annotations

import base64
import hashlib

import bcrypt
import pytest
from argon2 import PasswordHasher
from argon2.low_level import Type

from bonafides.credentials.foreign_hashes import ForeignHashes, objection

KEY = b"sk_live_from_elsewhere"


def of_bcrypt(key: bytes) -> str:
    """A quick one."""
    return bcrypt.hashpw(key, bcrypt.gensalt(4)).decode()


def of_argon2(kind: Type = Type.ID) -> str:
    """A quick one."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, type=kind).hash(KEY)


def of_pbkdf2(name: str = "sha256", rounds: int = 10) -> str:
    """As Django writes it."""
    digest = hashlib.pbkdf2_hmac(name, KEY, b"salt", rounds)
    return f"pbkdf2_{name}${rounds}$salt${base64.b64encode(digest).decode()}"


HASHES = {
    "bcrypt": of_bcrypt(KEY),
    "bcrypt of PHP": of_bcrypt(KEY).replace("$2b$", "$2y$"),
    "bcrypt of Django": f"bcrypt${of_bcrypt(KEY)}",
    "bcrypt of SHA-256 of Django": f"bcrypt_sha256${of_bcrypt(hashlib.sha256(KEY).hexdigest().encode())}",
    "argon2id": of_argon2(),
    "argon2i": of_argon2(Type.I),
    "argon2 of Django": f"argon2{of_argon2()}",
    "PBKDF2": of_pbkdf2(),
    "PBKDF2 with SHA-512": of_pbkdf2("sha512"),
}


@pytest.mark.parametrize("name", HASHES)
async def test_a_key_matches_its_hash_and_no_other_key_does(name: str) -> None:
    """Keys that were imported would not open, or every string would."""
    hashes = ForeignHashes()
    assert objection(HASHES[name]) is None
    assert await hashes.matches(KEY, HASHES[name])
    assert not await hashes.matches(KEY + b"x", HASHES[name])
    assert not await hashes.matches(KEY[:-1], HASHES[name])


@pytest.mark.parametrize("key", [b"k" * 73, b"k" * 10_000, b"k\x00k"])
async def test_what_bcrypt_would_cut_off_matches_nothing(key: bytes) -> None:
    """It reads 72 bytes and stops at NUL: every extension of a key would be the key."""
    hashes = ForeignHashes()
    assert not await hashes.matches(key, of_bcrypt(b"k" * 72))
    assert not await hashes.matches(key, of_bcrypt(b"k"))


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        ("$2b$15$" + "a" * 53, "has a bcrypt cost above 14"),
        ("$argon2id$v=19$m=262145,t=1,p=1$c2FsdHNhbHQ$" + "a" * 43, "more than 256 MiB or 16 passes"),
        ("$argon2id$v=19$m=8,t=17,p=1$c2FsdHNhbHQ$" + "a" * 43, "more than 256 MiB or 16 passes"),
        ("$argon2id$v=19$m=8,t=1,p=17$c2FsdHNhbHQ$" + "a" * 43, "more than 256 MiB or 16 passes"),
        ("pbkdf2_sha256$2000001$salt$" + "a" * 44, "has more than 2000000 rounds of PBKDF2"),
        ("bcrypt$nothing", "has a hash that cannot be read"),
        ("bcrypt_sha256$pbkdf2_sha256$1$salt$" + "a" * 44, "has a hash that cannot be read"),
        ("scrypt$16384$8$1$salt$" + "a" * 44, "has a hash of no kind that is known here"),
        ("pbkdf2_md5$1$salt$" + "a" * 44, "has a hash of no kind that is known here"),
        ("pbkdf2_sha256$1$s\udc80lt$" + "a" * 44, "has a hash of no kind that is known here"),
        ("", "has a hash of no kind that is known here"),
    ],
)
def test_a_hash_that_cannot_be_compared_in_time_is_refused(encoded: str, reason: str) -> None:
    """Whoever wrote the file would decide how long a processor is busy with each first use."""
    found = objection(encoded)
    assert found is not None
    assert reason in found


@pytest.mark.parametrize(
    "encoded", ["$argon2id$v=19$m=8,t=1,p=1$c2Fs$c2Fs", "pbkdf2_sha256$1$salt$=", "?", ""]
)
async def test_a_hash_that_cannot_be_read_matches_nothing(encoded: str) -> None:
    """A damaged row would turn a lookup into an error for whoever begins alike."""
    assert not await ForeignHashes().matches(KEY, encoded)


async def test_base64_that_is_none_matches_nothing() -> None:
    """The shape alone does not tell: three characters too many cannot be decoded."""
    assert not await ForeignHashes().matches(KEY, "pbkdf2_sha256$1$salt$" + "a" * 25)
