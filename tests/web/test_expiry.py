"""§4 and §5: when a key's time is up, to the microsecond."""

from __future__ import annotations

import pytest

from tests.web.tenancy import Tenancy, refusal

LAST_MICROSECOND = 0.000_001


@pytest.mark.parametrize("resident", [True, False], ids=["in memory", "looked up"])
def test_a_key_ends_on_time(tenancy: Tenancy, *, resident: bool) -> None:
    """An expired key would work as long as it stays in memory, or end before what was promised."""
    key = tenancy.key(expires_in=60)
    clock = tenancy.server.clock
    if resident:
        assert tenancy.verify(key["key"]).status_code == 200
    clock.advance(60 - LAST_MICROSECOND)
    assert tenancy.verify(key["key"]).status_code == 200
    clock.advance(LAST_MICROSECOND)
    for _ in range(2):
        assert refusal(tenancy.verify(key["key"])) == (401, "token_expired")


def test_every_place_says_so(tenancy: Tenancy) -> None:
    """A client that renews upon `token_expired` would be told to ask a person instead."""
    key = tenancy.key(expires_in=1, scopes=["read", "credentials:verify"])
    tenancy.server.clock.advance(1)
    client = tenancy.client(key["key"])
    answers = [
        client.get("/v1/auth/verify"),
        client.post("/v1/auth/verify"),
        client.get("/auth/forward"),
        client.get("/v1/api-keys"),
        client.post("/v1/credentials/verify", json={"credential": key["key"]}),
    ]
    for answer in answers:
        assert refusal(answer) == (401, "token_expired")
        assert answer.json()["message"] == "The API key has expired."
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert tenancy.ask(key["key"])["code"] == "token_expired"


def test_it_is_shown_as_expired(tenancy: Tenancy) -> None:
    """A list would call a key active that everything refuses."""
    key = tenancy.key(expires_in=1)
    path = f"/v1/api-keys/{key['id']}"
    assert tenancy.api.get(path).json()["status"] == "active"
    tenancy.server.clock.advance(1)
    assert tenancy.api.get(path).json()["status"] == "expired"


def test_what_was_decided_outweighs_what_time_did(tenancy: Tenancy) -> None:
    """`token_expired` for a revoked key would tell its finder that it was once good."""
    revoked, disabled = tenancy.key(expires_in=1), tenancy.key(expires_in=1)
    tenancy.api.delete(f"/v1/api-keys/{revoked['id']}")
    tenancy.api.post(f"/v1/api-keys/{disabled['id']}/disable")
    tenancy.server.clock.advance(1)
    for key, status in ((revoked, "revoked"), (disabled, "disabled")):
        assert refusal(tenancy.verify(key["key"])) == (401, "invalid_api_key")
        assert tenancy.api.get(f"/v1/api-keys/{key['id']}").json()["status"] == status


def test_expiry_comes_before_scope_address_and_limit(tenancy: Tenancy) -> None:
    """Somebody would widen the rights of a key whose time is merely up."""
    key = tenancy.key(expires_in=1, scopes=[], allowed_ips=["192.0.2.1"], plan=tenancy.plan(0))
    assert refusal(tenancy.verify(key["key"], "198.51.100.1", "admin")) == (403, "ip_not_allowed")
    assert refusal(tenancy.verify(key["key"], "192.0.2.1", "admin")) == (403, "insufficient_scope")
    assert refusal(tenancy.verify(key["key"], "192.0.2.1")) == (429, "rate_limit_exceeded")
    tenancy.server.clock.advance(1)
    assert refusal(tenancy.verify(key["key"], "198.51.100.1", "admin")) == (401, "token_expired")


def test_an_expired_key_can_be_revoked_and_prolonged(tenancy: Tenancy) -> None:
    """A key that ran out on a Sunday could not be saved, and a leaked one not be closed for good."""
    key, leaked = tenancy.key(expires_in=1), tenancy.key(expires_in=1)
    tenancy.server.clock.advance(2)
    assert tenancy.api.patch(f"/v1/api-keys/{key['id']}", json={"expires_in": 60}).status_code == 200
    assert tenancy.verify(key["key"]).status_code == 200
    assert tenancy.api.delete(f"/v1/api-keys/{leaked['id']}").json()["status"] == "revoked"
    assert refusal(tenancy.api.patch(f"/v1/api-keys/{leaked['id']}", json={"expires_in": 60})) == (
        409,
        "conflict",
    )
