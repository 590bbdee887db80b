"""Tenants and users: who may make, see, change and delete whom, and what their credentials may do at most."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bonafides.authority import Authority
from bonafides.errors import Conflict, Forbidden, InvalidRequest, NotFound
from bonafides.model import (
    ADMIN,
    CREDENTIALS_VERIFY,
    EVERYWHERE,
    READ,
    WRITE,
    Accepted,
    IdempotencyClaim,
    Page,
    Reason,
    Replayed,
    Role,
    Status,
    Tenant,
    TenantChanges,
    User,
    UserChanges,
    UserKind,
    to_datetime,
)
from bonafides.verification.verifier import Facts
from tests.unit.conftest import House

ALL = Page(limit=100)
SERVICE = {"kind": UserKind.SERVICE, "email": None}


def claimed(answer: str, call: str = "one call") -> IdempotencyClaim:
    """The claim of a call that carries the `Idempotency-Key` that all these tests use."""
    return IdempotencyClaim(
        b"k" * 32, call.encode().ljust(32), answer.encode(), to_datetime(2_000_000_000_000_000)
    )


async def created(house: House, authority: Authority, **wish: Any) -> User:
    """A service that somebody makes."""
    fields: dict[str, Any] = {
        "kind": UserKind.SERVICE,
        "name": "a service",
        "email": None,
        "role": Role.MEMBER,
        "scopes": None,
        "tenant_id": None,
        **wish,
    }
    made = await house.rooms.directory.create_user(authority, **fields)
    assert isinstance(made, User)
    return made


# Tenants


async def test_a_tenant_is_made_by_the_operator_alone(house: House) -> None:
    """A customer would make tenants without end, or on a plan that does not exist."""
    made = await house.make_tenant("  Acme  ")
    assert (made.name, made.plan, made.status, made.operator) == ("Acme", "free", Status.ACTIVE, False)
    assert made.created_at == made.updated_at == to_datetime(house.clock.now_us)
    assert await house.rooms.directory.tenant(made.id) == made
    assert (await house.make_tenant(plan="pro")).plan == "pro"
    customer = house.authority_of(await house.make_user(made.id))
    with pytest.raises(Forbidden, match="create tenants"):
        await house.rooms.directory.create_tenant(customer, name="mine", plan=None)
    with pytest.raises(Conflict) as taken:
        await house.make_tenant("Acme")
    assert taken.value.field == "name"
    with pytest.raises(InvalidRequest, match="no plan 'gone'") as gone:
        await house.make_tenant(plan="gone")
    assert gone.value.field == "plan"


async def test_what_is_created_twice_under_one_claim_exists_once(house: House) -> None:
    """A client that repeats itself after a broken connection would make two of everything."""
    directory, operator = house.rooms.directory, house.operator
    wish: dict[str, Any] = {"name": "once", "plan": None}
    first = await directory.create_tenant(operator, **wish, claim_for=lambda made: claimed(made.id))
    assert isinstance(first, Tenant)
    again = await directory.create_tenant(operator, **wish, claim_for=lambda made: claimed(made.id))
    assert again == Replayed(first.id.encode())
    with pytest.raises(Conflict) as caught:
        await directory.create_tenant(
            operator, name="two", plan=None, claim_for=lambda _: claimed("", "another call")
        )
    assert caught.value.field == "Idempotency-Key"


async def test_a_user_is_created_once_under_one_claim(house: House) -> None:
    """A second service with the same name would hold credentials that nobody looks at."""

    async def create(call: str = "one call") -> User | Replayed:
        return await house.rooms.directory.create_user(
            house.operator,
            kind=UserKind.SERVICE,
            name="once",
            email=None,
            role=Role.MEMBER,
            scopes=None,
            tenant_id=None,
            claim_for=lambda made: claimed(made.id, call),
        )

    first = await create()
    assert isinstance(first, User)
    assert await create() == Replayed(first.id.encode())
    with pytest.raises(Conflict) as caught:
        await create("another call")
    assert caught.value.field == "Idempotency-Key"


async def test_tenants_see_themselves_and_the_operator_all(house: House) -> None:
    """One customer would learn who the others are."""
    one, other = await house.make_tenant(), await house.make_tenant()
    directory = house.rooms.directory
    customer = house.authority_of(await house.make_user(one.id))
    assert await directory.visible_tenant(customer, one.id) == one
    assert await directory.tenants(customer, ALL) == [one]
    assert await directory.tenants(customer, replace(ALL, after_us=1, after_id=one.id)) == []
    with pytest.raises(NotFound):
        await directory.visible_tenant(customer, other.id)
    with pytest.raises(NotFound, match="no tenant 'ten_gone'"):
        await directory.visible_tenant(house.operator, "ten_gone")
    seen = {tenant.id for tenant in await directory.tenants(house.operator, ALL)}
    assert seen == {one.id, other.id, house.founded.tenant_id}


async def test_a_tenant_renames_itself_and_the_operator_does_the_rest(house: House) -> None:
    """A customer would put themselves on the plan without limits, or come back after being switched off."""
    tenant, _ = await house.make_tenant(), await house.make_tenant("taken")
    owner = await house.make_user(tenant.id)
    customer, change = house.authority_of(owner), house.rooms.directory.change_tenant
    house.clock.advance(1)
    renamed = await change(customer, tenant.id, TenantChanges(name=" new "))
    assert renamed == replace(tenant, name="new", updated_at=to_datetime(house.clock.now_us))
    for changes in (TenantChanges(plan="enterprise"), TenantChanges(status=Status.ACTIVE)):
        with pytest.raises(Forbidden, match="plan or status"):
            await change(customer, tenant.id, changes)
    with pytest.raises(Forbidden, match="change the tenant"):
        await change(house.authority_of(owner, frozenset({READ})), tenant.id, TenantChanges(name="x"))
    moved = await change(house.operator, tenant.id, TenantChanges(plan="pro", status=Status.DISABLED))
    assert (moved.name, moved.plan, moved.status) == ("new", "pro", Status.DISABLED)
    with pytest.raises(Conflict) as taken:
        await change(customer, tenant.id, TenantChanges(name="taken"))
    assert taken.value.field == "name"
    with pytest.raises(InvalidRequest, match="no plan 'gone'"):
        await change(house.operator, tenant.id, TenantChanges(plan="gone"))
    events = await house.rooms.audit.events(house.operator, ALL, tenant_id=tenant.id, action="tenant.changed")
    assert {frozenset(event.details.items()) for event in events} == {
        frozenset({("name", "new")}),
        frozenset({("plan", "pro"), ("status", "disabled")}),
    }


async def test_the_operators_own_tenant_cannot_be_disabled(house: House) -> None:
    """Nobody would be left who could enable it again."""
    with pytest.raises(Conflict) as caught:
        await house.rooms.directory.change_tenant(
            house.operator, house.founded.tenant_id, TenantChanges(status=Status.DISABLED)
        )
    assert caught.value.field == "status"


# Users


async def test_a_person_has_an_address_and_a_service_a_name(house: House) -> None:
    """Nobody could tell whose key it is that misbehaves."""
    person = await house.make_user(role=Role.MEMBER, email="ada@example.com")
    assert (person.kind, person.email, person.name) == (UserKind.PERSON, "ada@example.com", "ada@example.com")
    assert person.created_at == person.updated_at == to_datetime(house.clock.now_us)
    assert (await house.make_user(role=Role.MEMBER, name=" Ada ")).name == "Ada"
    service = await created(house, house.operator)
    assert (service.kind, service.email, service.name) == (UserKind.SERVICE, None, "a service")
    reachable = await created(house, house.operator, name=None, email="ops@example.com")
    assert (reachable.name, reachable.email) == ("ops@example.com", "ops@example.com")
    for wish, field in (
        ({"kind": UserKind.PERSON, "name": "Ada"}, "email"),
        ({"name": None}, "name"),
        ({"role": Role.OWNER}, "role"),
        ({"scopes": [READ, "unheard-of"]}, "scopes"),
        ({"scopes": [ADMIN]}, "scopes"),
        ({"kind": UserKind.PERSON, "email": "ada"}, "email"),
    ):
        with pytest.raises(InvalidRequest) as caught:
            await created(house, house.operator, **wish)
        assert caught.value.field == field
    with pytest.raises(Conflict) as taken:
        await house.make_user(role=Role.MEMBER, email="ADA@example.com")
    assert taken.value.field == "email"


async def test_nobody_makes_a_user_who_is_or_may_more_than_themselves(house: House) -> None:
    """A member or a narrow key would make itself a user without bounds."""
    admin, member = await house.make_user(role=Role.ADMIN), await house.make_user(role=Role.MEMBER)
    with pytest.raises(Forbidden, match="create users"):
        await created(house, house.authority_of(member))
    with pytest.raises(Forbidden, match="Only an owner may make somebody an owner"):
        await created(house, house.authority_of(admin), role=Role.OWNER, kind=UserKind.PERSON, email="a@b.cd")
    narrow = replace(house.authority_of(admin), grantable=frozenset({ADMIN, READ}))
    with pytest.raises(Forbidden) as by_role:
        await created(house, narrow)
    assert by_role.value.field == "role"
    with pytest.raises(Forbidden) as by_scopes:
        await created(house, narrow, scopes=[WRITE])
    assert by_scopes.value.field == "scopes"
    assert (await created(house, narrow, scopes=[READ])).scopes == frozenset({READ})
    stranger = house.authority_of(await house.make_user((await house.make_tenant()).id))
    with pytest.raises(NotFound):
        await created(house, stranger, tenant_id=house.founded.tenant_id)


async def test_users_see_themselves_and_administrators_their_tenant(house: House) -> None:
    """A member would read the addresses of all colleagues, a customer those of another."""
    tenant = await house.make_tenant()
    owner, member = await house.make_user(tenant.id), await house.make_user(tenant.id, Role.MEMBER)
    directory = house.rooms.directory
    own, administrator = house.authority_of(member), house.authority_of(owner)
    assert await directory.user(own, member.id) == member
    assert await directory.user(administrator, member.id) == member
    assert await directory.user(house.operator, member.id) == member
    listed = {user.id for user in await directory.users(administrator, ALL)}
    assert listed == {owner.id, member.id}
    assert {user.id for user in await directory.users(house.operator, ALL, tenant_id=tenant.id)} == listed
    for authority, user_id in (
        (own, owner.id),
        (administrator, house.founded.user_id),
        (house.operator, "usr_gone"),
    ):
        with pytest.raises(NotFound, match="There is no user"):
            await directory.user(authority, user_id)
    with pytest.raises(Forbidden, match="list users"):
        await directory.users(own, ALL)
    with pytest.raises(NotFound):
        await directory.users(administrator, ALL, tenant_id=house.founded.tenant_id)
    with pytest.raises(NotFound):
        await directory.users(house.operator, ALL, tenant_id="ten_gone")


async def test_a_change_of_a_user_touches_what_it_names_alone(house: House) -> None:
    """Whoever mends a name would widen what somebody may do; and addresses would stand in the trail."""
    user = await house.make_user(role=Role.MEMBER, email="ada@example.com")
    change, expected = house.rooms.directory.change_user, user
    for changes, fields in (
        (UserChanges(name=" Ada "), {"name": "Ada"}),
        (UserChanges(email="ada@example.org"), {"email": "ada@example.org"}),
        (UserChanges(scopes=frozenset({READ})), {"scopes": frozenset({READ})}),
        (UserChanges(scopes=None), {"scopes": None}),
        (UserChanges(role=Role.ADMIN), {"role": Role.ADMIN}),
        (UserChanges(status=Status.DISABLED), {"status": Status.DISABLED}),
    ):
        house.clock.advance(1)
        expected = replace(expected, **fields, updated_at=to_datetime(house.clock.now_us))
        assert await change(house.operator, user.id, changes) == expected
    events = await house.rooms.audit.events(house.operator, ALL, subject_id=user.id, action="user.changed")
    assert [event.details for event in events] == [
        {"status": "disabled"},
        {"role": "admin"},
        {"scopes": None},
        {"scopes": ["read"]},
        {"email": "changed"},
        {"name": "Ada"},
    ]


async def test_a_members_rename_is_theirs_and_all_else_needs_administration(house: House) -> None:
    """A member would make themselves an owner."""
    member = await house.make_user(role=Role.MEMBER)
    own, change = house.authority_of(member), house.rooms.directory.change_user
    assert (await change(own, member.id, UserChanges(name="Ada"))).name == "Ada"
    for changes in (
        UserChanges(email="new@example.com"),
        UserChanges(role=Role.OWNER),
        UserChanges(scopes=None),
        UserChanges(status=Status.ACTIVE),
    ):
        with pytest.raises(Forbidden, match="e-mail address, a role, scopes or a status"):
            await change(own, member.id, changes)


async def test_a_change_of_a_user_obeys_rank_kind_and_scopes(house: House) -> None:
    """An admin would depose the owner, or grow beyond the key that they came with."""
    admin, member = await house.make_user(role=Role.ADMIN), await house.make_user(role=Role.MEMBER)
    service = await created(house, house.operator, role=Role.ADMIN)
    administrator, change = house.authority_of(admin), house.rooms.directory.change_user
    with pytest.raises(Forbidden, match="Only an owner may change an owner"):
        await change(administrator, house.founded.user_id, UserChanges(name="x"))
    with pytest.raises(Forbidden, match="Only an owner may make somebody an owner"):
        await change(administrator, admin.id, UserChanges(role=Role.OWNER))
    narrow = replace(administrator, grantable=frozenset({ADMIN, READ}))
    with pytest.raises(Forbidden) as by_role:
        await change(narrow, member.id, UserChanges(role=Role.ADMIN))
    assert by_role.value.field == "role"
    with pytest.raises(Forbidden) as by_scopes:
        await change(narrow, member.id, UserChanges(scopes=frozenset({READ, CREDENTIALS_VERIFY})))
    assert by_scopes.value.field == "scopes"
    assert by_scopes.value.scopes == {CREDENTIALS_VERIFY}
    for user, changes, field in (
        (service, UserChanges(role=Role.OWNER), "role"),
        (member, UserChanges(scopes=frozenset({ADMIN})), "scopes"),
        (member, UserChanges(email=None), "email"),
        (member, UserChanges(email="x"), "email"),
    ):
        with pytest.raises(InvalidRequest) as caught:
            await change(house.operator, user.id, changes)
        assert caught.value.field == field
    reachable = await created(house, house.operator, email="ops@example.com")
    assert (await change(house.operator, reachable.id, UserChanges(email=None))).email is None
    await house.make_user(role=Role.MEMBER, email="taken@example.com")
    with pytest.raises(Conflict) as taken:
        await change(house.operator, member.id, UserChanges(email="taken@example.com"))
    assert taken.value.field == "email"


async def test_a_tenant_keeps_an_owner(house: House) -> None:
    """A company would lock itself out with one click."""
    directory, founder = house.rooms.directory, house.founded.user_id
    for changes in (UserChanges(role=Role.ADMIN), UserChanges(status=Status.DISABLED)):
        with pytest.raises(Conflict, match="active owner"):
            await directory.change_user(house.operator, founder, changes)
    with pytest.raises(Conflict, match="active owner") as caught:
        await directory.delete_user(house.operator, founder)
    assert caught.value.field == "role"
    await house.make_user()
    assert (
        await directory.change_user(house.operator, founder, UserChanges(role=Role.ADMIN))
    ).role is Role.ADMIN


async def test_a_deleted_user_is_gone_with_all_their_keys(house: House) -> None:
    """Who left the company would keep working with what they took along."""
    admin, member = await house.make_user(role=Role.ADMIN), await house.make_user(role=Role.MEMBER)
    made, directory = await house.make_key(member), house.rooms.directory
    with pytest.raises(Forbidden, match="delete users"):
        await directory.delete_user(house.authority_of(member), member.id)
    with pytest.raises(Forbidden, match="Only an owner may delete an owner"):
        await directory.delete_user(house.authority_of(admin), house.founded.user_id)
    await directory.delete_user(house.authority_of(admin), member.id)
    await house.rooms.feed.read()
    verdict = await house.rooms.verifier.verify(made.secret.encode(), Facts())
    assert not isinstance(verdict, Accepted)
    assert verdict.reason is Reason.INVALID_KEY
    for call in (
        directory.user(house.operator, member.id),
        directory.delete_user(house.operator, member.id),
        directory.change_user(house.operator, member.id, UserChanges(status=Status.ACTIVE)),
    ):
        with pytest.raises(NotFound):
            await call
    (event,) = await house.rooms.audit.events(house.operator, ALL, action="user.deleted")
    assert (event.subject_id, event.actor.user_id) == (member.id, admin.id)


# What a credential may do in the control plane


async def test_a_credential_acts_with_its_own_scopes_or_with_admin_for_its_user(house: House) -> None:
    """A read-only key of the founder would be the operator."""
    authority = house.rooms.directory.authority
    for scopes, operator in (([READ], False), ([ADMIN], True)):
        made = await house.make_key(scopes=scopes)
        verdict = await house.rooms.verifier.verify(made.secret.encode(), Facts())
        assert isinstance(verdict, Accepted)
        found = await authority(verdict.principal, house.operator.actor)
        assert (found.user_id, found.tenant_id) == (house.founded.user_id, house.founded.tenant_id)
        assert (found.role, found.scopes, found.operator) == (Role.OWNER, frozenset(scopes), operator)
        assert found.grantable == (house.rooms.settings.defined_scopes if operator else {READ})
        assert found.actor == house.operator.actor
        with pytest.raises(NotFound, match="Your user no longer exists"):
            await authority(replace(verdict.principal, user_id="usr_gone"), house.operator.actor)
        with pytest.raises(NotFound, match="There is no tenant 'ten_gone'"):
            await authority(replace(verdict.principal, tenant_id="ten_gone"), house.operator.actor)
    customer = await house.make_key(await house.make_user((await house.make_tenant()).id), scopes=[ADMIN])
    verdict = await house.rooms.verifier.verify(customer.secret.encode(), Facts())
    assert isinstance(verdict, Accepted)
    assert not (await authority(verdict.principal, house.operator.actor)).operator


async def test_a_resource_server_sees_its_own_tenant_and_the_operators_all(house: House) -> None:
    """A customer's resource server would ask about another customer's keys."""
    directory, own = house.rooms.directory, house.founded.tenant_id
    assert directory.known_sight(own) is None
    assert await directory.sees("ten_gone") == "ten_gone"
    customer = await house.make_tenant()
    assert await directory.sees(customer.id) == customer.id
    assert directory.known_sight(own) is None
    assert await directory.sees(own) is EVERYWHERE
    assert await directory.sees(customer.id) == directory.known_sight(customer.id) == customer.id
    assert directory.known_sight(own) is EVERYWHERE
