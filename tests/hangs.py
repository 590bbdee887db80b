"""A pytest plugin: a test that hangs costs the worker that runs it, not the whole run, and says where it hung.

`pytest-timeout` raises in the main thread, once. What waits again while that is handled, such as a fixture that is
torn down on the event loop whose test never ends, waits for ever, and so does the run. Here a worker that is a
minute past a test's time prints where each of its threads stands, and ends; its test is tried again by another.
See docs/decisions/0012-a-test-is-tried-again.md.

One hang is known and kept away. Where greenlets are told apart for coverage, a thread that ends has `greenlet` drop its
main greenlet in a pending call of the main thread, and that calls back into Python. If another thread ends in that
moment, CPython 3.11 finds a pending call that it may not begin inside another, and while it traces it looks for pending
calls before each function's first line until there are none: for ever.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import greenlet  # type: ignore[import-untyped]
import pytest
from coverage import Coverage
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

MARGIN_SECONDS: Final = float(os.environ.get("BONAFIDES_HANG_MARGIN", "60"))
END_SECONDS_MAX: Final = 120.0
"""For what follows a worker's last test: fixtures of the session, and writing down what was covered."""


class ByFile(LoadFileScheduling):  # type: ignore[misc]  # xdist tells no types of it
    """Hands out whole files, as `--dist=loadfile`, and a dead worker's test once more."""

    def mark_test_pending(self, item: str) -> None:
        """Have a test tried again: with the rest of its file it has been given back when its worker died."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile | None:
    """Take the place of the scheduler that gives a dead worker's test up."""
    return ByFile(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_configure(config: pytest.Config) -> None:
    """Watch what a worker runs; a person who runs tests one by one may hold them in a debugger."""
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(_Watch(), "hangs-watch")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, by what their marks say: else one worker would end alone with them."""
    files: dict[Path, list[tuple[float, bool]]] = {}
    for item in items:
        longest = (_seconds_of(item), item.get_closest_marker("slow") is not None)
        files.setdefault(item.path, []).append(longest)
    items.sort(key=lambda item: (max(files[item.path]), len(files[item.path])), reverse=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionstart() -> None:
    """Keep the main greenlet of each thread from now on, where something is measured: none is dropped."""
    if Coverage.current() is None:
        return
    kept: list[greenlet.greenlet] = []

    def keep(*_: object) -> None:
        sys.setprofile(None)
        kept.append(greenlet.getcurrent())

    threading.setprofile(keep)
    # It would look for whoever keeps them, among all objects, at the end of each thread.
    greenlet.enable_optional_cleanup(False)  # noqa: FBT003 - its only form


class _Watch:
    def __init__(self) -> None:
        # Its own: pytest puts a file in the place of the other while a test runs, and xdist an object.
        assert sys.__stderr__ is not None
        self._told = os.dup(sys.__stderr__.fileno())

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin to count, anew for each time that the test is tried."""
        self._end_after(_seconds_of(item) + MARGIN_SECONDS)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Iterator[None]:
        """Stop counting when it is over."""
        try:
            return (yield)
        finally:
            faulthandler.cancel_dump_traceback_later()

    def pytest_sessionfinish(self) -> None:
        """Count until the worker ends."""
        self._end_after(END_SECONDS_MAX)

    def _end_after(self, seconds: float) -> None:
        faulthandler.dump_traceback_later(seconds, exit=True, file=self._told)


def _seconds_of(item: pytest.Item) -> float:
    """How long a test may take: by its own mark, or by what is set for all."""
    mark = item.get_closest_marker("timeout")
    if mark is not None:
        return float(mark.args[0] if mark.args else mark.kwargs["timeout"])
    return float(item.config.getoption("timeout") or item.config.getini("timeout") or 0)
