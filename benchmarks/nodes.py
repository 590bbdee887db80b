"""Rows on two servers of one PostgreSQL: how soon the other one refuses a key that one has revoked, under load."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator

from benchmarks.cold import database
from benchmarks.crew import under_load, watch_revocations
from benchmarks.measure import Row, Target, Workplace
from benchmarks.service import Installation, Service, serving


def revocation(place: Workplace) -> list[Row]:
    """From the answer to a revocation at one node until the other one refuses the key, both of them under full load."""
    count = place.effort.revocations
    row = Row(
        "revocation-nodes",
        f"revoked at one of 2 nodes on PostgreSQL under load, until both refuse, p99 of {count}",
        "ms",
        target=Target(250, most=True),
    )
    with contextlib.ExitStack() as stack:
        first, second = stack.enter_context(_nodes(place))
        first.make_plan()
        stack.enter_context(under_load(first))
        stack.enter_context(under_load(second))
        probes = [
            (stack.enter_context(socket.create_connection(("127.0.0.1", node.port))), node)
            for node in (first, second)
        ]
        watch_revocations(row, first, probes, count)
    return [row]


@contextlib.contextmanager
def _nodes(place: Workplace) -> Iterator[tuple[Service, Service]]:
    with database("postgresql") as (url, _):
        one = Installation.make(place.subfolder("node-1"), url)
        other = Installation(one.settings, one.founded, place.subfolder("node-2"))
        other.folder.mkdir()
        values = json.loads((one.folder / "settings.json").read_text())
        (other.folder / "settings.json").write_text(json.dumps(values))
        with serving(one) as first, serving(other) as second:
            yield first, second
