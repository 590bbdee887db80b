"""The audit trail: what an event says, and who may read which."""

from __future__ import annotations

import secrets

import pytest

from bonafides.audit import Recorder
from bonafides.errors import Forbidden, NotFound
from bonafides.model import READ, Actor, Page, Role, to_datetime
from tests.unit.clocks import HandClock
from tests.unit.conftest import House

ALL = Page(limit=100)
ACTOR = Actor("usr_1", "key_1", "api", request_id="req_1", address="192.0.2.1")


def test_an_event_says_who_did_what_to_which_thing_when(clock: HandClock) -> None:
    """After an incident, nobody could tell whose credential was used, from where, or in which order."""
    recorder = Recorder(clock, secrets.token_bytes)
    event = recorder.event("api_key.revoked", ACTOR, "ten_1", "key_2", {"reason": "leaked"})
    assert event.id.startswith("evt_")
    assert event.at == to_datetime(clock.now_us)
    assert (event.tenant_id, event.action) == ("ten_1", "api_key.revoked")
    assert (event.subject_kind, event.subject_id) == ("api_key", "key_2")
    assert (event.actor, event.details) == (ACTOR, {"reason": "leaked"})
    clock.advance(1)
    later = recorder.event("user.deleted", ACTOR, "ten_1", "usr_2")
    assert (later.subject_kind, later.details) == ("user", {})
    assert later.at == to_datetime(clock.now_us)
    assert later.id > event.id


async def test_events_are_filtered_by_what_was_done_to_what_by_whom(house: House) -> None:
    """Whoever looks for one leak would have to read everything."""
    admin = await house.make_user(role=Role.ADMIN)
    made = await house.make_key(admin)
    events = house.rooms.audit.events
    by_action = await events(house.operator, ALL, action="api_key.created")
    assert [event.subject_id for event in by_action] == [made.credential.id]
    by_subject = await events(house.operator, ALL, subject_id=admin.id)
    assert [event.action for event in by_subject] == ["user.created"]
    assert await events(house.operator, ALL, actor_user_id=admin.id) == []
    by_actor = await events(house.operator, ALL, actor_user_id=house.founded.user_id)
    assert {event.subject_id for event in by_actor} == {admin.id, made.credential.id}


async def test_events_are_told_newest_first_and_page_by_page(house: House) -> None:
    """The newest event, which somebody looks for, would be on the last page, or on none."""
    for seconds in (1, 1, 1):
        house.clock.advance(seconds)
        await house.make_tenant()
    await house.make_plan("a", 1)
    all_events = await house.rooms.audit.events(house.operator, ALL)
    assert [event.at for event in all_events] == sorted((event.at for event in all_events), reverse=True)
    assert len(await house.rooms.audit.events(house.operator, Page(limit=1))) == 1


async def test_a_trail_is_its_tenants_own(house: House) -> None:
    """A customer would read what happens at another, a member what the administrators do."""
    tenant = await house.make_tenant()
    owner, member = await house.make_user(tenant.id), await house.make_user(tenant.id, Role.MEMBER)
    events = house.rooms.audit.events
    own = await events(house.authority_of(owner), ALL)
    assert {event.tenant_id for event in own} == {tenant.id}
    assert {event.subject_id for event in own} == {tenant.id, owner.id, member.id}
    assert await events(house.operator, ALL, tenant_id=tenant.id) == own
    with pytest.raises(NotFound):
        await events(house.authority_of(owner), ALL, tenant_id=house.founded.tenant_id)
    for narrow in (house.authority_of(member), house.authority_of(owner, frozenset({READ}))):
        with pytest.raises(Forbidden, match="read the audit trail"):
            await events(narrow, ALL)
