"""The OpenAPI description: what the routes declare, and what holds for all of them."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from bonafides.errors import WIRE_CODES
from bonafides.settings import Settings
from bonafides.web.schemas import ErrorBody

DESCRIPTION: Final = """\
Bonafides issues, verifies, meters, rotates and revokes every credential that an API hands out.

Present a credential in **one** of these ways, never in a URL: `Authorization: Bearer <credential>`,
`Authorization: <credential>`, `X-API-Key: <credential>`, or HTTP Basic with the credential as user name or password.

Times are RFC 3339 in UTC. Lists are `{"data": [...], "next_cursor": ...}` with `limit` and `cursor`. Creating calls
accept `Idempotency-Key`. A secret is shown once, when it is made.
"""

_LIMIT_HEADERS: Final = {
    "X-RateLimit-Limit": ("integer", "Requests in the window of the policy that binds most."),
    "X-RateLimit-Remaining": ("integer", "What is left in it."),
    "X-RateLimit-Reset": ("integer", "When it ends, in seconds since the epoch."),
    "RateLimit-Policy": ("string", "Every policy that applies (IETF draft)."),
    "RateLimit": ("string", "What is left of each (IETF draft)."),
}
_ERRORS: Final = {
    "400": "The request is malformed; `field` says where.",
    "401": "No credential, or not a good one.",
    "403": "The credential is good, but not for this.",
    "404": "There is no such thing, or it is not yours.",
    "405": "The path exists, but not for this method.",
    "408": "The request did not arrive in time.",
    "409": "It clashes with what exists.",
    "413": "The body is too long.",
    "415": "The body is not JSON in UTF-8.",
    "429": "Too many requests.",
    "500": "Something failed that should not have.",
    "503": "The server cannot know now.",
}
_SECURITY: Final[list[dict[str, list[str]]]] = [{"bearer": []}, {"apiKey": []}, {"basic": []}]
_OPEN_PATHS: Final = frozenset({"/healthz", "/readyz", "/.well-known/oauth-protected-resource"})


def describe(app: FastAPI, settings: Settings) -> dict[str, Any]:
    """The description of all routes of an application.

    Args:
        app: With every route mounted.
        settings: For the server's URL and its scopes.

    See: OpenAPI 3.1.1
    """
    schema = get_openapi(
        title="Bonafides",
        version=app.version,
        openapi_version="3.1.1",
        summary="API authentication: keys, limits, verification.",
        description=DESCRIPTION,
        routes=app.routes,
        servers=[{"url": settings.base_url}],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Error"] = ErrorBody.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas["Error"]["properties"]["error"]["enum"] = sorted(WIRE_CODES)
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer <credential>`"},
        "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        "basic": {
            "type": "http",
            "scheme": "basic",
            "description": "The credential as user name or as password.",
        },
    }
    components["headers"] = _headers()
    components["responses"] = {status: _error_response(status, text) for status, text in _ERRORS.items()}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            _complete(path, method, operation)
    return schema


def _headers() -> dict[str, Any]:
    headers: dict[str, Any] = {
        name: {"description": text, "schema": {"type": kind}} for name, (kind, text) in _LIMIT_HEADERS.items()
    }
    headers["X-Request-Id"] = {"description": "Quote it to the operator.", "schema": {"type": "string"}}
    headers["Retry-After"] = {
        "description": "Seconds to wait.",
        "schema": {"type": "integer"},
        "required": True,
    }
    headers["WWW-Authenticate"] = {
        "description": "How to authenticate (RFC 6750, RFC 9728).",
        "schema": {"type": "string"},
        "required": True,
    }
    headers["Allow"] = {
        "description": "The methods of this path.",
        "schema": {"type": "string"},
        "required": True,
    }
    return headers


def _refs(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _error_response(status: str, text: str) -> dict[str, Any]:
    names = ["X-Request-Id"]
    if status not in {"500", "503"}:
        names += list(_LIMIT_HEADERS)
    if status in {"401", "403"}:
        names.append("WWW-Authenticate")
    if status in {"429", "503"}:
        names.append("Retry-After")
    if status == "405":
        names.append("Allow")
    error = {"$ref": "#/components/schemas/Error"}
    return {
        "description": text,
        "headers": _refs(*names),
        "content": {
            "application/json": {"schema": error},
            "application/problem+json": {"schema": {"type": "object"}},
        },
    }


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    """Add what holds for every operation: security, errors, headers, the idempotency key."""
    responses = operation["responses"]
    responses.pop("422", None)
    is_open = path in _OPEN_PATHS
    statuses = ["400", "429", "500", "503"]
    if is_open:
        operation["security"] = []
        statuses = ["400", "500", "503"]
    else:
        operation["security"] = _SECURITY
        statuses += ["401", "403"]
        for response in responses.values():
            response.setdefault("headers", {}).update(_refs("X-Request-Id", *_LIMIT_HEADERS))
    statuses.append("405")
    if "{" in path:
        statuses.append("404")
    if not is_open and path.startswith("/v1/") and path != "/v1/auth/verify":
        statuses += ["404", "409"]
    if "requestBody" in operation:
        statuses += ["408", "413", "415"]
    for status in statuses:
        responses.setdefault(status, {"$ref": f"#/components/responses/{status}"})
    operation["responses"] = dict(sorted(responses.items()))
    if method == "post" and "201" in responses:
        operation.setdefault("parameters", []).append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "Sent again within a day, the call is carried out once and answered the same.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
            }
        )
