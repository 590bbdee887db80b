"""§4: personal access tokens, under both of their paths."""

from __future__ import annotations

import pytest

from tests.web.tenancy import Json, Tenancy, every, made, refusal

PATH = "/v1/personal-access-tokens"
ACCOUNT = "/api/auth"
FOREVER = {"description": "a script", "expires_at": None}


def test_a_token_is_shown_once_and_opens_what_its_user_may(tenancy: Tenancy) -> None:
    """A script would hold its author's password, or a key that outlives them."""
    member = tenancy.member()
    token = made(member.post(PATH, json=FOREVER))
    assert token["token"].startswith("bf_pat_")
    assert (token["description"], token["expires_at"], token["status"]) == ("a script", None, "active")
    identity = tenancy.verify(token["token"]).json()
    assert identity["credential"] == {"id": token["id"], "kind": "personal_access_token", "name": "a script"}
    assert (identity["user_id"], identity["tenant_id"]) == (token["user_id"], tenancy.id)
    shown = member.get(f"{PATH}/{token['id']}").json()
    assert "token" not in shown
    assert token["display"] == shown["display"] == f"bf_pat_{token['token'][7:11]}…{token['token'][-4:]}"


def test_an_expiry_is_kept_and_none_means_never(tenancy: Tenancy) -> None:
    """`No expiration` would expire, or a chosen day be forgotten."""
    token = made(tenancy.api.post(PATH, json={"description": "a day", "expires_in": 60}))
    forever = made(tenancy.api.post(PATH, json=FOREVER))
    tenancy.server.clock.advance(60)
    answer = tenancy.verify(token["token"])
    assert refusal(answer) == (401, "token_expired")
    assert answer.json()["message"] == "The personal access token has expired."
    assert tenancy.verify(forever["token"]).status_code == 200
    assert tenancy.api.get(f"{PATH}/{token['id']}").json()["status"] == "expired"


def test_the_tenants_policy_binds(fresh_tenancy: Tenancy) -> None:
    """An organisation's rule would hold for those alone who keep it anyway."""
    tenancy = fresh_tenancy
    path = f"/v1/tenants/{tenancy.id}"
    assert tenancy.api.patch(path, json={"personal_access_token_seconds_max": 60}).status_code == 200
    assert tenancy.api.get(path).json()["personal_access_token_seconds_max"] == 60
    for call, body in (
        (PATH, FOREVER),
        (PATH, {"description": "x", "expires_in": 61}),
        (f"{ACCOUNT}/tokens", {"description": "x"}),
    ):
        answer = tenancy.api.post(call, json=body)
        assert refusal(answer) == (400, "invalid_request")
        assert "60 seconds at most" in answer.json()["message"]
    made(tenancy.api.post(PATH, json={"description": "x", "expires_in": 60}))


def test_it_ends_with_its_user_at_once(tenancy: Tenancy) -> None:
    """Attack 6 (CVE-2025-3230): personal access tokens outlived the deactivation of their user."""
    user = tenancy.user()
    client = tenancy.client(tenancy.key(user_id=user["id"])["key"])
    token = made(client.post(PATH, json=FOREVER))
    assert tenancy.verify(token["token"]).status_code == 200
    tenancy.api.patch(f"/v1/users/{user['id']}", json={"status": "disabled"})
    assert refusal(tenancy.verify(token["token"])) == (401, "invalid_api_key")
    tenancy.api.patch(f"/v1/users/{user['id']}", json={"status": "active"})
    assert tenancy.verify(token["token"]).status_code == 200
    tenancy.api.delete(f"/v1/users/{user['id']}")
    assert refusal(tenancy.verify(token["token"])) == (401, "invalid_api_key")


def test_tokens_are_listed_and_revoked_by_whom_they_concern(tenancy: Tenancy) -> None:
    """A member would see a colleague's tokens, or an admin could not end a leaver's."""
    user = tenancy.user()
    member = tenancy.client(tenancy.key(user_id=user["id"])["key"])
    token = made(member.post(PATH, json=FOREVER))
    other = tenancy.member()
    made(other.post(PATH, json=FOREVER))
    assert [found["id"] for found in every(member, PATH)] == [token["id"]]
    assert [found["id"] for found in every(tenancy.api, PATH, user_id=user["id"])] == [token["id"]]
    assert refusal(other.get(PATH, params={"user_id": user["id"]})) == (403, "insufficient_scope")
    assert refusal(other.delete(f"{PATH}/{token['id']}")) == (404, "not_found")
    revoked = tenancy.api.delete(f"{PATH}/{token['id']}", params={"reason": "left"}).json()
    assert (revoked["status"], revoked["revocation_reason"]) == ("revoked", "left")
    assert refusal(tenancy.verify(token["token"])) == (401, "invalid_api_key")
    assert every(member, PATH, status="active") == []
    assert "personal_access_token.revoked" in tenancy.actions(subject_id=token["id"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "description"),
        ({"description": ""}, "description"),
        ({"description": "x", "expires_at": "yesterday"}, "expires_at"),
        ({"description": "x", "expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"description": "x", "user_id": "usr_x"}, "user_id"),
        ({"description": "x", "plan": "enterprise"}, "plan"),
        ({"description": "x", "scopes": ["unheard-of"]}, "scopes"),
    ],
)
def test_a_malformed_wish_is_told_where(tenancy: Tenancy, body: Json, field: str) -> None:
    """A misspelt field would be ignored; or a server-only one (attack 2) be set."""
    answer = tenancy.api.post(PATH, json=body)
    assert refusal(answer) == (400, "invalid_request")
    assert answer.json()["field"] == field


def test_the_account_paths_speak_their_own_names(tenancy: Tenancy) -> None:
    """A client that was written for another product would not find its fields."""
    member = tenancy.member()
    answer = member.post(
        f"{ACCOUNT}/tokens", json={"description": "x", "expirationDate": "2031-01-01T00:00:00Z"}
    )
    token = made(answer)
    assert token.keys() == {"tokenId", "token"}
    assert answer.headers["location"] == f"{ACCOUNT}/tokens/{token['tokenId']}"
    assert tenancy.verify(token["token"]).json()["expires_at"] == "2031-01-01T00:00:00Z"
    past = member.post(
        f"{ACCOUNT}/tokens", json={"description": "x", "expirationDate": "2001-01-01T00:00:00Z"}
    )
    assert (refusal(past), past.json()["field"]) == ((400, "invalid_request"), "expirationDate")
    (listed,) = every(member, f"{ACCOUNT}/tokens")
    assert (listed["tokenId"], listed["expirationDate"]) == (token["tokenId"], "2031-01-01T00:00:00Z")
    account = tenancy.client(token["token"]).get(f"{ACCOUNT}/user").json()
    assert account["tenantInfo"]["id"] == tenancy.id
    assert account["id"] == tenancy.verify(token["token"]).json()["user_id"]
    assert member.delete(f"{ACCOUNT}/tokens/{token['tokenId']}").status_code == 204
    assert refusal(tenancy.verify(token["token"])) == (401, "invalid_api_key")


def test_errors_under_the_account_paths_repeat_the_status(tenancy: Tenancy) -> None:
    """A client that reads `statusCode` would take every error for a success."""
    for answer in (
        tenancy.client().get(f"{ACCOUNT}/user"),
        tenancy.api.post(f"{ACCOUNT}/tokens", json={}),
        tenancy.api.delete(f"{ACCOUNT}/tokens/pat_x"),
        tenancy.api.get(f"{ACCOUNT}/nothing"),
        tenancy.api.put(f"{ACCOUNT}/user"),
        tenancy.client().get(f"{ACCOUNT}/user", headers={"Accept": "application/problem+json"}),
    ):
        assert answer.json()["statusCode"] == answer.status_code
    assert "statusCode" not in tenancy.client().get("/v1/users/me").json()


def test_a_call_that_is_sent_twice_makes_one_token(tenancy: Tenancy) -> None:
    """A retry after a lost answer would leave a token that nobody knows of."""
    member = tenancy.member()
    for path in (PATH, f"{ACCOUNT}/tokens"):
        headers = {"Idempotency-Key": f"once {path}"}
        first, second = (member.post(path, json={"description": "x"}, headers=headers) for _ in range(2))
        assert first.content == second.content
        assert second.headers["idempotent-replayed"] == "true"
    assert len(every(member, PATH)) == 2
