"""`kill -9` at any moment: what was acknowledged is there, what was not happened whole or not at all."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from bonafides.settings import Settings
from tests.faults.ledger import Ledger, Trail, standing
from tests.processes import ServerProcess

ROUNDS: Final = int(os.environ.get("BONAFIDES_KILL_ROUNDS", "3"))
CLIENTS: Final = 4


@pytest.mark.slow
@pytest.mark.timeout(120 + 20 * ROUNDS)
def test_nothing_acknowledged_is_lost_or_undone(database_url: str, tmp_path: Path) -> None:
    """A customer would be locked out, or a revoked key would open the door again, after a power cut."""
    server = ServerProcess(database_url, tmp_path)
    ledgers = [Ledger(seed) for seed in range(CLIENTS)]
    trail = Trail()
    chance = random.Random(ROUNDS)
    try:
        server.start()
        for number in range(ROUNDS):
            _work_until_killed(server, ledgers, acknowledged=chance.randrange(100))
            if database_url.startswith("sqlite"):
                _assert_sound(Path(database_url.removeprefix("sqlite:///")), tmp_path / "copy")
            if number % 4 == 3:
                _kill_while_starting(server, chance.uniform(0.2, 1.5))
            server.start()
            _assert_standing(server, ledgers, trail)
        everything = [key for ledger in ledgers for key in ledger.keys]
        assert standing(server.admin, everything) == []
        assert len(everything) > 5 * ROUNDS, "too few keys to prove anything"
    finally:
        server.close()


@pytest.mark.timeout(120 + 2 * ROUNDS)
def test_a_first_run_that_was_killed_can_be_run_again(database_url: str, tmp_path: Path) -> None:
    """A machine that reboots during the installation would be left with a database that nobody can use."""
    server = ServerProcess(database_url, tmp_path)
    command = ("init", "--email", "admin@example.com", "--json")
    measured = ServerProcess(
        f"sqlite:///{tmp_path}/measured.db", tmp_path, pepper_file=str(tmp_path / "measured.pepper")
    )
    began = time.monotonic()
    measured.launch(*command)
    assert measured.wait() == 0
    lasts = time.monotonic() - began
    chance = random.Random(lasts)
    try:
        for _ in range(max(3, ROUNDS // 4)):
            server.launch(*command)
            time.sleep(lasts * chance.uniform(0.5, 1))
            server.kill()
        said = server.stdout()
        server.launch(*command)
        # It may have been founded and then killed before it could say so; the command line makes another key.
        if server.wait() == 0:
            founded = json.loads(server.stdout()[len(said) :])
            server.serve()
            assert server.client(founded["api_key"]).get("/v1/auth/verify").status_code == 200
        else:
            server.serve()
        assert server.client().get("/readyz").status_code == 200
    finally:
        server.close()


def test_a_kill_loses_at_most_a_second_of_usage(database_url: str, tmp_path: Path) -> None:
    """A process that dies would take an hour of somebody's bill with it, or charge a second twice."""
    server = ServerProcess(database_url, tmp_path, usage_flush_seconds=Settings(port=0).usage_flush_seconds)
    try:
        server.start()
        key = server.admin.post("/v1/api-keys", json={"name": "used", "plan": "enterprise"}).json()
        client = server.client(key["key"])
        # By when each request had been answered.
        answered: list[float] = []
        until = time.monotonic() + 3
        while time.monotonic() < until:
            assert client.get("/v1/auth/verify").status_code == 200
            answered.append(time.monotonic())
            time.sleep(0.005)
        server.kill()
        killed = time.monotonic()
        server.start()
        counted = server.admin.get(f"/v1/api-keys/{key['id']}/usage", params={"period": "hour"}).json()
        total = counted["total"]["accepted"]
        # The kill itself, and a flush on a busy machine, may take a while.
        slack = 0.5
        assert sum(at < killed - 1 - slack for at in answered) <= total <= len(answered)
        for period in ("day", "month"):
            other = server.admin.get(f"/v1/api-keys/{key['id']}/usage", params={"period": period}).json()
            assert other["total"] == counted["total"]
    finally:
        server.close()


def _work_until_killed(server: ServerProcess, ledgers: list[Ledger], *, acknowledged: int) -> None:
    failures: list[BaseException] = []
    stop = threading.Event()
    before = sum(ledger.acknowledged for ledger in ledgers)

    def work(ledger: Ledger) -> None:
        try:
            ledger.work(server.admin, stop)
        except BaseException as error:  # noqa: BLE001 - shown below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(ledger,)) for ledger in ledgers]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 30
    while sum(ledger.acknowledged for ledger in ledgers) < before + acknowledged:
        assert time.monotonic() < deadline, server.stderr()[-2000:]
        assert not failures
        time.sleep(0.001)
    server.kill()
    stop.set()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def _kill_while_starting(server: ServerProcess, seconds: float) -> None:
    server.launch("serve")
    time.sleep(seconds)
    server.kill()


def _assert_sound(database: Path, folder: Path) -> None:
    """Open a copy of what the kill left: the server itself shall be the first to recover the original."""
    folder.mkdir(exist_ok=True)
    for suffix in ("", "-wal"):
        left = Path(f"{database}{suffix}")
        if left.exists():
            shutil.copyfile(left, folder / f"copy.db{suffix}")
    connection = sqlite3.connect(folder / "copy.db")
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        connection.close()
        for leftover in folder.iterdir():
            leftover.unlink()


def _assert_standing(server: ServerProcess, ledgers: list[Ledger], trail: Trail) -> None:
    admin = server.admin
    # Before anything is sent again: an answer that was given binds, whatever comes later.
    touched = [key for ledger in ledgers for key in ledger.certain()]
    assert standing(admin, touched) == []
    for ledger in ledgers:
        ledger.settle(admin)
    again = [key for ledger in ledgers for key in [*ledger.touched, *ledger.sample(10)]]
    assert standing(admin, again) == []
    for ledger in ledgers:
        ledger.touched.clear()
    trail.read(admin)
    acknowledged: Counter[tuple[str, str]] = sum((ledger.events for ledger in ledgers), Counter())
    written = Counter(
        {event: count for event, count in trail.events.items() if event[0].startswith("api_key.")}
    )
    assert written == acknowledged
