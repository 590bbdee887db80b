"""What a caller of the control plane may do, decided in one place.

A credential acts for its user, in the user's tenant, with the credential's scopes. The operator is who
runs the installation: an owner or admin of the operator's tenant whose credential has `admin`.
"""

from __future__ import annotations

from dataclasses import dataclass

from bonafides.errors import Forbidden, NotFound
from bonafides.model import ADMIN, EVERYWHERE, Actor, Role, TenantScope, User


@dataclass(frozen=True, slots=True)
class Authority:
    """One caller's powers.

    Args:
        actor: Written into every audit event.
        tenant_id: The caller's own tenant.
        user_id: Whose credential it is; None for the command line on the server's machine.
        role: The user's role.
        scopes: What the credential may do.
        grantable: What it may give to another credential: its own scopes, or, with `admin`, all of its user's.
        operator: Whether it may act in every tenant and change plans.
        user: The caller as read when the call began; None where nobody read them.
    """

    actor: Actor
    tenant_id: str
    user_id: str | None
    role: Role
    scopes: frozenset[str]
    grantable: frozenset[str]
    operator: bool
    user: User | None = None

    @property
    def administers(self) -> bool:
        """Whether it may manage what belongs to others in its tenant."""
        return ADMIN in self.scopes

    @property
    def reach(self) -> TenantScope:
        """Where it may look up a thing by its id."""
        return EVERYWHERE if self.operator else self.tenant_id

    def tenant(self, asked: str | None) -> str:
        """The tenant that a call is about: its own unless the operator names another.

        Raises:
            NotFound: Somebody else's tenant looks the same as one that does not exist.
        """
        if asked is None or asked == self.tenant_id:
            return self.tenant_id
        if not self.operator:
            message = f"There is no tenant {asked}."
            raise NotFound(message, field="tenant_id")
        return asked

    def require_administration(self, what: str) -> None:
        """Refuse whoever may only manage their own things.

        Raises:
            Forbidden: Naming `what` and the scope that is needed.
        """
        if not self.administers:
            message = f"You need the scope admin to {what}."
            raise Forbidden(message, scopes=frozenset({ADMIN}))

    def require_operator(self, what: str) -> None:
        """Refuse everyone but the operator.

        Raises:
            Forbidden: Naming `what` and who may do it.
        """
        if not self.operator:
            message = f"Only an admin of the operator's tenant may {what}."
            raise Forbidden(message, scopes=frozenset({ADMIN}))

    def require_grantable(self, scopes: frozenset[str], field: str = "scopes") -> None:
        """Refuse to give away what the caller does not have.

        Raises:
            Forbidden: Naming the scopes that are out of reach.
        """
        beyond = scopes - self.grantable
        if beyond:
            names = " ".join(sorted(beyond))
            message = f"Your own credential does not have the scope {names}, so it cannot give it to another."
            raise Forbidden(message, scopes=beyond, field=field)

    def require_rank(self, role: Role, tenant_id: str, what: str) -> None:
        """Refuse to act upon, or to make, somebody more powerful than the caller.

        Args:
            role: Theirs.
            tenant_id: Their tenant; in tenants that are not its own, the operator has no equal.
            what: For the message.

        Raises:
            Forbidden: Naming `what`.
        """
        if role.rank < self.role.rank and not (self.operator and tenant_id != self.tenant_id):
            message = f"Only an {role} may {what}."
            raise Forbidden(message, scopes=frozenset({ADMIN}))
