"""`bonafides signing-keys`: what signs, and a rotation by hand."""

from __future__ import annotations

from tests.cli.conftest import Bonafides


def test_keys_are_listed_and_rotated(bonafides: Bonafides, founded: dict[str, str]) -> None:
    """The operator whose key has leaked could not take it out of use."""
    assert founded
    (current, following) = bonafides("signing-keys", "list", "--json").json["data"]
    assert (current["status"], following["status"]) == ("current", "next")
    early = bonafides("signing-keys", "rotate", "--json")
    assert early.status == 1
    assert early.error["error"] == "conflict"
    done = bonafides("signing-keys", "rotate", "--force", "--json")
    assert (done.status, done.err) == (0, "")
    assert [key["status"] for key in done.json["data"]] == ["current", "next", "retired"]
    assert (done.json["data"][0]["id"], done.json["data"][2]["id"]) == (following["id"], current["id"])
    shown = bonafides("signing-keys", "list").out
    assert "EdDSA" in shown
    assert bonafides("audit", "--action", "signing_key.rotated", "--json").json["data"]
