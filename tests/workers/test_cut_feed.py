"""The feed is cut from workers of two nodes: what was revoked meanwhile is never accepted for longer than was promised."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Final

import pytest
from typing_extensions import override

from bonafides.model import EVERYWHERE, Actor, AuditEvent, CredentialStatus, to_datetime
from bonafides.store.postgres import open_postgres
from tests.faults.outages import crashed, frozen, stopped
from tests.postgres import PostgresServer
from tests.processes import ServerProcess, started
from tests.workers.connections import Connection

STALENESS_SECONDS: Final = 1.0
MARGIN_SECONDS: Final = 1.0
"""What a busy machine may take for an answer."""
CONNECTIONS: Final = 5
RETURN_SECONDS_MAX: Final = 60.0


@pytest.fixture(scope="module")
def home() -> Iterator[PostgresServer]:
    """The database's server, which every test here may take away."""
    with started(PostgresServer()) as server:
        yield server


@pytest.fixture(scope="module")
def nodes(home: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ServerProcess]]:
    """Two servers of two workers each, on one database."""
    settings: dict[str, object] = {"workers": 2, "max_staleness_seconds": STALENESS_SECONDS}
    database = home.create_database()
    with ExitStack() as stack:
        first = ServerProcess(database, tmp_path_factory.mktemp("node"), **settings)
        stack.callback(first.close)
        first.start()
        settings["pepper_file"] = first.settings["pepper_file"]
        second = ServerProcess(database, tmp_path_factory.mktemp("node"), **settings)
        stack.callback(second.close)
        second.serve()
        yield [first, second]


class Caller(threading.Thread):
    """Verifies a key over one connection without end, and notes when it was last accepted.

    Args:
        node: Asked.
        key: Presented.
    """

    def __init__(self, node: ServerProcess, key: str) -> None:
        super().__init__(daemon=True)
        self._connection = Connection(node)
        self._key = key
        self.statuses: set[int] = set()
        self.accepted_at = 0.0
        self.ending = threading.Event()

    @override
    def run(self) -> None:
        """Go on until `ending`."""
        while not self.ending.is_set():
            # What is answered in time was judged after this moment.
            asked_at = time.monotonic()
            status = self._connection.verify(self._key).status
            self.statuses.add(status)
            if status == 200:
                self.accepted_at = asked_at
        self._connection.close()


@contextmanager
def calling(nodes: list[ServerProcess], key: str) -> Iterator[list[Caller]]:
    """Callers of every node, each of which was accepted; they end with the block."""
    callers = [Caller(node, key) for node in nodes for _ in range(CONNECTIONS)]
    for caller in callers:
        caller.start()
    try:
        await_acceptance(callers)
        yield callers
    finally:
        for caller in callers:
            caller.ending.set()
        for caller in callers:
            caller.join()


def await_acceptance(callers: list[Caller]) -> None:
    """Return when each was accepted from now on."""
    now = time.monotonic()
    while not all(caller.accepted_at > now for caller in callers):
        assert time.monotonic() < now + RETURN_SECONDS_MAX, "service did not return"
        time.sleep(0.01)


def make(nodes: list[ServerProcess]) -> dict[str, str]:
    """A key without limits."""
    plan = {"name": "cut", "requests_per_hour": None, "burst": None}
    post_when_it_serves(nodes[0], "/v1/plans", plan)
    return post_when_it_serves(nodes[0], "/v1/api-keys", {"name": "cut", "plan": plan["name"]})


def post_when_it_serves(node: ServerProcess, path: str, body: Mapping[str, object]) -> dict[str, str]:
    """What is answered once the outage of the test before is over."""
    deadline = time.monotonic() + RETURN_SECONDS_MAX
    while (answer := node.admin.post(path, json=body)).status_code == 503:
        assert time.monotonic() < deadline
    assert answer.status_code in {200, 201}
    said: dict[str, str] = answer.json()
    return said


@pytest.mark.parametrize("outage", [stopped, crashed, frozen])
def test_without_the_database_nobody_trusts_memory_for_long(
    home: PostgresServer,
    nodes: list[ServerProcess],
    outage: Callable[[PostgresServer], AbstractContextManager[None]],
) -> None:
    """A key that is revoked while one node is cut off would work there until somebody notices."""
    with calling(nodes, make(nodes)["key"]) as callers:
        with outage(home):
            gone_at = time.monotonic()
            time.sleep(STALENESS_SECONDS + MARGIN_SECONDS)
            for caller in callers:
                caller.statuses.clear()
            time.sleep(MARGIN_SECONDS)
            late = [caller.accepted_at - gone_at for caller in callers]
            told = {status for caller in callers for status in caller.statuses}
        assert max(late) <= STALENESS_SECONDS
        assert told <= {503}
        await_acceptance(callers)


async def revoke(url: str, key_id: str, before: Callable[[], object]) -> None:
    """Revoke a key from another process, right after something else happened to the database."""
    at = to_datetime(time.time_ns() // 1_000)
    nobody = Actor(None, None, "test")
    event = AuditEvent(f"evt_{key_id}", at, "ten_x", "api_key.revoke", "api_key", key_id, nobody)
    store = open_postgres(url)
    await store.ping()
    before()
    await store.set_credential_status(key_id, EVERYWHERE, CredentialStatus.REVOKED, event)
    await store.close()


def assert_refused(callers: list[Caller], revoked_at: float) -> None:
    """Everybody is refused within the staleness that was promised, and from then on."""
    time.sleep(STALENESS_SECONDS + MARGIN_SECONDS)
    for caller in callers:
        caller.statuses.clear()
    time.sleep(MARGIN_SECONDS)
    assert max(caller.accepted_at for caller in callers) - revoked_at <= STALENESS_SECONDS
    assert {status for caller in callers for status in caller.statuses} == {401}


def test_a_dropped_connection_costs_no_revocation(home: PostgresServer, nodes: list[ServerProcess]) -> None:
    """What was told while a node reconnects would be lost, and the key work there for good."""
    made = make(nodes)
    listening = "query LIKE '%bonafides_changes%' AND pid <> pg_backend_pid()"
    with calling(nodes, made["key"]) as callers:

        def cut() -> None:
            home.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {listening}")

        deadline = time.monotonic() + RETURN_SECONDS_MAX
        while int(home.sql(f"SELECT count(*) FROM pg_stat_activity WHERE {listening}")) != 4:
            assert time.monotonic() < deadline, "not every worker listens"
            time.sleep(0.05)
        asyncio.run(revoke(nodes[0].database, made["id"], cut))
        assert_refused(callers, time.monotonic())


def test_a_wake_up_that_is_lost_costs_no_revocation(
    nodes: list[ServerProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """NOTIFY is lossy: a node that waits for it would accept a revoked key for ever."""
    made = make(nodes)
    monkeypatch.setattr("bonafides.store.wakeups.Wakeups.announce", lambda _: None)
    with calling(nodes, made["key"]) as callers:
        asyncio.run(revoke(nodes[0].database, made["id"], lambda: None))
        assert_refused(callers, time.monotonic())
