"""Requests counted by lineage, too.

Written as SQL and not taken from `tables.py`, which goes on changing: a revision is what it was.
"""

from typing import Final

from alembic import op

revision = "0011"
down_revision = "0010"

_SQLITE: Final = "TEXT"
_POSTGRESQL: Final = 'TEXT COLLATE "C"'


def upgrade() -> None:
    """Make room for the first of each lineage; what was counted before stays with the credential alone."""
    on_postgresql = op.get_context().dialect.name == "postgresql"
    op.execute(f"ALTER TABLE usage_counts ADD COLUMN root_id {_POSTGRESQL if on_postgresql else _SQLITE}")
