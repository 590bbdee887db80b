"""`/v1/security-checks`: what should be mended."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from bonafides.checklist import TEXTS, Checklist, CheckName, Finding
from bonafides.model import READ, Clock, to_datetime
from bonafides.resources import Resource, key_resource, user_resource
from bonafides.web.answers import json_answer
from bonafides.web.bodies import ID_MAX
from bonafides.web.guard import SCOPES_KEY, Caller, GuardedRoute
from bonafides.web.replies import reply
from bonafides.web.schemas import ApiKey, CredentialId, User


class SecurityCheck(BaseModel):
    """One check, and what it has found."""

    object: Literal["security_check"]
    check: CheckName
    text: str = Field(description="What is wrong with what was found, and what mends it.")
    api_keys: list[ApiKey] = Field(description="The newest 25.")
    users: list[User] = Field(description="The newest 25.")
    unused_scopes: dict[CredentialId, list[str]] = Field(
        description="Where the check is about scopes: those that nothing has needed, by the key's id."
    )
    networks: dict[CredentialId, list[str]] = Field(
        description="Where the check is about networks: those that are new or shared, by the key's id."
    )
    known_networks: dict[CredentialId, list[str]] = Field(
        description="And those that the key is known from: those of more than a week, or all where none is as old."
    )
    more: bool = Field(description="Whether there are others.")


class SecurityChecks(BaseModel):
    """Every check."""

    data: list[SecurityCheck]


def routes(checklist: Checklist, clock: Clock) -> APIRouter:
    """The route of the checks."""
    router = APIRouter(route_class=GuardedRoute, tags=["Security checks"])

    def shown(finding: Finding) -> Resource:
        now = to_datetime(clock.micros())
        return {
            "object": "security_check",
            "check": str(finding.check),
            "text": TEXTS[finding.check],
            "api_keys": [key_resource(key, now) for key in finding.credentials],
            "users": [user_resource(user) for user in finding.people],
            "unused_scopes": {name: sorted(scopes) for name, scopes in finding.spare.items()},
            "networks": {name: [use.network for use in uses] for name, uses in finding.networks.items()},
            "known_networks": {name: list(known) for name, known in finding.known.items()},
            "more": finding.more,
        }

    @router.get(
        "/v1/security-checks",
        operation_id="listSecurityChecks",
        summary="List what should be mended",
        description="Of one's own keys and account; with `admin`, of the tenant's.",
        responses={
            200: {"model": SecurityChecks, "description": "Every check, with what it has found now."},
            404: {"description": "There is no such tenant, or it is not yours to see."},
        },
        openapi_extra={SCOPES_KEY: [READ]},
    )
    async def checks(
        caller: Caller,
        tenant_id: Annotated[
            str | None,
            Query(max_length=ID_MAX, description="Of this tenant; another tenant's: the operator."),
        ] = None,
    ) -> Response:
        found = await checklist.findings(caller, tenant_id=tenant_id)
        return reply(json_answer(200, {"data": [shown(finding) for finding in found]}))

    return router
