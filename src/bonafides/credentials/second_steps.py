"""The second step of a login: what stands between a right password and a session, for who has a second factor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from typing_extensions import override

from bonafides.model import (
    Account,
    Clock,
    Entropy,
    FactorKind,
    OneTimePurpose,
    OneTimeSecret,
    to_datetime,
)
from bonafides.secret import Peppers, SecretKind, mint, new_id, whole
from bonafides.store import AccountStore

STEP_SECONDS: Final = 300


@dataclass(frozen=True, slots=True, repr=False)
class SecondStep:
    """The password was right; who has proven a second factor too gets a session for the token, once.

    Args:
        mfa_token: Says that the password was right; opens nothing by itself.
        factors: What may be proven.
        expires_at: When the login has to be begun anew.
    """

    mfa_token: str
    factors: tuple[FactorKind, ...]
    expires_at: datetime

    @override
    def __repr__(self) -> str:
        return f"SecondStep(factors={self.factors!r})"


class SecondSteps:
    """Begins second steps, and finds them again.

    Args:
        store: Where they are kept, as digests.
        peppers: Digest them.
        clock: When they end.
        entropy: For ids and secrets.
    """

    def __init__(self, store: AccountStore, peppers: Peppers, clock: Clock, entropy: Entropy) -> None:
        self._store = store
        self._peppers = peppers
        self._clock = clock
        self._entropy = entropy

    async def begin(self, account: Account, guessed: tuple[str, ...]) -> SecondStep:
        """A step for somebody whose password was right.

        Args:
            account: Theirs.
            guessed: Counts of guesses at the password, which begin anew.
        """
        now_us = self._clock.micros()
        now = to_datetime(now_us)
        identifier = new_id("mfa", now_us, self._entropy)
        token = mint(SecretKind.MFA, identifier, self._entropy)
        made = OneTimeSecret(
            id=identifier,
            purpose=OneTimePurpose.LOGIN,
            tenant_id=account.user.tenant_id,
            user_id=account.user.id,
            email_folded=None,
            created_by=account.user.id,
            created_at=now,
            expires_at=now + timedelta(seconds=STEP_SECONDS),
        )
        await self._store.create_one_time_secret(made, self._peppers.digested(token), None, guessed=guessed)
        return SecondStep(token, account.factors, made.expires_at)

    async def find(self, mfa_token: str) -> tuple[OneTimeSecret, Account] | None:
        """The step that a token was given for, with whose login it is; None once it has ended or was taken."""
        presented = whole(mfa_token, SecretKind.MFA)
        if presented is None:
            return None
        digests = self._peppers.candidates(presented)
        now = to_datetime(self._clock.micros())
        found = await self._store.find_one_time_secret(digests, OneTimePurpose.LOGIN, now)
        account = await self._store.find_account_of(found.user_id, found.tenant_id) if found else None
        return None if found is None or account is None else (found, account)
