"""OAuth clients: made, found, changed and ended, with secrets that come and go.

A client is a service user of its own tenant too, of the same id: so what it does by itself has a subject
that is nobody else's, and ends with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from typing_extensions import override

from bonafides import intake
from bonafides.audit import Recorder
from bonafides.authority import Authority
from bonafides.credentials.holdings import blank_credential
from bonafides.credentials.signing_keys import SigningKeys
from bonafides.delegation import (
    AuthMethod,
    Client,
    ClientChanges,
    ClientSecret,
    GrantType,
    NewClient,
    TokenFormat,
    role_of,
)
from bonafides.directory import CLIENT_PREFIX, Directory
from bonafides.errors import Conflict, NotFound
from bonafides.idempotency import ClaimFor, reused
from bonafides.model import (
    STANDARD_SCOPES,
    UNCHANGED,
    Actor,
    AuditEvent,
    Clock,
    Credential,
    CredentialKind,
    DigestedSecret,
    Entropy,
    Page,
    Replayed,
    Status,
    Unchanged,
    User,
    UserKind,
    ceiling,
    powers,
    to_datetime,
)
from bonafides.oauth.client_metadata import METHOD_NAMED, checked, response_types_of
from bonafides.secret import ID_WIDTH, Peppers, SecretKind, base62, display, mint, new_id, whole
from bonafides.store import Clash, ClientStore, DirectoryStore, Reused

FIRST_SECRET: Final = "first"
OVERLAP_SECONDS_MAX: Final = 30 * 86_400
_AS_IT_IS: Final = ClientChanges()
DEFAULT_GRANTS: Final = frozenset({str(GrantType.AUTHORIZATION_CODE)})


def document_id(client_id: str) -> str | None:
    """The id under which a client is kept that is known by a URL: the same each time; None where it is none.

    Args:
        client_id: By what it calls itself.
    """
    if not client_id.startswith("https://"):
        return None
    number = int.from_bytes(hashlib.sha256(client_id.encode()).digest()[:16], "big")
    return f"{CLIENT_PREFIX}_{base62(number, ID_WIDTH)}"


class ClientsStore(ClientStore, DirectoryStore, Protocol):
    """What clients ask of the store."""


@dataclass(frozen=True, slots=True)
class ClientWish:
    """What somebody asks a new client to be.

    Args:
        changes: Whatever differs from a client that says nothing but its name and scopes.
        tenant_id: Whose; the caller's own unless the operator names another.
    """

    name: str
    scopes: Sequence[str]
    changes: ClientChanges = _AS_IT_IS
    tenant_id: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class MadeSecret:
    """A new secret of a client, which exists nowhere else."""

    record: ClientSecret
    secret: str
    digested: DigestedSecret

    @override
    def __repr__(self) -> str:
        return f"MadeSecret({self.record.id!r})"


@dataclass(frozen=True, slots=True)
class MadeClient:
    """A new client, with its first secret if it proves who it is by one."""

    client: Client
    secret: MadeSecret | None


class Clients:
    """Makes, finds, changes and ends clients.

    Args:
        store: Where they are.
        directory: Whose they are.
        signing_keys: Have a key of each algorithm that a client asks for.
        recorder: Makes audit events.
        peppers: Digests secrets.
        clock: When things happen.
        entropy: For ids and secrets.
        implicit: Whether the implicit grant is switched on.
    """

    def __init__(
        self,
        store: ClientsStore,
        directory: Directory,
        signing_keys: SigningKeys,
        recorder: Recorder,
        peppers: Peppers,
        clock: Clock,
        entropy: Entropy,
        *,
        implicit: bool = False,
    ) -> None:
        self._store = store
        self._directory = directory
        self._signing_keys = signing_keys
        self._recorder = recorder
        self._peppers = peppers
        self._clock = clock
        self._entropy = entropy
        self._implicit = implicit

    async def create(
        self, authority: Authority, wish: ClientWish, *, claim_for: ClaimFor[MadeClient] | None = None
    ) -> MadeClient | Replayed:
        """Make a client with scopes that the caller may give.

        Raises:
            Forbidden: The caller does not administer the tenant, or would give more than it has.
            NotFound: The tenant is not the caller's.
            Conflict: The caller's `Idempotency-Key` was used for another call.
            InvalidRequest: A field is malformed, or does not go with another.
        """
        tenant_id = await self.require_makeable(authority, wish)
        made = await self.made(self.new(wish, tenant_id, authority.user_id))
        client = made.client
        event = self._recorder.event(
            "client.created", authority.actor, client.tenant_id, client.id, _details(client)
        )
        claim = claim_for(made) if claim_for else None
        outcome = await self._store.create_client(self.beginning(made), event, claim=claim)
        if isinstance(outcome, Reused):
            raise reused()
        return outcome if isinstance(outcome, Replayed) else made

    async def require_makeable(self, authority: Authority, wish: ClientWish) -> str:
        """The tenant of a client that the caller may make, with scopes that it may give.

        Raises:
            Forbidden: The caller does not administer the tenant, or would give more than it has.
            NotFound: The tenant is not the caller's.
            InvalidRequest: A scope is none.
        """
        authority.require_administration("make OAuth clients")
        tenant = await self._directory.visible_tenant(authority, authority.tenant(wish.tenant_id))
        self._require_grantable(authority, self._scopes(wish.scopes))
        return tenant.id

    async def made(self, client: Client) -> MadeClient:
        """The client with its first secret, if it proves who it is by one; what it is told will be signed as it asks."""
        await self._ensure_keys(client)
        return MadeClient(client, self._first_secret(client))

    def new(
        self, wish: ClientWish, tenant_id: str, created_by: str | None, *, registered: bool = False
    ) -> Client:
        """A client as it would be made now, checked.

        Raises:
            InvalidRequest: A field is malformed, or does not go with another.
        """
        now_us = self._clock.micros()
        now = to_datetime(now_us)
        client = Client(
            id=new_id(CLIENT_PREFIX, now_us, self._entropy),
            tenant_id=tenant_id,
            name=wish.name,
            grant_types=DEFAULT_GRANTS,
            response_types=frozenset(),
            redirect_uris=(),
            post_logout_redirect_uris=(),
            scopes=frozenset(wish.scopes),
            audiences=(),
            token_endpoint_auth_method=AuthMethod.BASIC,
            jwks={},
            metadata={},
            require_pkce=True,
            first_party=False,
            dpop_bound=False,
            token_format=TokenFormat.OPAQUE,
            access_token_seconds=None,
            registered=registered,
            status=Status.ACTIVE,
            created_by=created_by,
            created_at=now,
            updated_at=now,
        )
        return self._changed(client, wish.changes)

    def beginning(self, made: MadeClient, registration: DigestedSecret | None = None) -> NewClient:
        """All that the store needs to begin a client."""
        client, secret = made.client, made.secret
        return NewClient(
            client,
            self._user(client),
            self._credential(client),
            # Nobody has what this is the digest of: a client acts through its tokens alone.
            DigestedSecret(self._entropy(32), self._peppers.newest_id),
            None if secret is None else secret.record,
            None if secret is None else secret.digested,
            registration,
        )

    async def find(self, client_id: str) -> Client | None:
        """The client of that id, wherever it is, if it and its tenant are active."""
        found = await self._store.present_client(document_id(client_id) or client_id, ())
        return found.client if found is not None and found.live else None

    async def is_off(self, client_id: str) -> bool:
        """Whether there is such a client, and it or its tenant is not active."""
        found = await self._store.present_client(document_id(client_id) or client_id, ())
        return found is not None and not found.live

    async def get(self, authority: Authority, client_id: str) -> Client:
        """The client, if it is the caller's to see.

        Raises:
            Forbidden: The caller does not administer the tenant.
            NotFound: There is none, or it is somebody else's.
        """
        authority.require_administration("see OAuth clients")
        found = await self._store.find_client(client_id, authority.reach)
        if found is None:
            message = f"There is no client {client_id[:64]!a}."
            raise NotFound(message)
        return found

    async def page(
        self, authority: Authority, page: Page, *, tenant_id: str | None = None
    ) -> Sequence[Client]:
        """The tenant's clients, newest first.

        Raises:
            Forbidden: The caller does not administer the tenant.
            NotFound: The tenant is not the caller's.
        """
        authority.require_administration("list OAuth clients")
        return await self._store.list_clients(authority.tenant(tenant_id), page)

    async def change(self, authority: Authority, client_id: str, changes: ClientChanges) -> Client:
        """Change a client; what is taken from it is taken from its tokens too, at once.

        Raises:
            Forbidden: The caller does not administer the tenant, or would give more than it has.
            NotFound: There is none, or it is somebody else's.
            InvalidRequest: A field is malformed, or does not go with another.
        """
        current = await self.get(authority, client_id)
        changed = self._changed(current, changes)
        if changed.status is Status.ACTIVE:
            # Who may not give these scopes must not bring them to life, nor turn them to other redirect URIs.
            self._require_grantable(authority, changed.scopes)
        return await self._become(current, changed, authority.actor)

    async def become(self, current: Client, described: Client, actor: Actor) -> MadeClient:
        """The client as it is described now, with a secret where it had no use for one before.

        Raises:
            NotFound: It is gone.
        """
        changed = await self._become(current, replace(described, status=current.status), actor)
        secret = None if current.token_endpoint_auth_method.by_secret else self._first_secret(changed)
        if secret is None:
            return MadeClient(changed, None)
        event = self._secret_event(changed, secret, actor)
        outcome = await self._store.add_client_secret(secret.record, secret.digested, event)
        return MadeClient(changed, secret if isinstance(outcome, ClientSecret) else None)

    async def has_secret(self, client: Client, presented: str) -> bool:
        """Whether this is a secret of the client that has not ended."""
        raw = whole(presented, SecretKind.SEC)
        found = (
            None
            if raw is None
            else await self._store.present_client(client.id, self._peppers.candidates(raw))
        )
        if found is None or found.secret is None:
            return False
        ends_at = found.secret.expires_at
        return ends_at is None or ends_at > to_datetime(self._clock.micros())

    async def delete(self, authority: Authority, client_id: str) -> None:
        """Delete a client, and with it all tokens that it was given. Its id is never given again.

        Raises:
            Forbidden: The caller does not administer the tenant.
            NotFound: There is none, or it is somebody else's.
        """
        await self.remove(await self.get(authority, client_id), authority.actor)

    async def remove(self, current: Client, actor: Actor) -> None:
        """Delete a client that somebody may delete."""
        event = self._recorder.event("client.deleted", actor, current.tenant_id, current.id)
        await self._store.change_client(
            current.id,
            current.tenant_id,
            ClientChanges(status=Status.DELETED),
            self._directory.defined_scopes,
            event,
        )

    async def secrets(self, authority: Authority, client_id: str) -> Sequence[ClientSecret]:
        """The client's secrets, the oldest first.

        Raises:
            Forbidden: The caller does not administer the tenant.
            NotFound: There is no such client, or it is somebody else's.
        """
        client = await self.get(authority, client_id)
        return await self._store.list_client_secrets(client.id)

    async def add_secret(
        self,
        authority: Authority,
        client_id: str,
        name: str,
        *,
        expires_at: datetime | None = None,
        expires_in: int | None = None,
        overlap_seconds: int | None = None,
        claim_for: ClaimFor[MadeSecret] | None = None,
    ) -> MadeSecret | Replayed:
        """Give a client another secret.

        Args:
            authority: The caller's.
            client_id: Which.
            name: To tell it from the others.
            expires_at: When it ends; None for never.
            expires_in: The same, in seconds from now.
            overlap_seconds: How long the others go on working, if they are to end.
            claim_for: Makes the claim of a call that may be sent twice.

        Raises:
            Forbidden: The caller does not administer the tenant, or has less than the client.
            NotFound: There is no such client, or it is somebody else's.
            Conflict: The client proves who it is in another way, or has as many secrets as it may.
            InvalidRequest: A field is malformed.
        """
        client = await self.get(authority, client_id)
        self._require_grantable(authority, client.scopes)
        if not client.token_endpoint_auth_method.by_secret:
            message = f"The client {client.id} uses {client.token_endpoint_auth_method}, and no secret."
            raise Conflict(message, field="token_endpoint_auth_method")
        now = to_datetime(self._clock.micros())
        made = self._secret(
            client, intake.text(name, "name"), authority.user_id, intake.expiry(expires_at, expires_in, now)
        )
        others_end_at = None
        if overlap_seconds is not None:
            others_end_at = now + timedelta(seconds=min(max(overlap_seconds, 0), OVERLAP_SECONDS_MAX))
        event = self._secret_event(client, made, authority.actor, overlap_seconds)
        outcome = await self._store.add_client_secret(
            made.record,
            made.digested,
            event,
            others_end_at=others_end_at,
            claim=claim_for(made) if claim_for else None,
        )
        if isinstance(outcome, Reused):
            raise reused()
        if isinstance(outcome, Clash):
            message = "The client has as many secrets as it may have. Delete one that is not used any more."
            raise Conflict(message, field="client_id")
        if outcome is None:
            message = f"There is no client {client_id[:64]!a}."
            raise NotFound(message)
        return outcome if isinstance(outcome, Replayed) else made

    async def remove_secret(self, authority: Authority, client_id: str, secret_id: str) -> None:
        """Delete a secret of a client; it proves nothing from now on.

        Raises:
            Forbidden: The caller does not administer the tenant.
            NotFound: There is no such secret, or it is somebody else's.
        """
        client = await self.get(authority, client_id)
        event = self._recorder.event(
            "client_secret.deleted",
            authority.actor,
            client.tenant_id,
            secret_id[:64],
            {"client_id": client.id},
        )
        if not await self._store.remove_client_secret(client.id, secret_id, event):
            message = f"The client has no secret {secret_id[:64]!a}."
            raise NotFound(message)

    async def _become(self, current: Client, changed: Client, actor: Actor) -> Client:
        await self._ensure_keys(changed)
        whole_change = ClientChanges(
            **{
                name: getattr(changed, name)
                for name in ClientChanges.__slots__
                if getattr(changed, name) != getattr(current, name)
            }
        )
        event = self._recorder.event(
            "client.changed",
            actor,
            current.tenant_id,
            current.id,
            {name: _shown(getattr(whole_change, name)) for name in _given(whole_change)},
        )
        outcome = await self._store.change_client(
            current.id, current.tenant_id, whole_change, self._directory.defined_scopes, event
        )
        if outcome is None:
            message = f"There is no client {current.id!a}."
            raise NotFound(message)
        return outcome

    async def _ensure_keys(self, client: Client) -> None:
        for algorithm in (client.id_token_algorithm, client.userinfo_algorithm):
            await self._signing_keys.ensure(algorithm)

    def _secret_event(
        self, client: Client, made: MadeSecret, actor: Actor, overlap_seconds: int | None = None
    ) -> AuditEvent:
        return self._recorder.event(
            "client_secret.created",
            actor,
            client.tenant_id,
            made.record.id,
            {"client_id": client.id, "display": made.record.display, "overlap_seconds": overlap_seconds},
        )

    def _scopes(self, scopes: Iterable[str]) -> frozenset[str]:
        return intake.scopes(scopes, self._directory.defined_scopes | STANDARD_SCOPES)

    def _changed(self, client: Client, changes: ClientChanges) -> Client:
        given: dict[str, Any] = {name: getattr(changes, name) for name in _given(changes)}
        changed = replace(client, **given)
        changed = replace(
            changed,
            name=intake.text(changed.name, "name"),
            scopes=self._scopes(changed.scopes),
        )
        if not isinstance(changes.token_endpoint_auth_method, Unchanged):
            changed = replace(changed, metadata={**changed.metadata, METHOD_NAMED: True})
        if isinstance(changes.response_types, Unchanged):
            changed = replace(changed, response_types=response_types_of(changed.grant_types))
        return checked(changed, implicit=self._implicit)

    def _require_grantable(self, authority: Authority, scopes: frozenset[str]) -> None:
        own = scopes & self._directory.defined_scopes
        most = ceiling(role_of(own), own, self._directory.defined_scopes)
        authority.require_grantable(powers(own, most))

    def _first_secret(self, client: Client) -> MadeSecret | None:
        if not client.token_endpoint_auth_method.by_secret:
            return None
        return self._secret(client, FIRST_SECRET, client.created_by, None)

    def _secret(
        self, client: Client, name: str, created_by: str | None, expires_at: datetime | None
    ) -> MadeSecret:
        now_us = self._clock.micros()
        identifier = new_id("sec", now_us, self._entropy)
        secret = mint(SecretKind.SEC, identifier, self._entropy)
        record = ClientSecret(
            identifier, client.id, name, display(secret), created_by, to_datetime(now_us), expires_at
        )
        return MadeSecret(record, secret, self._peppers.digested(secret))

    def _user(self, client: Client) -> User:
        return User(
            id=client.id,
            tenant_id=client.tenant_id,
            kind=UserKind.SERVICE,
            email=None,
            name=client.name,
            role=role_of(client.scopes),
            scopes=client.scopes & self._directory.defined_scopes,
            status=client.status,
            created_at=client.created_at,
            updated_at=client.updated_at,
        )

    def _credential(self, client: Client) -> Credential:
        made = blank_credential(
            CredentialKind.OAUTH_ACCESS_TOKEN,
            client.id,
            client.tenant_id,
            client.id,
            client.name,
            client.scopes,
            client.created_at,
        )
        return replace(made, created_by=client.created_by, updated_at=client.updated_at, client_id=client.id)


def _given(changes: ClientChanges) -> Sequence[str]:
    return [name for name in ClientChanges.__slots__ if getattr(changes, name) is not UNCHANGED]


def _details(client: Client) -> Mapping[str, Any]:
    """What the trail tells of a new client."""
    names = ("name", "grant_types", "redirect_uris", "scopes", "token_endpoint_auth_method", "first_party")
    return {name: _shown(getattr(client, name)) for name in names}


def _shown(value: object) -> object:
    match value:
        case frozenset():
            return sorted(value)
        case tuple():
            return list(value)
        case str():
            return str(value)
        case _:
            return value
