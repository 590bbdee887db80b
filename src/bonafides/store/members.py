"""Who calls: a tenant and a user of it, read on every call of the control plane.

The statement is built once and goes to the driver as text, for as many callers as ask at the same time.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ARRAY, ColumnElement, Select, Text, and_, bindparam, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from bonafides.model import Status, Tenant, User
from bonafides.store.database import Question, Row
from bonafides.store.lookup import statement
from bonafides.store.prepared import reader_of
from bonafides.store.tables import columns_of, tenants, users

Member = tuple[Tenant | None, User | None]

_TENANT: Final = columns_of(tenants, Tenant)
_USER: Final = columns_of(users, User)


def _member(query: Select[Any], user_id: ColumnElement[Any], tenant_id: ColumnElement[Any]) -> Select[Any]:
    """The query, with the tenant and, if that user is in it, the user."""
    of_user = and_(users.c.id == user_id, users.c.tenant_id == tenants.c.id)
    return (
        query.add_columns(*_TENANT, *_USER).join(tenants, tenants.c.id == tenant_id).outerjoin(users, of_user)
    )


def _question() -> Question:
    lists = (bindparam("user_ids", type_=ARRAY(Text)), bindparam("tenant_ids", type_=ARRAY(Text)))
    asked = func.unnest(*lists).table_valued("user_id", "tenant_id").render_derived()
    given = select(
        bindparam("user_id", type_=Text).label("user_id"),
        bindparam("tenant_id", type_=Text).label("tenant_id"),
    ).subquery()
    return Question(
        one=statement(
            _member(select().select_from(given), given.c.user_id, given.c.tenant_id), sqlite.dialect()
        ),
        many=statement(
            _member(select(*asked.c).select_from(asked), asked.c.user_id, asked.c.tenant_id),
            PGDialect_asyncpg(),  # type: ignore[no-untyped-call]
        ),
    )


MEMBER: Final = _question()
_read: Final = reader_of((*_TENANT, *_USER))


def member_of(row: Row) -> Member:
    """The tenant and, in it, the user; neither if deleted."""
    values = _read(row)
    tenant = Tenant(*values[: len(_TENANT)])
    if tenant.status is Status.DELETED:
        return None, None
    of_user = values[len(_TENANT) :]
    user = None if of_user[0] is None else User(*of_user)
    return tenant, None if user is None or user.status is Status.DELETED else user
