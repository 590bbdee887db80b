"""Which webhooks are told of the events of a transaction, found in that transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, or_, select

from bonafides.store.tables import webhooks
from bonafides.webhook import EVERY_EVENT, TESTED, Delivery, DeliveryStatus, WebhookStatus

# Built once: each transaction asks it, and most find nobody.
_TOLD: Final = select(webhooks.c.id, webhooks.c.tenant_id, webhooks.c.events, webhooks.c.quiet_until).where(
    webhooks.c.tenant_id.in_(bindparam("tenants", expanding=True)),
    or_(webhooks.c.status == WebhookStatus.ACTIVE, webhooks.c.id.in_(bindparam("tested", expanding=True))),
)

_WHOEVER_TESTS_FIRST: Final = timedelta(seconds=60)
"""Whoever sends a test takes it up themselves, to tell what came of it; others only where that process died."""


def deliveries_of(connection: Connection, events: Sequence[Mapping[str, Any]]) -> Iterator[Delivery]:
    """What webhooks are to be told; one question to the database, however many events there are.

    Args:
        connection: Of the transaction that the events are written in.
        events: Rows of the audit trail.
    """
    if not events:
        return
    tested = sorted({event["subject_id"] for event in events if event["action"] == TESTED})
    tenants = sorted({event["tenant_id"] for event in events})
    for hook in connection.execute(_TOLD, {"tenants": tenants, "tested": tested}).all():
        for event in events:
            if event["action"] == TESTED:
                if event["subject_id"] == hook.id:
                    yield _delivery(hook.id, event, event["at"] + _WHOEVER_TESTS_FIRST)
            elif hook.tenant_id == event["tenant_id"] and _chosen(hook.events, event):
                yield _delivery(hook.id, event, max(event["at"], hook.quiet_until or event["at"]))


def _chosen(patterns: frozenset[str], event: Mapping[str, Any]) -> bool:
    return not patterns.isdisjoint((EVERY_EVENT, event["action"], f"{event['subject_kind']}.*"))


def _delivery(webhook_id: str, event: Mapping[str, Any], due_at: Any) -> Delivery:  # noqa: ANN401 - a column's
    return Delivery(webhook_id, event["id"], event["action"], DeliveryStatus.WAITING, event["at"], due_at, 0)
