"""The JWT bearer grant: a client signs for whom it acts: for itself, or for somebody who has let it.

See: RFC 7523 §2.1 and §3
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Protocol

from bonafides.audit import Recorder
from bonafides.delegation import GrantType
from bonafides.errors import InvalidGrant
from bonafides.model import EVERYWHERE, Status
from bonafides.oauth.authorize import serves
from bonafides.oauth.client_authentication import ClientAuthentication
from bonafides.oauth.grants import Answer, Grants, GrantsStore, GrantWish
from bonafides.oauth.token_endpoint import Asked, ClientCredentials, require_scopes
from bonafides.oauth.tokens import without_standard
from bonafides.store import ConsentStore, DirectoryStore

_NO_ONWARD: Final = frozenset({"refresh_token", "id_token"})


class BearerStore(GrantsStore, ConsentStore, DirectoryStore, Protocol):
    """What the grant asks of the store."""


class JwtBearer:
    """A client that has signed an assertion.

    Args:
        authentication: Judges what clients sign.
        by_itself: Gives tokens to a client for itself.
        store: Knows people, and which client they have let do what.
        grants: Begin.
        recorder: Makes audit events.
    """

    grant_type = GrantType.JWT_BEARER

    def __init__(
        self,
        authentication: ClientAuthentication,
        by_itself: ClientCredentials,
        store: BearerStore,
        grants: Grants,
        recorder: Recorder,
    ) -> None:
        self._authentication = authentication
        self._by_itself = by_itself
        self._store = store
        self._grants = grants
        self._recorder = recorder

    async def answer(self, asked: Asked) -> Answer:
        """An access token for whom an assertion names, which serves once; there is nothing to go on with.

        See: RFC 7521 §4.1
        """
        client = asked.client
        subject = await self._authentication.asserted(client, asked.field("assertion"))
        if subject is None:
            message = "assertion: is not one that the client has signed for this server, has ended, or was used before."
            raise InvalidGrant(message, field="assertion")
        if subject == client.id:
            return await self._by_itself.answer(asked)
        user = await self._store.find_user(subject, EVERYWHERE)
        consent = await self._store.find_consent(subject, client.id)
        if (
            user is None
            or consent is None
            or user.status is not Status.ACTIVE
            or not await serves(self._store, client, user)
        ):
            message = "assertion: its subject is nobody who has let the client act for them."
            raise InvalidGrant(message, field="assertion")
        most = without_standard(consent.scopes & client.scopes)
        scopes = most if asked.scopes is None else without_standard(asked.scopes)
        require_scopes(scopes, most)
        wish = GrantWish(user=user, scopes=scopes, resources=consent.resources, jkt=asked.jkt)
        new, answer = await self._grants.begin(client, wish, asked.resources)
        event = self._recorder.event(
            "grant.created",
            asked.actor("jwt_bearer", user.id),
            user.tenant_id,
            new.grant.id,
            {"client_id": client.id, "scopes": sorted(scopes)},
        )
        if not await self._store.begin_grant(replace(new, refresh_token=None), event):
            message = "assertion: its subject may not have tokens now."
            raise InvalidGrant(message, field="assertion")
        return {name: value for name, value in answer.items() if name not in _NO_ONWARD}
