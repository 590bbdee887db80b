"""The bodies of requests and answers, for checking the former and describing both.

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

from bonafides.intake import ALLOWED_IPS_MAX, PLAN_FIGURE_MAX, TEXT_MAX
from bonafides.model import CountBy, CredentialKind, Role, UserKind

_RFC_3339: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_EXAMPLE_KEY: Final = "key_0Nf4gQ2s9XbR7mT1kVwZaC"


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


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    PlainSerializer(lambda moment: moment.isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Text = Annotated[StrictStr, Field(min_length=1, max_length=TEXT_MAX)]
ScopeNames = Annotated[list[StrictStr], Field(max_length=200)]
Networks = Annotated[list[StrictStr], Field(max_length=ALLOWED_IPS_MAX)]
Figure = Annotated[StrictInt, Field(ge=0, le=PLAN_FIGURE_MAX)]
Seconds = Annotated[StrictInt, Field(ge=0, le=2**40)]


class Body(BaseModel):
    """What every request body has in common: no field but those listed."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class VerifyQuestion(Body):
    """A resource server's question about a credential that was presented to it."""

    credential: Annotated[
        StrictStr, Field(min_length=1, max_length=16_384, description="As it was presented.")
    ]
    scope: Annotated[
        StrictStr, Field(max_length=2000, description="Scopes that it must have, separated by spaces.")
    ] = ""
    ip: Annotated[StrictStr | None, Field(max_length=64, description="Where it was presented from.")] = None
    cost: Annotated[
        StrictInt, Field(ge=0, le=1_000_000, description="How many requests it counts for; 0 counts nothing.")
    ] = 1


class NewKey(Body):
    """A new API key."""

    name: Text
    scopes: Annotated[
        ScopeNames | None, Field(description="Default: `read` and `write`, as far as you may give them.")
    ] = None
    expires_at: Moment | None = None
    expires_in: Annotated[StrictInt | None, Field(ge=1, description="Seconds; instead of `expires_at`.")] = (
        None
    )
    user_id: Annotated[StrictStr | None, Field(max_length=100, description="Whose key; default: yours.")] = (
        None
    )
    tenant_id: Annotated[StrictStr | None, Field(max_length=100)] = None
    plan: Annotated[StrictStr | None, Field(max_length=64, description="Default: the tenant's plan.")] = None
    allowed_ips: Annotated[Networks, Field(description="Addresses or CIDR networks; empty allows any.")] = []
    metadata: Annotated[dict[str, Any], Field(description="Any JSON object of at most 16 KB.")] = {}


class KeyPatch(Body):
    """What shall change about an API key; what is left out stays."""

    name: Text = Field(default="-")
    scopes: ScopeNames = Field(default=[])
    plan: Annotated[StrictStr | None, Field(max_length=64, description="null: the tenant's plan.")] = None
    expires_at: Annotated[Moment | None, Field(description="null: never.")] = None
    expires_in: Annotated[
        StrictInt, Field(ge=1, description="Seconds from now; instead of `expires_at`.")
    ] = Field(default=1)
    overlap_seconds: Annotated[
        Seconds, Field(description="For a rotated key: end its overlap so many seconds from now.")
    ] = Field(default=0)
    allowed_ips: Networks = Field(default=[])
    metadata: dict[str, Any] = Field(default={})


class Rotation(Body):
    """How to rotate a key."""

    overlap_seconds: Annotated[
        Seconds, Field(description="How long the old key goes on working; default 3600.")
    ] = 3600


class Revocation(Body):
    """Why a key is revoked."""

    reason: Annotated[StrictStr | None, Field(min_length=1, max_length=500)] = None


class NewUser(Body):
    """A new user: a person, who needs an e-mail address, or a service, which needs a name."""

    kind: UserKind = UserKind.PERSON
    name: Text | None = None
    email: Annotated[StrictStr | None, Field(max_length=254)] = None
    role: Role = Role.MEMBER
    scopes: Annotated[ScopeNames | None, Field(description="null: what the role gives.")] = None
    tenant_id: Annotated[StrictStr | None, Field(max_length=100)] = None


class UserPatch(Body):
    """What shall change about a user; what is left out stays."""

    name: Text = Field(default="-")
    email: Annotated[StrictStr | None, Field(max_length=254)] = None
    role: Role = Field(default=Role.MEMBER)
    scopes: Annotated[ScopeNames | None, Field(description="null: what the role gives.")] = None
    status: Literal["active", "disabled"] = Field(default="active")


class NewTenant(Body):
    """A new tenant."""

    name: Text
    plan: Annotated[StrictStr | None, Field(max_length=64, description="Default: free.")] = None


class TenantPatch(Body):
    """What shall change about a tenant; what is left out stays."""

    name: Text = Field(default="-")
    plan: Annotated[StrictStr, Field(max_length=64)] = Field(default="free")
    status: Literal["active", "disabled"] = Field(default="active")


class NewPlan(Body):
    """A plan; one that exists gets these figures."""

    name: Annotated[StrictStr, Field(min_length=1, max_length=64)]
    requests_per_hour: Annotated[Figure | None, Field(description="null: no limit.")]
    burst: Annotated[Figure | None, Field(description="Within one second; null: no limit.")]
    per_method: Annotated[
        dict[CredentialKind, Figure | None], Field(description="Hourly figures for kinds of credential.")
    ] = {}
    count_by: CountBy = CountBy.CREDENTIAL


class CredentialName(BaseModel):
    """A credential, named."""

    id: str = Field(examples=[_EXAMPLE_KEY])
    kind: CredentialKind
    name: str


class Identity(BaseModel):
    """Who a good credential speaks for."""

    authenticated: Literal[True]
    user_id: str
    scopes: list[str]
    expires_at: Moment | None
    tenant_id: str
    credential: CredentialName


class VerifyVerdict(BaseModel):
    """What a resource server learns: an identity, or why not."""

    valid: StrictBool
    authenticated: Literal[True] | None = None
    user_id: str | None = None
    scopes: list[str] | None = None
    expires_at: Moment | None = None
    tenant_id: str | None = None
    credential: CredentialName | None = None
    code: str | None = Field(default=None, description="The error code, where `valid` is false.")
    message: str | None = None


class ApiKey(BaseModel):
    """An API key, without its secret."""

    id: str = Field(examples=[_EXAMPLE_KEY])
    object: Literal["api_key"]
    name: str
    display: str = Field(description="The first and last four characters of the secret.")
    scopes: list[str]
    plan: str | None = Field(description="null: the tenant's plan.")
    status: Literal["active", "disabled", "revoked", "expired"]
    user_id: str
    tenant_id: str
    parent_id: str | None = Field(description="The key that this one succeeded.")
    expires_at: Moment | None
    overlap_ends_at: Moment | None = Field(description="For a rotated key: when it stops working.")
    allowed_ips: list[str]
    metadata: dict[str, Any]
    created_by: str | None
    created_at: Moment
    updated_at: Moment
    last_used_at: Moment | None
    revoked_at: Moment | None
    revocation_reason: str | None


class MadeApiKey(ApiKey):
    """A new API key with its secret, shown this once."""

    key: str = Field(description="The secret. It is shown this once and cannot be read again.")


class User(BaseModel):
    """A user."""

    id: str
    object: Literal["user"]
    tenant_id: str
    kind: UserKind
    email: str | None
    name: str
    role: Role
    scopes: list[str] | None
    status: Literal["active", "disabled"]
    created_at: Moment
    updated_at: Moment


class Tenant(BaseModel):
    """A tenant."""

    id: str
    object: Literal["tenant"]
    name: str
    status: Literal["active", "disabled"]
    plan: str
    operator: bool
    created_at: Moment
    updated_at: Moment


class PlanOut(BaseModel):
    """A plan."""

    model_config = ConfigDict(title="Plan")

    name: str
    object: Literal["plan"]
    requests_per_hour: int | None
    burst: int | None
    per_method: dict[str, int | None]
    count_by: CountBy
    created_at: Moment
    updated_at: Moment


class Subject(BaseModel):
    """What an event is about."""

    kind: str
    id: str


class ActorOut(BaseModel):
    """Who did it."""

    model_config = ConfigDict(title="Actor")

    user_id: str | None
    credential_id: str | None
    via: str
    request_id: str | None
    address: str | None


class AuditEvent(BaseModel):
    """A line of the audit trail."""

    id: str
    object: Literal["audit_event"]
    at: Moment
    tenant_id: str
    action: str
    subject: Subject
    actor: ActorOut
    details: dict[str, Any]


class ApiKeyPage(BaseModel):
    """A page of API keys, newest first."""

    data: list[ApiKey]
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

    data: list[PlanOut]
    next_cursor: str | None


class AuditPage(BaseModel):
    """A page of audit events, newest first."""

    data: list[AuditEvent]
    next_cursor: str | None


class ErrorBody(BaseModel):
    """Every error."""

    model_config = ConfigDict(title="Error")

    error: str = Field(examples=["invalid_request"])
    message: str = Field(description="What to do, for a person.")
    code: int = Field(description="The status, again.")
    timestamp: Moment
    request_id: str
    doc_url: str
    field: str | None = Field(default=None, description="The offending input, where one is to blame.")
    scope: str | None = Field(default=None, description="The scopes that are needed, with 403.")


class State(BaseModel):
    """How the server is."""

    status: str


class ProtectedResource(BaseModel):
    """How to present a credential to this resource.

    See: RFC 9728 §2
    """

    resource: str
    bearer_methods_supported: list[str]
    scopes_supported: list[str]
    resource_documentation: str
