"""The cold look-up: from a digest to all that judging its credential needs.

It is asked for every credential that is not in memory, so its two statements are built once and go to
the driver as text; what they return is turned into `Verifiable` by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, Protocol

from sqlalchemy import ColumnElement, Dialect, Select, func, literal_column, select

from bonafides.model import CountBy, CredentialKind, CredentialStatus, Plan, Role, Verifiable, to_datetime
from bonafides.store.columns import addresses, figures, scopes
from bonafides.store.tables import credentials, plans, tenants, users

_PARENT_ID: Final = 12
"""Where `by_digest` has the parent's id."""


class Row(Protocol):
    """A row as either driver gives it."""

    def __getitem__(self, place: Any, /) -> Any: ...  # noqa: ANN401


Lineage = Mapping[str, tuple[int, int | None]]
"""By credential: how many of its ancestors are not active, and the earliest of their expiries."""

_KINDS: Final = {kind.value: kind for kind in CredentialKind}
_ROLES: Final = {role.value: role for role in Role}

_NO_ANCESTORS: Final = (0, None)
_UNKNOWN_ANCESTORS: Final = (1, None)


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
            plan.name,
            plan.requests_per_hour,
            plan.burst,
            plan.per_method,
            plan.count_by,
            plan.created_at,
            plan.updated_at,
        )
        .join_from(credentials, users, user.id == credential.user_id)
        .join(tenants, tenant.id == credential.tenant_id)
        .join(plans, plan.name == func.coalesce(credential.plan, tenant.plan))
        .where(wanted)
    )


def lineage(wanted: ColumnElement[bool]) -> Select[Any]:
    """The rows that `verifiables` takes of the ancestors of the credentials that fulfil the condition."""
    ancestor = credentials.alias("ancestor")
    above = (
        select(credentials.c.id, credentials.c.parent_id.label("ancestor_id"))
        .where(wanted)
        .cte("above", recursive=True)
    )
    above = above.union(
        select(above.c.id, ancestor.c.parent_id).join(above, ancestor.c.id == above.c.ancestor_id)
    )
    inactive = ancestor.c.status.is_distinct_from(literal_column(f"'{CredentialStatus.ACTIVE}'"))
    return (
        select(above.c.id, func.count().filter(inactive), func.min(ancestor.c.expires_at))
        .join_from(above, ancestor, ancestor.c.id == above.c.ancestor_id)
        .group_by(above.c.id)
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
    known: Lineage = {row[0]: (row[1], row[2]) for row in ancestors}
    return {
        row[3]: _verifiable(
            row, *(_NO_ANCESTORS if row[_PARENT_ID] is None else known.get(row[0], _UNKNOWN_ANCESTORS))
        )
        for row in rows
    }


def _verifiable(row: Row, ancestors_inactive: int, ancestors_end: int | None) -> Verifiable:
    id_, kind, name, digest, pepper_id, tenant_id, user_id, root_id = row[:8]
    own_scopes, expires_at, overlap_ends_at, networks, _, status, user_status, tenant_status = row[8:16]
    role, user_scopes, *plan = row[16:]
    return Verifiable(
        id=id_,
        kind=_KINDS[kind],
        name=name,
        digest=digest,
        pepper_id=pepper_id,
        tenant_id=tenant_id,
        user_id=user_id,
        root_id=root_id,
        scopes=_scopes(own_scopes) or frozenset(),
        ends_at_us=_first(expires_at, overlap_ends_at, ancestors_end),
        usable=status == user_status == tenant_status == "active" and ancestors_inactive == 0,
        allowed_ips=addresses(networks),
        role=_ROLES[role],
        user_scopes=_scopes(user_scopes),
        plan=_plan(*plan),
    )


def _first(*ends: int | None) -> int | None:
    return min((end for end in ends if end is not None), default=None)


# Thousands of credentials share a handful of plans and of sets of scopes; a changed row is another key.
_scopes: Final = lru_cache(maxsize=1024)(scopes)


@lru_cache(maxsize=1024)
def _plan(
    name: str,
    requests_per_hour: int | None,
    burst: int | None,
    per_method: str,
    count_by: str,
    created_at: int,
    updated_at: int,
) -> Plan:
    return Plan(
        name,
        requests_per_hour,
        burst,
        figures(per_method),
        CountBy(count_by),
        to_datetime(created_at),
        to_datetime(updated_at),
    )
