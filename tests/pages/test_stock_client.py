"""Stock clients, with a person at the pages: from the address to a renewed token."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session  # type: ignore[import-untyped]
from httpx_oauth.oauth2 import BaseOAuth2
from oauthlib.oauth2 import BackendApplicationClient, DeviceClient  # type: ignore[import-untyped]
from requests_oauthlib import OAuth2Session as RequestsSession  # type: ignore[import-untyped]

from tests.pages.browsing import visitor
from tests.pages.clients import CALLBACK, answered, application, consent_page
from tests.pages.test_devices import FACTS
from tests.web.oauth import app as app_of
from tests.web.tenancy import Tenancy


def test_authlib_gets_and_renews_tokens(tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever follows the RFCs with a library of others gets in: code with PKCE, `iss`, refresh, revocation."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    app = application(tenancy, "read", "openid", "offline_access")
    server = tenancy.server
    metadata = server.client().get("/.well-known/openid-configuration").json()

    def here(name: str) -> str:
        """An endpoint as discovery tells it, on the port that the test's server got."""
        return str(server.url) + str(metadata[name]).removeprefix(str(metadata["issuer"]))

    session = OAuth2Session(
        app.id,
        app.secret,
        token_endpoint_auth_method="client_secret_post",
        revocation_endpoint_auth_method="client_secret_post",
        introspection_endpoint_auth_method="client_secret_post",
        scope="openid offline_access read",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
    )
    session.trust_env = False
    verifier = secrets.token_urlsafe(48)
    url, state = session.create_authorization_url(here("authorization_endpoint"), code_verifier=verifier)
    browser = visitor(tenancy)
    answer = answered(browser, consent_page(browser, url.removeprefix(str(server.url))))
    token = session.fetch_token(
        here("token_endpoint"),
        authorization_response=answer.headers["location"],
        state=state,
        code_verifier=verifier,
    )
    assert token["token_type"] == "Bearer"
    me = server.client(token["access_token"]).get("/v1/auth/verify").json()
    assert me["credential"]["kind"] == "oauth_access_token"
    assert len(token["id_token"].split(".")) == 3
    renewed = session.refresh_token(here("token_endpoint"), refresh_token=token["refresh_token"])
    assert renewed["access_token"] != token["access_token"]
    told = session.introspect_token(here("introspection_endpoint"), token=renewed["access_token"])
    assert (told.json()["active"], told.json()["client_id"]) == (True, app.id)
    revoked = session.revoke_token(here("revocation_endpoint"), token=renewed["refresh_token"])
    assert revoked.status_code == 200, revoked.text
    for gone in (token, renewed):
        assert server.client(gone["access_token"]).get("/v1/auth/verify").status_code == 401


def test_authlib_and_requests_oauthlib_get_tokens_for_themselves(
    tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of what machines in Python do; one sends its secret in a header, the other as it was told."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    app = app_of(tenancy)
    secret, url = app.client["client_secret"], f"{tenancy.server.url}/oauth/token"
    first = OAuth2Session(app.id, secret, scope="read")
    second = RequestsSession(client=BackendApplicationClient(app.id, scope=["read"]))
    first.trust_env = second.trust_env = False
    for token in (
        first.fetch_token(url, grant_type="client_credentials"),
        second.fetch_token(url, client_id=app.id, client_secret=secret),
    ):
        told = tenancy.client(token["access_token"]).get("/v1/auth/verify").json()
        assert (told["user_id"], told["scopes"]) == (app.id, ["read"])


def test_requests_oauthlib_connects_a_device(tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 8628: what oauthlib has for it is a client that is polled by hand."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    app, url = application(tenancy, "read", **FACTS), str(tenancy.server.url)
    device = DeviceClient(app.id, scope=["read"])
    with requests.Session() as plain:
        plain.trust_env = False
        begun = plain.post(f"{url}/oauth/device_authorization", data={"client_id": app.id, "scope": "read"})
        browser = visitor(tenancy)
        page = browser.get("/device").form("/device")
        read = browser.submit(page, user_code=begun.json()["user_code"])
        browser.submit(read.form("/device/decision"), decision="allow")
        body = device.prepare_request_body(begun.json()["device_code"], include_client_id=True)
        answer = plain.post(f"{url}/oauth/token", data=dict(parse_qsl(body)))
    token = device.parse_request_body_response(answer.text)
    assert tenancy.client(token["access_token"]).get("/v1/auth/verify").status_code == 200


def test_requests_oauthlib_gets_and_renews_tokens(tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch) -> None:
    """What most older Python applications log in with."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    app = application(tenancy, "read")
    url = str(tenancy.server.url)
    session = RequestsSession(app.id, redirect_uri=CALLBACK, scope=["read"], pkce="S256")
    session.trust_env = False
    address, _ = session.authorization_url(f"{url}/oauth/authorize")
    browser = visitor(tenancy)
    answer = answered(browser, consent_page(browser, address.removeprefix(url)))
    proof = {"client_secret": app.secret, "include_client_id": True}
    token = session.fetch_token(
        f"{url}/oauth/token", authorization_response=answer.headers["location"], **proof
    )
    assert tenancy.client(token["access_token"]).get("/v1/auth/verify").status_code == 200
    fields = {"client_id": app.id, "client_secret": app.secret}
    renewed = session.refresh_token(f"{url}/oauth/token", **fields)
    assert renewed["access_token"] != token["access_token"]
    assert renewed["refresh_token"] != token["refresh_token"]


async def test_httpx_oauth_gets_renews_and_revokes_tokens(tenancy: Tenancy) -> None:
    """What FastAPI applications log in with."""
    app = application(tenancy, "read")
    url = str(tenancy.server.url)
    client: BaseOAuth2[Any] = BaseOAuth2(
        app.id,
        app.secret or "",
        f"{url}/oauth/authorize",
        f"{url}/oauth/token",
        f"{url}/oauth/token",
        f"{url}/oauth/revoke",
        token_endpoint_auth_method="client_secret_post",
        revocation_endpoint_auth_method="client_secret_post",
    )
    challenge = app.parameters()["code_challenge"]
    address = await client.get_authorization_url(
        CALLBACK, state="s", scope=["read"], code_challenge=challenge, code_challenge_method="S256"
    )
    browser = visitor(tenancy)
    answer = answered(browser, consent_page(browser, address.removeprefix(url)))
    code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
    token = await client.get_access_token(code, CALLBACK, app.verifier)
    renewed = await client.refresh_token(token["refresh_token"])
    assert tenancy.client(renewed["access_token"]).get("/v1/auth/verify").status_code == 200
    await client.revoke_token(renewed["refresh_token"], "refresh_token")
    assert tenancy.client(renewed["access_token"]).get("/v1/auth/verify").status_code == 401
