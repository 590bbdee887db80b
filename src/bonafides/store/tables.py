"""The tables, and the constraints that hold what must always be true, whoever writes.

`migrations/` makes them; a test compares the two on each database. What is deleted stays as a
tombstone, so that no id is ever given twice and the audit trail always points at something.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from bonafides.delegation import AuthMethod, DeviceStatus, TokenFormat
from bonafides.model import (
    TOKEN_KINDS,
    ChangeKind,
    CountBy,
    CredentialKind,
    CredentialStatus,
    ForeignScheme,
    OneTimePurpose,
    Role,
    SigningAlgorithm,
    SigningKeyStatus,
    Status,
    UserKind,
)
from bonafides.store.columns import (
    ID,
    NUMBER,
    Addresses,
    Attempts,
    Document,
    Figures,
    Moment,
    Phrases,
    Scopes,
    word,
)
from bonafides.webhook import DeliveryStatus, WebhookStatus

REVISION: Final = "0016"
"""The schema that this program reads and writes; migrations end in it."""

metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _moment(name: str, *, required: bool = True) -> Column[Any]:
    return Column(name, Moment, nullable=not required)


def _present(column: str, length_max: int) -> CheckConstraint:
    return CheckConstraint(f"length({column}) BETWEEN 1 AND {length_max}", name=f"{column}_length")


def _positive(column: str) -> CheckConstraint:
    return CheckConstraint(f"{column} > 0", name=column)


_TOKEN: Final = text(f"kind IN {tuple(str(kind) for kind in sorted(TOKEN_KINDS))}")
_ENDING_KEY: Final = text("kind IN ('api_key', 'personal_access_token') AND expires_at IS NOT NULL")

plans: Final = Table(
    "plans",
    metadata,
    Column("name", ID, primary_key=True),
    Column("requests_per_hour", BigInteger),
    Column("burst", BigInteger),
    Column("per_method", Figures, nullable=False),
    Column("count_by", word(CountBy, "count_by"), nullable=False),
    _moment("created_at"),
    _moment("updated_at"),
    Column("bearer_token_seconds", BigInteger),
    _present("name", 255),
    CheckConstraint("requests_per_hour >= 0", name="requests_per_hour"),
    CheckConstraint("burst >= 0", name="burst"),
    _positive("bearer_token_seconds"),
    Index("ix_plans_created", "created_at", "name"),
)

tenants: Final = Table(
    "tenants",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("status", word(Status, "status"), nullable=False),
    # NULL only in a tombstone, whose plan may go.
    Column("plan", ForeignKey("plans.name", ondelete="SET NULL"), type_=ID),
    Column("operator", Boolean, nullable=False),
    _moment("created_at"),
    _moment("updated_at"),
    Column("personal_access_token_seconds_max", BigInteger),
    _positive("personal_access_token_seconds_max"),
    _present("name", 255),
    CheckConstraint("plan IS NOT NULL OR status = 'deleted'", name="plan"),
    CheckConstraint("NOT operator OR status = 'active'", name="operator_active"),
    Index("ix_tenants_created", "created_at", "id"),
    Index("ix_tenants_plan", "plan"),
    Index(
        "uq_tenants_name",
        "name",
        unique=True,
        sqlite_where=text("status <> 'deleted'"),
        postgresql_where=text("status <> 'deleted'"),
    ),
    Index(
        "uq_tenants_operator",
        "operator",
        unique=True,
        sqlite_where=text("operator"),
        postgresql_where=text("operator"),
    ),
)

users: Final = Table(
    "users",
    metadata,
    Column("id", ID, primary_key=True),
    Column("tenant_id", ForeignKey("tenants.id"), type_=ID, nullable=False),
    Column("kind", word(UserKind, "kind"), nullable=False),
    Column("email", Text),
    Column("email_folded", Text),
    Column("name", Text, nullable=False),
    Column("role", word(Role, "role"), nullable=False),
    Column("scopes", Scopes),
    Column("status", word(Status, "status"), nullable=False),
    _moment("created_at"),
    _moment("updated_at"),
    # What composite foreign keys point at: a credential in its user's tenant, a password of a person.
    UniqueConstraint("tenant_id", "id"),
    UniqueConstraint("id", "kind"),
    CheckConstraint("length(name) <= 255", name="name_length"),
    CheckConstraint("length(email) BETWEEN 1 AND 320", name="email_length"),
    CheckConstraint("length(scopes) <= 8192", name="scopes_length"),
    CheckConstraint("(email IS NULL) = (email_folded IS NULL)", name="email_folded"),
    Index("ix_users_created", "created_at", "id"),
    Index("ix_users_tenant_created", "tenant_id", "created_at", "id"),
    Index(
        "uq_users_email",
        "tenant_id",
        "email_folded",
        unique=True,
        sqlite_where=text("status <> 'deleted'"),
        postgresql_where=text("status <> 'deleted'"),
    ),
)

passwords: Final = Table(
    "passwords",
    metadata,
    Column("user_id", ID, primary_key=True),
    Column("user_kind", word(UserKind, "user_kind"), nullable=False),
    Column("hash", Text, nullable=False),
    _moment("updated_at"),
    ForeignKeyConstraint(["user_id", "user_kind"], ["users.id", "users.kind"]),
    CheckConstraint("user_kind = 'person'", name="person"),
    _present("hash", 1024),
)

credentials: Final = Table(
    "credentials",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", word(CredentialKind, "kind"), nullable=False),
    Column("tenant_id", ID, nullable=False),
    Column("user_id", ID, nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", Scopes, nullable=False),
    Column("plan", ForeignKey("plans.name", ondelete="SET NULL"), type_=ID),
    Column("status", word(CredentialStatus, "status"), nullable=False),
    _moment("expires_at", required=False),
    _moment("overlap_ends_at", required=False),
    Column("parent_id", ID),
    Column("root_id", ID, nullable=False),
    Column("allowed_ips", Addresses, nullable=False),
    Column("metadata", Document, nullable=False),
    Column("display", Text, nullable=False),
    Column("created_by", ID),
    _moment("created_at"),
    _moment("updated_at"),
    _moment("last_used_at", required=False),
    _moment("revoked_at", required=False),
    Column("revocation_reason", Text),
    Column("bearer_token_seconds", BigInteger),
    Column("client_id", ID),
    Column("audiences", Addresses),
    Column("jkt", Text),
    Column("act", Document),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("pepper_id", Text, nullable=False),
    ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"]),
    ForeignKeyConstraint(["tenant_id", "parent_id"], ["credentials.tenant_id", "credentials.id"]),
    UniqueConstraint("tenant_id", "id"),
    CheckConstraint("length(digest) = 32", name="digest_length"),
    _positive("bearer_token_seconds"),
    CheckConstraint("length(name) <= 255", name="name_length"),
    CheckConstraint("length(scopes) <= 8192", name="scopes_length"),
    CheckConstraint("length(metadata) <= 131072", name="metadata_length"),
    CheckConstraint("(parent_id IS NULL) = (root_id = id)", name="lineage"),
    CheckConstraint("(status = 'revoked') = (revoked_at IS NOT NULL)", name="revoked"),
    CheckConstraint("revocation_reason IS NULL OR status = 'revoked'", name="revocation_reason"),
    Index("ix_credentials_created", "kind", "created_at", "id"),
    Index("ix_credentials_tenant_created", "tenant_id", "kind", "created_at", "id"),
    Index("ix_credentials_user_created", "user_id", "kind", "created_at", "id"),
    # Tokens that have ended are found by it, to be forgotten.
    Index("ix_credentials_token_ends", "expires_at", sqlite_where=_TOKEN, postgresql_where=_TOKEN),
    # Keys and personal access tokens that end soon.
    Index(
        "ix_credentials_key_ends",
        "kind",
        "expires_at",
        sqlite_where=_ENDING_KEY,
        postgresql_where=_ENDING_KEY,
    ),
    Index(
        "ix_credentials_parent",
        "parent_id",
        sqlite_where=text("parent_id IS NOT NULL"),
        postgresql_where=text("parent_id IS NOT NULL"),
    ),
    Index(
        "ix_credentials_plan",
        "plan",
        sqlite_where=text("plan IS NOT NULL"),
        postgresql_where=text("plan IS NOT NULL"),
    ),
)

# Triggers refuse UPDATE and DELETE. No foreign keys: the trail stands by itself.
audit_events: Final = Table(
    "audit_events",
    metadata,
    Column("id", ID, primary_key=True),
    _moment("at"),
    Column("tenant_id", ID, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", ID, nullable=False),
    Column("actor_user_id", ID),
    Column("actor_credential_id", ID),
    Column("actor_via", Text, nullable=False),
    Column("actor_request_id", Text),
    Column("actor_address", Text),
    Column("details", Document, nullable=False),
    Index("ix_audit_events_at", "at", "id"),
    Index("ix_audit_events_tenant_at", "tenant_id", "at", "id"),
    Index("ix_audit_events_subject", "subject_id", "at", "id"),
)

changes: Final = Table(
    "changes",
    metadata,
    Column("sequence", NUMBER, primary_key=True, autoincrement=True),
    # The transaction that wrote the row, by which a follower reads; on SQLite, which commits in order, 0.
    Column("transaction_id", BigInteger, nullable=False),
    Column("kind", word(ChangeKind, "kind"), nullable=False),
    Column("subject_id", ID, nullable=False),
    _moment("at"),
    Index("ix_changes_transaction", "transaction_id"),
    # A number is never given again, even when the newest rows were pruned.
    sqlite_autoincrement=True,
)

feed_bounds: Final = Table(
    "feed_bounds",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    # No change up to this sequence (SQLite) or of this transaction (PostgreSQL) is sure to be there.
    Column("pruned_through", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="single"),
)

idempotency_claims: Final = Table(
    "idempotency_claims",
    metadata,
    Column("key_digest", LargeBinary, primary_key=True),
    Column("request_digest", LargeBinary, nullable=False),
    Column("sealed_answer", LargeBinary, nullable=False),
    _moment("expires_at"),
    Index("ix_idempotency_claims_expires", "expires_at"),
)

# Bookkeeping: no foreign keys, which each of very many rows would be checked against. Every question names
# the bucket and, from the left, whose it is, so the primary key is the only index: docs/decisions/0006.
usage_counts: Final = Table(
    "usage_counts",
    metadata,
    Column("span", BigInteger, primary_key=True, autoincrement=False),
    Column("starts_at", BigInteger, primary_key=True, autoincrement=False),
    Column("tenant_id", ID, primary_key=True),
    Column("user_id", ID, primary_key=True),
    Column("credential_id", ID, primary_key=True),
    Column("outcome", ID, primary_key=True),
    Column("requests", BigInteger, nullable=False),
    # The first of the lineage, where the credential is not that itself: it outlives the tokens, which are forgotten.
    Column("root_id", ID),
    CheckConstraint("span IN (60, 3600, 86400)", name="span"),
    CheckConstraint("requests > 0", name="requests"),
    sqlite_with_rowid=False,
)

# So that what a tenant with a hundred thousand busy keys has used is known without adding them up.
usage_totals: Final = Table(
    "usage_totals",
    metadata,
    Column("span", BigInteger, primary_key=True, autoincrement=False),
    Column("starts_at", BigInteger, primary_key=True, autoincrement=False),
    Column("tenant_id", ID, primary_key=True),
    Column("outcome", ID, primary_key=True),
    Column("requests", BigInteger, nullable=False),
    CheckConstraint("span IN (60, 3600, 86400)", name="span"),
    CheckConstraint("requests > 0", name="requests"),
    sqlite_with_rowid=False,
)

# The batch that each process wrote last, so that one whose commit was in doubt is not added again.
usage_writers: Final = Table(
    "usage_writers",
    metadata,
    Column("id", ID, primary_key=True),
    Column("batch", BigInteger, nullable=False),
    _moment("written_at"),
)

# Keys that were imported, by what was kept of them elsewhere, digested again under our pepper: what was imported
# once is not imported again, also after its credential was digested anew. No foreign key, for a token that is
# forgotten would be looked for in a million rows: docs/decisions/0014.
foreign_digests: Final = Table(
    "foreign_digests",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("pepper_id", Text, nullable=False),
    Column("credential_id", ID, nullable=False),
    Column("prefix", Text),
    Column("hash", Text),
    CheckConstraint("length(digest) = 32", name="digest_length"),
    CheckConstraint("(prefix IS NULL) = (hash IS NULL)", name="hash"),
    Index(
        "ix_foreign_digests_prefix",
        "prefix",
        sqlite_where=text("prefix IS NOT NULL"),
        postgresql_where=text("prefix IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)

foreign_rules: Final = Table(
    "foreign_rules",
    metadata,
    Column("id", ID, primary_key=True),
    Column("scheme", word(ForeignScheme, "scheme"), nullable=False),
    Column("sealed_key", LargeBinary, nullable=False),
    Column("prefix_length", BigInteger, nullable=False),
)

# Which ends of credentials their owners were told of, and how long before: each once, whoever notices first.
expiry_notices: Final = Table(
    "expiry_notices",
    metadata,
    Column("credential_id", ID, primary_key=True),
    Column("ends_at", Moment, primary_key=True),
    Column("days", BigInteger, primary_key=True, autoincrement=False),
    Index("ix_expiry_notices_ends", "ends_at"),
)

# To whom and what they say is sealed: what serves once stands in them.
letters: Final = Table(
    "letters",
    metadata,
    Column("id", ID, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("pepper_id", ID, nullable=False),
    _moment("created_at"),
    _moment("due_at"),
    _moment("expires_at"),
    Column("tries", BigInteger, nullable=False),
    CheckConstraint("tries >= 0", name="tries"),
    Index("ix_letters_due", "due_at", "id"),
)

# Who is not there wants every letter.
notification_settings: Final = Table(
    "notification_settings",
    metadata,
    Column("user_id", ForeignKey("users.id"), type_=ID, primary_key=True),
    Column("unwanted", Scopes, nullable=False),
    _moment("updated_at"),
)

# Secrets are sealed and not digested: deliveries are signed with them.
webhooks: Final = Table(
    "webhooks",
    metadata,
    Column("id", ID, primary_key=True),
    Column("tenant_id", ForeignKey("tenants.id"), type_=ID, nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("events", Scopes, nullable=False),
    Column("status", word(WebhookStatus, "status"), nullable=False),
    Column("disabled_because", Text),
    Column("failures", BigInteger, nullable=False),
    _moment("failing_since", required=False),
    _moment("quiet_until", required=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("pepper_id", ID, nullable=False),
    Column("old_sealed_secret", LargeBinary, nullable=False),
    Column("old_pepper_id", ID),
    _moment("old_secret_until", required=False),
    Column("created_by", ForeignKey("users.id"), type_=ID),
    _moment("created_at"),
    _moment("updated_at"),
    _present("name", 255),
    _present("url", 2000),
    CheckConstraint("failures >= 0", name="failures"),
    Index("ix_webhooks_tenant", "tenant_id", "created_at", "id"),
)

# Bookkeeping, written with each event: no foreign keys, so that whoever deletes a webhook stands in nobody's way.
webhook_deliveries: Final = Table(
    "webhook_deliveries",
    metadata,
    Column("webhook_id", ID, primary_key=True),
    Column("event_id", ID, primary_key=True),
    Column("action", Text, nullable=False),
    Column("status", word(DeliveryStatus, "status"), nullable=False),
    _moment("created_at"),
    _moment("due_at"),
    Column("tries", BigInteger, nullable=False),
    Column("attempts", Attempts, nullable=False),
    CheckConstraint("tries >= 0", name="tries"),
    Index(
        "ix_webhook_deliveries_due",
        "webhook_id",
        "due_at",
        "event_id",
        sqlite_where=text("status = 'waiting'"),
        postgresql_where=text("status = 'waiting'"),
    ),
    Index("ix_webhook_deliveries_webhook", "webhook_id", "created_at", "event_id"),
    Index("ix_webhook_deliveries_created", "created_at"),
)

# Which scopes were needed where a credential was shown; bookkeeping, written in batches.
used_scopes: Final = Table(
    "used_scopes",
    metadata,
    Column("credential_id", ID, primary_key=True),
    Column("scope", Text, primary_key=True),
    _moment("first_used_at"),
)

# Which networks a key was used from; bookkeeping, written in batches: docs/decisions/0026. The network '' is all
# of a key's that are not told apart. No index on what changes with every use.
used_networks: Final = Table(
    "used_networks",
    metadata,
    Column("credential_id", ID, primary_key=True),
    Column("network", ID, primary_key=True),
    Column("tenant_id", ID, nullable=False),
    Column("user_id", ID, nullable=False),
    _moment("first_used_at"),
    _moment("last_used_at"),
    Column("requests", BigInteger, nullable=False),
    CheckConstraint("requests > 0", name="requests"),
    Index("ix_used_networks_first", "tenant_id", "first_used_at", "credential_id"),
    Index("ix_used_networks_network", "tenant_id", "network", "user_id"),
    sqlite_with_rowid=False,
)

# Bookkeeping for a day: no foreign keys. What was nobody's credential has no tenant: docs/decisions/0010.
denials: Final = Table(
    "denials",
    metadata,
    Column("request_id", ID, primary_key=True),
    _moment("at"),
    Column("tenant_id", ID),
    Column("user_id", ID),
    Column("credential_id", ID),
    # No closed lists of words, which every new one would have to be added to: a day is soon over.
    Column("kind", Text),
    Column("reason", Text, nullable=False),
    Column("refused_by", Text, nullable=False),
    Column("figures", Document, nullable=False),
    Index("ix_denials_at", "at"),
)

# Whose limits are leased, and to whom: docs/decisions/0007. Microseconds since the epoch. No index on what
# changes with every lease: PostgreSQL could not keep a row's versions on its page.
limit_windows: Final = Table(
    "limit_windows",
    metadata,
    Column("subject", ID, primary_key=True),
    Column("hour_ends_us", BigInteger, nullable=False),
    Column("hour_used", BigInteger, nullable=False),
    Column("burst_ends_us", BigInteger, nullable=False),
    Column("burst_used", BigInteger, nullable=False),
    Column("seen_us", BigInteger, nullable=False),
    CheckConstraint("hour_used >= 0", name="hour"),
    CheckConstraint("burst_used >= 0", name="burst"),
)

limit_holders: Final = Table(
    "limit_holders",
    metadata,
    Column("subject", ID, primary_key=True),
    Column("holder", ID, primary_key=True),
    Column("units", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Column("burst_ends_us", BigInteger, nullable=False),
    CheckConstraint("units > 0", name="units"),
)


# Few, and replaced together; a retired one stays until nothing that it signed can be in use.
signing_keys: Final = Table(
    "signing_keys",
    metadata,
    Column("kid", ID, primary_key=True),
    Column("algorithm", word(SigningAlgorithm, "algorithm"), nullable=False),
    Column("status", word(SigningKeyStatus, "status"), nullable=False),
    Column("public_jwk", Document, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("pepper_id", Text, nullable=False),
    _moment("created_at"),
    _moment("activated_at", required=False),
    _moment("retired_at", required=False),
    _moment("published_until", required=False),
    CheckConstraint("(status = 'retired') = (retired_at IS NOT NULL)", name="retired"),
    CheckConstraint("(retired_at IS NULL) = (published_until IS NULL)", name="published_until"),
    Index(
        "uq_signing_keys_status",
        "status",
        unique=True,
        sqlite_where=text("status IN ('next', 'current')"),
        postgresql_where=text("status IN ('next', 'current')"),
    ),
)

# What is known of a login beside its row in `credentials`, which says whether it is good.
sessions: Final = Table(
    "sessions",
    metadata,
    Column("id", ForeignKey("credentials.id", ondelete="CASCADE"), type_=ID, primary_key=True),
    Column("tenant_id", ID, nullable=False),
    Column("user_id", ID, nullable=False),
    Column("device", Text, nullable=False),
    Column("address", Text),
    Column("methods", Scopes, nullable=False),
    _moment("created_at"),
    _moment("seen_at"),
    _moment("authenticated_at"),
    _moment("ends_at"),
    CheckConstraint("length(device) <= 255", name="device_length"),
    Index("ix_sessions_user_created", "user_id", "created_at", "id"),
    Index("ix_sessions_tenant_created", "tenant_id", "created_at", "id"),
)

# A spent one stays until it would have ended, so that a second use of it is recognised.
refresh_tokens: Final = Table(
    "refresh_tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("pepper_id", Text, nullable=False),
    Column("session_id", ForeignKey("sessions.id", ondelete="CASCADE"), type_=ID, nullable=False),
    _moment("created_at"),
    _moment("expires_at"),
    _moment("spent_at", required=False),
    Column("successor", LargeBinary),
    Column("sealed_answer", LargeBinary),
    CheckConstraint("length(digest) = 32", name="digest_length"),
    CheckConstraint("(spent_at IS NULL) = (successor IS NULL)", name="successor"),
    CheckConstraint("sealed_answer IS NULL OR spent_at IS NOT NULL", name="sealed_answer"),
    Index("ix_refresh_tokens_session", "session_id"),
    Index("ix_refresh_tokens_expires", "expires_at"),
)

# Invitations, resets, and the second step of a login.
one_time_secrets: Final = Table(
    "one_time_secrets",
    metadata,
    Column("id", ID, primary_key=True),
    Column("purpose", word(OneTimePurpose, "purpose"), nullable=False),
    Column("tenant_id", ID, nullable=False),
    Column("user_id", ID, nullable=False),
    Column("email_folded", Text),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("pepper_id", Text, nullable=False),
    Column("created_by", ID),
    Column("failures", BigInteger, nullable=False),
    _moment("created_at"),
    _moment("expires_at"),
    _moment("redeemed_at", required=False),
    ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"]),
    CheckConstraint("length(digest) = 32", name="digest_length"),
    CheckConstraint("failures >= 0", name="failures"),
    Index("ix_one_time_secrets_user", "user_id", "purpose"),
    Index("ix_one_time_secrets_expires", "expires_at"),
)

# Guesses at a secret that people choose, by whose it is and where they come from. Microseconds since the epoch.
guesses: Final = Table(
    "guesses",
    metadata,
    Column("subject", ID, primary_key=True),
    Column("failures", BigInteger, nullable=False),
    Column("refused_until_us", BigInteger, nullable=False),
    Column("seen_us", BigInteger, nullable=False),
    CheckConstraint("failures >= 0", name="failures"),
)

# Where somebody has logged in from: strangers' guesses do not count against them there.
known_places: Final = Table(
    "known_places",
    metadata,
    Column("user_id", ForeignKey("users.id"), type_=ID, primary_key=True),
    Column("place", ID, primary_key=True),
    _moment("seen_at"),
)

totp_factors: Final = Table(
    "totp_factors",
    metadata,
    Column("user_id", ForeignKey("users.id"), type_=ID, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("pepper_id", Text, nullable=False),
    Column("last_counter", BigInteger, nullable=False),
    _moment("created_at"),
    _moment("confirmed_at", required=False),
)

recovery_codes: Final = Table(
    "recovery_codes",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("pepper_id", Text, nullable=False),
    Column("user_id", ForeignKey("users.id"), type_=ID, nullable=False),
    _moment("created_at"),
    _moment("redeemed_at", required=False),
    CheckConstraint("length(digest) = 32", name="digest_length"),
    Index("ix_recovery_codes_user", "user_id"),
)

# What people sign in with in place of a password, or beside it. Public halves alone.
passkeys: Final = Table(
    "passkeys",
    metadata,
    Column("id", ID, primary_key=True),
    Column("user_id", ForeignKey("users.id"), type_=ID, nullable=False),
    Column("credential_id", LargeBinary, nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("transports", Addresses, nullable=False),
    Column("aaguid", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("backup_eligible", Boolean, nullable=False),
    Column("backed_up", Boolean, nullable=False),
    _moment("created_at"),
    _moment("last_used_at", required=False),
    _moment("suspected_at", required=False),
    CheckConstraint("length(credential_id) BETWEEN 1 AND 1023", name="credential_id_length"),
    CheckConstraint("sign_count >= 0", name="sign_count"),
    CheckConstraint("backup_eligible OR NOT backed_up", name="backed_up"),
    _present("name", 100),
    Index("ix_passkeys_user", "user_id", "created_at", "id"),
)

# Programs that ask for tokens. Each is a service user of the same id, which has its status.
clients: Final = Table(
    "clients",
    metadata,
    Column("id", ID, primary_key=True),
    Column("tenant_id", ID, nullable=False),
    Column("name", Text, nullable=False),
    Column("grant_types", Scopes, nullable=False),
    Column("response_types", Phrases, nullable=False),
    Column("redirect_uris", Addresses, nullable=False),
    Column("post_logout_redirect_uris", Addresses, nullable=False),
    Column("scopes", Scopes, nullable=False),
    Column("audiences", Addresses, nullable=False),
    Column("token_endpoint_auth_method", word(AuthMethod, "token_endpoint_auth_method"), nullable=False),
    Column("jwks", Document, nullable=False),
    Column("metadata", Document, nullable=False),
    Column("require_pkce", Boolean, nullable=False),
    Column("first_party", Boolean, nullable=False),
    Column("dpop_bound", Boolean, nullable=False),
    Column("token_format", word(TokenFormat, "token_format"), nullable=False),
    Column("access_token_seconds", BigInteger),
    Column("registered", Boolean, nullable=False),
    Column("registration_digest", LargeBinary),
    Column("registration_pepper_id", Text),
    Column("created_by", ID),
    _moment("created_at"),
    _moment("updated_at"),
    ForeignKeyConstraint(["tenant_id", "id"], ["users.tenant_id", "users.id"]),
    _present("name", 255),
    _positive("access_token_seconds"),
    CheckConstraint(
        "(registration_digest IS NULL) = (registration_pepper_id IS NULL)", name="registration_pepper_id"
    ),
    Index("ix_clients_created", "created_at", "id"),
    Index("ix_clients_tenant_created", "tenant_id", "created_at", "id"),
)

client_secrets: Final = Table(
    "client_secrets",
    metadata,
    Column("id", ID, primary_key=True),
    Column("client_id", ForeignKey("clients.id"), type_=ID, nullable=False),
    Column("name", Text, nullable=False),
    Column("display", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("pepper_id", Text, nullable=False),
    Column("created_by", ID),
    _moment("created_at"),
    _moment("expires_at", required=False),
    _present("name", 255),
    CheckConstraint("length(digest) = 32", name="digest_length"),
    Index("ix_client_secrets_client", "client_id", "created_at", "id"),
)

# What is known of a grant beside its row in `credentials`, which says whether it is good.
grants: Final = Table(
    "grants",
    metadata,
    Column("id", ForeignKey("credentials.id", ondelete="CASCADE"), type_=ID, primary_key=True),
    Column("tenant_id", ID, nullable=False),
    Column("user_id", ID, nullable=False),
    Column("client_id", ForeignKey("clients.id"), type_=ID, nullable=False),
    Column("session_id", ID),
    Column("scopes", Scopes, nullable=False),
    Column("resources", Addresses, nullable=False),
    _moment("authenticated_at", required=False),
    Column("methods", Scopes, nullable=False),
    Column("acr", Text),
    Column("nonce", Text),
    Column("claims", Document, nullable=False),
    Column("jkt", Text),
    _moment("created_at"),
    _moment("ends_at"),
    Index("ix_grants_client", "client_id", "created_at", "id"),
    Index("ix_grants_user", "user_id", "created_at", "id"),
    Index("ix_grants_session", "session_id"),
)

grant_refresh_tokens: Final = Table(
    "grant_refresh_tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("pepper_id", Text, nullable=False),
    Column("grant_id", ForeignKey("grants.id", ondelete="CASCADE"), type_=ID, nullable=False),
    _moment("created_at"),
    _moment("expires_at"),
    _moment("spent_at", required=False),
    Column("successor", LargeBinary),
    Column("sealed_answer", LargeBinary),
    CheckConstraint("length(digest) = 32", name="digest_length"),
    CheckConstraint("(spent_at IS NULL) = (successor IS NULL)", name="successor"),
    CheckConstraint("sealed_answer IS NULL OR spent_at IS NOT NULL", name="sealed_answer"),
    Index("ix_grant_refresh_tokens_grant", "grant_id"),
    Index("ix_grant_refresh_tokens_expires", "expires_at"),
)

# A redeemed one stays for some time, so that a second use of it is recognised, and ends what it gave.
authorization_codes: Final = Table(
    "authorization_codes",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("pepper_id", Text, nullable=False),
    Column("client_id", ForeignKey("clients.id"), type_=ID, nullable=False),
    Column("tenant_id", ID, nullable=False),
    Column("user_id", ID, nullable=False),
    Column("session_id", ID),
    Column("redirect_uri", Text, nullable=False),
    Column("redirect_uri_given", Boolean, nullable=False),
    Column("code_challenge", Text),
    Column("scopes", Scopes, nullable=False),
    Column("resources", Addresses, nullable=False),
    _moment("authenticated_at"),
    Column("methods", Scopes, nullable=False),
    Column("acr", Text),
    Column("nonce", Text),
    Column("claims", Document, nullable=False),
    Column("jkt", Text),
    Column("grant_id", ID),
    _moment("created_at"),
    _moment("expires_at"),
    ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"]),
    CheckConstraint("length(digest) = 32", name="digest_length"),
    Index("ix_authorization_codes_expires", "expires_at"),
)

pushed_requests: Final = Table(
    "pushed_requests",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("pepper_id", Text, nullable=False),
    Column("client_id", ForeignKey("clients.id"), type_=ID, nullable=False),
    Column("tenant_id", ID, nullable=False),
    Column("parameters", Document, nullable=False),
    _moment("created_at"),
    _moment("expires_at"),
    _moment("spent_at", required=False),
    CheckConstraint("length(digest) = 32", name="digest_length"),
    Index("ix_pushed_requests_expires", "expires_at"),
)

device_codes: Final = Table(
    "device_codes",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("pepper_id", Text, nullable=False),
    Column("user_code_digest", LargeBinary, nullable=False, unique=True),
    Column("client_id", ForeignKey("clients.id"), type_=ID, nullable=False),
    Column("tenant_id", ID, nullable=False),
    Column("scopes", Scopes, nullable=False),
    Column("resources", Addresses, nullable=False),
    Column("status", word(DeviceStatus, "status"), nullable=False),
    Column("interval_seconds", BigInteger, nullable=False),
    _moment("polled_at", required=False),
    Column("user_id", ID),
    Column("session_id", ID),
    _moment("authenticated_at", required=False),
    Column("methods", Scopes, nullable=False),
    Column("nonce", Text),
    Column("address", Text),
    Column("grant_id", ID),
    _moment("created_at"),
    _moment("expires_at"),
    CheckConstraint("length(digest) = 32", name="digest_length"),
    CheckConstraint("length(user_code_digest) = 32", name="user_code_digest_length"),
    CheckConstraint("user_id IS NOT NULL OR status = 'pending'", name="user_id"),
    CheckConstraint("(grant_id IS NOT NULL) = (status = 'redeemed')", name="grant_id"),
    _positive("interval_seconds"),
    Index("ix_device_codes_expires", "expires_at"),
)

consents: Final = Table(
    "consents",
    metadata,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, nullable=False),
    Column("client_id", ForeignKey("clients.id"), type_=ID, nullable=False),
    Column("tenant_id", ID, nullable=False),
    Column("scopes", Scopes, nullable=False),
    Column("resources", Addresses, nullable=False),
    _moment("created_at"),
    _moment("updated_at"),
    ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"]),
    UniqueConstraint("user_id", "client_id"),
    Index("ix_consents_client", "client_id"),
)

# Who may register a client, where not everybody may.
initial_access_tokens: Final = Table(
    "initial_access_tokens",
    metadata,
    Column("id", ID, primary_key=True),
    Column("tenant_id", ForeignKey("tenants.id"), type_=ID, nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("pepper_id", Text, nullable=False),
    Column("display", Text, nullable=False),
    Column("scopes", Scopes, nullable=False),
    Column("uses_left", BigInteger),
    Column("created_by", ID),
    _moment("created_at"),
    _moment("expires_at"),
    _present("name", 255),
    CheckConstraint("length(digest) = 32", name="digest_length"),
    CheckConstraint("uses_left >= 0", name="uses_left"),
    Index("ix_initial_access_tokens_tenant_created", "tenant_id", "created_at", "id"),
    Index("ix_initial_access_tokens_expires", "expires_at"),
)

# Assertions and proofs that serve once, until they would have ended by themselves.
spent_assertions: Final = Table(
    "spent_assertions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    _moment("expires_at"),
    CheckConstraint("length(digest) = 32", name="digest_length"),
    Index("ix_spent_assertions_expires", "expires_at"),
)


@cache
def columns_of(table: Table, record: type) -> tuple[Column[Any], ...]:
    """The columns that make a record, in the order in which its constructor takes them."""
    return tuple(table.c[field.name] for field in fields(record))


def row_of(record: Any) -> dict[str, Any]:  # noqa: ANN401 - any of the model's records
    """A record's fields by column name."""
    return {name: getattr(record, name) for name in type(record).__slots__}
