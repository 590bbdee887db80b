"""The verbs on second factors within a login: whether one is needed, and that what was proven is spent with it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, and_, exists, select, update

from bonafides.model import OneTimePurpose, Proof, TotpFactor
from bonafides.store.tables import one_time_secrets, recovery_codes, totp_factors, users


def is_needed(connection: Connection, user_id: str) -> bool:
    """Whether a password alone does not open a session of this user."""
    return bool(connection.scalar(select(exists().where(totp_factors.c.user_id == user_id, _CONFIRMED))))


def hold(connection: Connection, user_id: str) -> None:
    """Nobody else proves anything for this user before this transaction ends: what is looked at stays so.

    It comes first: of two transactions that share a row and then want it alone, neither gets it.
    """
    connection.execute(select(users.c.id).where(users.c.id == user_id).with_for_update(key_share=True))


def spend(connection: Connection, user_id: str, proof: Proof, at: datetime) -> bool:
    """Spend a second factor of a user who is held, and the step of the login that it belongs to; either both or nothing."""
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


_CONFIRMED: Final = totp_factors.c.confirmed_at.is_not(None)
