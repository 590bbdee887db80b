"""OAuth 2.0: clients and their secrets, grants, codes, requests, devices, consents.

Written as SQL and not taken from `tables.py`, which goes on changing: a revision is what it was.
"""

from typing import Final

from alembic import op

revision = "0007"
down_revision = "0006"

_SCHEMA: Final = (
    "ALTER TABLE credentials ADD COLUMN client_id {id}",
    "ALTER TABLE credentials ADD COLUMN audiences TEXT",
    "ALTER TABLE credentials ADD COLUMN jkt TEXT",
    """
    CREATE TABLE clients (
        id {id} NOT NULL,
        tenant_id {id} NOT NULL,
        name TEXT NOT NULL,
        grant_types TEXT NOT NULL,
        response_types TEXT NOT NULL,
        redirect_uris TEXT NOT NULL,
        post_logout_redirect_uris TEXT NOT NULL,
        scopes TEXT NOT NULL,
        audiences TEXT NOT NULL,
        token_endpoint_auth_method VARCHAR(32) NOT NULL,
        jwks TEXT NOT NULL,
        metadata TEXT NOT NULL,
        require_pkce BOOLEAN NOT NULL,
        first_party BOOLEAN NOT NULL,
        dpop_bound BOOLEAN NOT NULL,
        token_format VARCHAR(32) NOT NULL,
        access_token_seconds BIGINT,
        registered BOOLEAN NOT NULL,
        registration_digest {bytes},
        registration_pepper_id TEXT,
        created_by {id},
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_clients PRIMARY KEY (id),
        CONSTRAINT fk_clients_tenant_id_id FOREIGN KEY(tenant_id, id) REFERENCES users (tenant_id, id),
        CONSTRAINT ck_clients_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_clients_access_token_seconds CHECK (access_token_seconds > 0),
        CONSTRAINT ck_clients_registration_pepper_id
            CHECK ((registration_digest IS NULL) = (registration_pepper_id IS NULL)),
        CONSTRAINT ck_clients_token_endpoint_auth_method
            CHECK (token_endpoint_auth_method IN ('client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none')),
        CONSTRAINT ck_clients_token_format CHECK (token_format IN ('opaque', 'jwt'))
    )
    """,
    "CREATE INDEX ix_clients_created ON clients (created_at, id)",
    "CREATE INDEX ix_clients_tenant_created ON clients (tenant_id, created_at, id)",
    """
    CREATE TABLE client_secrets (
        id {id} NOT NULL,
        client_id {id} NOT NULL,
        name TEXT NOT NULL,
        display TEXT NOT NULL,
        digest {bytes} NOT NULL,
        pepper_id TEXT NOT NULL,
        created_by {id},
        created_at BIGINT NOT NULL,
        expires_at BIGINT,
        CONSTRAINT pk_client_secrets PRIMARY KEY (id),
        CONSTRAINT ck_client_secrets_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_client_secrets_digest_length CHECK (length(digest) = 32),
        CONSTRAINT fk_client_secrets_client_id FOREIGN KEY(client_id) REFERENCES clients (id),
        CONSTRAINT uq_client_secrets_digest UNIQUE (digest)
    )
    """,
    "CREATE INDEX ix_client_secrets_client ON client_secrets (client_id, created_at, id)",
    """
    CREATE TABLE grants (
        id {id} NOT NULL,
        tenant_id {id} NOT NULL,
        user_id {id} NOT NULL,
        client_id {id} NOT NULL,
        session_id {id},
        scopes TEXT NOT NULL,
        resources TEXT NOT NULL,
        authenticated_at BIGINT,
        methods TEXT NOT NULL,
        acr TEXT,
        nonce TEXT,
        claims TEXT NOT NULL,
        jkt TEXT,
        created_at BIGINT NOT NULL,
        ends_at BIGINT NOT NULL,
        CONSTRAINT pk_grants PRIMARY KEY (id),
        CONSTRAINT fk_grants_id FOREIGN KEY(id) REFERENCES credentials (id) ON DELETE CASCADE,
        CONSTRAINT fk_grants_client_id FOREIGN KEY(client_id) REFERENCES clients (id)
    )
    """,
    "CREATE INDEX ix_grants_client ON grants (client_id, created_at, id)",
    "CREATE INDEX ix_grants_session ON grants (session_id)",
    "CREATE INDEX ix_grants_user ON grants (user_id, created_at, id)",
    """
    CREATE TABLE grant_refresh_tokens (
        digest {bytes} NOT NULL,
        pepper_id TEXT NOT NULL,
        grant_id {id} NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        spent_at BIGINT,
        successor {bytes},
        sealed_answer {bytes},
        CONSTRAINT pk_grant_refresh_tokens PRIMARY KEY (digest),
        CONSTRAINT ck_grant_refresh_tokens_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_grant_refresh_tokens_successor CHECK ((spent_at IS NULL) = (successor IS NULL)),
        CONSTRAINT ck_grant_refresh_tokens_sealed_answer
            CHECK (sealed_answer IS NULL OR spent_at IS NOT NULL),
        CONSTRAINT fk_grant_refresh_tokens_grant_id FOREIGN KEY(grant_id)
            REFERENCES grants (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_grant_refresh_tokens_expires ON grant_refresh_tokens (expires_at)",
    "CREATE INDEX ix_grant_refresh_tokens_grant ON grant_refresh_tokens (grant_id)",
    """
    CREATE TABLE authorization_codes (
        digest {bytes} NOT NULL,
        pepper_id TEXT NOT NULL,
        client_id {id} NOT NULL,
        tenant_id {id} NOT NULL,
        user_id {id} NOT NULL,
        session_id {id},
        redirect_uri TEXT NOT NULL,
        redirect_uri_given BOOLEAN NOT NULL,
        code_challenge TEXT,
        scopes TEXT NOT NULL,
        resources TEXT NOT NULL,
        authenticated_at BIGINT NOT NULL,
        methods TEXT NOT NULL,
        acr TEXT,
        nonce TEXT,
        claims TEXT NOT NULL,
        jkt TEXT,
        grant_id {id},
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_authorization_codes PRIMARY KEY (digest),
        CONSTRAINT fk_authorization_codes_tenant_id_user_id FOREIGN KEY(tenant_id, user_id)
            REFERENCES users (tenant_id, id),
        CONSTRAINT ck_authorization_codes_digest_length CHECK (length(digest) = 32),
        CONSTRAINT fk_authorization_codes_client_id FOREIGN KEY(client_id) REFERENCES clients (id)
    )
    """,
    "CREATE INDEX ix_authorization_codes_expires ON authorization_codes (expires_at)",
    """
    CREATE TABLE pushed_requests (
        digest {bytes} NOT NULL,
        pepper_id TEXT NOT NULL,
        client_id {id} NOT NULL,
        tenant_id {id} NOT NULL,
        parameters TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        spent_at BIGINT,
        CONSTRAINT pk_pushed_requests PRIMARY KEY (digest),
        CONSTRAINT ck_pushed_requests_digest_length CHECK (length(digest) = 32),
        CONSTRAINT fk_pushed_requests_client_id FOREIGN KEY(client_id) REFERENCES clients (id)
    )
    """,
    "CREATE INDEX ix_pushed_requests_expires ON pushed_requests (expires_at)",
    """
    CREATE TABLE device_codes (
        digest {bytes} NOT NULL,
        pepper_id TEXT NOT NULL,
        user_code_digest {bytes} NOT NULL,
        client_id {id} NOT NULL,
        tenant_id {id} NOT NULL,
        scopes TEXT NOT NULL,
        resources TEXT NOT NULL,
        status VARCHAR(32) NOT NULL,
        interval_seconds BIGINT NOT NULL,
        polled_at BIGINT,
        user_id {id},
        session_id {id},
        authenticated_at BIGINT,
        methods TEXT NOT NULL,
        nonce TEXT,
        address TEXT,
        grant_id {id},
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_device_codes PRIMARY KEY (digest),
        CONSTRAINT ck_device_codes_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_device_codes_user_code_digest_length CHECK (length(user_code_digest) = 32),
        CONSTRAINT ck_device_codes_user_id CHECK (user_id IS NOT NULL OR status = 'pending'),
        CONSTRAINT ck_device_codes_grant_id CHECK ((grant_id IS NOT NULL) = (status = 'redeemed')),
        CONSTRAINT ck_device_codes_interval_seconds CHECK (interval_seconds > 0),
        CONSTRAINT uq_device_codes_user_code_digest UNIQUE (user_code_digest),
        CONSTRAINT fk_device_codes_client_id FOREIGN KEY(client_id) REFERENCES clients (id),
        CONSTRAINT ck_device_codes_status CHECK (status IN ('pending', 'approved', 'denied', 'redeemed'))
    )
    """,
    "CREATE INDEX ix_device_codes_expires ON device_codes (expires_at)",
    """
    CREATE TABLE consents (
        id {id} NOT NULL,
        user_id {id} NOT NULL,
        client_id {id} NOT NULL,
        tenant_id {id} NOT NULL,
        scopes TEXT NOT NULL,
        resources TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_consents PRIMARY KEY (id),
        CONSTRAINT fk_consents_tenant_id_user_id FOREIGN KEY(tenant_id, user_id)
            REFERENCES users (tenant_id, id),
        CONSTRAINT uq_consents_user_id_client_id UNIQUE (user_id, client_id),
        CONSTRAINT fk_consents_client_id FOREIGN KEY(client_id) REFERENCES clients (id)
    )
    """,
    "CREATE INDEX ix_consents_client ON consents (client_id)",
    """
    CREATE TABLE initial_access_tokens (
        id {id} NOT NULL,
        tenant_id {id} NOT NULL,
        name TEXT NOT NULL,
        digest {bytes} NOT NULL,
        pepper_id TEXT NOT NULL,
        display TEXT NOT NULL,
        scopes TEXT NOT NULL,
        uses_left BIGINT,
        created_by {id},
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_initial_access_tokens PRIMARY KEY (id),
        CONSTRAINT ck_initial_access_tokens_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_initial_access_tokens_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_initial_access_tokens_uses_left CHECK (uses_left >= 0),
        CONSTRAINT fk_initial_access_tokens_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (id),
        CONSTRAINT uq_initial_access_tokens_digest UNIQUE (digest)
    )
    """,
    "CREATE INDEX ix_initial_access_tokens_expires ON initial_access_tokens (expires_at)",
    "CREATE INDEX ix_initial_access_tokens_tenant_created ON initial_access_tokens (tenant_id, created_at, id)",
    """
    CREATE TABLE spent_assertions (
        digest {bytes} NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_spent_assertions PRIMARY KEY (digest),
        CONSTRAINT ck_spent_assertions_digest_length CHECK (length(digest) = 32)
    )
    """,
    "CREATE INDEX ix_spent_assertions_expires ON spent_assertions (expires_at)",
)
_POSTGRESQL: Final = {"id": 'TEXT COLLATE "C"', "bytes": "BYTEA"}
_SQLITE: Final = {"id": "TEXT", "bytes": "BLOB"}


def upgrade() -> None:
    """Make the tables; there were no clients before."""
    types = _POSTGRESQL if op.get_context().dialect.name == "postgresql" else _SQLITE
    for statement in _SCHEMA:
        op.execute(statement.format_map(types))
