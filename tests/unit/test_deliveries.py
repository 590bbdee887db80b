"""Deliveries: tried ever later, given up in the end, and a webhook that takes nothing for days is disabled."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typing_extensions import override

import bonafides
from bonafides.actions import ACTIONS
from bonafides.deliveries import (
    AGAIN_AFTER_SECONDS,
    DISABLED_AFTER_SECONDS,
    QUIET_SECONDS,
    Deliveries,
    wait_of,
)
from bonafides.errors import Unavailable
from bonafides.model import CredentialKind, Page
from bonafides.outgoing import Fetched, Missed, Outgoing, Unfetched
from bonafides.secret import Peppers, parse_pepper
from bonafides.webhook import Delivery, DeliveryStatus, Webhook, WebhookStatus
from bonafides.webhooks import MadeWebhook
from tests.unit.conftest import House

DAY = 86_400


class World(Outgoing):
    """Answers what it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.answer: Fetched | Unfetched = Fetched(200, b"", {})
        self.told: list[str] = []
        self.called = asyncio.Event()
        self.gate: asyncio.Event | None = None

    @override
    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Fetched | Unfetched:
        """Note of what event, and answer."""
        self.told.append(headers["webhook-id"])
        self.called.set()
        if self.gate is not None:
            await self.gate.wait()
        return self.answer


@pytest.fixture
def world(house: House) -> Iterator[World]:
    """Stands where other people's servers would."""
    made = World()
    before, house.rooms.deliveries._outgoing = house.rooms.deliveries._outgoing, made
    yield made
    house.rooms.deliveries._outgoing = before


async def hook(house: House) -> str:
    """A webhook that is told of plans."""
    made = await house.rooms.webhooks.create(house.operator, "Watch", "https://example.com/", ["plan.*"])
    assert isinstance(made, MadeWebhook)
    return made.webhook.id


async def happen(house: House, times: int = 1) -> None:
    """Something that it is told of."""
    for number in range(times):
        event = house.rooms.notices._recorder.event(
            "plan.put", house.operator.actor, house.operator.tenant_id, f"plan {number}"
        )
        await house.rooms.store.append_event(event)


async def found(house: House, webhook_id: str) -> Webhook:
    """The webhook as it is now."""
    return await house.rooms.webhooks.get(house.operator, webhook_id)


async def log(house: House, webhook_id: str) -> list[Delivery]:
    """What it was told."""
    return list(await house.rooms.webhooks.deliveries(house.operator, webhook_id, Page(100)))


async def test_it_is_told_at_once_and_no_second_time(house: House, world: World) -> None:
    """Everybody would be told everything again and again."""
    webhook_id = await hook(house)
    await happen(house, 3)
    await house.rooms.deliveries.settle()
    await house.rooms.deliveries.settle()
    assert len(world.told) == 3
    assert {each.status for each in await log(house, webhook_id)} == {DeliveryStatus.DELIVERED}


async def test_one_event_is_tried_ever_later_and_given_up_in_the_end(house: House, world: World) -> None:
    """An event that a program cannot take would be sent to it for ever, or without a pause."""
    webhook_id = await hook(house)
    await happen(house)
    world.answer = Unfetched("refused", Missed.NO_ANSWER)
    for tries, seconds in enumerate(AGAIN_AFTER_SECONDS[:7], 1):
        await house.rooms.deliveries.settle()
        assert len(world.told) == tries
        house.clock.advance(seconds - 1)
        await house.rooms.deliveries.settle()
        assert len(world.told) == tries
        house.clock.advance(1)
    (delivery,) = await log(house, webhook_id)
    assert (delivery.status, delivery.tries) == (DeliveryStatus.WAITING, 7)
    assert {each.reason for each in delivery.attempts} == {"no_answer"}


async def test_what_is_never_taken_has_failed_in_the_end(house: House, world: World) -> None:
    """It would be tried for as long as the server stands."""
    webhook_id = await hook(house)
    await happen(house)
    (first,) = await log(house, webhook_id)
    world.answer = Fetched(503, b"", {})
    for seconds in (*AGAIN_AFTER_SECONDS, DAY):
        await house.rooms.deliveries.settle()
        house.clock.advance(seconds)
        # Something else is taken in between: it is this event that cannot be.
        world.answer = Fetched(200, b"", {})
        await happen(house)
        taken = [each for each in await log(house, webhook_id) if each.event_id != first.event_id]
        (newest,) = [each for each in taken if each.status is DeliveryStatus.WAITING]
        now = house.rooms.deliveries._now()
        one = await house.rooms.store.take_delivery(webhook_id, now, now, event_id=newest.event_id)
        if one is None:
            house.clock.advance(QUIET_SECONDS[-1])
            now = house.rooms.deliveries._now()
            one = await house.rooms.store.take_delivery(webhook_id, now, now, event_id=newest.event_id)
        assert one is not None
        await house.rooms.deliveries._deliver(one)
        world.answer = Fetched(503, b"", {})
    still = next(each for each in await log(house, webhook_id) if each.event_id == first.event_id)
    assert still.status is DeliveryStatus.FAILED
    assert (await found(house, webhook_id)).status is WebhookStatus.ACTIVE


async def test_a_url_that_asks_to_be_left_alone_is(house: House, world: World) -> None:
    """A server that is being restarted would be knocked at again and again, or one that asks for a year never."""
    webhook_id = await hook(house)
    await happen(house)
    world.answer = Fetched(503, b"", {"retry-after": "600"})
    await house.rooms.deliveries.settle()
    await happen(house)
    house.clock.advance(599)
    await house.rooms.deliveries.settle()
    assert len(world.told) == 1, "nor is it told anything else"
    world.answer = Fetched(200, b"", {})
    house.clock.advance(1)
    await house.rooms.deliveries.settle()
    assert len(world.told) == 3
    assert {each.status for each in await log(house, webhook_id)} == {DeliveryStatus.DELIVERED}


NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("", 0),
        ("0", 0),
        (" 120 ", 120),
        ("3601", 3_600),
        ("9" * 5_000, 3_600),
        ("-5", 0),
        ("1.5", 0),
        ("\u0661\u0662", 0),
        ("Tue, 01 Jan 2030 12:02:00 GMT", 120),
        ("Tue, 01 Jan 2030 11:00:00 GMT", 0),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 3_600),
        ("Tue, 01 Jan 2030 12:02:00 -0000", 0),
        ("tomorrow", 0),
    ],
)
def test_how_long_is_read_and_bounded(said: str, seconds: int) -> None:
    """Whoever writes nonsense into a header would stop their deliveries for ever, or ours of everybody."""
    assert wait_of(Fetched(503, b"", {"retry-after": said}), NOW) == timedelta(seconds=seconds)


async def test_a_webhook_that_takes_nothing_rests_and_is_disabled_after_days(
    house: House, world: World
) -> None:
    """A server that was taken down for good would be called for ever, for each event."""
    webhook_id = await hook(house)
    world.answer = Unfetched("refused", Missed.TOO_SLOW)
    await happen(house, 20)
    await house.rooms.deliveries.settle()
    assert len(world.told) == 3
    await happen(house, 5)
    await house.rooms.deliveries.settle()
    assert len(world.told) == 3
    house.clock.advance(QUIET_SECONDS[0])
    await house.rooms.deliveries.settle()
    assert len(world.told) == 4
    house.clock.advance(DISABLED_AFTER_SECONDS)
    await house.rooms.deliveries.settle()
    ended = await found(house, webhook_id)
    assert (ended.status, ended.disabled_because) == (
        WebhookStatus.DISABLED,
        "It took nothing for three days.",
    )
    assert {each.status for each in await log(house, webhook_id)} == {DeliveryStatus.FAILED}
    events = await house.rooms.audit.events(house.operator, Page(9), action="webhook.disabled")
    assert [each.subject_id for each in events] == [webhook_id]


async def test_a_url_that_says_it_is_gone_is_believed(house: House, world: World) -> None:
    """Whoever has moved away could not end what is sent to them."""
    webhook_id = await hook(house)
    world.answer = Fetched(410, b"", {})
    await happen(house)
    await house.rooms.deliveries.settle()
    assert (await found(house, webhook_id)).status is WebhookStatus.DISABLED


async def test_what_a_killed_process_had_taken_up_another_delivers(house: House, world: World) -> None:
    """A kill in the moment of a call would lose the event."""
    webhook_id = await hook(house)
    await happen(house)
    world.gate = asyncio.Event()
    await house.rooms.deliveries.begin_due()
    await asyncio.wait_for(world.called.wait(), 20)
    await house.rooms.deliveries.begin_due()
    await house.rooms.deliveries.close()
    world.gate = None
    await house.rooms.deliveries.settle()
    assert len(world.told) == 1
    house.clock.advance(60)
    await house.rooms.deliveries.settle()
    assert len(world.told) == 2
    (delivery,) = await log(house, webhook_id)
    assert delivery.status is DeliveryStatus.DELIVERED


async def test_so_many_are_called_at_once_and_no_more(
    house: House, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand webhooks that hang would take every connection."""
    monkeypatch.setattr("bonafides.deliveries.AT_ONCE_MAX", 1)
    monkeypatch.setattr("bonafides.deliveries._IN_A_ROW_MAX", 2)
    monkeypatch.setattr("bonafides.deliveries.SETTLING_SECONDS_MAX", 0.05)
    await hook(house)
    await hook(house)
    world.gate = asyncio.Event()
    await happen(house, 3)
    await house.rooms.deliveries.settle()
    await house.rooms.deliveries.settle()
    assert len(world.told) <= 2
    world.gate.set()
    for _ in range(6):
        await house.rooms.deliveries.settle()
    assert len(set(world.told)) == 3


async def test_it_is_looked_for_soon_after_an_event_and_else_now_and_then(
    house: House, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody would wait a quarter of a minute for an event, or each process ask the database each second."""
    looks: list[int] = []
    due = house.rooms.store.due_webhooks

    async def counted(*arguments: object) -> object:
        looks.append(1)
        return await due(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(house.rooms.store, "due_webhooks", counted)
    for _ in range(40):
        await house.rooms.deliveries.look()
    looks.clear()
    for _ in range(30):
        await house.rooms.deliveries.look()
    assert len(looks) == 2
    await hook(house)
    await happen(house)
    await house.rooms.deliveries.look()
    assert len(looks) == 3
    await house.rooms.deliveries.settle()
    assert len(world.told) == 1


async def test_what_no_pepper_opens_is_not_sent_unsigned(house: House, world: World) -> None:
    """Whoever listens would be sent what they must refuse."""
    webhook_id = await hook(house)
    rooms = house.rooms
    others = Peppers([parse_pepper("ab" * 32)])
    strange = Deliveries(
        rooms.store,
        rooms.webhooks,
        world,
        rooms.notices._recorder,
        others,
        house.clock,
        rooms.notices._letters,
    )
    await happen(house)
    await strange.settle()
    assert world.told == []
    (delivery,) = await log(house, webhook_id)
    assert [each.reason for each in delivery.attempts] == ["no_secret"]


async def test_a_database_that_is_away_ends_nothing(
    house: House, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deliveries would stop until the next start."""
    await hook(house)
    await happen(house)
    take = house.rooms.store.take_delivery
    failures: list[Exception] = [Unavailable(internal="away"), RuntimeError("a slip")]

    async def away(*arguments: object, **options: object) -> object:
        if failures:
            raise failures.pop()
        return await take(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(house.rooms.store, "take_delivery", away)
    for _ in range(3):
        await house.rooms.deliveries.settle()
    assert len(world.told) == 1

    async def nobody(*_: object, **__: object) -> None:
        return None

    monkeypatch.setattr(house.rooms.store, "take_delivery", nobody)
    (hooked,) = await house.rooms.webhooks.page(house.operator, Page(2))
    with pytest.raises(Unavailable):
        await house.rooms.deliveries.test(house.operator, hooked.id)


def test_every_action_of_the_trail_can_be_chosen() -> None:
    """Somebody could not be told of an event that the trail tells of, nor read what it means."""
    kinds = {action.partition(".")[0] for action in ACTIONS} | set(CredentialKind)
    shape = re.compile(rf"({'|'.join(sorted(kinds))})\.[a-z_]+")
    here = Path(bonafides.__file__).parent
    said = {
        node.value
        for path in here.rglob("*.py")
        if "migrations" not in path.parts
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and shape.fullmatch(node.value)
    }
    assert {one for one in said if not one.endswith(".html")} <= set(ACTIONS)
    assert all(text.endswith(".") for text in ACTIONS.values())
