"""Tokens that a client gets for somebody who is not there: by what was presented to it, or by what it has signed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Final

import pytest
from joserfc import jwk

from bonafides.delegation import Consent
from bonafides.model import Actor, AuditEvent, to_datetime
from tests.serving import RunningServer, running, settings_for
from tests.web.oauth import App, app, signing
from tests.web.tenancy import UNMETERED, Json, Tenancy, tenancy_on
from tests.web.test_dpop import BASE, TOKEN, Holder

EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"
JWT: Final = "urn:ietf:params:oauth:token-type:jwt"
API_KEY: Final = "urn:bonafides:token-type:api_key"
PAT: Final = "urn:bonafides:token-type:personal_access_token"


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


@pytest.fixture(scope="module")
def gateway(shop: Tenancy) -> App:
    """A client that goes on with what is presented to it, for two resources of its own."""
    return app(
        shop,
        grant_types=["client_credentials", EXCHANGE],
        audiences=["https://orders.example", "https://stock.example"],
        scopes=["read", "invoices:read"],
    )


def exchanged(client: App, token: str, type_: str = ACCESS_TOKEN, **fields: Any) -> Any:
    """The answer to an exchange."""
    return client.ask(grant_type=EXCHANGE, subject_token=token, subject_token_type=type_, **fields)


def is_good(shop: Tenancy, token: str) -> bool:
    """Whether a token opens anything."""
    return shop.verify(token).status_code == 200


def test_a_token_is_made_narrower_for_the_next_server(shop: Tenancy, gateway: App) -> None:
    """RFC 8693 §2: a server that calls another for somebody would pass on all that they may do."""
    told = exchanged(
        gateway, shop.key(scopes=["read", "write"])["key"], API_KEY, audience="https://orders.example"
    ).json()
    assert told.keys() == {"access_token", "issued_token_type", "token_type", "expires_in", "scope"}
    assert (told["issued_token_type"], told["token_type"], told["scope"]) == (ACCESS_TOKEN, "Bearer", "read")
    seen = shop.api.post("/oauth/introspect", data={"token": told["access_token"]}).json()
    assert (seen["sub"], seen["client_id"], seen["aud"]) == (
        shop.owner["id"],
        gateway.id,
        ["https://orders.example"],
    )
    assert "act" not in seen
    # Further on, by what was made: narrower still, and never wider.
    both = shop.key(scopes=["read", "invoices:read"])["key"]
    first = exchanged(gateway, both, API_KEY).json()
    assert first["scope"] == "invoices:read read"
    second = exchanged(gateway, first["access_token"], scope="read").json()
    assert second["scope"] == "read"
    third = exchanged(gateway, second["access_token"], scope="invoices:read")
    assert (third.status_code, third.json()["error"]) == (400, "invalid_scope")
    assert exchanged(gateway, both, API_KEY, scope="write").json()["error"] == "invalid_scope"


@pytest.mark.parametrize("kind", ["key", "pat", "granted", "jwt", "exchanged"])
def test_whatever_ends_the_first_ends_what_was_made_of_it(shop: Tenancy, gateway: App, kind: str) -> None:
    """RFC 8693 §2.1: whoever revokes what has leaked would leave its children alive."""
    token, type_, end = _subject(shop, gateway, kind)
    made = exchanged(gateway, token, type_).json()["access_token"]
    assert is_good(shop, made)
    end()
    assert not is_good(shop, made)
    assert exchanged(gateway, token, type_).json()["error"] == "invalid_request"


def _subject(shop: Tenancy, gateway: App, kind: str) -> tuple[str, str, Any]:
    """A credential, its type, and what ends it."""
    if kind == "key":
        key = shop.key(scopes=["read"])
        return key["key"], API_KEY, lambda: shop.api.delete(f"/v1/api-keys/{key['id']}")
    if kind == "pat":
        pat = shop.api.post(
            "/v1/personal-access-tokens", json={"description": "x", "expires_at": None}
        ).json()
        return pat["token"], PAT, lambda: shop.api.delete(f"/v1/personal-access-tokens/{pat['id']}")
    if kind == "exchanged":
        key = shop.key(scopes=["read"])
        first = exchanged(gateway, key["key"], API_KEY).json()["access_token"]
        return first, ACCESS_TOKEN, lambda: gateway.revoke(first)
    client = app(shop, access_token_format="jwt" if kind == "jwt" else "opaque")
    told = client.granted(shop.user(), "offline_access read")
    return (
        told["access_token"],
        JWT if kind == "jwt" else ACCESS_TOKEN,
        lambda: client.revoke(told["refresh_token"]),
    )


def test_who_acts_is_told_with_who_acted_before(shop: Tenancy, gateway: App) -> None:
    """RFC 8693 §4.1: the trail of a server further on would name the person alone, who has done nothing."""
    key, actor, other = (
        shop.key(scopes=["read"])["key"],
        shop.user(),
        shop.user(),
    )
    by, then = (shop.key(user_id=user["id"], scopes=["read"])["key"] for user in (actor, other))
    first = exchanged(gateway, key, API_KEY, actor_token=by, actor_token_type=API_KEY).json()["access_token"]
    second = exchanged(gateway, first, actor_token=then, actor_token_type=API_KEY).json()["access_token"]
    for token, act in (
        (first, {"sub": actor["id"]}),
        (second, {"sub": other["id"], "act": {"sub": actor["id"]}}),
    ):
        assert shop.api.post("/oauth/introspect", data={"token": token}).json()["act"] == act
    token = second
    for _ in range(3):
        token = exchanged(gateway, token, actor_token=by, actor_token_type=API_KEY).json()["access_token"]
    refused = exchanged(gateway, token, actor_token=by, actor_token_type=API_KEY)
    assert refused.json()["error"] == "invalid_request"


def test_attack_26_nothing_else_is_exchanged(shop: Tenancy, gateway: App, server: RunningServer) -> None:
    """Attack 26 (Casdoor CVE-2026-9094 and CVE-2026-9097): another tenant's, an ended user's, another type's."""
    stranger = tenancy_on(server)
    key = shop.key(scopes=["read"])["key"]
    user = shop.user()
    theirs = shop.key(user_id=user["id"], scopes=["read"])["key"]
    assert exchanged(gateway, theirs, API_KEY).status_code == 200
    shop.api.patch(f"/v1/users/{user['id']}", json={"status": "disabled"})
    opaque = app(shop).granted(shop.owner, "read")
    session = "eyJhbGciOiJub25lIn0.e30."
    for token, type_, more in (
        (stranger.key(scopes=["read"])["key"], API_KEY, {}),
        (theirs, API_KEY, {}),
        (key, ACCESS_TOKEN, {}),
        (key, PAT, {}),
        (opaque["access_token"], JWT, {}),
        (opaque["refresh_token"], ACCESS_TOKEN, {}),
        (session, JWT, {}),
        (key[:-1], API_KEY, {}),
        (key, "urn:ietf:params:oauth:token-type:saml2", {}),
        (key, API_KEY, {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}),
        (key, API_KEY, {"actor_token": "x", "actor_token_type": API_KEY}),
        (key, API_KEY, {"actor_token": key}),
        (key, API_KEY, {"actor_token_type": API_KEY}),
    ):
        answer = exchanged(gateway, token, type_, **more)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), (type_, more)
    foreign = exchanged(gateway, key, API_KEY, audience="https://bank.example")
    assert foreign.json()["error"] == "invalid_target"
    assert gateway.ask(grant_type=EXCHANGE, subject_token=key).json()["error"] == "invalid_request"
    assert exchanged(app(shop), key, API_KEY).json()["error"] == "unauthorized_client"
    public = {
        "name": "x",
        "scopes": ["read"],
        "grant_types": [EXCHANGE],
        "token_endpoint_auth_method": "none",
    }
    assert shop.api.post("/v1/clients", json=public).status_code == 400


def test_a_disabled_client_has_nothing_left_of_what_it_exchanged(shop: Tenancy) -> None:
    """Attack 6: a gateway that was taken over would go on with the tokens that it has."""
    client = app(shop, grant_types=[EXCHANGE])
    made = exchanged(client, shop.key(scopes=["read"])["key"], API_KEY).json()["access_token"]
    for status, good in (("disabled", False), ("active", True)):
        shop.api.patch(f"/v1/clients/{client.id}", json={"status": status})
        assert is_good(shop, made) is good


def test_a_bound_token_is_exchanged_with_its_key_alone(shop: Tenancy, server: RunningServer) -> None:
    """RFC 9449 §5: an exchange would turn a stolen bound token into one that is good for everybody."""
    client, holder = app(shop, grant_types=["client_credentials", EXCHANGE]), Holder(server)
    bound = holder.asks(client, grant_type="client_credentials").json()["access_token"]
    fields: Json = {"grant_type": EXCHANGE, "subject_token": bound, "subject_token_type": ACCESS_TOKEN}
    for answer in (client.ask(**fields), Holder(server).asks(client, **fields)):
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    told = holder.asks(client, holder.proof("POST", TOKEN), **fields).json()
    assert told["token_type"] == "DPoP"
    assert holder.calls(told["access_token"], "/v1/auth/verify").status_code == 200


# By an assertion


@pytest.fixture(scope="module")
def signer() -> jwk.ECKey:
    """A client's own key."""
    return jwk.generate_key("EC", "P-256")


@pytest.fixture(scope="module")
def robot(shop: Tenancy, signer: jwk.ECKey) -> App:
    """A client that signs for whom it acts, and sends nothing beside it."""
    made = app(shop, grant_types=[BEARER], jwks={"keys": [signer.as_dict(private=False)]})
    made.auth = None
    return made


def consents(shop: Tenancy, user: Json, client: App, scopes: str) -> None:
    """Let a client act for somebody."""
    now = to_datetime(shop.server.clock.now_us)
    given = Consent(
        f"con_{user['id'][4:]}",
        user["id"],
        client.id,
        user["tenant_id"],
        frozenset(scopes.split()),
        (),
        now,
        now,
    )
    event = AuditEvent(
        f"evt_{user['id'][4:]}",
        now,
        user["tenant_id"],
        "consent.given",
        "consent",
        given.id,
        Actor(None, None, "test"),
    )
    work = shop.server.rooms.store.give_consent(given, event)
    asyncio.run_coroutine_threadsafe(work, shop.server.loop).result(30)


def test_a_client_acts_for_itself_and_for_who_has_let_it(
    shop: Tenancy, robot: App, signer: jwk.ECKey, server: RunningServer
) -> None:
    """RFC 7523 §2.1: what service accounts of other clouds' libraries send."""
    sign = signing(server, signer, robot.id)
    itself = robot.got(grant_type=BEARER, assertion=sign()["client_assertion"])
    assert shop.verify(itself["access_token"]).json()["user_id"] == robot.id
    ada, bob = shop.user(), shop.user()
    consents(shop, ada, robot, "read write offline_access")
    told = robot.got(
        grant_type=BEARER, assertion=sign(sub=ada["id"], aud=TOKEN)["client_assertion"], scope="read"
    )
    assert told.keys() == {"access_token", "token_type", "expires_in", "scope"}
    identity = shop.verify(told["access_token"]).json()
    assert (identity["user_id"], identity["scopes"]) == (ada["id"], ["read"])
    for claims, scope, error in (
        ({"sub": ada["id"]}, "invoices:read", "invalid_scope"),
        ({"sub": bob["id"]}, "read", "invalid_grant"),
        ({"sub": shop.owner["id"]}, "read", "invalid_grant"),
        ({"sub": "usr_nobody"}, "read", "invalid_grant"),
        ({"sub": None}, "read", "invalid_grant"),
    ):
        answer = robot.ask(grant_type=BEARER, assertion=sign(**claims)["client_assertion"], scope=scope)
        assert (answer.status_code, answer.json()["error"]) == (400, error), (claims, answer.text)
    # What ends the consent, or the person, ends it.
    assert is_good(shop, told["access_token"])
    shop.api.patch(f"/v1/users/{ada['id']}", json={"status": "disabled"})
    assert not is_good(shop, told["access_token"])
    again = robot.ask(grant_type=BEARER, assertion=sign(sub=ada["id"])["client_assertion"])
    assert again.json()["error"] == "invalid_grant"


def test_attack_31_an_assertion_is_of_its_client_for_this_server_and_serves_once(
    shop: Tenancy, robot: App, signer: jwk.ECKey, server: RunningServer
) -> None:
    """RFC 7523 §3, attack 16, attack 31 (ZITADEL CVE-2026-55669): each was taken by somebody's server."""
    sign = signing(server, signer, robot.id)
    other = app(
        shop, grant_types=[BEARER], jwks={"keys": [jwk.generate_key("EC", "P-256").as_dict(private=False)]}
    )
    now = server.clock.now_us // 1_000_000
    good = sign()["client_assertion"]
    assert robot.ask(grant_type=BEARER, assertion=good).status_code == 200
    # Without a name it is known by what it says, whatever signature is on it.
    nameless, resigned = (sign(jti=None)["client_assertion"] for _ in range(2))
    assert nameless != resigned
    assert robot.ask(grant_type=BEARER, assertion=nameless).status_code == 200
    for assertion, error in (
        (good, "invalid_grant"),
        (sign(aud="https://other.example")["client_assertion"], "invalid_grant"),
        (sign(aud=None)["client_assertion"], "invalid_grant"),
        (sign(exp=None)["client_assertion"], "invalid_grant"),
        (sign(exp=now - 61)["client_assertion"], "invalid_grant"),
        (sign(exp=now + 86_400)["client_assertion"], "invalid_grant"),
        (nameless, "invalid_grant"),
        (resigned, "invalid_grant"),
        (sign(jti="")["client_assertion"], "invalid_grant"),
        (sign(jti=7)["client_assertion"], "invalid_grant"),
        (sign(iss=other.id)["client_assertion"], "invalid_grant"),
        (signing(server, jwk.generate_key("EC", "P-256"), robot.id)()["client_assertion"], "invalid_grant"),
        (sign(iss="cli_nobody")["client_assertion"], "invalid_client"),
        (sign(iss=None)["client_assertion"], "invalid_client"),
        (sign(iss=app(shop).id)["client_assertion"], "invalid_client"),
        ("x", "invalid_client"),
    ):
        assert robot.ask(grant_type=BEARER, assertion=assertion).json()["error"] == error, assertion
    # A client that proves who it is beside it must be the one that has signed.
    beside = app(shop, grant_types=[BEARER], jwks={"keys": [signer.as_dict(private=False)]})
    assert (
        beside.ask(grant_type=BEARER, assertion=sign()["client_assertion"]).json()["error"] == "invalid_grant"
    )
    assert beside.got(grant_type=BEARER, assertion=signing(server, signer, beside.id)()["client_assertion"])
    body = {"name": "x", "scopes": ["read"], "grant_types": [BEARER]}
    assert shop.api.post("/v1/clients", json=body).status_code == 400
