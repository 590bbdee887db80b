"""`/status` says what works, and a path where nothing is says so in the way that its reader reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bonafides.errors import Unavailable
from tests.pages.browsing import Browser
from tests.pages.test_pages import assert_safe
from tests.serving import RunningServer, running, settings_for


@pytest.fixture
def own_server(sqlite_url: str, tmp_path: Path) -> Iterator[RunningServer]:
    """A server of a test's own, which it may break."""
    with running(settings_for(sqlite_url, tmp_path)) as server:
        yield server


def test_everything_works_and_nothing_is_given_away(own_server: RunningServer) -> None:
    """A person would have to read what machines ask; a stranger would learn where everything is."""
    read = Browser(own_server).get("/status")
    assert read.status == 200
    assert_safe(read)
    assert "Everything works" in read.words
    for part in ("Database", "Changes", "Limits", "Signing keys", "Mail"):
        assert part in read.words
    for secret in (str(own_server.settings.sqlite_path), "sqlite", "127.0.0.1:587"):
        assert secret not in read.words.lower()


def test_what_does_not_work_is_told_as_readyz_tells_it(
    own_server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page would be green while every request is refused."""
    own_server.rooms.mail.works = False
    read = Browser(own_server).get("/status")
    assert (read.status, "Something does not work" in read.words) == (200, True)

    async def away() -> None:
        raise Unavailable(internal="gone")

    monkeypatch.setattr(own_server.rooms.store, "ping", away)
    read = Browser(own_server).get("/status")
    assert own_server.client().get("/readyz").status_code == read.status == 503
    assert "Requests cannot be answered now" in read.words


def test_a_path_where_nothing_is(own_server: RunningServer) -> None:
    """A person would meet JSON after a typing error, and a program a page."""
    for path in ("/nothing", "/settings/nothing", "/docs/errors/x/y", "/%2e%2e"):
        read = Browser(own_server).get(path)
        assert read.status == 404, path
        assert_safe(read)
        assert "There is nothing at this path" in read.words
        for accept in ("*/*", "application/json"):
            answer = own_server.client().get(path, headers={"Accept": accept})
            assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
