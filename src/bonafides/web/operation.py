"""What operators and machines ask: is it alive, is it ready, what does it do, what can it do."""

from __future__ import annotations

import asyncio
from typing import Any, Final
from urllib.parse import urlsplit

import yaml
from fastapi import APIRouter, FastAPI, Request, Response
from typing_extensions import override

from bonafides.model import ADMIN
from bonafides.oauth.foreign_keys import ALGORITHMS
from bonafides.settings import Settings
from bonafides.web.answers import NO_STORE, Answer, json_answer, json_bytes
from bonafides.web.guard import Caller, GuardedRoute
from bonafides.web.health import Health
from bonafides.web.metrics import CONTENT_TYPE, GatherMetrics
from bonafides.web.pages.reception import HOME
from bonafides.web.replies import reply
from bonafides.web.schemas import ProtectedResource, Service, State

_JSON_TEXT: Final = {"application/json": {"schema": {"type": "object"}}}


class OperationCalls:
    """Answers about the server itself.

    Args:
        health: Asked whether requests can be answered.
        metrics: Shown.
        settings: For addresses.
    """

    def __init__(self, health: Health, metrics: GatherMetrics, settings: Settings) -> None:
        self.health = health
        self.metrics = metrics
        self.settings = settings
        self.home = urlsplit(settings.base_url).path.rstrip("/") + HOME
        self._described: dict[str, bytes] = {}

    def metadata(self) -> dict[str, Any]:
        """How to present a credential here.

        See: RFC 9728 §2
        """
        base_url = self.settings.base_url
        return {
            "resource": base_url,
            "authorization_servers": [base_url],
            "bearer_methods_supported": ["header"],
            "dpop_signing_alg_values_supported": list(ALGORITHMS),
            "scopes_supported": sorted(self.settings.defined_scopes),
            "resource_documentation": f"{base_url}/docs",
        }

    async def described(self, app: FastAPI, form: str) -> bytes:
        """The API description as `json` or `yaml`, made once and off the event loop."""
        if form not in self._described:
            self._described[form] = await asyncio.to_thread(self._describe, app, form)
        return self._described[form]

    def _describe(self, app: FastAPI, form: str) -> bytes:
        schema = app.openapi()
        if form == "json":
            return json_bytes(schema)
        return yaml_bytes(schema)


def yaml_bytes(schema: dict[str, Any]) -> bytes:
    """A description as YAML that a person can read: in its own order, and without anchors."""
    text: str = yaml.dump(schema, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text.encode()


class _Dumper(yaml.SafeDumper):
    @override
    def ignore_aliases(self, data: object) -> bool:
        return True


def routes(calls: OperationCalls) -> APIRouter:
    """The routes of operation and description."""
    router = APIRouter()
    for part in (_probes(calls), _metrics(calls), _description(calls)):
        router.include_router(part)
    return router


def _probes(calls: OperationCalls) -> APIRouter:
    router = APIRouter(tags=["Operation"])

    @router.get(
        "/healthz",
        operation_id="getHealth",
        summary="Whether the process runs",
        responses={200: {"model": State, "description": "It runs."}},
    )
    async def healthz() -> Response:
        return reply(json_answer(200, {"status": "ok"}))

    @router.get(
        "/readyz",
        operation_id="getReadiness",
        summary="Whether requests can be answered truthfully",
        responses={
            200: {"model": State, "description": "They can."},
            503: {"description": "The database is away, or memory lags behind it."},
        },
    )
    async def readyz() -> Response:
        await calls.health.ready()
        return reply(json_answer(200, {"status": "ready"}))

    return router


def _metrics(calls: OperationCalls) -> APIRouter:
    router = APIRouter(route_class=GuardedRoute, tags=["Operation"])

    @router.get(
        "/metrics",
        operation_id="getMetrics",
        summary="Prometheus metrics (the operator)",
        description="With the setting `metrics_address` they are also served there, without a credential.",
        responses={
            200: {
                "content": {"text/plain": {"schema": {"type": "string"}}},
                "description": "Prometheus' text format.",
            },
            403: {"description": "You are not the operator."},
        },
        openapi_extra={"x-required-scopes": [ADMIN], "x-cost": 0},
    )
    async def metrics(caller: Caller) -> Response:
        caller.require_operator("read the metrics")
        return Response(await calls.metrics(), media_type=CONTENT_TYPE)

    return router


def _description(calls: OperationCalls) -> APIRouter:
    router = APIRouter(tags=["Description"])

    @router.get(
        "/",
        operation_id="getRoot",
        summary="What answers here",
        description="A browser (`Accept: text/html`) is sent on to the pages for people.",
        responses={
            200: {"model": Service, "description": "Where to go on."},
            303: {"description": "To the pages for people."},
        },
    )
    async def root(request: Request) -> Response:
        if "text/html" in request.headers.get("accept", "").lower():
            return reply(Answer(303, [(b"location", calls.home.encode("ascii")), NO_STORE], b""))
        docs = f"{calls.settings.base_url}/docs"
        return reply(json_answer(200, {"name": "Bonafides", "docs": docs, "openapi": "/openapi.json"}))

    @router.get(
        "/.well-known/oauth-protected-resource",
        operation_id="getProtectedResource",
        summary="Metadata of this protected resource (RFC 9728)",
        responses={200: {"model": ProtectedResource, "description": "How to present a credential here."}},
    )
    async def protected_resource() -> Response:
        return reply(json_answer(200, calls.metadata()))

    @router.get(
        "/openapi.json",
        operation_id="getOpenapiJson",
        summary="This description, as JSON",
        responses={200: {"content": _JSON_TEXT, "description": "OpenAPI 3.1."}},
    )
    async def openapi_json(request: Request) -> Response:
        return _document(await calls.described(request.app, "json"), b"application/json")

    @router.get(
        "/openapi.yaml",
        operation_id="getOpenapiYaml",
        summary="This description, as YAML",
        responses={
            200: {
                "content": {"application/yaml": {"schema": {"type": "object"}}},
                "description": "OpenAPI 3.1.",
            }
        },
    )
    async def openapi_yaml(request: Request) -> Response:
        return _document(await calls.described(request.app, "yaml"), b"application/yaml")

    return router


def _document(text: bytes, content_type: bytes) -> Response:
    return reply(Answer(200, [(b"content-type", content_type), (b"cache-control", b"no-cache")], text))
