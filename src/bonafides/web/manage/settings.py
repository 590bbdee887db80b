"""`/v1/settings`: the settings in force, for the operator."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from bonafides.model import ADMIN
from bonafides.resources import Resource
from bonafides.settings import Settings
from bonafides.web.answers import json_answer
from bonafides.web.guard import SCOPES_KEY, Caller, GuardedRoute
from bonafides.web.replies import reply
from bonafides.web.settings_in_force import SECRET, SettingInForce, Value, settings_in_force

MAY: Final = "read the settings"
NAME_MAX: Final = 100


class Setting(BaseModel):
    """One setting as it is in force."""

    object: Literal["setting"]
    name: str = Field(description="As in `bonafides.toml`.")
    variable: str = Field(description="As in the environment.")
    value: Value = Field(
        description=f"What holds; `{SECRET}` in place of a secret, and of a URL all but its user and password."
    )
    source: str = Field(
        description="What has said so: a flag, a variable, a line of the file, or `default`; `start` where a program has started the server."
    )
    secret: bool = Field(description="Whether the value is never shown.")
    description: str


class SettingList(BaseModel):
    """Every setting."""

    data: list[Setting]


def setting_resource(setting: SettingInForce) -> Resource:
    """A setting as it is told."""
    return {
        "object": "setting",
        "name": setting.name,
        "variable": setting.variable,
        "value": setting.value,
        "source": setting.source,
        "secret": setting.secret,
        "description": setting.text,
    }


def routes(settings: Settings) -> APIRouter:
    """The route of the settings."""
    router = APIRouter(route_class=GuardedRoute, tags=["Settings"])

    @router.get(
        "/v1/settings",
        operation_id="listSettings",
        summary="List the settings as they are in force (the operator)",
        description="Of the process that answers; they are read when the server starts. Secrets are never told.",
        responses={
            200: {"model": SettingList, "description": "Every setting, and what has set it."},
            403: {"description": "You are not the operator."},
        },
        openapi_extra={SCOPES_KEY: [ADMIN]},
    )
    async def listing(
        caller: Caller,
        name: Annotated[str | None, Query(max_length=NAME_MAX, description="This one alone.")] = None,
    ) -> Response:
        caller.require_operator(MAY)
        found = [setting for setting in settings_in_force(settings) if name in {None, setting.name}]
        data = [setting_resource(setting) for setting in found]
        return reply(json_answer(200, {"data": data}))

    return router
