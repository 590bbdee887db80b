"""The verbs on the database as a whole."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, column, func, inspect, select, table, union_all

from bonafides.errors import Unavailable
from bonafides.model import CredentialStatus
from bonafides.store import directory
from bonafides.store.tables import (
    REVISION,
    client_secrets,
    clients,
    credentials,
    grant_refresh_tokens,
    initial_access_tokens,
    letters,
    recovery_codes,
    refresh_tokens,
    signing_keys,
    tenants,
    totp_factors,
    webhooks,
)

VERSIONS = table("alembic_version", column("version_num"))
"""Where Alembic keeps the revision of the schema."""


def ping(connection: Connection) -> None:
    """Return if the schema is the one that this program knows."""
    revision = connection.scalar(select(VERSIONS.c.version_num))
    if revision != REVISION:
        raise Unavailable(internal=f"the schema has revision {revision}; this program needs {REVISION}")


def pepper_ids(connection: Connection) -> Mapping[str, int]:
    """How many secrets need each pepper: unrevoked credentials, and what people, clients and the server log in and sign with."""
    needed = union_all(
        select(credentials.c.pepper_id).where(credentials.c.status != CredentialStatus.REVOKED),
        select(refresh_tokens.c.pepper_id).where(refresh_tokens.c.spent_at.is_(None)),
        select(signing_keys.c.pepper_id),
        select(totp_factors.c.pepper_id),
        select(recovery_codes.c.pepper_id).where(recovery_codes.c.redeemed_at.is_(None)),
        select(client_secrets.c.pepper_id),
        select(grant_refresh_tokens.c.pepper_id).where(grant_refresh_tokens.c.spent_at.is_(None)),
        select(clients.c.registration_pepper_id).where(clients.c.registration_pepper_id.is_not(None)),
        select(initial_access_tokens.c.pepper_id),
        select(letters.c.pepper_id),
        select(webhooks.c.pepper_id),
    ).subquery()
    rows = connection.execute(
        select(needed.c.pepper_id, func.count().label("secrets")).group_by(needed.c.pepper_id)
    )
    return {row.pepper_id: row.secrets for row in rows}


def is_founded(connection: Connection) -> bool:
    """Whether there is a tenant; False also without a schema."""
    return inspect(connection).has_table(tenants.name) and directory.is_founded(connection)
