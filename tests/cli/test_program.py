"""The program itself: one sentence for every failure, one document for every script, help for every person."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bonafides import __version__
from bonafides.cli import session, terminal
from tests.cli.conftest import Bonafides, Done

LISTINGS = [("keys", "list"), ("users", "list"), ("tenants", "list"), ("plans", "list"), ("audit",)]
PROGRAM = [sys.executable, "-m", "bonafides"]


def test_the_version_is_told(bonafides: Bonafides) -> None:
    """A report of a fault would not say of which program."""
    assert bonafides("--version").out == f"bonafides {__version__}\n"


@pytest.mark.parametrize(
    "words", [(), ("keys",), ("users",), ("tenants",), ("plans",), ("denials",), ("peppers",)]
)
def test_a_group_alone_shows_its_help(bonafides: Bonafides, words: tuple[str, ...]) -> None:
    """Whoever does not know the commands would see nothing."""
    done = bonafides(*words)
    assert done.status == 2
    assert "Usage: " in done.out + done.err
    assert "Example:" in done.out + done.err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("kyes", "list"), "Did you mean 'keys'"),
        (("keys", "lsit"), "No such command 'lsit'"),
        (("keys", "list", "--colour"), "--colour"),
        (("keys", "show"), "KEY_ID"),
        (("init",), "--email"),
        (("serve", "--port", "http"), "--port"),
        (("serve", "--log-level", "loud"), "--log-level"),
    ],
)
def test_a_command_line_that_cannot_be_understood(
    bonafides: Bonafides, words: tuple[str, ...], reason: str
) -> None:
    """A person would not know what to type instead; a script would take it for a failure of the server."""
    done = bonafides(*words)
    assert (done.status, done.out) == (2, "")
    assert reason in done.err
    assert done.err.rstrip().endswith("--help")
    assert done.err.count("\n") == 1
    told = bonafides(*words, "--json")
    assert (told.status, told.out, told.error["error"]) == (2, "", "invalid_request")


@pytest.mark.parametrize("words", LISTINGS)
def test_without_an_installation_every_command_says_how_to_make_one(
    bonafides: Bonafides, home: Path, words: tuple[str, ...]
) -> None:
    """In the wrong folder a new, empty database would be made, and everything would seem lost."""
    done = bonafides(*words)
    assert (done.status, done.out) == (1, "")
    assert done.err == (
        "There is no installation in bonafides.db yet. Run: bonafides init --email you@example.com\n"
    )
    assert bonafides(*words, "--json").error["error"] == "misconfigured"
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("peppers", [{}, {"BONAFIDES_PEPPERS": "ab" * 32}])
def test_a_schema_alone_is_no_installation(bonafides: Bonafides, peppers: dict[str, str]) -> None:
    """Whoever migrated first would be told to restore a pepper that never was."""
    assert bonafides("migrate").status == 0
    done = bonafides("keys", "list", **peppers)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("There is no installation in bonafides.db yet.")


@pytest.mark.usefixtures("founded")
def test_without_its_pepper_nothing_is_shown_or_changed(bonafides: Bonafides, home: Path) -> None:
    """New keys would be made that no server can check."""
    (home / "bonafides.pepper").unlink()
    for words in (("keys", "list"), ("keys", "create", "x")):
        done = bonafides(*words)
        assert (done.status, done.out) == (1, "")
        assert "Restore it from a backup" in done.err
    assert not (home / "bonafides.pepper").exists()


@pytest.mark.usefixtures("founded")
@pytest.mark.parametrize("words", LISTINGS)
def test_a_listing_is_one_document_or_one_table(bonafides: Bonafides, words: tuple[str, ...]) -> None:
    """A script would have to cut a document out of what is meant for people."""
    document = bonafides(*words, "--json")
    assert (document.status, document.err) == (0, "")
    assert set(json.loads(document.out)) == {"data", "next_cursor"}
    table = bonafides(*words)
    assert (table.status, table.err) == (0, "")
    assert table.out.splitlines()[0].isupper()


@pytest.mark.usefixtures("founded")
def test_an_unknown_setting_stops_every_command(bonafides: Bonafides, home: Path) -> None:
    """A misspelt database would be ignored, and the wrong one be changed."""
    done = bonafides("keys", "list", BONAFIDES_DATABSE="x.db")
    assert (done.status, done.out) == (1, "")
    assert done.err == "BONAFIDES_DATABSE is not a setting. Did you mean BONAFIDES_DATABASE?\n"
    (home / "bonafides.toml").write_text('databse = "x.db"\n')
    assert "Did you mean database?" in bonafides("keys", "list", "--json").error["message"]


def test_the_flag_wins_over_the_variable_and_that_over_the_file(
    bonafides: Bonafides, home: Path, founded: dict[str, str]
) -> None:
    """A command would change another database than the one that was named."""
    assert founded
    (home / "bonafides.toml").write_text('database = "file.db"\n')
    assert "file.db" in bonafides("keys", "list").err
    assert "variable.db" in bonafides("keys", "list", BONAFIDES_DATABASE="variable.db").err
    done = bonafides("keys", "list", "--database", "bonafides.db", BONAFIDES_DATABASE="variable.db")
    assert done.status == 0


@pytest.mark.parametrize("database", ["garbage.db", "folder.db", "postgresql://eve:hunter2@127.0.0.1:1/x"])
def test_a_database_that_does_not_answer(bonafides: Bonafides, home: Path, database: str) -> None:
    """An operator would be told to try again, and never learn why; or see their password in a log."""
    (home / "garbage.db").write_bytes(b"this is no database" * 100)
    (home / "folder.db").mkdir()
    done = bonafides("keys", "list", "--database", database)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("The database cannot be asked (")
    assert done.err.endswith("Run: bonafides doctor\n")
    assert "hunter2" not in done.err
    assert bonafides("keys", "list", "--database", database, "--json").error["error"] == "unavailable"


def test_an_unforeseen_failure_is_one_sentence(bonafides: Bonafides, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person would get fifty lines of traceback, perhaps with a key in it."""
    key = "bf_key_" + "7" * 44 + "_abcdef"

    def fail(*_: object) -> None:
        raise ZeroDivisionError(key)

    monkeypatch.setattr(session, "load", fail)
    done = bonafides("keys", "list")
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("Something failed that should not have (ZeroDivisionError).")
    assert done.err.count("\n") == 1
    assert bonafides("keys", "list", "--json").error["error"] == "internal_error"
    assert bonafides("verify", "x").status == 3
    debugged = bonafides("keys", "list", BONAFIDES_LOG_LEVEL="debug").err
    assert "Traceback" in debugged
    assert key not in debugged


@pytest.mark.parametrize("words", [("init", "--email", "ada@example.com"), ("migrate",), ("serve",)])
def test_a_folder_that_does_not_exist_is_named(
    bonafides: Bonafides, home: Path, words: tuple[str, ...]
) -> None:
    """A slip in a path would look like a fault of the program."""
    done = bonafides(*words, "--database", "missing/keys.db")
    assert (done.status, done.out) == (1, "")
    assert "missing/keys.db" in done.err
    assert "No such file or directory" in done.err
    assert list(home.iterdir()) == []


def test_interrupting_is_quiet(bonafides: Bonafides, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C would print a traceback."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "load", interrupt)
    assert bonafides("keys", "list") == Done(130, "", "")


@pytest.mark.usefixtures("founded")
def test_a_reader_that_leaves_early_is_no_failure(home: Path) -> None:
    """`bonafides keys list | head` would end with a traceback."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*PROGRAM, "keys", "list"], cwd=home, stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_an_ascii_terminal_is_no_failure(program: Callable[..., Done], founded: dict[str, str]) -> None:
    """A machine without UTF-8 would show tracebacks instead of keys."""
    assert founded
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    listed = program("keys", "list", "--json", **environment)
    assert listed.status == 0
    assert "…" in listed.json["data"][0]["display"]
    assert program("doctor", **environment).status == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ("", "-"),
        ([], "-"),
        ({}, "-"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (["a", "b"], "a b"),
        ([1], "[1]"),
        ({"a": "ä"}, '{"a": "ä"}'),
        ("a\x1b[2Jb\u202e\x85", "a\\x1b[2Jb\\u202e\\x85"),
    ],
)
def test_values_are_shown_so_that_a_person_can_read_them(value: object, text: str) -> None:
    """A value could clear the terminal, or an empty one be taken for a fault of the table."""
    assert terminal.shown(value) == text
