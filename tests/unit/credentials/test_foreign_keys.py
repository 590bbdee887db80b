"""What a file says of a key, as what is kept of it: every scheme, and a reason for every refusal that repeats no secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from typing import Any

import pytest

from bonafides.credentials.dumps import Entry, UnusableError
from bonafides.credentials.foreign_keys import ForeignKeys, Kept
from bonafides.errors import InvalidRequest
from bonafides.model import ForeignRule, ForeignScheme
from bonafides.secret import Peppers, parse_pepper

OLD, NEW = parse_pepper("1" * 64), parse_pepper("2" * 64)
PEPPERS = Peppers([NEW, OLD])
KEY = "sk_live_from_elsewhere"
DIGEST = hashlib.sha256(KEY.encode()).digest()
HMAC_KEY = b"the other program's key"
BCRYPT = "$2b$04$" + "a" * 53


def kept(known: tuple[ForeignRule, ...] = (), **fields: Any) -> Kept:
    """What is kept of an entry."""
    options = {name: fields.pop(name) for name in ("scheme_of_all", "hmac_key") if name in fields}
    keys = ForeignKeys(
        PEPPERS,
        os.urandom,
        known,
        scheme=options.get("scheme_of_all"),
        hmac_key=options.get("hmac_key"),
    )
    return keys.read(Entry(7, **fields))


def refusal(**fields: Any) -> str:
    """Why an entry cannot be a key."""
    with pytest.raises(UnusableError) as caught:
        kept(**fields)
    return str(caught.value)


@pytest.mark.parametrize(
    "written",
    [
        DIGEST.hex(),
        DIGEST.hex().upper(),
        base64.b64encode(DIGEST).decode(),
        base64.b64encode(DIGEST).decode().rstrip("="),
        base64.urlsafe_b64encode(DIGEST).decode(),
    ],
)
@pytest.mark.parametrize("scheme", ["sha256", None])
def test_sha256_is_read_in_every_spelling(written: str, scheme: str | None) -> None:
    """Of two programs that write the same digest differently, one could not be left."""
    found = kept(hash=written, scheme=scheme, prefix="sk_live_")
    assert found == Kept(
        ForeignRule("sha256", ForeignScheme.SHA256),
        PEPPERS.every_foreign("sha256", DIGEST),
        None,
        None,
        "sk_l…",
    )


def test_the_other_programs_digest_opens_nothing() -> None:
    """Whoever has stolen the old database would have every key: what is kept is a digest of the digest, made apart."""
    found = kept(hash=DIGEST.hex())
    assert found.digests[0] not in PEPPERS.candidates(DIGEST)
    assert found.digests[0] not in PEPPERS.candidates(DIGEST.hex().encode())
    assert found.display == "imported"


def test_sha512_and_what_django_writes_of_it() -> None:
    """Keys of the newer djangorestframework-api-key would be refused."""
    digest = hashlib.sha512(KEY.encode()).hexdigest()
    own = kept(hash=digest, scheme="sha512")
    assert own.digests == PEPPERS.every_foreign("sha512", bytes.fromhex(digest))
    assert kept(hash=f"sha512$${digest}", scheme="django") == own
    assert kept(hash=f"sha512$${digest}") == own
    assert kept(hash=digest, scheme_of_all="sha512") == own


def test_keyed_digests_need_their_key_which_is_kept_sealed() -> None:
    """Without the key nobody can be recognised, and in the clear it would be in every backup."""
    digest = hmac.digest(HMAC_KEY, KEY.encode(), "sha256")
    found = kept(hash=digest.hex(), scheme="hmac-sha256", hmac_key=HMAC_KEY)
    assert found.rule.scheme is ForeignScheme.HMAC_SHA256
    assert HMAC_KEY not in found.rule.sealed_key
    assert PEPPERS.foreign_key(found.rule) == HMAC_KEY
    assert found.digests == PEPPERS.every_foreign(found.rule.id, digest)
    assert "the key was not given" in refusal(hash=digest.hex(), scheme="hmac-sha256")


def test_the_same_key_of_digests_is_the_same_rule_sealed_anew() -> None:
    """An import that is run again would not know its own keys; and with an old pepper the new ones would be lost."""
    old = Peppers([OLD]).foreign_rule(HMAC_KEY, os.urandom)
    other = Peppers([OLD]).foreign_rule(b"quite another key", os.urandom)
    lost = Peppers([parse_pepper("3" * 64)]).foreign_rule(HMAC_KEY, os.urandom)
    known = (ForeignRule("sha256", ForeignScheme.SHA256), other, lost, old)
    found = kept(known, hash=DIGEST.hex(), scheme="hmac-sha256", hmac_key=HMAC_KEY)
    assert found.rule.id == old.id
    assert Peppers([NEW]).foreign_key(found.rule) == HMAC_KEY
    assert kept(known[:3], hash=DIGEST.hex(), scheme="hmac-sha256", hmac_key=HMAC_KEY).rule.id not in {
        other.id,
        lost.id,
        old.id,
    }


@pytest.mark.parametrize(
    ("encoded", "scheme"),
    [
        (BCRYPT, "bcrypt"),
        (BCRYPT, None),
        ("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$" + "a" * 43, None),
        ("pbkdf2_sha256$10$salt$" + "a" * 43 + "=", None),
    ],
)
def test_a_slow_hash_is_found_by_how_its_key_begins(encoded: str, scheme: str | None) -> None:
    """Each presented string would be compared with every hash there is."""
    found = kept(hash=encoded, scheme=scheme, prefix="sk_live_")
    assert found.rule == ForeignRule("hash:8", ForeignScheme.HASH, b"", 8)
    assert (found.prefix, found.hash, found.display) == ("sk_live_", encoded, "sk_l…")
    assert found.digests == PEPPERS.every_foreign("hash", encoded.encode())


@pytest.mark.parametrize("prefix", [None, "sk_", "k" * 33, "sk live", "sk_l\u00efve"])
def test_a_slow_hash_without_a_beginning_is_refused(prefix: str | None) -> None:
    """It could never be found."""
    assert "needs the first 4 to 32 characters of its key" in refusal(hash=BCRYPT, prefix=prefix)


@pytest.mark.parametrize(
    ("key", "display"),
    [
        (KEY, "sk_l…here"),
        ("0123456789abcdef", "0123…cdef"),
        ("0123456789abcde", "imported"),
        ("a", "imported"),
    ],
)
def test_keys_in_the_clear_are_digested_and_of_no_length_refused(key: str, display: str) -> None:
    """Customers with short keys could not move here; and of a short key nothing can be shown."""
    found = kept(key=key)
    assert found == Kept(
        ForeignRule("plain", ForeignScheme.PLAIN), PEPPERS.candidates(key.encode()), None, None, display
    )


@pytest.mark.parametrize("key", ["k" * 8_000])
def test_a_long_key_is_a_key(key: str) -> None:
    """No shape is refused by its length."""
    assert kept(key=key).digests == PEPPERS.candidates(key.encode())


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "must have either a key or its hash"),
        ({"key": KEY, "hash": DIGEST.hex()}, "must have either a key or its hash"),
        ({"key": "sk live"}, "blanks, or characters that no header can hold"),
        ({"key": "sk_l\u00efve_from"}, "blanks, or characters that no header can hold"),
        ({"key": "bf_key_0123456789"}, "looks like one of this program's own, or like a JWT"),
        ({"key": "eyJhbGciOiJub25lIn0.e30."}, "looks like one of this program's own, or like a JWT"),
        ({"hash": DIGEST.hex()[:-2]}, "not sha256 in hexadecimal digits or base64"),
        ({"hash": DIGEST.hex()[:-1] + "x"}, "not sha256 in hexadecimal digits or base64"),
        ({"hash": "\u00e9" * 43}, "not sha256 in hexadecimal digits or base64"),
        ({"hash": DIGEST.hex(), "scheme": "sha512"}, "not sha512 in hexadecimal digits or base64"),
        ({"hash": DIGEST.hex(), "scheme": "md5"}, "has a scheme that is none of sha256, sha512"),
        ({"hash": DIGEST.hex(), "scheme": "plain"}, "has a scheme that is none of sha256, sha512"),
        ({"hash": DIGEST.hex(), "scheme": "hash"}, "has a scheme that is none of sha256, sha512"),
        ({"hash": "$2b$15$" + "a" * 53, "prefix": "sk_live_"}, "has a bcrypt cost above 14"),
    ],
)
def test_what_can_be_no_key_is_refused_with_a_reason_that_repeats_nothing(
    fields: dict[str, str], reason: str
) -> None:
    """A key that could never be presented would be promised to its owner; and refusals end in terminals and logs."""
    told = refusal(**fields)
    assert reason in told
    assert not any(value[:12] in told for name, value in fields.items() if name in {"key", "hash"})


def test_options_that_are_wrong_are_told_at_once() -> None:
    """After a million refusals nobody would look for the reason in the call."""
    with pytest.raises(InvalidRequest, match="scheme must be one of"):
        ForeignKeys(PEPPERS, os.urandom, scheme="md5")
    with pytest.raises(InvalidRequest, match="at least 16 bytes"):
        ForeignKeys(PEPPERS, os.urandom, hmac_key=b"short")
