"""`/v1/plan-dry-runs`: what figures would have refused, before they bind."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from bonafides.dry_runs import PRECISION, DryRun, DryRuns
from bonafides.model import ADMIN, CountBy
from bonafides.resources import Resource, time_text
from bonafides.web.answers import json_answer
from bonafides.web.bodies import Moment, NewPlan
from bonafides.web.guard import SCOPES_KEY, Caller, GuardedRoute
from bonafides.web.replies import reply


class PlanDryRun(BaseModel):
    """What figures would have refused."""

    object: Literal["plan_dry_run"]
    plan: str
    count_by: CountBy
    since: Moment
    until: Moment = Field(description="The end of the hour that is under way.")
    requests: int = Field(description="Of all that is on the plan now, admitted or refused for their number.")
    would_refuse: int
    subjects: int = Field(description="Of how many keys, users or tenants: whichever `count_by` says.")
    at_least: bool = Field(description="Whether there was too much to look at all of it.")
    precision: str = Field(description="What the figures cannot tell.")


def dry_run_resource(plan: str, count_by: CountBy, found: DryRun) -> Resource:
    """What figures would have refused, as it is told."""
    return {
        "object": "plan_dry_run",
        "plan": plan,
        "count_by": str(count_by),
        "since": time_text(found.since_us),
        "until": time_text(found.until_us),
        "requests": found.requests,
        "would_refuse": found.would_refuse,
        "subjects": found.subjects,
        "at_least": found.at_least,
        "precision": PRECISION,
    }


def routes(dry_runs: DryRuns) -> APIRouter:
    """The route of dry runs."""
    router = APIRouter(route_class=GuardedRoute, tags=["Plans"])

    @router.post(
        "/v1/plan-dry-runs",
        operation_id="tryPlan",
        summary="Tell what figures would have refused last week (the operator)",
        description=f"Of the requests of the last seven days, of whatever is on the plan now; nothing is changed. {PRECISION}",
        responses={
            200: {"model": PlanDryRun, "description": "What they would have refused."},
            403: {"description": "You are not the operator."},
        },
        openapi_extra={SCOPES_KEY: [ADMIN]},
    )
    async def judge(caller: Caller, body: NewPlan) -> Response:
        found = await dry_runs.judge(
            caller,
            name=body.name,
            requests_per_hour=body.requests_per_hour,
            per_method=body.per_method,
            count_by=body.count_by,
        )
        return reply(json_answer(200, dry_run_resource(body.name, body.count_by, found)))

    return router
