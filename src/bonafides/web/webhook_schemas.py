"""What is asked and answered about webhooks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictStr

from bonafides.outgoing import URL_LENGTH_MAX, Missed
from bonafides.web.bodies import Body, Id, Moment, OverlapSeconds, Patch, Text
from bonafides.web.schemas import EventId, TenantId, UserId
from bonafides.webhook import DeliveryStatus, WebhookStatus
from bonafides.webhooks import CHOICES, EVENTS_MAX, OVERLAP_SECONDS_DEFAULT

WebhookId = Annotated[str, Field(pattern="^whk_[0-9A-Za-z]{22}$")]
EventChoice = Annotated[StrictStr, Field(json_schema_extra={"enum": sorted(CHOICES)})]
EventChoices = Annotated[
    list[EventChoice],
    Field(
        min_length=1,
        max_length=EVENTS_MAX,
        description="Actions of the audit trail; `api_key.*` stands for all about API keys, `*` for all there are.",
    ),
]
WebhookUrl = Annotated[
    StrictStr,
    Field(
        min_length=1,
        max_length=URL_LENGTH_MAX,
        description="Of https, and of a public address, unless the settings let it be another.",
    ),
]
WebhookSecret = Annotated[
    str,
    Field(
        pattern="^whsec_[0-9A-Za-z+/]{43}=$",
        description="What deliveries are signed with. It is shown this once and cannot be read again.",
    ),
]


class NewWebhook(Body):
    """A URL that shall be told of events."""

    name: Text
    url: WebhookUrl
    events: EventChoices = Field(default=["*"])
    tenant_id: Annotated[Id | None, Field(description="Whose events; another tenant's: the operator.")] = None


class WebhookPatch(Patch):
    """A change of a webhook; what is left out stays."""

    name: Text = Field(default="-")
    url: WebhookUrl = Field(default="-")
    events: EventChoices = Field(default=["*"])
    status: Annotated[
        Literal["active", "disabled"],
        Field(description="One that is enabled again is told of what happens from then on."),
    ] = Field(default="active")


class WebhookRotation(Body):
    """Another secret for a webhook."""

    overlap_seconds: Annotated[
        OverlapSeconds, Field(description="How long signatures are made with the secret before it, too.")
    ] = OVERLAP_SECONDS_DEFAULT


class Webhook(BaseModel):
    """A URL that is told of events, and how it fares."""

    id: WebhookId
    object: Literal["webhook"]
    tenant_id: TenantId
    name: str
    url: str
    events: list[str]
    status: WebhookStatus
    disabled_because: Annotated[str | None, Field(description="Why the server itself tells it nothing more.")]
    failures: Annotated[int, Field(description="Since the last delivery that it took.")]
    failing_since: Moment | None
    old_secret_ends_at: Annotated[
        Moment | None,
        Field(description="Until when signatures are made with the secret before this one, too."),
    ]
    created_by: UserId | None
    created_at: Moment
    updated_at: Moment

    model_config = ConfigDict(extra="forbid")


class MadeWebhook(Webhook):
    """A webhook with its secret."""

    secret: WebhookSecret


class WebhookPage(BaseModel):
    """A page of webhooks."""

    data: list[Webhook]
    next_cursor: str | None


class WebhookAttempt(BaseModel):
    """One call of a webhook's URL."""

    at: Moment
    status: Annotated[int | None, Field(description="What it answered; `null`: nothing.")]
    reason: Annotated[Missed | Literal["no_secret"] | None, Field(description="Why there was no answer.")]
    milliseconds: int

    model_config = ConfigDict(extra="forbid")


class WebhookDelivery(BaseModel):
    """An event that a webhook was told of, or is to be."""

    object: Literal["webhook_delivery"]
    webhook_id: WebhookId
    event_id: Annotated[
        EventId, Field(description="Of the audit trail; the header `webhook-id` says the same.")
    ]
    action: str
    status: DeliveryStatus
    created_at: Moment
    next_attempt_at: Annotated[Moment | None, Field(description="`null`: it is not tried again.")]
    attempts: Annotated[list[WebhookAttempt], Field(description="The last ten.")]

    model_config = ConfigDict(extra="forbid")


class WebhookDeliveryPage(BaseModel):
    """A page of deliveries."""

    data: list[WebhookDelivery]
    next_cursor: str | None
