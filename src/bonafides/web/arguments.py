"""What a handler takes of a request: FastAPI says once what that is, and is not asked anew for each request.

FastAPI's own way finds out for each request what each parameter is, opens stacks of contexts that nobody here
uses, and reads the body a second time. What is valid, and what is said of what is not, stays FastAPI's.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from copy import deepcopy
from typing import Any, Final, NamedTuple

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

NO_BODY: Final = object()
"""In place of the JSON value of a body that was not sent."""

Answering = Callable[[Request, object], Awaitable[Response]]

_KINDS: Final = ("path_params", "query_params", "body_params")
_UNKNOWN: Final = (
    "header_params",
    "cookie_params",
    "response_param_name",
    "background_tasks_param_name",
    "security_scopes_param_name",
    "http_connection_param_name",
    "websocket_param_name",
)
"""What no handler of ours takes; one that does is refused when it is declared."""


class Dependency(NamedTuple):
    """A value that a function makes of the request.

    Args:
        name: Of the handler's parameter.
        find: The function.
        request_name: Of its parameter.
        awaited: Whether it has to be waited for.
    """

    name: str
    find: Callable[..., Any]
    request_name: str
    awaited: bool


def answering(route: APIRoute) -> Answering:
    """The handler of a route, called with what it takes; the second argument is the JSON value of the body.

    Raises:
        TypeError: The handler takes what is not known here.
    """
    dependant = route.dependant
    handler = dependant.call
    body_params = dependant.body_params
    if handler is None or not inspect.iscoroutinefunction(handler) or len(body_params) > 1:
        raise _not_known(route)
    if any(getattr(dependant, name) for name in _UNKNOWN):
        raise _not_known(route)
    dependencies = [_dependency(route, each) for each in dependant.dependencies]
    path_params, query_params = dependant.path_params, dependant.query_params
    body_param = body_params[0] if body_params else None
    request_name = dependant.request_param_name

    async def answer(request: Request, body: object) -> Response:
        values: dict[str, Any] = {}
        for name, find, given_as, awaited in dependencies:
            found = find(**{given_as: request})
            values[name] = await found if awaited else found
        errors: list[Any] = []
        for params, given in ((path_params, request.path_params), (query_params, request.query_params)):
            if params:
                valid, problems = request_params_to_args(params, given)
                values |= valid
                errors += problems
        if body_param is not None:
            if body is NO_BODY:
                values[body_param.name] = deepcopy(body_param.default)
            else:
                values[body_param.name], problems = body_param.validate(body, {}, loc=("body",))
                errors += problems
        if errors:
            raise RequestValidationError(errors)
        if request_name is not None:
            values[request_name] = request
        response: Response = await handler(**values)
        return response

    return answer


def served(handle: Callable[[Request], Awaitable[Response]]) -> ASGIApp:
    """An ASGI application that answers each request; what is raised goes on to the gate."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await handle(Request(scope, receive, send))
        await response(scope, receive, send)

    return app


def _dependency(route: APIRoute, found: Dependant) -> Dependency:
    takes = any(getattr(found, name) for name in (*_KINDS, *_UNKNOWN, "dependencies"))
    if takes or found.name is None or found.call is None or found.request_param_name is None:
        raise _not_known(route)
    return Dependency(
        found.name, found.call, found.request_param_name, inspect.iscoroutinefunction(found.call)
    )


def _not_known(route: APIRoute) -> TypeError:
    return TypeError(
        f"The handler of {route.path} may take the path, the query, one JSON body, the request, and what is made of it."
    )
