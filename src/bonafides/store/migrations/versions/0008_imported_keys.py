"""Keys that were made elsewhere: by what was kept of them there, and how they are recognised.

Written as SQL and not taken from `tables.py`, which goes on changing: a revision is what it was.
"""

from typing import Final

from alembic import op

revision = "0008"
down_revision = "0007"

_SQLITE: Final = {"id": "TEXT", "bytes": "BLOB", "storage": "WITHOUT ROWID"}
_POSTGRESQL: Final = {"id": 'TEXT COLLATE "C"', "bytes": "BYTEA", "storage": ""}

_SCHEMA: Final = (
    """
    CREATE TABLE foreign_digests (
        digest {bytes} NOT NULL,
        pepper_id TEXT NOT NULL,
        credential_id {id} NOT NULL,
        prefix TEXT,
        hash TEXT,
        CONSTRAINT pk_foreign_digests PRIMARY KEY (digest),
        CONSTRAINT ck_foreign_digests_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_foreign_digests_hash CHECK ((prefix IS NULL) = (hash IS NULL))
    ) {storage}
    """,
    "CREATE INDEX ix_foreign_digests_prefix ON foreign_digests (prefix) WHERE prefix IS NOT NULL",
    """
    CREATE TABLE foreign_rules (
        id {id} NOT NULL,
        scheme VARCHAR(32) NOT NULL,
        sealed_key {bytes} NOT NULL,
        prefix_length BIGINT NOT NULL,
        CONSTRAINT pk_foreign_rules PRIMARY KEY (id),
        CONSTRAINT ck_foreign_rules_scheme CHECK (scheme IN ('plain', 'sha256', 'sha512', 'hmac-sha256', 'hash'))
    )
    """,
)


def upgrade() -> None:
    """Make the tables; nothing was imported before."""
    on_postgresql = op.get_context().dialect.name == "postgresql"
    for statement in _SCHEMA:
        op.execute(statement.format_map(_POSTGRESQL if on_postgresql else _SQLITE))
