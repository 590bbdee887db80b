"""The FastAPI application: routes, and every foreign exception made one of ours at the border."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override

from bonafides import __version__
from bonafides.errors import AppError, InvalidRequest, MethodNotAllowed, NotFound, Unavailable
from bonafides.model import Reason
from bonafides.settings import Settings
from bonafides.web.description import describe
from bonafides.web.exchange import SCOPE_KEY, Dialect
from bonafides.web.gate import ClientGoneError
from bonafides.web.guard import Guard, RejectedError
from bonafides.web.malformed import malformed
from bonafides.web.pages.reception import Reception, wants_page


class Shortlists:
    """Routes as a router does, but asks only those routes that match at all, where a path is some route's own.

    Args:
        router: Asks every route, one after the other.
    """

    def __init__(self, router: APIRouter) -> None:
        self._router = router
        paths = {route.path for route in iter_route_contexts(router.routes)}
        self._plain = frozenset(path for path in paths if path is not None and "{" not in path)
        self._found: dict[str, list[BaseRoute]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["path"] in self._plain:
            for route in self._of(scope):
                match, found = route.matches(scope)
                if match is Match.FULL:
                    scope.setdefault("router", self._router)
                    scope.update(found)
                    await route.handle(scope, receive, send)
                    return
        await self._router(scope, receive, send)

    def _of(self, scope: Scope) -> list[BaseRoute]:
        """The routes that the request's path may mean, whatever its method, in their order."""
        path = scope["path"]
        found = self._found.get(path)
        if found is None:
            found = [route for route in self._router.routes if route.matches(scope)[0] is not Match.NONE]
            self._found[path] = found
        return found


class Api(FastAPI):
    """All routes. Nothing stands between them and the gate: what they raise, the gate renders.

    Args:
        guard: Admits callers to guarded routes.
        reception: Admits people to pages.
        routers: What is mounted.
        settings: For the description.
    """

    def __init__(
        self, guard: Guard, reception: Reception, routers: Iterable[APIRouter], settings: Settings
    ) -> None:
        super().__init__(
            title="Bonafides",
            version=__version__,
            openapi_url=None,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
        )
        self._guard = self.state.guard = guard
        self.state.reception = reception
        self._settings = settings
        for router in routers:
            # Not included: a router in a router asks each of its routes twice.
            self.routes.extend(router.routes)

    @override
    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 description of every route."""
        if self.openapi_schema is None:
            self.openapi_schema = describe(self, self._settings)
        return self.openapi_schema

    @override
    def build_middleware_stack(self) -> ASGIApp:
        """Only what FastAPI's own routing needs; Starlette's error pages would answer before the gate can."""
        return AsyncExitStackMiddleware(Shortlists(self.router))

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; whatever fails leaves as an exception of ours or not at all.

        HEAD is answered as GET is; the server below sends the head alone.

        See: RFC 9110 §9.3.2
        """
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._serve(scope, receive, send)
            return
        as_get = {**scope, "method": "GET"}
        try:
            await self._serve(as_get, receive, send)
        finally:
            scope["route"] = as_get.get("route")

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except RequestValidationError as error:
            raise malformed(error.errors()) from None
        except HTTPException as error:
            if error.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
                exchange = scope[SCOPE_KEY]
                if (
                    error.status_code == HTTPStatus.NOT_FOUND
                    and wants_page(Request(scope))
                    and not exchange.problem_json
                ):
                    exchange.dialect = Dialect.PAGE
                await self._count(scope)
            raise self._refused(error, scope) from None
        except ClientDisconnect:
            raise ClientGoneError from None

    async def _count(self, scope: Scope) -> None:
        """Count a request that no call answers: for its credential if that is good, else for its address."""
        if not scope[SCOPE_KEY].counted:
            return
        try:
            await self._guard.admit(Request(scope), frozenset(), 1)
        except RejectedError as error:
            if error.rejected.reason is Reason.RATE:
                raise
        except Unavailable:
            # That nothing is there is known all the same.
            return

    def _refused(self, error: HTTPException, scope: Scope) -> AppError:
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            allow = ", ".join(sorted(self._methods(scope)))
            message = f"This method is not allowed here. Allowed: {allow}."
            return MethodNotAllowed(message, allow=allow)
        if error.status_code == HTTPStatus.NOT_FOUND:
            message = "There is nothing at this path. See /docs for every call."
            return NotFound(message)
        message = "The request could not be read."
        return InvalidRequest(message, field="body")

    def _methods(self, scope: Scope) -> set[str]:
        """Every method of a path; Starlette's own answer names those of its first route alone."""
        found: set[str] = set()
        for route in iter_route_contexts(self.routes):
            if route.matches(scope)[0] is not Match.NONE:
                found |= route.methods or set()
        return found | {"HEAD"} if "GET" in found else found
