"""Plans: the operator's figures, which bind the next request."""

from __future__ import annotations

from typing import Any

import pytest

from bonafides.errors import Conflict, Forbidden, InvalidRequest, NotFound
from bonafides.intake import PLAN_FIGURE_MAX
from bonafides.model import (
    Accepted,
    CountBy,
    CredentialKind,
    IdempotencyClaim,
    Page,
    Plan,
    Reason,
    Replayed,
    to_datetime,
)
from bonafides.plans import first_plans
from bonafides.verification.verifier import Facts
from tests.unit.clocks import START_US
from tests.unit.conftest import House

ALL = Page(limit=100)


def wish(**changes: Any) -> dict[str, Any]:
    """What a plan shall be."""
    return {
        "name": "gold",
        "requests_per_hour": 100,
        "burst": 10,
        "per_method": {},
        "count_by": CountBy.CREDENTIAL,
        **changes,
    }


def claimed(answer: str, call: str = "one call") -> IdempotencyClaim:
    """The claim of a call that carries the `Idempotency-Key` that all these tests use."""
    return IdempotencyClaim(
        b"k" * 32, call.encode().ljust(32), answer.encode(), to_datetime(2_000_000_000_000_000)
    )


def test_a_new_installations_plans_have_the_contracts_figures() -> None:
    """Customers would be limited to other figures than those that they were promised."""
    free, pro, enterprise = first_plans(START_US)
    assert (free.name, free.requests_per_hour, free.burst) == ("free", 1_000, 50)
    assert {kind: free.hourly(kind) for kind in CredentialKind} == {
        CredentialKind.API_KEY: 1_000,
        CredentialKind.PERSONAL_ACCESS_TOKEN: 1_000,
        CredentialKind.OAUTH_ACCESS_TOKEN: 5_000,
        CredentialKind.JWT_SESSION: 2_000,
        CredentialKind.BEARER_TOKEN: 2_000,
    }
    assert (pro.name, pro.requests_per_hour, pro.burst, dict(pro.per_method)) == ("pro", 10_000, 200, {})
    assert (enterprise.name, enterprise.requests_per_hour, enterprise.burst) == ("enterprise", None, 1_000)
    for plan in (free, pro, enterprise):
        assert plan.count_by is CountBy.CREDENTIAL
        assert plan.created_at == plan.updated_at == to_datetime(START_US)


async def test_a_plan_is_made_then_replaced_and_knows_since_when_it_is(house: House) -> None:
    """An operator who puts a plan again would be told that it is new, or keep figures of the old one."""
    made = to_datetime(house.clock.now_us)
    plans, per_method = house.rooms.plans, {CredentialKind.API_KEY: 7, CredentialKind.JWT_SESSION: None}
    assert await plans.put(house.operator, **wish(per_method=per_method, count_by=CountBy.USER)) == (
        Plan("gold", 100, 10, per_method, CountBy.USER, made, made),
        True,
    )
    house.clock.advance(1)
    replaced = Plan("gold", None, 0, {}, CountBy.TENANT, made, to_datetime(house.clock.now_us))
    outcome = await plans.put(
        house.operator, **wish(requests_per_hour=None, burst=0, count_by=CountBy.TENANT)
    )
    assert outcome == (replaced, False)
    assert await plans.get("gold") == replaced
    assert replaced in await plans.page(ALL)
    events = await house.rooms.audit.events(house.operator, ALL, action="plan.put", subject_id="gold")
    assert [event.details for event in events] == [
        {
            "requests_per_hour": None,
            "burst": 0,
            "per_method": {},
            "count_by": "tenant",
            "bearer_token_seconds": None,
        },
        {
            "requests_per_hour": 100,
            "burst": 10,
            "per_method": {"api_key": 7, "jwt_session": None},
            "count_by": "user",
            "bearer_token_seconds": None,
        },
    ]


async def test_changed_figures_bind_the_next_request(house: House) -> None:
    """An operator who stops a flood would have to restart the server."""
    await house.make_plan("gold", 100, 10)
    made = await house.make_key(plan="gold")
    verify = house.rooms.verifier.verify
    assert isinstance(await verify(made.secret.encode(), Facts()), Accepted)
    await house.make_plan("gold", 1, 10)
    await house.rooms.feed.read()
    verdict = await verify(made.secret.encode(), Facts())
    assert not isinstance(verdict, Accepted)
    assert verdict.reason is Reason.RATE


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "Gold plan"}, "name"),
        ({"requests_per_hour": -1}, "requests_per_hour"),
        ({"burst": PLAN_FIGURE_MAX + 1}, "burst"),
        ({"per_method": {CredentialKind.API_KEY: -1}}, "per_method.api_key"),
    ],
)
async def test_a_figure_out_of_bounds_changes_nothing(
    house: House, changes: dict[str, Any], field: str
) -> None:
    """A typo would let nobody in, or everybody."""
    with pytest.raises(InvalidRequest) as caught:
        await house.rooms.plans.put(house.operator, **wish(**changes))
    assert caught.value.field == field
    with pytest.raises(NotFound):
        await house.rooms.plans.get("gold")


async def test_plans_are_the_operators(house: House) -> None:
    """A customer would lift their own limits, and everybody's with them."""
    customer = house.authority_of(await house.make_user((await house.make_tenant()).id))
    with pytest.raises(Forbidden, match="change plans"):
        await house.rooms.plans.put(customer, **wish())
    with pytest.raises(Forbidden, match="delete plans"):
        await house.rooms.plans.delete(customer, "pro")
    assert (await house.rooms.plans.get("pro")).name == "pro"


async def test_a_put_that_is_sent_twice_happens_once_and_is_answered_as_before(house: House) -> None:
    """A repeated call would undo the figures that somebody put in between, or tell a wrong date of birth."""
    said: list[tuple[Plan, bool]] = []

    def note(outcome: tuple[Plan, bool]) -> IdempotencyClaim:
        said.append(outcome)
        return claimed("the answer")

    plans = house.rooms.plans
    first = await plans.put(house.operator, **wish(), claim_for=note)
    assert said == [first]
    assert not isinstance(first, Replayed)
    assert first[1]
    house.clock.advance(1)
    replaced = await plans.put(house.operator, **wish(burst=99))
    assert await plans.put(house.operator, **wish(), claim_for=note) == Replayed(b"the answer")
    assert (await plans.get("gold"), False) == replaced
    assert said[1][0].created_at == first[0].created_at
    assert not said[1][1]
    with pytest.raises(Conflict) as caught:
        await plans.put(house.operator, **wish(), claim_for=lambda _: claimed("", "another call"))
    assert caught.value.field == "Idempotency-Key"


async def test_a_plan_is_deleted_when_nothing_names_it(house: House) -> None:
    """A tenant or key would be on a plan that is not there, and nobody could say what limits it."""
    plans = house.rooms.plans
    for name in ("tenants", "keys", "nobodys"):
        await house.make_plan(name, 1)
    await house.make_tenant(plan="tenants")
    await house.make_key(plan="keys")
    for name in ("tenants", "keys"):
        with pytest.raises(Conflict, match=f"The plan {name} is in use"):
            await plans.delete(house.operator, name)
    with pytest.raises(Conflict, match="free is the default plan"):
        await plans.delete(house.operator, "free")
    await plans.delete(house.operator, "nobodys")
    for call in (plans.delete(house.operator, "nobodys"), plans.get("nobodys")):
        with pytest.raises(NotFound, match="no plan 'nobodys'") as caught:
            await call
        assert caught.value.field == "plan"
    (event,) = await house.rooms.audit.events(house.operator, ALL, action="plan.deleted")
    assert event.subject_id == "nobodys"
