"""The verbs on what people have let clients do: remembered, seen, and taken back with all that came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, delete, func, insert, or_, select, update

from bonafides.delegation import Consent, EndedLogin, Grant, SeenConsent, SeenGrant
from bonafides.model import AuditEvent, CredentialStatus, Page, Status, TenantScope
from bonafides.store.credentials import revoke_all
from bonafides.store.listing import page_of, within
from bonafides.store.tables import clients, columns_of, consents, credentials, grants, row_of, users
from bonafides.store.transaction import Transaction

WITHDRAWN: Final = "consent withdrawn"

_CONSENT: Final = columns_of(consents, Consent)
_GRANT: Final = columns_of(grants, Grant)


def find(connection: Connection, user_id: str, client_id: str) -> Consent | None:
    """What a user has let a client do."""
    row = connection.execute(
        select(*_CONSENT).where(consents.c.user_id == user_id, consents.c.client_id == client_id)
    ).one_or_none()
    return None if row is None else Consent(*row)


def give(transaction: Transaction, given: Consent, event: AuditEvent) -> Consent:
    """Remember what a user lets a client do, beside what they have let it do before.

    The user's row is held, so that of two consents at once none is lost.
    """
    connection = transaction.connection
    connection.execute(select(users.c.id).where(users.c.id == given.user_id).with_for_update(key_share=True))
    known = find(connection, given.user_id, given.client_id)
    transaction.record(event)
    if known is None:
        connection.execute(insert(consents), row_of(given))
        return given
    whole = replace(
        known,
        scopes=known.scopes | given.scopes,
        resources=tuple(dict.fromkeys((*known.resources, *given.resources))),
        updated_at=given.updated_at,
    )
    connection.execute(update(consents).where(consents.c.id == known.id).values(row_of(whole)))
    return whole


def get(connection: Connection, consent_id: str, tenant: TenantScope) -> SeenConsent | None:
    """The consent of that id, if it is in that tenant."""
    row = connection.execute(_seen_consents(tenant).where(consents.c.id == consent_id)).one_or_none()
    return None if row is None else _seen_consent(row)


def list_page(
    connection: Connection, tenant: TenantScope, page: Page, user_id: str | None, client_id: str | None
) -> Sequence[SeenConsent]:
    """A page of consents, newest first."""
    query = _seen_consents(tenant)
    if user_id is not None:
        query = query.where(consents.c.user_id == user_id)
    if client_id is not None:
        query = query.where(consents.c.client_id == client_id)
    rows = connection.execute(page_of(query, page, consents.c.created_at, consents.c.id))
    return [_seen_consent(row) for row in rows]


def withdraw(transaction: Transaction, consent_id: str, tenant: TenantScope, event: AuditEvent) -> bool:
    """Forget a consent, and end every grant that its user has given the client, with all tokens of them."""
    connection = transaction.connection
    row = connection.execute(
        delete(consents)
        .where(consents.c.id == consent_id, *within(consents.c.tenant_id, tenant))
        .returning(consents.c.user_id, consents.c.client_id)
    ).one_or_none()
    if row is None:
        return False
    given = select(grants.c.id).where(grants.c.user_id == row.user_id, grants.c.client_id == row.client_id)
    ended = revoke_all(connection, credentials.c.root_id.in_(given), event.at, WITHDRAWN)
    transaction.record(event, *ended)
    return True


def find_grant(connection: Connection, grant_id: str, tenant: TenantScope, now: datetime) -> SeenGrant | None:
    """The grant of that id, if it is in that tenant and has not ended."""
    row = connection.execute(_seen_grants(tenant, now).where(grants.c.id == grant_id)).one_or_none()
    return None if row is None else _seen_grant(row)


def list_grants(
    connection: Connection,
    tenant: TenantScope,
    page: Page,
    user_id: str | None,
    client_id: str | None,
    now: datetime,
) -> Sequence[SeenGrant]:
    """A page of grants that have not ended, newest first."""
    query = _seen_grants(tenant, now)
    if user_id is not None:
        query = query.where(grants.c.user_id == user_id)
    if client_id is not None:
        query = query.where(grants.c.client_id == client_id)
    rows = connection.execute(page_of(query, page, grants.c.created_at, grants.c.id))
    return [_seen_grant(row) for row in rows]


def list_ended_logins(connection: Connection, changed: Sequence[str]) -> Sequence[EndedLogin]:
    """The logins among these sessions that are revoked, and those of users among these who are not active any more."""
    query = (
        select(grants.c.client_id, grants.c.user_id, grants.c.session_id)
        .distinct()
        .join_from(grants, users, users.c.id == grants.c.user_id)
        .join(credentials, credentials.c.id == grants.c.session_id)
        .where(
            or_(
                and_(grants.c.session_id.in_(changed), credentials.c.status == CredentialStatus.REVOKED),
                and_(grants.c.user_id.in_(changed), users.c.status != Status.ACTIVE),
            )
        )
    )
    return [EndedLogin(*row) for row in connection.execute(query)]


def _seen_consents(tenant: TenantScope) -> Select[Any]:
    return (
        select(clients.c.name, *_CONSENT)
        .join_from(consents, clients, clients.c.id == consents.c.client_id)
        .where(*within(consents.c.tenant_id, tenant))
    )


def _seen_consent(row: Any) -> SeenConsent:  # noqa: ANN401 - a row
    name, *consent = row
    return SeenConsent(Consent(*consent), name)


def _seen_grants(tenant: TenantScope, now: datetime) -> Select[Any]:
    tokens = credentials.alias("tokens")
    last_used = select(func.max(tokens.c.last_used_at)).where(tokens.c.root_id == grants.c.id)
    return (
        select(clients.c.name, last_used.scalar_subquery(), *_GRANT)
        .join_from(grants, credentials, credentials.c.id == grants.c.id)
        .join(clients, clients.c.id == grants.c.client_id)
        .where(
            credentials.c.status != CredentialStatus.REVOKED,
            grants.c.ends_at > now,
            *within(grants.c.tenant_id, tenant),
        )
    )


def _seen_grant(row: Any) -> SeenGrant:  # noqa: ANN401 - a row
    name, last_used_at, *grant = row
    return SeenGrant(Grant(*grant), name, last_used_at)
