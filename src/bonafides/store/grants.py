"""The verbs on what people let clients do: begun by a code, renewed by refresh tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from bonafides.delegation import (
    AuthorizationCode,
    DeviceStatus,
    Grant,
    GrantRefreshToken,
    GrantRenewal,
    NewGrant,
    PresentedCode,
    RefreshableGrant,
)
from bonafides.model import (
    AuditEvent,
    Change,
    ChangeKind,
    CredentialStatus,
    Status,
    User,
)
from bonafides.store.credentials import add, revoke_all
from bonafides.store.rotation import spend, state_of
from bonafides.store.tables import (
    authorization_codes,
    columns_of,
    credentials,
    device_codes,
    grant_refresh_tokens,
    grants,
    row_of,
    tenants,
    users,
)
from bonafides.store.transaction import Transaction

_GRANT: Final = columns_of(grants, Grant)
_CODE: Final = columns_of(authorization_codes, AuthorizationCode)
_USER: Final = columns_of(users, User)
_STATE: Final = state_of(grant_refresh_tokens)
_ACTIVE: Final = and_(users.c.status == Status.ACTIVE, tenants.c.status == Status.ACTIVE)
_CODES_KEPT: Final = timedelta(days=1)


def find_code(connection: Connection, digests: Sequence[bytes]) -> PresentedCode | None:
    """The code with one of these digests, redeemed or not."""
    row = connection.execute(
        select(authorization_codes.c.digest, authorization_codes.c.grant_id, _ACTIVE, *_CODE, *_USER)
        .join_from(authorization_codes, users, users.c.id == authorization_codes.c.user_id)
        .join(tenants, tenants.c.id == authorization_codes.c.tenant_id)
        .where(authorization_codes.c.digest.in_(digests))
    ).one_or_none()
    if row is None:
        return None
    digest, grant_id, live, *rest = row
    return PresentedCode(
        digest=digest,
        code=AuthorizationCode(*rest[: len(_CODE)]),
        grant_id=grant_id,
        live=bool(live),
        user=User(*rest[len(_CODE) :]),
    )


def redeem_code(transaction: Transaction, digest: bytes, new: NewGrant, event: AuditEvent) -> bool:
    """Spend a code for a grant: of any number of calls at once, one does."""
    connection = transaction.connection
    if not may_have_grants(connection, new.grant.user_id):
        return False
    spent = connection.execute(
        update(authorization_codes)
        .where(
            authorization_codes.c.digest == digest,
            authorization_codes.c.grant_id.is_(None),
            authorization_codes.c.expires_at > event.at,
        )
        .values(grant_id=new.grant.id)
    )
    if spent.rowcount == 0:
        return False
    begin(transaction, new, event)
    return True


def begin_for(transaction: Transaction, new: NewGrant, event: AuditEvent) -> bool:
    """Begin a grant that nothing is spent for; False if its user or tenant is not active."""
    if not may_have_grants(transaction.connection, new.grant.user_id):
        return False
    begin(transaction, new, event)
    return True


def begin(transaction: Transaction, new: NewGrant, event: AuditEvent) -> None:
    """Insert a grant with its first tokens, and record it."""
    connection = transaction.connection
    connection.execute(insert(credentials), row_of(new.credential) | row_of(new.credential_secret))
    connection.execute(insert(grants), row_of(new.grant))
    if new.refresh_token is not None:
        _add_refresh_token(connection, new.refresh_token)
    add(transaction, new.token, new.token_secret)
    transaction.record(
        event,
        Change(ChangeKind.CREDENTIAL_CREATED, new.credential.id),
        Change(ChangeKind.CREDENTIAL_CREATED, new.token.id),
    )


def may_have_grants(connection: Connection, user_id: str) -> bool:
    """Whether a user and their tenant are active; nobody changes the user before this transaction ends."""
    query = (
        select(users.c.id)
        .join_from(users, tenants, tenants.c.id == users.c.tenant_id)
        .where(users.c.id == user_id, _ACTIVE)
        .with_for_update(read=True, of=users)
    )
    return connection.scalar(query) is not None


def find_refreshable(connection: Connection, digests: Sequence[bytes]) -> RefreshableGrant | None:
    """The refresh token with one of these digests, with its grant and its user."""
    row = connection.execute(
        select(
            and_(credentials.c.status == CredentialStatus.ACTIVE, _ACTIVE),
            *_STATE,
            *_GRANT,
            *_USER,
        )
        .join_from(grant_refresh_tokens, grants, grants.c.id == grant_refresh_tokens.c.grant_id)
        .join(credentials, credentials.c.id == grants.c.id)
        .join(users, users.c.id == grants.c.user_id)
        .join(tenants, tenants.c.id == grants.c.tenant_id)
        .where(grant_refresh_tokens.c.digest.in_(digests))
    ).one_or_none()
    if row is None:
        return None
    live, digest, expires_at, spent_at, sealed_answer, followed, *rest = row
    return RefreshableGrant(
        digest=digest,
        expires_at=expires_at,
        spent_at=spent_at,
        sealed_answer=sealed_answer,
        successor_spent=bool(followed),
        live=bool(live),
        grant=Grant(*rest[: len(_GRANT)]),
        user=User(*rest[len(_GRANT) :]),
    )


def renew(transaction: Transaction, renewal: GrantRenewal, event: AuditEvent) -> bool:
    """Spend a refresh token and put another in its place: of any number of calls at once, one does.

    One that goes on is given its new end instead. The grant's row is held, so that nobody ends it meanwhile without seeing what comes of this.
    """
    connection = transaction.connection
    successor = renewal.refresh_token
    live = connection.scalar(
        select(and_(credentials.c.status == CredentialStatus.ACTIVE, _ACTIVE))
        .join_from(credentials, users, users.c.id == credentials.c.user_id)
        .join(tenants, tenants.c.id == credentials.c.tenant_id)
        .where(credentials.c.id == successor.grant_id)
        .with_for_update(read=True, of=credentials)
    )
    if not live or not _succeed(connection, renewal, event.at):
        return False
    add(transaction, renewal.token, renewal.token_secret)
    transaction.record(event, Change(ChangeKind.CREDENTIAL_CREATED, renewal.token.id))
    return True


def _succeed(connection: Connection, renewal: GrantRenewal, at: datetime) -> bool:
    """Put what is good from now on in the place of a refresh token that is good until now."""
    successor, table = renewal.refresh_token, grant_refresh_tokens
    if renewal.sealed_answer is None:
        extended = connection.execute(
            update(table)
            .where(table.c.digest == renewal.digest, table.c.spent_at.is_(None), table.c.expires_at > at)
            .values(expires_at=successor.expires_at)
        )
        return bool(extended.rowcount)
    if not spend(connection, table, renewal.digest, successor.secret.digest, renewal.sealed_answer, at):
        return False
    _add_refresh_token(connection, successor)
    return True


def end_all(
    connection: Connection, user_id: str, at: datetime, reason: str, kept_session: str | None
) -> Sequence[Change]:
    """Revoke all that a user lets clients do, but for what they allowed in one session; what the caller has to record.

    Codes that nobody has redeemed yet go with it. The caller holds the user's row, and so whoever redeems one.
    """
    unredeemed, approved, of_user = (
        and_(table.c.user_id == user_id, func.coalesce(table.c.session_id, "") != (kept_session or "-"))
        for table in (authorization_codes, device_codes, grants)
    )
    connection.execute(
        update(authorization_codes)
        .where(unredeemed, authorization_codes.c.grant_id.is_(None))
        .values(expires_at=authorization_codes.c.created_at)
    )
    connection.execute(
        update(device_codes)
        .where(approved, device_codes.c.status == DeviceStatus.APPROVED)
        .values(status=DeviceStatus.DENIED)
    )
    return revoke_all(connection, credentials.c.root_id.in_(select(grants.c.id).where(of_user)), at, reason)


def prune(transaction: Transaction, now: datetime, grace_seconds: int) -> None:
    """Forget what no longer decides anything: ended refresh tokens, old answers, and codes a day after their end."""
    connection = transaction.connection
    connection.execute(
        update(grant_refresh_tokens)
        .where(
            grant_refresh_tokens.c.sealed_answer.is_not(None),
            grant_refresh_tokens.c.spent_at < now - timedelta(seconds=grace_seconds),
        )
        .values(sealed_answer=None)
    )
    connection.execute(delete(grant_refresh_tokens).where(grant_refresh_tokens.c.expires_at < now))
    connection.execute(
        delete(authorization_codes).where(authorization_codes.c.expires_at < now - _CODES_KEPT)
    )


def _add_refresh_token(connection: Connection, token: GrantRefreshToken) -> None:
    row: dict[str, Any] = row_of(token)
    connection.execute(insert(grant_refresh_tokens), row | row_of(row.pop("secret")))
