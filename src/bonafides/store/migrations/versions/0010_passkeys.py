"""Passkeys.

Written as SQL and not taken from `tables.py`, which goes on changing: a revision is what it was.
"""

from typing import Final

from alembic import op

revision = "0010"
down_revision = "0009"

_SQLITE: Final = {"id": "TEXT", "bytes": "BLOB"}
_POSTGRESQL: Final = {"id": 'TEXT COLLATE "C"', "bytes": "BYTEA"}

_SCHEMA: Final = (
    """
    CREATE TABLE passkeys (
        id {id} NOT NULL,
        user_id {id} NOT NULL,
        credential_id {bytes} NOT NULL,
        public_key {bytes} NOT NULL,
        sign_count BIGINT NOT NULL,
        transports TEXT NOT NULL,
        aaguid TEXT NOT NULL,
        name TEXT NOT NULL,
        backup_eligible BOOLEAN NOT NULL,
        backed_up BOOLEAN NOT NULL,
        created_at BIGINT NOT NULL,
        last_used_at BIGINT,
        suspected_at BIGINT,
        CONSTRAINT pk_passkeys PRIMARY KEY (id),
        CONSTRAINT uq_passkeys_credential_id UNIQUE (credential_id),
        CONSTRAINT fk_passkeys_user_id FOREIGN KEY(user_id) REFERENCES users (id),
        CONSTRAINT ck_passkeys_credential_id_length CHECK (length(credential_id) BETWEEN 1 AND 1023),
        CONSTRAINT ck_passkeys_sign_count CHECK (sign_count >= 0),
        CONSTRAINT ck_passkeys_backed_up CHECK (backup_eligible OR NOT backed_up),
        CONSTRAINT ck_passkeys_name_length CHECK (length(name) BETWEEN 1 AND 100)
    )
    """,
    "CREATE INDEX ix_passkeys_user ON passkeys (user_id, created_at, id)",
)


def upgrade() -> None:
    """Make the table; nobody has a passkey yet."""
    on_postgresql = op.get_context().dialect.name == "postgresql"
    for statement in _SCHEMA:
        op.execute(statement.format_map(_POSTGRESQL if on_postgresql else _SQLITE))
