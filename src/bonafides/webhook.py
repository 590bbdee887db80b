"""Webhooks, as all rooms speak of them: who is told what the audit trail says, and what came of it.

See: Standard Webhooks (https://www.standardwebhooks.com)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bonafides.model import UNCHANGED, AuditEvent, Unchanged

EVERY_EVENT = "*"
TESTED = "webhook.tested"
"""The action that one webhook alone is told of, whatever it has chosen."""


class WebhookStatus(StrEnum):
    """Whether a webhook is told of anything."""

    ACTIVE = "active"
    DISABLED = "disabled"


class DeliveryStatus(StrEnum):
    """What has become of telling a webhook of an event."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A URL that is told of events of its tenant.

    Args:
        events: Actions, `<subject kind>.*` for every action upon such a thing, or `*`.
        disabled_because: What disabled it, where that was the server itself.
        failures: How many deliveries have failed since the last one that did not.
        failing_since: When the first of those failed.
        quiet_until: Nothing is delivered before, because too much has failed.
        old_secret_until: How long signatures are made with the secret before this one, too.
    """

    id: str
    tenant_id: str
    name: str
    url: str
    events: frozenset[str]
    status: WebhookStatus
    disabled_because: str | None
    failures: int
    failing_since: datetime | None
    quiet_until: datetime | None
    old_secret_until: datetime | None
    created_by: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class WebhookSecrets:
    """What a webhook's deliveries are signed with, sealed; the old one is empty where there is none."""

    sealed_secret: bytes
    pepper_id: str
    old_sealed_secret: bytes = b""
    old_pepper_id: str | None = None


@dataclass(frozen=True, slots=True)
class WebhookChanges:
    """A partial change of a webhook; `UNCHANGED` leaves a field as it is."""

    name: str | Unchanged = UNCHANGED
    url: str | Unchanged = UNCHANGED
    events: frozenset[str] | Unchanged = UNCHANGED
    status: WebhookStatus | Unchanged = UNCHANGED


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of a webhook's URL.

    Args:
        status: What it answered; None: nothing.
        reason: Why there was no answer.
        milliseconds: How long it took.
    """

    at: datetime
    status: int | None
    reason: str | None
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event that a webhook is told of, once or again and again until it takes it.

    Args:
        due_at: When it is tried next, as long as it waits.
        tries: How often it was taken up; who takes it up names the last number.
        attempts: The last of them, in their order.
    """

    webhook_id: str
    event_id: str
    action: str
    status: DeliveryStatus
    created_at: datetime
    due_at: datetime
    tries: int
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery that this process has taken up, and nobody else does for a while."""

    delivery: Delivery
    webhook: Webhook
    secrets: WebhookSecrets
    event: AuditEvent


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What follows from an attempt.

    Args:
        attempt: What came of it.
        status: Of the delivery, from now on.
        again_at: When it is tried again, if it waits.
        counts: Whether it tells anything of the webhook's health.
        quiet_until: Before this, nothing else is delivered either.
    """

    attempt: Attempt
    status: DeliveryStatus
    again_at: datetime
    counts: bool = True
    quiet_until: datetime | None = None
