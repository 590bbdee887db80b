"""Proof that a code is redeemed by who asked for it.

See: RFC 7636
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from typing import Final

from bonafides.secret import same

METHODS: Final = ("S256",)
"""`plain` proves nothing to who has seen the request."""

_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def proves(verifier: str, challenge: str) -> bool:
    """Whether a verifier is the one of a challenge, by S256.

    See: RFC 7636 §4.1 and §4.6
    """
    if _VERIFIER.fullmatch(verifier) is None:
        return False
    made = urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=")
    return same(made, challenge.encode("utf-8", "replace"))
