"""Why requests were refused: gathered in memory, bounded, and written in batches, never on the request.

Memory knows that a credential is not usable or has ended, but not which of all that it depends on is to
blame; that is asked for when the batch is written, a second later. How a flood is kept small is in
docs/decisions/0010-denials-for-a-day.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from bonafides.errors import Unavailable
from bonafides.model import (
    Cause,
    Check,
    CredentialStatus,
    Denial,
    Rejected,
    Standing,
    Status,
    to_datetime,
    to_micros,
)
from bonafides.store import DenialStore

_SECOND_US: Final = 1_000_000
_MINUTE_US: Final = 60 * _SECOND_US
_BATCH_MAX: Final = 1_000
_WAITING_MAX: Final = 20_000


class Denials:
    """Denials that the store does not know yet.

    Of a credential, the first few of a second and of a minute are kept for each check that refused it, and
    of all together the first of a second; strings that are nobody's credential count as one. So whoever
    sends a million requests over a limit writes sixty rows a minute, and other people's denials are kept.

    Args:
        store: Takes the batches.
        same_a_second: Kept of one credential and check in a second.
        same_a_minute: Kept of one credential and check in a minute.
        all_a_second: Kept of all in a second.
        waiting_max: Kept while they cannot be written.
    """

    def __init__(
        self,
        store: DenialStore,
        *,
        same_a_second: int = 5,
        same_a_minute: int = 60,
        all_a_second: int = 100,
        waiting_max: int = _WAITING_MAX,
    ) -> None:
        self._store = store
        self._same_a_second = same_a_second
        self._same_a_minute = same_a_minute
        self._all_a_second = all_a_second
        self._waiting_max = waiting_max
        self._waiting: dict[str, tuple[Rejected, Cause, int]] = {}
        self._writing = asyncio.Lock()
        self._second_ends_us = 0
        self._minute_ends_us = 0
        self._in_second: dict[tuple[str, Check], int] = {}
        self._in_minute: dict[tuple[str, Check], int] = {}
        self._noted = 0
        self.passed_over = 0
        """Denials that nobody will be told the cause of, because there were too many."""

    @property
    def waiting(self) -> int:
        """How many denials are gathered and not written."""
        return len(self._waiting)

    def note(self, request_id: str, rejected: Rejected, now_us: int) -> None:
        """A request was refused.

        Args:
            request_id: As it is told to the client.
            rejected: Why; without a cause, because nothing was presented, it is not kept.
            now_us: Microseconds since the epoch.
        """
        cause = rejected.cause
        if cause is None:
            return
        if now_us >= self._second_ends_us:
            self._begin_second(now_us)
        whose = "" if cause.principal is None else cause.principal.credential_id
        same = (whose, cause.check)
        in_second = self._in_second.get(same, 0)
        if in_second >= self._same_a_second or self._noted >= self._all_a_second:
            self.passed_over += 1
            return
        in_minute = self._in_minute.get(same, 0)
        if in_minute >= self._same_a_minute or len(self._waiting) >= self._waiting_max:
            self.passed_over += 1
            return
        self._noted += 1
        self._in_second[same] = in_second + 1
        self._in_minute[same] = in_minute + 1
        self._waiting[request_id] = (rejected, cause, now_us)

    def _begin_second(self, now_us: int) -> None:
        self._second_ends_us = now_us - now_us % _SECOND_US + _SECOND_US
        self._in_second.clear()
        self._noted = 0
        if now_us >= self._minute_ends_us:
            self._minute_ends_us = now_us - now_us % _MINUTE_US + _MINUTE_US
            self._in_minute.clear()

    async def flush(self) -> None:
        """Write what was noted until now; on failure it is kept for the next flush.

        Raises:
            Unavailable: The database cannot be asked.
        """
        async with self._writing:
            for _ in range(-(-len(self._waiting) // _BATCH_MAX)):
                await self._write(dict(islice(self._waiting.items(), _BATCH_MAX)))

    async def _write(self, batch: Mapping[str, tuple[Rejected, Cause, int]]) -> None:
        asked = {
            cause.principal.credential_id
            for _, cause, _ in batch.values()
            if cause.principal is not None and cause.check in {Check.STATUS, Check.EXPIRY}
        }
        try:
            standings = await self._store.standings(sorted(asked)) if asked else {}
            await self._store.record_denials(
                [_denial(request_id, *noted, standings) for request_id, noted in batch.items()]
            )
        except Unavailable:
            raise
        except Exception:
            # What the database will never take must not hold up all that comes after it.
            self.passed_over += len(batch)
            self._forget(batch)
            raise
        self._forget(batch)

    def _forget(self, batch: Mapping[str, object]) -> None:
        for request_id in batch:
            del self._waiting[request_id]


def _denial(
    request_id: str, rejected: Rejected, cause: Cause, at_us: int, standings: Mapping[str, Standing]
) -> Denial:
    principal = cause.principal
    denial = Denial(
        request_id=request_id,
        at=to_datetime(at_us),
        tenant_id=None,
        user_id=None,
        credential_id=None,
        kind=rejected.kind,
        reason=rejected.reason,
        refused_by=cause.check,
        figures=_figures(rejected, cause),
    )
    if principal is None:
        return denial
    denial = replace(
        denial,
        tenant_id=principal.tenant_id,
        user_id=principal.user_id,
        credential_id=principal.credential_id,
        kind=principal.kind,
    )
    standing = standings.get(principal.credential_id)
    if standing is None:
        return denial
    check, figures = (_ended if cause.check is Check.EXPIRY else _stopped)(standing, denial)
    return replace(denial, refused_by=check, figures=figures)


def _figures(rejected: Rejected, cause: Cause) -> Mapping[str, Any]:
    """What memory knows of why."""
    match cause.check:
        case Check.EXPIRY:
            return {"ended_at_us": cause.ends_at_us}
        case Check.ADDRESS:
            return {"address": cause.address, "allowed_ips": [str(network) for network in cause.networks]}
        case Check.SCOPE:
            held = frozenset() if cause.principal is None else cause.principal.scopes
            return {"needed": sorted(cause.needed), "held": sorted(held)}
        case Check.LIMIT:
            window = rejected.allowance.windows[0]
            # Whose count is full: the credential's, by its plan, or the address's.
            whose = {"address": cause.address} if cause.principal is None else {"plan": cause.plan}
            return {
                "window": window.name,
                "limit": window.limit,
                "seconds": window.seconds,
                "remaining": window.remaining,
                "cost": cause.cost,
                "resets_at_us": window.resets_at_us,
                **whose,
            }
        case _:
            return {"address": cause.address} if cause.principal is None else {}


def _ended(standing: Standing, denial: Denial) -> tuple[Check, Mapping[str, Any]]:
    """Whose time was up: its own, or that of what it was made from."""
    own, *ancestors = standing.links
    if own.ends_at is not None and own.ends_at <= denial.at:
        by = "expires_at" if own.ends_at == own.expires_at else "overlap_ends_at"
        return Check.EXPIRY, {"ended_at_us": to_micros(own.ends_at), "by": by}
    for ancestor in ancestors:
        if ancestor.ends_at is not None and ancestor.ends_at <= denial.at:
            return Check.LINEAGE, {"credential_id": ancestor.id, "ended_at_us": to_micros(ancestor.ends_at)}
    return Check.EXPIRY, denial.figures


def _stopped(standing: Standing, denial: Denial) -> tuple[Check, Mapping[str, Any]]:
    """What is not active: itself, its user, its tenant, or what it was made from."""
    own, *ancestors = standing.links
    ended_with = [
        link for link in ancestors if link.revoked_at is not None and link.revoked_at == own.revoked_at
    ]
    stopped = [link for link in ancestors if link.status is not CredentialStatus.ACTIVE]
    if own.status is not CredentialStatus.ACTIVE and not ended_with:
        return Check.STATUS, {
            "of": "credential",
            "status": str(own.status),
            "since_us": None if own.revoked_at is None else to_micros(own.revoked_at),
            "reason": own.revocation_reason,
        }
    for of, status in (("user", standing.user_status), ("tenant", standing.tenant_status)):
        if status is not Status.ACTIVE:
            return Check.STATUS, {"of": of, "status": str(status)}
    # Whatever was revoked with it, the farthest is what somebody revoked.
    for ancestor in (*reversed(ended_with), *stopped):
        return Check.LINEAGE, {"credential_id": ancestor.id, "status": str(ancestor.status)}
    return Check.STATUS, denial.figures
