"""The decision records can be found and read."""

from __future__ import annotations

import re

import pytest

from tests.house.rules import REPOSITORY

DECISIONS = REPOSITORY / "docs" / "decisions"
RECORDS = sorted(path.name for path in DECISIONS.glob("[0-9]*.md"))


def test_the_index_lists_every_record_and_nothing_else() -> None:
    """A newcomer who reads the index would miss a decision, or follow a dead link."""
    listed = re.findall(
        r"^\| \[(\d{4})\]\(([^)]+)\)", (DECISIONS / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [name for _, name in listed] == RECORDS
    assert all(name.startswith(f"{number}-") for number, name in listed)


def test_numbers_are_given_once_and_without_gaps() -> None:
    """Two records with one number make every reference to it ambiguous."""
    assert [name[:4] for name in RECORDS] == [f"{number:04}" for number in range(1, len(RECORDS) + 1)]


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_has_the_form_of_the_template(name: str) -> None:
    """A record without what was rejected does not keep the next one from trying it again."""
    text = (DECISIONS / name).read_text(encoding="utf-8")
    assert text.startswith(f"# {name[:4]}. ")
    status = re.search(
        r"^Status: (proposed|accepted|replaced by \d{4})\. Date: \d{4}-\d\d-\d\d\.$", text, re.MULTILINE
    )
    assert status is not None
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
        "Question",
        "Decision",
        "Rejected",
        "Consequences",
    ]
