"""A client that asks, and what it asks, for tests of authorization requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bonafides.oauth.authorization_request import (
    AuthorizationRequest,
    Destination,
    Refusal,
    Unproven,
    destination_of,
    judge,
    read,
)

CALLBACK = "https://app.example.com/callback"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
DEFINED = frozenset({"read", "write", "admin", "credentials:verify"})
API = "https://api.example.com/"
ISSUER = "https://auth.example.com"


@dataclass(frozen=True)
class StubClient:
    """As much of a client as authorization requests look at."""

    id: str = "cli_1"
    redirect_uris: tuple[str, ...] = (CALLBACK,)
    grant_types: frozenset[str] = frozenset({"authorization_code", "refresh_token"})
    response_types: frozenset[str] = frozenset({"code"})
    scopes: frozenset[str] = frozenset({"read", "write", "openid", "profile", "offline_access"})
    audiences: tuple[str, ...] = ()
    token_endpoint_auth_method: str = "client_secret_basic"
    require_pkce: bool = True
    metadata: Mapping[str, Any] = field(default_factory=dict)
    first_party: bool = False
    registered: bool = False
    created_by: str | None = None


WEB = StubClient()
APP = StubClient(token_endpoint_auth_method="none", redirect_uris=("http://127.0.0.1/callback",))

GOOD = {
    "client_id": "cli_1",
    "response_type": "code",
    "redirect_uri": CALLBACK,
    "scope": "read write",
    "state": "s1",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


def pairs(**changes: str | None) -> list[tuple[str, str]]:
    """A good request with some parameters changed, or, with None, left out."""
    return [(name, value) for name, value in {**GOOD, **changes}.items() if value is not None]


def judged(
    asked: list[tuple[str, str]], client: StubClient = WEB, **options: Any
) -> AuthorizationRequest | Refusal | Unproven:
    """What becomes of a request, through both stages."""
    parameters = read(asked)
    destination = destination_of(parameters, client)
    if isinstance(destination, Unproven):
        return destination
    return judge(parameters, client, destination, defined_scopes=DEFINED, audiences=(API,), **options)


def accepted(asked: list[tuple[str, str]], client: StubClient = WEB) -> AuthorizationRequest:
    """The request, which must be good."""
    outcome = judged(asked, client)
    assert isinstance(outcome, AuthorizationRequest), outcome
    return outcome


def refusal(asked: list[tuple[str, str]], client: StubClient = WEB, **options: Any) -> str:
    """The error code that the client is told."""
    outcome = judged(asked, client, **options)
    assert isinstance(outcome, Refusal), outcome
    return outcome.error


def destination(uri: str = CALLBACK, **facts: Any) -> Destination:
    """The proven destination of a request."""
    outcome = destination_of(read(pairs(redirect_uri=uri, **facts)), StubClient(redirect_uris=(uri,)))
    assert isinstance(outcome, Destination)
    return outcome
