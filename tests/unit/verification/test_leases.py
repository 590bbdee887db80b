"""Leases: never more than the limit in all hands, what is not used comes back, and alone it is the plain rule."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from bonafides.errors import Unavailable
from bonafides.model import Lease, LeaseAsk
from bonafides.store.leasing import HOUR_US, VALID_US, Windows, lease
from bonafides.verification.leases import LeasedCounter, LeaseNeededError, Leases
from bonafides.verification.limiter import Counter
from tests.unit.clocks import START_US, HandClock

SECOND = 1_000_000


@dataclass
class Memory:
    """A store of limits that is a dictionary, and can be away."""

    subjects: dict[str, Windows] = field(default_factory=dict)
    asked: list[LeaseAsk] = field(default_factory=list)
    away: bool = False
    gate: asyncio.Event | None = None

    async def lease(self, asks: Sequence[LeaseAsk], now_us: int) -> Sequence[Lease]:
        """As the store does it."""
        if self.gate is not None:
            await self.gate.wait()
        if self.away:
            raise Unavailable
        self.asked += asks
        return [lease(self.subjects.setdefault(ask.subject, Windows()), ask, now_us) for ask in asks]


class Process:
    """One process that spends.

    Args:
        memory: The store that it shares.
        clock: Its time.
        name: Of the holder.
    """

    def __init__(self, memory: Memory, clock: HandClock, name: str, *, admit_unknown: bool = False) -> None:
        self.clock = clock
        self.leases = Leases(memory, name, clock, admit_unknown=admit_unknown)
        self.counter = self.leases.counter("key_1")

    async def spend(self, hourly: int | None, burst: int | None, cost: int = 1) -> bool:
        """Whether a request is admitted, with as many leases as it takes."""
        while True:
            try:
                return self.counter.spend(hourly, burst, cost, self.clock.micros())
            except LeaseNeededError as needed:
                await self.leases.renew(needed)


def within(spent: Sequence[tuple[int, int]], length_us: int) -> int:
    """The most that was spent in one window that opens with the first request after the last one."""
    most, ends, used = 0, -1, 0
    for at_us, cost in spent:
        if at_us >= ends:
            ends, used = at_us + length_us, 0
        used += cost
        most = max(most, used)
    return most


STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(1, 3),
        st.sampled_from([0, 0, 0, 1_000, 200_000, 999_999, SECOND, 3 * SECOND, HOUR_US]),
        st.booleans(),
    ),
    max_size=150,
)
LIMIT = st.one_of(st.none(), st.integers(0, 40))


@given(LIMIT, LIMIT, STEPS)
async def test_many_processes_never_admit_more_than_one_would(
    hourly: int | None, burst: int | None, steps: Sequence[tuple[int, int, int, bool]]
) -> None:
    """Each node more would sell the plan once more."""
    memory, clock = Memory(), HandClock()
    processes = [Process(memory, clock, name) for name in ("one", "two", "three")]
    spent: list[tuple[int, int]] = []
    for number, cost, later_us, give_back in steps:
        clock.now_us += later_us
        process = processes[number]
        if give_back:
            await process.leases.give_back()
        if await process.spend(hourly, burst, cost):
            spent.append((clock.now_us, cost))
    if hourly is not None:
        assert within(spent, HOUR_US) <= hourly
    if burst is not None:
        for start, _ in spent:
            # A second begins when the store was asked, so it is the store's seconds that are bounded.
            assert sum(cost for at_us, cost in spent if start <= at_us < start + SECOND) <= 2 * burst
    for windows in memory.subjects.values():
        held = sum(each.units for each in windows.held.values())
        assert hourly is None or held <= windows.hour_used <= max(hourly, 0)
        assert windows.burst_used >= 0


@given(LIMIT, LIMIT, STEPS)
async def test_alone_it_is_the_plain_rule(
    hourly: int | None, burst: int | None, steps: Sequence[tuple[int, int, int, bool]]
) -> None:
    """The same plan would mean something else on PostgreSQL than on SQLite."""
    clock, plain = HandClock(), Counter()
    process = Process(Memory(), clock, "one")
    for _, cost, later_us, _ in steps:
        clock.now_us += later_us
        admitted = plain.spend(hourly, burst, cost, clock.now_us)
        assert await process.spend(hourly, burst, cost) == admitted
        if admitted and (hourly is not None or burst is not None):
            assert process.counter.allowance(hourly, burst, clock.now_us) == plain.allowance(
                hourly, burst, clock.now_us
            )


@given(st.integers(1, 60), STEPS)
async def test_the_burst_of_the_store_is_never_exceeded(
    burst: int, steps: Sequence[tuple[int, int, int, bool]]
) -> None:
    """Three nodes would let three bursts through in one second."""
    memory, clock = Memory(), HandClock()
    processes = [Process(memory, clock, name) for name in ("one", "two", "three")]
    in_window: dict[int, int] = {}
    for number, cost, later_us, _ in steps:
        clock.now_us += later_us
        if await processes[number].spend(None, burst, cost):
            windows = memory.subjects["key_1"]
            if clock.now_us < windows.burst_ends_us:
                in_window[windows.burst_ends_us] = in_window.get(windows.burst_ends_us, 0) + cost
    assert all(used <= burst for used in in_window.values())


async def test_the_whole_limit_is_admitted_at_full_speed() -> None:
    """A plan of 10,000 must not be one of 9,000 because several nodes serve it."""
    memory, clock = Memory(), HandClock()
    processes = [Process(memory, clock, f"node {number}") for number in range(8)]
    admitted = 0
    for _ in range(60):
        for _ in range(40):
            for process in processes:
                admitted += await process.spend(10_000, 200)
        clock.advance(1)
    assert admitted == 10_000


async def test_units_that_are_not_used_come_back() -> None:
    """A client that changes from one node to another would be refused though it has requests left."""
    memory, clock = Memory(), HandClock()
    one, other = Process(memory, clock, "one"), Process(memory, clock, "other")
    assert await one.spend(4, None)
    assert await one.spend(4, None)
    clock.advance(1.5)
    await one.leases.give_back()
    assert [await other.spend(4, None) for _ in range(3)] == [True, True, False]


async def test_a_drain_gives_everything_back() -> None:
    """A restart would take what it held with it for an hour."""
    memory, clock = Memory(), HandClock()
    one, other = Process(memory, clock, "one"), Process(memory, clock, "other")
    assert await one.spend(1_000, None)
    await one.leases.give_back_all()
    assert memory.subjects["key_1"].hour_used == 1
    assert sum([await other.spend(1_000, None) for _ in range(1_001)]) == 999


async def test_a_dead_holder_costs_its_lease_and_no_burst() -> None:
    """What a dead process had may have been spent: it is not handed out again in the hour, nor reckoned with for ever."""
    memory, clock = Memory(), HandClock()
    dead, other = Process(memory, clock, "dead"), Process(memory, clock, "other")
    assert await dead.spend(1_000, 100)
    lost = memory.subjects["key_1"].held["dead"].units
    assert 1 < lost <= 1_000 // 100
    clock.now_us += VALID_US
    assert sum([await other.spend(1_000, 100) for _ in range(101)]) == 100
    admitted = 100
    for _ in range(12):
        clock.advance(1)
        admitted += sum([await other.spend(1_000, 100) for _ in range(101)])
    assert admitted == 1_000 - lost


async def test_a_lease_is_not_spent_after_its_time() -> None:
    """Others count on it that a holder which was away for long does not come back and spend."""
    clock = HandClock()
    process = Process(Memory(), clock, "one")
    assert await process.spend(1_000, None)
    assert isinstance(process.counter, LeasedCounter)
    assert process.counter.units > 0
    clock.now_us += VALID_US
    with pytest.raises(LeaseNeededError):
        process.counter.spend(1_000, None, 1, clock.micros())


async def test_no_limit_needs_no_lease() -> None:
    """Unlimited plans must cost nobody a trip."""
    memory = Memory()
    process = Process(memory, HandClock(), "one")
    assert await process.spend(None, None, 1_000)
    assert process.counter.spend(5, 5, 0, START_US)
    assert memory.asked == []


async def test_a_changed_figure_binds_at_once() -> None:
    """Units that were leased under the old figure would admit more than the new one."""
    memory, clock = Memory(), HandClock()
    process = Process(memory, clock, "one")
    assert await process.spend(1_000, None)
    assert not await process.spend(1, None)
    assert await process.spend(1_000, None)


async def test_requests_that_meet_share_a_trip() -> None:
    """A thousand requests in a millisecond would be a thousand transactions."""
    memory = Memory(gate=asyncio.Event())
    process = Process(memory, HandClock(), "one")
    asking = [asyncio.create_task(process.spend(100_000, None)) for _ in range(4)]
    await asyncio.sleep(0)
    assert memory.gate is not None
    memory.gate.set()
    assert await asyncio.gather(*asking) == [True] * 4
    assert len(memory.asked) == 1


async def test_units_are_refilled_before_they_are_spent() -> None:
    """Each lease would make somebody wait, and an outage would find empty hands."""
    memory, clock = Memory(), HandClock()
    process = Process(memory, clock, "one")
    waited = 0
    for _ in range(500):
        try:
            assert process.counter.spend(1_000_000, None, 1, clock.micros())
        except LeaseNeededError as needed:
            waited += 1
            await process.leases.renew(needed)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert waited <= 2
    assert isinstance(process.counter, LeasedCounter)
    assert process.counter.units > 50
    windows = memory.subjects["key_1"]
    assert windows.hour_used - windows.held["one"].units <= 500


async def test_with_the_store_away_what_is_in_hand_is_spent_and_no_more() -> None:
    """When the server cannot know, it never says yes."""
    memory, clock = Memory(), HandClock()
    process = Process(memory, clock, "one")
    assert await process.spend(1_000, None)
    assert isinstance(process.counter, LeasedCounter)
    left = process.counter.units
    memory.away = True
    assert [await process.spend(1_000, None) for _ in range(left)] == [True] * left
    with pytest.raises(Unavailable):
        await process.spend(1_000, None)
    memory.away = False
    assert await process.spend(1_000, None)
    assert memory.subjects["key_1"].hour_used >= left + 2


async def test_an_operator_may_admit_what_cannot_be_counted() -> None:
    """For some APIs an outage of the limits is worse than a burst too many; then it is counted and told."""
    memory, clock = Memory(away=True), HandClock()
    process = Process(memory, clock, "one", admit_unknown=True)
    assert [await process.spend(2, None) for _ in range(5)] == [True] * 5
    assert process.leases.uncounted == 5


async def test_a_failed_refill_leaves_what_is_in_hand() -> None:
    """An outage that begins while there are units left must not be counted as requests that nobody counted."""
    memory, clock = Memory(), HandClock()
    process = Process(memory, clock, "one", admit_unknown=True)
    assert await process.spend(1_000, None)
    memory.away = True
    assert isinstance(process.counter, LeasedCounter)
    while process.counter.units > 1:
        assert await process.spend(1_000, None)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert process.leases.uncounted == 0


async def test_a_failure_that_nobody_foresaw_is_an_outage() -> None:
    """Whoever waits would wait for ever, or get a traceback."""

    class Broken(Memory):
        @override
        async def lease(self, asks: Sequence[LeaseAsk], now_us: int) -> Sequence[Lease]:
            raise ZeroDivisionError(asks, now_us)

    process = Process(Broken(), HandClock(), "one")
    with pytest.raises(Unavailable):
        await process.spend(1_000, None)


async def test_what_the_store_did_not_take_back_is_never_spent_twice() -> None:
    """An account that is sent again after a failure would hand out units anew that were spent."""
    memory, clock = Memory(), HandClock()
    process, other = Process(memory, clock, "one"), Process(memory, clock, "other")
    assert [await process.spend(10, None) for _ in range(2)] == [True, True]
    clock.advance(2)
    memory.away = True
    with pytest.raises(Unavailable):
        await process.leases.give_back()
    memory.away = False
    admitted = 2
    for _ in range(20):
        admitted += await process.spend(10, None)
        admitted += await other.spend(10, None)
    assert admitted <= 10


async def test_an_ask_waits_for_an_account_that_is_under_way() -> None:
    """An older account that arrives after the next lease would give that one back while it is spent."""
    memory, clock = Memory(), HandClock()
    process = Process(memory, clock, "one")
    assert await process.spend(1_000, None)
    clock.advance(2)
    memory.gate = asyncio.Event()
    returning = asyncio.create_task(process.leases.give_back())
    await asyncio.sleep(0)
    spending = asyncio.create_task(process.spend(1_000, None))
    await asyncio.sleep(0)
    memory.gate.set()
    await returning
    assert await spending
    assert [ask.wanted > 0 for ask in memory.asked] == [True, False, True]
    assert memory.subjects["key_1"].hour_used - memory.subjects["key_1"].held["one"].units == 1


async def test_a_subject_has_one_counter_while_anybody_holds_it() -> None:
    """Two counters would account for one lease, and the second would give back what the first spends."""
    leases = Leases(Memory(), "one", HandClock(), admit_unknown=False)
    counter = leases.counter("key_1")
    assert leases.counter("key_1") is counter
    del counter
    gc.collect()
    assert leases.counter("key_1").hour_used == 0


async def test_a_refusal_says_which_window_has_no_room() -> None:
    """A client that waits a second for the hour asks 3,600 times."""
    clock = HandClock()
    process = Process(Memory(), clock, "one")
    while await process.spend(5, None):
        pass
    hour = process.counter.allowance(5, None, clock.now_us, refused_cost=1)
    assert (hour.windows[0].name, hour.windows[0].remaining, hour.retry_after_seconds) == ("hour", 0, 3_600)
    process = Process(Memory(), clock, "one")
    while await process.spend(1_000, 5):
        pass
    burst = process.counter.allowance(1_000, 5, clock.now_us, refused_cost=1)
    assert (burst.windows[0].name, burst.windows[0].remaining, burst.retry_after_seconds) == ("burst", 0, 1)


async def test_what_is_left_never_rises_within_a_window() -> None:
    """A client that plans by `Remaining` would send what it does not have."""
    memory, clock = Memory(), HandClock()
    processes = [Process(memory, clock, name) for name in ("one", "two")]
    told: dict[int, int] = {0: 1_000, 1: 1_000}
    for step in range(600):
        clock.now_us += 30_000
        number = step % 7 % 2
        await processes[number].spend(300, 50)
        left = processes[number].counter.allowance(300, 50, clock.now_us).windows[0].remaining
        assert 0 <= left <= told[number]
        told[number] = left
        if step % 40 == 0:
            await processes[1 - number].leases.give_back()
