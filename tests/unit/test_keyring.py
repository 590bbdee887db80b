"""The pepper file: nobody else reads it, nothing half-written is believed, and no pepper is ever lost."""

from __future__ import annotations

import os
import secrets
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bonafides.errors import Misconfigured
from bonafides.keyring import load_peppers, make_peppers, require_peppers, rotate_pepper
from bonafides.secret import parse_pepper
from bonafides.settings import Settings

ONE, TWO = "1" * 64, "2" * 64


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the pepper file is; nothing is there yet."""
    return tmp_path / "bonafides.pepper"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an installation in a folder of its own."""
    return Settings(database=str(tmp_path / "bonafides.db"))


def write(path: Path, text: str, mode: int = 0o600) -> None:
    """A pepper file as an operator may have left it."""
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def refusal(settings: Settings) -> str:
    """The sentence with which loading the peppers is refused."""
    with pytest.raises(Misconfigured) as caught:
        load_peppers(settings)
    return caught.value.public


def ids(*peppers: str) -> tuple[str, ...]:
    """The ids of these peppers."""
    return tuple(parse_pepper(pepper).id for pepper in peppers)


def test_peppers_in_the_settings_win_over_the_file(settings: Settings, path: Path) -> None:
    """A container that gets its peppers from a secret store would use a stray file instead."""
    write(path, "not a pepper", 0o644)
    named = Settings(database=settings.database, peppers=f"{ONE},{TWO}")
    found = load_peppers(named)
    assert found is not None
    assert found.ids == ids(ONE, TWO)


def test_the_file_holds_peppers_newest_first(settings: Settings, path: Path) -> None:
    """New keys would be digested under the pepper that is about to be retired."""
    write(path, f"\n{ONE}\r\n  {TWO}\n\n")
    assert require_peppers(settings).ids == ids(ONE, TWO)
    assert require_peppers(settings).newest_id == ids(ONE)[0]


def test_no_file_is_no_pepper(settings: Settings, path: Path) -> None:
    """A first start would be refused, or a start without the old pepper would look like a first one."""
    assert load_peppers(settings) is None
    with pytest.raises(Misconfigured, match="Restore it from a backup") as caught:
        require_peppers(settings)
    assert str(path) in caught.value.public


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o601])
def test_a_file_that_others_may_touch_is_refused(settings: Settings, path: Path, mode: int) -> None:
    """Whoever has the pepper and a copy of the database can try keys without the server."""
    write(path, ONE, mode)
    assert refusal(settings) == f"The pepper file {path} can be read by others. Run: chmod 600 {path}"


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_that_only_its_owner_reads_is_taken(settings: Settings, path: Path, mode: int) -> None:
    """A file mounted read-only would be refused."""
    write(path, ONE, mode)
    assert require_peppers(settings).ids == ids(ONE)


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_an_empty_file_is_refused(settings: Settings, path: Path, text: str) -> None:
    """After a full disk the server would make a new pepper, and refuse every key that there is."""
    write(path, text)
    assert "is empty. Restore it from a backup" in refusal(settings)


@pytest.mark.parametrize(
    "text", ["hunter2", ONE[:62], ONE + "\n" + "zz" * 32, "ä" * 64, "#" + ONE, "12" * 65]
)
def test_a_malformed_pepper_is_refused_without_repeating_it(
    settings: Settings, path: Path, text: str
) -> None:
    """A truncated pepper would digest every key differently, or be shown in a log."""
    write(path, text)
    told = refusal(settings)
    assert told.startswith("A pepper must be 64 to 128 hexadecimal digits.")
    assert text.rsplit(maxsplit=1)[-1] not in told


def test_a_file_that_cannot_be_read_says_why(settings: Settings, path: Path) -> None:
    """A failed mount, which leaves a folder, would look like a first start."""
    path.mkdir()
    assert refusal(settings) == f"The pepper file {path} cannot be read: Is a directory."


def test_the_first_pepper_is_made_for_its_owner_alone_and_then_kept(settings: Settings, path: Path) -> None:
    """The pepper would change at every start, or be readable by everybody on the machine."""
    before = os.umask(0)
    try:
        made = make_peppers(settings, secrets.token_bytes)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_text(encoding="ascii").strip()) == 64
    assert make_peppers(settings, secrets.token_bytes).ids == made.ids == require_peppers(settings).ids
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_first_starts_at_the_same_time_agree_on_one_pepper(settings: Settings, path: Path) -> None:
    """Two workers would each digest keys that the other cannot find, or one would read half a file."""
    with ThreadPoolExecutor(8) as pool:
        made = {
            future.result().ids
            for future in [pool.submit(make_peppers, settings, secrets.token_bytes) for _ in range(32)]
        }
    assert made == {require_peppers(settings).ids}
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_pepper_that_somebody_else_made_meanwhile_is_kept(settings: Settings, path: Path) -> None:
    """The slower of two first starts would overwrite the pepper that keys were already made with."""

    def entropy(count: int) -> bytes:
        if not path.exists():
            write(path, ONE)
        return secrets.token_bytes(count)

    assert make_peppers(settings, entropy).ids == ids(ONE)
    assert path.read_text(encoding="ascii") == ONE


def test_a_folder_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    """Whoever starts the server would see a traceback."""
    settings = Settings(pepper_file=str(tmp_path / "missing" / "pepper"))
    with pytest.raises(Misconfigured) as caught:
        make_peppers(settings, secrets.token_bytes)
    assert caught.value.public.endswith("missing/pepper cannot be written: No such file or directory.")


def test_a_full_disk_leaves_no_half_file(
    settings: Settings, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next start would believe an empty or truncated pepper."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(Misconfigured, match="No space left on device"):
        make_peppers(settings, secrets.token_bytes)
    assert list(path.parent.iterdir()) == []


def test_rotating_puts_a_new_pepper_in_front_and_keeps_the_others(settings: Settings, path: Path) -> None:
    """Keys made before the rotation would all be refused."""
    write(path, f"{ONE}\n{TWO}\n", 0o400)
    newest = rotate_pepper(settings, secrets.token_bytes)
    assert require_peppers(settings).ids == (newest.id, *ids(ONE, TWO))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_rotated_file_belongs_to_whom_it_belonged(
    settings: Settings, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a rotation by root the server, which runs as somebody else, could not read its peppers."""
    write(path, ONE)
    given: list[tuple[int, int]] = []
    monkeypatch.setattr("os.chown", lambda _handle, user, group: given.append((user, group)))
    rotate_pepper(settings, secrets.token_bytes)
    assert given == [(path.stat().st_uid, path.stat().st_gid)]


def test_rotating_what_one_may_not_give_away_still_works(
    settings: Settings, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user whose file has a group of its own could not rotate."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    write(path, ONE)
    monkeypatch.setattr("os.chown", refuse)
    newest = rotate_pepper(settings, secrets.token_bytes)
    assert require_peppers(settings).ids == (newest.id, *ids(ONE))


def test_an_interrupted_rotation_is_not_believed(settings: Settings, path: Path) -> None:
    """A stale file beside it, without the newest pepper, would replace the good one."""
    write(path, ONE)
    beside = path.with_name("bonafides.pepper.new")
    write(beside, TWO)
    with pytest.raises(Misconfigured, match="another rotation is under way, or was interrupted") as caught:
        rotate_pepper(settings, secrets.token_bytes)
    assert str(beside) in caught.value.public
    assert require_peppers(settings).ids == ids(ONE)
    beside.unlink()
    assert require_peppers(settings).ids == ids(ONE)
    assert len(rotate_pepper(settings, secrets.token_bytes).id) == 12


def test_a_rotation_that_fails_leaves_everything_as_it_was(
    settings: Settings, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk would lose the pepper of every key that there is."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    write(path, ONE)
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(Misconfigured, match="cannot be written: No space left on device"):
            rotate_pepper(settings, secrets.token_bytes)
    assert path.read_text(encoding="ascii") == ONE
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_peppers_in_the_settings_are_not_ours_to_rotate(settings: Settings, path: Path) -> None:
    """A file would be rotated that nobody reads."""
    named = Settings(database=settings.database, peppers=ONE)
    with pytest.raises(Misconfigured, match="in BONAFIDES_PEPPERS: put a new one in front"):
        rotate_pepper(named, secrets.token_bytes)
    assert not path.exists()


def test_there_must_be_a_pepper_to_rotate(settings: Settings, path: Path) -> None:
    """A rotation in the wrong folder would make a pepper for no database."""
    with pytest.raises(Misconfigured, match="Run: bonafides init"):
        rotate_pepper(settings, secrets.token_bytes)
    assert not path.exists()
