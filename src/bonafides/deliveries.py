"""Webhooks are told: each event that they have chosen, signed, again until they take it or have taken nothing for days.

An event is written with what is to be delivered of it in one transaction, so a process that is killed loses
none; what is told twice is what was taken in the moment in which the process that told it died.

See: Standard Webhooks
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import msgspec
import structlog

from bonafides.audit import Recorder
from bonafides.authority import Authority
from bonafides.errors import Unavailable
from bonafides.letters import Letters
from bonafides.model import Actor, AuditEvent, Clock, Topic, WaitingLetter, to_datetime
from bonafides.outbox import Pace
from bonafides.outgoing import Fetched, Outgoing
from bonafides.resources import event_resource, time_text
from bonafides.secret import Peppers, webhook_signature
from bonafides.store import NotificationStore, WebhookStore
from bonafides.webhook import TESTED, Attempt, Conclusion, Delivery, DeliveryStatus, Taken, Webhook
from bonafides.webhooks import Webhooks, secret_place

AGAIN_AFTER_SECONDS: Final = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""How long after each failure of a delivery; after the last one it has failed for good."""
QUIET_FROM: Final = 3
"""So many failures one after the other, and everything else waits, too."""
QUIET_SECONDS: Final = (60, 300, 1_800, 3_600)
"""For so long; the last one holds for all that follow."""
DISABLED_AFTER_SECONDS: Final = 3 * 86_400
"""A webhook that took nothing for so long is told nothing more."""
RETRY_AFTER_SECONDS_MAX: Final = 3_600
"""Who asks to be left alone for longer is asked again then."""
NO_WAIT: Final = timedelta()
KEPT_DAYS: Final = 30
"""How long the log says what was delivered."""
AT_ONCE_MAX: Final = 16
SETTLING_SECONDS_MAX: Final = 5.0

_DIGITS_MAX: Final = 9
_TAKEN_SECONDS: Final = 60
"""Nobody else delivers it meanwhile: longer than a call may take."""
_TOLD_MAX: Final = 20
"""So many admins are written to, those who are there for longest."""
_IN_A_ROW_MAX: Final = 50
"""Then others have their turn."""
_ITSELF: Final = Actor(user_id=None, credential_id=None, via="server")

log = structlog.get_logger("bonafides.deliveries")

_encode = msgspec.json.Encoder().encode


class DeliveryStore(WebhookStore, NotificationStore, Protocol):
    """What deliveries ask of the store."""


class Deliveries:
    """Delivers what is due: of one webhook one after the other, of several at once.

    Args:
        store: Where it waits.
        webhooks: Records tests.
        outgoing: Calls the URLs.
        recorder: Makes the event of a webhook's end, and counts those that this process has made.
        peppers: Open the secrets.
        clock: When things are due.
        letters: Tell who administers a webhook of its end.
    """

    def __init__(
        self,
        store: DeliveryStore,
        webhooks: Webhooks,
        outgoing: Outgoing,
        recorder: Recorder,
        peppers: Peppers,
        clock: Clock,
        letters: Letters,
    ) -> None:
        self._letters = letters
        self._store = store
        self._webhooks = webhooks
        self._outgoing = outgoing
        self._recorder = recorder
        self._peppers = peppers
        self._clock = clock
        self._pace = Pace()
        self._seen = recorder.made
        self._busy: dict[str, asyncio.Task[None]] = {}

    async def look(self) -> None:
        """Begin to deliver what is due, soon after this process has made an event, else at every fifteenth call.

        Raises:
            Unavailable: The database cannot be asked; what is due stays.
        """
        if self._recorder.made != self._seen:
            self._seen = self._recorder.made
            self._pace.hurry()
        if self._pace.is_time():
            await self.begin_due()

    async def begin_due(self) -> None:
        """Begin to deliver what is due, as far as there is room for it.

        Raises:
            Unavailable: The database cannot be asked; what is due stays.
        """
        room = AT_ONCE_MAX - len(self._busy)
        if room <= 0:
            return
        for webhook_id in await self._store.due_webhooks(self._now(), self._busy, room):
            task = asyncio.get_running_loop().create_task(self._serve(webhook_id), name="webhook")
            self._busy[webhook_id] = task
            task.add_done_callback(partial(self._done, webhook_id))

    async def settle(self) -> None:
        """Deliver what is due and wait for it, for a while."""
        with contextlib.suppress(TimeoutError, Unavailable):
            async with asyncio.timeout(SETTLING_SECONDS_MAX):
                await self.begin_due()
                await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def close(self) -> None:
        """Leave what is under way; another process takes it up."""
        busy = tuple(self._busy.values())
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)

    async def test(self, authority: Authority, webhook_id: str) -> Delivery:
        """Tell a webhook that it is tested, once, and say what came of it.

        Raises:
            Forbidden: The caller does not administer the tenant.
            NotFound: There is none, or it is another tenant's.
            Unavailable: Another process is at it; the log will tell.
        """
        webhook, event_id = await self._webhooks.record_test(authority, webhook_id)
        now = self._now()
        until = now + timedelta(seconds=_TAKEN_SECONDS)
        taken = await self._store.take_delivery(webhook.id, now, until, event_id=event_id)
        if taken is None:
            raise Unavailable(internal="another process took the test delivery up")
        return await self._deliver(taken)

    async def prune(self) -> None:
        """Forget what the log no longer tells."""
        await self._store.prune_deliveries(self._now() - timedelta(days=KEPT_DAYS))

    def _done(self, webhook_id: str, _: asyncio.Task[None]) -> None:
        self._busy.pop(webhook_id, None)

    async def _serve(self, webhook_id: str) -> None:
        """Deliver what is due for one webhook, the oldest first."""
        try:
            for _ in range(_IN_A_ROW_MAX):
                now = self._now()
                taken = await self._store.take_delivery(
                    webhook_id, now, now + timedelta(seconds=_TAKEN_SECONDS)
                )
                if taken is None:
                    return
                await self._deliver(taken)
            self._pace.hurry()
        except Unavailable as error:
            log.warning("deliveries_postponed", reason=error.internal)
        except Exception:
            # Nobody awaits this task: what it failed with would be told when it is forgotten, if ever.
            log.exception("deliveries_failed", webhook_id=webhook_id)

    async def _deliver(self, taken: Taken) -> Delivery:
        attempt, wished = await self._attempt(taken)
        conclusion = concluded(taken, attempt, wished)
        reason = _end(taken, attempt, conclusion)
        event = None
        if reason is not None:
            log.warning("webhook_disabled", webhook_id=taken.webhook.id, reason=reason)
            event = self._recorder.event(
                "webhook.disabled",
                _ITSELF,
                taken.webhook.tenant_id,
                taken.webhook.id,
                {"reason": reason, "url": taken.webhook.url},
                letters=await self._letters_of(taken.webhook, reason),
            )
        return await self._store.conclude_delivery(taken, conclusion, event)

    async def _letters_of(self, webhook: Webhook, reason: str) -> tuple[WaitingLetter, ...]:
        """Word of its end for who administers it and wants such letters."""
        if not self._letters.mail.is_set_up:
            return ()
        admins = await self._store.admins_of(webhook.tenant_id, _TOLD_MAX)
        unwanted = await self._store.unwanted_topics([admin.id for admin in admins])
        host = urlsplit(webhook.url).hostname or "unknown"
        return tuple(
            letter
            for admin in admins
            if Topic.WEBHOOKS not in unwanted.get(admin.id, ())
            for letter in self._letters.webhook_disabled(admin, webhook.name, host, reason)
        )

    async def _attempt(self, taken: Taken) -> tuple[Attempt, timedelta]:
        """What came of a call, and how long its URL wants to be left alone."""
        began = self._clock.monotonic()
        at = self._now()
        body = _encode(_message(taken.event))
        signatures = self._signatures(taken, int(at.timestamp()), body)
        if not signatures:
            log.error("webhook_unsigned", reason="no pepper in force opens it", webhook_id=taken.webhook.id)
            return Attempt(at, None, "no_secret", 0), NO_WAIT
        headers = {
            "Content-Type": "application/json",
            "webhook-id": taken.event.id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signatures,
        }
        answer = await self._outgoing.send(taken.webhook.url, body, headers)
        took = round((self._clock.monotonic() - began) * 1_000)
        if isinstance(answer, Fetched):
            return Attempt(at, answer.status, None, took), wait_of(answer, at)
        return Attempt(at, None, str(answer.missed), took), NO_WAIT

    def _signatures(self, taken: Taken, at_seconds: int, body: bytes) -> str:
        """With each secret in force, the newest first; empty where none can be opened."""
        kept = [taken.secrets.sealed_secret]
        old_until = taken.webhook.old_secret_until
        if old_until is not None and old_until > self._now():
            kept.append(taken.secrets.old_sealed_secret)
        place = secret_place(taken.webhook.id)
        opened = [self._peppers.unseal_at_rest(each, place) for each in kept]
        told = b"%s.%d.%s" % (taken.event.id.encode("ascii"), at_seconds, body)
        return " ".join(
            webhook_signature(secret.decode("ascii"), told) for secret in opened if secret is not None
        )

    def _now(self) -> datetime:
        return to_datetime(self._clock.micros())


def wait_of(answer: Fetched, now: datetime) -> timedelta:
    """How long a URL wants to be left alone, an hour at most; nothing where it does not say, or nobody can read it.

    See: RFC 9110 §10.2.3
    """
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        seconds = min(int(text[:_DIGITS_MAX]), RETRY_AFTER_SECONDS_MAX)
        return timedelta(seconds=seconds)
    try:
        then = parsedate_to_datetime(text)
        wanted = then - now
    except (ValueError, TypeError, OverflowError):
        return NO_WAIT
    return min(max(wanted, NO_WAIT), timedelta(seconds=RETRY_AFTER_SECONDS_MAX))


def concluded(taken: Taken, attempt: Attempt, wished: timedelta = NO_WAIT) -> Conclusion:
    """What follows from an attempt.

    Args:
        taken: What was told.
        attempt: What came of it.
        wished: How long its URL wants to be left alone.
    """
    counts = taken.delivery.action != TESTED
    if attempt.status is not None and attempt.status // 100 == HTTPStatus.OK // 100:
        return Conclusion(attempt, DeliveryStatus.DELIVERED, attempt.at, counts)
    failures = taken.webhook.failures + 1
    quiet_until = None
    if failures >= QUIET_FROM:
        quiet = QUIET_SECONDS[min(failures - QUIET_FROM, len(QUIET_SECONDS) - 1)]
        quiet_until = attempt.at + max(timedelta(seconds=quiet), wished)
    elif wished and counts:
        quiet_until = attempt.at + wished
    if not counts or taken.delivery.tries > len(AGAIN_AFTER_SECONDS):
        return Conclusion(attempt, DeliveryStatus.FAILED, attempt.at, counts, quiet_until)
    again = attempt.at + max(timedelta(seconds=AGAIN_AFTER_SECONDS[taken.delivery.tries - 1]), wished)
    return Conclusion(attempt, DeliveryStatus.WAITING, again, counts, quiet_until)


def _end(taken: Taken, attempt: Attempt, conclusion: Conclusion) -> str | None:
    """Why the webhook is told nothing more, if it is not."""
    if not conclusion.counts or conclusion.status is DeliveryStatus.DELIVERED:
        return None
    if attempt.status == HTTPStatus.GONE:
        return "Its URL answered that it is gone (410)."
    since: Webhook = taken.webhook
    if since.failing_since and attempt.at - since.failing_since >= timedelta(seconds=DISABLED_AFTER_SECONDS):
        return "It took nothing for three days."
    return None


def _message(event: AuditEvent) -> dict[str, Any]:
    """What a webhook is told of an event.

    See: Standard Webhooks, "Payload structure"
    """
    return {"type": event.action, "timestamp": time_text(event.at), "data": event_resource(event)}
