"""Which webhooks are told of the events of a transaction, found in that transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection

from bonafides.model import AuditEvent, to_datetime
from bonafides.store.columns import scopes
from bonafides.store.prepared import fetch
from bonafides.webhook import EVERY_EVENT, TESTED, Delivery, DeliveryStatus

# Asked in each transaction, and mostly finds nobody.
_TOLD: Final = {
    "sqlite": """
        SELECT id, tenant_id, events, quiet_until FROM webhooks
        WHERE tenant_id IN (SELECT value FROM json_each(?1))
            AND (status = 'active' OR id IN (SELECT value FROM json_each(?2)))
    """,
    "postgresql": """
        SELECT id, tenant_id, events, quiet_until FROM webhooks
        WHERE tenant_id = ANY ($1::text[]) AND (status = 'active' OR id = ANY ($2::text[]))
    """,
}

_WHOEVER_TESTS_FIRST: Final = timedelta(seconds=60)
"""Whoever sends a test takes it up themselves, to tell what came of it; others only where that process died."""


def deliveries_of(connection: Connection, events: Sequence[AuditEvent]) -> Iterator[Delivery]:
    """What webhooks are to be told; one question to the database, however many events there are.

    Args:
        connection: Of the transaction that the events are written in.
        events: That are written in it.
    """
    if not events:
        return
    tested = sorted({event.subject_id for event in events if event.action == TESTED})
    tenants = sorted({event.tenant_id for event in events})
    for hook_id, tenant_id, patterns, quiet_until in fetch(connection, _TOLD, tenants, tested):
        for event in events:
            if event.action == TESTED:
                if event.subject_id == hook_id:
                    yield _delivery(hook_id, event, event.at + _WHOEVER_TESTS_FIRST)
            elif tenant_id == event.tenant_id and _chosen(scopes(patterns) or frozenset(), event):
                quiet = event.at if quiet_until is None else to_datetime(quiet_until)
                yield _delivery(hook_id, event, max(event.at, quiet))


def _chosen(patterns: frozenset[str], event: AuditEvent) -> bool:
    return not patterns.isdisjoint((EVERY_EVENT, event.action, f"{event.subject_kind}.*"))


def _delivery(webhook_id: str, event: AuditEvent, due_at: Any) -> Delivery:  # noqa: ANN401 - a column's
    return Delivery(webhook_id, event.id, event.action, DeliveryStatus.WAITING, event.at, due_at, 0)
