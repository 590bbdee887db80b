"""What people are told by mail. Every link begins with the public URL, whatever a request has said.

See: OWASP ASVS 6.4.1
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from bonafides.mail import Letter, Mail
from bonafides.model import CredentialKind, Expiring, User, WaitingLetter
from bonafides.outbox import Outbox

CHOOSE: Final = "/choose-password"
"""The page on which somebody chooses a password. What serves once stands behind `#`: no server's log sees it."""

NOTIFICATIONS: Final = "/settings/notifications"
"""The page on which people choose their letters."""

_KINDS: Final = {
    CredentialKind.API_KEY: "API key",
    CredentialKind.PERSONAL_ACCESS_TOKEN: "personal access token",
}


class Letters:
    """Writes letters, for the events that they tell of; none to who has no address, or where mails cannot be sent.

    Args:
        mail: Whether they can.
        outbox: Seals them.
        base_url: Of every link.
    """

    def __init__(self, mail: Mail, outbox: Outbox, base_url: str) -> None:
        self.mail = mail
        self._outbox = outbox
        self._base_url = base_url

    def reset(self, user: User, token: str, expires_at: datetime) -> tuple[WaitingLetter, ...]:
        """The way to another password, for who has forgotten theirs."""
        text = (
            "Somebody, perhaps you, has asked for a new password for your account.\n\n"
            f"Choose one here, until {_time(expires_at)}:\n\n{self._choose(token)}\n\n"
            f"If the page asks for a code, it is:\n\n{token}\n\n"
            "If it was not you, do nothing: your password stays as it is."
        )
        return self._letter(user, "Choose a new password", text, expires_at)

    def invitation(
        self, user: User, token: str, expires_at: datetime, organisation: str
    ) -> tuple[WaitingLetter, ...]:
        """The way to a first password."""
        text = (
            f"You have an account at {self._base_url}, in the organisation {organisation}.\n\n"
            f"Choose a password here, until {_time(expires_at)}:\n\n{self._choose(token)}\n\n"
            f"If the page asks for a code, it is:\n\n{token}"
        )
        return self._letter(user, "Your account", text, expires_at)

    def changed(self, user: User, what: str) -> tuple[WaitingLetter, ...]:
        """Word of a change that a thief would make, too."""
        text = (
            f"{what}\n\nIf it was not you, choose another password at once and end all your sessions, "
            f"or ask an admin of your organisation: {self._base_url}"
        )
        return self._letter(user, "Your account was changed", text)

    def new_place(
        self, user: User, address: str | None, device: str, at: datetime
    ) -> tuple[WaitingLetter, ...]:
        """Word of a login from where their account was not known."""
        text = (
            f"Somebody, perhaps you, has signed in to your account from where you have not been before.\n\n"
            f"When: {_time(at)}\nFrom: {address or 'an address that is not known'}\n"
            f"With: {_plain(device) or 'a program that does not say what it is'}\n\n"
            "If it was not you, choose another password at once and end all your sessions, "
            f"or ask an admin of your organisation: {self._base_url}\n\n{self._how_to_stop()}"
        )
        return self._letter(user, "A sign-in from a new place", text)

    def webhook_disabled(
        self, user: User, name: str, url_host: str, reason: str
    ) -> tuple[WaitingLetter, ...]:
        """Word, for who administers it, of a webhook that is told nothing more."""
        text = (
            f"The webhook {_plain(name)}, at the host {_plain(url_host)}, is told nothing more. {reason}\n\n"
            "Enable it when its URL works again, and send it once more what its log shows: "
            f"{self._base_url}/administration/webhooks\n\n{self._how_to_stop()}"
        )
        return self._letter(user, "A webhook was disabled", text)

    def expiring(self, user: User, ending: Iterable[Expiring]) -> tuple[WaitingLetter, ...]:
        """Word of keys and tokens that end soon."""
        lines = [
            f"- {_KINDS.get(each.kind, each.kind)} {_plain(each.name)} ({each.display}): {_time(each.ends_at)}"
            for each in ending
        ]
        text = "These end soon, and are refused from then on:\n\n" + "\n".join(lines)
        text += f"\n\nRotate or replace them: {self._base_url}\n\n{self._how_to_stop()}"
        return self._letter(user, "Keys of yours end soon", text)

    def _letter(
        self, user: User, subject: str, text: str, expires_at: datetime | None = None
    ) -> tuple[WaitingLetter, ...]:
        if user.email is None:
            return ()
        greeting = f"Hello {_plain(user.name)},\n\n" if user.name != user.email else ""
        return self._outbox.sealed(Letter(user.email, subject, f"{greeting}{text}\n"), expires_at)

    def _how_to_stop(self) -> str:
        return f"Such letters can be switched off: {self._base_url}{NOTIFICATIONS}"

    def _choose(self, token: str) -> str:
        return f"{self._base_url}{CHOOSE}#{token}"


def _plain(name: str) -> str:
    """A name that somebody chose, so that it leads nowhere: mail programs make links of what looks like one."""
    return name.replace("://", ": //").replace("www.", "www ")


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")
