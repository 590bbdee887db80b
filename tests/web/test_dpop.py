"""Tokens that are bound to a key: given, renewed and taken with a proof of it alone."""

from __future__ import annotations

import hashlib
import itertools
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any, Final

import httpx2
import pytest
from joserfc import jwk, jws

from bonafides.oauth.pkce import proves
from tests.serving import RunningServer, running, settings_for
from tests.web.oauth import BY_ITSELF, CHALLENGE, REDIRECT_URI, App, app, public_app
from tests.web.tenancy import UNMETERED, Json, Tenancy, tenancy_on

BASE: Final = "https://api.example.com"
TOKEN: Final = BASE + "/oauth/token"
NUMBERS: Final = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server behind a proxy that speaks TLS."""
    folder = tmp_path_factory.mktemp("server")
    settings = settings_for(
        f"sqlite:///{folder}/test.db", folder, public_url=BASE, scopes=["invoices:read", "invoices:write"]
    )
    with running(settings) as it:
        it.create_plan(UNMETERED)
        yield it


@pytest.fixture(scope="module")
def shop(server: RunningServer) -> Tenancy:
    """A tenant with clients."""
    return tenancy_on(server)


class Holder:
    """Whoever holds a key."""

    def __init__(self, server: RunningServer, key: Any = None, algorithm: str = "ES256") -> None:
        self.server = server
        self.key = key or jwk.generate_key("EC", "P-256")
        self.algorithm = algorithm
        self.jkt = self.key.thumbprint()

    def proof(self, method: str, url: str, token: str | None = None, **changes: Any) -> dict[str, str]:
        """The header of a request that proves that they do."""
        claims: Json = {
            "jti": f"proof-{next(NUMBERS)}",
            "htm": method,
            "htu": url,
            "iat": self.server.clock.now_us // 1_000_000,
            **changes,
        }
        if token is not None:
            digest = hashlib.sha256(token.encode()).digest()
            claims.setdefault("ath", urlsafe_b64encode(digest).rstrip(b"=").decode())
        header = {"typ": "dpop+jwt", "alg": self.algorithm, "jwk": self.key.as_dict(private=False)}
        signed = jws.serialize_compact(header, json.dumps(claims), self.key, algorithms=[self.algorithm])
        return {"DPoP": signed}

    def asks(self, client: App, headers: dict[str, str] | None = None, **fields: Any) -> httpx2.Response:
        """Ask the token endpoint, with a proof."""
        return self.server.client().post(
            "/oauth/token",
            data={**client.body, **fields},
            headers=headers or self.proof("POST", TOKEN),
            auth=client.auth,
        )

    def calls(self, token: str, path: str, method: str = "GET", **changes: Any) -> httpx2.Response:
        """Call with a token, and a proof."""
        headers = {"Authorization": f"DPoP {token}"} | self.proof(method, BASE + path, token, **changes)
        return self.server.client().request(method, path, headers=headers)


@pytest.fixture
def holder(server: RunningServer) -> Holder:
    """Somebody with a key."""
    return Holder(server)


def bearer(server: RunningServer, token: str, path: str) -> httpx2.Response:
    """Call with a token alone."""
    return server.client(token).get(path)


@pytest.mark.parametrize("form", ["opaque", "jwt"])
def test_a_bound_token_is_good_with_its_key_alone(shop: Tenancy, holder: Holder, form: str) -> None:
    """RFC 9449 §7: whoever finds a token in a log or a proxy could use it, which is what the key is for."""
    client = app(shop, access_token_format=form)
    told = holder.asks(client, **BY_ITSELF).json()
    assert told["token_type"] == "DPoP"
    token = told["access_token"]
    for path in ("/v1/auth/verify", "/v1/clients"):
        expected = {200, 403} if path == "/v1/clients" else {200}
        answer = holder.calls(token, path)
        assert answer.status_code in expected, answer.text
        assert answer.headers["dpop-nonce"]
    # As a bearer token it is nothing, wherever it is presented, also when it is in memory.
    for _ in range(2):
        for path in ("/v1/auth/verify", "/auth/forward", "/v1/clients", "/oauth/userinfo"):
            answer = bearer(shop.server, token, path)
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
            assert answer.headers["www-authenticate"].startswith("Bearer ")
    by_key = shop.server.client().get("/v1/auth/verify", headers={"X-API-Key": token})
    assert by_key.status_code == 401
    asked = shop.api.post("/v1/credentials/verify", json={"credential": token}).json()
    assert asked["valid"] is False
    # A resource server that judges proofs by itself is told which key it is.
    told = shop.api.post("/oauth/introspect", data={"token": token}).json()
    assert (told["active"], told["token_type"], told["cnf"]) == (True, "DPoP", {"jkt": holder.jkt})


def test_a_stolen_token_is_no_use_with_another_key_or_request(
    shop: Tenancy, holder: Holder, server: RunningServer
) -> None:
    """RFC 9449 §4.3 and §7.1: each of these is what somebody would try who has the token, or has seen a request."""
    client = app(shop)
    token = holder.asks(client, **BY_ITSELF).json()["access_token"]
    unbound = client.by_itself()["access_token"]
    path = "/v1/auth/verify"
    thief = Holder(server)
    answer = thief.calls(token, path)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith("DPoP ")
    assert 'algs="EdDSA ES256 PS256 RS256"' in challenge
    # A proof beside a token that is bound to nothing, or beside a key, proves nothing.
    assert thief.calls(unbound, path).status_code == 401
    assert thief.calls(shop.owner_key["key"], path).status_code == 401
    for changes in (
        {"htm": "POST"},
        {"htu": BASE + "/v1/auth/verif"},
        {"iat": 0},
        {"ath": "x"},
    ):
        answer = holder.calls(token, path, **changes)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_dpop_proof"), answer.text
        assert 'error="invalid_dpop_proof"' in answer.headers["www-authenticate"]
    headers = {"Authorization": f"DPoP {token}"} | holder.proof("GET", BASE + path, token)
    assert server.client().get(path, headers=headers).status_code == 200
    again = server.client().get(path, headers=headers)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_dpop_proof")
    alone = server.client().get(path, headers={"Authorization": f"DPoP {token}"})
    assert (alone.status_code, alone.json()["error"]) == (401, "invalid_dpop_proof")
    two = server.client().get(path, headers={**headers, "X-API-Key": shop.owner_key["key"]})
    assert (two.status_code, two.json()["error"]) == (400, "invalid_request")
    for odd in ("DPoP", f"DPoP {token} {token}"):
        answer = server.client().get(path, headers={"Authorization": odd})
        assert answer.status_code in {400, 401}


def test_a_proof_that_a_proxy_passes_on_is_for_the_original_request(shop: Tenancy, holder: Holder) -> None:
    """RFC 9449 §7: behind forward authentication a bound token would be refused, or any proof be good."""
    token = holder.asks(app(shop), **BY_ITSELF).json()["access_token"]
    original = "https://shop.example/orders?page=2"
    tells = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "shop.example",
        "X-Forwarded-Uri": "/orders?page=2",
    }
    for told, status in (
        ({**tells, "X-Forwarded-Method": "PUT"}, 204),
        ({"X-Original-URL": original, "X-Original-Method": "PUT"}, 204),
        ({**tells, "X-Forwarded-Method": "GET"}, 401),
        ({**tells, "X-Forwarded-Method": "PUT", "X-Forwarded-Uri": "/other"}, 401),
        ({"X-Forwarded-Method": "PUT"}, 401),
        ({}, 401),
    ):
        headers = {"Authorization": f"DPoP {token}"} | holder.proof("PUT", original, token) | told
        answer = shop.server.client().get("/auth/forward", headers=headers)
        assert answer.status_code == status, (told, answer.text)


def test_a_client_whose_tokens_are_bound_gets_none_without_a_proof(shop: Tenancy, holder: Holder) -> None:
    """RFC 9449 §5.2: a client that says so would still hand out what anybody can use."""
    client = app(shop, dpop_bound_access_tokens=True)
    assert client.client["dpop_bound_access_tokens"] is True
    refused = client.ask(**BY_ITSELF)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    headers = holder.proof("POST", TOKEN)
    assert holder.asks(client, headers, **BY_ITSELF).status_code == 200
    for bad in (
        headers,
        holder.proof("POST", BASE + "/oauth/par"),
        holder.proof("GET", TOKEN),
        {"DPoP": "x"},
    ):
        answer = holder.asks(client, bad, **BY_ITSELF)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")
        assert answer.json()["error_description"]
    stale = holder.asks(client, holder.proof("POST", TOKEN, nonce="stale"), **BY_ITSELF)
    assert (stale.status_code, stale.json()["error"]) == (400, "use_dpop_nonce")
    fresh = holder.proof("POST", TOKEN, nonce=stale.headers["dpop-nonce"])
    assert holder.asks(client, fresh, **BY_ITSELF).status_code == 200
    metadata = shop.server.client().get("/.well-known/oauth-authorization-server").json()
    assert metadata["dpop_signing_alg_values_supported"] == ["EdDSA", "ES256", "PS256", "RS256"]


def test_a_code_that_is_bound_to_a_key_is_for_its_holder(
    shop: Tenancy, holder: Holder, server: RunningServer
) -> None:
    """RFC 9449 §10: whoever steals a code with its verifier could bind the tokens to a key of their own."""
    client, user = app(shop), shop.user()
    thief = Holder(server)
    fields: Json = {"grant_type": "authorization_code", "redirect_uri": REDIRECT_URI}
    fields["code_verifier"] = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert proves(fields["code_verifier"], CHALLENGE)
    code = client.code(user, jkt=holder.jkt)
    for answer in (thief.asks(client, code=code, **fields), client.ask(code=code, **fields)):
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    told = holder.asks(client, code=code, **fields).json()
    assert told["token_type"] == "DPoP"
    assert holder.calls(told["access_token"], "/oauth/userinfo").json()["sub"] == user["id"]
    # A client that proves who it is may take another key, but not go on without one.
    assert client.refresh(told["refresh_token"]).status_code == 400
    renewed = thief.asks(client, grant_type="refresh_token", refresh_token=told["refresh_token"]).json()
    assert thief.calls(renewed["access_token"], "/v1/auth/verify").status_code == 200


def test_a_public_clients_refresh_token_is_bound_to_its_key(
    shop: Tenancy, holder: Holder, server: RunningServer
) -> None:
    """RFC 9449 §5, RFC 9700 §2.2.2: a refresh token that was stolen from a phone would go on by itself."""
    client, user = public_app(shop), shop.user()
    fields: Json = {"grant_type": "authorization_code", "redirect_uri": REDIRECT_URI}
    fields["code_verifier"] = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    told = holder.asks(client, code=client.code(user), **fields).json()
    again: Json = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"]}
    for answer in (Holder(server).asks(client, **again), client.ask(**again)):
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    renewed = holder.asks(client, **again).json()
    assert holder.calls(renewed["access_token"], "/v1/auth/verify").status_code == 200


def test_a_request_that_is_pushed_with_a_proof_binds_its_code(
    shop: Tenancy, holder: Holder, server: RunningServer
) -> None:
    """RFC 9449 §10.1: what FAPI clients do, whose codes would be anybody's."""
    client = app(shop)
    par = BASE + "/oauth/par"
    body = {
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
        "scope": "read",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }

    def push(headers: dict[str, str], **more: str) -> httpx2.Response:
        return server.client().post("/oauth/par", data={**body, **more}, headers=headers, auth=client.auth)

    for more in ({}, {"dpop_jkt": holder.jkt}):
        answer = push(holder.proof("POST", par), **more)
        assert answer.status_code == 201, answer.text
        assert answer.headers["dpop-nonce"]
    answer = push(holder.proof("POST", par), dpop_jkt=Holder(server).jkt)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")
    assert push(holder.proof("POST", TOKEN)).status_code == 400


def test_a_key_may_be_rsa(shop: Tenancy, server: RunningServer) -> None:
    """RFC 9449 §5.1: the metadata names both algorithms, and who has such a key would be refused all the same."""
    key = jwk.generate_key("RSA", 2_048)
    for algorithm in ("PS256", "RS256"):
        holder = Holder(server, key, algorithm)
        answer = holder.asks(app(shop), grant_type="client_credentials")
        assert answer.status_code == 200, answer.text
        assert holder.calls(answer.json()["access_token"], "/v1/auth/verify").status_code == 200
