"""`/v1/plans`."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Path, Request, Response

from bonafides.idempotency import Idempotency
from bonafides.model import ADMIN, READ, Plan, Replayed
from bonafides.plans import Plans
from bonafides.resources import plan_resource
from bonafides.web import bodies, schemas
from bonafides.web.answers import json_answer
from bonafides.web.guard import Caller, GuardedRoute
from bonafides.web.paging import LIMIT_DEFAULT, Cursor, Limit, Paging
from bonafides.web.replies import REPLAYED, attempt_of, claim_for, reply, sealed_answer

_READS: Final = {"x-required-scopes": [READ]}
_ADMIN: Final = {"x-required-scopes": [ADMIN]}
_NOT_OPERATOR: Final = {"description": "You are not the operator."}

PlanName = Annotated[str, Path(description="The plan's name.")]

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def routes(plans: Plans, idempotency: Idempotency, paging: Paging) -> APIRouter:
    """The routes of plans."""
    router = APIRouter(prefix="/v1/plans", route_class=GuardedRoute, tags=["Plans"])

    def show_put(outcome: tuple[Plan, bool]) -> dict[str, Any]:
        plan, is_new = outcome
        return {"status": 201 if is_new else 200, "plan": plan_resource(plan)}

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
            200: {"model": schemas.Plan, "description": "The plan had existed and has these figures now."},
            201: {"model": schemas.Plan, "description": "The new plan."},
            403: _NOT_OPERATOR,
            409: {"description": "The Idempotency-Key was used for a different call."},
        },
        openapi_extra=_ADMIN,
    )
    async def put(request: Request, caller: Caller, body: bodies.NewPlan) -> Response:
        attempt = await attempt_of(request, idempotency, caller)
        outcome = await plans.put(
            caller,
            name=body.name,
            requests_per_hour=body.requests_per_hour,
            burst=body.burst,
            per_method=body.per_method,
            count_by=body.count_by,
            bearer_token_seconds=body.bearer_token_seconds,
            claim_for=claim_for(idempotency, attempt, show_put),
        )
        headers = []
        if isinstance(outcome, Replayed):
            shown = _decode(sealed_answer(idempotency, attempt, outcome))
            headers.append(REPLAYED)
        else:
            shown = show_put(outcome)
        if shown["status"] == HTTPStatus.CREATED:
            headers.append((b"location", f"/v1/plans/{shown['plan']['name']}".encode("ascii")))
        return reply(json_answer(shown["status"], shown["plan"], *headers))

    @router.get(
        "/{name}",
        operation_id="getPlan",
        summary="Show a plan",
        responses={
            200: {"model": schemas.Plan, "description": "The plan."},
            404: {"description": "There is no such plan."},
        },
        openapi_extra=_READS,
    )
    async def get(_: Caller, name: PlanName) -> Response:
        return reply(json_answer(200, plan_resource(await plans.get(name))))

    @router.delete(
        "/{name}",
        operation_id="deletePlan",
        summary="Delete a plan that nothing uses (the operator)",
        status_code=204,
        responses={
            204: {"description": "The plan is gone."},
            403: _NOT_OPERATOR,
            404: {"description": "There is no such plan."},
            409: {"description": "A tenant or a key is on the plan, or it is the default."},
        },
        openapi_extra=_ADMIN,
    )
    async def delete(caller: Caller, name: PlanName) -> Response:
        await plans.delete(caller, name)
        return Response(status_code=204)

    return router
