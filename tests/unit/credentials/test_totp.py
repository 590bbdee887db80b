"""Codes of authenticator apps: those of RFC 6238, each once, and only around its own half minute."""

from __future__ import annotations

import secrets
from base64 import b32encode
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest

from bonafides.credentials.totp import counter_of, enrolment_uri, new_secret

VECTORS = b32encode(b"12345678901234567890").decode()
SECOND_US = 1_000_000


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
    ],
)
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    """RFC 6238 Appendix B: no authenticator app would show a code that is good. Six digits are the last of eight."""
    assert counter_of(VECTORS, code[-6:], seconds * SECOND_US, after=0) == seconds // 30


def test_a_code_is_good_a_step_before_and_after_and_no_further() -> None:
    """ASVS 6.5.5: a code that was seen would serve for hours; a clock that is some seconds off would lock out."""
    now_us = 1_000_000_000 * SECOND_US
    shown = pyotp.TOTP(VECTORS)
    steps = now_us // SECOND_US // 30
    for drift in (-2, -1, 0, 1, 2):
        found = counter_of(VECTORS, shown.at(steps * 30 + drift * 30), now_us, after=0)
        assert found == (steps + drift if abs(drift) < 2 else None)


def test_a_code_serves_once_and_none_before_it_after_it() -> None:
    """ASVS 6.5.1: whoever reads along would be in a second later, with this code or with the one before."""
    now_us = 1_000_000_000 * SECOND_US
    step = now_us // SECOND_US // 30
    shown = pyotp.TOTP(VECTORS)
    assert counter_of(VECTORS, shown.at(step * 30), now_us, after=step) is None
    assert counter_of(VECTORS, shown.at(step * 30 - 30), now_us, after=step) is None
    assert counter_of(VECTORS, shown.at(step * 30 + 30), now_us, after=step) == step + 1


@pytest.mark.parametrize("code", ["", "0", "abcdef", "٠٠٠٠٠٠", "\ud800", "0000000"])
def test_what_is_no_code_is_none(code: str) -> None:
    """A request would fail on the server's side, or get in."""
    assert counter_of(VECTORS, code, 59 * SECOND_US, after=0) is None


def test_a_secret_is_random_and_told_to_apps_as_they_expect() -> None:
    """ASVS 11.5.1, RFC 4226 §4: a secret that is guessed is a second factor of everybody."""
    secret = new_secret(secrets.token_bytes)
    assert len(secret) == 32
    assert secret != new_secret(secrets.token_bytes)
    uri = urlsplit(enrolment_uri(secret, "ada+x@example.com", "auth.example.com"))
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert unquote(uri.path) == "/Bonafides (auth.example.com):ada+x@example.com"
    assert parse_qs(uri.query) == {"secret": [secret], "issuer": ["Bonafides (auth.example.com)"]}
