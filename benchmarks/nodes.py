"""Rows on two servers of one PostgreSQL: how soon the other one refuses a key that one has revoked, under load."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from typing import Final

from benchmarks.cold import database
from benchmarks.crew import told, under_load
from benchmarks.load import WRK
from benchmarks.measure import Row, Target, UnfitError, Workplace
from benchmarks.service import Installation, Service, serving, verify_request

_GOOD: Final = 200
_REVOKED: Final = 401


def revocation(place: Workplace) -> list[Row]:
    """From the answer to a revocation at one node until the other one refuses the key, both of them under full load."""
    count = place.effort.revocations
    row = Row(
        "revocation-nodes",
        f"revoked at one of 2 nodes on PostgreSQL under load, until both refuse, p99 of {count}",
        "ms",
        target=Target(250, most=True),
    )
    delays = []
    with contextlib.ExitStack() as stack:
        first, second = stack.enter_context(_nodes(place))
        first.make_plan()
        stack.enter_context(under_load(first))
        stack.enter_context(under_load(second))
        probes = [
            (stack.enter_context(socket.create_connection(("127.0.0.1", node.port))), node)
            for node in (first, second)
        ]
        for _ in range(count):
            said = first.require(*first.call("POST", "/v1/api-keys", {"name": "bench"}))
            asking = [(probe, verify_request(said["key"]).text(node.port).encode()) for probe, node in probes]
            if any(told(probe, request)[0] != _GOOD for probe, request in asking):
                raise UnfitError("a new key was refused")
            first.require(*first.call("DELETE", f"/v1/api-keys/{said['id']}"))
            answered = time.perf_counter()
            while asking:
                asking = [
                    (probe, request) for probe, request in asking if told(probe, request)[0] != _REVOKED
                ]
            delays.append((time.perf_counter() - answered) * 1000)
    delays.sort()
    row.runs.append(delays[int(len(delays) * 0.99)])
    row.notes |= {
        "load": "wrk" if WRK else "none, wrk was not found",
        "p50_ms": delays[len(delays) // 2],
        "most_ms": delays[-1],
    }
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
