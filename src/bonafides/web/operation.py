"""What operators and machines ask: is it alive, is it ready, what does it do, what can it do."""

from __future__ import annotations

from typing import Protocol

import yaml
from fastapi import APIRouter, FastAPI, Request, Response

from bonafides.errors import Unavailable
from bonafides.model import ADMIN
from bonafides.settings import Settings
from bonafides.store import InstallationStore
from bonafides.web.answers import Answer, json_answer, json_bytes
from bonafides.web.guard import Caller, GuardedRoute
from bonafides.web.metrics import CONTENT_TYPE, Metrics
from bonafides.web.pages import docs_page
from bonafides.web.replies import reply
from bonafides.web.schemas import ProtectedResource, State


class Freshness(Protocol):
    """Whether memory is kept up to date."""

    def is_fresh(self) -> bool:
        """False when the change feed was not read for too long."""
        ...


class OperationCalls:
    """Answers about the server itself.

    Args:
        store: Asked whether it answers.
        freshness: Asked whether memory may be trusted.
        metrics: Shown.
        settings: For addresses.
    """

    def __init__(
        self, store: InstallationStore, freshness: Freshness, metrics: Metrics, settings: Settings
    ) -> None:
        self._store = store
        self._freshness = freshness
        self.metrics = metrics
        self.settings = settings

    async def ready(self) -> None:
        """Return if requests can be answered truthfully.

        Raises:
            Unavailable: The database is away, or memory lags behind it.
        """
        await self._store.ping()
        if not self._freshness.is_fresh():
            message = "The change feed lags, so memory is not trusted."
            raise Unavailable(message)


def routes(calls: OperationCalls) -> APIRouter:
    """The routes of operation and description."""
    router = APIRouter(tags=["Operation"])
    described: dict[str, bytes] = {}

    @router.get(
        "/healthz", operation_id="getHealth", summary="Whether the process runs", responses=_state("It runs.")
    )
    async def healthz() -> Response:
        return reply(json_answer(200, {"status": "ok"}))

    @router.get(
        "/readyz",
        operation_id="getReadiness",
        summary="Whether requests can be answered truthfully",
        responses=_state("They can."),
    )
    async def readyz() -> Response:
        await calls.ready()
        return reply(json_answer(200, {"status": "ready"}))

    guarded = APIRouter(route_class=GuardedRoute, tags=["Operation"])

    @guarded.get(
        "/metrics",
        operation_id="getMetrics",
        summary="Prometheus metrics, for the operator's credential",
        description="With the setting `metrics_address` they are also served there, without a credential.",
        responses={
            200: {
                "content": {"text/plain": {"schema": {"type": "string"}}},
                "description": "Prometheus' text format.",
            }
        },
        openapi_extra={"x-required-scopes": [ADMIN], "x-cost": 0},
    )
    async def metrics(caller: Caller) -> Response:
        caller.require_operator("read the metrics")
        return Response(calls.metrics.text(), media_type=CONTENT_TYPE)

    router.include_router(guarded)

    @router.get(
        "/.well-known/oauth-protected-resource",
        operation_id="getProtectedResource",
        summary="Metadata of this protected resource (RFC 9728)",
        responses={200: {"model": ProtectedResource, "description": "How to present a credential here."}},
    )
    async def protected_resource() -> Response:
        return reply(
            json_answer(
                200,
                {
                    "resource": calls.settings.base_url,
                    "bearer_methods_supported": ["header"],
                    "scopes_supported": sorted(calls.settings.defined_scopes),
                    "resource_documentation": f"{calls.settings.base_url}/docs",
                },
            )
        )

    @router.get("/openapi.json", include_in_schema=False)
    async def openapi_json(request: Request) -> Response:
        return reply(Answer(200, [(b"content-type", b"application/json")], _description(request.app, "json")))

    @router.get("/openapi.yaml", include_in_schema=False)
    async def openapi_yaml(request: Request) -> Response:
        return reply(Answer(200, [(b"content-type", b"application/yaml")], _description(request.app, "yaml")))

    @router.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        return reply(_described("docs", request.app))

    @router.get("/", include_in_schema=False)
    async def root() -> Response:
        return reply(
            json_answer(
                200,
                {"name": "Bonafides", "docs": f"{calls.settings.base_url}/docs", "openapi": "/openapi.json"},
            )
        )

    def _description(app: FastAPI, form: str) -> bytes:
        if form not in described:
            schema = app.openapi()
            described[form] = (
                json_bytes(schema)
                if form == "json"
                else yaml.safe_dump(schema, sort_keys=False, allow_unicode=True).encode()
            )
        return described[form]

    def _described(name: str, app: FastAPI) -> Answer:
        if name not in described:
            described[name] = docs_page(app.openapi(), calls.settings)
        return Answer(
            200,
            [
                (b"content-type", b"text/html; charset=utf-8"),
                (
                    b"content-security-policy",
                    b"default-src 'none'; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                ),
            ],
            described[name],
        )

    return router


def _state(description: str) -> dict[int | str, dict[str, object]]:
    return {200: {"model": State, "description": description}}
