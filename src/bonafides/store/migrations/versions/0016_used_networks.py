"""Which networks keys are used from.

Written as SQL and not taken from `tables.py`, which goes on changing: a revision is what it was.
"""

from typing import Final

from alembic import op

revision = "0016"
down_revision = "0015"

_SQLITE: Final = {"id": "TEXT", "end": "WITHOUT ROWID"}
_POSTGRESQL: Final = {"id": 'TEXT COLLATE "C"', "end": ""}

_TABLE: Final = """
    CREATE TABLE used_networks (
        credential_id {id} NOT NULL,
        network {id} NOT NULL,
        tenant_id {id} NOT NULL,
        user_id {id} NOT NULL,
        first_used_at BIGINT NOT NULL,
        last_used_at BIGINT NOT NULL,
        requests BIGINT NOT NULL,
        CONSTRAINT pk_used_networks PRIMARY KEY (credential_id, network),
        CONSTRAINT ck_used_networks_requests CHECK (requests > 0)
    ) {end}
"""


def upgrade() -> None:
    """Make the table; what was used before is not known."""
    on_postgresql = op.get_context().dialect.name == "postgresql"
    op.execute(_TABLE.format_map(_POSTGRESQL if on_postgresql else _SQLITE))
    op.execute(
        "CREATE INDEX ix_used_networks_first ON used_networks (tenant_id, first_used_at, credential_id)"
    )
    op.execute("CREATE INDEX ix_used_networks_network ON used_networks (tenant_id, network, user_id)")
