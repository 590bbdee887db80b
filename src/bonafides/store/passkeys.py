"""The verbs on passkeys: taken into use, renamed, suspected, and taken away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bonafides.model import AuditEvent, DigestedSecret
from bonafides.passkey import AddedPasskey, Challenge, Passkey
from bonafides.store import assertions, factors
from bonafides.store.proofs import hold, is_needed
from bonafides.store.tables import columns_of, passkeys, row_of
from bonafides.store.transaction import Transaction

_COLUMNS: Final = columns_of(passkeys, Passkey)
_ADD: Final = {
    "postgresql": postgresql.insert(passkeys).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(passkeys).on_conflict_do_nothing(),
}


def find(connection: Connection, credential_id: bytes) -> Passkey | None:
    """The passkey that an authenticator names so."""
    row = connection.execute(select(*_COLUMNS).where(passkeys.c.credential_id == credential_id)).one_or_none()
    return None if row is None else Passkey(*row)


def add(
    transaction: Transaction,
    passkey: Passkey,
    challenge: Challenge,
    codes: Sequence[DigestedSecret],
    event: AuditEvent,
    *,
    kept_session: str | None,
    end_others: bool,
) -> AddedPasskey | None:
    """Take a passkey into use; who has no other factor is given the codes that stand in for it.

    None if the challenge was spent before, or somebody has the passkey already.
    """
    connection = transaction.connection
    hold(connection, passkey.user_id)
    if not assertions.spend(transaction, challenge.digest, challenge.expires_at):
        return None
    first = not is_needed(connection, passkey.user_id)
    if not connection.execute(_ADD[connection.dialect.name], row_of(passkey)).rowcount:
        return None
    if first:
        factors.give_codes(connection, passkey.user_id, codes, event.at)
    ended = factors.close(transaction, passkey.user_id, event, kept_session, end_others=end_others)
    return AddedPasskey(first, ended)


def rename(
    transaction: Transaction, user_id: str, passkey_id: str, name: str, event: AuditEvent
) -> Passkey | None:
    """Give a user's passkey another name; None if they have none of that id."""
    row = transaction.connection.execute(
        update(passkeys)
        .where(passkeys.c.id == passkey_id, passkeys.c.user_id == user_id)
        .values(name=name)
        .returning(*_COLUMNS)
    ).one_or_none()
    if row is None:
        return None
    transaction.record(event)
    return Passkey(*row)


def suspect(transaction: Transaction, passkey_id: str, challenge: Challenge, event: AuditEvent) -> bool:
    """Note that two may hold a passkey, which opens nothing from then on; False if it was noted before.

    An answer that is only sent again is no sign of that: its challenge was spent.
    """
    if not assertions.spend(transaction, challenge.digest, challenge.expires_at):
        return False
    done = transaction.connection.execute(
        update(passkeys)
        .where(passkeys.c.id == passkey_id, passkeys.c.suspected_at.is_(None))
        .values(suspected_at=event.at)
    )
    if not done.rowcount:
        return False
    transaction.record(event)
    return True


def remove(
    transaction: Transaction,
    user_id: str,
    passkey_id: str,
    event: AuditEvent,
    *,
    kept_session: str | None,
    end_others: bool,
) -> int | None:
    """Take a user's passkey away, and with their last factor its codes; how many sessions that ended. None if they have none."""
    connection = transaction.connection
    hold(connection, user_id)
    which = (passkeys.c.id == passkey_id, passkeys.c.user_id == user_id)
    if not connection.execute(delete(passkeys).where(*which)).rowcount:
        return None
    factors.forget_codes(connection, user_id)
    return factors.close(transaction, user_id, event, kept_session, end_others=end_others)
