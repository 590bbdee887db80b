"""Credentials: kept whole, changed in one transaction, seen from their own tenant alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bonafides.errors import AppError, Conflict
from bonafides.model import (
    EVERYWHERE,
    Change,
    ChangeKind,
    Credential,
    CredentialChanges,
    CredentialKind,
    CredentialStatus,
    DigestedSecret,
    Page,
    to_micros,
)
from bonafides.store.credentials import PARENT_REVOKED
from bonafides.store.sql import SqlStore
from tests.store.databases import run_sql
from tests.store.records import (
    LATER,
    NOW,
    child,
    credential,
    digest,
    event,
    of_keys,
    plan,
    secret,
    tenant,
    user,
)

ACTIVE, DISABLED, REVOKED = CredentialStatus
ALL = Page(limit=100)


async def make(store: SqlStore, key: Credential) -> Credential:
    """Create a credential that is expected to be fine."""
    created = await store.create_credential(key, secret(key), event("created"))
    assert isinstance(created, Credential)
    return created


async def family(store: SqlStore) -> tuple[Credential, Credential, Credential]:
    """A key, its child and its grandchild."""
    parent = await make(store, credential("key_parent"))
    daughter = await make(store, child(parent, "key_daughter"))
    return parent, daughter, await make(store, child(daughter, "key_granddaughter"))


async def test_a_credential_comes_back_as_it_was_made(store: SqlStore) -> None:
    """Were a field lost or rounded, keys would get scopes, ends or networks that nobody gave them."""
    whole = credential(
        kind=CredentialKind.PERSONAL_ACCESS_TOKEN,
        plan="free",
        expires_at=LATER,
        overlap_ends_at=NOW,
        last_used_at=NOW,
        parent_id="key_first",
        root_id="key_first",
    )
    bare = credential(scopes=frozenset(), allowed_ips=(), metadata={}, created_by=None, name="")
    for key in (whole, bare):
        assert await make(store, key) == key
        assert await store.find_credential(key.id, "ten_a") == key


async def test_a_creation_is_audited_and_announced(store: SqlStore, told: list[Change]) -> None:
    """Without the event nobody could tell who made a key; without the change a known miss would live on."""
    made = event("created")
    key = credential()
    await store.create_credential(key, secret(key), made)
    assert (await store.list_events("ten_a", Page(1)))[0] == made
    assert told == [Change(ChangeKind.CREDENTIAL_CREATED, key.id)]


async def test_nothing_is_seen_or_changed_across_tenants(store: SqlStore, told: list[Change]) -> None:
    """A tenant that could read or revoke another's keys would be the end of the product."""
    await store.create_tenant(tenant("ten_b"), event())
    await store.create_user(user("usr_b", "ten_b"), event())
    told.clear()
    assert await store.find_credential("key_first", "ten_b") is None
    assert await store.list_credentials("ten_b", ALL, of_keys()) == []
    assert await store.change_credential("key_first", "ten_b", CredentialChanges(name="x"), event()) is None
    assert await store.set_credential_status("key_first", "ten_b", REVOKED, event()) is None
    stolen = credential(tenant_id="ten_b", user_id="usr_b")
    assert await store.rotate_credential("key_first", LATER, stolen, secret(stolen), event()) is None
    assert told == []
    assert await store.find_credential("key_first", EVERYWHERE) == credential("key_first")


@pytest.mark.parametrize(
    "fields",
    [
        {"tenant_id": "ten_b"},
        {"user_id": "usr_gone"},
        {"plan": "gone"},
        {"parent_id": "gone", "root_id": "x"},
    ],
)
async def test_what_a_credential_refers_to_exists_in_its_tenant(
    store: SqlStore, fields: dict[str, Any]
) -> None:
    """A key of no user, or of another tenant's, would be judged by nobody's rights."""
    await store.create_tenant(tenant("ten_b"), event())
    key = credential(**fields)
    with pytest.raises(Conflict):
        await store.create_credential(key, secret(key), event())
    assert await store.find_credential(key.id, EVERYWHERE) is None


async def test_two_credentials_never_share_a_digest(store: SqlStore) -> None:
    """One secret would then open two keys, and revoking one of them would not close it."""
    with pytest.raises(AppError) as caught:
        await store.create_credential(credential(), secret("key_first"), event())
    assert caught.value.code == "internal_error"
    assert "key_first" not in caught.value.internal


async def test_listings_are_newest_first_and_filtered(store: SqlStore) -> None:
    """A person who looks for the key that they just made would not find it at the end of ten thousand."""
    old = await make(store, credential(created_at=NOW - timedelta(days=1)))
    new = await make(store, credential(created_at=NOW + timedelta(days=1)))
    await store.create_user(user("usr_other"), event())
    other = await make(store, credential(user_id="usr_other", status=DISABLED))
    first = credential("key_first")
    assert await store.list_credentials("ten_a", ALL, of_keys()) == [new, first, other, old]
    assert await store.list_credentials("ten_a", ALL, of_keys(user_id="usr_other")) == [other]
    assert await store.list_credentials(EVERYWHERE, ALL, of_keys(status=ACTIVE)) == [new, first, old]


async def test_a_list_is_searched_by_name_by_what_is_shown_and_by_id(store: SqlStore) -> None:
    """A person would page through ten thousand keys, or be shown those of which a wild card happens to match."""
    named = await make(store, credential(name="Nightly 100% export"))
    shown = await make(store, credential(display="bf_key_Wxyz…9876"))

    async def found(words: str) -> set[str]:
        return {one.id for one in await store.list_credentials("ten_a", ALL, of_keys(search=words))}

    assert await found("NIGHTLY") == await found("0% E") == {named.id}
    assert await found("9876") == {shown.id}
    assert await found(shown.id) == {shown.id}
    assert await found("night%export") == await found("_ightly") == set()


async def test_listings_tell_what_has_ended_from_what_lasts(store: SqlStore) -> None:
    """A person who looks for expired keys would be shown all the others, or miss the last rotated one."""
    later = NOW + timedelta(hours=1)
    lasting = await make(store, credential(expires_at=later))
    expired = await make(store, credential(expires_at=NOW))
    rotated = await make(store, credential(expires_at=later, overlap_ends_at=NOW))
    first = credential("key_first")

    async def ended(at: datetime) -> set[str]:
        return {found.id for found in await store.list_credentials("ten_a", ALL, of_keys(ended_at=at))}

    assert await ended(NOW) == {expired.id, rotated.id}
    assert await ended(NOW - timedelta(microseconds=1)) == set()
    assert await ended(later) == {expired.id, rotated.id, lasting.id}
    listed = await store.list_credentials("ten_a", ALL, of_keys(lasting_at=NOW))
    assert {found.id for found in listed} == {lasting.id, first.id}


async def test_pages_stay_whole_while_rows_are_inserted(store: SqlStore) -> None:
    """An auditor who pages through keys must not miss one because somebody made another meanwhile."""
    keys = [await make(store, credential()) for _ in range(5)]
    seen: list[str] = []
    page = Page(limit=2)
    while rows := await store.list_credentials("ten_a", page, of_keys()):
        seen += [row.id for row in rows]
        await make(store, credential(created_at=LATER))
        page = Page(2, to_micros(rows[-1].created_at), rows[-1].id)
    # All were made in the same microsecond: the id decides.
    assert seen == sorted([*(key.id for key in keys), "key_first"], reverse=True)


async def test_a_change_touches_only_what_it_names(store: SqlStore) -> None:
    """A PATCH of the name that reset the scopes would hand out rights."""
    changed = await store.change_credential(
        "key_first", "ten_a", CredentialChanges(name="new", expires_at=LATER), event(at=LATER)
    )
    expected = replace(credential("key_first"), name="new", expires_at=LATER, updated_at=LATER)
    assert changed == expected
    assert await store.find_credential("key_first", "ten_a") == expected


async def test_every_field_can_be_changed_and_cleared(store: SqlStore) -> None:
    """A limit, an end or a network that cannot be taken back would need a new key."""
    everything = CredentialChanges("n", frozenset({"x"}), "free", LATER, None, ("10.0.0.0/8",), {"a": 1})
    changed = await store.change_credential("key_first", "ten_a", everything, event())
    assert changed is not None
    assert (changed.plan, changed.expires_at, changed.scopes) == ("free", LATER, frozenset({"x"}))
    cleared = await store.change_credential(
        "key_first", EVERYWHERE, CredentialChanges(plan=None, expires_at=None, allowed_ips=()), event()
    )
    assert cleared is not None
    assert (cleared.plan, cleared.expires_at, cleared.allowed_ips) == (None, None, ())
    assert await store.find_credential("key_first", "ten_a") == cleared


async def test_an_overlap_never_outlives_its_key(store: SqlStore) -> None:
    """Contract §4: the old one works until the overlap ends and never past its own expiry."""
    successor = child(credential("key_first"))
    assert await store.rotate_credential("key_first", LATER, successor, secret(successor), event())
    sooner = NOW + timedelta(minutes=1)
    changed = await store.change_credential(
        "key_first", "ten_a", CredentialChanges(expires_at=sooner), event()
    )
    assert changed is not None
    assert (changed.expires_at, changed.overlap_ends_at) == (sooner, sooner)


async def test_a_change_announces_the_whole_subtree(store: SqlStore, told: list[Change]) -> None:
    """A child in another process's memory would go on with its parent's old end."""
    keys = await family(store)
    told.clear()
    await store.change_credential(keys[0].id, "ten_a", CredentialChanges(expires_at=LATER), event())
    assert set(told) == {Change(ChangeKind.CREDENTIAL, key.id) for key in keys}


async def test_a_revoked_credential_does_not_change(store: SqlStore) -> None:
    """What was revoked is evidence; and a longer expiry must not bring it back."""
    await store.set_credential_status("key_first", "ten_a", REVOKED, event())
    assert await store.change_credential("key_first", "ten_a", CredentialChanges(name="x"), event()) is None


async def test_a_change_to_a_plan_that_is_gone_is_refused(store: SqlStore) -> None:
    """A key on a plan that does not exist would have no limit, or stop working."""
    with pytest.raises(Conflict):
        await store.change_credential("key_first", "ten_a", CredentialChanges(plan="gone"), event())


async def test_a_rotation_makes_a_successor_and_ends_the_overlap(store: SqlStore, told: list[Change]) -> None:
    """A roll-over without it would leave two keys for ever, or none."""
    successor = child(credential("key_first"))
    assert (
        await store.rotate_credential("key_first", LATER, successor, secret(successor), event()) == successor
    )
    first = await store.find_credential("key_first", "ten_a")
    assert first is not None
    assert (first.status, first.overlap_ends_at) == (ACTIVE, LATER)
    assert told == [
        Change(ChangeKind.CREDENTIAL, "key_first"),
        Change(ChangeKind.CREDENTIAL_CREATED, successor.id),
    ]


async def test_an_overlap_ends_with_the_expiry_at_the_latest(store: SqlStore) -> None:
    """A key that expires in a minute must not live an hour because it was rotated."""
    end = NOW + timedelta(minutes=1)
    key = await make(store, credential(expires_at=end))
    successor = child(key)
    assert await store.rotate_credential(key.id, LATER, successor, secret(successor), event())
    rotated = await store.find_credential(key.id, "ten_a")
    assert rotated is not None
    assert rotated.overlap_ends_at == end


@pytest.mark.parametrize(
    "fields", [{"status": DISABLED}, {"expires_at": NOW}, {"overlap_ends_at": LATER}], ids=str
)
async def test_only_a_living_key_is_rotated_and_once(store: SqlStore, fields: dict[str, Any]) -> None:
    """Rotating a disabled or expired key would be a way to bring it back."""
    key = await make(store, credential(**fields))
    successor = child(key)
    assert await store.rotate_credential(key.id, LATER, successor, secret(successor), event()) is None
    assert await store.find_credential(successor.id, "ten_a") is None


async def test_of_concurrent_rotations_one_succeeds(opened: Callable[[], SqlStore], store: SqlStore) -> None:
    """Two operators who press the button together would both walk away with a key, one of them unknown."""
    stores = [store, opened(), opened()]
    successors = [child(credential("key_first")) for _ in range(12)]
    outcomes = await asyncio.gather(
        *(
            stores[number % 3].rotate_credential("key_first", LATER, key, secret(key), event())
            for number, key in enumerate(successors)
        )
    )
    (winner,) = [outcome for outcome in outcomes if outcome is not None]
    children = [
        key for key in await store.list_credentials("ten_a", ALL, of_keys()) if key.parent_id == "key_first"
    ]
    assert children == [winner]


async def test_disabling_and_enabling_are_announced_for_the_subtree(
    store: SqlStore, told: list[Change]
) -> None:
    """A child that stays in memory would work on while its parent is switched off."""
    keys = await family(store)
    told.clear()
    for status in (DISABLED, ACTIVE):
        changed = await store.set_credential_status(keys[0].id, "ten_a", status, event(at=LATER))
        assert changed == replace(keys[0], status=status, updated_at=LATER)
        assert set(told) == {Change(ChangeKind.CREDENTIAL, key.id) for key in keys}
        told.clear()
    assert await store.find_credential(keys[1].id, "ten_a") == keys[1]


async def test_a_revocation_takes_every_descendant_along(store: SqlStore, told: list[Change]) -> None:
    """A thief who made a token from a stolen key would keep it after the key is revoked."""
    parent, daughter, granddaughter = await family(store)
    told.clear()
    revoked = await store.set_credential_status(parent.id, "ten_a", REVOKED, event(at=LATER), reason="stolen")
    end: dict[str, Any] = {"status": REVOKED, "revoked_at": LATER, "updated_at": LATER}
    assert revoked == replace(parent, **end, revocation_reason="stolen")
    for below in (daughter, granddaughter):
        assert await store.find_credential(below.id, "ten_a") == replace(
            below, **end, revocation_reason=PARENT_REVOKED
        )
    assert {change.subject_id for change in told} == {parent.id, daughter.id, granddaughter.id}


async def test_a_revocation_leaves_parent_and_earlier_revocations_alone(store: SqlStore) -> None:
    """Revoking a token must not close its key, nor rewrite why another was closed."""
    parent, daughter, granddaughter = await family(store)
    await store.set_credential_status(granddaughter.id, "ten_a", REVOKED, event(), reason="first")
    await store.set_credential_status(daughter.id, "ten_a", REVOKED, event(at=LATER), reason="second")
    assert await store.find_credential(parent.id, "ten_a") == parent
    kept = await store.find_credential(granddaughter.id, "ten_a")
    assert kept is not None
    assert (kept.revocation_reason, kept.revoked_at) == ("first", NOW)


async def test_the_same_status_again_writes_nothing(store: SqlStore, told: list[Change]) -> None:
    """A client that sends DELETE twice is answered twice, and the trail tells of it once."""
    assert await store.set_credential_status("key_first", "ten_a", ACTIVE, event()) == credential("key_first")
    once = await store.set_credential_status("key_first", "ten_a", REVOKED, event("revoked"), reason="a")
    told.clear()
    assert await store.set_credential_status("key_first", "ten_a", REVOKED, event(), reason="b") == once
    assert told == []
    assert len(await store.list_events("ten_a", ALL)) == 2


@pytest.mark.parametrize("status", [ACTIVE, DISABLED])
async def test_a_revocation_is_final(store: SqlStore, status: CredentialStatus) -> None:
    """Whoever takes over an admin's session must not wake what was revoked."""
    await store.set_credential_status("key_first", "ten_a", REVOKED, event())
    assert await store.set_credential_status("key_first", "ten_a", status, event()) is None
    assert await store.set_credential_status("key_gone", "ten_a", status, event()) is None


async def test_a_last_use_never_moves_back(store: SqlStore, told: list[Change]) -> None:
    """Several processes flush in any order; an older flush must not make a busy key look idle."""
    other = await make(store, credential())
    told.clear()
    await store.record_use({"key_first": LATER, other.id: NOW, "key_gone": NOW}, {})
    await store.record_use({"key_first": NOW, other.id: LATER}, {})
    for identity in ("key_first", other.id):
        found = await store.find_credential(identity, "ten_a")
        assert found is not None
        assert found.last_used_at == LATER
        assert found.updated_at == NOW
    assert told == []
    assert len(await store.list_events("ten_a", ALL)) == 2


async def test_a_digest_under_a_new_pepper_replaces_the_old_one(store: SqlStore) -> None:
    """After a pepper was rotated out, a digest that was not replaced is a key that stopped working."""
    anew = DigestedSecret(digest("renewed"), "p2")
    await store.record_use({}, {"key_first": anew})
    assert set(await store.find_verifiable([digest("key_first"), anew.digest])) == {anew.digest}
    assert await store.pepper_ids() == {"p2": 1}


async def test_recording_nothing_is_fine(store: SqlStore) -> None:
    """An idle server flushes empty batches."""
    await store.record_use({}, {})


async def test_times_do_not_depend_on_any_time_zone(
    url: str, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server in Nepal, or a database session in New York, must not move an expiry by hours."""
    monkeypatch.setenv("TZ", "America/New_York")
    key = await make(store, credential(expires_at=LATER))
    (row,) = await run_sql(url, f"SELECT expires_at FROM credentials WHERE id = '{key.id}'")
    assert row == (to_micros(LATER),)
    assert await store.find_credential(key.id, "ten_a") == key


async def test_a_naive_time_is_refused(store: SqlStore) -> None:
    """A time without a zone is an expiry that means another moment on each machine."""
    with pytest.raises(Exception, match="offset-naive"):
        await make(store, credential(expires_at=LATER.replace(tzinfo=None)))


async def test_keys_are_found_whose_scopes_nothing_has_needed(store: SqlStore) -> None:
    """A key would keep for ever what it was given too much of, or lose what is needed of it."""
    later = NOW + timedelta(days=1)
    spare = await make(store, credential(scopes=frozenset({"read", "read:all", "write"})))
    whole = await make(store, credential(scopes=frozenset({"read"})))
    await make(store, credential(scopes=frozenset({"read", "write"})))
    fresh = await make(store, credential(scopes=frozenset({"read", "write"})))
    pairs = {(spare.id, "read:all"): NOW, (whole.id, "read"): NOW, (whole.id, "gone"): NOW}
    await store.record_scopes({**pairs, (fresh.id, "read"): later})
    await store.record_scopes({(spare.id, "read:all"): later, (spare.id, "write"): later})

    async def found(before: datetime) -> set[str]:
        filters = of_keys(spare_before=before)
        return {each.id for each in await store.list_credentials("ten_a", ALL, filters)}

    assert await found(NOW) == set()
    assert await found(later) == {spare.id}
    assert await found(later + timedelta(seconds=1)) == {spare.id, fresh.id}
    used = await store.used_scopes([spare.id, "key_none"])
    assert used == {spare.id: {"read:all", "write"}, "key_none": frozenset()}
    await store.record_scopes({(spare.id, "read"): later})
    assert await found(later) == set()


async def test_plans_of_credentials_are_kept(store: SqlStore) -> None:
    """A key that loses its own plan falls to its tenant's, with other limits."""
    await store.put_plan(plan("gold"), event())
    key = await make(store, credential(plan="gold"))
    found = await store.find_verifiable([digest(key)])
    assert found[digest(key)].plan == plan("gold")


async def test_lists_hold_what_is_old_unused_or_endless(store: SqlStore) -> None:
    """A list of what should be mended would miss a key, or show one that needs nothing."""
    later = NOW + timedelta(days=1)
    first = credential("key_first")
    ending = await make(store, credential(created_at=later, expires_at=later + timedelta(days=9)))
    used = await make(store, credential(created_at=later))
    await store.record_use({used.id: later}, {})

    async def found(**filters: object) -> set[str]:
        return {each.id for each in await store.list_credentials("ten_a", ALL, of_keys(**filters))}

    assert await found(created_before=later) == {first.id}
    assert await found(created_before=NOW) == set()
    assert await found(used_before=later + timedelta(seconds=1)) == {used.id}
    assert await found(used_before=later) == set()
    assert await found(never_used=True) == {first.id, ending.id}
    assert await found(endless=True) == {first.id, used.id}
