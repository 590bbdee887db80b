"""The audit trail: whole, filtered, and never rewritten."""

from __future__ import annotations

import pytest

from bonafides.model import EVERYWHERE, Actor, Page, to_micros
from bonafides.store.sql import SqlStore
from tests.store.databases import REFUSED, run_sql
from tests.store.records import LATER, event

ALL = Page(limit=100)


async def test_an_event_comes_back_as_it_was_written(store: SqlStore) -> None:
    """An investigator would look for the wrong person, address or time."""
    whole = event("login_refused", at=LATER, details={"why": "Zürich", "tries": [1, {"a": None}]})
    bare = event(actor=Actor(None, None, "cli"), details={})
    for written in (bare, whole):
        await store.append_event(written)
    assert list(await store.list_events("ten_a", ALL))[:2] == [whole, bare]


async def test_events_are_filtered_and_paged(store: SqlStore) -> None:
    """A trail that cannot be searched is not read."""
    found = event("a", at=LATER, subject_id="key_1", actor=Actor("usr_1", None, "api"))
    others = [event("b", at=LATER), event("a", tenant_id="ten_b", subject_id="key_1")]
    for written in (found, *others):
        await store.append_event(written)
    assert await store.list_events("ten_a", ALL, action="a") == [found]
    assert await store.list_events("ten_a", ALL, subject_id="key_1") == [found]
    assert await store.list_events(EVERYWHERE, ALL, actor_user_id="usr_1") == [found]
    assert await store.list_events("ten_b", ALL) == [others[1]]
    after = Page(1, to_micros(LATER), others[0].id)
    assert await store.list_events("ten_a", after) == [found]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_events SET action = 'nothing'", "DELETE FROM audit_events"],
    ids=["update", "delete"],
)
async def test_the_trail_is_append_only(url: str, store: SqlStore, statement: str) -> None:
    """ASVS 16.4.2: whoever gets hold of the server's own connection must not be able to cover their tracks."""
    before = await store.list_events(EVERYWHERE, ALL)
    with pytest.raises(REFUSED, match="append-only"):
        await run_sql(url, statement)
    assert await store.list_events(EVERYWHERE, ALL) == before
