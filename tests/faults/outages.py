"""Ways in which a database goes away, each as a context that brings it back at its end."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from tests.postgres import PostgresServer

Outage = Callable[[], AbstractContextManager[None]]

_HOLD_THE_LOCK: Final = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def stopped(postgres: PostgresServer) -> Iterator[None]:
    """The server was shut down: connections end, new ones are refused."""
    postgres.stop()
    try:
        yield
    finally:
        postgres.start()


@contextmanager
def crashed(postgres: PostgresServer) -> Iterator[None]:
    """The server was killed: connections are cut, new ones are refused."""
    postgres.crash()
    try:
        yield
    finally:
        postgres.start()


@contextmanager
def frozen(postgres: PostgresServer) -> Iterator[None]:
    """The machine hangs, or the network swallows everything: nothing is refused, nothing is answered."""
    processes = _family(postgres)
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in processes:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def moved_away(path: Path) -> Iterator[None]:
    """The file is not under its name: a disk that is not mounted, a slip of the hand."""
    elsewhere = path.with_suffix(".elsewhere")
    path.rename(elsewhere)
    try:
        yield
    finally:
        elsewhere.rename(path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process is writing, and does not come to an end: a backup tool, somebody's shell."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD_THE_LOCK, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        try:
            yield
        finally:
            holder.kill()


def replace_by_copy(path: Path, backup: Path) -> None:
    """Put a backup in the place of a database, as somebody who restores one does.

    The old journal goes first: whoever opened the backup beside it would replay it into the backup.
    """
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    backup.replace(path)


def back_up(path: Path, backup: Path) -> None:
    """Copy a database that is in use."""
    source = sqlite3.connect(path)
    target = sqlite3.connect(backup)
    try:
        source.backup(target)
    finally:
        source.close()
        target.close()
    backup.chmod(0o600)


def _family(postgres: PostgresServer) -> list[int]:
    """The server's process and those that it started for its connections."""
    process = postgres._process
    assert process is not None
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    return [process.pid, *(pid for pid, parent in parents.items() if parent == process.pid)]
