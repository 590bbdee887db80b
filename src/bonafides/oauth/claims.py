"""What is told of a person: by the scopes that a client has, and by the single claims that it has asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bonafides.model import EMAIL, PROFILE, User

ID_TOKEN: Final = "id_token"
USERINFO: Final = "userinfo"
SCOPE_OF: Final[Mapping[str, str]] = {
    "name": PROFILE,
    "updated_at": PROFILE,
    "email": EMAIL,
    "email_verified": EMAIL,
}
"""What is known of people, and which scope lets a client know it."""
CLAIMS: Final = ("sub", *SCOPE_OF)
"""What is told at most."""


def claims_of(user: User, scopes: frozenset[str]) -> dict[str, Any]:
    """What is told of a person to who may have these scopes.

    See: OpenID Connect Core §5.3.2 and §5.4
    """
    claims: dict[str, Any] = {"sub": user.id}
    if PROFILE in scopes:
        claims |= {"name": user.name, "updated_at": int(user.updated_at.timestamp())}
    if EMAIL in scopes and user.email is not None:
        # Addresses are what administrators write down: nobody has proven that they are the person's.
        claims |= {"email": user.email, "email_verified": False}
    return claims


def claims_in_id_token(user: User, scopes: frozenset[str], request: Mapping[str, Any]) -> dict[str, Any]:
    """What an ID token tells of a person beside who they are: what its client has asked to find in it.

    See: OpenID Connect Core §5.5
    """
    asked = _asked(request, ID_TOKEN)
    return {
        name: told for name, told in claims_of(user, scopes).items() if name in asked and name in SCOPE_OF
    }


def scopes_asked_for(request: Mapping[str, Any]) -> frozenset[str]:
    """The scopes that single claims stand for, so that a person is asked about them as about all else."""
    asked = {*_asked(request, ID_TOKEN), *_asked(request, USERINFO)}
    return frozenset(scope for name, scope in SCOPE_OF.items() if name in asked)


def subject_asked_for(request: Mapping[str, Any]) -> str | None:
    """Whom alone the client wants to hear of; None for anybody.

    See: OpenID Connect Core §5.5.1
    """
    asked = _asked(request, ID_TOKEN).get("sub")
    wanted = asked.get("value") if isinstance(asked, Mapping) else None
    return wanted if isinstance(wanted, str) else None


def needs_acr(request: Mapping[str, Any]) -> bool:
    """Whether the client takes no login but one of a class that it names; no such classes are known here.

    See: OpenID Connect Core §5.5.1.1
    """
    asked = _asked(request, ID_TOKEN).get("acr")
    return (
        isinstance(asked, Mapping)
        and asked.get("essential") is True
        and ("value" in asked or "values" in asked)
    )


def _asked(request: Mapping[str, Any], place: str) -> Mapping[str, Any]:
    asked = request.get(place)
    return asked if isinstance(asked, Mapping) else {}
