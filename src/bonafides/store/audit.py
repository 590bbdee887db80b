"""The verbs on the audit trail; what other verbs write, they write through their `Transaction`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from bonafides.model import Actor, AuditEvent, Page, TenantScope
from bonafides.store.listing import page_of, within
from bonafides.store.tables import audit_events
from bonafides.store.transaction import Transaction


def append(transaction: Transaction, event: AuditEvent) -> None:
    """Write an event that changes nothing else."""
    transaction.record(event)


def list_page(
    connection: Connection,
    tenant: TenantScope,
    page: Page,
    action: str | None,
    subject_id: str | None,
    actor_user_id: str | None,
) -> Sequence[AuditEvent]:
    """A page of events, newest first."""
    query = select(audit_events).where(*within(audit_events.c.tenant_id, tenant))
    if action is not None:
        query = query.where(audit_events.c.action == action)
    if subject_id is not None:
        query = query.where(audit_events.c.subject_id == subject_id)
    if actor_user_id is not None:
        query = query.where(audit_events.c.actor_user_id == actor_user_id)
    rows = connection.execute(page_of(query, page, audit_events.c.at, audit_events.c.id))
    return [event_of(row) for row in rows]


def event_of(row: Row[Any]) -> AuditEvent:
    """The event that a whole row of the trail tells of."""
    return AuditEvent(
        row.id,
        row.at,
        row.tenant_id,
        row.action,
        row.subject_kind,
        row.subject_id,
        Actor(
            row.actor_user_id,
            row.actor_credential_id,
            row.actor_via,
            row.actor_request_id,
            row.actor_address,
        ),
        row.details,
    )
