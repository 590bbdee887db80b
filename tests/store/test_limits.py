"""Leases of limits, on both databases: what many hold together never exceeds a limit, whoever asks at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bonafides.errors import Unavailable
from bonafides.model import Lease, LeaseAsk, to_micros
from bonafides.store.sql import SqlStore
from tests.store.databases import open_store, run_sql
from tests.store.records import NOW

NOW_US = to_micros(NOW)
SECOND = 1_000_000


def ask(holder: str, *, subject: str = "key_1", spent: int = 0, wanted: int = 4, least: int = 1) -> LeaseAsk:
    """A wish for units of 1,000 an hour and 80 a second."""
    return LeaseAsk(
        subject=subject,
        holder=holder,
        hourly=1_000,
        burst=80,
        spent=spent,
        keeps=False,
        recent=0,
        burst_left_us=0,
        wanted=wanted,
        least=least,
    )


async def test_what_is_handed_out_is_remembered(store: SqlStore) -> None:
    """A store that forgets between two asks hands the same units out twice."""
    (first,) = await store.lease([ask("one")], NOW_US)
    assert (first.units, first.hour_used, first.burst_used) == (4, 0, 0)
    (second,) = await store.lease([ask("two")], NOW_US + SECOND // 2)
    assert (second.units, second.hour_used, second.burst_used) == (4, 0, 0)
    assert second.hour_left_us == first.hour_left_us - SECOND // 2
    (again,) = await store.lease([ask("one", spent=3)], NOW_US + SECOND // 2)
    assert (again.hour_used, again.burst_used) == (3, 3)


async def test_what_comes_back_is_handed_out_again(store: SqlStore, url: str) -> None:
    """Units would leak, until the limit is a fraction of what was sold."""
    for _ in range(300):
        (lease,) = await store.lease([ask("one", wanted=4)], NOW_US)
        assert lease.units == 4
    assert await run_sql(url, "SELECT hour_used, burst_used FROM limit_windows") == [(4, 4)]
    await store.lease([ask("one", spent=1, wanted=0)], NOW_US)
    assert await run_sql(url, "SELECT hour_used, burst_used FROM limit_windows") == [(1, 1)]
    assert await run_sql(url, "SELECT count(*) FROM limit_holders") == [(0,)]


async def test_a_batch_is_answered_in_its_order(store: SqlStore) -> None:
    """One subject's units would be spent on another's requests."""
    subjects = ["key_9", "key_1", "key_5"]
    leases = await store.lease(
        [ask("one", subject=subject, wanted=number) for number, subject in enumerate(subjects, 1)], NOW_US
    )
    assert [lease.units for lease in leases] == [1, 2, 3]


async def test_processes_that_ask_at_once_never_get_more_than_the_limit(store: SqlStore, url: str) -> None:
    """Two transactions that read the same row would both hand out its last units."""
    stores = [store, *(open_store(url) for _ in range(3))]
    try:

        async def take(number: int) -> int:
            taken = 0
            for _ in range(60):
                (lease,) = await stores[number].lease([ask(str(number), spent=taken and 2, wanted=2)], NOW_US)
                if not lease.units:
                    return taken
                taken += lease.units
            return taken

        assert sum(await asyncio.gather(*map(take, range(4)))) == 80
        assert await run_sql(url, "SELECT hour_used, burst_used FROM limit_windows") == [(80, 80)]
    finally:
        for other in stores[1:]:
            await other.close()


async def test_batches_of_the_same_subjects_do_not_block_each_other(store: SqlStore, url: str) -> None:
    """Two nodes that lock the same rows in different order would wait for each other until one fails."""
    other = open_store(url)
    try:
        names = [f"key_{number}" for number in range(20)]

        async def renew(store: SqlStore, holder: str, order: list[str]) -> None:
            for _ in range(10):
                await store.lease([ask(holder, subject=name, wanted=1) for name in order], NOW_US)

        await asyncio.gather(renew(store, "one", names), renew(other, "two", names[::-1]))
        assert await run_sql(url, "SELECT sum(hour_used) FROM limit_windows") == [(40,)]
    finally:
        await other.close()


async def test_ended_windows_are_forgotten(store: SqlStore, url: str) -> None:
    """Every key that was ever used would keep a row."""
    await store.lease([ask("one")], NOW_US)
    await store.prune(NOW + timedelta(minutes=59))
    assert await run_sql(url, "SELECT count(*) FROM limit_windows") == [(1,)]
    await store.prune(NOW + timedelta(hours=2))
    for table in ("limit_windows", "limit_holders"):
        assert await run_sql(url, f"SELECT count(*) FROM {table}") == [(0,)]


async def test_a_store_that_does_not_answer_in_time_is_away(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests wait for a lease: they must not wait as long as a write of the control plane may."""
    monkeypatch.setattr("bonafides.store.sql._LEASE_SECONDS_MAX", 0)
    with pytest.raises(Unavailable):
        await store.lease([ask("one")], NOW_US)


async def test_a_database_never_forgets(store: SqlStore) -> None:
    """Every process would tell it each second what it knows."""
    assert await store.eras() == {}
    assert store.part("key_1") == store.part("key_2")
    await store.settle()
    (lease,) = await store.lease([ask("one")], NOW_US)
    assert isinstance(lease, Lease)
    assert lease.era == ""
