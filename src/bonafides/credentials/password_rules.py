"""What a new password must be: long, and not what everybody tries first.

No rule asks for digits or signs, nothing has to be changed with time, and nothing is cut off.

See: NIST SP 800-63B-4 §3.1.1.2
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Final

from bonafides.errors import InvalidRequest

LENGTH_MIN: Final = 15
"""Of a password that alone opens everything."""
LENGTH_MIN_WITH_FACTOR: Final = 8
LENGTH_MAX: Final = 256
PARTS_MIN: Final = 4

_LIST: Final = "common_passwords.txt"
_WORD_MIN: Final = 3
_WORD_MAX: Final = 32
_LOOKED_AT_MAX: Final = 64
"""What follows makes a password harder, not easier, and looking at it takes time."""
_SPLIT: Final = re.compile(r"[^0-9a-z]+")
_ROWS: Final = (
    "01234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "azertyuiop",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik",
    "qazwsxedcrfvtgbyhnujmik",
)
_SEQUENCES: Final = tuple(row for each in _ROWS for row in (each * 3, each[::-1] * 3))
_SEQUENCE_MIN: Final = 3


def normalised(password: str) -> str:
    """A password in the one form in which it is hashed, however it was typed in; nothing else is changed.

    See: RFC 8265 §4.2.2
    """
    return unicodedata.normalize("NFC", password)


def check_new(password: str, known: Iterable[str], *, second_factor: bool, field: str) -> str:
    """A password that somebody may have from now on, in the form in which it is hashed.

    Args:
        password: As received.
        known: What whoever guesses knows: the service's name, the user's own and their address.
        second_factor: Whether their user has to prove something else too.
        field: The name of the input.

    Raises:
        InvalidRequest: It is too short, too long, or easily guessed. It is not repeated.
    """
    least = LENGTH_MIN_WITH_FACTOR if second_factor else LENGTH_MIN
    try:
        wanted = normalised(password)
        wanted.encode()
    except UnicodeEncodeError:
        raise InvalidRequest(f"{field} must be text.", field=field) from None
    if len(wanted) < least:
        raise InvalidRequest(f"{field} must be at least {least} characters long.", field=field)
    if len(wanted) > LENGTH_MAX:
        raise InvalidRequest(f"{field} must be at most {LENGTH_MAX} characters long.", field=field)
    if parts(wanted, known) < PARTS_MIN:
        message = (
            f"{field} is one of those that are guessed first: a common password, a row of keys, your name or a "
            "repetition. Take a few words that have nothing to do with each other."
        )
        raise InvalidRequest(message, field=field)
    return wanted


def parts(password: str, known: Iterable[str]) -> int:
    """Of how few pieces a password is made, where a common password or a known word, at any length, is one piece.

    So is a run of one character, a row of keys, and what stood before.
    """
    text = password.casefold()[:_LOOKED_AT_MAX]
    words = _common() | {word for each in known for word in _words(each.casefold())}
    fewest = [0] + [len(text)] * len(text)
    for end in range(1, len(text) + 1):
        fewest[end] = fewest[end - 1] + 1
        for start in range(max(0, end - _WORD_MAX), end - 1):
            if fewest[start] + 1 < fewest[end] and _is_one(text, start, end, words):
                fewest[end] = fewest[start] + 1
    return fewest[-1]


def _is_one(text: str, start: int, end: int, words: frozenset[str]) -> bool:
    piece = text[start:end]
    if piece in words or len(set(piece)) == 1:
        return True
    if len(piece) < _SEQUENCE_MIN:
        return False
    return any(piece in sequence for sequence in _SEQUENCES) or piece in text[:start]


def _words(text: str) -> Iterable[str]:
    """A name as a whole and its words, where they are long enough to mean something."""
    return (word for word in (text, *_SPLIT.split(text)) if len(word) >= _WORD_MIN)


@cache
def _common() -> frozenset[str]:
    return frozenset((resources.files(__package__) / _LIST).read_text(encoding="ascii").split())
