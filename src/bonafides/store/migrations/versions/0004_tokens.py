"""Bearer tokens and personal access tokens: how long they last, and lists of each kind.

Written as SQL and not taken from `tables.py`, which goes on changing: a revision is what it was.
"""

from typing import Final

from alembic import op

revision = "0004"
down_revision = "0003"

_TOKENS: Final = "WHERE kind IN ('bearer_token', 'jwt_session', 'oauth_access_token')"
_STATEMENTS: Final = (
    """
    ALTER TABLE plans ADD COLUMN bearer_token_seconds BIGINT
        CONSTRAINT ck_plans_bearer_token_seconds CHECK (bearer_token_seconds > 0)
    """,
    """
    ALTER TABLE credentials ADD COLUMN bearer_token_seconds BIGINT
        CONSTRAINT ck_credentials_bearer_token_seconds CHECK (bearer_token_seconds > 0)
    """,
    """
    ALTER TABLE tenants ADD COLUMN personal_access_token_seconds_max BIGINT
        CONSTRAINT ck_tenants_personal_access_token_seconds_max CHECK (personal_access_token_seconds_max > 0)
    """,
    "DROP INDEX ix_credentials_created",
    "DROP INDEX ix_credentials_tenant_created",
    "DROP INDEX ix_credentials_user_created",
    "CREATE INDEX ix_credentials_created ON credentials (kind, created_at, id)",
    "CREATE INDEX ix_credentials_tenant_created ON credentials (tenant_id, kind, created_at, id)",
    "CREATE INDEX ix_credentials_user_created ON credentials (user_id, kind, created_at, id)",
    f"CREATE INDEX ix_credentials_token_ends ON credentials (expires_at) {_TOKENS}",
)


def upgrade() -> None:
    """Add the columns, which say nothing yet, and the indices by kind."""
    for statement in _STATEMENTS:
        op.execute(statement)
