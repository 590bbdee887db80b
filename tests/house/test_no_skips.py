"""In CI a skipped test is a failure, so that 'green' means 'proven'."""

from __future__ import annotations

import pytest

SAMPLE = """
import pytest

def test_runs(): pass

@pytest.mark.skipif(True, reason="no such server here")
def test_skipped(): pass
"""
WHOLE_FILE = """
import pytest
pytest.skip("not on this machine", allow_module_level=True)
"""


def run(pytester: pytest.Pytester, sample: str) -> pytest.RunResult:
    """Run a sample in a process of its own, with the plugin and nothing else of ours."""
    pytester.makepyfile(sample)
    return pytester.runpytest_subprocess("-p", "tests.no_skips", "-ra", "-p", "no:cacheprovider")


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "1")])
@pytest.mark.parametrize("sample", [SAMPLE, WHOLE_FILE])
def test_a_skip_fails_the_run_in_ci(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, sample: str, workers: tuple[str, ...]
) -> None:
    """Otherwise a server missing on the CI machine would leave half the guarantees unproven, in green."""
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(workers))
    result = run(pytester, sample)
    assert result.ret != pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*skipped under CI=true*"])


def test_a_skip_is_only_reported_elsewhere(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A contributor whose machine lacks something can still run the rest."""
    monkeypatch.delenv("CI", raising=False)
    result = run(pytester, SAMPLE)
    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*no such server here"])


def test_a_run_without_skips_passes_in_ci(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule must not turn every run red."""
    monkeypatch.setenv("CI", "true")
    assert run(pytester, "def test_runs(): pass").ret == pytest.ExitCode.OK
