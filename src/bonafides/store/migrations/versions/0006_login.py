"""Login: signing keys, sessions, refresh tokens, secrets that serve once, guesses, second factors.

Written as SQL and not taken from `tables.py`, which goes on changing: a revision is what it was.
"""

from typing import Final

from alembic import op

revision = "0006"
down_revision = "0005"

_SCHEMA: Final = (
    """
    CREATE TABLE signing_keys (
        kid {id} NOT NULL,
        algorithm VARCHAR(32) NOT NULL,
        status VARCHAR(32) NOT NULL,
        public_jwk TEXT NOT NULL,
        sealed {bytes} NOT NULL,
        pepper_id TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        activated_at BIGINT,
        retired_at BIGINT,
        published_until BIGINT,
        CONSTRAINT pk_signing_keys PRIMARY KEY (kid),
        CONSTRAINT ck_signing_keys_algorithm CHECK (algorithm IN ('EdDSA', 'ES256', 'RS256')),
        CONSTRAINT ck_signing_keys_status CHECK (status IN ('next', 'current', 'retired')),
        CONSTRAINT ck_signing_keys_retired CHECK ((status = 'retired') = (retired_at IS NOT NULL)),
        CONSTRAINT ck_signing_keys_published_until CHECK ((retired_at IS NULL) = (published_until IS NULL))
    )
    """,
    "CREATE UNIQUE INDEX uq_signing_keys_status ON signing_keys (status) WHERE status <> 'retired'",
    """
    CREATE TABLE sessions (
        id {id} NOT NULL,
        tenant_id {id} NOT NULL,
        user_id {id} NOT NULL,
        device TEXT NOT NULL,
        address TEXT,
        methods TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        seen_at BIGINT NOT NULL,
        authenticated_at BIGINT NOT NULL,
        ends_at BIGINT NOT NULL,
        CONSTRAINT pk_sessions PRIMARY KEY (id),
        CONSTRAINT fk_sessions_id FOREIGN KEY(id) REFERENCES credentials (id) ON DELETE CASCADE,
        CONSTRAINT ck_sessions_device_length CHECK (length(device) <= 255)
    )
    """,
    "CREATE INDEX ix_sessions_user_created ON sessions (user_id, created_at, id)",
    "CREATE INDEX ix_sessions_tenant_created ON sessions (tenant_id, created_at, id)",
    """
    CREATE TABLE refresh_tokens (
        digest {bytes} NOT NULL,
        pepper_id TEXT NOT NULL,
        session_id {id} NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        spent_at BIGINT,
        successor {bytes},
        sealed_answer {bytes},
        CONSTRAINT pk_refresh_tokens PRIMARY KEY (digest),
        CONSTRAINT fk_refresh_tokens_session_id FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE,
        CONSTRAINT ck_refresh_tokens_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_refresh_tokens_successor CHECK ((spent_at IS NULL) = (successor IS NULL)),
        CONSTRAINT ck_refresh_tokens_sealed_answer CHECK (sealed_answer IS NULL OR spent_at IS NOT NULL)
    )
    """,
    "CREATE INDEX ix_refresh_tokens_session ON refresh_tokens (session_id)",
    "CREATE INDEX ix_refresh_tokens_expires ON refresh_tokens (expires_at)",
    """
    CREATE TABLE one_time_secrets (
        id {id} NOT NULL,
        purpose VARCHAR(32) NOT NULL,
        tenant_id {id} NOT NULL,
        user_id {id} NOT NULL,
        email_folded TEXT,
        digest {bytes} NOT NULL,
        pepper_id TEXT NOT NULL,
        created_by {id},
        failures BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        redeemed_at BIGINT,
        CONSTRAINT pk_one_time_secrets PRIMARY KEY (id),
        CONSTRAINT uq_one_time_secrets_digest UNIQUE (digest),
        CONSTRAINT fk_one_time_secrets_tenant_id_user_id FOREIGN KEY(tenant_id, user_id)
            REFERENCES users (tenant_id, id),
        CONSTRAINT ck_one_time_secrets_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_one_time_secrets_failures CHECK (failures >= 0),
        CONSTRAINT ck_one_time_secrets_purpose CHECK (purpose IN ('invitation', 'password_reset', 'login'))
    )
    """,
    "CREATE INDEX ix_one_time_secrets_user ON one_time_secrets (user_id, purpose)",
    "CREATE INDEX ix_one_time_secrets_expires ON one_time_secrets (expires_at)",
    """
    CREATE TABLE guesses (
        subject {id} NOT NULL,
        failures BIGINT NOT NULL,
        refused_until_us BIGINT NOT NULL,
        seen_us BIGINT NOT NULL,
        CONSTRAINT pk_guesses PRIMARY KEY (subject),
        CONSTRAINT ck_guesses_failures CHECK (failures >= 0)
    )
    """,
    """
    CREATE TABLE known_places (
        user_id {id} NOT NULL,
        place {id} NOT NULL,
        seen_at BIGINT NOT NULL,
        CONSTRAINT pk_known_places PRIMARY KEY (user_id, place),
        CONSTRAINT fk_known_places_user_id FOREIGN KEY(user_id) REFERENCES users (id)
    )
    """,
    """
    CREATE TABLE totp_factors (
        user_id {id} NOT NULL,
        sealed {bytes} NOT NULL,
        pepper_id TEXT NOT NULL,
        last_counter BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        confirmed_at BIGINT,
        CONSTRAINT pk_totp_factors PRIMARY KEY (user_id),
        CONSTRAINT fk_totp_factors_user_id FOREIGN KEY(user_id) REFERENCES users (id)
    )
    """,
    """
    CREATE TABLE recovery_codes (
        digest {bytes} NOT NULL,
        pepper_id TEXT NOT NULL,
        user_id {id} NOT NULL,
        created_at BIGINT NOT NULL,
        redeemed_at BIGINT,
        CONSTRAINT pk_recovery_codes PRIMARY KEY (digest),
        CONSTRAINT fk_recovery_codes_user_id FOREIGN KEY(user_id) REFERENCES users (id),
        CONSTRAINT ck_recovery_codes_digest_length CHECK (length(digest) = 32)
    )
    """,
    "CREATE INDEX ix_recovery_codes_user ON recovery_codes (user_id)",
)
_KINDS: Final = "('credential_created', 'credential', 'user', 'tenant', 'plan', 'signing_key')"
_POSTGRESQL: Final = {"id": 'TEXT COLLATE "C"', "bytes": "BYTEA"}
_SQLITE: Final = {"id": "TEXT", "bytes": "BLOB"}

# The feed takes a new kind. SQLite changes no constraint: the table is made anew, with its rows and its numbering.
_FEED_POSTGRESQL: Final = (
    "ALTER TABLE changes DROP CONSTRAINT ck_changes_kind",
    f"ALTER TABLE changes ADD CONSTRAINT ck_changes_kind CHECK (kind IN {_KINDS})",
)
_FEED_SQLITE: Final = (
    f"""
    CREATE TABLE changes_anew (
        sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        transaction_id BIGINT NOT NULL,
        kind VARCHAR(32) NOT NULL,
        subject_id TEXT NOT NULL,
        at BIGINT NOT NULL,
        CONSTRAINT ck_changes_kind CHECK (kind IN {_KINDS})
    )
    """,
    "INSERT INTO sqlite_sequence SELECT 'changes_anew', seq FROM sqlite_sequence WHERE name = 'changes'",
    "INSERT INTO changes_anew SELECT sequence, transaction_id, kind, subject_id, at FROM changes",
    "DROP TABLE changes",
    "ALTER TABLE changes_anew RENAME TO changes",
    "CREATE INDEX ix_changes_transaction ON changes (transaction_id)",
)


def upgrade() -> None:
    """Make the tables; nobody has logged in before."""
    on_postgresql = op.get_context().dialect.name == "postgresql"
    types, feed = (_POSTGRESQL, _FEED_POSTGRESQL) if on_postgresql else (_SQLITE, _FEED_SQLITE)
    for statement in _SCHEMA:
        op.execute(statement.format_map(types))
    for statement in feed:
        op.execute(statement)
