"""`/v1/plans`."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from bonafides.idempotency import Idempotency
from bonafides.model import ADMIN, READ, Plan, Replayed
from bonafides.plans import Plans
from bonafides.resources import plan_resource
from bonafides.web import schemas
from bonafides.web.answers import json_answer
from bonafides.web.guard import Caller, GuardedRoute
from bonafides.web.paging import LIMIT_DEFAULT, Cursor, Limit, Paging
from bonafides.web.replies import attempt_of, claim_for, created, reply

_READS = {"x-required-scopes": [READ]}
_ADMIN = {"x-required-scopes": [ADMIN]}


def routes(plans: Plans, idempotency: Idempotency, paging: Paging) -> APIRouter:
    """The routes of plans."""
    router = APIRouter(prefix="/v1/plans", route_class=GuardedRoute, tags=["Plans"])

    def place_of(plan: Plan) -> str:
        return f"/v1/plans/{plan.name}"

    @router.get(
        "",
        operation_id="listPlans",
        summary="List plans",
        responses={200: {"model": schemas.PlanPage, "description": "A page of plans."}},
        openapi_extra=_READS,
    )
    async def listing(_: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None) -> Response:
        found = await plans.page(paging.page(limit, cursor, "plans"))
        return paging.answer(found, limit, "plans", plan_resource, lambda plan: (plan.created_at, plan.name))

    @router.post(
        "",
        operation_id="putPlan",
        summary="Create a plan, or change the figures of one (the operator)",
        description="The figures bind the next request, without a restart. 201 if the plan is new, 200 if it was changed.",
        status_code=201,
        responses={
            200: {"model": schemas.PlanOut, "description": "The plan had existed and has these figures now."},
            201: {"model": schemas.PlanOut, "description": "The new plan."},
        },
        openapi_extra=_ADMIN,
    )
    async def put(request: Request, caller: Caller, body: schemas.NewPlan) -> Response:
        attempt = await attempt_of(request, idempotency, caller)
        outcome = await plans.put(
            caller,
            name=body.name,
            requests_per_hour=body.requests_per_hour,
            burst=body.burst,
            per_method=body.per_method,
            count_by=body.count_by,
            claim_for=claim_for(idempotency, attempt, plan_resource),
        )
        if isinstance(outcome, Replayed):
            return created(idempotency, attempt, outcome, plan_resource, place_of)
        plan, is_new = outcome
        if is_new:
            return created(idempotency, attempt, plan, plan_resource, place_of)
        return reply(json_answer(200, plan_resource(plan)))

    @router.get(
        "/{name}",
        operation_id="getPlan",
        summary="Show a plan",
        responses={200: {"model": schemas.PlanOut, "description": "The plan."}},
        openapi_extra=_READS,
    )
    async def get(_: Caller, name: str) -> Response:
        return reply(json_answer(200, plan_resource(await plans.get(name))))

    @router.delete(
        "/{name}",
        operation_id="deletePlan",
        summary="Delete a plan that nothing uses (the operator)",
        status_code=204,
        responses={204: {"description": "The plan is gone."}},
        openapi_extra=_ADMIN,
    )
    async def delete(caller: Caller, name: str) -> Response:
        await plans.delete(caller, name)
        return Response(status_code=204)

    return router
