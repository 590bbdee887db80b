"""Clients give back what they were given."""

from __future__ import annotations

from typing import Final

from bonafides.audit import Recorder
from bonafides.delegation import Client
from bonafides.model import Actor, CredentialStatus
from bonafides.oauth.grants import Grants, GrantsStore
from bonafides.secret import Peppers

REVOKED: Final = "revoked by the client"

_REFRESH_TOKEN: Final = b"bf_ort_"


class Revocation:
    """Revokes tokens for the clients that they were given to.

    Args:
        store: Where they are.
        grants: Ends what a refresh token goes on with.
        recorder: Makes audit events.
        peppers: Digest what is presented.
    """

    def __init__(self, store: GrantsStore, grants: Grants, recorder: Recorder, peppers: Peppers) -> None:
        self._store = store
        self._grants = grants
        self._recorder = recorder
        self._peppers = peppers

    async def revoke(self, client: Client, token: str, actor: Actor) -> None:
        """End a token of that client: an access token alone, or with a refresh token all that it goes on with.

        What it is, is seen by its look and not by a hint. One that is unknown, or another client's, is passed over.

        Raises:
            Unavailable: It could not be ended, and so was not.

        See: RFC 7009 §2
        """
        presented = token.encode("utf-8", "replace")
        digests = self._peppers.candidates(presented)
        if presented.startswith(_REFRESH_TOKEN):
            found = await self._store.find_refreshable_grant(digests)
            if found is not None and found.grant.client_id == client.id:
                grant = found.grant
                await self._grants.end(grant.id, grant.tenant_id, "grant.revoked", actor, REVOKED)
            return
        for known in (await self._store.find_verifiable(digests)).values():
            if known.delegation is None or known.delegation.client_id != client.id or not known.usable:
                continue
            event = self._recorder.event(
                "oauth_access_token.revoked", actor, known.tenant_id, known.id, {"client_id": client.id}
            )
            await self._store.set_credential_status(
                known.id, known.tenant_id, CredentialStatus.REVOKED, event, reason=REVOKED
            )
