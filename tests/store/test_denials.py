"""Denials: kept once, found by whose they are, forgotten; and how what a credential depends on stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from bonafides.model import (
    EVERYWHERE,
    Check,
    CredentialKind,
    CredentialStatus,
    Denial,
    Link,
    Reason,
    Standing,
    Status,
    UserChanges,
)
from bonafides.store.sql import SqlStore
from tests.store.records import NOW, child, credential, event, secret, tenant, user

SINCE: Final = NOW - timedelta(days=1)


def denial(request_id: str = "req_1", **fields: Any) -> Denial:
    """A denial of the founding owner's key."""
    made = Denial(
        request_id,
        NOW,
        "ten_a",
        "usr_owner",
        "key_first",
        CredentialKind.API_KEY,
        Reason.ADDRESS,
        Check.ADDRESS,
        {"address": "192.0.2.7", "allowed_ips": ["198.51.100.0/24"]},
    )
    return replace(made, **fields)


async def test_a_denial_is_found_as_it_was_written(store: SqlStore) -> None:
    """The owner would be told another figure than the one that refused."""
    nobodys = denial(
        "req_2",
        tenant_id=None,
        user_id=None,
        credential_id=None,
        kind=None,
        reason=Reason.INVALID_KEY,
        refused_by=Check.SHAPE,
        figures={},
    )
    await store.record_denials([denial(), nobodys])
    assert await store.find_denial("req_1", "ten_a", SINCE) == denial()
    assert await store.find_denial("req_1", EVERYWHERE, SINCE) == denial()
    assert await store.find_denial("req_2", EVERYWHERE, SINCE) == nobodys
    assert await store.find_denial("req_3", EVERYWHERE, SINCE) is None


async def test_a_denial_is_of_one_tenant(store: SqlStore) -> None:
    """Another tenant's admin would read where whose keys are used from."""
    await store.record_denials([denial(), denial("req_2", tenant_id=None)])
    assert await store.find_denial("req_1", "ten_b", SINCE) is None
    assert await store.find_denial("req_2", "ten_b", SINCE) is None
    assert await store.find_denial("req_2", "ten_a", SINCE) is None


async def test_a_batch_that_comes_again_changes_nothing(store: SqlStore) -> None:
    """A commit in doubt is sent again; it must neither fail for ever nor write history anew."""
    await store.record_denials([denial()])
    await store.record_denials([denial(reason=Reason.SCOPE), denial("req_2")])
    assert await store.find_denial("req_1", "ten_a", SINCE) == denial()
    assert await store.find_denial("req_2", "ten_a", SINCE) == denial("req_2")


async def test_old_denials_are_not_told_and_are_forgotten_oldest_first(store: SqlStore) -> None:
    """Addresses of people's clients are not to be kept longer than they are of use."""
    await store.record_denials(
        [denial(f"req_{hour}", at=NOW - timedelta(hours=hour)) for hour in (1, 25, 26, 27)]
    )
    assert await store.find_denial("req_25", EVERYWHERE, SINCE) is None
    assert await store.prune_denials(SINCE, 2) == 2
    long_ago = NOW - timedelta(days=9)
    assert await store.find_denial("req_27", EVERYWHERE, long_ago) is None
    assert await store.find_denial("req_25", EVERYWHERE, long_ago) is not None
    assert await store.prune_denials(SINCE, 2) == 1
    assert await store.prune_denials(SINCE, 2) == 0
    assert await store.find_denial("req_1", EVERYWHERE, SINCE) is not None


async def test_what_a_credential_depends_on_is_told_nearest_first(store: SqlStore) -> None:
    """The wrong ancestor would be blamed for a refusal."""
    await store.create_tenant(tenant("ten_b"), event())
    other = user("usr_b", "ten_b")
    await store.create_user(other, event())
    first = credential("key_1", tenant_id="ten_b", user_id="usr_b", expires_at=NOW + timedelta(days=3))
    second = child(first, "key_2", tenant_id="ten_b", user_id="usr_b", overlap_ends_at=NOW)
    third = child(second, "key_3", tenant_id="ten_b", user_id="usr_b")
    for made in (first, second, third):
        await store.create_credential(made, secret(made), event())
    await store.create_user(user("usr_c", "ten_b"), event())
    await store.change_user("usr_b", "ten_b", UserChanges(status=Status.DISABLED), event())
    await store.set_credential_status("key_2", "ten_b", CredentialStatus.REVOKED, event(), reason="leaked")
    found = await store.standings(["key_3", "key_first", "key_gone"])
    active, revoked = CredentialStatus.ACTIVE, CredentialStatus.REVOKED
    assert found == {
        "key_3": Standing(
            (
                Link("key_3", revoked, None, None, NOW, "parent revoked"),
                Link("key_2", revoked, None, NOW, NOW, "leaked"),
                Link("key_1", active, NOW + timedelta(days=3), None, None, None),
            ),
            Status.DISABLED,
            Status.ACTIVE,
        ),
        "key_first": Standing(
            (Link("key_first", active, None, None, None, None),), Status.ACTIVE, Status.ACTIVE
        ),
    }
