"""Passwords: argon2id, checked exactly as received, a bounded number at once."""

from __future__ import annotations

import asyncio
import os
import threading
import time

import pytest

from bonafides.credentials.passwords import Passwords
from bonafides.errors import Unavailable


async def test_a_password_matches_itself_alone() -> None:
    """ASVS 6.2.8: whoever comes close must not get in; case, spaces and look-alikes are the user's own choice."""
    passwords = Passwords()
    encoded = await passwords.hash("Passwört² ")
    # Another keyboard writes the same letter in two parts.
    for same in ("Passwört² ", "Passwo\u0308rt² "):
        assert await passwords.check(same, encoded)
    for other in ("passwört² ", "Passwört²", "Passwört2 ", "Passwort² ", "", "\ud800"):
        assert not await passwords.check(other, encoded)


async def test_a_hash_is_argon2id_with_what_owasp_asks_and_a_salt_of_its_own() -> None:
    """ASVS 11.4.2: a stolen table must cost its thief 19 MiB and two passes a guess, for each user anew."""
    passwords = Passwords()
    one, other = await passwords.hash("same"), await passwords.hash("same")
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert one != other
    assert "same" not in one


@pytest.mark.parametrize("encoded", ["", "plain", "$argon2id$v=19$m=1", "$2b$12$abcdefghijklmnopqrstuv"])
async def test_a_damaged_hash_matches_nothing(encoded: str) -> None:
    """A row that was damaged is a refused login, not a crash and not an open door."""
    assert not await Passwords().check("plain", encoded)


async def test_no_more_than_so_many_are_hashed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of logins would otherwise take 19 MiB each, until the server is killed."""
    passwords = Passwords(at_once_max=2)
    lock, running, most = threading.Lock(), [0], [0]

    class Slow:
        """Counts how many hashes are under way."""

        def hash(self, password: str) -> str:
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            time.sleep(0.005)
            with lock:
                running[0] -= 1
            return password

        def verify(self, encoded: str, password: str) -> bool:
            return self.hash(password) == encoded

    monkeypatch.setattr(passwords, "_hasher", Slow())
    outcomes = await asyncio.gather(
        *(passwords.hash("x") for _ in range(6)), *(passwords.check("x", "x") for _ in range(6))
    )
    assert outcomes == ["x"] * 6 + [True] * 6
    assert most == [2]


async def test_nothing_is_cut_off() -> None:
    """ASVS 6.2.9, ASVS 6.2.8: of a long password, every character counts."""
    passwords = Passwords(memory_kib=8, passes=1)
    encoded = await passwords.hash("x" * 255 + "y")
    assert await passwords.check("x" * 255 + "y", encoded)
    assert not await passwords.check("x" * 255 + "z", encoded)


async def test_nobodys_hash_is_checked_like_any_other_and_is_nobodys() -> None:
    """Attack 43: the time would tell whether there is such a user."""
    passwords = Passwords()
    encoded = passwords.nobodys(os.urandom)
    parts, others = encoded.split("$"), (await passwords.hash("x")).split("$")
    assert [len(part) for part in parts] == [len(part) for part in others]
    assert parts[:4] == others[:4]
    assert passwords.nobodys(os.urandom) != encoded
    assert not await passwords.check("", encoded)


async def test_a_crowd_is_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of logins would hold the memory of each until all are checked."""
    monkeypatch.setattr("bonafides.credentials.passwords._WAITING_MAX", 2)
    passwords = Passwords(at_once_max=1)
    outcomes = await asyncio.gather(*(passwords.hash("x") for _ in range(3)), return_exceptions=True)
    assert sum(isinstance(outcome, Unavailable) for outcome in outcomes) == 1
    assert (await passwords.hash("x")).startswith("$argon2id$")


async def test_another_process_hashes_and_this_one_does_when_there_is_none_any_more() -> None:
    """Attack 43: an answer that is not understood must let nobody in, and a crew that is gone lock nobody out."""
    here = Passwords(memory_kib=8, passes=1)
    asked = []

    async def work(job: bytes) -> bytes:
        asked.append(job)
        return here.work(job)

    async def nonsense(_: bytes) -> bytes:
        return b"rightly"

    async def gone(_: bytes) -> bytes:
        raise BrokenPipeError

    there = Passwords(elsewhere=work)
    encoded = await there.hash("pässword")
    assert encoded.startswith("$argon2id$v=19$m=8,")
    assert await there.check("pässword", encoded)
    assert not await there.check("password", encoded)
    assert len(asked) == 3
    assert not await Passwords(elsewhere=nonsense).check("pässword", encoded)
    alone = Passwords(memory_kib=8, passes=1, elsewhere=gone)
    assert await alone.check("pässword", await alone.hash("pässword"))
