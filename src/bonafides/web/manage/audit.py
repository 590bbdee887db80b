"""`/v1/audit`, and the same as `/audit`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from bonafides.audit import AuditTrail
from bonafides.model import ADMIN
from bonafides.resources import event_resource
from bonafides.web import schemas
from bonafides.web.bodies import ID_MAX
from bonafides.web.guard import Caller, GuardedRoute
from bonafides.web.paging import LIMIT_DEFAULT, Cursor, Limit, Paging


def routes(audit: AuditTrail, paging: Paging) -> APIRouter:
    """The routes of the audit trail."""
    router = APIRouter(route_class=GuardedRoute, tags=["Audit"])

    async def listing(
        caller: Caller,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
        tenant_id: Annotated[
            str | None,
            Query(max_length=ID_MAX, description="Of this tenant; another tenant's: the operator."),
        ] = None,
        action: Annotated[
            str | None, Query(max_length=ID_MAX, description="Such as `api_key.revoked`.")
        ] = None,
        subject_id: Annotated[
            str | None, Query(max_length=ID_MAX, description="What it happened to.")
        ] = None,
        actor_user_id: Annotated[str | None, Query(max_length=ID_MAX, description="Who did it.")] = None,
    ) -> Response:
        context = f"audit {caller.tenant(tenant_id)} {action} {subject_id} {actor_user_id}"
        found = await audit.events(
            caller,
            paging.page(limit, cursor, context),
            tenant_id=tenant_id,
            action=action,
            subject_id=subject_id,
            actor_user_id=actor_user_id,
        )
        return paging.answer(found, limit, context, event_resource, lambda event: (event.at, event.id))

    for path, operation_id in (("/v1/audit", "listAuditEvents"), ("/audit", "listAuditEventsAlias")):
        router.add_api_route(
            path,
            listing,
            methods=["GET"],
            operation_id=operation_id,
            summary="List audit events, newest first",
            responses={
                200: {"model": schemas.AuditPage, "description": "A page of events."},
                404: {"description": "There is no such tenant, or it is not yours to see."},
            },
            openapi_extra={"x-required-scopes": [ADMIN]},
        )
    return router
