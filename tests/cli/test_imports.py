"""`bonafides keys import`: a file of each program that people leave, and a key of it that goes on working."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from rich.console import Console

from tests.cli.conftest import EMAIL, Bonafides, Done

KEY = "sk_live_from_elsewhere"
SHA256 = hashlib.sha256(KEY.encode())


def import_file(bonafides: Bonafides, home: Path, text: str, *options: str, name: str = "keys.txt") -> Done:
    """Import a file."""
    (home / name).write_text(text, encoding="utf-8")
    return bonafides("keys", "import", name, *options, "--json")


def is_good(bonafides: Bonafides, key: str = KEY) -> bool:
    """Whether a key verifies."""
    return bonafides("verify", "-", stdin=key).status == 0


def told(done: Done) -> tuple[str, int, int, int]:
    """The format that was recognised, and how many were imported, there already, and refused."""
    report: dict[str, Any] = done.json
    return report["format"], report["imported"], report["already_here"], report["refused"]


FILES = {
    "csv": f"hash,name\n{SHA256.hexdigest()},a key\n",
    "jsonl": json.dumps({"hash": base64.b64encode(SHA256.digest()).decode(), "name": "a key"}) + "\n",
    "kong": f"_format_version: '3.0'\nconsumers:\n- username: ada\n  keyauth_credentials:\n  - key: {KEY}\n",
    "unkey": json.dumps(
        [{"hash": base64.b64encode(SHA256.digest()).decode(), "key_auth_id": "ks_1", "start": "sk_l"}]
    ),
    "drf": (
        "hashed_key,prefix,name,revoked\n"
        f"sha512$${hashlib.sha512(KEY.encode()).hexdigest()},sk_live_,a key,f\n"
    ),
}


@pytest.mark.usefixtures("founded")
@pytest.mark.parametrize("form", FILES)
def test_a_file_of_each_program_is_recognised_and_its_key_works(
    bonafides: Bonafides, home: Path, form: str
) -> None:
    """Who leaves one of them would have to write a program of their own first."""
    done = import_file(bonafides, home, FILES[form])
    assert done.status == 0
    assert told(done) == (form, 1, 0, 0)
    assert is_good(bonafides)
    assert not is_good(bonafides, KEY[:-1])
    again = import_file(bonafides, home, FILES[form], "--format", form)
    assert told(again) == (form, 0, 1, 0)


@pytest.mark.usefixtures("founded")
def test_a_slow_hash_is_compared_once_and_then_no_more(bonafides: Bonafides, home: Path) -> None:
    """A key of bcrypt would cost a quarter of a second for ever."""
    hashed = bcrypt.hashpw(KEY.encode(), bcrypt.gensalt(4)).decode()
    assert import_file(bonafides, home, f"hash,prefix\n{hashed},sk_live_\n").status == 0
    assert is_good(bonafides)
    assert is_good(bonafides)


@pytest.mark.usefixtures("founded")
def test_keyed_digests_come_with_a_file_that_has_their_key(bonafides: Bonafides, home: Path) -> None:
    """On the command line the key would be seen by everybody on the machine."""
    (home / "hmac.key").write_bytes(b"the other program's key\n")
    digest = hmac.digest(b"the other program's key", KEY.encode(), "sha256").hex()
    options = ("--scheme", "hmac-sha256", "--hmac-key-file", "hmac.key")
    assert import_file(bonafides, home, f"hash\n{digest}\n", *options).status == 0
    assert is_good(bonafides)
    missing = import_file(bonafides, home, f"hash\n{digest}\n", *options[:2])
    assert missing.json["refusals"] == [
        {"line": 2, "reason": "has a keyed digest, but the key was not given"}
    ]
    nowhere = import_file(bonafides, home, f"hash\n{digest}\n", *options[:3], "nowhere.key")
    assert nowhere.error["message"] == "nowhere.key cannot be read: No such file or directory."


@pytest.mark.usefixtures("founded")
def test_a_dry_run_changes_nothing(bonafides: Bonafides, home: Path) -> None:
    """Whoever wants to know first would find out by doing it."""
    text = f"hash,scopes\n{SHA256.hexdigest()},read\n{'0' * 64},nonsense\n"
    done = import_file(bonafides, home, text, "--dry-run", "--user", EMAIL, "--scopes", "read")
    assert done.status == 1
    assert done.json["dry_run"] is True
    assert told(done) == ("csv", 1, 0, 1)
    assert not is_good(bonafides)
    assert len(bonafides("keys", "list", "--json").json["data"]) == 1


@pytest.mark.usefixtures("founded")
def test_people_are_told_in_sentences_and_never_a_secret(bonafides: Bonafides, home: Path) -> None:
    """What is printed ends in logs; and a hundred lines of refusals would hide what was done."""
    lines = [f"{KEY} with blanks {number}" for number in range(30)]
    (home / "keys.csv").write_text("\n".join(["key", f"{KEY}-good", *lines]), encoding="utf-8")
    done = bonafides("keys", "import", "keys.csv")
    assert done.status == 1
    assert "csv: 1 imported, 0 already here, 30 refused." in done.out
    assert "line 3: has a key with blanks, or characters that no header can hold" in done.out
    assert "and 10 more; --json tells the first thousand" in done.out
    assert KEY not in done.out + done.err
    dry = bonafides("keys", "import", "keys.csv", "--dry-run")
    assert "csv: 0 would be imported, 1 already here, 30 refused." in dry.out


@pytest.mark.usefixtures("founded")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere.csv",), "nowhere.csv cannot be read: No such file or directory."),
        (("empty.csv",), "names of its columns"),
        (("keys.csv", "--scheme", "md5"), "scheme must be one of sha256, sha512"),
        (("keys.csv", "--user", "nobody@example.com"), "There is no user"),
    ],
)
def test_what_cannot_be_done_is_told_at_once(
    bonafides: Bonafides, home: Path, arguments: tuple[str, ...], message: str
) -> None:
    """A traceback, or a report of nothing, would leave people guessing."""
    (home / "empty.csv").write_text("", encoding="utf-8")
    (home / "keys.csv").write_text(FILES["csv"], encoding="utf-8")
    done = bonafides("keys", "import", *arguments, "--json")
    assert done.status == 1
    assert message in done.error["message"]


@pytest.mark.usefixtures("founded")
def test_a_terminal_shows_how_far_it_is(
    bonafides: Bonafides, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Minutes without a word look like a program that hangs."""

    def terminal() -> Console:
        return Console(file=sys.stderr, force_terminal=True, width=120)

    monkeypatch.setattr("bonafides.cli.imports.error_console", terminal)
    done = import_file(bonafides, home, FILES["csv"])
    assert done.status == 0
    assert "1 imported, 0 already here, 0 refused" in done.err
    assert "100 %" in done.err
