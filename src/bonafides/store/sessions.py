"""The verbs on sessions and their refresh tokens: opened, refreshed once, ended with all that came of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from bonafides.model import (
    AuditEvent,
    Change,
    ChangeKind,
    CredentialKind,
    CredentialStatus,
    Elevation,
    LiveSession,
    Opening,
    Page,
    Refreshable,
    RefreshToken,
    Renewal,
    Session,
    Status,
    TenantScope,
    User,
)
from bonafides.store import grants, guesses, proofs
from bonafides.store.credentials import add, revoke_all
from bonafides.store.listing import page_of, within
from bonafides.store.rotation import spend, state_of
from bonafides.store.tables import (
    columns_of,
    credentials,
    known_places,
    one_time_secrets,
    passwords,
    refresh_tokens,
    row_of,
    sessions,
    tenants,
    users,
)
from bonafides.store.transaction import Transaction

_SESSION: Final = columns_of(sessions, Session)
_USER: Final = columns_of(users, User)
_STATE: Final = state_of(refresh_tokens)


def open_session(transaction: Transaction, opening: Opening, event: AuditEvent) -> bool:
    """Begin a session, if what was proven still holds: its user may log in, and has the password that was checked.

    Whoever has a second factor has proven it, too; it is looked for here, so that no way of logging in goes
    around it.
    """
    connection = transaction.connection
    session, credential, token = opening.session, opening.credential, opening.token
    if opening.proof is not None:
        proofs.hold(connection, session.user_id)
    if not _may_log_in(connection, session.user_id, opening.password_hash):
        return False
    if opening.proof is None:
        if proofs.is_needed(connection, session.user_id):
            return False
    elif not proofs.spend(transaction, session.user_id, opening.proof, event.at):
        return False
    # At once, and not at the end of the transaction: what follows refers to them.
    connection.execute(insert(credentials), row_of(credential) | row_of(opening.credential_secret))
    connection.execute(insert(sessions), row_of(session))
    _add_refresh_token(connection, opening.refresh_token)
    add(transaction, token, opening.token_secret)
    guesses.forget(connection, opening.guessed)
    _note_place(connection, session.user_id, opening.place, event.at)
    transaction.record(
        event,
        Change(ChangeKind.CREDENTIAL_CREATED, credential.id),
        Change(ChangeKind.CREDENTIAL_CREATED, token.id),
    )
    return True


def find_refreshable(connection: Connection, digests: Sequence[bytes]) -> Refreshable | None:
    """The refresh token with one of these digests, with its session and its user."""
    row = connection.execute(
        select(*_STATE, _LIVE, *_SESSION, *_USER)
        .join_from(refresh_tokens, sessions, sessions.c.id == refresh_tokens.c.session_id)
        .join(credentials, credentials.c.id == sessions.c.id)
        .join(users, users.c.id == sessions.c.user_id)
        .join(tenants, tenants.c.id == sessions.c.tenant_id)
        .where(refresh_tokens.c.digest.in_(digests))
    ).one_or_none()
    if row is None:
        return None
    digest, expires_at, spent_at, sealed_answer, followed, live, *rest = row
    return Refreshable(
        digest=digest,
        expires_at=expires_at,
        spent_at=spent_at,
        sealed_answer=sealed_answer,
        successor_spent=bool(followed),
        live=bool(live),
        session=Session(*rest[: len(_SESSION)]),
        user=User(*rest[len(_SESSION) :]),
    )


def refresh(transaction: Transaction, renewal: Renewal, event: AuditEvent) -> bool:
    """Spend a refresh token and put another in its place: of any number of calls at once, one does.

    The session's row is held, so that nobody ends it meanwhile without seeing what comes of this.
    """
    connection = transaction.connection
    successor = renewal.refresh_token
    if not _is_live(connection, successor.session_id):
        return False
    if not spend(
        connection,
        refresh_tokens,
        renewal.digest,
        successor.secret.digest,
        renewal.sealed_answer,
        event.at,
    ):
        return False
    _add_refresh_token(connection, successor)
    connection.execute(update(sessions).where(sessions.c.id == successor.session_id).values(seen_at=event.at))
    add(transaction, renewal.token, renewal.token_secret)
    transaction.record(event, Change(ChangeKind.CREDENTIAL_CREATED, renewal.token.id))
    return True


def elevate(transaction: Transaction, elevation: Elevation, event: AuditEvent) -> bool:
    """Note that a session's user has proven anew who they are; the token that they had ends, and another begins."""
    connection = transaction.connection
    session, proof = elevation.session, elevation.proof
    proofs.hold(connection, session.user_id)
    if not (
        _may_log_in(connection, session.user_id, elevation.password_hash)
        and _is_live(connection, session.id)
        and (proof is None or proofs.spend(transaction, session.user_id, proof, event.at))
    ):
        return False
    connection.execute(
        update(sessions)
        .where(sessions.c.id == session.id)
        .values(authenticated_at=session.authenticated_at, methods=session.methods)
    )
    ended = revoke_all(connection, credentials.c.id == elevation.replaced, event.at, "replaced at a step-up")
    add(transaction, elevation.token, elevation.token_secret)
    guesses.forget(connection, elevation.guessed)
    transaction.record(event, Change(ChangeKind.CREDENTIAL_CREATED, elevation.token.id), *ended)
    return True


def proven_at(connection: Connection, credential_id: str) -> datetime | None:
    """When the user of a login's token last proved who they are; None for what is not of a login."""
    moment: datetime | None = connection.scalar(
        select(sessions.c.authenticated_at)
        .join_from(credentials, sessions, sessions.c.id == credentials.c.root_id)
        .where(credentials.c.id == credential_id)
    )
    return moment


def find(connection: Connection, session_id: str, tenant: TenantScope, now: datetime) -> LiveSession | None:
    """The session of that id, if it is in that tenant and has not ended."""
    query = _live_sessions(tenant, now).where(sessions.c.id == session_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else _live_session(row)


def list_page(
    connection: Connection, tenant: TenantScope, page: Page, user_id: str | None, now: datetime
) -> Sequence[LiveSession]:
    """A page of sessions that have not ended, newest first."""
    query = _live_sessions(tenant, now)
    if user_id is not None:
        query = query.where(sessions.c.user_id == user_id)
    rows = connection.execute(page_of(query, page, sessions.c.created_at, sessions.c.id))
    return [_live_session(row) for row in rows]


def end_sessions(
    transaction: Transaction, user_id: str, event: AuditEvent, reason: str, kept: str | None
) -> int:
    """End every session of a user but one, with all their tokens, and what they let clients do; how many sessions.

    Without anything to end, nothing is written.
    """
    count, changes = end_all(transaction.connection, user_id, event.at, reason, kept)
    if changes:
        transaction.record(event, *changes)
    return count


def end_all(
    connection: Connection, user_id: str, at: datetime, reason: str, kept: str | None = None
) -> tuple[int, Sequence[Change]]:
    """Revoke every session of a user but one, with all their tokens, and what they let clients do elsewhere.

    How many sessions it were, and what the caller has to record.
    """
    # The user's row is held by whoever opens a session: none begins beside this.
    connection.execute(select(users.c.id).where(users.c.id == user_id).with_for_update(key_share=True))
    of_user = and_(
        credentials.c.user_id == user_id,
        credentials.c.kind == CredentialKind.JWT_SESSION,
        credentials.c.root_id != (kept or ""),
    )
    count = connection.scalar(
        select(func.count()).where(
            of_user, credentials.c.parent_id.is_(None), credentials.c.status != CredentialStatus.REVOKED
        )
    )
    allowed = grants.end_all(connection, user_id, at, reason, kept)
    return count or 0, (*revoke_all(connection, of_user, at, reason), *allowed)


def knows_place(connection: Connection, user_id: str, place: str) -> bool:
    """Whether a user has logged in from there."""
    return bool(
        connection.scalar(
            select(exists().where(known_places.c.user_id == user_id, known_places.c.place == place))
        )
    )


def knows_places(connection: Connection, user_id: str) -> bool:
    """Whether a user has logged in from anywhere."""
    return bool(connection.scalar(select(exists().where(known_places.c.user_id == user_id))))


def prune(transaction: Transaction, now: datetime, grace_seconds: int, idle_seconds: int) -> None:
    """Forget what no longer decides anything: ended refresh tokens and secrets, old answers, guesses and places."""
    connection = transaction.connection
    connection.execute(
        update(refresh_tokens)
        .where(
            refresh_tokens.c.sealed_answer.is_not(None),
            refresh_tokens.c.spent_at < now - timedelta(seconds=grace_seconds),
        )
        .values(sealed_answer=None)
    )
    for table in (refresh_tokens, one_time_secrets):
        connection.execute(delete(table).where(table.c.expires_at < now))
    long_ago = now - timedelta(seconds=idle_seconds)
    connection.execute(delete(known_places).where(known_places.c.seen_at < long_ago))
    guesses.prune(connection, long_ago)


_LIVE: Final = and_(
    credentials.c.status == CredentialStatus.ACTIVE,
    users.c.status == Status.ACTIVE,
    tenants.c.status == Status.ACTIVE,
)


def _live_sessions(tenant: TenantScope, now: datetime) -> Select[Any]:
    tokens = credentials.alias("tokens")
    last_used = select(func.max(tokens.c.last_used_at)).where(tokens.c.parent_id == sessions.c.id)
    return (
        select(last_used.scalar_subquery(), *_SESSION)
        .join_from(sessions, credentials, credentials.c.id == sessions.c.id)
        .where(
            credentials.c.status == CredentialStatus.ACTIVE,
            exists().where(
                refresh_tokens.c.session_id == sessions.c.id,
                refresh_tokens.c.spent_at.is_(None),
                refresh_tokens.c.expires_at > now,
            ),
            *within(sessions.c.tenant_id, tenant),
        )
    )


def _live_session(row: Any) -> LiveSession:  # noqa: ANN401 - a row
    last_used_at, *session = row
    return LiveSession(Session(*session), last_used_at)


def _is_live(connection: Connection, session_id: str) -> bool:
    query = (
        select(_LIVE)
        .join_from(credentials, users, users.c.id == credentials.c.user_id)
        .join(tenants, tenants.c.id == credentials.c.tenant_id)
        .where(credentials.c.id == session_id)
        .with_for_update(read=True, of=credentials)
    )
    return bool(connection.scalar(query))


def _may_log_in(connection: Connection, user_id: str, password_hash: str | None) -> bool:
    """Whether a user is active and has that very password; nobody changes that before this transaction ends."""
    query = (
        select(users.c.id)
        .join_from(users, tenants, tenants.c.id == users.c.tenant_id)
        .join(passwords, passwords.c.user_id == users.c.id, isouter=True)
        .where(users.c.id == user_id, users.c.status == Status.ACTIVE, tenants.c.status == Status.ACTIVE)
        .with_for_update(read=True, of=users)
    )
    if password_hash is not None:
        query = query.where(passwords.c.hash == password_hash)
    return connection.scalar(query) is not None


def _add_refresh_token(connection: Connection, token: RefreshToken) -> None:
    row = row_of(token)
    connection.execute(insert(refresh_tokens), row | row_of(row.pop("secret")))


def _note_place(connection: Connection, user_id: str, place: str, at: datetime) -> None:
    insert_into = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    new = insert_into(known_places).values(user_id=user_id, place=place, seen_at=at)
    connection.execute(
        new.on_conflict_do_update(
            index_elements=[known_places.c.user_id, known_places.c.place], set_={"seen_at": at}
        )
    )
