"""What people fill in about a credential, as the rooms take it; whether it may be so, the rooms decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from bonafides.authority import Authority
from bonafides.directory import Directory
from bonafides.errors import InvalidRequest
from bonafides.model import ADMIN, CREDENTIALS_VERIFY, READ, WRITE, User

SCOPE_FIELD: Final = "scope:"
NEVER: Final = "never"
ON_A_DAY: Final = "day"
LIFETIMES: Final = (
    ("7", "7 days"),
    ("30", "30 days"),
    ("90", "90 days"),
    ("365", "1 year"),
    (ON_A_DAY, "On a day of your choice"),
    (NEVER, "No expiration"),
)
LIFETIME_DEFAULT: Final = "90"

_DAY_SECONDS: Final = 86_400
_WORDS: Final = {
    READ: "See what there is.",
    WRITE: "Make and change things.",
    ADMIN: "Manage everything of the organisation, other people's credentials included.",
    CREDENTIALS_VERIFY: "Ask about credentials that others present, as an API does that is protected by this server.",
}
_OWN_WORDS: Final = "Defined by whoever runs this server."


@dataclass(frozen=True, slots=True)
class ScopeChoice:
    """A scope that a form offers, in words, and whether its box is ticked."""

    name: str
    words: str
    ticked: bool


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long something shall last, in the words of the rooms: one of the two, or neither for ever."""

    expires_at: datetime | None = None
    expires_in: int | None = None


def words_of(scope: str) -> str:
    """What a scope lets do."""
    return _WORDS.get(scope, _OWN_WORDS)


def scope_choices(
    authority: Authority, directory: Directory, owner: User, ticked: Iterable[str]
) -> Sequence[ScopeChoice]:
    """The scopes that the caller could give to a credential of a user, the built-in ones first."""
    possible = directory.ceiling(owner) & authority.grantable
    chosen = set(ticked)
    names = [name for name in _WORDS if name in possible]
    names += sorted(possible - set(_WORDS))
    return [ScopeChoice(name, words_of(name), name in chosen) for name in names]


def chosen_scopes(form: Mapping[str, str]) -> list[str]:
    """The scopes whose boxes are ticked."""
    return sorted(name.removeprefix(SCOPE_FIELD) for name in form if name.startswith(SCOPE_FIELD))


def lasting(form: Mapping[str, str]) -> Lasting:
    """How long the form says.

    Raises:
        InvalidRequest: It says nothing that can be understood.
    """
    choice = form.get("expires", "")
    if choice == NEVER:
        return Lasting()
    if choice == ON_A_DAY:
        return Lasting(expires_at=_end_of_day(form.get("expires_on", "")))
    if choice not in dict(LIFETIMES):
        message = "Choose when it shall expire."
        raise InvalidRequest(message, field="expires")
    return Lasting(expires_in=int(choice) * _DAY_SECONDS)


def networks(form: Mapping[str, str]) -> list[str]:
    """The addresses and networks of a field in which each stands on a line of its own, or after a comma."""
    return form.get("allowed_ips", "").replace(",", " ").split()


def _end_of_day(text: str) -> datetime:
    try:
        day = date.fromisoformat(text)
        return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        message = "Choose the last day on which it shall work."
        raise InvalidRequest(message, field="expires_on") from None
