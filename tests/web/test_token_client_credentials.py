"""`/oauth/token`, for a client that acts for itself; and how every client proves who it is."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import httpx2
import pytest
from joserfc import jwk

from tests.web.oauth import BY_ITSELF, App, app, public_app, signing
from tests.web.tenancy import Json, Tenancy, refusal

TOKEN = "/oauth/token"


def claims_in(token: str) -> Json:
    """What a signed token says."""
    body = token.split(".")[1]
    claims: Json = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims


def header_of(token: str) -> Json:
    """What a signed token says of itself."""
    return claims_in("." + token.partition(".")[0])


def oauth_error(answer: httpx2.Response) -> tuple[int, str]:
    """Status and error, in the shape that RFC 6749 §5.2 asks for."""
    body = answer.json()
    assert body["error_description"].isascii()
    assert not set('"\\') & set(body["error_description"])
    assert body["message"]
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, body["error"]


def test_a_client_gets_a_token_for_itself(tenancy: Tenancy) -> None:
    """RFC 6749 §4.4, attack 15: its subject is nobody else's, and it has what the client has."""
    made = app(tenancy)
    told = made.by_itself()
    assert told.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert (told["token_type"], told["expires_in"], told["scope"]) == ("Bearer", 3600, "read write")
    identity = tenancy.verify(told["access_token"]).json()
    assert identity["user_id"] == made.id
    assert (identity["credential"]["kind"], identity["tenant_id"]) == ("oauth_access_token", tenancy.id)
    assert identity["scopes"] == ["read", "write"]
    assert made.by_itself(scope="read")["scope"] == "read"
    assert oauth_error(made.ask(**BY_ITSELF, scope="admin")) == (400, "invalid_scope")
    assert oauth_error(made.ask(**BY_ITSELF, scope='"')) == (400, "invalid_scope")
    forwarded = tenancy.client(told["access_token"]).get("/auth/forward")
    assert forwarded.headers["x-auth-user"] == made.id
    tenancy.server.clock.advance(3600)
    assert refusal(tenancy.verify(told["access_token"])) == (401, "token_expired")


def test_a_client_that_named_no_way_sends_its_secret_in_either(tenancy: Tenancy) -> None:
    """RFC 6749 §2.3.1, ASVS 10.4.10: clients in use send it in one of two ways, as a form or as JSON."""
    made = app(tenancy)
    secret = {"client_id": made.id, "client_secret": made.client["client_secret"]}
    client = tenancy.client()
    for answer in (
        client.post(TOKEN, data={**BY_ITSELF, **secret}),
        client.post(TOKEN, json={**BY_ITSELF, **secret}),
        client.post(TOKEN, data=BY_ITSELF, auth=made.auth),
        client.post(TOKEN, json=BY_ITSELF, auth=made.auth),
        client.post(TOKEN, data={**BY_ITSELF, "client_id": made.id, "unknown": "x"}, auth=made.auth),
    ):
        assert answer.status_code == 200, answer.text
    both = client.post(TOKEN, data={**BY_ITSELF, **secret}, auth=made.auth)
    assert oauth_error(both) == (400, "invalid_request")
    for method, sent in (("client_secret_basic", "post"), ("client_secret_post", "basic")):
        strict = app(tenancy, token_endpoint_auth_method=method)
        given = {"client_id": strict.id, "client_secret": strict.client["client_secret"]}
        wrong = client.post(TOKEN, data={**BY_ITSELF, **given}) if sent == "post" else strict.ask(**BY_ITSELF)
        assert oauth_error(wrong) == (401, "invalid_client")


def test_nobody_else_is_a_client(tenancy: Tenancy) -> None:
    """ASVS 10.4.10, attack 20: a client that need not prove who it is is anybody; and nothing tells what was wrong."""
    made, other, public = app(tenancy), app(tenancy), public_app(tenancy)
    secret, key = made.client["client_secret"], tenancy.owner_key["key"]
    answers = []
    for identifier, presented in (
        (made.id, other.client["client_secret"]),
        (made.id, secret[:-1]),
        (made.id, "x"),
        (made.id, key),
        ("cli_nobody", secret),
        (public.id, secret),
        ("", secret),
    ):
        answers.append(tenancy.client().post(TOKEN, data=BY_ITSELF, auth=(identifier, presented)))
    form = {**BY_ITSELF, "client_id": made.id}
    answers += [
        tenancy.client().post(TOKEN, data=form),
        tenancy.client().post(TOKEN, data=BY_ITSELF),
        tenancy.client().post(TOKEN, data={**form, "client_id": other.id}, auth=made.auth),
        tenancy.client().post(TOKEN, data=BY_ITSELF, headers={"Authorization": "Basic ???"}),
        tenancy.client().post(TOKEN, data=BY_ITSELF, headers={"Authorization": f"Bearer {key}"}),
    ]
    for answer in answers:
        assert oauth_error(answer) == (401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic ")
    assert len({answer.json()["message"] for answer in answers}) == 1
    assert oauth_error(public.ask(**BY_ITSELF)) == (400, "unauthorized_client")


def test_what_ends_a_client_ends_its_tokens(tenancy: Tenancy) -> None:
    """Attack 6: a deactivated service went on getting tokens, and using those that it had."""
    for change in ("disabled", "deleted"):
        made = app(tenancy)
        token = made.by_itself()["access_token"]
        assert tenancy.verify(token).status_code == 200
        path = f"/v1/clients/{made.id}"
        if change == "disabled":
            tenancy.api.patch(path, json={"status": "disabled"})
        else:
            tenancy.api.delete(path)
        assert refusal(tenancy.verify(token)) == (401, "invalid_token")
        assert oauth_error(made.ask(**BY_ITSELF)) == (401, "invalid_client")
        if change == "disabled":
            tenancy.api.patch(path, json={"status": "active"})
            assert tenancy.verify(token).status_code == 200


def test_scopes_that_a_client_loses_are_lost_to_its_tokens(tenancy: Tenancy) -> None:
    """ASVS 8.3.2: what was taken would stay for an hour."""
    made = app(tenancy)
    token = made.by_itself()["access_token"]
    tenancy.api.patch(f"/v1/clients/{made.id}", json={"scopes": ["read"]})
    assert tenancy.verify(token).json()["scopes"] == ["read"]


def test_a_secret_that_has_ended_proves_nothing(tenancy: Tenancy) -> None:
    """ASVS 13.3.4: a rotated secret would be good for ever."""
    made = app(tenancy)
    path = f"/v1/clients/{made.id}/secrets"
    second = tenancy.api.post(path, json={"overlap_seconds": 60}).json()["client_secret"]
    assert made.ask(**BY_ITSELF).status_code == 200
    tenancy.server.clock.advance(60)
    assert oauth_error(made.ask(**BY_ITSELF)) == (401, "invalid_client")
    made.auth = httpx2.BasicAuth(made.id, second)
    assert made.ask(**BY_ITSELF).status_code == 200


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "password", "username": "x", "password": "x"}, "unsupported_grant_type"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x"}, "invalid_grant"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "bf_ort_x"}, "invalid_grant"),
        ({**BY_ITSELF, "resource": "https://api.example#x"}, "invalid_target"),
        ({**BY_ITSELF, "resource": "https://nobody.example"}, "invalid_target"),
    ],
)
def test_what_cannot_be_granted_is_named_as_the_rfc_does(tenancy: Tenancy, body: Json, error: str) -> None:
    """RFC 6749 §5.2, ASVS 10.4.4, attack 14: client libraries tell these apart by their names."""
    assert oauth_error(app(tenancy).ask(**body)) == (400, error)


def test_a_grant_that_a_client_was_not_given_is_refused(tenancy: Tenancy) -> None:
    """ASVS 10.4.4: a client for people could act by itself."""
    made = app(tenancy, grant_types=["authorization_code"])
    assert oauth_error(made.ask(**BY_ITSELF)) == (400, "unauthorized_client")


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/x-www-form-urlencoded", b"grant_type=client_credentials&grant_type=x", 400),
        ("application/x-www-form-urlencoded", b"grant_type=%ff", 400),
        ("application/x-www-form-urlencoded", b"grant_type=%00", 400),
        ("application/json", b'["x"]', 400),
        ("application/json", b'{"grant_type": 1}', 400),
        ("application/json", b"{", 400),
        ("text/plain", b"grant_type=client_credentials", 415),
    ],
)
def test_a_malformed_request_is_refused(
    tenancy: Tenancy, content_type: str, body: bytes, status: int
) -> None:
    """RFC 6749 §3.2: of two values the first or the last would win, and somebody would choose which."""
    made = app(tenancy)
    answer = tenancy.client().post(
        TOKEN, content=body, auth=made.auth, headers={"Content-Type": content_type}
    )
    assert oauth_error(answer) == (status, "invalid_request")


def test_a_token_is_for_the_resource_that_was_asked_for(tenancy: Tenancy) -> None:
    """RFC 8707, RFC 9068: a token for one API would be good at every other."""
    resources = ["https://a.example/api", "https://b.example/api"]
    made = app(tenancy, audiences=resources, access_token_format="jwt", access_token_seconds=300)
    own = tenancy.server.settings.audience
    for asked, audience in (
        ([], own),
        ([resources[0]], resources[0]),
        (resources, resources),
        ([own], own),
    ):
        told = made.by_itself(resource=asked)
        claims = claims_in(told["access_token"])
        assert header_of(told["access_token"])["typ"] == "at+jwt"
        assert claims["aud"] == audience
        assert claims["iss"] == tenancy.server.settings.base_url
        assert (claims["sub"], claims["client_id"]) == (made.id, made.id)
        assert claims["exp"] - claims["iat"] == told["expires_in"] == 300
        assert claims["scope"] == "read write"
        identity = tenancy.verify(told["access_token"]).json()
        assert identity["credential"]["id"] == claims["jti"]
        introspected = tenancy.api.post("/oauth/introspect", data={"token": told["access_token"]}).json()
        assert introspected.get("aud") == (asked or None)
        assert introspected["client_id"] == made.id


def test_tokens_of_one_client_share_its_limit(tenancy: Tenancy) -> None:
    """ASVS 2.4.1: whoever is at their limit would ask for another token."""
    plan = tenancy.plan(requests_per_hour=100, per_method={"oauth_access_token": 2})
    lean = tenancy.server.create_tenant_user_key(scopes=["admin", "read", "write"])
    tenancy.operator.patch(f"/v1/tenants/{lean['tenant']['id']}", json={"plan": plan})
    api = tenancy.client(lean["key"]["key"])
    created = api.post(
        "/v1/clients", json={"name": "x", "grant_types": ["client_credentials"], "scopes": ["read"]}
    )
    made = App(
        tenancy.server,
        created.json(),
        httpx2.BasicAuth(created.json()["id"], created.json()["client_secret"]),
    )
    statuses = [tenancy.verify(made.by_itself()["access_token"]).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


@pytest.fixture(scope="module")
def signer() -> jwk.ECKey:
    """A client's own key."""
    return jwk.generate_key("EC", "P-256")


def by_signature(tenancy: Tenancy, key: Any) -> App:
    """A client that proves who it is by a signature."""
    return app(
        tenancy,
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [{**key.as_dict(private=False), "kid": "one"}]},
    )


def test_a_client_proves_who_it_is_by_a_signature(tenancy: Tenancy, signer: jwk.ECKey) -> None:
    """RFC 7523 §3: for the issuer, or for the token endpoint."""
    made = by_signature(tenancy, signer)
    assert made.client["client_secret"] is None
    sign = signing(tenancy.server, signer, made.id)
    base = tenancy.server.settings.base_url
    made.auth, made.body = None, {}
    for changes in ({}, {"aud": [base + TOKEN]}, {"header": {"alg": "ES256", "kid": "one"}}, {"iat": None}):
        answer = made.ask(**BY_ITSELF, **sign(**changes))
        assert answer.status_code == 200, answer.text


def test_an_assertion_serves_once(tenancy: Tenancy, signer: jwk.ECKey) -> None:
    """Attack 16 (fosite CVE-2020-15222): whoever saw one could be the client until it ended."""
    made = by_signature(tenancy, signer)
    made.body = {}
    fields = signing(tenancy.server, signer, made.id)()
    assert made.ask(**BY_ITSELF, **fields).status_code == 200
    assert oauth_error(made.ask(**BY_ITSELF, **fields)) == (401, "invalid_client")


def test_an_assertion_of_somebody_else_proves_nothing(tenancy: Tenancy, signer: jwk.ECKey) -> None:
    """RFC 7523 §3, RFC 8725 §3: each of these was taken by somebody's server."""
    made, other = by_signature(tenancy, signer), app(tenancy)
    made.body = {}
    sign = signing(tenancy.server, signer, made.id)
    now = tenancy.server.clock.now_us // 1_000_000
    stranger = signing(tenancy.server, jwk.generate_key("EC", "P-256"), made.id)
    good = sign()
    head, body, signature = good["client_assertion"].split(".")
    none = urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    for fields in (
        stranger(),
        sign(iss=other.id),
        sign(sub=other.id),
        sign(iss=other.id, sub=other.id),
        sign(aud="https://other.example"),
        sign(aud=None),
        sign(jti=None),
        sign(jti=""),
        sign(exp=None),
        sign(exp=now - 61),
        sign(exp=now + 90_000),
        sign(nbf=now + 120),
        sign(iat=now + 120),
        {**sign(), "client_assertion_type": "x"},
        {**sign(), "client_id": other.id},
        {**good, "client_assertion": f"{none}.{body}."},
        {**good, "client_assertion": f"{none}.{body}.{signature}"},
        {**good, "client_assertion": f"{head}.{body}.{signature[:-4]}AAAA"},
        {**good, "client_assertion": "x"},
        {**good, "client_assertion": "e30.e30.AA"},
    ):
        assert oauth_error(made.ask(**BY_ITSELF, **fields)) == (401, "invalid_client"), fields
    assert made.ask(**BY_ITSELF, **good).status_code == 200
