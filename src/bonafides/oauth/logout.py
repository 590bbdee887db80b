"""Logouts that clients begin: whose session ends, who is asked first, and where the person is led then.

See: OpenID Connect RP-Initiated Logout 1.0
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from bonafides.oauth.authorization_request import Unproven
from bonafides.oauth.authorize import ClientFinder
from bonafides.oauth.id_token_hints import Hint, IdTokenHints
from bonafides.oauth.redirect_uris import with_parameters

PARAMETERS: Final = frozenset(
    {"id_token_hint", "client_id", "post_logout_redirect_uri", "state", "logout_hint", "ui_locales"}
)


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A logout that a client asks for.

    Args:
        values: Its parameters.
        client_name: What the client calls itself; None where it is not known who asks.
        target: Where the person goes then, proven to be the client's; None: they stay here.
        hint: Whom the client has in mind, by an ID token of ours.
    """

    values: Mapping[str, str]
    client_name: str | None
    target: str | None
    hint: Hint | None

    def is_about(self, user_id: str, session_id: str) -> bool:
        """Whether the client has shown that it knows this very login, so that nobody has to be asked.

        See: OWASP ASVS 10.6.2
        """
        if self.hint is None or self.hint.user_id != user_id:
            return False
        return self.hint.session_id in {None, session_id}


class Logouts:
    """Reads what clients ask for when they send somebody to log out.

    Args:
        clients: Finds who asks.
        hints: Reads whom they have in mind.
    """

    def __init__(self, clients: ClientFinder, hints: IdTokenHints) -> None:
        self._clients = clients
        self._hints = hints

    async def read(self, pairs: Iterable[tuple[str, str]]) -> LogoutRequest | Unproven:
        """The request, if it leads nowhere or to its client's own address, which is compared whole.

        See: RP-Initiated Logout 1.0 §2 and §3
        """
        values: dict[str, str] = {}
        for name, value in pairs:
            if name not in PARAMETERS or not value:
                continue
            if name in values:
                return Unproven(f"The application has sent {name} twice. Go back to it, and try again.")
            values[name] = value
        hint = await self._hints.read(values["id_token_hint"]) if "id_token_hint" in values else None
        if "id_token_hint" in values and hint is None:
            return Unproven("The application has sent an ID token that was not issued here.")
        client_id = values.get("client_id")
        if client_id is not None and hint is not None and client_id not in hint.client_ids:
            return Unproven("The application has sent an ID token that was issued to another one.")
        if client_id is None and hint is not None and len(hint.client_ids) == 1:
            (client_id,) = hint.client_ids
        client = await self._clients.find(client_id) if client_id is not None else None
        asked = values.get("post_logout_redirect_uri")
        if asked is None:
            return LogoutRequest(values, client.name if client else None, None, hint)
        if client is None:
            return Unproven("The application does not say which one it is, and so nobody is led to it.")
        if asked not in client.post_logout_redirect_uris:
            return Unproven(
                "The application asks to return to an address that is not registered for it (post_logout_redirect_uri). "
                "Somebody may be trying to deceive you."
            )
        state = values.get("state")
        target = asked if state is None else with_parameters(asked, [("state", state)])
        return LogoutRequest(values, client.name, target, hint)
