"""The verbs on second factors within a login: whether one is needed, and that what was proven is spent with it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, and_, exists, literal, or_, select, update

from bonafides.model import OneTimePurpose, Proof, TotpFactor
from bonafides.passkey import PasskeyUse
from bonafides.store import assertions
from bonafides.store.tables import one_time_secrets, passkeys, recovery_codes, totp_factors, users
from bonafides.store.transaction import Transaction


def is_needed(connection: Connection, user_id: str) -> bool:
    """Whether a password alone does not open a session of this user."""
    by_app = exists().where(totp_factors.c.user_id == user_id, _CONFIRMED)
    by_passkey = exists().where(passkeys.c.user_id == user_id)
    return bool(connection.scalar(select(or_(by_app, by_passkey))))


def hold(connection: Connection, user_id: str) -> None:
    """Nobody else proves anything for this user before this transaction ends: what is looked at stays so.

    It comes first: of two transactions that share a row and then want it alone, neither gets it.
    """
    connection.execute(select(users.c.id).where(users.c.id == user_id).with_for_update(key_share=True))


def spend(transaction: Transaction, user_id: str, proof: Proof, at: datetime) -> bool:
    """Spend a second factor of a user who is held, and the step of the login that it belongs to; either both or nothing."""
    connection = transaction.connection
    step = and_(
        one_time_secrets.c.id == proof.step_id,
        one_time_secrets.c.user_id == user_id,
        one_time_secrets.c.purpose == OneTimePurpose.LOGIN,
        one_time_secrets.c.redeemed_at.is_(None),
        one_time_secrets.c.expires_at > at,
    )
    if proof.step_id is not None and not connection.scalar(select(exists().where(step))):
        return False
    if proof.totp is not None:
        good = use_totp(connection, proof.totp)
    elif proof.passkey is not None:
        good = use_passkey(transaction, user_id, proof.passkey, at)
    else:
        good = bool(
            connection.execute(
                update(recovery_codes)
                .where(
                    recovery_codes.c.digest == proof.recovery_code,
                    recovery_codes.c.user_id == user_id,
                    recovery_codes.c.redeemed_at.is_(None),
                )
                .values(redeemed_at=at)
            ).rowcount
        )
    if good and proof.step_id is not None:
        connection.execute(update(one_time_secrets).where(step).values(redeemed_at=at))
    return good


def use_totp(connection: Connection, used: TotpFactor) -> bool:
    """Remember which code was used last; False if a later one, or the same, was used before."""
    return bool(
        connection.execute(
            update(totp_factors)
            .where(
                totp_factors.c.user_id == used.user_id,
                totp_factors.c.created_at == used.created_at,
                totp_factors.c.last_counter < used.last_counter,
                _CONFIRMED,
            )
            .values(last_counter=used.last_counter, sealed=used.sealed, pepper_id=used.pepper_id)
        ).rowcount
    )


def use_passkey(transaction: Transaction, user_id: str, used: PasskeyUse, at: datetime) -> bool:
    """Remember what a passkey counts now, and spend what it has signed; False if either was seen before.

    See: Web Authentication Level 3 §7.2
    """
    if not assertions.spend(transaction, used.challenge.digest, used.challenge.expires_at):
        return False
    going_on = or_(
        passkeys.c.sign_count < used.sign_count,
        and_(passkeys.c.sign_count == 0, literal(used.sign_count) == 0),
    )
    done = transaction.connection.execute(
        update(passkeys)
        .where(
            passkeys.c.id == used.passkey_id,
            passkeys.c.user_id == user_id,
            passkeys.c.suspected_at.is_(None),
            going_on,
        )
        .values(sign_count=used.sign_count, backed_up=used.backed_up, last_used_at=at)
    )
    return bool(done.rowcount)


_CONFIRMED: Final = totp_factors.c.confirmed_at.is_not(None)
