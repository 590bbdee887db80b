"""What a handler takes is found once; one that takes something else is refused when it is declared."""

from __future__ import annotations

from typing import Annotated

import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.testclient import TestClient

from bonafides.web.arguments import NO_BODY, answering, served


class Wish(BaseModel):
    """A body."""

    name: str


def path_of(request: Request) -> str:
    """A dependency that is not awaited."""
    return request.url_for("wished", number=1).path


async def host_of(request: Request) -> str:
    """One that is."""
    return request.headers["host"]


async def wished(
    request: Request,
    number: int,
    path: Annotated[str, Depends(path_of)],
    host: Annotated[str, Depends(host_of)],
    wish: Wish | None = None,
    limit: Annotated[int, Query(ge=1)] = 5,
) -> Response:
    """A handler that takes all that one may take."""
    return Response(f"{request.method} {number} {path} {host} {wish.name if wish else '-'} {limit}")


@pytest.fixture
def client() -> TestClient:
    """An application with one route, which is answered both ways."""
    api = FastAPI()
    for path in ("/theirs/{number}", "/ours/{number}"):
        api.add_api_route(path, wished, methods=["POST"], name="wished")
    ours = api.routes[-1]
    assert isinstance(ours, APIRoute)
    answer = answering(ours)

    async def handle(request: Request) -> Response:
        body = await request.body()
        try:
            return await answer(request, await request.json() if body else NO_BODY)
        except RequestValidationError as error:
            return Response(repr([(each["type"], each["loc"]) for each in error.errors()]), 422)

    ours.app = served(handle)
    return TestClient(api)


@pytest.mark.parametrize(
    ("rest", "body"),
    [("7", b'{"name":"a"}'), ("7?limit=9", b""), ("7", b"null"), ("7", b'{"name":"a","more":1}')],
)
def test_a_handler_gets_what_fastapi_would_give_it(client: TestClient, rest: str, body: bytes) -> None:
    """A call would answer otherwise than its description says."""
    headers = {"content-type": "application/json"}
    ours, theirs = (
        client.post(f"/{whose}/{rest}", content=body, headers=headers) for whose in ("ours", "theirs")
    )
    assert ours.status_code == theirs.status_code == 200
    assert ours.text == theirs.text


@pytest.mark.parametrize(
    ("rest", "body"),
    [("x", b""), ("7?limit=0", b""), ("x?limit=y", b"[]"), ("7", b'{"name":1}'), ("7", b"{}")],
)
def test_what_is_malformed_is_told_as_fastapi_tells_it(client: TestClient, rest: str, body: bytes) -> None:
    """Every problem with its place, in the same order, is what our own words are made of."""
    headers = {"content-type": "application/json"}
    ours, theirs = (
        client.post(f"/{whose}/{rest}", content=body, headers=headers) for whose in ("ours", "theirs")
    )
    assert ours.status_code == theirs.status_code == 422
    assert ours.text == repr([(each["type"], tuple(each["loc"])) for each in theirs.json()["detail"]])


async def _headers(agent: Annotated[str, Header()]) -> Response:
    return Response(agent)


async def _background(tasks: BackgroundTasks) -> Response:
    return Response(str(tasks))


async def _two_bodies(one: Wish, other: Wish) -> Response:
    return Response(one.name + other.name)


def _not_awaited() -> Response:
    return Response()


def _limited(limit: str) -> str:
    return limit


async def _deep(host: Annotated[str, Depends(_limited)]) -> Response:
    return Response(host)


@pytest.mark.parametrize("handler", [_headers, _background, _two_bodies, _not_awaited, _deep])
def test_a_handler_that_takes_anything_else_is_refused_when_it_is_declared(handler: object) -> None:
    """It would be called without it, and fail on every request."""
    with pytest.raises(TypeError, match="/wrong"):
        answering(APIRoute("/wrong", handler))  # type: ignore[arg-type]
