"""The sums of tenants, beside the counts that they are of.

Written as SQL and not taken from `tables.py`, which goes on changing: a revision is what it was.
"""

from typing import Final

from alembic import op

revision = "0015"
down_revision = "0014"

_SQLITE: Final = {"id": "TEXT", "end": "WITHOUT ROWID"}
_POSTGRESQL: Final = {"id": 'TEXT COLLATE "C"', "end": ""}

_TABLE: Final = """
    CREATE TABLE usage_totals (
        span BIGINT NOT NULL,
        starts_at BIGINT NOT NULL,
        tenant_id {id} NOT NULL,
        outcome {id} NOT NULL,
        requests BIGINT NOT NULL,
        CONSTRAINT pk_usage_totals PRIMARY KEY (span, starts_at, tenant_id, outcome),
        CONSTRAINT ck_usage_totals_span CHECK (span IN (60, 3600, 86400)),
        CONSTRAINT ck_usage_totals_requests CHECK (requests > 0)
    ) {end}
"""
_FILL: Final = """
    INSERT INTO usage_totals
    SELECT span, starts_at, tenant_id, outcome, sum(requests) FROM usage_counts GROUP BY 1, 2, 3, 4
"""


def upgrade() -> None:
    """Make the table, and sum what was counted before."""
    on_postgresql = op.get_context().dialect.name == "postgresql"
    op.execute(_TABLE.format_map(_POSTGRESQL if on_postgresql else _SQLITE))
    op.execute(_FILL)
