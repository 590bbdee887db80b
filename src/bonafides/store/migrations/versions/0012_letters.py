"""Letters that wait to be sent.

Written as SQL and not taken from `tables.py`, which goes on changing: a revision is what it was.
"""

from typing import Final

from alembic import op

revision = "0012"
down_revision = "0011"

_SQLITE: Final = {"id": "TEXT", "bytes": "BLOB"}
_POSTGRESQL: Final = {"id": 'TEXT COLLATE "C"', "bytes": "BYTEA"}

_SCHEMA: Final = (
    """
    CREATE TABLE letters (
        id {id} NOT NULL,
        sealed {bytes} NOT NULL,
        pepper_id {id} NOT NULL,
        created_at BIGINT NOT NULL,
        due_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        tries BIGINT NOT NULL,
        CONSTRAINT pk_letters PRIMARY KEY (id),
        CONSTRAINT ck_letters_tries CHECK (tries >= 0)
    )
    """,
    "CREATE INDEX ix_letters_due ON letters (due_at, id)",
)


def upgrade() -> None:
    """Make the table; whatever waited was in memory."""
    on_postgresql = op.get_context().dialect.name == "postgresql"
    for statement in _SCHEMA:
        op.execute(statement.format_map(_POSTGRESQL if on_postgresql else _SQLITE))
