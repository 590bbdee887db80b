"""One example for each operation: a request, and what it is answered.

From top to bottom they tell one story, of a tenant that gets a user, a plan and a key; a test lives it
against a server, and takes an id, a secret or a time for whatever the server gave in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from bonafides.checklist import TEXTS, CheckName
from bonafides.dry_runs import PRECISION

TENANT_ID: Final = "ten_03GANXBiKymrnFuzJqCtqB"
USER_ID: Final = "usr_03GANXBiM3YZof5FFf0Jj9"
KEY_ID: Final = "key_03GANXBiNaC0zMpiYv1hPp"
SUCCESSOR_ID: Final = "key_03GANXBiQw7eT5rKd2sLx8"
OPERATOR_TENANT_ID: Final = "ten_03GANXBiGc5dX0oRw7uSa2"
OPERATOR_ID: Final = "usr_03GANXBiHb4cW9nQv6tRz1"
OPERATOR_KEY_ID: Final = "key_03GANXBiJd8fY3mPj5kSu7"
SESSION_ID: Final = "ses_03GANXBiTb6hN2wXe9rKv4"
OLD_SESSION_ID: Final = "ses_03GANXBiSa1qM8vCd5pJt7"
OWNER_EMAIL: Final = "admin@example.com"
PASSWORD: Final = "seven quiet harbours"
"""Whose that is, a test says."""
NEW_PASSWORD: Final = "a horse that nobody has stapled"
REQUEST_ID: Final = "req_3R3UcQL6NmT5t100000002"
PERSONAL_TOKEN_ID: Final = "pat_03GANXBiUb3vC7xZ2qLm9K"
ACCOUNT_TOKEN_ID: Final = "pat_03GANXBiVd5wE8yA4rNp1J"
BEARER_TOKEN_ID: Final = "tok_03GANXBiWf7xG9zB6sQr3H"
DENIED_REQUEST_ID: Final = "req_3R3UcQL6NmT5t10000000k"
EVENT_ID: Final = "evt_03GANXBiRt6yU1iOp4aSd3"
SIGNER_ID: Final = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
NEXT_SIGNER_ID: Final = "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U"
LAST_SIGNER_ID: Final = "3gMPvMrnYJUwIeXeJ0hLXm0aEjl7sQfEo9tyb1Zk2Wc"
CLIENT_ID: Final = "cli_03GANXBiYi0zJ2bE9vUw6H"
CLIENT_SECRET_ID: Final = "sec_03GANXBiZj1aK3cF0wVx7I"
NEXT_CLIENT_SECRET_ID: Final = "sec_03GANXBiak2bL4dG1xWy8J"
CONSENT_ID: Final = "con_03GANXBib3mO5eH2yXz9KQ"
GRANT_ID: Final = "grt_03GANXBic4nP6fI3zYa0LR"
INITIAL_TOKEN_ID: Final = "iat_03GANXBid5oQ7gJ4aZb1MS"
REGISTERED_ID: Final = "cli_03GANXBie6pR8hK5bAc2NT"
# The checksums are wrong, so that no scanner takes these for real ones.
KEY: Final = "bf_key_03GANXBiNaC0zMpiYv1hPpEXAMPLEonlyNotASecret0_EXAMPL"
SUCCESSOR: Final = "bf_key_03GANXBiQw7eT5rKd2sLx8EXAMPLEonlyNotASecret0_EXAMPL"
PERSONAL_TOKEN: Final = "bf_pat_03GANXBiUb3vC7xZ2qLm9KEXAMPLEonlyNotASecret0_EXAMPL"
ACCOUNT_TOKEN: Final = "bf_pat_03GANXBiVd5wE8yA4rNp1JEXAMPLEonlyNotASecret0_EXAMPL"
BEARER_TOKEN: Final = "bf_tok_03GANXBiWf7xG9zB6sQr3HEXAMPLEonlyNotASecret0_EXAMPL"
TOKEN: Final = "eyJhbGciOiJFZERTQSJ9.eyJleGFtcGxlIjp0cnVlfQ.RVhBTVBMRW9ubHlOb3RBU2lnbmF0dXJl"
NEXT_TOKEN: Final = "eyJhbGciOiJFZERTQSJ9.eyJleGFtcGxlIjoidG9vIn0.RVhBTVBMRW9ubHlOb3RBU2lnbmF0dXJl"
REFRESH_TOKEN: Final = "bf_ort_03GANXBiUc7jP3yZf0sLw5EXAMPLEonlyNotASecret0_EXAMPL"
NEXT_REFRESH_TOKEN: Final = "bf_ort_03GANXBiVd8kQ4zAg1tMx6EXAMPLEonlyNotASecret0_EXAMPL"
RESET_TOKEN: Final = "bf_rst_03GANXBiXh9yI1aD8uTv5GEXAMPLEonlyNotASecret0_EXAMPL"
ACCESS_TOKEN: Final = "bf_oat_03GANXBibl3cM5eH2yXz9KEXAMPLEonlyNotASecret0_EXAMPL"
CLIENT_SECRET: Final = "bf_sec_03GANXBiZj1aK3cF0wVx7IEXAMPLEonlyNotASecret0_EXAMPL"
NEXT_CLIENT_SECRET: Final = "bf_sec_03GANXBiak2bL4dG1xWy8JEXAMPLEonlyNotASecret0_EXAMPL"
INITIAL_TOKEN: Final = "bf_iat_03GANXBid5oQ7gJ4aZb1MSEXAMPLEonlyNotASecret0_EXAMPL"
REGISTRATION_TOKEN: Final = "bf_rat_03GANXBif7qS9iL6cBd3OUEXAMPLEonlyNotASecret0_EXAMPL"
REGISTERED_SECRET: Final = "bf_sec_03GANXBig8rT0jM7dCe4PVEXAMPLEonlyNotASecret0_EXAMPL"
MFA_TOKEN: Final = "bf_mfa_03GANXBiYj0zK2bE9vUw6HEXAMPLEonlyNotASecret0_EXAMPL"
PROVEN_TOKEN: Final = "eyJhbGciOiJFZERTQSJ9.eyJleGFtcGxlIjoicHJvdmVuIn0.RVhBTVBMRW9ubHlOb3RBU2lnbmF0dXJl"
OTHER_TOKEN: Final = "eyJhbGciOiJFZERTQSJ9.eyJleGFtcGxlIjoib3RoZXIifQ.RVhBTVBMRW9ubHlOb3RBU2lnbmF0dXJl"
OTHER_REFRESH_TOKEN: Final = "bf_ort_03GANXBiZk1aL3cF0wVx7JEXAMPLEonlyNotASecret0_EXAMPL"
PASSKEY_TOKEN: Final = "eyJhbGciOiJFZERTQSJ9.eyJleGFtcGxlIjoicGFzc2tleSJ9.RVhBTVBMRW9ubHlOb3RBU2lnbmF0dXJl"
PASSKEY_REFRESH_TOKEN: Final = "bf_ort_03GANXBie6pR8hK51AcNTvEXAMPLEonlyNotASecret0_EXAMPL"
WEBHOOK_ID: Final = "whk_03GANXBih9sU1kN8eDf5QW"
TEST_EVENT_ID: Final = "evt_03GANXBii0tV2lO9fEg6RX"
WEBHOOK_URL: Final = "https://example.com/hooks/bonafides"
WEBHOOK_SECRET: Final = "whsec_RVhBTVBMRSBvbmx5LCBub3QgYSBzZWNyZXQhISEhISE="
NEXT_WEBHOOK_SECRET: Final = "whsec_RVhBTVBMRSBvbmx5LCBub3QgYSBzZWNyZXQgdG9vISE="
TOTP_SECRET: Final = "EXAMPLEONLYNOTASECRETEXAMPLEONLY"
TOTP_CODE: Final = "492039"
RECOVERY_CODE: Final = "exampl-eonlyn-otasec-retaaa"
PASSKEY_ID: Final = "psk_03GANXBid5oQ7gJ40ZbMSu"
CREDENTIAL_ID: Final = "RVhBTVBMRS1vZi1hLWNyZWRlbnRpYWwtaWQ"
CREATED_CLIENT_DATA: Final = "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0"
ATTESTATION: Final = "RVhBTVBMRS1vZi1hbi1hdHRlc3RhdGlvbi1vYmplY3Q"
SIGNED_CLIENT_DATA: Final = "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0"
AUTHENTICATOR_DATA: Final = "RVhBTVBMRS1vZi1hdXRoZW50aWNhdG9yLWRhdGE"
SIGNATURE: Final = "RVhBTVBMRS1vZi1hLXNpZ25hdHVyZQ"
USER_HANDLE: Final = "dXNyX0VYQU1QTEU"
CURSOR: Final = "6c1f0a9be2d47c53a8f0114e5b31373835333235363030"
MADE_AT: Final = "2030-01-01T09:00:00Z"
CHANGED_AT: Final = "2030-01-01T09:05:00Z"
EXPIRES_AT: Final = "2030-04-01T09:00:00Z"
OVERLAP_ENDS_AT: Final = "2030-01-02T09:05:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A request and its answer.

    Args:
        answer: The body; text where it is not JSON, None where there is none.
        status: The answer's.
        path: Parameters in the path.
        query: Parameters in the query.
        headers: Parameters in headers.
        body: The request's, as JSON.
        form: The request's, as a form.
        caller: Whose credential is presented: the operator's, the key that the story made, the login's, an access token
            that a person let a client have, or one of those by which clients register.
        excerpt: Whether `answer` shows only a part of the real one.
        answer_headers: Of the answer, where they are what it is about.
    """

    answer: Any
    status: int = 200
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    form: Mapping[str, str] | None = None
    caller: Literal["operator", "key", "session", "person", "initial", "registered", "nobody"] = "operator"
    excerpt: bool = False
    answer_headers: Mapping[str, str] = field(default_factory=dict)


def _page(item: Mapping[str, Any], next_cursor: str | None) -> dict[str, Any]:
    return {"data": [item], "next_cursor": next_cursor}


_TENANT: Final[dict[str, Any]] = {
    "id": TENANT_ID,
    "object": "tenant",
    "name": "Acme",
    "status": "active",
    "plan": "pro",
    "operator": False,
    "personal_access_token_seconds_max": None,
    "created_at": MADE_AT,
    "updated_at": MADE_AT,
}
_USER: Final[dict[str, Any]] = {
    "id": USER_ID,
    "object": "user",
    "tenant_id": TENANT_ID,
    "kind": "person",
    "email": "ada@example.com",
    "name": "Ada Lovelace",
    "role": "admin",
    "scopes": None,
    "status": "active",
    "created_at": MADE_AT,
    "updated_at": MADE_AT,
}
_CLIENT: Final[dict[str, Any]] = {
    "id": CLIENT_ID,
    "object": "client",
    "client_id": CLIENT_ID,
    "tenant_id": OPERATOR_TENANT_ID,
    "name": "Acme Shop",
    "status": "active",
    "grant_types": [
        "authorization_code",
        "client_credentials",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
    ],
    "response_types": ["code"],
    "redirect_uris": ["https://shop.example.com/callback"],
    "post_logout_redirect_uris": [],
    "scopes": ["openid", "read"],
    "audiences": [],
    "token_endpoint_auth_method": "client_secret_basic",
    "jwks": None,
    "require_pkce": True,
    "first_party": False,
    "dpop_bound_access_tokens": False,
    "access_token_format": "opaque",
    "access_token_seconds": None,
    "registered": False,
    "client_uri": None,
    "logo_uri": None,
    "policy_uri": None,
    "tos_uri": None,
    "jwks_uri": None,
    "id_token_signed_response_alg": None,
    "userinfo_signed_response_alg": None,
    "backchannel_logout_uri": None,
    "backchannel_logout_session_required": None,
    "require_pushed_authorization_requests": None,
    "request_uris": None,
    "request_object_signing_alg": None,
    "require_signed_request_object": None,
    "created_by": OPERATOR_ID,
    "created_at": MADE_AT,
    "updated_at": MADE_AT,
}
_USERINFO: Final[dict[str, Any]] = {
    "sub": OPERATOR_ID,
    "name": OWNER_EMAIL,
    "updated_at": 1893488400,
    "email": OWNER_EMAIL,
    "email_verified": False,
}
_INITIAL_TOKEN: Final[dict[str, Any]] = {
    "id": INITIAL_TOKEN_ID,
    "object": "initial_access_token",
    "tenant_id": OPERATOR_TENANT_ID,
    "name": "for the shop's partners",
    "display": "bf_iat_03GA…AMPL",
    "scopes": ["openid", "read"],
    "uses_left": 1,
    "created_by": OPERATOR_ID,
    "created_at": MADE_AT,
    "expires_at": EXPIRES_AT,
}
_REGISTERED: Final[dict[str, Any]] = {
    "client_id": REGISTERED_ID,
    "client_id_issued_at": 1893456000,
    "registration_access_token": REGISTRATION_TOKEN,
    "registration_client_uri": f"http://127.0.0.1:8000/oauth/register/{REGISTERED_ID}",
    "client_name": "Partner",
    "grant_types": ["authorization_code"],
    "response_types": ["code"],
    "redirect_uris": ["https://partner.example.com/callback"],
    "post_logout_redirect_uris": [],
    "scope": "openid read",
    "token_endpoint_auth_method": "client_secret_basic",
    "id_token_signed_response_alg": "EdDSA",
}
_CLIENT_SECRET: Final[dict[str, Any]] = {
    "id": CLIENT_SECRET_ID,
    "object": "client_secret",
    "client_id": CLIENT_ID,
    "name": "first",
    "display": "bf_sec_03GA…AMPL",
    "created_by": OPERATOR_ID,
    "created_at": MADE_AT,
    "expires_at": None,
}
_RENAMED_USER: Final = {**_USER, "name": "Ada King", "updated_at": CHANGED_AT}
_NOTIFICATIONS: Final[dict[str, Any]] = {
    "object": "notifications",
    "user_id": USER_ID,
    "expiring_credentials": True,
    "new_places": True,
    "disabled_webhooks": True,
    "account_changes": True,
}
_PLAN: Final[dict[str, Any]] = {
    "name": "team",
    "object": "plan",
    "requests_per_hour": 5000,
    "burst": 100,
    "per_method": {"jwt_session": 20000},
    "count_by": "credential",
    "bearer_token_seconds": None,
    "created_at": MADE_AT,
    "updated_at": MADE_AT,
}
_KEY: Final[dict[str, Any]] = {
    "id": KEY_ID,
    "object": "api_key",
    "name": "Checkout service",
    "display": "bf_key_03GA…AMPL",
    "scopes": ["read", "write"],
    "plan": "team",
    "status": "active",
    "user_id": USER_ID,
    "tenant_id": TENANT_ID,
    "parent_id": None,
    "expires_at": EXPIRES_AT,
    "overlap_ends_at": None,
    "allowed_ips": ["127.0.0.0/8", "192.0.2.0/24", "2001:db8::/32"],
    "metadata": {"service": "checkout"},
    "created_by": OPERATOR_ID,
    "created_at": MADE_AT,
    "updated_at": MADE_AT,
    "last_used_at": None,
    "revoked_at": None,
    "revocation_reason": None,
    "bearer_token_seconds": 900,
}
_TOKEN_LIFE: Final[dict[str, Any]] = {
    "scopes": ["read"],
    "status": "active",
    "user_id": USER_ID,
    "tenant_id": TENANT_ID,
    "expires_at": EXPIRES_AT,
    "created_at": MADE_AT,
    "last_used_at": None,
    "revoked_at": None,
    "revocation_reason": None,
}
_PERSONAL_TOKEN: Final[dict[str, Any]] = {
    "id": PERSONAL_TOKEN_ID,
    "object": "personal_access_token",
    "description": "Backup script",
    "display": "bf_pat_03GA…AMPL",
    **_TOKEN_LIFE,
}
_BEARER_TOKEN: Final[dict[str, Any]] = {
    "id": BEARER_TOKEN_ID,
    "object": "bearer_token",
    "parent_id": KEY_ID,
    "display": "bf_tok_03GA…AMPL",
    **_TOKEN_LIFE,
}
_ACCOUNT_TOKEN: Final[dict[str, Any]] = {
    "tokenId": ACCOUNT_TOKEN_ID,
    "description": "Reports",
    "expirationDate": EXPIRES_AT,
    "createdDate": MADE_AT,
    "lastUsedDate": None,
    "status": "active",
}
_RENAMED_KEY: Final = {**_KEY, "name": "Checkout service (EU)", "updated_at": CHANGED_AT}
_ROTATED_KEY: Final = {**_RENAMED_KEY, "overlap_ends_at": OVERLAP_ENDS_AT}
_IDENTITY: Final[dict[str, Any]] = {
    "authenticated": True,
    "user_id": USER_ID,
    "scopes": ["read", "write"],
    "expires_at": EXPIRES_AT,
    "tenant_id": TENANT_ID,
    "credential": {"id": KEY_ID, "kind": "api_key", "name": "Checkout service (EU)"},
}
_REVOCATION: Final[dict[str, Any]] = {
    "id": EVENT_ID,
    "object": "audit_event",
    "at": CHANGED_AT,
    "tenant_id": TENANT_ID,
    "action": "api_key.revoked",
    "subject": {"kind": "api_key", "id": KEY_ID},
    "actor": {
        "user_id": OPERATOR_ID,
        "credential_id": OPERATOR_KEY_ID,
        "via": "api",
        "request_id": REQUEST_ID,
        "address": "127.0.0.1",
    },
    "details": {"reason": "Seen in a build log."},
}
_QUIET_HOURS: Final = [
    {"start": f"{day}T{hour:02}:00:00Z", "accepted": 0, "refused": {}}
    for day, hours in (("2029-12-31", range(10, 24)), ("2030-01-01", range(9)))
    for hour in hours
]
_REQUESTS: Final = {"accepted": 8, "refused": {"ip_not_allowed": 2, "rate_limit_exceeded": 1}}
_USAGE: Final[dict[str, Any]] = {
    "object": "usage",
    "tenant_id": TENANT_ID,
    "user_id": USER_ID,
    "credential_id": KEY_ID,
    "lineage": False,
    "period": "day",
    "start": "2029-12-31T10:00:00Z",
    "end": "2030-01-01T10:00:00Z",
    "bucket_seconds": 3600,
    "total": _REQUESTS,
    "buckets": [*_QUIET_HOURS, {"start": MADE_AT, **_REQUESTS}],
}
_FORWARD: Final = Example(
    caller="key",
    query={"scope": "read"},
    status=204,
    answer=None,
    answer_headers={
        "X-Auth-User": USER_ID,
        "X-Auth-Tenant": TENANT_ID,
        "X-Auth-Scopes": "read write",
        "X-Auth-Credential": KEY_ID,
    },
)

_DENIAL: Final[dict[str, Any]] = {
    "object": "denial",
    "request_id": DENIED_REQUEST_ID,
    "at": CHANGED_AT,
    "tenant_id": TENANT_ID,
    "user_id": USER_ID,
    "credential": {"id": KEY_ID, "kind": "api_key"},
    "error": "insufficient_scope",
    "refused_by": "scope",
    "explanation": "The API key lacks the scope admin.",
    "checks": [
        {"check": "shape", "outcome": "passed", "figures": {}},
        {"check": "look_up", "outcome": "passed", "figures": {}},
        {"check": "status", "outcome": "passed", "figures": {}},
        {"check": "expiry", "outcome": "passed", "figures": {}},
        {"check": "lineage", "outcome": "passed", "figures": {}},
        {"check": "address", "outcome": "passed", "figures": {}},
        {
            "check": "scope",
            "outcome": "refused",
            "figures": {"needed": ["admin"], "held": ["read", "write"]},
        },
        {"check": "limit", "outcome": "not_reached", "figures": {}},
    ],
}
_TOKENS: Final = {"token": TOKEN, "expires_at": "2030-01-01T10:00:00Z", "refresh_token": REFRESH_TOKEN}
_SESSION: Final[dict[str, Any]] = {
    "id": SESSION_ID,
    "object": "session",
    "user_id": OPERATOR_ID,
    "tenant_id": OPERATOR_TENANT_ID,
    "device": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "address": "127.0.0.1",
    "methods": ["pwd"],
    "current": True,
    "created_at": MADE_AT,
    "authenticated_at": MADE_AT,
    "last_used_at": CHANGED_AT,
    "ends_at": "2030-04-01T09:00:00Z",
}
_CONSENT: Final[dict[str, Any]] = {
    "id": CONSENT_ID,
    "object": "consent",
    "user_id": OPERATOR_ID,
    "tenant_id": OPERATOR_TENANT_ID,
    "client_id": CLIENT_ID,
    "client_name": _CLIENT["name"],
    "scopes": ["read"],
    "resources": [],
    "created_at": MADE_AT,
    "updated_at": MADE_AT,
}
_GRANT: Final[dict[str, Any]] = {
    "id": GRANT_ID,
    "object": "grant",
    "user_id": OPERATOR_ID,
    "tenant_id": OPERATOR_TENANT_ID,
    "client_id": CLIENT_ID,
    "client_name": _CLIENT["name"],
    "scopes": ["read"],
    "resources": [],
    "created_at": MADE_AT,
    "last_used_at": None,
    "ends_at": "2030-04-01T09:00:00Z",
}
_CURRENT_SIGNER: Final[dict[str, Any]] = {
    "id": SIGNER_ID,
    "object": "signing_key",
    "algorithm": "EdDSA",
    "status": "current",
    "created_at": MADE_AT,
    "activated_at": MADE_AT,
    "retired_at": None,
    "published_until": None,
}
_NEXT_SIGNER: Final = {**_CURRENT_SIGNER, "id": NEXT_SIGNER_ID, "status": "next", "activated_at": None}

_PASSKEY: Final = {
    "id": PASSKEY_ID,
    "object": "factor",
    "kind": "passkey",
    "name": "Old phone",
    "created_at": CHANGED_AT,
    "last_used_at": None,
    "synced": True,
    "suspected_at": None,
}
_WEBHOOK: Final[dict[str, Any]] = {
    "id": WEBHOOK_ID,
    "object": "webhook",
    "tenant_id": OPERATOR_TENANT_ID,
    "name": "Watch on plans",
    "url": WEBHOOK_URL,
    "events": ["plan.*"],
    "status": "active",
    "disabled_because": None,
    "failures": 0,
    "failing_since": None,
    "old_secret_ends_at": None,
    "created_by": OPERATOR_ID,
    "created_at": MADE_AT,
    "updated_at": MADE_AT,
}
_DELIVERY: Final[dict[str, Any]] = {
    "object": "webhook_delivery",
    "webhook_id": WEBHOOK_ID,
    "event_id": TEST_EVENT_ID,
    "action": "webhook.tested",
    "status": "delivered",
    "created_at": CHANGED_AT,
    "next_attempt_at": None,
    "attempts": [{"at": CHANGED_AT, "status": 204, "reason": None, "milliseconds": 48}],
}

EXAMPLES: Final[Mapping[str, Example]] = {
    "createTenant": Example(
        headers={"Idempotency-Key": "acme-2030-01-01"},
        body={"name": "Acme", "plan": "pro"},
        status=201,
        answer=_TENANT,
    ),
    "listTenants": Example(query={"limit": "1"}, answer=_page(_TENANT, CURSOR)),
    "getTenant": Example(path={"tenant_id": TENANT_ID}, answer=_TENANT),
    "changeTenant": Example(
        path={"tenant_id": TENANT_ID},
        body={"plan": "enterprise"},
        answer={**_TENANT, "plan": "enterprise", "updated_at": CHANGED_AT},
    ),
    "createClient": Example(
        body={
            "name": "Acme Shop",
            "grant_types": [
                "authorization_code",
                "client_credentials",
                "refresh_token",
                "urn:ietf:params:oauth:grant-type:device_code",
            ],
            "redirect_uris": ["https://shop.example.com/callback"],
            "scopes": ["openid", "read"],
        },
        status=201,
        answer={**_CLIENT, "client_secret": CLIENT_SECRET},
    ),
    "listClients": Example(query={"limit": "1"}, answer=_page(_CLIENT, None)),
    "listConsents": Example(query={"client_id": CLIENT_ID}, answer=_page(_CONSENT, None)),
    "getConsent": Example(path={"consent_id": CONSENT_ID}, answer=_CONSENT),
    "listGrants": Example(query={"client_id": CLIENT_ID}, answer=_page(_GRANT, None)),
    "getGrant": Example(path={"grant_id": GRANT_ID}, answer=_GRANT),
    "endGrant": Example(path={"grant_id": GRANT_ID}, status=204, answer=None),
    "withdrawConsent": Example(path={"consent_id": CONSENT_ID}, status=204, answer=None),
    "getClient": Example(path={"client_id": CLIENT_ID}, answer={**_CLIENT, "secrets": [_CLIENT_SECRET]}),
    "changeClient": Example(
        path={"client_id": CLIENT_ID},
        body={"client_uri": "https://shop.example.com"},
        answer={**_CLIENT, "client_uri": "https://shop.example.com", "updated_at": CHANGED_AT},
    ),
    "requestToken": Example(
        caller="nobody",
        form={
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "scope": "read",
        },
        answer={
            "access_token": ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": "read",
        },
    ),
    "pushAuthorizationRequest": Example(
        caller="nobody",
        form={
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "response_type": "code",
            "redirect_uri": "https://shop.example.com/callback",
            "scope": "openid read",
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code_challenge_method": "S256",
        },
        status=201,
        answer={"expires_in": 300},
        excerpt=True,
    ),
    "beginDeviceAuthorization": Example(
        caller="nobody",
        form={"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "scope": "read"},
        answer={"expires_in": 600, "interval": 5},
        excerpt=True,
    ),
    "revokeToken": Example(
        caller="nobody",
        form={"token": ACCESS_TOKEN, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
        answer=None,
    ),
    "getUserinfo": Example(caller="person", answer=_USERINFO),
    "postUserinfo": Example(caller="person", answer=_USERINFO),
    "createClientSecret": Example(
        path={"client_id": CLIENT_ID},
        body={"name": "spring", "overlap_seconds": 86400},
        status=201,
        answer={
            **_CLIENT_SECRET,
            "id": NEXT_CLIENT_SECRET_ID,
            "name": "spring",
            "display": "bf_sec_03GA…AMPL",
            "created_at": CHANGED_AT,
            "client_secret": NEXT_CLIENT_SECRET,
        },
    ),
    "deleteClientSecret": Example(
        path={"client_id": CLIENT_ID, "secret_id": NEXT_CLIENT_SECRET_ID}, status=204, answer=None
    ),
    "deleteClient": Example(path={"client_id": CLIENT_ID}, status=204, answer=None),
    "createRegistrationToken": Example(
        body={"name": "for the shop's partners", "scopes": ["openid", "read"], "uses": 2},
        status=201,
        answer={**_INITIAL_TOKEN, "uses_left": 2, "initial_access_token": INITIAL_TOKEN},
    ),
    "registerClient": Example(
        caller="initial",
        body={
            "client_name": "Partner",
            "redirect_uris": ["https://partner.example.com/callback"],
            "id_token_signed_response_alg": "EdDSA",
        },
        status=201,
        answer={**_REGISTERED, "client_secret": REGISTERED_SECRET, "client_secret_expires_at": 0},
    ),
    "listRegistrationTokens": Example(query={"limit": "1"}, answer=_page(_INITIAL_TOKEN, None)),
    "deleteRegistrationToken": Example(path={"token_id": INITIAL_TOKEN_ID}, status=204, answer=None),
    "getRegistration": Example(caller="registered", path={"client_id": REGISTERED_ID}, answer=_REGISTERED),
    "changeRegistration": Example(
        caller="registered",
        path={"client_id": REGISTERED_ID},
        body={
            "client_id": REGISTERED_ID,
            "client_name": "Partner",
            "redirect_uris": ["https://partner.example.com/callback"],
            "client_uri": "https://partner.example.com",
            "id_token_signed_response_alg": "EdDSA",
        },
        answer={**_REGISTERED, "client_uri": "https://partner.example.com"},
    ),
    "deleteRegistration": Example(
        caller="registered", path={"client_id": REGISTERED_ID}, status=204, answer=None
    ),
    "createUser": Example(
        body={"email": "ada@example.com", "name": "Ada Lovelace", "role": "admin", "tenant_id": TENANT_ID},
        status=201,
        answer=_USER,
    ),
    "listUsers": Example(query={"tenant_id": TENANT_ID, "limit": "1"}, answer=_page(_USER, None)),
    "listSecurityChecks": Example(
        query={"tenant_id": TENANT_ID},
        answer={
            "data": [
                {
                    "object": "security_check",
                    "check": str(check),
                    "text": text,
                    "api_keys": [],
                    "users": [_USER] if check is CheckName.NO_SECOND_FACTOR else [],
                    "unused_scopes": {},
                    "networks": {},
                    "known_networks": {},
                    "more": False,
                }
                for check, text in TEXTS.items()
            ]
        },
    ),
    "listSettings": Example(
        query={"name": "session_token_seconds"},
        answer={
            "data": [
                {
                    "object": "setting",
                    "name": "session_token_seconds",
                    "variable": "BONAFIDES_SESSION_TOKEN_SECONDS",
                    "value": 3_600,
                    "source": "default",
                    "secret": False,
                    "description": "How long the token of a login lasts; it is then refreshed.",
                }
            ]
        },
    ),
    "getUser": Example(path={"user_id": USER_ID}, answer=_USER),
    "inviteUser": Example(
        path={"user_id": USER_ID},
        answer={
            "object": "invitation",
            "user_id": USER_ID,
            "token": None,
            "expires_at": "2030-01-08T09:00:00Z",
        },
    ),
    "startPasswordReset": Example(
        path={"user_id": USER_ID},
        answer={
            "object": "password_reset",
            "user_id": USER_ID,
            "token": RESET_TOKEN,
            "expires_at": "2030-01-02T09:00:00Z",
        },
    ),
    "resetPassword": Example(
        caller="nobody",
        body={"token": RESET_TOKEN, "new_password": "several quiet paper lanterns"},
        status=204,
        answer=None,
    ),
    "forgetPassword": Example(caller="nobody", body={"username": "ada@example.com"}, status=204, answer=None),
    "getNotifications": Example(path={"user_id": USER_ID}, answer=_NOTIFICATIONS),
    "changeNotifications": Example(
        path={"user_id": USER_ID}, body={"new_places": False}, answer={**_NOTIFICATIONS, "new_places": False}
    ),
    "changeUser": Example(path={"user_id": USER_ID}, body={"name": "Ada King"}, answer=_RENAMED_USER),
    "putPlan": Example(
        body={
            "name": "team",
            "requests_per_hour": 5000,
            "burst": 100,
            "per_method": {"jwt_session": 20000},
        },
        status=201,
        answer=_PLAN,
    ),
    "tryPlan": Example(
        body={"name": "team", "requests_per_hour": 5, "burst": 5},
        answer={
            "object": "plan_dry_run",
            "plan": "team",
            "count_by": "credential",
            "since": MADE_AT,
            "until": MADE_AT,
            "requests": 0,
            "would_refuse": 0,
            "subjects": 0,
            "at_least": False,
            "precision": PRECISION,
        },
    ),
    "listPlans": Example(query={"limit": "1"}, answer=_page(_PLAN, CURSOR)),
    "getPlan": Example(path={"name": "team"}, answer=_PLAN),
    "createApiKey": Example(
        headers={"Idempotency-Key": "checkout-2030-01-01"},
        body={
            "name": "Checkout service",
            "scopes": ["read", "write"],
            "user_id": USER_ID,
            "plan": "team",
            "expires_at": EXPIRES_AT,
            "allowed_ips": ["127.0.0.0/8", "192.0.2.0/24", "2001:db8::/32"],
            "metadata": {"service": "checkout"},
            "bearer_token_seconds": 900,
        },
        status=201,
        answer={**_KEY, "key": KEY},
    ),
    "getLimits": Example(
        query={"credential_id": KEY_ID},
        answer={
            "object": "limits",
            "tenant_id": TENANT_ID,
            "user_id": USER_ID,
            "credential_id": KEY_ID,
            "plan": "team",
            "count_by": "credential",
            "windows": [
                {"name": "hour", "seconds": 3600, "limit": 5000, "remaining": 5000, "resets_at": MADE_AT},
                {"name": "burst", "seconds": 1, "limit": 100, "remaining": 100, "resets_at": MADE_AT},
            ],
        },
    ),
    "listApiKeys": Example(query={"tenant_id": TENANT_ID, "limit": "1"}, answer=_page(_KEY, None)),
    "getApiKey": Example(path={"key_id": KEY_ID}, answer=_KEY),
    "changeApiKey": Example(
        path={"key_id": KEY_ID}, body={"name": "Checkout service (EU)"}, answer=_RENAMED_KEY
    ),
    "verifySelfGet": Example(caller="key", query={"scope": "read write"}, answer=_IDENTITY),
    "verifySelfPost": Example(caller="key", answer=_IDENTITY),
    "verifyCredential": Example(
        body={"credential": KEY, "scope": "write", "ip": "192.0.2.10"},
        answer={"valid": True, **_IDENTITY},
    ),
    "introspect": Example(
        form={"token": KEY, "ip": "192.0.2.10"},
        answer={
            "active": True,
            "scope": "read write",
            "token_type": "Bearer",
            "exp": 1901264400,
            "sub": USER_ID,
            "iss": "http://127.0.0.1:8000",
            "jti": KEY_ID,
            "tenant_id": TENANT_ID,
            "kind": "api_key",
        },
    ),
    "forwardAuth": _FORWARD,
    "forwardAuthNginx": _FORWARD,
    "forwardAuthCaddy": _FORWARD,
    "forwardAuthTraefik": _FORWARD,
    "forwardAuthEnvoy": _FORWARD,
    "getMe": Example(caller="key", answer=_RENAMED_USER),
    "exchangeApiKey": Example(
        caller="nobody",
        body={"apikey": KEY, "scope": "read"},
        answer={
            "authenticated": True,
            "token": BEARER_TOKEN,
            "tokenExpiration": EXPIRES_AT,
            "id": BEARER_TOKEN_ID,
            "scopes": ["read"],
        },
    ),
    "listBearerTokens": Example(
        query={"api_key_id": KEY_ID, "tenant_id": TENANT_ID}, answer=_page(_BEARER_TOKEN, None)
    ),
    "getBearerToken": Example(path={"token_id": BEARER_TOKEN_ID}, answer=_BEARER_TOKEN),
    "getLineage": Example(
        path={"credential_id": KEY_ID},
        answer={
            "object": "lineage",
            "id": KEY_ID,
            "root_id": KEY_ID,
            "members": [
                {
                    "id": KEY_ID,
                    "kind": "api_key",
                    "name": "Checkout service (EU)",
                    "display": "bf_key_03GA…AMPL",
                    "parent_id": None,
                    "status": "active",
                    "expires_at": EXPIRES_AT,
                    "created_at": MADE_AT,
                    "ends_with_it": True,
                },
                {
                    "id": BEARER_TOKEN_ID,
                    "kind": "bearer_token",
                    "name": "Checkout service (EU)",
                    "display": "bf_tok_03GA…AMPL",
                    "parent_id": KEY_ID,
                    "status": "active",
                    "expires_at": EXPIRES_AT,
                    "created_at": CHANGED_AT,
                    "ends_with_it": True,
                },
            ],
            "whole": True,
        },
    ),
    "revokeBearerToken": Example(
        path={"token_id": BEARER_TOKEN_ID},
        query={"reason": "No longer needed."},
        answer={
            **_BEARER_TOKEN,
            "status": "revoked",
            "revoked_at": CHANGED_AT,
            "revocation_reason": "No longer needed.",
        },
    ),
    "createPersonalAccessToken": Example(
        caller="key",
        headers={"Idempotency-Key": "backup-2030-01-01"},
        body={"description": "Backup script", "expires_at": EXPIRES_AT, "scopes": ["read"]},
        status=201,
        answer={**_PERSONAL_TOKEN, "token": PERSONAL_TOKEN},
    ),
    "listPersonalAccessTokens": Example(caller="key", answer=_page(_PERSONAL_TOKEN, None)),
    "getPersonalAccessToken": Example(
        caller="key", path={"token_id": PERSONAL_TOKEN_ID}, answer=_PERSONAL_TOKEN
    ),
    "createAccountToken": Example(
        caller="key",
        body={"description": "Reports", "expirationDate": EXPIRES_AT},
        status=201,
        answer={"tokenId": ACCOUNT_TOKEN_ID, "token": ACCOUNT_TOKEN},
    ),
    "listAccountTokens": Example(caller="key", query={"limit": "1"}, answer=_page(_ACCOUNT_TOKEN, CURSOR)),
    "revokeAccountToken": Example(caller="key", path={"token_id": ACCOUNT_TOKEN_ID}, status=204, answer=None),
    "revokePersonalAccessToken": Example(
        caller="key",
        path={"token_id": PERSONAL_TOKEN_ID},
        query={"reason": "The laptop was stolen."},
        answer={
            **_PERSONAL_TOKEN,
            "status": "revoked",
            "revoked_at": CHANGED_AT,
            "revocation_reason": "The laptop was stolen.",
        },
    ),
    "getAccount": Example(
        caller="key",
        answer={
            "id": USER_ID,
            "email": "ada@example.com",
            "name": "Ada King",
            "role": "admin",
            "status": "active",
            "tenantInfo": {"id": TENANT_ID, "name": "Acme", "plan": "enterprise"},
        },
    ),
    "getDenial": Example(path={"request_id": DENIED_REQUEST_ID}, answer=_DENIAL),
    "rotateApiKey": Example(
        path={"key_id": KEY_ID},
        body={"overlap_seconds": 86400},
        status=201,
        answer={
            **_RENAMED_KEY,
            "id": SUCCESSOR_ID,
            "parent_id": KEY_ID,
            "created_at": CHANGED_AT,
            "key": SUCCESSOR,
        },
    ),
    "disableApiKey": Example(path={"key_id": KEY_ID}, answer={**_ROTATED_KEY, "status": "disabled"}),
    "enableApiKey": Example(path={"key_id": KEY_ID}, answer=_ROTATED_KEY),
    "revokeApiKey": Example(
        path={"key_id": KEY_ID},
        body={"reason": "Seen in a build log."},
        answer={
            **_ROTATED_KEY,
            "status": "revoked",
            "revoked_at": CHANGED_AT,
            "revocation_reason": "Seen in a build log.",
        },
    ),
    "listAuditEvents": Example(
        query={"tenant_id": TENANT_ID, "action": "api_key.revoked"}, answer=_page(_REVOCATION, None)
    ),
    "listAuditEventsAlias": Example(
        query={"tenant_id": TENANT_ID, "action": "api_key.revoked"}, answer=_page(_REVOCATION, None)
    ),
    "createWebhook": Example(
        body={"name": "Watch on plans", "url": WEBHOOK_URL, "events": ["plan.*"]},
        status=201,
        answer={**_WEBHOOK, "secret": WEBHOOK_SECRET},
    ),
    "listWebhooks": Example(answer=_page(_WEBHOOK, None)),
    "getWebhook": Example(path={"webhook_id": WEBHOOK_ID}, answer=_WEBHOOK),
    "changeWebhook": Example(
        path={"webhook_id": WEBHOOK_ID},
        body={"name": "Watch"},
        answer={**_WEBHOOK, "name": "Watch", "updated_at": CHANGED_AT},
    ),
    "rotateWebhookSecret": Example(
        path={"webhook_id": WEBHOOK_ID},
        body={"overlap_seconds": 3_600},
        status=201,
        answer={
            **_WEBHOOK,
            "name": "Watch",
            "old_secret_ends_at": OVERLAP_ENDS_AT,
            "updated_at": CHANGED_AT,
            "secret": NEXT_WEBHOOK_SECRET,
        },
    ),
    "testWebhook": Example(path={"webhook_id": WEBHOOK_ID}, answer=_DELIVERY),
    "listWebhookDeliveries": Example(path={"webhook_id": WEBHOOK_ID}, answer=_page(_DELIVERY, None)),
    "resendWebhookDelivery": Example(
        path={"webhook_id": WEBHOOK_ID, "event_id": TEST_EVENT_ID},
        status=202,
        answer={**_DELIVERY, "status": "waiting", "next_attempt_at": CHANGED_AT},
    ),
    "deleteWebhook": Example(path={"webhook_id": WEBHOOK_ID}, status=204, answer=None),
    "getUsage": Example(query={"credential_id": KEY_ID, "period": "day"}, answer=_USAGE),
    "listNetworks": Example(
        path={"credential_id": KEY_ID},
        answer={
            "data": [
                {
                    "object": "network_use",
                    "network": network,
                    "first_used_at": MADE_AT,
                    "last_used_at": MADE_AT,
                    "requests": requests,
                }
                for network, requests in (("203.0.113.0/24", 312), ("2001:db8:7::/48", 5))
            ]
        },
    ),
    "getApiKeyUsage": Example(path={"key_id": KEY_ID}, query={"period": "day"}, answer=_USAGE),
    "logIn": Example(caller="nobody", body={"username": OWNER_EMAIL, "password": PASSWORD}, answer=_TOKENS),
    "listSessions": Example(caller="session", query={"limit": "1"}, answer=_page(_SESSION, CURSOR)),
    "getSession": Example(caller="session", path={"session_id": SESSION_ID}, answer=_SESSION),
    "endSession": Example(caller="session", path={"session_id": OLD_SESSION_ID}, status=204, answer=None),
    "endSessions": Example(caller="session", query={"keep_current": "true"}, answer={"ended": 1}),
    "refreshTokens": Example(
        caller="nobody",
        body={"refresh_token": REFRESH_TOKEN},
        answer={
            "token": NEXT_TOKEN,
            "expires_at": "2030-01-01T10:05:00Z",
            "refresh_token": NEXT_REFRESH_TOKEN,
        },
    ),
    "changePassword": Example(
        caller="session",
        body={"current_password": PASSWORD, "new_password": NEW_PASSWORD},
        answer={"ended_sessions": 0},
    ),
    "stepUp": Example(
        caller="session",
        body={"password": NEW_PASSWORD},
        answer={"token": PROVEN_TOKEN, "expires_at": "2030-01-01T10:05:00Z"},
    ),
    "addFactor": Example(
        caller="session",
        body={"kind": "totp"},
        status=201,
        answer={
            "object": "enrolment",
            "kind": "totp",
            "secret": TOTP_SECRET,
            "uri": f"otpauth://totp/Bonafides%20%28127.0.0.1%29:admin%40example.com?secret={TOTP_SECRET}"
            "&issuer=Bonafides%20%28127.0.0.1%29",
            "qr_svg": '<svg width="228" height="228"></svg>',
        },
    ),
    "confirmFactor": Example(
        caller="session",
        body={"code": TOTP_CODE, "end_sessions": False},
        answer={
            "object": "recovery_codes",
            "recovery_codes": [RECOVERY_CODE] * 10,
            "ended_sessions": 0,
        },
    ),
    "listFactors": Example(
        caller="session",
        answer={
            "data": [
                {
                    "id": "totp",
                    "object": "factor",
                    "kind": "totp",
                    "name": "Authenticator app",
                    "created_at": CHANGED_AT,
                }
            ],
            "recovery_codes_left": 10,
            "next_cursor": None,
        },
    ),
    "finishLogIn": Example(
        caller="nobody",
        body={"mfa_token": MFA_TOKEN, "code": RECOVERY_CODE},
        answer={
            "token": OTHER_TOKEN,
            "expires_at": "2030-01-01T10:05:00Z",
            "refresh_token": OTHER_REFRESH_TOKEN,
        },
    ),
    "renewRecoveryCodes": Example(
        caller="session", answer={"object": "recovery_codes", "recovery_codes": [RECOVERY_CODE] * 10}
    ),
    "removeFactor": Example(
        caller="session",
        path={"factor_id": "totp"},
        query={"end_sessions": "true"},
        answer={"ended_sessions": 1},
    ),
    "beginPasskey": Example(
        caller="session",
        answer={
            "rp": {"id": "localhost", "name": "Bonafides"},
            "timeout": 300_000,
            "attestation": "none",
        },
        excerpt=True,
    ),
    "addPasskey": Example(
        caller="session",
        body={
            "name": "My phone",
            "credential": {
                "id": CREDENTIAL_ID,
                "rawId": CREDENTIAL_ID,
                "type": "public-key",
                "response": {
                    "clientDataJSON": CREATED_CLIENT_DATA,
                    "attestationObject": ATTESTATION,
                    "transports": ["internal", "hybrid"],
                },
            },
        },
        status=201,
        answer={
            **_PASSKEY,
            "name": "My phone",
            "recovery_codes": [RECOVERY_CODE] * 10,
            "ended_sessions": 0,
        },
    ),
    "renameFactor": Example(
        caller="session", path={"factor_id": PASSKEY_ID}, body={"name": "Old phone"}, answer=_PASSKEY
    ),
    "askForStepUp": Example(
        caller="session", answer={"rpId": "localhost", "userVerification": "required"}, excerpt=True
    ),
    "askForPasskey": Example(
        caller="nobody",
        body={},
        answer={"rpId": "localhost", "allowCredentials": [], "userVerification": "required"},
        excerpt=True,
    ),
    "logInByPasskey": Example(
        caller="nobody",
        body={
            "credential": {
                "id": CREDENTIAL_ID,
                "rawId": CREDENTIAL_ID,
                "type": "public-key",
                "response": {
                    "clientDataJSON": SIGNED_CLIENT_DATA,
                    "authenticatorData": AUTHENTICATOR_DATA,
                    "signature": SIGNATURE,
                    "userHandle": USER_HANDLE,
                },
            }
        },
        answer={
            "token": PASSKEY_TOKEN,
            "expires_at": "2030-01-01T10:05:00Z",
            "refresh_token": PASSKEY_REFRESH_TOKEN,
        },
    ),
    "resetFactors": Example(path={"user_id": OPERATOR_ID}, answer={"ended_sessions": 2}),
    "logOut": Example(caller="session", status=204, answer=None),
    "listSigningKeys": Example(answer={"data": [_CURRENT_SIGNER, _NEXT_SIGNER], "next_cursor": None}),
    "rotateSigningKeys": Example(
        body={"force": True},
        answer={
            "data": [
                {**_NEXT_SIGNER, "status": "current", "activated_at": CHANGED_AT},
                {**_NEXT_SIGNER, "id": LAST_SIGNER_ID, "created_at": CHANGED_AT},
                {
                    **_CURRENT_SIGNER,
                    "status": "retired",
                    "retired_at": CHANGED_AT,
                    "published_until": "2030-01-01T10:10:00Z",
                },
            ],
            "next_cursor": None,
        },
    ),
    "getKeySet": Example(
        caller="nobody",
        answer={
            "keys": [
                {
                    "alg": "EdDSA",
                    "crv": "Ed25519",
                    "kid": kid,
                    "kty": "OKP",
                    "use": "sig",
                    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                }
                for kid in (NEXT_SIGNER_ID, LAST_SIGNER_ID, SIGNER_ID)
            ]
        },
    ),
    "deleteUser": Example(path={"user_id": USER_ID}, status=204, answer=None),
    "deletePlan": Example(path={"name": "team"}, status=204, answer=None),
    "getHealth": Example(caller="nobody", answer={"status": "ok"}),
    "getReadiness": Example(caller="nobody", answer={"status": "ready"}),
    "getMetrics": Example(answer='bonafides_verdicts_total{kind="api_key",outcome="accepted"}', excerpt=True),
    "getAuthorizationServer": Example(
        caller="nobody", answer={"code_challenge_methods_supported": ["S256"]}, excerpt=True
    ),
    "getOpenidConfiguration": Example(
        caller="nobody", answer={"response_types_supported": ["code"]}, excerpt=True
    ),
    "getProtectedResource": Example(
        caller="nobody", answer={"bearer_methods_supported": ["header"]}, excerpt=True
    ),
    "getRoot": Example(
        caller="nobody", answer={"name": "Bonafides", "openapi": "/openapi.json"}, excerpt=True
    ),
    "getOpenapiJson": Example(caller="nobody", answer={"openapi": "3.1.1"}, excerpt=True),
    "getOpenapiYaml": Example(caller="nobody", answer={"openapi": "3.1.1"}, excerpt=True),
    "getDocs": Example(caller="nobody", answer='<!doctype html>\n<html lang="en">', excerpt=True),
}
