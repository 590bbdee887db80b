"""Hours that pass when a test says so, in every process of every server of it at once."""

from __future__ import annotations

import mmap
import struct
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from tests.processes import ServerProcess

_SHIFT: Final = struct.Struct("<q")


class Hours:
    """What the clocks of some servers are ahead by.

    Args:
        folder: For its files.
    """

    def __init__(self, folder: Path) -> None:
        self.place = folder / "shift"
        self.place.write_bytes(bytes(_SHIFT.size))
        with self.place.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _SHIFT.size)

    def pass_by(self, seconds: int) -> None:
        """Move every clock."""
        (shift,) = _SHIFT.unpack_from(self._memory)
        _SHIFT.pack_into(self._memory, 0, shift + seconds * 1_000_000_000)


class ShiftedServer(ServerProcess):
    """A server whose clock, and those of its workers, are moved by a test.

    Args:
        hours: Moves them.
        database: As for `ServerProcess`.
        folder: As for `ServerProcess`.
        settings: As for `ServerProcess`.
    """

    def __init__(self, hours: Hours, database: str, folder: Path, **settings: object) -> None:
        super().__init__(database, folder, **settings)
        self.begin = partial(_follow, hours.place)


def _follow(place: Path) -> None:
    """Have this process, and every one that it forks, go by the shifted clock."""
    with place.open("r+b") as file:
        memory = mmap.mmap(file.fileno(), _SHIFT.size)
    real: Callable[[], int] = time.time_ns
    time.time_ns = lambda: real() + int(_SHIFT.unpack_from(memory)[0])
