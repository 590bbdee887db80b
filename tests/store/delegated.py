"""Records of OAuth as the rooms would make them, each whole and valid until a test says otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bonafides.delegation import (
    AuthMethod,
    Client,
    Consent,
    DeviceCode,
    DeviceStatus,
    NewClient,
    PushedRequest,
    TokenFormat,
)
from bonafides.model import Role, Status, UserKind
from bonafides.store.sql import SqlStore
from tests.store.records import LATER, NOW, credential, event, secret, user


def client(identity: str = "cli_1", **fields: Any) -> Client:
    """A web application of the founding owner's tenant."""
    made = Client(
        id=identity,
        tenant_id="ten_a",
        name=f"Application {identity}",
        grant_types=frozenset({"authorization_code"}),
        response_types=frozenset({"code"}),
        redirect_uris=("https://app.example.com/callback",),
        post_logout_redirect_uris=(),
        scopes=frozenset({"read", "openid"}),
        audiences=(),
        token_endpoint_auth_method=AuthMethod.BASIC,
        jwks={},
        metadata={},
        require_pkce=True,
        first_party=False,
        dpop_bound=False,
        token_format=TokenFormat.OPAQUE,
        access_token_seconds=None,
        registered=False,
        status=Status.ACTIVE,
        created_by="usr_owner",
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(made, **fields)


async def add_client(store: SqlStore, identity: str = "cli_1", **fields: Any) -> Client:
    """Insert a client with all that begins with it."""
    made = client(identity, **fields)
    itself = user(
        identity,
        made.tenant_id,
        kind=UserKind.SERVICE,
        email=None,
        role=Role.MEMBER,
        scopes=frozenset({"read"}),
    )
    own = credential(identity, tenant_id=made.tenant_id, user_id=identity)
    await store.create_client(NewClient(made, itself, own, secret(own), None, None), event("client.created"))
    return made


def consent(identity: str = "con_1", **fields: Any) -> Consent:
    """What the founding owner lets a client do."""
    made = Consent(
        id=identity,
        user_id="usr_owner",
        client_id="cli_1",
        tenant_id="ten_a",
        scopes=frozenset({"read"}),
        resources=("https://api.example.com/",),
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(made, **fields)


def pushed(**fields: Any) -> PushedRequest:
    """A request that a client has sent ahead."""
    made = PushedRequest("cli_1", "ten_a", {"pairs": [["state", "s"]]}, NOW, LATER)
    return replace(made, **fields)


def device(**fields: Any) -> DeviceCode:
    """A device that waits."""
    made = DeviceCode(
        client_id="cli_1",
        tenant_id="ten_a",
        scopes=frozenset({"read", "openid"}),
        resources=("https://api.example.com/",),
        status=DeviceStatus.PENDING,
        interval_seconds=5,
        polled_at=None,
        user_id=None,
        session_id=None,
        authenticated_at=None,
        methods=frozenset(),
        nonce=None,
        address="192.0.2.1",
        grant_id=None,
        created_at=NOW,
        expires_at=LATER,
    )
    return replace(made, **fields)
