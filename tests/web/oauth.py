"""Clients and what people let them do, as if they had been asked on a page."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final, TypeVar

import httpx2
from joserfc import jws

from bonafides.delegation import AuthorizationCode
from bonafides.model import Actor, to_datetime
from bonafides.oauth.authorize import CODE_SECONDS
from bonafides.oauth.client_authentication import ASSERTION_TYPE
from tests.serving import RunningServer
from tests.web.tenancy import Json, Tenancy, made

T = TypeVar("T")

REDIRECT_URI: Final = "https://shop.example/callback"
BY_ITSELF: Final[Json] = {"grant_type": "client_credentials"}
VERIFIER: Final = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE: Final = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
"""RFC 7636, appendix B."""


@dataclass
class App:
    """A client with its secret, and how it speaks to the token endpoint."""

    server: RunningServer
    client: Json
    auth: Any = None
    body: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Its `client_id`."""
        identifier: str = self.client["id"]
        return identifier

    def ask(self, **fields: Any) -> httpx2.Response:
        """Ask the token endpoint."""
        return self.server.client().post("/oauth/token", data={**self.body, **fields}, auth=self.auth)

    def got(self, **fields: Any) -> Json:
        """What the token endpoint gives."""
        answer = self.ask(**fields)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        told: Json = answer.json()
        return told

    def by_itself(self, **fields: Any) -> Json:
        """A token for the client itself."""
        return self.got(grant_type="client_credentials", **fields)

    def redeem(self, code: str, **fields: Any) -> httpx2.Response:
        """Redeem a code."""
        given = {"redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER, **fields}
        wanted = {name: value for name, value in given.items() if value is not None}
        return self.ask(grant_type="authorization_code", code=code, **wanted)

    def refresh(self, refresh_token: str, **fields: Any) -> httpx2.Response:
        """Refresh."""
        return self.ask(grant_type="refresh_token", refresh_token=refresh_token, **fields)

    def revoke(self, token: str, **fields: Any) -> httpx2.Response:
        """Give a token back."""
        body = {**self.body, "token": token, **fields}
        return self.server.client().post("/oauth/revoke", data=body, auth=self.auth)

    def code(self, user: Json, scopes: str = "openid offline_access read", **changes: Any) -> str:
        """A code, as if that person had let the client have it in their browser."""
        now = to_datetime(self.server.clock.now_us)
        whole = AuthorizationCode(
            client_id=self.id,
            tenant_id=user["tenant_id"],
            user_id=user["id"],
            session_id="ses_0000000000000000000000",
            redirect_uri=REDIRECT_URI,
            redirect_uri_given=True,
            code_challenge=CHALLENGE,
            scopes=frozenset(scopes.split()),
            resources=(),
            authenticated_at=now - timedelta(seconds=90),
            methods=frozenset({"pwd"}),
            acr=None,
            nonce="n-0S6",
            claims={},
            jkt=None,
            created_at=now,
            expires_at=now + timedelta(seconds=CODE_SECONDS),
        )
        actor = Actor(user["id"], None, "test")
        return self._run(self.server.rooms.codes.issue(replace(whole, **changes), actor))

    def granted(self, user: Json, scopes: str = "openid offline_access read", **changes: Any) -> Json:
        """Tokens that a person let the client have."""
        answer = self.redeem(self.code(user, scopes, **changes))
        assert answer.status_code == 200, answer.text
        told: Json = answer.json()
        return told

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.server.loop).result(30)


def app_of(api: httpx2.Client, server: RunningServer, **wish: Any) -> App:
    """A new client that may do everything that a client may."""
    body = {
        "name": "Shop",
        "grant_types": ["authorization_code", "client_credentials", "refresh_token"],
        "redirect_uris": [REDIRECT_URI],
        "scopes": ["openid", "profile", "email", "offline_access", "read", "write"],
        **wish,
    }
    client = made(api.post("/v1/clients", json=body))
    if client["client_secret"] is None:
        return App(server, client, body={"client_id": client["id"]})
    return App(server, client, httpx2.BasicAuth(client["id"], client["client_secret"]))


def app(tenancy: Tenancy, **wish: Any) -> App:
    """A new client of a tenant, made by its owner."""
    return app_of(tenancy.api, tenancy.server, **wish)


def public_app(tenancy: Tenancy, **wish: Any) -> App:
    """A new client that keeps no secret."""
    return app(
        tenancy,
        token_endpoint_auth_method="none",
        grant_types=["authorization_code", "refresh_token"],
        **wish,
    )


def owners_token(server: RunningServer) -> str:
    """An access token that the operator's owner let a client have."""
    owner = server.admin.get("/v1/users/me").json()
    made_for = app_of(server.admin, server)
    return str(made_for.granted(owner, "openid profile email")["access_token"])


def challenge_of(verifier: str) -> str:
    """By S256."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def new_verifier() -> str:
    """Long enough."""
    return secrets.token_urlsafe(32)


Sign = Callable[..., Json]


def signing(server: RunningServer, key: Any, client_id: str) -> Sign:
    """Makes the fields of a client that proves who it is by a signature."""

    def sign(header: Json | None = None, **changes: Any) -> Json:
        now = server.clock.now_us // 1_000_000
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": server.settings.base_url,
            "jti": f"{time.monotonic_ns()}",
            "iat": now,
            "exp": now + 60,
            **changes,
        }
        payload = json.dumps({name: value for name, value in claims.items() if value is not None})
        header = header or {"alg": "ES256"}
        assertion = jws.serialize_compact(header, payload, key, algorithms=[header["alg"]])
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}

    return sign
