"""Other people's libraries in Go, beside the server: the program of `tests/go`, which `make test` compiles."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.programs import Program

FOLDER: Final = Path(__file__).parent / "go"
_BUILT: Final = FOLDER / "build" / "clients"


def has() -> bool:
    """Whether this machine has Go, and `make test` has compiled the program."""
    return _BUILT.is_file()


class Clients(Program):
    """The clients of `tests/go`."""

    def __init__(self) -> None:
        super().__init__(str(_BUILT), folder=FOLDER)
