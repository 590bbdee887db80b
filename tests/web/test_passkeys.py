"""Passkeys: registered by who has logged in, asked for beside a password or alone, and good for nothing else."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Final

import httpx2
import jwt
import pytest

from bonafides.credentials.passkeys import CHALLENGE_SECONDS, MOST
from tests.authenticator import BACKED_UP, ELIGIBLE, PRESENT, VERIFIED, Authenticator, encoded
from tests.serving import RunningServer
from tests.web.people import Person, login, person
from tests.web.tenancy import Tenancy, refusal
from tests.web.test_second_factors import enrol, finish, step

# What differs between databases is tested in the store.
pytestmark = pytest.mark.parametrize("shared_server", ["sqlite"], indirect=True, scope="module")

ADD: Final = "/v1/auth/passkeys"
ASK: Final = "/v1/auth/login/passkey/options"
ALONE: Final = "/v1/auth/login/passkey"


def device(server: RunningServer, **fields: Any) -> Authenticator:
    """A phone that shows a page of the server."""
    return Authenticator(server.settings.base_url, **fields)


def asked(client: httpx2.Client, path: str, **body: Any) -> dict[str, Any]:
    """What a browser is asked."""
    answer = client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    told: dict[str, Any] = answer.json()
    return told


def register(client: httpx2.Client, key: Authenticator, **wish: Any) -> httpx2.Response:
    """Add a passkey."""
    credential = key.create(asked(client, f"{ADD}/options"))
    return client.post(ADD, json={"credential": credential, **wish})


def registered(who: Person, **fields: Any) -> Authenticator:
    """A new passkey of somebody."""
    key = device(who.server, **fields)
    client = who.server.client(login(who).json()["token"])
    assert register(client, key).status_code == 201
    return key


def alone(server: RunningServer, key: Authenticator) -> httpx2.Response:
    """Log in with a passkey alone."""
    credential = key.get(asked(server.client(), ASK))
    return server.client().post(ALONE, json={"credential": credential})


@pytest.fixture
def ada(tenancy: Tenancy) -> Person:
    """Somebody with a password."""
    return person(tenancy)


def test_a_passkey_signs_in_alone(ada: Person) -> None:
    """ASVS 6.3.3, 6.6.2: people would go on with passwords that can be asked from them on another page."""
    server = ada.server
    client = server.client(login(ada).json()["token"])
    key = device(server)
    options = asked(client, f"{ADD}/options")
    assert options["rp"] == {"id": "api.example.com", "name": "Bonafides"}
    assert options["user"] == {"id": encoded(ada.id.encode()), "name": ada.email, "displayName": ada.email}
    assert options["excludeCredentials"] == []
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    added = client.post(ADD, json={"credential": key.create(options), "name": "My phone"})
    assert added.status_code == 201, added.text
    shown = added.json()
    codes = shown.pop("recovery_codes")
    assert len(set(codes)) == 10
    assert shown.pop("ended_sessions") == 0
    assert (shown["name"], shown["kind"], shown["synced"]) == ("My phone", "passkey", True)
    assert (shown["last_used_at"], shown["suspected_at"]) == (None, None)
    assert client.get("/v1/auth/factors").json()["data"] == [shown]

    request = asked(server.client(), ASK)
    assert (request["allowCredentials"], request["userVerification"]) == ([], "required")
    answer = server.client().post(ALONE, json={"credential": key.get(request)})
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"token", "expires_at", "refresh_token"}
    claims = jwt.decode(answer.json()["token"], options={"verify_signature": False})
    assert (claims["sub"], claims["amr"]) == (ada.id, ["mfa", "pop"])
    assert ada.tenancy.verify(answer.json()["token"]).status_code == 200
    assert client.get("/v1/auth/factors").json()["data"][0]["last_used_at"] is not None
    answer = server.client().post(f"{ALONE}?cookie=true", json={"credential": key.get(asked(client, ASK))})
    assert "__Host-session=" in answer.headers["set-cookie"]
    assert "user.factor_added" in ada.tenancy.actions(subject_id=ada.id)


def test_a_passkey_is_a_second_factor(ada: Person) -> None:
    """Attack 42: whoever knows the password would leave the passkey out."""
    server, key = ada.server, registered(ada)
    told = login(ada).json()
    assert told["factors"] == ["passkey", "recovery_code"]
    request = asked(server.client(), ASK, mfa_token=told["mfa_token"])
    assert [each["id"] for each in request["allowCredentials"]] == [encoded(key.credential_id)]
    assert request["allowCredentials"][0]["transports"] == ["hybrid", "internal"]
    path, body = "/v1/auth/login/second-factor", {"mfa_token": told["mfa_token"]}
    assert refusal(server.client().post(path, json=body)) == (400, "invalid_request")
    proof = {"passkey": key.get(request)}
    both = server.client().post(path, json={**body, **proof, "code": "123456"})
    assert refusal(both) == (400, "invalid_request")
    answer = server.client().post(path, json={**body, **proof})
    assert answer.status_code == 200, answer.text
    claims = jwt.decode(answer.json()["token"], options={"verify_signature": False})
    assert claims["amr"] == ["pop", "pwd"]
    assert refusal(server.client().post(path, json={**body, **proof})) == (401, "invalid_credentials")
    assert refusal(server.client().post(ASK, json=body)) == (401, "invalid_credentials")
    assert finish(server, step(ada), "000000").status_code == 401


Lie = Callable[[Authenticator], Authenticator]

LIES: Final[dict[str, Lie]] = {
    "another page": lambda key: replace(key, origin="https://api.example.com.evil.example"),
    "another port": lambda key: replace(key, origin="https://api.example.com:8443"),
    "a frame of another page": lambda key: replace(key, client={"crossOrigin": True}),
    "a frame below another": lambda key: replace(key, client={"topOrigin": "https://evil.example"}),
    "a page without TLS": lambda key: replace(key, origin="http://api.example.com"),
    "another server's key": lambda key: replace(key, rp_id="evil.example"),
    "nobody there": lambda key: replace(key, flags=VERIFIED | ELIGIBLE),
    "not unlocked": lambda key: replace(key, flags=PRESENT | ELIGIBLE | BACKED_UP),
    "the other ceremony": lambda key: replace(key, client={"type": "webauthn.other"}),
    "a challenge of its own": lambda key: replace(key, client={"challenge": encoded(b"x" * 56)}),
    "no challenge": lambda key: replace(key, client={"challenge": 5}),
}


def test_what_was_signed_elsewhere_or_by_nobody_opens_nothing(ada: Person) -> None:
    """Attack 42: a page that looks like ours would pass on what its visitors sign; Web Authentication Level 3 §7.1 and §7.2."""
    server, key = ada.server, device(ada.server)
    client = server.client(login(ada).json()["token"])
    for name, lie in LIES.items():
        assert refusal(register(client, lie(key))) == (400, "invalid_request"), name
    assert register(client, key).status_code == 201
    for name, lie in LIES.items():
        assert refusal(alone(server, lie(key))) == (401, "invalid_credentials"), name
    assert alone(server, key).status_code == 200


def test_what_only_a_passkey_of_theirs_can_sign(ada: Person) -> None:
    """Attack 42: somebody else's key, or one that only names itself so, would open the account."""
    server, key = ada.server, registered(ada)
    bob = person(ada.tenancy)
    other = registered(bob)
    forged = replace(key, key=other.key)
    assert refusal(alone(server, forged)) == (401, "invalid_credentials")
    assert refusal(alone(server, replace(other, user_handle=key.user_handle))) == (401, "invalid_credentials")
    assert refusal(alone(server, replace(key, user_handle=None))) == (401, "invalid_credentials")
    assert refusal(alone(server, replace(key, credential_id=b"nobody's"))) == (401, "invalid_credentials")
    assert refusal(alone(server, replace(key, flags=PRESENT | VERIFIED))) == (401, "invalid_credentials")
    mfa_token = login(ada).json()["mfa_token"]
    request = asked(server.client(), ASK, mfa_token=mfa_token)
    answers = [other.get({**request, "allowCredentials": []}), key.get(asked(server.client(), ASK))]
    bobs = asked(server.client(), ASK, mfa_token=login(bob).json()["mfa_token"])
    answers.append(key.get({**bobs, "allowCredentials": []}))
    for answer in answers:
        body = {"mfa_token": mfa_token, "passkey": answer}
        refused = server.client().post("/v1/auth/login/second-factor", json=body)
        assert refusal(refused) == (401, "invalid_credentials")
    stepped = server.client().post(ALONE, json={"credential": key.get(request)})
    assert refusal(stepped) == (401, "invalid_credentials")


def test_a_challenge_serves_once_and_not_for_long(ada: Person) -> None:
    """Web Authentication Level 3 §13.4.3: whoever saw an answer once would sign in with it for ever."""
    server, key = ada.server, registered(ada)
    credential = key.get(asked(server.client(), ASK))

    def use(_: int) -> int:
        return server.client().post(ALONE, json={"credential": credential}).status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(use, range(6))) == [200, 401, 401, 401, 401, 401]
    late = key.get(asked(server.client(), ASK))
    server.clock.advance(CHALLENGE_SECONDS)
    assert refusal(server.client().post(ALONE, json={"credential": late})) == (401, "invalid_credentials")


def test_a_registration_belongs_to_the_session_that_began_it(ada: Person) -> None:
    """ASVS 7.5.1: a stranger's key would be added to the account of who sends the stranger's answer along."""
    server, key = ada.server, device(ada.server)
    client = server.client(login(ada).json()["token"])
    options = asked(client, f"{ADD}/options")
    same_person = server.client(login(ada).json()["token"])
    bob = server.client(login(person(ada.tenancy)).json()["token"])
    for other in (same_person, bob):
        assert refusal(other.post(ADD, json={"credential": key.create(options)})) == (400, "invalid_request")
    by_login = {**options, "challenge": asked(client, ASK)["challenge"]}
    assert refusal(client.post(ADD, json={"credential": key.create(by_login)})) == (400, "invalid_request")
    credential = key.create(options)
    renamed = {**credential, "id": encoded(b"another"), "rawId": encoded(b"another")}
    assert refusal(client.post(ADD, json={"credential": renamed})) == (400, "invalid_request")
    assert client.post(ADD, json={"credential": credential}).status_code == 201
    assert refusal(client.post(ADD, json={"credential": credential})) == (409, "conflict")
    assert refusal(register(client, key)) == (409, "conflict")
    assert refusal(register(bob, replace(key))) == (409, "conflict")
    self_attested = device(server, statement={"fmt": "packed", "attStmt": {"alg": -7, "sig": b"x"}})
    assert refusal(register(client, self_attested)) == (400, "invalid_request")
    unknown = device(server, statement={"fmt": "android-safetynet", "attStmt": {}})
    assert refusal(register(client, unknown)) == (400, "invalid_request")
    known = [encoded(key.credential_id)]
    assert [each["id"] for each in asked(client, f"{ADD}/options")["excludeCredentials"]] == known


def test_a_passkey_that_counts_backwards_opens_nothing_any_more(ada: Person) -> None:
    """Web Authentication Level 3 §6.1.1: a copy of the key would go on beside it, unnoticed."""
    server = ada.server
    key = registered(ada, counts=1, sign_count=10, flags=PRESENT | VERIFIED)
    copy = replace(key, sign_count=3)
    request = asked(server.client(), ASK)
    answer = key.get(request)
    assert server.client().post(ALONE, json={"credential": answer}).status_code == 200
    assert server.client().post(ALONE, json={"credential": answer}).status_code == 401
    assert alone(server, key).status_code == 200, "sent again is not copied"
    token = alone(server, key).json()["token"]
    assert refusal(alone(server, copy)) == (401, "invalid_credentials")
    assert refusal(alone(server, key)) == (401, "invalid_credentials")
    listed = server.client(token).get("/v1/auth/factors").json()["data"]
    assert [each["suspected_at"] is not None for each in listed] == [True]
    assert "user.passkey_suspected" in ada.tenancy.actions(subject_id=ada.id)
    told = login(ada).json()
    assert refusal(server.client().post(ASK, json={"mfa_token": told["mfa_token"]})) == (409, "conflict")
    assert "mfa_token" in told, "a suspected passkey does not make the password enough"


def test_passkeys_are_renamed_and_removed_by_their_owner_alone(ada: Person) -> None:
    """Attack 1: a stranger would take the passkey away, and the password would be enough."""
    server, first = ada.server, registered(ada)
    client = server.client(alone(server, first).json()["token"])
    second = device(server)
    server.clock.advance(1)
    added = register(client, second, name="Key on my ring", end_sessions=True).json()
    assert (added["recovery_codes"], added["ended_sessions"]) == ([], 1)
    listed = client.get("/v1/auth/factors").json()
    assert [each["name"] for each in listed["data"]] == ["Passkey", "Key on my ring"]
    assert listed["recovery_codes_left"] == 10
    one, two = (f"/v1/auth/factors/{each['id']}" for each in listed["data"])
    bob = server.client(login(person(ada.tenancy)).json()["token"])
    for client_of_another in (bob, ada.tenancy.api):
        assert client_of_another.patch(one, json={"name": "mine"}).status_code in {403, 404}
        assert client_of_another.delete(one).status_code in {403, 404}
    assert client.patch(one, json={"name": "Old phone"}).json()["name"] == "Old phone"
    assert refusal(client.patch(one, json={"name": "a\u0000b"})) == (400, "invalid_request")
    enrol(client, server)
    assert client.delete(one).json() == {"ended_sessions": 0}
    assert refusal(client.delete(one)) == (404, "not_found")
    assert refusal(alone(server, first)) == (401, "invalid_credentials")
    assert client.delete(two).json() == {"ended_sessions": 0}
    assert client.get("/v1/auth/factors").json()["recovery_codes_left"] == 10
    assert client.delete("/v1/auth/factors/totp").status_code == 200
    assert client.get("/v1/auth/factors").json() == {
        "data": [],
        "recovery_codes_left": 0,
        "next_cursor": None,
    }
    assert "token" in login(ada).json()
    assert "user.passkey_renamed" in ada.tenancy.actions(subject_id=ada.id)


def test_adding_a_passkey_asks_again_and_a_passkey_is_an_answer(ada: Person) -> None:
    """ASVS 7.5.1, 7.5.3: whoever finds the screen unlocked would add a key of their own."""
    server, key = ada.server, registered(ada)
    client = server.client(alone(server, key).json()["token"])
    server.clock.advance(server.settings.step_up_seconds + 1)
    refusals = [client.post(f"{ADD}/options"), client.delete("/v1/auth/factors/totp")]
    for refused in refusals:
        assert refusal(refused) == (403, "insufficient_scope")
        assert "insufficient_user_authentication" in refused.headers["www-authenticate"]
    stranger = server.client(alone(server, key).json()["token"])
    options = asked(client, "/v1/auth/step-up/options")
    assert [each["id"] for each in options["allowCredentials"]] == [encoded(key.credential_id)]
    body = {"passkey": key.get(options)}
    assert refusal(stranger.post("/v1/auth/step-up", json=body)) == (401, "invalid_credentials")
    both = client.post("/v1/auth/step-up", json={**body, "code": "123456"})
    assert refusal(both) == (400, "invalid_request")
    proven = client.post("/v1/auth/step-up", json=body)
    assert proven.status_code == 200, proven.text
    client = server.client(proven.json()["token"])
    assert client.post(f"{ADD}/options").status_code == 200
    assert refusal(client.post("/v1/auth/step-up", json=body)) == (401, "invalid_credentials")
    nobody = server.client(login(person(ada.tenancy)).json()["token"])
    assert refusal(nobody.post("/v1/auth/step-up/options")) == (409, "conflict")
    assert refusal(nobody.post("/v1/auth/step-up", json=body)) == (400, "invalid_request")


def test_an_admin_takes_passkeys_away_from_who_has_lost_them(ada: Person) -> None:
    """A lost phone would lock its owner out for good, or go on opening the account."""
    server, key = ada.server, registered(ada)
    owner = person(ada.tenancy, "owner")
    admin = server.client(login(owner).json()["token"])
    done = admin.delete(f"/v1/users/{ada.id}/factors")
    assert (done.status_code, done.json()) == (200, {"ended_sessions": 1})
    assert refusal(alone(server, key)) == (401, "invalid_credentials")
    assert "token" in login(ada).json()


def test_who_may_not_log_in_may_not_by_passkey(ada: Person) -> None:
    """Attack 6: somebody who was let go would keep a way in."""
    server, key = ada.server, registered(ada)
    disabled = ada.tenancy.operator.patch(f"/v1/users/{ada.id}", json={"status": "disabled"})
    assert disabled.status_code == 200, disabled.text
    assert refusal(alone(server, key)) == (401, "invalid_credentials")


def test_nobody_has_passkeys_without_end(ada: Person) -> None:
    """One account would fill the table."""
    server = ada.server
    client = server.client(login(ada).json()["token"])
    for _ in range(MOST):
        assert register(client, device(server)).status_code == 201
    assert refusal(client.post(f"{ADD}/options")) == (409, "conflict")


def test_what_is_no_answer_of_a_browser_is_refused(ada: Person) -> None:
    """A server that stumbles over what strangers send can be made to stumble."""
    bodies: list[dict[str, Any]] = [{}, {"credential": 5}, {"credential": []}]
    for body in bodies:
        assert refusal(ada.server.client().post(ALONE, json=body)) == (400, "invalid_request")
    for credential in ({}, {"id": 5}, {"id": "x"}, {"id": "AAAA", "response": []}):
        answer = ada.server.client().post(ALONE, json={"credential": credential})
        assert refusal(answer) == (401, "invalid_credentials")
    garbage = {
        "clientDataJSON": "AAAA",
        "authenticatorData": "AAAA",
        "signature": "AAAA",
        "userHandle": "AAAA",
    }
    whole = {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": garbage}
    answer = ada.server.client().post(ALONE, json={"credential": whole})
    assert refusal(answer) == (401, "invalid_credentials")
