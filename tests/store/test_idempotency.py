"""Idempotent creation: sent twice, done once, on one node or on several."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bonafides.model import Change, Credential, Page, Replayed, User
from bonafides.store import Clash, Reused
from bonafides.store.sql import SqlStore
from tests.store.records import (
    LATER,
    NOW,
    child,
    claim,
    credential,
    event,
    of_keys,
    plan,
    secret,
    tenant,
    user,
)

ALL = Page(limit=100)


async def test_a_repeated_call_is_answered_as_before(store: SqlStore, told: list[Change]) -> None:
    """A client whose connection broke repeats the call; it must not end up with two keys."""
    first, again = credential(), credential()
    taken = claim("once")
    assert await store.create_credential(first, secret(first), event(), claim=taken) == first
    told.clear()
    events = await store.list_events("ten_a", ALL)
    repeated = replace(taken, sealed_answer=b"never stored")
    outcome = await store.create_credential(again, secret(again), event(), claim=repeated)
    assert outcome == Replayed(taken.sealed_answer)
    assert await store.find_credential(again.id, "ten_a") is None
    assert told == []
    assert await store.list_events("ten_a", ALL) == events


async def test_a_key_that_is_used_for_another_call_is_refused(store: SqlStore) -> None:
    """Answering it with the other call's answer would hand out the wrong secret."""
    await store.put_plan(plan("gold"), event(), claim=claim("once"))
    key = credential()
    other = claim("once", "another request")
    assert await store.create_credential(key, secret(key), event(), claim=other) == Reused()
    assert await store.find_credential(key.id, "ten_a") is None


async def test_every_creating_verb_replays(store: SqlStore) -> None:
    """A verb that forgot its claim would do twice what the client asked for once."""
    successor = child(credential("key_first"))

    async def all_of_them() -> list[object]:
        return [
            await store.create_tenant(tenant("ten_b"), event(), claim=claim("tenant")),
            await store.create_user(user("usr_b"), event(), claim=claim("user")),
            await store.put_plan(plan("gold"), event(), claim=claim("plan")),
            await store.rotate_credential(
                "key_first", LATER, successor, secret(successor), event(), claim=claim("key")
            ),
        ]

    assert await all_of_them() == [tenant("ten_b"), user("usr_b"), True, successor]
    assert await all_of_them() == [
        Replayed(f"answer to {key}".encode()) for key in ("tenant", "user", "plan", "key")
    ]


async def test_a_call_that_came_to_nothing_may_be_sent_again(store: SqlStore) -> None:
    """A claim that outlived its refusal would answer the mended call with nothing, for a day."""
    assert await store.create_user(
        user("usr_2", email="usr_owner@example.com"), event(), claim=claim("u")
    ) == Clash("email")
    assert isinstance(await store.create_user(user("usr_2"), event(), claim=claim("u")), User)
    assert await store.create_tenant(tenant("ten_b", plan="gone"), event(), claim=claim("t")) == Clash("plan")
    assert await store.create_tenant(tenant("ten_b"), event(), claim=claim("t")) == tenant("ten_b")
    for gone in ("key_gone", "key_first"):
        successor = child(credential("key_first"))
        outcome = await store.rotate_credential(
            gone, LATER, successor, secret(successor), event(), claim=claim("k")
        )
        assert outcome == (successor if gone == "key_first" else None)


async def test_an_expired_claim_is_forgotten(store: SqlStore) -> None:
    """A key that was used last week is free again; the answer from then is nobody's business."""
    old = claim("once", expires_at=LATER)
    first, second, third = (credential() for _ in range(3))
    assert await store.create_credential(first, secret(first), event(), claim=old) == first
    anew = claim("once", "another request", expires_at=LATER + timedelta(days=1))
    assert await store.create_credential(second, secret(second), event(at=LATER), claim=anew) == second
    assert await store.create_credential(third, secret(third), event(at=LATER), claim=anew) == Replayed(
        anew.sealed_answer
    )


async def test_pruning_keeps_the_claims_that_hold(store: SqlStore) -> None:
    """Housekeeping must not make a repeated call happen twice."""
    await store.put_plan(plan("a"), event(), claim=claim("old", expires_at=NOW))
    await store.put_plan(plan("b"), event(), claim=claim("new", expires_at=LATER))
    await store.prune(NOW + timedelta(microseconds=1))
    assert await store.put_plan(plan("a"), event(), claim=claim("old")) is False
    assert isinstance(await store.put_plan(plan("b"), event(), claim=claim("new")), Replayed)


async def test_of_concurrent_calls_with_one_key_one_creates(
    store: SqlStore, opened: Callable[[], SqlStore]
) -> None:
    """A client that retries too early, through another node, must not get two keys."""
    stores = [store, opened(), opened()]
    for number in range(4):
        keys = [credential() for _ in range(9)]
        outcomes = await asyncio.gather(
            *(
                stores[place % 3].create_credential(key, secret(key), event(), claim=claim(f"once {number}"))
                for place, key in enumerate(keys)
            )
        )
        assert sum(isinstance(outcome, Credential) for outcome in outcomes) == 1
        assert sum(outcome == Replayed(f"answer to once {number}".encode()) for outcome in outcomes) == 8
    assert len(await store.list_credentials("ten_a", ALL, of_keys())) == 5


async def test_of_concurrent_rotations_with_one_key_all_get_the_answer(
    store: SqlStore, opened: Callable[[], SqlStore]
) -> None:
    """The loser of the race must be told the successor's key, not that there is nothing to rotate."""
    stores = [store, opened()]
    successors = [child(credential("key_first")) for _ in range(8)]
    outcomes = await asyncio.gather(
        *(
            stores[place % 2].rotate_credential(
                "key_first", LATER, key, secret(key), event(), claim=claim("roll")
            )
            for place, key in enumerate(successors)
        )
    )
    assert sum(isinstance(outcome, Credential) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Replayed) for outcome in outcomes) == 7
