"""What a server does beside answering goes on after a failure, foreseen or not."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bonafides.errors import Unavailable
from tests.serving import running, settings_for


@pytest.mark.parametrize("failure", [Unavailable(internal="away"), RuntimeError("nobody thought of this")])
def test_last_uses_are_written_after_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    """A task that ended quietly would leave every key looking unused, and its owner would delete it."""
    settings = settings_for(f"sqlite:///{tmp_path}/bonafides.db", tmp_path, last_used_flush_seconds=0.02)
    with running(settings) as server:
        key = server.create_key(plan="enterprise")
        client = server.client(key["key"])
        write = server.rooms.store.record_use
        failures: list[Exception] = []

        async def fail_at_first(*arguments: Any) -> None:
            if len(failures) < 3:
                failures.append(failure)
                raise failure
            await write(*arguments)

        monkeypatch.setattr(server.rooms.store, "record_use", fail_at_first)
        deadline = time.monotonic() + 10
        while server.admin.get(f"/v1/api-keys/{key['id']}").json()["last_used_at"] is None:
            assert client.get("/v1/auth/verify").status_code == 200
            assert time.monotonic() < deadline, f"never written after {len(failures)} failures"
            server.clock.advance(2)
        assert len(failures) == 3


def test_a_failure_at_the_end_does_not_spoil_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A drain that ends with a traceback looks like a crash to whoever supervises it."""
    settings = settings_for(f"sqlite:///{tmp_path}/bonafides.db", tmp_path, last_used_flush_seconds=3600)
    with running(settings) as server:
        assert server.admin.get("/v1/auth/verify").status_code == 200

        async def fail(*_: Any) -> None:
            raise RuntimeError("nobody thought of this")

        monkeypatch.setattr(server.rooms.store, "record_use", fail)


def test_usage_that_is_old_is_forgotten(tmp_path: Path) -> None:
    """Counts by the minute would outgrow everything else in the database."""
    settings = settings_for(
        f"sqlite:///{tmp_path}/bonafides.db", tmp_path, usage_minutes_kept_days=1, usage_hours_kept_days=2
    )
    with running(settings) as server:
        rooms, loop = server.rooms, server.loop

        def spans() -> set[int]:
            asyncio.run_coroutine_threadsafe(rooms.uses.flush_counts(), loop).result(20)
            asyncio.run_coroutine_threadsafe(rooms.usage.prune(), loop).result(20)
            with closing(sqlite3.connect(tmp_path / "bonafides.db")) as database:
                return {span for (span,) in database.execute("SELECT DISTINCT span FROM usage_counts")}

        assert server.admin.get("/v1/auth/verify").status_code == 200
        assert spans() == {60, 3600, 86400}
        for day, kept in ((1.1, {3600, 86400}), (1, {86400}), (390, {86400}), (10, set())):
            server.clock.advance(day * 86_400)
            assert spans() == kept
