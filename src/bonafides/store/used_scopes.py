"""The verbs on which scopes were needed where a credential was shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, exists, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from bonafides.store.tables import credentials, used_scopes
from bonafides.store.transaction import Transaction

_INSERT: Final = {
    "sqlite": sqlite.insert(used_scopes).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(used_scopes).on_conflict_do_nothing(),
}


def record(transaction: Transaction, first_used: Mapping[tuple[str, str], datetime]) -> None:
    """Note the first use of scopes, by credential and scope; what is known already stays."""
    # In one order, so that two processes never wait for each other.
    transaction.connection.execute(
        _INSERT[transaction.connection.dialect.name],
        [
            {"credential_id": name, "scope": scope, "first_used_at": at}
            for (name, scope), at in sorted(first_used.items())
        ],
    )


def of(connection: Connection, credential_ids: Sequence[str]) -> Mapping[str, frozenset[str]]:
    """The scopes that were ever needed of each of these credentials."""
    rows = connection.execute(
        select(used_scopes.c.credential_id, used_scopes.c.scope).where(
            used_scopes.c.credential_id.in_(credential_ids)
        )
    )
    found: dict[str, set[str]] = {name: set() for name in credential_ids}
    for name, scope in rows:
        found[name].add(scope)
    return {name: frozenset(scopes) for name, scopes in found.items()}


def has_spare(before: datetime) -> tuple[ColumnElement[bool], ...]:
    """The conditions that a credential has scopes which nothing has needed, though others were needed before a moment."""
    mine = used_scopes.c.credential_id == credentials.c.id
    # Whole words alone, so that no scope is taken for a part of another.
    words = literal(" ").concat(credentials.c.scopes).concat(" ")
    word = literal(" ").concat(used_scopes.c.scope).concat(" ")
    held = func.length(func.replace(words, word, "")) < func.length(words)
    needed = select(func.count()).select_from(used_scopes).where(mine, held).correlate(credentials)
    number = func.length(credentials.c.scopes) - func.length(func.replace(credentials.c.scopes, " ", "")) + 1
    return (
        exists().where(mine, used_scopes.c.first_used_at < before),
        number > needed.scalar_subquery(),
    )
