"""Records as the rooms would make them, each whole and valid until a test says otherwise."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bonafides.model import (
    Actor,
    AuditEvent,
    Credential,
    CredentialFilter,
    CredentialKind,
    CredentialStatus,
    DigestedSecret,
    IdempotencyClaim,
    Plan,
    Role,
    Status,
    Tenant,
    User,
    UserKind,
)

# Not a whole second, and in summer: what truncates or shifts shows.
NOW: Final = datetime(2026, 7, 1, 12, 0, 0, 123457, tzinfo=UTC)
LATER: Final = NOW + timedelta(hours=1)
ACTOR: Final = Actor("usr_owner", "key_first", "api", "req_1", "192.0.2.1")

_numbers: Final = itertools.count(1)


def plan(name: str = "free", **fields: Any) -> Plan:
    """A plan with a figure of its own for one kind."""
    made = Plan(name, 100, 10, {CredentialKind.API_KEY: None}, created_at=NOW, updated_at=NOW)
    return replace(made, **fields)


def tenant(identity: str = "ten_a", **fields: Any) -> Tenant:
    """A customer's tenant."""
    return replace(
        Tenant(identity, identity, Status.ACTIVE, "free", operator=False, created_at=NOW, updated_at=NOW),
        **fields,
    )


def user(identity: str = "usr_owner", tenant_id: str = "ten_a", **fields: Any) -> User:
    """A person who owns their tenant."""
    made = User(
        identity,
        tenant_id,
        UserKind.PERSON,
        f"{identity}@Example.com",
        identity,
        Role.OWNER,
        None,
        Status.ACTIVE,
        NOW,
        NOW,
    )
    return replace(made, **fields)


def credential(identity: str | None = None, **fields: Any) -> Credential:
    """An active key of the founding owner."""
    identity = identity or f"key_{next(_numbers):06}"
    made = Credential(
        id=identity,
        kind=CredentialKind.API_KEY,
        tenant_id="ten_a",
        user_id="usr_owner",
        name="a key",
        scopes=frozenset({"write", "read"}),
        plan=None,
        status=CredentialStatus.ACTIVE,
        expires_at=None,
        overlap_ends_at=None,
        parent_id=None,
        root_id=identity,
        allowed_ips=("192.0.2.0/24", "2001:db8::/32"),
        metadata={"team": "Zürich \x00 \U0001f511", "nested": {"n": [1, None]}},
        display="bf_key_abcd…wxyz",
        created_by="usr_owner",
        created_at=NOW,
        updated_at=NOW,
        last_used_at=None,
        revoked_at=None,
        revocation_reason=None,
    )
    return replace(made, **fields)


def child(parent: Credential, identity: str | None = None, **fields: Any) -> Credential:
    """A key that was made from another."""
    return credential(identity, parent_id=parent.id, root_id=parent.root_id, **fields)


def of_keys(**filters: Any) -> CredentialFilter:
    """API keys, as a list is asked for them."""
    return CredentialFilter(CredentialKind.API_KEY, **filters)


def secret(of: Credential | str, pepper_id: str = "p1") -> DigestedSecret:
    """A digest that belongs to one credential alone."""
    identity = of if isinstance(of, str) else of.id
    return DigestedSecret(identity.encode().rjust(32, b"."), pepper_id)


def digest(of: Credential | str) -> bytes:
    """The digest in `secret`."""
    return secret(of).digest


def event(action: str = "tested", **fields: Any) -> AuditEvent:
    """An audit event with an id of its own."""
    made = AuditEvent(
        f"evt_{next(_numbers):06}", NOW, "ten_a", action, "credential", "key_x", ACTOR, {"n": 1}
    )
    return replace(made, **fields)


def claim(key: str, request: str = "the request", **fields: Any) -> IdempotencyClaim:
    """A claim on an `Idempotency-Key`, good for a day."""
    made = IdempotencyClaim(
        key.encode(), request.encode(), f"answer to {key}".encode(), NOW + timedelta(days=1)
    )
    return replace(made, **fields)
