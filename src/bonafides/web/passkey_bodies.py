"""The bodies that carry what browsers say of passkeys: that itself is read by the room, as WebAuthn tells it to.

See: Web Authentication Level 3 §5.1.8 (RegistrationResponseJSON) and §5.1.9 (AuthenticationResponseJSON)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StrictBool, StrictStr

from bonafides.credentials.passkeys import NAME_MAX
from bonafides.intake import TEXT_PATTERN
from bonafides.web.bodies import Body, Code, Password, SecretText

PasskeyName = Annotated[
    StrictStr,
    Field(
        min_length=1,
        max_length=NAME_MAX,
        description="By which you tell it from others.",
        json_schema_extra={"pattern": TEXT_PATTERN},
    ),
]


Registration = Annotated[
    dict[str, Any],
    Field(
        description=(
            "`RegistrationResponseJSON`: what `navigator.credentials.create` gave, by its `toJSON`; "
            "of its members, `id`, `rawId`, `type` and `response` are read."
        )
    ),
]
Authentication = Annotated[
    dict[str, Any],
    Field(
        description=(
            "`AuthenticationResponseJSON`: what `navigator.credentials.get` gave, by its `toJSON`; "
            "of its members, `id`, `rawId`, `type` and `response` are read."
        )
    ),
]


class SecondFactor(Body):
    """The second step of a login: a code, or a passkey."""

    mfa_token: SecretText
    code: Code | None = None
    passkey: Annotated[
        Authentication | None,
        Field(
            description="In place of a code: the answer of a browser to `/v1/auth/login/passkey/options` (`AuthenticationResponseJSON`)."
        ),
    ] = None


class FreshProof(Body):
    """That it is still you: a code or a passkey where there is a second factor, else the password."""

    password: Password | None = None
    code: Code | None = None
    passkey: Annotated[
        Authentication | None,
        Field(
            description="In place of a code: the answer of a browser to `/v1/auth/step-up/options` (`AuthenticationResponseJSON`)."
        ),
    ] = None


class NewPasskeyBody(Body):
    """A passkey that the browser has made."""

    credential: Registration
    name: PasskeyName | None = None
    end_sessions: Annotated[StrictBool, Field(description="Also end your other sessions.")] = False


class PasskeyChange(Body):
    """Another name for a passkey."""

    name: PasskeyName


class PasskeyWish(Body):
    """Whose passkey a browser shall ask for."""

    mfa_token: Annotated[
        SecretText | None,
        Field(description="Of the first step of a login; without it, whichever passkey the person chooses."),
    ] = None


class PasskeyLogin(Body):
    """What a passkey has signed."""

    credential: Authentication


def credential_in(form: Mapping[str, str]) -> dict[str, Any]:
    """What a page's form carries of a browser's answer; nothing where it is none."""
    try:
        found = json.loads(form.get("credential", ""))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
