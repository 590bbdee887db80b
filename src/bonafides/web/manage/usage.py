"""`/v1/usage`, the same of one key, where it was used from, and `/v1/limits`."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Response

from bonafides.allowances import Allowances
from bonafides.model import READ, UsagePeriod
from bonafides.resources import limits_resource, networks_resource, usage_resource
from bonafides.usage import UsageReports
from bonafides.web.answers import json_answer
from bonafides.web.bodies import ID_MAX
from bonafides.web.guard import Caller, GuardedRoute
from bonafides.web.replies import reply
from bonafides.web.schemas import Limits, NetworkUses, Usage

_READS: Final = {"x-required-scopes": [READ]}
_ANSWER: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "model": Usage,
        "description": "Requests, bucket by bucket; those of the last second may be missing.",
    }
}

Period = Annotated[
    UsagePeriod,
    Query(description="The last 60 minutes, 24 hours or 30 days, the present one included; in UTC."),
]
Lineage = Annotated[
    bool,
    Query(
        description=(
            "Of everything of its lineage: what it was rotated from and to, and all tokens that were made from these, "
            "those that have ended too. Sums of a user or a tenant have them in any case."
        )
    ),
]


def routes(reports: UsageReports, allowances: Allowances) -> APIRouter:
    """The routes of usage and limits."""
    router = APIRouter(route_class=GuardedRoute, tags=["Usage"])

    @router.get(
        "/v1/usage",
        operation_id="getUsage",
        summary="Count requests by their outcome",
        description=(
            "Of one's own credentials; with `admin`, of the tenant's. Every request on a known credential counts as "
            "one, whatever its cost."
        ),
        responses={
            **_ANSWER,
            403: {"description": "You asked for another user's usage without `admin`."},
            404: {"description": "There is no such credential, user or tenant, or it is not yours to see."},
        },
        openapi_extra=_READS,
    )
    async def usage(
        caller: Caller,
        period: Period = UsagePeriod.DAY,
        lineage: Lineage = False,  # noqa: FBT002 - FastAPI passes it by name
        credential_id: Annotated[
            str | None, Query(max_length=ID_MAX, description="Of this credential alone.")
        ] = None,
        user_id: Annotated[
            str | None,
            Query(max_length=ID_MAX, description="Of this user's credentials; another user's: with `admin`."),
        ] = None,
        tenant_id: Annotated[
            str | None,
            Query(max_length=ID_MAX, description="Of this tenant; another tenant's: the operator."),
        ] = None,
    ) -> Response:
        found = await reports.usage(
            caller,
            period,
            tenant_id=tenant_id,
            user_id=user_id,
            credential_id=credential_id,
            lineage=lineage,
        )
        return reply(json_answer(200, usage_resource(found)))

    @router.get(
        "/v1/api-keys/{key_id}/usage",
        operation_id="getApiKeyUsage",
        summary="Count an API key's requests by their outcome",
        responses={**_ANSWER, 404: {"description": "There is no such key, or it is not yours to see."}},
        openapi_extra=_READS,
    )
    async def key_usage(
        caller: Caller,
        key_id: Annotated[str, Path(description="The key's id.")],
        period: Period = UsagePeriod.DAY,
        lineage: Lineage = False,  # noqa: FBT002 - FastAPI passes it by name
    ) -> Response:
        found = await reports.usage(caller, period, credential_id=key_id, lineage=lineage)
        return reply(json_answer(200, usage_resource(found)))

    @router.get(
        "/v1/credentials/{credential_id}/networks",
        operation_id="listNetworks",
        summary="List the networks that a key was used from",
        description=(
            "Of an API key or a personal access token: networks of IPv4 with 24 bits, of IPv6 with 48, as they were behind "
            "the operator's proxies, or as a resource server said. Those of the last seconds may be missing; one is forgotten when it was "
            "not used for the days that `networks_kept_days` says."
        ),
        responses={
            200: {
                "model": NetworkUses,
                "description": "The networks; none where the operator has them not kept.",
            },
            404: {"description": "There is no such credential, or it is not yours to see."},
        },
        openapi_extra=_READS,
    )
    async def networks(
        caller: Caller,
        credential_id: Annotated[str, Path(description="Of an API key or a personal access token.")],
    ) -> Response:
        return reply(json_answer(200, networks_resource(await reports.networks(caller, credential_id))))

    @router.get(
        "/v1/limits",
        operation_id="getLimits",
        summary="Show what is left of the limits",
        description=(
            "Of a credential, or of a user or tenant, with whomever their plan counts them. It counts nothing for whom it "
            "tells of. Where several nodes share limits, the answering one knows of the others' requests of some moments ago."
        ),
        responses={
            200: {"model": Limits, "description": "The plan, and what is left of each of its limits."},
            403: {"description": "You asked for another user's limits without `admin`."},
            404: {"description": "There is no such credential, user or tenant, or it is not yours to see."},
        },
        openapi_extra=_READS,
    )
    async def limits(
        caller: Caller,
        credential_id: Annotated[
            str | None, Query(max_length=ID_MAX, description="Of this credential.")
        ] = None,
        user_id: Annotated[
            str | None, Query(max_length=ID_MAX, description="Of this user; another one: with `admin`.")
        ] = None,
        tenant_id: Annotated[
            str | None,
            Query(max_length=ID_MAX, description="Of this tenant; another one: the operator."),
        ] = None,
    ) -> Response:
        found = await allowances.left(
            caller, tenant_id=tenant_id, user_id=user_id, credential_id=credential_id
        )
        return reply(json_answer(200, limits_resource(found)))

    return router
