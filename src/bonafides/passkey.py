"""Passkeys, as all rooms speak of them.

See: Web Authentication Level 3
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Passkey:
    """The public half of a key that somebody's phone, computer or security key holds.

    Args:
        credential_id: As the authenticator names it.
        public_key: As the authenticator gave it (COSE).
        sign_count: What it counted at its last use; 0 for one that does not count.
        transports: How browsers reach it.
        aaguid: Of the authenticator's model; zeros where it does not say.
        name: Its user's.
        backup_eligible: Whether it may be copied to other devices of its user; this never changes.
        backed_up: Whether it was, at its last use.
        suspected_at: When its count went back, as it does where two hold copies of the key: it opens nothing any more.
    """

    id: str
    user_id: str
    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]
    aaguid: str
    name: str
    backup_eligible: bool
    backed_up: bool
    created_at: datetime
    last_used_at: datetime | None = None
    suspected_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """What an authenticator has signed once, and never again.

    Args:
        digest: That it is remembered by, once it is spent.
        expires_at: When it would have ended by itself.
    """

    digest: bytes
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PasskeyUse:
    """A passkey that was proven to be at hand.

    Args:
        passkey_id: Which.
        sign_count: What it counts from then on.
        backed_up: Whether it has been copied.
        challenge: That it has signed, which is spent with it.
    """

    passkey_id: str
    sign_count: int
    backed_up: bool
    challenge: Challenge


@dataclass(frozen=True, slots=True)
class AddedPasskey:
    """A passkey was taken into use.

    Args:
        codes_given: Whether recovery codes were, too: to who has no other factor.
        ended_sessions: How many ended with it.
    """

    codes_given: bool
    ended_sessions: int
