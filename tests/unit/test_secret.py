"""Secrets: told apart by their look alone, digested under a pepper, and never readable in a log."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import pickle
import re
import time
import zlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from bonafides.errors import InvalidRequest, Misconfigured
from bonafides.model import Entropy
from bonafides.secret import (
    ALPHABET,
    Pepper,
    Peppers,
    SecretKind,
    Shape,
    base62,
    checksum,
    contains_secret,
    display,
    es256_signer,
    mint,
    mint_password,
    new_id,
    new_pepper,
    parse_pepper,
    redact,
    same,
    shape,
)

NOW_US = 1_900_000_000_123_456
KEYS = {SecretKind.KEY, SecretKind.PAT}
PEPPERS = tuple(parse_pepper(digit * 64) for digit in "123")

kinds = st.sampled_from(SecretKind)
micros = st.integers(min_value=0, max_value=4_102_444_800_000_000)
words = st.text(ALPHABET, min_size=1)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def entropy_of(material: bytes) -> Entropy:
    """An entropy source that gives these bytes first, then others that follow from them."""
    stream = io.BytesIO(material + hashlib.shake_256(material).digest(1_000))
    return stream.read


@st.composite
def secrets(draw: st.DrawFn) -> str:
    """A secret of any kind, as the server mints it."""
    entropy = entropy_of(draw(st.binary(min_size=26, max_size=26)))
    kind = draw(kinds)
    return mint(kind, new_id(str(kind), draw(micros), entropy), entropy)


@st.composite
def jwts(draw: st.DrawFn) -> str:
    """A signed token of some other issuer; its signature is what nobody may read."""

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    header = part(json.dumps({"alg": draw(words), "kid": draw(st.text())}).encode())
    payload = part(json.dumps({"sub": draw(st.text())}).encode())
    return f"{header}.{payload}.{part(draw(st.binary(min_size=32, max_size=64)))}"


def random_part(secret: str) -> str:
    """The 22 characters that nobody could guess."""
    return secret.split("_")[2][22:]


# base62, ids and passwords


@given(st.integers(min_value=0, max_value=2**128 - 1), st.integers(min_value=0, max_value=2**128 - 1))
def test_base62_keeps_the_order_of_numbers(left: int, right: int) -> None:
    """Listings sort by id where times are equal; another order would skip or repeat entries between pages."""
    one, other = base62(left, 22).encode(), base62(right, 22).encode()
    assert (one < other) == (left < right)
    assert (one == other) == (left == right)


@given(st.integers(min_value=0, max_value=62**22 - 1))
def test_base62_loses_nothing(number: int) -> None:
    """Two random numbers with one spelling would halve the strength of a key, or give an id twice."""
    digits = base62(number, 22)
    assert len(digits) == 22
    value = 0
    for digit in digits:
        value = value * 62 + ALPHABET.index(digit)
    assert value == number


def test_base62_is_written_in_ascii_order() -> None:
    """A scanner that checks our checksum offline has to know the alphabet, which is therefore fixed."""
    assert list(ALPHABET) == sorted(ALPHABET)
    assert base62(0, 3) == "000"
    assert base62(61, 3) == "00z"
    assert base62(62, 3) == "010"
    assert base62(62**3 - 1, 3) == "zzz"


def test_128_bits_fit_into_22_digits_and_32_bits_into_6() -> None:
    """A width that is too small would silently cut off random bits."""
    assert 62**22 >= 2**128
    assert 62**6 >= 2**32


@given(micros, micros, st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_ids_sort_by_the_millisecond_in_which_they_were_made(
    early: int, late: int, one: bytes, other: bytes
) -> None:
    """Whoever reads ids in a log sees what came first; a database inserts at the end of its index."""
    first = new_id("key", min(early, late), entropy_of(one))
    second = new_id("key", max(early, late), entropy_of(other))
    if early // 1000 != late // 1000:
        assert first < second
    assert re.fullmatch(r"key_[0-9A-Za-z]{22}", first)


def test_an_id_is_made_of_the_time_and_80_random_bits() -> None:
    """Fewer random bits, and two servers would give one id twice in a millisecond."""
    asked: list[int] = []

    def entropy(count: int) -> bytes:
        asked.append(count)
        return b"\xff" * (count - 1) + b"\x00"

    identifier = new_id("usr", NOW_US, entropy)
    assert asked == [10]
    assert identifier == "usr_" + base62((NOW_US // 1000) * 2**80 + 2**80 - 256, 22)


def test_an_id_keeps_its_width_when_the_time_does_not_fit() -> None:
    """A clock gone mad must not make ids that no column and no pattern takes."""
    far = 2**48 * 1000
    assert new_id("key", far + 5_000, bytes) == new_id("key", 5_000, bytes)
    assert new_id("key", far - 1, bytes) == "key_" + base62((2**48 - 1) << 80, 22)


def test_a_first_password_has_128_random_bits() -> None:
    """A weaker one is guessed before its owner first signs in."""
    password = mint_password(entropy_of(b"\x80" + b"\x00" * 15))
    assert password == base62(2**127, 22)
    assert mint_password(lambda count: b"\x01" * count) == base62(int.from_bytes(b"\x01" * 16, "big"), 22)


# minting and shapes


@given(secrets())
def test_every_minted_secret_is_whole(secret: str) -> None:
    """A key that the server itself does not recognise is refused on its first use."""
    assert shape(secret.encode()) is Shape.WHOLE


@given(secrets())
def test_a_secret_is_one_word(secret: str) -> None:
    """A double click that takes half of a key is a support ticket."""
    assert re.fullmatch(r"\w+", secret, re.ASCII)
    assert secret.count("_") == 3


def test_a_secret_is_made_of_its_kind_its_id_128_random_bits_and_a_crc() -> None:
    """Scanners know this format by heart; it may never change."""
    asked: list[int] = []

    def entropy(count: int) -> bytes:
        asked.append(count)
        return b"\x80" + b"\x00" * (count - 1)

    secret = mint(SecretKind.KEY, "key_" + "A" * 22, entropy)
    head = "bf_key_" + "A" * 22 + base62(2**127, 22)
    assert asked == [16]
    assert secret == f"{head}_{base62(zlib.crc32(head.encode()), 6)}"
    assert checksum(head) == secret[-6:]
    assert random_part(secret) == base62(2**127, 22)


def test_an_id_with_underscores_in_its_prefix_still_gives_a_secret() -> None:
    """Only what follows the last underscore is random; the prefix must not reach the secret."""
    secret = mint(SecretKind.TOK, "a_b_" + "z" * 22, bytes)
    assert secret.startswith("bf_tok_" + "z" * 22 + "0" * 22 + "_")
    assert shape(secret.encode()) is Shape.WHOLE


@given(secrets(), st.data())
def test_no_truncation_of_a_secret_is_whole(secret: str, data: st.DataObject) -> None:
    """A key that was cut off while copying is told from a wrong one without asking the database."""
    cut = data.draw(st.integers(0, len(secret) - 1))
    assert shape(secret[:cut].encode()) is not Shape.WHOLE
    assert shape(secret[len(secret) - cut :].encode()) is not Shape.WHOLE


@given(secrets(), st.binary(min_size=1, max_size=8), st.data())
def test_no_extension_of_a_secret_is_whole(secret: str, extra: bytes, data: st.DataObject) -> None:
    """A trailing line break or a quote that came along would otherwise cost a look-up each time."""
    at = data.draw(st.integers(0, len(secret)))
    presented = secret.encode()
    assert shape(presented[:at] + extra + presented[at:]) is not Shape.WHOLE


@given(secrets(), st.data())
def test_no_secret_with_one_character_changed_is_whole(secret: str, data: st.DataObject) -> None:
    """A typo is answered at once, and an attacker who tries neighbours of a key gains nothing."""
    presented = bytearray(secret.encode())
    place = data.draw(st.integers(0, len(presented) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != presented[place]))
    presented[place] = other
    assert shape(bytes(presented)) is not Shape.WHOLE


@given(secrets(), st.data())
def test_no_secret_with_two_neighbours_swapped_is_whole(secret: str, data: st.DataObject) -> None:
    """The commonest slip of whoever types a key from paper."""
    place = data.draw(st.integers(0, len(secret) - 2))
    swapped = secret[:place] + secret[place + 1] + secret[place] + secret[place + 2 :]
    if swapped != secret:
        assert shape(swapped.encode()) is not Shape.WHOLE


@given(st.binary(max_size=120) | st.text(max_size=120).map(str.encode))
def test_whatever_is_presented_has_a_shape(presented: bytes) -> None:
    """Bytes that make the shape fail would be a 500 instead of a 401."""
    assert shape(presented) in Shape


@given(secrets(), st.data())
def test_a_damaged_secret_is_known_by_its_kind(secret: str, data: st.DataObject) -> None:
    """A client of tokens is told `invalid_token`, a client of keys `invalid_api_key`, typo or not."""
    kind = SecretKind(secret.split("_")[1])
    place = data.draw(st.integers(len("bf_key_"), len(secret) - 1))
    other = data.draw(st.sampled_from(ALPHABET + "!").filter(lambda letter: letter != secret[place]))
    damaged = secret[:place] + other + secret[place + 1 :]
    expected = Shape.DAMAGED_KEY if kind in KEYS else Shape.DAMAGED_TOKEN
    assert shape(damaged.encode()) is expected
    assert shape(secret[:place].encode()) is expected


@pytest.mark.parametrize(
    ("presented", "expected"),
    [
        (b"", Shape.UNKNOWN),
        (b"hunter2", Shape.UNKNOWN),
        (b"bf_", Shape.UNKNOWN),
        (b"bf_key", Shape.UNKNOWN),
        (b"bf__x", Shape.UNKNOWN),
        (b"bf_key_", Shape.DAMAGED_KEY),
        (b"bf_pat_x", Shape.DAMAGED_KEY),
        (b"bf_zzz_x", Shape.DAMAGED_KEY),
        (b"bf_tok_", Shape.DAMAGED_TOKEN),
        (b"bf_oat_x", Shape.DAMAGED_TOKEN),
        (b"bf_ort_x", Shape.DAMAGED_TOKEN),
        (b"bf_sec_x", Shape.DAMAGED_TOKEN),
        (b"xbf_key_", Shape.UNKNOWN),
        (b"BF_KEY_", Shape.UNKNOWN),
        (b"bf_key_\xff", Shape.DAMAGED_KEY),
        (b"eyJhbGciOiJFZERTQSJ9.e30.c2ln", Shape.JWT),
        (b"eyJhbGciOiJub25lIn0.e30.", Shape.JWT),
        (b"eyJhbGciOiJub25lIn0..", Shape.UNKNOWN),
        (b"eyJhbGciOiJub25lIn0.e30", Shape.UNKNOWN),
        (b"eyJhbGciOiJub25lIn0.e30.c2ln.x", Shape.UNKNOWN),
        (b" eyJhbGciOiJub25lIn0.e30.c2ln", Shape.UNKNOWN),
    ],
)
def test_shapes_by_example(presented: bytes, expected: Shape) -> None:
    """Each shape has its own error code, and clients branch on it."""
    assert shape(presented) is expected


def test_a_secret_of_an_unknown_kind_with_a_right_checksum_is_not_whole() -> None:
    """A kind that this server does not know must not reach the database."""
    head = "bf_xyz_" + "A" * 44
    assert shape(f"{head}_{checksum(head)}".encode()) is Shape.DAMAGED_KEY


@given(secrets())
def test_no_secret_is_whole_under_another_kind(secret: str) -> None:
    """The kind is under the checksum: a key cannot be relabelled as a token to meet other rules."""
    for kind in SecretKind:
        relabelled = f"bf_{kind}_{secret.split('_', 2)[2]}"
        if relabelled != secret:
            assert shape(relabelled.encode()) is not Shape.WHOLE


# display and redaction


@given(secrets())
def test_what_is_displayed_tells_eight_characters(secret: str) -> None:
    """Enough for its owner to know which key it is, too little for anybody to use it."""
    kind, payload = secret.split("_")[1:3]
    assert display(secret) == f"bf_{kind}_{payload[:4]}…{secret[-4:]}"
    assert random_part(secret) not in display(secret)
    assert not contains_secret(display(secret))
    assert redact(display(secret)) == display(secret)


junk = st.text(max_size=30) | st.text("bf_keytokpatJWe.y-A0 ", max_size=30)


@given(st.lists(secrets() | junk, max_size=6))
def test_redaction_leaves_no_secret_readable_whatever_stands_around_it(pieces: list[str]) -> None:
    """A log that somebody can read must not be a list of keys."""
    redacted = redact("".join(pieces))
    for piece in pieces:
        if shape(piece.encode()) is Shape.WHOLE:
            assert random_part(piece) not in redacted
            assert piece[-6:] not in redacted
    assert not contains_secret(redacted)
    assert redact(redacted) == redacted


@given(st.lists(jwts() | secrets() | junk, max_size=6), st.sampled_from([" ", '"', "\n", "=", "/"]))
def test_redaction_leaves_no_token_readable(pieces: list[str], separator: str) -> None:
    """A session in a log is as good as a password until it expires."""
    redacted = redact(separator.join(pieces))
    for piece in pieces:
        if shape(piece.encode()) is Shape.JWT:
            assert piece.rpartition(".")[2] not in redacted
    assert not contains_secret(redacted)


@given(st.text(st.characters(exclude_characters="_.")))
def test_redaction_leaves_other_text_alone(text: str) -> None:
    """A log in which innocent words are missing is of no use to its reader."""
    assert redact(text) == text
    assert not contains_secret(text)


@pytest.mark.parametrize("kind", SecretKind)
def test_a_redacted_secret_says_what_it_was(kind: SecretKind) -> None:
    """Whoever looks for a leak has to know what kind of credential to revoke."""
    secret = mint(kind, new_id("x", NOW_US, bytes), bytes)
    assert redact(f"Bearer {secret}, and on") == f"Bearer bf_{kind}_[redacted], and on"
    assert contains_secret(f"?x={secret}")
    assert contains_secret(secret[: len("bf_key_") + 8])
    assert not contains_secret(secret[: len("bf_key_") + 7])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("token=eyJhbGciOiJub25lIn0.e30.c2ln;", "token=eyJ[redacted];"),
        ("abc.eyJhbGciOiJub25lIn0.e30.c2ln", "abc.eyJ[redacted]"),
        ("TokeneyJhbGciOiJub25lIn0.e30.", "TokeneyJ[redacted]"),
        # A JWE has five parts, the last two of which are what was encrypted.
        ("eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn", "eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn"),
        ("eyJhbGciOiJkaXIifQ.a2V5.aXY.Y2lwaGVy.dGFn", "eyJ[redacted]"),
        ("eyJhbGciOiJub25lIn0.bf_key_AAAAAAAAAAA.c2ln", "eyJ[redacted]"),
        ("eyJhbGciOiJub25lIn0.e30.c2ln eyJhbGciOiJub25lIn0.e30.c2ln", "eyJ[redacted] eyJ[redacted]"),
        ("eyJhb.e30.c2ln", "eyJhb.e30.c2ln"),
    ],
)
def test_tokens_are_redacted_by_example(text: str, expected: str) -> None:
    """Tokens of other issuers are presented to this server too, and are no less secret."""
    assert redact(text) == expected
    assert contains_secret(text) == (redact(text) != text)


@pytest.mark.parametrize(
    "hostile",
    [
        "eyJ" * 100_000,
        "eyJ" * 100_000 + "." + "a" * 100_000,
        "eyJ" * 100_000 + ".a.",
        "eyJAAAAAAAA." * 25_000,
        "eyJ" + ".a" * 100_000,
        "bf_key_" * 40_000,
        "bf_key_AAAAAAAA" * 20_000,
        "bf_key_AAAAAAA_" * 20_000,
    ],
    ids=lambda text: f"{text[:14]} {len(text)}",
)
def test_redaction_takes_time_in_proportion_to_the_text(hostile: str) -> None:
    """Whoever sends a long URL of the right letters would otherwise stop the server for seconds."""

    def seconds(text: str) -> float:
        started = time.process_time()
        redact(text)
        contains_secret(text)
        return time.process_time() - started

    assert min(seconds(hostile) for _ in range(3)) < 1


# peppers and digests


@given(st.binary(min_size=32, max_size=64))
def test_a_pepper_is_read_as_it_was_written(key: bytes) -> None:
    """A pepper that reads differently on the next start would lock everybody out."""
    assert parse_pepper(f" {key.hex().upper()}\n") == parse_pepper(key.hex())
    assert parse_pepper(key.hex()).key == key


@pytest.mark.parametrize("text", ["", "1" * 62, "1" * 63, "x" * 64, "1" * 130, "ü" * 64])
def test_a_pepper_that_is_too_weak_is_refused_and_not_repeated(text: str) -> None:
    """A short pepper can be guessed; a sentence that repeats it puts it into the start-up log."""
    with pytest.raises(Misconfigured) as caught:
        parse_pepper(text)
    assert caught.value.public == (
        "A pepper must be 64 to 128 hexadecimal digits. Make one with: "
        "python3 -c 'import secrets; print(secrets.token_hex(32))'"
    )


def test_the_id_of_a_pepper_is_fixed_and_tells_nothing_of_it() -> None:
    """Rows name their pepper by this id: another one after an upgrade would orphan every key."""
    pepper = parse_pepper("1" * 64)
    key = bytes.fromhex("1" * 64)
    assert pepper.id == hashlib.blake2b(b"bonafides pepper id", key=key, digest_size=6).hexdigest()
    assert repr(pepper) == f"Pepper(id='{pepper.id}')"
    assert "1" * 8 not in f"{pepper}{pepper!r}"


def test_a_new_pepper_has_256_random_bits() -> None:
    """It is what stands between a stolen database and every key in it."""
    assert new_pepper(lambda count: b"\xab" * count) == "ab" * 32
    assert parse_pepper(new_pepper(os.urandom)).key


def test_no_pepper_is_refused() -> None:
    """Digests without a pepper could be attacked offline."""
    with pytest.raises(Misconfigured) as caught:
        Peppers([])
    assert caught.value.public == "No pepper is set. Set BONAFIDES_PEPPERS or pepper_file."


@given(st.binary(max_size=100))
def test_a_digest_is_keyed_blake2b_under_the_newest_pepper(secret: bytes) -> None:
    """What is stored must be found again after any upgrade, and be useless without the pepper."""
    expected = [hashlib.blake2b(secret, key=pepper.key, digest_size=32).digest() for pepper in PEPPERS]
    peppers = Peppers(PEPPERS)
    assert peppers.digest(secret) == expected[0]
    assert peppers.older(secret) == tuple(expected[1:])
    assert Peppers(PEPPERS[:1]).older(secret) == ()
    # Once more: a digest must not depend on what was digested before.
    assert peppers.digest(secret) == expected[0]
    assert peppers.older(secret) == tuple(expected[1:])


def test_peppers_are_named_newest_first() -> None:
    """What is stored is labelled with the newest; the wrong label sends the doctor after good keys."""
    peppers = Peppers(PEPPERS)
    assert peppers.newest_id == PEPPERS[0].id
    assert peppers.ids == tuple(pepper.id for pepper in PEPPERS)


def test_same_compares_content() -> None:
    """Equal digests that are held unequal lock out, unequal ones that are held equal let in."""
    assert same(b"abc", b"a" + b"bc")
    assert not same(b"abc", b"abd")
    assert not same(b"abc", b"ab")
    assert same(b"", b"")


# claims


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_claims_of_different_callers_never_meet(one: list[str], other: list[str]) -> None:
    """A tenant and a user whose names run together would read each other's new keys."""
    peppers = Peppers(PEPPERS)
    assert (peppers.claim_digest(*one) == peppers.claim_digest(*other)) == (one == other)


@given(st.lists(st.text(), max_size=3))
def test_a_claim_is_found_after_a_newer_pepper_was_added(parts: list[str]) -> None:
    """A client that repeats a call during a rotation of peppers would get a second key."""
    assert Peppers(PEPPERS).claim_digest(*parts) == Peppers(PEPPERS[1:]).claim_digest(*parts)
    assert Peppers(PEPPERS).claim_digest(*parts) != Peppers(PEPPERS[:2]).claim_digest(*parts)


def test_a_claim_digest_is_fixed() -> None:
    """During an upgrade two versions of the server must agree on it, or a call happens twice."""
    keyed = hashlib.blake2b(key=PEPPERS[0].key, digest_size=32, person=b"bf-claim")
    for part in (b"ten_1", b"", "schlüssel".encode()):
        keyed.update(len(part).to_bytes(8, "big") + part)
    assert Peppers(PEPPERS[:1]).claim_digest("ten_1", "", "schlüssel") == keyed.digest()


# sealing


@given(st.binary(), st.text(), st.binary())
def test_what_was_sealed_opens_for_its_opener_alone(plain: bytes, opener: str, context: bytes) -> None:
    """A repeated call must get its answer, and nobody else may."""
    peppers = Peppers(PEPPERS[:1])
    sealed = peppers.seal(plain, opener, context, os.urandom)
    assert peppers.unseal(sealed, opener, context) == plain
    assert peppers.unseal(sealed, opener + "x", context) is None
    assert peppers.unseal(sealed, opener, context + b"x") is None
    assert Peppers(PEPPERS[1:]).unseal(sealed, opener, context) is None
    if len(plain) > 8:
        assert plain not in sealed


@given(st.binary(), st.text(), st.binary(), st.data())
def test_what_was_sealed_cannot_be_changed(
    plain: bytes, opener: str, context: bytes, data: st.DataObject
) -> None:
    """Whoever can write to the database could otherwise plant a key in somebody's answer."""
    peppers = Peppers(PEPPERS[:1])
    sealed = bytearray(peppers.seal(plain, opener, context, os.urandom))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert peppers.unseal(bytes(sealed), opener, context) is None


@given(st.binary(max_size=40))
def test_unsealing_garbage_opens_nothing(garbage: bytes) -> None:
    """A damaged row is an answer that cannot be shown, not a crash."""
    assert Peppers(PEPPERS).unseal(garbage, "opener", b"context") is None


def test_what_was_sealed_opens_as_long_as_its_pepper_is_in_force() -> None:
    """Rotating the pepper would otherwise turn repeated calls into conflicts."""
    sealed = Peppers(PEPPERS[1:2]).seal(b"plain", "opener", b"context", os.urandom)
    assert Peppers(PEPPERS).unseal(sealed, "opener", b"context") == b"plain"
    newest = Peppers(PEPPERS).seal(b"plain", "opener", b"context", os.urandom)
    assert Peppers(PEPPERS[:1]).unseal(newest, "opener", b"context") == b"plain"
    assert Peppers(PEPPERS[1:]).unseal(newest, "opener", b"context") is None


def test_each_seal_has_a_nonce_of_its_own() -> None:
    """With AES-GCM a repeated nonce gives away the plain text and the key that authenticates."""
    asked: list[int] = []

    def entropy(count: int) -> bytes:
        asked.append(count)
        return bytes([len(asked)]) * count

    peppers = Peppers(PEPPERS)
    one, other = (peppers.seal(b"plain", "opener", b"", entropy) for _ in range(2))
    assert asked == [12, 12]
    assert (one[:12], other[:12]) == (b"\x01" * 12, b"\x02" * 12)
    assert one[12:] != other[12:]


@given(st.binary(), st.text())
def test_what_is_sealed_at_rest_opens_in_its_place_alone(plain: bytes, place: str) -> None:
    """ASVS 11.3.2: whoever writes to the database could put one row's secret in the place of another's."""
    peppers = Peppers(PEPPERS[:1])
    sealed = peppers.seal_at_rest(plain, place, os.urandom)
    assert peppers.unseal_at_rest(sealed, place) == plain
    assert peppers.unseal_at_rest(sealed, place + "x") is None
    assert Peppers(PEPPERS[1:]).unseal_at_rest(sealed, place) is None
    assert Peppers(PEPPERS[::-1]).unseal_at_rest(sealed, place) == plain
    assert peppers.unseal(sealed, "", place.encode()) is None
    if len(plain) > 8:
        assert plain not in sealed


@given(st.binary(max_size=40))
def test_garbage_at_rest_opens_nothing(garbage: bytes) -> None:
    """A damaged row is a key that cannot be used, not a crash."""
    assert Peppers(PEPPERS).unseal_at_rest(garbage, "place") is None


def test_what_is_sealed_at_rest_has_its_own_key_and_nonce() -> None:
    """With AES-GCM a repeated nonce gives away the plain text; a key of another purpose would open it too."""
    peppers = Peppers(PEPPERS)
    one, other = (peppers.seal_at_rest(b"plain", "place", os.urandom) for _ in range(2))
    assert one[:12] != other[:12]
    keyed = hashlib.blake2b(key=PEPPERS[0].key, digest_size=32, person=b"bf-rest")
    keyed.update((0).to_bytes(8, "big"))
    assert AESGCM(keyed.digest()).decrypt(one[:12], one[12:], b"place") == b"plain"


def test_a_purpose_has_a_key_of_its_own() -> None:
    """A digest that is shown in one place must open nothing in another."""
    peppers = Peppers(PEPPERS[:1])
    sealed = peppers.seal(b"plain", "opener", b"", os.urandom)
    keyed = hashlib.blake2b(key=PEPPERS[0].key, digest_size=32, person=b"bf-seal")
    keyed.update((6).to_bytes(8, "big") + b"opener")
    assert AESGCM(keyed.digest()).decrypt(sealed[:12], sealed[12:], b"") == b"plain"


# cursors


@given(st.lists(json_values, max_size=4), st.text())
def test_a_cursor_is_read_as_it_was_signed(position: list[Any], context: str) -> None:
    """A listing that goes on somewhere else skips or repeats entries."""
    peppers = Peppers(PEPPERS)
    cursor = peppers.sign_cursor(position, context)
    assert peppers.read_cursor(cursor, context) == position
    assert re.fullmatch(r"[0-9a-f]+", cursor)
    # A cursor outlives the pepper's rotation, as long as the pepper stays in the list.
    older = Peppers(PEPPERS[1:]).sign_cursor(position, context)
    assert peppers.read_cursor(older, context) == position


def refused(peppers: Peppers, cursor: str, context: str) -> InvalidRequest:
    """The refusal of a cursor."""
    with pytest.raises(InvalidRequest) as caught:
        peppers.read_cursor(cursor, context)
    return caught.value


@given(st.lists(st.integers() | st.text(), max_size=3), st.text(), st.text(), st.data())
def test_a_cursor_of_another_listing_or_another_server_is_refused(
    position: list[Any], context: str, other: str, data: st.DataObject
) -> None:
    """A cursor that can be moved or made would let a client read where it must not."""
    peppers = Peppers(PEPPERS[:1])
    cursor = peppers.sign_cursor(position, context)
    if other != context:
        refused(peppers, cursor, other)
    refused(Peppers(PEPPERS[1:]), cursor, context)
    place = data.draw(st.integers(0, len(cursor) - 1))
    digit = data.draw(st.sampled_from("0123456789abcdef").filter(lambda digit: digit != cursor[place]))
    refused(peppers, cursor[:place] + digit + cursor[place + 1 :], context)
    refused(peppers, cursor[: data.draw(st.integers(0, len(cursor) - 1))], context)


@given(st.text() | st.binary().map(bytes.hex))
def test_a_made_up_cursor_is_refused_by_name(cursor: str) -> None:
    """Whatever a client sends as a cursor is a 400 that names the field, never a crash."""
    error = refused(Peppers(PEPPERS), cursor, "keys")
    assert error.field == "cursor"
    assert error.public == (
        "The cursor was not made by this server for this listing. Start again without a cursor."
    )


def test_a_cursor_is_fixed() -> None:
    """During an upgrade a listing begun on one version goes on on the other."""
    body = b'[1,"a"]'
    keyed = hashlib.blake2b(key=PEPPERS[0].key, digest_size=32, person=b"bf-cursor")
    for part in (b"keys", body):
        keyed.update(len(part).to_bytes(8, "big") + part)
    assert Peppers(PEPPERS).sign_cursor((1, "a"), "keys") == (keyed.digest()[:12] + body).hex()


@given(st.text(), st.text())
def test_a_form_is_its_readers_alone(whose: str, other: str) -> None:
    """ASVS 3.5.1: a token that another could make or move would let their page send our forms."""
    token = Peppers(PEPPERS).sign_form(whose)
    assert Peppers(PEPPERS).is_form_of(token, whose)
    assert Peppers(PEPPERS).is_form_of(token, other) == (whose == other)
    assert not Peppers(PEPPERS[1:]).is_form_of(token, whose)
    assert Peppers(PEPPERS).is_form_of(Peppers(PEPPERS[1:]).sign_form(whose), whose)
    assert not any(Peppers(PEPPERS).is_form_of(made_up, whose) for made_up in ("", token[:-1], other))


@given(st.text(max_size=20), st.text(max_size=20), st.integers(0, 2**62))
def test_a_challenge_is_known_again_for_its_purpose_alone(purpose: str, other: str, ends_us: int) -> None:
    """Web Authentication Level 3 §13.4.3: what was signed for one thing would be good for another."""
    old, new, both = Peppers(PEPPERS[1:]), Peppers(PEPPERS[:1]), Peppers(PEPPERS)
    challenge = both.sign_challenge(purpose, ends_us, os.urandom)
    assert len(challenge) == 56
    assert both.challenge_end(challenge, purpose) == ends_us
    assert (both.challenge_end(challenge, other) is None) == (purpose != other)
    assert old.challenge_end(challenge, purpose) is None
    assert new.challenge_end(challenge, purpose) == ends_us
    assert both.challenge_end(old.sign_challenge(purpose, ends_us, os.urandom), purpose) == ends_us
    altered = bytes([challenge[0] ^ 1]) + challenge[1:]
    for made_up in (altered, challenge[:-1], challenge + b"x", b"", b"x" * 56):
        assert both.challenge_end(made_up, purpose) is None


def test_a_pepper_in_an_error_or_a_log_is_not_readable() -> None:
    """A traceback that shows a pepper undoes it."""
    assert "k" * 32 not in repr(Pepper("id", b"k" * 32))


def test_peppers_that_a_worker_gets_digest_as_its_supervisors_do() -> None:
    """With several workers, every second request on a good key would be refused."""
    peppers = Peppers([parse_pepper("1" * 64), parse_pepper("2" * 64)])
    sent = pickle.loads(pickle.dumps(peppers))  # noqa: S301 - our own, of this moment
    assert isinstance(sent, Peppers)
    assert sent.ids == peppers.ids
    assert sent.digest(b"secret") == peppers.digest(b"secret")
    assert sent.older(b"secret") == peppers.older(b"secret")


def test_a_signature_of_es256_is_two_numbers_of_fixed_width() -> None:
    """RFC 7518 §3.4: one in a hundred begins with a zero, and others could not read it without it."""
    key = ec.generate_private_key(ec.SECP256R1())
    sign = es256_signer(key)
    zeros = 0
    for number in range(1_000):
        text = b"%d" % number
        signature = sign(text)
        assert len(signature) == 64
        zeros += signature[0] == 0
        halves = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        key.public_key().verify(encode_dss_signature(*halves), text, ec.ECDSA(SHA256()))
    assert zeros


def test_es256_takes_its_own_keys_alone() -> None:
    """RFC 8725 §3.2: a signature that says ES256 and is something else is one that nobody accepts."""
    for key in (ec.generate_private_key(ec.SECP384R1()), object(), None):
        with pytest.raises(TypeError):
            es256_signer(key)
