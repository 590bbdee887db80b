"""Creating calls that may be sent twice and happen once.

The answer, which may hold a new secret, is kept encrypted under a key that only the caller's own
`Idempotency-Key` opens: neither the database nor the server alone can read it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

from bonafides.authority import Authority
from bonafides.errors import Conflict, InvalidRequest
from bonafides.model import Clock, Entropy, IdempotencyClaim, Replayed, to_datetime
from bonafides.secret import Peppers

KEY_LENGTH_MAX: Final = 255

T = TypeVar("T")
ClaimFor = Callable[[T], IdempotencyClaim]
"""Makes the claim of a call from what the call is about to create."""

REUSED: Final = (
    "This Idempotency-Key was used before for a different call. Use a new one for each thing that you create."
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One creating call that carries an `Idempotency-Key`."""

    key: str
    scope: tuple[str, ...]
    request_digest: bytes


class Idempotency:
    """Makes claims and opens their answers again.

    Args:
        peppers: For the digests and the encryption.
        clock: When a claim is made.
        entropy: For nonces.
        seconds: How long a claim holds.
    """

    def __init__(self, peppers: Peppers, clock: Clock, entropy: Entropy, *, seconds: int) -> None:
        self._peppers = peppers
        self._clock = clock
        self._entropy = entropy
        self._seconds = seconds

    def attempt(self, key: str | None, authority: Authority, call: str, body: bytes) -> Attempt | None:
        """The attempt behind a call, or None where it carries no key.

        Args:
            key: The header's value.
            authority: Whose call; two callers' equal keys never meet.
            call: Method and path.
            body: As received.

        Raises:
            InvalidRequest: The key is empty, too long or not printable ASCII.
        """
        if key is None:
            return None
        if not 1 <= len(key) <= KEY_LENGTH_MAX or not key.isascii() or not key.isprintable():
            message = f"Idempotency-Key must be 1 to {KEY_LENGTH_MAX} printable ASCII characters."
            raise InvalidRequest(message, field="Idempotency-Key")
        # The caller's powers are part of the call: a credential with fewer never gets what one with more was given.
        powers = " ".join(sorted(authority.grantable))
        request = b"\n".join((call.encode(), powers.encode(), body))
        request_digest = hashlib.blake2b(request, digest_size=32).digest()
        return Attempt(key, (authority.tenant_id, authority.user_id or ""), request_digest)

    def claim(self, attempt: Attempt, answer: bytes) -> IdempotencyClaim:
        """The claim to write in the transaction that creates the thing."""
        key_digest = self._peppers.claim_digest(*attempt.scope, attempt.key)
        return IdempotencyClaim(
            key_digest=key_digest,
            request_digest=attempt.request_digest,
            sealed_answer=self._peppers.seal(answer, attempt.key, key_digest, self._entropy),
            expires_at=to_datetime(self._clock.micros()) + timedelta(seconds=self._seconds),
        )

    def answer(self, attempt: Attempt, replayed: Replayed) -> bytes:
        """The answer that the first call got.

        Raises:
            Conflict: The pepper that sealed it is no longer in force.
        """
        key_digest = self._peppers.claim_digest(*attempt.scope, attempt.key)
        answer = self._peppers.unseal(replayed.sealed_answer, attempt.key, key_digest)
        if answer is None:
            message = "This call was carried out before, and its answer can no longer be shown."
            raise Conflict(message, field="Idempotency-Key")
        return answer


def reused() -> Conflict:
    """The refusal of an `Idempotency-Key` that was used before for something else."""
    return Conflict(REUSED, field="Idempotency-Key")
