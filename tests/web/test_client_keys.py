"""Clients whose keys stand at a URL of their own, and clients that read one algorithm alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import jwt
import pytest
from joserfc import jwk

from tests.elsewhere import Elsewhere, Reply, elsewhere
from tests.serving import RunningServer, running, settings_for
from tests.web.oauth import BY_ITSELF, App, app, signing
from tests.web.tenancy import UNMETERED, Tenancy, refusal, tenancy_on

KEYS: Final = "/keys"


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    """The client's own server."""
    with elsewhere(tmp_path_factory.mktemp("client")) as server:
        yield server


@pytest.fixture(scope="module")
def server(other: Elsewhere, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that may call this machine."""
    assert other.port
    folder = tmp_path_factory.mktemp("server")
    with running(
        settings_for(
            f"sqlite:///{folder}/test.db",
            folder,
            outgoing_private_addresses=True,
            scopes=["invoices:read", "invoices:write"],
        )
    ) as it:
        yield it


@pytest.fixture(scope="module")
def shop(server: RunningServer) -> Tenancy:
    """A tenant with clients."""
    server.create_plan(UNMETERED)
    return tenancy_on(server)


def keys_of(*keys: jwk.ECKey) -> Reply:
    """A key set, with what else may stand in one."""
    shown = [{**key.as_dict(private=False), "kid": key.thumbprint()} for key in keys]
    return Reply(json.dumps({"keys": [*shown, {"kty": "oct", "k": "AAAA"}, "no key"]}).encode())


def by_url(shop: Tenancy, url: str, **wish: Any) -> App:
    """A client whose keys stand at a URL."""
    made = app(shop, token_endpoint_auth_method="private_key_jwt", jwks_uri=url, **wish)
    made.auth, made.body = None, {}
    return made


def test_a_client_signs_with_the_keys_at_its_url_and_changes_them(
    shop: Tenancy, other: Elsewhere, server: RunningServer
) -> None:
    """OpenID Connect Core §10.1.1: a client that rotates its keys would be locked out until somebody helps it."""
    first, second = jwk.generate_key("EC", "P-256"), jwk.generate_key("EC", "P-256")
    other.replies[KEYS] = keys_of(first)
    client = by_url(shop, other.url(KEYS))
    assert client.client["jwks_uri"] == other.url(KEYS)
    sign, sign_anew = (signing(server, key, client.id) for key in (first, second))
    for _ in range(3):
        assert client.ask(**BY_ITSELF, **sign()).status_code == 200
    assert len([call for call in other.calls if call.path == KEYS]) == 1
    # Asked again for a key that is not known, though not for each: a flood of them would be one upon the client.
    other.replies[KEYS] = keys_of(second)
    for _ in range(3):
        assert client.ask(**BY_ITSELF, **sign_anew()).json()["error"] == "invalid_client"
    server.rooms.client_keys._places[other.url(KEYS)].asked_at -= 31
    assert client.ask(**BY_ITSELF, **sign_anew()).status_code == 200
    assert client.ask(**BY_ITSELF, **sign()).status_code == 401
    assert len([call for call in other.calls if call.path == KEYS]) == 2


@pytest.mark.parametrize(
    "reply", [Reply(status=500), Reply(b"[]"), Reply(b'{"keys": 1}'), Reply(b"\xff"), Reply(b"[" * 60_000)]
)
def test_a_url_without_keys_proves_nothing(
    shop: Tenancy, other: Elsewhere, server: RunningServer, reply: Reply
) -> None:
    """ASVS 9.1.3: whatever stands there instead must not be taken for a proof, nor bring the server down."""
    path = f"/odd{len(other.replies)}"
    other.replies[path] = reply
    client = by_url(shop, other.url(path))
    sign = signing(server, jwk.generate_key("EC", "P-256"), client.id)
    assert client.ask(**BY_ITSELF, **sign()).json()["error"] == "invalid_client"


def test_keys_of_a_url_that_is_away_are_good_for_a_while(
    shop: Tenancy, other: Elsewhere, server: RunningServer
) -> None:
    """A short outage at the client's would lock it out; a long one must not keep taken-back keys alive."""
    key = jwk.generate_key("EC", "P-256")
    other.replies["/away"] = keys_of(key)
    client = by_url(shop, other.url("/away"))
    sign = signing(server, key, client.id)
    assert client.ask(**BY_ITSELF, **sign()).status_code == 200
    other.replies["/away"] = Reply(status=503)
    place = server.rooms.client_keys._places[other.url("/away")]
    place.read_at -= 301
    place.asked_at -= 301
    assert client.ask(**BY_ITSELF, **sign()).status_code == 200
    place.read_at -= 3_600
    assert client.ask(**BY_ITSELF, **sign()).status_code == 401


def test_keys_stand_in_one_place_which_may_be_called(shop: Tenancy) -> None:
    """Attack 48, RFC 7591 §2: a client of two minds, or one that sends us into our own network."""
    keys = {"keys": [jwk.generate_key("EC", "P-256").as_dict(private=False)]}
    wish = {"name": "x", "scopes": ["read"], "grant_types": ["client_credentials"]}
    for said in (
        {"jwks_uri": "http://shop.example/keys"},
        {"jwks_uri": "https://a@shop.example/keys"},
        {"jwks_uri": "https://shop.example/keys", "jwks": keys},
    ):
        answer = shop.api.post("/v1/clients", json={**wish, **said})
        assert refusal(answer) == (400, "invalid_request"), answer.text
        assert answer.json()["field"] == "jwks_uri"
    assert (
        shop.api.post("/v1/clients", json={**wish, "id_token_signed_response_alg": "none"}).status_code == 400
    )


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256"])
def test_an_id_token_is_signed_as_its_client_reads_it(
    shop: Tenancy, server: RunningServer, algorithm: str
) -> None:
    """OpenID Connect Core §2: stock clients that know RS256 alone could not tell who has logged in."""
    client = app(shop, id_token_signed_response_alg=algorithm)
    assert client.client["id_token_signed_response_alg"] == algorithm
    published = server.client().get("/.well-known/jwks.json").json()["keys"]
    told = client.granted(shop.owner, "openid read")
    token = told["id_token"]
    header = jwt.get_unverified_header(token)
    assert header["alg"] == algorithm
    # Published before its first token: whoever read the keys a moment ago finds it.
    (key,) = [each for each in published if each["kid"] == header["kid"]]
    claims = jwt.decode(
        token,
        jwt.PyJWK(key).key,
        algorithms=[algorithm],
        audience=client.id,
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["sub"] == shop.owner["id"]
    offered = server.client().get("/.well-known/openid-configuration").json()
    assert algorithm in offered["id_token_signing_alg_values_supported"]


def test_a_client_of_openid_goes_on_by_itself_where_that_was_asked_for(shop: Tenancy) -> None:
    """OpenID Connect Core §11: who lets a client know them has not let it act when they are gone."""
    client = app(shop)
    assert "refresh_token" not in client.granted(shop.owner, "openid read")
    assert "refresh_token" in client.granted(shop.owner, "openid offline_access read")
    assert "refresh_token" in client.granted(shop.owner, "read")
