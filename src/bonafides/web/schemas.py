"""The bodies of answers, for describing them."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from bonafides.errors import WIRE_CODES
from bonafides.model import CountBy, CredentialKind, Role, UsagePeriod, UserKind
from bonafides.web.bodies import Moment, without_defaults

_TAIL: Final = "[0-9A-Za-z]{22}$"

KeyId = Annotated[str, Field(pattern=f"^key_{_TAIL}")]
UserId = Annotated[str, Field(pattern=f"^usr_{_TAIL}")]
TenantId = Annotated[str, Field(pattern=f"^ten_{_TAIL}")]
EventId = Annotated[str, Field(pattern=f"^evt_{_TAIL}")]
RequestId = Annotated[str, Field(pattern=f"^req_{_TAIL}")]


class CredentialName(BaseModel):
    """A credential, named."""

    id: KeyId
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


class MadeApiKey(ApiKey):
    """A new API key with its secret, shown this once."""

    key: str = Field(
        description="The secret. It is shown this once and cannot be read again.",
        pattern="^bf_key_[0-9A-Za-z]{44}_[0-9A-Za-z]{6}$",
    )


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
    created_at: Moment
    updated_at: Moment


class Subject(BaseModel):
    """What an event is about."""

    kind: str
    id: str


class Actor(BaseModel):
    """Who did it."""

    user_id: UserId | None
    credential_id: KeyId | None
    via: str = Field(description="`api`, `command line` or `first run`.")
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
    credential_id: KeyId | None = Field(description="`null`: of all credentials of the user or tenant.")
    period: UsagePeriod
    start: Moment = Field(description="Of the first bucket.")
    end: Moment = Field(description="Of the last bucket, which is under way.")
    bucket_seconds: Literal[60, 3600, 86400]
    total: Requests
    buckets: list[UsageBucket] = Field(description="In the order of time, the empty ones too.")


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

    model_config = ConfigDict(json_schema_extra=without_defaults)


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
    bearer_methods_supported: list[Literal["header"]]
    scopes_supported: list[str]
    resource_documentation: str
