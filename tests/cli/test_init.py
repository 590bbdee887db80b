"""`bonafides init`: one installation, told once, and never a second."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import EMAIL, Bonafides, Done


def test_it_tells_once_what_the_first_user_needs(bonafides: Bonafides, home: Path) -> None:
    """Scripts that install the server would not get their admin key, which exists nowhere else."""
    done = bonafides("init", "--email", EMAIL, "--json")
    assert (done.status, done.err) == (0, "")
    told = done.json
    assert list(told) == ["tenant_id", "user_id", "email", "password", "api_key"]
    assert told["email"] == EMAIL
    assert told["tenant_id"].startswith("ten_")
    assert told["user_id"].startswith("usr_")
    verdict = bonafides("verify", "-", "--json", stdin=told["api_key"]).json
    assert verdict["valid"]
    assert (verdict["user_id"], verdict["tenant_id"]) == (told["user_id"], told["tenant_id"])
    assert set(verdict["scopes"]) == {"read", "write", "admin", "credentials:verify"}
    assert bonafides("keys", "show", verdict["credential"]["id"], "--json").json["plan"] == "enterprise"
    assert {path.name for path in home.iterdir()} >= {"bonafides.db", "bonafides.pepper"}


@pytest.mark.usefixtures("founded")
def test_its_files_are_their_owners_alone(home: Path) -> None:
    """Everybody on the machine could copy the digests and the pepper."""
    assert {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in home.iterdir()} == {
        "bonafides.db": "0o600",
        "bonafides.pepper": "0o600",
    }


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_second_run_is_refused_and_changes_nothing(
    bonafides: Bonafides, founded: dict[str, str], home: Path, options: tuple[str, ...]
) -> None:
    """Whoever can start the program would make themselves an admin, or the first admin would lose the key."""

    def kept() -> tuple[object, ...]:
        listings = [
            bonafides(*words, "--json").out for words in (("keys", "list"), ("users", "list"), ("audit",))
        ]
        return (*listings, (home / "bonafides.pepper").read_bytes())

    before = kept()
    done = bonafides("init", "--email", "eve@example.com", *options)
    assert (done.status, done.out) == (1, "")
    assert "already holds an installation. Nothing was changed." in done.err
    assert kept() == before
    assert bonafides("verify", "-", stdin=founded["api_key"]).status == 0


def test_people_get_lines_to_copy(bonafides: Bonafides) -> None:
    """A key or a command that is folded at the window's edge fails when it is pasted."""
    done = bonafides("init", "--email", EMAIL, COLUMNS="40")
    assert done.status == 0
    lines = [line.strip() for line in done.out.splitlines()]
    (export,) = [line for line in lines if line.startswith("export KEY=bf_key_")]
    assert done.out.count("bf_key_") == 1
    assert bonafides("verify", "-", stdin=export.removeprefix("export KEY=")).status == 0
    assert 'curl -H "Authorization: Bearer $KEY" http://127.0.0.1:8000/v1/auth/verify' in lines
    assert "bonafides serve" in lines
    assert "shown this once" in done.out


@pytest.mark.parametrize("email", ["ada", "", "ada@localhost"])
def test_a_malformed_address_makes_nothing(bonafides: Bonafides, home: Path, email: str) -> None:
    """A typo would leave an installation behind whose only user has no address."""
    done = bonafides("init", "--email", email, "--json")
    assert done.status == 1
    assert done.error["error"] == "invalid_request"
    assert list(home.iterdir()) == []


@pytest.mark.usefixtures("founded")
def test_an_installation_without_its_pepper_is_not_made_anew(bonafides: Bonafides, home: Path) -> None:
    """A new pepper would be made, and every key of the database would be refused for good."""
    (home / "bonafides.pepper").unlink()
    done = bonafides("init", "--email", EMAIL)
    assert done.status == 1
    assert "Restore it from a backup" in done.err
    assert not (home / "bonafides.pepper").exists()


def test_a_database_and_peppers_of_ones_own(bonafides: Bonafides, home: Path) -> None:
    """A container that brings its pepper in a variable would leave another one on its disk."""
    where = {"BONAFIDES_DATABASE": "sqlite:///keys.db", "BONAFIDES_PEPPERS": "ab" * 32}
    told = bonafides("init", "--email", EMAIL, "--json", **where).json
    assert [path.name for path in home.iterdir()] == ["keys.db"]
    assert bonafides("verify", "-", stdin=told["api_key"], **where).status == 0
    assert bonafides("verify", "-", stdin=told["api_key"], BONAFIDES_DATABASE="keys.db").status == 3
    next_steps = bonafides("init", "--email", EMAIL, "--database", "other file.db").out
    assert "  bonafides serve --database 'other file.db'\n" in next_steps


def test_it_works_the_same_on_both_databases(
    bonafides: Bonafides, database_url: str, program: Callable[..., Done]
) -> None:
    """An operator who outgrew SQLite would find other commands, or other answers."""
    where = {"BONAFIDES_DATABASE": database_url}
    told = program("init", "--email", EMAIL, "--json", **where).json
    assert bonafides("init", "--email", EMAIL, **where).status == 1
    made = bonafides("keys", "create", "ci", "--json", **where).json
    assert bonafides("verify", "-", stdin=made["key"], **where).status == 0
    successor = bonafides("keys", "rotate", made["id"], "--overlap", "0", "--json", **where).json
    assert bonafides("verify", "-", "--json", stdin=made["key"], **where).json["code"] == "token_expired"
    assert bonafides("verify", "-", stdin=successor["key"], **where).status == 0
    assert bonafides("keys", "revoke", successor["id"], **where).status == 0
    assert (
        bonafides("verify", "-", "--json", stdin=successor["key"], **where).json["code"] == "invalid_api_key"
    )
    actions = [event["action"] for event in bonafides("audit", "--json", **where).json["data"]]
    assert actions == ["api_key.revoked", "api_key.rotated", "api_key.created", "tenant.founded"]
    assert bonafides("doctor", **where).status == 0
    assert bonafides("verify", "-", stdin=told["api_key"], **where).status == 0
