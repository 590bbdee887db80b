"""Webhooks, what they are told, and which scopes credentials have used.

Written as SQL and not taken from `tables.py`, which goes on changing: a revision is what it was.
"""

from typing import Final

from alembic import op

revision = "0013"
down_revision = "0012"

_SQLITE: Final = {"id": "TEXT", "bytes": "BLOB"}
_POSTGRESQL: Final = {"id": 'TEXT COLLATE "C"', "bytes": "BYTEA"}

_SCHEMA: Final = (
    """
    CREATE TABLE webhooks (
        id {id} NOT NULL,
        tenant_id {id} NOT NULL,
        name TEXT NOT NULL,
        url TEXT NOT NULL,
        events TEXT NOT NULL,
        status VARCHAR(32) NOT NULL,
        disabled_because TEXT,
        failures BIGINT NOT NULL,
        failing_since BIGINT,
        quiet_until BIGINT,
        sealed_secret {bytes} NOT NULL,
        pepper_id {id} NOT NULL,
        old_sealed_secret {bytes} NOT NULL,
        old_pepper_id {id},
        old_secret_until BIGINT,
        created_by {id},
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_webhooks PRIMARY KEY (id),
        CONSTRAINT fk_webhooks_tenant_id FOREIGN KEY (tenant_id) REFERENCES tenants (id),
        CONSTRAINT fk_webhooks_created_by FOREIGN KEY (created_by) REFERENCES users (id),
        CONSTRAINT ck_webhooks_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_webhooks_url_length CHECK (length(url) BETWEEN 1 AND 2000),
        CONSTRAINT ck_webhooks_status CHECK (status IN ('active', 'disabled')),
        CONSTRAINT ck_webhooks_failures CHECK (failures >= 0)
    )
    """,
    "CREATE INDEX ix_webhooks_tenant ON webhooks (tenant_id, created_at, id)",
    """
    CREATE TABLE webhook_deliveries (
        webhook_id {id} NOT NULL,
        event_id {id} NOT NULL,
        action TEXT NOT NULL,
        status VARCHAR(32) NOT NULL,
        created_at BIGINT NOT NULL,
        due_at BIGINT NOT NULL,
        tries BIGINT NOT NULL,
        attempts TEXT NOT NULL,
        CONSTRAINT pk_webhook_deliveries PRIMARY KEY (webhook_id, event_id),
        CONSTRAINT ck_webhook_deliveries_status CHECK (status IN ('waiting', 'delivered', 'failed')),
        CONSTRAINT ck_webhook_deliveries_tries CHECK (tries >= 0)
    )
    """,
    """
    CREATE INDEX ix_webhook_deliveries_due ON webhook_deliveries (webhook_id, due_at, event_id)
    WHERE status = 'waiting'
    """,
    "CREATE INDEX ix_webhook_deliveries_webhook ON webhook_deliveries (webhook_id, created_at, event_id)",
    "CREATE INDEX ix_webhook_deliveries_created ON webhook_deliveries (created_at)",
    """
    CREATE TABLE used_scopes (
        credential_id {id} NOT NULL,
        scope TEXT NOT NULL,
        first_used_at BIGINT NOT NULL,
        CONSTRAINT pk_used_scopes PRIMARY KEY (credential_id, scope)
    )
    """,
)


def upgrade() -> None:
    """Make the tables."""
    on_postgresql = op.get_context().dialect.name == "postgresql"
    for statement in _SCHEMA:
        op.execute(statement.format_map(_POSTGRESQL if on_postgresql else _SQLITE))
