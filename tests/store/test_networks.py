"""Networks that credentials were used from: added up, bounded, forgotten, and told by whom they are shared."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bonafides.model import (
    EVERYWHERE,
    Credential,
    NetworkUse,
    NewNetworks,
    Page,
    SharedNetworks,
    Status,
    TenantChanges,
    UserChanges,
)
from bonafides.store.sql import SqlStore
from bonafides.store.used_networks import NETWORKS_MAX
from tests.store.records import NOW, credential, event, of_keys, secret, tenant, user

HOME, AWAY = "192.0.2.0/24", "198.51.100.0/24"
DAY = timedelta(days=1)
ALL = Page(limit=100)

Uses = Mapping[tuple[str, str], tuple[datetime, int]]


async def make(store: SqlStore, **wish: Any) -> Credential:
    """A key that may be used from everywhere."""
    key = credential(**{"allowed_ips": (), **wish})
    assert isinstance(await store.create_credential(key, secret(key), event()), Credential)
    return key


async def move_in(store: SqlStore) -> None:
    """Another user of the same tenant, and one of another."""
    await store.create_user(user("usr_a2", email="a2@example.com"), event())
    await store.create_tenant(tenant("ten_b"), event())
    await store.create_user(user("usr_b", tenant_id="ten_b", email="b@example.com"), event())


async def networks(store: SqlStore, key: Credential) -> list[NetworkUse]:
    """Where a key was used from."""
    return list((await store.networks_of([key.id, "key_none"]))[key.id])


async def test_uses_are_added_up_and_the_latest_come_first(store: SqlStore) -> None:
    """A key would look unused where it is used most, or its last use would go back."""
    key = await make(store)
    await store.record_networks({(key.id, HOME): (NOW, 3), (key.id, AWAY): (NOW + DAY, 1)})
    await store.record_networks({(key.id, HOME): (NOW - DAY, 4), ("key_none", HOME): (NOW, 1)})
    assert await networks(store, key) == [
        NetworkUse(AWAY, NOW + DAY, NOW + DAY, 1),
        NetworkUse(HOME, NOW, NOW, 7),
    ]
    assert await store.networks_of(["key_none"]) == {"key_none": []}
    await store.record_networks({(key.id, HOME): (NOW + 2 * DAY, 1)})
    assert (await networks(store, key))[0] == NetworkUse(HOME, NOW, NOW + 2 * DAY, 8)


async def test_so_many_are_told_apart_and_the_others_are_one(store: SqlStore) -> None:
    """Whoever sends from everywhere would fill the database."""
    key = await make(store)
    many: Uses = {(key.id, f"10.0.{number}.0/24"): (NOW, 1) for number in range(NETWORKS_MAX + 3)}
    await store.record_networks(many)
    await store.record_networks({**many, (key.id, HOME): (NOW + DAY, 5)})
    found = await networks(store, key)
    assert len(found) == NETWORKS_MAX + 1
    assert found[-1] == NetworkUse("", NOW, NOW + DAY, 11)
    assert {use.requests for use in found[:-1]} == {2}


async def test_what_was_not_used_for_long_is_forgotten(store: SqlStore) -> None:
    """Where people work would be kept for ever."""
    key = await make(store)
    await store.record_networks({(key.id, HOME): (NOW, 1), (key.id, AWAY): (NOW + DAY, 1)})
    assert await store.prune_networks(NOW + DAY) == 1
    assert [use.network for use in await networks(store, key)] == [AWAY]


async def test_nothing_is_left_of_who_is_deleted(store: SqlStore) -> None:
    """Whoever asks to be forgotten would be known by where they were."""
    await move_in(store)
    keys = [
        await make(store),
        await make(store, user_id="usr_a2"),
        await make(store, tenant_id="ten_b", user_id="usr_b"),
    ]
    uses: Uses = {(key.id, HOME): (NOW, 1) for key in keys}
    await store.record_networks(uses)
    await store.change_user("usr_a2", EVERYWHERE, UserChanges(status=Status.DELETED), event())
    await store.change_tenant("ten_b", TenantChanges(status=Status.DELETED), event())
    for _ in range(2):
        assert [len(await networks(store, key)) for key in keys] == [1, 0, 0]
        await store.record_networks(uses)


async def test_networks_that_are_new_to_a_key_are_found(store: SqlStore) -> None:
    """A stolen key that is used elsewhere would look like any other."""
    old, young, roaming, bound = [
        await make(store, allowed_ips=("192.0.2.0/24",) if name == "bound" else ())
        for name in ("old", "young", "roaming", "bound")
    ]
    await store.record_networks({(key.id, HOME): (NOW, 1) for key in (old, roaming, bound)})
    await store.record_networks({(roaming.id, f"10.0.{number}.0/24"): (NOW, 1) for number in range(8)})
    later = NOW + 40 * DAY
    await store.record_networks({(key.id, AWAY): (later, 1) for key in (old, young, roaming, bound)})

    async def found(since: datetime, known_before: datetime) -> list[str]:
        which = of_keys(unbound=True, networks=NewNetworks(since, known_before, 8))
        return [key.id for key in await store.list_credentials("ten_a", ALL, which)]

    assert await found(later - DAY, later - 30 * DAY) == [old.id]
    assert await found(later - DAY, NOW) == []
    assert await found(later + DAY, later - 30 * DAY) == []


async def test_networks_that_people_share_are_found(store: SqlStore) -> None:
    """A machine that holds the keys of three people would be as good as none; a whole house behind one address is no such machine."""
    await move_in(store)
    mine, also_mine = await make(store), await make(store)
    theirs = await make(store, user_id="usr_a2")
    elsewhere = await make(store, tenant_id="ten_b", user_id="usr_b")
    everybodys = (mine, theirs)
    await store.record_networks(
        {(key.id, network): (NOW, 1) for key in everybodys for network in (HOME, "127.0.0.0/24", "::/48", "")}
        | {(also_mine.id, AWAY): (NOW, 1), (mine.id, AWAY): (NOW, 1), (elsewhere.id, AWAY): (NOW, 1)}
    )

    async def found(people_max: int) -> set[str]:
        which = of_keys(unbound=True, networks=SharedNetworks(people_max, 8))
        return {key.id for key in await store.list_credentials("ten_a", ALL, which)}

    assert await found(2) == {mine.id, theirs.id}
    assert await found(1) == set()
    assert await store.shared_networks("ten_a", [HOME, AWAY, ""], 2) == {HOME}
    assert await store.shared_networks(EVERYWHERE, [AWAY], 2) == frozenset()
