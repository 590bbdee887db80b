"""Clients that keep FAPI 2.0, by what they have registered: pushed requests, and tokens that are bound to a key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from joserfc import jwk

from tests.serving import RunningServer, running, settings_for
from tests.web.oauth import CHALLENGE, REDIRECT_URI, VERIFIER, App, app, signing
from tests.web.tenancy import UNMETERED, Json, Tenancy, tenancy_on
from tests.web.test_dpop import BASE, TOKEN, Holder

PAR: Final = BASE + "/oauth/par"


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


def keeper(shop: Tenancy, key: Any) -> App:
    """A client that keeps it."""
    made = app(
        shop,
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [key.as_dict(private=False)]},
        dpop_bound_access_tokens=True,
        require_pushed_authorization_requests=True,
    )
    made.auth, made.body = None, {}
    return made


def pushed(server: RunningServer, fields: Json) -> tuple[int, Json]:
    """What comes of a request that is pushed."""
    body = {
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
        "scope": "read",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **fields,
    }
    answer = server.client().post("/oauth/par", data=body)
    return answer.status_code, answer.json()


def test_an_assertion_is_for_the_issuer_alone_where_requests_are_pushed(
    shop: Tenancy, server: RunningServer
) -> None:
    """FAPI 2.0 §5.3.2.1: another server that is given one could present it here as the client."""
    key = jwk.generate_key("EC", "P-256")
    client = keeper(shop, key)
    sign = signing(server, key, client.id)
    assert pushed(server, sign())[0] == 201
    for audience in (PAR, TOKEN, [BASE], [BASE, "https://other.example"], BASE + "/"):
        status, told = pushed(server, sign(aud=audience))
        assert (status, told["error"]) == (401, "invalid_client"), audience
    usual = app(
        shop, token_endpoint_auth_method="private_key_jwt", jwks={"keys": [key.as_dict(private=False)]}
    )
    sign = signing(server, key, usual.id)
    for audience in (PAR, TOKEN, [BASE]):
        assert pushed(server, sign(aud=audience))[0] == 201, audience


def test_an_assertion_is_not_signed_by_rs256(shop: Tenancy, server: RunningServer) -> None:
    """FAPI 2.0 §5.4.1: the padding of RS256 is what signatures have been forged through."""
    key = jwk.generate_key("RSA", 2048)
    client = keeper(shop, key)
    sign = signing(server, key, client.id)
    assert pushed(server, sign({"alg": "PS256"}))[0] == 201
    status, told = pushed(server, sign({"alg": "RS256"}))
    assert (status, told["error"]) == (401, "invalid_client")


def test_a_proof_of_a_key_is_not_signed_by_rs256(shop: Tenancy, server: RunningServer) -> None:
    """FAPI 2.0 §5.4.1: the same, for what binds tokens to a key; other clients may still have nothing better."""
    key = jwk.generate_key("RSA", 2048)
    client = keeper(shop, key)
    sign = signing(server, key, client.id)
    for algorithm, status in (("PS256", 200), ("RS256", 400)):
        holder = Holder(server, key, algorithm)
        answer = holder.asks(
            client, grant_type="client_credentials", **sign({"alg": "PS256"}, aud=server.settings.base_url)
        )
        assert answer.status_code == status, answer.text
        body = {
            "response_type": "code",
            "redirect_uri": REDIRECT_URI,
            "scope": "read",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **sign({"alg": "PS256"}, aud=server.settings.base_url),
        }
        answer = server.client().post("/oauth/par", data=body, headers=holder.proof("POST", PAR))
        assert answer.status_code == (201 if status == 200 else 400), answer.text
        assert status == 200 or answer.json()["error"] == "invalid_dpop_proof"
    usual = app(shop)
    answer = Holder(server, key, "RS256").asks(usual, grant_type="client_credentials")
    assert answer.status_code == 200, answer.text


def test_a_proof_is_not_signed_by_rs256_where_a_token_is_used(shop: Tenancy, server: RunningServer) -> None:
    """FAPI 2.0 §5.4.1: the key is the same by PS256 and by RS256, so the token alone would not tell the two apart."""
    key = jwk.generate_key("RSA", 2048)
    client, usual = keeper(shop, key), app(shop)
    sign = signing(server, key, client.id)({"alg": "PS256"}, aud=server.settings.base_url)
    good, bad = Holder(server, key, "PS256"), Holder(server, key, "RS256")
    asked: Json = {"grant_type": "client_credentials"}
    kept = good.asks(client, **asked, **sign).json()["access_token"]
    for path in ("/v1/auth/verify", "/v1/plans"):
        assert good.calls(kept, path).status_code == 200
        refused = bad.calls(kept, path)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_dpop_proof")
        assert "PS256" in refused.json()["message"]
    assert bad.calls(bad.asks(usual, **asked).json()["access_token"], "/v1/auth/verify").status_code == 200


def test_a_request_that_was_not_pushed_is_refused(shop: Tenancy, server: RunningServer) -> None:
    """FAPI 2.0 §5.3.2.2: whoever sits at the browser could change what the client asks for."""
    client = keeper(shop, jwk.generate_key("EC", "P-256"))
    query = {
        "client_id": client.id,
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
        "scope": "read",
        "state": "s",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    answer = server.client().get("/oauth/authorize", params=query)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{REDIRECT_URI}?error=invalid_request")


def test_a_refresh_token_goes_on_and_is_no_use_without_the_key(shop: Tenancy, server: RunningServer) -> None:
    """FAPI 2.0 §5.3.2.1: a client whose connection breaks at the wrong moment would have to ask its user again."""
    key, holder = jwk.generate_key("EC", "P-256"), Holder(server)
    client, user = keeper(shop, key), shop.user()
    sign = signing(server, key, client.id)
    fields: Json = {
        "grant_type": "authorization_code",
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
        "code": client.code(user),
    }
    told = holder.asks(client, **fields, **sign(aud=TOKEN)).json()
    again: Json = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"]}
    for _ in range(3):
        server.clock.advance(6 * 86_400)
        renewed = holder.asks(client, **again, **sign()).json()
        assert "refresh_token" not in renewed
        assert holder.calls(renewed["access_token"], "/v1/auth/verify").status_code == 200
    answer = client.ask(**again, **sign())
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert (
        server.client().post("/oauth/revoke", data={"token": told["refresh_token"], **sign()}).status_code
        == 200
    )
    answer = holder.asks(client, **again, **sign())
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
