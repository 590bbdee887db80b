"""`bonafides plans`: figures that bind the next request."""

from __future__ import annotations

import pytest

from bonafides.web import schemas
from tests.cli.conftest import Bonafides

pytestmark = pytest.mark.usefixtures("founded")


def test_a_plan_has_the_shape_of_the_http_api(bonafides: Bonafides) -> None:
    """A script would have to read the command line's answers otherwise than the API's."""
    done = bonafides(
        "plans", "put", "gold", "--requests-per-hour", "50000", "--burst", "none",
        "--per-method", "api_key=7", "--per-method", "jwt_session=none", "--count-by", "tenant", "--json",
    )  # fmt: skip
    made = done.json
    assert set(made) == set(schemas.Plan.model_fields)
    assert (made["name"], made["requests_per_hour"], made["burst"]) == ("gold", 50_000, None)
    assert (made["per_method"], made["count_by"]) == ({"api_key": 7, "jwt_session": None}, "tenant")
    assert bonafides("plans", "show", "gold", "--json").json == made
    assert bonafides("plans", "list", "--json").json["data"][0]["name"] == "gold"


def test_putting_a_plan_again_replaces_its_figures(bonafides: Bonafides) -> None:
    """A figure of the old plan would go on binding although nobody sees it."""
    figures = ("--requests-per-hour", "5", "--burst", "6")
    assert bonafides("plans", "put", "free", *figures).out.startswith("Changed.")
    free = bonafides("plans", "show", "free", "--json").json
    assert (free["requests_per_hour"], free["burst"], free["per_method"]) == (5, 6, {})
    assert bonafides("plans", "put", "new", *figures).out.startswith("Created.")


@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [
        (("put", "gold"), 2, "--requests-per-hour"),
        (("put", "gold", "--requests-per-hour", "1"), 2, "--burst"),
        (("put", "gold", "--requests-per-hour", "many", "--burst", "1"), 2, "none for no limit"),
        (("put", "gold", "--requests-per-hour", "-1", "--burst", "1"), 1, "requests_per_hour must be null"),
        (("put", "Gold!", "--requests-per-hour", "1", "--burst", "1"), 1, "lower-case letters"),
        (("put", "gold", "--requests-per-hour", "1", "--burst", "1", "--per-method", "key=1"), 2, "KIND=N"),
        (("put", "gold", "--requests-per-hour", "1", "--burst", "1", "--per-method", "api_key"), 2, "KIND=N"),
        (
            ("put", "gold", "--requests-per-hour", "1", "--burst", "1", "--per-method", "api_key=x"),
            2,
            "none for no",
        ),
        (("put", "gold", "--requests-per-hour", "1", "--burst", "1", "--count-by", "moon"), 2, "'moon'"),
        (("show", "gold"), 1, "There is no plan 'gold'"),
        (("delete", "gold"), 1, "There is no plan 'gold'"),
        (("delete", "free"), 1, "default plan"),
        (("delete", "enterprise"), 1, "in use"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(
    bonafides: Bonafides, words: tuple[str, ...], status: int, reason: str
) -> None:
    """A typo in a figure would let everybody in, or nobody."""
    done = bonafides("plans", *words, "--json")
    assert (done.status, done.out) == (status, "")
    assert reason in done.error["message"]
    assert len(bonafides("plans", "list", "--json").json["data"]) == 3


def test_a_plan_that_nothing_uses_can_go(bonafides: Bonafides) -> None:
    """Old plans would pile up for ever."""
    done = bonafides("plans", "delete", "pro", "--json")
    assert (done.status, done.json) == (0, {"name": "pro", "object": "plan", "deleted": True})
    bonafides("plans", "put", "old", "--requests-per-hour", "1", "--burst", "1")
    assert bonafides("plans", "delete", "old").out == "Deleted the plan old.\n"
    assert [plan["name"] for plan in bonafides("plans", "list", "--json").json["data"]] == [
        "free",
        "enterprise",
    ]


def test_people_read_no_limit_as_unlimited(bonafides: Bonafides) -> None:
    """An empty cell could be read as nothing admitted at all."""
    lines = bonafides("plans", "list").out.splitlines()
    (enterprise,) = [line for line in lines if line.startswith("enterprise")]
    assert enterprise.split()[1:3] == ["unlimited", "1000"]


def test_plans_are_listed_page_by_page(bonafides: Bonafides) -> None:
    """Plans past the first page could not be seen."""
    whole = bonafides("plans", "list", "--json").json["data"]
    first = bonafides("plans", "list", "--limit", "2", "--json").json
    rest = bonafides("plans", "list", "--limit", "2", "--cursor", first["next_cursor"], "--json").json
    assert first["data"] + rest["data"] == whole
