"""The page of security lines says what the tests' docstrings say, and no line is forgotten."""

from __future__ import annotations

from pathlib import Path

from docs import security


def test_every_line_that_is_due_has_a_test() -> None:
    """A line without a test would look covered because it is listed."""
    covered = security.covering(security.due(), security.docstrings())
    assert [line for line, files in covered.items() if not files] == []


def test_every_line_that_a_test_names_is_listed() -> None:
    """A misspelt line would cover nothing, and nobody would see it."""
    assert security.unknown(security.docstrings()) == []


def test_a_line_is_listed_once_and_every_attack_is_there() -> None:
    """A line in two tables would be covered and not; one in none would be forgotten."""
    assert set(security.due()).isdisjoint(security.later())
    listed = {*security.due(), *security.later()}
    assert {f"attack {number}" for number in range(1, 56)} <= listed


def test_a_line_of_later_that_a_test_covers_is_noticed() -> None:
    """A line that somebody has covered meanwhile would go on saying that nobody has."""
    covered = security.covering(security.later(), security.docstrings())
    assert [line for line, files in covered.items() if files] == []


def test_a_number_is_not_the_beginning_of_another() -> None:
    """`attack 55` would cover `attack 5` as well."""
    named = [(Path("tests/test_x.py"), "attack 55, ASVS 8.2.10, RFC 6749.")]
    covered = security.covering(["attack 5", "attack 55", "ASVS 8.2.1", "RFC 6749"], named)
    assert {line for line, files in covered.items() if files} == {"attack 55", "RFC 6749"}


def test_the_page_shows_every_line() -> None:
    """A generator that skips a row would pass its own check."""
    page = security.security_page()
    assert all(f"| {line} |" in page for line in (*security.due(), *security.later()))
