"""The verbs on imported keys: many are inserted at once, and an unused one is found by how it begins.

A million are asked for and inserted one after the other, so those statements are text that goes to the driver as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from types import ModuleType
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Dialect, Executable, func, select
from sqlalchemy.dialects import postgresql, sqlite

from bonafides.model import (
    AuditEvent,
    Change,
    ChangeKind,
    CredentialKind,
    ForeignHash,
    ForeignKey,
    ForeignRule,
    to_micros,
)
from bonafides.store.columns import Addresses, Document, Scopes
from bonafides.store.tables import columns_of, credentials, foreign_digests, foreign_rules, row_of
from bonafides.store.transaction import Transaction

_ASKED_AT_ONCE: Final = 5_000
_INSERTED_AT_ONCE: Final = 200

_RULE: Final = columns_of(foreign_rules, ForeignRule)
_HASH: Final = columns_of(foreign_digests, ForeignHash)
_SCOPES, _ADDRESSES, _DOCUMENT = Scopes(), Addresses(), Document()


def rules(connection: Connection) -> Sequence[ForeignRule]:
    """Every rule."""
    return [ForeignRule(*row) for row in connection.execute(select(*_RULE).order_by(foreign_rules.c.id))]


def hashes(connection: Connection, prefixes: Sequence[str], rows_max: int) -> Sequence[ForeignHash]:
    """The hashes of keys that begin so and were not used yet: a used one is found by its digest."""
    rows = connection.execute(
        select(*_HASH)
        .join_from(foreign_digests, credentials, credentials.c.digest == foreign_digests.c.digest)
        .where(foreign_digests.c.prefix.in_(prefixes))
        .order_by(foreign_digests.c.credential_id)
        .limit(rows_max)
    )
    return [ForeignHash(*row) for row in rows]


def alike(connection: Connection, prefixes: Sequence[str]) -> Mapping[str, int]:
    """How many unused keys with slow hashes begin so; nothing of those as which none does."""
    rows = connection.execute(
        select(foreign_digests.c.prefix, func.count().label("unused"))
        .join_from(foreign_digests, credentials, credentials.c.digest == foreign_digests.c.digest)
        .where(foreign_digests.c.prefix.in_(prefixes))
        .group_by(foreign_digests.c.prefix)
    )
    return {row.prefix: row.unused for row in rows}


def known(connection: Connection, digests: Sequence[bytes]) -> frozenset[bytes]:
    """Those that are there already."""
    found: set[bytes] = set()
    values: tuple[Any, ...]
    for start in range(0, len(digests), _ASKED_AT_ONCE):
        some = tuple(digests[start : start + _ASKED_AT_ONCE])
        if connection.dialect.name == "sqlite":
            among, values = f"IN ({', '.join('?' * len(some))})", some
        else:
            among, values = "= ANY($1)", (some,)
        for table in ("foreign_digests", "credentials"):
            rows = connection.exec_driver_sql(f"SELECT digest FROM {table} WHERE digest {among}", values)  # noqa: S608
            found.update(rows.scalars())
    return frozenset(found)


def add(
    transaction: Transaction, keys: Sequence[ForeignKey], found_by: Sequence[ForeignRule], event: AuditEvent
) -> None:
    """Insert keys that are not there yet."""
    connection = transaction.connection
    insert_rule, insert_key, insert_digest = _INSERTS[connection.dialect.name]
    connection.execute(insert_rule, [row_of(rule) for rule in found_by])
    _insert(connection, insert_key, [_key_row(key, connection.dialect) for key in keys])
    digests = [(key.digest, key.pepper_id, key.id, key.prefix, key.hash) for key in keys]
    _insert(connection, insert_digest, digests)
    # One for all: it says that there are new credentials, of which nobody has a copy.
    transaction.record(event, Change(ChangeKind.CREDENTIAL_CREATED, event.subject_id))


def _insert(connection: Connection, inserts: _Inserts, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows, on SQLite many by one statement: that takes two thirds of the time."""
    whole = len(rows) - len(rows) % _INSERTED_AT_ONCE if inserts.many else 0
    for start in range(0, whole, _INSERTED_AT_ONCE):
        flat = tuple(chain.from_iterable(rows[start : start + _INSERTED_AT_ONCE]))
        connection.exec_driver_sql(inserts.many, flat)
    if whole < len(rows):
        connection.exec_driver_sql(inserts.one, list(rows[whole:]))


def _key_row(key: ForeignKey, dialect: Dialect) -> tuple[Any, ...]:
    created_at = to_micros(key.created_at)
    return (
        key.id,
        CredentialKind.API_KEY.value,
        key.tenant_id,
        key.user_id,
        key.name,
        _SCOPES.process_bind_param(key.scopes, dialect),
        key.status.value,
        None if key.expires_at is None else to_micros(key.expires_at),
        key.id,
        _ADDRESSES.process_bind_param(key.allowed_ips, dialect),
        _DOCUMENT.process_bind_param(key.metadata, dialect),
        key.display,
        key.created_by,
        created_at,
        created_at,
        key.digest,
        key.pepper_id,
    )


_KEY_COLUMNS: Final = (
    "id, kind, tenant_id, user_id, name, scopes, status, expires_at, root_id, allowed_ips, metadata, display, "
    "created_by, created_at, updated_at, digest, pepper_id"
)


class _Inserts(NamedTuple):
    """How one row is inserted, and how `_INSERTED_AT_ONCE` are: empty where that is no faster."""

    one: str
    many: str


def _inserts(dialect: ModuleType, mark: str) -> tuple[Executable, _Inserts, _Inserts]:
    """Rules are sealed anew under the newest pepper; whatever else is there stays, as when two import one file."""
    rule = dialect.insert(foreign_rules)

    def into(table: str, columns: str) -> _Inserts:
        width = columns.count(",") + 1
        row = f"({', '.join(mark.format(place) for place in range(1, width + 1))})"

        def statement(rows: str) -> str:
            return f"INSERT INTO {table} ({columns}) VALUES {rows} ON CONFLICT DO NOTHING"  # noqa: S608

        many = ", ".join([f"({', '.join('?' * width)})"] * _INSERTED_AT_ONCE)
        return _Inserts(statement(row), statement(many) if dialect is sqlite else "")

    return (
        rule.on_conflict_do_update(index_elements=["id"], set_={"sealed_key": rule.excluded.sealed_key}),
        into("credentials", _KEY_COLUMNS),
        into("foreign_digests", "digest, pepper_id, credential_id, prefix, hash"),
    )


_INSERTS: Final = {"sqlite": _inserts(sqlite, "?{}"), "postgresql": _inserts(postgresql, "${}")}
