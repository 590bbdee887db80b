"""Signing keys of other algorithms beside the current one, and who acts with an exchanged token.

Written as SQL and not taken from `tables.py`, which goes on changing: a revision is what it was.
"""

from typing import Final

from alembic import op

revision = "0009"
down_revision = "0008"

_COLUMNS: Final = "kid, algorithm, status, public_jwk, sealed, pepper_id, created_at, activated_at, retired_at, published_until"
_INDEX: Final = (
    "CREATE UNIQUE INDEX uq_signing_keys_status ON signing_keys (status) WHERE status IN ('next', 'current')"
)
# SQLite cannot change a constraint: the few rows move to another table.
_SQLITE: Final = (
    """
    CREATE TABLE moved_signing_keys (
        kid TEXT NOT NULL,
        algorithm VARCHAR(32) NOT NULL,
        status VARCHAR(32) NOT NULL,
        public_jwk TEXT NOT NULL,
        sealed BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        activated_at BIGINT,
        retired_at BIGINT,
        published_until BIGINT,
        CONSTRAINT pk_signing_keys PRIMARY KEY (kid),
        CONSTRAINT ck_signing_keys_algorithm CHECK (algorithm IN ('EdDSA', 'ES256', 'RS256')),
        CONSTRAINT ck_signing_keys_status CHECK (status IN ('next', 'current', 'beside', 'retired')),
        CONSTRAINT ck_signing_keys_retired CHECK ((status = 'retired') = (retired_at IS NOT NULL)),
        CONSTRAINT ck_signing_keys_published_until CHECK ((retired_at IS NULL) = (published_until IS NULL))
    )
    """,
    f"INSERT INTO moved_signing_keys ({_COLUMNS}) SELECT {_COLUMNS} FROM signing_keys",  # noqa: S608 - names of this file
    "DROP TABLE signing_keys",
    "ALTER TABLE moved_signing_keys RENAME TO signing_keys",
)
_POSTGRESQL: Final = (
    "DROP INDEX uq_signing_keys_status",
    "ALTER TABLE signing_keys DROP CONSTRAINT ck_signing_keys_status",
    """
    ALTER TABLE signing_keys ADD CONSTRAINT ck_signing_keys_status
    CHECK (status IN ('next', 'current', 'beside', 'retired'))
    """,
)


def upgrade() -> None:
    """Make room for both; whatever there is, stays as it is."""
    on_postgresql = op.get_context().dialect.name == "postgresql"
    for statement in _POSTGRESQL if on_postgresql else _SQLITE:
        op.execute(statement)
    op.execute(_INDEX)
    op.execute("ALTER TABLE credentials ADD COLUMN act TEXT")
