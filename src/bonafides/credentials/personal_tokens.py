"""Personal access tokens: what a person makes for their own scripts, and what ends with the person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bonafides import intake
from bonafides.authority import Authority
from bonafides.credentials.holdings import PERSONAL_ACCESS_TOKEN, Holdings, Made
from bonafides.directory import require_active_user
from bonafides.errors import Forbidden, InvalidRequest
from bonafides.idempotency import ClaimFor
from bonafides.model import Replayed


@dataclass(frozen=True, slots=True)
class TokenWish:
    """What somebody asks a new personal access token to be.

    Args:
        description: What it is for.
        scopes: None gives `read` and `write`, as far as the caller may.
        expires_at: None for never, where the tenant allows that.
        expires_in: Seconds; `expires_at` and this exclude each other.
        user_id: Whose, for the command line alone; everybody else makes their own.
    """

    description: str
    scopes: Sequence[str] | None = None
    expires_at: datetime | None = None
    expires_in: int | None = None
    user_id: str | None = None


class PersonalTokens(Holdings):
    """Issues personal access tokens to their own users alone, and lists and ends them."""

    species = PERSONAL_ACCESS_TOKEN

    async def create(
        self, authority: Authority, wish: TokenWish, *, claim_for: ClaimFor[Made] | None = None
    ) -> Made | Replayed:
        """Issue a token that speaks for its user, with scopes that both they and the caller's credential have.

        Raises:
            Forbidden: The caller would give more than it has, or make a token that speaks for somebody else.
            NotFound: The user is not the caller's to see.
            Conflict: The user is disabled.
            InvalidRequest: A field is malformed, or the tenant wants a token to end sooner.
        """
        owner_id = wish.user_id or authority.user_id
        if owner_id is None:
            message = "user_id: say whose token this shall be."
            raise InvalidRequest(message, field="user_id")
        if authority.user_id is not None and owner_id != authority.user_id:
            message = (
                "A personal access token speaks for whoever makes it. Make an API key for somebody else."
            )
            raise Forbidden(message, field="user_id")
        owner = await self._directory.user(authority, owner_id)
        require_active_user(owner)
        scopes = await self.default_or_bounded(authority, wish.scopes, owner)
        description = intake.text(wish.description, "description")
        blank = self.blank(owner.tenant_id, owner.id, description, scopes)
        expires_at = intake.expiry(wish.expires_at, wish.expires_in, blank.created_at)
        await self._require_allowed(owner.tenant_id, expires_at, blank.created_at)
        return await self.keep(
            replace(blank, expires_at=expires_at, created_by=authority.user_id),
            authority.actor,
            {"description": description, "user_id": owner.id, "scopes": sorted(scopes)},
            claim_for,
        )

    async def _require_allowed(self, tenant_id: str, expires_at: datetime | None, now: datetime) -> None:
        """Refuse a life that is longer than the tenant's policy."""
        longest = (await self._directory.tenant(tenant_id)).personal_access_token_seconds_max
        if longest is None or (expires_at is not None and expires_at - now <= timedelta(seconds=longest)):
            return
        message = (
            f"expires_at: your organisation lets a personal access token last {longest} seconds at most. "
            "Name an earlier time."
        )
        raise InvalidRequest(message, field="expires_at")
