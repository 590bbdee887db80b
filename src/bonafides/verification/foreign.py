"""Strings of no look of ours: those that may be keys which were imported, and how they are found.

A digest that another program made needs nothing but the key, so it is one more digest to look up. A slow
hash has a salt of its own: only where a key begins like an unused one are the two compared, off the event
loop, and a bounded number at once. Whatever is found is digested anew, and is from then on a key like others.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, Protocol

from bonafides.errors import Overloaded
from bonafides.model import (
    FOREIGN_ALIKE_MAX,
    IMPORT_ID_PREFIX,
    Change,
    ForeignHash,
    ForeignRule,
    ForeignScheme,
)
from bonafides.secret import Peppers, foreign_digest
from bonafides.store import ForeignStore

_WAITING_MAX: Final = 32
_WAITING_ALIKE_MAX: Final = 4
_READERS_MAX: Final = 2
"""Who makes strings up must not take every connection to the database."""


class HashChecker(Protocol):
    """Compares a string with a slow hash, off the event loop."""

    async def matches(self, presented: bytes, encoded: str) -> bool:
        """Whether the hash was made of this string."""
        ...


class Ways(NamedTuple):
    """The rules, ready for use.

    Args:
        digests: Rule, scheme and key of each digest to look up.
        prefix_lengths: How much of a string slow hashes are looked up by, the longest first.
    """

    digests: tuple[tuple[str, ForeignScheme, bytes], ...]
    prefix_lengths: tuple[int, ...]


class Clues(NamedTuple):
    """By what a presented string may be known, beside its own digest.

    Args:
        digests: Of the digests that other programs would have made of it.
        hashes: Slow hashes of unused keys that begin as it does.
    """

    digests: tuple[bytes, ...]
    hashes: Sequence[ForeignHash]


class Foreign:
    """What is known of keys that were made elsewhere.

    Args:
        store: Where they are.
        peppers: Digest what is presented.
        checker: Compares with slow hashes.
    """

    def __init__(self, store: ForeignStore, peppers: Peppers, checker: HashChecker) -> None:
        self._store = store
        self._peppers = peppers
        self._checker = checker
        self._ways: Ways | None = None
        self._none_expected = False
        self._epoch = 0
        self._comparing: Counter[bytes] = Counter()
        self._comparisons: dict[tuple[bytes, ...], asyncio.Task[bytes | None]] = {}
        self._readers = asyncio.Semaphore(_READERS_MAX)

    @property
    def expected(self) -> bool:
        """Whether a string of no look of ours may be a key; False only while it is known that none was imported."""
        return not self._none_expected

    def apply(self, changes: Iterable[Change]) -> None:
        """Ask anew for the rules once something was imported."""
        if any(change.subject_id.startswith(f"{IMPORT_ID_PREFIX}_") for change in changes):
            self.forget()

    def forget(self) -> None:
        """Ask anew for the rules; said when changes may have been missed."""
        self._ways = None
        self._none_expected = False
        self._epoch += 1

    async def clues(self, presented: bytes) -> Clues:
        """By what, beside its own digest, a presented string may be known.

        The hashes are read before anybody looks its digests up: one that is used meanwhile is found by these.

        Raises:
            Unavailable: The database cannot be asked.
        """
        ways = await self._known_ways()
        digests = tuple(
            digest
            for rule_id, scheme, key in ways.digests
            for digest in self._peppers.every_foreign(rule_id, foreign_digest(scheme, presented, key))
        )
        lengths = [length for length in ways.prefix_lengths if length < len(presented)]
        if not lengths or not presented.isascii():
            return Clues(digests, ())
        prefixes = [presented[:length].decode("ascii") for length in lengths]
        async with self._readers:
            hashes = await self._store.find_foreign_hashes(prefixes, FOREIGN_ALIKE_MAX * len(prefixes))
        return Clues(digests, hashes)

    async def match(self, presented: bytes, digest: bytes, hashes: Sequence[ForeignHash]) -> bytes | None:
        """The digest that is kept of the slow hash of a string; however many present it, it is compared once.

        Args:
            presented: The string.
            digest: Of it.
            hashes: As `clues` has told; at least one.

        Raises:
            Overloaded: Too many strings are being compared.
        """
        which = (digest, *(found.digest for found in hashes))
        comparison = self._comparisons.get(which)
        if comparison is None:
            comparison = asyncio.create_task(self._compared(presented, hashes))
            self._comparisons[which] = comparison
            comparison.add_done_callback(lambda done: self._forget_comparison(which, done))
        return await asyncio.shield(comparison)

    def _forget_comparison(self, which: tuple[bytes, ...], done: asyncio.Task[bytes | None]) -> None:
        del self._comparisons[which]
        if not done.cancelled():
            done.exception()  # marked as seen: whoever asked may have left

    async def _compared(self, presented: bytes, hashes: Sequence[ForeignHash]) -> bytes | None:
        alike = hashes[0].digest
        if self._comparing.total() >= _WAITING_MAX or self._comparing[alike] >= _WAITING_ALIKE_MAX:
            # Whoever knows how a key begins must not keep those waiting whose keys begin otherwise.
            raise Overloaded(internal="imported keys: too many strings are being compared with slow hashes")
        self._comparing[alike] += 1
        try:
            for found in hashes:
                if await self._checker.matches(presented, found.hash):
                    return found.digest
            return None
        finally:
            self._comparing[alike] -= 1
            if not self._comparing[alike]:
                del self._comparing[alike]

    async def load(self) -> None:
        """Read the rules, unless they are known.

        Raises:
            Unavailable: The database cannot be asked.
        """
        await self._known_ways()

    async def _known_ways(self) -> Ways:
        if self._ways is not None:
            return self._ways
        epoch = self._epoch
        rules = await self._store.foreign_rules()
        ways = self._ready(rules)
        if epoch == self._epoch:  # else something was imported meanwhile
            self._ways, self._none_expected = ways, not rules
        return ways

    def _ready(self, rules: Iterable[ForeignRule]) -> Ways:
        digests, lengths = [], []
        for rule in rules:
            if rule.scheme is ForeignScheme.HASH:
                lengths.append(rule.prefix_length)
            elif rule.scheme is not ForeignScheme.PLAIN:
                key = self._peppers.foreign_key(rule)
                if key is not None:  # else its pepper is gone, and with it every digest that it made
                    digests.append((rule.id, rule.scheme, key))
        return Ways(tuple(digests), tuple(sorted(lengths, reverse=True)))
