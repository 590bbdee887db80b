"""The verbs on registration: who may register a client, and a client that shows that it is itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, delete, insert, or_, select, update

from bonafides.delegation import Client, InitialAccessToken, NewClient
from bonafides.model import (
    AuditEvent,
    DigestedSecret,
    IdempotencyClaim,
    Page,
    Replayed,
    Status,
    TenantScope,
)
from bonafides.store import Reused
from bonafides.store import clients as registered
from bonafides.store.claims import settle
from bonafides.store.listing import page_of, within
from bonafides.store.tables import clients, columns_of, initial_access_tokens, row_of, tenants, users
from bonafides.store.transaction import Transaction

_TOKEN: Final = columns_of(initial_access_tokens, InitialAccessToken)


def add_token(
    transaction: Transaction,
    token: InitialAccessToken,
    secret: DigestedSecret,
    event: AuditEvent,
    claim: IdempotencyClaim | None,
) -> InitialAccessToken | Replayed | Reused:
    """Insert a token, unless this was done before."""
    earlier = settle(transaction.connection, claim, event.at)
    if earlier is not None:
        return earlier
    transaction.connection.execute(insert(initial_access_tokens), row_of(token) | row_of(secret))
    transaction.record(event)
    return token


def list_tokens(
    connection: Connection, tenant: TenantScope, page: Page, now: datetime
) -> Sequence[InitialAccessToken]:
    """A page of the tokens that still let somebody register, newest first."""
    query = select(*_TOKEN).where(*within(initial_access_tokens.c.tenant_id, tenant), *_good(now))
    rows = connection.execute(
        page_of(query, page, initial_access_tokens.c.created_at, initial_access_tokens.c.id)
    )
    return [InitialAccessToken(*row) for row in rows]


def remove_token(transaction: Transaction, token_id: str, event: AuditEvent) -> bool:
    """Forget a token of the event's tenant."""
    removed = transaction.connection.execute(
        delete(initial_access_tokens).where(
            initial_access_tokens.c.id == token_id, initial_access_tokens.c.tenant_id == event.tenant_id
        )
    )
    if removed.rowcount == 0:
        return False
    transaction.record(event)
    return True


def find_token(connection: Connection, token_id: str, tenant: TenantScope) -> InitialAccessToken | None:
    """The token of that id, if it is in that tenant."""
    row = connection.execute(
        select(*_TOKEN).where(
            initial_access_tokens.c.id == token_id, *within(initial_access_tokens.c.tenant_id, tenant)
        )
    ).one_or_none()
    return None if row is None else InitialAccessToken(*row)


def present_token(
    connection: Connection, digests: Sequence[bytes], now: datetime
) -> InitialAccessToken | None:
    """The token with one of these digests, while it, its tenant and who made it are good."""
    query: Select[Any] = (
        select(*_TOKEN)
        .join_from(initial_access_tokens, tenants, tenants.c.id == initial_access_tokens.c.tenant_id)
        .join(users, users.c.id == initial_access_tokens.c.created_by, isouter=True)
        .where(
            initial_access_tokens.c.digest.in_(digests),
            tenants.c.status == Status.ACTIVE,
            or_(initial_access_tokens.c.created_by.is_(None), users.c.status == Status.ACTIVE),
            *_good(now),
        )
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else InitialAccessToken(*row)


def register(transaction: Transaction, new: NewClient, token_id: str | None, event: AuditEvent) -> bool:
    """Insert a client that registers itself, spending one use of its token: of the last one, one client does."""
    if token_id is not None:
        spent = transaction.connection.execute(
            update(initial_access_tokens)
            .where(initial_access_tokens.c.id == token_id, *_good(event.at))
            .values(uses_left=initial_access_tokens.c.uses_left - 1)
        )
        if spent.rowcount == 0:
            return False
    registered.create(transaction, new, event, None)
    return True


def find_registered(connection: Connection, client_id: str, digests: Sequence[bytes]) -> Client | None:
    """The client of that id, while it and its tenant are active, if its registration has one of these digests."""
    return registered.find_where(
        connection,
        and_(
            clients.c.id == client_id,
            clients.c.registration_digest.in_(digests),
            users.c.status == Status.ACTIVE,
            clients.c.tenant_id.in_(select(tenants.c.id).where(tenants.c.status == Status.ACTIVE)),
        ),
    )


def prune(transaction: Transaction, now: datetime) -> None:
    """Forget the tokens that let nobody register any more."""
    transaction.connection.execute(
        delete(initial_access_tokens).where(
            or_(initial_access_tokens.c.expires_at <= now, initial_access_tokens.c.uses_left <= 0)
        )
    )


def _good(now: datetime) -> Sequence[Any]:
    return (
        initial_access_tokens.c.expires_at > now,
        or_(initial_access_tokens.c.uses_left.is_(None), initial_access_tokens.c.uses_left > 0),
    )
