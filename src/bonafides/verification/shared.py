"""Counters in memory that the workers of one machine share, so that a limit is counted once and exactly.

A table of buckets in one file without a name, which every worker has mapped. A subject has its place in
the bucket that its digest names; whoever reads or writes a bucket holds the lock on the byte of that
number. The kernel takes the lock from a process that dies, so a killed worker leaves neither a lock nor a
request that was counted by half. Why locks and not leases: docs/decisions/0005-shared-counters.md.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from typing_extensions import override

from bonafides.errors import Unavailable
from bonafides.verification.limiter import AddressWindow, Counter

_SLOTS_PER_BUCKET: Final = 64
_KEY_BYTES: Final = 16
_SLOT: Final = struct.Struct(f"={_KEY_BYTES}s4q")
_FIGURES: Final = struct.Struct("=4q")
_BUCKET_BYTES: Final = _SLOT.size * _SLOTS_PER_BUCKET

_lock = fcntl.lockf
_TAKE: Final = fcntl.LOCK_EX
_RELEASE: Final = fcntl.LOCK_UN


def create_table(slots_min: int) -> int:
    """A file descriptor of an empty table; the table lasts as long as some process has it open.

    Args:
        slots_min: How many subjects it has room for at least. A bucket takes memory once it is used.
    """
    if sys.platform == "linux":
        descriptor = os.memfd_create("bonafides-counters")
    else:
        descriptor, path = tempfile.mkstemp(prefix="bonafides-counters-")
        Path(path).unlink()
    buckets = -(-slots_min // _SLOTS_PER_BUCKET)
    os.ftruncate(descriptor, buckets * _BUCKET_BYTES)
    return descriptor


class SharedTable:
    """A table that `create_table` made, as one process sees it.

    Whoever uses it holds one bucket at a time, and so can wait for nobody in a circle.

    Args:
        descriptor: Of the table's file. No other descriptor of that file may be closed in this process:
            the kernel would release its locks with it.
        evicting: Whether a full bucket forgets the window that ends first, instead of refusing to count.
    """

    def __init__(self, descriptor: int, *, evicting: bool = False) -> None:
        self.descriptor = descriptor
        self.memory = mmap.mmap(descriptor, 0)
        self._buckets = len(self.memory) // _BUCKET_BYTES
        self._evicting = evicting

    def counter(self, subject: str) -> SharedCounter:
        """The counter of a subject; each one of the same subject shows the same count."""
        key = hashlib.blake2b(subject.encode(), digest_size=_KEY_BYTES).digest()
        return SharedCounter(self, key, int.from_bytes(key[:8]) % self._buckets)

    def find(self, key: bytes, bucket: int) -> int:
        """Where a subject's slot begins, -1 where it has none. The bucket is held."""
        start = bucket * _BUCKET_BYTES
        at: int = self.memory.find(key, start, start + _BUCKET_BYTES)
        while at >= 0 and (at - start) % _SLOT.size:
            at = self.memory.find(key, at + 1, start + _BUCKET_BYTES)
        return at

    def make_room(self, bucket: int, now_us: int) -> int:
        """Where a slot begins whose windows have ended. The bucket is held.

        Raises:
            Unavailable: There is none, and nothing may be forgotten.
        """
        start = bucket * _BUCKET_BYTES
        first, first_ends_us = start, None
        for at in range(start, start + _BUCKET_BYTES, _SLOT.size):
            _, hour_ends_us, _, burst_ends_us, _ = _SLOT.unpack_from(self.memory, at)
            ends_us = max(hour_ends_us, burst_ends_us)
            if ends_us <= now_us:
                return at
            if first_ends_us is None or ends_us < first_ends_us:
                first, first_ends_us = at, ends_us
        if not self._evicting:
            raise Unavailable(internal="shared counters: a bucket is full")
        return first


class SharedCounter(Counter):
    """A subject's counter as this process saw it last, brought up to date before each request is counted.

    Args:
        table: Where the count is kept.
        key: The subject's digest.
        bucket: Where its slot is.
    """

    __slots__ = ("_at", "_bucket", "_key", "_table")

    def __init__(self, table: SharedTable, key: bytes, bucket: int) -> None:
        super().__init__()
        self._table = table
        self._key = key
        self._bucket = bucket
        self._at = -1

    @override
    def spend(self, hourly: int | None, burst: int | None, cost: int, now_us: int) -> bool:
        table = self._table
        _lock(table.descriptor, _TAKE, 1, self._bucket)
        try:
            self._read()
            if not super().spend(hourly, burst, cost, now_us):
                return False
            if cost:
                self._write(now_us)
            return True
        finally:
            _lock(table.descriptor, _RELEASE, 1, self._bucket)

    @override
    def refresh(self) -> None:
        _lock(self._table.descriptor, _TAKE, 1, self._bucket)
        try:
            self._read()
        finally:
            _lock(self._table.descriptor, _RELEASE, 1, self._bucket)

    @contextmanager
    def held(self) -> Iterator[Callable[[int], None]]:
        """Nobody else counts for this subject meanwhile; call what is given, with the time, to keep a change."""
        _lock(self._table.descriptor, _TAKE, 1, self._bucket)
        try:
            self._read()
            yield self._write
        finally:
            _lock(self._table.descriptor, _RELEASE, 1, self._bucket)

    def _read(self) -> None:
        """Take over what the table has; a slot that serves another subject by now is searched for anew."""
        memory, at = self._table.memory, self._at
        if at < 0 or memory[at : at + _KEY_BYTES] != self._key:
            at = self._at = self._table.find(self._key, self._bucket)
        if at < 0:
            self.hour_ends_us = self.hour_used = self.burst_ends_us = self.burst_used = 0
        else:
            figures = _FIGURES.unpack_from(memory, at + _KEY_BYTES)
            self.hour_ends_us, self.hour_used, self.burst_ends_us, self.burst_used = figures

    def _write(self, now_us: int) -> None:
        if self._at < 0:
            self._at = self._table.make_room(self._bucket, now_us)
        _SLOT.pack_into(
            self._table.memory,
            self._at,
            self._key,
            self.hour_ends_us,
            self.hour_used,
            self.burst_ends_us,
            self.burst_used,
        )


class SharedAddressWindows:
    """Windows of addresses in a table that the workers of one machine share.

    Args:
        table: An evicting one: a flood of addresses must not stop anybody from being counted.
    """

    def __init__(self, table: SharedTable) -> None:
        self._table = table

    @contextmanager
    def holding(self, group: str, now_us: int) -> Iterator[AddressWindow]:
        """As `AddressWindows` says."""
        counter = self._table.counter(group)
        with counter.held() as keep:
            live = now_us < counter.hour_ends_us
            window = AddressWindow(counter.hour_ends_us, counter.hour_used) if live else AddressWindow()
            was = (window.ends_us, window.used)
            yield window
            if window.ends_us and was != (window.ends_us, window.used):
                counter.hour_ends_us, counter.hour_used = window.ends_us, window.used
                keep(now_us)
