"""`/v1/auth/login`, `/v1/auth/refresh`, `/v1/auth/logout`: tokens for who knows a password, until it is over."""

from __future__ import annotations

import sqlite3
from typing import Any

import httpx2
import jwt
import pytest

from tests.serving import RunningServer, running, settings_for
from tests.web.people import Person, login, person
from tests.web.tenancy import Tenancy, refusal, seconds_of


def verified(server: RunningServer, token: str) -> tuple[int, str]:
    """Status and error of a token that verifies itself."""
    return refusal(server.client(token).get("/v1/auth/verify"))


@pytest.fixture
def ada(tenancy: Tenancy) -> Person:
    """Somebody with a password."""
    return person(tenancy)


def test_a_login_gives_a_token_that_is_good_and_says_who_it_is_for(ada: Person) -> None:
    """ASVS 7.2.1, ASVS 9.2.4: the API behind would not know whom it serves, or until when."""
    server = ada.server
    answer = login(ada)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"token", "expires_at", "refresh_token"}
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    told = answer.json()
    keys = server.client().get("/.well-known/jwks.json").json()
    kid = jwt.get_unverified_header(told["token"])["kid"]
    (key,) = [jwt.PyJWK(key) for key in keys["keys"] if key["kid"] == kid]
    claims = jwt.decode(
        told["token"],
        key,
        algorithms=["EdDSA"],
        audience="https://api.example.com",
        issuer="https://api.example.com",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["sub"] == ada.id
    assert claims["tenant_id"] == ada.tenant_id
    assert claims["scope"] == "invoices:read invoices:write read write"
    assert claims["exp"] - claims["iat"] == 3_600
    assert claims["exp"] == seconds_of(told["expires_at"])
    identity = server.client(told["token"]).get("/v1/auth/verify").json()
    assert identity["user_id"] == ada.id
    assert identity["tenant_id"] == ada.tenant_id
    assert " ".join(identity["scopes"]) == claims["scope"]
    assert identity["expires_at"] == told["expires_at"]
    assert identity["credential"] == {"id": claims["jti"], "kind": "jwt_session", "name": "login"}


def test_the_token_manages_as_its_user_may(ada: Person) -> None:
    """People would need a key to make their first key."""
    client = ada.server.client(login(ada).json()["token"])
    made = client.post("/v1/api-keys", json={"name": "mine"})
    assert made.status_code == 201, made.text
    assert made.json()["user_id"] == ada.id
    assert refusal(client.get("/v1/users")) == (403, "insufficient_scope")


@pytest.mark.parametrize(
    "change",
    [
        {"password": "wrong"},
        {"password": ""},
        {"username": "nobody@example.com"},
        {"username": "no address"},
        {"tenant_id": "ten_0000000000000000000000"},
    ],
    ids=str,
)
def test_wrong_in_any_way_is_told_in_the_same_words(ada: Person, change: dict[str, str]) -> None:
    """Attack 43, ASVS 6.3.8: whoever tries addresses would learn who has an account."""
    answer = login(ada, **change)
    if change == {"password": ""}:
        assert refusal(answer) == (400, "invalid_request")
        return
    assert refusal(answer) == (401, "invalid_credentials")
    assert answer.json()["message"] == "The user name or the password is wrong."
    assert answer.headers["www-authenticate"].startswith("Bearer ")
    assert "x-ratelimit-limit" in answer.headers


def test_who_may_not_log_in_is_told_the_same(tenancy: Tenancy) -> None:
    """Attack 43, attack 6: a disabled user would learn that the password was right, or get in."""
    disabled, deleted = person(tenancy), person(tenancy)
    tenancy.operator.patch(f"/v1/users/{disabled.id}", json={"status": "disabled"})
    tenancy.operator.delete(f"/v1/users/{deleted.id}")
    without = tenancy.user()
    for username, password in (
        (disabled.email, disabled.password),
        (deleted.email, deleted.password),
        (without["email"], "seven quiet harbours"),
    ):
        body = {"username": username, "password": password}
        assert refusal(tenancy.client().post("/v1/auth/login", json=body)) == (401, "invalid_credentials")


def test_the_address_is_known_in_any_case(ada: Person) -> None:
    """People write their address as they like."""
    assert login(ada, username=f" {ada.email.upper()} ").status_code == 200


def test_who_has_accounts_in_two_tenants_gets_the_oldest_or_names_one(
    tenancy: Tenancy, fresh_tenancy: Tenancy
) -> None:
    """One address could open somebody else's account, or only ever the first."""
    first = person(tenancy, password="the first of my passwords")
    tenancy.server.clock.advance(1)
    second = person(fresh_tenancy, email=first.email.title(), password="the second of my passwords")
    told = login(first).json()["token"]
    assert jwt.decode(told, options={"verify_signature": False})["tenant_id"] == tenancy.id
    assert refusal(login(second, tenant_id=None)) == (401, "invalid_credentials")
    told = login(second, tenant_id=fresh_tenancy.id).json()["token"]
    assert jwt.decode(told, options={"verify_signature": False})["tenant_id"] == fresh_tenancy.id
    assert refusal(login(first, tenant_id=fresh_tenancy.id)) == (401, "invalid_credentials")


def test_a_session_has_an_id_of_its_own_whatever_is_presented(ada: Person) -> None:
    """Attack 45, ASVS 7.2.4: a session that somebody else has begun would become the user's."""
    first = login(ada).json()
    again = ada.server.client(first["token"]).post("/v1/auth/login", json=ada.body()).json()
    ids = {jwt.decode(each["token"], options={"verify_signature": False})["sid"] for each in (first, again)}
    assert len(ids) == 2
    assert again["refresh_token"] != first["refresh_token"]


# Refreshing


def refresh(server: RunningServer, refresh_token: str) -> httpx2.Response:
    """Spend a refresh token."""
    return server.client().post("/v1/auth/refresh", json={"refresh_token": refresh_token})


def test_a_refresh_gives_the_next_tokens(ada: Person) -> None:
    """ASVS 7.2.2: everybody would log in anew each hour, or keep one token for ever."""
    server = ada.server
    first = login(ada).json()
    server.clock.advance(1_800)
    second = refresh(server, first["refresh_token"])
    assert second.status_code == 200, second.text
    assert set(second.json()) == set(first)
    assert all(second.json()[name] != first[name] for name in first)
    assert verified(server, first["token"])[0] == verified(server, second.json()["token"])[0] == 200
    server.clock.advance(1_801)
    assert verified(server, first["token"]) == (401, "token_expired")
    assert verified(server, second.json()["token"])[0] == 200


def test_a_lost_answer_is_given_again_and_a_late_second_use_ends_the_session(ada: Person) -> None:
    """Attack 18, ASVS 10.4.5: two tabs must not log people out, and a stolen token must not serve beside the real one."""
    server = ada.server
    first = login(ada).json()
    second = refresh(server, first["refresh_token"]).json()
    server.clock.advance(10)
    assert refresh(server, first["refresh_token"]).json() == second
    server.clock.advance(1)
    assert refusal(refresh(server, first["refresh_token"])) == (401, "invalid_token")
    for token in (first["token"], second["token"]):
        assert verified(server, token) == (401, "invalid_token")
    assert refusal(refresh(server, second["refresh_token"])) == (401, "invalid_token")


def test_a_second_use_after_what_followed_was_used_ends_the_session(ada: Person) -> None:
    """Attack 18: within the grace, a thief could go on beside the owner for ever."""
    server = ada.server
    first = login(ada).json()
    second = refresh(server, first["refresh_token"]).json()
    third = refresh(server, second["refresh_token"]).json()
    assert refusal(refresh(server, first["refresh_token"])) == (401, "invalid_token")
    assert verified(server, third["token"]) == (401, "invalid_token")


@pytest.mark.parametrize(
    "presented", ["", "x", "bf_ort_x", "bf_key_" + "0" * 44 + "_000000", "eyJhbGciOiJub25lIn0.e30."]
)
def test_what_is_no_refresh_token_refreshes_nothing(ada: Person, presented: str) -> None:
    """Anything that opens something else could be turned into a session."""
    answer = refresh(ada.server, presented)
    assert refusal(answer) == ((401, "invalid_token") if presented else (400, "invalid_request"))


def test_a_key_or_a_token_is_no_refresh_token_and_the_other_way_round(ada: Person) -> None:
    """ASVS 9.2.1, ASVS 9.2.2: a refresh token in a log would open the API."""
    tokens = login(ada).json()
    assert verified(ada.server, tokens["refresh_token"]) == (401, "invalid_token")
    assert refusal(refresh(ada.server, tokens["token"])) == (401, "invalid_token")
    assert refusal(refresh(ada.server, ada.tenancy.owner_key["key"])) == (401, "invalid_token")


# Endings


def test_logging_out_ends_every_token_of_the_session_and_no_other(ada: Person) -> None:
    """ASVS 7.4.1: whoever finds an old token would go on where the user has left."""
    server = ada.server
    mine, other = login(ada).json(), login(ada).json()
    next_ = refresh(server, mine["refresh_token"]).json()
    assert verified(server, mine["token"])[0] == 200
    answer = server.client(next_["token"]).post("/v1/auth/logout")
    assert (answer.status_code, answer.content) == (204, b"")
    for token in (mine["token"], next_["token"]):
        assert verified(server, token) == (401, "invalid_token")
    assert refusal(refresh(server, next_["refresh_token"])) == (401, "invalid_token")
    assert verified(server, other["token"])[0] == 200
    assert refusal(server.client(next_["token"]).post("/v1/auth/logout")) == (401, "invalid_token")
    assert refusal(server.client(ada.tenancy.owner_key["key"]).post("/v1/auth/logout")) == (
        400,
        "invalid_request",
    )


def test_a_disabled_user_is_out_for_good(ada: Person) -> None:
    """ASVS 7.4.2, attack 6: enabled again, the user would find a stranger in the old session."""
    server = ada.server
    tokens = login(ada).json()
    assert verified(server, tokens["token"])[0] == 200
    ada.tenancy.operator.patch(f"/v1/users/{ada.id}", json={"status": "disabled"})
    assert verified(server, tokens["token"]) == (401, "invalid_token")
    assert refusal(refresh(server, tokens["refresh_token"])) == (401, "invalid_token")
    ada.tenancy.operator.patch(f"/v1/users/{ada.id}", json={"status": "active"})
    assert verified(server, tokens["token"]) == (401, "invalid_token")
    assert refusal(refresh(server, tokens["refresh_token"])) == (401, "invalid_token")
    assert login(ada).status_code == 200


def test_a_deleted_users_sessions_end(ada: Person) -> None:
    """Attack 6: somebody who has left would stay logged in."""
    tokens = login(ada).json()
    assert verified(ada.server, tokens["token"])[0] == 200
    assert ada.tenancy.operator.delete(f"/v1/users/{ada.id}").status_code == 204
    assert verified(ada.server, tokens["token"]) == (401, "invalid_token")
    assert refusal(refresh(ada.server, tokens["refresh_token"])) == (401, "invalid_token")


def test_a_disabled_tenants_sessions_are_refused(fresh_tenancy: Tenancy) -> None:
    """Attack 6: a customer that was shut off would go on."""
    ada = person(fresh_tenancy)
    tokens = login(ada).json()
    fresh_tenancy.operator.patch(f"/v1/tenants/{fresh_tenancy.id}", json={"status": "disabled"})
    assert verified(ada.server, tokens["token"]) == (401, "invalid_token")
    assert refusal(refresh(ada.server, tokens["refresh_token"])) == (401, "invalid_token")
    assert refusal(login(ada)) == (401, "invalid_credentials")


def test_fewer_scopes_bind_tokens_that_were_made_before(ada: Person) -> None:
    """ASVS 8.3.2: what was taken from a user would stay in their token for an hour."""
    token = login(ada).json()["token"]
    assert ada.server.client(token).get("/v1/auth/verify?scope=write").status_code == 200
    ada.tenancy.operator.patch(f"/v1/users/{ada.id}", json={"scopes": ["read"]})
    assert refusal(ada.server.client(token).get("/v1/auth/verify?scope=write")) == (403, "insufficient_scope")


def test_a_session_that_is_not_refreshed_ends(tmp_path: Any, sqlite_url: str) -> None:
    """ASVS 7.3.1, ASVS 7.3.2, ASVS 7.1.1: a laptop that was left behind would stay logged in for ever."""
    settings = settings_for(sqlite_url, tmp_path, session_idle_seconds=7_200, session_seconds_max=10_000)
    with running(settings) as server:
        body = {"username": "admin@example.com", "password": server.founded.password}
        idle, used = (server.client().post("/v1/auth/login", json=body).json() for _ in range(2))
        server.clock.advance(7_199)
        used = refresh(server, used["refresh_token"]).json()
        server.clock.advance(1)
        assert refusal(refresh(server, idle["refresh_token"])) == (401, "token_expired")
        server.clock.advance(2_799)
        used = refresh(server, used["refresh_token"]).json()
        assert seconds_of(used["expires_at"]) == server.clock.now_us // 1_000_000 + 1
        server.clock.advance(1)
        assert verified(server, used["token"]) == (401, "token_expired")
        assert refusal(refresh(server, used["refresh_token"])) == (401, "token_expired")


def test_a_password_does_not_end_by_itself(server: RunningServer) -> None:
    """ASVS 6.2.10: who has to choose a new password each year chooses the old one with a number."""
    server.clock.advance(10 * 365 * 86_400)
    body = {"username": "admin@example.com", "password": server.founded.password}
    assert server.client().post("/v1/auth/login", json=body).status_code == 200


def test_nothing_of_a_session_can_be_read_from_the_database(tmp_path: Any, sqlite_url: str) -> None:
    """ASVS 11.4.1, ASVS 16.2.5: whoever gets a backup would get everybody's session."""
    with running(settings_for(sqlite_url, tmp_path)) as server:
        body = {"username": "admin@example.com", "password": server.founded.password}
        first = server.client().post("/v1/auth/login", json=body).json()
        second = refresh(server, first["refresh_token"]).json()
    dump = "\n".join(sqlite3.connect(sqlite_url.removeprefix("sqlite:///")).iterdump()).lower()
    for told in (first, second):
        for secret in (told["token"], told["refresh_token"]):
            assert secret[-24:].lower() not in dump
            assert secret.encode().hex() not in dump
    assert body["password"].lower() not in dump
