"""ID tokens that come back as hints: whom a client has in mind, and in which login.

A hint proves nothing about who is at the browser. It only has to be one that was issued here to this very client,
however long ago.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

HINT_MAX: Final = 4_096
ID_TOKEN_TYPE: Final = "JWT"


class SignedTokens(Protocol):
    """Knows what was signed here."""

    async def opened(self, token: str, type_: str) -> Mapping[str, Any] | None:
        """The claims of a token of that type that was signed here, whether or not its time is up."""
        ...


@dataclass(frozen=True, slots=True)
class Hint:
    """What an ID token says.

    Args:
        user_id: Whom it is about.
        client_ids: Whom it was issued to.
        session_id: The login in which it was; None if it does not say.
    """

    user_id: str
    client_ids: frozenset[str]
    session_id: str | None


class IdTokenHints:
    """Reads hints.

    Args:
        tokens: Know what was signed here.
        issuer: Who we are.
    """

    def __init__(self, tokens: SignedTokens, issuer: str) -> None:
        self._tokens = tokens
        self._issuer = issuer

    async def read(self, id_token: str) -> Hint | None:
        """What a hint says; None where it is no ID token of ours.

        See: OpenID Connect Core §3.1.2.1, OpenID Connect RP-Initiated Logout §2
        """
        if len(id_token) > HINT_MAX:
            return None
        claims = await self._tokens.opened(id_token, ID_TOKEN_TYPE)
        if claims is None or claims.get("iss") != self._issuer or "scope" in claims or "exp" not in claims:
            return None
        audience = claims.get("aud")
        client_ids = [audience] if isinstance(audience, str) else audience
        user_id, session_id = claims.get("sub"), claims.get("sid")
        if not isinstance(user_id, str) or not isinstance(client_ids, list):
            return None
        named = frozenset(name for name in client_ids if isinstance(name, str))
        return Hint(user_id, named, session_id if isinstance(session_id, str) else None)

    async def hinted_user(self, id_token: str, client_id: str) -> str | None:
        """Whom a client's hint names; None where it is not this client's."""
        hint = await self.read(id_token)
        return hint.user_id if hint is not None and client_id in hint.client_ids else None
