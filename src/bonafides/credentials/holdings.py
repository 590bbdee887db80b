"""Credentials of one kind, as those meet them who hold or administer them: found, listed, ended.

Every kind keeps to the same rules of who may see and who may end, because they all ask here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Final, Protocol

from typing_extensions import override

from bonafides import intake
from bonafides.audit import Recorder
from bonafides.authority import Authority
from bonafides.directory import Directory, whose
from bonafides.errors import Conflict, InvalidRequest, NotFound
from bonafides.idempotency import ClaimFor, reused
from bonafides.model import (
    ADMIN,
    READ,
    WRITE,
    Actor,
    Clock,
    Credential,
    CredentialFilter,
    CredentialKind,
    CredentialStatus,
    DigestedSecret,
    Entropy,
    Page,
    Replayed,
    ShownStatus,
    User,
    powers,
    to_datetime,
)
from bonafides.secret import Peppers, SecretKind, display, mint, new_id
from bonafides.store import CredentialStore, PlanStore, Reused

REASON_MAX: Final = 500
DEFAULT_SCOPES: Final = frozenset({READ, WRITE})

_STORED: Final = {
    ShownStatus.ACTIVE: CredentialStatus.ACTIVE,
    ShownStatus.DISABLED: CredentialStatus.DISABLED,
    ShownStatus.REVOKED: CredentialStatus.REVOKED,
    ShownStatus.EXPIRED: CredentialStatus.ACTIVE,
}
_VERBS: Final = {
    CredentialStatus.ACTIVE: ("enable", "enabled"),
    CredentialStatus.DISABLED: ("disable", "disabled"),
    CredentialStatus.REVOKED: ("revoke", "revoked"),
}


@dataclass(frozen=True, slots=True)
class Species:
    """What tells one kind of credential from another where people meet it.

    Args:
        kind: Its name on the wire, and of its events.
        noun: Its name in a sentence.
        prefix: Of its ids.
        secret: Of its secrets.
    """

    kind: CredentialKind
    noun: str
    prefix: str
    secret: SecretKind


API_KEY: Final = Species(CredentialKind.API_KEY, "API key", "key", SecretKind.KEY)
PERSONAL_ACCESS_TOKEN: Final = Species(
    CredentialKind.PERSONAL_ACCESS_TOKEN, "personal access token", "pat", SecretKind.PAT
)
BEARER_TOKEN: Final = Species(CredentialKind.BEARER_TOKEN, "bearer token", "tok", SecretKind.TOK)


@dataclass(frozen=True, slots=True, repr=False)
class Made:
    """A new credential with its secret, which exists nowhere else."""

    credential: Credential
    secret: str

    @override
    def __repr__(self) -> str:
        return f"Made({self.credential.id!r})"


def may_see(authority: Authority, found: Owned) -> bool:
    """Whether what is within the caller's reach is the caller's to see: their own, or anybody's for who administers."""
    return authority.administers or found.user_id == authority.user_id


def blank_credential(
    kind: CredentialKind,
    identifier: str,
    tenant_id: str,
    user_id: str,
    name: str,
    scopes: frozenset[str],
    now: datetime,
) -> Credential:
    """A credential of a user, made now by themselves, that never ends and may be used from everywhere."""
    return Credential(
        id=identifier,
        kind=kind,
        tenant_id=tenant_id,
        user_id=user_id,
        name=name,
        scopes=scopes,
        plan=None,
        status=CredentialStatus.ACTIVE,
        expires_at=None,
        overlap_ends_at=None,
        parent_id=None,
        root_id=identifier,
        allowed_ips=(),
        metadata={},
        display="",
        created_by=user_id,
        created_at=now,
        updated_at=now,
        last_used_at=None,
        revoked_at=None,
        revocation_reason=None,
    )


class Owned(Protocol):
    """What belongs to a user."""

    @property
    def user_id(self) -> str:
        """Whose it is."""
        ...


class HoldingStore(CredentialStore, PlanStore, Protocol):
    """What credentials ask of the store."""


class Holdings:
    """Credentials of one kind: made, found, listed and ended by the same rules as every other kind.

    A kind is a class of its own, which says its `species`.

    Args:
        store: Where credentials and plans are.
        directory: Whose they are.
        recorder: Makes audit events.
        peppers: Digests new secrets.
        clock: When things happen.
        entropy: For ids and secrets.
        defined_scopes: Every scope that this installation knows.
    """

    species: ClassVar[Species]

    def __init__(
        self,
        store: HoldingStore,
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

    def blank(self, tenant_id: str, user_id: str, name: str, scopes: frozenset[str]) -> Credential:
        """A credential of a user, made now, that never ends and may be used from everywhere."""
        now_us = self._clock.micros()
        identifier = new_id(self.species.prefix, now_us, self._entropy)
        return blank_credential(
            self.species.kind, identifier, tenant_id, user_id, name, scopes, to_datetime(now_us)
        )

    async def default_or_bounded(
        self, authority: Authority, asked: Sequence[str] | None, owner: User
    ) -> frozenset[str]:
        """The scopes that are asked for, as `bounded` allows; where none are, the usual ones as far as both have them.

        Raises:
            Forbidden: The caller would give more than it has.
            InvalidRequest: The user does not have one, or there is no such scope.
        """
        if asked is None:
            return DEFAULT_SCOPES & self._directory.ceiling(owner) & authority.grantable
        return await self.bounded(authority, asked, owner)

    def mint(self, credential: Credential) -> tuple[Made, DigestedSecret]:
        """The credential with a secret of its own, and what the store keeps of that."""
        secret = mint(self.species.secret, credential.id, self._entropy)
        return Made(replace(credential, display=display(secret)), secret), self._peppers.digested(secret)

    async def keep(
        self,
        credential: Credential,
        actor: Actor,
        details: Mapping[str, Any],
        claim_for: ClaimFor[Made] | None = None,
    ) -> Made | Replayed:
        """Give a new credential its secret, and write it down.

        Args:
            credential: Without a secret yet.
            actor: Who makes it.
            details: For the audit event, beside what is shown of the secret.
            claim_for: Makes the claim of a call that may be sent twice.

        Raises:
            Conflict: The caller's `Idempotency-Key` was used for another call.
        """
        made, secret = self.mint(credential)
        event = self._recorder.event(
            f"{self.species.kind}.created",
            actor,
            credential.tenant_id,
            credential.id,
            {**details, "display": made.credential.display},
        )
        claim = claim_for(made) if claim_for else None
        outcome = await self._store.create_credential(made.credential, secret, event, claim=claim)
        if isinstance(outcome, Reused):
            raise reused()
        return outcome if isinstance(outcome, Replayed) else made

    async def get(self, authority: Authority, credential_id: str) -> Credential:
        """The credential, if it is the caller's to see.

        Raises:
            NotFound: There is none, or it is not.
        """
        found = await self._store.find_credential(credential_id, authority.reach)
        if found is None or not may_see(authority, found) or found.kind is not self.species.kind:
            message = f"There is no {self.species.noun} {credential_id[:64]!a}."
            raise NotFound(message)
        return found

    async def page(
        self,
        authority: Authority,
        page: Page,
        *,
        tenant_id: str | None = None,
        user_id: str | None = None,
        parent_id: str | None = None,
        status: ShownStatus | None = None,
        search: str | None = None,
    ) -> Sequence[Credential]:
        """The tenant's for who administers it, one's own for everybody else; newest first.

        Raises:
            Forbidden: The caller asks for another user's without administering the tenant.
            NotFound: The tenant is not the caller's.
        """
        user_id = whose(authority, user_id)
        now = to_datetime(self._clock.micros())
        return await self._store.list_credentials(
            authority.tenant(tenant_id),
            page,
            CredentialFilter(
                kind=self.species.kind,
                user_id=user_id,
                parent_id=parent_id,
                status=_STORED[status] if status is not None else None,
                ended_at=now if status is ShownStatus.EXPIRED else None,
                lasting_at=now if status is ShownStatus.ACTIVE else None,
                search=intake.text(search, "search") if search else None,
            ),
        )

    async def set_status(
        self,
        authority: Authority,
        credential_id: str,
        status: CredentialStatus,
        *,
        reason: str | None = None,
    ) -> Credential:
        """Disable, enable or revoke a credential and with it its children; what is so already stays so.

        A credential with fewer scopes may end one of its own user, but not bring it back.

        Raises:
            Forbidden: It is somebody's who is more powerful, or has scopes that the caller's lacks.
            NotFound: There is none, or it is not the caller's.
            Conflict: It is revoked, which is final.
            InvalidRequest: The reason is malformed.
        """
        found = await self.get(authority, credential_id)
        verb, done = _VERBS[status]
        await self.require_power_over(authority, found, verb, ending=status is not CredentialStatus.ACTIVE)
        why = intake.text(reason, "reason", longest=REASON_MAX) if reason is not None else None
        event = self._recorder.event(
            f"{self.species.kind}.{done}",
            authority.actor,
            found.tenant_id,
            found.id,
            {"reason": why} if why else {},
        )
        changed = await self._store.set_credential_status(
            found.id, found.tenant_id, status, event, reason=why
        )
        return (
            changed if changed is not None else self.refuse_revoked(await self.get(authority, credential_id))
        )

    async def bounded(self, authority: Authority, asked: Sequence[str], owner: User) -> frozenset[str]:
        """Scopes that somebody asks for a user's credential, if both the caller and the user have them.

        Raises:
            Forbidden: The caller would give more than it has, or would give `admin` and has not logged in lately.
            InvalidRequest: The user does not have one, or there is no such scope.
        """
        most = self._directory.ceiling(owner)
        scopes = intake.scopes(asked, self._defined_scopes)
        authority.require_grantable(powers(scopes, most))
        beyond = scopes - most
        if beyond:
            names = " ".join(sorted(beyond))
            message = f"scopes: the {self.species.noun}'s owner does not have the scope {names}, so it cannot have it."
            raise InvalidRequest(message, field="scopes")
        if ADMIN in scopes:
            await self._directory.require_recent_proof(authority)
        return scopes

    async def require_power_over(
        self, authority: Authority, found: Credential, verb: str, *, ending: bool = False
    ) -> None:
        """Refuse whoever is less than the credential, and would become more with its secret or its longer life.

        A revoked one has no power, and its user may be gone; the store refuses what is asked of it.

        Raises:
            Forbidden: Naming the scopes or the role that the caller lacks.
        """
        if found.status is CredentialStatus.REVOKED:
            return
        owner = await self._directory.user(authority, found.user_id)
        if owner.id != authority.user_id:
            what = f"{verb} {_with_article(self.species.noun)} of an {owner.role}"
            authority.require_rank(owner.role, owner.tenant_id, what)
        if not ending:
            scopes = found.scopes & self._defined_scopes
            authority.require_grantable(powers(scopes, self._directory.ceiling(owner)))

    def refuse_revoked(self, found: Credential) -> Credential:
        """Say that what is revoked stays so.

        Raises:
            Conflict: Always.
        """
        message = f"The {self.species.noun} {found.id} is {found.status}, and that is final. Create a new one instead."
        raise Conflict(message)


def _with_article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiouAEIOU" else f"a {noun}"
