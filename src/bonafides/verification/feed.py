"""Follows the change feed, and refuses to trust memory when it lags."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Final

from bonafides.errors import Unavailable
from bonafides.model import Change, Clock
from bonafides.store import FeedLost, FeedPosition, FeedStore
from bonafides.verification.mark import Mark

Apply = Callable[[Sequence[Change]], None]
Complain = Callable[[Unavailable], None]

_PATIENCE: Final = 4
_BREATH_SECONDS: Final = 0.005
"""Between readings: a hundred processes that write must not make this one do nothing else."""


class Feed:
    """Reads other processes' changes into memory, again and again.

    Args:
        store: Where the feed is.
        apply: Makes memory forget.
        clock: Its `monotonic` tells how old the last reading is.
        max_staleness_seconds: Memory is trusted no longer than this after the last reading began.
        poll_seconds: Pause between readings; four times as long while the store says when there is something to read.
        retention_seconds: How long the feed keeps its entries; after a longer silence some may be
            gone unread, and everything is forgotten instead.
        forget_all: Makes memory forget everything.
        complain: Told of the first failed reading of a row.
        mark: Says when another worker of this machine has taken something away: nothing is trusted until that was read.
    """

    def __init__(  # noqa: PLR0913 - where it reads, whom it tells, and how long it waits
        self,
        store: FeedStore,
        apply: Apply,
        clock: Clock,
        *,
        max_staleness_seconds: float,
        poll_seconds: float,
        retention_seconds: float,
        forget_all: Callable[[], None],
        complain: Complain,
        mark: Mark,
    ) -> None:
        self._store = store
        self._apply = apply
        self._clock = clock
        self._monotonic = clock.monotonic
        self._max_staleness_seconds = max_staleness_seconds
        self._poll_seconds = poll_seconds
        self._idle_seconds = max(poll_seconds, min(_PATIENCE * poll_seconds, max_staleness_seconds / 4))
        self._retention_seconds = retention_seconds
        self._forget_all = forget_all
        self._complain = complain
        self._last_read = float("-inf")
        self._position: FeedPosition | None = None
        self.trusted_until = float("-inf")
        """On the monotonic clock: memory may be used before this moment."""
        self._nudged = asyncio.Event()
        self._marked = mark.word
        self._seen = mark.word[0]

    def is_fresh(self) -> bool:
        """Whether memory may be used now."""
        if self._marked[0] != self._seen:
            self._nudged.set()
            return False
        return self._monotonic() < self.trusted_until

    def nudge(self) -> None:
        """Read at once: somebody who knows says that there is something to read."""
        self._nudged.set()

    async def read(self) -> None:
        """Read once and apply; memory is then trusted from the moment at which the reading began.

        Raises:
            Unavailable: The database cannot be asked; memory goes on ageing.
        """
        marked = self._marked[0]
        began = self._clock.monotonic()
        if self._position is None or began - self._last_read > self._retention_seconds / 2:
            self._position = await self._store.feed_position()
            self._forget_all()
        try:
            changes, position = await self._store.changes_since(self._position)
        except FeedLost:
            changes, position = (), await self._store.feed_position()
            self._forget_all()
        if changes:
            self._apply(changes)
        self._position = position
        self._last_read = began
        self._seen = marked
        self.trusted_until = began + self._max_staleness_seconds

    async def follow(self) -> None:
        """Read for ever; cancel it to stop."""
        failing = False
        while True:
            self._nudged.clear()
            try:
                await self.read()
                failing = False
            except Exception as error:  # noqa: BLE001 - ending here would end the trust in memory for good
                if not failing:
                    self._complain(
                        error if isinstance(error, Unavailable) else Unavailable(internal=repr(type(error)))
                    )
                failing = True
            await asyncio.sleep(_BREATH_SECONDS)
            # What wakes may be lost, so it is looked all the same, only not as often.
            pause_seconds = self._idle_seconds if self._store.hears() else self._poll_seconds
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_seconds):
                    await self._nudged.wait()
