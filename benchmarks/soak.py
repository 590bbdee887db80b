"""Hours of mixed load in which no answer may be wrong: `python -m benchmarks.soak --minutes 60`.

Keys are verified, made, rotated, revoked, disabled, enabled and moved between plans whose figures change, at
several workers at once. A model knows what each key must answer from when on, to the moment; limits must
admit exactly their number, usage must be what was counted. The exit status is 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import uvloop

from benchmarks.cold import database
from benchmarks.line import Line, Said
from benchmarks.machine import cpu_seconds, description, own_bytes, resident_bytes, tree, versions
from benchmarks.oracle import BAD, GOOD, Oracle, Subject, Timeline, Told
from benchmarks.service import ENDLESS, Installation, Service, serving

PLANS: Final = ("soak-one", "soak-two")
SPREE_PLAN: Final = "soak-spree"
SPREE_LIMIT: Final = 40
_SPREE_REQUESTS: Final = 60
_DEAD_MAX: Final = 300
_HOT_SHARE: Final = 0.4
_HOT_KEYS: Final = 50
_DEAD_SHARE: Final = 0.15
_CHANGED_SHARE: Final = 0.3
_CHANGED_KEYS: Final = 6
_OVERLAPS: Final = (0, 1, 3)
_WRONG_MAX: Final = 100
_USAGE_SECONDS_MAX: Final = 20
_PERIOD_SECONDS: Final = 60.0
_MEMORY_GROWTH_MAX: Final = 1.10
_P99_GROWTH_MAX: Final = 1.5


@dataclass(frozen=True, slots=True)
class Load:
    """How much is asked.

    Args:
        seconds: For how long.
        verifications: A second.
        changes: A second.
        keys: That live at a time.
        workers: Processes that answer.
        lines: Connections that verify.
    """

    seconds: float
    verifications: float = 400.0
    changes: float = 6.0
    keys: int = 1_000
    workers: int = 2
    lines: int = 12


@dataclass(slots=True)
class Period:
    """What a minute was like.

    Args:
        at_seconds: When it ended, from the beginning.
        bytes: Of memory that each process of the server has for itself.
        with_shared_bytes: The same, with what they share: tables of a fixed size, whose pages come to be as they are used.
        cpu_seconds: That the server used.
    """

    at_seconds: float
    verifications: int
    p50_ms: float
    p99_ms: float
    most_ms: float
    bytes: list[int]
    with_shared_bytes: list[int]
    cpu_seconds: float


@dataclass(slots=True)
class Found:
    """What came of it."""

    wrong: list[str] = field(default_factory=list)
    wrongs: int = 0
    done: Counter[str] = field(default_factory=Counter)
    periods: list[Period] = field(default_factory=list)
    latest_ms: float = 0.0
    """The longest that a worker went on answering what another had changed."""
    log: list[str] = field(default_factory=list)

    def note_wrong(self, what: str) -> None:
        """Something was answered that must not be."""
        self.wrongs += 1
        if len(self.wrong) < _WRONG_MAX:
            self.wrong.append(f"{datetime.now(UTC):%H:%M:%S.%f} {what}")

    def memory_growth(self) -> float | None:
        """All processes' memory at the end as a multiple of what it was after a quarter of the time."""
        return self._growth(lambda period: sum(period.bytes))

    def p99_growth(self) -> float | None:
        """The same of the slowest hundredth."""
        return self._growth(lambda period: period.p99_ms)

    def _growth(self, figure: Callable[[Period], float]) -> float | None:
        """The last quarter's median by the second quarter's: in the first, memory fills."""
        quarter = len(self.periods) // 4
        if not quarter:
            return None
        early = statistics.median(figure(period) for period in self.periods[quarter : 2 * quarter])
        return statistics.median(figure(period) for period in self.periods[-quarter:]) / early


class Soak:
    """One run.

    Args:
        service: What is asked.
        load: How much.
        staleness_seconds: How long a worker may go on answering what another has changed.
        seed: Of all that is left to chance.
    """

    def __init__(self, service: Service, load: Load, staleness_seconds: float, seed: int) -> None:
        self._service = service
        self._leased = service.installation.settings.counts_across_nodes
        self._load = load
        self._oracle = Oracle(staleness_seconds)
        self._chance = random.Random(seed)
        self._live: list[Subject] = []
        self._dead: deque[Subject] = deque(maxlen=_DEAD_MAX)
        self._changed: deque[Subject] = deque(maxlen=_CHANGED_KEYS)
        self._seconds: list[float] = []
        self._figure = ENDLESS
        self._began = self._ends = 0.0
        self._later: set[asyncio.Task[None]] = set()
        self._cpu = 0.0
        self.found = Found()

    async def run(self, tell: Callable[[Found], None]) -> Found:
        """Everything; `tell` is told at the end of each minute."""
        admin = Line(self._service.port)
        for name in PLANS:
            await self._put_plan(admin, name, self._figure)
        await self._put_plan(admin, SPREE_PLAN, SPREE_LIMIT)
        while len(self._live) < self._load.keys:
            await self._create(admin)
        self.found.done.clear()
        self._began = time.monotonic()
        self._ends = self._began + self._load.seconds
        load = self._load
        lines = [Line(self._service.port) for _ in range(load.lines)]
        changers = [Line(self._service.port) for _ in range(3)]
        observing = asyncio.create_task(self._observe(tell))
        await asyncio.gather(
            *(self._paced(load.verifications / load.lines, self._verify, line) for line in lines),
            *(self._paced(load.changes / len(changers), self._change, line) for line in changers),
            self._paced(load.changes / 20, self._spree, admin),
        )
        await asyncio.gather(*self._later)
        observing.cancel()
        self._close_period(tell)
        for line in (*lines, *changers, admin):
            await line.close()
        return self.found

    async def _paced(self, rate: float, work: Callable[[Line], Awaitable[None]], line: Line) -> None:
        """Do something so many times a second, not more often afterwards to make up for a pause."""
        pause = 1 / rate
        due = time.monotonic() + self._chance.random() * pause
        while due < self._ends:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            try:
                await work(line)
            except (OSError, EOFError, TimeoutError, KeyError, ValueError) as error:
                self.found.note_wrong(f"{work.__name__}: {error!r}")
                await line.close()
            due = max(due + pause, time.monotonic() - pause)

    # Verification

    async def _verify(self, line: Line) -> None:
        subject = self._chosen()
        if subject is None:
            return
        said = await line.ask("GET", "/v1/auth/verify", subject.key)
        self._seconds.append(said.answered - said.sent)
        told = Told(
            said.status, said.headers.get("x-ratelimit-limit", ""), said.worker, said.sent, said.answered
        )
        objection = self._oracle.objection(subject, told)
        self.found.done[f"verified: {said.status}"] += 1
        if objection is None and said.status == GOOD:
            body = said.json()
            if body["credential"]["id"] != subject.identifier:
                objection = f"the body names {body['credential']['id']}"
        if objection is not None:
            self.found.note_wrong(f"{subject.identifier} at {said.worker}: {objection}")

    def _chosen(self) -> Subject | None:
        """One that is just being changed, one that has ended, one of a few that come over and over, or one of all."""
        dice = self._chance.random()
        if self._changed and dice < _CHANGED_SHARE:
            return self._chance.choice(self._changed)
        if self._dead and dice < _CHANGED_SHARE + _DEAD_SHARE:
            return self._chance.choice(self._dead)
        if not self._live:
            return None
        if dice < _CHANGED_SHARE + _DEAD_SHARE + _HOT_SHARE:
            return self._live[self._chance.randrange(min(_HOT_KEYS, len(self._live)))]
        return self._chance.choice(self._live)

    # Changes

    async def _change(self, line: Line) -> None:
        kinds: dict[Callable[[Line], Awaitable[None]], int] = {
            self._create if len(self._live) < self._load.keys else self._revoke: 8,
            self._rotate: 4,
            self._move: 3,
            self._suspend: 2,
            self._refigure: 1,
        }
        (work,) = self._chance.choices(list(kinds), list(kinds.values()))
        await work(line)

    async def _create(self, line: Line) -> None:
        plan = self._chance.choice(PLANS)
        made = await self._called(line, "POST", "/v1/api-keys", {"name": "soak", "plan": plan})
        if made is not None:
            said = made.json()
            self._live.append(Subject(said["id"], said["key"], plan, self._oracle.staleness_seconds))
            self.found.done["created"] += 1

    async def _revoke(self, line: Line) -> None:
        with self._taken() as taken:
            if taken is None:
                return
            subject = taken
            # An ancestor at times: what was made from a key ends with it.
            while subject.parent is not None and self._chance.random() < 0.5:  # noqa: PLR2004 - either way
                subject = subject.parent
            ending = list(subject.lineage())
            if await self._change_fate(line, "DELETE", f"/v1/api-keys/{subject.identifier}", ending, BAD):
                self.found.done["revoked"] += 1
                for each in ending:
                    self._bury(each)

    async def _rotate(self, line: Line) -> None:
        with self._taken() as subject:
            if subject is None or subject.children:
                return
            overlap = self._chance.choice(_OVERLAPS)
            state = subject.fate.ask(BAD, time.monotonic() + overlap)
            path = f"/v1/api-keys/{subject.identifier}/rotate"
            made = await self._called(line, "POST", path, {"overlap_seconds": overlap})
            if made is None:
                return
            said = made.json()
            # The overlap ended `overlap` seconds after some moment of the call, told to the microsecond.
            subject.fate.settle(state, made.answered, made.worker, not_before=made.answered + overlap)
            successor = Subject(
                said["id"], said["key"], subject.plan.newest, self._oracle.staleness_seconds, subject
            )
            self._live[self._live.index(subject)] = successor
            self._dead.append(subject)
            self.found.done["rotated"] += 1

    async def _move(self, line: Line) -> None:
        with self._taken() as subject:
            if subject is None:
                return
            plan = PLANS[1 - PLANS.index(subject.plan.newest)]
            state = subject.plan.ask(plan, time.monotonic())
            path = f"/v1/api-keys/{subject.identifier}"
            changed = await self._called(line, "PATCH", path, {"plan": plan})
            if changed is not None:
                subject.plan.settle(state, changed.answered, changed.worker)
                self.found.done["moved to another plan"] += 1

    async def _suspend(self, line: Line) -> None:
        """Disable a key, and enable it again after some seconds."""
        with self._taken() as subject:
            if subject is None or subject.children:
                return
            path = f"/v1/api-keys/{subject.identifier}"
            if not await self._change_fate(line, "POST", f"{path}/disable", [subject], BAD):
                return
            await asyncio.sleep(self._chance.random())
            if await self._change_fate(line, "POST", f"{path}/enable", [subject], GOOD):
                self.found.done["disabled and enabled"] += 1

    async def _refigure(self, line: Line) -> None:
        self._figure += 1
        await self._put_plan(line, self._chance.choice(PLANS), self._figure)
        self.found.done["figures of a plan changed"] += 1

    async def _put_plan(self, line: Line, name: str, figure: int) -> None:
        timeline = self._oracle.plans.get(name)
        state = timeline.ask(str(figure), time.monotonic()) if timeline is not None else None
        wish = {"name": name, "requests_per_hour": figure, "burst": None}
        changed = await self._called(line, "POST", "/v1/plans", wish)
        if changed is None:
            return
        if timeline is None or state is None:
            self._oracle.plans[name] = Timeline(str(figure), self._oracle.staleness_seconds)
        else:
            timeline.settle(state, changed.answered, changed.worker)

    async def _spree(self, line: Line) -> None:
        """Ask for more than a limit over several connections at once: exactly the limit is admitted, and counted."""
        made = await self._called(line, "POST", "/v1/api-keys", {"name": "spree", "plan": SPREE_PLAN})
        if made is None:
            return
        said = made.json()
        lines = [Line(self._service.port) for _ in range(6)]
        statuses = Counter(
            answer.status
            for answers in await asyncio.gather(*(self._burst(each, said["key"]) for each in lines))
            for answer in answers
        )
        for each in lines:
            await each.close()
        admitted = statuses[HTTPStatus.OK]
        # Processes that lease shares of a limit may be left with some that nobody comes for.
        fits = admitted <= SPREE_LIMIT if self._leased else admitted == SPREE_LIMIT
        if not fits or statuses[HTTPStatus.TOO_MANY_REQUESTS] != _SPREE_REQUESTS - admitted:
            self.found.note_wrong(f"a limit of {SPREE_LIMIT}: {dict(statuses)}")
        self.found.done["limits spent"] += 1
        self.found.done["admitted within limits"] += admitted
        task = asyncio.create_task(self._count_spree(said["id"], said["key"], admitted))
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _burst(self, line: Line, key: str) -> list[Said]:
        return [await line.ask("GET", "/v1/auth/verify", key) for _ in range(_SPREE_REQUESTS // 6)]

    async def _count_spree(self, identifier: str, key: str, admitted: int) -> None:
        """Usage is what was counted, once it is written; and a key whose limit is spent can be revoked like any other."""
        line = Line(self._service.port)
        counted: object = None
        for _ in range(_USAGE_SECONDS_MAX):
            await asyncio.sleep(1)
            found = await self._called(line, "GET", f"/v1/api-keys/{identifier}/usage?period=day")
            total = found.json()["total"] if found is not None else None
            counted = total and (total["accepted"], sum(total["refused"].values()))
            if counted == (admitted, _SPREE_REQUESTS - admitted):
                self.found.done["usage compared"] += 1
                break
        else:
            self.found.note_wrong(f"usage of {identifier}: {counted}")
        if await self._called(line, "DELETE", f"/v1/api-keys/{identifier}") is not None:
            said = await line.ask("GET", "/v1/auth/verify", key)
            if said.status != BAD:
                self.found.note_wrong(f"{identifier}, revoked at {said.worker}: {said.status}")
        await line.close()

    async def _change_fate(
        self, line: Line, method: str, path: str, subjects: Sequence[Subject], fate: int
    ) -> bool:
        """Have a call change what some keys answer; whether it was done."""
        states = [(each.fate, each.fate.ask(fate, time.monotonic())) for each in subjects]
        said = await self._called(line, method, path)
        if said is None:
            return False
        for timeline, state in states:
            timeline.settle(state, said.answered, said.worker)
        return True

    async def _called(self, line: Line, method: str, path: str, body: object = None) -> Said | None:
        """A call of the management; one that fails is wrong, and returns None."""
        said = await line.ask(method, path, self._service.admin, body)
        if said.status >= HTTPStatus.BAD_REQUEST:
            self.found.note_wrong(f"{method} {path}: {said.status} {said.body.decode()}")
            return None
        return said

    @contextlib.contextmanager
    def _taken(self) -> Iterator[Subject | None]:
        """A live key whose family nobody else is changing; None where chance has it that one is."""
        subject = self._chance.choice(self._live) if self._live else None
        if subject is None or subject.family.busy or subject.fate.newest != GOOD:
            yield None
            return
        subject.family.busy = True
        self._changed.append(subject)
        try:
            yield subject
        finally:
            subject.family.busy = False

    def _bury(self, subject: Subject) -> None:
        """Ask about it less from now on."""
        if subject in self._live:
            self._live.remove(subject)
            self._dead.append(subject)

    # Observation

    async def _observe(self, tell: Callable[[Found], None]) -> None:
        while True:
            await asyncio.sleep(_PERIOD_SECONDS)
            self._close_period(tell)

    def _close_period(self, tell: Callable[[Found], None]) -> None:
        taken, self._seconds = sorted(self._seconds), []
        self.found.latest_ms = self._oracle.latest_seconds * 1000
        if taken:
            cpu, self._cpu = self._cpu, cpu_seconds(self._service.pid)
            self.found.periods.append(
                Period(
                    at_seconds=round(time.monotonic() - self._began, 1),
                    verifications=len(taken),
                    p50_ms=round(taken[len(taken) // 2] * 1000, 3),
                    p99_ms=round(taken[int(len(taken) * 0.99)] * 1000, 3),
                    most_ms=round(taken[-1] * 1000, 3),
                    bytes=[own_bytes(process) for process in tree(self._service.pid)],
                    with_shared_bytes=[resident_bytes(process) for process in tree(self._service.pid)],
                    cpu_seconds=round(self._cpu - cpu, 2),
                )
            )
        tell(self.found)


def soak(folder: Path, kind: str, load: Load, *, seed: int, tell: Callable[[Found], None]) -> Found:
    """Found an installation, serve it, and load it.

    Args:
        folder: For its files.
        kind: `sqlite` or `postgresql`.
        load: How much is asked.
        seed: Of all that is left to chance.
        tell: Told of what was found so far, at the end of each minute.
    """
    with database(kind) as (url, _):
        installation = Installation.make(folder, url, workers=load.workers)
        with serving(installation, anywhere=True) as service:
            run = Soak(service, load, installation.settings.max_staleness_seconds, seed)
            found = uvloop.run(run.run(tell))
        found.log = (folder / "server.log").read_text().splitlines()[:_WRONG_MAX]
    return found


def main() -> int:
    """Run it; the exit status says whether every answer was right."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="for how long (default 60)")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--rate", type=float, default=Load(0).verifications, help="verifications a second")
    parser.add_argument("--changes", type=float, default=Load(0).changes, help="changes a second")
    parser.add_argument("--workers", type=int, default=Load(0).workers)
    parser.add_argument("--seed", type=int, help="of all that is left to chance (default: the time)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was found")
    chosen = parser.parse_args()
    load = Load(chosen.minutes * 60, chosen.rate, chosen.changes, workers=chosen.workers)
    seed = chosen.seed if chosen.seed is not None else time.time_ns()
    circumstances = {
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(["python", "-m", "benchmarks.soak", *sys.argv[1:]]),
        "seed": seed,
        "machine": description(),
        "versions": versions(),
        "load": asdict(load),
    }

    def tell(found: Found) -> None:
        if found.periods:
            last = found.periods[-1]
            megabytes = "+".join(f"{occupied / 1e6:.0f}" for occupied in last.bytes)
            print(
                f"{last.at_seconds / 60:6.1f} min  {last.verifications:7,} verified  p50 {last.p50_ms:7.2f} ms"
                f"  p99 {last.p99_ms:7.2f} ms  {megabytes} MB  {found.wrongs} wrong",
                flush=True,
            )
        if chosen.json:
            chosen.json.write_text(json.dumps(_data(found, circumstances), indent=1) + "\n")

    with tempfile.TemporaryDirectory(prefix="bonafides-soak-") as folder:
        Path(folder).chmod(0o755)
        found = soak(Path(folder), chosen.database, load, seed=seed, tell=tell)
    tell(found)
    for line in [*found.wrong, *found.log]:
        print(line)
    print(dict(found.done))
    memory, p99 = found.memory_growth(), found.p99_growth()
    if memory is not None and p99 is not None:
        print(f"memory: {memory:.3f} of what it was, p99: {p99:.2f} of what it was")
    return 1 if found.wrongs or found.log else 0


def _data(found: Found, circumstances: dict[str, Any]) -> dict[str, Any]:
    memory, p99 = found.memory_growth(), found.p99_growth()
    return {
        **circumstances,
        "wrong_answers": found.wrongs,
        "wrong": found.wrong,
        "done": dict(found.done),
        "longest_lag_ms": round(found.latest_ms, 1),
        "memory_growth": None if memory is None else round(memory, 4),
        "memory_flat": None if memory is None else memory <= _MEMORY_GROWTH_MAX,
        "p99_growth": None if p99 is None else round(p99, 3),
        "p99_flat": None if p99 is None else p99 <= _P99_GROWTH_MAX,
        "periods": [asdict(period) for period in found.periods],
        "log": found.log,
    }


if __name__ == "__main__":
    sys.exit(main())
