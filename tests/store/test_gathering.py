"""Questions that meet share a trip, and each answer is from after its question."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from bonafides.errors import Unavailable
from bonafides.store.gathering import Gathering


class Asked:
    """A database that answers with how often it was asked, when it is let."""

    def __init__(self, *failures: Exception | None) -> None:
        self.trips: list[Sequence[str]] = []
        self.gate = asyncio.Event()
        self._failures = list(failures)

    async def ask(self, questions: Sequence[str]) -> Mapping[str, int]:
        self.trips.append(questions)
        number = len(self.trips)
        await self.gate.wait()
        failure = self._failures.pop(0) if self._failures else None
        if failure is not None:
            raise failure
        return {question: number for question in questions if question != "unknown"}


async def begun(*tasks: asyncio.Task[int | None]) -> None:
    """Let tasks run until they wait."""
    for _ in range(3 * max(1, len(tasks))):
        await asyncio.sleep(0)


async def test_questions_that_meet_share_the_next_trip_and_equal_ones_an_answer() -> None:
    """Eight calls of one caller would ask the database eight times for the same two rows."""
    asked = Asked()
    gathering = Gathering(asked.ask)
    first = asyncio.create_task(gathering.find("a"))
    await begun(first)
    others = [asyncio.create_task(gathering.find(name)) for name in ("a", "b", "a", "unknown")]
    await begun(*others)
    asked.gate.set()
    assert await first == 1
    # The first answer may be from before these were asked: somebody may have been deleted in between.
    assert await asyncio.gather(*others) == [2, 2, 2, None]
    assert asked.trips == [["a"], ["a", "b", "unknown"]]
    assert await gathering.find("a") == 3


async def test_a_failure_is_told_to_who_met_it_and_to_nobody_later() -> None:
    """One lost connection would answer 503 for ever."""
    asked = Asked(Unavailable(internal="away"))
    asked.gate.set()
    gathering = Gathering(asked.ask)
    outcomes = await asyncio.gather(*(gathering.find(name) for name in "aab"), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
    assert await gathering.find("a") == 2


async def test_who_leaves_takes_no_answer_away() -> None:
    """A client that hangs up would fail the calls of others that asked the same."""
    asked = Asked()
    gathering = Gathering(asked.ask)
    leaving = asyncio.create_task(gathering.find("a"))
    staying = asyncio.create_task(gathering.find("a"))
    await begun(leaving, staying)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    asked.gate.set()
    assert await staying == 1
