"""§4 and §6: `/v1/plans`, which are the operator's to change. What they do is in `test_limits.py`."""

from __future__ import annotations

import secrets
from typing import Final

import pytest

from tests.web.tenancy import Json, Tenancy, every, refusal

PATH: Final = "/v1/plans"


def a_name() -> str:
    """A name that no plan has."""
    return f"plan-{secrets.token_hex(6)}"


def test_a_new_plan_and_the_same_changed(tenancy: Tenancy) -> None:
    """An operator's script could not be run twice."""
    wish: Json = {
        "name": a_name(),
        "requests_per_hour": 5000,
        "burst": None,
        "per_method": {"jwt_session": 100, "bearer_token": None},
        "count_by": "tenant",
    }
    first = tenancy.operator.post(PATH, json=wish)
    assert first.status_code == 201
    assert first.headers["Location"] == f"{PATH}/{wish['name']}"
    plan = first.json()
    assert plan.items() >= {**wish, "object": "plan"}.items()
    assert plan["created_at"] == plan["updated_at"]
    assert plan["created_at"].endswith("Z")
    tenancy.server.clock.advance(1)
    change = {"name": wish["name"], "requests_per_hour": None, "burst": 7}
    second = tenancy.operator.post(PATH, json=change)
    assert second.status_code == 200
    assert second.json() == {
        **plan,
        **change,
        "per_method": {},
        "count_by": "credential",
        "updated_at": second.json()["updated_at"],
    }
    assert second.json()["updated_at"] > plan["updated_at"]
    assert tenancy.operator.get(f"{PATH}/{wish['name']}").json() == second.json()
    assert second.json() in every(tenancy.operator, PATH)


def test_the_plans_of_a_new_installation(tenancy: Tenancy) -> None:
    """The price list, and the contract, say these figures."""
    plans = {plan["name"]: plan for plan in every(tenancy.operator, PATH)}
    figures = {
        name: (plans[name]["requests_per_hour"], plans[name]["burst"], plans[name]["per_method"])
        for name in ("free", "pro", "enterprise")
    }
    assert figures == {
        "free": (
            1000,
            50,
            {
                "api_key": 1000,
                "personal_access_token": 1000,
                "oauth_access_token": 5000,
                "jwt_session": 2000,
                "bearer_token": 2000,
            },
        ),
        "pro": (10_000, 200, {}),
        "enterprise": (None, 1000, {}),
    }
    assert {plans[name]["count_by"] for name in figures} == {"credential"}


@pytest.mark.parametrize("figure", [0, 1, 2**53, None])
def test_any_sensible_figure(tenancy: Tenancy, figure: int | None) -> None:
    """Nought shuts a plan off, and null opens it."""
    wish = {"name": a_name(), "requests_per_hour": figure, "burst": figure}
    made = tenancy.operator.post(PATH, json=wish).json()
    assert (made["requests_per_hour"], made["burst"]) == (figure, figure)


def test_a_malformed_plan_names_its_field_and_changes_nothing(fresh_tenancy: Tenancy) -> None:
    """A slip would open the door to everybody, or shut it."""
    tenancy = fresh_tenancy
    plan = tenancy.plan(10, 5)
    before = tenancy.everything()
    cases: list[tuple[Json, str]] = [
        ({"name": ""}, "name"),
        ({"name": "Gold"}, "name"),
        ({"name": "two words"}, "name"),
        ({"name": "../free"}, "name"),
        ({"name": "-gold"}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": None}, "name"),
        ({"name": 7}, "name"),
        ({"requests_per_hour": -1}, "requests_per_hour"),
        ({"requests_per_hour": 1.5}, "requests_per_hour"),
        ({"requests_per_hour": "1000"}, "requests_per_hour"),
        ({"requests_per_hour": True}, "requests_per_hour"),
        ({"requests_per_hour": 2**53 + 1}, "requests_per_hour"),
        ({"burst": -1}, "burst"),
        ({"burst": "none"}, "burst"),
        ({"per_method": {"api_key": -1}}, "per_method.api_key"),
        ({"per_method": {"api_key": "x"}}, "per_method.api_key"),
        ({"per_method": {"carrier_pigeon": 1}}, "per_method.carrier_pigeon"),
        ({"per_method": [1]}, "per_method"),
        ({"count_by": "planet"}, "count_by"),
        ({"count_by": None}, "count_by"),
        ({"requests_per_minute": 5}, "requests_per_minute"),
    ]
    for fields, field in cases:
        answer = tenancy.operator.post(
            PATH, json={"name": plan, "requests_per_hour": 1, "burst": 1, **fields}
        )
        assert refusal(answer) == (400, "invalid_request"), fields
        assert answer.json()["field"] == field, fields
        assert field in answer.json()["message"], fields
    for missing in ("name", "requests_per_hour", "burst"):
        wish = {"name": plan, "requests_per_hour": 1, "burst": 1}
        del wish[missing]
        answer = tenancy.operator.post(PATH, json=wish)
        assert (refusal(answer), answer.json()["field"]) == ((400, "invalid_request"), missing)
    assert tenancy.everything() == before


def test_customers_read_plans_and_change_none(fresh_tenancy: Tenancy) -> None:
    """A customer's owner would raise everybody's limits."""
    tenancy = fresh_tenancy
    plan = tenancy.plan(10)
    before = tenancy.everything()
    for client in (tenancy.api, tenancy.client(tenancy.key(scopes=["read", "write"])["key"])):
        assert client.get(f"{PATH}/{plan}").json()["requests_per_hour"] == 10
        assert plan in [one["name"] for one in every(client, PATH)]
        wish = {"name": plan, "requests_per_hour": None, "burst": None}
        assert refusal(client.post(PATH, json=wish)) == (403, "insufficient_scope")
        assert refusal(client.delete(f"{PATH}/{plan}")) == (403, "insufficient_scope")
    assert tenancy.everything()["/v1/plans"] == before["/v1/plans"]


def test_a_plan_in_use_is_not_deleted(fresh_tenancy: Tenancy) -> None:
    """Its keys would be without a limit, or without a way in."""
    tenancy = fresh_tenancy
    plan = tenancy.plan(10)
    key = tenancy.key(plan=plan)
    for name in (plan, "free"):
        answer = tenancy.operator.delete(f"{PATH}/{name}")
        assert refusal(answer) == (409, "conflict"), name
        assert name in answer.json()["message"]
    assert tenancy.verify(key["key"]).headers["X-RateLimit-Limit"] == "10"
    tenancy.api.delete(f"/v1/api-keys/{key['id']}")
    gone = tenancy.operator.delete(f"{PATH}/{plan}")
    assert (gone.status_code, gone.content) == (204, b"")
    for answer in (tenancy.operator.delete(f"{PATH}/{plan}"), tenancy.operator.get(f"{PATH}/{plan}")):
        assert refusal(answer) == (404, "not_found")
    assert tenancy.api.get(f"/v1/api-keys/{key['id']}").json()["status"] == "revoked"
