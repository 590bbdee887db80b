"""`/v1/users/{id}/notifications`: which letters a person gets."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Response

from bonafides.model import READ, WRITE, Topic
from bonafides.notifications import NotificationSettings
from bonafides.resources import notifications_resource
from bonafides.web import bodies, schemas
from bonafides.web.answers import json_answer
from bonafides.web.guard import Caller, GuardedRoute
from bonafides.web.manage.users import UserId
from bonafides.web.replies import reply

_READS: Final = {"x-required-scopes": [READ]}
_WRITES: Final = {"x-required-scopes": [WRITE]}
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": schemas.Notifications, "description": "Of what they are told."},
    403: {
        "description": "They are somebody else, and you do not administer the tenant, or are less powerful."
    },
    404: {"description": "There is no such user, or they are not yours to see."},
}


def routes(settings: NotificationSettings) -> APIRouter:
    """The routes of notifications."""
    router = APIRouter(prefix="/v1/users", route_class=GuardedRoute, tags=["Users"])

    @router.get(
        "/{user_id:user_id}/notifications",
        operation_id="getNotifications",
        summary="Show which letters a person gets",
        responses=_ANSWERS,
        openapi_extra=_READS,
    )
    async def get(caller: Caller, user_id: UserId) -> Response:
        return reply(json_answer(200, notifications_resource(await settings.get(caller, user_id))))

    @router.patch(
        "/{user_id:user_id}/notifications",
        operation_id="changeNotifications",
        summary="Choose which letters a person gets",
        description="What is left out stays. Changes of their account a person is told of in any case.",
        responses=_ANSWERS,
        openapi_extra=_WRITES,
    )
    async def change(caller: Caller, user_id: UserId, body: bodies.NotificationsPatch) -> Response:
        wanted = {Topic(name): getattr(body, name) for name in body.model_fields_set}
        return reply(json_answer(200, notifications_resource(await settings.change(caller, user_id, wanted))))

    return router
