"""The verbs on tenants and their users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, exists, func, insert, or_, select, update

from bonafides.model import (
    UNCHANGED,
    AuditEvent,
    Change,
    ChangeKind,
    Credential,
    DigestedSecret,
    IdempotencyClaim,
    Page,
    Plan,
    Replayed,
    Role,
    Status,
    Tenant,
    TenantChanges,
    TenantScope,
    User,
    UserChanges,
)
from bonafides.store import Clash, Reused, SetUpCode, plans, used_networks
from bonafides.store.claims import release, settle
from bonafides.store.credentials import add as add_credential
from bonafides.store.credentials import revoke_all
from bonafides.store.listing import holding, page_of, within
from bonafides.store.sessions import end_all
from bonafides.store.tables import (
    columns_of,
    credentials,
    one_time_secrets,
    passwords,
    row_of,
    tenants,
    users,
)
from bonafides.store.transaction import Transaction

USER_DELETED: Final = "user deleted"
USER_DISABLED: Final = "user disabled"
TENANT_DELETED: Final = "tenant deleted"

_TENANT: Final = columns_of(tenants, Tenant)
_USER: Final = columns_of(users, User)
_FOUNDING: Final = 0x626F6E61
"""The advisory lock (PostgreSQL) under which an installation is founded."""


def found(  # noqa: PLR0913 - all that an installation begins with
    transaction: Transaction,
    tenant: Tenant,
    user: User,
    password_hash: str,
    credential: Credential,
    secret: DigestedSecret,
    all_plans: Sequence[Plan],
    event: AuditEvent,
    *,
    code: SetUpCode | None,
) -> bool:
    """Create the operator's tenant, its owner, their password, key and code, and the plans, unless a tenant exists."""
    connection = transaction.connection
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_FOUNDING)))
    if is_founded(connection):
        return False
    for plan in all_plans:
        plans.add(transaction, plan)
    connection.execute(insert(tenants), row_of(tenant))
    connection.execute(insert(users), _user_row(user))
    connection.execute(
        insert(passwords),
        {"user_id": user.id, "user_kind": user.kind, "hash": password_hash, "updated_at": event.at},
    )
    add_credential(transaction, credential, secret)
    transaction.record(
        event,
        *(Change(ChangeKind.PLAN, plan.name) for plan in all_plans),
        Change(ChangeKind.TENANT, tenant.id),
        Change(ChangeKind.USER, user.id),
        Change(ChangeKind.CREDENTIAL_CREATED, credential.id),
    )
    if code is not None:
        row = row_of(code.made) | row_of(code.secret) | {"failures": 0, "redeemed_at": None}
        connection.execute(insert(one_time_secrets), row)
        transaction.record(code.event)
    return True


def is_founded(connection: Connection) -> bool:
    """Whether there is a tenant, deleted or not."""
    return bool(connection.scalar(select(exists().select_from(tenants))))


def create_tenant(
    transaction: Transaction, tenant: Tenant, event: AuditEvent, claim: IdempotencyClaim | None
) -> Tenant | Replayed | Reused | Clash:
    """Insert a tenant with a name of its own and a plan that exists."""
    earlier = settle(transaction.connection, claim, event.at)
    if earlier is not None:
        return earlier
    clash = _tenant_clash(transaction.connection, tenant)
    if clash is not None:
        release(transaction.connection, claim)
        return clash
    transaction.connection.execute(insert(tenants), row_of(tenant))
    transaction.record(event, Change(ChangeKind.TENANT, tenant.id))
    return tenant


def find_tenant(connection: Connection, tenant_id: str) -> Tenant | None:
    """The tenant of that id, unless deleted."""
    return _one_tenant(connection, tenants.c.id == tenant_id, lock=False)


def list_tenants(connection: Connection, page: Page) -> Sequence[Tenant]:
    """A page of tenants, newest first."""
    query = select(*_TENANT).where(tenants.c.status != Status.DELETED)
    rows = connection.execute(page_of(query, page, tenants.c.created_at, tenants.c.id))
    return [Tenant(*row) for row in rows]


def change_tenant(
    transaction: Transaction, tenant_id: str, changes: TenantChanges, event: AuditEvent
) -> Tenant | Clash | None:
    """Change a tenant; deleting one revokes its credentials."""
    connection = transaction.connection
    current = _one_tenant(connection, tenants.c.id == tenant_id, lock=True)
    if current is None:
        return None
    wanted = _wanted(changes)
    changed = replace(current, **wanted, updated_at=event.at)
    clash = _tenant_clash(connection, changed)
    if clash is not None:
        return clash
    connection.execute(
        update(tenants).where(tenants.c.id == tenant_id).values(wanted | {"updated_at": event.at})
    )
    revoked: Sequence[Change] = ()
    if changed.status is Status.DELETED:
        revoked = revoke_all(connection, credentials.c.tenant_id == tenant_id, event.at, TENANT_DELETED)
        used_networks.forget(connection, credentials.c.tenant_id == tenant_id)
    transaction.record(event, Change(ChangeKind.TENANT, tenant_id), *revoked)
    return changed


def create_user(
    transaction: Transaction, user: User, event: AuditEvent, claim: IdempotencyClaim | None
) -> User | Replayed | Reused | Clash:
    """Insert a user with an address of their own."""
    earlier = settle(transaction.connection, claim, event.at)
    if earlier is not None:
        return earlier
    if _email_taken(transaction.connection, user):
        release(transaction.connection, claim)
        return Clash("email")
    transaction.connection.execute(insert(users), _user_row(user))
    transaction.record(event, Change(ChangeKind.USER, user.id))
    return user


def find_user(connection: Connection, user_id: str, tenant: TenantScope) -> User | None:
    """The user of that id, if in that tenant and not deleted."""
    return _one_user(connection, user_id, tenant, lock=False)


def list_users(connection: Connection, tenant: TenantScope, page: Page, search: str | None) -> Sequence[User]:
    """A page of users, newest first."""
    query = select(*_USER).where(users.c.status != Status.DELETED, *within(users.c.tenant_id, tenant))
    if search is not None:
        query = query.where(
            or_(holding(users.c.name, search), holding(users.c.email, search), users.c.id == search)
        )
    rows = connection.execute(page_of(query, page, users.c.created_at, users.c.id))
    return [User(*row) for row in rows]


def change_user(
    transaction: Transaction, user_id: str, tenant: TenantScope, changes: UserChanges, event: AuditEvent
) -> User | Clash | None:
    """Change a user; the tenant keeps an active owner, and deleting a user revokes their credentials."""
    connection = transaction.connection
    changed = judged(connection, user_id, tenant, changes, event.at)
    if not isinstance(changed, User):
        return changed
    wanted = _wanted(changes)
    if "email" in wanted:
        wanted["email_folded"] = _folded(changed.email)
    connection.execute(update(users).where(users.c.id == user_id).values(wanted | {"updated_at": event.at}))
    revoked: Sequence[Change] = ()
    if changed.status is Status.DELETED:
        revoked = revoke_all(connection, credentials.c.user_id == user_id, event.at, USER_DELETED)
        used_networks.forget(connection, credentials.c.user_id == user_id)
    elif changed.status is not Status.ACTIVE:
        # Whoever is enabled again logs in again; keys, which only a person could make anew, wait.
        _, revoked = end_all(connection, user_id, event.at, USER_DISABLED)
    transaction.record(event, Change(ChangeKind.USER, user_id), *revoked)
    return changed


def judged(
    connection: Connection, user_id: str, tenant: TenantScope, changes: UserChanges, at: datetime
) -> User | Clash | None:
    """The user as these changes would leave them, or why not; what that rests on stays so until the commit."""
    # Held until the commit: of two owners who step down at once, the second sees that the first did.
    _one_tenant(
        connection,
        tenants.c.id == select(users.c.tenant_id).where(users.c.id == user_id).scalar_subquery(),
        lock=True,
    )
    current = _one_user(connection, user_id, tenant, lock=True)
    if current is None:
        return None
    changed = replace(current, **_wanted(changes), updated_at=at)
    if _email_taken(connection, changed):
        return Clash("email")
    if _leads(current) and not _leads(changed) and not _has_other_owner(connection, current):
        return Clash("owner")
    return changed


def _one_tenant(connection: Connection, which: ColumnElement[bool], *, lock: bool) -> Tenant | None:
    query = select(*_TENANT).where(which, tenants.c.status != Status.DELETED)
    # NO KEY UPDATE: inserts that refer to the tenant need not wait.
    row = connection.execute(query.with_for_update(key_share=True) if lock else query).one_or_none()
    return None if row is None else Tenant(*row)


def _one_user(connection: Connection, user_id: str, tenant: TenantScope, *, lock: bool) -> User | None:
    query = select(*_USER).where(
        users.c.id == user_id, users.c.status != Status.DELETED, *within(users.c.tenant_id, tenant)
    )
    row = connection.execute(query.with_for_update(key_share=True) if lock else query).one_or_none()
    return None if row is None else User(*row)


def _tenant_clash(connection: Connection, tenant: Tenant) -> Clash | None:
    if tenant.operator and tenant.status is not Status.ACTIVE:
        return Clash("operator")
    namesake = exists().where(
        tenants.c.name == tenant.name, tenants.c.status != Status.DELETED, tenants.c.id != tenant.id
    )
    if tenant.status is not Status.DELETED and connection.scalar(select(namesake)):
        return Clash("name")
    return None if plans.find(connection, tenant.plan) else Clash("plan")


def _email_taken(connection: Connection, user: User) -> bool:
    if user.email is None or user.status is Status.DELETED:
        return False
    namesake = exists().where(
        users.c.tenant_id == user.tenant_id,
        users.c.email_folded == _folded(user.email),
        users.c.status != Status.DELETED,
        users.c.id != user.id,
    )
    return bool(connection.scalar(select(namesake)))


def _leads(user: User) -> bool:
    return user.role is Role.OWNER and user.status is Status.ACTIVE


def _has_other_owner(connection: Connection, user: User) -> bool:
    other = exists().where(
        users.c.tenant_id == user.tenant_id,
        users.c.role == Role.OWNER,
        users.c.status == Status.ACTIVE,
        users.c.id != user.id,
    )
    return bool(connection.scalar(select(other)))


def _user_row(user: User) -> dict[str, Any]:
    return row_of(user) | {"email_folded": _folded(user.email)}


def _folded(email: str | None) -> str | None:
    return None if email is None else email.casefold()


def _wanted(changes: TenantChanges | UserChanges) -> dict[str, Any]:
    return {name: value for name, value in row_of(changes).items() if value is not UNCHANGED}
