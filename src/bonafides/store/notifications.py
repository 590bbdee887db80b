"""The verbs on which letters people want."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from bonafides.model import AuditEvent, Role, Status, User, UserKind
from bonafides.store.tables import columns_of, notification_settings, users
from bonafides.store.transaction import Transaction

_USER: Final = columns_of(users, User)


def unwanted(connection: Connection, user_ids: Collection[str]) -> Mapping[str, frozenset[str]]:
    """The topics of which these users want no letters; who wants all is left out."""
    settings = notification_settings
    rows = connection.execute(
        select(settings.c.user_id, settings.c.unwanted).where(settings.c.user_id.in_(user_ids))
    )
    return {row.user_id: row.unwanted for row in rows}


def set_unwanted(transaction: Transaction, user_id: str, topics: frozenset[str], event: AuditEvent) -> None:
    """Keep of which topics a user wants no letters."""
    connection = transaction.connection
    insert_into = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    new = insert_into(notification_settings).values(user_id=user_id, unwanted=topics, updated_at=event.at)
    connection.execute(
        new.on_conflict_do_update(
            index_elements=[notification_settings.c.user_id],
            set_={"unwanted": topics, "updated_at": event.at},
        )
    )
    transaction.record(event)


def admins_of(connection: Connection, tenant_id: str, rows_max: int) -> Sequence[User]:
    """Active people with an address who administer a tenant, `rows_max` at most."""
    rows = connection.execute(
        select(*_USER)
        .where(
            users.c.tenant_id == tenant_id,
            users.c.kind == UserKind.PERSON,
            users.c.role.in_((Role.OWNER, Role.ADMIN)),
            users.c.status == Status.ACTIVE,
            users.c.email.is_not(None),
        )
        .order_by(users.c.created_at, users.c.id)
        .limit(rows_max)
    )
    return [User(*row) for row in rows]
