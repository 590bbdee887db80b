"""`/v1/denials/{request_id}`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from bonafides.denials import DenialReports
from bonafides.model import READ
from bonafides.resources import denial_resource
from bonafides.web.answers import json_answer
from bonafides.web.guard import Caller, GuardedRoute
from bonafides.web.replies import reply
from bonafides.web.schemas import Denial


def routes(reports: DenialReports) -> APIRouter:
    """The route of denials."""
    router = APIRouter(route_class=GuardedRoute, tags=["Denials"])

    @router.get(
        "/v1/denials/{request_id}",
        operation_id="getDenial",
        summary="Why was this request denied?",
        description=(
            "The checks in their order, which of them refused, and by which figures: for a day, to the user whose "
            "credential was refused and to who administers their tenant. A question of a resource server goes by "
            "the id of that question. Of a flood of like denials, the first five of a second and sixty of a minute "
            "are kept; other workers' denials are there after a second."
        ),
        responses={
            200: {"model": Denial, "description": "Why it was denied."},
            404: {
                "description": "No such request was denied in the last day, or its credential is not yours to see."
            },
        },
        openapi_extra={"x-required-scopes": [READ]},
    )
    async def denial(
        caller: Caller,
        request_id: Annotated[
            str, Path(description="`request_id` of the refusal, which is also in its header X-Request-Id.")
        ],
    ) -> Response:
        return reply(json_answer(200, denial_resource(await reports.get(caller, request_id))))

    return router
