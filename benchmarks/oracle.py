"""What each key must answer, and from when: the model that a soak holds every answer against."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

T = TypeVar("T")

GOOD: Final = 200
BAD: Final = 401


@dataclass(eq=False, slots=True)
class State(Generic[T]):
    """What is answered from a change on.

    Args:
        value: The answer.
        possible_from: Nobody can know of the change before.
        settled_at: From here on the worker that made the change answers nothing older; never, while it is under way.
        everywhere_at: The same for every worker.
        worker: Which one made it.
    """

    value: T
    possible_from: float
    settled_at: float = math.inf
    everywhere_at: float = math.inf
    worker: str = ""
    told_at: dict[str, float] = field(default_factory=dict)
    """By worker: when one answered so. It never goes back."""

    def certain_from(self, worker: str) -> float:
        """From when on a worker must know."""
        told = self.told_at.get(worker, math.inf)
        return min(told, self.settled_at if worker == self.worker else self.everywhere_at)


class Timeline(Generic[T]):
    """One thing that changes, as several workers may see it: seconds are of one monotonic clock.

    Args:
        value: What it is at first, known to all.
        staleness_seconds: How long a worker may go on answering what another has changed.
    """

    def __init__(self, value: T, staleness_seconds: float) -> None:
        self._staleness_seconds = staleness_seconds
        self._states = [State(value, -math.inf, -math.inf, -math.inf)]

    @property
    def newest(self) -> T:
        """What it is, or is becoming."""
        return self._states[-1].value

    def ask(self, value: T, possible_from: float) -> State[T]:
        """A change is asked for: from now on, it may be seen."""
        state = State(value, possible_from)
        self._states.append(state)
        return state

    def settle(self, state: State[T], answered: float, worker: str, *, not_before: float = -math.inf) -> None:
        """The change was answered.

        Args:
            state: As `ask` returned it.
            answered: When.
            worker: By whom.
            not_before: When it begins to hold, if it was put off.
        """
        state.worker = worker
        state.settled_at = max(answered, not_before)
        state.everywhere_at = max(answered + self._staleness_seconds, not_before)
        self._forget(answered)

    def allowed(self, worker: str, sent: float, answered: float) -> list[State[T]]:
        """Which states an answer of this worker may show."""
        first = max(
            (at for at, state in enumerate(self._states) if state.certain_from(worker) <= sent), default=0
        )
        return [state for state in self._states[first:] if state.possible_from <= answered]

    def _forget(self, now: float) -> None:
        """Drop what no worker may answer any more, not even to a request that was sent long ago."""
        while len(self._states) > 1 and self._states[1].everywhere_at < now - 60:
            del self._states[0]


class Subject:
    """A key, and what has become of it.

    Args:
        identifier: Its id.
        key: What is presented.
        plan: The plan that it is on.
        staleness_seconds: As for `Timeline`.
        parent: Whose successor it is; with its parent, it ends too.
    """

    def __init__(
        self, identifier: str, key: str, plan: str, staleness_seconds: float, parent: Subject | None = None
    ) -> None:
        self.identifier = identifier
        self.key = key
        self.parent = parent
        self.children: list[Subject] = []
        self.fate = Timeline(GOOD, staleness_seconds)
        self.plan = Timeline(plan, staleness_seconds)
        self.family: Family = parent.family if parent is not None else Family()
        if parent is not None:
            parent.children.append(self)

    def lineage(self) -> Iterator[Subject]:
        """Itself, and all that were made from it."""
        yield self
        for child in self.children:
            yield from child.lineage()


@dataclass(eq=False, slots=True)
class Family:
    """Keys that descend from one another: one change at a time."""

    busy: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """An answer to a verification.

    Args:
        limit: Of the `X-RateLimit-Limit` header.
        sent: When the request left.
        answered: When the answer was there.
    """

    status: int
    limit: str
    worker: str
    sent: float
    answered: float


class Oracle:
    """Knows the figures of every plan, and judges answers.

    Args:
        staleness_seconds: As for `Timeline`.
    """

    def __init__(self, staleness_seconds: float) -> None:
        self.staleness_seconds = staleness_seconds
        self.plans: dict[str, Timeline[str]] = {}
        self.latest_seconds = 0.0
        """The longest that a worker went on answering what another had changed."""

    def objection(self, subject: Subject, told: Told) -> str | None:
        """What is wrong with an answer; None if it is one that the key may give."""
        when = (told.worker, told.sent, told.answered)
        fates = subject.fate.allowed(*when)
        matching = [state for state in fates if state.value == told.status]
        if not matching:
            return f"{told.status} instead of {sorted({state.value for state in fates})}"
        self._note(fates, matching, told)
        if told.status != GOOD:
            return None
        limits = {
            figure.value
            for plan in subject.plan.allowed(*when)
            for figure in self.plans[plan.value].allowed(*when)
        }
        return None if told.limit in limits else f"a limit of {told.limit} instead of {sorted(limits)}"

    def _note(self, allowed: list[State[int]], matching: list[State[int]], told: Told) -> None:
        """Take what a worker has told for what it knows."""
        oldest = matching[0]
        if allowed[0] is not oldest:
            oldest.told_at.setdefault(told.worker, told.answered)
        following = allowed[allowed.index(matching[-1]) + 1 :]
        if following and following[0].settled_at < told.sent:
            self.latest_seconds = max(self.latest_seconds, told.sent - following[0].settled_at)
