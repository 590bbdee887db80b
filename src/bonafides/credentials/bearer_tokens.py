"""Bearer tokens: short-lived children of API keys, for clients that exchange their key once in a while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from bonafides import intake
from bonafides.credentials.holdings import BEARER_TOKEN, Holdings, Made
from bonafides.errors import Forbidden
from bonafides.model import Actor, CredentialKind, Principal

SECONDS_DEFAULT: Final = 3_600


class BearerTokens(Holdings):
    """Exchanges API keys for bearer tokens, and lists and ends these."""

    species = BEARER_TOKEN

    async def issue(
        self,
        principal: Principal,
        actor: Actor,
        *,
        scopes: Sequence[str] | None = None,
        expires_in: int | None = None,
    ) -> Made | None:
        """Exchange a verified key for a token that ends with it, and never has more than it.

        Whatever is taken from the key later is taken from the token too: its scopes, its addresses, its life.

        Args:
            principal: Whom the key was just found to speak for.
            actor: Who exchanges it.
            scopes: Fewer than the key's; None for all of them.
            expires_in: Seconds, if less than the key or its plan gives.

        Returns:
            The token; None if it is not an API key, or is gone.

        Raises:
            Forbidden: The key lacks a scope that is asked for.
            InvalidRequest: There is no such scope, or the life is out of bounds.
        """
        if principal.kind is not CredentialKind.API_KEY:
            return None
        found = await self._store.find_with_plan(principal.credential_id)
        if found is None:
            return None
        key, plan = found
        asked = key.scopes if scopes is None else intake.scopes(scopes, self._defined_scopes, "scope")
        beyond = asked - principal.scopes if scopes is not None else frozenset[str]()
        if beyond:
            message = f"scope: the key does not have the scope {' '.join(sorted(beyond))}, so its token cannot have it."
            raise Forbidden(message, scopes=beyond, field="scope")
        seconds = key.bearer_token_seconds or plan.bearer_token_seconds or SECONDS_DEFAULT
        if expires_in is not None:
            seconds = min(seconds, intake.seconds(expires_in, "expires_in"))
        blank = self.blank(key.tenant_id, key.user_id, key.name, asked)
        ends_at = blank.created_at + timedelta(seconds=seconds)
        token = replace(
            blank,
            plan=key.plan,
            expires_at=ends_at if key.ends_at is None else min(ends_at, key.ends_at),
            parent_id=key.id,
            root_id=key.root_id,
        )
        made = await self.keep(token, actor, {"parent_id": key.id, "scopes": sorted(asked)})
        return made if isinstance(made, Made) else None
