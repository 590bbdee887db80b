"""`bonafides peppers rotate`: a new key for the digests, and no key of anybody's lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Bonafides


def test_every_key_survives_a_rotation(
    bonafides: Bonafides, founded: dict[str, str], make_key: Callable[..., dict[str, Any]], home: Path
) -> None:
    """A rotation of the pepper would be an outage for every client."""
    before = make_key()["key"]
    old = (home / "bonafides.pepper").read_text().split()
    told = bonafides("peppers", "rotate", "--json")
    assert (told.status, told.err) == (0, "")
    new = (home / "bonafides.pepper").read_text().split()
    assert new[1:] == old
    assert told.json["newest"] == told.json["peppers"][0]
    assert len(told.json["peppers"]) == 2
    assert new[0] not in told.out
    after = make_key()["key"]
    for key in (founded["api_key"], before, after):
        assert bonafides("verify", "-", stdin=key).status == 0
    cursor = bonafides("keys", "list", "--limit", "1", "--json").json["next_cursor"]
    people = bonafides("peppers", "rotate").out
    assert "Restart every server now" in people
    assert "first of 3" in people
    assert bonafides("keys", "list", "--cursor", cursor).status == 0


@pytest.mark.parametrize(
    ("environment", "reason"),
    [({}, "Run: bonafides init"), ({"BONAFIDES_PEPPERS": "ab" * 32}, "put a new one in front there")],
)
def test_there_must_be_a_file_to_rotate(
    bonafides: Bonafides, home: Path, environment: dict[str, str], reason: str
) -> None:
    """A file would be made that nothing reads."""
    done = bonafides("peppers", "rotate", **environment)
    assert (done.status, done.out) == (1, "")
    assert reason in done.err
    assert list(home.iterdir()) == []
