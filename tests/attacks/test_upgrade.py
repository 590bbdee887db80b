"""An upgrade, of the program or of the pepper, neither breaks a key nor brings one back, and lays none open."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from alembic.script import ScriptDirectory

from bonafides.app import prepare, upgrade
from bonafides.installation import Founded
from bonafides.secret import new_pepper, parse_pepper
from bonafides.store.migrations import configuration
from bonafides.store.tables import REVISION
from tests.attacks.cast import OWN_SCOPE
from tests.attacks.pathways import everywhere, outcomes
from tests.serving import FakeClock, RunningServer, serving, settings_for

WRITTEN: Final = Path(__file__).parent / "upgrades"
REVISIONS: Final = sorted(path.stem for path in WRITTEN.glob("*.sql"))
EXTREMES: Final = [REVISIONS[0], REVISIONS[-1]]
"""After the upgrade all are alike: what comes then is tried with the oldest and the youngest."""


class Old:
    """An installation as an earlier program left it.

    Args:
        revision: Its schema.
        folder: Where its database is put.
    """

    def __init__(self, revision: str, folder: Path) -> None:
        self.facts: dict[str, Any] = json.loads((WRITTEN / f"{revision}.json").read_text(encoding="utf-8"))
        self.path = folder / "old.db"
        self.folder = folder
        connection = sqlite3.connect(self.path)
        connection.executescript((WRITTEN / f"{revision}.sql").read_text(encoding="utf-8"))
        connection.close()
        self.path.chmod(0o600)
        self.clock = FakeClock(self.facts["now_us"] + 3_600_000_000)

    @property
    def keys(self) -> dict[str, dict[str, Any]]:
        """Every key that was made, with how it must fare."""
        found: dict[str, dict[str, Any]] = self.facts["keys"]
        return found

    def digests(self) -> dict[str, tuple[bytes, str]]:
        """What the database keeps of each key's secret."""
        connection = sqlite3.connect(self.path)
        rows = connection.execute("SELECT id, digest, pepper_id FROM credentials").fetchall()
        connection.close()
        return {identifier: (digest, pepper_id) for identifier, digest, pepper_id in rows}

    @contextmanager
    def served(self, *peppers: str) -> Iterator[RunningServer]:
        """Upgrade it and serve it."""
        settings = settings_for(
            f"sqlite:///{self.path}",
            self.folder,
            peppers=",".join(peppers or (self.facts["pepper"],)),
            scopes=(OWN_SCOPE,),
        )
        asyncio.run(upgrade(settings))
        founded = Founded("", "", "", "", self.facts["admin"])
        with serving(settings, founded, self.clock) as server:
            server.create_plan("enterprise")
            server.create_plan("free")
            yield server


@pytest.fixture(params=REVISIONS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Old:
    """An installation of each revision."""
    return Old(request.param, tmp_path)


def test_every_revision_is_represented() -> None:
    """Attack 5: the revision that nobody tried is the one that breaks everybody's keys."""
    revisions = {
        revision.revision for revision in ScriptDirectory.from_config(configuration()).walk_revisions()
    }
    assert revisions - {REVISION} <= set(REVISIONS) <= revisions


def test_every_key_is_what_it_was(old: Old) -> None:
    """Attack 5 (better-auth #5397, #4080): after an upgrade, keys were unknown, or those that had ended worked again."""
    with old.served() as server:
        for name, key in old.keys.items():
            assert outcomes(server, key["key"]) == everywhere(key["expected"]), name
            if key["expected"] == "accepted":
                shown = server.client(key["key"]).get("/v1/auth/verify").json()
                assert (shown["credential"]["id"], shown["scopes"]) == (key["id"], key["scopes"]), name
        assert asyncio.run(prepare(server.settings, "eve@example.com", clock=old.clock)) is None


def test_no_digest_changes_and_no_secret_appears(old: Old) -> None:
    """Attack 5: an upgrade once wrote keys into the database as they are."""
    before = old.digests()
    with old.served() as server:
        assert old.digests() == before
        for key in old.keys.values():
            outcomes(server, key["key"])
        assert old.digests() == before, "under the same pepper, use changes nothing either"
    held = b"".join(file.read_bytes() for file in old.folder.glob("old.db*"))
    for key in old.keys.values():
        assert key["key"].split("_")[2][22:].encode() not in held
    assert all(len(digest) == 32 for digest, _ in before.values())


@pytest.mark.parametrize("old", EXTREMES, indirect=True)
def test_a_new_pepper_breaks_no_key(old: Old) -> None:
    """Attack 5, ASVS 13.3.4: a pepper that cannot be changed without everybody's new keys is never changed."""
    newest = new_pepper(secrets.token_bytes)
    with old.served(newest, old.facts["pepper"]) as server:
        for name, key in old.keys.items():
            assert outcomes(server, key["key"]) == everywhere(key["expected"]), name
        made = server.create_key()
    with old.served(newest, old.facts["pepper"]) as server:
        assert outcomes(server, made["key"]) == everywhere("accepted")


@pytest.mark.parametrize("old", EXTREMES, indirect=True)
def test_an_old_pepper_can_be_taken_away(old: Old) -> None:
    """Attack 5, ASVS 13.3.4: who rotates because a pepper leaked needs it to count for nothing in the end."""
    newest, oldest = new_pepper(secrets.token_bytes), old.facts["pepper"]
    used = [key for key in old.keys.values() if key["expected"] == "accepted"]
    newest_id = parse_pepper(newest).id
    with old.served(newest, oldest) as server:
        for key in used:
            assert server.client(key["key"]).get("/v1/auth/verify").status_code == 200
        deadline = time.monotonic() + 10
        while {pepper_id for _, pepper_id in (old.digests()[key["id"]] for key in used)} != {newest_id}:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        server.admin.get("/v1/auth/verify")
    with old.served(newest) as server:
        for key in used:
            assert outcomes(server, key["key"]) == everywhere("accepted")
        for name in ("disabled", "of a network"):
            assert outcomes(server, old.keys[name]["key"]) == everywhere("invalid_api_key")


def test_what_was_written_holds_no_secret() -> None:
    """ASVS 11.4.1: the database of an earlier program, too, keeps digests alone."""
    for revision in REVISIONS:
        text = (WRITTEN / f"{revision}.sql").read_text(encoding="utf-8")
        assert re.search(r"bf_key_[0-9A-Za-z]{44}_", text) is None
        assert "$argon2id$" in text
