"""Authorization codes: what a browser carries to a client, good for a minute and for one use.

A code travels in URLs, so it does not look like a credential, which nobody may send there.
"""

from __future__ import annotations

from typing import Final

from bonafides.audit import Recorder
from bonafides.delegation import AuthorizationCode
from bonafides.model import Actor, Entropy
from bonafides.secret import Peppers, base62
from bonafides.store import AuthorizationCodeStore

WIDTH: Final = 43


class Codes:
    """Makes codes.

    Args:
        store: Where their digests are.
        recorder: Makes audit events.
        peppers: Digest them.
        entropy: For what nobody guesses.
    """

    def __init__(
        self, store: AuthorizationCodeStore, recorder: Recorder, peppers: Peppers, entropy: Entropy
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._peppers = peppers
        self._entropy = entropy

    async def issue(self, code: AuthorizationCode, actor: Actor) -> str:
        """A new code for what a person has granted; nothing but its digest is kept.

        See: RFC 6749 §4.1.2 and §10.10
        """
        secret = unguessable(self._entropy)
        event = self._recorder.event(
            "authorization.granted",
            actor,
            code.tenant_id,
            code.client_id,
            {"scopes": sorted(code.scopes), "resources": list(code.resources)},
        )
        await self._store.add_authorization_code(code, self._peppers.digested(secret), event)
        return secret


def unguessable(entropy: Entropy) -> str:
    """256 random bits in characters that every URL carries as they are."""
    return base62(int.from_bytes(entropy(32), "big"), WIDTH)
