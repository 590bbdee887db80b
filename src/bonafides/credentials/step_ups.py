"""Step-up: somebody who is logged in proves anew who they are, before they do what is sensitive.

See: RFC 9470, OWASP ASVS 7.5.3
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

from bonafides.audit import Recorder
from bonafides.authority import Authority
from bonafides.credentials.ceremonies import Json
from bonafides.credentials.factors import SecondFactors
from bonafides.credentials.guesses import Admitted, Guesses, GuessStore, Visitor
from bonafides.credentials.jwt_sessions import (
    CODE_METHOD,
    PASSWORD_METHOD,
    JwtSessions,
    SignedToken,
    folded,
)
from bonafides.credentials.passkey_logins import PASSKEY_METHOD
from bonafides.credentials.passkeys import Passkeys
from bonafides.credentials.passwords import Passwords
from bonafides.errors import InvalidRequest
from bonafides.model import Account, Clock, Elevation, Proof, to_datetime
from bonafides.store import CredentialStore


class StepUpStore(GuessStore, CredentialStore, Protocol):
    """What step-ups ask of the store."""


class StepUps:
    """Lets people prove anew who they are, in the session that they have.

    Args:
        store: Where accounts and sessions are.
        recorder: Makes audit events.
        clock: When it is.
        sessions: Sign the next token.
        passwords: Check what is proven.
        second_factors: Judge what is proven.
        guesses: Admit it.
        passkeys: Judge what those sign.
    """

    def __init__(
        self,
        store: StepUpStore,
        recorder: Recorder,
        clock: Clock,
        sessions: JwtSessions,
        passwords: Passwords,
        second_factors: SecondFactors,
        guesses: Guesses,
        passkeys: Passkeys,
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._clock = clock
        self._sessions = sessions
        self._passwords = passwords
        self._second_factors = second_factors
        self._guesses = guesses
        self._passkeys = passkeys

    async def options(self, authority: Authority) -> dict[str, Any]:
        """What the caller's browser has to be asked for a proof by passkey: `PublicKeyCredentialRequestOptionsJSON`.

        Raises:
            Conflict: They have no passkey that serves, or the server has no name.
        """
        session_id = await self._sessions.own_session(authority)
        return await self._passkeys.options_of(_stepping_up(session_id), authority.user_id or "")

    async def prove(
        self,
        authority: Authority,
        visitor: Visitor,
        *,
        password: str | None,
        code: str | None,
        passkey: Json | None = None,
    ) -> SignedToken | None:
        """The token that takes the place of the caller's, for who has proven that it is still them; None for a wrong proof.

        Whoever has a second factor proves that one: a password alone would let whoever knows it take the
        factor away.

        Args:
            authority: The caller's.
            visitor: Where the call comes from.
            password: Theirs.
            code: Of their authenticator app, or a recovery code.
            passkey: `AuthenticationResponseJSON` to `options`.

        Raises:
            InvalidRequest: The credential is not of a login, or what is needed is missing.
            TooManyRequests: There were too many wrong ones.

        See: OWASP ASVS 7.2.4, 7.5.1
        """
        session_id = await self._sessions.own_session(authority)
        token_id = authority.actor.credential_id
        account = await self._store.find_account_of(authority.user_id or "", authority.tenant_id)
        if session_id is None or token_id is None or account is None:
            message = "This credential was not made by a login, so there is nobody to ask."
            raise InvalidRequest(message, field="Authorization")
        _require_enough(account, password=password, code=code, passkey=passkey)
        counts: tuple[str, ...] = ()
        proof: Proof | None = None
        if passkey is not None:
            judged = await self._passkeys.judge(
                passkey,
                _stepping_up(session_id),
                visitor,
                user_id=account.user.id,
                request_id=authority.actor.request_id,
            )
            if judged is None:
                return None
            proof = judged[1]
        elif code is not None:
            admitted = await self._guesses.admit_code(account.user.id, visitor)
            proof = await self._second_factors.judge(account.user.id, code)
            if proof is None:
                return None
            counts += admitted.counts
        if password is not None:
            admitted_password = await self._admitted(account, visitor)
            if account.password_hash is None or not await self._passwords.check(
                password, account.password_hash
            ):
                return None
            counts += admitted_password.counts
        now_us = self._clock.micros()
        live = await self._store.find_session(session_id, authority.tenant_id, to_datetime(now_us))
        if live is None:
            return None
        proven = {PASSKEY_METHOD if passkey is not None else CODE_METHOD} if proof is not None else set()
        proven |= {PASSWORD_METHOD} if password is not None else set()
        session = replace(
            live.session,
            authenticated_at=to_datetime(now_us),
            methods=live.session.methods | proven,
        )
        signed = await self._sessions.signed(session, account.user, now_us)
        elevation = Elevation(
            session=session,
            token=signed.credential,
            token_secret=signed.secret,
            replaced=token_id,
            password_hash=account.password_hash if password is not None else None,
            proof=proof,
            guessed=counts,
        )
        event = self._recorder.event(
            "session.stepped_up",
            authority.actor,
            session.tenant_id,
            session.id,
            {"methods": sorted(proven), **({} if proof is None else {"factor": str(proof.kind)})},
        )
        return signed if await self._store.elevate(elevation, event) else None

    async def _admitted(self, account: Account, visitor: Visitor) -> Admitted:
        return await self._guesses.admit(folded(account.user.email or ""), account.user.id, visitor)


def _stepping_up(session_id: str | None) -> str:
    return f"step-up {session_id}"


def _require_enough(
    account: Account, *, password: str | None, code: str | None, passkey: Json | None
) -> None:
    if code is not None and passkey is not None:
        message = "passkey: or code, not both."
        raise InvalidRequest(message, field="passkey")
    if account.factors and code is None and passkey is None:
        message = "code: is required, because you have a second factor: a code of it, a recovery code, or a passkey."
        raise InvalidRequest(message, field="code")
    if not account.factors and password is None:
        message = "password: is required."
        raise InvalidRequest(message, field="password")
    if not account.factors and (code is not None or passkey is not None):
        message = "code: you have no second factor. Send your password alone."
        raise InvalidRequest(message, field="code")
