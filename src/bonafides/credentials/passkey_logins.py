"""Logins by passkey: alone, or as the second step after a password.

A passkey that its user has unlocked is two factors in one: what they have, and what they are or know.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from bonafides.credentials.ceremonies import Json
from bonafides.credentials.guesses import Guesses, Visitor
from bonafides.credentials.jwt_sessions import PASSWORD_METHOD, JwtSessions, Tokens, may_log_in
from bonafides.credentials.passkeys import Passkeys
from bonafides.credentials.second_steps import SecondSteps
from bonafides.errors import InvalidCredentials

PASSKEY_METHOD: Final = "pop"
BOTH_METHOD: Final = "mfa"
"""RFC 8176: possession of a key; several factors at once."""

_ALONE: Final = "login"


class PasskeyLogins:
    """Opens sessions for who has a passkey.

    Args:
        sessions: Open them.
        second_steps: Of who has given a password first.
        passkeys: Judge what is presented.
        guesses: Know where people log in from; nobody guesses a signature, so none is counted.
    """

    def __init__(
        self, sessions: JwtSessions, second_steps: SecondSteps, passkeys: Passkeys, guesses: Guesses
    ) -> None:
        self._sessions = sessions
        self._second_steps = second_steps
        self._passkeys = passkeys
        self._guesses = guesses

    @property
    def origin(self) -> str | None:
        """Where browsers have passkeys for this server; None where they have none."""
        return self._passkeys.origin

    def options(self) -> dict[str, Any]:
        """What a browser has to be asked, for somebody of whom nothing is known yet: `PublicKeyCredentialRequestOptionsJSON`.

        Raises:
            Conflict: The server has no name.
        """
        return self._passkeys.options(_ALONE)

    async def step_options(self, mfa_token: str) -> dict[str, Any]:
        """The same for somebody whose password was right.

        Raises:
            InvalidCredentials: The step is over.
            Conflict: The server has no name, or they have no passkey that serves.
        """
        found = await self._second_steps.find(mfa_token)
        if found is None:
            raise InvalidCredentials
        step, account = found
        return await self._passkeys.options_of(_step(step.id), account.user.id)

    async def login(self, answer: Json, visitor: Visitor, *, request_id: str | None = None) -> Tokens | None:
        """Open a session for whoever's passkey this is; None for anything else.

        Args:
            answer: `AuthenticationResponseJSON` to `options`.
            visitor: Where it comes from.
            request_id: For the audit trail.
        """
        judged = await self._passkeys.judge(answer, _ALONE, visitor, request_id=request_id)
        if judged is None or not may_log_in(judged[0]):
            return None
        account, proof = judged
        return await self._sessions.open(
            account,
            frozenset({PASSKEY_METHOD, BOTH_METHOD}),
            visitor,
            self._guesses.uncounted(account.user.id, visitor),
            None,
            proof=proof,
            request_id=request_id,
        )

    async def second_factor(
        self, mfa_token: str, answer: Json, visitor: Visitor, *, request_id: str | None = None
    ) -> Tokens | None:
        """Open the session of a login that has come to its second step; None for anything but that person's passkey.

        Args:
            mfa_token: Of the step.
            answer: `AuthenticationResponseJSON` to `step_options`.
            visitor: Where it comes from.
            request_id: For the audit trail.
        """
        found = await self._second_steps.find(mfa_token)
        if found is None:
            return None
        step, account = found
        judged = await self._passkeys.judge(
            answer, _step(step.id), visitor, user_id=account.user.id, request_id=request_id
        )
        if judged is None or account.password_hash is None or not may_log_in(account):
            return None
        return await self._sessions.open(
            account,
            frozenset({PASSWORD_METHOD, PASSKEY_METHOD}),
            visitor,
            self._guesses.uncounted(account.user.id, visitor),
            account.password_hash,
            proof=replace(judged[1], step_id=step.id),
            request_id=request_id,
        )


def _step(step_id: str) -> str:
    return f"step {step_id}"
