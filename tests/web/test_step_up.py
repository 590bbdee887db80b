"""`/v1/auth/step-up`: what is sensitive asks again who is there."""

from __future__ import annotations

from typing import Any

import httpx2
import jwt
import pytest

from tests.web.people import Person, login, person
from tests.web.tenancy import Tenancy, refusal
from tests.web.test_second_factors import enrol

NEW = "several quiet paper lanterns"


@pytest.fixture
def admin(tenancy: Tenancy) -> Person:
    """An admin with a password."""
    return person(tenancy, "admin")


def prove(client: httpx2.Client, **body: Any) -> httpx2.Response:
    """Prove anew who it is."""
    return client.post("/v1/auth/step-up", json=body)


def is_asked_again(answer: httpx2.Response) -> bool:
    """Whether a call was refused because the login is too long ago."""
    challenge = answer.headers.get("www-authenticate", "")
    return (
        refusal(answer) == (403, "insufficient_scope")
        and 'error="insufficient_user_authentication"' in challenge
        and 'max_age="600"' in challenge
        and "/v1/auth/step-up" in answer.json()["message"]
    )


def test_a_key_with_admin_takes_a_fresh_proof(admin: Person) -> None:
    """ASVS 7.5.3: whoever sits down at an open laptop would leave with a key to everything."""
    server = admin.server
    old = server.client(login(admin).json()["token"])
    wish = {"name": "everything", "scopes": ["admin", "read"]}
    key = old.post("/v1/api-keys", json=wish).json()
    plain = old.post("/v1/api-keys", json={"name": "plain"}).json()
    server.clock.advance(601)
    assert is_asked_again(old.post("/v1/api-keys", json=wish))
    pat = {"description": "everything", "scopes": ["admin"]}
    assert is_asked_again(old.post("/v1/personal-access-tokens", json=pat))
    assert is_asked_again(old.patch(f"/v1/api-keys/{plain['id']}", json={"scopes": ["admin"]}))
    assert is_asked_again(old.post(f"/v1/api-keys/{key['id']}/rotate"))
    assert is_asked_again(old.post(f"/v1/users/{admin.id}/password-reset"))
    assert old.post("/v1/api-keys", json={"name": "plain"}).status_code == 201
    answer = prove(old, password=admin.password)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"token", "expires_at"}
    assert refusal(old.get("/v1/auth/verify")) == (401, "invalid_token")
    new = server.client(answer.json()["token"])
    assert new.post("/v1/api-keys", json=wish).status_code == 201
    assert new.post(f"/v1/api-keys/{key['id']}/rotate").status_code == 201
    server.clock.advance(600)
    assert new.post("/v1/api-keys", json=wish).status_code == 201
    server.clock.advance(1)
    assert is_asked_again(new.post("/v1/api-keys", json=wish))


def test_a_program_is_not_asked(admin: Person) -> None:
    """A key that makes keys would stop doing so: nobody is there to be asked."""
    server = admin.server
    client = server.client(login(admin).json()["token"])
    key = client.post("/v1/api-keys", json={"name": "maker", "scopes": ["admin", "write"]}).json()["key"]
    server.clock.advance(86_400)
    made = server.client(key).post("/v1/api-keys", json={"name": "made", "scopes": ["admin"]})
    assert made.status_code == 201


def test_the_session_goes_on_with_the_next_token(admin: Person) -> None:
    """ASVS 7.2.4: the old token would go on beside the new one, or the refresh token be lost."""
    server = admin.server
    tokens = login(admin).json()
    server.clock.advance(700)
    proven = prove(server.client(tokens["token"]), password=admin.password).json()
    before, after = (
        jwt.decode(each["token"], options={"verify_signature": False}) for each in (tokens, proven)
    )
    assert (after["sid"], after["sub"]) == (before["sid"], before["sub"])
    assert after["auth_time"] == before["auth_time"] + 700
    assert after["jti"] != before["jti"]
    refreshed = server.client().post("/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert refreshed.status_code == 200
    claims = jwt.decode(refreshed.json()["token"], options={"verify_signature": False})
    assert claims["auth_time"] == after["auth_time"]
    assert "session.stepped_up" in admin.tenancy.actions(subject_id=after["sid"])


def test_who_has_a_second_factor_proves_that_one(admin: Person) -> None:
    """ASVS 7.5.1: whoever knows the password and finds an open session would take the second factor away."""
    server = admin.server
    client = server.client(login(admin).json()["token"])
    app, codes = enrol(client, server)
    server.clock.advance(601)
    for method, path, body in (
        ("DELETE", "/v1/auth/factors/totp", None),
        ("POST", "/v1/auth/recovery-codes", None),
        ("POST", "/v1/auth/factors", {}),
        ("POST", "/v1/auth/password", {"current_password": admin.password, "new_password": NEW}),
    ):
        assert is_asked_again(
            client.request(method, path, json=body) if body is not None else client.request(method, path)
        ), path
    missing = prove(client, password=admin.password)
    assert refusal(missing) == (400, "invalid_request")
    assert missing.json()["field"] == "code"
    assert refusal(prove(client, code=app.wrong())) == (401, "invalid_credentials")
    assert refusal(prove(client, code=app.fresh(), password="wrong")) == (401, "invalid_credentials")
    proven = prove(client, code=app.fresh())
    assert proven.status_code == 200
    client = server.client(proven.json()["token"])
    claims = jwt.decode(proven.json()["token"], options={"verify_signature": False})
    assert claims["amr"] == ["otp", "pwd"]
    changed = client.post("/v1/auth/password", json={"current_password": admin.password, "new_password": NEW})
    assert changed.status_code == 200
    server.clock.advance(700)
    both = prove(client, code=codes[0], password=NEW)
    assert both.status_code == 200
    client = server.client(both.json()["token"])
    assert refusal(prove(client, code=codes[0])) == (401, "invalid_credentials")
    assert client.delete("/v1/auth/factors/totp").status_code == 200


def test_what_proves_nothing_is_told_so(admin: Person) -> None:
    """A client could not tell a wrong password from a call that makes no sense."""
    server = admin.server
    client = server.client(login(admin).json()["token"])
    assert refusal(prove(client, password="wrong")) == (401, "invalid_credentials")
    assert refusal(prove(client)) == (400, "invalid_request")
    assert refusal(prove(client, code="000000")) == (400, "invalid_request")
    assert refusal(prove(client, password=admin.password, code="000000")) == (400, "invalid_request")
    key = admin.tenancy.owner_key["key"]
    assert refusal(prove(server.client(key), password=admin.password)) == (400, "invalid_request")
    assert refusal(prove(server.client(), password=admin.password)) == (401, "missing_api_key")


def test_a_stolen_session_does_not_try_passwords_without_end(admin: Person) -> None:
    """ASVS 6.3.1: every way in is limited, also this one."""
    client = admin.server.client(login(admin).json()["token"])
    told = [prove(client, password=f"wrong {number}").status_code for number in range(6)]
    assert told == [401] * 5 + [429]


def test_the_next_token_goes_into_the_cookie_where_that_is_wanted(admin: Person) -> None:
    """A page would have to hold the token itself."""
    client = admin.server.client(login(admin).json()["token"])
    answer = client.post("/v1/auth/step-up?cookie=true", json={"password": admin.password})
    assert set(answer.json()) == {"expires_at"}
    (cookie,) = answer.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-session=eyJ")
