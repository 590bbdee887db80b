"""Leases: never more than the limit in all hands, what is not used comes back, and alone it is the plain rule."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from bonafides.errors import Unavailable
from bonafides.model import Lease, LeaseAsk
from bonafides.store.leasing import HOUR_US, VALID_US, Windows, hand_out, lease
from bonafides.verification.leases import LeasedCounter, LeaseNeededError, Leases
from bonafides.verification.limiter import Counter
from tests.unit.clocks import START_US, HandClock

SECOND = 1_000_000


@dataclass
class Memory:
    """A store of limits that is a dictionary, and can be away, in part or wholly.

    With an era it is one that can lose what it knows.
    """

    subjects: dict[str, Windows] = field(default_factory=dict)
    asked: list[LeaseAsk] = field(default_factory=list)
    away: bool = False
    away_for: set[str] = field(default_factory=set)
    gate: asyncio.Event | None = None
    era: str = ""
    settling: bool = False

    async def lease(self, asks: Sequence[LeaseAsk], now_us: int) -> Sequence[Lease | Unavailable]:
        """As the store does it."""
        if self.gate is not None:
            await self.gate.wait()
        if self.away:
            raise Unavailable
        self.asked += asks
        return [Unavailable() if ask.subject in self.away_for else self._one(ask, now_us) for ask in asks]

    def _one(self, ask: LeaseAsk, now_us: int) -> Lease | Unavailable:
        windows = self.subjects.setdefault(ask.subject, Windows())
        if not self.era:
            return lease(windows, ask, now_us)
        return hand_out(windows, ask, self.era, now_us, settling=self.settling) or Unavailable()

    async def eras(self) -> Mapping[int, str]:
        """Of the one part that there is."""
        if self.away:
            raise Unavailable
        return {0: self.era} if self.era else {}

    def part(self, subject: str) -> int:
        """The one that there is."""
        return 0 * len(subject)

    async def settle(self) -> None:
        """Settled, as far as anybody waits for it."""
        self.settling = False

    def lose(self) -> None:
        """Forget everything, and know it."""
        self.subjects.clear()
        self.era += "+"
        self.settling = True


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
    # Seconds that began before the last one had ended would be more than there are.
    assert all(later - sooner >= SECOND for sooner, later in pairwise(sorted(in_window)))


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


async def test_each_second_admits_its_whole_burst_at_full_speed() -> None:
    """A burst of 200 must not be one of 170 because what a process spent is counted in two seconds."""
    memory, clock = Memory(), HandClock()
    processes = [Process(memory, clock, f"node {number}") for number in range(8)]
    admitted, began_us = 0, clock.now_us
    while clock.now_us < began_us + 9.9 * SECOND:
        for process in processes:
            admitted += await process.spend(None, 200)
            clock.now_us += 617
    assert admitted == 10 * 200


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
        async def lease(self, asks: Sequence[LeaseAsk], now_us: int) -> Sequence[Lease | Unavailable]:
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


async def test_one_that_is_not_answered_takes_nobody_with_it() -> None:
    """One server of a cluster that is away would stop every customer, not a share of them."""
    memory, clock = Memory(away_for={"key_2"}), HandClock()
    process = Process(memory, clock, "one")
    other = process.leases.counter("key_2")
    assert await process.spend(1_000, None)
    with pytest.raises(LeaseNeededError) as needed:
        other.spend(1_000, None, 1, clock.micros())
    with pytest.raises(Unavailable):
        await process.leases.renew(needed.value)
    assert await process.spend(1_000, None)


async def test_what_one_part_did_not_take_back_is_not_forgotten() -> None:
    """Units that are returned to a server that is away would be spent, and returned once more."""
    memory, clock = Memory(), HandClock()
    process = Process(memory, clock, "one")
    assert await process.spend(1_000, None)
    memory.away_for = {"key_1"}
    clock.advance(2)
    with pytest.raises(Unavailable):
        await process.leases.give_back()
    memory.away_for = set()
    await process.leases.give_back()
    assert memory.subjects["key_1"].hour_used == 10
    assert memory.subjects["key_1"].held == {}


async def test_an_ask_that_waits_is_the_account() -> None:
    """What is given back while an ask for more waits would be accounted for twice, and the second ask never answered."""
    memory, clock = Memory(), HandClock()
    process = Process(memory, clock, "one")
    counter = process.leases.counter("key_2")
    assert await process.spend(1_000, None)
    clock.advance(20)
    memory.gate = asyncio.Event()
    with pytest.raises(LeaseNeededError) as needed:
        counter.spend(1_000, None, 1, clock.micros())
    first = asyncio.create_task(process.leases.renew(needed.value))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = asyncio.create_task(process.spend(1_000, None))
    await asyncio.sleep(0)
    returning = asyncio.create_task(process.leases.give_back())
    await asyncio.sleep(0)
    memory.gate.set()
    await asyncio.gather(first, second, returning)
    assert isinstance(process.counter, LeasedCounter)
    assert memory.subjects["key_1"].hour_used - process.counter.units == 2


LOSSES = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(1, 3),
        st.sampled_from([0, 0, 0, 1_000, 200_000, SECOND, 3 * SECOND]),
        st.sampled_from(["spend", "spend", "spend", "spend", "give back", "lose", "lose the end"]),
    ),
    max_size=120,
)


@given(st.integers(0, 60), LOSSES)
async def test_a_store_that_loses_its_memory_sells_nothing_twice(
    hourly: int, steps: Sequence[tuple[int, int, int, str]]
) -> None:
    """After a flush every node would get a full hour anew."""
    memory, clock = Memory(era="1"), HandClock()
    processes = [Process(memory, clock, name) for name in ("one", "two", "three")]
    for process in processes:
        await process.leases.begin()
    spent = 0
    before: dict[str, Windows] = {}
    for number, cost, later_us, what in steps:
        clock.now_us += later_us
        process = processes[number]
        if what.startswith("lose"):
            memory.lose()
            memory.subjects = before if what == "lose the end" else {}
            for _ in range(3):
                for each in processes:
                    await each.leases.remind()
                    await asyncio.sleep(0)
            memory.settling = False
        elif what == "give back":
            await process.leases.give_back()
            before = deepcopy(memory.subjects)
        elif await process.spend(hourly, None, cost):
            spent += cost
    assert spent <= hourly
    for windows in memory.subjects.values():
        assert windows.hour_used >= spent


async def test_nothing_is_handed_out_before_everybody_was_heard() -> None:
    """The first node that asks after a flush would get what another one has spent."""
    memory, clock = Memory(era="1"), HandClock()
    one, two = Process(memory, clock, "one"), Process(memory, clock, "two")
    for process in (one, two):
        await process.leases.begin()
    while await one.spend(100, None):
        pass
    memory.lose()
    with pytest.raises(Unavailable):
        await two.spend(100, None)
    await one.leases.remind()
    memory.settling = False
    assert not await two.spend(100, None)
    # Told once, it is known: the next reminder has nothing to say.
    memory.asked.clear()
    await one.leases.remind()
    assert memory.asked == []


async def test_a_reminder_that_was_cut_off_is_said_again() -> None:
    """What one node had spent would be missing for the rest of the hour."""
    memory, clock = Memory(era="1"), HandClock()
    process = Process(memory, clock, "one")
    await process.leases.begin()
    while await process.spend(100, None):
        pass
    memory.lose()
    memory.away_for = {"key_1"}
    with pytest.raises(Unavailable):
        await process.leases.remind()
    memory.away_for = set()
    await process.leases.remind()
    assert memory.subjects["key_1"].hour_used == 100


async def test_units_in_hand_outlive_the_memory_that_handed_them_out() -> None:
    """A flush would refuse for seconds what was counted long ago."""
    memory, clock = Memory(era="1"), HandClock()
    process = Process(memory, clock, "one")
    await process.leases.begin()
    assert await process.spend(1_000, 400)
    assert isinstance(process.counter, LeasedCounter)
    left = process.counter.units
    memory.lose()
    await process.leases.remind()
    assert process.counter.units == left
    windows = memory.subjects["key_1"]
    assert (windows.hour_used, windows.held["one"].units) == (1 + left, left)
    assert await process.spend(1_000, 400)
    clock.advance(2)
    await process.leases.give_back()
    assert memory.subjects["key_1"].hour_used == 2


async def test_a_server_that_restarts_within_a_second_keeps_its_burst() -> None:
    """What is in hand would be spent in a second that was handed out once more."""
    memory, clock = Memory(era="1"), HandClock()
    one, two = Process(memory, clock, "one"), Process(memory, clock, "two")
    for process in (one, two):
        await process.leases.begin()
    admitted = 0
    while memory.subjects.get("key_1", Windows()).burst_used < 40:
        admitted += await one.spend(None, 80)
    memory.era += "+"
    await one.leases.remind()
    for _ in range(200):
        admitted += await one.spend(None, 80)
        admitted += await two.spend(None, 80)
    assert 60 < admitted <= 80
