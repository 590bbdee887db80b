"""Which rows a call may see, and in which order: newest first, page by page."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ColumnElement, Select, literal, tuple_

from bonafides.model import EVERYWHERE, Page, TenantScope, to_datetime
from bonafides.store.columns import ID, Moment


def within(tenant_id: Column[Any], tenant: TenantScope) -> tuple[ColumnElement[bool], ...]:
    """The conditions that keep a statement inside a tenant; none for the operator's calls."""
    return () if tenant is EVERYWHERE else (tenant_id == tenant,)


def holding(column: Column[Any], words: str) -> ColumnElement[bool]:
    """The condition that a column's text holds these words, in whatever case (of a to z alone on SQLite)."""
    return column.icontains(words, autoescape=True)


def page_of(query: Select[Any], page: Page, moment: Column[Any], identity: Column[Any]) -> Select[Any]:
    """The query for one page; rows that appear meanwhile neither shift nor repeat those still to come."""
    query = query.order_by(moment.desc(), identity.desc()).limit(page.limit)
    if page.after_us is None:
        return query
    after = (literal(to_datetime(page.after_us), Moment), literal(page.after_id or "", ID))
    return query.where(tuple_(moment, identity) < tuple_(*after))
