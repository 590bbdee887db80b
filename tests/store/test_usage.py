"""Usage: counts that add up, whoever writes them and however often, and are found without reading a year of them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from sqlalchemy import Connection, text

from bonafides.errors import Unavailable
from bonafides.model import (
    ACCEPTED,
    CountBy,
    Credential,
    CredentialKind,
    TenantChanges,
    UsageKey,
    UsageSpan,
    UsageSubject,
    to_datetime,
    to_micros,
)
from bonafides.store.sql import SqlStore
from bonafides.store.usage import question
from tests.store.databases import is_postgres, run_sql
from tests.store.records import NOW, child, credential, event, plan, secret, tenant, user

MINUTE_US: Final = 60_000_000
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US
START_US: Final = to_micros(NOW) // DAY_US * DAY_US
REFUSED: Final = "rate_limit_exceeded"
TENANT: Final = UsageSubject("ten_a")
USER: Final = UsageSubject("ten_a", "usr_1")
KEY: Final = UsageSubject("ten_a", "usr_1", "key_1")
LINEAGE: Final = UsageSubject("ten_a", "usr_1", "key_1", "key_1")


def count(at_us: int = START_US, key: UsageSubject = KEY, outcome: str = ACCEPTED) -> UsageKey:
    """What a count belongs to."""
    assert key.user_id is not None
    assert key.credential_id is not None
    return UsageKey(at_us, key.tenant_id, key.user_id, key.credential_id, outcome)


async def totals(
    store: SqlStore, subject: UsageSubject = KEY
) -> dict[UsageSpan, Mapping[tuple[int, str], int]]:
    """What the first bucket of each length holds."""
    return {span: await store.usage_of(subject, span, [START_US]) for span in UsageSpan}


async def test_a_count_is_in_its_minute_its_hour_and_its_day(store: SqlStore) -> None:
    """The three views of one hour would contradict each other, and an invoice with them."""
    late = START_US + HOUR_US - MINUTE_US
    await store.record_usage("w", 1, {count(): 3, count(late): 4, count(late, outcome=REFUSED): 5}, NOW)
    await store.record_usage("w", 2, {count(): 1, count(START_US + 2 * HOUR_US): 7}, NOW)
    minutes = await store.usage_of(KEY, UsageSpan.MINUTE, [START_US, START_US + MINUTE_US, late])
    assert minutes == {(START_US, ACCEPTED): 4, (late, ACCEPTED): 4, (late, REFUSED): 5}
    hours = await store.usage_of(KEY, UsageSpan.HOUR, [START_US, START_US + 2 * HOUR_US])
    assert hours == {
        (START_US, ACCEPTED): 8,
        (START_US, REFUSED): 5,
        (START_US + 2 * HOUR_US, ACCEPTED): 7,
    }
    days = await store.usage_of(KEY, UsageSpan.DAY, [START_US])
    assert days == {(START_US, ACCEPTED): 15, (START_US, REFUSED): 5}


async def test_a_batch_that_comes_again_adds_nothing(store: SqlStore) -> None:
    """Whoever lost the connection during the commit sends again, and would bill a second twice."""
    await store.record_usage("w", 1, {count(): 3}, NOW)
    await store.record_usage("w", 1, {count(): 3}, NOW)
    assert await store.usage_of(KEY, UsageSpan.DAY, [START_US]) == {(START_US, ACCEPTED): 3}
    await store.record_usage("w", 2, {count(): 3}, NOW)
    await store.record_usage("another", 1, {count(): 3}, NOW)
    assert await store.usage_of(KEY, UsageSpan.DAY, [START_US]) == {(START_US, ACCEPTED): 9}


async def test_two_processes_add_to_the_same_minute(opened: Callable[[], SqlStore]) -> None:
    """Every worker serves the same busy key; one that overwrote the other would halve the count."""
    writers = [opened() for _ in range(3)]
    keys = [count(key=UsageSubject("ten_a", "usr_1", f"key_{number}")) for number in range(20)]
    dice = random.Random(1)

    async def write(name: str, store: SqlStore) -> None:
        for batch in range(1, 11):
            shuffled = dice.sample(keys, len(keys))
            while True:
                try:
                    await store.record_usage(name, batch, dict.fromkeys(shuffled, 1), NOW)
                    break
                except Unavailable:  # another one held the lock for too long: a flush tries again, too
                    continue

    await asyncio.gather(*(write(f"w{number}", store) for number, store in enumerate(writers)))
    for span in UsageSpan:
        for key in keys:
            subject = UsageSubject(key.tenant_id, key.user_id, key.credential_id)
            assert await writers[0].usage_of(subject, span, [START_US]) == {(START_US, ACCEPTED): 30}


@pytest.mark.parametrize("keys", [99, 100, 101, 250])
async def test_however_many_are_written_at_once_each_is_counted(store: SqlStore, keys: int) -> None:
    """Those at the end of a batch would be lost, or counted for somebody else."""
    subjects = [UsageSubject("ten_a", f"usr_{number % 3}", f"key_{number}") for number in range(keys)]
    counts = {count(key=subject): number + 1 for number, subject in enumerate(subjects)}
    for batch in (1, 2):
        await store.record_usage("w", batch, counts, NOW)
    for number in (0, 98, keys - 1):
        found = await totals(store, subjects[number])
        assert found == {span: {(START_US, ACCEPTED): 2 * (number + 1)} for span in UsageSpan}
    found = await totals(store, TENANT)
    assert found == {span: {(START_US, ACCEPTED): keys * (keys + 1)} for span in UsageSpan}


async def test_sums_are_of_the_credential_the_user_or_the_tenant(store: SqlStore) -> None:
    """A customer would be shown, or billed for, the requests of another."""
    mine = {
        count(): 1,
        count(key=UsageSubject("ten_a", "usr_1", "key_2")): 10,
        count(key=UsageSubject("ten_a", "usr_2", "key_3")): 100,
        count(key=UsageSubject("ten_b", "usr_3", "key_4")): 1000,
    }
    await store.record_usage("w", 1, mine, NOW)
    for subject, requests in ((KEY, 1), (USER, 11), (TENANT, 111), (UsageSubject("ten_b"), 1000)):
        found = await totals(store, subject)
        assert found == {span: {(START_US, ACCEPTED): requests} for span in UsageSpan}
    for nobody in (
        UsageSubject("ten_c"),
        UsageSubject("ten_b", "usr_1"),
        UsageSubject("ten_b", "usr_1", "key_1"),
    ):
        assert await totals(store, nobody) == {span: {} for span in UsageSpan}


async def test_the_sum_of_a_lineage_has_what_was_made_from_its_first(store: SqlStore) -> None:
    """What a key did through tokens would be nobody's once they are forgotten."""
    token = UsageKey(START_US, "ten_a", "usr_1", "tok_1", ACCEPTED, "key_1")
    other = UsageKey(START_US, "ten_a", "usr_1", "tok_2", ACCEPTED, "key_2")
    await store.record_usage("w", 1, {count(): 1, token: 10, other: 100}, NOW)
    await store.record_usage("w", 2, {token: 10}, NOW)
    assert await totals(store, LINEAGE) == {span: {(START_US, ACCEPTED): 21} for span in UsageSpan}
    assert await totals(store) == {span: {(START_US, ACCEPTED): 1} for span in UsageSpan}
    alone = UsageSubject("ten_a", "usr_1", "tok_1")
    assert await totals(store, alone) == {span: {(START_US, ACCEPTED): 20} for span in UsageSpan}


async def test_only_the_buckets_that_are_asked_for_are_told(store: SqlStore) -> None:
    """The month's figures would be those of the year."""
    await store.record_usage("w", 1, {count(START_US + day * DAY_US): 1 + day for day in range(3)}, NOW)
    asked = [START_US, START_US + 2 * DAY_US, START_US + 3 * DAY_US]
    assert await store.usage_of(KEY, UsageSpan.DAY, asked) == {
        (START_US, ACCEPTED): 1,
        (START_US + 2 * DAY_US, ACCEPTED): 3,
    }


async def test_the_oldest_are_forgotten_first_and_a_few_at_a_time(store: SqlStore) -> None:
    """One deletion of a whole day of a million keys would hold up every other write."""
    await store.record_usage("w", 1, {count(START_US + minute * MINUTE_US): 1 for minute in range(5)}, NOW)
    before = to_datetime(START_US + 3 * MINUTE_US)
    assert await store.prune_usage(UsageSpan.MINUTE, before, 2) == 2
    minutes = [START_US + minute * MINUTE_US for minute in range(5)]
    left = await store.usage_of(KEY, UsageSpan.MINUTE, minutes)
    assert sorted(start for start, _ in left) == minutes[2:]
    of_all = await store.usage_of(TENANT, UsageSpan.MINUTE, minutes)
    assert sorted(start for start, _ in of_all) == minutes[2:]
    assert await store.prune_usage(UsageSpan.MINUTE, before, 2) == 1
    assert await store.prune_usage(UsageSpan.MINUTE, before, 2) == 0
    assert await store.usage_of(KEY, UsageSpan.HOUR, [START_US]) == {(START_US, ACCEPTED): 5}


async def test_processes_that_are_gone_are_forgotten(url: str, store: SqlStore) -> None:
    """Every restart would leave a row for ever."""
    await store.record_usage("gone", 1, {count(): 1}, NOW)
    await store.record_usage("here", 1, {count(): 1}, NOW + timedelta(days=3))
    await store.prune_usage(UsageSpan.MINUTE, NOW + timedelta(days=1), 10)
    assert await run_sql(url, "SELECT id FROM usage_writers") == [("here",)]


@pytest.mark.parametrize(
    "subject", [KEY, USER, TENANT, LINEAGE], ids=["credential", "user", "tenant", "lineage"]
)
async def test_a_year_of_counts_is_not_read_through(url: str, store: SqlStore, subject: UsageSubject) -> None:
    """A question that takes longer every month is one that stops being answered in the second year."""
    days = ", ".join(f"({day})" for day in range(400))
    await run_sql(
        url,
        f"""
        INSERT INTO usage_counts (span, starts_at, tenant_id, user_id, credential_id, outcome, requests)
        SELECT span, {START_US} - day * {DAY_US}, 'ten_a', 'usr_' || person, 'key_' || person, 'accepted', 1
        FROM (SELECT column1 AS day FROM (VALUES {days}) AS days) AS days,
        (SELECT column1 AS person FROM (VALUES (1), (2), (3), (4), (5)) AS people) AS people,
        (SELECT column1 AS span FROM (VALUES (60), (3600), (86400)) AS spans) AS spans
        """,
        """
        INSERT INTO usage_totals (span, starts_at, tenant_id, outcome, requests)
        SELECT span, starts_at, tenant_id, outcome, sum(requests) FROM usage_counts GROUP BY 1, 2, 3, 4
        """,
        "ANALYZE usage_counts",
        "ANALYZE usage_totals",
    )
    asked = [START_US - day * DAY_US for day in range(30)]
    found = await store.usage_of(subject, UsageSpan.DAY, asked)
    assert sum(found.values()) == 30 * (5 if subject is TENANT else 1)
    plan = await explained(store, subject, asked)
    conditions = ["span", "starts_at", "tenant_id", "user_id", "credential_id"]
    table = "usage_totals" if subject is TENANT else "usage_counts"
    wanted = conditions[: {TENANT: 3, USER: 4, KEY: 5, LINEAGE: 4}[subject]]
    assert f"SCAN {table.upper()}" not in plan.upper()
    assert "SEQ SCAN" not in plan.upper()
    if is_postgres(url):
        assert f"pk_{table}" in plan
        searched = plan.partition("Index Cond:")[2].partition("\n")[0]
    else:
        assert f"SEARCH {table} USING PRIMARY KEY" in plan
        searched = plan
    assert [name for name in conditions if name in searched] == wanted


async def explained(store: SqlStore, subject: UsageSubject, starts: list[int]) -> str:
    """How the database finds what it is asked for."""

    def explain(connection: Connection) -> str:
        compiled = question(subject, UsageSpan.DAY, starts).compile(
            dialect=connection.dialect, compile_kwargs={"literal_binds": True}
        )
        prefix = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        rows = connection.execute(text(f"{prefix} {compiled}")).all()
        return "\n".join(str(row[-1]) for row in rows)

    return await store._database.read(explain)


async def test_the_demand_on_a_plan_is_that_of_what_is_on_it(store: SqlStore) -> None:
    """A dry run would count another plan's requests, or miss those of tokens that are gone."""
    await store.put_plan(plan("pro"), event())
    await store.change_tenant("ten_a", TenantChanges(plan="pro"), event())
    await store.create_tenant(tenant("ten_b"), event())
    await store.create_user(user("usr_b", "ten_b"), event())
    key = credential("key_1")
    token = child(key, "tok_1", kind=CredentialKind.BEARER_TOKEN)
    apart = credential("key_2", plan="free")
    foreign = credential("key_3", tenant_id="ten_b", user_id="usr_b")
    for made in (key, token, apart, foreign):
        await store.create_credential(made, secret(made), event())

    def asked(of: Credential, requests: int, at_us: int = START_US, outcome: str = ACCEPTED) -> None:
        root = None if of.root_id == of.id else of.root_id
        counts[UsageKey(at_us, of.tenant_id, of.user_id, of.id, outcome, root)] = requests

    counts: dict[UsageKey, int] = {}
    asked(key, 10)
    asked(key, 4, outcome=REFUSED)
    asked(key, 100, outcome="insufficient_scope")
    asked(token, 3)
    asked(replace(token, id="tok_gone"), 2)
    asked(key, 1, START_US + HOUR_US)
    asked(key, 50, START_US - HOUR_US)
    asked(key, 50, START_US + 2 * HOUR_US)
    asked(apart, 60)
    asked(foreign, 70)
    await store.record_usage("w", 1, counts, NOW)

    async def demand(least: int | None, count_by: CountBy = CountBy.CREDENTIAL, rows_max: int = 9) -> object:
        end_us = START_US + 2 * HOUR_US
        return await store.demand_on(
            "pro", count_by, UsageSpan.HOUR, START_US, end_us, least=least, rows_max=rows_max
        )

    first = {CredentialKind.API_KEY: 14, CredentialKind.BEARER_TOKEN: 5}
    later = {(START_US + HOUR_US, key.id): {CredentialKind.API_KEY: 1}}
    assert await demand(0) == (20, {(START_US, key.id): first} | later)
    assert await demand(1) == (20, {(START_US, key.id): first})
    assert await demand(0, rows_max=1) == (20, {(START_US, key.id): first})
    assert await demand(19) == await demand(None) == (20, {})
    assert await demand(5, CountBy.USER) == (20, {(START_US, "usr_owner"): first})
    assert await demand(5, CountBy.TENANT) == (20, {(START_US, "ten_a"): first})
    assert await store.demand_on("gold", CountBy.USER, UsageSpan.HOUR, 0, START_US, least=0, rows_max=9) == (
        0,
        {},
    )
