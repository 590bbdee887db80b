"""Two servers on one PostgreSQL, each of several workers: one limit, one directory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.postgres import PostgresServer
from tests.processes import ServerProcess, process
from tests.workers.connections import Connection, Told

NODES = 2
WORKERS = 2


@pytest.fixture(scope="module")
def nodes(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[ServerProcess]]:
    """Two servers of two workers each."""
    database = postgres.create_database()
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("node")
        first = stack.enter_context(process(database, folder, workers=WORKERS))
        rest = []
        for _ in range(NODES - 1):
            other = ServerProcess(
                database,
                tmp_path_factory.mktemp("node"),
                workers=WORKERS,
                pepper_file=first.settings["pepper_file"],
            )
            stack.callback(other.close)
            other.serve()
            rest.append(other)
        yield [first, *rest]


def make(node: ServerProcess, plan: str, requests_per_hour: int | None, burst: int | None) -> dict[str, str]:
    """A key on a plan of its own."""
    node.admin.post("/v1/plans", json={"name": plan, "requests_per_hour": requests_per_hour, "burst": burst})
    made: dict[str, str] = node.admin.post("/v1/api-keys", json={"name": plan, "plan": plan}).json()
    return made


def hammer(nodes: list[ServerProcess], key: str, seconds: float) -> list[list[Told]]:
    """What six connections to each node were told, all at full speed."""
    until = time.monotonic() + seconds

    def one(connection: Connection) -> list[Told]:
        told = []
        while time.monotonic() < until:
            told.append(connection.verify(key))
        connection.close()
        return told

    connections = [Connection(node) for node in nodes for _ in range(6)]
    with ThreadPoolExecutor(len(connections)) as pool:
        return list(pool.map(one, connections))


def test_the_hour_admits_exactly_its_limit(nodes: list[ServerProcess]) -> None:
    """Each node more would sell the plan once more, and each lease that is lost would take from it."""
    key = make(nodes[0], "nodes-hour", 600, None)["key"]
    told = hammer(nodes, key, 8)
    assert sum(each.status == 200 for line in told for each in line) == 600
    assert len({each.worker for line in told for each in line if each.status == 200}) > NODES
    for line in told:
        left = [each.remaining for each in line]
        assert left == sorted(left, reverse=True)
        assert min(left) == 0
    assert {each.status for line in told for each in line} == {200, 429}


def test_each_second_admits_no_more_than_the_burst(nodes: list[ServerProcess]) -> None:
    """The API behind two nodes would get two bursts at once."""
    key = make(nodes[0], "nodes-burst", None, 40)["key"]
    began = time.monotonic()
    told = hammer(nodes, key, 4)
    seconds_max = int(time.monotonic() - began) + 2
    admitted = sum(each.status == 200 for line in told for each in line)
    assert 40 * 3 <= admitted <= 40 * seconds_max


def test_a_revocation_reaches_the_other_node(nodes: list[ServerProcess]) -> None:
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


def test_a_drained_node_gives_back_what_it_held(nodes: list[ServerProcess]) -> None:
    """Every deployment would take a share of every customer's hour."""
    key = make(nodes[0], "nodes-drained", 400, None)["key"]
    connection = Connection(nodes[1])
    assert connection.verify(key).status == 200
    connection.close()
    assert nodes[1].stop() == 0
    nodes[1].serve()
    told = hammer(nodes, key, 6)
    assert sum(each.status == 200 for line in told for each in line) == 399
