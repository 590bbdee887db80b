"""A stock client, with a person at the pages: Authlib, from the address to a renewed token."""

from __future__ import annotations

import secrets

import pytest
from authlib.integrations.requests_client import OAuth2Session  # type: ignore[import-untyped]

from tests.pages.browsing import visitor
from tests.pages.clients import CALLBACK, answered, application, consent_page
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
    revoked = session.revoke_token(here("revocation_endpoint"), token=renewed["refresh_token"])
    assert revoked.status_code == 200, revoked.text
    for gone in (token, renewed):
        assert server.client(gone["access_token"]).get("/v1/auth/verify").status_code == 401
