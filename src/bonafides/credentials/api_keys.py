"""API keys: issued, changed, rotated with an overlap, disabled, enabled, revoked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any, Final

from bonafides import intake
from bonafides.authority import Authority
from bonafides.credentials.holdings import API_KEY, Holdings, Made
from bonafides.directory import require_active_user, require_self_or_administration
from bonafides.errors import Conflict, InvalidRequest, NotFound
from bonafides.idempotency import ClaimFor, reused
from bonafides.model import (
    ADMIN,
    UNCHANGED,
    Credential,
    CredentialChanges,
    CredentialStatus,
    Replayed,
    Unchanged,
    to_datetime,
)
from bonafides.secret import new_id
from bonafides.store import Reused

OVERLAP_SECONDS_DEFAULT: Final = 3_600
OVERLAP_SECONDS_MAX: Final = 30 * 86_400


@dataclass(frozen=True, slots=True)
class KeyWish:
    """What somebody asks a new key to be; None takes the default.

    Args:
        scopes: None gives `read` and `write`, as far as the caller may.
        user_id: Whose key; None means the caller's own.
        expires_in: Seconds; `expires_at` and this exclude each other.
        plan: None takes the tenant's.
        bearer_token_seconds: How long bearer tokens made from it last; None leaves it to the plan.
    """

    name: str
    scopes: Sequence[str] | None = None
    expires_at: datetime | None = None
    expires_in: int | None = None
    user_id: str | None = None
    tenant_id: str | None = None
    plan: str | None = None
    allowed_ips: Sequence[str] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    bearer_token_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class KeyChanges:
    """A partial change of a key; `UNCHANGED` leaves a field as it is.

    `overlap_seconds` moves the end of a rotated key's overlap to so many seconds from now.
    """

    name: str | Unchanged = UNCHANGED
    scopes: Sequence[str] | Unchanged = UNCHANGED
    plan: str | Unchanged | None = UNCHANGED
    expires_at: datetime | Unchanged | None = UNCHANGED
    expires_in: int | Unchanged = UNCHANGED
    overlap_seconds: int | Unchanged = UNCHANGED
    allowed_ips: Sequence[str] | Unchanged = UNCHANGED
    metadata: Mapping[str, Any] | Unchanged = UNCHANGED
    bearer_token_seconds: int | Unchanged | None = UNCHANGED


class ApiKeys(Holdings):
    """Issues and manages API keys. A secret leaves `create` and `rotate` once, and is kept nowhere."""

    species = API_KEY

    async def create(
        self, authority: Authority, wish: KeyWish, *, claim_for: ClaimFor[Made] | None = None
    ) -> Made | Replayed:
        """Issue a key that never has a scope which its owner or the caller's credential lacks.

        Raises:
            Forbidden: The caller would give more than it has, or acts for somebody else without `admin`.
            NotFound: The user or tenant is not the caller's to see.
            Conflict: The user is disabled.
            InvalidRequest: A field is malformed.
        """
        owner_id = wish.user_id or authority.user_id
        if owner_id is None:
            message = "user_id: say whose key this shall be."
            raise InvalidRequest(message, field="user_id")
        tenant_id = authority.tenant(wish.tenant_id) if wish.tenant_id is not None else None
        require_self_or_administration(authority, owner_id)
        owner = await self._directory.user(authority, owner_id)
        if tenant_id is not None and owner.tenant_id != tenant_id:
            message = f"There is no user {owner_id[:64]!a} in this tenant. Name one of its users in user_id."
            raise NotFound(message, field="user_id")
        require_active_user(owner)
        if owner.id != authority.user_id:
            authority.require_rank(owner.role, owner.tenant_id, f"make a key for an {owner.role}")
        scopes = await self.default_or_bounded(authority, wish.scopes, owner)
        blank = self.blank(owner.tenant_id, owner.id, intake.text(wish.name, "name"), scopes)
        credential = replace(
            blank,
            plan=await self._plan(authority, wish.plan),
            expires_at=intake.expiry(wish.expires_at, wish.expires_in, blank.created_at),
            allowed_ips=intake.allowed_ips(wish.allowed_ips),
            metadata=intake.metadata(wish.metadata),
            created_by=authority.user_id,
            bearer_token_seconds=_token_seconds(wish.bearer_token_seconds),
        )
        return await self.keep(
            credential,
            authority.actor,
            {"name": credential.name, "user_id": owner.id, "scopes": sorted(scopes)},
            claim_for,
        )

    async def change(self, authority: Authority, key_id: str, changes: KeyChanges) -> Credential:
        """Change a key that is not revoked; it binds the next request.

        Raises:
            Forbidden: The key has, or the caller would give it, more than the caller's credential has.
            NotFound: There is none, or it is not the caller's.
            Conflict: It is revoked, is not in an overlap that could be ended sooner, or would outlive the key
                that it succeeded.
            InvalidRequest: A field is malformed.
        """
        key = await self.get(authority, key_id)
        await self.require_power_over(authority, key, "change")
        now = to_datetime(self._clock.micros())
        stored = CredentialChanges()
        if not isinstance(changes.name, Unchanged):
            stored = replace(stored, name=intake.text(changes.name, "name"))
        if not isinstance(changes.scopes, Unchanged):
            owner = await self._directory.user(authority, key.user_id)
            stored = replace(stored, scopes=await self.bounded(authority, changes.scopes, owner))
        if not isinstance(changes.plan, Unchanged):
            if changes.plan != key.plan:
                # Back to the tenant's plan, too: it may be the wider one.
                authority.require_operator("put a key on another plan")
            stored = replace(stored, plan=await self._plan(authority, changes.plan))
        if not isinstance(changes.expires_at, Unchanged) or not isinstance(changes.expires_in, Unchanged):
            expires_at = None if isinstance(changes.expires_at, Unchanged) else changes.expires_at
            expires_in = None if isinstance(changes.expires_in, Unchanged) else changes.expires_in
            stored = replace(stored, expires_at=intake.expiry(expires_at, expires_in, now))
            await self._require_within_parent(key, stored.expires_at)
        if not isinstance(changes.overlap_seconds, Unchanged):
            if key.overlap_ends_at is None:
                message = "overlap_seconds: this key was not rotated, so it has no overlap to change."
                raise Conflict(message, field="overlap_seconds")
            ends = now + timedelta(seconds=_overlap(changes.overlap_seconds))
            if changes.overlap_seconds and ends > key.overlap_ends_at:
                message = (
                    "overlap_seconds: an overlap can be ended sooner, but not made longer or begun again."
                )
                raise Conflict(message, field="overlap_seconds")
            stored = replace(stored, overlap_ends_at=min(ends, key.overlap_ends_at))
        if not isinstance(changes.allowed_ips, Unchanged):
            stored = replace(stored, allowed_ips=intake.allowed_ips(changes.allowed_ips))
        if not isinstance(changes.metadata, Unchanged):
            stored = replace(stored, metadata=intake.metadata(changes.metadata))
        if not isinstance(changes.bearer_token_seconds, Unchanged):
            stored = replace(stored, bearer_token_seconds=_token_seconds(changes.bearer_token_seconds))
        event = self._recorder.event(
            "api_key.changed", authority.actor, key.tenant_id, key.id, {"fields": _changed_fields(stored)}
        )
        changed = await self._store.change_credential(key.id, key.tenant_id, stored, event)
        return changed if changed is not None else self.refuse_revoked(await self.get(authority, key_id))

    async def rotate(
        self,
        authority: Authority,
        key_id: str,
        *,
        overlap_seconds: int | None = None,
        claim_for: ClaimFor[Made] | None = None,
    ) -> Made | Replayed:
        """Issue a successor with the same powers and the same end; the old key works until the overlap ends.

        The successor is the old key's child: revoking or disabling the old one ends it too, and so does
        the old one's expiry; the end of the overlap does not.

        Raises:
            Forbidden: The key has scopes that the caller's credential lacks.
            NotFound: There is none, or it is not the caller's.
            Conflict: It is revoked, disabled, expired, or was rotated before.
            InvalidRequest: The overlap is out of bounds.
        """
        key = await self.get(authority, key_id)
        seconds = _overlap(OVERLAP_SECONDS_DEFAULT if overlap_seconds is None else overlap_seconds)
        await self.require_power_over(authority, key, "rotate")
        if ADMIN in key.scopes:
            await self._directory.require_recent_proof(authority)
        now_us = self._clock.micros()
        now = to_datetime(now_us)
        successor = replace(
            key,
            id=new_id("key", now_us, self._entropy),
            status=CredentialStatus.ACTIVE,
            parent_id=key.id,
            overlap_ends_at=None,
            created_by=authority.user_id,
            created_at=now,
            updated_at=now,
            last_used_at=None,
            revoked_at=None,
            revocation_reason=None,
        )
        made, secret = self.mint(successor)
        ends = now + timedelta(seconds=seconds)
        overlap_ends_at = ends if key.expires_at is None else min(ends, key.expires_at)
        event = self._recorder.event(
            "api_key.rotated",
            authority.actor,
            key.tenant_id,
            key.id,
            {
                "successor_id": made.credential.id,
                "overlap_seconds": seconds,
                "display": made.credential.display,
            },
        )
        claim = claim_for(made) if claim_for else None
        outcome = await self._store.rotate_credential(
            key.id, overlap_ends_at, made.credential, secret, event, claim=claim
        )
        if isinstance(outcome, Reused):
            raise reused()
        if outcome is None:
            self._refuse_rotation(await self.get(authority, key_id))
        return outcome if isinstance(outcome, Replayed) else made

    async def _require_within_parent(self, key: Credential, expires_at: datetime | Unchanged | None) -> None:
        """Refuse an end that would never be reached, because the key that this one succeeded ends before."""
        parent = None
        if key.parent_id is not None:
            parent = await self._store.find_credential(key.parent_id, key.tenant_id)
        if parent is None or parent.expires_at is None or isinstance(expires_at, Unchanged):
            return
        if expires_at is None or expires_at > parent.expires_at:
            message = f"expires_at: this key succeeded {parent.id} and expires with it. Change that key's expiry first."
            raise Conflict(message, field="expires_at")

    async def _plan(self, authority: Authority, name: str | None) -> str | None:
        if name is None:
            return None
        authority.require_operator("put a key on a plan of its own")
        if await self._store.find_plan(intake.plan_name(name, "plan")) is None:
            message = f"plan: there is no plan {name!a}."
            raise InvalidRequest(message, field="plan")
        return name

    def _refuse_rotation(self, key: Credential) -> None:
        if key.overlap_ends_at is not None:
            message = f"The API key {key.id} was rotated before. Rotate its successor instead."
        else:
            message = f"The API key {key.id} is {key.status} or expired. Only an active key can be rotated."
        raise Conflict(message)


def _overlap(seconds: int) -> int:
    if not 0 <= seconds <= OVERLAP_SECONDS_MAX:
        message = f"overlap_seconds must be between 0 and {OVERLAP_SECONDS_MAX}."
        raise InvalidRequest(message, field="overlap_seconds")
    return seconds


def _token_seconds(seconds: int | None) -> int | None:
    return intake.seconds(seconds, "bearer_token_seconds") if seconds is not None else None


def _changed_fields(changes: CredentialChanges) -> list[str]:
    return [name.name for name in fields(changes) if not isinstance(getattr(changes, name.name), Unchanged)]
