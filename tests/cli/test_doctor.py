"""`bonafides doctor`: what is wrong is found, and said how to mend."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bonafides.app import SystemClock
from bonafides.cli import checks
from bonafides.cli.checks import Check, State
from bonafides.errors import Unavailable
from bonafides.settings import Settings
from bonafides.store.sql import SqlStore
from tests.cli.conftest import Bonafides, Done
from tests.valkey import RIGHTS, ValkeyServer

PEPPERS = {"BONAFIDES_PEPPERS": "ab" * 32}
SAFE = {
    "BONAFIDES_PRODUCTION": "true",
    "BONAFIDES_PUBLIC_URL": "https://api.example.com",
    "BONAFIDES_TRUSTED_PROXIES": "127.0.0.1",
}


def found(done: Done, state: str) -> dict[str, str]:
    """The message and the remedy of each check in this state, by name."""
    told: dict[str, Any] = done.json
    assert set(told) == {"ok", "checks"}
    assert all(set(check) == {"name", "state", "message", "mend"} for check in told["checks"])
    assert all((check["mend"] is None) is (check["state"] == "ok") for check in told["checks"])
    assert (
        told["ok"] is (done.status == 0) is not any(check["state"] == "failure" for check in told["checks"])
    )
    told_of: dict[str, str] = {}
    for check in told["checks"]:
        if check["state"] == state:
            told_of[check["name"]] = f"{told_of.get(check['name'], '')} {check['message']} {check['mend']}"
    return told_of


@pytest.mark.usefixtures("founded")
def test_a_sound_installation_is_found_sound(bonafides: Bonafides) -> None:
    """An operator would learn to ignore warnings about nothing."""
    done = bonafides("doctor", "--json", **SAFE)
    assert done.status == 0
    assert found(done, "failure") == found(done, "warning") == {}
    assert {
        "python",
        "clock",
        "settings",
        "file permissions",
        "disk",
        "pepper",
        "database",
        "writing",
        "digests",
    } == set(found(done, "ok"))
    assert bonafides("doctor", **SAFE).out.splitlines()[-1] == "All is well."


@pytest.mark.usefixtures("founded")
def test_people_see_marks_and_remedies(bonafides: Bonafides, home: Path) -> None:
    """A person would have to read JSON."""
    lines = bonafides("doctor").out.splitlines()
    assert any(line.startswith("✓ python: Python 3.") for line in lines)
    assert any(line.startswith("! settings: Production mode would refuse: public_url") for line in lines)
    assert lines[-1] == "Nothing is wrong. Warnings: 1."
    (home / "bonafides.pepper").chmod(0o644)
    done = bonafides("doctor")
    assert done.status == 1
    assert "✗ pepper: The pepper file bonafides.pepper can be read by others." in done.out
    assert done.out.splitlines()[-1] == "Something is wrong: mend what is marked ✗."


def test_an_empty_folder_is_no_failure(bonafides: Bonafides, home: Path) -> None:
    """A first-time user would be frightened, or find a database that the check has made."""
    done = bonafides("doctor", "--json")
    assert "Run: bonafides init" in found(done, "warning")["database"]
    assert done.status == 0
    assert list(home.iterdir()) == []
    assert bonafides("migrate").status == 0
    done = bonafides("doctor", "--json")
    assert "Run: bonafides init" in found(done, "warning")["installation"]


@pytest.mark.usefixtures("founded")
@pytest.mark.parametrize("mode", [0o644, 0o666])
def test_files_that_others_may_read_are_found(bonafides: Bonafides, home: Path, mode: int) -> None:
    """Digests and password hashes could be copied by everybody on the machine."""
    (home / "bonafides.db").chmod(mode)
    done = bonafides("doctor", "--json", **SAFE)
    assert "Run: chmod 600 bonafides.db" in found(done, "warning")["file permissions"]
    (home / "bonafides.toml").write_text('host = "127.0.0.1"\n')
    (home / "bonafides.toml").chmod(mode)
    assert found(bonafides("doctor", "--json", **SAFE), "failure") == {}
    (home / "bonafides.toml").write_text('peppers = ["' + "ab" * 32 + '"]\n')
    done = bonafides("doctor", "--json", **SAFE)
    assert "bonafides.toml holds a secret" in found(done, "failure")["settings file"]
    assert "ab" * 32 not in done.out


@pytest.mark.usefixtures("founded")
def test_a_folder_that_others_may_write_is_found(bonafides: Bonafides, home: Path) -> None:
    """Somebody else could put a database and a pepper of theirs in place of ours."""
    home.chmod(0o777)
    try:
        assert "chmod go-w" in found(bonafides("doctor", "--json"), "warning")["folder permissions"]
        home.chmod(0o1777)
        assert "folder permissions" not in found(bonafides("doctor", "--json"), "warning")
    finally:
        home.chmod(0o700)


@pytest.mark.usefixtures("founded")
def test_a_pepper_that_is_gone_is_found(bonafides: Bonafides, home: Path) -> None:
    """Every key would be refused, and nobody would know why."""
    kept = (home / "bonafides.pepper").read_bytes()
    (home / "bonafides.pepper").unlink()
    assert "Restore it from a backup" in found(bonafides("doctor", "--json"), "failure")["pepper"]
    done = bonafides("doctor", "--json", **PEPPERS)
    assert "1 credentials were digested with the pepper" in found(done, "failure")["pepper"]
    assert "BONAFIDES_PEPPERS" in found(done, "failure")["pepper"]
    assert "digests" not in found(done, "ok")
    (home / "bonafides.pepper").write_bytes(b"")
    (home / "bonafides.pepper").chmod(0o600)
    assert "is empty" in found(bonafides("doctor", "--json"), "failure")["pepper"]
    (home / "bonafides.pepper").write_bytes(kept)
    assert found(bonafides("doctor", "--json"), "failure") == {}


def test_an_old_pepper_is_kept_until_it_digests_nothing(
    bonafides: Bonafides, make_key: Callable[..., dict[str, Any]], home: Path
) -> None:
    """An operator would drop a pepper too early, and keys with it, or keep peppers for ever."""
    make_key()
    bonafides("peppers", "rotate")
    assert "2 credentials are still under" in found(bonafides("doctor", "--json", **SAFE), "ok")["pepper"]
    lines = (home / "bonafides.pepper").read_text().split()
    (home / "bonafides.pepper").write_text("\n".join([*lines, "cd" * 32]))
    done = bonafides("doctor", "--json", **SAFE)
    assert "digests no credential any more. Remove it from" in found(done, "warning")["pepper"]
    (home / "bonafides.pepper").write_text("\n".join([*lines, lines[0]]))
    assert "holds a pepper twice" in found(bonafides("doctor", "--json", **SAFE), "warning")["pepper"]
    assert done.status == 0


@pytest.mark.usefixtures("founded")
def test_valkey_is_looked_at(bonafides: Bonafides, own_valkey: ValkeyServer) -> None:
    """An operator would see 503 and not know why; or limits that begin anew, and never know."""
    with own_valkey.client() as client:
        client.acl_setuser(
            "limits", enabled=True, passwords=["+hunter2"], commands=RIGHTS, keys=["bonafides:*"]
        )
    url = f"valkey://limits:hunter2@127.0.0.1:{own_valkey.port}"
    done = bonafides("doctor", "--json", **SAFE, BONAFIDES_VALKEY=url)
    assert done.status == 0
    assert f"valkey://127.0.0.1:{own_valkey.port} answers: Valkey 9" in found(done, "ok")["valkey"]
    assert "one server" in found(done, "ok")["valkey"]
    assert found(done, "warning") == {}
    with own_valkey.client() as client:
        client.config_set("maxmemory", "100mb")
        client.config_set("maxmemory-policy", "volatile-ttl")
    done = bonafides("doctor", "--json", **SAFE, BONAFIDES_VALKEY=url)
    assert "volatile-ttl" in found(done, "warning")["valkey memory"]
    own_valkey.stop()
    done = bonafides("doctor", "--json", **SAFE, BONAFIDES_VALKEY=url)
    assert done.status == 1
    assert "cannot be asked" in found(done, "failure")["valkey"]
    assert "hunter2" not in done.out
    far = {"BONAFIDES_VALKEY": "valkey://203.0.113.1.invalid"}
    assert "valkeys://" in found(bonafides("doctor", "--json", **SAFE, **far), "warning")["valkey tls"]
    far = {"BONAFIDES_VALKEY": "valkeys://203.0.113.1.invalid"}
    assert "valkey tls" not in found(bonafides("doctor", "--json", **SAFE, **far), "warning")


@pytest.mark.usefixtures("founded")
def test_valkey_without_its_client_is_one_sentence(
    bonafides: Bonafides, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever installed Bonafides alone would get a traceback that names a library."""
    monkeypatch.setitem(sys.modules, "bonafides.store.valkey", None)
    done = bonafides("doctor", "--json", BONAFIDES_VALKEY="valkey://127.0.0.1:1")
    assert "pip install 'bonafides[valkey]'" in found(done, "failure")["valkey"]
    done = bonafides("plans", "list", BONAFIDES_VALKEY="valkey://127.0.0.1:1")
    assert "pip install 'bonafides[valkey]'" in done.err


@pytest.mark.usefixtures("founded")
@pytest.mark.parametrize(
    ("settings", "name", "advice"),
    [
        ({"BONAFIDES_PUBLIC_URL": "https://api.example.com"}, "proxy", "BONAFIDES_TRUSTED_PROXIES"),
        ({**SAFE, "BONAFIDES_PRODUCTION": "false"}, "production", "BONAFIDES_PRODUCTION=true"),
        ({"BONAFIDES_ADDRESS_REQUESTS_PER_MINUTE": "none"}, "settings", "set a number"),
    ],
)
def test_unlikely_settings_are_warned_of(
    bonafides: Bonafides, settings: dict[str, str], name: str, advice: str
) -> None:
    """A server would go on the internet with what is only safe on a developer's machine."""
    done = bonafides("doctor", "--json", **settings)
    assert done.status == 0
    assert advice in " ".join(found(done, "warning").values())
    assert name in found(done, "warning")


def test_settings_that_stop_the_start_are_found(bonafides: Bonafides) -> None:
    """The doctor itself would fail where it is needed most."""
    done = bonafides("doctor", "--json", BONAFIDES_DATABSE="x")
    assert done.status == 1
    assert "Did you mean BONAFIDES_DATABASE?" in found(done, "failure")["settings"]
    done = bonafides("doctor", "--json", **SAFE, BONAFIDES_LOG_LEVEL="debug")
    assert "log_level is debug" in found(done, "failure")["settings"]


@pytest.mark.parametrize(
    ("database", "reason"),
    [("garbage.db", "not a database"), ("postgresql://eve:hunter2@127.0.0.1:1/x", "cannot be asked")],
)
def test_a_database_that_does_not_answer_is_found(
    bonafides: Bonafides, home: Path, database: str, reason: str
) -> None:
    """An operator would see 503 and not know why; or the password would be in a ticket."""
    (home / "garbage.db").write_bytes(b"this is no database" * 100)
    done = bonafides("doctor", "--json", "--database", database)
    assert done.status == 1
    assert reason in found(done, "failure")["database"]
    assert "hunter2" not in done.out


def test_a_database_without_encryption_is_warned_of(bonafides: Bonafides) -> None:
    """Digests and password hashes would cross the network in the clear."""
    for url, warned in (
        ("postgresql://127.0.0.1:1/x", False),
        ("postgresql://localhost:1/x", False),
        ("postgresql://203.0.113.1.invalid/x", True),
        ("postgresql://203.0.113.1.invalid/x?sslmode=prefer", True),
        ("postgresql://203.0.113.1.invalid/x?sslmode=verify-full", False),
    ):
        assert (
            "database tls" in found(bonafides("doctor", "--json", "--database", url), "warning")
        ) is warned


@pytest.mark.usefixtures("founded")
def test_a_database_that_takes_no_change_is_found(
    bonafides: Bonafides, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk or a read-only replica would only be noticed when a key cannot be revoked."""

    async def refuse(_: SqlStore, __: datetime) -> None:
        raise Unavailable(internal="attempt to write a readonly database")

    monkeypatch.setattr(SqlStore, "prune", refuse)
    assert "readonly" in found(bonafides("doctor", "--json"), "failure")["writing"]


@pytest.mark.usefixtures("founded")
def test_a_database_that_goes_away_meanwhile_is_found(
    bonafides: Bonafides, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checks that were already made would be lost with a traceback."""

    async def leave(_: SqlStore) -> bool:
        raise Unavailable(internal="connection was closed")

    monkeypatch.setattr(SqlStore, "is_founded", leave)
    assert "connection was closed" in found(bonafides("doctor", "--json"), "failure")["database"]


@pytest.mark.usefixtures("founded")
def test_looking_changes_nothing(bonafides: Bonafides, home: Path) -> None:
    """A check that writes would be in the audit trail, or repair what it should report."""

    def kept() -> tuple[object, ...]:
        return (
            bonafides("audit", "--json").out,
            sorted(path.name for path in home.iterdir()),
            (home / "bonafides.pepper").read_bytes(),
        )

    before = kept()
    bonafides("doctor")
    assert kept() == before


@pytest.mark.usefixtures("founded")
def test_a_clock_that_went_back_is_found(bonafides: Bonafides, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has expired would work again."""
    real = SystemClock.micros
    monkeypatch.setattr(SystemClock, "micros", lambda clock: real(clock) - 3_600_000_000)
    assert "which is yet to come" in found(bonafides("doctor", "--json"), "failure")["clock"]
    monkeypatch.setattr(SystemClock, "micros", lambda _: 0)
    assert (
        "1970-01-01T00:00:00Z here, which cannot be"
        in found(bonafides("doctor", "--json"), "failure")["clock"]
    )


@pytest.mark.parametrize(("years", "state"), [(-10, State.FAILURE), (0, State.OK), (200, State.FAILURE)])
def test_a_clock_that_cannot_be_right_is_found(years: int, state: State) -> None:
    """A machine without a battery would let every expired key in."""
    now = datetime(2030, 1, 1, tzinfo=UTC) + timedelta(days=366 * years)
    assert checks.clock_itself(now).state is state


@pytest.mark.parametrize(
    ("free", "state"),
    [(0, State.FAILURE), (10**8, State.FAILURE), (10**9, State.WARNING), (10**11, State.OK)],
)
def test_a_disk_that_fills_up_is_found(free: int, state: State) -> None:
    """Nothing could be revoked any more, before anybody noticed."""
    assert checks.disk_space(Path("/"), free).state is state


@pytest.mark.usefixtures("founded")
def test_a_database_out_of_wal_mode_is_found(bonafides: Bonafides, home: Path) -> None:
    """Readers would wait for the writer, on a network share that does not know WAL."""
    path = home / "rollback.db"
    shutil.copyfile(home / "bonafides.db", path)
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.seek(18)
        file.write(b"\x01\x01")
    noticed: list[Check] = list(checks.check_files(Settings(database=str(path)), home))
    assert [check.name for check in noticed if check.state is State.WARNING] == ["journal"]
    done = bonafides("doctor", "--database", "rollback.db", BONAFIDES_PEPPER_FILE="bonafides.pepper")
    assert done.status == 0, done.out


def test_a_file_that_cannot_be_written_is_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that runs as another user would answer 503 to every change."""
    path = home / "keys.db"
    path.touch(0o600)
    monkeypatch.setattr("os.access", lambda name, _: Path(name) != path)
    (failed,) = [
        check
        for check in checks.check_files(Settings(database=str(path)), home)
        if check.state is State.FAILURE
    ]
    assert "cannot be written by this user" in failed.message
