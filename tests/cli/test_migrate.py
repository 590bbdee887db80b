"""`bonafides migrate`: the schema of this program, said before and after."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import EMAIL, Bonafides


def set_revision(path: Path, revision: str) -> None:
    """Make a database look as if another program had made it."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))


def test_an_empty_database_gets_the_schema_once(bonafides: Bonafides, database_url: str) -> None:
    """Whoever migrates with other rights than the server's could not prepare a database."""
    where = {"BONAFIDES_DATABASE": database_url}
    planned = bonafides("migrate", "--dry-run", "--json", **where)
    assert planned.status == 0
    needed = planned.json["to"]
    assert planned.json == {"from": None, "to": needed, "up_to_date": False, "migrated": False}
    done = bonafides("migrate", "--json", **where).json
    assert done == {"from": None, "to": needed, "up_to_date": True, "migrated": True}
    again = bonafides("migrate", "--json", **where).json
    assert again == {"from": needed, "to": needed, "up_to_date": True, "migrated": False}
    assert bonafides("init", "--email", EMAIL, **where).status == 0


def test_a_dry_run_makes_nothing(bonafides: Bonafides, home: Path) -> None:
    """A look would leave a database behind."""
    assert bonafides("migrate", "--dry-run").status == 0
    assert list(home.iterdir()) == []


def test_people_are_told_in_words(bonafides: Bonafides) -> None:
    """A person would have to read JSON."""
    assert bonafides("migrate", "--status").out.endswith("Run: bonafides migrate\n")
    assert bonafides("migrate").out.startswith("Migrated the database from no schema to ")
    assert bonafides("migrate").out.endswith("There is nothing to do.\n")
    assert bonafides("migrate", "--dry-run").out.endswith("There is nothing to do.\n")


@pytest.mark.usefixtures("founded")
@pytest.mark.parametrize("words", [("keys", "list"), ("init", "--email", EMAIL), ("serve", "--port", "0")])
def test_another_schema_stops_every_command(bonafides: Bonafides, home: Path, words: tuple[str, ...]) -> None:
    """A program would read and write rows that it does not understand."""
    set_revision(home / "bonafides.db", "9999")
    done = bonafides(*words)
    assert (done.status, done.out) == (1, "")
    assert "has schema 9999" in done.err
    assert done.err.endswith("Run: bonafides migrate\n")


@pytest.mark.usefixtures("founded")
def test_a_newer_schema_is_not_taken_back(bonafides: Bonafides, home: Path) -> None:
    """An older program would destroy what a newer one wrote."""
    set_revision(home / "bonafides.db", "9999")
    done = bonafides("migrate", "--json")
    assert (done.status, done.error["error"]) == (1, "misconfigured")
    assert "newer" in done.error["message"]
    assert "schema 9999" in bonafides("doctor").out
