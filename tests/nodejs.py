"""Other people's programs on Node.js, beside the server."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from tests.programs import Program

FOLDER: Final = Path(__file__).parent / "node"


def has(package: str) -> bool:
    """Whether this machine has Node.js and, by `make test`, the package."""
    return shutil.which("node") is not None and (FOLDER / "node_modules" / package).is_dir()


class Script(Program):
    """A script of `tests/node`.

    Args:
        name: Its file.
        arguments: What it is started with.
    """

    def __init__(self, name: str, *arguments: str) -> None:
        super().__init__("node", name, *arguments, folder=FOLDER)
