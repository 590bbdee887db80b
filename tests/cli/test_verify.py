"""`bonafides verify`: the answer of the HTTP API, and an exit status that a script can act on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Bonafides, Done

MakeKey = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("given", ["argument", "input", "input with line break"])
def test_a_good_credential(
    bonafides: Bonafides, founded: dict[str, str], make_key: MakeKey, given: str
) -> None:
    """A script could not tell a good key, or would have to show it in the list of processes."""
    made = make_key("--expires-at", "2090-01-01T00:00:00Z", name="ci")
    stdin = made["key"] + ("\n" if given == "input with line break" else "")
    argument = made["key"] if given == "argument" else "-"
    done = bonafides("verify", argument, "--json", stdin="" if given == "argument" else stdin)
    assert (done.status, done.err) == (0, "")
    assert done.json == {
        "valid": True,
        "authenticated": True,
        "user_id": founded["user_id"],
        "scopes": ["read", "write"],
        "expires_at": "2090-01-01T00:00:00Z",
        "tenant_id": founded["tenant_id"],
        "credential": {"id": made["id"], "kind": "api_key", "name": "ci"},
    }


@pytest.mark.usefixtures("founded")
@pytest.mark.parametrize(
    ("credential", "code"),
    [
        ("nonsense", "invalid_api_key"),
        ("", "invalid_api_key"),
        ("bf_key_" + "0" * 44 + "_000000", "invalid_api_key"),
        ("bf_tok_" + "0" * 44 + "_000000", "invalid_token"),
        ("eyJhbGciOiJub25lIn0.e30.", "invalid_token"),
        ("ключ\x00", "invalid_api_key"),
        ("x" * 200_000, "invalid_api_key"),
    ],
)
def test_a_bad_credential(bonafides: Bonafides, credential: str, code: str) -> None:
    """A script would let somebody in, or take a failure of its own for a bad key."""
    done = bonafides("verify", "-", "--json", stdin=credential)
    assert (done.status, done.err) == (1, "")
    assert (done.json["valid"], done.json["code"]) == (False, code)
    assert credential == "" or credential not in done.out


def test_scopes_and_addresses_are_judged(bonafides: Bonafides, make_key: MakeKey) -> None:
    """A key would be called good for what it may not do, or from where it may not come."""
    made = make_key("--scopes", "read,write", "--allowed-ips", "10.0.0.0/8")

    def code(*options: str) -> str | None:
        done = bonafides("verify", "-", *options, "--json", stdin=made["key"])
        told: str | None = done.json.get("code")
        assert done.status == (0 if told is None else 1)
        return told

    near = ("--ip", "10.1.2.3")
    assert (
        code(*near)
        is code(*near, "--scope", "read write")
        is code(*near, "--scope", "read", "--scope", "write")
        is None
    )
    assert code(*near, "--scope", "read,admin") == "insufficient_scope"
    assert code("--ip", "192.0.2.1") == code() == "ip_not_allowed"
    assert code("--ip", "::ffff:10.1.2.3") is None
    assert bonafides("verify", "-", "--ip", "10.0.0.0/8", stdin=made["key"]).status == 2


def test_nothing_is_counted(bonafides: Bonafides, make_key: MakeKey) -> None:
    """Looking at a key would use up its limit, or make it look used."""
    bonafides("plans", "put", "tiny", "--requests-per-hour", "1", "--burst", "1")
    made = make_key("--plan", "tiny")
    assert [bonafides("verify", "-", stdin=made["key"]).status for _ in range(3)] == [0, 0, 0]
    assert bonafides("keys", "show", made["id"], "--json").json["last_used_at"] is None


def test_people_are_told_in_words(bonafides: Bonafides, founded: dict[str, str]) -> None:
    """A person would have to read JSON."""
    good = bonafides("verify", "-", stdin=founded["api_key"]).out
    assert good.startswith("Valid.\n")
    assert founded["user_id"] in good
    assert founded["api_key"] not in good
    bad = bonafides("verify", "x").out
    assert bad.startswith("Not valid.\n")
    assert "The API key provided is invalid." in bad


def test_what_cannot_be_known_is_neither_yes_nor_no(
    bonafides: Bonafides, founded: dict[str, str], home: Path, program: Callable[..., Done]
) -> None:
    """A script would lock everybody out while the database is away, or when its pepper is."""
    key = founded["api_key"]
    (home / "garbage.db").write_bytes(b"this is no database" * 100)
    (home / "newer.db").write_bytes((home / "bonafides.db").read_bytes())
    for environment in (
        {"BONAFIDES_DATABASE": "missing.db"},
        {"BONAFIDES_DATABASE": "garbage.db"},
        {"BONAFIDES_DATABASE": "postgresql://127.0.0.1:1/x"},
        {"BONAFIDES_PEPPER_FILE": "elsewhere"},
        {"BONAFIDES_WORKERS": "none"},
    ):
        done = bonafides("verify", "-", "--json", stdin=key, **environment)
        assert (done.status, done.out) == (3, "")
        assert done.error["message"]
    assert not (home / "missing.db").exists()
    assert bonafides("verify", stdin=key).status == 2
    (home / "bonafides.pepper").unlink()
    assert program("verify", "-", stdin=key).status == 3
