"""Audit events: how they are made, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bonafides.authority import Authority
from bonafides.model import Actor, AuditEvent, Clock, Entropy, Page, WaitingLetter, to_datetime
from bonafides.secret import new_id
from bonafides.store import AuditStore


class Recorder:
    """Makes the event that a mutating verb takes.

    Args:
        clock: When it happened.
        entropy: For the event's id.

    Attributes:
        made: How many events this process has made.
    """

    def __init__(self, clock: Clock, entropy: Entropy) -> None:
        self._clock = clock
        self._entropy = entropy
        self.made = 0

    def event(
        self,
        action: str,
        actor: Actor,
        tenant_id: str,
        subject_id: str,
        details: Mapping[str, Any] | None = None,
        letters: tuple[WaitingLetter, ...] = (),
    ) -> AuditEvent:
        """An event that says who did what to which thing, now.

        Args:
            action: `<subject kind>.<past participle>`, such as `api_key.revoked`.
            actor: Who did it.
            tenant_id: Whose trail it belongs to.
            subject_id: The thing.
            details: What changed; never a secret.
            letters: That tell people of it.
        """
        now_us = self._clock.micros()
        self.made += 1
        return AuditEvent(
            id=new_id("evt", now_us, self._entropy),
            at=to_datetime(now_us),
            tenant_id=tenant_id,
            action=action,
            subject_kind=action.partition(".")[0],
            subject_id=subject_id,
            actor=actor,
            details=details or {},
            letters=letters,
        )


class AuditTrail:
    """Reads the trail.

    Args:
        store: Where it is.
    """

    def __init__(self, store: AuditStore) -> None:
        self._store = store

    async def events(
        self,
        authority: Authority,
        page: Page,
        *,
        tenant_id: str | None = None,
        action: str | None = None,
        subject_id: str | None = None,
        actor_user_id: str | None = None,
    ) -> Sequence[AuditEvent]:
        """The tenant's events, newest first.

        Raises:
            Forbidden: The caller does not administer the tenant.
        """
        authority.require_administration("read the audit trail")
        return await self._store.list_events(
            authority.tenant(tenant_id),
            page,
            action=action,
            subject_id=subject_id,
            actor_user_id=actor_user_id,
        )
