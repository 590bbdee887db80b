"""Requests counted by credential, outcome and time.

Written as SQL and not taken from `tables.py`, which goes on changing: a revision is what it was.
"""

from typing import Final

from alembic import op

revision = "0002"
down_revision = "0001"

# SQLite keeps the rows in the order of the primary key; PostgreSQL leaves room on each page, because the
# counts of the present are added to again and again.
_SQLITE: Final = {"id": "TEXT", "storage": "WITHOUT ROWID"}
_POSTGRESQL: Final = {"id": 'TEXT COLLATE "C"', "storage": "WITH (fillfactor = 70)"}

_SCHEMA: Final = (
    """
    CREATE TABLE usage_counts (
        span BIGINT NOT NULL,
        starts_at BIGINT NOT NULL,
        tenant_id {id} NOT NULL,
        user_id {id} NOT NULL,
        credential_id {id} NOT NULL,
        outcome {id} NOT NULL,
        requests BIGINT NOT NULL,
        CONSTRAINT pk_usage_counts PRIMARY KEY (span, starts_at, tenant_id, user_id, credential_id, outcome),
        CONSTRAINT ck_usage_counts_span CHECK (span IN (60, 3600, 86400)),
        CONSTRAINT ck_usage_counts_requests CHECK (requests > 0)
    ) {storage}
    """,
    """
    CREATE TABLE usage_writers (
        id {id} NOT NULL,
        batch BIGINT NOT NULL,
        written_at BIGINT NOT NULL,
        CONSTRAINT pk_usage_writers PRIMARY KEY (id)
    )
    """,
)


def upgrade() -> None:
    """Make the tables; nothing was counted before."""
    on_postgresql = op.get_context().dialect.name == "postgresql"
    for statement in _SCHEMA:
        op.execute(statement.format_map(_POSTGRESQL if on_postgresql else _SQLITE))
