"""Tokens in the answer at the authorization endpoint itself, which nobody should want: off unless it is switched on.

What is given so stands in a browser's address, where its history and its extensions read it, and nobody proves that it
is for them (RFC 9700 §2.1.2). So it is little: who somebody is, for some minutes, with nothing to go on with.

See: OpenID Connect Core §3.2, docs/decisions/0027
"""

from __future__ import annotations

from typing import Final

from bonafides.audit import Recorder
from bonafides.delegation import Client
from bonafides.model import Actor
from bonafides.oauth.client_metadata import ID_TOKEN_AND_TOKEN
from bonafides.oauth.grants import Grants, GrantWish
from bonafides.store import GrantStore

SECONDS: Final = 600
"""How long such an access token lasts."""


class Implicit:
    """Gives tokens at once.

    Args:
        store: Where grants are.
        grants: Begins them.
        recorder: Makes audit events.
        is_open: Whether it is switched on.
    """

    def __init__(self, store: GrantStore, grants: Grants, recorder: Recorder, *, is_open: bool) -> None:
        self._store = store
        self._grants = grants
        self._recorder = recorder
        self.is_open = is_open

    async def give(
        self, client: Client, wish: GrantWish, response_type: str, actor: Actor
    ) -> tuple[tuple[str, str], ...] | None:
        """What the client is told; None if its user or their tenant is not active any more.

        Args:
            client: Who has registered this response type.
            wish: What the person has let it do: to know who they are.
            response_type: `id_token`, or `id_token token`.
            actor: The person.

        Raises:
            Unavailable: The server cannot know.
        """
        with_token = response_type == ID_TOKEN_AND_TOKEN
        new, answer = await self._grants.begin_in_browser(client, wish, SECONDS, with_token=with_token)
        details = {"client_id": client.id, "scopes": sorted(wish.scopes), "response_type": response_type}
        event = self._recorder.event("grant.created", actor, wish.user.tenant_id, new.grant.id, details)
        if not await self._store.begin_grant(new, event):
            return None
        return tuple((name, str(value)) for name, value in answer.items())
