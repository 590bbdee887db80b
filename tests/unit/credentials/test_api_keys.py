"""API keys, from the side that issues them: bounded by their owner, changed and ended by whoever may."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bonafides.authority import Authority
from bonafides.credentials.api_keys import OVERLAP_SECONDS_MAX, KeyChanges, KeyWish
from bonafides.credentials.holdings import DEFAULT_SCOPES, REASON_MAX, Made
from bonafides.errors import Conflict, Forbidden, InvalidRequest, NotFound
from bonafides.model import (
    ADMIN,
    READ,
    WRITE,
    Accepted,
    Actor,
    AuditEvent,
    Credential,
    CredentialStatus,
    IdempotencyClaim,
    Page,
    Reason,
    Replayed,
    Role,
    ShownStatus,
    Status,
    TenantChanges,
    User,
    UserChanges,
    to_datetime,
)
from bonafides.secret import Shape, display, shape
from bonafides.verification.verifier import Facts
from tests.unit.conftest import House

ALL = Page(limit=100)
EVER = frozenset({READ, WRITE})


async def verdict(house: House, made: Made) -> Reason | None:
    """Why a key is refused now; None if it is not."""
    await house.rooms.feed.read()
    said = await house.rooms.verifier.verify(made.secret.encode(), Facts())
    return None if isinstance(said, Accepted) else said.reason


async def rotate(
    house: House, made: Made, authority: Authority | None = None, overlap_seconds: int | None = None
) -> Made:
    """Rotate a key."""
    successor = await house.rooms.api_keys.rotate(
        authority or house.operator, made.credential.id, overlap_seconds=overlap_seconds
    )
    assert isinstance(successor, Made)
    return successor


async def told(house: House, subject_id: str, action: str) -> list[AuditEvent]:
    """What the operator's audit trail tells of a key and an action."""
    events = await house.rooms.audit.events(house.operator, ALL, subject_id=subject_id, action=action)
    return list(events)


def claimed(answer: str, call: str = "one call") -> IdempotencyClaim:
    """The claim of a call that carries the `Idempotency-Key` that all these tests use."""
    return IdempotencyClaim(
        b"k" * 32, call.encode().ljust(32), answer.encode(), to_datetime(2_000_000_000_000_000)
    )


# Creation


async def test_a_new_key_is_told_whole_once_and_kept_as_a_digest(house: House) -> None:
    """A program would be given a string that opens nothing, or the database one that opens everything."""
    made = await house.make_key(name="  ci  ")
    key = made.credential
    assert shape(made.secret.encode()) is Shape.WHOLE
    assert await verdict(house, made) is None
    assert made.secret not in repr(made)
    assert key.id in repr(made)
    assert (key.name, key.display, key.status) == ("ci", display(made.secret), CredentialStatus.ACTIVE)
    assert (key.user_id, key.tenant_id) == (house.founded.user_id, house.founded.tenant_id)
    assert (key.created_by, key.root_id, key.parent_id) == (house.founded.user_id, key.id, None)
    assert key.created_at == key.updated_at == to_datetime(house.clock.now_us)
    assert await house.rooms.api_keys.get(house.operator, key.id) == key
    (event,) = await told(house, key.id, "api_key.created")
    assert event.actor == house.operator.actor
    assert event.details == {
        "name": "ci",
        "user_id": house.founded.user_id,
        "scopes": ["read", "write"],
        "display": key.display,
    }


async def test_a_key_without_a_wish_reads_and_writes_as_far_as_owner_and_caller_may(house: House) -> None:
    """A forgotten field would hand out `admin`, or more than the key that made it has."""
    assert (await house.make_key()).credential.scopes == DEFAULT_SCOPES == EVER
    reader = await house.make_user(role=Role.MEMBER, scopes=[READ])
    assert (await house.make_key(reader)).credential.scopes == {READ}
    member = await house.make_user(role=Role.MEMBER)
    weak = house.authority_of(member, frozenset({WRITE}))
    made = await house.rooms.api_keys.create(weak, KeyWish(name="a key"))
    assert isinstance(made, Made)
    assert made.credential.scopes == {WRITE}


async def test_no_key_has_a_scope_that_its_owner_lacks(house: House) -> None:
    """An admin would make a member's key that does what the member may not."""
    member = await house.make_user(role=Role.MEMBER)
    with pytest.raises(InvalidRequest, match="owner does not have the scope admin") as caught:
        await house.make_key(member, scopes=[READ, ADMIN])
    assert caught.value.field == "scopes"
    with pytest.raises(InvalidRequest, match="not a scope here"):
        await house.make_key(scopes=["unheard-of"])
    assert await house.rooms.api_keys.page(house.operator, ALL, user_id=member.id) == []


async def test_no_credential_gives_what_it_does_not_have(house: House) -> None:
    """A leaked read-only key would make itself one that writes."""
    reader = house.authority_of(await house.make_user(role=Role.MEMBER), frozenset({READ}))
    with pytest.raises(Forbidden) as caught:
        await house.rooms.api_keys.create(reader, KeyWish(name="more", scopes=[READ, WRITE]))
    assert caught.value.scopes == {WRITE}


async def test_members_make_keys_of_their_own_alone(house: House) -> None:
    """A member would act in a colleague's name."""
    member, colleague = await house.make_user(role=Role.MEMBER), await house.make_user(role=Role.MEMBER)
    authority = house.authority_of(member)
    own = await house.rooms.api_keys.create(authority, KeyWish(name="own", user_id=member.id))
    assert isinstance(own, Made)
    assert own.credential.user_id == member.id
    with pytest.raises(Forbidden) as caught:
        await house.rooms.api_keys.create(authority, KeyWish(name="theirs", user_id=colleague.id))
    assert caught.value.field == "user_id"


async def test_an_admin_makes_no_key_of_an_owner(house: House) -> None:
    """An admin would become the owner by making themselves the owner's key."""
    admin = house.authority_of(await house.make_user(role=Role.ADMIN))
    with pytest.raises(Forbidden, match="Only an owner may make a key for an owner"):
        await house.rooms.api_keys.create(admin, KeyWish(name="up", user_id=house.founded.user_id))


async def test_the_command_line_must_say_whose_key_it_makes(house: House) -> None:
    """A key of nobody would have the powers of nobody, or of everybody."""
    local = house.rooms.local_authority(house.founded.tenant_id)
    with pytest.raises(InvalidRequest) as caught:
        await house.rooms.api_keys.create(local, KeyWish(name="whose?"))
    assert caught.value.field == "user_id"


async def test_a_named_tenant_must_be_the_owners(house: House) -> None:
    """The operator would believe that a key is the customer's, and it is their own."""
    tenant = await house.make_tenant()
    theirs = await house.make_user(tenant.id)
    made = await house.make_key(theirs, tenant_id=tenant.id)
    assert made.credential.tenant_id == tenant.id
    with pytest.raises(NotFound) as caught:
        await house.make_key(await house.make_user(), tenant_id=tenant.id)
    assert caught.value.field == "user_id"
    with pytest.raises(NotFound):
        await house.rooms.api_keys.create(house.authority_of(theirs), KeyWish("x", tenant_id="ten_other"))


async def test_a_disabled_user_gets_no_key(house: House) -> None:
    """A key that nobody expects would come to life when the user is enabled again."""
    member = await house.make_user(role=Role.MEMBER)
    await house.rooms.directory.change_user(house.operator, member.id, UserChanges(status=Status.DISABLED))
    with pytest.raises(Conflict, match="is disabled") as caught:
        await house.make_key(member)
    assert caught.value.field == "user_id"


async def test_only_the_operator_puts_a_key_on_a_plan(house: House) -> None:
    """A customer would lift their own limits; or a key would name a plan that does not exist."""
    made = await house.make_key(plan="pro")
    assert made.credential.plan == "pro"
    with pytest.raises(InvalidRequest) as caught:
        await house.make_key(plan="gone")
    assert caught.value.field == "plan"
    customer = house.authority_of(await house.make_user((await house.make_tenant()).id))
    with pytest.raises(Forbidden, match="operator"):
        await house.rooms.api_keys.create(customer, KeyWish(name="mine", plan="pro"))


async def test_a_creation_that_is_sent_twice_happens_once(house: House) -> None:
    """A client whose connection broke would leave a second key behind, forgotten and good."""
    keys = house.rooms.api_keys
    first = await keys.create(house.operator, KeyWish("once"), claim_for=lambda made: claimed(made.secret))
    assert isinstance(first, Made)
    again = await keys.create(house.operator, KeyWish("once"), claim_for=lambda made: claimed(made.secret))
    assert again == Replayed(first.secret.encode())
    assert [key.name for key in await keys.page(house.operator, ALL)].count("once") == 1
    with pytest.raises(Conflict) as caught:
        await keys.create(
            house.operator, KeyWish(name="twice"), claim_for=lambda _: claimed("", "another call")
        )
    assert caught.value.field == "Idempotency-Key"


# Who sees what


async def test_a_key_is_seen_by_its_user_and_their_administrators(house: House) -> None:
    """One customer would read another's keys, or a member a colleague's."""
    tenant = await house.make_tenant()
    owner, member = await house.make_user(tenant.id), await house.make_user(tenant.id, Role.MEMBER)
    made = await house.make_key(member)
    get = house.rooms.api_keys.get
    for authority in (house.operator, house.authority_of(owner), house.authority_of(member)):
        assert (await get(authority, made.credential.id)).id == made.credential.id
    colleague = house.authority_of(await house.make_user(tenant.id, Role.MEMBER))
    stranger = house.authority_of(await house.make_user((await house.make_tenant()).id))
    for authority in (colleague, stranger):
        with pytest.raises(NotFound):
            await get(authority, made.credential.id)
    with pytest.raises(NotFound, match="no API key 'key_gone'"):
        await get(house.operator, "key_gone")


async def test_a_list_is_ones_own_or_for_who_administers_everybodys(house: House) -> None:
    """A member would see who else has keys, and what they are called."""
    member = await house.make_user(role=Role.MEMBER)
    own = await house.make_key(member, name="own")
    page = house.rooms.api_keys.page
    authority = house.authority_of(member)
    assert [key.id for key in await page(authority, ALL)] == [own.credential.id]
    assert [key.id for key in await page(authority, ALL, user_id=member.id)] == [own.credential.id]
    with pytest.raises(Forbidden):
        await page(authority, ALL, user_id=house.founded.user_id)
    everybodys = await page(house.operator, ALL)
    assert {key.user_id for key in everybodys} == {member.id, house.founded.user_id}


async def test_a_list_is_filtered_by_what_is_shown_of_a_key(house: House) -> None:
    """An expired key would hide among the active ones, where nobody looks for what stopped working."""
    tenant = await house.make_tenant()
    user = await house.make_user(tenant.id)
    made = {
        status: await house.make_key(user, name=status, expires_in=9 if status is ShownStatus.EXPIRED else 99)
        for status in ShownStatus
    }
    for ending in (CredentialStatus.DISABLED, CredentialStatus.REVOKED):
        key_id = made[ShownStatus(ending)].credential.id
        await house.rooms.api_keys.set_status(house.operator, key_id, ending)
    house.clock.advance(9)
    for status in ShownStatus:
        shown = await house.rooms.api_keys.page(house.operator, ALL, tenant_id=tenant.id, status=status)
        assert [key.name for key in shown] == [status]
    assert len(await house.rooms.api_keys.page(house.operator, ALL, tenant_id=tenant.id)) == len(ShownStatus)


# Changes


async def test_a_change_touches_what_it_names_alone(house: House) -> None:
    """Whoever renames a key would lift its expiry or its allowed addresses."""
    made = await house.make_key(expires_in=60, allowed_ips=["192.0.2.0/24"], metadata={"a": 1}, plan="pro")
    change, key_id = house.rooms.api_keys.change, made.credential.id
    house.clock.advance(1)
    expected, now = made.credential, to_datetime(house.clock.now_us)
    expected_details: list[dict[str, list[str]]] = []
    for changes, stored, fields in (
        (KeyChanges(name=" new "), {"name": "new"}, ["name"]),
        (KeyChanges(scopes=[READ]), {"scopes": frozenset({READ})}, ["scopes"]),
        (KeyChanges(plan=None), {"plan": None}, ["plan"]),
        (
            KeyChanges(expires_at=now + timedelta(days=1)),
            {"expires_at": now + timedelta(days=1)},
            ["expires_at"],
        ),
        (KeyChanges(expires_at=None), {"expires_at": None}, ["expires_at"]),
        (KeyChanges(allowed_ips=["::1"]), {"allowed_ips": ("::1/128",)}, ["allowed_ips"]),
        (KeyChanges(metadata={"b": [2]}), {"metadata": {"b": [2]}}, ["metadata"]),
        (
            KeyChanges(name="last", metadata={}),
            {"name": "last", "metadata": {}},
            ["name", "metadata"],
        ),
    ):
        expected = replace(expected, **stored, updated_at=to_datetime(house.clock.now_us))
        assert await change(house.operator, key_id, changes) == expected
        assert await house.rooms.api_keys.get(house.operator, key_id) == expected
        expected_details.insert(0, {"fields": fields})
        house.clock.advance(1e-6)
    events = await told(house, key_id, "api_key.changed")
    assert [event.details for event in events] == expected_details


async def test_two_expiries_at_once_are_refused(house: House) -> None:
    """A key would live longer than the one that its owner looked at."""
    made = await house.make_key()
    now = to_datetime(house.clock.now_us)
    with pytest.raises(InvalidRequest, match="not both"):
        await house.rooms.api_keys.change(
            house.operator,
            made.credential.id,
            KeyChanges(expires_at=now + timedelta(days=1), expires_in=5),
        )


async def test_a_change_widens_nothing_beyond_owner_and_caller(house: House) -> None:
    """What cannot be had at creation would be had by a change."""
    member = await house.make_user(role=Role.MEMBER)
    made = await house.make_key(member, scopes=[READ])
    change = house.rooms.api_keys.change
    with pytest.raises(InvalidRequest, match="owner does not have"):
        await change(house.operator, made.credential.id, KeyChanges(scopes=[ADMIN]))
    reader = house.authority_of(member, frozenset({READ}))
    with pytest.raises(Forbidden):
        await change(reader, made.credential.id, KeyChanges(scopes=[READ, WRITE]))
    assert (await house.rooms.api_keys.get(house.operator, made.credential.id)).scopes == {READ}


async def test_a_key_changes_plans_by_the_operators_hand_alone(house: House) -> None:
    """A customer would leave the narrow plan that the operator put their key on."""
    customer = await house.make_user((await house.make_tenant()).id)
    made = await house.make_key(customer, plan="pro")
    authority, change = house.authority_of(customer), house.rooms.api_keys.change
    for plan in (None, "enterprise"):
        with pytest.raises(Forbidden, match="another plan"):
            await change(authority, made.credential.id, KeyChanges(plan=plan))
    with pytest.raises(InvalidRequest) as caught:
        await change(house.operator, made.credential.id, KeyChanges(plan="gone"))
    assert caught.value.field == "plan"
    unplanned = await house.make_key(customer)
    same = await change(authority, unplanned.credential.id, KeyChanges(plan=None))
    assert same.plan is None


@pytest.mark.parametrize("how", ["change", "rotate", "enable"])
async def test_a_weaker_credential_strengthens_no_key(house: House, how: str) -> None:
    """A stolen read-only key would rotate its owner's strong key and keep the successor."""
    member = await house.make_user(role=Role.MEMBER)
    strong = await house.make_key(member, scopes=[READ, WRITE])
    reader, key_id, keys = (
        house.authority_of(member, frozenset({READ})),
        strong.credential.id,
        house.rooms.api_keys,
    )
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "change": lambda: keys.change(reader, key_id, KeyChanges(expires_at=None)),
        "rotate": lambda: keys.rotate(reader, key_id),
        "enable": lambda: keys.set_status(reader, key_id, CredentialStatus.ACTIVE),
    }
    with pytest.raises(Forbidden) as caught:
        await calls[how]()
    assert caught.value.scopes == {WRITE}


@pytest.mark.parametrize("status", [CredentialStatus.DISABLED, CredentialStatus.REVOKED])
async def test_a_weaker_credential_ends_a_key_of_its_own_user(house: House, status: CredentialStatus) -> None:
    """Somebody with a read-only key at hand could not stop the leak of their strong one."""
    member = await house.make_user(role=Role.MEMBER)
    strong = await house.make_key(member, scopes=[READ, WRITE])
    reader = house.authority_of(member, frozenset({READ}))
    ended = await house.rooms.api_keys.set_status(reader, strong.credential.id, status)
    assert ended.status is status
    assert await verdict(house, strong) is Reason.INVALID_KEY


@pytest.mark.parametrize(("how", "verb"), [("change", "change"), ("rotate", "rotate"), ("end", "revoke")])
async def test_an_admin_leaves_an_owners_keys_alone(house: House, how: str, verb: str) -> None:
    """An admin would lock out the owner, or take the owner's place."""
    owners = await house.make_key()
    admin = house.authority_of(await house.make_user(role=Role.ADMIN))
    keys, key_id = house.rooms.api_keys, owners.credential.id
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "change": lambda: keys.change(admin, key_id, KeyChanges(name="mine")),
        "rotate": lambda: keys.rotate(admin, key_id),
        "end": lambda: keys.set_status(admin, key_id, CredentialStatus.REVOKED),
    }
    with pytest.raises(Forbidden, match=f"Only an owner may {verb} an API key of an owner"):
        await calls[how]()
    assert await verdict(house, owners) is None


async def test_a_scope_that_is_no_longer_defined_is_in_nobodys_way(house: House) -> None:
    """After a scope left the settings, keys that had it could not even be renamed."""
    member = await house.make_user(role=Role.MEMBER)
    made = await house.make_key(member, scopes=[READ, "billing:read"])
    house.rooms.api_keys._defined_scopes = frozenset({READ, WRITE, ADMIN})
    reader = house.authority_of(member, frozenset({READ}))
    changed = await house.rooms.api_keys.change(reader, made.credential.id, KeyChanges(name="still mine"))
    assert changed.name == "still mine"


# Rotation


async def test_a_rotated_key_and_its_successor_both_work_until_the_overlap_ends(house: House) -> None:
    """A program that has not the new key yet would be locked out; or the old one would never be."""
    made = await house.make_key(scopes=[READ], allowed_ips=[], metadata={"team": "x"}, expires_in=99_999)
    house.clock.advance(1)
    successor = await rotate(house, made, overlap_seconds=60)
    key, old = successor.credential, await house.rooms.api_keys.get(house.operator, made.credential.id)
    assert key.id != old.id
    assert (key.parent_id, key.root_id) == (old.id, old.id)
    assert (key.scopes, key.metadata, key.expires_at) == (old.scopes, old.metadata, old.expires_at)
    assert key.created_at == key.updated_at == to_datetime(house.clock.now_us)
    assert (key.overlap_ends_at, key.display) == (None, display(successor.secret))
    assert old.overlap_ends_at == to_datetime(house.clock.now_us) + timedelta(seconds=60)
    assert await verdict(house, made) is None
    assert await verdict(house, successor) is None
    (event,) = await told(house, old.id, "api_key.rotated")
    assert event.details == {"successor_id": key.id, "overlap_seconds": 60, "display": key.display}
    house.clock.advance(60)
    assert await verdict(house, made) is Reason.EXPIRED
    assert await verdict(house, successor) is None


@pytest.mark.parametrize(("asked", "seconds"), [(None, 3_600), (0, 0), (OVERLAP_SECONDS_MAX, 2_592_000)])
async def test_an_overlap_is_an_hour_or_what_was_asked(house: House, asked: int | None, seconds: int) -> None:
    """A leaked key that was rotated with no overlap would work for another hour."""
    made = await house.make_key()
    await rotate(house, made, overlap_seconds=asked)
    old = await house.rooms.api_keys.get(house.operator, made.credential.id)
    assert old.overlap_ends_at == to_datetime(house.clock.now_us) + timedelta(seconds=seconds)


@pytest.mark.parametrize("seconds", [-1, OVERLAP_SECONDS_MAX + 1])
async def test_an_overlap_has_bounds(house: House, seconds: int) -> None:
    """An old key would work for ever, or the server fail on a date that does not exist."""
    made = await house.make_key()
    for call in (
        house.rooms.api_keys.rotate(house.operator, made.credential.id, overlap_seconds=seconds),
        _shortened(house, await house.make_key(), seconds),
    ):
        with pytest.raises(InvalidRequest) as caught:
            await call
        assert caught.value.field == "overlap_seconds"


async def _shortened(house: House, made: Made, seconds: int) -> Credential:
    await rotate(house, made)
    return await house.rooms.api_keys.change(
        house.operator, made.credential.id, KeyChanges(overlap_seconds=seconds)
    )


async def test_an_overlap_does_not_outlast_the_key(house: House) -> None:
    """A rotation on the last day would show an end that never comes."""
    made = await house.make_key(expires_in=30)
    await rotate(house, made, overlap_seconds=60)
    old = await house.rooms.api_keys.get(house.operator, made.credential.id)
    assert old.overlap_ends_at == old.expires_at


async def test_an_overlap_is_ended_sooner_but_never_prolonged(house: House) -> None:
    """Who finds that the old key leaked could not end it; or who has it would keep it alive."""
    made = await house.make_key()
    change, key_id = house.rooms.api_keys.change, made.credential.id
    with pytest.raises(Conflict, match="not rotated"):
        await change(house.operator, key_id, KeyChanges(overlap_seconds=5))
    await rotate(house, made, overlap_seconds=60)
    with pytest.raises(Conflict, match="sooner"):
        await change(house.operator, key_id, KeyChanges(overlap_seconds=61))
    now = to_datetime(house.clock.now_us)
    for seconds in (60, 59, 0):
        changed = await change(house.operator, key_id, KeyChanges(overlap_seconds=seconds))
        assert changed.overlap_ends_at == now + timedelta(seconds=seconds)
    events = await told(house, key_id, "api_key.changed")
    assert [event.details for event in events] == [{"fields": ["overlap_ends_at"]}] * 3
    house.clock.advance(10)
    with pytest.raises(Conflict, match="begun again"):
        await change(house.operator, key_id, KeyChanges(overlap_seconds=1))
    ended = await change(house.operator, key_id, KeyChanges(overlap_seconds=0))
    assert ended.overlap_ends_at == now


async def test_a_key_is_rotated_once_and_only_while_it_works(house: House) -> None:
    """Two successors would be out, one of them with nobody knows whom."""
    made = await house.make_key()
    await rotate(house, made)
    with pytest.raises(Conflict, match="rotated before"):
        await rotate(house, made)
    disabled, revoked, expired = [await house.make_key(expires_in=5) for _ in range(3)]
    for key, status in ((disabled, CredentialStatus.DISABLED), (revoked, CredentialStatus.REVOKED)):
        await house.rooms.api_keys.set_status(house.operator, key.credential.id, status)
    house.clock.advance(5)
    for key in (disabled, revoked, expired):
        with pytest.raises(Conflict, match="Only an active key can be rotated"):
            await rotate(house, key)


async def test_a_rotation_that_is_sent_twice_happens_once(house: House) -> None:
    """A client whose connection broke would be told that the key was rotated, and never get the new one."""
    made = await house.make_key()
    rotation, key_id = house.rooms.api_keys.rotate, made.credential.id
    first = await rotation(house.operator, key_id, claim_for=lambda _: claimed("the answer"))
    assert isinstance(first, Made)
    again = await rotation(house.operator, key_id, claim_for=lambda _: claimed("another answer"))
    assert again == Replayed(b"the answer")
    with pytest.raises(Conflict) as caught:
        await rotation(house.operator, key_id, claim_for=lambda _: claimed("", "another call"))
    assert caught.value.field == "Idempotency-Key"


async def test_a_successor_never_outlives_the_key_before_it(house: House) -> None:
    """An expiry would be shown that is never reached, or one that was set would be escaped by rotation."""
    made = await house.make_key(expires_in=100)
    successor = await rotate(house, made)
    change, key_id = house.rooms.api_keys.change, successor.credential.id
    for changes in (KeyChanges(expires_at=None), KeyChanges(expires_in=101)):
        with pytest.raises(Conflict, match="expires with it") as caught:
            await change(house.operator, key_id, changes)
        assert caught.value.field == "expires_at"
    for seconds in (100, 99):
        changed = await change(house.operator, key_id, KeyChanges(expires_in=seconds))
        assert changed.expires_at == to_datetime(house.clock.now_us) + timedelta(seconds=seconds)
    endless = await rotate(house, await house.make_key())
    changed = await change(house.operator, endless.credential.id, KeyChanges(expires_in=9_999))
    assert changed.expires_at == to_datetime(house.clock.now_us) + timedelta(seconds=9_999)


# Disabling, enabling, revoking


async def test_what_was_disabled_can_be_enabled(house: House) -> None:
    """A key that was stopped on suspicion would be lost, and with it every program that has it."""
    made = await house.make_key()
    for status, action, refusal in (
        (CredentialStatus.DISABLED, "api_key.disabled", Reason.INVALID_KEY),
        (CredentialStatus.ACTIVE, "api_key.enabled", None),
    ):
        changed = await house.rooms.api_keys.set_status(house.operator, made.credential.id, status)
        assert changed.status is status
        assert await verdict(house, made) is refusal
        (event,) = await told(house, made.credential.id, action)
        assert event.details == {}


async def test_a_revocation_is_final_keeps_its_reason_and_takes_the_successor_along(house: House) -> None:
    """A leaked key would be brought back, or live on in the key that it was rotated into."""
    made = await house.make_key()
    successor = await rotate(house, made)
    keys, key_id = house.rooms.api_keys, made.credential.id
    revoked = await keys.set_status(house.operator, key_id, CredentialStatus.REVOKED, reason=" leaked ")
    assert (revoked.status, revoked.revocation_reason) == (CredentialStatus.REVOKED, "leaked")
    assert revoked.revoked_at == to_datetime(house.clock.now_us)
    (event,) = await told(house, key_id, "api_key.revoked")
    assert event.details == {"reason": "leaked"}
    for key in (made, successor):
        assert await verdict(house, key) is Reason.INVALID_KEY
    for status in (CredentialStatus.ACTIVE, CredentialStatus.DISABLED):
        with pytest.raises(Conflict, match="is revoked, and that is final"):
            await keys.set_status(house.operator, key_id, status)
    with pytest.raises(Conflict, match="is revoked, and that is final"):
        await keys.change(house.operator, key_id, KeyChanges(name="again"))
    again = await keys.set_status(house.operator, key_id, CredentialStatus.REVOKED, reason="other")
    assert again.revocation_reason == "leaked"


async def test_a_key_of_a_deleted_user_is_revoked_and_stays_so(house: House) -> None:
    """Asking about it again would fail on the user who is gone, instead of saying that it is final."""
    member = await house.make_user(role=Role.MEMBER)
    made = await house.make_key(member)
    await house.rooms.directory.delete_user(house.operator, member.id)
    assert await verdict(house, made) is Reason.INVALID_KEY
    with pytest.raises(Conflict, match="that is final"):
        await house.rooms.api_keys.set_status(house.operator, made.credential.id, CredentialStatus.ACTIVE)


@pytest.mark.parametrize("reason", ["", "x" * (REASON_MAX + 1), "line\nbreak"])
async def test_a_malformed_reason_revokes_nothing(house: House, reason: str) -> None:
    """The answer would say no, and the key be gone."""
    made = await house.make_key()
    with pytest.raises(InvalidRequest) as caught:
        await house.rooms.api_keys.set_status(
            house.operator, made.credential.id, CredentialStatus.REVOKED, reason=reason
        )
    assert caught.value.field == "reason"
    assert await verdict(house, made) is None
    longest = "x" * REASON_MAX
    revoked = await house.rooms.api_keys.set_status(
        house.operator, made.credential.id, CredentialStatus.REVOKED, reason=longest
    )
    assert revoked.revocation_reason == longest


async def test_a_disabled_tenants_keys_can_still_be_revoked_by_the_operator(house: House) -> None:
    """A leak that is found while the customer is switched off would have to wait."""
    tenant = await house.make_tenant()
    made = await house.make_key(await house.make_user(tenant.id))
    await house.rooms.directory.change_tenant(
        house.operator, tenant.id, TenantChanges(status=Status.DISABLED)
    )
    revoked = await house.rooms.api_keys.set_status(
        house.operator, made.credential.id, CredentialStatus.REVOKED
    )
    assert revoked.status is CredentialStatus.REVOKED


async def test_an_admins_narrow_key_makes_no_admin_key_of_it(house: House) -> None:
    """A key with `admin` can bring about all that its user may; giving it away needs as much."""
    admin: User = await house.make_user(role=Role.ADMIN)
    narrow = replace(
        house.authority_of(admin),
        actor=Actor(admin.id, "key_narrow", "api"),
        grantable=frozenset({ADMIN, READ}),
    )
    with pytest.raises(Forbidden) as caught:
        await house.rooms.api_keys.create(narrow, KeyWish(name="up", scopes=[ADMIN]))
    assert WRITE in caught.value.scopes
