"""The OpenAPI description: what the routes declare, what holds for all of them, and an example of each.

A route declares its 2xx answers and, in its own words, the 403, 404, 409 and 503 that it can give. What follows
from the kind of the call (whether it takes a credential, whether it reads a body) is added here, so that
no route can forget it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from bonafides import errors
from bonafides.idempotency import KEY_LENGTH_MAX
from bonafides.model import STANDARD_SCOPES, Allowance, CredentialKind, Reason, Rejected
from bonafides.settings import Settings
from bonafides.web.answers import Answer
from bonafides.web.bodies import DEFINED_SCOPE
from bonafides.web.examples import EXAMPLES, EXPIRES_AT, KEY_ID, REQUEST_ID, Example
from bonafides.web.exchange import Exchange
from bonafides.web.forms import FORM
from bonafides.web.guard import SCOPES_KEY
from bonafides.web.manage.signing_keys import CACHED
from bonafides.web.problems import Problems
from bonafides.web.registered import ClientRegistration, ClientReregistration
from bonafides.web.schemas import (
    DeviceAuthorizationRequest,
    Error,
    IntrospectionRequest,
    KeyExchange,
    Problem,
    PushedAuthorizationRequest,
    RevocationRequest,
    TokenRequest,
)

Json = dict[str, Any]

DESCRIPTION: Final = """\
Bonafides issues, verifies, meters, rotates and revokes every credential that an API hands out.

Present a credential in **one** of these ways, never in a URL: `Authorization: Bearer <credential>`,
`Authorization: <credential>`, `X-API-Key: <credential>`, or HTTP Basic with the credential as user name or password. Pages
of the server's own origin present the cookie that a login has set; a header wins over it.

Times are RFC 3339 in UTC. Lists are `{"data": [...], "next_cursor": ...}` with `limit` and `cursor`. Creating calls
accept `Idempotency-Key`. A secret is shown once, when it is made. A field or parameter that is not listed is refused.

HEAD is answered wherever GET is. Any other method gets 405 with `Allow`, and any other path 404. Every answer
carries `Date`, `X-Content-Type-Options`, `Referrer-Policy` and `X-Frame-Options`, and over https
`Strict-Transport-Security`; these are not listed again below. Scripts of other origins may call what clients of OAuth in
a browser need: what is below `/.well-known/`, and `/oauth/token`, `/oauth/revoke`, `/oauth/par`, `/oauth/userinfo` and `/oauth/register`,
whose answers carry `Access-Control-Allow-Origin: *` and `Access-Control-Expose-Headers`, not listed either.
"""
TAGS: Final = {
    "Verification": "Is this credential good, for whom, and for what?",
    "Login": "For people: a password for a session's tokens.",
    "Second factors": "What is proven beside a password.",
    "OAuth 2.0": "For clients: tokens for themselves, and on behalf of people.",
    "Sessions": "Logins that have not ended.",
    "API keys": "Keys that programs present.",
    "Personal access tokens": "What people make for their own scripts; they end with their user.",
    "Bearer tokens": "What keys are exchanged for; they end with their key.",
    "OAuth clients": "Programs that ask for tokens, for themselves or on behalf of people.",
    "Consents": "What people let OAuth clients do, seen and ended.",
    "Lineage": "What a credential was made from, and what ends with it.",
    "Users": "People and services, whose credentials they are.",
    "Tenants": "Organisations; everything belongs to one, and nothing is seen across them.",
    "Plans": "How many requests are admitted.",
    "Usage": "How many requests were made, and what became of them.",
    "Denials": "Why a request was refused, for whose credential it was.",
    "Security checks": "What should be mended before somebody else finds it.",
    "Settings": "What the server was told when it started.",
    "Signing keys": "Keys that sign tokens, and how everybody checks their signatures.",
    "Audit": "Who did what to which thing, when and from where.",
    "Webhooks": "URLs that are told of it, by signed calls (Standard Webhooks).",
    "Operation": "For whoever runs the server.",
    "Description": "What can be asked here.",
}

_CHALLENGE: Final = "WWW-Authenticate-Of-400"
_LIMIT_HEADERS: Final = {
    "X-RateLimit-Limit": ("integer", 1000, "Requests in the window of the policy that binds most."),
    "X-RateLimit-Remaining": ("integer", 997, "What is left in it."),
    "X-RateLimit-Reset": ("integer", 1893492000, "When it ends, in seconds since the epoch."),
    "RateLimit-Policy": (
        "string",
        '"hour";q=1000;w=3600, "burst";q=50;w=1',
        "Every policy that applies (draft-ietf-httpapi-ratelimit-headers).",
    ),
    "RateLimit": ("string", '"hour";r=997;t=3540, "burst";r=49;t=1', "What is left of each."),
}
EXPIRES: Final = "X-Credential-Expires-At"
_ERRORS: Final = {
    "400": "The request is malformed; `field` says where.",
    "401": "No credential, or not a good one.",
    "403": "The credential is good, but not for this.",
    "404": "There is no such thing, or it is not yours to see.",
    "405": "The path exists, but not for this method.",
    "408": "The request did not arrive in time.",
    "409": "It clashes with what exists.",
    "413": "The body is too long.",
    "415": "The body is not JSON in UTF-8.",
    "429": "Too many requests.",
    "431": "The request's head is too long.",
    "500": "Something failed that should not have.",
    "503": "The server cannot know now.",
}
_ANY_CALL: Final = ("400", "408", "431", "500")
_CREDENTIAL_CALL: Final = ("401", "403", "429", "503")
_BODY_CALL: Final = ("413", "415")
_UNLIMITED: Final = frozenset({"408", "431", "500", "503"})
"""Errors that come before anything is counted."""

_LAST: Final = ("security", "parameters", "requestBody", "responses")
"""The order in which a person wants to read an operation: what it takes, then what it gives."""

_SECURITY_SCHEMES: Final[Json] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer <credential>`"},
    "plain": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Authorization: <credential>`",
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "`X-API-Key: <credential>`",
    },
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "The credential as user name with an empty password, or as password with any user name.",
    },
}


def describe(app: FastAPI, settings: Settings) -> Json:
    """The description of all routes of an application.

    Args:
        app: With every route mounted.
        settings: For the server's URL, its scopes and bounds.

    See: OpenAPI 3.1.1
    """
    schema = get_openapi(
        title="Bonafides",
        version=app.version,
        openapi_version="3.1.1",
        summary="API authentication: keys, limits, verification.",
        description=DESCRIPTION,
        routes=app.routes,
        tags=[{"name": name, "description": text} for name, text in TAGS.items()],
        servers=[{"url": settings.base_url}],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    for operations in schema["paths"].values():
        for operation in operations.values():
            _complete(operation, settings)
    components = schema["components"]
    _name_schemas(components["schemas"], settings)
    components["headers"] = _headers()
    components["responses"] = _error_responses(settings)
    components["securitySchemes"] = _SECURITY_SCHEMES
    for part in _objects(schema):
        _tidy(part)
    return schema


def _name_schemas(schemas: Json, settings: Settings) -> None:
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for model in (
        ClientRegistration,
        ClientReregistration,
        DeviceAuthorizationRequest,
        Error,
        IntrospectionRequest,
        KeyExchange,
        Problem,
        PushedAuthorizationRequest,
        RevocationRequest,
        TokenRequest,
    ):
        schemas[model.__name__] = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas["Scope"] = {
        "type": "string",
        "description": "A scope that this installation knows.",
        "enum": sorted(settings.defined_scopes),
    }
    schemas["ClientScope"] = {
        "type": "string",
        "description": "A scope that this installation knows, or one that OpenID Connect defines.",
        "enum": sorted(settings.defined_scopes | STANDARD_SCOPES),
    }


def _objects(node: object) -> Iterator[Json]:
    """Every object of a description that is not an example, the innermost first."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name not in {"example", "examples"}:
                yield from _objects(value)
        yield node
    elif isinstance(node, list):
        for item in node:
            yield from _objects(item)


def _tidy(part: Json) -> None:
    """Mend what the generators write: whole bounds as fractions, a title that repeats the name, our own marks."""
    scope = part.pop(DEFINED_SCOPE, None)
    if scope:
        part.clear()
        part["$ref"] = f"#/components/schemas/{scope}"
    for bound in ("minimum", "maximum"):
        if isinstance(part.get(bound), float):
            part[bound] = int(part[bound])
    if isinstance(part.get("title"), str) and ("type" in part or "anyOf" in part or "$ref" in part):
        del part["title"]


def _complete(operation: Json, settings: Settings) -> None:
    """Add what follows from the kind of the call: security, errors, headers, the idempotency key, the example."""
    responses: Json = operation["responses"]
    responses.pop("422", None)
    scopes: list[str] | None = operation.get(SCOPES_KEY)
    errors_of_call = list(_ANY_CALL)
    headers = ["X-Request-Id", "Cache-Control"]
    visited = operation.pop("x-counted-by-address", False)
    if scopes is None:
        operation["security"] = []
        if visited:
            errors_of_call += ("429", "503")
            headers += _LIMIT_HEADERS
    else:
        operation["security"] = [{name: scopes} for name in _SECURITY_SCHEMES]
        errors_of_call += _CREDENTIAL_CALL
        headers += [*_LIMIT_HEADERS, EXPIRES]
    if "requestBody" in operation:
        errors_of_call += _BODY_CALL
    for status, response in responses.items():
        if status in _ERRORS:
            responses[status] = {**_response_ref(status), "description": response["description"]}
        else:
            response.setdefault("headers", {}).update(_header_refs(headers))
    for status in errors_of_call:
        responses.setdefault(status, _response_ref(status))
    # What takes no credential makes nothing that has a path of its own.
    if "201" in responses and not visited:
        responses["201"]["headers"] |= _header_refs(["Location", "Idempotent-Replayed"])
        operation.setdefault("parameters", []).append(_idempotency_key(settings))
        if "200" in responses:
            responses["200"]["headers"] |= _header_refs(["Idempotent-Replayed"])
    operation["responses"] = dict(sorted(responses.items()))
    _illustrate(operation, EXAMPLES[operation["operationId"]])
    for name in _LAST:
        if name in operation:
            operation[name] = operation.pop(name)


def _illustrate(operation: Json, example: Example) -> None:
    given = {**example.path, **example.query, **example.headers}
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in given:
            parameter["example"] = _as_described(given[parameter["name"]], parameter["schema"])
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        shown = example.form if media_type == FORM else example.body
        if shown is not None:
            content["example"] = shown
    response = operation["responses"][str(example.status)]
    for content in response.get("content", {}).values():
        content["example"] = example.answer
    for name, value in example.answer_headers.items():
        response["headers"][name]["example"] = value


def _as_described(value: str, schema: Json) -> str | int | bool:
    if schema.get("type") == "boolean":
        return value == "true"
    return int(value) if schema.get("type") == "integer" else value


def _idempotency_key(settings: Settings) -> Json:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": (
            f"Sent again within {_span(settings.idempotency_seconds)}, the call is carried out once and answered the same."
        ),
        "schema": {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH_MAX, "pattern": "^[ -~]+$"},
    }


def _span(seconds: int) -> str:
    for length, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds % length == 0:
            count = seconds // length
            return f"{count} {word}" + ("s" if count > 1 else "")
    return f"{seconds} seconds"


def _headers() -> Json:
    headers: Json = {
        name: {"description": text, "schema": {"type": kind}, "example": example}
        for name, (kind, example, text) in _LIMIT_HEADERS.items()
    }
    always = {
        "X-Request-Id": ("string", REQUEST_ID, "Quote it to the operator."),
        "Location": ("string", f"/v1/api-keys/{KEY_ID}", "The path of what was created."),
        "Retry-After": ("integer", 3600, "Seconds to wait."),
        "WWW-Authenticate": (
            "string",
            'Bearer realm="bonafides", error="invalid_token"',
            "How to authenticate (RFC 6750, RFC 9728).",
        ),
        "Allow": ("string", "GET, HEAD, POST", "The methods of this path."),
    }
    for name, (kind, example, text) in always.items():
        headers[name] = {
            "description": text,
            "schema": {"type": kind},
            "required": True,
            "example": example,
        }
    headers[_CHALLENGE] = {**headers["WWW-Authenticate"], "required": False}
    headers["Cache-Control"] = {
        "description": "`no-store` where the answer is the caller's alone.",
        "schema": {"type": "string", "enum": ["no-store", "no-cache", CACHED]},
        "example": "no-store",
    }
    headers[EXPIRES] = {
        "description": "When the presented credential ends; sent in the last 14 days before.",
        "schema": {"type": "string", "format": "date-time"},
        "example": EXPIRES_AT,
    }
    headers["Idempotent-Replayed"] = {
        "description": "The call had been carried out before; this is its answer.",
        "schema": {"type": "string", "const": "true"},
    }
    return headers


def _header_refs(names: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _response_ref(status: str) -> Json:
    return {"$ref": f"#/components/responses/{status}"}


def _error_responses(settings: Settings) -> Json:
    """Each error once, with the answers that the server would render as its examples."""
    problems = Problems(settings.base_url)
    return {status: _error_response(status, text, problems) for status, text in _ERRORS.items()}


def _error_response(status: str, text: str, problems: Problems) -> Json:
    names = ["X-Request-Id", "Cache-Control"]
    if status not in _UNLIMITED:
        names += [*_LIMIT_HEADERS, EXPIRES]
    names += {
        "401": ["WWW-Authenticate"],
        "403": ["WWW-Authenticate"],
        "405": ["Allow"],
        "429": ["Retry-After"],
        "503": ["Retry-After"],
    }.get(status, [])
    headers = _header_refs(names)
    if status == "400":
        # Only where a credential cannot be read.
        headers["WWW-Authenticate"] = {"$ref": f"#/components/headers/{_CHALLENGE}"}
    return {
        "description": text,
        "headers": headers,
        "content": {
            media_type: {
                "schema": {"$ref": f"#/components/schemas/{model}"},
                "examples": dict(_error_examples(int(status), problems, problem_json=model == "Problem")),
            }
            for media_type, model in (("application/json", "Error"), ("application/problem+json", "Problem"))
        },
    }


_SHOWN_ERRORS: Final[tuple[errors.AppError | Rejected, ...]] = (
    errors.InvalidRequest("name: is required.", field="name"),
    Rejected(Reason.MISSING, Allowance(())),
    Rejected(Reason.INVALID_KEY, Allowance(())),
    Rejected(Reason.INVALID_TOKEN, Allowance(())),
    errors.InvalidCredentials(),
    Rejected(Reason.EXPIRED, Allowance(()), CredentialKind.API_KEY),
    Rejected(Reason.SCOPE, Allowance(()), scopes=frozenset({"write"})),
    Rejected(Reason.ADDRESS, Allowance(())),
    errors.NotFound(f"There is no API key {KEY_ID!a}."),
    errors.MethodNotAllowed(
        "This method is not allowed here. Allowed: GET, HEAD, POST.", allow="GET, HEAD, POST"
    ),
    errors.RequestTimeout("The request's body did not arrive within 20 seconds."),
    errors.Conflict("Somebody in this tenant has this e-mail address already.", field="email"),
    errors.PayloadTooLarge("The body must be at most 65536 bytes long.", field="body"),
    errors.UnsupportedMediaType(
        "The body must be JSON in UTF-8. Send Content-Type: application/json.", field="Content-Type"
    ),
    Rejected(Reason.RATE, Allowance((), admitted=False, retry_after_seconds=3_600)),
    errors.HeaderFieldsTooLarge("The request's head must be at most 32768 bytes long.", field="headers"),
    errors.Unavailable(),
)
_SHOWN_AT_US: Final = 1_893_488_400_000_000


def _error_examples(status: int, problems: Problems, *, problem_json: bool) -> Iterator[tuple[str, Json]]:
    def exchange() -> Exchange:
        return Exchange(request_id=REQUEST_ID, address=None, problem_json=problem_json)

    answers: list[Answer] = [problems.of_failure(exchange(), _SHOWN_AT_US)]
    for shown in _SHOWN_ERRORS:
        render = problems.of_rejection if isinstance(shown, Rejected) else problems.of_error
        answers.append(render(shown, exchange(), _SHOWN_AT_US))  # type: ignore[arg-type]
    for answer in answers:
        if answer.status == HTTPStatus(status):
            body = msgspec.json.decode(answer.body)
            yield body["error"], {"value": body}
