"""§4: `POST /bim/apikey/authenticate`: a key for a token, by the names that its clients know."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.tenancy import Tenancy, every, refusal, seconds_of

PATH = "/bim/apikey/authenticate"


def ways(key: str) -> dict[str, dict[str, Any]]:
    """Every way in which a key can be exchanged."""
    return {
        "JSON": {"json": {"apikey": key}},
        "form": {"data": {"apikey": key}},
        "bearer": {"headers": {"Authorization": f"Bearer {key}"}},
        "no scheme": {"headers": {"Authorization": key}},
        "X-API-Key": {"headers": {"X-API-Key": key}},
        "header, with a body": {"headers": {"X-API-Key": key}, "json": {"scope": "read"}},
        "header, with a form": {"headers": {"X-API-Key": key}, "data": {"scope": "read", "expires_in": "60"}},
    }


def test_a_key_is_exchanged_in_every_way(tenancy: Tenancy) -> None:
    """A client that was written for another product would not get its token."""
    key = tenancy.key(scopes=["read", "write"])
    for name, way in ways(key["key"]).items():
        answer = tenancy.client().post(PATH, **way)
        assert answer.status_code == 200, name
        token = answer.json()
        assert token.keys() == {"authenticated", "token", "tokenExpiration", "id", "scopes"}
        assert token["authenticated"] is True
        assert token["tokenExpiration"].endswith("Z")
        assert answer.headers["cache-control"] == "no-store"
        assert "x-ratelimit-limit" not in answer.headers  # an unmetered plan
        for headers in ({"Authorization": f"Bearer {token['token']}"}, {"Authorization": token["token"]}):
            verified = tenancy.client().get("/v1/auth/verify", headers=headers)
            assert verified.status_code == 200
            identity = verified.json()
            assert identity["credential"] == {"id": token["id"], "kind": "bearer_token", "name": "test"}
            assert identity["scopes"] == (["read"] if ", with" in name else ["read", "write"])
            assert identity["expires_at"] == token["tokenExpiration"]


def test_a_token_serves_until_it_expires(tenancy: Tenancy) -> None:
    """A client would exchange its key for each request, or go on with a token for ever."""
    key = tenancy.key(bearer_token_seconds=90)
    token = tenancy.exchange(key["key"])
    assert seconds_of(token["tokenExpiration"]) == tenancy.server.clock.now_us / 1_000_000 + 90
    for _ in range(3):
        assert tenancy.verify(token["token"]).status_code == 200
    tenancy.server.clock.advance(90)
    assert refusal(tenancy.verify(token["token"])) == (401, "token_expired")
    assert tenancy.ask(token["token"])["code"] == "token_expired"
    assert tenancy.verify(tenancy.exchange(key["key"])["token"]).status_code == 200


def test_what_is_no_good_key_is_refused(tenancy: Tenancy) -> None:
    """A bad key would be told as a server's fault, or be exchanged."""
    key, ended = tenancy.key(), tenancy.key(expires_in=1)
    token = tenancy.exchange(key["key"])["token"]
    tenancy.server.clock.advance(1)
    expected = {
        key["key"][:-1]: (401, "invalid_api_key"),
        token: (401, "invalid_api_key"),
        ended["key"]: (401, "token_expired"),
        "nonsense": (401, "invalid_api_key"),
    }
    for credential, told in expected.items():
        for name, way in ways(credential).items():
            assert refusal(tenancy.client().post(PATH, **way)) == told, name
    empty: list[dict[str, Any]] = [{}, {"json": {}}, {"data": {"scope": "read"}}, {"json": {"apikey": ""}}]
    for nothing in empty:
        answer = tenancy.client().post(PATH, **nothing)
        assert refusal(answer) == (401, "missing_api_key")
        assert "error=" not in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"json": {"apikey": "{key}"}, "headers": {"X-API-Key": "{key}"}}, "apikey"),
        ({"json": {"apikey": 7}}, "body"),
        ({"json": {"apikey": None}}, "body"),
        ({"json": {"apikey": "{key}", "scope": None}}, "body"),
        ({"json": {"apikey": "{key}", "user": "x"}}, "body"),
        ({"json": ["{key}"]}, "body"),
        ({"json": {"apikey": "two words"}}, "apikey"),
        ({"json": {"apikey": "{key}", "scope": "read\n"}}, "scope"),
        ({"json": {"apikey": "{key}", "expires_in": 0}}, "expires_in"),
        ({"json": {"apikey": "{key}", "expires_in": 1.5}}, "expires_in"),
        (
            {
                "content": b"apikey=a&apikey=b",
                "headers": {"Content-Type": "application/x-www-form-urlencoded"},
            },
            "apikey",
        ),
        ({"data": {"apikey": "{key}", "other": "x"}}, "body"),
        ({"data": {"apikey": "{key}", "expires_in": "soon"}}, "expires_in"),
        (
            {"content": b"apikey=%ff", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
            "body",
        ),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, "body"),
        ({"params": {"scope": "read"}, "json": {"apikey": "{key}"}}, "scope"),
    ],
)
def test_a_malformed_exchange_is_told_where(tenancy: Tenancy, sent: dict[str, Any], field: str) -> None:
    """Somebody would look for the mistake in their key, when it is in their request."""
    key = tenancy.key()["key"]

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: filled(part) for name, part in value.items()}
        return value.replace("{key}", key) if isinstance(value, str) else value

    answer = tenancy.client().post(PATH, **filled(sent))
    assert refusal(answer) == (400, "invalid_request")
    assert answer.json()["field"] == field
    assert key not in answer.text


def test_another_media_type_is_refused(tenancy: Tenancy) -> None:
    """A body that is not read would be taken for an empty one, and a header's key exchanged for too much."""
    answer = tenancy.client(tenancy.key()["key"]).post(
        PATH, content=b"<x/>", headers={"Content-Type": "text/xml"}
    )
    assert answer.status_code == 415


def test_a_key_that_may_not_be_used_here_is_not_exchanged(tenancy: Tenancy) -> None:
    """A stolen key would be made into a token without its networks."""
    key = tenancy.key(allowed_ips=["192.0.2.0/24"])
    answer = tenancy.client().post(PATH, json={"apikey": key["key"]})
    assert refusal(answer) == (403, "ip_not_allowed")
    inside = {"X-Forwarded-For": "192.0.2.7"}
    token = tenancy.client().post(PATH, json={"apikey": key["key"]}, headers=inside).json()["token"]
    assert refusal(tenancy.verify(token)) == (403, "ip_not_allowed")
    assert tenancy.verify(token, address="192.0.2.9").status_code == 200


def test_scopes_can_be_fewer_and_not_more(tenancy: Tenancy) -> None:
    """A reading script would carry the right to write; or a reading key would get it."""
    key = tenancy.key(scopes=["read", "write"])
    token = tenancy.exchange(key["key"], scope="read")
    assert token["scopes"] == ["read"]
    assert refusal(tenancy.verify(token["token"], scope="write")) == (403, "insufficient_scope")
    answer = tenancy.client().post(PATH, json={"apikey": key["key"], "scope": "read admin"})
    assert refusal(answer) == (403, "insufficient_scope")
    assert answer.json()["scope"] == "admin"


def test_tokens_share_the_count_of_their_key(tenancy: Tenancy) -> None:
    """Whoever exchanges a key often would have its limit many times over."""
    key = tenancy.key(plan=tenancy.plan(requests_per_hour=5))
    first = tenancy.exchange(key["key"])["token"]
    second = tenancy.exchange(key["key"])["token"]
    for credential, left in ((first, 2), (second, 1), (key["key"], 0)):
        assert tenancy.verify(credential).headers["x-ratelimit-remaining"] == str(left)
    for credential in (first, second, key["key"]):
        assert refusal(tenancy.verify(credential)) == (429, "rate_limit_exceeded")
    assert refusal(tenancy.client().post(PATH, json={"apikey": key["key"]})) == (429, "rate_limit_exceeded")


def test_tokens_are_listed_shown_and_revoked(tenancy: Tenancy) -> None:
    """A token that leaked could be ended with its key alone."""
    key = tenancy.key()
    tokens = [tenancy.exchange(key["key"]) for _ in range(3)]
    listed = every(tenancy.api, "/v1/bearer-tokens", api_key_id=key["id"])
    assert {token["id"] for token in listed} == {token["id"] for token in tokens}
    assert all(token["parent_id"] == key["id"] and "token" not in token for token in listed)
    path = f"/v1/bearer-tokens/{tokens[0]['id']}"
    assert tenancy.api.get(path).json()["status"] == "active"
    revoked = tenancy.api.delete(path, params={"reason": "leaked"})
    assert (revoked.status_code, revoked.json()["status"]) == (200, "revoked")
    assert revoked.json()["revocation_reason"] == "leaked"
    assert refusal(tenancy.verify(tokens[0]["token"])) == (401, "invalid_token")
    for alive in (tokens[1]["token"], key["key"]):
        assert tenancy.verify(alive).status_code == 200
    assert not [found for found in every(tenancy.api, "/v1/api-keys") if found["id"] == tokens[1]["id"]]
    assert refusal(tenancy.member().get(path)) == (404, "not_found")


def test_a_rotated_keys_tokens_end_with_its_overlap(tenancy: Tenancy) -> None:
    """A key that was rotated because it had leaked would live on in the tokens that a thief made from it."""
    key = tenancy.key(bearer_token_seconds=86_400)
    token = tenancy.exchange(key["key"])["token"]
    assert tenancy.verify(token).status_code == 200
    successor = tenancy.api.post(f"/v1/api-keys/{key['id']}/rotate", json={"overlap_seconds": 60}).json()
    assert tenancy.verify(token).status_code == 200
    tenancy.server.clock.advance(60)
    assert refusal(tenancy.verify(token)) == (401, "token_expired")
    assert tenancy.verify(tenancy.exchange(successor["key"])["token"]).status_code == 200
