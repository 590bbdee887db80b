"""What a new password must be: long and not what everybody tries first, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonafides.credentials.password_rules import LENGTH_MAX, check_new, normalised, parts
from bonafides.errors import InvalidRequest

KNOWN = ("Bonafides", "Ada Lovelace", "ada.lovelace@example.com")


def refused(password: str, *, second_factor: bool = False) -> str | None:
    """What is said against a password; None if nothing is."""
    try:
        check_new(password, KNOWN, second_factor=second_factor, field="password")
    except InvalidRequest as error:
        said = error
    else:
        return None
    assert said.field == "password"
    assert password not in said.public
    return said.public


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "seven quiet harbours",
        "ein Igel auf dem Zaun",
        "  leading and trailing  ",
        "одинокий парус белеет",
        "🦔🌧️🚲🧀🎻🪴🧵🪁🛶🧊🪵🎏🧿🪲🫖",
        "0355LNRIbmktGwzzQHUaAR",
        "a-" * 7 + "purple elephant",
        "x9" * 8 + "quiet harbours and more than sixty-four characters of something else",
    ],
)
def test_long_ones_are_good_whatever_they_are_made_of(password: str) -> None:
    """ASVS 6.2.1, ASVS 6.2.5, ASVS 6.2.9, NIST 800-63B-4: rules of composition make passwords worse, not better."""
    assert refused(password) is None


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "PasswordPassword1",
        "123456789012345",
        "qwertyuiopasdfghjkl",
        "1q2w3e4r5t6y7u8i",
        "aaaaaaaaaaaaaaaa",
        "abcdefghijklmnopqrstuvwxyz",
        "zyxwvutsrqponmlk",
        "iloveyou iloveyou",
        "bonafidesbonafides",
        "Bonafides-Bonafides",
        "ada.lovelace@example.com",
        "lovelace lovelace",
        "manchesterunited",
        "x" * 200,
    ],
)
def test_what_everybody_tries_first_is_refused(password: str) -> None:
    """ASVS 6.2.4, ASVS 6.2.12, NIST 800-63B-4: the first thousand guesses would open many accounts."""
    assert "guessed first" in (refused(password) or "")


def test_the_length_depends_on_what_else_is_asked() -> None:
    """ASVS 6.2.1: what alone opens everything has to be long; nothing is longer than it is hashed."""
    assert "at least 15" in (refused("k7#mQ2!vX9pLw4") or "")
    assert refused("k7#mQ2!vX9pLw4", second_factor=True) is None
    assert "at least 8" in (refused("k7#mQ2!", second_factor=True) or "")
    long = "k7#mQ2!vX9pLw4 " * 17 + "k"
    assert refused(long) is None
    assert len(long) == LENGTH_MAX
    assert "at most 256" in (refused(long + "k") or "")


def test_length_is_counted_in_the_form_that_is_hashed() -> None:
    """A letter in two parts would count twice."""
    assert "at least 15" in (refused("o\u0308" * 8) or "")


def test_what_is_no_text_is_refused() -> None:
    """Half a character cannot be hashed, and would end in an error of the server's."""
    assert "must be text" in (refused("\ud800" * 20) or "")


@given(st.text(max_size=80))
def test_no_text_is_too_strange_to_be_judged(password: str) -> None:
    """Whatever somebody types in gets an answer, and is changed in nothing but its form."""
    assert 0 <= parts(password, KNOWN) <= len(password.casefold())
    assert normalised(normalised(password)) == normalised(password)
