"""The frozen records of OAuth 2.0: clients, and what people let them do.

As in `model.py`, nothing here does I/O, and nothing holds a secret: digests at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from bonafides.model import (
    ADMIN,
    UNCHANGED,
    Credential,
    DigestedSecret,
    Role,
    SigningAlgorithm,
    Status,
    Unchanged,
    User,
)

DOCUMENT: Final = "client_id_document"
"""In a client's metadata: the URL at which it describes itself."""


class GrantType(StrEnum):
    """What a client may exchange for an access token, by the names of the wire."""

    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"
    CLIENT_CREDENTIALS = "client_credentials"
    DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
    TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
    JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    IMPLICIT = "implicit"
    """Never at the token endpoint, and nowhere unless the operator has switched it on."""


class AuthMethod(StrEnum):
    """How a client proves who it is at the token endpoint.

    See: RFC 7591 §2
    """

    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    PRIVATE_KEY_JWT = "private_key_jwt"
    NONE = "none"

    @property
    def by_secret(self) -> bool:
        """Whether it takes a shared secret."""
        return self in {AuthMethod.BASIC, AuthMethod.POST}


class TokenFormat(StrEnum):
    """The look of a client's access tokens: a secret of ours, or a signed token (RFC 9068)."""

    OPAQUE = "opaque"
    JWT = "jwt"


@dataclass(frozen=True, slots=True)
class Client:
    """A program that asks for tokens. It is a service user too, of the same id: what it does by itself, that user does.

    Args:
        scopes: What its tokens may have at most, the standard ones of OpenID Connect among them.
        redirect_uris: Where a person may be sent back to, compared whole.
        audiences: Resources that its tokens may be for; empty: this server's own audience alone.
        metadata: What else it says of itself (RFC 7591 §2): URIs to show, contacts, its software.
        jwks: Its public keys; empty where it has none.
        require_pkce: Whether it must prove that a code is for it (RFC 7636).
        first_party: Whether its users are not asked for consent: it is their own organisation's.
        dpop_bound: Whether its tokens are bound to a key of its own.
        access_token_seconds: How long its access tokens last; None: as long as everybody's.
        registered: Whether it has registered itself.
        status: Its user's.
    """

    id: str
    tenant_id: str
    name: str
    grant_types: frozenset[str]
    response_types: frozenset[str]
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    scopes: frozenset[str]
    audiences: tuple[str, ...]
    token_endpoint_auth_method: AuthMethod
    jwks: Mapping[str, Any]
    metadata: Mapping[str, Any]
    require_pkce: bool
    first_party: bool
    dpop_bound: bool
    token_format: TokenFormat
    access_token_seconds: int | None
    registered: bool
    status: Status
    created_by: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def document(self) -> str | None:
        """The URL at which it describes itself; None where somebody has made it."""
        url = self.metadata.get(DOCUMENT)
        return None if url is None else str(url)

    @property
    def wire_id(self) -> str:
        """By what it calls itself: its `client_id`."""
        return self.document or self.id

    @property
    def is_public(self) -> bool:
        """Whether it cannot keep a secret, and so does not prove who it is."""
        return self.token_endpoint_auth_method is AuthMethod.NONE

    @property
    def jwks_uri(self) -> str | None:
        """Where its public keys stand; None where they were registered themselves."""
        uri = self.metadata.get("jwks_uri")
        return None if uri is None else str(uri)

    @property
    def has_keys(self) -> bool:
        """Whether it can sign."""
        return bool(self.jwks) or self.jwks_uri is not None

    @property
    def keeps_fapi(self) -> bool:
        """Whether it has taken on FAPI 2.0: it pushes what it asks for, and its tokens are bound to a key of its own."""
        return self.dpop_bound and self.metadata.get("require_pushed_authorization_requests") is True

    @property
    def id_token_algorithm(self) -> SigningAlgorithm | None:
        """How its ID tokens are signed (RFC 7591 §2); None: as the server does."""
        named = self.metadata.get("id_token_signed_response_alg")
        return None if named is None else SigningAlgorithm(named)

    @property
    def userinfo_algorithm(self) -> SigningAlgorithm | None:
        """How it is told who somebody is (OpenID Connect Registration §2); None: as JSON, unsigned."""
        named = self.metadata.get("userinfo_signed_response_alg")
        return None if named is None else SigningAlgorithm(named)


def role_of(scopes: frozenset[str]) -> Role:
    """The role of the service user that a client with these scopes is."""
    return Role.ADMIN if ADMIN in scopes else Role.MEMBER


@dataclass(frozen=True, slots=True)
class ClientChanges:
    """A partial change of a client; `UNCHANGED` leaves a field as it is."""

    name: str | Unchanged = UNCHANGED
    grant_types: frozenset[str] | Unchanged = UNCHANGED
    response_types: frozenset[str] | Unchanged = UNCHANGED
    redirect_uris: tuple[str, ...] | Unchanged = UNCHANGED
    post_logout_redirect_uris: tuple[str, ...] | Unchanged = UNCHANGED
    scopes: frozenset[str] | Unchanged = UNCHANGED
    audiences: tuple[str, ...] | Unchanged = UNCHANGED
    token_endpoint_auth_method: AuthMethod | Unchanged = UNCHANGED
    jwks: Mapping[str, Any] | Unchanged = UNCHANGED
    metadata: Mapping[str, Any] | Unchanged = UNCHANGED
    require_pkce: bool | Unchanged = UNCHANGED
    first_party: bool | Unchanged = UNCHANGED
    dpop_bound: bool | Unchanged = UNCHANGED
    token_format: TokenFormat | Unchanged = UNCHANGED
    access_token_seconds: int | Unchanged | None = UNCHANGED
    status: Status | Unchanged = UNCHANGED


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A secret of a client, without the secret itself."""

    id: str
    client_id: str
    name: str
    display: str
    created_by: str | None
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewClient:
    """All that begins with a client.

    Args:
        user: The service user that it is.
        credential: What its own tokens are made from; nothing opens it.
        secret: Its first one, if it has any.
        registration: By which it may change what it has registered (RFC 7592); None for others.
    """

    client: Client
    user: User
    credential: Credential
    credential_secret: DigestedSecret
    secret: ClientSecret | None
    digested: DigestedSecret | None
    registration: DigestedSecret | None = None


@dataclass(frozen=True, slots=True)
class InitialAccessToken:
    """What lets somebody register clients, without the secret itself (RFC 7591 §3).

    Args:
        scopes: What such a client may have at most.
        uses_left: How many clients; None: any number.
        created_by: Who answers for them.
    """

    id: str
    tenant_id: str
    name: str
    display: str
    scopes: frozenset[str]
    uses_left: int | None
    created_by: str | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PresentedClient:
    """A client that somebody says they are, and what speaks for it.

    Args:
        live: Whether it and its tenant are active.
        secret: The one that was presented, if it is one of its own; it may have ended.
    """

    client: Client
    live: bool
    secret: ClientSecret | None


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody lets a client do; its tokens are made from the credential of the same id.

    Args:
        scopes: With the standard ones.
        resources: Which its tokens may be for (RFC 8707); empty: this server's own audience.
        session_id: The login in which it was given; it outlives it.
        authenticated_at: When its user had last proved who they are.
        methods: How (`amr`).
        acr: How well, where it was asked for.
        nonce: What its ID tokens repeat.
        claims: What was asked for in `claims`, as it was sent (OpenID Connect Core §5.5).
        jkt: Thumbprint of the key that its tokens are bound to (RFC 9449).
    """

    id: str
    tenant_id: str
    user_id: str
    client_id: str
    session_id: str | None
    scopes: frozenset[str]
    resources: tuple[str, ...]
    authenticated_at: datetime | None
    methods: frozenset[str]
    acr: str | None
    nonce: str | None
    claims: Mapping[str, Any]
    jkt: str | None
    created_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class SeenGrant:
    """A grant that has not ended, as its user and their admins see it.

    Args:
        client_name: What the client calls itself.
        last_used_at: When one of its tokens was last used; None if none was.
    """

    grant: Grant
    client_name: str
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class EndedLogin:
    """A login that has ended, and a client that its user had logged in to by it."""

    client_id: str
    user_id: str
    session_id: str


@dataclass(frozen=True, slots=True)
class GrantRefreshToken:
    """What the store keeps of a refresh token of a grant."""

    secret: DigestedSecret
    grant_id: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NewGrant:
    """All that begins with a grant, which its user and client must still be able to have.

    Args:
        credential: The grant's own, which nothing opens; its tokens' parent.
        token: The first access token.
        refresh_token: None where the client gets none.
    """

    grant: Grant
    credential: Credential
    credential_secret: DigestedSecret
    token: Credential
    token_secret: DigestedSecret
    refresh_token: GrantRefreshToken | None


@dataclass(frozen=True, slots=True)
class GrantRenewal:
    """What takes the place of a grant's refresh token that is spent; or the same one, which goes on for longer.

    Args:
        digest: Of the one that is presented.
        refresh_token: What is good from now on: another one, or the one that is presented, with a later end.
        sealed_answer: Given again within the grace, to who presents the one that is spent; None: it is not spent.
    """

    digest: bytes
    refresh_token: GrantRefreshToken
    sealed_answer: bytes | None
    token: Credential
    token_secret: DigestedSecret


@dataclass(frozen=True, slots=True)
class RefreshableGrant:
    """A grant's refresh token that was presented, with what decides on it.

    Args:
        digest: As stored.
        spent_at: When it was used; None if it was not.
        sealed_answer: Of a spent one, for as long as it is given again.
        successor_spent: Of a spent one: whether what followed it was used too.
        live: Whether its grant, user and tenant are active.
    """

    digest: bytes
    expires_at: datetime
    spent_at: datetime | None
    sealed_answer: bytes | None
    successor_spent: bool
    live: bool
    grant: Grant
    user: User


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """What the store keeps of an authorization code: all that it was asked for and given with.

    Args:
        redirect_uri: Where it was sent.
        redirect_uri_given: Whether the request named it; who then redeems it names it again.
        code_challenge: By S256; None where the client may go without.
        jkt: Thumbprint of the key that it is bound to (`dpop_jkt`).
    """

    client_id: str
    tenant_id: str
    user_id: str
    session_id: str | None
    redirect_uri: str
    redirect_uri_given: bool
    code_challenge: str | None
    scopes: frozenset[str]
    resources: tuple[str, ...]
    authenticated_at: datetime
    methods: frozenset[str]
    acr: str | None
    nonce: str | None
    claims: Mapping[str, Any]
    jkt: str | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PresentedCode:
    """An authorization code that somebody presents.

    Args:
        digest: As stored.
        grant_id: What it was redeemed for; None while it was not.
        live: Whether its user and tenant are active.
    """

    digest: bytes
    code: AuthorizationCode
    grant_id: str | None
    live: bool
    user: User


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody has let a client do, so that they are not asked again for as much."""

    id: str
    user_id: str
    client_id: str
    tenant_id: str
    scopes: frozenset[str]
    resources: tuple[str, ...]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class SeenConsent:
    """A consent, as who gave it and their admins see it."""

    consent: Consent
    client_name: str


@dataclass(frozen=True, slots=True)
class PushedRequest:
    """An authorization request that its client has sent ahead (RFC 9126)."""

    client_id: str
    tenant_id: str
    parameters: Mapping[str, Any]
    created_at: datetime
    expires_at: datetime


class DeviceStatus(StrEnum):
    """Where a device's request for access is in its life."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    REDEEMED = "redeemed"


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """A device that waits until a person lets it have access (RFC 8628).

    Args:
        interval_seconds: How long it waits between two questions.
        polled_at: When it last asked.
        user_id: Who has decided; None while nobody has.
        address: Where the device asked from.
    """

    client_id: str
    tenant_id: str
    scopes: frozenset[str]
    resources: tuple[str, ...]
    status: DeviceStatus
    interval_seconds: int
    polled_at: datetime | None
    user_id: str | None
    session_id: str | None
    authenticated_at: datetime | None
    methods: frozenset[str]
    nonce: str | None
    address: str | None
    grant_id: str | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PresentedRequest:
    """A pushed request that somebody names, which nobody has used up."""

    digest: bytes
    request: PushedRequest


@dataclass(frozen=True, slots=True)
class PresentedDevice:
    """A device's request that somebody names.

    Args:
        digest: As stored.
        too_soon: Whether the device asks again before its interval is over, which is longer from then on.
    """

    digest: bytes
    device: DeviceCode
    too_soon: bool = False


@dataclass(frozen=True, slots=True)
class DeviceDecision:
    """What a person has decided about a device's request.

    Args:
        digest: Whose, as stored.
        status: Approved or denied.
        scopes: What they give of what was asked.
        session_id: The login in which they decided.
    """

    digest: bytes
    status: DeviceStatus
    scopes: frozenset[str]
    user_id: str
    session_id: str | None
    authenticated_at: datetime
    methods: frozenset[str]
