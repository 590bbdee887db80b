"""The store's signing keys: read together, and changed by one of those who saw them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bonafides.model import Change, ChangeKind, SigningAlgorithm, SigningKey, SigningKeyStatus
from bonafides.store.sql import SqlStore
from tests.store.databases import REFUSED, run_sql
from tests.store.records import LATER, NOW, event


def key(kid: str, status: SigningKeyStatus = SigningKeyStatus.CURRENT, **fields: Any) -> SigningKey:
    """A key as the room makes it."""
    made = SigningKey(kid, SigningAlgorithm.EDDSA, status, {"kid": kid, "x": "ü"}, b"sealed\x00", "p1", NOW)
    return replace(made, **fields)


CURRENT = key("one", activated_at=NOW)
NEXT = key("two", SigningKeyStatus.NEXT)
RETIRED = key("three", SigningKeyStatus.RETIRED, retired_at=NOW, published_until=LATER)


async def test_they_are_replaced_by_who_saw_them(store: SqlStore, told: list[Change]) -> None:
    """A node that has looked away would undo what another has done since."""
    assert await store.list_signing_keys() == []
    assert await store.replace_signing_keys([], [NEXT, CURRENT, RETIRED], event("signing_key.created"))
    assert await store.list_signing_keys() == [CURRENT, NEXT, RETIRED]
    assert told == [Change(ChangeKind.SIGNING_KEY, kid) for kid in ("two", "one", "three")]
    assert not await store.replace_signing_keys([], [CURRENT], event())
    assert not await store.replace_signing_keys([CURRENT, NEXT], [CURRENT], event())
    resealed = [replace(each, pepper_id="p2") for each in (CURRENT, NEXT, RETIRED)]
    assert not await store.replace_signing_keys(resealed, [CURRENT], event())
    assert await store.list_signing_keys() == [CURRENT, NEXT, RETIRED]
    assert await store.replace_signing_keys([RETIRED, CURRENT, NEXT], [CURRENT], event())
    assert await store.list_signing_keys() == [CURRENT]


async def test_of_many_at_once_one_wins(opened: Callable[[], SqlStore], store: SqlStore) -> None:
    """Two keys would be the current one, or two nodes sign with keys that nobody publishes."""
    stores = [store, *(opened() for _ in range(4))]
    wins = await asyncio.gather(
        *(
            each.replace_signing_keys([], [key(f"key {number}")], event("signing_key.created"))
            for number, each in enumerate(stores)
        )
    )
    assert sum(wins) == 1
    (winner,) = await store.list_signing_keys()
    assert winner.kid == f"key {wins.index(True)}"


@pytest.mark.parametrize("status", ["current", "next"])
async def test_there_is_one_of_each_in_use(store: SqlStore, url: str, status: str) -> None:
    """A second current key would sign what the key set does not show."""
    await store.replace_signing_keys([], [CURRENT, NEXT], event())
    with pytest.raises(REFUSED):
        await run_sql(
            url,
            "INSERT INTO signing_keys (kid, algorithm, status, public_jwk, sealed, pepper_id, created_at) "
            f"SELECT 'other', algorithm, '{status}', public_jwk, sealed, pepper_id, created_at FROM signing_keys "
            "WHERE kid = 'one'",
        )


async def test_the_operators_trail_tells_of_them(store: SqlStore) -> None:
    """What concerns the whole installation would be told to nobody."""
    assert await store.operator_tenant_id() == "ten_a"
