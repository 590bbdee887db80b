"""One test that hangs does not take a run with it."""

from __future__ import annotations

import pytest

HANGS_ONCE = """
import pathlib
import time

def test_hangs_once(pytestconfig):
    hung = pytestconfig.rootpath / "hung"
    is_first = not hung.exists()
    hung.touch()
    while is_first:
        try:
            time.sleep(60)
        except BaseException:  # what the time-out raises, swallowed as where a thread is waited for
            pass

def test_follows(): pass
"""
ENDS_THREADS = """
import gc
import threading

import greenlet

def greenlets():
    return sum(isinstance(thing, greenlet.greenlet) for thing in gc.get_objects())

def test_ends_threads():
    before = greenlets()
    for _ in range(20):
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
    assert greenlets() == before + 20
"""
OPTIONS = ("-p", "xdist", "-p", "pytest_timeout", "-p", "pytest_rerunfailures", "-n", "1", "--dist=loadfile")


def test_the_longest_files_come_first(pytester: pytest.Pytester) -> None:
    """A minute's file that comes last is a minute in which the other workers have nothing to do."""
    quick = "def test_one():\n    pass\n\n\ndef test_two():\n    pass\n"
    pytester.makepyfile(
        test_a_few="def test_one():\n    pass\n",
        test_b_more=quick,
        test_c_slow="import pytest\n\n@pytest.mark.slow\ndef test_one():\n    pass\n",
        test_d_slowest="import pytest\n\n@pytest.mark.timeout(900)\ndef test_one():\n    pass\n",
    )
    pytester.makeini("[pytest]\nmarkers =\n    slow: long\ntimeout = 120\n")
    result = pytester.runpytest_subprocess(
        "-p", "pytest_timeout", "-p", "tests.hangs", "--collect-only", "-q"
    )
    result.stdout.fnmatch_lines(
        [
            "test_d_slowest.py::*",
            "test_c_slow.py::*",
            "test_b_more.py::*",
            "test_b_more.py::*",
            "test_a_few.py::*",
        ]
    )


def test_its_worker_says_where_it_hangs_and_another_one_goes_on(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fixture that waited for ever made one run in ten end without a word of which test it was."""
    monkeypatch.setenv("BONAFIDES_HANG_MARGIN", "1")
    pytester.makepyfile(test_sample=HANGS_ONCE)
    result = pytester.runpytest_subprocess(
        *OPTIONS, "-p", "tests.hangs", "-p", "no:cacheprovider", "-rR", "--reruns=2", "--timeout=1"
    )
    result.stderr.fnmatch_lines(["*Timeout*", "*test_sample.py*in test_hangs_once*"])
    result.stdout.fnmatch_lines(["RERUN test_sample.py::test_hangs_once*"])
    assert result.ret == pytest.ExitCode.OK


def test_no_thread_that_ends_hangs_what_is_measured(pytester: pytest.Pytester) -> None:
    """A run with coverage hung once in ten, before a line of `weakref` that no thread ever left."""
    pytester.makepyfile(test_sample=ENDS_THREADS)
    pytester.makepyfile(sample="")
    result = pytester.runpytest_subprocess(
        "-p",
        "pytest_cov",
        "-p",
        "pytest_timeout",
        "-p",
        "tests.hangs",
        "-p",
        "no:cacheprovider",
        "--cov=sample",
        "--cov-report=",
    )
    assert result.ret == pytest.ExitCode.OK
