"""Second factors: an authenticator app, and recovery codes for who has lost it; passkeys have a file of their own.

Whoever has one proves one after their password, on every way in. Only somebody who has logged in, and lately,
changes their own; an admin can take them away from somebody who has lost everything, and not set them up.
"""

from __future__ import annotations

from base64 import b32encode
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from typing_extensions import override

from bonafides.audit import Recorder
from bonafides.authority import Authority
from bonafides.credentials import totp
from bonafides.directory import Directory
from bonafides.errors import Conflict, Forbidden, InvalidRequest, NotFound
from bonafides.letters import Letters
from bonafides.model import (
    Clock,
    DigestedSecret,
    Entropy,
    FactorKind,
    Factors,
    Proof,
    TotpFactor,
    User,
    UserKind,
    to_datetime,
)
from bonafides.secret import Peppers
from bonafides.store import FactorStore

RECOVERY_CODES: Final = 10
CONFIRM_SECONDS: Final = 900
"""How long an app that was begun waits for its first code."""

_CODE_BYTES: Final = 15
_GROUP: Final = 6
_CODE_MAX: Final = 64
_LOOK_ALIKE: Final = str.maketrans("018", "OIB")
"""What people read as something else: base32 has none of these digits."""


@dataclass(frozen=True, slots=True, repr=False)
class Enrolment:
    """What an authenticator app is given, once; it counts for nothing until a code of it has come back."""

    secret: str
    uri: str

    @override
    def __repr__(self) -> str:
        return "Enrolment()"


@dataclass(frozen=True, slots=True, repr=False)
class NewCodes:
    """Recovery codes, told this once, and how many sessions ended as they were made."""

    recovery_codes: tuple[str, ...]
    ended_sessions: int

    @override
    def __repr__(self) -> str:
        return f"NewCodes(ended_sessions={self.ended_sessions})"


class SecondFactors:
    """Sets second factors up, judges what is presented, and takes them away.

    Args:
        store: Where they are kept.
        directory: Whose they are.
        recorder: Makes audit events.
        peppers: Seal and digest them.
        clock: When things happen.
        entropy: For secrets.
        host: Of the server, as authenticator apps show it.
        letters: Tell people of changes.
    """

    def __init__(
        self,
        store: FactorStore,
        directory: Directory,
        recorder: Recorder,
        peppers: Peppers,
        clock: Clock,
        entropy: Entropy,
        host: str,
        letters: Letters,
    ) -> None:
        self._store = store
        self._directory = directory
        self._recorder = recorder
        self._peppers = peppers
        self._clock = clock
        self._entropy = entropy
        self._host = host
        self._letters = letters

    async def own(self, authority: Authority) -> Factors:
        """What the caller may prove beside their password."""
        return await self._store.find_factors(authority.user_id or "")

    async def begin_totp(self, authority: Authority) -> Enrolment:
        """A secret for the caller's authenticator app, in place of one that was never confirmed.

        Raises:
            Forbidden: The caller has not logged in, or not lately.
            Conflict: They have an app already.
        """
        user = await self.require_person(authority)
        now = to_datetime(self._clock.micros())
        secret = totp.new_secret(self._entropy)
        factor = TotpFactor(
            user_id=user.id,
            sealed=self._peppers.seal_at_rest(secret.encode("ascii"), _place(user.id), self._entropy),
            pepper_id=self._peppers.newest_id,
            last_counter=0,
            created_at=now,
        )
        event = self._recorder.event("user.totp_begun", authority.actor, user.tenant_id, user.id)
        if not await self._store.begin_totp(factor, event):
            message = "You have an authenticator app already. Remove it first, then set the other one up."
            raise Conflict(message)
        return Enrolment(secret, totp.enrolment_uri(secret, user.email or user.name, self._host))

    async def confirm_totp(
        self, authority: Authority, code: str, *, own_session: str | None, end_others: bool
    ) -> NewCodes:
        """Take the app into use once a code has shown that it has the secret; with new recovery codes.

        Args:
            authority: The caller's.
            code: The first one.
            own_session: The session that the call belongs to, which goes on.
            end_others: Whether the caller's other sessions end.

        Raises:
            Forbidden: The caller has not logged in, or not lately.
            Conflict: No app was begun lately.
            InvalidRequest: The code is wrong.

        See: OWASP ASVS 7.4.3
        """
        user = await self.require_person(authority)
        now_us = self._clock.micros()
        now = to_datetime(now_us)
        begun = (await self._store.find_factors(user.id)).totp
        if (
            begun is None
            or begun.confirmed_at is not None
            or now - begun.created_at > timedelta(seconds=CONFIRM_SECONDS)
        ):
            raise Conflict(_NOT_BEGUN)
        secret = self._secret(begun)
        counter = secret and totp.counter_of(secret, _plain(code), now_us, after=begun.last_counter)
        if not counter:
            message = "code: is not the one that the app shows now. Check the clocks of the phone and of the server."
            raise InvalidRequest(message, field="code")
        codes, digested = self.new_codes(user.id)
        event = self._recorder.event(
            "user.factor_added",
            authority.actor,
            user.tenant_id,
            user.id,
            {"kind": str(FactorKind.TOTP)},
            self._letters.changed(user, "An authenticator app was added to your account."),
        )
        ended = await self._store.confirm_totp(
            replace(begun, confirmed_at=now, last_counter=counter),
            digested,
            event,
            kept_session=own_session,
            end_others=end_others,
        )
        if ended is None:
            raise Conflict(_NOT_BEGUN)
        return NewCodes(codes, ended)

    async def renew_codes(self, authority: Authority) -> tuple[str, ...]:
        """Other recovery codes for the caller; the ones before serve no more.

        Raises:
            Forbidden: The caller has not logged in, or not lately.
            Conflict: They have no factor that codes could stand in for.
        """
        user = await self.require_person(authority)
        codes, digested = self.new_codes(user.id)
        letters = self._letters.changed(user, "New recovery codes were made for your account.")
        event = self._recorder.event(
            "user.recovery_codes_renewed", authority.actor, user.tenant_id, user.id, letters=letters
        )
        if not await self._store.replace_recovery_codes(user.id, digested, event):
            message = "Recovery codes stand in for a second factor. Set one up first."
            raise Conflict(message)
        return codes

    async def remove_totp(self, authority: Authority, *, own_session: str | None, end_others: bool) -> int:
        """Take the caller's own app away, and with their last factor its codes; how many sessions that ended.

        Raises:
            Forbidden: The caller has not logged in, or not lately.
            NotFound: They have none.
        """
        user = await self.require_person(authority)
        event = self._recorder.event(
            "user.factor_removed",
            authority.actor,
            user.tenant_id,
            user.id,
            {"kind": str(FactorKind.TOTP)},
            self._letters.changed(user, "The authenticator app of your account was removed."),
        )
        ended = await self._store.remove_totp(user.id, event, kept_session=own_session, end_others=end_others)
        if ended is None:
            message = "You have no authenticator app."
            raise NotFound(message)
        return ended

    async def reset(self, authority: Authority, user_id: str) -> int:
        """Take every factor away from somebody who has lost theirs, and end their sessions; how many.

        Raises:
            Forbidden: The caller does not administer the tenant, is less powerful, or has not logged in lately.
            NotFound: There is no such user, they are not the caller's to see, or they have no factor.
        """
        authority.require_administration("take somebody's second factors away")
        user = await self._directory.user(authority, user_id)
        authority.require_rank(user.role, user.tenant_id, f"take the second factors of an {user.role} away")
        await self._directory.require_recent_proof(authority)
        letters = self._letters.changed(user, "An admin has removed the second factors of your account.")
        event = self._recorder.event(
            "user.factors_reset", authority.actor, user.tenant_id, user.id, letters=letters
        )
        ended = await self._store.remove_factors(user.id, event, kept_session=None, end_others=True)
        if ended is None:
            message = "This user has no second factor."
            raise NotFound(message)
        return ended

    async def judge(self, user_id: str, code: str) -> Proof | None:
        """What a code proves, if it is good now: it is spent with what the proof opens, not here."""
        plain = _plain(code)
        if len(plain) == totp.DIGITS:
            app = (await self._store.find_factors(user_id)).totp
            secret = None if app is None or app.confirmed_at is None else self._secret(app)
            if app is None or secret is None:
                return None
            now_us = self._clock.micros()
            counter = totp.counter_of(secret, plain, now_us, after=app.last_counter)
            if counter is None:
                return None
            sealed = self._peppers.seal_at_rest(secret.encode("ascii"), _place(user_id), self._entropy)
            used = replace(app, last_counter=counter, sealed=sealed, pepper_id=self._peppers.newest_id)
            return Proof(FactorKind.TOTP, totp=used)
        digests = self._peppers.candidates(_code_bytes(user_id, plain))
        left = await self._store.find_recovery_code(user_id, digests)
        return None if left is None else Proof(FactorKind.RECOVERY_CODE, recovery_code=left)

    async def require_person(self, authority: Authority) -> User:
        """Who the caller is.

        Raises:
            Forbidden: They have not logged in themselves, or not lately.
        """
        await self._directory.require_recent_proof(authority, login_needed=True)
        user = await self._directory.user(authority, authority.user_id or "")
        if user.kind is not UserKind.PERSON:  # pragma: no cover - a service cannot log in
            message = "A service has no second factors."
            raise Forbidden(message)
        return user

    def _secret(self, factor: TotpFactor) -> str | None:
        """What the app has; None without the pepper that sealed it: then no code is right."""
        plain = self._peppers.unseal_at_rest(factor.sealed, _place(factor.user_id))
        return None if plain is None else plain.decode("ascii")

    def new_codes(self, user_id: str) -> tuple[tuple[str, ...], list[DigestedSecret]]:
        """Recovery codes for a user, and what is kept of them: of 120 random bits each, they need no slow hash.

        See: OWASP ASVS 6.5.2
        """
        made = (b32encode(self._entropy(_CODE_BYTES)).decode("ascii").lower() for _ in range(RECOVERY_CODES))
        codes = tuple("-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP)) for code in made)
        return codes, [
            DigestedSecret(self._peppers.digest(_code_bytes(user_id, _plain(code))), self._peppers.newest_id)
            for code in codes
        ]


_NOT_BEGUN: Final = "There is no authenticator app to confirm. Set one up, and confirm it within 15 minutes."


def _plain(code: str) -> str:
    """A code without the spaces and dashes that make it readable; what is too long to be one is cut."""
    return "".join(code[:_CODE_MAX].split()).replace("-", "")


def _code_bytes(user_id: str, plain: str) -> bytes:
    """What is digested of a recovery code: bound to its user, and to what it is."""
    return f"recovery_code {user_id} {plain.upper().translate(_LOOK_ALIKE)}".encode("utf-8", "replace")


def _place(user_id: str) -> str:
    return f"totp_factors.sealed {user_id}"
