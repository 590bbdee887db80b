"""Two servers on one PostgreSQL, each of two workers: one limit, one directory; with Valkey for the leases and without."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import pytest

from tests.hours import Hours, ShiftedServer
from tests.postgres import PostgresServer
from tests.valkey import ValkeyServer
from tests.workers.connections import Connection, Told

pytestmark = pytest.mark.slow

NODES: Final = 2
WORKERS: Final = 2
CONNECTIONS: Final = 6
"""To each node, each at full speed."""
HOURLY: Final = int(os.environ.get("BONAFIDES_NODES_HOURLY", "600"))
"""Of the long test; 10,000 takes a minute for each hour."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Servers on one database.

    Args:
        nodes: The servers.
        hours: Moves their clocks.
        valkey: Where they lease, if not in the database.
    """

    nodes: list[ShiftedServer]
    hours: Hours
    valkey: ValkeyServer | None


@pytest.fixture(scope="module", params=["postgresql", "valkey"])
def cluster(
    request: pytest.FixtureRequest, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """Two servers of two workers each."""
    with ExitStack() as stack:
        settings: dict[str, object] = {"workers": WORKERS}
        valkey = None
        if request.param == "valkey":
            valkey = ValkeyServer()
            stack.callback(valkey.close)
            valkey.start()
            settings["valkey"] = valkey.url
        hours = Hours(tmp_path_factory.mktemp("hours"))
        database = postgres.create_database()
        nodes: list[ShiftedServer] = []
        for _ in range(NODES):
            node = ShiftedServer(hours, database, tmp_path_factory.mktemp("node"), **settings)
            stack.callback(node.close)
            if nodes:
                node.serve()
            else:
                node.start()
                settings["pepper_file"] = node.settings["pepper_file"]
            nodes.append(node)
        yield Cluster(nodes, hours, valkey)


@pytest.fixture
def nodes(cluster: Cluster) -> list[ShiftedServer]:
    """The servers."""
    return cluster.nodes


def make(node: ShiftedServer, plan: str, requests_per_hour: int | None, burst: int | None) -> dict[str, str]:
    """A key on a plan of its own."""
    node.admin.post("/v1/plans", json={"name": plan, "requests_per_hour": requests_per_hour, "burst": burst})
    made: dict[str, str] = node.admin.post("/v1/api-keys", json={"name": plan, "plan": plan}).json()
    return made


def hammer(
    nodes: list[ShiftedServer], key: str, seconds: float, enough: int = 0, after: float = 1
) -> list[list[Told]]:
    """What six connections to each node were told, all at full speed.

    Args:
        nodes: Asked.
        key: Presented.
        seconds: How long, at most.
        enough: So many admitted requests end it; 0 for none.
        after: How many seconds later.
    """
    until = time.monotonic() + seconds
    admitted = 0
    counting = threading.Lock()

    def one(connection: Connection) -> list[Told]:
        nonlocal admitted, until
        told = []
        while time.monotonic() < until:
            told.append(connection.verify(key))
            if told[-1].status == 200:
                with counting:
                    admitted += 1
                    if admitted == enough:
                        until = min(until, time.monotonic() + after)
        connection.close()
        return told

    connections = [Connection(node) for node in nodes for _ in range(CONNECTIONS)]
    with ThreadPoolExecutor(len(connections)) as pool:
        return list(pool.map(one, connections))


def admitted_of(told: list[list[Told]]) -> int:
    """How many requests were admitted."""
    return sum(each.status == 200 for line in told for each in line)


def test_the_hour_admits_exactly_its_limit(nodes: list[ShiftedServer]) -> None:
    """Each node more would sell the plan once more, and each lease that is lost would take from it."""
    key = make(nodes[0], "nodes-hour", 600, None)["key"]
    told = hammer(nodes, key, 30, 600)
    assert admitted_of(told) == 600
    assert len({each.worker for line in told for each in line if each.status == 200}) > NODES
    for line in told:
        left = [each.remaining for each in line]
        assert left == sorted(left, reverse=True)
        assert min(left) == 0
    assert {each.status for line in told for each in line} == {200, 429}


def test_each_second_admits_no_more_than_the_burst(nodes: list[ShiftedServer]) -> None:
    """The API behind two nodes would get two bursts at once."""
    key = make(nodes[0], "nodes-burst", None, 40)["key"]
    began = time.monotonic()
    told = hammer(nodes, key, 4)
    windows_max = int(time.monotonic() - began) + 1
    assert 40 * 3 <= admitted_of(told) <= 40 * windows_max


def test_a_revocation_reaches_the_other_node(nodes: list[ShiftedServer]) -> None:
    """A stolen key would be good at every node but the one that was told."""
    made = make(nodes[0], "nodes-revoked", None, None)
    connections = [Connection(node) for node in nodes for _ in range(6)]
    assert {connection.verify(made["key"]).status for connection in connections} == {200}
    admin = nodes[1].client(nodes[0].founded.api_key)
    assert admin.delete(f"/v1/api-keys/{made['id']}").status_code == 200
    deadline = time.monotonic() + 3
    while any(connection.verify(made["key"]).status != 401 for connection in connections):
        assert time.monotonic() < deadline
    for connection in connections:
        connection.close()


def test_a_drained_node_gives_back_what_it_held(nodes: list[ShiftedServer]) -> None:
    """Every deployment would take a share of every customer's hour."""
    key = make(nodes[0], "nodes-drained", 400, None)["key"]
    connection = Connection(nodes[1])
    assert connection.verify(key).status == 200
    connection.close()
    assert nodes[1].stop() == 0
    nodes[1].serve()
    told = hammer(nodes, key, 30, 399)
    assert admitted_of(told) == 399


def test_each_hour_admits_its_limit_and_each_second_its_burst(cluster: Cluster) -> None:
    """A plan that was sold would be more or less than what was paid, hour by hour, as servers are added."""
    burst = 200
    key = make(cluster.nodes[0], "nodes-hours", HOURLY, burst)["key"]
    for _ in range(3):
        began = time.monotonic()
        # What is left then may lie at a worker that is not asked any more; one request too many would come now.
        told = hammer(cluster.nodes, key, 60 + 2 * HOURLY / burst, round(HOURLY * 0.99), 2)
        windows_max = int(time.monotonic() - began) + 1
        assert HOURLY * 0.99 <= admitted_of(told) <= min(HOURLY, burst * windows_max)
        assert {each.status for line in told for each in line} == {200, 429}
        cluster.hours.pass_by(3_601)


@pytest.mark.parametrize("cluster", ["valkey"], indirect=True)
def test_a_flush_at_full_speed_sells_nothing_twice(cluster: Cluster) -> None:
    """Whoever empties the cache would give every customer the hour anew, at every node."""
    limit = 3_000
    key = make(cluster.nodes[0], "nodes-flushed", limit, None)["key"]

    def flush() -> None:
        time.sleep(0.5)
        assert cluster.valkey is not None
        with cluster.valkey.client() as client:
            client.flushall()

    flushing = threading.Thread(target=flush)
    flushing.start()
    told = hammer(cluster.nodes, key, 40, limit)
    flushing.join()
    assert limit * 0.95 <= admitted_of(told) <= limit
    assert {each.status for line in told for each in line} >= {200, 503}
