"""Rows on the database: keys that are not in memory, keys that are made, memory, revocation."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.client import Order
from benchmarks.crew import told
from benchmarks.load import CONNECTIONS, Outcome, Request, send
from benchmarks.machine import cpu_seconds, on_core, resident_bytes, server_core
from benchmarks.measure import Contestant, Row, Target, UnfitError, Workplace, contest
from benchmarks.resident import yardsticks
from benchmarks.service import Installation, bearer, serving, verify_request
from tests.postgres import PostgresServer

DATABASES = ("sqlite", "postgresql")
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_COLD_TARGETS = {"sqlite": Target(10_000), "postgresql": Target(4_000)}
_CREATORS = 8
FIRST_RESIDENTS = 1_000


@contextlib.contextmanager
def database(kind: str) -> Iterator[tuple[str, PostgresServer | None]]:
    """URL of an empty database, durable; for SQLite none, for the installation's own file."""
    if kind == "sqlite":
        yield "", None
        return
    with on_core(server_core()):
        server = PostgresServer(durable=True)
    try:
        with on_core(server_core()):
            server.start()
        yield server.create_database(), server
    finally:
        server.close()


def cold(place: Workplace) -> list[Row]:
    """Verify keys that the server has never seen: each request is a look-up in the database."""
    return [row for kind in DATABASES for row in _cold(place, kind)]


def create(place: Workplace) -> list[Row]:
    """Make keys with eight clients; each is on the disk before it is answered."""
    return [row for kind in DATABASES for row in _create(place, kind)]


def memory(place: Workplace) -> list[Row]:
    """What a resident key occupies: the process before and after, divided by the keys between."""
    count = place.effort.residents
    row = Row(
        "memory", f"memory of a resident key, {count:,} in memory", "bytes", target=Target(500, most=True)
    )
    installation = Installation.make(place.subfolder("memory"))
    keys = _listed(installation, count, place.folder / "memory-keys")
    order = Order(port=0, request="", connections=CONNECTIONS, seconds=600, keys=str(keys))
    with serving(installation) as service:
        order = replace(order, port=service.port, request=verify_request("{key}").text(service.port))
        require_good("memory", send(replace(order, count=FIRST_RESIDENTS)))
        few = resident_bytes(service.pid)
        require_good("memory", send(replace(order, first=FIRST_RESIDENTS)))
        many = resident_bytes(service.pid)
    row.runs.append((many - few) / (count - FIRST_RESIDENTS))
    row.notes |= {"bytes_with_1000": few, "bytes_with_all": many, "residents": count}
    return [row]


def revocation(place: Workplace) -> list[Row]:
    """How long after the answer to a revocation the answering process still accepts the key."""
    accepted = Row(
        "revocation",
        f"revoked keys accepted after the answer, of {place.effort.revocations}",
        "keys",
        target=Target(0, most=True),
    )
    delay = Row("revocation-delay", "from the answer to a revocation to the first refusal, p50", "ms")
    installation = Installation.make(place.subfolder("revocation"))
    after, answers = 0, []
    with serving(installation) as service:
        service.make_plan()
        with socket.create_connection(("127.0.0.1", service.port)) as probe:
            for _ in range(place.effort.revocations):
                said = service.require(*service.call("POST", "/v1/api-keys", {"name": "bench"}))
                asking = verify_request(said["key"]).text(service.port).encode()
                if told(probe, asking)[0] != 200:  # noqa: PLR2004 - a new key is good
                    raise UnfitError("a new key was refused")
                service.require(*service.call("DELETE", f"/v1/api-keys/{said['id']}"))
                answered = time.perf_counter()
                while told(probe, asking)[0] != 401:  # noqa: PLR2004 - revoked
                    after += 1
                answers.append((time.perf_counter() - answered) * 1000)
    accepted.runs.append(after)
    answers.sort()
    delay.runs.append(answers[len(answers) // 2])
    delay.notes["p99_ms"] = answers[int(len(answers) * 0.99)]
    return [accepted, delay]


def _cold(place: Workplace, kind: str) -> list[Row]:
    effort = place.effort
    row = Row(f"cold-{kind}", f"verify, not resident, {TITLES[kind]}", target=_COLD_TARGETS[kind])
    with contextlib.ExitStack() as stack:
        url, server = stack.enter_context(database(kind))
        installation = Installation.make(place.subfolder(row.name), url)
        keys = _listed(installation, effort.cold_keys * (effort.runs + 1), place.folder / f"{row.name}-keys")
        if server is not None:
            server.sql("ANALYZE", url.rsplit("/", 1)[1])
        service = stack.enter_context(serving(installation))
        processes = _others(server)
        next_key = 0

        def load(seconds: float) -> Outcome:
            nonlocal next_key
            order = Order(
                port=service.port,
                request=verify_request("{key}").text(service.port),
                connections=CONNECTIONS,
                seconds=max(60, seconds),
                keys=str(keys),
                first=next_key,
                count=effort.cold_keys,
            )
            next_key += effort.cold_keys
            before = cpu_seconds(*processes)
            outcome = send(order)
            _note_database(row, outcome, cpu_seconds(*processes) - before)
            return outcome

        beside = stack.enter_context(
            yardsticks(Workplace(place.subfolder(f"{row.name}-beside"), effort), with_others=False)
        )
        rows = contest([Contestant(row, load, (service.pid,))], beside, effort)
    return rows[1:]


def _create(place: Workplace, kind: str) -> list[Row]:
    effort = place.effort
    row = Row(
        f"create-{kind}", f"create keys, durable, {_CREATORS} clients, {TITLES[kind]}", target=Target(2_000)
    )
    with contextlib.ExitStack() as stack:
        url, server = stack.enter_context(database(kind))
        service = stack.enter_context(serving(Installation.make(place.subfolder(row.name), url)))
        processes = _others(server)
        service.make_plan()
        # Not the admin's own, which is limited: a refusal is no creation.
        maker = service.make_key()
        request = Request("/v1/api-keys", (bearer(maker),), "POST", json.dumps({"name": "bench"}))

        def load(seconds: float) -> Outcome:
            before = cpu_seconds(*processes)
            order = Order(
                port=service.port, request=request.text(service.port), connections=_CREATORS, seconds=seconds
            )
            outcome = send(order)
            _note_database(row, outcome, cpu_seconds(*processes) - before)
            return outcome

        beside = stack.enter_context(
            yardsticks(Workplace(place.subfolder(f"{row.name}-beside"), effort), with_others=False)
        )
        rows = contest([Contestant(row, load, (service.pid,))], beside, effort)
    return rows[1:]


def _listed(installation: Installation, count: int, path: Path) -> Path:
    path.write_text("\n".join(installation.add_keys(count)))
    return path


def _others(server: PostgresServer | None) -> tuple[int, ...]:
    """The database server's own process, whose time is noted beside ours."""
    if server is None:
        return ()
    return (int((server.home / "data" / "postmaster.pid").read_text().split()[0]),)


def _note_database(row: Row, outcome: Outcome, used: float) -> None:
    row.notes.setdefault("answers_a_second", []).append(round(outcome.good / outcome.seconds))
    if used:
        row.notes.setdefault("database_cpu_us_each", []).append(round(used / max(1, outcome.good) * 1e6, 1))


def require_good(name: str, outcome: Outcome) -> None:
    """Raise if anything was refused or lost."""
    if outcome.bad or outcome.lost:
        raise UnfitError(f"{name}: {outcome}")
