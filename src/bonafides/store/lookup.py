"""The cold look-up: from a digest to all that judging its credential needs.

It is asked for every credential that is not in memory, so its two statements are built once and go to
the driver as text; what they return is turned into `Verifiable` by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, Protocol

from sqlalchemy import ColumnElement, Dialect, Integer, Select, func, literal_column, select

from bonafides.model import (
    TOKEN_KINDS,
    CountBy,
    CredentialKind,
    Delegation,
    Plan,
    Role,
    Verifiable,
    to_datetime,
)
from bonafides.store.columns import addresses, figures, scopes
from bonafides.store.tables import credentials, plans, tenants, users

_PARENT_ID: Final = 12
"""Where `by_digest` has the parent's id."""


class Row(Protocol):
    """A row as either driver gives it."""

    def __getitem__(self, place: Any, /) -> Any: ...  # noqa: ANN401


_KINDS: Final = {kind.value: kind for kind in CredentialKind}
_ROLES: Final = {role.value: role for role in Role}

_TOKENS: Final = frozenset(kind.value for kind in TOKEN_KINDS)


def by_digest(wanted: ColumnElement[bool]) -> Select[Any]:
    """The rows that `verifiables` takes, for the credentials that fulfil the condition."""
    credential, user, tenant, plan = credentials.c, users.c, tenants.c, plans.c
    return (
        select(
            credential.id,
            credential.kind,
            credential.name,
            credential.digest,
            credential.pepper_id,
            credential.tenant_id,
            credential.user_id,
            credential.root_id,
            credential.scopes,
            credential.expires_at,
            credential.overlap_ends_at,
            credential.allowed_ips,
            credential.parent_id,
            credential.status,
            user.status,
            tenant.status,
            user.role,
            user.scopes,
            credential.client_id,
            credential.audiences,
            credential.jkt,
            credential.act,
            plan.name,
            plan.requests_per_hour,
            plan.burst,
            plan.per_method,
            plan.count_by,
            plan.created_at,
            plan.updated_at,
            plan.bearer_token_seconds,
        )
        .join_from(credentials, users, user.id == credential.user_id)
        .join(tenants, tenant.id == credential.tenant_id)
        .join(plans, plan.name == func.coalesce(credential.plan, tenant.plan))
        .where(wanted)
    )


def lineage(wanted: ColumnElement[bool]) -> Select[Any]:
    """The rows that `verifiables` takes of the ancestors of the credentials that fulfil the condition, nearest first."""
    ancestor = credentials.alias("ancestor")
    one: ColumnElement[int] = literal_column("1", Integer)
    above = (
        select(credentials.c.id, credentials.c.parent_id.label("ancestor_id"), one.label("depth"))
        .where(wanted)
        .cte("above", recursive=True)
    )
    above = above.union_all(
        select(above.c.id, ancestor.c.parent_id, above.c.depth + one).join(
            above, ancestor.c.id == above.c.ancestor_id
        )
    )
    return (
        select(
            above.c.id,
            ancestor.c.kind,
            ancestor.c.status,
            ancestor.c.scopes,
            ancestor.c.expires_at,
            ancestor.c.overlap_ends_at,
            ancestor.c.allowed_ips,
        )
        .join_from(above, ancestor, ancestor.c.id == above.c.ancestor_id)
        .order_by(above.c.depth)
    )


def statement(query: Select[Any], dialect: Dialect) -> str:
    """The text of a query for the driver itself."""
    return str(query.compile(dialect=dialect))


def with_parents(rows: Iterable[Row]) -> list[str]:
    """The ids of those credentials whose lineage has to be asked for."""
    return [row[0] for row in rows if row[_PARENT_ID] is not None]


def verifiables(rows: Iterable[Row], ancestors: Iterable[Row]) -> dict[bytes, Verifiable]:
    """What was found, by digest.

    A credential with a parent of which nothing was found is not usable: its lineage is not known.
    """
    known: dict[str, list[Row]] = {}
    for row in ancestors:
        known.setdefault(row[0], []).append(row)
    return {row[3]: _verifiable(row, known.get(row[0], ())) for row in rows}


def _verifiable(row: Row, ancestors: Sequence[Row]) -> Verifiable:
    id_, kind, name, digest, pepper_id, tenant_id, user_id, root_id = row[:8]
    own_scopes, expires_at, overlap_ends_at, networks, parent_id, status, user_status, tenant_status = row[
        8:16
    ]
    role, user_scopes, client_id, audiences, jkt, act, *plan = row[16:]
    bounds = _scopes(own_scopes) or frozenset()
    ends_at = _first(expires_at, overlap_ends_at)
    usable = status == user_status == tenant_status == "active" and (parent_id is None or bool(ancestors))
    # A token is bounded by what it was made from, which ends for it with its overlap; keys only follow each other.
    bounded = kind in _TOKENS
    for above in ancestors:
        _, kind_above, status_above, scopes_above, expires_above, overlap_above, networks_above = above[:]
        usable = usable and status_above == "active"
        ends_at = _first(ends_at, expires_above, overlap_above if bounded else None)
        if bounded:
            bounds &= _scopes(scopes_above) or frozenset()
            networks = networks or networks_above
            bounded = kind_above in _TOKENS
    return Verifiable(
        id=id_,
        kind=_KINDS[kind],
        name=name,
        digest=digest,
        pepper_id=pepper_id,
        tenant_id=tenant_id,
        user_id=user_id,
        root_id=root_id,
        scopes=bounds,
        ends_at_us=ends_at,
        usable=usable,
        allowed_ips=addresses(networks),
        role=_ROLES[role],
        user_scopes=_scopes(user_scopes),
        plan=_plan(*plan),
        delegation=_delegation(client_id, audiences, jkt, act) if client_id is not None else None,
    )


def _first(*ends: int | None) -> int | None:
    return min((end for end in ends if end is not None), default=None)


# Thousands of credentials share a handful of plans and of sets of scopes; a changed row is another key.
_scopes: Final = lru_cache(maxsize=1024)(scopes)


@lru_cache(maxsize=1024)
def _delegation(client_id: str, audiences: str | None, jkt: str | None, act: str | None) -> Delegation:
    return Delegation(client_id, addresses(audiences or ""), jkt, _actors(act))


def _actors(act: str | None) -> tuple[str, ...]:
    """Who acts, the latest first, as `act` says one within the other."""
    found: list[str] = []
    told: dict[str, Any] = json.loads(act or "{}")
    while told:
        found.append(told["sub"])
        told = told.get("act", {})
    return tuple(found)


@lru_cache(maxsize=1024)
def _plan(
    name: str,
    requests_per_hour: int | None,
    burst: int | None,
    per_method: str,
    count_by: str,
    created_at: int,
    updated_at: int,
    bearer_token_seconds: int | None,
) -> Plan:
    return Plan(
        name,
        requests_per_hour,
        burst,
        figures(per_method),
        CountBy(count_by),
        to_datetime(created_at),
        to_datetime(updated_at),
        bearer_token_seconds,
    )
