"""Why requests were refused, for a day; and of which ends of credentials their owners were told.

Written as SQL and not taken from `tables.py`, which goes on changing: a revision is what it was.
"""

from typing import Final

from alembic import op

revision = "0005"
down_revision = "0004"

_SCHEMA: Final = (
    """
    CREATE TABLE denials (
        request_id {id} NOT NULL,
        at BIGINT NOT NULL,
        tenant_id {id},
        user_id {id},
        credential_id {id},
        kind TEXT,
        reason TEXT NOT NULL,
        refused_by TEXT NOT NULL,
        figures TEXT NOT NULL,
        CONSTRAINT pk_denials PRIMARY KEY (request_id)
    )
    """,
    "CREATE INDEX ix_denials_at ON denials (at)",
    """
    CREATE TABLE expiry_notices (
        credential_id {id} NOT NULL,
        ends_at BIGINT NOT NULL,
        days BIGINT NOT NULL,
        CONSTRAINT pk_expiry_notices PRIMARY KEY (credential_id, ends_at, days)
    )
    """,
    "CREATE INDEX ix_expiry_notices_ends ON expiry_notices (ends_at)",
    """
    CREATE INDEX ix_credentials_key_ends ON credentials (kind, expires_at)
    WHERE kind IN ('api_key', 'personal_access_token') AND expires_at IS NOT NULL
    """,
)


def upgrade() -> None:
    """Make the tables; nobody asked and nobody was told before."""
    on_postgresql = op.get_context().dialect.name == "postgresql"
    for statement in _SCHEMA:
        op.execute(statement.format(id='TEXT COLLATE "C"' if on_postgresql else "TEXT"))
