"""The verbs on the database as a whole."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, column, func, inspect, select, table

from bonafides.errors import Unavailable
from bonafides.model import CredentialStatus
from bonafides.store import directory
from bonafides.store.tables import REVISION, credentials, tenants

VERSIONS = table("alembic_version", column("version_num"))
"""Where Alembic keeps the revision of the schema."""


def ping(connection: Connection) -> None:
    """Return if the schema is the one that this program knows."""
    revision = connection.scalar(select(VERSIONS.c.version_num))
    if revision != REVISION:
        raise Unavailable(internal=f"the schema has revision {revision}; this program needs {REVISION}")


def pepper_ids(connection: Connection) -> Mapping[str, int]:
    """How many unrevoked credentials were digested with each pepper."""
    rows = connection.execute(
        select(credentials.c.pepper_id, func.count().label("credentials"))
        .where(credentials.c.status != CredentialStatus.REVOKED)
        .group_by(credentials.c.pepper_id)
    )
    return {row.pepper_id: row.credentials for row in rows}


def is_founded(connection: Connection) -> bool:
    """Whether there is a tenant; False also without a schema."""
    return inspect(connection).has_table(tenants.name) and directory.is_founded(connection)
