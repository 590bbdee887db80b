"""Records on the wire: the same words, times and orders everywhere, and no secret among them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from bonafides.model import (
    Accepted,
    Actor,
    Allowance,
    AuditEvent,
    Check,
    CountBy,
    Credential,
    CredentialKind,
    CredentialStatus,
    Denial,
    Plan,
    Principal,
    Reason,
    Rejected,
    Role,
    Status,
    Tenant,
    User,
    UserKind,
    to_micros,
)
from bonafides.resources import (
    denial_resource,
    event_resource,
    identity_resource,
    key_resource,
    key_status,
    page_resource,
    plan_resource,
    reason_message,
    tenant_resource,
    time_text,
    user_resource,
    verdict_resource,
)

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
NOW_TEXT = "2030-01-02T03:04:05Z"
KEY = Credential(
    id="key_1",
    kind=CredentialKind.API_KEY,
    tenant_id="ten_1",
    user_id="usr_1",
    name="ci",
    scopes=frozenset({"write", "admin", "read"}),
    plan=None,
    status=CredentialStatus.ACTIVE,
    expires_at=None,
    overlap_ends_at=None,
    parent_id=None,
    root_id="key_1",
    allowed_ips=("10.0.0.0/8",),
    metadata={"team": "a"},
    display="bf_key_0123…wxyz",
    created_by="usr_1",
    created_at=NOW,
    updated_at=NOW,
    last_used_at=None,
    revoked_at=None,
    revocation_reason=None,
)
PRINCIPAL = Principal(
    user_id="usr_1",
    tenant_id="ten_1",
    scopes=frozenset({"write", "read"}),
    credential_id="key_1",
    kind=CredentialKind.API_KEY,
    name="ci",
    role=Role.MEMBER,
)
NO_LIMIT = Allowance(())


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOW, NOW_TEXT),
        (NOW.replace(microsecond=10), "2030-01-02T03:04:05.000010Z"),
        (NOW.astimezone(timezone(timedelta(hours=5, minutes=45))), NOW_TEXT),
        (to_micros(NOW), NOW_TEXT),
        (to_micros(NOW) + 1, "2030-01-02T03:04:05.000001Z"),
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (datetime.max.replace(tzinfo=UTC), "9999-12-31T23:59:59.999999Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
    ],
)
def test_times_are_utc_with_a_z(moment: datetime | int, text: str) -> None:
    """A client in another time zone would read an expiry hours off."""
    assert time_text(moment) == text
    assert datetime.fromisoformat(text).tzinfo is not None


def test_a_key_is_shown_without_anything_that_opens_it() -> None:
    """A listing would hand out what it lists."""
    assert key_resource(KEY, NOW) == {
        "id": "key_1",
        "object": "api_key",
        "name": "ci",
        "display": "bf_key_0123…wxyz",
        "scopes": ["admin", "read", "write"],
        "plan": None,
        "status": "active",
        "user_id": "usr_1",
        "tenant_id": "ten_1",
        "parent_id": None,
        "expires_at": None,
        "overlap_ends_at": None,
        "allowed_ips": ["10.0.0.0/8"],
        "metadata": {"team": "a"},
        "created_by": "usr_1",
        "created_at": NOW_TEXT,
        "updated_at": NOW_TEXT,
        "last_used_at": None,
        "revoked_at": None,
        "revocation_reason": None,
        "bearer_token_seconds": None,
    }
    ended = replace(
        KEY,
        status=CredentialStatus.REVOKED,
        revoked_at=NOW,
        revocation_reason="leaked",
        expires_at=NOW,
        overlap_ends_at=NOW,
        last_used_at=NOW,
        parent_id="key_0",
        plan="pro",
    )
    assert key_resource(ended, NOW) == key_resource(KEY, NOW) | {
        "status": "revoked",
        "revoked_at": NOW_TEXT,
        "revocation_reason": "leaked",
        "expires_at": NOW_TEXT,
        "overlap_ends_at": NOW_TEXT,
        "last_used_at": NOW_TEXT,
        "parent_id": "key_0",
        "plan": "pro",
    }


@pytest.mark.parametrize(
    ("status", "expires_in", "overlap_in", "shown"),
    [
        (CredentialStatus.ACTIVE, None, None, "active"),
        (CredentialStatus.ACTIVE, 1, 1, "active"),
        (CredentialStatus.ACTIVE, 0, None, "expired"),
        (CredentialStatus.ACTIVE, -1, 1, "expired"),
        (CredentialStatus.ACTIVE, 1, 0, "expired"),
        (CredentialStatus.DISABLED, -1, None, "disabled"),
        (CredentialStatus.DISABLED, None, None, "disabled"),
        (CredentialStatus.REVOKED, -1, -1, "revoked"),
    ],
)
def test_a_keys_status_is_what_was_decided_then_what_time_did(
    status: CredentialStatus, expires_in: int | None, overlap_in: int | None, shown: str
) -> None:
    """A key would be called active in the second in which it is refused."""
    key = replace(KEY, status=status, expires_at=after(expires_in), overlap_ends_at=after(overlap_in))
    assert key_status(key, NOW) == shown


def after(seconds: int | None) -> datetime | None:
    """So many seconds from `NOW`."""
    return None if seconds is None else NOW + timedelta(seconds=seconds)


def test_users_tenants_plans_and_events() -> None:
    """A client would look for a field under another name."""
    user = User("usr_1", "ten_1", UserKind.PERSON, "a@b.c", "Ada", Role.OWNER, None, Status.ACTIVE, NOW, NOW)
    assert user_resource(user) == {
        "id": "usr_1",
        "object": "user",
        "tenant_id": "ten_1",
        "kind": "person",
        "email": "a@b.c",
        "name": "Ada",
        "role": "owner",
        "scopes": None,
        "status": "active",
        "created_at": NOW_TEXT,
        "updated_at": NOW_TEXT,
    }
    assert user_resource(replace(user, scopes=frozenset({"b", "a"})))["scopes"] == ["a", "b"]
    assert tenant_resource(
        Tenant("ten_1", "acme", Status.DISABLED, "pro", operator=False, created_at=NOW, updated_at=NOW)
    ) == {
        "id": "ten_1",
        "object": "tenant",
        "name": "acme",
        "status": "disabled",
        "plan": "pro",
        "operator": False,
        "personal_access_token_seconds_max": None,
        "created_at": NOW_TEXT,
        "updated_at": NOW_TEXT,
    }
    plan = Plan("pro", 10, None, {CredentialKind.API_KEY: None}, CountBy.TENANT, NOW, NOW)
    assert plan_resource(plan) == {
        "name": "pro",
        "object": "plan",
        "requests_per_hour": 10,
        "burst": None,
        "per_method": {"api_key": None},
        "count_by": "tenant",
        "bearer_token_seconds": None,
        "created_at": NOW_TEXT,
        "updated_at": NOW_TEXT,
    }
    actor = Actor("usr_1", "key_1", "api", "req_1", "192.0.2.1")
    event = AuditEvent("evt_1", NOW, "ten_1", "api_key.revoked", "api_key", "key_2", actor, {"reason": "x"})
    assert event_resource(event) == {
        "id": "evt_1",
        "object": "audit_event",
        "at": NOW_TEXT,
        "tenant_id": "ten_1",
        "action": "api_key.revoked",
        "subject": {"kind": "api_key", "id": "key_2"},
        "actor": {
            "user_id": "usr_1",
            "credential_id": "key_1",
            "via": "api",
            "request_id": "req_1",
            "address": "192.0.2.1",
        },
        "details": {"reason": "x"},
    }
    assert page_resource(({"id": "1"},), None) == {"data": [{"id": "1"}], "next_cursor": None}


def test_every_resource_is_json() -> None:
    """A set or an enum would fail when the answer is written, after the change was made."""
    made: list[dict[str, Any]] = [
        key_resource(KEY, NOW),
        identity_resource(PRINCIPAL, 0),
        verdict_resource(Rejected(Reason.EXPIRED, NO_LIMIT)),
    ]
    assert json.loads(json.dumps(made)) == made


def test_a_good_credential_is_an_identity() -> None:
    """A resource server could not tell for whom it acts, or until when."""
    identity = {
        "authenticated": True,
        "user_id": "usr_1",
        "scopes": ["read", "write"],
        "expires_at": NOW_TEXT,
        "tenant_id": "ten_1",
        "credential": {"id": "key_1", "kind": "api_key", "name": "ci"},
    }
    assert identity_resource(PRINCIPAL, to_micros(NOW)) == identity
    assert identity_resource(PRINCIPAL, None)["expires_at"] is None
    assert verdict_resource(Accepted(PRINCIPAL, to_micros(NOW), NO_LIMIT)) == {"valid": True, **identity}


@pytest.mark.parametrize(
    ("rejected", "message"),
    [
        (Rejected(Reason.MISSING, NO_LIMIT), "No API key provided in the Authorization header."),
        (Rejected(Reason.INVALID_KEY, NO_LIMIT), "The API key provided is invalid."),
        (Rejected(Reason.INVALID_TOKEN, NO_LIMIT), "The access token provided is invalid."),
        (Rejected(Reason.EXPIRED, NO_LIMIT), "The access token has expired."),
        (Rejected(Reason.EXPIRED, NO_LIMIT, CredentialKind.API_KEY), "The API key has expired."),
        (
            Rejected(Reason.EXPIRED, NO_LIMIT, CredentialKind.PERSONAL_ACCESS_TOKEN),
            "The personal access token has expired.",
        ),
        (Rejected(Reason.EXPIRED, NO_LIMIT, CredentialKind.JWT_SESSION), "The access token has expired."),
        (
            Rejected(Reason.SCOPE, NO_LIMIT, scopes=frozenset({"write", "admin"})),
            "The credential does not have every scope that this needs: admin write.",
        ),
        (Rejected(Reason.ADDRESS, NO_LIMIT), "The credential may not be used from this address."),
        (
            Rejected(Reason.RATE, Allowance((), admitted=False, retry_after_seconds=3600)),
            "Rate limit exceeded. Try again in 3600 seconds.",
        ),
        (
            Rejected(Reason.RATE, Allowance((), admitted=False, retry_after_seconds=1)),
            "Rate limit exceeded. Try again in 1 seconds.",
        ),
    ],
)
def test_every_refusal_has_the_contracts_words(rejected: Rejected, message: str) -> None:
    """Clients match on these words; a person would not know what to do."""
    assert reason_message(rejected) == message
    assert verdict_resource(rejected) == {"valid": False, "code": str(rejected.reason), "message": message}


def test_no_refusal_is_without_words() -> None:
    """A new reason would be a failure of the server instead of an answer."""
    assert all(reason_message(Rejected(reason, NO_LIMIT)).endswith(".") for reason in Reason)


SECONDS_US = to_micros(NOW)


@pytest.mark.parametrize(
    ("check", "figures", "explanation"),
    [
        (
            Check.SHAPE,
            {"address": None},
            "What was presented is not a whole credential: a character is missing, added or wrong.",
        ),
        (
            Check.LOOK_UP,
            {},
            "Nobody's credential was presented, or one that whoever asked may not see.",
        ),
        (Check.STATUS, {}, "The access token is not active."),
        (
            Check.STATUS,
            {"of": "credential", "status": "revoked", "since_us": SECONDS_US, "reason": "leaked"},
            f"The access token is revoked since {NOW_TEXT} (leaked).",
        ),
        (
            Check.STATUS,
            {"of": "credential", "status": "disabled", "since_us": None, "reason": None},
            "The access token is disabled.",
        ),
        (
            Check.STATUS,
            {"of": "tenant", "status": "disabled"},
            "The tenant of the access token is disabled.",
        ),
        (Check.EXPIRY, {"ended_at_us": SECONDS_US}, f"The access token expired at {NOW_TEXT}."),
        (
            Check.EXPIRY,
            {"ended_at_us": SECONDS_US, "by": "overlap_ends_at"},
            f"The access token was rotated, and its overlap ended at {NOW_TEXT}.",
        ),
        (
            Check.LINEAGE,
            {"credential_id": "key_0", "status": "revoked"},
            "The access token was made from key_0, which is revoked.",
        ),
        (
            Check.LINEAGE,
            {"credential_id": "key_0", "ended_at_us": SECONDS_US},
            f"The access token was made from key_0, which ended at {NOW_TEXT}.",
        ),
        (
            Check.ADDRESS,
            {"address": None, "allowed_ips": ["192.0.2.0/24", "::1/128"]},
            "The access token came from no known address, and may be used from 192.0.2.0/24, ::1/128.",
        ),
        (
            Check.SCOPE,
            {"needed": ["a", "b", "c"], "held": ["b"]},
            "The access token lacks the scope a c.",
        ),
        (
            Check.LIMIT,
            {"limit": 9, "remaining": 0, "seconds": 3600, "cost": 1, "resets_at_us": SECONDS_US},
            f"0 of 9 requests in 3600 seconds were left, and this one counts for 1; there is room again at {NOW_TEXT}.",
        ),
    ],
)
def test_a_denial_is_explained_by_the_figure_that_refused(
    check: Check, figures: dict[str, Any], explanation: str
) -> None:
    """Whoever reads it is in trouble, and must not have to know how verification works."""
    kind, reason = CredentialKind.BEARER_TOKEN, Reason.INVALID_TOKEN
    denial = Denial("req_1", NOW, "ten_1", "usr_1", "tok_1", kind, reason, check, figures)
    told = denial_resource(denial)
    assert told["explanation"] == explanation
    assert told["credential"] == {"id": "tok_1", "kind": "bearer_token"}
    (refused,) = [outcome for outcome in told["checks"] if outcome["outcome"] == "refused"]
    assert refused["check"] == check
    assert not any(name.endswith("_us") for name in refused["figures"])
    nobodys = replace(denial, kind=None, credential_id=None)
    assert denial_resource(nobodys)["credential"] is None
