"""The program `bonafides` in processes of its own that are forked, not started: the program is imported once.

What such a process does is what the command does: own arguments, environment, folder, files, signals and exit
status. `tests/cli` starts the command itself.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

_FORKING: Final = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(["tests.preloaded"])


class Forked:
    """A running command.

    Args:
        arguments: Of `bonafides`.
        folder: The working folder; `stdout` and `stderr` are files in it, which the output is appended to.
        environment: All of it.
        begin: Called in the process first, if anything is to be unlike in others.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        begin: Callable[[], None] | None = None,
    ) -> None:
        self._process: BaseProcess = _FORKING.Process(
            target=_run, args=(list(arguments), str(folder), dict(environment), begin), daemon=True
        )
        self._process.start()

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """The exit status, the negative number of a signal that ended it; None while it runs."""
        return self._process.exitcode

    def wait(self, seconds: float) -> int:
        """The exit status, once it has ended.

        Raises:
            subprocess.TimeoutExpired: It has not.
        """
        self._process.join(seconds)
        status = self._process.exitcode
        if status is None:
            raise subprocess.TimeoutExpired("bonafides", seconds)
        return status

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal; to a process that has ended, nothing happens."""
        if self.poll() is None:
            os.kill(self.pid, number)


def _run(
    arguments: list[str], folder: str, environment: dict[str, str], begin: Callable[[], None] | None
) -> None:
    os.setsid()  # Ctrl-C in the terminal is for the tests
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, descriptor)
        os.close(file)
    if begin is not None:
        begin()
    sys.argv = ["bonafides", *arguments]

    from bonafides.cli import main  # noqa: PLC0415 - preloaded where this runs

    main()
