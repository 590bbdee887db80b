"""Other people's programs beside the server: one process, asked line by line."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path
from typing import IO, Final, Self

_SECONDS_MAX: Final = 10.0
_ANSWER_SECONDS_MAX: Final = 60.0


class Program:
    """A program that answers each line by a line.

    Args:
        command: What it is started with.
        folder: Where.
    """

    def __init__(self, *command: str, folder: Path) -> None:
        self._command = command
        self._folder = folder

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            cwd=self._folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        return self

    def __exit__(self, *_: object) -> None:
        _pipe(self._process.stdin).close()
        try:
            self._process.wait(_SECONDS_MAX)
        finally:
            self._process.kill()
            self._process.wait()
            _pipe(self._process.stdout).close()

    def ask(self, line: str) -> str:
        """What it answers; empty where it has ended, as it does where it takes too long."""
        end = threading.Timer(_ANSWER_SECONDS_MAX, self._process.kill)
        end.daemon = True
        end.start()
        try:
            _pipe(self._process.stdin).write(f"{line}\n")
            return _pipe(self._process.stdout).readline().rstrip("\n")
        finally:
            end.cancel()


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
