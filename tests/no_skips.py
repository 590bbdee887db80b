"""A pytest plugin: where `CI=true`, a skipped test fails the run, so that nothing goes unproven unnoticed."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why the run fails although no test did; `-r` has listed the skips and their reasons."""
    skipped = _forbidden_skips(terminalreporter)
    if skipped:
        terminalreporter.write_line(
            f"{len(skipped)} skipped under CI=true: install what they need, or delete the tests.", red=True
        )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turn a run that passed with skips into one that failed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and session.exitstatus == pytest.ExitCode.OK and _forbidden_skips(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _forbidden_skips(reporter: pytest.TerminalReporter) -> Sequence[object]:
    if os.environ.get("CI") != "true":
        return ()
    return reporter.stats.get("skipped", ())
