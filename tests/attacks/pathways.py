"""Every way in which a credential can be tried; what holds for one must hold for all of them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Final

import httpx2

from tests.serving import RunningServer

ACCEPTED: Final = "accepted"
STATUS: Final[Mapping[str, int]] = {
    "invalid_request": 400,
    "missing_api_key": 401,
    "invalid_api_key": 401,
    "invalid_token": 401,
    "token_expired": 401,
    "insufficient_scope": 403,
    "ip_not_allowed": 403,
    "not_found": 404,
    "conflict": 409,
    "rate_limit_exceeded": 429,
    "unavailable": 503,
}
"""The contract, section 5."""


def basic(user_name: str, password: str) -> dict[str, str]:
    """The header of HTTP Basic."""
    pair = base64.b64encode(f"{user_name}:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


PRESENTATIONS: Final[Mapping[str, Callable[[str], dict[str, str]]]] = {
    "bearer": lambda key: {"Authorization": f"Bearer {key}"},
    "bearer in lower case": lambda key: {"authorization": f"bearer {key}"},
    "no scheme": lambda key: {"Authorization": key},
    "X-API-Key": lambda key: {"X-API-Key": key},
    "basic as user name": lambda key: basic(key, ""),
    "basic as password": lambda key: basic("anybody", key),
}


def outcome(answer: httpx2.Response) -> str:
    """`accepted`, or the error of an answer."""
    if answer.status_code < 300:
        return ACCEPTED
    error: str = answer.json()["error"]
    assert answer.status_code == STATUS[error], answer.text
    return error


def _own(method: str, path: str, present: str = "bearer") -> Callable[[RunningServer, str], str]:
    def try_it(server: RunningServer, key: str) -> str:
        return outcome(server.nobody.request(method, path, headers=PRESENTATIONS[present](key)))

    return try_it


def _past_the_lane(method: str, path: str, present: str = "bearer") -> Callable[[RunningServer, str], str]:
    def try_it(server: RunningServer, key: str) -> str:
        return outcome(server.past_the_lane(method, path, PRESENTATIONS[present](key)))

    return try_it


def _asked(server: RunningServer, key: str) -> str:
    verdict = server.admin.post("/v1/credentials/verify", json={"credential": key, "ip": "127.0.0.1"}).json()
    return ACCEPTED if verdict["valid"] else str(verdict["code"])


def _introspected(server: RunningServer, key: str) -> str:
    answer = server.admin.post("/oauth/introspect", data={"token": key, "ip": "127.0.0.1"})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["active"] or told == {"active": False}
    # Of a credential that is not good it tells nothing, so what it would be told itself stands for it.
    return ACCEPTED if told["active"] else _asked(server, key)


PATHWAYS: Final[Mapping[str, Callable[[RunningServer, str], str]]] = {
    **{f"verify, {name}": _own("GET", "/v1/auth/verify", name) for name in PRESENTATIONS},
    "verify by POST": _own("POST", "/v1/auth/verify"),
    "verify with a scope": _own("GET", "/v1/auth/verify?scope=read"),
    "forward auth": _own("GET", "/auth/forward"),
    "forward auth for nginx": _own("GET", "/auth/forward/nginx", "X-API-Key"),
    "forward auth for Envoy": _own("PATCH", "/auth/forward/envoy/orders/7"),
    "verify past the lane": _past_the_lane("GET", "/v1/auth/verify"),
    "forward auth past the lane": _past_the_lane("GET", "/auth/forward", "X-API-Key"),
    "a resource server asks": _asked,
    "a resource server introspects": _introspected,
    "reading in the API": _own("GET", "/v1/users/me"),
    "listing in the API": _own("GET", "/v1/api-keys?limit=1"),
}


AGAIN: Final = (
    "verify, bearer",
    "verify by POST",
    "forward auth",
    "verify past the lane",
    "a resource server asks",
    "a resource server introspects",
    "reading in the API",
)
"""Tried a second time: one of each that could remember something of its own."""


def outcomes(server: RunningServer, key: str) -> dict[str, str]:
    """How a key fares on every way in, and again: whatever was cold is resident then, or known to miss."""
    first = {name: try_it(server, key) for name, try_it in PATHWAYS.items()}
    second = {f"{name}, again": PATHWAYS[name](server, key) for name in AGAIN}
    return first | second


def everywhere(expected: str) -> dict[str, str]:
    """The same outcome on every way in."""
    return dict.fromkeys([*PATHWAYS, *(f"{name}, again" for name in AGAIN)], expected)
