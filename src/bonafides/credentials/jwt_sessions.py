"""Logins: a session with a signed token and a refresh token, refreshed, seen and ended.

A session is a credential that nothing opens; each token made from it is its child. So whatever ends the
session ends them all, at once and everywhere, however good their signatures are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec
from typing_extensions import override

from bonafides import intake
from bonafides.audit import Recorder
from bonafides.authority import Authority
from bonafides.credentials.factors import SecondFactors
from bonafides.credentials.guesses import Admitted, Guesses, GuessStore, Visitor
from bonafides.credentials.holdings import blank_credential, may_see
from bonafides.credentials.passwords import Passwords
from bonafides.credentials.second_steps import SecondStep, SecondSteps
from bonafides.credentials.signing_keys import SigningKeys
from bonafides.directory import Directory, require_self_or_administration, whose
from bonafides.errors import InvalidRequest, NotFound
from bonafides.letters import Letters
from bonafides.model import (
    Account,
    Actor,
    Clock,
    Credential,
    CredentialKind,
    CredentialStatus,
    DigestedSecret,
    Entropy,
    LiveSession,
    Opening,
    Page,
    Proof,
    Reason,
    Refreshable,
    RefreshToken,
    Renewal,
    Session,
    Status,
    Topic,
    User,
    UserKind,
    WaitingLetter,
    to_datetime,
)
from bonafides.secret import Peppers, SecretKind, mint, new_id, whole
from bonafides.store import CredentialStore, NotificationStore

NAME: Final = "login"
NAME_MAX: Final = 254
PASSWORD_METHOD: Final = "pwd"
CODE_METHOD: Final = "otp"
DEVICE_MAX: Final = 255

_SECOND_US: Final = 1_000_000
_ROUNDS_MAX: Final = 3
_ENDED: Final = "logged out"
_REUSED: Final = "a refresh token was used twice"
_SEALED_FOR: Final = b"refresh_tokens.sealed_answer"

_encode = msgspec.json.Encoder().encode


class LoginStore(GuessStore, CredentialStore, NotificationStore, Protocol):
    """What logins ask of the store."""


@dataclass(frozen=True, slots=True)
class SessionRules:
    """How long things last, in seconds.

    Args:
        token_seconds: A signed token.
        idle_seconds: A session that is not refreshed.
        longest_seconds: A session, however it is used.
        grace_seconds: In which a spent refresh token gets the same answer again.
    """

    token_seconds: int
    idle_seconds: int
    longest_seconds: int
    grace_seconds: int


class Tokens(msgspec.Struct, frozen=True):
    """What a login or a refresh gives: told once, and kept nowhere in the clear."""

    token: str
    expires_at: datetime
    refresh_token: str
    refresh_expires_at: datetime

    @override
    def __repr__(self) -> str:
        return f"Tokens(expires_at={self.expires_at!r})"


_decode_tokens = msgspec.json.Decoder(Tokens).decode


@dataclass(frozen=True, slots=True, repr=False)
class SignedToken:
    """A signed token, and what is kept of it."""

    token: str
    expires_at: datetime
    credential: Credential
    secret: DigestedSecret

    @override
    def __repr__(self) -> str:
        return f"SignedToken({self.credential.id!r})"


@dataclass(frozen=True, slots=True)
class _Minted:
    tokens: Tokens
    credential: Credential
    secret: DigestedSecret
    refresh_token: RefreshToken


class JwtSessions:
    """Opens, refreshes, shows and ends sessions.

    Args:
        store: Where they are.
        directory: Whose they are.
        recorder: Makes audit events.
        peppers: Digest and seal.
        clock: When things happen.
        entropy: For ids and secrets.
        signing_keys: Sign the tokens.
        passwords: Check what people log in with.
        guesses: Admits them.
        second_steps: What a right password gets where it is not enough.
        second_factors: Judges what is proven then.
        letters: Tell people of logins from new places.
        rules: How long things last.
    """

    def __init__(  # noqa: PLR0913 - a login goes through all of these
        self,
        *,
        store: LoginStore,
        directory: Directory,
        recorder: Recorder,
        peppers: Peppers,
        clock: Clock,
        entropy: Entropy,
        signing_keys: SigningKeys,
        passwords: Passwords,
        guesses: Guesses,
        second_steps: SecondSteps,
        second_factors: SecondFactors,
        letters: Letters,
        rules: SessionRules,
    ) -> None:
        self._store = store
        self._directory = directory
        self._recorder = recorder
        self._peppers = peppers
        self._clock = clock
        self._entropy = entropy
        self._signing_keys = signing_keys
        self._passwords = passwords
        self._guesses = guesses
        self._second_steps = second_steps
        self._second_factors = second_factors
        self._letters = letters
        self._rules = rules
        self._nobodys = passwords.nobodys(entropy)

    async def login(
        self,
        username: str,
        password: str,
        visitor: Visitor,
        *,
        tenant_id: str | None = None,
        request_id: str | None = None,
    ) -> Tokens | SecondStep | None:
        """Open a session for who knows the password of an active user; None for everybody else.

        Who has a second factor gets a step towards one instead. Neither the answer nor its time tells whether
        there is such a user: one password is checked in any case. Who has accounts in several tenants names
        the tenant, or gets the oldest.

        Raises:
            TooManyRequests: There were too many wrong ones.
            Unavailable: The server cannot know.
        """
        name = folded(username)
        account = await self._store.find_account(name, tenant_id)
        admitted = await self._guesses.admit(name, account.user.id if account else None, visitor)
        encoded = account.password_hash if account is not None else None
        right = await self._passwords.check(password, self._nobodys if encoded is None else encoded)
        if account is None or encoded is None or not right or not may_log_in(account):
            return None
        if account.factors:
            return await self._second_steps.begin(account, admitted.counts)
        return await self.open(
            account, frozenset({PASSWORD_METHOD}), visitor, admitted, encoded, request_id=request_id
        )

    async def second_factor(
        self, mfa_token: str, code: str, visitor: Visitor, *, request_id: str | None = None
    ) -> Tokens | None:
        """Open the session of a login that has come to its second step; None for a wrong code, or a step that is over.

        Args:
            mfa_token: Of the step.
            code: Of the authenticator app, or a recovery code.
            visitor: Where it comes from.
            request_id: For the audit trail.

        Raises:
            TooManyRequests: There were too many wrong ones.
        """
        found = await self._second_steps.find(mfa_token)
        if found is None:
            return None
        step, account = found
        admitted = await self._guesses.admit_code(account.user.id, visitor)
        proof = await self._second_factors.judge(account.user.id, code)
        if proof is None or account.password_hash is None or not may_log_in(account):
            return None
        return await self.open(
            account,
            frozenset({PASSWORD_METHOD, CODE_METHOD}),
            visitor,
            admitted,
            account.password_hash,
            proof=replace(proof, step_id=step.id),
            request_id=request_id,
        )

    async def open(
        self,
        account: Account,
        methods: frozenset[str],
        visitor: Visitor,
        admitted: Admitted,
        password_hash: str | None,
        *,
        proof: Proof | None = None,
        request_id: str | None,
    ) -> Tokens | None:
        """Open a session for somebody who has proven who they are; None if that no longer holds, or is not enough.

        Its id is new, whatever the request has presented.

        See: OWASP ASVS 7.2.4
        """
        user = account.user
        now_us = self._clock.micros()
        now = to_datetime(now_us)
        identifier = new_id("ses", now_us, self._entropy)
        session = Session(
            id=identifier,
            tenant_id=user.tenant_id,
            user_id=user.id,
            device=visitor.device[:DEVICE_MAX],
            address=visitor.address,
            methods=methods,
            created_at=now,
            seen_at=now,
            authenticated_at=now,
            ends_at=now + timedelta(seconds=self._rules.longest_seconds),
        )
        minted = await self._mint(session, user, now_us)
        opening = Opening(
            session=session,
            # With every scope there is, so that what its tokens have is decided by their user alone.
            credential=replace(
                _login(user, identifier, self._directory.defined_scopes, now), expires_at=session.ends_at
            ),
            # Nobody has what this is the digest of: a session is used through its tokens alone.
            credential_secret=DigestedSecret(self._entropy(32), self._peppers.newest_id),
            token=minted.credential,
            token_secret=minted.secret,
            refresh_token=minted.refresh_token,
            password_hash=password_hash,
            place=admitted.place,
            guessed=admitted.counts,
            proof=proof,
        )
        event = self._recorder.event(
            "session.opened",
            Actor(user.id, identifier, "login", request_id, visitor.address),
            user.tenant_id,
            identifier,
            {
                "methods": sorted(methods),
                "device": session.device,
                **({} if proof is None else {"factor": str(proof.kind)}),
            },
            letters=await self._letters_of(user, session, admitted),
        )
        return minted.tokens if await self._store.open_session(opening, event) else None

    async def _letters_of(
        self, user: User, session: Session, admitted: Admitted
    ) -> tuple[WaitingLetter, ...]:
        """Word of a login from where the user was never before, for who wants it."""
        if not self._letters.mail.is_set_up or user.email is None:
            return ()
        known = admitted.known
        if known is None:
            known = await self._store.knows_place(user.id, admitted.place)
        if known or await self._is_first(user):
            return ()
        if Topic.PLACES in (await self._store.unwanted_topics([user.id])).get(user.id, ()):
            return ()
        return self._letters.new_place(user, session.address, session.device, session.created_at)

    async def _is_first(self, user: User) -> bool:
        """Whether a user never logged in before: whose account is younger than what is remembered, and known from nowhere."""
        made = to_datetime(self._clock.micros()) - user.created_at
        remembered = timedelta(seconds=self._rules.longest_seconds)
        return made < remembered and not await self._store.knows_places(user.id)

    async def refresh(
        self, refresh_token: str, visitor: Visitor, *, request_id: str | None = None
    ) -> Tokens | Reason:
        """New tokens for a refresh token, which is spent with it; or why not.

        Of any number of calls with one token all get the same answer within the grace: lost answers and
        two tabs must not log people out. After it, or once what followed was used, a second use means that
        two hold the token, and ends the session.

        See: RFC 9700 §4.14.2
        """
        presented = whole(refresh_token, SecretKind.ORT)
        if presented is None:
            return Reason.INVALID_TOKEN
        digests = self._peppers.candidates(presented)
        for _ in range(_ROUNDS_MAX):
            found = await self._store.find_refreshable(digests)
            now_us = self._clock.micros()
            if found is None or not found.live:
                return Reason.INVALID_TOKEN
            actor = Actor(found.user.id, found.session.id, "refresh", request_id, visitor.address)
            if found.spent_at is not None:
                return await self._again(found, refresh_token, actor, to_datetime(now_us))
            if found.expires_at <= to_datetime(now_us):
                return Reason.EXPIRED
            minted = await self._mint(found.session, found.user, now_us)
            event = self._recorder.event(
                "session.refreshed", actor, found.session.tenant_id, found.session.id
            )
            sealed = self._peppers.seal(_encode(minted.tokens), refresh_token, _SEALED_FOR, self._entropy)
            renewal = Renewal(found.digest, minted.refresh_token, sealed, minted.credential, minted.secret)
            if await self._store.refresh(renewal, event):
                return minted.tokens
        return Reason.INVALID_TOKEN

    async def logout(self, authority: Authority) -> None:
        """End the session that the caller's own credential belongs to.

        Raises:
            InvalidRequest: The credential is not of a login.
        """
        session_id = await self.own_session(authority)
        if session_id is None:
            message = "This credential was not made by a login, so there is nothing to log out of. Revoke it instead."
            raise InvalidRequest(message, field="Authorization")
        await self._end(authority, session_id, authority.tenant_id, "session.ended", _ENDED)

    async def own_session(self, authority: Authority) -> str | None:
        """The session that the caller's credential belongs to; None if it is not of a login."""
        identifier = authority.actor.credential_id
        found = (
            await self._store.find_credential(identifier, authority.tenant_id)
            if identifier is not None
            else None
        )
        if found is None or found.kind is not CredentialKind.JWT_SESSION:
            return None
        return found.root_id

    async def get(self, authority: Authority, session_id: str) -> LiveSession:
        """The session, if it has not ended and is the caller's to see.

        Raises:
            NotFound: There is none, or it is not.
        """
        now = to_datetime(self._clock.micros())
        found = await self._store.find_session(session_id, authority.reach, now)
        if found is None or not may_see(authority, found.session):
            message = f"There is no session {session_id[:64]!a}."
            raise NotFound(message)
        return found

    async def page(
        self,
        authority: Authority,
        page: Page,
        *,
        tenant_id: str | None = None,
        user_id: str | None = None,
    ) -> Sequence[LiveSession]:
        """The sessions that have not ended, newest first: of the tenant for who administers it, else one's own.

        Raises:
            Forbidden: The caller asks for another user's without administering the tenant.
            NotFound: The tenant is not the caller's.
        """
        user_id = whose(authority, user_id)
        now = to_datetime(self._clock.micros())
        return await self._store.list_sessions(authority.tenant(tenant_id), page, now, user_id=user_id)

    async def end(self, authority: Authority, session_id: str) -> None:
        """End a session, with every token of it.

        Raises:
            Forbidden: It is somebody's who is more powerful.
            NotFound: There is none, or it is not the caller's.
        """
        found = await self.get(authority, session_id)
        await self._require_rank(authority, found.session.user_id)
        await self._end(authority, session_id, found.session.tenant_id, "session.ended", _ENDED)

    async def end_all(
        self, authority: Authority, *, user_id: str | None = None, keep_own: bool = False
    ) -> int:
        """End every session of a user, the caller's own user if none is named; how many.

        Args:
            authority: The caller's.
            user_id: Whose.
            keep_own: All but the one that the caller's credential belongs to.

        Raises:
            Forbidden: The user is somebody else, and the caller does not administer the tenant or is less powerful.
            NotFound: The user is not the caller's to see.
        """
        ended = user_id or authority.user_id or ""
        require_self_or_administration(authority, ended)
        user = await self._require_rank(authority, ended)
        kept = await self.own_session(authority) if keep_own else None
        event = self._recorder.event(
            "session.all_ended", authority.actor, user.tenant_id, user.id, {"kept": kept}
        )
        return await self._store.end_sessions(user.id, event, reason=_ENDED, kept=kept)

    async def _require_rank(self, authority: Authority, user_id: str) -> User:
        user = await self._directory.user(authority, user_id)
        if user.id != authority.user_id:
            authority.require_rank(user.role, user.tenant_id, f"end a session of an {user.role}")
        return user

    async def _end(
        self, authority: Authority, session_id: str, tenant_id: str, action: str, reason: str
    ) -> None:
        event = self._recorder.event(action, authority.actor, tenant_id, session_id)
        await self._store.set_credential_status(
            session_id, tenant_id, CredentialStatus.REVOKED, event, reason=reason
        )

    async def _again(
        self, found: Refreshable, refresh_token: str, actor: Actor, now: datetime
    ) -> Tokens | Reason:
        """What a spent refresh token gets: its answer again, or the end of its session."""
        spent_at = found.spent_at or now
        if not found.successor_spent and now - spent_at <= timedelta(seconds=self._rules.grace_seconds):
            answer = (
                self._peppers.unseal(found.sealed_answer, refresh_token, _SEALED_FOR)
                if found.sealed_answer is not None
                else None
            )
            return Reason.INVALID_TOKEN if answer is None else _decode_tokens(answer)
        event = self._recorder.event(
            "session.refresh_token_reused", actor, found.session.tenant_id, found.session.id
        )
        await self._store.set_credential_status(
            found.session.id,
            found.session.tenant_id,
            CredentialStatus.REVOKED,
            event,
            reason=_REUSED,
        )
        return Reason.INVALID_TOKEN

    async def signed(self, session: Session, user: User, now_us: int) -> SignedToken:
        """A signed token of a session, which does not last longer than it."""
        identifier = new_id("jwt", now_us, self._entropy)
        issued = now_us // _SECOND_US
        lasting = min(self._rules.token_seconds, self._rules.idle_seconds)
        ends = min(issued + lasting, int(session.ends_at.timestamp()))
        expires_at = to_datetime(ends * _SECOND_US)
        scopes = self._directory.ceiling(user)
        token = await self._signing_keys.sign(
            {
                "sub": user.id,
                "jti": identifier,
                "scope": " ".join(sorted(scopes)),
                "tenant_id": user.tenant_id,
                "sid": session.id,
                "auth_time": int(session.authenticated_at.timestamp()),
                "amr": sorted(session.methods),
                "iat": issued,
                "exp": ends,
            }
        )
        credential = replace(
            _login(user, identifier, scopes, to_datetime(now_us)),
            expires_at=expires_at,
            parent_id=session.id,
            root_id=session.id,
        )
        return SignedToken(token, expires_at, credential, self._peppers.digested(token))

    async def _mint(self, session: Session, user: User, now_us: int) -> _Minted:
        """A signed token and a refresh token of a session, neither of which lasts longer than it."""
        now = to_datetime(now_us)
        signed = await self.signed(session, user, now_us)
        refresh_token = mint(SecretKind.ORT, new_id("ort", now_us, self._entropy), self._entropy)
        refresh_expires_at = min(now + timedelta(seconds=self._rules.idle_seconds), session.ends_at)
        return _Minted(
            Tokens(signed.token, signed.expires_at, refresh_token, refresh_expires_at),
            signed.credential,
            signed.secret,
            RefreshToken(self._peppers.digested(refresh_token), session.id, now, refresh_expires_at),
        )


def folded(username: str) -> str:
    """A user name in the one form in which names are compared: of all its spellings, one is counted."""
    return username.strip()[: intake.EMAIL_MAX].casefold()


def _login(user: User, identifier: str, scopes: frozenset[str], now: datetime) -> Credential:
    return blank_credential(
        CredentialKind.JWT_SESSION, identifier, user.tenant_id, user.id, NAME, scopes, now
    )


def may_log_in(account: Account) -> bool:
    """Whether somebody who has proven to be the user of an account is let in."""
    user = account.user
    return user.kind is UserKind.PERSON and user.status is Status.ACTIVE and account.tenant_active
