"""The verbs on which networks credentials were used from.

What is kept of them, and why, is in docs/decisions/0026-networks-of-use.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, delete, exists, func, select

from bonafides.model import NetworkUse, NewNetworks, SharedNetworks, TenantScope, to_micros
from bonafides.store.listing import within
from bonafides.store.prepared import fetch
from bonafides.store.tables import credentials, used_networks
from bonafides.store.transaction import Transaction

NETWORKS_MAX: Final = 64
"""Networks of a credential that are told apart."""
OTHERS: Final = ""
"""In place of a network: all those beyond."""
_SAME_MACHINE: Final = ("127.0.0.0/24", "::/48")
"""What comes from this very machine comes through a proxy that the operator has not named, and tells of nobody."""

_USED: Final = used_networks.c
_Row = tuple[int, int, str, str]
"""Last use, requests, credential, network: in the order of the statements' places."""


def record(transaction: Transaction, used: Mapping[tuple[str, str], tuple[datetime, int]]) -> None:
    """Add to how much credentials were used from networks, by credential and network."""
    connection = transaction.connection
    known: dict[str, set[str]] = {}
    for name, network in fetch(connection, _KNOWN, sorted({name for name, _ in used})):
        known.setdefault(name, set()).add(network)
    added: list[_Row] = []
    counted: list[_Row] = []
    # In one order, so that two processes never wait for each other.
    for (name, network), (at, requests) in sorted(used.items()):
        networks = known.setdefault(name, set())
        kept = network if network in networks or len(networks - {OTHERS}) < NETWORKS_MAX else OTHERS
        row = (to_micros(at), requests, name, kept)
        if kept in networks:
            counted.append(row)
        else:
            networks.add(kept)
            added.append(row)
    # Past SQLAlchemy, which takes ten times as long as the rows themselves.
    add, count = _STATEMENTS[connection.dialect.name]
    for statement, rows in ((add, added), (count, counted)):
        if rows:
            connection.exec_driver_sql(statement, rows)


def of(connection: Connection, credential_ids: Sequence[str]) -> Mapping[str, Sequence[NetworkUse]]:
    """The networks of each of these credentials, the latest first, and the others at the end."""
    rows = connection.execute(
        select(_USED.credential_id, _USED.network, _USED.first_used_at, _USED.last_used_at, _USED.requests)
        .where(_USED.credential_id.in_(credential_ids))
        .order_by(_USED.network == OTHERS, _USED.last_used_at.desc(), _USED.network)
    )
    found: dict[str, list[NetworkUse]] = {name: [] for name in credential_ids}
    for name, *use in rows:
        found[name].append(NetworkUse(*use))
    return found


def shared(
    connection: Connection, tenant: TenantScope, networks: Sequence[str], people_max: int
) -> frozenset[str]:
    """Those of these networks that several people share."""
    asked = _shared(tenant, people_max).where(_USED.network.in_(networks))
    return frozenset(connection.scalars(asked))


def keys_on(tenant: TenantScope, which: NewNetworks | SharedNetworks) -> Select[Any]:
    """The ids of the credentials that were used from networks that are new to them, or that people share."""
    also = used_networks.alias("also")
    number = (
        select(func.count()).where(also.c.credential_id == _USED.credential_id).correlate(used_networks)
    ).scalar_subquery()
    ids = select(_USED.credential_id).where(number <= which.networks_max)
    if isinstance(which, SharedNetworks):
        return ids.where(
            _USED.network.in_(_shared(tenant, which.people_max)), *within(_USED.tenant_id, tenant)
        )
    known = exists().where(
        also.c.credential_id == _USED.credential_id, also.c.first_used_at < which.known_before
    )
    return ids.where(_USED.first_used_at >= which.since, known, *within(_USED.tenant_id, tenant))


def forget(connection: Connection, whose: ColumnElement[bool]) -> None:
    """Forget all networks of the credentials of whom is deleted."""
    connection.execute(
        delete(used_networks).where(_USED.credential_id.in_(select(credentials.c.id).where(whose)))
    )


def prune(transaction: Transaction, before: datetime) -> int:
    """Forget the networks that were last used before a moment; how many."""
    return transaction.connection.execute(delete(used_networks).where(_USED.last_used_at < before)).rowcount


def _shared(tenant: TenantScope, people_max: int) -> Select[Any]:
    people = func.count(_USED.user_id.distinct())
    return (
        select(_USED.network)
        .where(*within(_USED.tenant_id, tenant), _USED.network.not_in([OTHERS, *_SAME_MACHINE]))
        .group_by(_USED.tenant_id, _USED.network)
        .having(people > 1, people <= people_max)
    )


# Of who is deleted, nothing is written: what is known of them went with them. Another process may have added the same.
_ADD: Final = """
INSERT INTO used_networks
    (last_used_at, requests, credential_id, network, tenant_id, user_id, first_used_at)
SELECT {at}, {requests}, credentials.id, {network}, credentials.tenant_id, credentials.user_id, {at}
FROM credentials JOIN users ON users.id = credentials.user_id JOIN tenants ON tenants.id = credentials.tenant_id
WHERE credentials.id = {name} AND users.status <> 'deleted' AND tenants.status <> 'deleted'
ON CONFLICT (credential_id, network) DO UPDATE SET requests = used_networks.requests + excluded.requests,
    last_used_at = {greatest}(used_networks.last_used_at, excluded.last_used_at)
"""
_COUNT: Final = """
UPDATE used_networks SET last_used_at = {greatest}(last_used_at, {at}), requests = requests + {requests}
WHERE credential_id = {name} AND network = {network}
"""
_ON_SQLITE: Final = {"at": "?1", "requests": "?2", "name": "?3", "network": "?4", "greatest": "max"}
_ON_POSTGRESQL: Final = {
    "at": "$1::bigint",
    "requests": "$2::bigint",
    "name": "$3::text",
    "network": "$4::text",
    "greatest": "greatest",
}
_STATEMENTS: Final = {
    dialect: (_ADD.format_map(words), _COUNT.format_map(words))
    for dialect, words in (("sqlite", _ON_SQLITE), ("postgresql", _ON_POSTGRESQL))
}
_KNOWN: Final = {
    "sqlite": "SELECT credential_id, network FROM used_networks WHERE credential_id IN (SELECT value FROM json_each(?))",
    "postgresql": "SELECT credential_id, network FROM used_networks WHERE credential_id = ANY($1::text[])",
}
