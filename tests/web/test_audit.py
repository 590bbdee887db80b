"""§4: `GET /v1/audit`, and the same as `GET /audit`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import httpx2
import pytest

from tests.web.tenancy import Tenancy, every, made, refusal, tenancy_on

PATHS: Final = ["/v1/audit", "/audit"]


@pytest.mark.parametrize("path", PATHS)
def test_an_event_says_who_did_what_when_and_from_where(fresh_tenancy: Tenancy, path: str) -> None:
    """After a break-in, these are the questions."""
    tenancy = fresh_tenancy
    tenancy.server.clock.advance(1)
    answer = tenancy.api.post("/v1/api-keys", json={"name": "x"}, headers={"X-Forwarded-For": "192.0.2.7"})
    key = made(answer)
    event = tenancy.api.get(path, params={"limit": 1}).json()["data"][0]
    assert re.fullmatch(r"evt_[0-9A-Za-z]{22}", event["id"])
    assert event["at"] == key["created_at"]
    assert event == {
        "id": event["id"],
        "object": "audit_event",
        "at": event["at"],
        "tenant_id": tenancy.id,
        "action": "api_key.created",
        "subject": {"kind": "api_key", "id": key["id"]},
        "actor": {
            "user_id": tenancy.owner["id"],
            "credential_id": tenancy.owner_key["id"],
            "via": "api",
            "request_id": answer.headers["X-Request-Id"],
            "address": "192.0.2.7",
        },
        "details": event["details"],
    }
    assert key["key"] not in str(event)


def test_the_whole_life_of_a_key_is_told(fresh_tenancy: Tenancy) -> None:
    """What is not told cannot be found out afterwards."""
    tenancy = fresh_tenancy
    clock, client = tenancy.server.clock, tenancy.api
    clock.advance(1)
    key = made(client.post("/v1/api-keys", json={"name": "x"}))
    path = f"/v1/api-keys/{key['id']}"
    steps: list[Callable[[], httpx2.Response]] = [
        lambda: client.patch(path, json={"name": "y"}),
        lambda: client.post(f"{path}/rotate"),
        lambda: client.post(f"{path}/disable"),
        lambda: client.post(f"{path}/disable"),
        lambda: client.post(f"{path}/enable"),
        lambda: client.delete(path),
        lambda: client.delete(path),
    ]
    for step in steps:
        clock.advance(1)
        assert step().is_success
    assert tenancy.actions(subject_id=key["id"]) == [
        "api_key.created",
        "api_key.changed",
        "api_key.rotated",
        "api_key.disabled",
        "api_key.enabled",
        "api_key.revoked",
    ]


def test_reading_and_refusals_leave_no_event(fresh_tenancy: Tenancy) -> None:
    """The trail would be buried under what did not happen."""
    tenancy = fresh_tenancy
    before = every(tenancy.api, "/v1/audit")
    tenancy.verify(tenancy.owner_key["key"])
    every(tenancy.api, "/v1/api-keys")
    tenancy.api.post("/v1/api-keys", json={"name": ""})
    tenancy.api.patch("/v1/api-keys/key_0", json={"name": "x"})
    tenancy.api.post("/v1/tenants", json={"name": "x"})
    assert every(tenancy.api, "/v1/audit") == before


def test_it_can_be_narrowed(fresh_tenancy: Tenancy) -> None:
    """In ten thousand events, the one would not be found."""
    tenancy = fresh_tenancy
    admin = tenancy.user("admin")
    client = tenancy.client(tenancy.key(user_id=admin["id"], scopes=["admin", "read", "write"])["key"])
    tenancy.server.clock.advance(1)
    key = made(client.post("/v1/api-keys", json={"name": "x"}))
    tenancy.server.clock.advance(1)
    tenancy.api.delete(f"/v1/api-keys/{key['id']}")
    assert tenancy.actions(subject_id=key["id"]) == ["api_key.created", "api_key.revoked"]
    assert tenancy.actions(subject_id=key["id"], action="api_key.revoked") == ["api_key.revoked"]
    assert tenancy.actions(actor_user_id=admin["id"]) == ["api_key.created"]
    assert tenancy.actions(action="user.created") == ["user.created"] * 2
    assert tenancy.actions(action="no.such") == []
    assert tenancy.actions(subject_id="key_0000000000000000000000") == []


@pytest.mark.parametrize("path", PATHS)
def test_only_who_administers_reads_it(tenancy: Tenancy, path: str) -> None:
    """Every member would read who does what, when, and from where."""
    readers = [tenancy.member(), tenancy.client(tenancy.key(scopes=["read", "write"])["key"])]
    for client in readers:
        answer = client.get(path)
        assert refusal(answer) == (403, "insufficient_scope")
        assert answer.json()["scope"] == "admin"
    assert tenancy.client(tenancy.key(scopes=["admin"])["key"]).get(path).status_code == 200
    assert refusal(tenancy.client().get(path)) == (401, "missing_api_key")


def test_nothing_is_seen_across_tenants(fresh_tenancy: Tenancy) -> None:
    """A customer would watch another at work."""
    tenancy, other = fresh_tenancy, tenancy_on(fresh_tenancy.server)
    key = other.key()
    assert {event["tenant_id"] for event in every(tenancy.api, "/v1/audit")} == {tenancy.id}
    assert tenancy.actions(subject_id=key["id"]) == []
    assert tenancy.actions(actor_user_id=other.owner["id"]) == []
    foreign = tenancy.api.get("/v1/audit", params={"tenant_id": other.id})
    unknown = tenancy.api.get("/v1/audit", params={"tenant_id": "ten_0"})
    assert refusal(foreign) == refusal(unknown) == (404, "not_found")
    operators = every(tenancy.operator, "/v1/audit", tenant_id=other.id)
    assert {event["tenant_id"] for event in operators} == {other.id}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", PATHS)
def test_it_cannot_be_written(tenancy: Tenancy, path: str, method: str) -> None:
    """Whoever broke in would wipe their traces."""
    answer = tenancy.operator.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"
