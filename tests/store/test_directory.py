"""Tenants and users: founded once, unique where they must be, never without an owner."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bonafides.errors import Conflict
from bonafides.model import (
    EVERYWHERE,
    Change,
    ChangeKind,
    CredentialStatus,
    OneTimePurpose,
    OneTimeSecret,
    Page,
    Role,
    Status,
    Tenant,
    TenantChanges,
    User,
    UserChanges,
    UserKind,
    to_micros,
)
from bonafides.store import Clash, SetUpCode
from bonafides.store.directory import TENANT_DELETED, USER_DELETED
from bonafides.store.sql import SqlStore
from tests.store.databases import run_sql
from tests.store.records import LATER, NOW, credential, digest, event, of_keys, plan, secret, tenant, user

ALL = Page(limit=100)
GONE = UserChanges(status=Status.DELETED)


async def found(store: SqlStore, number: int, code: SetUpCode | None = None) -> bool:
    """Try to found an installation of one's own."""
    key = credential(f"key_{number}", tenant_id=f"ten_{number}", user_id=f"usr_{number}")
    return await store.found(
        tenant(f"ten_{number}", operator=True),
        user(f"usr_{number}", f"ten_{number}"),
        "$argon2id$…",
        key,
        secret(key),
        [plan("free"), plan("gold")],
        event(tenant_id=f"ten_{number}"),
        code=code,
    )


async def test_an_installation_is_founded_whole(url: str, empty: SqlStore, told: list[Change]) -> None:
    """A first run that stopped halfway would leave a server that nobody can log in to."""
    assert not await empty.is_founded()
    assert await found(empty, 1)
    assert await empty.is_founded()
    assert await empty.find_tenant("ten_1") == tenant("ten_1", operator=True)
    assert await empty.find_user("usr_1", "ten_1") == user("usr_1", "ten_1")
    assert (await empty.find_verifiable([digest("key_1")]))[digest("key_1")].usable
    assert [made.name for made in await empty.list_plans(ALL)] == ["gold", "free"]
    assert await run_sql(url, "SELECT user_id, user_kind, hash FROM passwords") == [
        ("usr_1", "person", "$argon2id$…")
    ]
    assert len(await empty.list_events("ten_1", ALL)) == 1
    assert {change.kind for change in told} == set(ChangeKind) - {
        ChangeKind.CREDENTIAL,
        ChangeKind.SIGNING_KEY,
    }


async def test_the_code_of_a_browser_comes_with_the_installation(url: str, empty: SqlStore) -> None:
    """A start that was killed between the two would leave an installation that nobody can enter, or a code for none."""
    made = OneTimeSecret("inv_1", OneTimePurpose.INVITATION, "ten_1", "usr_1", None, None, NOW, LATER)
    wrong = SetUpCode(replace(made, user_id="usr_nobody"), secret("inv_1"), event(tenant_id="ten_1"))
    with pytest.raises(Conflict):
        await found(empty, 1, wrong)
    assert not await empty.is_founded()
    assert await found(empty, 1, replace(wrong, made=made))
    assert await empty.find_one_time_secret([digest("inv_1")], made.purpose, NOW) == made
    assert await run_sql(url, "SELECT count(*) FROM audit_events") == [(2,)]


async def test_of_concurrent_first_runs_one_founds(empty: SqlStore, opened: Callable[[], SqlStore]) -> None:
    """Two nodes that start together would each print a key, and one of the two would not work."""
    stores = [empty, opened(), opened()]
    outcomes = await asyncio.gather(*(found(stores[number % 3], number) for number in range(9)))
    assert sorted(outcomes) == [False] * 8 + [True]
    assert len(await empty.list_tenants(ALL)) == 1
    assert len(await empty.list_credentials(EVERYWHERE, ALL, of_keys())) == 1
    assert not await found(empty, 99)


async def test_a_tenant_comes_back_as_it_was_made(store: SqlStore, told: list[Change]) -> None:
    """A lost field would be another plan, or another name on the invoice."""
    made = tenant("ten_b", name="Zürich", status=Status.DISABLED, updated_at=LATER)
    event_of_it = event(tenant_id="ten_b")
    assert await store.create_tenant(made, event_of_it) == made
    assert await store.find_tenant("ten_b") == made
    assert told == [Change(ChangeKind.TENANT, "ten_b")]
    assert await store.list_events("ten_b", ALL) == [event_of_it]


async def test_tenants_are_listed_newest_first_without_the_deleted(store: SqlStore) -> None:
    """An operator would go on dealing with customers who left."""
    new = tenant("ten_new", created_at=LATER)
    gone = tenant("ten_gone")
    for made in (gone, new):
        await store.create_tenant(made, event())
    await store.change_tenant("ten_gone", TenantChanges(status=Status.DELETED), event())
    assert [listed.id for listed in await store.list_tenants(ALL)] == ["ten_new", "ten_a"]
    after = Page(1, to_micros(LATER), "ten_new")
    assert [listed.id for listed in await store.list_tenants(after)] == ["ten_a"]
    assert await store.find_tenant("ten_gone") is None
    assert await store.change_tenant("ten_gone", TenantChanges(name="x"), event()) is None


async def test_tenant_names_are_unique_among_the_living(store: SqlStore) -> None:
    """Two customers of one name would get each other's keys by a slip of the hand."""
    assert await store.create_tenant(tenant("ten_b", name="ten_a"), event()) == Clash("name")
    assert isinstance(await store.create_tenant(tenant("ten_b"), event()), Tenant)
    assert await store.change_tenant("ten_b", TenantChanges(name="ten_a"), event()) == Clash("name")
    await store.change_tenant("ten_b", TenantChanges(status=Status.DELETED), event())
    assert isinstance(await store.create_tenant(tenant("ten_c", name="ten_b"), event()), Tenant)


async def test_a_tenants_plan_exists(store: SqlStore) -> None:
    """A tenant on a plan that does not exist would have no limit."""
    assert await store.create_tenant(tenant("ten_b", plan="gone"), event()) == Clash("plan")
    assert await store.change_tenant("ten_a", TenantChanges(plan="gone"), event()) == Clash("plan")
    assert await store.find_tenant("ten_b") is None


async def test_a_tenant_changes_only_as_asked(store: SqlStore, told: list[Change]) -> None:
    """A renamed tenant must not change its plan by the way."""
    await store.put_plan(plan("gold"), event())
    told.clear()
    changed = await store.change_tenant("ten_a", TenantChanges(plan="gold"), event(at=LATER))
    assert changed == tenant(operator=True, plan="gold", updated_at=LATER)
    assert await store.find_tenant("ten_a") == changed
    assert told == [Change(ChangeKind.TENANT, "ten_a")]


@pytest.mark.parametrize("status", [Status.DISABLED, Status.DELETED])
async def test_the_operators_tenant_stays(store: SqlStore, told: list[Change], status: Status) -> None:
    """An operator who disables their own tenant has locked everybody out of the server."""
    assert await store.change_tenant("ten_a", TenantChanges(status=status), event()) == Clash("operator")
    assert told == []


async def test_a_deleted_tenant_takes_its_credentials_along(store: SqlStore, told: list[Change]) -> None:
    """A customer who left would go on calling the API."""
    await store.create_tenant(tenant("ten_b"), event())
    await store.create_user(user("usr_b", "ten_b"), event())
    key = credential(tenant_id="ten_b", user_id="usr_b")
    await store.create_credential(key, secret(key), event())
    told.clear()
    await store.change_tenant("ten_b", TenantChanges(status=Status.DELETED), event())
    revoked = await store.find_credential(key.id, "ten_b")
    assert revoked is not None
    assert (revoked.status, revoked.revocation_reason) == (CredentialStatus.REVOKED, TENANT_DELETED)
    assert set(told) == {Change(ChangeKind.TENANT, "ten_b"), Change(ChangeKind.CREDENTIAL, key.id)}
    assert await store.find_credential("key_first", "ten_a") == credential("key_first")


async def test_a_user_comes_back_as_they_were_made(store: SqlStore, told: list[Change]) -> None:
    """An empty list of scopes is not the role's default: confusing them hands out rights."""
    users = [
        user("usr_1", role=Role.MEMBER, scopes=frozenset()),
        user("usr_2", role=Role.ADMIN, scopes=frozenset({"read", "write"}), status=Status.DISABLED),
        user("usr_3", kind=UserKind.SERVICE, email=None, name=""),
    ]
    for made in users:
        assert await store.create_user(made, event()) == made
        assert await store.find_user(made.id, "ten_a") == made
    assert told == [Change(ChangeKind.USER, made.id) for made in users]


async def test_users_are_not_seen_across_tenants(store: SqlStore) -> None:
    """A tenant would read its competitor's staff list."""
    await store.create_tenant(tenant("ten_b"), event())
    assert await store.find_user("usr_owner", "ten_b") is None
    assert await store.list_users("ten_b", ALL) == []
    assert await store.change_user("usr_owner", "ten_b", UserChanges(name="x"), event()) is None
    assert await store.list_users("ten_a", ALL) == await store.list_users(EVERYWHERE, ALL) == [user()]


async def test_users_are_listed_newest_first_without_the_deleted(store: SqlStore) -> None:
    """A deleted user who is still listed would be granted things again."""
    await store.create_user(user("usr_new", created_at=LATER), event())
    await store.create_user(user("usr_gone"), event())
    await store.change_user("usr_gone", "ten_a", GONE, event())
    assert [listed.id for listed in await store.list_users("ten_a", ALL)] == ["usr_new", "usr_owner"]
    after = Page(5, to_micros(LATER), "usr_new")
    assert [listed.id for listed in await store.list_users("ten_a", after)] == ["usr_owner"]
    assert await store.find_user("usr_gone", EVERYWHERE) is None
    assert await store.change_user("usr_gone", EVERYWHERE, UserChanges(name="x"), event()) is None


async def test_users_are_searched_by_name_and_address(store: SqlStore) -> None:
    """An admin would page through ten thousand people to find one."""
    await store.create_user(user("usr_ada", name="Ada Lovelace", email="countess@example.com"), event())

    async def found(words: str) -> list[str]:
        return [one.id for one in await store.list_users("ten_a", ALL, search=words)]

    assert await found("ada l") == await found("COUNTESS@") == await found("usr_ada") == ["usr_ada"]
    assert await found("ada%lace") == []


async def test_an_email_is_unique_in_its_tenant_whatever_its_case(store: SqlStore) -> None:
    """Two accounts that differ by a capital letter are how somebody logs in as somebody else."""
    clash = Clash("email")
    assert await store.create_user(user("usr_2", email="USR_OWNER@example.COM"), event()) == clash
    assert isinstance(await store.create_user(user("usr_2", email="Straße@x.org"), event()), User)
    assert await store.create_user(user("usr_3", email="STRASSE@x.org"), event()) == clash
    changed = UserChanges(email="usr_OWNER@example.com")
    assert await store.change_user("usr_2", "ten_a", changed, event()) == clash
    # One's own address in another spelling, another tenant's, and a deleted user's are free.
    assert isinstance(await store.change_user("usr_owner", "ten_a", changed, event()), User)
    await store.create_tenant(tenant("ten_b"), event())
    assert isinstance(await store.create_user(user("usr_b", "ten_b", email="straße@x.org"), event()), User)
    await store.change_user("usr_2", "ten_a", GONE, event())
    assert isinstance(await store.create_user(user("usr_4", email="strasse@x.org"), event()), User)


async def test_of_concurrent_users_with_one_email_one_is_made(
    store: SqlStore, opened: Callable[[], SqlStore]
) -> None:
    """An invitation that is accepted twice at once would make two people of one."""
    stores = [store, opened()]
    outcomes = await asyncio.gather(
        *(
            stores[number % 2].create_user(user(f"usr_{number}", email="One@x.org"), event())
            for number in range(8)
        )
    )
    assert sum(isinstance(outcome, User) for outcome in outcomes) == 1
    assert sum(outcome == Clash("email") for outcome in outcomes) == 7


async def test_a_user_changes_only_as_asked(store: SqlStore, told: list[Change]) -> None:
    """A changed name must not reset a role."""
    await store.create_user(user("usr_2", role=Role.ADMIN, scopes=frozenset({"read"})), event())
    told.clear()
    changes = UserChanges(email=None, scopes=None, role=Role.MEMBER)
    changed = await store.change_user("usr_2", "ten_a", changes, event(at=LATER))
    expected = user("usr_2", role=Role.MEMBER, scopes=None, email=None, updated_at=LATER)
    assert changed == expected
    assert await store.find_user("usr_2", "ten_a") == expected
    assert told == [Change(ChangeKind.USER, "usr_2")]
    freed = await store.create_user(user("usr_3", email="usr_2@example.com"), event())
    assert isinstance(freed, User)


@pytest.mark.parametrize(
    "changes", [UserChanges(role=Role.ADMIN), UserChanges(status=Status.DISABLED), GONE], ids=str
)
async def test_the_last_active_owner_stays_one(store: SqlStore, changes: UserChanges) -> None:
    """A tenant without an owner can be managed by nobody."""
    await store.create_user(user("usr_disabled", status=Status.DISABLED), event())
    await store.create_user(user("usr_admin", role=Role.ADMIN), event())
    assert await store.change_user("usr_owner", "ten_a", changes, event()) == Clash("owner")
    assert await store.find_user("usr_owner", "ten_a") == user()
    await store.create_user(user("usr_second"), event())
    assert isinstance(await store.change_user("usr_owner", "ten_a", changes, event()), User)


async def test_of_owners_who_step_down_together_one_stays(
    store: SqlStore, opened: Callable[[], SqlStore]
) -> None:
    """Each sees the other still there; without a lock both would go."""
    owners = ["usr_owner", *(f"usr_{number}" for number in range(5))]
    for identity in owners[1:]:
        await store.create_user(user(identity), event())
    stores = [store, opened(), opened()]
    outcomes = await asyncio.gather(
        *(
            stores[number % 3].change_user(identity, "ten_a", UserChanges(role=Role.MEMBER), event())
            for number, identity in enumerate(owners)
        )
    )
    assert outcomes.count(Clash("owner")) == 1
    roles = [listed.role for listed in await store.list_users("ten_a", ALL)]
    assert roles.count(Role.OWNER) == 1


async def test_a_deleted_user_takes_their_credentials_along(store: SqlStore, told: list[Change]) -> None:
    """Somebody who was let go would keep every key that they ever made."""
    leaver = user("usr_leaver", role=Role.MEMBER)
    await store.create_user(leaver, event())
    keys = [credential(user_id="usr_leaver") for _ in range(3)]
    for key in keys:
        await store.create_credential(key, secret(key), event())
    await store.set_credential_status(keys[0].id, "ten_a", CredentialStatus.REVOKED, event(), reason="leaked")
    told.clear()
    assert await store.change_user("usr_leaver", "ten_a", GONE, event(at=LATER)) == replace(
        leaver, status=Status.DELETED, updated_at=LATER
    )
    found = {
        key.id: (key.status, key.revoked_at, key.revocation_reason)
        for key in await store.list_credentials("ten_a", ALL, of_keys(user_id="usr_leaver"))
    }
    revoked = CredentialStatus.REVOKED
    assert found == {
        keys[0].id: (revoked, NOW, "leaked"),
        keys[1].id: (revoked, LATER, USER_DELETED),
        keys[2].id: (revoked, LATER, USER_DELETED),
    }
    assert set(told) == {
        Change(ChangeKind.USER, "usr_leaver"),
        *(Change(ChangeKind.CREDENTIAL, key.id) for key in keys[1:]),
    }
    assert len(await store.list_events("ten_a", Page(100, to_micros(LATER + timedelta(1)), "z"))) == 7


async def test_a_member_is_their_tenant_and_themselves_at_once(store: SqlStore) -> None:
    """Every call of the control plane asks who calls: somebody deleted, or of another tenant, is nobody."""
    await store.create_user(user("usr_member"), event())
    assert await store.find_member("usr_member", "ten_a") == (
        await store.find_tenant("ten_a"),
        await store.find_user("usr_member", "ten_a"),
    )
    assert await store.find_member("usr_member", "ten_gone") == (None, None)
    assert (await store.find_member("usr_gone", "ten_a"))[1] is None
    await store.create_tenant(tenant("ten_other"), event())
    assert await store.find_member("usr_member", "ten_other") == (await store.find_tenant("ten_other"), None)
    await store.change_user("usr_member", "ten_a", GONE, event())
    assert await store.find_member("usr_member", "ten_a") == (await store.find_tenant("ten_a"), None)
    await store.change_tenant("ten_other", TenantChanges(status=Status.DELETED), event())
    assert await store.find_member("usr_member", "ten_other") == (None, None)
