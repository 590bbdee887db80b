"""What is left of the limits that bind a credential, a user or a tenant, without counting a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from bonafides.authority import Authority
from bonafides.errors import NotFound
from bonafides.model import Clock, CountBy, CredentialKind, Plan, UsageSubject, Window
from bonafides.store import CredentialStore, DirectoryStore, PlanStore
from bonafides.usage import UsageReports
from bonafides.verification.limiter import Limiter

_KIND: Final = CredentialKind.API_KEY
"""By whose figures the limits of a user or a tenant are told."""


class BoundStore(CredentialStore, DirectoryStore, PlanStore, Protocol):
    """What this room asks of the store."""


@dataclass(frozen=True, slots=True)
class Left:
    """What is left, and of what.

    Args:
        subject: That was asked about.
        plan: That binds it.
        windows: One for each limit; empty where there is none, or where the plan counts something smaller.
    """

    subject: UsageSubject
    plan: Plan
    windows: tuple[Window, ...]


class Allowances:
    """Tells what is left, to whoever may see the usage.

    Args:
        store: Knows which plan binds what.
        usage: Knows who may see it.
        limiter: Counts. Where nodes share limits, it knows of the others' requests as of its last lease.
        clock: When it is asked.
    """

    def __init__(self, store: BoundStore, usage: UsageReports, limiter: Limiter, clock: Clock) -> None:
        self._store = store
        self._usage = usage
        self._limiter = limiter
        self._clock = clock

    async def left(
        self,
        authority: Authority,
        *,
        tenant_id: str | None = None,
        user_id: str | None = None,
        credential_id: str | None = None,
    ) -> Left:
        """What is left to a credential, a user or a tenant, whoever they are counted with; nothing where that is something smaller.

        Args:
            authority: Whoever asks.
            tenant_id: Whose limits, or whose user.
            user_id: Whose limits, or whose credential.
            credential_id: Of this one.

        Raises:
            Forbidden: The caller asks for another user's without `admin`.
            NotFound: There is no such credential, user or tenant, or it is not the caller's to see.
        """
        subject = await self._usage.subject(authority, tenant_id, user_id, credential_id, lineage=True)
        plan, kind, counted = await self._bound(subject)
        if counted is None:
            return Left(subject, plan, ())
        counter = self._limiter.counter(counted)
        counter.refresh()
        allowance = counter.allowance(plan.hourly(kind), plan.burst, self._clock.micros())
        return Left(subject, plan, allowance.windows)

    async def _bound(self, subject: UsageSubject) -> tuple[Plan, CredentialKind, str | None]:
        """By which plan it is counted, at whose figures, and with whom; with nobody where the plan counts something smaller."""
        by = {CountBy.USER: subject.user_id, CountBy.TENANT: subject.tenant_id}
        if subject.credential_id is not None:
            found = await self._store.find_with_plan(subject.credential_id)
            if found is None:  # pragma: no cover - it was pruned within this call
                raise _gone()
            credential, plan = found
            return plan, credential.kind, by.get(plan.count_by, subject.root_id)
        tenant = await self._store.find_tenant(subject.tenant_id)
        bound = None if tenant is None else await self._store.find_plan(tenant.plan)
        if bound is None:  # pragma: no cover - a tenant's plan exists, and the tenant was there a moment ago
            raise _gone()
        return bound, _KIND, by.get(bound.count_by)


def _gone() -> NotFound:
    message = "It was deleted meanwhile."
    return NotFound(message)
