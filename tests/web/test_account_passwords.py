"""`/v1/auth/password` and its resets: from an invitation to a first login, and to another password."""

from __future__ import annotations

from tests.web.tenancy import Tenancy, refusal

NEW = "several quiet paper lanterns"
OTHER = "a horse that nobody stapled"


def test_a_new_user_gets_in_and_changes_their_password(tenancy: Tenancy) -> None:
    """Only whoever founded the installation could log in."""
    user = tenancy.user()
    begun = tenancy.api.post(f"/v1/users/{user['id']}/password-reset")
    assert begun.status_code == 200
    assert begun.json().keys() == {"object", "user_id", "token", "expires_at"}
    chosen = {"token": begun.json()["token"], "new_password": NEW}
    assert tenancy.client().post("/v1/auth/password/reset", json=chosen).status_code == 204
    again = tenancy.client().post("/v1/auth/password/reset", json={**chosen, "new_password": OTHER})
    assert refusal(again) == (401, "invalid_credentials")

    def log_in(password: str) -> int:
        body = {"username": user["email"], "password": password}
        answer = tenancy.client().post("/v1/auth/login", json=body)
        if answer.status_code == 200:
            tokens.append(answer.json()["token"])
        return answer.status_code

    tokens: list[str] = []
    assert [log_in(NEW), log_in(NEW)] == [200, 200]
    own = tenancy.client(tokens[0])
    wrong = own.post("/v1/auth/password", json={"current_password": "x", "new_password": OTHER})
    assert refusal(wrong) == (401, "invalid_credentials")
    weak = own.post("/v1/auth/password", json={"current_password": NEW, "new_password": "short"})
    assert refusal(weak) == (400, "invalid_request")
    changed = own.post("/v1/auth/password", json={"current_password": NEW, "new_password": OTHER})
    assert (changed.status_code, changed.json()) == (200, {"ended_sessions": 1})
    assert tenancy.verify(tokens[0]).status_code == 200
    assert refusal(tenancy.verify(tokens[1])) == (401, "invalid_token")
    assert [log_in(NEW), log_in(OTHER)] == [401, 200]
    actions = {action for action in tenancy.actions(subject_id=user["id"]) if "password" in action}
    assert actions == {"user.password_reset_started", "user.password_reset", "user.password_changed"}


def test_a_member_begins_nobodys_reset(tenancy: Tenancy) -> None:
    """Attack 1: anybody would take over anybody's account."""
    user = tenancy.user()
    assert refusal(tenancy.member().post(f"/v1/users/{user['id']}/password-reset")) == (
        403,
        "insufficient_scope",
    )
    other = tenancy.client(tenancy.server.create_tenant_user_key(scopes=["admin"])["key"]["key"])
    assert refusal(other.post(f"/v1/users/{user['id']}/password-reset")) == (404, "not_found")
