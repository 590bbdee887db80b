"""How a figure is taken: so many answers a second of the server's processor time, beside the yardstick's."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from typing_extensions import override

from benchmarks.load import Outcome
from benchmarks.machine import cpu_seconds

PER_CPU_SECOND: Final = "per CPU-second"


@dataclass(frozen=True, slots=True)
class Effort:
    """How long and how often.

    Args:
        runs: Rounds; in each everything of a contest is measured once, one after the other.
        seconds: Of each run.
        warm_up_seconds: Before the first round, for each contestant; 0 for none.
        cold_keys: Keys that are looked up in one run of a cold row.
        residents: Keys in memory for the row on memory.
        rotating_keys: Different resident keys that are presented in turn.
        revocations: How many keys are revoked for the row on revocation.
        scale_keys: Keys in the database for the rows on scale.
        scale_residents: Keys of these in memory.
    """

    runs: int = 5
    seconds: float = 4
    warm_up_seconds: float = 1
    cold_keys: int = 10_000
    residents: int = 200_000
    rotating_keys: int = 10_000
    revocations: int = 500
    scale_keys: int = 10_000_000
    scale_residents: int = 1_000_000


QUICK: Final = Effort(
    runs=1,
    seconds=1,
    warm_up_seconds=0,
    cold_keys=500,
    residents=3_000,
    rotating_keys=500,
    revocations=10,
    scale_keys=5_000,
    scale_residents=2_000,
)


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be reached.

    Args:
        figure: The bound.
        of: The ratio to this row's figure is meant; empty if the figure itself is.
        most: The figure is to be at most this, not at least.
    """

    figure: float
    of: str = ""
    most: bool = False
    words: str = ""

    @override
    def __str__(self) -> str:
        if self.words:
            return self.words
        sign = "≤" if self.most else "≥"
        return f"{sign} {self.figure:,.2f} x {self.of}" if self.of else f"{sign} {self.figure:,.0f}"


@dataclass(slots=True)
class Row:
    """One line of the table.

    Args:
        name: By which `--only` chooses it, and targets refer to it.
        title: What was done.
        unit: Of the figures.
        runs: One figure for each round.
        beside: The figures of the yardsticks in the same rounds, by row name.
        target: What is to be reached, and `further` what else.
        notes: Whatever else was found, for the JSON and the small print.
    """

    name: str
    title: str
    unit: str = PER_CPU_SECOND
    runs: list[float] = field(default_factory=list)
    beside: dict[str, list[float]] = field(default_factory=dict)
    target: Target | None = None
    further: Target | None = None
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def median(self) -> float:
        """The figure in the middle."""
        return statistics.median(self.runs)

    @property
    def best(self) -> float:
        """The best of the runs: the least for what is to be small."""
        return min(self.runs) if self.target is not None and self.target.most else max(self.runs)

    def ratio(self, yardstick: str) -> float | None:
        """The median of the ratios within each round; None if that yardstick did not run."""
        other = self.beside.get(yardstick)
        if not other:
            return None
        return statistics.median(mine / theirs for mine, theirs in zip(self.runs, other, strict=True))

    @property
    def targets(self) -> list[Target]:
        """All that is to be reached."""
        return [target for target in (self.target, self.further) if target is not None]

    @property
    def reached(self) -> bool | None:
        """Whether every target is met that there is something to compare with; None where there is none."""
        met = [met for target in self.targets if (met := self._met(target)) is not None]
        return all(met) if met else None

    def _met(self, target: Target) -> bool | None:
        figure = self.ratio(target.of) if target.of else self.median
        if figure is None:
            return None
        return figure <= target.figure if target.most else figure >= target.figure


@dataclass(frozen=True, slots=True)
class Contestant:
    """Something that answers requests.

    Args:
        row: Where its figures go.
        load: Sends requests for some seconds.
        processes: Whose processor time counts, with all that descend from them.
    """

    row: Row
    load: Callable[[float], Outcome]
    processes: tuple[int, ...]


class UnfitError(RuntimeError):
    """Something answered otherwise than it should, so that its speed says nothing."""


def contest(contestants: list[Contestant], yardsticks: list[Contestant], effort: Effort) -> list[Row]:
    """Measure all in turn, so often; each has the yardsticks' figures of its own rounds beside it."""
    everybody = [*yardsticks, *contestants]
    if effort.warm_up_seconds:
        for each in everybody:
            measure(each, effort.warm_up_seconds)
    for _ in range(effort.runs):
        figures = [(each.row, measure(each, effort.seconds)) for each in everybody]
        for row, figure in figures:
            row.runs.append(figure)
        for each in everybody:
            for other in yardsticks:
                if other is not each:
                    each.row.beside.setdefault(other.row.name, []).append(other.row.runs[-1])
    return [each.row for each in everybody]


def measure(contestant: Contestant, seconds: float) -> float:
    """Answers a second of processor time; once more where one came too late, as on a machine that others use.

    Raises:
        UnfitError: Something was refused, or nothing was answered, or an answer came too late again.
    """
    outcome, used = _measured(contestant, seconds)
    if outcome.lost and not outcome.bad:
        outcome, used = _measured(contestant, seconds)
    if outcome.good == 0 or outcome.bad or outcome.lost:
        raise UnfitError(f"{contestant.row.name}: {outcome}")
    return outcome.good / used


def _measured(contestant: Contestant, seconds: float) -> tuple[Outcome, float]:
    before = cpu_seconds(*contestant.processes)
    outcome = contestant.load(seconds)
    used = cpu_seconds(*contestant.processes) - before
    # A server that waits for its core or for the load reads fewer requests at a time, and so pays more for each.
    contestant.row.notes.setdefault("cores_used", []).append(round(used / outcome.seconds, 2))
    return outcome, used


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where measurements keep their files, and how much effort they make."""

    folder: Path
    effort: Effort
    left_out: dict[str, str] = field(default_factory=dict)
    """What could not be measured here, and why."""

    def subfolder(self, name: str) -> Path:
        """A folder of a measurement's own; nothing is there yet."""
        return self.folder / name
