"""Which letters people want none of.

Written as SQL and not taken from `tables.py`, which goes on changing: a revision is what it was.
"""

from typing import Final

from alembic import op

revision = "0014"
down_revision = "0013"

_SQLITE: Final = {"id": "TEXT"}
_POSTGRESQL: Final = {"id": 'TEXT COLLATE "C"'}

_TABLE: Final = """
    CREATE TABLE notification_settings (
        user_id {id} NOT NULL,
        unwanted TEXT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_notification_settings PRIMARY KEY (user_id),
        CONSTRAINT fk_notification_settings_user_id FOREIGN KEY (user_id) REFERENCES users (id)
    )
"""


def upgrade() -> None:
    """Make the table; until now, everybody got every letter."""
    on_postgresql = op.get_context().dialect.name == "postgresql"
    op.execute(_TABLE.format_map(_POSTGRESQL if on_postgresql else _SQLITE))
