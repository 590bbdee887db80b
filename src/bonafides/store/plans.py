"""The verbs on plans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, delete, exists, insert, or_, select, update

from bonafides.model import (
    AuditEvent,
    Change,
    ChangeKind,
    CredentialStatus,
    IdempotencyClaim,
    Page,
    Plan,
    Replayed,
    Status,
)
from bonafides.store import Clash, Reused
from bonafides.store.claims import settle
from bonafides.store.listing import page_of
from bonafides.store.tables import columns_of, credentials, plans, row_of, tenants
from bonafides.store.transaction import Transaction

_COLUMNS: Final = columns_of(plans, Plan)


def put(
    transaction: Transaction, plan: Plan, event: AuditEvent, claim: IdempotencyClaim | None
) -> bool | Replayed | Reused:
    """Create a plan (True), or replace the figures of the one with that name (False)."""
    earlier = settle(transaction.connection, claim, event.at)
    if earlier is not None:
        return earlier
    figures = row_of(plan)
    del figures["created_at"]
    replaced = transaction.connection.execute(update(plans).where(plans.c.name == plan.name).values(figures))
    created = replaced.rowcount == 0
    if created:
        add(transaction, plan)
    transaction.record(event, Change(ChangeKind.PLAN, plan.name))
    return created


def add(transaction: Transaction, plan: Plan) -> None:
    """Insert the row alone; the caller records it."""
    transaction.connection.execute(insert(plans), row_of(plan))


def find(connection: Connection, name: str) -> Plan | None:
    """The plan of that name."""
    row = connection.execute(select(*_COLUMNS).where(plans.c.name == name)).one_or_none()
    return None if row is None else Plan(*row)


def list_page(connection: Connection, page: Page) -> Sequence[Plan]:
    """A page of plans, newest first."""
    rows = connection.execute(page_of(select(*_COLUMNS), page, plans.c.created_at, plans.c.name))
    return [Plan(*row) for row in rows]


def remove(transaction: Transaction, name: str, event: AuditEvent) -> bool | Clash:
    """Delete a plan that nothing alive names."""
    connection = transaction.connection
    # The lock makes whoever is about to name the plan wait, and then fail on the foreign key.
    found = connection.execute(select(plans.c.name).where(plans.c.name == name).with_for_update())
    if found.one_or_none() is None:
        return False
    in_use = or_(
        exists().where(tenants.c.plan == name, tenants.c.status != Status.DELETED),
        exists().where(credentials.c.plan == name, credentials.c.status != CredentialStatus.REVOKED),
    )
    if connection.scalar(select(in_use)):
        return Clash("plan in use")
    connection.execute(delete(plans).where(plans.c.name == name))
    transaction.record(event, Change(ChangeKind.PLAN, name))
    return True
