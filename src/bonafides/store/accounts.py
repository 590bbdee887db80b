"""The verbs on what people log in with: passwords, and secrets that serve once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from bonafides.model import (
    EVERYWHERE,
    Account,
    AuditEvent,
    Change,
    ChangeKind,
    DigestedSecret,
    OneTimePurpose,
    OneTimeSecret,
    Status,
    TenantScope,
    User,
    UserChanges,
    UserKind,
)
from bonafides.store import Clash, directory, guesses
from bonafides.store.listing import within
from bonafides.store.sessions import end_all
from bonafides.store.tables import (
    columns_of,
    one_time_secrets,
    passkeys,
    passwords,
    recovery_codes,
    row_of,
    tenants,
    totp_factors,
    users,
)
from bonafides.store.transaction import Transaction

PASSWORD_CHANGED: Final = "password changed"

_USER: Final = columns_of(users, User)
_SECRET: Final = columns_of(one_time_secrets, OneTimeSecret)


def find_account(connection: Connection, email_folded: str, tenant_id: str | None) -> Account | None:
    """Who logs in by this address: in that tenant, or where they may and have for longest."""
    query = (
        _accounts()
        .where(users.c.email_folded == email_folded, users.c.kind == UserKind.PERSON)
        .order_by(
            passwords.c.hash.is_(None),
            users.c.status != Status.ACTIVE,
            tenants.c.status != Status.ACTIVE,
            users.c.created_at,
            users.c.id,
        )
        .limit(1)
    )
    if tenant_id is not None:
        query = query.where(users.c.tenant_id == tenant_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else _account(row)


def find_account_of(connection: Connection, user_id: str, tenant: TenantScope) -> Account | None:
    """The account of a user, if they are in that tenant and not deleted."""
    query = _accounts().where(users.c.id == user_id, *within(users.c.tenant_id, tenant))
    row = connection.execute(query).one_or_none()
    return None if row is None else _account(row)


def find_accounts(connection: Connection, email_folded: str) -> Sequence[Account]:
    """Everybody who may log in by this address, in whatever tenant."""
    query = _accounts().where(
        users.c.email_folded == email_folded,
        users.c.kind == UserKind.PERSON,
        users.c.status == Status.ACTIVE,
        tenants.c.status == Status.ACTIVE,
    )
    return [
        _account(row) for row in connection.execute(query.order_by(users.c.created_at, users.c.id).limit(20))
    ]


def set_password(
    transaction: Transaction,
    user_id: str,
    password_hash: str,
    event: AuditEvent,
    *,
    replaced: str | None,
    kept_session: str | None,
    end_others: bool,
    guessed: Sequence[str],
) -> int | None:
    """Give a user another password, if they still have the one that was checked; how many sessions that ended."""
    connection = transaction.connection
    _hold(connection, user_id)
    if replaced is not None and not connection.scalar(
        select(exists().where(passwords.c.user_id == user_id, passwords.c.hash == replaced))
    ):
        return None
    return _give(transaction, user_id, password_hash, event, kept_session, guessed, end_others=end_others)


def create_one_time_secret(
    transaction: Transaction,
    made: OneTimeSecret,
    secret: DigestedSecret,
    event: AuditEvent | None,
    guessed: Sequence[str],
) -> None:
    """Keep a secret that serves once; those of its user for the same purpose serve no more.

    Steps of logins do: else whoever knows a password could keep its owner from ever finishing theirs.
    """
    connection = transaction.connection
    _hold(connection, made.user_id)
    if made.purpose is not OneTimePurpose.LOGIN:
        _withdraw(connection, made.user_id, made.purpose, made.created_at)
    guesses.forget(connection, guessed)
    row = row_of(made) | row_of(secret) | {"failures": 0, "redeemed_at": None}
    connection.execute(insert(one_time_secrets), row)
    if event is not None:
        transaction.record(event)


def find_one_time_secret(
    connection: Connection, digests: Sequence[bytes], purpose: OneTimePurpose, now: datetime
) -> OneTimeSecret | None:
    """The secret with one of these digests, if it still serves."""
    row = connection.execute(
        select(*_SECRET)
        .join_from(one_time_secrets, users, users.c.id == one_time_secrets.c.user_id)
        .join(tenants, tenants.c.id == users.c.tenant_id)
        .where(one_time_secrets.c.digest.in_(digests), *_serves(purpose, now))
    ).one_or_none()
    return None if row is None else OneTimeSecret(*row)


def redeem_for_password(
    transaction: Transaction,
    secret_id: str,
    purpose: OneTimePurpose,
    password_hash: str,
    event: AuditEvent,
    *,
    guessed: Sequence[str],
) -> bool:
    """Spend a secret for a new password, which ends every session: of any number of calls at once, one does.

    It does not serve where its user has another address by now, or is not active.
    """
    connection = transaction.connection
    user_id = connection.scalar(select(one_time_secrets.c.user_id).where(one_time_secrets.c.id == secret_id))
    if user_id is None:
        return False
    _hold(connection, user_id)
    still_theirs = (
        select(users.c.id)
        .join_from(users, tenants, tenants.c.id == users.c.tenant_id)
        .where(users.c.id == one_time_secrets.c.user_id, *_serves(purpose, event.at))
    )
    spent = connection.execute(
        update(one_time_secrets)
        .where(one_time_secrets.c.id == secret_id, exists(still_theirs))
        .values(redeemed_at=event.at)
    )
    if spent.rowcount == 0:
        return False
    _give(transaction, user_id, password_hash, event, None, guessed, end_others=True)
    return True


def redeem_for_set_up(
    transaction: Transaction,
    secret_id: str,
    changes: UserChanges,
    password_hash: str,
    event: AuditEvent,
    changed: AuditEvent,
) -> bool | Clash:
    """Spend an invitation for another address, name and password together; nothing is spent on an address that is taken."""
    connection = transaction.connection
    user_id = connection.scalar(select(one_time_secrets.c.user_id).where(one_time_secrets.c.id == secret_id))
    if user_id is None:
        return False
    # The tenant is held before its user, here as in every change of a user: else two calls could wait for each other.
    judged = directory.judged(connection, user_id, EVERYWHERE, changes, changed.at)
    if not isinstance(judged, User):
        return judged or False
    if not redeem_for_password(
        transaction, secret_id, OneTimePurpose.INVITATION, password_hash, event, guessed=()
    ):
        return False
    directory.change_user(transaction, user_id, EVERYWHERE, changes, changed)
    return True


def _give(
    transaction: Transaction,
    user_id: str,
    password_hash: str,
    event: AuditEvent,
    kept_session: str | None,
    guessed: Sequence[str],
    *,
    end_others: bool,
) -> int:
    connection = transaction.connection
    insert_into = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    new = insert_into(passwords).values(
        user_id=user_id, user_kind=UserKind.PERSON, hash=password_hash, updated_at=event.at
    )
    connection.execute(
        new.on_conflict_do_update(
            index_elements=[passwords.c.user_id], set_={"hash": password_hash, "updated_at": event.at}
        )
    )
    for purpose in OneTimePurpose:
        _withdraw(connection, user_id, purpose, event.at)
    guesses.forget(connection, guessed)
    ended = 0
    changes: Sequence[Change] = ()
    if end_others:
        ended, changes = end_all(connection, user_id, event.at, PASSWORD_CHANGED, kept_session)
    transaction.record(event, Change(ChangeKind.USER, user_id), *changes)
    return ended


def _withdraw(connection: Connection, user_id: str, purpose: OneTimePurpose, at: datetime) -> None:
    connection.execute(
        update(one_time_secrets)
        .where(
            one_time_secrets.c.user_id == user_id,
            one_time_secrets.c.purpose == purpose,
            one_time_secrets.c.redeemed_at.is_(None),
        )
        .values(redeemed_at=at)
    )


def _serves(purpose: OneTimePurpose, now: datetime) -> tuple[Any, ...]:
    return (
        one_time_secrets.c.purpose == purpose,
        one_time_secrets.c.redeemed_at.is_(None),
        one_time_secrets.c.expires_at > now,
        func.coalesce(one_time_secrets.c.email_folded, users.c.email_folded) == users.c.email_folded,
        users.c.status == Status.ACTIVE,
        tenants.c.status == Status.ACTIVE,
    )


def _hold(connection: Connection, user_id: str) -> None:
    """Nobody logs in as this user, or changes what they log in with, before this transaction ends."""
    connection.execute(select(users.c.id).where(users.c.id == user_id).with_for_update(key_share=True))


def _accounts() -> Any:  # noqa: ANN401 - a select of many columns
    factor = exists().where(totp_factors.c.user_id == users.c.id, totp_factors.c.confirmed_at.is_not(None))
    left = exists().where(recovery_codes.c.user_id == users.c.id, recovery_codes.c.redeemed_at.is_(None))
    has_passkey = exists().where(passkeys.c.user_id == users.c.id)
    return (
        select(passwords.c.hash, tenants.c.status, factor, left, has_passkey, *_USER)
        .join_from(users, tenants, tenants.c.id == users.c.tenant_id)
        .join(passwords, passwords.c.user_id == users.c.id, isouter=True)
        .where(users.c.status != Status.DELETED)
    )


def _account(row: Any) -> Account:  # noqa: ANN401 - a row
    password_hash, tenant_status, totp, left, has_passkey, *user = row
    active = tenant_status is Status.ACTIVE
    return Account(User(*user), password_hash, active, bool(totp), bool(left), bool(has_passkey))
