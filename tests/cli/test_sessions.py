"""`bonafides sessions`: who is logged in, and ending it from the server's own machine."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bonafides.app import SystemClock, open_rooms
from bonafides.credentials.guesses import Visitor
from bonafides.keyring import require_peppers
from bonafides.settings import Settings
from tests.cli.conftest import EMAIL, Bonafides


@pytest.fixture
def logged_in(home: Path, founded: dict[str, str]) -> None:
    """Two sessions of the founder."""

    async def log_in() -> None:
        settings = Settings(database=str(home / "bonafides.db"))
        async with open_rooms(settings, require_peppers(settings), clock=SystemClock()) as rooms:
            for device in ("a browser", "a telephone"):
                visitor = Visitor("192.0.2.1", "192.0.2.1", device)
                assert await rooms.sessions.login(EMAIL, founded["password"], visitor)

    asyncio.run(log_in())


@pytest.mark.usefixtures("logged_in")
def test_sessions_are_listed_and_ended(bonafides: Bonafides) -> None:
    """Whoever has lost their laptop asks the operator to log it out."""
    listed = bonafides("sessions", "list", "--user", EMAIL, "--json").json["data"]
    assert {session["device"] for session in listed} == {"a browser", "a telephone"}
    assert "a telephone" in bonafides("sessions", "list").out
    done = bonafides("sessions", "end", listed[0]["id"])
    assert (done.status, done.out) == (0, "Ended 1 session.\n")
    assert bonafides("sessions", "end", listed[0]["id"]).status == 1
    assert bonafides("sessions", "end", "--user", EMAIL, "--json").json == {"ended": 1}
    assert bonafides("sessions", "end", "--user", EMAIL).out == "Ended 0 sessions.\n"
    assert bonafides("sessions", "list", "--json").json["data"] == []


def test_one_of_the_two_is_named(bonafides: Bonafides, founded: dict[str, str]) -> None:
    """A slip would end everybody's sessions, or nobody's."""
    assert founded
    for words in ([], ["ses_x", "--user", EMAIL]):
        assert bonafides("sessions", "end", *words, "--json").error["error"] == "invalid_request"
