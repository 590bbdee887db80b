"""The verbs on second factors: set up, confirmed, taken away, and the codes that stand in for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from bonafides.model import (
    AuditEvent,
    Change,
    DigestedSecret,
    Factors,
    OneTimePurpose,
    Page,
    Status,
    TenantScope,
    TotpFactor,
    User,
    UserKind,
)
from bonafides.passkey import Passkey
from bonafides.store.listing import page_of, within
from bonafides.store.proofs import hold, is_needed
from bonafides.store.sessions import end_all
from bonafides.store.tables import (
    columns_of,
    one_time_secrets,
    passkeys,
    recovery_codes,
    row_of,
    totp_factors,
    users,
)
from bonafides.store.transaction import Transaction

FACTOR_CHANGED: Final = "second factor changed"

_TOTP: Final = columns_of(totp_factors, TotpFactor)
_USER: Final = columns_of(users, User)
_PASSKEY: Final = columns_of(passkeys, Passkey)


def find(connection: Connection, user_id: str) -> Factors:
    """What a user may prove beside their password."""
    row = connection.execute(select(*_TOTP).where(totp_factors.c.user_id == user_id)).one_or_none()
    left = connection.scalar(
        select(func.count()).where(
            recovery_codes.c.user_id == user_id, recovery_codes.c.redeemed_at.is_(None)
        )
    )
    own = connection.execute(
        select(*_PASSKEY).where(passkeys.c.user_id == user_id).order_by(passkeys.c.created_at, passkeys.c.id)
    )
    return Factors(
        None if row is None else TotpFactor(*row), left or 0, tuple(Passkey(*each) for each in own)
    )


def list_without(
    connection: Connection, tenant: TenantScope, page: Page, user_id: str | None
) -> Sequence[User]:
    """A page of active people without a second factor, newest first."""
    confirmed = exists().where(totp_factors.c.user_id == users.c.id, totp_factors.c.confirmed_at.is_not(None))
    has_passkey = exists().where(passkeys.c.user_id == users.c.id)
    query = select(*_USER).where(
        users.c.kind == UserKind.PERSON,
        users.c.status == Status.ACTIVE,
        ~confirmed,
        ~has_passkey,
        *within(users.c.tenant_id, tenant),
    )
    if user_id is not None:
        query = query.where(users.c.id == user_id)
    return [User(*row) for row in connection.execute(page_of(query, page, users.c.created_at, users.c.id))]


def find_recovery_code(connection: Connection, user_id: str, digests: Sequence[bytes]) -> bytes | None:
    """Which of these digests is of a code that the user has left."""
    found: bytes | None = connection.scalar(
        select(recovery_codes.c.digest).where(
            recovery_codes.c.user_id == user_id,
            recovery_codes.c.digest.in_(digests),
            recovery_codes.c.redeemed_at.is_(None),
        )
    )
    return found


def begin_totp(transaction: Transaction, factor: TotpFactor, event: AuditEvent) -> bool:
    """Keep an authenticator app that is to be confirmed, in place of one that never was; False if one is in use."""
    connection = transaction.connection
    hold(connection, factor.user_id)
    in_use = exists().where(
        totp_factors.c.user_id == factor.user_id, totp_factors.c.confirmed_at.is_not(None)
    )
    if connection.scalar(select(in_use)):
        return False
    connection.execute(delete(totp_factors).where(totp_factors.c.user_id == factor.user_id))
    connection.execute(insert(totp_factors), row_of(factor))
    transaction.record(event)
    return True


def confirm_totp(
    transaction: Transaction,
    confirmed: TotpFactor,
    codes: Sequence[DigestedSecret],
    event: AuditEvent,
    *,
    kept_session: str | None,
    end_others: bool,
) -> int | None:
    """Take an authenticator app into use, with the codes that stand in for it; how many sessions that ended.

    None, with nothing written, if it is not the one that was begun last, or is in use already.
    """
    connection = transaction.connection
    hold(connection, confirmed.user_id)
    done = connection.execute(
        update(totp_factors)
        .where(
            totp_factors.c.user_id == confirmed.user_id,
            totp_factors.c.created_at == confirmed.created_at,
            totp_factors.c.sealed == confirmed.sealed,
            totp_factors.c.confirmed_at.is_(None),
        )
        .values(confirmed_at=confirmed.confirmed_at, last_counter=confirmed.last_counter)
    )
    if done.rowcount == 0:
        return None
    give_codes(connection, confirmed.user_id, codes, event.at)
    return close(transaction, confirmed.user_id, event, kept_session, end_others=end_others)


def replace_recovery_codes(
    transaction: Transaction, user_id: str, codes: Sequence[DigestedSecret], event: AuditEvent
) -> bool:
    """Give a user other codes; the ones before serve no more. False for who has no factor that they stand in for."""
    connection = transaction.connection
    hold(connection, user_id)
    if not is_needed(connection, user_id):
        return False
    give_codes(connection, user_id, codes, event.at)
    transaction.record(event)
    return True


def remove_totp(
    transaction: Transaction, user_id: str, event: AuditEvent, *, kept_session: str | None, end_others: bool
) -> int | None:
    """Take a user's authenticator app away, and with their last factor its codes; how many sessions that ended.

    None if they had none.
    """
    connection = transaction.connection
    hold(connection, user_id)
    if not connection.execute(delete(totp_factors).where(totp_factors.c.user_id == user_id)).rowcount:
        return None
    forget_codes(connection, user_id)
    return close(transaction, user_id, event, kept_session, end_others=end_others)


def remove_factors(
    transaction: Transaction, user_id: str, event: AuditEvent, *, kept_session: str | None, end_others: bool
) -> int | None:
    """Take all of a user's factors and codes away; how many sessions that ended. None if they had none."""
    connection = transaction.connection
    hold(connection, user_id)
    gone = [
        connection.execute(delete(table).where(table.c.user_id == user_id)).rowcount
        for table in (totp_factors, passkeys)
    ]
    if not any(gone):
        return None
    forget_codes(connection, user_id)
    return close(transaction, user_id, event, kept_session, end_others=end_others)


def close(
    transaction: Transaction,
    user_id: str,
    event: AuditEvent,
    kept_session: str | None,
    *,
    end_others: bool,
) -> int:
    """What every change of factors ends: logins that are half done, and, where wanted, the other sessions."""
    connection = transaction.connection
    connection.execute(
        update(one_time_secrets)
        .where(
            one_time_secrets.c.user_id == user_id,
            one_time_secrets.c.purpose == OneTimePurpose.LOGIN,
            one_time_secrets.c.redeemed_at.is_(None),
        )
        .values(redeemed_at=event.at)
    )
    ended = 0
    changes: Sequence[Change] = ()
    if end_others:
        ended, changes = end_all(connection, user_id, event.at, FACTOR_CHANGED, kept_session)
    transaction.record(event, *changes)
    return ended


def forget_codes(connection: Connection, user_id: str) -> None:
    """Take the codes of who has no factor away, for which they could stand in."""
    if not is_needed(connection, user_id):
        connection.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))


def give_codes(connection: Connection, user_id: str, codes: Sequence[DigestedSecret], at: datetime) -> None:
    """Give a user codes in place of those that they had."""
    connection.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
    connection.execute(
        insert(recovery_codes),
        [row_of(code) | {"user_id": user_id, "created_at": at, "redeemed_at": None} for code in codes],
    )
