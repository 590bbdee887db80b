"""Owners hear of the end of their keys in time, once, in the trail of their tenant."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest

from bonafides.errors import Unavailable
from bonafides.model import Page
from tests.unit.clocks import START_US
from tests.unit.conftest import House

DAY = 86_400


async def trail(house: House, tenant_id: str) -> list[dict[str, Any]]:
    """What a tenant was told of ends, oldest first."""
    events = await house.rooms.store.list_events(tenant_id, Page(100), action="api_key.expiring")
    return [{"id": event.subject_id, "via": event.actor.via, **event.details} for event in reversed(events)]


async def test_each_of_the_days_is_an_event_of_the_owners_tenant(house: House) -> None:
    """An admin who looks at the trail would not see what is about to stop."""
    tenant = await house.make_tenant()
    user = await house.make_user(tenant.id)
    made = await house.make_key(user, name="checkout", expires_in=40 * DAY)
    await house.make_key(user)
    for _ in range(41 * 4):
        await house.rooms.notices.tell_each_hour()
        house.clock.advance(6 * 3_600)
    told = await trail(house, tenant.id)
    assert [event["days"] for event in told] == [30, 14, 7, 1]
    assert told[0] == {
        "id": made.credential.id,
        "via": "server",
        "name": "checkout",
        "display": made.credential.display,
        "user_id": user.id,
        "days": 30,
        "ends_at": "2030-04-26T17:46:40Z",
    }


async def test_ends_are_looked_for_once_an_hour(house: House) -> None:
    """A look at a million keys each minute is a load that nobody asked for."""
    looked: list[int] = []
    notices = house.rooms.notices

    class Counting:
        async def expiring(self, *_: object) -> list[object]:
            looked.append(house.clock.now_us)
            return []

        async def prune_notices(self, *_: object) -> None:
            return

    notices._store = Counting()  # type: ignore[assignment]
    for _ in range(120):
        await notices.tell_each_hour()
        house.clock.advance(60)
    assert looked == [START_US, START_US + 3_600_000_000]


async def test_an_outage_is_tried_again_at_once(house: House) -> None:
    """The day before an end must not be missed because of one bad minute."""
    tried: list[int] = []
    notices = house.rooms.notices

    class Away:
        async def expiring(self, *_: object) -> list[object]:
            tried.append(house.clock.now_us)
            raise Unavailable

    notices._store = Away()  # type: ignore[assignment]
    for _ in range(3):
        try:
            await notices.tell_each_hour()
        except Unavailable:
            house.clock.advance(60)
    assert len(tried) == 3


async def test_more_than_fit_into_one_batch_are_all_told(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The five hundred and first key of a customer ends like the others."""
    key = await house.make_key(expires_in=10 * DAY)
    others = [await house.make_key(expires_in=10 * DAY) for _ in range(6)]
    house.clock.advance(4 * DAY)
    monkeypatch.setattr("bonafides.notices._AT_ONCE", 3)
    told = await house.rooms.notices.tell()
    assert sorted(one.credential_id for one in told) == sorted(made.credential.id for made in (key, *others))
    assert await house.rooms.notices.tell() == []


async def test_an_owner_gets_one_letter_for_all_that_ends(house: House) -> None:
    """Ten keys would be ten mails a day, or none, and the owner would find out from their customers."""
    sent: list[EmailMessage] = []
    house.rooms.mail._carry = sent.append
    tenant = await house.make_tenant()
    user, gone = await house.make_user(tenant.id), await house.make_user(tenant.id)
    for name in ("first", "https://evil.example"):
        await house.make_key(user, name=name, expires_in=40 * DAY)
    await house.make_key(gone, name="theirs", expires_in=40 * DAY)
    house.clock.advance(27 * DAY)
    await house.rooms.directory.delete_user(house.operator, gone.id)
    await house.rooms.notices.tell()
    await house.rooms.outbox.settle()
    (letter,) = sent
    assert letter["To"] == user.email
    text = letter.get_content()
    assert "first (bf_key_" in text
    assert "https://evil" not in text
    house.rooms.mail._carry = None
    house.clock.advance(12 * DAY)
    assert len(await house.rooms.notices.tell()) == 2


async def test_an_owner_who_is_gone_by_then_gets_no_letter(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One deleted user would keep everybody else from being told."""
    sent: list[EmailMessage] = []
    house.rooms.mail._carry = sent.append
    await house.make_key(await house.make_user(), expires_in=2 * DAY)
    house.clock.advance(DAY + 1)

    async def nobody(*_: object) -> None:
        return None

    monkeypatch.setattr(house.rooms.store, "find_user", nobody)
    assert len(await house.rooms.notices.tell()) == 1
    await house.rooms.outbox.settle()
    assert sent == []
