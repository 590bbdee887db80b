"""The verbs on webhooks, and on what they are told: written with the event itself, or not at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Update, delete, func, insert, select, update

from bonafides.model import UNCHANGED, AuditEvent, IdempotencyClaim, Page, Replayed, TenantScope
from bonafides.store import Clash, Reused
from bonafides.store.audit import event_of
from bonafides.store.claims import release, settle
from bonafides.store.listing import page_of, within
from bonafides.store.tables import audit_events, columns_of, row_of, webhook_deliveries, webhooks
from bonafides.store.transaction import Transaction
from bonafides.webhook import (
    TESTED,
    Conclusion,
    Delivery,
    DeliveryStatus,
    Taken,
    Webhook,
    WebhookChanges,
    WebhookSecrets,
    WebhookStatus,
)

WEBHOOKS_MAX: Final = 20
"""Of a tenant: each is asked for whenever one of its events is written."""
ATTEMPTS_KEPT: Final = 10

_WEBHOOK: Final = columns_of(webhooks, Webhook)
_SECRETS: Final = columns_of(webhooks, WebhookSecrets)
_DELIVERY: Final = columns_of(webhook_deliveries, Delivery)
_WAITING: Final = webhook_deliveries.c.status == DeliveryStatus.WAITING
_HEALTHY: Final[Mapping[str, Any]] = {"failures": 0, "failing_since": None, "quiet_until": None}


def create(
    transaction: Transaction,
    webhook: Webhook,
    secrets: WebhookSecrets,
    event: AuditEvent,
    claim: IdempotencyClaim | None,
) -> Webhook | Replayed | Reused | Clash:
    """Insert a webhook, unless this was done before, or its tenant has as many as it may have."""
    connection = transaction.connection
    earlier = settle(connection, claim, event.at)
    if earlier is not None:
        return earlier
    held = connection.scalar(
        select(func.count()).select_from(webhooks).where(webhooks.c.tenant_id == webhook.tenant_id)
    )
    if (held or 0) >= WEBHOOKS_MAX:
        release(connection, claim)
        return Clash("webhooks")
    connection.execute(insert(webhooks), row_of(webhook) | row_of(secrets))
    transaction.record(event)
    return webhook


def find(connection: Connection, webhook_id: str, tenant: TenantScope) -> Webhook | None:
    """The webhook of that id, if it is in that tenant."""
    row = connection.execute(
        select(*_WEBHOOK).where(webhooks.c.id == webhook_id, *within(webhooks.c.tenant_id, tenant))
    ).one_or_none()
    return None if row is None else Webhook(*row)


def list_page(connection: Connection, tenant: TenantScope, page: Page) -> Sequence[Webhook]:
    """A page of webhooks, newest first."""
    query = select(*_WEBHOOK).where(*within(webhooks.c.tenant_id, tenant))
    return [
        Webhook(*row)
        for row in connection.execute(page_of(query, page, webhooks.c.created_at, webhooks.c.id))
    ]


def change(
    transaction: Transaction, webhook_id: str, changes: WebhookChanges, event: AuditEvent
) -> Webhook | None:
    """Change a webhook of the event's tenant; disabled, nothing waits for it any more, and enabled, it is as good as new."""
    wanted = {name: value for name, value in row_of(changes).items() if value is not UNCHANGED}
    if changes.status is WebhookStatus.ACTIVE:
        wanted |= {**_HEALTHY, "disabled_because": None}
    return _update(transaction, webhook_id, wanted, event)


def rotate_secret(
    transaction: Transaction,
    webhook_id: str,
    secrets: WebhookSecrets,
    old_until: datetime,
    event: AuditEvent,
    claim: IdempotencyClaim | None,
) -> Webhook | Replayed | Reused | None:
    """Sign with another secret from now on, and with the one before, too, until a moment."""
    connection = transaction.connection
    earlier = settle(connection, claim, event.at)
    if earlier is not None:
        return earlier
    wanted = {
        "sealed_secret": secrets.sealed_secret,
        "pepper_id": secrets.pepper_id,
        "old_sealed_secret": webhooks.c.sealed_secret,
        "old_pepper_id": webhooks.c.pepper_id,
        "old_secret_until": old_until,
    }
    changed = _update(transaction, webhook_id, wanted, event)
    if changed is None:
        release(connection, claim)
    return changed


def remove(transaction: Transaction, webhook_id: str, event: AuditEvent) -> bool:
    """Forget a webhook of the event's tenant, and what it was told."""
    connection = transaction.connection
    removed = connection.execute(
        delete(webhooks).where(webhooks.c.id == webhook_id, webhooks.c.tenant_id == event.tenant_id)
    )
    if removed.rowcount == 0:
        return False
    connection.execute(delete(webhook_deliveries).where(webhook_deliveries.c.webhook_id == webhook_id))
    transaction.record(event)
    return True


def due(connection: Connection, now: datetime, busy: Collection[str], rows_max: int) -> Sequence[str]:
    """Webhooks for which something is due, the longest waiting first, without those that are busy."""
    first = func.min(webhook_deliveries.c.due_at)
    query = (
        select(webhook_deliveries.c.webhook_id)
        .where(
            _WAITING, webhook_deliveries.c.due_at <= now, webhook_deliveries.c.webhook_id.not_in(sorted(busy))
        )
        .group_by(webhook_deliveries.c.webhook_id)
        .order_by(first, webhook_deliveries.c.webhook_id)
        .limit(rows_max)
    )
    return list(connection.scalars(query))


def take(
    transaction: Transaction, webhook_id: str, now: datetime, until: datetime, event_id: str | None
) -> Taken | None:
    """Take up what is due for a webhook, so that nobody else does until then.

    Args:
        transaction: In which.
        webhook_id: Whose.
        now: What is due by then, the oldest first.
        until: When somebody else may.
        event_id: This one alone, due or not.
    """
    connection = transaction.connection
    mine = (
        webhook_deliveries.c.webhook_id == webhook_id,
        _WAITING,
        webhook_deliveries.c.due_at <= now if event_id is None else webhook_deliveries.c.event_id == event_id,
    )
    row = connection.execute(
        select(*_DELIVERY)
        .where(*mine)
        .order_by(webhook_deliveries.c.due_at, webhook_deliveries.c.event_id)
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    seen = Delivery(*row)
    found = connection.execute(select(*_WEBHOOK, *_SECRETS).where(webhooks.c.id == webhook_id)).one_or_none()
    told = connection.execute(select(audit_events).where(audit_events.c.id == seen.event_id)).one_or_none()
    if found is None or told is None:
        connection.execute(delete(webhook_deliveries).where(*_is(seen)))
        return None
    hook = Webhook(*found[: len(_WEBHOOK)])
    serves = hook.status is WebhookStatus.ACTIVE or seen.action == TESTED
    changed = connection.execute(
        update(webhook_deliveries)
        .where(*_is(seen), webhook_deliveries.c.tries == seen.tries, _WAITING)
        .values({"due_at": until, "tries": seen.tries + 1} if serves else {"status": DeliveryStatus.FAILED})
    )
    if changed.rowcount == 0 or not serves:
        return None
    taken = replace(seen, due_at=until, tries=seen.tries + 1)
    return Taken(taken, hook, WebhookSecrets(*found[len(_WEBHOOK) :]), event_of(told))


def conclude(
    transaction: Transaction, taken: Taken, conclusion: Conclusion, disabling: AuditEvent | None
) -> Delivery:
    """Write what came of an attempt, and what follows from it for whatever else the webhook waits for.

    Args:
        transaction: In which.
        taken: What was attempted.
        conclusion: What came of it.
        disabling: The event of its end, if the webhook is told nothing any more.
    """
    concluded = replace(
        taken.delivery,
        status=conclusion.status,
        due_at=conclusion.again_at,
        attempts=(*taken.delivery.attempts, conclusion.attempt)[-ATTEMPTS_KEPT:],
    )
    transaction.connection.execute(
        update(webhook_deliveries)
        .where(*_is(concluded))
        .values(status=concluded.status, due_at=concluded.due_at, attempts=concluded.attempts)
    )
    if conclusion.counts and conclusion.status is DeliveryStatus.DELIVERED:
        _recover(transaction, taken.webhook, conclusion.attempt.at)
    elif conclusion.counts:
        _fail(transaction, taken.webhook, conclusion, disabling)
    return concluded


def list_deliveries(
    connection: Connection, webhook_id: str, page: Page, status: DeliveryStatus | None
) -> Sequence[Delivery]:
    """A page of what a webhook was told, newest first."""
    query = select(*_DELIVERY).where(webhook_deliveries.c.webhook_id == webhook_id)
    if status is not None:
        query = query.where(webhook_deliveries.c.status == status)
    rows = connection.execute(
        page_of(query, page, webhook_deliveries.c.created_at, webhook_deliveries.c.event_id)
    )
    return [Delivery(*row) for row in rows]


def resend(transaction: Transaction, webhook_id: str, event_id: str, now: datetime) -> Delivery | None:
    """Let a delivery wait again, as if it were new; its attempts stay in the log."""
    row = transaction.connection.execute(
        update(webhook_deliveries)
        .where(webhook_deliveries.c.webhook_id == webhook_id, webhook_deliveries.c.event_id == event_id)
        .values(status=DeliveryStatus.WAITING, due_at=now, tries=0)
        .returning(*_DELIVERY)
    ).one_or_none()
    return None if row is None else Delivery(*row)


def prune(transaction: Transaction, before: datetime) -> None:
    """Forget what was to be told before a moment."""
    transaction.connection.execute(delete(webhook_deliveries).where(webhook_deliveries.c.created_at < before))


def _update(
    transaction: Transaction, webhook_id: str, values: Mapping[str, Any], event: AuditEvent
) -> Webhook | None:
    row = transaction.connection.execute(
        update(webhooks)
        .where(webhooks.c.id == webhook_id, webhooks.c.tenant_id == event.tenant_id)
        .values({**values, "updated_at": event.at})
        .returning(*_WEBHOOK)
    ).one_or_none()
    if row is None:
        return None
    changed = Webhook(*row)
    if changed.status is WebhookStatus.DISABLED:
        _give_up(transaction, changed)
    transaction.record(event)
    return changed


def _recover(transaction: Transaction, hook: Webhook, now: datetime) -> None:
    if not hook.failures:
        return
    connection = transaction.connection
    connection.execute(update(webhooks).where(webhooks.c.id == hook.id).values(_HEALTHY))
    connection.execute(
        _waiting_for(hook).where(webhook_deliveries.c.due_at == hook.quiet_until).values(due_at=now)
    )


def _fail(
    transaction: Transaction, hook: Webhook, conclusion: Conclusion, disabling: AuditEvent | None
) -> None:
    failed: dict[str, Any] = {
        "failures": webhooks.c.failures + 1,
        "failing_since": hook.failing_since or conclusion.attempt.at,
        "quiet_until": conclusion.quiet_until,
    }
    if disabling is not None:
        failed |= {"status": WebhookStatus.DISABLED, "disabled_because": disabling.details["reason"]}
    changed = transaction.connection.execute(
        update(webhooks)
        .where(webhooks.c.id == hook.id, webhooks.c.status == WebhookStatus.ACTIVE)
        .values(failed)
    )
    if disabling is not None:
        _give_up(transaction, hook)
        if changed.rowcount:
            transaction.record(disabling)
    elif conclusion.quiet_until is not None:
        transaction.connection.execute(
            _waiting_for(hook)
            .where(webhook_deliveries.c.due_at < conclusion.quiet_until)
            .values(due_at=conclusion.quiet_until)
        )


def _give_up(transaction: Transaction, hook: Webhook) -> None:
    transaction.connection.execute(_waiting_for(hook).values(status=DeliveryStatus.FAILED))


def _waiting_for(hook: Webhook) -> Update:
    return update(webhook_deliveries).where(webhook_deliveries.c.webhook_id == hook.id, _WAITING)


def _is(delivery: Delivery) -> Sequence[ColumnElement[bool]]:
    return (
        webhook_deliveries.c.webhook_id == delivery.webhook_id,
        webhook_deliveries.c.event_id == delivery.event_id,
    )
