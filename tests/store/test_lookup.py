"""The cold look-up: what it says of a credential is what its whole lineage, owner and tenant say."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bonafides.model import (
    Credential,
    CredentialChanges,
    CredentialKind,
    CredentialStatus,
    Role,
    Status,
    TenantChanges,
    UserChanges,
    Verifiable,
    to_micros,
)
from bonafides.store.lookup import verifiables
from bonafides.store.sql import SqlStore
from tests.store.records import LATER, NOW, child, credential, digest, event, plan, secret, tenant, user


async def make(store: SqlStore, key: Credential) -> Credential:
    """Create a credential that is expected to be fine."""
    await store.create_credential(key, secret(key, "p7"), event())
    return key


async def look_up(store: SqlStore, key: Credential) -> Verifiable:
    """The one credential with that key's digest."""
    return (await store.find_verifiable([digest(key)]))[digest(key)]


async def test_it_is_flattened_whole(store: SqlStore) -> None:
    """Every field decides about a request: scopes, networks, ends, whose limit, which plan."""
    await store.put_plan(plan("gold", requests_per_hour=None), event())
    member = user("usr_m", role=Role.MEMBER, scopes=frozenset({"read"}))
    await store.create_user(member, event())
    key = await make(
        store,
        credential(
            "key_whole",
            kind=CredentialKind.BEARER_TOKEN,
            user_id="usr_m",
            plan="gold",
            expires_at=LATER,
            parent_id="key_first",
            root_id="key_first",
        ),
    )
    assert await look_up(store, key) == Verifiable(
        id="key_whole",
        kind=CredentialKind.BEARER_TOKEN,
        name=key.name,
        digest=digest(key),
        pepper_id="p7",
        tenant_id="ten_a",
        user_id="usr_m",
        root_id="key_first",
        scopes=key.scopes,
        ends_at_us=to_micros(LATER),
        usable=True,
        allowed_ips=key.allowed_ips,
        role=Role.MEMBER,
        user_scopes=member.scopes,
        plan=plan("gold", requests_per_hour=None),
    )


async def test_many_are_found_at_once_and_the_unknown_are_left_out(store: SqlStore) -> None:
    """A batch in which one answer took another's place would let somebody in as somebody else."""
    keys = [await make(store, credential()) for _ in range(5)]
    keys.append(await make(store, child(keys[0])))
    asked = [digest(key) for key in keys] + [digest("unknown"), b"", b"short"]
    found = await store.find_verifiable(asked)
    assert {digest_: verifiable.id for digest_, verifiable in found.items()} == {
        digest(key): key.id for key in keys
    }
    assert await store.find_verifiable([]) == {}


async def test_the_plan_is_the_tenants_unless_it_has_its_own(store: SqlStore) -> None:
    """A changed plan of a tenant binds its keys at once, and leaves a key's own plan alone."""
    await store.put_plan(plan("gold"), event())
    own, tenants_ = (
        await make(store, credential(plan="free")),
        await make(store, credential(scopes=frozenset())),
    )
    await store.change_tenant("ten_a", TenantChanges(plan="gold"), event())
    assert (await look_up(store, own)).plan == plan("free")
    assert (await look_up(store, tenants_)).plan == plan("gold")
    await store.put_plan(plan("gold", burst=1), event())
    assert (await look_up(store, tenants_)).plan == plan("gold", burst=1)
    assert (await look_up(store, tenants_)).scopes == frozenset()


@pytest.mark.parametrize("status", [CredentialStatus.DISABLED, CredentialStatus.REVOKED])
@pytest.mark.parametrize("place", [0, 1, 2])
async def test_no_ancestor_may_be_switched_off(store: SqlStore, status: CredentialStatus, place: int) -> None:
    """Contract §4: when a key is revoked or disabled, so is its child, at once, at any depth."""
    keys = [await make(store, credential())]
    keys.extend([await make(store, child(keys[0]))])
    keys.append(await make(store, child(keys[1])))
    assert (await look_up(store, keys[2])).usable
    await store.set_credential_status(keys[place].id, "ten_a", status, event())
    assert [(await look_up(store, key)).usable for key in keys] == [number < place for number in range(3)]


@pytest.mark.parametrize("status", [Status.DISABLED, Status.DELETED])
async def test_user_and_tenant_must_be_active(store: SqlStore, status: Status) -> None:
    """Somebody who was let go must be out everywhere, whatever keys they hold."""
    await store.create_tenant(tenant("ten_b"), event())
    for identity in ("usr_1", "usr_2"):
        await store.create_user(user(identity, "ten_b"), event())
    first, second = [
        await make(store, credential(tenant_id="ten_b", user_id=identity)) for identity in ("usr_1", "usr_2")
    ]
    await store.change_user("usr_1", "ten_b", UserChanges(status=status), event())
    assert [(await look_up(store, key)).usable for key in (first, second)] == [False, True]
    await store.change_tenant("ten_b", TenantChanges(status=status), event())
    assert not (await look_up(store, second)).usable


SOON = NOW + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("parent", "own", "end"),
    [
        ({}, {}, None),
        ({"expires_at": LATER}, {}, LATER),
        ({"expires_at": LATER}, {"expires_at": SOON}, SOON),
        ({"expires_at": SOON}, {"expires_at": LATER}, SOON),
        ({}, {"expires_at": LATER, "overlap_ends_at": SOON}, SOON),
        ({"expires_at": LATER, "overlap_ends_at": SOON}, {}, LATER),
        ({"overlap_ends_at": SOON}, {}, None),
    ],
)
async def test_the_end_is_the_first_of_its_own_and_its_ancestors_expiries(
    store: SqlStore, parent: dict[str, Any], own: dict[str, Any], end: datetime | None
) -> None:
    """A token must not outlive its key; a successor must outlive its predecessor's overlap."""
    key = await make(store, credential(**parent))
    below = await make(store, child(await make(store, child(key)), **own))
    assert (await look_up(store, below)).ends_at_us == (None if end is None else to_micros(end))


async def test_it_sees_a_change_at_once(store: SqlStore) -> None:
    """The look-up after a revocation was acknowledged must know of it."""
    key = await make(store, credential())
    for name in ("one", "two"):
        await store.change_credential(key.id, "ten_a", CredentialChanges(name=name), event())
        assert (await look_up(store, key)).name == name


async def test_a_credential_whose_lineage_is_unknown_is_not_usable(store: SqlStore) -> None:
    """Ancestors that could not be read are no proof that they are fine."""
    key = await make(store, credential())
    found = await look_up(store, key)
    whole = [
        key.id, "api_key", key.name, digest(key), "p7", "ten_a", "usr_owner", key.id, "read write", None, None,
        "192.0.2.0/24 2001:db8::/32", "key_parent", "active", "active", "active", "owner", None,
        None, None, None, None, "free", 100, 10, '{"api_key":null}', "credential", to_micros(NOW), to_micros(NOW), None,
    ]  # fmt: skip
    assert verifiables([whole], [(key.id, "api_key", "active", "read", None, None, "")]) == {
        digest(key): found
    }
    assert verifiables([whole], []) == {digest(key): replace(found, usable=False)}
