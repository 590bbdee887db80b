"""What clients say when they register themselves, and what they are told."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from bonafides.delegation import AuthMethod
from bonafides.oauth.authorization_request import MAX_AGE_MAX
from bonafides.oauth.registrations import LIFETIME_SECONDS_MAX, USES_MAX
from bonafides.web.bodies import (
    AuthMethodName,
    Body,
    ClientScopes,
    DpopBound,
    Id,
    JwksUri,
    KeySet,
    LogoutUri,
    Moment,
    PostLogoutRedirectUris,
    PushesRequests,
    RedirectUris,
    RequestObjectAlgorithm,
    RequestUris,
    ScopeText,
    ShownUri,
    SignsRequests,
    Text,
    UserinfoAlgorithm,
    whole_number,
    without_defaults,
)
from bonafides.web.schemas import ClientId, TenantId, UserId

_LIST_MAX = 20

RegisteredGrants = Annotated[
    list[
        Literal[
            "authorization_code",
            "client_credentials",
            "implicit",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code",
            "urn:ietf:params:oauth:grant-type:token-exchange",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
        ]
    ],
    Field(
        min_length=1,
        max_length=10,
        description="How it may get tokens; `implicit` where `implicit_grant_for_certification` lets it.",
    ),
]
RegisteredResponseTypes = Annotated[
    list[Literal["code", "id_token", "id_token token", "token id_token"]],
    Field(
        max_length=4,
        description="Default: all that go with its grants. All but `code` are for the grant `implicit`.",
    ),
]
Words = Annotated[list[Text], Field(max_length=_LIST_MAX)]


class ClientRegistration(BaseModel):
    """What a client says of itself (RFC 7591 §2, OpenID Connect Dynamic Client Registration §2).

    What is not known here is left aside, and `null` is the same as nothing.
    """

    redirect_uris: RedirectUris = []
    client_name: Annotated[Text, Field(description="Shown to people who are asked for consent.")] = (
        "An application that has registered itself"
    )
    scope: Annotated[
        ScopeText,
        Field(
            description="What its tokens may have at most: of these, those that it may have; without any, all of those."
        ),
    ] = ""
    grant_types: RegisteredGrants = ["authorization_code"]
    response_types: RegisteredResponseTypes | None = None
    token_endpoint_auth_method: AuthMethodName = AuthMethod.BASIC
    jwks: KeySet = None
    jwks_uri: JwksUri = None
    id_token_signed_response_alg: Annotated[
        Literal["EdDSA", "ES256", "RS256"] | None,
        Field(description="How its ID tokens are signed; without it `RS256`, as OpenID Connect has it."),
    ] = None
    userinfo_signed_response_alg: UserinfoAlgorithm = None
    backchannel_logout_uri: LogoutUri = None
    backchannel_logout_session_required: StrictBool | None = None
    post_logout_redirect_uris: PostLogoutRedirectUris = []
    client_uri: ShownUri = None
    logo_uri: ShownUri = None
    policy_uri: ShownUri = None
    tos_uri: ShownUri = None
    initiate_login_uri: ShownUri = None
    contacts: Annotated[Words | None, Field(description="Who answers for it.")] = None
    software_id: Text | None = None
    software_version: Text | None = None
    application_type: Literal["web", "native"] | None = None
    subject_type: Annotated[
        Literal["public"] | None, Field(description="A person has one `sub` for all clients.")
    ] = None
    default_max_age: Annotated[
        Annotated[StrictInt, Field(ge=0, le=MAX_AGE_MAX), BeforeValidator(whole_number)] | None,
        Field(description="Seconds after which a person has to prove anew who they are."),
    ] = None
    require_auth_time: StrictBool | None = None
    default_acr_values: Words | None = None
    require_pushed_authorization_requests: PushesRequests = None
    request_uris: RequestUris = None
    request_object_signing_alg: RequestObjectAlgorithm = None
    require_signed_request_object: SignsRequests = None
    dpop_bound_access_tokens: DpopBound = False

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class ClientReregistration(ClientRegistration):
    """What a client says of itself now, in place of all that it said before (RFC 7592 §2.2)."""

    client_id: Id
    client_secret: Annotated[
        StrictStr | None, Field(max_length=500, description="If it is repeated, it must be the client's own.")
    ] = None


class RegisteredClient(BaseModel):
    """A client that has registered itself (RFC 7591 §3.2.1)."""

    client_id: ClientId
    client_id_issued_at: int
    client_secret: str = Field(
        default="", description="Shown this once; only of a client that proves who it is by one."
    )
    client_secret_expires_at: int = Field(default=0, description="0: it does not end.")
    registration_access_token: str = Field(
        description="By which the client sees, changes and deletes what it has registered.",
        pattern="^bf_rat_[0-9A-Za-z]{44}_[0-9A-Za-z]{6}$",
    )
    registration_client_uri: str = Field(description="Where it does.")
    client_name: str
    grant_types: list[str]
    response_types: list[str]
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str]
    scope: str
    token_endpoint_auth_method: AuthMethod
    jwks: dict[str, Any] = Field(default={})
    jwks_uri: str = ""
    id_token_signed_response_alg: str = ""
    userinfo_signed_response_alg: str = ""
    backchannel_logout_uri: str = ""
    backchannel_logout_session_required: bool = False
    client_uri: str = ""
    logo_uri: str = ""
    policy_uri: str = ""
    tos_uri: str = ""
    initiate_login_uri: str = ""
    contacts: list[str] = []
    software_id: str = ""
    software_version: str = ""
    application_type: str = ""
    subject_type: str = ""
    default_max_age: int = 0
    require_auth_time: bool = False
    default_acr_values: list[str] = []
    require_pushed_authorization_requests: bool = False
    request_uris: list[str] = []
    request_object_signing_alg: str = ""
    require_signed_request_object: bool = False
    dpop_bound_access_tokens: bool = False

    model_config = ConfigDict(json_schema_extra=without_defaults)


class NewInitialToken(Body):
    """What shall let somebody register OAuth clients."""

    name: Annotated[Text, Field(description="To tell it from others.")]
    scopes: ClientScopes
    uses: Annotated[
        Annotated[StrictInt, Field(ge=1, le=USES_MAX), BeforeValidator(whole_number)] | None,
        Field(description="How many clients may be registered by it; `null`: any number."),
    ] = 1
    expires_in: Annotated[
        Annotated[StrictInt, Field(ge=1, le=LIFETIME_SECONDS_MAX), BeforeValidator(whole_number)] | None,
        Field(description="Seconds from now; `null`: a week."),
    ] = None
    tenant_id: Annotated[Id | None, Field(description="Default: yours; another one: the operator.")] = None


class InitialToken(BaseModel):
    """What lets somebody register OAuth clients, without the secret itself."""

    id: Annotated[str, Field(pattern="^iat_[0-9A-Za-z]{22}$")]
    object: Literal["initial_access_token"]
    tenant_id: TenantId
    name: str
    display: str = Field(description="The first and last four characters of the secret.")
    scopes: list[str]
    uses_left: int | None
    created_by: UserId | None
    created_at: Moment
    expires_at: Moment


class MadeInitialToken(InitialToken):
    """A new initial access token, shown this once."""

    initial_access_token: str = Field(
        description="It is shown this once and cannot be read again.",
        pattern="^bf_iat_[0-9A-Za-z]{44}_[0-9A-Za-z]{6}$",
    )


class InitialTokenPage(BaseModel):
    """A page of initial access tokens."""

    data: list[InitialToken]
    next_cursor: str | None
