"""How people get a password and get rid of one: changed by themselves, or begun anew where an admin lets them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from typing_extensions import override

from bonafides.audit import Recorder
from bonafides.authority import Authority
from bonafides.credentials.guesses import Guesses, GuessStore, Visitor
from bonafides.credentials.jwt_sessions import folded
from bonafides.credentials.password_rules import check_new
from bonafides.credentials.passwords import Passwords
from bonafides.directory import Directory, require_active_user
from bonafides.errors import Conflict, InvalidCredentials, InvalidRequest
from bonafides.letters import Letters
from bonafides.model import (
    Account,
    Actor,
    AuditEvent,
    Clock,
    Entropy,
    OneTimePurpose,
    OneTimeSecret,
    User,
    UserKind,
    to_datetime,
)
from bonafides.secret import Peppers, SecretKind, mint, new_id, whole

RESET_SECONDS: Final = 86_400
SERVICE_NAME: Final = "bonafides"
WRONG_TOKEN: Final = "The token is wrong, was used before, or has ended. Ask for another one."

_KINDS: Final = {
    OneTimePurpose.PASSWORD_RESET: SecretKind.RST,
    OneTimePurpose.INVITATION: SecretKind.INV,
}


@dataclass(frozen=True, slots=True, repr=False)
class StartedReset:
    """What lets one user choose a password, once: told to the admin who began it, and kept nowhere."""

    user_id: str
    token: str
    expires_at: datetime

    @override
    def __repr__(self) -> str:
        return f"StartedReset(user_id={self.user_id!r})"


class PasswordChanges:
    """Gives people new passwords. Every change ends the user's other sessions, and what those let clients do, unless they say otherwise.

    Args:
        store: Where accounts are.
        directory: Whose they are.
        recorder: Makes audit events.
        peppers: Digest what serves once.
        clock: When things happen.
        entropy: For ids and secrets.
        passwords: Hash and check.
        guesses: Admits tries at the current password.
        letters: Tell people of it.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what it changes is checked, counted, written down and told
        self,
        store: GuessStore,
        directory: Directory,
        recorder: Recorder,
        peppers: Peppers,
        clock: Clock,
        entropy: Entropy,
        passwords: Passwords,
        guesses: Guesses,
        letters: Letters,
    ) -> None:
        self._store = store
        self._directory = directory
        self._recorder = recorder
        self._peppers = peppers
        self._clock = clock
        self._entropy = entropy
        self._passwords = passwords
        self._guesses = guesses
        self._letters = letters

    async def change(
        self,
        authority: Authority,
        current: str,
        new: str,
        visitor: Visitor,
        *,
        own_session: str | None,
        keep_others: bool = False,
    ) -> int:
        """Give the caller another password; how many of their sessions that ended.

        Args:
            authority: The caller's.
            current: The password that they have.
            new: The one that they want.
            visitor: Where the call comes from.
            own_session: The session that the call belongs to, which goes on.
            keep_others: Whether the other sessions go on too.

        Raises:
            InvalidCredentials: The current password is another.
            ProofNeeded: They have a second factor, and have not proven it lately.
            TooManyRequests: There were too many wrong ones.
            InvalidRequest: The new one is too short, or easily guessed.
            Conflict: The user has no password, or another one was set meanwhile.

        See: OWASP ASVS 6.2.3, 7.4.3
        """
        account = await self._store.find_account_of(authority.user_id or "", authority.tenant_id)
        if account is None or account.password_hash is None or account.user.email is None:
            message = "You have no password to change. Ask an admin to let you choose one."
            raise Conflict(message)
        if account.factors:
            # Without one, the current password is all the proof that there could be.
            await self._directory.require_recent_proof(authority)
        wanted = _checked(account.user, new, "new_password")
        admitted = await self._guesses.admit(folded(account.user.email), account.user.id, visitor)
        if not await self._passwords.check(current, account.password_hash):
            raise InvalidCredentials
        told = "The password of your account was changed."
        event = self._event("user.password_changed", authority.actor, account, told)
        ended = await self._store.set_password(
            account.user.id,
            await self._passwords.hash(wanted),
            event,
            replaced=account.password_hash,
            kept_session=own_session,
            end_others=not keep_others,
            guessed=admitted.counts,
        )
        if ended is None:
            message = "Your password was changed by another call in this moment. Log in again."
            raise Conflict(message)
        return ended

    async def start_reset(self, authority: Authority, user_id: str) -> StartedReset:
        """Let a person choose a password, their first one or another: an admin can begin that, and not choose it.

        What was begun before for the same person serves no more.

        Raises:
            Forbidden: The caller does not administer the tenant, or is less powerful.
            NotFound: There is no such user, or they are not the caller's to see.
            Conflict: The user is disabled.
            InvalidRequest: It is a service, which has no password.

        See: OWASP ASVS 6.4.1, 6.4.6
        """
        authority.require_administration("let somebody choose a password")
        user = await self._directory.user(authority, user_id)
        authority.require_rank(user.role, user.tenant_id, f"reset the password of an {user.role}")
        await self._directory.require_recent_proof(authority)
        require_person(user)
        require_active_user(user)
        made, token = once(
            user,
            OneTimePurpose.PASSWORD_RESET,
            RESET_SECONDS,
            authority.user_id,
            self._clock,
            self._entropy,
        )
        secret = self._peppers.digested(token)
        event = self._recorder.event("user.password_reset_started", authority.actor, user.tenant_id, user.id)
        await self._store.create_one_time_secret(made, secret, event)
        return StartedReset(user.id, token, made.expires_at)

    async def reset(self, token: str, new: str, visitor: Visitor, *, request_id: str | None = None) -> None:
        """Give whoever holds a reset token, or an invitation, the password that they choose; it is spent, and every session ends.

        Raises:
            InvalidCredentials: The token is unknown, spent, or has ended.
            InvalidRequest: The password is too short, or easily guessed; the token still serves.
        """
        purpose, presented = _presented(token)
        if presented is None:
            raise InvalidCredentials(WRONG_TOKEN)
        digests = self._peppers.candidates(presented)
        now = to_datetime(self._clock.micros())
        found = await self._store.find_one_time_secret(digests, purpose, now)
        account = await self._store.find_account_of(found.user_id, found.tenant_id) if found else None
        if found is None or account is None:
            raise InvalidCredentials(WRONG_TOKEN)
        wanted = _checked(account.user, new, "new_password")
        actor = Actor(account.user.id, found.id, "reset", request_id, visitor.address)
        told = "A new password was chosen for your account."
        event = self._event("user.password_reset", actor, account, told)
        hashed = await self._passwords.hash(wanted)
        if not await self._store.redeem_for_password(found.id, purpose, hashed, event):
            raise InvalidCredentials(WRONG_TOKEN)

    def _event(self, action: str, actor: Actor, account: Account, told: str) -> AuditEvent:
        user = account.user
        letters = self._letters.changed(user, told)
        return self._recorder.event(action, actor, user.tenant_id, user.id, letters=letters)


def once(
    user: User,
    purpose: OneTimePurpose,
    seconds: int,
    created_by: str | None,
    clock: Clock,
    entropy: Entropy,
) -> tuple[OneTimeSecret, str]:
    """What lets one person choose a password, once, for as long as they keep their address; with its token.

    Args:
        user: Who.
        purpose: A first password, or another one.
        seconds: How long it serves.
        created_by: Who lets them; None for themselves.
        clock: From when on.
        entropy: For its id and its secret.
    """
    now_us = clock.micros()
    now = to_datetime(now_us)
    kind = _KINDS[purpose]
    identifier = new_id(str(kind), now_us, entropy)
    made = OneTimeSecret(
        id=identifier,
        purpose=purpose,
        tenant_id=user.tenant_id,
        user_id=user.id,
        email_folded=user.email.casefold() if user.email is not None else None,
        created_by=created_by,
        created_at=now,
        expires_at=now + timedelta(seconds=seconds),
    )
    return made, mint(kind, identifier, entropy)


def require_person(user: User) -> None:
    """Refuse to give a service a password.

    Raises:
        InvalidRequest: It is one.
    """
    if user.kind is not UserKind.PERSON:
        message = "user_id: a service has no password. Make it an API key."
        raise InvalidRequest(message, field="user_id")


def _presented(token: str) -> tuple[OneTimePurpose, bytes | None]:
    """What a token is for by its look, and as it is digested; None where it is damaged."""
    invitation = whole(token, SecretKind.INV)
    if invitation is not None:
        return OneTimePurpose.INVITATION, invitation
    return OneTimePurpose.PASSWORD_RESET, whole(token, SecretKind.RST)


def _checked(user: User, new: str, field: str) -> str:
    """The new password as it is hashed, if it is good enough for this user, also after their second factor is gone."""
    known = [SERVICE_NAME, user.name, *(user.email or "").split("@")]
    return check_new(new, known, second_factor=False, field=field)
