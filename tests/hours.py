"""Hours that pass when a test says so, in every process of every server of it at once."""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path
from typing import Final

from typing_extensions import override

from tests.processes import ServerProcess

_PLACE: Final = "SHIFTED_HOURS"
_SHIFT: Final = struct.Struct("<q")
# Python runs it at the start of each process, workers included.
_CUSTOMIZE: Final = """
import mmap, os, struct, time
place = os.environ.get("SHIFTED_HOURS")
if place:
    with open(place, "r+b") as file:
        memory = mmap.mmap(file.fileno(), 8)
    shift, real = struct.Struct("<q"), time.time_ns
    time.time_ns = lambda: real() + shift.unpack_from(memory)[0]
"""


class Hours:
    """What the clocks of some servers are ahead by.

    Args:
        folder: For its files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "sitecustomize.py").write_text(_CUSTOMIZE, encoding="utf-8")
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
        self._hours = hours

    @override
    def _environment(self) -> dict[str, str]:
        path = os.pathsep.join(filter(None, [str(self._hours.folder), os.environ.get("PYTHONPATH")]))
        return super()._environment() | {"PYTHONPATH": path, _PLACE: str(self._hours.place)}
