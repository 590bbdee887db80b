"""A mark that the workers of one machine share: it is another one once any of them has taken something away.

One look at a word of memory, before each answer that is given from memory, tells that a change was committed and
the feed is to be read first. So when a call that revokes has answered, no worker of the machine accepts what it
revoked, however late the news of it comes. See docs/decisions/0024-a-mark-of-changes.md.
"""

from __future__ import annotations

import itertools
import mmap
import os
from typing import Final

_BYTES: Final = 8
_PROCESS_BITS: Final = 24


def create_mark() -> mmap.mmap:
    """Memory that processes share which are forked from this one."""
    return mmap.mmap(-1, mmap.PAGESIZE)


class Mark:
    """The mark as one process sees it.

    Whoever puts theirs over another's, which somebody may not have seen, harms nobody: what a mark stands for was
    committed before it was put there, and no mark is put twice.

    Args:
        memory: What `create_mark` has made; without it, nobody else changes anything.
        first: Where the numbers of its marks begin. Processes do not all begin with the same one, since an id may come again.
    """

    def __init__(self, memory: mmap.mmap | None = None, first: int = 1) -> None:
        self.word = memoryview(bytearray(_BYTES) if memory is None else memory)[:_BYTES].cast("Q")
        """Of one item, which is the mark: for those who look a hundred thousand times a second."""
        self._numbers = itertools.count(first)

    def put(self) -> None:
        """Say that something was taken away; after its commit, before whoever asked for it is told."""
        process = os.getpid() % (1 << _PROCESS_BITS)
        self.word[0] = next(self._numbers) << _PROCESS_BITS | process
