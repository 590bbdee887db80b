"""§3: `/v1/credentials/verify`, by a resource server about the credential that somebody presented to it."""

from __future__ import annotations

import secrets

import httpx2
import pytest

from tests.serving import RunningServer
from tests.web.tenancy import Json, Tenancy, eventually, refusal, tenancy_on

PATH = "/v1/credentials/verify"


def resource_server(tenancy: Tenancy) -> httpx2.Client:
    """A client with the key of a service that may ask, and nothing else."""
    service = tenancy.user(kind="service", name="orders api", email=None, scopes=["credentials:verify"])
    return tenancy.client(tenancy.key(user_id=service["id"], scopes=["credentials:verify"])["key"])


def test_a_good_credential(tenancy: Tenancy) -> None:
    """An API behind a resource server learns from this who its caller is."""
    key = tenancy.key(name="ci", scopes=["read", "write"], expires_at="2100-01-01T00:00:00Z")
    answer = resource_server(tenancy).post(PATH, json={"credential": key["key"]})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json() == {
        "valid": True,
        "authenticated": True,
        "user_id": tenancy.owner["id"],
        "scopes": ["read", "write"],
        "expires_at": "2100-01-01T00:00:00Z",
        "tenant_id": tenancy.id,
        "credential": {"id": key["id"], "kind": "api_key", "name": "ci"},
    }


def test_the_verdict_is_what_the_credential_would_hear_itself(tenancy: Tenancy) -> None:
    """An API that verifies by a server and one that verifies by itself would disagree on the same key."""
    tight = tenancy.plan(requests_per_hour=0)
    disabled, revoked, expired = tenancy.key(), tenancy.key(), tenancy.key(expires_in=1)
    tenancy.api.post(f"/v1/api-keys/{disabled['id']}/disable")
    tenancy.api.delete(f"/v1/api-keys/{revoked['id']}")
    tenancy.server.clock.advance(2)
    cases: list[tuple[str, Json]] = [
        ("unheard-of", {}),
        ("bf_key_damaged", {}),
        ("bf_tok_damaged", {}),
        ("eyJhbGciOiJub25lIn0.e30.", {}),
        (disabled["key"], {}),
        (revoked["key"], {}),
        (expired["key"], {}),
        (tenancy.key(scopes=["read"])["key"], {"scope": "write admin"}),
        (tenancy.key(allowed_ips=["192.0.2.0/24"])["key"], {"ip": "198.51.100.1"}),
        (tenancy.key(plan=tight)["key"], {}),
    ]
    for credential, facts in cases:
        verdict = tenancy.ask(credential, **facts)
        own = tenancy.verify(credential, address=facts.get("ip"), scope=facts.get("scope", ""))
        assert verdict == {
            "valid": False,
            "code": own.json()["error"],
            "message": own.json()["message"],
        }, credential


@pytest.mark.parametrize("scopes", [[], ["read", "write"], ["admin", "read", "write", "invoices:read"]])
def test_the_caller_needs_the_scope_to_ask(tenancy: Tenancy, scopes: list[str]) -> None:
    """Anybody with a key could test stolen strings for free."""
    client = tenancy.client(tenancy.key(scopes=scopes)["key"])
    for body in ({"credential": tenancy.owner_key["key"]}, {"nonsense": 1}):
        answer = client.post(PATH, json=body)
        assert refusal(answer) == (403, "insufficient_scope")
        assert answer.json()["scope"] == "credentials:verify"


@pytest.mark.parametrize(("credential", "error"), [(None, "missing_api_key"), ("wrong", "invalid_api_key")])
def test_the_caller_needs_a_credential(tenancy: Tenancy, credential: str | None, error: str) -> None:
    """Anybody at all could."""
    answer = tenancy.client(credential).post(PATH, json={"credential": tenancy.owner_key["key"]})
    assert refusal(answer) == (401, error)


def test_a_request_counts_for_the_credential_and_never_for_the_caller(tenancy: Tenancy) -> None:
    """A busy API would use up its own limit with its customers' requests, or they would be free."""
    plan = tenancy.plan(5)
    asked, caller = tenancy.key(plan=plan), tenancy.key(plan=plan, scopes=["credentials:verify"])
    client = tenancy.client(caller["key"])
    for left in (4, 3, 2, 1, 0):
        answer = client.post(PATH, json={"credential": asked["key"]})
        assert answer.json()["valid"] is True
        assert answer.headers["X-RateLimit-Remaining"] == str(left)
    verdict = client.post(PATH, json={"credential": asked["key"]})
    assert verdict.status_code == 200
    assert verdict.json()["valid"] is False
    assert verdict.json()["code"] == "rate_limit_exceeded"
    assert verdict.json()["message"] == "Rate limit exceeded. Try again in 3600 seconds."
    for _ in range(10):
        assert client.post(PATH, json={"credential": "unheard-of"}).status_code == 200
    assert client.get("/v1/auth/verify").headers["X-RateLimit-Remaining"] == "4"
    assert refusal(tenancy.verify(asked["key"])) == (429, "rate_limit_exceeded")


@pytest.mark.parametrize(("cost", "left"), [(0, 10), (1, 9), (3, 7), (10, 0)])
def test_a_request_may_cost_more_or_nothing(tenancy: Tenancy, cost: int, left: int) -> None:
    """An API could not weigh a search against a ping."""
    key = tenancy.key(plan=tenancy.plan(10))
    assert tenancy.ask(key["key"], cost=cost)["valid"] is True
    answer = tenancy.api.post(PATH, json={"credential": key["key"], "cost": 0})
    assert answer.headers["X-RateLimit-Remaining"] == str(left)


def test_a_request_that_costs_more_than_is_left_is_refused_and_costs_nothing(tenancy: Tenancy) -> None:
    """One request too dear would take away what was left for the cheap ones, or go beyond the limit."""
    key = tenancy.key(plan=tenancy.plan(10))
    assert tenancy.ask(key["key"], cost=7)["valid"] is True
    assert tenancy.ask(key["key"], cost=4)["code"] == "rate_limit_exceeded"
    assert tenancy.ask(key["key"], cost=1_000_000)["code"] == "rate_limit_exceeded"
    assert tenancy.ask(key["key"], cost=3)["valid"] is True
    assert tenancy.ask(key["key"], cost=1)["code"] == "rate_limit_exceeded"
    assert tenancy.ask(key["key"], cost=0)["valid"] is True


def test_a_verdict_counts_as_a_use(tenancy: Tenancy) -> None:
    """An owner who looks for keys that nobody uses would revoke those of customers."""
    key = tenancy.key()
    tenancy.ask(key["key"])
    eventually(lambda: tenancy.api.get(f"/v1/api-keys/{key['id']}").json()["last_used_at"] is not None)


@pytest.mark.parametrize(
    ("ip", "allowed"),
    [
        ("192.0.2.7", True),
        ("192.0.3.7", False),
        ("::ffff:192.0.2.7", True),
        ("::ffff:c000:207", True),
        ("2001:db8:1::5", True),
        ("2001:DB8:1:0:0:0:0:5", True),
        ("2001:db8:2::5", False),
        ("192.0.2.7:443", True),
        ("[2001:db8:1::5]:443", True),
        (None, False),
    ],
)
def test_the_address_is_what_the_caller_says(tenancy: Tenancy, ip: str | None, *, allowed: bool) -> None:
    """Behind a resource server every request would seem to come from the server itself."""
    key = tenancy.key(allowed_ips=["192.0.2.0/24", "2001:db8:1::/48"])
    verdict = tenancy.ask(key["key"], ip=ip)
    assert verdict["valid"] is allowed
    assert allowed or verdict["code"] == "ip_not_allowed"


def test_the_callers_own_address_does_not_matter(tenancy: Tenancy) -> None:
    """A resource server within an allowed network would open every key to everybody."""
    key = tenancy.key(allowed_ips=["192.0.2.0/24"])
    inside = {"X-Forwarded-For": "192.0.2.1"}
    for ip in (None, "198.51.100.1"):
        answer = tenancy.api.post(PATH, json={"credential": key["key"], "ip": ip}, headers=inside)
        assert answer.json()["code"] == "ip_not_allowed"


def test_another_tenants_credential_is_unknown(tenancy: Tenancy, shared_server: RunningServer) -> None:
    """One customer's API would learn who the other customers' users are, or use up their limits."""
    other = tenancy_on(shared_server)
    expired, plan = other.key(expires_in=1), other.plan(5)
    counted = other.key(plan=plan)
    disabled = other.key()
    other.api.post(f"/v1/api-keys/{disabled['id']}/disable")
    shared_server.clock.advance(2)
    foreign = [
        tenancy.ask(other.owner_key["key"]),
        tenancy.ask(counted["key"], scope="admin"),
        tenancy.ask(counted["key"], ip="192.0.2.1", cost=3),
        tenancy.ask(expired["key"]),
        tenancy.ask(disabled["key"]),
        tenancy.ask("bf_key_" + secrets.token_hex(22) + "_000000"),
    ]
    assert foreign == [
        {"valid": False, "code": "invalid_api_key", "message": "The API key provided is invalid."}
    ] * len(foreign)
    assert other.verify(counted["key"]).headers["X-RateLimit-Remaining"] == "4"


def test_the_operators_resource_servers_see_every_tenant(tenancy: Tenancy) -> None:
    """A product with one API for all its customers could not be protected."""
    verdict = tenancy.operator.post(PATH, json={"credential": tenancy.owner_key["key"]}).json()
    assert verdict["valid"] is True
    assert verdict["tenant_id"] == tenancy.id


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "credential"),
        ({"credential": ""}, "credential"),
        ({"credential": None}, "credential"),
        ({"credential": 7}, "credential"),
        ({"credential": ["x"]}, "credential"),
        ({"credential": "x" * 16_385}, "credential"),
        ({"credential": "x", "scope": 7}, "scope"),
        ({"credential": "x", "scope": ["read"]}, "scope"),
        ({"credential": "x", "scope": 're"ad'}, "scope"),
        ({"credential": "x", "scope": "a" * 2_001}, "scope"),
        ({"credential": "x", "ip": ""}, "ip"),
        ({"credential": "x", "ip": "here"}, "ip"),
        ({"credential": "x", "ip": "192.0.2"}, "ip"),
        ({"credential": "x", "ip": "192.0.2.256"}, "ip"),
        ({"credential": "x", "ip": "192.0.2.0/24"}, "ip"),
        ({"credential": "x", "ip": "192.0.2.1, 192.0.2.2"}, "ip"),
        ({"credential": "x", "ip": 3221225991}, "ip"),
        ({"credential": "x", "cost": -1}, "cost"),
        ({"credential": "x", "cost": 1.5}, "cost"),
        ({"credential": "x", "cost": "1"}, "cost"),
        ({"credential": "x", "cost": True}, "cost"),
        ({"credential": "x", "cost": 1_000_001}, "cost"),
        ({"credential": "x", "scopes": "read"}, "scopes"),
        ({"credential": "x", "tenant_id": "ten_x"}, "tenant_id"),
        ([], "body"),
        ("x", "body"),
    ],
)
def test_a_malformed_question_names_its_field(tenancy: Tenancy, body: object, field: str) -> None:
    """A misspelt field would be ignored, and a request let through that the asker meant to refuse."""
    answer = tenancy.api.post(PATH, json=body)
    assert refusal(answer) == (400, "invalid_request")
    assert answer.json()["field"] == field
    assert field in answer.json()["message"]


def test_what_was_asked_about_is_never_repeated(tenancy: Tenancy) -> None:
    """A log of answers would hold credentials."""
    for secret in (tenancy.owner_key["key"], "sk_live_0123456789", "\u2603" * 5):
        for extra in ({}, {"ip": "nowhere"}, {"oops": 1}):
            answer = tenancy.api.post(PATH, json={"credential": secret, **extra})
            assert secret not in answer.text
