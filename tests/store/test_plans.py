"""Plans: created, replaced and deleted, never from under somebody who is on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from bonafides.errors import Conflict
from bonafides.model import (
    Change,
    ChangeKind,
    CountBy,
    Credential,
    CredentialKind,
    CredentialStatus,
    Page,
    Status,
    TenantChanges,
    to_micros,
)
from bonafides.store import Clash
from bonafides.store.sql import SqlStore
from tests.store.records import LATER, NOW, credential, event, plan, secret, tenant

ALL = Page(limit=100)


async def test_a_plan_comes_back_as_it_was_made(store: SqlStore, told: list[Change]) -> None:
    """A missing figure and no limit are two things; confusing them opens or closes the API."""
    made = plan(
        "gold",
        requests_per_hour=None,
        burst=0,
        per_method={CredentialKind.API_KEY: None, CredentialKind.JWT_SESSION: 7},
        count_by=CountBy.TENANT,
        updated_at=LATER,
    )
    assert await store.put_plan(made, event()) is True
    assert await store.find_plan("gold") == made
    assert await store.find_plan("gone") is None
    assert told == [Change(ChangeKind.PLAN, "gold")]


async def test_replacing_a_plan_keeps_when_it_was_made(store: SqlStore, told: list[Change]) -> None:
    """Otherwise a changed figure would move a plan through every listing."""
    anew = plan(requests_per_hour=5, per_method={}, created_at=LATER, updated_at=LATER)
    assert await store.put_plan(anew, event()) is False
    assert await store.find_plan("free") == plan(requests_per_hour=5, per_method={}, updated_at=LATER)
    assert told == [Change(ChangeKind.PLAN, "free")]


async def test_of_concurrent_puts_one_creates(store: SqlStore, opened: Callable[[], SqlStore]) -> None:
    """Two deployments that set up the same plan would otherwise fail each other."""
    stores = [store, opened()]
    outcomes = await asyncio.gather(
        *(stores[n % 2].put_plan(plan("gold", burst=n), event()) for n in range(8))
    )
    assert sorted(map(str, outcomes)) == ["False"] * 7 + ["True"]


async def test_plans_are_listed_newest_first(store: SqlStore) -> None:
    """Page by page, by name where times are equal, in the same order on every database."""
    for name in ("B", "a", "Z"):
        await store.put_plan(plan(name, created_at=LATER), event())
    names = ["a", "Z", "B", "free"]
    assert [listed.name for listed in await store.list_plans(ALL)] == names
    rest = await store.list_plans(Page(2, to_micros(LATER), "Z"))
    assert [listed.name for listed in rest] == names[2:]


async def test_a_plan_in_use_is_not_deleted(store: SqlStore, told: list[Change]) -> None:
    """Its tenants would be left without a limit, or without service."""
    clash = Clash("plan in use")
    assert await store.delete_plan("free", event()) == clash
    await store.put_plan(plan("gold"), event())
    key = credential(plan="gold")
    await store.create_credential(key, secret(key), event())
    told.clear()
    assert await store.delete_plan("gold", event()) == clash
    assert await store.delete_plan("gone", event()) is False
    assert told == []


async def test_a_plan_that_only_the_dead_name_is_deleted(store: SqlStore, told: list[Change]) -> None:
    """A plan that some revoked key once had could otherwise never be cleared away."""
    await store.put_plan(plan("gold"), event())
    await store.create_tenant(tenant("ten_b", plan="gold"), event())
    await store.change_tenant("ten_b", TenantChanges(status=Status.DELETED), event())
    key = credential(plan="gold")
    await store.create_credential(key, secret(key), event())
    await store.set_credential_status(key.id, "ten_a", CredentialStatus.REVOKED, event())
    told.clear()
    assert await store.delete_plan("gold", event()) is True
    assert await store.find_plan("gold") is None
    kept = await store.find_credential(key.id, "ten_a")
    assert kept is not None
    assert kept.plan is None
    assert told == [Change(ChangeKind.PLAN, "gold")]


async def test_nobody_is_left_on_a_plan_that_is_deleted_meanwhile(
    store: SqlStore, opened: Callable[[], SqlStore]
) -> None:
    """Whoever comes first wins; a key on a plan that is gone must not come to be."""
    other = opened()
    for number in range(6):
        name = f"plan_{number}"
        await store.put_plan(plan(name, created_at=NOW - timedelta(days=number)), event())
        key = credential(plan=name)
        deleted, made = await asyncio.gather(
            store.delete_plan(name, event()),
            other.create_credential(key, secret(key), event()),
            return_exceptions=True,
        )
        if deleted is True:
            assert isinstance(made, Conflict)
            assert await store.find_credential(key.id, "ten_a") is None
        else:
            assert (deleted, made) == (Clash("plan in use"), key)
            assert isinstance(made, Credential)
