"""The bodies of requests: checked by these, and described by them.

A field that is not listed is refused by name: nobody sets what is not theirs to set by guessing it.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StrictInt,
    StrictStr,
    WithJsonSchema,
)
from typing_extensions import TypeAliasType

from bonafides.credentials.api_keys import OVERLAP_SECONDS_DEFAULT, OVERLAP_SECONDS_MAX
from bonafides.credentials.holdings import REASON_MAX
from bonafides.delegation import AuthMethod, TokenFormat
from bonafides.intake import (
    ALLOWED_IPS_MAX,
    EMAIL_MAX,
    EMAIL_PATTERN,
    LIFETIME_SECONDS_MAX,
    PLAN_FIGURE_MAX,
    PLAN_NAME_PATTERN,
    SCOPE_WORDS_PATTERN,
    TEXT_MAX,
    TEXT_PATTERN,
)
from bonafides.model import CountBy, CredentialKind, Role, UserKind
from bonafides.oauth.client_metadata import (
    ACCESS_TOKEN_SECONDS,
    ACCESS_TOKEN_SECONDS_MIN,
    URI_LENGTH_MAX,
    URI_PATTERN,
    URIS_MAX,
)

ID_MAX: Final = 100
SCOPE_TEXT_MAX: Final = 2_000
COST_MAX: Final = 1_000_000
SECRET_MAX: Final = 8_192
CODE_MAX: Final = 64
PASSWORD_MAX: Final = 1_024
"""Longer than any that can be set, so that a wrong one is refused as wrong."""
DEFINED_SCOPE: Final = "x-defined-scope"
"""Marks the schema of a scope with its name; which scopes there are, the settings say."""

_RFC_3339: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)


def _moment(value: object) -> object:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or _RFC_3339.fullmatch(value) is None:
        message = "must be a time such as 2030-01-01T00:00:00Z"
        raise ValueError(message)
    text = value.upper().replace("Z", "+00:00")
    seconds, dot, rest = text.partition(".")
    if dot:
        digits = re.match(r"\d+", rest)
        fraction = digits.group() if digits else ""
        text = f"{seconds}.{fraction[:6]}{rest[len(fraction) :]}"
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        message = "must be a time that exists, such as 2030-01-01T00:00:00Z"
        raise ValueError(message) from None


def whole_number(value: object) -> object:
    """A number without a fraction is whole in JSON, however it is written."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def without_defaults(schema: dict[str, Any]) -> None:
    """Leave the defaults out of an object's schema: they only stand for a field that is not there."""
    for described in schema["properties"].values():
        described.pop("default", None)


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    PlainSerializer(lambda moment: moment.isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Text = TypeAliasType(
    "Text",
    Annotated[
        StrictStr,
        Field(
            min_length=1,
            max_length=TEXT_MAX,
            description="Characters that can be seen, and spaces between them.",
            json_schema_extra={"pattern": TEXT_PATTERN},
        ),
    ],
)
LongText = TypeAliasType(
    "LongText",
    Annotated[
        StrictStr,
        Field(
            min_length=1,
            max_length=REASON_MAX,
            description="Characters that can be seen, and spaces between them.",
            json_schema_extra={"pattern": TEXT_PATTERN},
        ),
    ],
)
Email = TypeAliasType(
    "Email",
    Annotated[
        StrictStr,
        Field(
            max_length=EMAIL_MAX,
            description="An e-mail address.",
            json_schema_extra={"pattern": EMAIL_PATTERN},
        ),
    ],
)
PlanName = TypeAliasType(
    "PlanName",
    Annotated[
        StrictStr,
        Field(
            min_length=1,
            max_length=64,
            description="Lower-case letters, digits, dots, dashes and underscores.",
            json_schema_extra={"pattern": PLAN_NAME_PATTERN},
        ),
    ],
)
ScopeText = Annotated[
    StrictStr, Field(max_length=SCOPE_TEXT_MAX, json_schema_extra={"pattern": SCOPE_WORDS_PATTERN})
]
ScopeName = Annotated[StrictStr, Field(json_schema_extra={DEFINED_SCOPE: "Scope"})]
ScopeNames = Annotated[list[ScopeName], Field(max_length=200)]
Networks = Annotated[list[StrictStr], Field(max_length=ALLOWED_IPS_MAX)]
Id = Annotated[StrictStr, Field(max_length=ID_MAX)]
# As received: nothing is trimmed, and what is too long is refused, not cut.
Password = Annotated[
    StrictStr,
    Field(min_length=1, max_length=PASSWORD_MAX, json_schema_extra={"format": "password"}),
]
SecretText = Annotated[StrictStr, Field(min_length=1, max_length=SECRET_MAX, description="As it was given.")]
Code = Annotated[
    StrictStr,
    Field(
        min_length=1,
        max_length=CODE_MAX,
        description="Of the authenticator app, or a recovery code; spaces and dashes do not count.",
    ),
]
# The validator stands last, so that the bounds are those of the number and are described with it.
Cost = Annotated[StrictInt, Field(ge=0, le=COST_MAX), BeforeValidator(whole_number)]
Figure = Annotated[StrictInt, Field(ge=0, le=PLAN_FIGURE_MAX), BeforeValidator(whole_number)]
OverlapSeconds = Annotated[StrictInt, Field(ge=0, le=OVERLAP_SECONDS_MAX), BeforeValidator(whole_number)]
LifetimeSeconds = Annotated[StrictInt, Field(ge=1, le=LIFETIME_SECONDS_MAX), BeforeValidator(whole_number)]

TokenSeconds = Annotated[
    LifetimeSeconds | None,
    Field(description="How long bearer tokens made from a key last; `null`: as the plan says, or an hour."),
]


class Body(BaseModel):
    """What every request body has in common: no field but those listed."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Patch(Body):
    """A partial change: what is left out stays, so no field has a default that could be described."""

    model_config = ConfigDict(json_schema_extra=without_defaults)


ClientScopes = Annotated[
    list[
        Annotated[
            StrictStr,
            Field(json_schema_extra={DEFINED_SCOPE: "ClientScope"}),
        ]
    ],
    Field(
        max_length=200,
        description="What its tokens may have at most; of the scopes here, and `openid`, `profile`, `email`, `offline_access`.",
    ),
]
Uri = Annotated[
    StrictStr, Field(min_length=1, max_length=URI_LENGTH_MAX, json_schema_extra={"pattern": URI_PATTERN})
]
Uris = Annotated[list[Uri], Field(max_length=URIS_MAX)]
Grants = Annotated[
    list[
        Literal[
            "authorization_code",
            "client_credentials",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code",
            "urn:ietf:params:oauth:grant-type:token-exchange",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
        ]
    ],
    Field(min_length=1, max_length=10, description="How it may get tokens."),
]
ResponseTypes = Annotated[
    list[Literal["code"]],
    Field(max_length=1, description='Default: `["code"]` with the grant `authorization_code`, else none.'),
]
RedirectUris = Annotated[
    Uris,
    Field(
        description=(
            "Where people may be sent back to, compared letter by letter: https, http on this machine (`127.0.0.1` and `[::1]` "
            "with any port, or `localhost`), or a scheme of the app's own such as `com.example.app:/back`."
        )
    ),
]
PostLogoutRedirectUris = Annotated[
    Uris, Field(description="Where people may be sent after they have logged out.")
]
Audiences = Annotated[
    Uris,
    Field(description="Resources that its tokens may be for (RFC 8707); empty: this server's own audience."),
]
AuthMethodName = Annotated[
    AuthMethod, Field(description="How it proves who it is at `/oauth/token`; `none`: a public client.")
]
KeySet = Annotated[
    dict[str, Any] | None, Field(description="Its public keys (RFC 7517), for `private_key_jwt`.")
]
RequirePkce = Annotated[
    StrictBool,
    Field(
        description="Whether it proves that a code is for it (RFC 7636); `false` is for older confidential clients alone."
    ),
]
FirstParty = Annotated[StrictBool, Field(description="Whether its users are not asked for consent.")]
DpopBound = Annotated[
    StrictBool,
    Field(
        description="Whether it gets tokens only with a proof of a key (RFC 9449), to which they are bound."
    ),
]
AccessTokenFormat = Annotated[
    TokenFormat, Field(description="Access tokens as secrets of this server, or signed (RFC 9068).")
]
AccessTokenSeconds = Annotated[
    Annotated[
        StrictInt, Field(ge=ACCESS_TOKEN_SECONDS_MIN, le=ACCESS_TOKEN_SECONDS), BeforeValidator(whole_number)
    ]
    | None,
    Field(description="How long its access tokens last; `null`: an hour."),
]
_CalledUri = Annotated[
    StrictStr,
    Field(
        max_length=URI_LENGTH_MAX,
        json_schema_extra={"pattern": "^https://[a-z0-9]{1,20}([.][a-z0-9]{1,20}){0,5}/[a-z]*$"},
    ),
]
JwksUri = Annotated[
    _CalledUri | None,
    Field(description="Where its public keys stand, in place of `jwks`: an https URL at a public address."),
]
LogoutUri = Annotated[
    _CalledUri | None,
    Field(description="Where it is told that a login has ended (OpenID Connect Back-Channel Logout)."),
]
PushesRequests = Annotated[
    StrictBool | None,
    Field(
        description="Whether it pushes every request (RFC 9126). With `dpop_bound_access_tokens` it keeps FAPI 2.0: "
        "its assertions are for the issuer alone, and its refresh tokens go on."
    ),
]
RequestUris = Annotated[
    Annotated[list[_CalledUri], Field(max_length=URIS_MAX)] | None,
    Field(
        description="Where its request objects stand (RFC 9101), each an https URL at a public address; of use where `request_objects` lets it."
    ),
]
RequestObjectAlgorithm = Annotated[
    Literal["EdDSA", "ES256", "PS256", "RS256", "none"] | None,
    Field(description="How its request objects are signed (RFC 9101); `null`: in any way that is taken."),
]
SignsRequests = Annotated[
    StrictBool | None,
    Field(
        description="Whether it makes every request by a request object that it has signed (RFC 9101 §10.5)."
    ),
]
IdTokenAlgorithm = Annotated[
    Literal["EdDSA", "ES256", "RS256"] | None,
    Field(description="How its ID tokens are signed; `null`: as the server signs."),
]
UserinfoAlgorithm = Annotated[
    Literal["EdDSA", "ES256", "RS256"] | None,
    Field(description="How `/oauth/userinfo` is signed for it; `null`: not at all."),
]
ShownUri = Annotated[Uri | None, Field(description="An https URL that people are shown.")]


class NewClient(Body):
    """A new OAuth client, by the names of RFC 7591."""

    name: Annotated[Text, Field(description="Shown to people who are asked for consent.")]
    scopes: ClientScopes
    grant_types: Grants = ["authorization_code"]
    response_types: ResponseTypes | None = None
    redirect_uris: RedirectUris = []
    post_logout_redirect_uris: PostLogoutRedirectUris = []
    audiences: Audiences = []
    token_endpoint_auth_method: AuthMethodName = AuthMethod.BASIC
    jwks: KeySet = None
    require_pkce: RequirePkce = True
    first_party: FirstParty = False
    dpop_bound_access_tokens: DpopBound = False
    access_token_format: AccessTokenFormat = TokenFormat.OPAQUE
    access_token_seconds: AccessTokenSeconds = None
    client_uri: ShownUri = None
    logo_uri: ShownUri = None
    policy_uri: ShownUri = None
    tos_uri: ShownUri = None
    jwks_uri: JwksUri = None
    id_token_signed_response_alg: IdTokenAlgorithm = None
    userinfo_signed_response_alg: UserinfoAlgorithm = None
    backchannel_logout_uri: LogoutUri = None
    backchannel_logout_session_required: StrictBool | None = None
    require_pushed_authorization_requests: PushesRequests = None
    request_uris: RequestUris = None
    request_object_signing_alg: RequestObjectAlgorithm = None
    require_signed_request_object: SignsRequests = None
    tenant_id: Annotated[Id | None, Field(description="Default: yours; another one: the operator.")] = None


class ClientPatch(Patch):
    """What shall change about a client; what is left out stays."""

    name: Annotated[Text, Field(description="Shown to people who are asked for consent.")] = Field(
        default="-"
    )
    scopes: ClientScopes = Field(default=[])
    grant_types: Grants = Field(default=["authorization_code"])
    response_types: ResponseTypes = Field(default=[])
    redirect_uris: RedirectUris = Field(default=[])
    post_logout_redirect_uris: PostLogoutRedirectUris = Field(default=[])
    audiences: Audiences = Field(default=[])
    token_endpoint_auth_method: AuthMethodName = Field(default=AuthMethod.BASIC)
    jwks: KeySet = None
    require_pkce: RequirePkce = Field(default=True)
    first_party: FirstParty = Field(default=False)
    dpop_bound_access_tokens: DpopBound = Field(default=False)
    access_token_format: AccessTokenFormat = Field(default=TokenFormat.OPAQUE)
    access_token_seconds: AccessTokenSeconds = None
    client_uri: ShownUri = None
    logo_uri: ShownUri = None
    policy_uri: ShownUri = None
    tos_uri: ShownUri = None
    jwks_uri: JwksUri = None
    id_token_signed_response_alg: IdTokenAlgorithm = None
    userinfo_signed_response_alg: UserinfoAlgorithm = None
    backchannel_logout_uri: LogoutUri = None
    backchannel_logout_session_required: StrictBool | None = None
    require_pushed_authorization_requests: PushesRequests = None
    request_uris: RequestUris = None
    request_object_signing_alg: RequestObjectAlgorithm = None
    require_signed_request_object: SignsRequests = None
    status: Annotated[
        Literal["active", "disabled"],
        Field(description="`disabled`: neither it nor any token that it was given is good."),
    ] = Field(default="active")


class NewClientSecret(Body):
    """Another secret for a client."""

    name: Annotated[Text, Field(description="To tell it from the others.")] = "rotated"
    expires_at: Annotated[
        Moment | None, Field(description="A moment in the next 100 years; `null`: never.")
    ] = None
    expires_in: Annotated[
        LifetimeSeconds | None, Field(description="Seconds from now; instead of `expires_at`.")
    ] = None
    overlap_seconds: Annotated[
        OverlapSeconds | None,
        Field(description="End the other secrets so many seconds from now; `null`: they stay."),
    ] = None


class VerifyQuestion(Body):
    """A resource server's question about a credential that was presented to it."""

    credential: Annotated[
        StrictStr, Field(min_length=1, max_length=16_384, description="As it was presented.")
    ]
    scope: Annotated[ScopeText, Field(description="Scopes that it must have, separated by spaces.")] = ""
    ip: Annotated[
        StrictStr | None,
        Field(max_length=64, description="Where it was presented from: an IPv4 or IPv6 address."),
    ] = None
    cost: Annotated[Cost, Field(description="How many requests it counts for; 0 counts nothing.")] = 1


class NewKey(Body):
    """A new API key."""

    name: Annotated[Text, Field(description="What it is for, to tell it from others.")]
    scopes: Annotated[
        ScopeNames | None, Field(description="Default: `read` and `write`, as far as you may give them.")
    ] = None
    expires_at: Annotated[
        Moment | None, Field(description="A moment in the next 100 years; `null`: never.")
    ] = None
    expires_in: Annotated[
        LifetimeSeconds | None, Field(description="Seconds from now; instead of `expires_at`.")
    ] = None
    user_id: Annotated[Id | None, Field(description="Whose key; default: yours.")] = None
    tenant_id: Annotated[Id | None, Field(description="The tenant in which that user must be.")] = None
    plan: Annotated[
        PlanName | None, Field(description="A plan of its own (the operator); `null`: the tenant's.")
    ] = None
    allowed_ips: Annotated[
        Networks,
        Field(
            description="Addresses or networks that it may be used from, IPv4 or IPv6, without bits set after the prefix; empty: any."
        ),
    ] = []
    metadata: Annotated[dict[str, Any], Field(description="Any JSON object of at most 16 KB.")] = {}
    bearer_token_seconds: TokenSeconds = None


class KeyPatch(Patch):
    """What shall change about an API key; what is left out stays."""

    name: Text = Field(default="-")
    scopes: ScopeNames = Field(default=[])
    plan: Annotated[
        PlanName | None, Field(description="A plan of its own (the operator); `null`: the tenant's.")
    ] = None
    expires_at: Annotated[
        Moment | None, Field(description="A moment in the next 100 years; `null`: never.")
    ] = None
    expires_in: Annotated[
        LifetimeSeconds, Field(description="Seconds from now; instead of `expires_at`.")
    ] = Field(default=1)
    overlap_seconds: Annotated[
        OverlapSeconds,
        Field(
            description="For a rotated key: end its overlap so many seconds from now, and not later than before."
        ),
    ] = Field(default=0)
    allowed_ips: Annotated[
        Networks,
        Field(
            description="Addresses or networks that it may be used from, IPv4 or IPv6, without bits set after the prefix; empty: any."
        ),
    ] = Field(default=[])
    metadata: Annotated[
        dict[str, Any], Field(description="Any JSON object of at most 16 KB; replaces the one before.")
    ] = Field(default={})
    bearer_token_seconds: TokenSeconds = None


class Rotation(Body):
    """How to rotate a key."""

    overlap_seconds: Annotated[OverlapSeconds, Field(description="How long the old key goes on working.")] = (
        OVERLAP_SECONDS_DEFAULT
    )


class Revocation(Body):
    """Why a key is revoked."""

    reason: Annotated[
        LongText | None, Field(description="For the audit trail and whoever finds the key.")
    ] = None


class NewUser(Body):
    """A new user: a person, who needs an e-mail address, or a service, which needs a name."""

    kind: UserKind = UserKind.PERSON
    name: Annotated[Text | None, Field(description="Default: the e-mail address.")] = None
    email: Annotated[Email | None, Field(description="Unique in the tenant.")] = None
    role: Annotated[Role, Field(description="A service cannot be an owner.")] = Role.MEMBER
    scopes: Annotated[
        ScopeNames | None,
        Field(description="What their credentials may have at most; `null`: what the role gives."),
    ] = None
    tenant_id: Annotated[Id | None, Field(description="Default: yours; another one: the operator.")] = None


class NotificationsPatch(Patch):
    """Which letters a person wants. What is left out stays."""

    expiring_credentials: StrictBool = Field(
        default=True, description="That keys and tokens of theirs end soon."
    )
    new_places: StrictBool = Field(
        default=True,
        description="That somebody logged in to their account from where they were never before.",
    )
    disabled_webhooks: StrictBool = Field(
        default=True,
        description="That a webhook of their tenant is told nothing more; for who administers it.",
    )


class UserPatch(Patch):
    """What shall change about a user; what is left out stays."""

    name: Text = Field(default="-")
    email: Annotated[Email | None, Field(description="Unique in the tenant; a person needs one.")] = None
    role: Annotated[Role, Field(description="A service cannot be an owner.")] = Field(default=Role.MEMBER)
    scopes: Annotated[
        ScopeNames | None,
        Field(description="What their credentials may have at most; `null`: what the role gives."),
    ] = None
    status: Literal["active", "disabled"] = Field(default="active")


class NewTenant(Body):
    """A new tenant."""

    name: Annotated[Text, Field(description="Unique in the installation.")]
    plan: Annotated[PlanName | None, Field(description="Default: free.")] = None


class TenantPatch(Patch):
    """What shall change about a tenant; what is left out stays."""

    name: Annotated[Text, Field(description="Unique in the installation.")] = Field(default="-")
    plan: Annotated[PlanName, Field(description="The operator's to change.")] = Field(default="free")
    status: Annotated[Literal["active", "disabled"], Field(description="The operator's to change.")] = Field(
        default="active"
    )
    personal_access_token_seconds_max: Annotated[
        LifetimeSeconds | None,
        Field(description="How long a new personal access token may last; `null`: without end."),
    ] = None


class NewPlan(Body):
    """A plan; one that exists gets these figures."""

    name: PlanName
    requests_per_hour: Annotated[Figure | None, Field(description="`null`: no limit.")]
    burst: Annotated[Figure | None, Field(description="Within one second; `null`: no limit.")]
    per_method: Annotated[
        dict[CredentialKind, Figure | None],
        Field(description="Hourly figures that hold for a kind of credential instead."),
    ] = {}
    count_by: Annotated[CountBy, Field(description="Whose requests are counted together.")] = (
        CountBy.CREDENTIAL
    )
    bearer_token_seconds: TokenSeconds = None


class NewPersonalToken(Body):
    """A new personal access token of the caller's own."""

    description: Annotated[Text, Field(description="What it is for, to tell it from others.")]
    expires_at: Annotated[
        Moment | None,
        Field(description="`null`: never, unless the tenant sets a longest life."),
    ] = None
    expires_in: Annotated[
        LifetimeSeconds | None, Field(description="Seconds from now; instead of `expires_at`.")
    ] = None
    scopes: Annotated[
        ScopeNames | None, Field(description="Default: `read` and `write`, as far as you may give them.")
    ] = None


class NewAccountToken(Body):
    """The same, by the names of `/api/auth/tokens`."""

    description: Annotated[Text, Field(description="What it is for, to tell it from others.")]
    expirationDate: Annotated[  # noqa: N815 - its name on the wire
        Moment | None,
        Field(description="`null`: never, unless the tenant sets a longest life."),
    ] = None


class KeyRotation(Body):
    """How to rotate the signing keys."""

    force: Annotated[
        StrictBool,
        Field(description="Also where the next key was published less than five minutes ago."),
    ] = False


class Login(Body):
    """Who logs in."""

    username: Annotated[
        StrictStr, Field(min_length=1, max_length=EMAIL_MAX, description="The e-mail address.")
    ]
    password: Password
    tenant_id: Annotated[
        Id | None, Field(description="The tenant of the account, where the address has several.")
    ] = None


class NewFactor(Body):
    """A second factor to set up."""

    kind: Annotated[Literal["totp"], Field(description="An authenticator app.")] = "totp"


class FactorConfirmation(Body):
    """The first code of an authenticator app."""

    code: Code
    end_sessions: Annotated[StrictBool, Field(description="Also end your other sessions.")] = False


class PasswordChange(Body):
    """Another password for the caller."""

    current_password: Password
    new_password: Annotated[
        Password, Field(description="At least 15 characters, and none that is guessed first.")
    ]
    keep_sessions: Annotated[
        bool,
        Field(
            description="Let your other sessions, and what OAuth clients may do for you, go on; otherwise they end."
        ),
    ] = False


class ForgottenPassword(Body):
    """Whose password is forgotten."""

    username: Annotated[
        StrictStr, Field(min_length=1, max_length=EMAIL_MAX, description="The e-mail address.")
    ]
    tenant_id: Annotated[
        Id | None, Field(description="The tenant of the account; default: every one that the address has.")
    ] = None


class PasswordReset(Body):
    """A password for whoever was given a reset token or an invitation."""

    token: SecretText
    new_password: Annotated[
        Password, Field(description="At least 15 characters, and none that is guessed first.")
    ]


class Refresh(Body):
    """A refresh token; without a body, the one in the cookie."""

    refresh_token: SecretText
