"""A large organisation: every list, search and chart is answered as fast as that of a small one.

`BONAFIDES_LISTED_KEYS=100000` makes as many keys as the largest organisation has, with a tenth as many users;
each day a twentieth of that is enough to notice a list that reads all there is. `BONAFIDES_BUSY_KEYS` says how many
of the keys are used all year.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from bonafides.app import prepare
from bonafides.settings import Settings
from tests.pages.browsing import Browser
from tests.serving import FakeClock, RunningServer, serving, settings_for, weak_passwords

pytestmark = pytest.mark.slow

KEYS: Final = int(os.environ.get("BONAFIDES_LISTED_KEYS", "5000"))
USERS: Final = KEYS // 10
DAYS: Final = 365
BUSY_KEYS: Final = int(os.environ.get("BONAFIDES_BUSY_KEYS", str(KEYS // 100)))
"""So many keys are used on each day of the year, each hour that is kept, and each minute of the last hour."""
HOURS: Final = 24 * Settings.model_fields["usage_hours_kept_days"].default
SECONDS_MAX: Final = 0.3
"""Of the fastest of three answers: a busy machine is no fault of the list."""

DAY_US: Final = 86_400_000_000
HOUR_US: Final = 3_600_000_000


def fill(path: str, tenant_id: str, owner_id: str, now_us: int) -> None:
    """Write users, keys and a year of usage, a statement for each."""
    year = f"{now_us} - {DAYS * DAY_US}"
    numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
    with closing(sqlite3.connect(path)) as file, file:
        # Nothing is taken back of it, and what is large need not be written twice.
        file.execute("PRAGMA journal_mode = OFF")
        file.execute(
            f"""
            {numbers} INSERT INTO users
            (id, tenant_id, kind, email, email_folded, name, role, scopes, status, created_at, updated_at)
            SELECT printf('usr_%022d', i), '{tenant_id}', 'person', printf('p%d@example.com', i),
            printf('p%d@example.com', i), printf('Person %d', i), 'member', NULL, 'active',
            {year} + i * 1000000, {now_us} FROM n
            """,
            (USERS,),
        )
        file.execute(
            f"""
            {numbers} INSERT INTO credentials
            (id, kind, tenant_id, user_id, name, scopes, plan, status, expires_at, root_id, allowed_ips, metadata,
            display, created_by, created_at, updated_at, last_used_at, revoked_at, digest, pepper_id)
            SELECT printf('key_%022d', i), 'api_key', '{tenant_id}', printf('usr_%022d', 1 + i % {USERS}),
            printf('service %d', i), 'read', NULL, CASE WHEN i % 50 = 0 THEN 'revoked' ELSE 'active' END,
            {now_us} + {DAYS * DAY_US}, printf('key_%022d', i), '', '{{}}', 'bf_key_aaaa…bbbb', '{owner_id}',
            {now_us} - {30 * DAY_US} + i, {now_us}, {now_us},
            CASE WHEN i % 50 = 0 THEN {now_us} END, randomblob(32), 'p1' FROM n
            """,
            (KEYS,),
        )
        # Homes of one person each, ways out of houses of many, and for some a network that is new this week.
        file.execute(
            f"""
            {numbers}, places (i, network, first) AS (
                SELECT i, printf('10.%d.%d.0/24', i % 250, i / 250 % 200), {year} + i * 1000000 FROM n
                UNION ALL SELECT i, printf('192.0.%d.0/24', i % 250), {year} + i * 2000000 FROM n
                UNION ALL SELECT i, printf('2001:db8:%x::/48', i), {now_us} - i FROM n WHERE i % 100 = 1
            )
            INSERT INTO used_networks
            SELECT printf('key_%022d', i), network, '{tenant_id}', printf('usr_%022d', 1 + i % {USERS}),
            first, {now_us}, 100 FROM places
            """,
            (KEYS,),
        )
        # In the order of the primary key: else each row of some gigabytes is put into a page that was written before.
        file.execute("PRAGMA cache_size = -200000")
        file.execute(
            f"""
            CREATE TEMPORARY TABLE busy AS {numbers}
            SELECT printf('usr_%022d', 1 + i % {USERS}) AS user, printf('key_%022d', i) AS key FROM n ORDER BY 1, 2
            """,
            (BUSY_KEYS,),
        )
        for span, step, count in ((60, HOUR_US // 60, 60), (3_600, HOUR_US, HOURS), (86_400, DAY_US, DAYS)):
            file.execute(
                f"""
                {numbers}
                INSERT INTO usage_counts (span, starts_at, tenant_id, user_id, credential_id, outcome, requests)
                SELECT {span}, ({now_us} / {step} - {count} + i) * {step}, '{tenant_id}', user, key, 'accepted', 100
                FROM n CROSS JOIN busy
                """,
                (count,),
            )
        file.execute(
            "INSERT INTO usage_totals (span, starts_at, tenant_id, outcome, requests) "
            "SELECT span, starts_at, tenant_id, outcome, sum(requests) FROM usage_counts GROUP BY 1, 2, 3, 4"
        )
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA journal_mode = WAL")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with one organisation that is large."""
    folder: Path = tmp_path_factory.mktemp("large")
    settings = settings_for(f"sqlite:///{folder}/bonafides.db", folder)
    clock = FakeClock()
    founded = asyncio.run(prepare(settings, "admin@example.com", clock=clock, passwords=weak_passwords()))
    assert founded is not None
    fill(str(settings.sqlite_path), founded.tenant_id, founded.user_id, clock.now_us)
    with serving(settings, founded, clock) as server:
        server.create_plan("free")
        yield server


@pytest.fixture(scope="module")
def owner(large: RunningServer) -> Browser:
    """Its owner, signed in."""
    browser = Browser(large)
    fields = {"username": "admin@example.com", "password": large.founded.password or ""}
    assert browser.submit(browser.get("/login").form("/login"), **fields).status == 200
    return browser


def seconds(browser: Browser, path: str) -> float:
    """How long the fastest of three answers takes."""
    took = []
    for _ in range(3):
        began = time.perf_counter()
        answer = browser.send("GET", path)
        took.append(time.perf_counter() - began)
        assert answer.status_code == 200, answer.text
        if took[-1] < SECONDS_MAX:
            break
    return min(took)


LISTS: Final = (
    "/v1/api-keys",
    "/v1/api-keys?limit=100&status=active",
    "/v1/api-keys?status=revoked",
    "/v1/api-keys?status=expired",
    f"/v1/api-keys?user_id=usr_{7:022d}",
    f"/v1/api-keys?search=service%20{KEYS // 2}",
    "/v1/api-keys?search=there+is+none",
    "/v1/users",
    f"/v1/users?search=p{USERS // 2}%40example.com",
    "/v1/users?search=there+is+none",
    "/v1/audit",
    "/v1/usage?period=hour",
    "/v1/usage?period=day",
    "/v1/usage?period=month",
    f"/v1/usage?period=month&credential_id=key_{3:022d}",
    f"/v1/usage?period=month&user_id=usr_{3:022d}",
    f"/v1/usage?period=day&credential_id=key_{3:022d}",
    f"/v1/credentials/key_{3:022d}/networks",
    "/v1/security-checks",
    "/settings/api-keys?whose=all",
    "/settings/api-keys?whose=all&status=revoked",
    "/settings/api-keys?whose=all&search=service+77",
    "/administration/users",
    "/administration/users?search=person+77",
    "/administration/audit",
    "/usage?whose=all&period=hour",
    "/usage?whose=all&period=day",
    "/usage?whose=all&period=month",
    f"/settings/api-keys/key_{77:022d}",
    f"/administration/users/usr_{77:022d}",
    "/settings/checklist",
)


def test_every_list_and_chart_is_fast(owner: Browser) -> None:
    """Whoever has grown would wait for each page, and everybody else's requests behind it."""
    slow = {path: took for path in LISTS if (took := seconds(owner, path)) >= SECONDS_MAX}
    assert slow == {}


def test_a_list_is_paged_through_to_its_end_as_fast(owner: Browser) -> None:
    """The last page would take as long as all before it, or leave something out."""
    found, cursor, slowest = 0, "", 0.0
    for _ in range(USERS // 100 + 2):
        began = time.perf_counter()
        answer = owner.send("GET", f"/v1/users?limit=100{cursor}").json()
        slowest = max(slowest, time.perf_counter() - began)
        found += len(answer["data"])
        if answer["next_cursor"] is None:
            break
        cursor = f"&cursor={answer['next_cursor']}"
    assert found == USERS + 1
    assert slowest < 4 * SECONDS_MAX
