"""Request ids: unique, and cheap enough for every request of the hot path."""

from __future__ import annotations

from typing import Final

from bonafides.model import Entropy
from bonafides.secret import ALPHABET, base62

_PAIRS: Final = [(left + right).encode("ascii") for left in ALPHABET for right in ALPHABET]
_RANDOM_WIDTH: Final = 14
_COUNT_WIDTH: Final = 6


class RequestIds:
    """Counts upwards behind 80 random bits of this process; two processes never meet.

    Args:
        entropy: Where the random bits come from.
    """

    def __init__(self, entropy: Entropy) -> None:
        self._process = f"req_{base62(int.from_bytes(entropy(10), 'big'), _RANDOM_WIDTH)}"
        self._block = 0
        self._next = 0
        self._head = self._head_of(0)

    def next_bytes(self) -> bytes:
        """An id that this process has not given before: `req_` and 22 base62 characters."""
        place = self._next
        if place == len(_PAIRS):
            self._block += 1
            self._head = self._head_of(self._block)
            place = 0
        self._next = place + 1
        return self._head + _PAIRS[place]

    def next(self) -> str:
        """The same, as text."""
        return self.next_bytes().decode("ascii")

    def _head_of(self, block: int) -> bytes:
        return (self._process + base62(block, _COUNT_WIDTH)).encode("ascii")
