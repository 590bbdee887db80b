"""The verbs on signing keys: read together, and changed together or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, case, delete, func, insert, select

from bonafides.model import AuditEvent, Change, ChangeKind, SigningKey, SigningKeyStatus
from bonafides.store.tables import columns_of, row_of, signing_keys, tenants
from bonafides.store.transaction import Transaction

_COLUMNS: Final = columns_of(signing_keys, SigningKey)
_ORDER: Final = case(
    {SigningKeyStatus.CURRENT: 0, SigningKeyStatus.NEXT: 1, SigningKeyStatus.BESIDE: 2},
    value=signing_keys.c.status,
    else_=3,
)
_REPLACING: Final = 0x626F6E6B
"""The advisory lock (PostgreSQL) under which keys are replaced."""


def list_all(connection: Connection) -> Sequence[SigningKey]:
    """The current key, the next one, those of other algorithms, then those retired, the latest first."""
    query = select(*_COLUMNS).order_by(
        _ORDER, signing_keys.c.retired_at.desc(), signing_keys.c.created_at, signing_keys.c.kid
    )
    return [SigningKey(*row) for row in connection.execute(query)]


def replace_all(
    transaction: Transaction, seen: Sequence[SigningKey], keys: Sequence[SigningKey], event: AuditEvent
) -> bool:
    """Put these in place of those seen, if those are still all there are."""
    connection = transaction.connection
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_REPLACING)))
    if set(map(_state, list_all(connection))) != set(map(_state, seen)):
        return False
    connection.execute(delete(signing_keys))
    connection.execute(insert(signing_keys), [row_of(key) for key in keys])
    transaction.record(event, *(Change(ChangeKind.SIGNING_KEY, key.kid) for key in keys))
    return True


def operator_tenant_id(connection: Connection) -> str:
    """The operator's tenant, which there is since the first run."""
    found: str = connection.execute(select(tenants.c.id).where(tenants.c.operator)).scalar_one()
    return found


def _state(key: SigningKey) -> tuple[str, SigningKeyStatus, str]:
    return key.kid, key.status, key.pepper_id
