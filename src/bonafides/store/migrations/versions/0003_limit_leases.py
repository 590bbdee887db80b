"""Limits that several nodes share: windows, and who holds units of them.

Written as SQL and not taken from `tables.py`, which goes on changing: a revision is what it was.
"""

from typing import Final

from alembic import op

revision = "0003"
down_revision = "0002"

_SCHEMA: Final = (
    """
    CREATE TABLE limit_windows (
        subject {id} NOT NULL,
        hour_ends_us BIGINT NOT NULL,
        hour_used BIGINT NOT NULL,
        burst_ends_us BIGINT NOT NULL,
        burst_used BIGINT NOT NULL,
        seen_us BIGINT NOT NULL,
        CONSTRAINT pk_limit_windows PRIMARY KEY (subject),
        CONSTRAINT ck_limit_windows_hour CHECK (hour_used >= 0),
        CONSTRAINT ck_limit_windows_burst CHECK (burst_used >= 0)
    ) {storage}
    """,
    """
    CREATE TABLE limit_holders (
        subject {id} NOT NULL,
        holder {id} NOT NULL,
        units BIGINT NOT NULL,
        until_us BIGINT NOT NULL,
        burst_ends_us BIGINT NOT NULL,
        CONSTRAINT pk_limit_holders PRIMARY KEY (subject, holder),
        CONSTRAINT ck_limit_holders_units CHECK (units > 0)
    ) {storage}
    """,
)
# Rows are changed again and again: room on each page keeps the changes on it.
_POSTGRESQL: Final = {"id": 'TEXT COLLATE "C"', "storage": "WITH (fillfactor = 70)"}
_SQLITE: Final = {"id": "TEXT", "storage": ""}


def upgrade() -> None:
    """Make the tables; nothing was leased before."""
    on_postgresql = op.get_context().dialect.name == "postgresql"
    for statement in _SCHEMA:
        op.execute(statement.format_map(_POSTGRESQL if on_postgresql else _SQLITE))
