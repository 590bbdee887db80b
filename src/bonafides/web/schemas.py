"""The bodies of answers, for describing them."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from bonafides.delegation import AuthMethod, TokenFormat
from bonafides.errors import WIRE_CODES
from bonafides.intake import LIFETIME_SECONDS_MAX
from bonafides.model import (
    Check,
    CountBy,
    CredentialKind,
    FactorKind,
    Role,
    SigningAlgorithm,
    SigningKeyStatus,
    UsagePeriod,
    UserKind,
)
from bonafides.web.bodies import Moment, without_defaults

_TAIL: Final = "[0-9A-Za-z]{22}$"

KeyId = Annotated[str, Field(pattern=f"^key_{_TAIL}")]
UserId = Annotated[str, Field(pattern=f"^(usr|cli)_{_TAIL}")]
ClientId = Annotated[str, Field(pattern=f"^cli_{_TAIL}")]
ConsentId = Annotated[str, Field(pattern=f"^con_{_TAIL}")]
GrantId = Annotated[str, Field(pattern=f"^grt_{_TAIL}")]
ClientSecretId = Annotated[str, Field(pattern=f"^sec_{_TAIL}")]
TenantId = Annotated[str, Field(pattern=f"^ten_{_TAIL}")]
SessionId = Annotated[str, Field(pattern=f"^ses_{_TAIL}")]
EventId = Annotated[str, Field(pattern=f"^evt_{_TAIL}")]
CredentialId = Annotated[str, Field(pattern=f"^[a-z]{{3}}_{_TAIL}")]
PersonalTokenId = Annotated[str, Field(pattern=f"^pat_{_TAIL}")]
BearerTokenId = Annotated[str, Field(pattern=f"^tok_{_TAIL}")]
Thumbprint = Annotated[
    str, Field(pattern="^[0-9A-Za-z_-]{43}$", description="The key's thumbprint (RFC 7638), its `kid`.")
]
RequestId = Annotated[str, Field(pattern=f"^req_{_TAIL}")]


PersonalTokenSecret = Annotated[
    str,
    Field(
        description="The secret. It is shown this once and cannot be read again.",
        pattern="^bf_pat_[0-9A-Za-z]{44}_[0-9A-Za-z]{6}$",
    ),
]


class CredentialName(BaseModel):
    """A credential, named."""

    id: CredentialId
    kind: CredentialKind
    name: str


class Identity(BaseModel):
    """Who a good credential speaks for."""

    authenticated: Literal[True]
    user_id: UserId
    scopes: list[str]
    expires_at: Annotated[Moment | None, Field(description="When it stops working by itself; `null`: never.")]
    tenant_id: TenantId
    credential: CredentialName


class GoodCredential(Identity):
    """The credential is good: who it speaks for."""

    valid: Literal[True]


class BadCredential(BaseModel):
    """The credential is not good, and why."""

    valid: Literal[False]
    code: Annotated[
        Literal[
            "invalid_api_key",
            "invalid_token",
            "token_expired",
            "insufficient_scope",
            "ip_not_allowed",
            "rate_limit_exceeded",
        ],
        Field(description="The error code that the credential's own request would get."),
    ]
    message: Annotated[str, Field(description="The same for a person.")]


class VerifyVerdict(RootModel[GoodCredential | BadCredential]):
    """What a resource server learns: an identity, or why not."""


class IntrospectionRequest(BaseModel):
    """A resource server's question, by the names of RFC 7662."""

    token: str = Field(min_length=1, description="The credential, as it was presented.")
    token_type_hint: str = Field(default="", description="Not needed.")
    ip: str = Field(default="", description="Where it was presented from, if it may be bound to addresses.")

    __pydantic_extra__: dict[str, str]

    model_config = ConfigDict(extra="allow", json_schema_extra=without_defaults)


class ActiveCredential(BaseModel):
    """A credential that is good."""

    active: Literal[True]
    scope: str
    token_type: Literal["Bearer", "DPoP"]
    exp: int = Field(default=0, description="When it stops working by itself, in seconds since the epoch.")
    sub: UserId
    iss: str
    jti: CredentialId
    tenant_id: TenantId
    kind: CredentialKind
    client_id: ClientId = Field(
        default="", description="Of an access token: the client that it was given to."
    )
    aud: list[str] = Field(default=[], description="Of an access token: the resources that it is for.")
    cnf: dict[str, str] = Field(default={}, description="Of an access token: the key that it is bound to.")
    act: dict[str, Any] = Field(default={}, description="Of an exchanged token: who acts with it (RFC 8693).")

    model_config = ConfigDict(json_schema_extra=without_defaults)


class InactiveCredential(BaseModel):
    """A credential that is not good; nothing more is told of it."""

    active: Literal[False]

    model_config = ConfigDict(extra="forbid")


class Introspection(RootModel[ActiveCredential | InactiveCredential]):
    """What a resource server learns, by the names of RFC 7662."""


class ApiKey(BaseModel):
    """An API key, without its secret."""

    id: KeyId
    object: Literal["api_key"]
    name: str
    display: str = Field(description="The first and last four characters of the secret.")
    scopes: list[str]
    plan: str | None = Field(description="`null`: the tenant's plan.")
    status: Literal["active", "disabled", "revoked", "expired"]
    user_id: UserId
    tenant_id: TenantId
    parent_id: KeyId | None = Field(description="The key that this one succeeded.")
    expires_at: Moment | None
    overlap_ends_at: Moment | None = Field(description="For a rotated key: when it stops working.")
    allowed_ips: list[str]
    metadata: dict[str, Any]
    created_by: UserId | None
    created_at: Moment
    updated_at: Moment
    last_used_at: Moment | None
    revoked_at: Moment | None
    revocation_reason: str | None
    bearer_token_seconds: int | None = Field(
        description="How long bearer tokens made from it last; `null`: as its plan says, or an hour."
    )


class MadeApiKey(ApiKey):
    """A new API key with its secret, shown this once."""

    key: str = Field(
        description="The secret. It is shown this once and cannot be read again.",
        pattern="^bf_key_[0-9A-Za-z]{44}_[0-9A-Za-z]{6}$",
    )


class TokenRequest(BaseModel):
    """What a client asks for; each grant needs fields of its own."""

    grant_type: str = Field(
        description=(
            "`client_credentials`, `authorization_code`, `refresh_token`, or one of `urn:ietf:params:oauth:grant-type:…`: "
            "`device_code`, `token-exchange`, `jwt-bearer`."
        ),
        max_length=200,
    )
    client_id: str = Field(default="", description="Of a client that is not in the header.")
    client_secret: str = Field(default="", description="The same.")
    client_assertion_type: str = Field(default="", description="For `private_key_jwt` (RFC 7523).")
    client_assertion: str = Field(default="", description="The same: signed by the client, and used once.")
    scope: str = Field(default="", description="Fewer scopes than the client may have, separated by spaces.")
    resource: str = Field(
        default="", description="Which resource the token is for (RFC 8707); may be repeated."
    )
    code: str = Field(default="", description="For `authorization_code`.")
    redirect_uri: str = Field(default="", description="For `authorization_code`: where the code was sent.")
    code_verifier: str = Field(
        default="", description="For `authorization_code`: what proves that it is yours (RFC 7636)."
    )
    refresh_token: str = Field(default="", description="For `refresh_token`; it is spent with it.")
    device_code: str = Field(default="", description="For `…:device_code`: the device's own code.")
    subject_token: str = Field(
        default="", description="For `…:token-exchange`: whose access the new token narrows."
    )
    subject_token_type: str = Field(
        default="",
        description=(
            "The same: `urn:ietf:params:oauth:token-type:access_token` or `…:jwt`, `urn:bonafides:token-type:api_key` or `…:personal_access_token`."
        ),
    )
    actor_token: str = Field(default="", description="For `…:token-exchange`: who acts with the new token.")
    actor_token_type: str = Field(default="", description="The same types.")
    assertion: str = Field(
        default="",
        description="For `…:jwt-bearer`: signed by the client for itself or for who has let it act.",
    )

    __pydantic_extra__: dict[str, str]

    model_config = ConfigDict(extra="allow", json_schema_extra=without_defaults)


class TokenAnswer(BaseModel):
    """Tokens for a client."""

    access_token: str
    token_type: Literal["Bearer", "DPoP"]
    expires_in: int = Field(description="Seconds.")
    scope: str = Field(description="What the access token has, separated by spaces.")
    refresh_token: str = Field(default="", description="If the client may have one.")
    issued_token_type: str = Field(default="", description="Of an exchanged token: which type it is.")
    id_token: str = Field(default="", description="With the scope `openid`: who has logged in, signed.")

    model_config = ConfigDict(json_schema_extra=without_defaults)


class PushedAuthorizationRequest(BaseModel):
    """What a browser would be sent with, and what proves who the client is."""

    client_id: str = Field(default="", description="Of a client that is not in the header.")
    client_secret: str = Field(default="", description="The same.")
    client_assertion_type: str = Field(default="", description="For `private_key_jwt` (RFC 7523).")
    client_assertion: str = Field(default="", description="The same: signed by the client, and used once.")
    response_type: str = Field(description="`code`.")
    redirect_uri: str = Field(default="", description="Where the answer goes: one that is registered.")
    scope: str = Field(default="", description="What is asked for, separated by spaces.")
    state: str = Field(default="", description="Comes back with the answer.")
    code_challenge: str = Field(default="", description="By `S256` (RFC 7636).")
    code_challenge_method: str = Field(default="", description="`S256`.")
    nonce: str = Field(default="", description="Comes back in the ID token.")
    resource: str = Field(
        default="", description="Which resource tokens are for (RFC 8707); may be repeated."
    )

    __pydantic_extra__: dict[str, str]

    model_config = ConfigDict(extra="allow", json_schema_extra=without_defaults)


class PushedAnswer(BaseModel):
    """A request that was taken."""

    request_uri: str = Field(description="What the browser is sent with; it serves once.")
    expires_in: int = Field(description="Seconds within which somebody has to come with it.")


class DeviceAuthorizationRequest(BaseModel):
    """What a device asks for."""

    client_id: str = Field(default="", description="Of a client that is not in the header.")
    client_secret: str = Field(default="", description="The same.")
    client_assertion_type: str = Field(default="", description="For `private_key_jwt` (RFC 7523).")
    client_assertion: str = Field(default="", description="The same: signed by the client, and used once.")
    scope: str = Field(default="", description="What is asked for, separated by spaces.")
    resource: str = Field(
        default="", description="Which resource tokens are for (RFC 8707); may be repeated."
    )

    __pydantic_extra__: dict[str, str]

    model_config = ConfigDict(extra="allow", json_schema_extra=without_defaults)


class BegunDevice(BaseModel):
    """What a device shows, and asks with."""

    device_code: str
    user_code: str = Field(description="What the person types.")
    verification_uri: str = Field(description="Where.")
    verification_uri_complete: str = Field(description="The same, with the code filled in.")
    expires_in: int = Field(description="Seconds.")
    interval: int = Field(description="How many seconds the device waits between two questions.")


class RevocationRequest(BaseModel):
    """Which token is given back."""

    token: str = Field(min_length=1, description="An access token or a refresh token.")
    token_type_hint: str = Field(default="", description="Not needed.")
    client_id: str = Field(default="", description="Of a client that is not in the header.")
    client_secret: str = Field(default="", description="The same.")
    client_assertion_type: str = Field(default="", description="For `private_key_jwt` (RFC 7523).")
    client_assertion: str = Field(default="", description="The same: signed by the client, and used once.")

    __pydantic_extra__: dict[str, str]

    model_config = ConfigDict(extra="allow", json_schema_extra=without_defaults)


class UserInfo(BaseModel):
    """Claims about a person (OpenID Connect Core §5.1)."""

    sub: UserId
    name: str = Field(default="", description="With the scope `profile`.")
    updated_at: int = Field(default=0, description="With the scope `profile`: seconds since the epoch.")
    email: str = Field(default="", description="With the scope `email`.")
    email_verified: bool = Field(default=False, description="With the scope `email`.")

    model_config = ConfigDict(json_schema_extra=without_defaults)


class ServerMetadata(BaseModel):
    """Metadata of the authorization server (RFC 8414 §2, OpenID Connect Discovery §3)."""

    issuer: str
    authorization_endpoint: str
    end_session_endpoint: str
    token_endpoint: str
    jwks_uri: str
    revocation_endpoint: str
    introspection_endpoint: str
    userinfo_endpoint: str
    pushed_authorization_request_endpoint: str
    device_authorization_endpoint: str
    registration_endpoint: str
    scopes_supported: list[str]
    response_types_supported: list[str]
    response_modes_supported: list[str]
    grant_types_supported: list[str]
    subject_types_supported: list[str]
    id_token_signing_alg_values_supported: list[str]
    userinfo_signing_alg_values_supported: list[str]
    display_values_supported: list[str]
    claim_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    token_endpoint_auth_signing_alg_values_supported: list[str]
    revocation_endpoint_auth_methods_supported: list[str]
    revocation_endpoint_auth_signing_alg_values_supported: list[str]
    introspection_endpoint_auth_methods_supported: list[str]
    introspection_endpoint_auth_signing_alg_values_supported: list[str]
    code_challenge_methods_supported: list[str]
    dpop_signing_alg_values_supported: list[str]
    claims_supported: list[str]
    claims_parameter_supported: bool
    backchannel_logout_supported: bool
    backchannel_logout_session_supported: bool
    authorization_response_iss_parameter_supported: bool
    client_id_metadata_document_supported: bool
    request_parameter_supported: bool
    request_uri_parameter_supported: bool
    require_request_uri_registration: bool = False
    request_object_signing_alg_values_supported: list[str] = []
    require_pushed_authorization_requests: bool

    model_config = ConfigDict(json_schema_extra=without_defaults)


class Client(BaseModel):
    """An OAuth client, without its secrets."""

    id: ClientId
    object: Literal["client"]
    client_id: ClientId
    tenant_id: TenantId
    name: str
    status: Literal["active", "disabled"]
    grant_types: list[str]
    response_types: list[str]
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str]
    scopes: list[str]
    audiences: list[str]
    token_endpoint_auth_method: AuthMethod
    jwks: dict[str, Any] | None
    require_pkce: bool
    first_party: bool
    dpop_bound_access_tokens: bool
    access_token_format: TokenFormat
    access_token_seconds: int | None
    registered: bool = Field(description="Whether it has registered itself.")
    client_uri: str | None
    logo_uri: str | None
    policy_uri: str | None
    tos_uri: str | None
    jwks_uri: str | None
    id_token_signed_response_alg: SigningAlgorithm | None
    userinfo_signed_response_alg: SigningAlgorithm | None
    backchannel_logout_uri: str | None
    backchannel_logout_session_required: bool | None
    require_pushed_authorization_requests: bool | None
    request_uris: list[str] | None
    request_object_signing_alg: Literal["EdDSA", "ES256", "PS256", "RS256", "none"] | None
    require_signed_request_object: bool | None
    created_by: UserId | None
    created_at: Moment
    updated_at: Moment


class ClientSecret(BaseModel):
    """A secret of a client, without the secret itself."""

    id: ClientSecretId
    object: Literal["client_secret"]
    client_id: ClientId
    name: str
    display: str = Field(description="The first and last four characters of the secret.")
    created_by: UserId | None
    created_at: Moment
    expires_at: Moment | None


class ClientWithSecrets(Client):
    """An OAuth client, and which secrets it has."""

    secrets: list[ClientSecret]


class MadeClient(Client):
    """A new client with its secret, shown this once."""

    client_secret: str | None = Field(
        description="Shown this once; `null` where it proves who it is in another way.",
        pattern="^bf_sec_[0-9A-Za-z]{44}_[0-9A-Za-z]{6}$",
    )


class MadeClientSecret(ClientSecret):
    """A new secret of a client, shown this once."""

    client_secret: str = Field(
        description="The secret. It is shown this once and cannot be read again.",
        pattern="^bf_sec_[0-9A-Za-z]{44}_[0-9A-Za-z]{6}$",
    )


class Token(BaseModel):
    """What every token has."""

    display: str = Field(description="The first and last four characters of the secret.")
    scopes: list[str]
    status: Literal["active", "disabled", "revoked", "expired"]
    user_id: UserId
    tenant_id: TenantId
    expires_at: Moment | None
    created_at: Moment
    last_used_at: Moment | None
    revoked_at: Moment | None
    revocation_reason: str | None


class PersonalAccessToken(Token):
    """A personal access token, without its secret."""

    id: PersonalTokenId
    object: Literal["personal_access_token"]
    description: str


class MadePersonalAccessToken(PersonalAccessToken):
    """A new personal access token with its secret, shown this once."""

    token: PersonalTokenSecret


class BearerToken(Token):
    """A bearer token, without its secret."""

    id: BearerTokenId
    object: Literal["bearer_token"]
    parent_id: KeyId = Field(description="The key that it was made from.")


class KeyExchange(BaseModel):
    """What a key is exchanged for; all of it may be left out."""

    apikey: str = Field(default="", description="The key, if it is not in a header.")
    scope: str = Field(default="", description="Fewer scopes than the key has, separated by spaces.")
    expires_in: int = Field(
        default=1,
        ge=1,
        le=LIFETIME_SECONDS_MAX,
        description="Seconds, if less than the key or its plan gives.",
    )

    model_config = ConfigDict(extra="forbid", json_schema_extra=without_defaults)


class ExchangedKey(BaseModel):
    """A bearer token, by the names that its clients know."""

    authenticated: Literal[True]
    token: str = Field(
        description="The secret. It is shown this once and cannot be read again.",
        pattern="^bf_tok_[0-9A-Za-z]{44}_[0-9A-Za-z]{6}$",
    )
    tokenExpiration: Moment  # noqa: N815 - its name on the wire
    id: BearerTokenId
    scopes: list[str]


class AccountToken(BaseModel):
    """A personal access token, by the names of `/api/auth/tokens`."""

    tokenId: PersonalTokenId  # noqa: N815 - its name on the wire
    description: str
    expirationDate: Moment | None  # noqa: N815 - its name on the wire
    createdDate: Moment  # noqa: N815 - its name on the wire
    lastUsedDate: Moment | None  # noqa: N815 - its name on the wire
    status: Literal["active", "disabled", "revoked", "expired"]


class MadeAccountToken(BaseModel):
    """A new personal access token, by the names of `/api/auth/tokens`."""

    tokenId: PersonalTokenId  # noqa: N815 - its name on the wire
    token: PersonalTokenSecret


class TenantInfo(BaseModel):
    """The tenant that somebody is in."""

    id: TenantId
    name: str
    plan: str


class Account(BaseModel):
    """The caller, by the names of `/api/auth/user`."""

    id: UserId
    email: str | None
    name: str
    role: Role
    status: Literal["active", "disabled"]
    tenantInfo: TenantInfo  # noqa: N815 - its name on the wire


class Relative(BaseModel):
    """A member of a family of credentials."""

    id: CredentialId
    kind: CredentialKind
    name: str
    display: str
    parent_id: CredentialId | None
    status: Literal["active", "disabled", "revoked", "expired"]
    expires_at: Moment | None
    created_at: Moment
    ends_with_it: bool = Field(description="Whether revoking the credential that was asked about ends it.")


class Lineage(BaseModel):
    """A credential's family, oldest first."""

    object: Literal["lineage"]
    id: CredentialId
    root_id: CredentialId
    members: list[Relative]
    whole: bool = Field(description="`false`: there are more members than these.")


class User(BaseModel):
    """A user."""

    id: UserId
    object: Literal["user"]
    tenant_id: TenantId
    kind: UserKind
    email: str | None
    name: str
    role: Role
    scopes: list[str] | None = Field(description="`null`: what the role gives.")
    status: Literal["active", "disabled"]
    created_at: Moment
    updated_at: Moment


class Tenant(BaseModel):
    """A tenant."""

    id: TenantId
    object: Literal["tenant"]
    name: str
    status: Literal["active", "disabled"]
    plan: str
    operator: bool = Field(description="Whether it is the tenant that runs the installation.")
    personal_access_token_seconds_max: int | None = Field(
        description="How long a new personal access token may last; `null`: without end."
    )
    created_at: Moment
    updated_at: Moment


class Plan(BaseModel):
    """A plan."""

    name: str
    object: Literal["plan"]
    requests_per_hour: int | None = Field(description="`null`: no limit.")
    burst: int | None = Field(description="Within one second; `null`: no limit.")
    per_method: dict[CredentialKind, int | None]
    count_by: CountBy
    bearer_token_seconds: int | None = Field(
        description="How long bearer tokens made from a key last; `null`: an hour."
    )
    created_at: Moment
    updated_at: Moment


class Subject(BaseModel):
    """What an event is about."""

    kind: str
    id: str


class PasswordChanged(BaseModel):
    """What came of a change of password."""

    ended_sessions: int = Field(description="How many other sessions have ended.")


class Invitation(BaseModel):
    """What lets somebody choose their first password, once."""

    object: Literal["invitation"]
    user_id: UserId
    token: str | None = Field(
        description="For the user alone, shown this once; `null`: it was mailed to them.",
        pattern="^bf_inv_[0-9A-Za-z]{44}_[0-9A-Za-z]{6}$",
    )
    expires_at: Moment


class StartedPasswordReset(BaseModel):
    """What lets one user choose a password, once."""

    object: Literal["password_reset"]
    user_id: UserId
    token: str = Field(
        description="For the user alone. It is shown this once and cannot be read again.",
        pattern="^bf_rst_[0-9A-Za-z]{44}_[0-9A-Za-z]{6}$",
    )
    expires_at: Moment


class Actor(BaseModel):
    """Who did it."""

    user_id: UserId | None
    credential_id: CredentialId | None
    via: str = Field(description="`api`, `pages`, `command line` or `first run`.")
    request_id: RequestId | None
    address: str | None


class AuditEvent(BaseModel):
    """A line of the audit trail."""

    id: EventId
    object: Literal["audit_event"]
    at: Moment
    tenant_id: TenantId
    action: str = Field(description="What happened to what, such as `api_key.revoked`.")
    subject: Subject
    actor: Actor
    details: dict[str, Any]


class DeniedCredential(BaseModel):
    """The credential that was refused."""

    id: str
    kind: CredentialKind


class CheckOutcome(BaseModel):
    """What became of one check."""

    check: Check
    outcome: Literal["passed", "refused", "not_reached"]
    figures: dict[str, Any] = Field(
        description="Of the check that refused, what it went by: `ended_at`, `allowed_ips`, `limit` and the like."
    )


class Denial(BaseModel):
    """Why a request was denied."""

    object: Literal["denial"]
    request_id: RequestId
    at: Moment
    tenant_id: TenantId | None = Field(
        description="`null`: it was nobody's credential; only the operator sees it."
    )
    user_id: UserId | None
    credential: DeniedCredential | None
    error: str = Field(description="The error code that was told.")
    refused_by: Check
    explanation: str = Field(description="Which check refused and by which figure, for a person.")
    checks: list[CheckOutcome] = Field(description="In the order in which they are made.")


class Requests(BaseModel):
    """Requests by their outcome."""

    accepted: int
    refused: dict[str, int] = Field(description="By the error code that was told; only those that occurred.")


class UsageBucket(Requests):
    """Requests of a minute, an hour or a day."""

    start: Moment


class Usage(BaseModel):
    """Requests of a period, by their outcome and the time."""

    object: Literal["usage"]
    tenant_id: TenantId
    user_id: UserId | None = Field(description="`null`: of all users of the tenant.")
    credential_id: CredentialId | None = Field(
        description="`null`: of all credentials of the user or tenant."
    )
    lineage: bool = Field(description="Whether it is of everything of the credential's lineage.")
    period: UsagePeriod
    start: Moment = Field(description="Of the first bucket.")
    end: Moment = Field(description="Of the last bucket, which is under way.")
    bucket_seconds: Literal[60, 3600, 86400]
    total: Requests
    buckets: list[UsageBucket] = Field(description="In the order of time, the empty ones too.")


class NetworkUse(BaseModel):
    """How much a credential was used from a network."""

    object: Literal["network_use"]
    network: str | None = Field(
        description="In CIDR notation; `null`: all others, beyond the 64 that are told apart."
    )
    first_used_at: Moment
    last_used_at: Moment
    requests: int = Field(description="That were accepted.")


class NetworkUses(BaseModel):
    """Where a credential was used from."""

    data: list[NetworkUse] = Field(description="The latest first, and all others at the end.")


class Notifications(BaseModel):
    """Of what a person is told by mail, where the server can send any."""

    object: Literal["notifications"]
    user_id: UserId
    expiring_credentials: bool = Field(description="That keys and tokens of theirs end soon.")
    new_places: bool = Field(
        description="That somebody logged in to their account from where they were never before."
    )
    disabled_webhooks: bool = Field(
        description="That a webhook of their tenant is told nothing more; for who administers it."
    )
    account_changes: Literal[True] = Field(
        description="That their password, passkeys or second factors changed. This cannot be switched off."
    )


class LimitWindow(BaseModel):
    """One limit, and what is left of it."""

    name: Literal["hour", "burst"]
    seconds: Literal[3600, 1]
    limit: int
    remaining: int
    resets_at: Moment = Field(
        description="A window opens with the first request: of one that is not open, its end if it opened now."
    )


class Limits(BaseModel):
    """What is left of the limits of a credential, a user or a tenant."""

    object: Literal["limits"]
    tenant_id: TenantId
    user_id: UserId | None = Field(description="`null`: of the tenant.")
    credential_id: CredentialId | None = Field(description="`null`: of the user or tenant.")
    plan: str = Field(description="That binds it.")
    count_by: CountBy = Field(description="Whose requests the plan counts together.")
    windows: list[LimitWindow] = Field(
        description="One for each limit. Empty where there is none, and for a user or a tenant whose plan counts something smaller."
    )


class ApiKeyPage(BaseModel):
    """A page of API keys, newest first."""

    data: list[ApiKey]
    next_cursor: str | None


class PersonalAccessTokenPage(BaseModel):
    """A page of personal access tokens, newest first."""

    data: list[PersonalAccessToken]
    next_cursor: str | None


class AccountTokenPage(BaseModel):
    """A page of personal access tokens, by the names of `/api/auth/tokens`, newest first."""

    data: list[AccountToken]
    next_cursor: str | None


class BearerTokenPage(BaseModel):
    """A page of bearer tokens, newest first."""

    data: list[BearerToken]
    next_cursor: str | None


class UserPage(BaseModel):
    """A page of users, newest first."""

    data: list[User]
    next_cursor: str | None


class TenantPage(BaseModel):
    """A page of tenants, newest first."""

    data: list[Tenant]
    next_cursor: str | None


class PlanPage(BaseModel):
    """A page of plans, newest first."""

    data: list[Plan]
    next_cursor: str | None


class AuditPage(BaseModel):
    """A page of audit events, newest first."""

    data: list[AuditEvent]
    next_cursor: str | None


ErrorCode = Annotated[str, Field(json_schema_extra={"enum": list(WIRE_CODES)})]


class Error(BaseModel):
    """Every error."""

    error: ErrorCode
    message: str = Field(description="What to do, for a person.")
    code: int = Field(description="The status, again.")
    timestamp: Moment
    request_id: RequestId
    doc_url: str = Field(description="Where the error is explained.")
    field: str = Field(default="", description="The offending input, where one is to blame.")
    scope: str = Field(default="", description="With `insufficient_scope`: what is needed.")
    statusCode: int = Field(default=0, description="Under `/api/auth`: the status, once more.")  # noqa: N815 - its name on the wire
    error_description: str = Field(default="", description="Under `/oauth`: the message, once more.")

    model_config = ConfigDict(json_schema_extra=without_defaults)


class Problem(BaseModel):
    """Every error, where the request says `Accept: application/problem+json`.

    See: RFC 9457 §3
    """

    type: str = Field(description="Where the error is explained.")
    title: str
    status: int
    detail: str = Field(description="What to do, for a person.")
    error: ErrorCode
    timestamp: Moment
    request_id: RequestId
    field: str = Field(default="", description="The offending input, where one is to blame.")
    scope: str = Field(default="", description="With `insufficient_scope`: what is needed.")
    statusCode: int = Field(default=0, description="Under `/api/auth`: the status, once more.")  # noqa: N815 - its name on the wire
    error_description: str = Field(default="", description="Under `/oauth`: the message, once more.")

    model_config = ConfigDict(json_schema_extra=without_defaults)


class Tokens(BaseModel):
    """The tokens of a session, shown this once."""

    token: str = Field(
        description="A signed JWT (RFC 7519); its keys are at `/.well-known/jwks.json`.",
        pattern=r"^eyJ[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+$",
    )
    expires_at: Moment
    refresh_token: str = Field(
        description="Gets the next token, once.", pattern="^bf_ort_[0-9A-Za-z]{44}_[0-9A-Za-z]{6}$"
    )

    model_config = ConfigDict(extra="forbid")


class TokensInCookies(BaseModel):
    """When the token in the cookie ends."""

    expires_at: Moment

    model_config = ConfigDict(extra="forbid")


class SecondStepNeeded(BaseModel):
    """The password was right, and a second factor has to be proven for a session."""

    mfa_required: Literal[True]
    mfa_token: str = Field(
        description="For `/v1/auth/login/second-factor`, within five minutes.",
        pattern="^bf_mfa_[0-9A-Za-z]{44}_[0-9A-Za-z]{6}$",
    )
    factors: list[FactorKind] = Field(description="What may be proven.")

    model_config = ConfigDict(extra="forbid")


class LoginAnswer(RootModel[Tokens | TokensInCookies | SecondStepNeeded]):
    """A session's tokens, or, where they are in cookies, when the first of them ends; or that a second factor is needed."""


class TokensAnswer(RootModel[Tokens | TokensInCookies]):
    """A session's tokens, or, where they are in cookies, when the first of them ends."""


class SignedToken(BaseModel):
    """The session's next token, shown this once."""

    token: str = Field(
        description="A signed JWT (RFC 7519).",
        pattern=r"^eyJ[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+$",
    )
    expires_at: Moment

    model_config = ConfigDict(extra="forbid")


class SignedTokenAnswer(RootModel[SignedToken | TokensInCookies]):
    """The session's next token, or, where it is in a cookie, when it ends."""


class Factor(BaseModel):
    """A second factor in use."""

    id: str = Field(description="`totp`: there is one authenticator app.")
    object: Literal["factor"]
    kind: Literal["totp"]
    name: str
    created_at: Moment

    model_config = ConfigDict(extra="forbid")


class Enrolment(BaseModel):
    """What an authenticator app needs, shown this once; it counts once a code of it was sent to `confirm`."""

    object: Literal["enrolment"]
    kind: Literal["totp"]
    secret: str = Field(description="To type in, in base32.", pattern="^[A-Z2-7]{32}$")
    uri: str = Field(description="The same for an app (`otpauth://`).")
    qr_svg: str = Field(description="The same as a picture to scan: an SVG document.")


RecoveryCode = Annotated[str, Field(pattern="^[a-z2-7]{6}(-[a-z2-7]{6}){3}$")]


class RecoveryCodes(BaseModel):
    """Codes that stand in for the second factor, each once; shown this once."""

    object: Literal["recovery_codes"]
    recovery_codes: list[RecoveryCode]


class ConfirmedFactor(BaseModel):
    """The authenticator app is in use; with the codes that stand in for it, shown this once."""

    object: Literal["recovery_codes"]
    recovery_codes: list[RecoveryCode]
    ended_sessions: int


class RemovedFactor(BaseModel):
    """A second factor was removed."""

    ended_sessions: int


class Session(BaseModel):
    """A login that has not ended."""

    id: SessionId
    object: Literal["session"]
    user_id: UserId
    tenant_id: TenantId
    device: str = Field(description="What it says of itself.")
    address: str | None = Field(description="Where it was opened from.")
    methods: list[str] = Field(
        description="What its user has proven (RFC 8176): `pwd`, `otp`, `pop` (a passkey), `mfa` (both in one)."
    )
    current: bool = Field(description="Whether the presented token belongs to it.")
    created_at: Moment
    authenticated_at: Moment = Field(description="When its user last proved who they are.")
    last_used_at: Moment = Field(description="As far as it is written; some seconds late.")
    ends_at: Moment = Field(description="When it ends at the latest, however it is used.")


class ClientPage(BaseModel):
    """A page of clients."""

    data: list[Client]
    next_cursor: str | None


class SessionPage(BaseModel):
    """A page of sessions, newest first."""

    data: list[Session]
    next_cursor: str | None


class Consent(BaseModel):
    """What somebody lets a client do until they take it back."""

    id: ConsentId
    object: Literal["consent"]
    user_id: UserId
    tenant_id: TenantId
    client_id: ClientId
    client_name: str
    scopes: list[str]
    resources: list[str] = Field(description="For which its tokens may be (RFC 8707).")
    created_at: Moment
    updated_at: Moment = Field(description="When more was allowed the last time.")


class ConsentPage(BaseModel):
    """A page of consents, newest first."""

    data: list[Consent]
    next_cursor: str | None


class Grant(BaseModel):
    """What a client got when somebody said yes to it once, with its tokens."""

    id: GrantId
    object: Literal["grant"]
    user_id: UserId
    tenant_id: TenantId
    client_id: ClientId
    client_name: str
    scopes: list[str]
    resources: list[str] = Field(description="For which its tokens are (RFC 8707).")
    created_at: Moment
    last_used_at: Moment | None = Field(description="As far as it is written; some seconds late.")
    ends_at: Moment = Field(description="When it ends at the latest.")


class GrantPage(BaseModel):
    """A page of grants, newest first."""

    data: list[Grant]
    next_cursor: str | None


class EndedSessions(BaseModel):
    """How many sessions were ended."""

    ended: int


class SigningKey(BaseModel):
    """A key that signs tokens, as far as it may be seen."""

    id: Thumbprint
    object: Literal["signing_key"]
    algorithm: SigningAlgorithm
    status: SigningKeyStatus = Field(
        description="`next` is published ahead, `current` signs, `retired` is kept for what it has signed."
    )
    created_at: Moment
    activated_at: Moment | None
    retired_at: Moment | None
    published_until: Moment | None = Field(description="Of a retired key; `null`: it is not retired.")


class SigningKeyPage(BaseModel):
    """Every published signing key."""

    data: list[SigningKey]
    next_cursor: None


class PublicKey(BaseModel):
    """A public key (RFC 7517 §4); the other members are those of its type."""

    kid: Thumbprint
    kty: Literal["OKP", "EC", "RSA"]
    alg: SigningAlgorithm
    use: Literal["sig"]

    model_config = ConfigDict(extra="allow")


class KeySet(BaseModel):
    """A JWK set (RFC 7517 §5)."""

    keys: list[PublicKey]


class State(BaseModel):
    """How the server is."""

    status: Literal["ok", "ready"]


class Service(BaseModel):
    """What answers here, and where it is described."""

    name: Literal["Bonafides"]
    docs: str
    openapi: str


class ProtectedResource(BaseModel):
    """How to present a credential to this resource (RFC 9728)."""

    resource: str
    authorization_servers: list[str]
    bearer_methods_supported: list[Literal["header"]]
    dpop_signing_alg_values_supported: list[str]
    scopes_supported: list[str]
    resource_documentation: str
