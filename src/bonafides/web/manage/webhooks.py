"""`/v1/webhooks`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response

from bonafides.deliveries import Deliveries
from bonafides.idempotency import Idempotency
from bonafides.model import ADMIN
from bonafides.resources import delivery_resource, webhook_resource
from bonafides.web import webhook_schemas as schemas
from bonafides.web.answers import json_answer
from bonafides.web.bodies import ID_MAX
from bonafides.web.guard import Caller, GuardedRoute
from bonafides.web.paging import LIMIT_DEFAULT, Cursor, Limit, Paging
from bonafides.web.replies import NO_TENANT, NOT_ADMIN, attempt_of, claim_for, created, reply
from bonafides.webhook import DeliveryStatus, WebhookChanges, WebhookStatus
from bonafides.webhooks import MadeWebhook, Webhooks

PREFIX: Final = "/v1/webhooks"

_ADMIN: Final = {"x-required-scopes": [ADMIN]}
_NO_WEBHOOK: Final = {"description": "There is no such webhook, or it is not yours to see."}

WebhookId = Annotated[str, Path(description="The webhook's id.")]


def routes(webhooks: Webhooks, idempotency: Idempotency, paging: Paging) -> APIRouter:
    """The routes of webhooks."""
    router = APIRouter(prefix=PREFIX, route_class=GuardedRoute, tags=["Webhooks"])

    def show_made(made: MadeWebhook) -> dict[str, Any]:
        return {**webhook_resource(made.webhook), "secret": made.secret}

    def place_of(made: Mapping[str, Any]) -> str:
        return f"{PREFIX}/{made['id']}"

    @router.post(
        "",
        operation_id="createWebhook",
        summary="Have a URL told of events",
        description=(
            "Events of the audit trail are sent to it, signed as Standard Webhooks asks, and again until it answers 2xx. "
            "A URL that took nothing for three days, or answered 410, is disabled."
        ),
        status_code=201,
        responses={
            201: {
                "model": schemas.MadeWebhook,
                "description": "The webhook with its secret, shown this once.",
            },
            403: NOT_ADMIN,
            404: NO_TENANT,
            409: {
                "description": "The tenant has twenty webhooks already, or the Idempotency-Key was used for a different call."
            },
        },
        openapi_extra=_ADMIN,
    )
    async def create(request: Request, caller: Caller, body: schemas.NewWebhook) -> Response:
        attempt = await attempt_of(request, idempotency, caller)
        outcome = await webhooks.create(
            caller,
            body.name,
            body.url,
            body.events,
            tenant_id=body.tenant_id,
            claim_for=claim_for(idempotency, attempt, show_made),
        )
        return created(idempotency, attempt, outcome, show_made, place_of)

    @router.get(
        "",
        operation_id="listWebhooks",
        summary="List webhooks, newest first",
        responses={
            200: {"model": schemas.WebhookPage, "description": "A page of webhooks."},
            403: NOT_ADMIN,
            404: NO_TENANT,
        },
        openapi_extra=_ADMIN,
    )
    async def listing(
        caller: Caller,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
        tenant_id: Annotated[
            str | None,
            Query(max_length=ID_MAX, description="Of this tenant; another tenant's: the operator."),
        ] = None,
    ) -> Response:
        context = f"webhooks {caller.tenant(tenant_id)}"
        found = await webhooks.page(caller, paging.page(limit, cursor, context), tenant_id=tenant_id)
        return paging.answer(
            found, limit, context, webhook_resource, lambda webhook: (webhook.created_at, webhook.id)
        )

    @router.get(
        "/{webhook_id}",
        operation_id="getWebhook",
        summary="Show a webhook, and how it fares",
        responses={
            200: {"model": schemas.Webhook, "description": "The webhook."},
            403: NOT_ADMIN,
            404: _NO_WEBHOOK,
        },
        openapi_extra=_ADMIN,
    )
    async def get(caller: Caller, webhook_id: WebhookId) -> Response:
        return reply(json_answer(200, webhook_resource(await webhooks.get(caller, webhook_id))))

    @router.patch(
        "/{webhook_id}",
        operation_id="changeWebhook",
        summary="Change, disable or enable a webhook",
        description="What is left out stays. What waits for one that is disabled is not delivered any more.",
        responses={
            200: {"model": schemas.Webhook, "description": "The webhook as it is now."},
            403: NOT_ADMIN,
            404: _NO_WEBHOOK,
        },
        openapi_extra=_ADMIN,
    )
    async def change(caller: Caller, webhook_id: WebhookId, body: schemas.WebhookPatch) -> Response:
        given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
        if "events" in given:
            given["events"] = frozenset(given["events"])
        if "status" in given:
            given["status"] = WebhookStatus(given["status"])
        changed = await webhooks.change(caller, webhook_id, WebhookChanges(**given))
        return reply(json_answer(200, webhook_resource(changed)))

    @router.delete(
        "/{webhook_id}",
        operation_id="deleteWebhook",
        summary="Delete a webhook, and the log of what it was told",
        status_code=204,
        responses={204: {"description": "It is gone."}, 403: NOT_ADMIN, 404: _NO_WEBHOOK},
        openapi_extra=_ADMIN,
    )
    async def delete(caller: Caller, webhook_id: WebhookId) -> Response:
        await webhooks.delete(caller, webhook_id)
        return Response(status_code=204)

    @router.post(
        "/{webhook_id}/rotate",
        operation_id="rotateWebhookSecret",
        summary="Give a webhook another secret",
        description="Until the overlap ends, each delivery carries a signature by either secret.",
        status_code=201,
        responses={
            201: {
                "model": schemas.MadeWebhook,
                "description": "The webhook with its secret, shown this once.",
            },
            403: NOT_ADMIN,
            404: _NO_WEBHOOK,
            409: {"description": "The Idempotency-Key was used for a different call."},
        },
        openapi_extra=_ADMIN,
    )
    async def rotate(
        request: Request, caller: Caller, webhook_id: WebhookId, body: schemas.WebhookRotation | None = None
    ) -> Response:
        attempt = await attempt_of(request, idempotency, caller)
        outcome = await webhooks.rotate(
            caller,
            webhook_id,
            overlap_seconds=(body or schemas.WebhookRotation()).overlap_seconds,
            claim_for=claim_for(idempotency, attempt, show_made),
        )
        return created(idempotency, attempt, outcome, show_made, place_of)

    return router


def log_routes(webhooks: Webhooks, deliveries: Deliveries, paging: Paging) -> APIRouter:
    """The routes of what webhooks are told."""
    router = APIRouter(prefix=f"{PREFIX}/{{webhook_id}}", route_class=GuardedRoute, tags=["Webhooks"])

    @router.post(
        "/test",
        operation_id="testWebhook",
        summary="Send a webhook a test event, and see what it answers",
        description="The event `webhook.tested`, once, whatever events it has chosen and whether it is disabled or not.",
        responses={
            200: {"model": schemas.WebhookDelivery, "description": "What came of it."},
            403: NOT_ADMIN,
            404: _NO_WEBHOOK,
        },
        openapi_extra=_ADMIN,
    )
    async def test(caller: Caller, webhook_id: WebhookId) -> Response:
        return reply(json_answer(200, delivery_resource(await deliveries.test(caller, webhook_id))))

    @router.get(
        "/deliveries",
        operation_id="listWebhookDeliveries",
        summary="List what a webhook was told in the last 30 days, newest first",
        responses={
            200: {"model": schemas.WebhookDeliveryPage, "description": "A page of deliveries."},
            403: NOT_ADMIN,
            404: _NO_WEBHOOK,
        },
        openapi_extra=_ADMIN,
    )
    async def log(
        caller: Caller,
        webhook_id: WebhookId,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
        status: Annotated[DeliveryStatus | None, Query(description="Only these.")] = None,
    ) -> Response:
        context = f"webhook deliveries {webhook_id} {status}"
        found = await webhooks.deliveries(caller, webhook_id, paging.page(limit, cursor, context), status)
        return paging.answer(
            found, limit, context, delivery_resource, lambda each: (each.created_at, each.event_id)
        )

    @router.post(
        "/deliveries/{event_id}/resend",
        operation_id="resendWebhookDelivery",
        summary="Tell a webhook of an event again",
        description="Under the same `webhook-id`, so whoever has it already knows it.",
        status_code=202,
        responses={
            202: {"model": schemas.WebhookDelivery, "description": "It waits to be delivered."},
            403: NOT_ADMIN,
            404: {"description": "There is no such webhook or delivery, or it is not yours to see."},
            409: {"description": "The webhook is disabled."},
        },
        openapi_extra=_ADMIN,
    )
    async def resend(
        caller: Caller,
        webhook_id: WebhookId,
        event_id: Annotated[str, Path(description="The event's id, `evt_…`.")],
    ) -> Response:
        found = await webhooks.resend(caller, webhook_id, event_id)
        return reply(json_answer(202, delivery_resource(found)))

    return router
