"""Codes of authenticator apps. The only file that knows pyotp.

See: RFC 6238, RFC 4226
"""

from __future__ import annotations

from base64 import b32encode
from typing import Final

import pyotp

from bonafides.model import Entropy
from bonafides.secret import same

SECRET_BYTES: Final = 20
STEP_SECONDS: Final = 30
DIGITS: Final = 6
ISSUER: Final = "Bonafides"

_STEP_US: Final = STEP_SECONDS * 1_000_000
_DRIFT: Final = (0, -1, 1)
"""Phones' clocks are wrong by some seconds, and people take some to type (RFC 6238 §5.2)."""


def new_secret(entropy: Entropy) -> str:
    """A secret for an app to share with the server: 160 random bits in base32.

    See: RFC 4226 §4
    """
    return b32encode(entropy(SECRET_BYTES)).decode("ascii")


def enrolment_uri(secret: str, account: str, host: str) -> str:
    """What an authenticator app reads from a QR code.

    Args:
        secret: That it shall share.
        account: Whose, as the app shows it.
        host: Of the server, so that an app tells two of them apart.
    """
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=f"{ISSUER} ({host})")


def counter_of(secret: str, code: str, now_us: int, *, after: int) -> int | None:
    """Which step's code this is, if it is a good one by now that is younger than the last that was used.

    Args:
        secret: That the app and the server share.
        code: As typed in, without spaces.
        now_us: Microseconds since the epoch.
        after: The step of the last code that was used.
    """
    codes = pyotp.TOTP(secret, digits=DIGITS)
    presented = code.encode("utf-8", "replace")
    found = None
    for drift in _DRIFT:
        counter = now_us // _STEP_US + drift
        # Each of them is compared, so that the time does not tell how wrong the app's clock is.
        if same(codes.generate_otp(counter).encode("ascii"), presented) and counter > after and found is None:
            found = counter
    return found
