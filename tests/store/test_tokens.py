"""Tokens in the store: bounded by what they were made from at every look-up, and forgotten some time after their end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bonafides.model import (
    EVERYWHERE,
    Change,
    ChangeKind,
    Credential,
    CredentialChanges,
    CredentialFilter,
    CredentialKind,
    CredentialStatus,
    Page,
    TenantChanges,
    Verifiable,
    to_micros,
)
from bonafides.store.sql import SqlStore
from tests.store.records import LATER, NOW, child, credential, digest, event, plan, secret

TOKEN = CredentialKind.BEARER_TOKEN


async def make(store: SqlStore, made: Credential) -> Credential:
    """Create a credential that is expected to be fine."""
    await store.create_credential(made, secret(made), event())
    return made


async def token_of(store: SqlStore, parent: Credential, **fields: Any) -> Credential:
    """A bearer token made from another credential."""
    wish = {"kind": TOKEN, "allowed_ips": (), "expires_at": LATER, **fields}
    return await make(store, child(parent, **wish))


async def look_up(store: SqlStore, found: Credential) -> Verifiable:
    """What judging it needs."""
    return (await store.find_verifiable([digest(found)]))[digest(found)]


@pytest.mark.parametrize("depth", [1, 2])
async def test_a_token_has_what_its_key_has_now(store: SqlStore, depth: int) -> None:
    """A scope or a network that was taken from a key would live on in what was made from it."""
    key = await make(store, credential(scopes=frozenset({"read", "write"}), allowed_ips=("192.0.2.0/24",)))
    token = key
    for _ in range(depth):
        token = await token_of(store, token, scopes=frozenset({"read", "write"}))
    found = await look_up(store, token)
    assert found.scopes == {"read", "write"}
    assert found.allowed_ips == ("192.0.2.0/24",)
    changes = CredentialChanges(scopes=frozenset({"write", "admin"}), allowed_ips=("2001:db8::/32",))
    await store.change_credential(key.id, "ten_a", changes, event())
    found = await look_up(store, token)
    assert found.scopes == {"write"}
    assert found.allowed_ips == ("2001:db8::/32",)


async def test_a_successor_keeps_its_own(store: SqlStore) -> None:
    """Changing a key that was replaced would change the one that replaced it."""
    key = await make(store, credential())
    successor = await make(store, child(key))
    changes = CredentialChanges(scopes=frozenset[str](), allowed_ips=("192.0.2.7/32",))
    await store.change_credential(key.id, "ten_a", changes, event())
    found = await look_up(store, successor)
    assert (found.scopes, found.allowed_ips) == (successor.scopes, successor.allowed_ips)


async def test_a_token_ends_with_the_overlap_of_its_key_and_a_successor_does_not(store: SqlStore) -> None:
    """A key that was rotated away would live on in its tokens; or its successor would end with it."""
    key = await make(store, credential(expires_at=None))
    token = await token_of(store, key, expires_at=None)
    successor = child(key, expires_at=None)
    soon = NOW + timedelta(minutes=5)
    assert await store.rotate_credential(key.id, soon, successor, secret(successor), event()) is not None
    assert (await look_up(store, token)).ends_at_us == to_micros(soon)
    assert (await look_up(store, successor)).ends_at_us is None


async def test_a_tokens_plan_moves_with_its_keys(store: SqlStore) -> None:
    """Somebody on a wider plan would be held to the narrower one for as long as the token lasts, or the reverse."""
    await store.put_plan(plan("gold"), event())
    key = await make(store, credential(plan=None))
    token = await token_of(store, key, plan=None)
    successor = await make(store, child(key, plan=None))
    await store.change_credential(key.id, "ten_a", CredentialChanges(plan="gold"), event())
    assert (await look_up(store, token)).plan.name == "gold"
    assert (await look_up(store, successor)).plan.name == "free"
    await store.change_credential(key.id, "ten_a", CredentialChanges(name="renamed"), event())
    assert (await look_up(store, token)).plan.name == "gold"


async def test_the_feed_names_the_tokens_that_last_and_not_those_that_ended(store: SqlStore) -> None:
    """A key with years of tokens could not be revoked in time, or a token in memory would outlive its key."""
    key = await make(store, credential())
    ended = await token_of(store, key, expires_at=NOW)
    lasting = await token_of(store, key)
    position = await store.feed_position()
    await store.set_credential_status(key.id, "ten_a", CredentialStatus.REVOKED, event(at=NOW))
    changes, _ = await store.changes_since(position)
    assert set(changes) == {Change(ChangeKind.CREDENTIAL, of.id) for of in (key, lasting)}
    found = await store.find_credential(ended.id, "ten_a")
    assert found is not None
    assert found.status is CredentialStatus.ACTIVE
    assert not (await look_up(store, ended)).usable


async def test_lists_hold_one_kind_and_one_parent(store: SqlStore) -> None:
    """Keys would be lost among the tokens that were made from them."""
    key, other = await make(store, credential()), await make(store, credential())
    tokens = [await token_of(store, key), await token_of(store, key)]
    elsewhere = await token_of(store, other)

    async def listed(which: CredentialFilter) -> set[str]:
        return {found.id for found in await store.list_credentials("ten_a", Page(100), which)}

    assert await listed(CredentialFilter(TOKEN, parent_id=key.id)) == {token.id for token in tokens}
    assert await listed(CredentialFilter(TOKEN)) == {*(token.id for token in tokens), elsewhere.id}
    assert not await listed(CredentialFilter(CredentialKind.API_KEY)) & {token.id for token in tokens}


async def test_a_credential_is_found_with_the_plan_that_binds_it(store: SqlStore) -> None:
    """A token would last as long as the plan of somebody else says."""
    await store.put_plan(plan("gold", bearer_token_seconds=60), event())
    key = await make(store, credential(plan="gold", bearer_token_seconds=None))
    found = await store.find_with_plan(key.id)
    assert found is not None
    assert found[0] == key
    assert (found[1].name, found[1].bearer_token_seconds) == ("gold", 60)
    changes = CredentialChanges(plan=None, bearer_token_seconds=5)
    await store.change_credential(key.id, "ten_a", changes, event())
    found = await store.find_with_plan(key.id)
    assert found is not None
    assert (found[0].bearer_token_seconds, found[1].name) == (5, "free")
    assert await store.find_with_plan("key_unknown") is None


async def test_a_lineage_is_told_from_the_root_on(store: SqlStore) -> None:
    """Whoever revokes a key must see all that ends with it, and nothing of anybody else's."""
    key = await make(store, credential(created_at=NOW))
    token = await token_of(store, key, created_at=NOW + timedelta(seconds=1))
    of_token = await token_of(store, token, created_at=NOW + timedelta(seconds=2))
    await token_of(store, await make(store, credential()))
    assert [found.id for found in await store.lineage(key.id, 10)] == [key.id, token.id, of_token.id]
    assert [found.id for found in await store.lineage(key.id, 2)] == [key.id, token.id]
    assert await store.lineage("key_unknown", 10) == []


async def test_ended_tokens_are_forgotten_children_first_and_keys_never(store: SqlStore) -> None:
    """Years of tokens would fill the database; or a key would vanish from the trail."""
    key = await make(store, credential(expires_at=NOW))
    pat = await make(store, credential(kind=CredentialKind.PERSONAL_ACCESS_TOKEN, expires_at=NOW))
    parent = await token_of(store, key, expires_at=NOW)
    of_parent = await token_of(store, parent, expires_at=NOW)
    lasting = await token_of(store, key, expires_at=LATER)
    endless = await token_of(store, key, expires_at=None)

    async def left() -> set[str]:
        ids = [of.id for of in (key, pat, parent, of_parent, lasting, endless)]
        return {name for name in ids if await store.find_credential(name, EVERYWHERE) is not None}

    everything = await left()
    assert await store.prune_tokens(NOW, 100) == 0
    after = NOW + timedelta(microseconds=1)
    assert await store.prune_tokens(after, 100) == 1
    assert await left() == everything - {of_parent.id}
    assert await store.prune_tokens(after, 100) == 1
    assert await left() == everything - {of_parent.id, parent.id}
    assert await store.prune_tokens(after, 100) == 0
    assert await store.find_verifiable([digest(parent)]) == {}
    more = [await token_of(store, key, expires_at=NOW) for _ in range(3)]
    assert await store.prune_tokens(after, 2) == 2
    assert len([of for of in more if await store.find_credential(of.id, EVERYWHERE)]) == 1


async def test_a_policy_and_a_life_are_kept(store: SqlStore) -> None:
    """What an administrator sets would be gone after the next start."""
    made = credential(bearer_token_seconds=7)
    await make(store, made)
    assert await store.find_credential(made.id, "ten_a") == made
    tenant = await store.find_tenant("ten_a")
    assert tenant is not None
    assert tenant.personal_access_token_seconds_max is None
    changed = await store.change_tenant("ten_a", TenantChanges(personal_access_token_seconds_max=9), event())
    assert changed == replace(tenant, personal_access_token_seconds_max=9, updated_at=event().at)
