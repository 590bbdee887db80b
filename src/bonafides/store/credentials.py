"""The verbs on credentials: what each does in its transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)

from bonafides.model import (
    TOKEN_KINDS,
    UNCHANGED,
    AuditEvent,
    Change,
    ChangeKind,
    Credential,
    CredentialChanges,
    CredentialFilter,
    CredentialStatus,
    DigestedSecret,
    IdempotencyClaim,
    Page,
    Plan,
    Replayed,
    TenantScope,
    to_micros,
)
from bonafides.store import Reused, used_networks
from bonafides.store.claims import release, settle
from bonafides.store.columns import Moment
from bonafides.store.listing import holding, page_of, within
from bonafides.store.prepared import Form
from bonafides.store.tables import columns_of, credentials, plans, row_of, tenants
from bonafides.store.transaction import Transaction
from bonafides.store.used_scopes import has_spare

PARENT_REVOKED: Final = "parent revoked"

_NOTE_USE: Final = {
    "sqlite": """
        UPDATE credentials SET last_used_at = ?2
        WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)
    """,
    "postgresql": """
        UPDATE credentials SET last_used_at = $2::bigint
        WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2::bigint)
    """,
}

_COLUMNS: Final = columns_of(credentials, Credential)
_CREDENTIAL: Final = Form(
    credentials,
    {name: name for name in Credential.__slots__},
    {name: name for name in DigestedSecret.__slots__},
)
_PLAN_COLUMNS: Final = columns_of(plans, Plan)


def create(
    transaction: Transaction,
    credential: Credential,
    secret: DigestedSecret,
    event: AuditEvent,
    claim: IdempotencyClaim | None,
) -> Credential | Replayed | Reused:
    """Insert a credential, unless the claim says that this was done before."""
    earlier = settle(transaction.connection, claim, event.at)
    if earlier is not None:
        return earlier
    add(transaction, credential, secret)
    transaction.record(event, Change(ChangeKind.CREDENTIAL_CREATED, credential.id))
    return credential


def add(transaction: Transaction, credential: Credential, secret: DigestedSecret) -> None:
    """Insert the row alone; the caller records it."""
    transaction.add(_CREDENTIAL, credential, secret)


def find(connection: Connection, credential_id: str, tenant: TenantScope) -> Credential | None:
    """The credential of that id, if it is in that tenant."""
    return _one(connection, credential_id, tenant, lock=False)


def find_with_plan(connection: Connection, credential_id: str) -> tuple[Credential, Plan] | None:
    """The credential of that id, and the plan that binds it."""
    row = connection.execute(
        select(*_COLUMNS, *_PLAN_COLUMNS)
        .join_from(credentials, tenants, tenants.c.id == credentials.c.tenant_id)
        .join(plans, plans.c.name == func.coalesce(credentials.c.plan, tenants.c.plan))
        .where(credentials.c.id == credential_id)
    ).one_or_none()
    if row is None:
        return None
    return Credential(*row[: len(_COLUMNS)]), Plan(*row[len(_COLUMNS) :])


def lineage(connection: Connection, root_id: str, rows_max: int) -> Sequence[Credential]:
    """A root and what was made from it, oldest first, `rows_max` of them at most."""
    family = credentials.alias("family")
    below = select(credentials.c.id).where(credentials.c.id == root_id).cte("below", recursive=True)
    below = below.union_all(select(family.c.id).join(below, family.c.parent_id == below.c.id))
    rows = connection.execute(
        select(*_COLUMNS)
        .where(credentials.c.id.in_(select(below.c.id)))
        .order_by(credentials.c.created_at, credentials.c.id)
        .limit(rows_max)
    )
    return [Credential(*row) for row in rows]


def prune_tokens(transaction: Transaction, before: datetime, rows_max: int) -> int:
    """Forget tokens that ended before a moment and from which nothing was made; how many."""
    children = credentials.alias("children")
    ended = (
        select(credentials.c.id)
        .where(
            credentials.c.kind.in_(TOKEN_KINDS),
            credentials.c.expires_at < before,
            ~exists().where(children.c.parent_id == credentials.c.id),
        )
        .limit(rows_max)
    )
    return transaction.connection.execute(delete(credentials).where(credentials.c.id.in_(ended))).rowcount


def _of_use(tenant: TenantScope, which: CredentialFilter) -> Iterator[ColumnElement[bool]]:
    """The conditions of a list that are about what credentials were needed for, and where."""
    if which.spare_before is not None:
        yield from has_spare(which.spare_before)
    if which.unbound:
        yield credentials.c.allowed_ips == literal((), credentials.c.allowed_ips.type)
    if which.networks is not None:
        yield credentials.c.id.in_(used_networks.keys_on(tenant, which.networks))


def list_page(
    connection: Connection, tenant: TenantScope, page: Page, which: CredentialFilter
) -> Sequence[Credential]:
    """A page of credentials, newest first."""
    query = select(*_COLUMNS).where(
        credentials.c.kind == which.kind, *within(credentials.c.tenant_id, tenant)
    )
    for name in ("user_id", "parent_id", "status"):
        if getattr(which, name) is not None:
            query = query.where(credentials.c[name] == getattr(which, name))
    ends = (credentials.c.expires_at, credentials.c.overlap_ends_at)
    if which.ended_at is not None:
        query = query.where(or_(*(end <= which.ended_at for end in ends)))
    if which.lasting_at is not None:
        query = query.where(*(or_(end.is_(None), end > which.lasting_at) for end in ends))
    if which.created_before is not None:
        query = query.where(credentials.c.created_at < which.created_before)
    if which.used_before is not None:
        query = query.where(credentials.c.last_used_at < which.used_before)
    if which.never_used:
        query = query.where(credentials.c.last_used_at.is_(None))
    if which.endless:
        query = query.where(credentials.c.expires_at.is_(None))
    query = query.where(*_of_use(tenant, which))
    if which.search is not None:
        query = query.where(
            or_(
                holding(credentials.c.name, which.search),
                holding(credentials.c.display, which.search),
                credentials.c.id == which.search,
            )
        )
    rows = connection.execute(page_of(query, page, credentials.c.created_at, credentials.c.id))
    return [Credential(*row) for row in rows]


def change(
    transaction: Transaction,
    credential_id: str,
    tenant: TenantScope,
    changes: CredentialChanges,
    event: AuditEvent,
) -> Credential | None:
    """Change fields of a credential that is not revoked."""
    current = _one(transaction.connection, credential_id, tenant, lock=True)
    if current is None or current.status is CredentialStatus.REVOKED:
        return None
    wanted = {name: value for name, value in row_of(changes).items() if value is not UNCHANGED}
    changed = replace(current, **wanted)
    if changed.overlap_ends_at is not None:
        # An overlap ends with its key at the latest, whichever of the two was moved.
        wanted["overlap_ends_at"] = changed.ends_at
    changed = _update(transaction.connection, current, **wanted, updated_at=event.at)
    below = made_from(current.id, event.at)
    if changed.plan != current.plan:
        tokens = credentials.c.kind.in_(TOKEN_KINDS)
        transaction.connection.execute(
            update(credentials).where(credentials.c.id.in_(below), tokens).values(plan=changed.plan)
        )
    transaction.record(event, *outdating(current.id, *transaction.connection.scalars(below)))
    return changed


def rotate(
    transaction: Transaction,
    predecessor_id: str,
    overlap_ends_at: datetime,
    successor: Credential,
    secret: DigestedSecret,
    event: AuditEvent,
    claim: IdempotencyClaim | None,
) -> Credential | Replayed | Reused | None:
    """End the predecessor's overlap and insert the successor.

    Spending precedes minting: the one conditional UPDATE decides which of several rotations succeeds.
    """
    connection = transaction.connection
    earlier = settle(connection, claim, event.at)
    if earlier is not None:
        return earlier
    own_end = credentials.c.expires_at
    overlap_end = literal(overlap_ends_at, Moment)
    rotated = connection.execute(
        update(credentials)
        .where(
            credentials.c.id == predecessor_id,
            credentials.c.tenant_id == successor.tenant_id,
            credentials.c.status == CredentialStatus.ACTIVE,
            credentials.c.overlap_ends_at.is_(None),
            or_(own_end.is_(None), own_end > event.at),
        )
        .values(
            overlap_ends_at=case((own_end < overlap_end, own_end), else_=overlap_end),
            updated_at=event.at,
        )
    )
    if rotated.rowcount == 0:
        release(connection, claim)
        return None
    add(transaction, successor, secret)
    outdated = outdating(predecessor_id, *connection.scalars(made_from(predecessor_id, event.at)))
    transaction.record(event, *outdated, Change(ChangeKind.CREDENTIAL_CREATED, successor.id))
    return successor


def set_status(
    transaction: Transaction,
    credential_id: str,
    tenant: TenantScope,
    status: CredentialStatus,
    event: AuditEvent,
    reason: str | None,
) -> Credential | None:
    """Disable, enable, or revoke with every descendant."""
    connection = transaction.connection
    current = _one(connection, credential_id, tenant, lock=True)
    if current is None or current.status is status:
        return current
    if current.status is CredentialStatus.REVOKED:
        return None
    below = made_from(current.id, event.at)
    transaction.record(event, *outdating(current.id, *connection.scalars(below)))
    if status is not CredentialStatus.REVOKED:
        return _update(connection, current, status=status, updated_at=event.at)
    revoke_all(connection, credentials.c.id.in_(below), event.at, PARENT_REVOKED)
    return _update(
        connection, current, status=status, updated_at=event.at, revoked_at=event.at, revocation_reason=reason
    )


def revoke_all(
    connection: Connection, which: ColumnElement[bool], at: datetime, reason: str
) -> Sequence[Change]:
    """Revoke every credential that is not yet revoked; what the caller has to record of it."""
    revoked = connection.scalars(
        update(credentials)
        .where(which, credentials.c.status != CredentialStatus.REVOKED)
        .values(status=CredentialStatus.REVOKED, revoked_at=at, revocation_reason=reason, updated_at=at)
        .returning(credentials.c.id)
    )
    return outdating(*revoked)


def record_use(
    transaction: Transaction, last_used: Mapping[str, datetime], redigested: Mapping[str, DigestedSecret]
) -> None:
    """Write last uses, never moving one back, and digests under the newest pepper."""
    # Every process locks the rows in the same order, so that two of them never wait for each other.
    if last_used:
        # Past SQLAlchemy, which takes longer than the rows themselves: a server may use thousands a second.
        transaction.connection.exec_driver_sql(
            _NOTE_USE[transaction.connection.dialect.name],
            [(key, to_micros(moment)) for key, moment in sorted(last_used.items())],
        )
    if redigested:
        other = credentials.alias("other")
        taken = exists().where(other.c.digest == bindparam("new_digest"))
        transaction.connection.execute(
            update(credentials)
            # One key that was imported in two forms is two credentials, and one of them stays as it is.
            .where(credentials.c.id == bindparam("which"), ~taken)
            .values(digest=bindparam("new_digest"), pepper_id=bindparam("new_pepper")),
            [
                {"which": key, "new_digest": secret.digest, "new_pepper": secret.pepper_id}
                for key, secret in sorted(redigested.items())
            ],
        )


def _one(connection: Connection, credential_id: str, tenant: TenantScope, *, lock: bool) -> Credential | None:
    query = select(*_COLUMNS).where(
        credentials.c.id == credential_id, *within(credentials.c.tenant_id, tenant)
    )
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else Credential(*row)


def _update(connection: Connection, current: Credential, **columns: Any) -> Credential:  # noqa: ANN401
    connection.execute(update(credentials).where(credentials.c.id == current.id).values(columns))
    return replace(current, **columns)


def made_from(credential_id: str, at: datetime) -> Select[tuple[str]]:
    """The ids of everything that was made from a credential, but for tokens that had ended by then."""

    def lasting(child: FromClause) -> ColumnElement[bool]:
        return or_(child.c.kind.not_in(TOKEN_KINDS), child.c.expires_at.is_(None), child.c.expires_at > at)

    children = credentials.alias("children")
    below = (
        select(credentials.c.id)
        .where(credentials.c.parent_id == credential_id, lasting(credentials))
        .cte("below", recursive=True)
    )
    below = below.union_all(
        select(children.c.id).join(below, children.c.parent_id == below.c.id).where(lasting(children))
    )
    return select(below.c.id)


def outdating(*credential_ids: str) -> Sequence[Change]:
    """What is to be recorded where these credentials are no longer what memory knows."""
    return [Change(ChangeKind.CREDENTIAL, credential_id) for credential_id in credential_ids]
