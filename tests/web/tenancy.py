"""A tenant of a test's own on a shared server, and the requests that tests send from inside it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx2

from tests.serving import RunningServer

Json = dict[str, Any]

ALL_SCOPES = ["admin", "credentials:verify", "invoices:read", "invoices:write", "read", "write"]
UNMETERED = "unmetered"


@dataclass
class Tenancy:
    """One tenant with an owner whose key may do everything in it, on a plan without limits."""

    server: RunningServer
    tenant: Json
    owner: Json
    owner_key: Json
    _clients: dict[str | None, httpx2.Client] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The tenant's id."""
        identifier: str = self.tenant["id"]
        return identifier

    @property
    def operator(self) -> httpx2.Client:
        """A client with the installation's admin key."""
        return self.server.admin

    @property
    def api(self) -> httpx2.Client:
        """A client with the owner's key."""
        return self.client(self.owner_key["key"])

    def client(self, credential: str | None = None) -> httpx2.Client:
        """A client that presents this credential as a bearer token, or none."""
        if credential not in self._clients:
            self._clients[credential] = self.server.client(credential)
        return self._clients[credential]

    def user(self, role: str = "member", **wish: object) -> Json:
        """Make a user of this tenant."""
        body = {"email": f"{secrets.token_hex(6)}@example.com", "role": role, "tenant_id": self.id, **wish}
        return made(self.operator.post("/v1/users", json=body))

    def key(self, **wish: object) -> Json:
        """Make a key, the owner's unless `user_id` says whose; the operator makes it, so `plan` may be named."""
        body = {"name": "test", "user_id": self.owner["id"], **wish}
        return made(self.operator.post("/v1/api-keys", json=body))

    def member(self, **wish: object) -> httpx2.Client:
        """A client with the key of a new member."""
        return self.client(self.key(user_id=self.user()["id"], **wish)["key"])

    def plan(self, requests_per_hour: int | None = None, burst: int | None = None, **figures: object) -> str:
        """Make a plan of a name that no other test has."""
        name = f"plan-{secrets.token_hex(6)}"
        self.set_plan(name, requests_per_hour, burst, **figures)
        return name

    def set_plan(
        self, name: str, requests_per_hour: int | None = None, burst: int | None = None, **figures: object
    ) -> None:
        """Make a plan, or give one other figures."""
        body = {"name": name, "requests_per_hour": requests_per_hour, "burst": burst, **figures}
        answer = self.operator.post("/v1/plans", json=body)
        assert answer.status_code in {200, 201}, answer.text

    def verify(self, credential: str | None, address: str | None = None, scope: str = "") -> httpx2.Response:
        """Let a credential verify itself, from an address."""
        headers = {"X-Forwarded-For": address} if address else {}
        query = {"scope": scope} if scope else {}
        return self.client(credential).get("/v1/auth/verify", headers=headers, params=query)

    def exchange(self, key: str, **wish: object) -> Json:
        """Exchange a key that is expected to be good for a bearer token."""
        answer = self.client().post("/bim/apikey/authenticate", json={"apikey": key, **wish})
        assert answer.status_code == 200, answer.text
        token: Json = answer.json()
        return token

    def ask(self, credential: str, **question: object) -> Json:
        """Ask about a credential as a resource server of this tenant does."""
        answer = self.api.post("/v1/credentials/verify", json={"credential": credential, **question})
        assert answer.status_code == 200, answer.text
        verdict: Json = answer.json()
        return verdict

    def everything(self) -> Json:
        """All that this tenant can list, to compare before and after; times of last use left out."""
        listing = {
            path: every(self.api, path) for path in ("/v1/api-keys", "/v1/users", "/v1/tenants", "/v1/audit")
        }
        for key in listing["/v1/api-keys"]:
            del key["last_used_at"]
        return {**listing, "/v1/plans": every(self.operator, "/v1/plans")}

    def actions(self, **filters: str) -> list[str]:
        """The actions in this tenant's audit trail, oldest first."""
        return [event["action"] for event in reversed(every(self.api, "/v1/audit", **filters))]


def tenancy_on(server: RunningServer) -> Tenancy:
    """A new tenant on a server."""
    name = f"tenant {secrets.token_hex(6)}"
    tenant = made(server.admin.post("/v1/tenants", json={"name": name, "plan": UNMETERED}))
    owner = made(
        server.admin.post(
            "/v1/users",
            json={"email": f"{secrets.token_hex(6)}@example.com", "role": "owner", "tenant_id": tenant["id"]},
        )
    )
    wish = {"name": "owner's key", "user_id": owner["id"], "scopes": ALL_SCOPES}
    return Tenancy(server, tenant, owner, made(server.admin.post("/v1/api-keys", json=wish)))


def made(answer: httpx2.Response) -> Json:
    """What a creating call made."""
    assert answer.status_code == 201, answer.text
    thing: Json = answer.json()
    return thing


def every(client: httpx2.Client, path: str, **filters: str) -> list[Json]:
    """A whole listing, page by page."""
    found: list[Json] = []
    cursor: str | None = None
    while True:
        query = {"limit": "100", **filters, **({"cursor": cursor} if cursor else {})}
        answer = client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["data"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    """Status and code of an error; no code where the answer is none."""
    body = answer.json() if answer.content else {}
    return answer.status_code, body.get("error", "")


def seconds_of(time_text: str) -> float:
    """Seconds since the epoch of a time on the wire."""
    return datetime.fromisoformat(time_text).timestamp()


def eventually(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Return once the condition holds, for what the server does in its own time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.01)
