"""Who attacks whom: tenants with an owner, an admin, a member and a service, each with keys."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2

from bonafides.settings import Settings
from tests.serving import RunningServer, settings_for

PEOPLE: Final = ("owner", "admin", "member")
OWN_SCOPE: Final = "payouts"
"""A scope that the operator of the attacked server defined."""
ALL_SCOPES: Final = ["admin", "credentials:verify", OWN_SCOPE, "read", "write"]
NARROWED: Final = ["admin", "read", "write"]
"""What an admin has who was denied the other scopes."""


@dataclass(frozen=True)
class Somebody:
    """A user with a key that has everything that the user may have."""

    id: str
    tenant_id: str
    role: str
    key: str
    key_id: str

    def headers(self) -> dict[str, str]:
        """The one header that presents their key."""
        return {"Authorization": f"Bearer {self.key}"}


@dataclass(frozen=True)
class Party:
    """A tenant and everybody in it."""

    tenant: Mapping[str, Any]
    owner: Somebody
    admin: Somebody
    member: Somebody
    service: Somebody

    @property
    def id(self) -> str:
        """The tenant's."""
        tenant_id: str = self.tenant["id"]
        return tenant_id

    def __iter__(self) -> Iterator[Somebody]:
        """Everybody, the most powerful first."""
        return iter((self.owner, self.admin, self.member, self.service))


def house_settings(folder: Path, **changes: object) -> Settings:
    """Settings of a server that is attacked, on SQLite: `OWN_SCOPE` is defined there."""
    return settings_for(f"sqlite:///{folder / 'bonafides.db'}", folder, scopes=(OWN_SCOPE,), **changes)


def somebody(
    server: RunningServer,
    tenant_id: str,
    role: str,
    *,
    scopes: list[str] | None = None,
    key_scopes: list[str] | None = None,
    kind: str = "person",
) -> Somebody:
    """A new user of a tenant with a key.

    Args:
        server: Where.
        tenant_id: Whose.
        role: Theirs.
        scopes: The user's own list, None for what the role gives.
        key_scopes: The key's, None for all that the user may have.
        kind: A person or a service.
    """
    mark = secrets.token_hex(6)
    wish = {"role": role, "tenant_id": tenant_id, "kind": kind, "scopes": scopes, "name": f"{role} {mark}"}
    if kind == "person":
        wish["email"] = f"{role}-{mark}@example.com"
    user = _made(server.admin.post("/v1/users", json=wish))
    most = scopes if scopes is not None else ALL_SCOPES if role != "member" else [OWN_SCOPE, "read", "write"]
    key = server.create_key(
        user_id=user["id"], tenant_id=tenant_id, scopes=most if key_scopes is None else key_scopes
    )
    return Somebody(user["id"], tenant_id, role, key["key"], key["id"])


def party(server: RunningServer) -> Party:
    """A new tenant with an owner, an admin, a member and a service."""
    tenant = _made(server.admin.post("/v1/tenants", json={"name": f"tenant {secrets.token_hex(6)}"}))
    people = {role: somebody(server, tenant["id"], role) for role in PEOPLE}
    return Party(tenant, **people, service=somebody(server, tenant["id"], "member", kind="service"))


def as_(server: RunningServer, who: Somebody) -> httpx2.Client:
    """A client of somebody."""
    return server.client(who.key)


def refused(answer: httpx2.Response, status: int, error: str) -> bool:
    """Whether an answer is that very refusal, in the one shape of all errors."""
    body = answer.json()
    return bool(answer.status_code == status == body["code"] and body["error"] == error)


def _made(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made
