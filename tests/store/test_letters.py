"""Letters that wait: written with their event or not at all, found when they are due, sent by one process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from bonafides.model import WaitingLetter
from bonafides.store import Clash
from bonafides.store.sql import SqlStore
from tests.store.databases import run_sql
from tests.store.records import NOW, event, user


def letter(identity: str, seconds: float = 0) -> WaitingLetter:
    """One that is due so long after now."""
    due_at = NOW + timedelta(seconds=seconds)
    return WaitingLetter(identity, b"sealed", "p1", NOW, due_at, NOW + timedelta(days=3))


async def write(store: SqlStore, *letters: WaitingLetter) -> None:
    """Write letters with the event of a user who is made."""
    await store.create_user(user(f"usr_{letters[0].id}"), event("user.created", letters=letters))


async def names(store: SqlStore, seconds: float = 0, rows_max: int = 10) -> list[str]:
    """Which are due by then."""
    found = await store.due_letters(NOW + timedelta(seconds=seconds), rows_max)
    return [one.id for one in found]


async def test_those_that_are_due_are_found_the_longest_first(store: SqlStore) -> None:
    """A mail would come before its time, or the newest would always be sent before those that wait."""
    one, two, three = letter("ltr_1", 5), letter("ltr_2"), letter("ltr_3", 9)
    await write(store, one, two, three)
    assert await store.due_letters(NOW, 10) == [two]
    assert await names(store, 5) == ["ltr_2", "ltr_1"]
    assert await names(store, 9) == ["ltr_2", "ltr_1", "ltr_3"]
    assert await names(store, 9, 2) == ["ltr_2", "ltr_1"]
    await store.forget_letter("ltr_2")
    assert await names(store, 9) == ["ltr_1", "ltr_3"]


async def test_of_two_who_want_to_send_it_one_does(store: SqlStore, opened: Callable[[], SqlStore]) -> None:
    """Everybody would get each mail as often as there are processes."""
    one, other = store, opened()
    await write(one, letter("ltr_1"))
    (seen,) = await one.due_letters(NOW, 1)
    (too,) = await other.due_letters(NOW, 1)
    until = NOW + timedelta(seconds=60)
    assert await one.put_letter_off(seen, until)
    assert not await other.put_letter_off(too, until)
    assert await names(other, 59) == []
    assert await other.due_letters(until, 1) == [seen.put_off(until)]
    await one.forget_letter("ltr_1")
    assert not await other.put_letter_off(seen.put_off(until), until)


async def test_a_letter_of_what_did_not_happen_is_never_sent(url: str, store: SqlStore) -> None:
    """Somebody would get the way to a password that nobody may choose."""
    await write(store, letter("ltr_1"))
    again = user("usr_2", email=user("usr_ltr_1").email)
    assert isinstance(await store.create_user(again, event(letters=(letter("ltr_2"),))), Clash)
    assert await run_sql(url, "SELECT id FROM letters") == [("ltr_1",)]
