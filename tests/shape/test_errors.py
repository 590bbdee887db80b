"""§5: one JSON body for every error, as RFC 9457 for who asks for it, and the headers that go with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from bonafides.errors import WIRE_CODES
from tests.postgres import PostgresServer
from tests.serving import RunningServer, running, settings_for
from tests.web.tenancy import Json, Tenancy

BASE: Final = "https://api.example.com"
CHALLENGE: Final = (
    f'Bearer realm="bonafides", resource_metadata="{BASE}/.well-known/oauth-protected-resource"'
)
PROBLEM_JSON: Final = "application/problem+json"


@dataclass(frozen=True)
class Case:
    """A request that is refused, and how."""

    name: str
    status: int
    error: str
    method: str = "GET"
    path: str = "/v1/auth/verify"
    credential: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    content: bytes | None = None
    message: str | None = None
    names_field: str | None = None
    scope: str | None = None
    challenge: str | None = None

    def send(self, tenancy: Tenancy, accept: str = "*/*") -> httpx2.Response:
        """The answer to it."""
        headers = {**self.headers, "Accept": accept}
        return tenancy.client(self.credential).request(
            self.method, self.path, headers=headers, json=self.body, content=self.content
        )


def cases_of(tenancy: Tenancy) -> list[Case]:
    """Every error that can be had without breaking the server, with its exact status, code and words."""
    owner = tenancy.owner_key["key"]
    limited = tenancy.plan(0)
    revoked, disabled, expired = tenancy.key(), tenancy.key(), tenancy.key(expires_in=1)
    tenancy.api.delete(f"/v1/api-keys/{revoked['id']}")
    tenancy.api.post(f"/v1/api-keys/{disabled['id']}/disable")
    tenancy.server.clock.advance(1)
    reader, bound = tenancy.key(scopes=["read"]), tenancy.key(allowed_ips=["192.0.2.1"])
    json_type = {"Content-Type": "application/json"}
    invalid = "The API key provided is invalid."
    return [
        Case(
            "nothing presented",
            401,
            "missing_api_key",
            message="No API key provided in the Authorization header.",
            challenge="",
        ),
        Case(
            "unknown shape",
            401,
            "invalid_api_key",
            credential="sk_live_1",
            message=invalid,
            challenge="invalid_token",
        ),
        Case(
            "damaged key",
            401,
            "invalid_api_key",
            credential=owner[:-1],
            message=invalid,
            challenge="invalid_token",
        ),
        Case(
            "revoked",
            401,
            "invalid_api_key",
            credential=revoked["key"],
            message=invalid,
            challenge="invalid_token",
        ),
        Case(
            "disabled",
            401,
            "invalid_api_key",
            credential=disabled["key"],
            message=invalid,
            challenge="invalid_token",
        ),
        Case(
            "token",
            401,
            "invalid_token",
            credential="bf_tok_nothing",
            message="The access token provided is invalid.",
            challenge="invalid_token",
        ),
        Case("JWT", 401, "invalid_token", credential="eyJhbGciOiJub25lIn0.e30.", challenge="invalid_token"),
        Case(
            "expired",
            401,
            "token_expired",
            credential=expired["key"],
            message="The API key has expired.",
            challenge="invalid_token",
        ),
        Case(
            "scope asked for",
            403,
            "insufficient_scope",
            path="/v1/auth/verify?scope=write+admin",
            credential=reader["key"],
            scope="admin write",
            challenge="insufficient_scope",
        ),
        Case(
            "scope of a call",
            403,
            "insufficient_scope",
            method="POST",
            path="/v1/api-keys",
            body={"name": "x"},
            credential=reader["key"],
            scope="write",
            challenge="insufficient_scope",
        ),
        Case(
            "the operator's",
            403,
            "insufficient_scope",
            method="POST",
            path="/v1/tenants",
            body={"name": "x"},
            credential=owner,
            scope="admin",
            challenge="insufficient_scope",
        ),
        Case(
            "address",
            403,
            "ip_not_allowed",
            credential=bound["key"],
            headers={"X-Forwarded-For": "198.51.100.1"},
            challenge="ip_not_allowed",
        ),
        Case("no such key", 404, "not_found", path="/v1/api-keys/key_0", credential=owner),
        Case("no such path", 404, "not_found", path="/v1/nothing", credential=owner),
        Case("method", 405, "invalid_request", method="DELETE", credential=owner),
        Case(
            "conflict",
            409,
            "conflict",
            method="POST",
            path="/v1/users",
            body={"email": tenancy.owner["email"]},
            credential=owner,
            names_field="email",
        ),
        Case(
            "limit",
            429,
            "rate_limit_exceeded",
            credential=tenancy.key(plan=limited)["key"],
            message="Rate limit exceeded. Try again in 3600 seconds.",
        ),
        Case(
            "two credentials",
            400,
            "invalid_request",
            credential=owner,
            headers={"X-API-Key": owner},
            names_field="Authorization",
            challenge="invalid_request",
        ),
        Case(
            "credential in the URL",
            400,
            "invalid_request",
            path=f"/v1/auth/verify?x={owner}",
            names_field="URL",
            challenge="invalid_request",
        ),
        Case(
            "parameter",
            400,
            "invalid_request",
            path="/v1/api-keys?limit=x",
            credential=owner,
            names_field="limit",
        ),
        Case(
            "field",
            400,
            "invalid_request",
            method="POST",
            path="/v1/api-keys",
            body={"name": 7},
            credential=owner,
            names_field="name",
            message="name: must be a string.",
        ),
        Case(
            "not JSON",
            400,
            "invalid_request",
            method="POST",
            path="/v1/api-keys",
            content=b"{",
            headers=json_type,
            credential=owner,
            names_field="body",
        ),
        Case(
            "too long",
            413,
            "invalid_request",
            method="POST",
            path="/v1/api-keys",
            content=b" " * 100_000,
            headers=json_type,
            credential=owner,
            names_field="body",
        ),
        Case(
            "media type",
            415,
            "invalid_request",
            method="POST",
            path="/v1/api-keys",
            content=b"name=x",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            credential=owner,
            names_field="Content-Type",
        ),
    ]


@pytest.fixture(scope="module")
def cases(tenancy: Tenancy) -> list[Case]:
    """Every error, on this tenant."""
    return cases_of(tenancy)


def test_every_error_has_its_status_code_and_words(tenancy: Tenancy, cases: list[Case]) -> None:
    """Programs decide by the code, people by the words, and proxies by the status."""
    for case in cases:
        answer = case.send(tenancy)
        body = answer.json()
        assert (answer.status_code, body["error"]) == (case.status, case.error), case.name
        assert case.message is None or body["message"] == case.message, case.name
        assert body.get("field") == case.names_field, case.name
        assert body.get("scope") == case.scope, case.name


def test_every_error_has_the_one_body(tenancy: Tenancy, cases: list[Case]) -> None:
    """A client would need as many readers as there are errors."""
    now = re.compile(r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
    for case in cases:
        answer = case.send(tenancy)
        body = answer.json()
        assert answer.headers["Content-Type"] == "application/json", case.name
        expected = {"error", "message", "code", "timestamp", "request_id", "doc_url"}
        assert body.keys() - {"field", "scope"} == expected, case.name
        assert body["code"] == case.status, case.name
        assert now.fullmatch(body["timestamp"]), case.name
        assert re.fullmatch(r"req_[0-9A-Za-z]+", body["request_id"]), case.name
        assert body["request_id"] == answer.headers["X-Request-Id"], case.name
        assert body["doc_url"] == f"{BASE}/docs/errors/{case.error}", case.name
        assert body["message"].endswith("."), case.name
        assert body["message"][0].isupper() or body["message"].startswith(str(body.get("field"))), case.name


@pytest.mark.parametrize(
    "accept",
    [
        PROBLEM_JSON,
        f"application/json, {PROBLEM_JSON};q=0.9",
        f"text/html,{PROBLEM_JSON}",
        PROBLEM_JSON.upper(),
    ],
)
def test_whoever_asks_gets_the_same_facts_as_rfc_9457(
    tenancy: Tenancy, cases: list[Case], accept: str
) -> None:
    """Clients built on the standard would not understand a single refusal."""
    for case in cases:
        plain, answer = case.send(tenancy).json(), case.send(tenancy, accept)
        problem = answer.json()
        assert answer.status_code == case.status, case.name
        assert answer.headers["Content-Type"] == PROBLEM_JSON, case.name
        assert problem == {
            "type": plain["doc_url"],
            "title": problem["title"],
            "status": plain["code"],
            "detail": plain["message"],
            "error": plain["error"],
            "timestamp": plain["timestamp"],
            "request_id": answer.headers["X-Request-Id"],
            **{name: plain[name] for name in ("field", "scope") if name in plain},
        }, case.name
        assert problem["title"], case.name


@pytest.mark.parametrize(
    "accept", ["*/*", "application/json", "text/html", "", f"{PROBLEM_JSON};q=0", "nonsense"]
)
def test_everybody_else_gets_the_plain_body(tenancy: Tenancy, accept: str) -> None:
    """A browser or curl would get a type that it does not show."""
    answer = tenancy.client().get("/v1/auth/verify", headers={"Accept": accept})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["error"] == "missing_api_key"


def test_whatever_refuses_a_credential_carries_the_challenge(tenancy: Tenancy, cases: list[Case]) -> None:
    """A client library that discovers how to authenticate would find nothing (RFC 6750 §3, RFC 9728 §5.1)."""
    for case in cases:
        answer = case.send(tenancy)
        if case.challenge is None:
            assert "WWW-Authenticate" not in answer.headers, case.name
            continue
        assert len(answer.headers.get_list("WWW-Authenticate")) == 1, case.name
        value = answer.headers["WWW-Authenticate"]
        assert value.startswith(CHALLENGE), case.name
        parameters = dict(re.findall(r'(\w+)="([^"\\]*)"', value))
        if case.challenge:
            assert parameters["error"] == case.challenge, case.name
            assert parameters["error_description"] == answer.json()["message"], case.name
            assert parameters.get("scope") == case.scope, case.name
        else:
            assert value == CHALLENGE, "where nothing was presented, there is no error"


def test_the_challenge_leads_to_the_metadata(tenancy: Tenancy) -> None:
    """The link would lead nowhere."""
    metadata = tenancy.client().get("/.well-known/oauth-protected-resource").json()
    assert metadata["resource"] == BASE
    assert metadata["bearer_methods_supported"] == ["header"]
    assert set(metadata["scopes_supported"]) >= {"read", "write", "admin", "credentials:verify"}


def test_only_429_and_503_say_when_to_come_back(tenancy: Tenancy, cases: list[Case]) -> None:
    """A client would repeat what can never succeed."""
    for case in cases:
        assert ("Retry-After" in case.send(tenancy).headers) == (case.status == 429), case.name


def test_every_error_is_for_one_reader(tenancy: Tenancy, cases: list[Case]) -> None:
    """A cache between would show one caller's refusal to the next."""
    for case in cases:
        answer = case.send(tenancy)
        assert answer.headers["Cache-Control"] == "no-store", case.name
        assert answer.headers["X-Content-Type-Options"] == "nosniff", case.name


def test_nothing_internal_is_told(tenancy: Tenancy, cases: list[Case]) -> None:
    """Whoever breaks in reads errors first."""
    forbidden = re.compile(
        r"traceback|sqlalchemy|sqlite|postgres|asyncpg|pydantic|fastapi|starlette|uvicorn|select |insert |\.py|0x[0-9a-f]{6}",
        re.IGNORECASE,
    )
    for case in cases:
        answer = case.send(tenancy)
        text = answer.text + str(answer.headers)
        assert forbidden.search(text) is None, case.name
        for secret in (tenancy.owner_key["key"], case.credential):
            assert secret is None or len(secret) < 20 or secret not in text, case.name


def test_every_code_is_in_the_reference(tenancy: Tenancy, cases: list[Case]) -> None:
    """The link in an error would lead to nothing."""
    page = tenancy.client().get("/docs/errors").text
    for code in {case.error for case in cases}:
        assert code in WIRE_CODES
        assert f'href="{BASE}/docs/errors/{code}"' in page
        assert tenancy.client().get(f"/docs/errors/{code}").status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize(
    "path", ["/v1/nothing", "/v1", "/V1/auth/verify", "/v1/api-keys/", "//v1/api-keys", "/%2e%2e"]
)
def test_a_path_that_is_none_is_one_error(tenancy: Tenancy, method: str, path: str) -> None:
    """The framework's own page would answer, in a shape of its own."""
    answer = tenancy.client().request(method, path)
    assert answer.status_code == 404
    if method != "HEAD":
        assert answer.json()["error"] == "not_found"


@pytest.fixture
def interrupted(own_postgres: PostgresServer, tmp_path: Path) -> Iterator[RunningServer]:
    """A server whose database has gone away."""
    settings = settings_for(own_postgres.create_database(), tmp_path, public_url=BASE)
    with running(settings) as server:
        server.create_key()
        own_postgres.stop()
        yield server
        own_postgres.start()


def test_what_cannot_be_known_is_unavailable(interrupted: RunningServer) -> None:
    """A client that hears "invalid" throws a good key away, and one that hears 200 lets anybody in."""
    unknown = f"bf_key_{'0' * 44}_000000"
    good = interrupted.founded.api_key
    bodies: list[Json] = []
    for accept in ("*/*", PROBLEM_JSON):
        answer = interrupted.client(good).post("/v1/api-keys", json={"name": "x"}, headers={"Accept": accept})
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert "WWW-Authenticate" not in answer.headers
        bodies.append(answer.json())
    assert bodies[0]["error"] == bodies[1]["error"] == "unavailable"
    assert bodies[0]["code"] == bodies[1]["status"] == 503
    assert "Try again" in bodies[0]["message"]
    assert interrupted.client(unknown).get("/v1/auth/verify").status_code == 401, "a typo needs no look-up"
