"""Ceremonies of WebAuthn: what a browser is asked, and what its answer is worth. The only file that knows the library.

See: Web Authentication Level 3 §5.1, §5.4, §5.5, §7.1 and §7.2
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from bonafides.passkey import Passkey

TIMEOUT_SECONDS: Final = 300

Json = Mapping[str, Any]
"""As browsers' `toJSON` gives it, and `parseCreationOptionsFromJSON` takes it."""

_NAME: Final = "Bonafides"
_ALGORITHMS: Final = (-7, -8, -257)
"""ES256, EdDSA, RS256 (which Windows Hello needs)."""
_FORMATS: Final = frozenset({"none", "packed"})
"""No attestation was asked for; `packed` without certificates is what an authenticator signs by itself."""
_UNREADABLE: Final = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_TRANSPORTS: Final = frozenset({"ble", "hybrid", "internal", "nfc", "smart-card", "usb"})


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Whom passkeys are for.

    Args:
        id: The name of the host.
        origin: Of our pages.
    """

    id: str
    origin: str


@dataclass(frozen=True, slots=True)
class NewKey:
    """What an authenticator has made."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    aaguid: str
    backup_eligible: bool
    backed_up: bool
    transports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Signed:
    """What a passkey has signed, as far as it says of itself."""

    sign_count: int
    backed_up: bool


def relying_party(base_url: str) -> RelyingParty | None:
    """Whom passkeys of a server at this address are for; None where it has no name, for which browsers make none.

    On a developer's machine that name is `localhost`.

    See: Web Authentication Level 3 §5.1.3, RP ID
    """
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    try:
        if not ip_address(host).is_loopback:
            return None
        host = "localhost"
    except ValueError:
        pass
    port = "" if parts.port in {None, _DEFAULT_PORTS.get(parts.scheme)} else f":{parts.port}"
    return RelyingParty(host, f"{parts.scheme}://{host}{port}")


def creation_options(
    party: RelyingParty, user: tuple[str, str, str], challenge: bytes, known: Sequence[Passkey]
) -> dict[str, Any]:
    """`PublicKeyCredentialCreationOptionsJSON`: make a passkey, which its user finds again without a name, and unlocks.

    Args:
        party: Whom it is for.
        user: Id, name, and name for display.
        challenge: To be signed.
        known: Those that the user has: no authenticator makes a second one.
    """
    identifier, name, shown = user
    return {
        "rp": {"id": party.id, "name": _NAME},
        "user": {"id": encoded(identifier.encode()), "name": name, "displayName": shown},
        "challenge": encoded(challenge),
        "pubKeyCredParams": [{"type": "public-key", "alg": algorithm} for algorithm in _ALGORITHMS],
        "timeout": TIMEOUT_SECONDS * 1_000,
        "excludeCredentials": [_descriptor(each) for each in known],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
        "extensions": {"credProps": True},
    }


def request_options(party: RelyingParty, challenge: bytes, allowed: Sequence[Passkey]) -> dict[str, Any]:
    """`PublicKeyCredentialRequestOptionsJSON`: sign with one of these passkeys, or with whichever the person chooses."""
    return {
        "challenge": encoded(challenge),
        "timeout": TIMEOUT_SECONDS * 1_000,
        "rpId": party.id,
        "allowCredentials": [_descriptor(each) for each in allowed],
        "userVerification": "required",
    }


def challenge_in(answer: Json) -> bytes | None:
    """The challenge that an answer says that it answers; None where it cannot be read.

    An answer that was made in a frame of another site's page is not read: ours are never framed.
    """
    try:
        client = json.loads(decoded(answer["response"]["clientDataJSON"]))
        framed = client.get("crossOrigin", False) or "topOrigin" in client
        return None if framed else decoded(client["challenge"])
    except _UNREADABLE:
        return None


def name_in(answer: Json) -> bytes | None:
    """How the authenticator names the passkey of an answer."""
    try:
        return decoded(answer["id"])
    except _UNREADABLE:
        return None


def user_in(answer: Json) -> str | None:
    """Whose passkey it is, as the authenticator remembers it; None where it does not say."""
    try:
        return decoded(answer["response"]["userHandle"]).decode("ascii")
    except _UNREADABLE:
        return None


def made(party: RelyingParty, answer: Json, challenge: bytes) -> NewKey | None:
    """What `navigator.credentials.create` gave, if it is a passkey for us that its user has unlocked.

    Args:
        party: We.
        answer: `RegistrationResponseJSON`.
        challenge: That it has to answer.

    See: Web Authentication Level 3 §7.1
    """
    import webauthn  # noqa: PLC0415 - a tenth of a second to import, which most processes never need
    from webauthn.helpers import parse_attestation_object  # noqa: PLC0415 - the same
    from webauthn.helpers.cose import COSEAlgorithmIdentifier  # noqa: PLC0415 - the same

    try:
        attestation = parse_attestation_object(decoded(answer["response"]["attestationObject"]))
        if attestation.fmt not in _FORMATS or attestation.att_stmt.x5c:
            return None
        found = webauthn.verify_registration_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(each) for each in _ALGORITHMS],
        )
    except Exception:  # noqa: BLE001 - whatever it stumbles over in what strangers send, it is no passkey
        return None
    if found.credential_id != name_in(answer):
        return None
    return NewKey(
        found.credential_id,
        found.credential_public_key,
        found.sign_count,
        found.aaguid,
        found.credential_device_type == "multi_device",
        found.credential_backed_up,
        _transports(answer),
    )


def signed(party: RelyingParty, answer: Json, challenge: bytes, passkey: Passkey) -> Signed | None:
    """What `navigator.credentials.get` gave, if this passkey has signed it for us, unlocked by its user.

    What it counts is for the caller to judge.

    Args:
        party: We.
        answer: `AuthenticationResponseJSON`.
        challenge: That it has to answer.
        passkey: That has to have signed it.

    See: Web Authentication Level 3 §7.2
    """
    import webauthn  # noqa: PLC0415 - a tenth of a second to import, which most processes never need

    try:
        found = webauthn.verify_authentication_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception:  # noqa: BLE001 - whatever it stumbles over in what strangers send, nothing is signed
        return None
    eligible = found.credential_device_type == "multi_device"
    if found.credential_id != passkey.credential_id or eligible is not passkey.backup_eligible:
        return None
    return Signed(found.new_sign_count, found.credential_backed_up)


def encoded(raw: bytes) -> str:
    """As base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def decoded(text: str) -> bytes:
    """What `encoded` was given.

    Raises:
        ValueError: The text is no base64url.
    """
    return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))


def _descriptor(passkey: Passkey) -> dict[str, Any]:
    return {
        "type": "public-key",
        "id": encoded(passkey.credential_id),
        **({"transports": list(passkey.transports)} if passkey.transports else {}),
    }


def _transports(answer: Json) -> tuple[str, ...]:
    given = answer["response"].get("transports")
    return tuple(each for each in sorted(_TRANSPORTS) if isinstance(given, list) and each in given)
