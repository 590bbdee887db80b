"""How people come to a password by mail: forgotten, or never chosen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from typing_extensions import override

from bonafides.audit import Recorder
from bonafides.authority import Authority
from bonafides.credentials.guesses import Guesses, GuessStore, Visitor
from bonafides.credentials.jwt_sessions import folded
from bonafides.credentials.password_changes import once, require_person
from bonafides.directory import Directory, require_active_user
from bonafides.errors import Conflict
from bonafides.letters import Letters
from bonafides.model import (
    Account,
    Actor,
    Clock,
    Entropy,
    OneTimePurpose,
    Status,
)
from bonafides.secret import Peppers

FORGOTTEN_SECONDS: Final = 600
"""How long a mailed reset serves (OWASP ASVS 6.5.5)."""
INVITATION_SECONDS: Final = 7 * 86_400


@dataclass(frozen=True, slots=True, repr=False)
class Invitation:
    """What lets somebody choose their first password, once.

    Args:
        token: None where it was mailed to them: nobody else needs it then.
    """

    user_id: str
    token: str | None
    expires_at: datetime

    @override
    def __repr__(self) -> str:
        return f"Invitation(user_id={self.user_id!r})"


class PasswordMails:
    """Writes to people who have no password, or have it no longer.

    Args:
        store: Where accounts are.
        directory: Whose they are.
        recorder: Makes audit events.
        peppers: Digest what serves once.
        clock: When things happen.
        entropy: For ids and secrets.
        guesses: Admits requests of strangers.
        letters: Writes.
    """

    def __init__(
        self,
        store: GuessStore,
        directory: Directory,
        recorder: Recorder,
        peppers: Peppers,
        clock: Clock,
        entropy: Entropy,
        guesses: Guesses,
        letters: Letters,
    ) -> None:
        self._store = store
        self._directory = directory
        self._recorder = recorder
        self._peppers = peppers
        self._clock = clock
        self._entropy = entropy
        self._guesses = guesses
        self._letters = letters

    async def forgotten(
        self, username: str, visitor: Visitor, *, tenant_id: str | None = None, request_id: str | None = None
    ) -> None:
        """Write to whoever has an account of that name, if anybody has: after the answer, which is always the same.

        Raises:
            TooManyRequests: Too many were asked for, for this name or from there; whether or not it exists.

        See: OWASP ASVS 6.3.8
        """
        name = folded(username)
        await self._guesses.admit_mail(name, visitor)
        if self._letters.mail.is_set_up:
            self._letters.mail.later(self._write(name, tenant_id, visitor, request_id))

    async def invite(self, authority: Authority, user_id: str) -> Invitation:
        """Let somebody who has no password choose their first one; by mail, where that is set up.

        What was begun before for the same person serves no more.

        Raises:
            Forbidden: The caller does not administer the tenant, is less powerful, or has not logged in lately.
            NotFound: There is no such user, or they are not the caller's to see.
            Conflict: The user is disabled, or has a password.
            InvalidRequest: It is a service, which has no password.

        See: OWASP ASVS 6.4.1, 6.4.6
        """
        authority.require_administration("invite somebody")
        user = await self._directory.user(authority, user_id)
        authority.require_rank(user.role, user.tenant_id, f"invite an {user.role}")
        await self._directory.require_recent_proof(authority)
        require_person(user)
        require_active_user(user)
        account = await self._store.find_account_of(user.id, user.tenant_id)
        if account is not None and account.password_hash is not None:
            message = "This user has a password. Begin a reset instead."
            raise Conflict(message, field="user_id")
        made, token = once(
            user, OneTimePurpose.INVITATION, INVITATION_SECONDS, authority.user_id, self._clock, self._entropy
        )
        tenant = await self._directory.tenant(user.tenant_id)
        letters = self._letters.invitation(user, token, made.expires_at, tenant.name)
        event = self._recorder.event(
            "user.invited", authority.actor, user.tenant_id, user.id, letters=letters
        )
        await self._store.create_one_time_secret(made, self._peppers.digested(token), event)
        return Invitation(user.id, None if letters else token, made.expires_at)

    async def _write(
        self, name: str, tenant_id: str | None, visitor: Visitor, request_id: str | None
    ) -> None:
        for account in await self._store.find_accounts(name):
            if tenant_id in {None, account.user.tenant_id} and _may_choose(account):
                user = account.user
                made, token = once(
                    user, OneTimePurpose.PASSWORD_RESET, FORGOTTEN_SECONDS, None, self._clock, self._entropy
                )
                actor = Actor(None, None, "forgotten password", request_id, visitor.address)
                letters = self._letters.reset(user, token, made.expires_at)
                event = self._recorder.event(
                    "user.password_forgotten", actor, user.tenant_id, user.id, letters=letters
                )
                await self._store.create_one_time_secret(made, self._peppers.digested(token), event)


def _may_choose(account: Account) -> bool:
    return account.user.status is Status.ACTIVE and account.tenant_active
