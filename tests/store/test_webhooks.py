"""Webhooks in the store: told of what was written and of nothing else, by one process, and of a sick one's little."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bonafides.model import EVERYWHERE, AuditEvent, Page, Replayed
from bonafides.store import Clash, Reused
from bonafides.store.sql import SqlStore
from bonafides.store.webhooks import ATTEMPTS_KEPT, WEBHOOKS_MAX
from bonafides.webhook import (
    TESTED,
    Attempt,
    Conclusion,
    Delivery,
    DeliveryStatus,
    Taken,
    Webhook,
    WebhookChanges,
    WebhookSecrets,
    WebhookStatus,
)
from tests.store.databases import run_sql
from tests.store.records import NOW, claim, event, tenant, user

SECRETS = WebhookSecrets(b"sealed", "p1")
MINUTE = NOW + timedelta(seconds=60)


def hook(identity: str = "whk_1", *events: str, tenant_id: str = "ten_a") -> Webhook:
    """One that is told of everything, unless it has chosen."""
    return Webhook(
        identity,
        tenant_id,
        "Watch",
        "https://example.com/",
        frozenset(events or ("*",)),
        WebhookStatus.ACTIVE,
        None,
        0,
        None,
        None,
        None,
        "usr_owner",
        NOW,
        NOW,
    )


async def keep(store: SqlStore, *hooks: Webhook) -> None:
    """Insert webhooks, with events of which they are told nothing: they are about another tenant."""
    await store.create_tenant(tenant("ten_else"), event("x.y"))
    for one in hooks:
        written = replace(event("x.y"), tenant_id="ten_else")
        assert await store.create_webhook(one, SECRETS, written) == one


def written(action: str = "user.created", **fields: object) -> AuditEvent:
    """An event of `ten_a`."""
    return replace(event(action), subject_kind=action.partition(".")[0], **fields)  # type: ignore[arg-type]


async def told(store: SqlStore, webhook_id: str = "whk_1") -> list[str]:
    """Of which actions a webhook was told or is to be."""
    return [each.action for each in await store.list_deliveries(webhook_id, Page(50))]


async def take(store: SqlStore, webhook_id: str = "whk_1", event_id: str | None = None) -> Taken:
    """Take up what is due for it."""
    taken = await store.take_delivery(webhook_id, MINUTE, MINUTE + timedelta(seconds=60), event_id=event_id)
    assert taken is not None
    return taken


def concluded(status: DeliveryStatus, *, counts: bool = True, quiet: bool = False) -> Conclusion:
    """What follows from an attempt a minute after all began; after half an hour it is tried again."""
    answered = 200 if status is DeliveryStatus.DELIVERED else 500
    attempt = Attempt(MINUTE, answered, None, 5)
    again = MINUTE + timedelta(minutes=30)
    return Conclusion(attempt, status, again, counts, MINUTE + timedelta(minutes=5) if quiet else None)


async def test_a_webhook_is_told_of_what_it_has_chosen_in_its_own_tenant(store: SqlStore) -> None:
    """Attack 47: somebody would learn what goes on in other tenants, or not what goes on in their own."""
    await keep(
        store,
        hook(),
        hook("whk_2", "user.created"),
        hook("whk_3", "user.*"),
        hook("whk_4", "api_key.*", "user.deleted"),
        hook("whk_5", tenant_id="ten_else"),
    )
    made = written()
    await store.append_event(made)
    for name, expected in (("whk_1", 1), ("whk_2", 1), ("whk_3", 1), ("whk_4", 0)):
        assert await told(store, name) == ["user.created"] * expected
    assert "user.created" not in await told(store, "whk_5")
    (delivery,) = await store.list_deliveries("whk_2", Page(50))
    assert delivery == Delivery("whk_2", made.id, "user.created", DeliveryStatus.WAITING, made.at, made.at, 0)


async def test_nobody_is_told_of_what_did_not_happen(store: SqlStore) -> None:
    """Somebody would act on a key that was never made."""
    await keep(store, hook())
    await store.create_user(user("usr_1"), written())
    assert isinstance(await store.create_user(user("usr_2", email=user("usr_1").email), written()), Clash)
    assert await told(store) == ["user.created"]


async def test_a_disabled_one_is_told_nothing_but_that_it_is_tested(store: SqlStore) -> None:
    """What is switched off would go on; or nobody could try it before they switch it on."""
    await keep(store, hook(), hook("whk_2"))
    await store.append_event(written())
    off = written("webhook.changed", subject_id="whk_1")
    changed = await store.change_webhook("whk_1", WebhookChanges(status=WebhookStatus.DISABLED), off)
    assert changed is not None
    assert changed.status is WebhookStatus.DISABLED
    assert [each.status for each in await store.list_deliveries("whk_1", Page(9))] == [DeliveryStatus.FAILED]
    await store.append_event(written())
    assert await told(store) == ["user.created"]
    tested = written(TESTED, subject_id="whk_1")
    await store.append_event(tested)
    assert sorted(await told(store)) == ["user.created", TESTED]
    assert TESTED not in await told(store, "whk_2")
    taken = await take(store)
    assert (taken.event.id, taken.delivery.tries) == (tested.id, 1)
    healed = await store.change_webhook(
        "whk_1", WebhookChanges(status=WebhookStatus.ACTIVE, name="Other"), written("webhook.changed")
    )
    assert healed is not None
    assert (healed.status, healed.name) == (WebhookStatus.ACTIVE, "Other")


async def test_of_two_processes_one_delivers(store: SqlStore, opened: Callable[[], SqlStore]) -> None:
    """Everybody would be told everything as often as there are processes."""
    await keep(store, hook())
    await store.append_event(written())
    other = opened()
    found = await asyncio.gather(
        *(each.take_delivery("whk_1", MINUTE, MINUTE + timedelta(seconds=60)) for each in (store, other))
    )
    assert sum(each is not None for each in found) == 1
    assert await store.take_delivery("whk_1", MINUTE, MINUTE) is None
    assert await store.due_webhooks(MINUTE, (), 9) == []
    again = await store.take_delivery("whk_1", MINUTE + timedelta(seconds=60), MINUTE)
    assert again is not None
    assert again.delivery.tries == 2


async def test_whose_turn_it_is(store: SqlStore) -> None:
    """A webhook that hangs would be called twice at once, or who waits longest would wait for ever."""
    await keep(store, hook("whk_1", "user.*"), hook("whk_2"), hook("whk_3", "x.*"))
    await store.append_event(written("plan.put"))
    await store.append_event(written(at=NOW + timedelta(seconds=5)))
    assert await store.due_webhooks(NOW - timedelta(seconds=1), (), 9) == []
    assert await store.due_webhooks(MINUTE, (), 9) == ["whk_2", "whk_1"]
    assert await store.due_webhooks(MINUTE, (), 1) == ["whk_2"]
    assert await store.due_webhooks(MINUTE, {"whk_2": None}, 9) == ["whk_1"]


async def test_what_came_of_it_is_in_the_log(store: SqlStore) -> None:
    """Nobody would know why their program was not told."""
    await keep(store, hook())
    await store.append_event(written())
    seen = await take(store)
    assert (seen.webhook, seen.secrets) == (hook(), SECRETS)
    failed = await store.conclude_delivery(seen, concluded(DeliveryStatus.WAITING))
    assert [failed] == await store.list_deliveries("whk_1", Page(9))
    assert (failed.status, failed.attempts) == (
        DeliveryStatus.WAITING,
        (Attempt(MINUTE, 500, None, 5),),
    )
    for _ in range(ATTEMPTS_KEPT + 1):
        seen = replace(seen, delivery=failed)
        failed = await store.conclude_delivery(seen, concluded(DeliveryStatus.FAILED))
    assert len(failed.attempts) == ATTEMPTS_KEPT
    assert await store.list_deliveries("whk_1", Page(9), DeliveryStatus.WAITING) == []
    assert await store.list_deliveries("whk_1", Page(9), DeliveryStatus.FAILED) == [failed]
    resent = await store.resend_delivery("whk_1", failed.event_id, MINUTE)
    assert resent == replace(failed, status=DeliveryStatus.WAITING, due_at=MINUTE, tries=0)
    assert await store.resend_delivery("whk_1", "evt_none", MINUTE) is None
    await store.prune_deliveries(NOW)
    assert len(await told(store)) == 1
    await store.prune_deliveries(MINUTE)
    assert await told(store) == []


async def test_a_sick_webhook_rests_until_it_is_well(store: SqlStore) -> None:
    """A URL that hangs would be called for each event, and take the turns of all others."""
    await keep(store, hook())
    for _ in range(3):
        await store.append_event(written())
    await store.conclude_delivery(await take(store), concluded(DeliveryStatus.WAITING, quiet=True))
    quiet_until = MINUTE + timedelta(minutes=5)
    sick = await store.find_webhook("whk_1", "ten_a")
    assert sick is not None
    assert (sick.failures, sick.failing_since, sick.quiet_until) == (1, MINUTE, quiet_until)
    assert await store.take_delivery("whk_1", quiet_until - timedelta(seconds=1), MINUTE) is None
    await store.append_event(written())
    assert max(each.due_at for each in await store.list_deliveries("whk_1", Page(1))) == quiet_until
    taken = await store.take_delivery("whk_1", quiet_until, quiet_until + timedelta(minutes=1))
    assert taken is not None
    await store.conclude_delivery(taken, concluded(DeliveryStatus.DELIVERED))
    assert await store.find_webhook("whk_1", "ten_a") == hook()
    due = [each.due_at for each in await store.list_deliveries("whk_1", Page(9), DeliveryStatus.WAITING)]
    assert sorted(due) == [MINUTE, MINUTE, MINUTE + timedelta(minutes=30)]
    well = await store.take_delivery("whk_1", MINUTE, MINUTE)
    assert well is not None
    await store.conclude_delivery(well, concluded(DeliveryStatus.DELIVERED))
    assert await store.find_webhook("whk_1", "ten_a") == hook()


async def test_a_test_tells_nothing_of_its_health(store: SqlStore) -> None:
    """Whoever tries a URL that is not there yet would have it disabled."""
    await keep(store, hook())
    await store.append_event(written(TESTED, subject_id="whk_1"))
    await store.conclude_delivery(await take(store), concluded(DeliveryStatus.FAILED, counts=False))
    assert await store.find_webhook("whk_1", "ten_a") == hook()


async def test_one_that_takes_nothing_for_too_long_is_disabled_once(store: SqlStore) -> None:
    """It would be called for ever, or the trail would tell twice of one end."""
    await keep(store, hook())
    for _ in range(3):
        await store.append_event(written())
    first, second = await take(store), await take(store)
    end = replace(written("webhook.disabled"), details={"reason": "It is gone."})
    await store.conclude_delivery(first, concluded(DeliveryStatus.FAILED), end)
    ended = await store.find_webhook("whk_1", "ten_a")
    assert ended is not None
    assert (ended.status, ended.disabled_because) == (WebhookStatus.DISABLED, "It is gone.")
    await store.conclude_delivery(second, concluded(DeliveryStatus.FAILED), replace(end, id="evt_twice"))
    ends = await store.list_events("ten_a", Page(9), action="webhook.disabled")
    assert [each.id for each in ends] == [end.id]
    assert {each.status for each in await store.list_deliveries("whk_1", Page(9))} == {DeliveryStatus.FAILED}


async def test_what_is_left_over_is_cleared_away(store: SqlStore, url: str) -> None:
    """What was written while its webhook was deleted or disabled would be found due for ever."""
    await keep(store, hook(), hook("whk_2"))
    await store.append_event(written())
    await run_sql(url, "DELETE FROM webhooks WHERE id = 'whk_1'")
    await run_sql(url, "UPDATE webhooks SET status = 'disabled' WHERE id = 'whk_2'")
    for name in ("whk_1", "whk_2"):
        assert await store.take_delivery(name, MINUTE, MINUTE) is None
    assert await store.due_webhooks(MINUTE, (), 9) == []
    assert await told(store) == []
    assert [each.status for each in await store.list_deliveries("whk_2", Page(9))] == [DeliveryStatus.FAILED]


async def test_a_webhook_is_found_listed_and_removed_in_its_tenant(store: SqlStore) -> None:
    """Attack 47: an admin would see or delete the webhooks of other tenants."""
    await keep(store, hook(), hook("whk_2", tenant_id="ten_else"))
    assert await store.find_webhook("whk_1", "ten_else") is None
    assert [one.id for one in await store.list_webhooks("ten_a", Page(9))] == ["whk_1"]
    assert len(await store.list_webhooks(EVERYWHERE, Page(9))) == 2
    foreign = replace(written("webhook.deleted"), tenant_id="ten_else")
    assert not await store.remove_webhook("whk_1", foreign)
    assert await store.change_webhook("whk_1", WebhookChanges(name="Mine"), foreign) is None
    await store.append_event(written())
    assert await store.remove_webhook("whk_1", written("webhook.deleted"))
    assert await store.find_webhook("whk_1", EVERYWHERE) is None
    assert await told(store) == []


async def test_a_tenant_has_so_many_webhooks_and_a_call_that_is_sent_twice_makes_one(store: SqlStore) -> None:
    """Each is asked for with every event: a thousand would make every call of the tenant slow."""
    await keep(store)
    first = await store.create_webhook(hook(), SECRETS, written("webhook.created"), claim=claim("k"))
    again = await store.create_webhook(hook("whk_x"), SECRETS, written(), claim=claim("k"))
    other = await store.create_webhook(hook("whk_y"), SECRETS, written(), claim=claim("k", "another"))
    assert first == hook()
    assert isinstance(again, Replayed)
    assert isinstance(other, Reused)
    for number in range(2, WEBHOOKS_MAX + 1):
        await store.create_webhook(hook(f"whk_{number}", "x.y"), SECRETS, written())
    full = await store.create_webhook(hook("whk_more"), SECRETS, written(), claim=claim("full"))
    assert isinstance(full, Clash)


async def test_a_secret_is_rotated_and_the_one_before_stays_for_a_while(store: SqlStore) -> None:
    """Deliveries would be refused until the new secret is everywhere."""
    await keep(store, hook())
    new = WebhookSecrets(b"other", "p2")
    turned = await store.rotate_webhook_secret(
        "whk_1", new, MINUTE, written("webhook.secret_rotated"), claim=claim("r")
    )
    assert isinstance(turned, Webhook)
    assert turned.old_secret_until == MINUTE
    assert (await take(store)).secrets == WebhookSecrets(b"other", "p2", b"sealed", "p1")
    again = await store.rotate_webhook_secret("whk_1", new, MINUTE, written(), claim=claim("r"))
    assert isinstance(again, Replayed)
    gone = await store.rotate_webhook_secret("whk_none", new, MINUTE, written(), claim=claim("s"))
    assert gone is None
    assert (await store.pepper_ids())["p2"] == 1
