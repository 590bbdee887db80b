"""Notices of ends: due when their day has come, told once, whoever notices first."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import Connection, text

from bonafides.errors import Unavailable
from bonafides.model import (
    Credential,
    CredentialChanges,
    CredentialKind,
    CredentialStatus,
    Expiring,
    Status,
    TenantChanges,
    UserChanges,
    WaitingLetter,
)
from bonafides.store.sql import SqlStore
from tests.store.databases import is_postgres, run_sql
from tests.store.records import NOW, child, credential, event, secret, tenant, user

DAYS: Final = (30, 14, 7, 1)
MADE: Final = NOW - timedelta(days=90)


def days(number: float) -> timedelta:
    """A length of time."""
    return timedelta(days=number)


async def add(store: SqlStore, key: Credential) -> Credential:
    """Insert a credential."""
    await store.create_credential(key, secret(key), event())
    return key


async def ending(store: SqlStore, identity: str, in_days: float | None, **fields: Any) -> Credential:
    """A key that was made long ago and expires in so many days."""
    expires_at = None if in_days is None else NOW + days(in_days)
    return await add(store, credential(identity, created_at=MADE, expires_at=expires_at, **fields))


async def due(store: SqlStore, now: datetime = NOW, rows_max: int = 100) -> list[tuple[str, int]]:
    """What is to be told: which key, and how many days before its end."""
    return [(found.credential_id, found.days) for found in await store.expiring(now, DAYS, rows_max)]


def letters_of(told: Sequence[Expiring]) -> list[WaitingLetter]:
    """A letter that names all that it tells of."""
    names = ",".join(one.credential_id for one in told)
    made = WaitingLetter(f"ltr_{secrets.token_hex(8)}", names.encode(), "p1", NOW, NOW, NOW)
    return [made] if told else []


async def tell(store: SqlStore, now: datetime = NOW) -> list[tuple[str, int]]:
    """Tell it."""
    found = await store.expiring(now, DAYS, 100)
    told = await store.note_expiring([(one, event("api_key.expiring")) for one in found], letters_of)
    return [(one.credential_id, one.days) for one in told]


async def test_the_last_day_that_has_come_is_due_and_soonest_first(store: SqlStore) -> None:
    """Somebody with an hour left would first be told that there are thirty days."""
    for identity, left in (
        ("key_a", 30.01),
        ("key_b", 30),
        ("key_c", 14.01),
        ("key_d", 14),
        ("key_e", 7),
        ("key_f", 0.5),
        ("key_g", 0),
        ("key_h", None),
    ):
        await ending(store, identity, left)
    wanted = [("key_f", 1), ("key_e", 7), ("key_d", 14), ("key_c", 30), ("key_b", 30)]
    assert await due(store) == wanted
    assert await due(store, rows_max=2) == wanted[:2]
    (found, *_) = await store.expiring(NOW, DAYS, 1)
    assert found == Expiring(
        "key_f",
        CredentialKind.API_KEY,
        "ten_a",
        "usr_owner",
        "a key",
        "bf_key_abcd…wxyz",
        NOW + days(0.5),
        1,
    )


async def test_each_end_is_told_once_for_each_of_the_days(store: SqlStore, url: str) -> None:
    """A mail an hour for a month would be read by nobody, and an end that moved must be told again."""
    key = await ending(store, "key_a", 40)
    told = [
        (day, await tell(store, NOW + days(day))) for day in (0, 10, 11, 26, 26, 33, 38, 39, 39.5, 40, 41)
    ]
    assert [(day, [number for _, number in found]) for day, found in told if found] == [
        (10, [30]),
        (26, [14]),
        (33, [7]),
        (39, [1]),
    ]
    await store.change_credential(key.id, "ten_a", CredentialChanges(expires_at=NOW + days(60)), event())
    assert await tell(store, NOW + days(39.5)) == [("key_a", 30)]
    actions = await run_sql(url, "SELECT count(*) FROM audit_events WHERE action = 'api_key.expiring'")
    assert actions == [(5,)]
    await store.prune_notices(NOW + days(41))
    assert await run_sql(url, "SELECT days FROM expiry_notices") == [(30,)]


async def test_what_was_made_to_last_for_less_is_not_told_at_once(store: SqlStore) -> None:
    """Whoever makes a key for a week knows that it ends in a week."""
    await add(store, credential("key_a", created_at=NOW, expires_at=NOW + days(6)))
    assert await due(store) == []
    assert await due(store, NOW + days(4.9)) == []
    assert await due(store, NOW + days(5)) == [("key_a", 1)]


@pytest.mark.parametrize("state", ["disabled", "revoked", "rotated", "of a token", "no user", "no tenant"])
async def test_what_nobody_uses_any_more_is_not_told(store: SqlStore, state: str) -> None:
    """A notice of what has ended already sends people looking for a fault."""
    await store.create_tenant(tenant("ten_b"), event())
    await store.create_user(user("usr_b", "ten_b"), event())
    await store.create_user(user("usr_c", "ten_b"), event())
    whose: dict[str, Any] = {"tenant_id": "ten_b", "user_id": "usr_b"}
    if state == "of a token":
        whose["kind"] = CredentialKind.BEARER_TOKEN
    if state == "rotated":
        whose["overlap_ends_at"] = NOW + days(1)
    key = await ending(store, "key_a", 5, **whose)
    if state in {"disabled", "revoked"}:
        await store.set_credential_status(key.id, "ten_b", CredentialStatus(state), event())
    if state == "no user":
        await store.change_user("usr_b", "ten_b", UserChanges(status=Status.DISABLED), event())
    if state == "no tenant":
        await store.change_tenant("ten_b", TenantChanges(status=Status.DISABLED), event())
    assert await due(store) == []


async def test_what_ends_with_its_parent_is_told_of_that_end(store: SqlStore) -> None:
    """The successor of a key that expires has an end that is written nowhere in its own row."""
    first = await ending(store, "key_a", 6, overlap_ends_at=NOW)
    second = await add(store, child(first, "key_b", created_at=MADE))
    await add(store, child(second, "key_c", created_at=MADE, expires_at=NOW + days(29)))
    await add(store, child(second, "key_d", created_at=MADE, kind=CredentialKind.BEARER_TOKEN))
    found = await store.expiring(NOW, DAYS, 100)
    assert [(one.credential_id, one.ends_at, one.days) for one in found] == [
        ("key_b", NOW + days(6), 7),
        ("key_c", NOW + days(6), 7),
    ]


async def test_of_many_processes_one_tells(opened: Callable[[], SqlStore], store: SqlStore) -> None:
    """Four workers on three nodes would send twelve mails."""
    for number in range(20):
        await ending(store, f"key_{number}", 5)
    stores = [opened() for _ in range(4)]

    async def tell_until_done(one: SqlStore) -> list[tuple[str, int]]:
        while True:
            try:
                return await tell(one)
            except Unavailable:  # another one held the lock for too long: the next hour tries again, too
                continue

    told = await asyncio.gather(*(tell_until_done(one) for one in stores))
    all_of_them = sorted(f"key_{number}" for number in range(20))
    assert sorted(name for found in told for name, _ in found) == all_of_them
    waiting = await stores[0].due_letters(NOW, 100)
    assert sorted(name for letter in waiting for name in letter.sealed.decode().split(",")) == all_of_them


async def test_keys_that_do_not_end_soon_are_not_read_through(store: SqlStore, url: str) -> None:
    """A million keys read each hour by each worker would be felt by everybody."""

    def explain(connection: Connection) -> str:
        verb = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        rows = connection.execute(
            text(
                f"{verb} SELECT id FROM credentials WHERE kind IN ('api_key', 'personal_access_token')"
                " AND expires_at IS NOT NULL AND expires_at > 1 AND expires_at <= 2"
            )
        )
        return "\n".join(str(row[-1]) for row in rows)

    assert "ix_credentials_key_ends" in await store._database.write(explain)
    assert is_postgres(url) or "SEARCH" in await store._database.write(explain)
