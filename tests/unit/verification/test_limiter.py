"""Limits: never more than the limit in a window, nothing counted that was refused, exact at the boundaries."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonafides.errors import Unavailable
from bonafides.model import Allowance, Window
from bonafides.verification.limiter import (
    NO_LIMIT,
    AddressLimiter,
    Counter,
    Limiter,
    LocalAddressWindows,
    Uncounted,
    group_of,
    refusal,
)
from tests.unit.clocks import START_US, HandClock

SECOND = 1_000_000
HOUR = 3_600 * SECOND
MINUTE = 60 * SECOND


@dataclass
class Model:
    """The rule in its simplest form: keep every request that was admitted, and count again each time."""

    hourly: int | None
    burst: int | None
    admitted: list[tuple[int, int]] = field(default_factory=list)

    def used(self, length_us: int, now_us: int) -> tuple[int, int | None]:
        """What was admitted in the window that is open now, and when that ends; (0, None) if none is."""
        ends, used = None, 0
        for at_us, cost in self.admitted:
            if ends is None or at_us >= ends:
                ends, used = at_us + length_us, 0
            used += cost
        return (used, ends) if ends is not None and now_us < ends else (0, None)

    def spend(self, cost: int, now_us: int) -> bool:
        """Whether the request is admitted."""
        for limit, length_us in ((self.hourly, HOUR), (self.burst, SECOND)):
            if limit is not None and self.used(length_us, now_us)[0] + cost > limit:
                return False
        if cost:
            self.admitted.append((now_us, cost))
        return True


def refused_until(window: Window, seconds: int) -> Allowance:
    """What a refused request is told."""
    return Allowance((window,), admitted=False, retry_after_seconds=seconds)


# Steps that fall on, just before and just after the ends of windows are where a limiter goes wrong.
steps = st.one_of(
    st.just(0),
    st.integers(0, 3),
    st.integers(0, 2 * SECOND),
    st.sampled_from([SECOND - 1, SECOND, SECOND + 1, HOUR - SECOND, HOUR - 1, HOUR, HOUR + 1]),
)
requests = st.lists(st.tuples(steps, st.integers(0, 4)), max_size=40)
limits = st.none() | st.integers(0, 12)


def outcomes(
    hourly: int | None, burst: int | None, wanted: list[tuple[int, int]]
) -> list[tuple[int, int, bool, Allowance]]:
    """Time, cost, admission and what was left, of each request in turn."""
    counter, now_us, seen = Limiter().counter("key_1"), START_US, []
    for step, cost in wanted:
        now_us += step
        admitted = counter.spend(hourly, burst, cost, now_us)
        refused_cost = None if admitted else cost
        seen.append(
            (now_us, cost, admitted, counter.allowance(hourly, burst, now_us, refused_cost=refused_cost))
        )
    return seen


@given(limits, limits, requests)
def test_admission_is_exactly_the_rule(
    hourly: int | None, burst: int | None, wanted: list[tuple[int, int]]
) -> None:
    """A client that is throttled too early complains; one that is throttled too late was not paid for."""
    model = Model(hourly, burst)
    for now_us, cost, admitted, allowance in outcomes(hourly, burst, wanted):
        assert admitted == model.spend(cost, now_us)
        assert allowance.admitted == admitted
        for window in allowance.windows:
            length_us = window.seconds * SECOND
            used, ends = model.used(length_us, now_us)
            assert window.limit == (hourly if window.name == "hour" else burst)
            assert window.remaining == max(0, window.limit - used)
            assert window.resets_at_us == (ends if ends is not None else now_us + length_us)


@given(limits, limits, requests)
def test_no_window_ever_admits_more_than_its_limit(
    hourly: int | None, burst: int | None, wanted: list[tuple[int, int]]
) -> None:
    """The limit is a promise to whoever runs the API behind us."""
    seen = [(at, cost) for at, cost, admitted, _ in outcomes(hourly, burst, wanted) if admitted and cost]
    for limit, length_us in ((hourly, HOUR), (burst, SECOND)):
        ends, spent = 0, 0
        for at_us, cost in seen:
            if at_us >= ends:
                ends, spent = at_us + length_us, 0
            spent += cost
            assert limit is None or spent <= limit


@given(limits, limits, requests)
def test_refused_requests_change_nothing(
    hourly: int | None, burst: int | None, wanted: list[tuple[int, int]]
) -> None:
    """A client that retries too early must not push its own reset away or use up its hour."""
    seen = outcomes(hourly, burst, wanted)
    kept = [outcome for outcome in seen if outcome[2]]
    times = [START_US, *(at for at, *_ in kept)]
    again = [(late - early, cost) for (early, late), (_, cost, *_) in zip(pairwise(times), kept, strict=True)]
    assert outcomes(hourly, burst, again) == kept


@given(limits, limits, requests)
def test_what_remains_never_rises_within_a_window(
    hourly: int | None, burst: int | None, wanted: list[tuple[int, int]]
) -> None:
    """A client that paces itself by the headers would trust a number that was never true."""
    windows = [window for *_, allowance in outcomes(hourly, burst, wanted) for window in allowance.windows]
    for name in ("hour", "burst"):
        own = [window for window in windows if window.name == name]
        for _, same_window in groupby(own, key=lambda window: window.resets_at_us):
            remaining = [window.remaining for window in same_window]
            assert remaining == sorted(remaining, reverse=True)


@given(limits, limits, requests)
def test_coming_back_when_told_succeeds_and_a_second_earlier_does_not(
    hourly: int | None, burst: int | None, wanted: list[tuple[int, int]]
) -> None:
    """`Retry-After` too small makes clients hammer, too large makes them wait for nothing."""
    for position, (now_us, cost, admitted, allowance) in enumerate(outcomes(hourly, burst, wanted)):
        fits = all(limit is None or cost <= limit for limit in (hourly, burst))
        if admitted or not fits:
            continue
        before = wanted[: position + 1]
        wait = allowance.retry_after_seconds
        assert outcomes(hourly, burst, [*before, (wait * SECOND, cost)])[-1][2]
        assert wait == max(1, -(-(allowance.windows[0].resets_at_us - now_us) // SECOND))
        if wait > 1:
            assert not outcomes(hourly, burst, [*before, ((wait - 1) * SECOND, cost)])[-1][2]


@given(st.integers(1, 5), st.integers(1, 50))
def test_the_boundary_of_a_window_is_exact_to_the_microsecond(limit: int, wait_us: int) -> None:
    """`Reset` is the moment from which requests are admitted again: not one microsecond before or after."""
    for hourly, burst, length_us in ((limit, None, HOUR), (None, limit, SECOND)):
        counter = Counter()
        assert all(counter.spend(hourly, burst, 1, START_US + n) for n in range(limit))
        assert not counter.spend(hourly, burst, 1, START_US + length_us - wait_us)
        assert not counter.spend(hourly, burst, 1, START_US + length_us - 1)
        assert counter.spend(hourly, burst, 1, START_US + length_us)
        # The next window opened with that request, not with the end of the last.
        (window,) = counter.allowance(hourly, burst, START_US + length_us + 7).windows
        assert window.resets_at_us == START_US + 2 * length_us


def test_asking_without_cost_opens_no_window() -> None:
    """A resource server that asks with cost 0 would start its client's hour too early."""
    counter = Counter()
    assert counter.spend(1, 1, 0, START_US)
    assert counter.spend(1, 1, 1, START_US + HOUR - 1)
    assert not counter.spend(1, 1, 1, START_US + HOUR)
    assert counter.spend(1, 1, 0, START_US + HOUR)


def test_a_request_that_the_burst_refuses_does_not_use_up_the_hour() -> None:
    """A client with one busy second would lose its whole hour."""
    counter = Counter()
    assert counter.spend(10, 1, 1, START_US)
    for _ in range(50):
        assert not counter.spend(10, 1, 1, START_US)
    hour, burst = counter.allowance(10, 1, START_US).windows
    assert (hour.remaining, burst.remaining) == (9, 0)


def test_the_hour_binds_most_unless_the_burst_refuses() -> None:
    """The headers name the policy that a client should pace itself by."""
    counter = Counter()
    assert counter.spend(2, 1, 1, START_US)
    assert [window.name for window in counter.allowance(2, 1, START_US).windows] == ["hour", "burst"]
    by_burst = counter.allowance(2, 1, START_US, refused_cost=1)
    assert [window.name for window in by_burst.windows] == ["burst", "hour"]
    assert (by_burst.admitted, by_burst.retry_after_seconds) == (False, 1)
    by_both = counter.allowance(1, 1, START_US, refused_cost=1)
    assert [window.name for window in by_both.windows] == ["hour", "burst"]
    assert (by_both.admitted, by_both.retry_after_seconds) == (False, 3_600)


def test_no_limit_has_no_window() -> None:
    """An unlimited client must not be told of a limit that does not exist."""
    counter = Counter()
    assert all(counter.spend(None, None, 1_000_000, START_US) for _ in range(100))
    assert counter.allowance(None, None, START_US) == Allowance(())
    assert counter.allowance(None, None, START_US, refused_cost=1) == Allowance(())


def test_a_plan_that_shrinks_counts_what_was_used_before() -> None:
    """Moving a client to a smaller plan must not give it a fresh hour, nor a negative rest."""
    counter = Counter()
    assert all(counter.spend(None, None, 1, START_US) for _ in range(8))
    assert not counter.spend(5, None, 1, START_US)
    assert not counter.spend(5, None, 0, START_US)
    (window,) = counter.allowance(5, None, START_US, refused_cost=1).windows
    assert window == Window("hour", 5, 3_600, 0, START_US + HOUR)
    assert counter.spend(9, None, 1, START_US)


@pytest.mark.parametrize(
    ("ends_in_us", "seconds"), [(-5, 1), (0, 1), (1, 1), (SECOND, 1), (SECOND + 1, 2), (HOUR, 3_600)]
)
def test_a_refusal_says_whole_seconds_rounded_up(ends_in_us: int, seconds: int) -> None:
    """A client that comes back in the second before the reset is refused again; 0 would make it spin."""
    window = Window("hour", 1, 3_600, 0, START_US + ends_in_us)
    assert refusal((window,), START_US + ends_in_us, START_US) == refused_until(window, seconds)


# counters by subject


def test_who_must_not_count_admits_nothing() -> None:
    """A process beside the one that counts would sell every limit twice; where it cannot know, it does not say yes."""
    counter = Limiter(lambda _: Uncounted()).counter("key")
    for hourly, burst in ((10, 10), (None, None)):
        with pytest.raises(Unavailable):
            counter.spend(hourly, burst, 1, START_US)
    assert (counter.hour_used, counter.burst_used) == (0, 0)


def test_a_subject_has_one_counter_and_no_other_subjects() -> None:
    """Two counters for one key would admit twice its limit; one for two keys throttles a stranger."""
    limiter = Limiter()
    assert limiter.counter("a") is limiter.counter("a")
    assert limiter.counter("a") is not limiter.counter("b")
    assert len(limiter) == 2


@given(requests, st.lists(st.booleans(), min_size=40, max_size=40))
def test_sweeping_never_gives_anybody_more(wanted: list[tuple[int, int]], sweeps: list[bool]) -> None:
    """Memory is freed every minute; a counter that went with a window still open would admit twice."""
    limiter, model, now_us = Limiter(), Model(6, 3), START_US
    for (step, cost), sweep in zip(wanted, sweeps, strict=False):
        now_us += step
        if sweep:
            list(limiter.sweep(now_us))
        assert limiter.counter("a").spend(6, 3, cost, now_us) == model.spend(cost, now_us)


def test_a_sweep_keeps_a_burst_that_outlives_its_hour() -> None:
    """At the end of an hour a client could otherwise send its burst twice within a second."""
    limiter = Limiter()
    assert limiter.counter("a").spend(10, 2, 1, START_US)
    late_us = START_US + HOUR - SECOND // 2
    assert limiter.counter("a").spend(10, 2, 2, late_us)
    list(limiter.sweep(START_US + HOUR))
    assert not limiter.counter("a").spend(10, 2, 1, START_US + HOUR)
    list(limiter.sweep(late_us + SECOND))
    assert len(limiter) == 0


def test_a_sweep_frees_what_has_ended() -> None:
    """A server that remembers every key for ever runs out of memory."""
    limiter = Limiter()
    for subject in range(100):
        limiter.counter(str(subject)).spend(10, 2, 1, START_US + subject)
    list(limiter.sweep(START_US + HOUR + 49))
    assert len(limiter) == 50
    list(limiter.sweep(START_US + HOUR + 99))
    assert len(limiter) == 0


def test_a_sweep_of_many_goes_in_steps() -> None:
    """With a million keys, every request of that moment would wait for the whole sweep."""
    limiter = Limiter()
    for subject in range(12_000):
        limiter.counter(str(subject)).spend(10, 2, 1, START_US)
    left = []
    for _ in limiter.sweep(START_US + HOUR):
        left.append(len(limiter))
        # What is used again between two steps has a window of its own, and stays.
        assert limiter.counter("11999").spend(10, None, 1, START_US + HOUR)
    assert left == [7_000, 2_000, 1]


# addresses


@given(st.integers(0, 5), st.lists(st.tuples(st.integers(0, 40), st.sampled_from("ab")), max_size=60))
def test_an_address_is_admitted_up_to_its_limit_in_each_minute(
    limit: int, wanted: list[tuple[int, str]]
) -> None:
    """Whoever guesses keys from one address is slowed down, and nobody else is."""
    clock = HandClock()
    limiter = AddressLimiter(limit, clock.micros)
    admitted: dict[str, list[int]] = {"a": [], "b": []}
    ends = {"a": 0, "b": 0}
    for seconds, name in wanted:
        clock.advance(seconds)
        now_us = clock.micros()
        if now_us >= ends[name]:
            ends[name], admitted[name] = now_us + MINUTE, []
        peeked = limiter.peek(name)
        allowance = limiter.spend(name)
        assert allowance.admitted == (len(admitted[name]) < limit)
        used = len(admitted[name])
        assert peeked == Allowance((Window("address", limit, 60, limit - used, ends[name]),))
        if allowance.admitted:
            admitted[name].append(now_us)
            assert allowance == Allowance((Window("address", limit, 60, limit - used - 1, ends[name]),))
        else:
            wait = -(-(ends[name] - now_us) // SECOND)
            assert allowance == refused_until(Window("address", limit, 60, 0, ends[name]), wait)


def test_a_window_of_an_address_ends_to_the_microsecond() -> None:
    """Whoever waits as long as they were told is served."""
    clock = HandClock()
    limiter = AddressLimiter(1, clock.micros)
    assert limiter.spend("192.0.2.1").admitted
    clock.now_us += MINUTE - 1
    assert not limiter.spend("192.0.2.1").admitted
    assert limiter.peek("192.0.2.1").windows[0].remaining == 0
    clock.now_us += 1
    assert limiter.peek("192.0.2.1").windows[0].remaining == 1
    assert limiter.spend("192.0.2.1").admitted


def test_what_is_given_back_was_never_spent() -> None:
    """A good key that was merely not in memory must not use up what its address may guess."""
    clock = HandClock()
    limiter = AddressLimiter(2, clock.micros)
    for _ in range(50):
        assert limiter.spend("192.0.2.1").admitted
        limiter.give_back("192.0.2.1")
    assert limiter.peek("192.0.2.1").windows[0].remaining == 2


def test_nothing_more_is_given_back_than_was_spent() -> None:
    """Otherwise an address could save up requests beyond its limit."""
    windows = LocalAddressWindows()
    limiter = AddressLimiter(1, HandClock().micros, windows)
    limiter.give_back("192.0.2.1")
    limiter.give_back(None)
    assert len(windows) == 0
    assert limiter.spend("192.0.2.1").admitted
    limiter.give_back("192.0.2.1")
    limiter.give_back("192.0.2.1")
    assert limiter.spend("192.0.2.1").admitted
    assert not limiter.spend("192.0.2.1").admitted


@pytest.mark.parametrize(("limit", "address"), [(None, "192.0.2.1"), (1, None), (None, None)])
def test_no_limit_and_no_address_are_not_counted(limit: int | None, address: str | None) -> None:
    """A server behind a socket without addresses would throttle everybody as one."""
    windows = LocalAddressWindows()
    limiter = AddressLimiter(limit, HandClock().micros, windows)
    for _ in range(3):
        assert limiter.spend(address) is NO_LIMIT
        assert limiter.peek(address) is NO_LIMIT
        limiter.give_back(address)
    assert len(windows) == 0
    assert Allowance(()) == NO_LIMIT


def test_peeking_remembers_nothing() -> None:
    """Answers that only tell the policy would otherwise fill the memory with addresses."""
    windows = LocalAddressWindows()
    limiter = AddressLimiter(1, HandClock().micros, windows)
    limiter.peek("192.0.2.1")
    assert len(windows) == 0


@given(st.integers(1, 25), st.lists(st.tuples(st.integers(0, 20), st.integers(0, 60)), max_size=80))
def test_addresses_take_bounded_memory(addresses_max: int, wanted: list[tuple[int, int]]) -> None:
    """A flood from many addresses must not take the server's memory."""
    clock = HandClock()
    windows = LocalAddressWindows(addresses_max)
    limiter = AddressLimiter(3, clock.micros, windows)
    for seconds, number in wanted:
        clock.advance(seconds)
        limiter.spend(f"192.0.2.{number}")
        assert len(windows) <= addresses_max


def test_the_oldest_windows_are_forgotten_first() -> None:
    """An attacker who fills the table must not free themself by it while they go on."""
    clock = HandClock()
    windows = LocalAddressWindows(20)
    limiter = AddressLimiter(1, clock.micros, windows)
    for number in range(20):
        clock.advance(1)
        assert limiter.spend(f"192.0.2.{number}").admitted
    assert limiter.spend("192.0.2.100").admitted
    assert len(windows) == 19
    assert [limiter.spend(f"192.0.2.{number}").admitted for number in range(2, 20)] == [False] * 18
    # The two that were forgotten begin anew.
    assert limiter.spend("192.0.2.0").admitted
    assert limiter.spend("192.0.2.1").admitted


def test_a_new_window_makes_an_address_the_youngest() -> None:
    """Else those who come back are forgotten before those who left."""
    clock = HandClock()
    windows = LocalAddressWindows(2)
    limiter = AddressLimiter(1, clock.micros, windows)
    assert limiter.spend("192.0.2.1").admitted
    clock.advance(30)
    assert limiter.spend("192.0.2.2").admitted
    clock.advance(30)
    assert limiter.spend("192.0.2.1").admitted
    assert limiter.spend("192.0.2.3").admitted
    assert not limiter.spend("192.0.2.1").admitted


def test_a_flood_of_new_addresses_costs_little_each() -> None:
    """A full table that is searched for each newcomer would multiply the attack that filled it."""
    clock = HandClock()
    windows = LocalAddressWindows(5_000)
    limiter = AddressLimiter(3, clock.micros, windows)

    def flood(first: int, count: int) -> float:
        started = time.process_time()
        for number in range(first, first + count):
            clock.now_us += MINUTE // 5_000
            limiter.spend(f"192.0.{number // 256}.{number % 256}")
        return time.process_time() - started

    filling = flood(0, 5_000)
    assert flood(5_000, 5_000) < 5 * filling + 0.3


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:c000:201", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:0db8:0001:0002::", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::"),
        ("2001:db8:1:3::", "2001:db8:1:3::"),
        ("fe80::1%eth0", "fe80::"),
        ("unix", "unix"),
        ("", ""),
    ],
)
def test_what_is_counted_together(address: str, group: str) -> None:
    """An IPv6 client has 2^64 addresses to hide behind, and IPv4 has several spellings."""
    assert group_of(address) == group
    clock = HandClock()
    limiter = AddressLimiter(1, clock.micros)
    assert limiter.spend(group).admitted
    assert not limiter.spend(address).admitted
    limiter.give_back(address)
    assert limiter.peek(group).windows[0].remaining == 1


def test_an_address_is_exhausted_from_its_last_request_to_the_end_of_its_window() -> None:
    """The fast lane asks before it reads anything: too early it refuses good clients, too late it is free."""
    clock = HandClock()
    limiter = AddressLimiter(2, clock.micros)
    assert limiter.exhausted("192.0.2.1") is None
    limiter.spend("192.0.2.1")
    assert limiter.exhausted("192.0.2.1") is None
    limiter.spend("192.0.2.1")
    window = Window("address", 2, 60, 0, START_US + MINUTE)
    assert limiter.exhausted("192.0.2.1") == refused_until(window, 60)
    assert limiter.exhausted("192.0.2.2") is None
    clock.now_us += MINUTE - 1
    assert limiter.exhausted("192.0.2.1") == refused_until(window, 1)
    clock.now_us += 1
    assert limiter.exhausted("192.0.2.1") is None
    assert limiter.exhausted(None) is None
    assert AddressLimiter(None, clock.micros).exhausted("192.0.2.1") is None
