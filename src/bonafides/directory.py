"""Tenants, users and roles, and what a caller's credential makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from bonafides import intake
from bonafides.audit import Recorder
from bonafides.authority import Authority
from bonafides.errors import AppError, Conflict, Forbidden, InvalidRequest, NotFound, ProofNeeded
from bonafides.idempotency import ClaimFor, reused
from bonafides.model import (
    ADMIN,
    DEFAULT_PLAN,
    EVERYWHERE,
    UNCHANGED,
    Actor,
    Clock,
    Entropy,
    Page,
    Principal,
    Replayed,
    Role,
    Status,
    Tenant,
    TenantChanges,
    TenantScope,
    Unchanged,
    User,
    UserChanges,
    UserKind,
    ceiling,
    to_datetime,
)
from bonafides.secret import new_id
from bonafides.store import Clash, DirectoryStore, Reused

CLIENT_PREFIX: Final = "cli"
"""Of the ids of OAuth clients, each of which is a service user."""

_CLASHES = {
    "email": ("email", "Somebody in this tenant has this e-mail address already."),
    "name": ("name", "A tenant has this name already."),
    "owner": (
        "role",
        "A tenant needs an active owner, and this is the last one. Make somebody else an owner first.",
    ),
    "operator": ("status", "The operator's own tenant cannot be disabled."),
}


class Directory:
    """Reads and changes tenants and users.

    Args:
        store: Where they are.
        recorder: Makes audit events.
        clock: When they changed.
        entropy: For ids.
        defined_scopes: Every scope that this installation knows.
        proof_seconds: How long a login, or a later proof, is good for what is sensitive.
    """

    def __init__(
        self,
        store: DirectoryStore,
        recorder: Recorder,
        clock: Clock,
        entropy: Entropy,
        defined_scopes: frozenset[str],
        proof_seconds: int,
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._clock = clock
        self._entropy = entropy
        self._defined_scopes = defined_scopes
        self._proof_seconds = proof_seconds
        self._operator_tenant_id: str | None = None

    async def sees(self, tenant_id: str) -> TenantScope:
        """Whose credentials a resource server of this tenant may ask about: its own, or all for the operator's."""
        if self._operator_tenant_id is None:
            tenant = await self._store.find_tenant(tenant_id)
            if tenant is None or not tenant.operator:
                return tenant_id
            # Which tenant is the operator's never changes, so it may be remembered.
            self._operator_tenant_id = tenant_id
        return EVERYWHERE if tenant_id == self._operator_tenant_id else tenant_id

    def known_sight(self, tenant_id: str) -> TenantScope | None:
        """The same as `sees` from memory alone; None while it is not known who the operator is."""
        if self._operator_tenant_id is None:
            return None
        return EVERYWHERE if tenant_id == self._operator_tenant_id else tenant_id

    @property
    def defined_scopes(self) -> frozenset[str]:
        """Every scope that this installation knows."""
        return self._defined_scopes

    def ceiling(self, user: User) -> frozenset[str]:
        """The scopes that a user's credentials may have at most."""
        return ceiling(user.role, user.scopes, self._defined_scopes)

    async def authority(self, principal: Principal, actor: Actor) -> Authority:
        """What a verified credential may do in the control plane.

        Raises:
            NotFound: Its user or tenant was deleted in this moment.
        """
        tenant, user = await self._store.find_member(principal.user_id, principal.tenant_id)
        if tenant is None:
            raise _no_tenant(principal.tenant_id)
        if user is None:
            message = "Your user no longer exists."
            raise NotFound(message)
        administers = ADMIN in principal.scopes
        return Authority(
            actor=actor,
            tenant_id=tenant.id,
            user_id=user.id,
            role=user.role,
            scopes=principal.scopes,
            grantable=self.ceiling(user) if administers else principal.scopes,
            operator=tenant.operator and administers,
            user=user,
        )

    async def require_recent_proof(self, authority: Authority, *, login_needed: bool = False) -> None:
        """Refuse a session whose user has not proven lately who they are: somebody else may sit there by now.

        Keys and other tokens are for programs, which nobody can ask; they are refused where only a person may act.

        Args:
            authority: The caller's.
            login_needed: Whether a person has to have logged in for this.

        Raises:
            ProofNeeded: The proof is too old.
            Forbidden: The credential was not made by a login, and that is needed.

        See: OWASP ASVS 7.5.1, 7.5.3
        """
        credential_id = authority.actor.credential_id
        proven_at = await self._store.proven_at(credential_id) if credential_id is not None else None
        if proven_at is None:
            if login_needed:
                message = "Only a person who has logged in may do this. Send the token of a login."
                raise Forbidden(message)
            return
        if to_datetime(self._clock.micros()) - proven_at > timedelta(seconds=self._proof_seconds):
            raise ProofNeeded(within_seconds=self._proof_seconds)

    async def tenant(self, tenant_id: str) -> Tenant:
        """The tenant of that id.

        Raises:
            NotFound: There is none.
        """
        tenant = await self._store.find_tenant(tenant_id)
        if tenant is None:
            raise _no_tenant(tenant_id)
        return tenant

    async def visible_tenant(self, authority: Authority, tenant_id: str) -> Tenant:
        """The tenant, if it is the caller's own or the caller is the operator.

        Raises:
            NotFound: There is none, or it is somebody else's.
        """
        return await self.tenant(authority.tenant(tenant_id))

    async def tenants(self, authority: Authority, page: Page) -> Sequence[Tenant]:
        """Every tenant for the operator, newest first; their own for everyone else."""
        if authority.operator:
            return await self._store.list_tenants(page)
        own = await self.tenant(authority.tenant_id)
        return [own] if page.after_id is None else []

    async def create_tenant(
        self, authority: Authority, *, name: str, plan: str | None, claim_for: ClaimFor[Tenant] | None = None
    ) -> Tenant | Replayed:
        """Create a tenant without users.

        Raises:
            Forbidden: The caller is not the operator.
            Conflict: The name is taken.
            InvalidRequest: The plan does not exist.
        """
        authority.require_operator("create tenants")
        now_us = self._clock.micros()
        now = to_datetime(now_us)
        tenant = Tenant(
            id=new_id("ten", now_us, self._entropy),
            name=intake.text(name, "name"),
            status=Status.ACTIVE,
            plan=intake.plan_name(plan, "plan") if plan is not None else DEFAULT_PLAN,
            operator=False,
            created_at=now,
            updated_at=now,
        )
        event = self._recorder.event(
            "tenant.created",
            authority.actor,
            tenant.id,
            tenant.id,
            {"name": tenant.name, "plan": tenant.plan},
        )
        claim = claim_for(tenant) if claim_for else None
        outcome = await self._store.create_tenant(tenant, event, claim=claim)
        if isinstance(outcome, Reused):
            raise reused()
        if isinstance(outcome, Clash):
            raise _refusal(outcome, tenant.plan)
        return outcome

    async def change_tenant(self, authority: Authority, tenant_id: str, changes: TenantChanges) -> Tenant:
        """Rename a tenant, move it to another plan, disable or enable it.

        Raises:
            Forbidden: The caller may not: plan and status are the operator's to change.
            NotFound: There is none, or it is somebody else's.
            Conflict: The name is taken, or it is the operator's own and would be disabled.
            InvalidRequest: The plan does not exist.
        """
        authority.require_administration("change the tenant")
        tenant = await self.visible_tenant(authority, tenant_id)
        if changes.plan is not UNCHANGED or changes.status is not UNCHANGED:
            authority.require_operator("change a tenant's plan or status")
        if not isinstance(changes.name, Unchanged):
            changes = replace(changes, name=intake.text(changes.name, "name"))
        if not isinstance(changes.plan, Unchanged):
            changes = replace(changes, plan=intake.plan_name(changes.plan, "plan"))
        longest = changes.personal_access_token_seconds_max
        if isinstance(longest, int):
            intake.seconds(longest, "personal_access_token_seconds_max")
        event = self._recorder.event(
            "tenant.changed",
            authority.actor,
            tenant.id,
            tenant.id,
            _details(changes, ("name", "plan", "status", "personal_access_token_seconds_max")),
        )
        outcome = await self._store.change_tenant(tenant.id, changes, event)
        if isinstance(outcome, Clash):
            raise _refusal(outcome, changes.plan if isinstance(changes.plan, str) else "")
        return outcome if outcome is not None else await self.tenant(tenant.id)

    async def user(self, authority: Authority, user_id: str) -> User:
        """The user, if the caller may see them: oneself, or anyone in the tenant for who administers it.

        Raises:
            NotFound: There is none, or they are not the caller's to see.
        """
        user = None
        if user_id == authority.user_id and authority.user is not None:
            return authority.user
        if authority.administers or user_id == authority.user_id:
            user = await self._store.find_user(user_id, authority.reach)
        if user is None:
            raise _no_user(user_id)
        return user

    async def users(
        self, authority: Authority, page: Page, *, tenant_id: str | None = None, search: str | None = None
    ) -> Sequence[User]:
        """The tenant's users, newest first; only those whose name or address holds some words, where there are any.

        Raises:
            Forbidden: The caller does not administer the tenant.
            NotFound: The tenant is not the caller's.
        """
        authority.require_administration("list users")
        return await self._store.list_users(
            (await self.visible_tenant(authority, authority.tenant(tenant_id))).id,
            page,
            search=intake.text(search, "search") if search else None,
        )

    async def create_user(
        self,
        authority: Authority,
        *,
        kind: UserKind,
        name: str | None,
        email: str | None,
        role: Role,
        scopes: Iterable[str] | None,
        tenant_id: str | None,
        claim_for: ClaimFor[User] | None = None,
    ) -> User | Replayed:
        """Create a person, who needs an e-mail address, or a service, which needs a name.

        Raises:
            Forbidden: The caller does not administer the tenant, or would give more than it has.
            NotFound: The tenant is not the caller's.
            Conflict: The e-mail address is taken in this tenant.
            InvalidRequest: A field is malformed.
        """
        authority.require_administration("create users")
        tenant = await self.visible_tenant(authority, authority.tenant(tenant_id))
        authority.require_rank(role, tenant.id, f"make somebody an {role}")
        if kind is UserKind.PERSON and email is None:
            message = (
                'email: a person needs an e-mail address. For a program, send "kind": "service" and a name.'
            )
            raise InvalidRequest(message, field="email")
        if kind is UserKind.SERVICE and role is Role.OWNER:
            message = "role: a service cannot own a tenant. Make it an admin or a member."
            raise InvalidRequest(message, field="role")
        granted = self._scopes(role, scopes)
        authority.require_grantable(
            ceiling(role, granted, self._defined_scopes), "role" if granted is None else "scopes"
        )
        address = intake.email(email) if email is not None else None
        if name is None and address is None:
            message = "name: a service needs a name."
            raise InvalidRequest(message, field="name")
        now_us = self._clock.micros()
        now = to_datetime(now_us)
        user = User(
            id=new_id("usr", now_us, self._entropy),
            tenant_id=tenant.id,
            kind=kind,
            email=address,
            name=intake.text(name, "name") if name is not None else str(address),
            role=role,
            scopes=granted,
            status=Status.ACTIVE,
            created_at=now,
            updated_at=now,
        )
        event = self._recorder.event(
            "user.created",
            authority.actor,
            tenant.id,
            user.id,
            {
                "kind": str(kind),
                "role": str(role),
                "scopes": None if user.scopes is None else sorted(user.scopes),
            },
        )
        claim = claim_for(user) if claim_for else None
        outcome = await self._store.create_user(user, event, claim=claim)
        if isinstance(outcome, Reused):
            raise reused()
        if isinstance(outcome, Clash):
            raise _refusal(outcome)
        return outcome

    async def change_user(self, authority: Authority, user_id: str, changes: UserChanges) -> User:
        """Change a user. People may rename themselves; everything else needs `admin`.

        Raises:
            Forbidden: The caller may not, or would give more than it has.
            NotFound: There is none, or they are not the caller's to see.
            Conflict: The e-mail address is taken, or the tenant would be left without an active owner.
            InvalidRequest: A field is malformed.
        """
        user = await self.user(authority, user_id)
        _refuse_client(user)
        if any(
            value is not UNCHANGED for value in (changes.email, changes.role, changes.scopes, changes.status)
        ):
            authority.require_administration("change an e-mail address, a role, scopes or a status")
        if user.id != authority.user_id:
            authority.require_rank(user.role, user.tenant_id, f"change an {user.role}")
        role = user.role if isinstance(changes.role, Unchanged) else changes.role
        if not isinstance(changes.role, Unchanged):
            authority.require_rank(role, user.tenant_id, f"make somebody an {role}")
            if user.kind is UserKind.SERVICE and role is Role.OWNER:
                message = "role: a service cannot own a tenant."
                raise InvalidRequest(message, field="role")
        if not isinstance(changes.scopes, Unchanged):
            changes = replace(changes, scopes=self._scopes(role, changes.scopes))
        scopes = user.scopes if isinstance(changes.scopes, Unchanged) else changes.scopes
        gained = ceiling(role, scopes, self._defined_scopes) - self.ceiling(user)
        authority.require_grantable(gained, "role" if isinstance(changes.scopes, Unchanged) else "scopes")
        if not isinstance(changes.name, Unchanged):
            changes = replace(changes, name=intake.text(changes.name, "name"))
        if isinstance(changes.email, str):
            changes = replace(changes, email=intake.email(changes.email))
        elif changes.email is None and user.kind is UserKind.PERSON:
            message = "email: a person needs an e-mail address."
            raise InvalidRequest(message, field="email")
        event = self._recorder.event(
            "user.changed",
            authority.actor,
            user.tenant_id,
            user.id,
            _details(changes, ("name", "role", "scopes", "status")),
        )
        outcome = await self._store.change_user(user.id, user.tenant_id, changes, event)
        if isinstance(outcome, Clash):
            raise _refusal(outcome)
        if outcome is None:
            raise _no_user(user_id)
        return outcome

    async def delete_user(self, authority: Authority, user_id: str) -> None:
        """Delete a user and revoke all their credentials. Their id is never given again.

        Raises:
            Forbidden: The caller does not administer the tenant, or is less powerful than the user.
            NotFound: There is none, or they are not the caller's to see.
            Conflict: The tenant would be left without an active owner.
        """
        user = await self.user(authority, user_id)
        authority.require_administration("delete users")
        _refuse_client(user)
        authority.require_rank(user.role, user.tenant_id, f"delete an {user.role}")
        event = self._recorder.event("user.deleted", authority.actor, user.tenant_id, user.id)
        changes = UserChanges(status=Status.DELETED)
        outcome = await self._store.change_user(user.id, user.tenant_id, changes, event)
        if isinstance(outcome, Clash):
            raise _refusal(outcome)

    def _scopes(self, role: Role, scopes: Iterable[str] | None) -> frozenset[str] | None:
        if scopes is None:
            return None
        asked = intake.scopes(scopes, self._defined_scopes)
        if role is Role.MEMBER and ADMIN in asked:
            message = "scopes: a member cannot have the scope admin. Make them an admin instead."
            raise InvalidRequest(message, field="scopes")
        return asked


def _refusal(clash: Clash, plan: str = "") -> AppError:
    """The error that stands for a clash."""
    if clash.what == "plan":
        message = f"plan: there is no plan {plan!a}."
        return InvalidRequest(message, field="plan")
    field, message = _CLASHES[clash.what]
    return Conflict(message, field=field)


def _no_tenant(tenant_id: str) -> NotFound:
    return NotFound(f"There is no tenant {tenant_id[:64]!a}.")


def _no_user(user_id: str) -> NotFound:
    return NotFound(f"There is no user {user_id[:64]!a}.")


def _refuse_client(user: User) -> None:
    """Refuse to change the service user that an OAuth client is, but with the client."""
    if user.id.startswith(f"{CLIENT_PREFIX}_"):
        message = f"{user.id} is an OAuth client. Change or delete it at /v1/clients/{user.id}."
        raise Conflict(message, field="user_id")


def require_active_user(user: User) -> None:
    """Refuse to make a credential for somebody who may not use it.

    Raises:
        Conflict: The user is disabled.
    """
    if user.status is not Status.ACTIVE:
        message = f"The user {user.id} is {user.status}. Enable them first."
        raise Conflict(message, field="user_id")


def require_self_or_administration(authority: Authority, user_id: str) -> None:
    """Refuse a member who acts for somebody else.

    Raises:
        Forbidden: The caller is not that user and does not administer the tenant.
    """
    if user_id != authority.user_id and not authority.administers:
        message = "You need the scope admin to manage somebody else's credentials."
        raise Forbidden(message, scopes=frozenset({ADMIN}), field="user_id")


def whose(authority: Authority, user_id: str | None) -> str | None:
    """Whose things a caller is shown in a list: the named user's, or anybody's (None) for who administers; else their own.

    Raises:
        Forbidden: The caller names somebody else, and does not administer the tenant.
    """
    if authority.administers:
        return user_id
    require_self_or_administration(authority, user_id or authority.user_id or "")
    return authority.user_id


def _details(changes: UserChanges | TenantChanges, names: Sequence[str]) -> dict[str, object]:
    """What a change sets, for the audit trail; e-mail addresses are told as changed, not repeated."""
    details: dict[str, object] = {}
    for name in names:
        value = getattr(changes, name)
        if not isinstance(value, Unchanged):
            details[name] = (
                sorted(value) if isinstance(value, frozenset) else None if value is None else str(value)
            )
    if not isinstance(getattr(changes, "email", UNCHANGED), Unchanged):
        details["email"] = "changed"
    return details
