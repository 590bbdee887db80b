"""A path of a route's own is answered by the very route that would answer it if all were asked in turn."""

from __future__ import annotations

import httpx2
import pytest
from fastapi import APIRouter
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.types import ASGIApp

from bonafides.web.api import Shortlists


def routes() -> APIRouter:
    """Routes that overlap, some of them in a router of their own."""
    router, inner = APIRouter(), APIRouter(prefix="/inner")

    def add(to: APIRouter, method: str, path: str) -> None:
        def told() -> str:
            return f"{method} {path}"

        to.add_api_route(path, told, methods=[method])

    for method, path in (
        ("GET", "/a/{name}"),
        ("GET", "/a/b"),
        ("POST", "/a/b"),
        ("PUT", "/a/{name}"),
        ("GET", "/c"),
    ):
        add(router, method, path)
    for method, path in (("GET", ""), ("GET", "/b"), ("GET", "/{name}"), ("POST", "/{name}")):
        add(inner, method, path)
    router.include_router(inner)
    return router


async def answers(app: ASGIApp, method: str, path: str) -> list[tuple[int, str]]:
    """What is answered, asked twice: the second time is from what was found the first time."""
    transport = httpx2.ASGITransport(AsyncExitStackMiddleware(app))
    async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
        both = [await client.request(method, path) for _ in range(2)]
    return [(each.status_code, each.text) for each in both]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD"])
async def test_the_same_route_answers(method: str) -> None:
    """A call would be answered by another one, with other rights, because its path is also somebody else's."""
    for path in ("/a/b", "/a/x", "/c", "/c/", "/inner", "/inner/b", "/inner/x", "/nothing", "/a/%62", "/"):
        expected = await answers(routes(), method, path)
        assert await answers(Shortlists(routes()), method, path) == expected, path
