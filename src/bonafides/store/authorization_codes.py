"""The verbs on authorization codes."""

from __future__ import annotations

from sqlalchemy import insert

from bonafides.delegation import AuthorizationCode
from bonafides.model import AuditEvent, DigestedSecret
from bonafides.store.tables import authorization_codes, row_of
from bonafides.store.transaction import Transaction


def add(transaction: Transaction, code: AuthorizationCode, secret: DigestedSecret, event: AuditEvent) -> None:
    """Keep a code that was just made, with all that it was asked for and given with."""
    transaction.connection.execute(insert(authorization_codes), row_of(code) | row_of(secret))
    transaction.record(event)
