"""People with passwords, and how they log in."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any

import httpx2

from bonafides.audit import Recorder
from bonafides.model import Actor
from tests.serving import RunningServer, weak_passwords
from tests.web.tenancy import Tenancy, made

PASSWORD = "seven quiet harbours"


@dataclass(frozen=True)
class Person:
    """Somebody who can log in."""

    tenancy: Tenancy
    id: str
    email: str
    password: str

    @property
    def server(self) -> RunningServer:
        """Where."""
        return self.tenancy.server

    @property
    def tenant_id(self) -> str:
        """Theirs."""
        return self.tenancy.id

    def body(self, **changes: Any) -> dict[str, Any]:
        """What they send to log in."""
        wanted = {
            "username": self.email,
            "password": self.password,
            "tenant_id": self.tenant_id,
            **changes,
        }
        return {name: value for name, value in wanted.items() if value is not None}


def person(
    tenancy: Tenancy, role: str = "member", *, email: str | None = None, password: str = PASSWORD
) -> Person:
    """A new user of a tenant with a password."""
    address = email or f"{secrets.token_hex(6)}@example.com"
    body = {"email": address, "role": role, "tenant_id": tenancy.id}
    user = made(tenancy.operator.post("/v1/users", json=body))
    give_password(tenancy.server, tenancy.id, user["id"], password)
    return Person(tenancy, user["id"], address, password)


def give_password(server: RunningServer, tenant_id: str, user_id: str, password: str) -> None:
    """Let a user have a password, as if they had chosen it."""

    async def give() -> None:
        event = Recorder(server.clock, secrets.token_bytes).event(
            "user.password_set", Actor(None, None, "test"), tenant_id, user_id
        )
        await server.rooms.store.set_password(
            user_id,
            await weak_passwords().hash(password),
            event,
            replaced=None,
            kept_session=None,
            end_others=True,
        )

    asyncio.run_coroutine_threadsafe(give(), server.loop).result(30)


def login(who: Person, **changes: Any) -> httpx2.Response:
    """Log in."""
    return who.server.client().post("/v1/auth/login", json=who.body(**changes))
