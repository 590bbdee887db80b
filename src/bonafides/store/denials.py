"""The verbs on denials: why requests were refused, for a day, and how what they depended on stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite

from bonafides.model import Check, CredentialKind, Denial, Link, Reason, Standing, TenantScope
from bonafides.store.listing import within
from bonafides.store.tables import columns_of, credentials, denials, row_of, tenants, users
from bonafides.store.transaction import Transaction

_COLUMNS: Final = columns_of(denials, Denial)
_LINK: Final = columns_of(credentials, Link)


def standings(connection: Connection, credential_ids: Sequence[str]) -> Mapping[str, Standing]:
    """How credentials stand, with their users, tenants and ancestors."""
    own = credentials.alias("own")
    above = (
        select(own.c.id.label("of"), own.c.id, own.c.parent_id, literal_column("0").label("depth"))
        .where(own.c.id.in_(credential_ids))
        .cte("above", recursive=True)
    )
    parent = credentials.alias("parent")
    above = above.union_all(
        select(above.c.of, parent.c.id, parent.c.parent_id, above.c.depth + 1).join(
            above, parent.c.id == above.c.parent_id
        )
    )
    rows = connection.execute(
        select(above.c.of, users.c.status, tenants.c.status, *_LINK)
        .join_from(above, credentials, credentials.c.id == above.c.id)
        .join(users, users.c.id == credentials.c.user_id)
        .join(tenants, tenants.c.id == credentials.c.tenant_id)
        .order_by(above.c.of, above.c.depth)
    )
    found: dict[str, Standing] = {}
    for of, user_status, tenant_status, *link in rows:
        before = found.get(of)
        links = () if before is None else before.links
        # Whoever made it from another's may have been somebody else: the nearest user is its own.
        statuses = (
            (user_status, tenant_status) if before is None else (before.user_status, before.tenant_status)
        )
        found[of] = Standing((*links, Link(*link)), *statuses)
    return found


def record(transaction: Transaction, refused: Sequence[Denial]) -> None:
    """Write denials; those that are there already, because a commit was in doubt, stay as they are."""
    connection = transaction.connection
    connection.execute(_INSERT[connection.dialect.name], [row_of(denial) for denial in refused])


def find(connection: Connection, request_id: str, tenant: TenantScope, since: datetime) -> Denial | None:
    """The denial of a request, if it is that tenant's."""
    row = connection.execute(
        select(*_COLUMNS).where(
            denials.c.request_id == request_id,
            denials.c.at >= since,
            *within(denials.c.tenant_id, tenant),
        )
    ).one_or_none()
    if row is None:
        return None
    request_id, at, tenant_id, user_id, credential_id, kind, reason, refused_by, figures = row
    return Denial(
        request_id,
        at,
        tenant_id,
        user_id,
        credential_id,
        None if kind is None else CredentialKind(kind),
        Reason(reason),
        Check(refused_by),
        figures,
    )


def prune(transaction: Transaction, before: datetime, rows_max: int) -> int:
    """Forget the oldest denials, so many at a time that nobody waits long for the lock."""
    outdated = (
        select(denials.c.request_id).where(denials.c.at < before).order_by(denials.c.at).limit(rows_max)
    )
    return transaction.connection.execute(delete(denials).where(denials.c.request_id.in_(outdated))).rowcount


_INSERT: Final = {
    "sqlite": sqlite.insert(denials).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(denials).on_conflict_do_nothing(),
}
