"""The first schema: directory, plans, credentials, audit trail, change feed, idempotency.

Written as SQL and not taken from `tables.py`, which goes on changing: a revision is what it was.
"""

from typing import Final

from alembic import op

revision = "0001"
down_revision = None

_SQLITE: Final = {"id": "TEXT", "bytes": "BLOB", "serial": "INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT"}
_POSTGRESQL: Final = {
    "id": 'TEXT COLLATE "C"',
    "bytes": "BYTEA",
    "serial": "BIGSERIAL CONSTRAINT pk_changes PRIMARY KEY",
}

_SCHEMA: Final = (
    """
    CREATE TABLE plans (
        name {id} NOT NULL,
        requests_per_hour BIGINT,
        burst BIGINT,
        per_method TEXT NOT NULL,
        count_by VARCHAR(32) NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_plans PRIMARY KEY (name),
        CONSTRAINT ck_plans_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_plans_requests_per_hour CHECK (requests_per_hour >= 0),
        CONSTRAINT ck_plans_burst CHECK (burst >= 0),
        CONSTRAINT ck_plans_count_by CHECK (count_by IN ('credential', 'user', 'tenant'))
    )
    """,
    "CREATE INDEX ix_plans_created ON plans (created_at, name)",
    """
    CREATE TABLE tenants (
        id {id} NOT NULL,
        name TEXT NOT NULL,
        status VARCHAR(32) NOT NULL,
        plan {id},
        operator BOOLEAN NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_tenants PRIMARY KEY (id),
        CONSTRAINT ck_tenants_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_tenants_plan CHECK (plan IS NOT NULL OR status = 'deleted'),
        CONSTRAINT ck_tenants_operator_active CHECK (NOT operator OR status = 'active'),
        CONSTRAINT ck_tenants_status CHECK (status IN ('active', 'disabled', 'deleted')),
        CONSTRAINT fk_tenants_plan FOREIGN KEY(plan) REFERENCES plans (name) ON DELETE SET NULL
    )
    """,
    "CREATE INDEX ix_tenants_created ON tenants (created_at, id)",
    "CREATE INDEX ix_tenants_plan ON tenants (plan)",
    "CREATE UNIQUE INDEX uq_tenants_name ON tenants (name) WHERE status <> 'deleted'",
    "CREATE UNIQUE INDEX uq_tenants_operator ON tenants (operator) WHERE operator",
    """
    CREATE TABLE users (
        id {id} NOT NULL,
        tenant_id {id} NOT NULL,
        kind VARCHAR(32) NOT NULL,
        email TEXT,
        email_folded TEXT,
        name TEXT NOT NULL,
        role VARCHAR(32) NOT NULL,
        scopes TEXT,
        status VARCHAR(32) NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_users PRIMARY KEY (id),
        CONSTRAINT uq_users_tenant_id_id UNIQUE (tenant_id, id),
        CONSTRAINT uq_users_id_kind UNIQUE (id, kind),
        CONSTRAINT ck_users_name_length CHECK (length(name) <= 255),
        CONSTRAINT ck_users_email_length CHECK (length(email) BETWEEN 1 AND 320),
        CONSTRAINT ck_users_scopes_length CHECK (length(scopes) <= 8192),
        CONSTRAINT ck_users_email_folded CHECK ((email IS NULL) = (email_folded IS NULL)),
        CONSTRAINT fk_users_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (id),
        CONSTRAINT ck_users_kind CHECK (kind IN ('person', 'service')),
        CONSTRAINT ck_users_role CHECK (role IN ('owner', 'admin', 'member')),
        CONSTRAINT ck_users_status CHECK (status IN ('active', 'disabled', 'deleted'))
    )
    """,
    "CREATE INDEX ix_users_created ON users (created_at, id)",
    "CREATE INDEX ix_users_tenant_created ON users (tenant_id, created_at, id)",
    "CREATE UNIQUE INDEX uq_users_email ON users (tenant_id, email_folded) WHERE status <> 'deleted'",
    """
    CREATE TABLE passwords (
        user_id {id} NOT NULL,
        user_kind VARCHAR(32) NOT NULL,
        hash TEXT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_passwords PRIMARY KEY (user_id),
        CONSTRAINT fk_passwords_user_id_user_kind FOREIGN KEY(user_id, user_kind) REFERENCES users (id, kind),
        CONSTRAINT ck_passwords_person CHECK (user_kind = 'person'),
        CONSTRAINT ck_passwords_hash_length CHECK (length(hash) BETWEEN 1 AND 1024),
        CONSTRAINT ck_passwords_user_kind CHECK (user_kind IN ('person', 'service'))
    )
    """,
    """
    CREATE TABLE credentials (
        id {id} NOT NULL,
        kind VARCHAR(32) NOT NULL,
        tenant_id {id} NOT NULL,
        user_id {id} NOT NULL,
        name TEXT NOT NULL,
        scopes TEXT NOT NULL,
        plan {id},
        status VARCHAR(32) NOT NULL,
        expires_at BIGINT,
        overlap_ends_at BIGINT,
        parent_id {id},
        root_id {id} NOT NULL,
        allowed_ips TEXT NOT NULL,
        metadata TEXT NOT NULL,
        display TEXT NOT NULL,
        created_by {id},
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        last_used_at BIGINT,
        revoked_at BIGINT,
        revocation_reason TEXT,
        digest {bytes} NOT NULL,
        pepper_id TEXT NOT NULL,
        CONSTRAINT pk_credentials PRIMARY KEY (id),
        CONSTRAINT fk_credentials_tenant_id_user_id FOREIGN KEY(tenant_id, user_id) REFERENCES users (tenant_id, id),
        CONSTRAINT fk_credentials_tenant_id_parent_id FOREIGN KEY(tenant_id, parent_id) REFERENCES credentials (tenant_id, id),
        CONSTRAINT uq_credentials_tenant_id_id UNIQUE (tenant_id, id),
        CONSTRAINT ck_credentials_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_credentials_name_length CHECK (length(name) <= 255),
        CONSTRAINT ck_credentials_scopes_length CHECK (length(scopes) <= 8192),
        CONSTRAINT ck_credentials_metadata_length CHECK (length(metadata) <= 131072),
        CONSTRAINT ck_credentials_lineage CHECK ((parent_id IS NULL) = (root_id = id)),
        CONSTRAINT ck_credentials_revoked CHECK ((status = 'revoked') = (revoked_at IS NOT NULL)),
        CONSTRAINT ck_credentials_revocation_reason CHECK (revocation_reason IS NULL OR status = 'revoked'),
        CONSTRAINT ck_credentials_kind CHECK (kind IN ('api_key', 'bearer_token', 'personal_access_token', 'oauth_access_token', 'jwt_session')),
        CONSTRAINT fk_credentials_plan FOREIGN KEY(plan) REFERENCES plans (name) ON DELETE SET NULL,
        CONSTRAINT ck_credentials_status CHECK (status IN ('active', 'disabled', 'revoked')),
        CONSTRAINT uq_credentials_digest UNIQUE (digest)
    )
    """,
    "CREATE INDEX ix_credentials_created ON credentials (created_at, id)",
    "CREATE INDEX ix_credentials_parent ON credentials (parent_id) WHERE parent_id IS NOT NULL",
    "CREATE INDEX ix_credentials_plan ON credentials (plan) WHERE plan IS NOT NULL",
    "CREATE INDEX ix_credentials_tenant_created ON credentials (tenant_id, created_at, id)",
    "CREATE INDEX ix_credentials_user_created ON credentials (user_id, created_at, id)",
    """
    CREATE TABLE audit_events (
        id {id} NOT NULL,
        at BIGINT NOT NULL,
        tenant_id {id} NOT NULL,
        action TEXT NOT NULL,
        subject_kind TEXT NOT NULL,
        subject_id {id} NOT NULL,
        actor_user_id {id},
        actor_credential_id {id},
        actor_via TEXT NOT NULL,
        actor_request_id TEXT,
        actor_address TEXT,
        details TEXT NOT NULL,
        CONSTRAINT pk_audit_events PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX ix_audit_events_at ON audit_events (at, id)",
    "CREATE INDEX ix_audit_events_subject ON audit_events (subject_id, at, id)",
    "CREATE INDEX ix_audit_events_tenant_at ON audit_events (tenant_id, at, id)",
    """
    CREATE TABLE changes (
        sequence {serial},
        transaction_id BIGINT NOT NULL,
        kind VARCHAR(32) NOT NULL,
        subject_id {id} NOT NULL,
        at BIGINT NOT NULL,
        CONSTRAINT ck_changes_kind CHECK (kind IN ('credential_created', 'credential', 'user', 'tenant', 'plan'))
    )
    """,
    "CREATE INDEX ix_changes_transaction ON changes (transaction_id)",
    """
    CREATE TABLE feed_bounds (
        id BIGINT NOT NULL,
        pruned_through BIGINT NOT NULL,
        CONSTRAINT pk_feed_bounds PRIMARY KEY (id),
        CONSTRAINT ck_feed_bounds_single CHECK (id = 1)
    )
    """,
    """
    CREATE TABLE idempotency_claims (
        key_digest {bytes} NOT NULL,
        request_digest {bytes} NOT NULL,
        sealed_answer {bytes} NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_idempotency_claims PRIMARY KEY (key_digest)
    )
    """,
    "CREATE INDEX ix_idempotency_claims_expires ON idempotency_claims (expires_at)",
    "INSERT INTO feed_bounds (id, pruned_through) VALUES (1, 0)",
)

_APPEND_ONLY_SQLITE: Final = (
    """
    CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
    """,
    """
    CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
    """,
)

_APPEND_ONLY_POSTGRESQL: Final = (
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$
    """,
    """
    CREATE TRIGGER audit_events_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
)


def upgrade() -> None:
    """Make everything; there are no rows before it."""
    on_postgresql = op.get_context().dialect.name == "postgresql"
    for statement in _SCHEMA:
        op.execute(statement.format_map(_POSTGRESQL if on_postgresql else _SQLITE))
    for statement in _APPEND_ONLY_POSTGRESQL if on_postgresql else _APPEND_ONLY_SQLITE:
        op.execute(statement)
