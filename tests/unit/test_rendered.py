"""What is rendered for residents is bounded, and forgotten with them."""

from __future__ import annotations

from bonafides.model import Plan
from bonafides.verification.resident import Resident
from bonafides.web.rendered import Form, Rendered, Shelf
from tests.unit.verification.test_resident import digest, found, index_of


def rendered_on(shelf: Shelf, resident: Resident) -> Resident:
    """A resident with something rendered."""
    resident.rendered = Rendered(Plan("free", 1, 1), Form(1, 1, ([], [])))
    shelf.put(resident)
    return resident


def residents(count: int) -> list[Resident]:
    """As many, in a memory that is large enough."""
    index = index_of(residents_max=count)
    return [index.admit(found(f"key_{at}"), digest(f"key_{at}"), 0) for at in range(count)]


def test_the_oldest_lose_what_was_rendered() -> None:
    """A server with a million credentials in memory would keep a body for each."""
    shelf = Shelf(20)
    everybody = [rendered_on(shelf, each) for each in residents(100)]
    assert len(shelf) <= 20
    assert sum(each.rendered is not None for each in everybody) == len(shelf)
    assert all(each.rendered is not None for each in everybody[-10:])


def test_what_memory_forgot_is_not_kept_for_its_answers() -> None:
    """Keys that come and go would fill the memory of a server that runs for weeks."""
    shelf = Shelf(50_000)
    index = index_of(residents_max=10)
    for at in range(5_000):
        rendered_on(shelf, index.admit(found(f"key_{at}"), digest(f"key_{at}"), 0))
    assert len(shelf) <= 1_000
