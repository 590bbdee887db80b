"""§7: the look of a secret, checked by somebody who has nothing but `docs/reference/secret-format.md`."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.web.tenancy import Tenancy, made, refusal

LOOK: Final = re.compile(r"bf_(key|pat|tok|oat|ort|sec)_([0-9A-Za-z]{44})_([0-9A-Za-z]{6})")
DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BITS_OF_THE_RANDOM_PART: Final = 128


def crc_32(data: bytes) -> int:
    """CRC-32/ISO-HDLC, bit by bit, so that no library's word is taken for it."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xEDB88320 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def number_of(digits: str) -> int:
    """The number that base62 digits stand for, the most significant first."""
    number = 0
    for digit in digits:
        number = number * 62 + DIGITS.index(digit)
    return number


@pytest.fixture(scope="module")
def keys(tenancy: Tenancy) -> list[tuple[str, str]]:
    """Id and secret of some keys, rotated ones among them."""
    found = [tenancy.key() for _ in range(20)]
    found += [made(tenancy.api.post(f"/v1/api-keys/{key['id']}/rotate")) for key in found[:5]]
    return [(key["id"], key["key"]) for key in found]


def test_a_secret_has_the_look(keys: list[tuple[str, str]]) -> None:
    """A scanner that is set up by the page would not find it."""
    for identifier, secret in keys:
        match = LOOK.fullmatch(secret)
        assert match is not None, secret
        assert match[1] == "key"
        assert re.fullmatch(r"\w+", secret), "a double click takes it whole"
        assert match[2].startswith(identifier.removeprefix("key_"))


def test_the_checksum_can_be_checked_offline(keys: list[tuple[str, str]]) -> None:
    """A scanner could not tell a real secret from a test's, and would cry wolf."""
    assert crc_32(b"123456789") == 0xCBF43926, "the check value of the standard"
    for _, secret in keys:
        head, _, checksum = secret.rpartition("_")
        assert number_of(checksum) == crc_32(head.encode("ascii"))


def test_at_least_128_bits_are_random(keys: list[tuple[str, str]]) -> None:
    """ASVS 7.2.3: a secret could be guessed from another one, or from its id, which is no secret."""
    parts = [number_of(secret.split("_")[2][22:]) for _, secret in keys]
    assert len(set(parts)) == len(parts)
    assert all(part < 2**BITS_OF_THE_RANDOM_PART for part in parts)
    for bit in range(BITS_OF_THE_RANDOM_PART):
        ones = sum(part >> bit & 1 for part in parts)
        assert 0 < ones < len(parts), f"bit {bit} never changes"


@pytest.mark.parametrize("kind", ["key", "pat"])
def test_a_typo_is_refused_without_a_look_up(tenancy: Tenancy, kind: str) -> None:
    """Every slip of the finger would cost a query, and every guess too."""
    secret = tenancy.key()["key"].replace("bf_key_", f"bf_{kind}_")
    for place in range(len("bf_key_"), len(secret)):
        if secret[place] == "_":
            continue
        typo = secret[:place] + ("x" if secret[place] != "x" else "y") + secret[place + 1 :]
        assert refusal(tenancy.verify(typo)) == (401, "invalid_api_key"), place


def test_a_well_formed_secret_that_nobody_made_is_refused(tenancy: Tenancy) -> None:
    """The checksum is no signature: anybody can compute it."""
    head = "bf_key_" + tenancy.key()["key"].split("_")[2][:22] + "0" * 22
    checksum, digits = crc_32(head.encode()), ""
    for _ in range(6):
        checksum, digit = divmod(checksum, 62)
        digits = DIGITS[digit] + digits
    assert LOOK.fullmatch(f"{head}_{digits}")
    assert refusal(tenancy.verify(f"{head}_{digits}")) == (401, "invalid_api_key")


def test_ids_are_prefixed_and_sort_by_time(tenancy: Tenancy) -> None:
    """An id in a log would not say what it is of, nor when it was made."""
    first = tenancy.key()["id"]
    tenancy.server.clock.advance(0.002)
    second = tenancy.key()["id"]
    assert first.startswith("key_")
    assert first < second
