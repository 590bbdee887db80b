"""`/v1/tenants`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response

from bonafides.directory import Directory
from bonafides.idempotency import Idempotency
from bonafides.model import ADMIN, READ, Status, TenantChanges
from bonafides.resources import tenant_resource
from bonafides.web import bodies, schemas
from bonafides.web.answers import json_answer
from bonafides.web.guard import Caller, GuardedRoute
from bonafides.web.paging import LIMIT_DEFAULT, Cursor, Limit, Paging
from bonafides.web.replies import NO_TENANT, attempt_of, claim_for, created, reply

_READS: Final = {"x-required-scopes": [READ]}
_ADMIN: Final = {"x-required-scopes": [ADMIN]}
_NOT_OPERATOR: Final = {"description": "You are not the operator."}

TenantId = Annotated[str, Path(description="The tenant's id.")]


def routes(directory: Directory, idempotency: Idempotency, paging: Paging) -> APIRouter:
    """The routes of tenants."""
    router = APIRouter(prefix="/v1/tenants", route_class=GuardedRoute, tags=["Tenants"])

    def place_of(tenant: Mapping[str, Any]) -> str:
        return f"/v1/tenants/{tenant['id']}"

    @router.get(
        "",
        operation_id="listTenants",
        summary="List tenants: all for the operator, one's own for everyone else",
        responses={200: {"model": schemas.TenantPage, "description": "A page of tenants."}},
        openapi_extra=_READS,
    )
    async def listing(caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None) -> Response:
        context = f"tenants {caller.tenant_id} {caller.operator}"
        found = await directory.tenants(caller, paging.page(limit, cursor, context))
        return paging.answer(
            found, limit, context, tenant_resource, lambda tenant: (tenant.created_at, tenant.id)
        )

    @router.post(
        "",
        operation_id="createTenant",
        summary="Create a tenant (the operator)",
        status_code=201,
        responses={
            201: {"model": schemas.Tenant, "description": "The tenant."},
            403: _NOT_OPERATOR,
            409: {
                "description": (
                    "A tenant has this name already, or the Idempotency-Key was used for a different call."
                )
            },
        },
        openapi_extra=_ADMIN,
    )
    async def create(request: Request, caller: Caller, body: bodies.NewTenant) -> Response:
        attempt = await attempt_of(request, idempotency, caller)
        outcome = await directory.create_tenant(
            caller, name=body.name, plan=body.plan, claim_for=claim_for(idempotency, attempt, tenant_resource)
        )
        return created(idempotency, attempt, outcome, tenant_resource, place_of)

    @router.get(
        "/{tenant_id}",
        operation_id="getTenant",
        summary="Show a tenant",
        responses={200: {"model": schemas.Tenant, "description": "The tenant."}, 404: NO_TENANT},
        openapi_extra=_READS,
    )
    async def get(caller: Caller, tenant_id: TenantId) -> Response:
        return reply(json_answer(200, tenant_resource(await directory.visible_tenant(caller, tenant_id))))

    @router.patch(
        "/{tenant_id}",
        operation_id="changeTenant",
        summary="Change a tenant",
        description="Plan and status are the operator's to change. A disabled tenant's credentials are refused at once.",
        responses={
            200: {"model": schemas.Tenant, "description": "The tenant as it is now."},
            403: {"description": "Plan and status are the operator's to change."},
            404: NO_TENANT,
            409: {"description": "A tenant has this name already, or the operator's own would be disabled."},
        },
        openapi_extra=_ADMIN,
    )
    async def change(caller: Caller, tenant_id: TenantId, body: bodies.TenantPatch) -> Response:
        given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
        if "status" in given:
            given["status"] = Status(given["status"])
        changed = await directory.change_tenant(caller, tenant_id, TenantChanges(**given))
        return reply(json_answer(200, tenant_resource(changed)))

    return router
