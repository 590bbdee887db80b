"""Counters that several processes share: the same rule as one process's, counted once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonafides.errors import Unavailable
from bonafides.verification.limiter import AddressLimiter, Counter, Limiter
from bonafides.verification.shared import SharedAddressWindows, SharedTable, create_table
from tests.unit.clocks import START_US, HandClock

SECOND = 1_000_000
HOUR = 3_600 * SECOND

SPENDER = """
import sys
from bonafides.verification.shared import SharedTable
table = SharedTable(int(sys.argv[1]))
counter = table.counter("key_1")
print("ready", flush=True)
sys.stdin.readline()
admitted = 0
while counter.spend(int(sys.argv[2]), None, 1, int(sys.argv[3])):
    admitted += 1
    print(admitted, flush=True)
"""
"""Spends one subject's hour until it is used up, and says how far it came."""


@pytest.fixture
def descriptor() -> Iterator[int]:
    """A table of two buckets."""
    descriptor = create_table(128)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def table(descriptor: int) -> SharedTable:
    """The same table, as this process sees it."""
    return SharedTable(descriptor)


def views(descriptor: int, count: int) -> list[Counter]:
    """Counters of one subject, as so many processes have them."""
    return [SharedTable(descriptor).counter("key_1") for _ in range(count)]


@given(
    st.one_of(st.none(), st.integers(0, 6)),
    st.one_of(st.none(), st.integers(0, 4)),
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 3), st.sampled_from([0, 100, 900_000, HOUR])), max_size=60
    ),
)
def test_many_views_count_as_one_counter_does(
    hourly: int | None, burst: int | None, wanted: list[tuple[int, int, int]]
) -> None:
    """More workers would mean another limit."""
    descriptor = create_table(64)
    try:
        shared, alone = views(descriptor, 3), Counter()
        now_us = START_US
        for view, cost, later_us in wanted:
            now_us += later_us
            assert shared[view].spend(hourly, burst, cost, now_us) == alone.spend(hourly, burst, cost, now_us)
            assert shared[view].allowance(hourly, burst, now_us) == alone.allowance(hourly, burst, now_us)
        for each in shared:
            each.refresh()
            assert each.allowance(hourly, burst, now_us) == alone.allowance(hourly, burst, now_us)
    finally:
        os.close(descriptor)


def spender(descriptor: int, limit: int) -> subprocess.Popen[str]:
    """A process that spends the subject's hour as fast as it can, once it is told to."""
    process = subprocess.Popen(
        [sys.executable, "-c", SPENDER, str(descriptor), str(limit), str(START_US)],
        pass_fds=[descriptor],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def begin(process: subprocess.Popen[str]) -> None:
    """Tell a spender to go on."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_processes_at_full_speed_admit_exactly_the_limit(descriptor: int) -> None:
    """Two processes that read the same count at once would both admit the last request."""
    processes = [spender(descriptor, 20_000) for _ in range(3)]
    for process in processes:
        begin(process)
    counts = [int(process.communicate()[0].split()[-1]) for process in processes]
    assert sum(counts) == 20_000
    assert min(counts) > 0


def test_a_process_that_is_killed_takes_no_lock_and_no_count_with_it(descriptor: int) -> None:
    """The others would wait for ever, or a limit would admit what the dead one had admitted already."""
    process = spender(descriptor, 10_000_000)
    begin(process)
    assert process.stdout is not None
    for _ in range(500):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    said = process.stdout.read().split("\n")[:-1]  # the last line may be half a number
    process.communicate()
    told = int(said[-1]) if said else 500
    (view,) = views(descriptor, 1)
    view.refresh()
    assert told <= view.hour_used <= told + 1
    assert view.spend(10_000_000, None, 1, START_US)


def test_subjects_do_not_share_a_count(table: SharedTable) -> None:
    """One client's requests would use up another's limit."""
    counters = [table.counter(f"key_{number}") for number in range(40)]
    for uses, counter in enumerate(counters):
        for _ in range(uses):
            assert counter.spend(1_000, None, 1, START_US)
    for uses, counter in enumerate(counters):
        counter.refresh()
        assert counter.hour_used == uses


def test_a_slot_whose_windows_have_ended_serves_another_subject() -> None:
    """A table that only fills would refuse everybody after a day."""
    one_bucket = create_table(1)
    try:
        table = SharedTable(one_bucket)
        old = table.counter("old")
        assert old.spend(1, None, 1, START_US)
        for number in range(200):
            later_us = START_US + (number + 1) * HOUR
            assert table.counter(f"key_{number}").spend(1, 1, 1, later_us)
        # The first subject finds a place anew, and does not write into the one that it had.
        assert old.spend(1, None, 1, START_US + 200 * HOUR)
        last = table.counter("key_199")
        last.refresh()
        assert last.hour_used == 1
    finally:
        os.close(one_bucket)


def test_a_full_bucket_is_an_outage_not_a_yes() -> None:
    """A subject that cannot be counted must not be admitted without a count."""
    descriptor = create_table(1)
    try:
        table = SharedTable(descriptor)
        for number in range(64):
            assert table.counter(f"key_{number}").spend(2, None, 1, START_US)
        with pytest.raises(Unavailable):
            table.counter("one more").spend(2, None, 1, START_US)
        assert table.counter("key_5").spend(2, None, 1, START_US)
        # Asking without counting needs no place, and neither does who is refused anyway.
        assert table.counter("one more").spend(2, None, 0, START_US)
        assert not table.counter("one more").spend(0, None, 1, START_US)
        assert table.counter("one more").spend(2, None, 1, START_US + HOUR)
    finally:
        os.close(descriptor)


def test_addresses_are_counted_together(descriptor: int) -> None:
    """Whoever guesses keys would have one limit for each worker."""
    clock = HandClock()
    one, other = (
        AddressLimiter(3, clock.micros, SharedAddressWindows(SharedTable(descriptor, evicting=True)))
        for _ in range(2)
    )
    assert [limiter.spend("192.0.2.1").admitted for limiter in (one, other, one, other)] == [True] * 3 + [
        False
    ]
    assert one.exhausted("192.0.2.1") is not None
    assert one.exhausted("192.0.2.2") is None
    other.give_back("192.0.2.1")
    assert one.peek("192.0.2.1").windows[0].remaining == 1
    clock.advance(60)
    assert one.exhausted("192.0.2.1") is None
    assert other.peek("192.0.2.1").windows[0].remaining == 3


def test_a_flood_of_addresses_forgets_the_oldest_windows() -> None:
    """A full table of addresses must neither refuse everybody nor stop counting the newest."""
    descriptor = create_table(1)
    try:
        clock = HandClock()
        limiter = AddressLimiter(
            1, clock.micros, SharedAddressWindows(SharedTable(descriptor, evicting=True))
        )
        for number in range(100):
            clock.advance(0.1)
            assert limiter.spend(f"192.0.2.{number}").admitted
        assert not limiter.spend("192.0.2.99").admitted
        assert not limiter.spend("192.0.2.40").admitted
        assert limiter.spend("192.0.2.10").admitted
    finally:
        os.close(descriptor)


def test_the_limiter_hands_out_shared_counters(descriptor: int) -> None:
    """Two limiters over one table are two workers of one server."""
    one, other = (Limiter(SharedTable(descriptor).counter) for _ in range(2))
    assert one.counter("key_1").spend(1, None, 1, START_US)
    assert not other.counter("key_1").spend(1, None, 1, START_US)


def test_bytes_that_happen_to_look_like_a_subject_are_not_its_slot(table: SharedTable) -> None:
    """A request would be counted across two slots, and both subjects' counts be spoilt."""
    key, slot_bytes = b"0123456789abcdef", 48
    table.memory[1:17] = key
    assert table.find(key, 0) == -1
    table.memory[slot_bytes : slot_bytes + 16] = key
    assert table.find(key, 0) == slot_bytes


def test_where_memory_has_no_files_a_table_is_a_file_without_a_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On such a machine no second worker could start, or each stop would leave a file behind."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("sys.platform", "darwin")
    descriptor = create_table(1)
    try:
        assert os.fstat(descriptor).st_nlink == 0
        assert list(tmp_path.iterdir()) == []
        assert len(SharedTable(descriptor).memory) == os.fstat(descriptor).st_size > 0
    finally:
        os.close(descriptor)
