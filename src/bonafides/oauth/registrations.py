"""Clients that register themselves: by a token that somebody gave them, or, where it is switched on, by themselves.

Whoever registers gets a token for their client alone, by which they see, change and delete what they registered.

See: RFC 7591, RFC 7592
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Protocol

from typing_extensions import override

from bonafides import intake
from bonafides.audit import Recorder
from bonafides.authority import Authority
from bonafides.credentials.guesses import Guesses, Visitor
from bonafides.delegation import Client, GrantType, InitialAccessToken
from bonafides.errors import InvalidRequest, InvalidScope, NotFound
from bonafides.idempotency import ClaimFor, reused
from bonafides.model import (
    ADMIN,
    CREDENTIALS_VERIFY,
    OPENID,
    STANDARD_SCOPES,
    Actor,
    AuditEvent,
    Clock,
    DigestedSecret,
    Entropy,
    Page,
    Replayed,
    SigningAlgorithm,
    to_datetime,
)
from bonafides.oauth.client_metadata import ID_TOKEN_ALGORITHM
from bonafides.oauth.clients import Clients, ClientWish, MadeClient
from bonafides.secret import Peppers, SecretKind, display, mint, new_id, whole
from bonafides.store import RegistrationStore, Reused, SigningKeyStore

VIA: Final = "registration"
TOKEN_PREFIX: Final = "iat"
LIFETIME_SECONDS: Final = 7 * 86_400
LIFETIME_SECONDS_MAX: Final = 366 * 86_400
USES_MAX: Final = 1_000_000
OPEN_GRANTS: Final = frozenset(
    {GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN, GrantType.DEVICE_CODE, GrantType.IMPLICIT}
)
"""What a client that nobody vouches for may use: a person decides each time."""


class RegistrationsStore(RegistrationStore, SigningKeyStore, Protocol):
    """What registration asks of the store."""


@dataclass(frozen=True, slots=True)
class RegistrationRules:
    """Who may register, and what they get.

    Args:
        open: Whether anybody may.
        open_free: How many clients one address may register then before it has to wait.
        use_pkce: Whether all of them have to prove that a code is for them.
    """

    open: bool
    open_free: int
    use_pkce: bool


@dataclass(frozen=True, slots=True, repr=False)
class MadeToken:
    """A new initial access token, which exists nowhere else."""

    record: InitialAccessToken
    secret: str
    digested: DigestedSecret

    @override
    def __repr__(self) -> str:
        return f"MadeToken({self.record.id!r})"


@dataclass(frozen=True, slots=True, repr=False)
class Registered:
    """A client that has registered itself.

    Args:
        made: With its secret, if it proves who it is by one.
        token: By which it is seen and changed from now on.
    """

    made: MadeClient
    token: str

    @override
    def __repr__(self) -> str:
        return f"Registered({self.made.client.id!r})"


class Registrations:
    """Registers clients.

    Args:
        store: Where they are, and the tokens that let them in.
        clients: Makes and changes them, as all are made and changed.
        guesses: Counts those that nobody vouches for.
        recorder: Makes audit events.
        peppers: Digest tokens.
        clock: When things happen.
        entropy: For ids and secrets.
        defined_scopes: Every scope that this installation knows.
        rules: Who may register.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - a registration goes through all of these
        self,
        store: RegistrationsStore,
        clients: Clients,
        guesses: Guesses,
        recorder: Recorder,
        peppers: Peppers,
        clock: Clock,
        entropy: Entropy,
        defined_scopes: frozenset[str],
        rules: RegistrationRules,
    ) -> None:
        self._store = store
        self._clients = clients
        self._guesses = guesses
        self._recorder = recorder
        self._peppers = peppers
        self._clock = clock
        self._entropy = entropy
        self._open_scopes = (defined_scopes - {ADMIN, CREDENTIALS_VERIFY}) | STANDARD_SCOPES
        self._rules = rules

    @property
    def is_open(self) -> bool:
        """Whether anybody may register a client."""
        return self._rules.open

    async def make_token(
        self,
        authority: Authority,
        name: str,
        scopes: Sequence[str],
        *,
        uses: int | None = 1,
        expires_in: int | None = None,
        tenant_id: str | None = None,
        claim_for: ClaimFor[MadeToken] | None = None,
    ) -> MadeToken | Replayed:
        """A token by which clients of the caller's tenant are registered, with no more than the caller may give.

        Args:
            authority: The caller's.
            name: To tell it from others.
            scopes: What such a client may have at most.
            uses: How many clients; None: any number.
            expires_in: Seconds from now; None: a week.
            tenant_id: Whose; the caller's own unless the operator names another.
            claim_for: Makes the claim of a call that may be sent twice.

        Raises:
            Forbidden: The caller does not administer the tenant, or would give more than it has.
            NotFound: The tenant is not the caller's.
            Conflict: The caller's `Idempotency-Key` was used for another call.
            InvalidRequest: A field is malformed.
        """
        wish = ClientWish(name, scopes, tenant_id=tenant_id)
        tenant = await self._clients.require_makeable(authority, wish)
        now_us = self._clock.micros()
        now = to_datetime(now_us)
        identifier = new_id(TOKEN_PREFIX, now_us, self._entropy)
        secret = mint(SecretKind.IAT, identifier, self._entropy)
        record = InitialAccessToken(
            id=identifier,
            tenant_id=tenant,
            name=intake.text(name, "name"),
            display=display(secret),
            scopes=frozenset(scopes),
            uses_left=uses,
            created_by=authority.user_id,
            created_at=now,
            expires_at=now + timedelta(seconds=expires_in or LIFETIME_SECONDS),
        )
        made = MadeToken(record, secret, self._peppers.digested(secret))
        event = self._recorder.event(
            "initial_access_token.created",
            authority.actor,
            tenant,
            identifier,
            {"name": record.name, "scopes": sorted(record.scopes), "uses": uses},
        )
        claim = claim_for(made) if claim_for else None
        outcome = await self._store.add_initial_token(record, made.digested, event, claim=claim)
        if isinstance(outcome, Reused):
            raise reused()
        return outcome if isinstance(outcome, Replayed) else made

    async def tokens(
        self, authority: Authority, page: Page, *, tenant_id: str | None = None
    ) -> Sequence[InitialAccessToken]:
        """The tenant's tokens that let somebody register, newest first.

        Raises:
            Forbidden: The caller does not administer the tenant.
            NotFound: The tenant is not the caller's.
        """
        authority.require_administration("list initial access tokens")
        now = to_datetime(self._clock.micros())
        return await self._store.list_initial_tokens(authority.tenant(tenant_id), page, now)

    async def remove_token(self, authority: Authority, token_id: str) -> None:
        """End a token; the clients that were registered by it stay.

        Raises:
            Forbidden: The caller does not administer the tenant.
            NotFound: There is none, or it is somebody else's.
        """
        authority.require_administration("end initial access tokens")
        found = await self._store.find_initial_token(token_id, authority.reach)
        if found is not None:
            event = self._recorder.event(
                "initial_access_token.deleted", authority.actor, found.tenant_id, found.id
            )
            if await self._store.remove_initial_token(found.id, event):
                return
        message = f"There is no initial access token {token_id[:64]!a}."
        raise NotFound(message)

    async def admitted(self, presented: str) -> InitialAccessToken | None:
        """The initial access token that somebody presents; None if it lets nobody register."""
        raw = whole(presented, SecretKind.IAT)
        if raw is None:
            return None
        now = to_datetime(self._clock.micros())
        return await self._store.present_initial_token(self._peppers.candidates(raw), now)

    async def register(
        self,
        token: InitialAccessToken | None,
        wish: ClientWish,
        visitor: Visitor,
        *,
        request_id: str | None = None,
    ) -> Registered | None:
        """A client as it describes itself, with no more than it may have; None if the token has no use left.

        One that nobody vouches for is the operator's, and can do nothing that no person has let it do.

        Args:
            token: By which; None where anybody may.
            wish: What it says of itself; of its scopes, those count that it may have, and none at all means all of these.
            visitor: Where it comes from.
            request_id: For the audit trail.

        Raises:
            InvalidRequest: A field is malformed, or does not go with another.
            InvalidScope: It may have none of the scopes that it names.
            TooManyRequests: There were too many from there.
        """
        if token is None:
            await self.admit(visitor)
        tenant_id = await self._store.operator_tenant_id() if token is None else token.tenant_id
        created_by = None if token is None else token.created_by
        most = self._open_scopes if token is None else token.scopes
        client = self._described(wish, most, tenant_id, created_by)
        now_us = self._clock.micros()
        secret = mint(SecretKind.RAT, new_id("rat", now_us, self._entropy), self._entropy)
        made = await self._clients.made(client)
        actor = Actor(created_by, None if token is None else token.id, VIA, request_id, visitor.address)
        event = self._registered(client, actor)
        new = self._clients.beginning(made, self._peppers.digested(secret))
        if not await self._store.register_client(new, None if token is None else token.id, event):
            return None
        return Registered(made, secret)

    async def described(self, wish: ClientWish) -> Client:
        """A client that nobody vouches for, as it would be made now.

        Raises:
            InvalidRequest: A field is malformed, or does not go with another.
            InvalidScope: It may have none of the scopes that it names.
        """
        return self._described(wish, self._open_scopes, await self._store.operator_tenant_id(), None)

    async def admit(self, visitor: Visitor) -> None:
        """Count one more client that nobody vouches for, and that somebody lets be kept.

        Raises:
            TooManyRequests: There were too many from there.
        """
        await self._guesses.admit_registration(visitor, self._rules.open_free)

    async def keep(self, client: Client, actor: Actor) -> None:
        """Make a client that has described itself elsewhere."""
        made = await self._clients.made(client)
        event = self._registered(client, actor)
        await self._store.register_client(self._clients.beginning(made), None, event)

    async def find(self, client_id: str, presented: str) -> Client | None:
        """The client, if the token that somebody presents is its own.

        See: RFC 7592 §2
        """
        raw = whole(presented, SecretKind.RAT)
        if raw is None:
            return None
        return await self._store.find_registered_client(client_id, self._peppers.candidates(raw))

    async def change(
        self, client: Client, wish: ClientWish, visitor: Visitor, *, request_id: str | None = None
    ) -> MadeClient:
        """The client as it describes itself now: what it does not say again is as if it had never said it.

        It gets a secret where it had no use for one before.

        Raises:
            InvalidRequest: A field is malformed, or does not go with another.
            InvalidScope: It may have none of the scopes that it names.

        See: RFC 7592 §2.2
        """
        described = self._described(wish, client.scopes, client.tenant_id, client.created_by)
        actor = Actor(client.id, None, VIA, request_id, visitor.address)
        return await self._clients.become(client, replace(described, id=client.id), actor)

    async def delete(self, client: Client, visitor: Visitor, *, request_id: str | None = None) -> None:
        """Delete the client, and with it all tokens that it was given.

        See: RFC 7592 §2.3
        """
        await self._clients.remove(client, Actor(client.id, None, VIA, request_id, visitor.address))

    async def has_secret(self, client: Client, presented: str) -> bool:
        """Whether a secret that a client repeats is its own.

        See: RFC 7592 §2.2
        """
        return await self._clients.has_secret(client, presented)

    def _registered(self, client: Client, actor: Actor) -> AuditEvent:
        details = {
            "name": client.name,
            "redirect_uris": list(client.redirect_uris),
            "scopes": sorted(client.scopes),
            **({} if client.document is None else {"document": client.document}),
        }
        return self._recorder.event("client.registered", actor, client.tenant_id, client.id, details)

    def _described(
        self, wish: ClientWish, most: frozenset[str], tenant_id: str, created_by: str | None
    ) -> Client:
        scopes = frozenset(wish.scopes) & most if wish.scopes else most
        if not scopes:
            message = "scope: the client may have none of these scopes."
            raise InvalidScope(message, field="scope")
        asked = replace(
            wish,
            scopes=tuple(sorted(scopes)),
            changes=replace(wish.changes, require_pkce=True, first_party=False),
        )
        client = self._clients.new(asked, tenant_id, created_by, registered=True)
        if OPENID in client.scopes:
            # What those clients expect that say nothing: OpenID Connect Dynamic Client Registration §2.
            metadata = {ID_TOKEN_ALGORITHM: str(SigningAlgorithm.RS256), **client.metadata}
            client = replace(client, metadata=metadata)
        if not client.is_public and not self._rules.use_pkce:
            client = replace(client, require_pkce=False)
        beyond = client.grant_types - OPEN_GRANTS
        if created_by is None and beyond:
            message = f"grant_types: {min(beyond)} is for clients that somebody here vouches for."
            raise InvalidRequest(message, field="grant_types")
        return client
