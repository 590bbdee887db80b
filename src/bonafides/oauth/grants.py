"""What people let clients do: begun, renewed by refresh tokens, ended as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import msgspec

from bonafides.audit import Recorder
from bonafides.credentials.holdings import blank_credential
from bonafides.delegation import Client, Grant, GrantRenewal, GrantType, NewGrant, RefreshableGrant
from bonafides.errors import InvalidGrant, InvalidScope, InvalidTarget
from bonafides.model import (
    OFFLINE_ACCESS,
    OPENID,
    Actor,
    Clock,
    Credential,
    CredentialKind,
    CredentialStatus,
    Entropy,
    User,
    to_datetime,
)
from bonafides.oauth.claims import claims_in_id_token, claims_of
from bonafides.oauth.tokens import GRANT_PREFIX, MintedToken, Subject, Tokens, answer_of, login_claims
from bonafides.secret import Peppers, SecretKind, new_id, whole
from bonafides.store import CredentialStore, GrantStore

REUSED: Final = "used twice"

_SEALED_FOR: Final = b"grant_refresh_tokens.sealed_answer"
_ROUNDS_MAX: Final = 3

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode

Answer = Mapping[str, Any]
"""What the token endpoint answers."""


class GrantsStore(GrantStore, CredentialStore, Protocol):
    """What grants ask of the store."""


@dataclass(frozen=True, slots=True)
class GrantRules:
    """How long things last, in seconds.

    Args:
        idle_seconds: A refresh token that is not used.
        longest_seconds: A grant, however it is used.
        grace_seconds: In which a spent refresh token gets the same answer again.
        audience: Whom tokens are for that are for no other resource.
    """

    idle_seconds: int
    longest_seconds: int
    grace_seconds: int
    audience: str


@dataclass(frozen=True, slots=True)
class GrantWish:
    """What a person has let a client do."""

    user: User
    scopes: frozenset[str]
    resources: tuple[str, ...] = ()
    session_id: str | None = None
    authenticated_at: datetime | None = None
    methods: frozenset[str] = frozenset()
    acr: str | None = None
    nonce: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)
    jkt: str | None = None


class Grants:
    """Begins and renews grants.

    Args:
        store: Where they are.
        tokens: Makes what they give.
        recorder: Makes audit events.
        peppers: Digest and seal.
        clock: When things happen.
        entropy: For ids and nonces.
        rules: How long things last.
    """

    def __init__(
        self,
        store: GrantsStore,
        tokens: Tokens,
        recorder: Recorder,
        peppers: Peppers,
        clock: Clock,
        entropy: Entropy,
        rules: GrantRules,
    ) -> None:
        self._store = store
        self._tokens = tokens
        self._recorder = recorder
        self._peppers = peppers
        self._clock = clock
        self._entropy = entropy
        self._rules = rules

    async def begin(
        self, client: Client, wish: GrantWish, resources: Sequence[str] | None = None
    ) -> tuple[NewGrant, Answer]:
        """A grant with its first tokens, to be written down by whoever proves that it may begin; and the answer.

        Args:
            client: Who gets it.
            wish: What it may do.
            resources: Which of its resources the first access token is for; None for all.

        Raises:
            InvalidTarget: It was not granted for one of these.
        """
        self._require_granted(resources, wish.resources)
        now_us = self._clock.micros()
        grant = self._begun(client, wish, now_us, self._rules.longest_seconds)
        minted = await self._access_token(client, grant, grant.scopes, resources, wish.jkt)
        secret, refresh_token = None, None
        if GrantType.REFRESH_TOKEN in client.grant_types and _goes_on(grant):
            secret, refresh_token = self._tokens.refresh_token(
                grant.id, grant.ends_at, self._rules.idle_seconds
            )
        id_token = None
        if OPENID in grant.scopes:
            told = claims_in_id_token(wish.user, grant.scopes, grant.claims)
            id_token = await self._tokens.id_token(client, grant, minted.secret, nonce=grant.nonce, told=told)
        new = NewGrant(
            grant,
            _credential(client, grant),
            self._tokens.nobodys(),
            minted.credential,
            minted.digested,
            refresh_token,
        )
        return new, answer_of(minted, grant.scopes, now_us, refresh_token=secret, id_token=id_token)

    async def begin_in_browser(
        self, client: Client, wish: GrantWish, seconds: int, *, with_token: bool
    ) -> tuple[NewGrant, Answer]:
        """A grant whose tokens a browser carries: it ends with its access token, and nothing renews it.

        Args:
            client: Who gets it.
            wish: What it may do.
            seconds: How long it lasts.
            with_token: Whether the access token is told; else nobody ever has it, and the ID token tells all.

        See: OpenID Connect Core §3.2.2.5, §3.2.2.10 and §5.4
        """
        now_us = self._clock.micros()
        grant = self._begun(client, wish, now_us, seconds)
        minted = await self._access_token(client, grant, grant.scopes, None, None)
        told = claims_in_id_token(wish.user, grant.scopes, grant.claims)
        if not with_token:
            told = claims_of(wish.user, grant.scopes)
        id_token = await self._tokens.id_token(
            client, grant, minted.secret if with_token else None, nonce=grant.nonce, told=told
        )
        new = NewGrant(
            grant,
            _credential(client, grant),
            self._tokens.nobodys(),
            minted.credential,
            minted.digested if with_token else self._tokens.nobodys(),
            None,
        )
        answer = answer_of(minted, grant.scopes, now_us, id_token=id_token)
        return new, answer if with_token else {"id_token": id_token}

    def _begun(self, client: Client, wish: GrantWish, now_us: int, seconds: int) -> Grant:
        now = to_datetime(now_us)
        return Grant(
            id=new_id(GRANT_PREFIX, now_us, self._entropy),
            tenant_id=wish.user.tenant_id,
            user_id=wish.user.id,
            client_id=client.id,
            session_id=wish.session_id,
            scopes=wish.scopes,
            resources=wish.resources,
            authenticated_at=wish.authenticated_at,
            methods=wish.methods,
            acr=wish.acr,
            nonce=wish.nonce,
            claims=wish.claims,
            jkt=wish.jkt,
            created_at=now,
            ends_at=now + timedelta(seconds=seconds),
        )

    async def renew(
        self,
        client: Client,
        refresh_token: str,
        scopes: frozenset[str] | None,
        resources: Sequence[str] | None,
        jkt: str | None,
        actor: Actor,
    ) -> Answer:
        """New tokens for a refresh token, which is spent with it, or goes on where its client keeps FAPI 2.0.

        Of any number of calls with one token all get the same answer within the grace. After it, or once what
        followed was used, a second use means that two hold the token, and ends the grant.

        Args:
            client: Who presents it.
            refresh_token: As presented.
            scopes: Fewer than the grant has, for the access token alone; None for all.
            resources: Fewer than the grant has; None for all.
            jkt: Thumbprint of the key that it has proven to hold.
            actor: Who presents it.

        Raises:
            InvalidGrant: It is not good, or not this client's, or bound to another key.
            InvalidScope: More is asked for than was granted.
            InvalidTarget: Another resource is asked for than was granted.

        See: RFC 6749 §6, RFC 9700 §4.14.2, FAPI 2.0 Security Profile §5.3.2.1
        """
        presented = whole(refresh_token, SecretKind.ORT)
        if presented is None:
            raise _bad_refresh_token()
        digests = self._peppers.candidates(presented)
        for _ in range(_ROUNDS_MAX):
            found = await self._store.find_refreshable_grant(digests)
            if found is None or found.grant.client_id != client.id or not found.live:
                raise _bad_refresh_token()
            _require_key(client, found.grant, jkt)
            now_us = self._clock.micros()
            if found.spent_at is not None:
                return await self._again(found, refresh_token, actor, to_datetime(now_us))
            if found.expires_at <= to_datetime(now_us):
                raise _bad_refresh_token()
            renewal, answer = await self._renewal(client, found, refresh_token, scopes, resources, jkt)
            event = self._recorder.event(
                "grant.refreshed", actor, found.grant.tenant_id, found.grant.id, {"client_id": client.id}
            )
            if await self._store.renew_grant(renewal, event):
                return answer
        raise _bad_refresh_token()

    async def end(self, grant_id: str, tenant_id: str, action: str, actor: Actor, reason: str) -> None:
        """Revoke a grant, and with it every token that it gave."""
        event = self._recorder.event(action, actor, tenant_id, grant_id)
        await self._store.set_credential_status(
            grant_id, tenant_id, CredentialStatus.REVOKED, event, reason=reason
        )

    def _require_granted(self, resources: Sequence[str] | None, granted: Sequence[str]) -> None:
        """Refuse resources that nobody was asked about.

        See: RFC 8707 §2.2
        """
        if resources is not None and not set(resources) <= {
            *granted,
            *(() if granted else (self._rules.audience,)),
        }:
            message = "resource: asks for more than was granted."
            raise InvalidTarget(message, field="resource")

    async def _renewal(
        self,
        client: Client,
        found: RefreshableGrant,
        refresh_token: str,
        scopes: frozenset[str] | None,
        resources: Sequence[str] | None,
        jkt: str | None,
    ) -> tuple[GrantRenewal, Answer]:
        grant = found.grant
        granted = grant.scopes & client.scopes
        wanted = granted if scopes is None else scopes
        if not wanted <= granted:
            message = "scope: asks for more than was granted."
            raise InvalidScope(message, field="scope")
        self._require_granted(resources, grant.resources)
        minted = await self._access_token(client, grant, wanted, resources, jkt)
        secret, successor = self._tokens.refresh_token(grant.id, grant.ends_at, self._rules.idle_seconds)
        id_token = None
        if OPENID in wanted:
            told = claims_in_id_token(found.user, wanted, grant.claims)
            id_token = await self._tokens.id_token(client, grant, minted.secret, nonce=None, told=told)
        told_secret = None if client.keeps_fapi else secret
        answer = answer_of(minted, wanted, self._clock.micros(), refresh_token=told_secret, id_token=id_token)
        if client.keeps_fapi:
            return GrantRenewal(found.digest, successor, None, minted.credential, minted.digested), answer
        sealed = self._peppers.seal(_encode(answer), refresh_token, _SEALED_FOR, self._entropy)
        return GrantRenewal(found.digest, successor, sealed, minted.credential, minted.digested), answer

    async def _again(
        self, found: RefreshableGrant, refresh_token: str, actor: Actor, now: datetime
    ) -> Answer:
        """What a spent refresh token gets: its answer again, or the end of its grant."""
        spent_at = found.spent_at or now
        if not found.successor_spent and now - spent_at <= timedelta(seconds=self._rules.grace_seconds):
            answer = (
                self._peppers.unseal(found.sealed_answer, refresh_token, _SEALED_FOR)
                if found.sealed_answer is not None
                else None
            )
            if answer is None:
                raise _bad_refresh_token()
            return _decode(answer)
        await self.end(
            found.grant.id,
            found.grant.tenant_id,
            "grant.refresh_token_reused",
            actor,
            f"refresh token {REUSED}",
        )
        raise _bad_refresh_token()

    async def _access_token(
        self,
        client: Client,
        grant: Grant,
        scopes: frozenset[str],
        resources: Sequence[str] | None,
        jkt: str | None,
    ) -> MintedToken:
        subject = Subject(
            grant.tenant_id, grant.user_id, grant.id, grant.id, login_claims(grant), grant.ends_at
        )
        wanted = grant.resources if resources is None else resources
        return await self._tokens.access_token(client, subject, scopes, wanted, jkt)


def _credential(client: Client, grant: Grant) -> Credential:
    made = blank_credential(
        CredentialKind.OAUTH_ACCESS_TOKEN,
        grant.id,
        grant.tenant_id,
        grant.user_id,
        client.name,
        grant.scopes,
        grant.created_at,
    )
    return replace(
        made, expires_at=grant.ends_at, client_id=client.id, audiences=grant.resources, jkt=grant.jkt
    )


def _goes_on(grant: Grant) -> bool:
    """Whether the client may go on when its user has left: those of OpenID Connect say so, and are asked about it.

    See: OpenID Connect Core §11
    """
    return OPENID not in grant.scopes or OFFLINE_ACCESS in grant.scopes


def _require_key(client: Client, grant: Grant, jkt: str | None) -> None:
    """Refuse who does not hold the key of a grant that has one.

    A client that proves who it is may take another key with it; one that does not, proves by its key who it is.

    See: RFC 9449 §5
    """
    if grant.jkt is None:
        return
    if jkt is None or (client.is_public and jkt != grant.jkt):
        message = "DPoP: the refresh token is bound to another key, or to one that was not proven."
        raise InvalidGrant(message, field="DPoP")


def _bad_refresh_token() -> InvalidGrant:
    return InvalidGrant("The refresh token is not good: unknown, used before, ended, or another client's.")
