"""Plans: how many requests are admitted. They are the operator's to change, at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from bonafides import intake
from bonafides.audit import Recorder
from bonafides.authority import Authority
from bonafides.errors import Conflict, NotFound
from bonafides.idempotency import ClaimFor, reused
from bonafides.model import DEFAULT_PLAN, Clock, CountBy, CredentialKind, Page, Plan, Replayed, to_datetime
from bonafides.store import Clash, PlanStore, Reused

FREE_PER_METHOD: Final[Mapping[CredentialKind, int | None]] = {
    CredentialKind.API_KEY: 1_000,
    CredentialKind.PERSONAL_ACCESS_TOKEN: 1_000,
    CredentialKind.OAUTH_ACCESS_TOKEN: 5_000,
    CredentialKind.JWT_SESSION: 2_000,
    CredentialKind.BEARER_TOKEN: 2_000,
}


def first_plans(now_us: int) -> tuple[Plan, ...]:
    """The plans of a new installation."""
    now = to_datetime(now_us)
    return (
        Plan(DEFAULT_PLAN, 1_000, 50, FREE_PER_METHOD, CountBy.CREDENTIAL, now, now),
        Plan("pro", 10_000, 200, {}, CountBy.CREDENTIAL, now, now),
        Plan("enterprise", None, 1_000, {}, CountBy.CREDENTIAL, now, now),
    )


class Plans:
    """Reads and changes plans.

    Args:
        store: Where they are.
        recorder: Makes audit events.
        clock: When they changed.
    """

    def __init__(self, store: PlanStore, recorder: Recorder, clock: Clock) -> None:
        self._store = store
        self._recorder = recorder
        self._clock = clock

    async def put(
        self,
        authority: Authority,
        *,
        name: str,
        requests_per_hour: int | None,
        burst: int | None,
        per_method: Mapping[CredentialKind, int | None],
        count_by: CountBy,
        bearer_token_seconds: int | None = None,
        claim_for: ClaimFor[tuple[Plan, bool]] | None = None,
    ) -> tuple[Plan, bool] | Replayed:
        """Create a plan or replace its figures; they bind the next request.

        Args:
            authority: The operator's.
            name: Which plan.
            requests_per_hour: None for no limit.
            burst: Within one second; None for no limit.
            per_method: Hourly figures for kinds of credential.
            count_by: Whose requests are counted together.
            bearer_token_seconds: How long a bearer token made from a key lasts; None for the default.
            claim_for: Makes the claim from what is returned.

        Returns:
            The plan, and whether it is new.

        Raises:
            Forbidden: The caller is not the operator.
            InvalidRequest: A name or figure is out of bounds.
        """
        authority.require_operator("change plans")
        now = to_datetime(self._clock.micros())
        plan = Plan(
            name=intake.plan_name(name),
            requests_per_hour=intake.figure(requests_per_hour, "requests_per_hour"),
            burst=intake.figure(burst, "burst"),
            per_method={
                kind: intake.figure(value, f"per_method.{kind}") for kind, value in per_method.items()
            },
            count_by=count_by,
            created_at=now,
            updated_at=now,
            bearer_token_seconds=(
                None
                if bearer_token_seconds is None
                else intake.seconds(bearer_token_seconds, "bearer_token_seconds")
            ),
        )
        event = self._recorder.event(
            "plan.put", authority.actor, authority.tenant_id, plan.name, figures(plan)
        )
        claim = None
        if claim_for is not None:
            before = await self._store.find_plan(plan.name)
            since = plan.created_at if before is None else before.created_at
            claim = claim_for((replace(plan, created_at=since), before is None))
        outcome = await self._store.put_plan(plan, event, claim=claim)
        if isinstance(outcome, Reused):
            raise reused()
        if isinstance(outcome, Replayed):
            return outcome
        return await self.get(plan.name), outcome

    async def get(self, name: str) -> Plan:
        """The plan of that name.

        Raises:
            NotFound: There is none.
        """
        plan = await self._store.find_plan(name)
        if plan is None:
            message = f"There is no plan {name[:64]!a}."
            raise NotFound(message, field="plan")
        return plan

    async def page(self, page: Page) -> Sequence[Plan]:
        """Plans, newest first."""
        return await self._store.list_plans(page)

    async def delete(self, authority: Authority, name: str) -> None:
        """Delete a plan that nothing names any more.

        Raises:
            Forbidden: The caller is not the operator.
            Conflict: It is the default, or a tenant or a credential is on it.
            NotFound: There is none.
        """
        authority.require_operator("delete plans")
        if name == DEFAULT_PLAN:
            message = f"{DEFAULT_PLAN} is the default plan. Change its figures instead."
            raise Conflict(message)
        outcome = await self._store.delete_plan(
            name, self._recorder.event("plan.deleted", authority.actor, authority.tenant_id, name)
        )
        if isinstance(outcome, Clash):
            message = f"The plan {name} is in use. Move its tenants and keys to another plan first."
            raise Conflict(message)
        if not outcome:
            await self.get(name)


def figures(plan: Plan) -> dict[str, Any]:
    """The figures of a plan as JSON values, for audit events and answers."""
    return {
        "requests_per_hour": plan.requests_per_hour,
        "burst": plan.burst,
        "per_method": {str(kind): value for kind, value in plan.per_method.items()},
        "count_by": str(plan.count_by),
        "bearer_token_seconds": plan.bearer_token_seconds,
    }
