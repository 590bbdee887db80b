"""Webhooks: which URLs are told of which events, and with which secret that is signed.

See: Standard Webhooks
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol

from typing_extensions import override

from bonafides import intake
from bonafides.actions import ACTIONS
from bonafides.audit import Recorder
from bonafides.authority import Authority
from bonafides.errors import Conflict, InvalidRequest, NotFound
from bonafides.idempotency import ClaimFor, reused
from bonafides.model import UNCHANGED, Clock, Entropy, Page, Replayed, Unchanged, to_datetime
from bonafides.outgoing import Plain, may_be_named
from bonafides.secret import Peppers, contains_secret, mint_webhook_secret, new_id
from bonafides.store import AuditStore, Clash, DirectoryStore, Reused, WebhookStore
from bonafides.webhook import (
    EVERY_EVENT,
    TESTED,
    Delivery,
    DeliveryStatus,
    Webhook,
    WebhookChanges,
    WebhookSecrets,
    WebhookStatus,
)

OVERLAP_SECONDS_DEFAULT: Final = 86_400
OVERLAP_SECONDS_MAX: Final = 30 * 86_400
EVENTS_MAX: Final = 100
CHOICES: Final = frozenset(
    {EVERY_EVENT, *ACTIONS, *(f"{action.partition('.')[0]}.*" for action in ACTIONS)} - {TESTED}
)
"""What a webhook may choose."""


@dataclass(frozen=True, slots=True, repr=False)
class MadeWebhook:
    """A webhook with its secret, which is shown this once."""

    webhook: Webhook
    secret: str

    @override
    def __repr__(self) -> str:
        return f"MadeWebhook({self.webhook.id!r})"


class WebhooksStore(WebhookStore, DirectoryStore, AuditStore, Protocol):
    """What managing webhooks asks of the store."""


class Webhooks:
    """Makes and changes webhooks, and says what they were told.

    Args:
        store: Where they are.
        recorder: Makes audit events.
        peppers: Seal secrets.
        clock: When things happen.
        entropy: For ids and secrets.
        plain: Where http does in place of https.
    """

    def __init__(
        self,
        store: WebhooksStore,
        recorder: Recorder,
        peppers: Peppers,
        clock: Clock,
        entropy: Entropy,
        plain: Plain,
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._peppers = peppers
        self._clock = clock
        self._entropy = entropy
        self._plain = plain

    async def create(
        self,
        authority: Authority,
        name: str,
        url: str,
        events: Iterable[str],
        *,
        tenant_id: str | None = None,
        claim_for: ClaimFor[MadeWebhook] | None = None,
    ) -> MadeWebhook | Replayed:
        """A webhook that is told of every such event of its tenant from now on.

        Raises:
            Forbidden: The caller does not administer the tenant.
            NotFound: The tenant is not the caller's.
            Conflict: The tenant has as many as it may have, or the `Idempotency-Key` was used for another call.
            InvalidRequest: A field is malformed.
        """
        authority.require_administration("make webhooks")
        tenant = authority.tenant(tenant_id)
        if await self._store.find_tenant(tenant) is None:
            message = f"There is no tenant {tenant[:64]!a}."
            raise NotFound(message, field="tenant_id")
        now_us = self._clock.micros()
        now = to_datetime(now_us)
        webhook = Webhook(
            id=new_id("whk", now_us, self._entropy),
            tenant_id=tenant,
            name=intake.text(name, "name"),
            url=self._url(url),
            events=_events(events),
            status=WebhookStatus.ACTIVE,
            disabled_because=None,
            failures=0,
            failing_since=None,
            quiet_until=None,
            old_secret_until=None,
            created_by=authority.user_id,
            created_at=now,
            updated_at=now,
        )
        made = MadeWebhook(webhook, mint_webhook_secret(self._entropy))
        event = self._recorder.event(
            "webhook.created",
            authority.actor,
            tenant,
            webhook.id,
            {"name": webhook.name, "url": webhook.url, "events": sorted(webhook.events)},
        )
        claim = claim_for(made) if claim_for else None
        outcome = await self._store.create_webhook(webhook, self._sealed(made), event, claim=claim)
        if isinstance(outcome, Reused):
            raise reused()
        if isinstance(outcome, Clash):
            message = "The tenant has as many webhooks as it may have. Delete one that is not used any more."
            raise Conflict(message)
        return outcome if isinstance(outcome, Replayed) else made

    async def page(
        self, authority: Authority, page: Page, *, tenant_id: str | None = None
    ) -> Sequence[Webhook]:
        """The tenant's webhooks, newest first.

        Raises:
            Forbidden: The caller does not administer the tenant.
            NotFound: The tenant is not the caller's.
        """
        authority.require_administration("see webhooks")
        return await self._store.list_webhooks(authority.tenant(tenant_id), page)

    async def get(self, authority: Authority, webhook_id: str) -> Webhook:
        """The webhook of that id.

        Raises:
            Forbidden: The caller does not administer the tenant.
            NotFound: There is none, or it is another tenant's.
        """
        authority.require_administration("see webhooks")
        return _there(await self._store.find_webhook(webhook_id, authority.reach), webhook_id)

    async def change(self, authority: Authority, webhook_id: str, changes: WebhookChanges) -> Webhook:
        """Change, disable or enable a webhook; what is left out stays.

        Raises:
            Forbidden: The caller does not administer the tenant.
            NotFound: There is none, or it is another tenant's.
            InvalidRequest: A field is malformed.
        """
        webhook = await self.get(authority, webhook_id)
        checked = WebhookChanges(
            name=UNCHANGED if isinstance(changes.name, Unchanged) else intake.text(changes.name, "name"),
            url=UNCHANGED if isinstance(changes.url, Unchanged) else self._url(changes.url),
            events=UNCHANGED if isinstance(changes.events, Unchanged) else _events(changes.events),
            status=changes.status,
        )
        event = self._recorder.event(
            "webhook.changed", authority.actor, webhook.tenant_id, webhook.id, _details(checked)
        )
        return _there(await self._store.change_webhook(webhook.id, checked, event), webhook_id)

    async def delete(self, authority: Authority, webhook_id: str) -> None:
        """Delete a webhook, and the log of what it was told.

        Raises:
            Forbidden: The caller does not administer the tenant.
            NotFound: There is none, or it is another tenant's.
        """
        webhook = await self.get(authority, webhook_id)
        event = self._recorder.event(
            "webhook.deleted", authority.actor, webhook.tenant_id, webhook.id, {"url": webhook.url}
        )
        if not await self._store.remove_webhook(webhook.id, event):
            _there(None, webhook_id)

    async def rotate(
        self,
        authority: Authority,
        webhook_id: str,
        *,
        overlap_seconds: int = OVERLAP_SECONDS_DEFAULT,
        claim_for: ClaimFor[MadeWebhook] | None = None,
    ) -> MadeWebhook | Replayed:
        """Another secret; until the overlap ends, signatures are made with both.

        Raises:
            Forbidden: The caller does not administer the tenant.
            NotFound: There is none, or it is another tenant's.
            Conflict: The `Idempotency-Key` was used for another call.
            InvalidRequest: The overlap is too long.
        """
        webhook = await self.get(authority, webhook_id)
        if not 0 <= overlap_seconds <= OVERLAP_SECONDS_MAX:
            message = f"overlap_seconds must be between 0 and {OVERLAP_SECONDS_MAX}."
            raise InvalidRequest(message, field="overlap_seconds")
        made = MadeWebhook(webhook, mint_webhook_secret(self._entropy))
        event = self._recorder.event(
            "webhook.secret_rotated",
            authority.actor,
            webhook.tenant_id,
            webhook.id,
            {"overlap_seconds": overlap_seconds},
        )
        until = to_datetime(self._clock.micros()) + timedelta(seconds=overlap_seconds)
        claim = claim_for(made) if claim_for else None
        outcome = await self._store.rotate_webhook_secret(
            webhook.id, self._sealed(made), until, event, claim=claim
        )
        if isinstance(outcome, Reused):
            raise reused()
        return (
            outcome
            if isinstance(outcome, Replayed)
            else MadeWebhook(_there(outcome, webhook_id), made.secret)
        )

    async def record_test(self, authority: Authority, webhook_id: str) -> tuple[Webhook, str]:
        """An event that this webhook alone is told of, disabled or not; which one.

        Raises:
            Forbidden: The caller does not administer the tenant.
            NotFound: There is none, or it is another tenant's.
        """
        webhook = await self.get(authority, webhook_id)
        event = self._recorder.event(
            TESTED, authority.actor, webhook.tenant_id, webhook.id, {"url": webhook.url}
        )
        await self._store.append_event(event)
        return webhook, event.id

    async def deliveries(
        self, authority: Authority, webhook_id: str, page: Page, status: DeliveryStatus | None = None
    ) -> Sequence[Delivery]:
        """What a webhook was told in the last days, newest first.

        Raises:
            Forbidden: The caller does not administer the tenant.
            NotFound: There is none, or it is another tenant's.
        """
        webhook = await self.get(authority, webhook_id)
        return await self._store.list_deliveries(webhook.id, page, status)

    async def resend(self, authority: Authority, webhook_id: str, event_id: str) -> Delivery:
        """Tell a webhook of an event again, under the same id.

        Raises:
            Forbidden: The caller does not administer the tenant.
            NotFound: There is no such webhook or delivery, or it is another tenant's.
            Conflict: The webhook is disabled.
        """
        webhook = await self.get(authority, webhook_id)
        if webhook.status is WebhookStatus.DISABLED:
            message = "The webhook is disabled. Enable it first."
            raise Conflict(message)
        found = await self._store.resend_delivery(webhook.id, event_id, to_datetime(self._clock.micros()))
        if found is None:
            message = f"The webhook was not told of {event_id[:64]!a}."
            raise NotFound(message)
        return found

    def _url(self, url: str) -> str:
        if not may_be_named(url, plain=self._plain) or contains_secret(url):
            message = "url must be a plain https URL such as https://example.com/hooks, without credentials."
            raise InvalidRequest(message, field="url")
        return url

    def _sealed(self, made: MadeWebhook) -> WebhookSecrets:
        sealed = self._peppers.seal_at_rest(
            made.secret.encode("ascii"), secret_place(made.webhook.id), self._entropy
        )
        return WebhookSecrets(sealed, self._peppers.newest_id)


def secret_place(webhook_id: str) -> str:
    """What a webhook's sealed secrets are bound to."""
    return f"webhooks.sealed_secret.{webhook_id}"


def _events(events: Iterable[str]) -> frozenset[str]:
    chosen = frozenset(events)
    unknown = sorted(chosen - CHOICES)
    if unknown:
        message = (
            f"events: {unknown[0][:100]!a} is no event. Choose actions of the audit trail such as api_key.revoked, "
            "all about one kind of thing such as api_key.*, or *."
        )
        raise InvalidRequest(message, field="events")
    if not chosen:
        message = "events must name at least one event; * stands for all."
        raise InvalidRequest(message, field="events")
    return chosen


def _details(changes: WebhookChanges) -> Mapping[str, Any]:
    given = {name: getattr(changes, name) for name in WebhookChanges.__slots__}
    return {
        name: sorted(value) if isinstance(value, frozenset) else str(value)
        for name, value in given.items()
        if value is not UNCHANGED
    }


def _there(webhook: Webhook | None, webhook_id: str) -> Webhook:
    if webhook is None:
        message = f"There is no webhook {webhook_id[:64]!a}."
        raise NotFound(message)
    return webhook
