"""Passkeys: registered by who has logged in, judged, and taken away.

What an authenticator is to sign is not kept until it has: the server knows its own challenges again, each serves
for one ceremony of one person, and is spent with what it opens.

See: Web Authentication Level 3, docs/decisions/0019-passkeys.md
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from typing_extensions import override

from bonafides import intake
from bonafides.audit import Recorder
from bonafides.authority import Authority
from bonafides.credentials import ceremonies
from bonafides.credentials.ceremonies import Json, RelyingParty
from bonafides.credentials.factors import SecondFactors
from bonafides.credentials.guesses import Visitor
from bonafides.errors import Conflict, InvalidRequest, NotFound
from bonafides.letters import Letters
from bonafides.model import (
    EVERYWHERE,
    Account,
    Actor,
    Clock,
    Entropy,
    FactorKind,
    Proof,
    to_datetime,
)
from bonafides.passkey import Challenge, Passkey, PasskeyUse
from bonafides.secret import DIGEST_BYTES, Peppers, new_id
from bonafides.store import AccountStore, FactorStore, PasskeyStore

NAME_MAX: Final = 100
NAME: Final = "Passkey"
MOST: Final = 20
CHALLENGE_SECONDS: Final = 600
"""How long somebody may take to find their key, from the moment at which a page was shown."""


class KeptStore(AccountStore, FactorStore, PasskeyStore, Protocol):
    """What this room asks of the store."""


@dataclass(frozen=True, slots=True, repr=False)
class NewPasskey:
    """A passkey that is in use.

    Args:
        passkey: It.
        recovery_codes: Told this once, where it is its user's first factor.
        ended_sessions: How many ended with it.
    """

    passkey: Passkey
    recovery_codes: tuple[str, ...]
    ended_sessions: int

    @override
    def __repr__(self) -> str:
        return f"NewPasskey({self.passkey.id!r})"


class Passkeys:
    """Registers passkeys, judges what they sign, and takes them away.

    Args:
        store: Where they are kept.
        recorder: Makes audit events.
        peppers: Know challenges again.
        clock: When things happen.
        entropy: For challenges and ids.
        letters: Tell people of changes.
        factors: What else people prove.
        base_url: Of the server, whose name passkeys are bound to.
    """

    def __init__(
        self,
        store: KeptStore,
        recorder: Recorder,
        peppers: Peppers,
        clock: Clock,
        entropy: Entropy,
        letters: Letters,
        factors: SecondFactors,
        base_url: str,
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._peppers = peppers
        self._clock = clock
        self._entropy = entropy
        self._letters = letters
        self._factors = factors
        self._party = ceremonies.relying_party(base_url)

    @property
    def origin(self) -> str | None:
        """Where browsers make passkeys for this server; None where they make none, for it has no name."""
        return None if self._party is None else self._party.origin

    async def begin(self, authority: Authority, *, own_session: str | None) -> dict[str, Any]:
        """What the caller's browser has to be asked for a new passkey: `PublicKeyCredentialCreationOptionsJSON`.

        Args:
            authority: The caller's.
            own_session: The session that the call belongs to, which alone may finish.

        Raises:
            Forbidden: The caller has not logged in, or not lately.
            Conflict: They have as many as one may have, or the server has no name.
        """
        user = await self._factors.require_person(authority)
        known = (await self._store.find_factors(user.id)).passkeys
        if len(known) >= MOST:
            message = f"You have {MOST} passkeys already. Remove one first."
            raise Conflict(message)
        challenge = self._challenge(_registering(user.id, own_session))
        names = (user.id, user.email or user.name, user.name)
        return ceremonies.creation_options(self._named(), names, challenge, known)

    async def add(
        self,
        authority: Authority,
        answer: Json,
        name: str | None,
        *,
        own_session: str | None,
        end_others: bool,
    ) -> NewPasskey:
        """Take the passkey into use that the caller's browser has made; with recovery codes, where it is their first factor.

        Args:
            authority: The caller's.
            answer: `RegistrationResponseJSON`.
            name: By which its user tells it from others.
            own_session: The session that the call belongs to, which goes on.
            end_others: Whether the caller's other sessions end.

        Raises:
            Forbidden: The caller has not logged in, or not lately.
            InvalidRequest: It is no answer to what this session was asked.
            Conflict: Somebody has the passkey already, or the answer was sent before.

        See: OWASP ASVS 6.7.2, 7.4.3
        """
        user = await self._factors.require_person(authority)
        label = intake.text(name or NAME, "name", longest=NAME_MAX)
        challenge = ceremonies.challenge_in(answer) or b""
        kept = self._kept(challenge, _registering(user.id, own_session))
        made = (
            await asyncio.to_thread(ceremonies.made, self._named(), answer, challenge)
            if kept is not None
            else None
        )
        if kept is None or made is None:
            message = (
                "credential: is not what your browser was asked for, or it took too long. Begin again, on a page of this server, "
                "with a key that asks for a PIN, a fingerprint or a face."
            )
            raise InvalidRequest(message, field="credential")
        now_us = self._clock.micros()
        passkey = Passkey(
            id=new_id("psk", now_us, self._entropy),
            user_id=user.id,
            credential_id=made.credential_id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            transports=made.transports,
            aaguid=made.aaguid,
            name=label,
            backup_eligible=made.backup_eligible,
            backed_up=made.backed_up,
            created_at=to_datetime(now_us),
        )
        codes, digested = self._factors.new_codes(user.id)
        event = self._recorder.event(
            "user.factor_added",
            authority.actor,
            user.tenant_id,
            user.id,
            {"kind": str(FactorKind.PASSKEY), "factor_id": passkey.id, "aaguid": passkey.aaguid},
            self._letters.changed(user, "A passkey was added to your account."),
        )
        added = await self._store.add_passkey(
            passkey, kept, digested, event, kept_session=own_session, end_others=end_others
        )
        if added is None:
            message = "This passkey is registered already."
            raise Conflict(message)
        return NewPasskey(passkey, codes if added.codes_given else (), added.ended_sessions)

    async def rename(self, authority: Authority, passkey_id: str, name: str) -> Passkey:
        """Give one of the caller's own passkeys another name.

        Raises:
            Forbidden: The caller has not logged in, or not lately.
            NotFound: They have none of that id.
        """
        user = await self._factors.require_person(authority)
        label = intake.text(name, "name", longest=NAME_MAX)
        event = self._recorder.event(
            "user.passkey_renamed", authority.actor, user.tenant_id, user.id, {"factor_id": passkey_id[:64]}
        )
        renamed = await self._store.rename_passkey(user.id, passkey_id, label, event)
        if renamed is None:
            raise _nobodys(passkey_id)
        return renamed

    async def remove(
        self, authority: Authority, passkey_id: str, *, own_session: str | None, end_others: bool
    ) -> int:
        """Take one of the caller's own passkeys away, and with their last factor its codes; how many sessions that ended.

        Raises:
            Forbidden: The caller has not logged in, or not lately.
            NotFound: They have none of that id.
        """
        user = await self._factors.require_person(authority)
        event = self._recorder.event(
            "user.factor_removed",
            authority.actor,
            user.tenant_id,
            user.id,
            {"kind": str(FactorKind.PASSKEY), "factor_id": passkey_id[:64]},
            self._letters.changed(user, "A passkey of your account was removed."),
        )
        ended = await self._store.remove_passkey(
            user.id, passkey_id, event, kept_session=own_session, end_others=end_others
        )
        if ended is None:
            raise _nobodys(passkey_id)
        return ended

    def options(self, purpose: str, allowed: Sequence[Passkey] = ()) -> dict[str, Any]:
        """What a browser has to be asked for a proof: `PublicKeyCredentialRequestOptionsJSON`.

        Args:
            purpose: What the proof is good for, and for whom.
            allowed: Passkeys of somebody who is known already; none: whichever the person at the browser chooses.

        Raises:
            Conflict: The server has no name.
        """
        return ceremonies.request_options(self._named(), self._challenge(purpose), allowed)

    async def options_of(self, purpose: str, user_id: str) -> dict[str, Any]:
        """The same for a user who is known already.

        Raises:
            Conflict: The server has no name, or they have no passkey that serves.
        """
        known = (await self._store.find_factors(user_id)).passkeys
        allowed = [each for each in known if each.suspected_at is None]
        if not allowed:
            message = "There is no passkey to ask for. Prove another factor."
            raise Conflict(message)
        return self.options(purpose, allowed)

    async def judge(
        self,
        answer: Json,
        purpose: str,
        visitor: Visitor,
        *,
        user_id: str | None = None,
        request_id: str | None = None,
    ) -> tuple[Account, Proof] | None:
        """Whose passkey has signed a challenge of that purpose, and what that proves; None for anything else.

        It is spent with what the proof opens, not here. A passkey that counts backwards proves nothing, now or later:
        somebody may have a copy of it.

        Args:
            answer: `AuthenticationResponseJSON`.
            purpose: As the options were asked for.
            visitor: Where it comes from.
            user_id: Whose it has to be; None for whoever its authenticator says.
            request_id: For the audit trail.

        See: Web Authentication Level 3 §7.2
        """
        credential_id = ceremonies.name_in(answer)
        passkey = await self._store.find_passkey(credential_id) if credential_id else None
        if passkey is None or passkey.user_id != (user_id or passkey.user_id):
            return None
        handle = ceremonies.user_in(answer)
        challenge = ceremonies.challenge_in(answer) or b""
        kept = self._kept(challenge, purpose)
        if kept is None or (user_id if handle is None else handle) != passkey.user_id:
            return None
        signed = await asyncio.to_thread(ceremonies.signed, self._named(), answer, challenge, passkey)
        account = await self._store.find_account_of(passkey.user_id, EVERYWHERE)
        if signed is None or account is None or passkey.suspected_at is not None:
            return None
        counts = signed.sign_count or passkey.sign_count
        if counts and signed.sign_count <= passkey.sign_count:
            actor = Actor(None, None, "login", request_id, visitor.address)
            await self._suspect(account, passkey, kept, signed.sign_count, actor)
            return None
        used = PasskeyUse(passkey.id, signed.sign_count, signed.backed_up, kept)
        return account, Proof(FactorKind.PASSKEY, passkey=used)

    async def _suspect(
        self, account: Account, passkey: Passkey, challenge: Challenge, presented: int, actor: Actor
    ) -> None:
        user = account.user
        details = {"factor_id": passkey.id, "sign_count": passkey.sign_count, "presented": presented}
        text = "A passkey of your account counts backwards, so somebody may have a copy of it. It opens nothing any more: remove it."
        letters = self._letters.changed(user, text)
        event = self._recorder.event(
            "user.passkey_suspected", actor, user.tenant_id, user.id, details, letters
        )
        await self._store.suspect_passkey(passkey.id, challenge, event)

    def _challenge(self, purpose: str) -> bytes:
        ends_us = self._clock.micros() + CHALLENGE_SECONDS * 1_000_000
        return self._peppers.sign_challenge(purpose, ends_us, self._entropy)

    def _kept(self, challenge: bytes, purpose: str) -> Challenge | None:
        """What is remembered of a challenge of ours; None for one that has ended, or is for something else."""
        ends_us = self._peppers.challenge_end(challenge, purpose)
        if ends_us is None or ends_us <= self._clock.micros():
            return None
        return Challenge(challenge[-DIGEST_BYTES:], to_datetime(ends_us))

    def _named(self) -> RelyingParty:
        if self._party is None:
            message = "Passkeys are bound to a server's name, and this one is known by a number alone. Its operator sets public_url."
            raise Conflict(message)
        return self._party


def _registering(user_id: str, own_session: str | None) -> str:
    return f"register {user_id} {own_session}"


def _nobodys(passkey_id: str) -> NotFound:
    message = f"You have no passkey {passkey_id[:64]!a}."
    return NotFound(message)
