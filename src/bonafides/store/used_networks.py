"""The verbs on which networks credentials were used from.

What is kept of them, and why, is in docs/decisions/0026-networks-of-use.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from bonafides.model import NetworkUse, NewNetworks, SharedNetworks, Status, TenantScope
from bonafides.store.listing import within
from bonafides.store.tables import credentials, tenants, used_networks, users
from bonafides.store.transaction import Transaction

NETWORKS_MAX: Final = 64
"""Networks of a credential that are told apart."""
OTHERS: Final = ""
"""In place of a network: all those beyond."""
_SAME_MACHINE: Final = ("127.0.0.0/24", "::/48")
"""What comes from this very machine comes through a proxy that the operator has not named, and tells of nobody."""

_USED: Final = used_networks.c


def record(transaction: Transaction, used: Mapping[tuple[str, str], tuple[datetime, int]]) -> None:
    """Add to how much credentials were used from networks, by credential and network."""
    # In one order, so that two processes never wait for each other.
    transaction.connection.execute(
        _ADD[transaction.connection.dialect.name],
        [
            {"used_id": name, "used_from": network, "used_at": at, "used_times": requests}
            for (name, network), (at, requests) in sorted(used.items())
        ],
    )


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


def _add(insert: Any) -> Any:  # noqa: ANN401 - each dialect has a type of its own
    network, requests = (
        bindparam("used_from", type_=_USED.network.type),
        bindparam("used_times", type_=BigInteger),
    )
    at = bindparam("used_at", type_=_USED.last_used_at.type)
    mine = used_networks.alias("mine")
    known = exists().where(mine.c.credential_id == credentials.c.id, mine.c.network == network)
    number = (
        select(func.count())
        .where(mine.c.credential_id == credentials.c.id, mine.c.network != OTHERS)
        .correlate(credentials)
        .scalar_subquery()
    )
    named = case((or_(known, number < NETWORKS_MAX), network), else_=literal(OTHERS))
    rows = (
        select(credentials.c.id, named, credentials.c.tenant_id, credentials.c.user_id, at, at, requests)
        .join_from(credentials, users, users.c.id == credentials.c.user_id)
        .join(tenants, tenants.c.id == credentials.c.tenant_id)
        .where(
            credentials.c.id == bindparam("used_id"),
            users.c.status != Status.DELETED,
            tenants.c.status != Status.DELETED,
        )
    )
    statement = insert(used_networks).from_select(
        ["credential_id", "network", "tenant_id", "user_id", "first_used_at", "last_used_at", "requests"],
        rows,
    )
    later = statement.excluded.last_used_at
    return statement.on_conflict_do_update(
        index_elements=[_USED.credential_id, _USED.network],
        set_={
            "last_used_at": case((later > _USED.last_used_at, later), else_=_USED.last_used_at),
            "requests": _USED.requests + statement.excluded.requests,
        },
    )


_ADD: Final = {"sqlite": _add(sqlite.insert), "postgresql": _add(postgresql.insert)}
