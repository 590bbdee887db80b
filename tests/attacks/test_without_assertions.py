"""`python -O` takes assertions away; no check may go with them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

HERE: Final = Path(__file__).parent
REPOSITORY: Final = HERE.parents[1]
UNDER_OPTIMISATION: Final = (
    "test_foreign_owners.py",
    "test_truncated_credentials.py",
    "test_idempotency_reuse.py",
    "test_verify_for_others.py",
    "test_anonymous_bootstrap.py",
    "test_log_injection.py",
)
SECONDS_MAX: Final = 300


def pytest_under_optimisation(level: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A run of tests in a Python that removes assertions; pytest's own rewriting keeps those of the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        [
            sys.executable,
            level,
            "-m",
            "pytest",
            "--quiet",
            "--numprocesses=0",
            "-p",
            "no:cacheprovider",
            "-W",
            "ignore:assertions not in test modules",
            *arguments,
        ],
        cwd=REPOSITORY,
        env=kept,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.timeout(SECONDS_MAX + 30)
def test_the_attacks_fail_without_assertions_too() -> None:
    """Attack 54 (CVE-2017-1000433): a password check was an `assert`, and any password was good under `-O`."""
    done = pytest_under_optimisation("-O", *(str(HERE / name) for name in UNDER_OPTIMISATION))
    assert done.returncode == 0, done.stdout[-4_000:]
    assert " passed" in done.stdout


@pytest.mark.parametrize("level", ["-O", "-OO"])
def test_a_failing_test_fails_without_assertions_too(tmp_path: Path, level: str) -> None:
    """Attack 54: a run that cannot fail would prove nothing, and would prove it quickly."""
    path = tmp_path / "test_canary.py"
    path.write_text(
        "import sys\n\n"
        "def test_assertions_are_gone():\n"
        "    exec('assert False')\n"
        "    assert sys.flags.optimize\n\n"
        "def test_that_fails():\n"
        "    assert 1 == 2\n"
    )
    done = pytest_under_optimisation(level, "--rootdir", str(tmp_path), "-c", os.devnull, str(path))
    assert done.returncode == 1, done.stdout
    assert "1 failed, 1 passed" in done.stdout


@pytest.mark.parametrize("level", ["-O", "-OO"])
def test_the_program_runs_without_assertions_and_docstrings(level: str) -> None:
    """Attack 54: what reads a docstring at run time would fail where nobody tries it."""
    script = (
        "import sys\n"
        "import bonafides.app, bonafides.cli\n"
        "from bonafides.secret import Peppers, new_pepper, parse_pepper, same\n"
        "from bonafides.errors import InvalidRequest, Misconfigured\n"
        "try: parse_pepper('short')\n"
        "except Misconfigured: pass\n"
        "else: sys.exit('a short pepper was taken')\n"
        "peppers = Peppers([parse_pepper(new_pepper(lambda n: b'x' * n))])\n"
        "try: peppers.read_cursor('00' * 20, 'x')\n"
        "except InvalidRequest: pass\n"
        "else: sys.exit('a forged cursor was taken')\n"
        "sys.exit(same(b'a', b'b'))\n"
    )
    done = subprocess.run(
        [sys.executable, level, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
