"""The verbs on OAuth clients: each is a service user too, and changed together with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from bonafides.delegation import Client, ClientChanges, ClientSecret, NewClient, PresentedClient, role_of
from bonafides.model import (
    UNCHANGED,
    AuditEvent,
    Change,
    ChangeKind,
    CredentialStatus,
    DigestedSecret,
    IdempotencyClaim,
    Page,
    Replayed,
    Status,
    TenantScope,
)
from bonafides.store import Clash, Reused
from bonafides.store.claims import release, settle
from bonafides.store.credentials import add, made_from, outdating, revoke_all
from bonafides.store.listing import page_of, within
from bonafides.store.tables import (
    client_secrets,
    clients,
    columns_of,
    credentials,
    grants,
    row_of,
    tenants,
    users,
)
from bonafides.store.transaction import Transaction

CLIENT_DELETED: Final = "client deleted"
SECRETS_MAX: Final = 10

_SECRET: Final = columns_of(client_secrets, ClientSecret)
_OWN: Final = tuple(name for name in Client.__slots__ if name != "status")
_CLIENT: Final = tuple(users.c.status if name == "status" else clients.c[name] for name in Client.__slots__)
_OF_USER: Final = {"name", "status"}
# Each call of a client begins with it, so it is put together once.
_PRESENTED: Final = (
    select(
        and_(users.c.status == Status.ACTIVE, tenants.c.status == Status.ACTIVE),
        *_CLIENT,
        *_SECRET,
    )
    .join_from(clients, users, users.c.id == clients.c.id)
    .join(tenants, tenants.c.id == clients.c.tenant_id)
    .join(
        client_secrets,
        and_(
            client_secrets.c.client_id == clients.c.id,
            client_secrets.c.digest.in_(bindparam("digests", expanding=True)),
        ),
        isouter=True,
    )
    .where(clients.c.id == bindparam("client_id"), users.c.status != Status.DELETED)
    .limit(1)
)


def create(
    transaction: Transaction, new: NewClient, event: AuditEvent, claim: IdempotencyClaim | None
) -> Client | Replayed | Reused:
    """Insert a client, its user, its credential and its first secret, unless this was done before."""
    connection = transaction.connection
    earlier = settle(connection, claim, event.at)
    if earlier is not None:
        return earlier
    connection.execute(insert(users), row_of(new.user) | {"email_folded": None})
    registration: DigestedSecret | None = new.registration
    connection.execute(
        insert(clients),
        {name: getattr(new.client, name) for name in _OWN}
        | {
            "registration_digest": registration.digest if registration else None,
            "registration_pepper_id": registration.pepper_id if registration else None,
        },
    )
    if new.secret is not None and new.digested is not None:
        connection.execute(insert(client_secrets), row_of(new.secret) | row_of(new.digested))
    add(transaction, new.credential, new.credential_secret)
    transaction.record(
        event,
        Change(ChangeKind.USER, new.user.id),
        Change(ChangeKind.CREDENTIAL_CREATED, new.credential.id),
    )
    return new.client


def find(connection: Connection, client_id: str, tenant: TenantScope) -> Client | None:
    """The client of that id, if it is in that tenant and not deleted."""
    return _one(connection, client_id, tenant, lock=False)


def list_page(connection: Connection, tenant: TenantScope, page: Page) -> Sequence[Client]:
    """A page of clients, newest first."""
    query = _clients().where(*within(clients.c.tenant_id, tenant))
    rows = connection.execute(page_of(query, page, clients.c.created_at, clients.c.id))
    return [Client(*row) for row in rows]


def change(
    transaction: Transaction,
    client_id: str,
    tenant: TenantScope,
    changes: ClientChanges,
    defined_scopes: frozenset[str],
    event: AuditEvent,
) -> Client | None:
    """Change a client and the user that it is; what people let it do is disabled and enabled with it, or ends."""
    connection = transaction.connection
    current = _one(connection, client_id, tenant, lock=True)
    if current is None:
        return None
    wanted = {name: value for name, value in row_of(changes).items() if value is not UNCHANGED}
    changed = replace(current, **wanted, updated_at=event.at)
    of_client = {name: value for name, value in wanted.items() if name != "status"}
    connection.execute(
        update(clients).where(clients.c.id == client_id).values(of_client | {"updated_at": event.at})
    )
    of_user: dict[str, Any] = {name: value for name, value in wanted.items() if name in _OF_USER}
    if "scopes" in wanted:
        of_user |= {"scopes": changed.scopes & defined_scopes, "role": role_of(changed.scopes)}
        connection.execute(
            update(credentials)
            .where(credentials.c.id == client_id)
            .values(scopes=changed.scopes, updated_at=event.at)
        )
    connection.execute(
        update(users).where(users.c.id == client_id).values(of_user | {"updated_at": event.at})
    )
    ended: Sequence[Change] = ()
    if changed.status is not current.status:
        ended = _follow(connection, changed, event.at)
    transaction.record(event, Change(ChangeKind.USER, client_id), *ended)
    return changed


def add_secret(
    transaction: Transaction,
    secret: ClientSecret,
    digested: DigestedSecret,
    others_end_at: datetime | None,
    event: AuditEvent,
    claim: IdempotencyClaim | None,
) -> ClientSecret | Replayed | Reused | Clash | None:
    """Insert a secret of a client, which has some at most; the others may be given an end."""
    connection = transaction.connection
    earlier = settle(connection, claim, event.at)
    if earlier is not None:
        return earlier
    if _one(connection, secret.client_id, event.tenant_id, lock=True) is None:
        release(connection, claim)
        return None
    of_client = client_secrets.c.client_id == secret.client_id
    connection.execute(delete(client_secrets).where(of_client, client_secrets.c.expires_at <= event.at))
    if others_end_at is not None:
        connection.execute(
            update(client_secrets)
            .where(
                of_client,
                or_(client_secrets.c.expires_at.is_(None), client_secrets.c.expires_at > others_end_at),
            )
            .values(expires_at=others_end_at)
        )
    if (connection.scalar(select(func.count()).where(of_client)) or 0) >= SECRETS_MAX:
        release(connection, claim)
        return Clash("secrets")
    connection.execute(insert(client_secrets), row_of(secret) | row_of(digested))
    transaction.record(event, Change(ChangeKind.USER, secret.client_id))
    return secret


def remove_secret(transaction: Transaction, client_id: str, secret_id: str, event: AuditEvent) -> bool:
    """Forget a secret of a client: nobody is that client by it from now on."""
    removed = transaction.connection.execute(
        delete(client_secrets).where(
            client_secrets.c.id == secret_id,
            client_secrets.c.client_id == client_id,
            exists().where(clients.c.id == client_id, clients.c.tenant_id == event.tenant_id),
        )
    )
    if removed.rowcount == 0:
        return False
    transaction.record(event, Change(ChangeKind.USER, client_id))
    return True


def list_secrets(connection: Connection, client_id: str) -> Sequence[ClientSecret]:
    """The secrets of a client, the oldest first; those that have ended too, until another is made."""
    rows = connection.execute(
        select(*_SECRET)
        .where(client_secrets.c.client_id == client_id)
        .order_by(client_secrets.c.created_at, client_secrets.c.id)
    )
    return [ClientSecret(*row) for row in rows]


def present(connection: Connection, client_id: str, digests: Sequence[bytes]) -> PresentedClient | None:
    """The client of that id, and which of its secrets has one of these digests."""
    given = {"client_id": client_id, "digests": list(digests)}
    row = connection.execute(_PRESENTED, given).one_or_none()
    if row is None:
        return None
    live, *rest = row
    secret = rest[len(_CLIENT) :]
    return PresentedClient(
        Client(*rest[: len(_CLIENT)]), bool(live), None if secret[0] is None else ClientSecret(*secret)
    )


def find_where(connection: Connection, condition: ColumnElement[bool]) -> Client | None:
    """The one client, not deleted, of which this holds."""
    row = connection.execute(_clients().where(condition)).one_or_none()
    return None if row is None else Client(*row)


def _clients() -> Select[Any]:
    return (
        select(*_CLIENT)
        .join_from(clients, users, users.c.id == clients.c.id)
        .where(users.c.status != Status.DELETED)
    )


def _one(connection: Connection, client_id: str, tenant: TenantScope, *, lock: bool) -> Client | None:
    query = _clients().where(clients.c.id == client_id, *within(clients.c.tenant_id, tenant))
    row = connection.execute(query.with_for_update(key_share=True) if lock else query).one_or_none()
    return None if row is None else Client(*row)


def _follow(connection: Connection, client: Client, at: datetime) -> Sequence[Change]:
    """Let what people have let a client do be as active as the client is; what changed."""
    given = select(grants.c.id).where(grants.c.client_id == client.id)
    # Tokens that it got for others by what they had: they hang on that, and not on the client.
    exchanged = and_(
        credentials.c.client_id == client.id,
        credentials.c.parent_id != client.id,
        credentials.c.parent_id.not_in(given),
    )
    of_client = or_(credentials.c.id.in_(given), exchanged)
    if client.status is Status.DELETED:
        connection.execute(delete(client_secrets).where(client_secrets.c.client_id == client.id))
        mine = or_(of_client, credentials.c.client_id == client.id, credentials.c.user_id == client.id)
        return revoke_all(connection, mine, at, CLIENT_DELETED)
    before, after = CredentialStatus.ACTIVE, CredentialStatus.DISABLED
    if client.status is Status.ACTIVE:
        before, after = after, before
    moved = connection.scalars(
        update(credentials)
        .where(of_client, credentials.c.status == before)
        .values(status=after, updated_at=at)
        .returning(credentials.c.id)
    )
    ids = [str(each) for each in moved]
    tokens = [str(token) for each in ids for token in connection.scalars(made_from(each, at))]
    return outdating(*ids, *tokens)
