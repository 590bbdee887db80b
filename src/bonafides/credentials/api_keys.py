"""API keys: issued, changed, rotated with an overlap, disabled, enabled, revoked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from typing_extensions import override

from bonafides import intake
from bonafides.audit import Recorder
from bonafides.authority import Authority
from bonafides.directory import Directory, require_active_user, require_self_or_administration
from bonafides.errors import Conflict, InvalidRequest, NotFound
from bonafides.idempotency import ClaimFor, reused
from bonafides.model import (
    READ,
    UNCHANGED,
    WRITE,
    Clock,
    Credential,
    CredentialChanges,
    CredentialKind,
    CredentialStatus,
    DigestedSecret,
    Entropy,
    Page,
    Replayed,
    ShownStatus,
    Unchanged,
    powers,
    to_datetime,
)
from bonafides.secret import Peppers, SecretKind, display, mint, new_id
from bonafides.store import CredentialStore, PlanStore, Reused

DEFAULT_SCOPES: Final = frozenset({READ, WRITE})
OVERLAP_SECONDS_DEFAULT: Final = 3_600
OVERLAP_SECONDS_MAX: Final = 30 * 86_400
REASON_MAX: Final = 500
_STORED: Final = {
    ShownStatus.ACTIVE: CredentialStatus.ACTIVE,
    ShownStatus.DISABLED: CredentialStatus.DISABLED,
    ShownStatus.REVOKED: CredentialStatus.REVOKED,
    ShownStatus.EXPIRED: CredentialStatus.ACTIVE,
}
_VERBS: Final = {
    CredentialStatus.ACTIVE: "enable",
    CredentialStatus.DISABLED: "disable",
    CredentialStatus.REVOKED: "revoke",
}


@dataclass(frozen=True, slots=True)
class KeyWish:
    """What somebody asks a new key to be; None takes the default.

    Args:
        scopes: None gives `read` and `write`, as far as the caller may.
        user_id: Whose key; None means the caller's own.
        expires_in: Seconds; `expires_at` and this exclude each other.
        plan: None takes the tenant's.
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


@dataclass(frozen=True, slots=True, repr=False)
class MadeKey:
    """A new key with its secret, which exists nowhere else."""

    credential: Credential
    key: str

    @override
    def __repr__(self) -> str:
        return f"MadeKey({self.credential.id!r})"


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


class KeyStore(CredentialStore, PlanStore, Protocol):
    """What keys ask of the store."""


class ApiKeys:
    """Issues and manages API keys. A secret leaves `create` and `rotate` once, and is kept nowhere.

    Args:
        store: Where credentials and plans are.
        directory: Whose keys they are.
        recorder: Makes audit events.
        peppers: Digests new secrets.
        clock: When things happen.
        entropy: For ids and secrets.
        defined_scopes: Every scope that this installation knows.
    """

    def __init__(
        self,
        store: KeyStore,
        directory: Directory,
        recorder: Recorder,
        peppers: Peppers,
        clock: Clock,
        entropy: Entropy,
        defined_scopes: frozenset[str],
    ) -> None:
        self._store = store
        self._directory = directory
        self._recorder = recorder
        self._peppers = peppers
        self._clock = clock
        self._entropy = entropy
        self._defined_scopes = defined_scopes

    async def create(
        self, authority: Authority, wish: KeyWish, *, claim_for: ClaimFor[MadeKey] | None = None
    ) -> MadeKey | Replayed:
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
        most = self._directory.ceiling(owner)
        if wish.scopes is None:
            scopes = DEFAULT_SCOPES & most & authority.grantable
        else:
            scopes = self._bounded(authority, wish.scopes, most)
        now_us = self._clock.micros()
        now = to_datetime(now_us)
        identifier = new_id("key", now_us, self._entropy)
        credential = Credential(
            id=identifier,
            kind=CredentialKind.API_KEY,
            tenant_id=owner.tenant_id,
            user_id=owner.id,
            name=intake.text(wish.name, "name"),
            scopes=scopes,
            plan=await self._plan(authority, wish.plan),
            status=CredentialStatus.ACTIVE,
            expires_at=intake.expiry(wish.expires_at, wish.expires_in, now),
            overlap_ends_at=None,
            parent_id=None,
            root_id=identifier,
            allowed_ips=intake.allowed_ips(wish.allowed_ips),
            metadata=intake.metadata(wish.metadata),
            display="",
            created_by=authority.user_id,
            created_at=now,
            updated_at=now,
            last_used_at=None,
            revoked_at=None,
            revocation_reason=None,
        )
        made, secret = self._mint(credential)
        event = self._recorder.event(
            "api_key.created",
            authority.actor,
            owner.tenant_id,
            identifier,
            {
                "name": credential.name,
                "user_id": owner.id,
                "scopes": sorted(scopes),
                "display": made.credential.display,
            },
        )
        claim = claim_for(made) if claim_for else None
        outcome = await self._store.create_credential(made.credential, secret, event, claim=claim)
        if isinstance(outcome, Reused):
            raise reused()
        return outcome if isinstance(outcome, Replayed) else made

    async def get(self, authority: Authority, key_id: str) -> Credential:
        """The key, if it is the caller's to see.

        Raises:
            NotFound: There is none, or it is not.
        """
        key = await self._store.find_credential(key_id, authority.reach)
        visible = key is not None and (authority.administers or key.user_id == authority.user_id)
        if key is None or not visible or key.kind is not CredentialKind.API_KEY:
            message = f"There is no API key {key_id[:64]!a}."
            raise NotFound(message)
        return key

    async def page(
        self,
        authority: Authority,
        page: Page,
        *,
        tenant_id: str | None = None,
        user_id: str | None = None,
        status: ShownStatus | None = None,
    ) -> Sequence[Credential]:
        """The tenant's keys for who administers it, one's own for everybody else; newest first."""
        if not authority.administers:
            require_self_or_administration(authority, user_id or authority.user_id or "")
            user_id = authority.user_id
        now = to_datetime(self._clock.micros())
        return await self._store.list_credentials(
            authority.tenant(tenant_id),
            page,
            user_id=user_id,
            status=_STORED[status] if status is not None else None,
            ended_at=now if status is ShownStatus.EXPIRED else None,
            lasting_at=now if status is ShownStatus.ACTIVE else None,
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
        await self._require_power_over(authority, key, "change")
        now = to_datetime(self._clock.micros())
        stored = CredentialChanges()
        if not isinstance(changes.name, Unchanged):
            stored = replace(stored, name=intake.text(changes.name, "name"))
        if not isinstance(changes.scopes, Unchanged):
            owner = await self._directory.user(authority, key.user_id)
            stored = replace(
                stored, scopes=self._bounded(authority, changes.scopes, self._directory.ceiling(owner))
            )
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
        event = self._recorder.event(
            "api_key.changed", authority.actor, key.tenant_id, key.id, {"fields": _changed_fields(stored)}
        )
        changed = await self._store.change_credential(key.id, key.tenant_id, stored, event)
        return changed if changed is not None else self._refuse_revoked(await self.get(authority, key_id))

    async def rotate(
        self,
        authority: Authority,
        key_id: str,
        *,
        overlap_seconds: int | None = None,
        claim_for: ClaimFor[MadeKey] | None = None,
    ) -> MadeKey | Replayed:
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
        await self._require_power_over(authority, key, "rotate")
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
        made, secret = self._mint(successor)
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

    async def set_status(
        self, authority: Authority, key_id: str, status: CredentialStatus, *, reason: str | None = None
    ) -> Credential:
        """Disable, enable or revoke a key and with it its children; what is so already stays so.

        A credential with fewer scopes may end a key of its own user, but not bring it back.

        Raises:
            Forbidden: The key is somebody's who is more powerful, or has scopes that the caller's lacks.
            NotFound: There is none, or it is not the caller's.
            Conflict: It is revoked, which is final.
            InvalidRequest: The reason is malformed.
        """
        key = await self.get(authority, key_id)
        ending = status is not CredentialStatus.ACTIVE
        await self._require_power_over(authority, key, _VERBS[status], ending=ending)
        why = intake.text(reason, "reason", longest=REASON_MAX) if reason is not None else None
        action = {
            CredentialStatus.ACTIVE: "api_key.enabled",
            CredentialStatus.DISABLED: "api_key.disabled",
            CredentialStatus.REVOKED: "api_key.revoked",
        }[status]
        event = self._recorder.event(
            action, authority.actor, key.tenant_id, key.id, {"reason": why} if why else {}
        )
        changed = await self._store.set_credential_status(key.id, key.tenant_id, status, event, reason=why)
        return changed if changed is not None else self._refuse_revoked(await self.get(authority, key_id))

    def _mint(self, credential: Credential) -> tuple[MadeKey, DigestedSecret]:
        key = mint(SecretKind.KEY, credential.id, self._entropy)
        digested = DigestedSecret(self._peppers.digest(key.encode("ascii")), self._peppers.newest_id)
        return MadeKey(replace(credential, display=display(key)), key), digested

    def _bounded(self, authority: Authority, asked: Sequence[str], most: frozenset[str]) -> frozenset[str]:
        scopes = intake.scopes(asked, self._defined_scopes)
        authority.require_grantable(powers(scopes, most))
        beyond = scopes - most
        if beyond:
            names = " ".join(sorted(beyond))
            message = f"scopes: the key's owner does not have the scope {names}, so the key cannot have it."
            raise InvalidRequest(message, field="scopes")
        return scopes

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

    async def _require_power_over(
        self, authority: Authority, key: Credential, verb: str, *, ending: bool = False
    ) -> None:
        """Refuse whoever is less than the key, and would become more with its secret or its longer life.

        A revoked key has no power, and its user may be gone; the store refuses what is asked of it.
        """
        if key.status is CredentialStatus.REVOKED:
            return
        owner = await self._directory.user(authority, key.user_id)
        if owner.id != authority.user_id:
            authority.require_rank(owner.role, owner.tenant_id, f"{verb} a key of an {owner.role}")
        if not ending:
            scopes = key.scopes & self._defined_scopes
            authority.require_grantable(powers(scopes, self._directory.ceiling(owner)))

    async def _plan(self, authority: Authority, name: str | None) -> str | None:
        if name is None:
            return None
        authority.require_operator("put a key on a plan of its own")
        if await self._store.find_plan(intake.plan_name(name, "plan")) is None:
            message = f"plan: there is no plan {name!a}."
            raise InvalidRequest(message, field="plan")
        return name

    def _refuse_revoked(self, key: Credential) -> Credential:
        message = f"The API key {key.id} is {key.status}, and that is final. Create a new key instead."
        raise Conflict(message)

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


def _changed_fields(changes: CredentialChanges) -> list[str]:
    names = ("name", "scopes", "plan", "expires_at", "overlap_ends_at", "allowed_ips", "metadata")
    return [name for name in names if not isinstance(getattr(changes, name), Unchanged)]
