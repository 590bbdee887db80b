"""The verbs on usage: counts are added to, summed by whose they are, and forgotten.

How they are kept, and why, is in docs/decisions/0006-usage-by-bucket.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, Final

from sqlalchemy import Connection, Select, case, delete, func, or_, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from bonafides.model import (
    ACCEPTED,
    CountBy,
    CredentialKind,
    Reason,
    UsageKey,
    UsageSpan,
    UsageSubject,
    to_micros,
)
from bonafides.store.tables import credentials, tenants, usage_counts, usage_totals, usage_writers
from bonafides.store.transaction import Transaction

_TenantsKey = tuple[int, str, str]
"""Start of a minute, tenant, outcome."""

_SPANS: Final = tuple((int(span), span * 1_000_000) for span in UsageSpan)
_COUNTS: Final = usage_counts.c
_TOTALS: Final = usage_totals.c


def record(
    transaction: Transaction, writer: str, batch: int, counts: Mapping[UsageKey, int], at: datetime
) -> None:
    """Add counts to their minutes, hours and days, unless this batch of this writer is there already."""
    connection = transaction.connection
    dialect = connection.dialect.name
    row = {"id": writer, "batch": batch, "written_at": at}
    if connection.execute(_NOTE_BATCH[dialect], row).first() is not None:
        _ADD[dialect](connection, counts, _totals_of(counts))


def sums(
    connection: Connection, subject: UsageSubject, span: UsageSpan, starts_at_us: Sequence[int]
) -> Mapping[tuple[int, str], int]:
    """Requests by bucket and outcome."""
    # PostgreSQL's sum of whole numbers is a decimal.
    rows = connection.execute(question(subject, span, starts_at_us))
    return {(row.starts_at, row.outcome): int(row.requests) for row in rows}


def question(subject: UsageSubject, span: UsageSpan, starts_at_us: Sequence[int]) -> Select[Any]:
    """The statement that sums: as many searches of a primary key as there are buckets; of a tenant, nothing is added up."""
    if subject.user_id is None:
        return select(_TOTALS.starts_at, _TOTALS.outcome, _TOTALS.requests).where(
            _TOTALS.span == int(span),
            _TOTALS.starts_at.in_(starts_at_us),
            _TOTALS.tenant_id == subject.tenant_id,
        )
    query = (
        select(_COUNTS.starts_at, _COUNTS.outcome, func.sum(_COUNTS.requests).label("requests"))
        .where(
            _COUNTS.span == int(span),
            _COUNTS.starts_at.in_(starts_at_us),
            _COUNTS.tenant_id == subject.tenant_id,
            _COUNTS.user_id == subject.user_id,
        )
        .group_by(_COUNTS.starts_at, _COUNTS.outcome)
    )
    if subject.root_id is not None:
        query = query.where(or_(_COUNTS.credential_id == subject.root_id, _COUNTS.root_id == subject.root_id))
    elif subject.credential_id is not None:
        query = query.where(_COUNTS.credential_id == subject.credential_id)
    return query


def demand(
    connection: Connection,
    plan: str,
    count_by: CountBy,
    span: UsageSpan,
    since_us: int,
    until_us: int,
    least: int | None,
    rows_max: int,
) -> tuple[int, Mapping[tuple[int, str], Mapping[CredentialKind, int]]]:
    """Requests of what is on a plan, and the busiest buckets of each count of it, by kind of credential."""
    root = credentials.alias("root")
    root_id = func.coalesce(_COUNTS.root_id, _COUNTS.credential_id)
    counted = {CountBy.CREDENTIAL: root_id, CountBy.USER: _COUNTS.user_id, CountBy.TENANT: _COUNTS.tenant_id}
    subject = counted[count_by]
    kind = func.coalesce(credentials.c.kind, CredentialKind.BEARER_TOKEN)
    by_kind = [func.sum(case((kind == each, _COUNTS.requests), else_=0)) for each in CredentialKind]
    all_requests = func.sum(_COUNTS.requests)
    asked = (
        select()
        .select_from(usage_counts)
        .join(root, root.c.id == root_id)
        .join(credentials, credentials.c.id == _COUNTS.credential_id, isouter=True)
        .join(tenants, tenants.c.id == _COUNTS.tenant_id)
        .where(
            _COUNTS.span == int(span),
            _COUNTS.starts_at >= since_us,
            _COUNTS.starts_at < until_us,
            _COUNTS.outcome.in_([ACCEPTED, str(Reason.RATE)]),
            func.coalesce(root.c.plan, tenants.c.plan) == plan,
        )
    )
    requests = connection.scalar(asked.add_columns(func.coalesce(all_requests, 0)))
    if least is None:
        return int(requests or 0), {}
    rows = connection.execute(
        asked.add_columns(_COUNTS.starts_at, subject, *by_kind)
        .group_by(_COUNTS.starts_at, subject)
        .having(all_requests > least)
        .order_by(all_requests.desc(), _COUNTS.starts_at, subject)
        .limit(rows_max)
    )
    found = {
        (start, whose): {
            each: int(number) for each, number in zip(CredentialKind, numbers, strict=True) if number
        }
        for start, whose, *numbers in rows
    }
    return int(requests or 0), found


def prune(transaction: Transaction, span: UsageSpan, before: datetime, rows_max: int) -> int:
    """Forget the oldest counts of a span, so many rows at a time that nobody waits long for the lock."""
    connection = transaction.connection
    connection.execute(delete(usage_writers).where(usage_writers.c.written_at < before))
    forgotten = []
    for table in (usage_counts, usage_totals):
        key = tuple(table.primary_key.columns)
        outdated = (
            select(*key)
            .where(table.c.span == int(span), table.c.starts_at < to_micros(before))
            .order_by(*key)
            .limit(rows_max)
        )
        forgotten.append(connection.execute(delete(table).where(tuple_(*key).in_(outdated))).rowcount)
    return max(forgotten)


def _totals_of(counts: Mapping[UsageKey, int]) -> Mapping[_TenantsKey, int]:
    totals: dict[_TenantsKey, int] = {}
    for key, requests in counts.items():
        whose = (key.starts_at_us, key.tenant_id, key.outcome)
        totals[whose] = totals.get(whose, 0) + requests
    return totals


def _add_on_sqlite(
    connection: Connection, counts: Mapping[UsageKey, int], totals: Mapping[_TenantsKey, int]
) -> None:
    # Past SQLAlchemy, which takes three times as long as the rows themselves; and many rows a statement, for the
    # driver takes and gives back the interpreter's lock around each that is given by itself.
    rows = _in_each_span(counts)
    whole = len(rows) - len(rows) % _ROWS_AT_ONCE
    for at in range(0, whole, _ROWS_AT_ONCE):
        connection.exec_driver_sql(
            _ADD_MANY_ON_SQLITE, tuple(chain.from_iterable(rows[at : at + _ROWS_AT_ONCE]))
        )
    if whole < len(rows):
        connection.exec_driver_sql(_ADD_ON_SQLITE, rows[whole:])
    connection.exec_driver_sql(_ADD_TOTALS_ON_SQLITE, _in_each_span(totals))


def _in_each_span(counts: Mapping[Any, int]) -> list[tuple[Any, ...]]:
    return [
        (span, start - start % span_us, *whose, requests)
        for (start, *whose), requests in counts.items()
        for span, span_us in _SPANS
    ]


def _add_on_postgresql(
    connection: Connection, counts: Mapping[UsageKey, int], totals: Mapping[_TenantsKey, int]
) -> None:
    for statement, added in ((_ADD_ON_POSTGRESQL, counts), (_ADD_TOTALS_ON_POSTGRESQL, totals)):
        columns = [list(column) for column in zip(*added, strict=True)]
        connection.exec_driver_sql(statement, (*columns, list(added.values())))


def _note_batch(insert: Any) -> Any:  # noqa: ANN401 - each dialect has a type of its own
    statement = insert(usage_writers)
    excluded = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[usage_writers.c.id],
        set_={"batch": excluded.batch, "written_at": excluded.written_at},
        where=usage_writers.c.batch < excluded.batch,
    ).returning(usage_writers.c.id)


_ROWS_AT_ONCE: Final = 300


def _add_rows_on_sqlite(count: int) -> str:
    places = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?)"] * count)
    return f"""
INSERT INTO usage_counts (span, starts_at, tenant_id, user_id, credential_id, outcome, root_id, requests)
VALUES {places}
ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, root_id = excluded.root_id
"""  # noqa: S608 - only the number of places differs


_ADD_ON_SQLITE: Final = _add_rows_on_sqlite(1)
_ADD_MANY_ON_SQLITE: Final = _add_rows_on_sqlite(_ROWS_AT_ONCE)
_ADD_TOTALS_ON_SQLITE: Final = """
INSERT INTO usage_totals (span, starts_at, tenant_id, outcome, requests)
VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET requests = requests + excluded.requests
"""
# In the order of the primary key, so that two processes that add to the same rows never wait for each other.
_ADD_ON_POSTGRESQL: Final = """
INSERT INTO usage_counts (span, starts_at, tenant_id, user_id, credential_id, outcome, root_id, requests)
SELECT span, start - start % (span * 1000000), tenant, holder, credential, outcome, max(root), sum(requests)
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[])
    AS counted (start, tenant, holder, credential, outcome, root, requests),
    unnest(ARRAY[60, 3600, 86400]::bigint[]) AS spans (span)
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
ON CONFLICT ON CONSTRAINT pk_usage_counts DO UPDATE
SET requests = usage_counts.requests + excluded.requests, root_id = excluded.root_id
"""
_ADD_TOTALS_ON_POSTGRESQL: Final = """
INSERT INTO usage_totals (span, starts_at, tenant_id, outcome, requests)
SELECT span, start - start % (span * 1000000), tenant, outcome, sum(requests)
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[]) AS counted (start, tenant, outcome, requests),
    unnest(ARRAY[60, 3600, 86400]::bigint[]) AS spans (span)
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT ON CONSTRAINT pk_usage_totals DO UPDATE
SET requests = usage_totals.requests + excluded.requests
"""
_ADD: Final = {
    "sqlite": _add_on_sqlite,
    "postgresql": _add_on_postgresql,
}
_NOTE_BATCH: Final = {"sqlite": _note_batch(sqlite.insert), "postgresql": _note_batch(postgresql.insert)}
