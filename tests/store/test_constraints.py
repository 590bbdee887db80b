"""The constraints: what must always be true is refused by the database itself, whoever writes."""

from __future__ import annotations

import pytest

from bonafides.store.sql import SqlStore
from tests.store.databases import REFUSED, is_postgres, run_sql
from tests.store.records import credential, event, secret, tenant, user

KEY = "UPDATE credentials SET {} WHERE id = 'key_first'"
USER = "UPDATE users SET {} WHERE id = 'usr_owner'"
TENANT = "UPDATE tenants SET {} WHERE id = 'ten_a'"
PLAN = "UPDATE plans SET {} WHERE name = 'free'"

BROKEN = {
    "a status nobody knows": KEY.format("status = 'lost'"),
    "a kind nobody knows": KEY.format("kind = 'cookie'"),
    "revoked without a time": KEY.format("status = 'revoked'"),
    "a time of revocation without one": KEY.format("revoked_at = 1"),
    "a reason without a revocation": KEY.format("revocation_reason = 'x'"),
    "a root that is not its own, without a parent": KEY.format("root_id = 'key_other'"),
    "a parent, and its own root": KEY.format("parent_id = 'key_other'"),
    "a parent that is not there": KEY.format("parent_id = 'gone', root_id = 'gone'"),
    "a parent in another tenant": KEY.format("parent_id = 'key_b', root_id = 'key_b'"),
    "a user in another tenant": KEY.format("user_id = 'usr_b'"),
    "a tenant without its user": KEY.format("tenant_id = 'ten_b'"),
    "a plan that is not there": KEY.format("plan = 'gone'"),
    "a name without end": KEY.format("name = '" + "n" * 256 + "'"),
    "scopes without end": KEY.format("scopes = '" + "s" * 8193 + "'"),
    "metadata without end": KEY.format("metadata = '" + "m" * 131073 + "'"),
    "the digest of another": "UPDATE credentials SET digest = (SELECT digest FROM credentials WHERE id = 'key_b') "
    "WHERE id = 'key_first'",
    "the id of another": KEY.format("id = 'key_other', root_id = 'key_other'"),
    "a user's tenant that is not there": USER.format("tenant_id = 'gone'"),
    "a user's role nobody knows": USER.format("role = 'god'"),
    "a user's kind nobody knows": USER.format("kind = 'robot'"),
    "a user's status nobody knows": USER.format("status = 'lost'"),
    "a person with credentials moved away": USER.format("tenant_id = 'ten_b'"),
    "an address that was not folded": USER.format("email_folded = NULL"),
    "a folded address without an address": USER.format("email = NULL"),
    "an empty address": USER.format("email = ''"),
    "an address without end": USER.format("email = '" + "e" * 321 + "'"),
    "the address of another": USER.format("email_folded = 'usr_2@example.com'"),
    "a user's name without end": USER.format("name = '" + "n" * 256 + "'"),
    "a user's scopes without end": USER.format("scopes = '" + "s" * 8193 + "'"),
    "a service with a password": USER.format("kind = 'service'"),
    "a password of a service": "INSERT INTO passwords VALUES ('usr_service', 'service', 'x', 0)",
    "a password of a service that says it is a person": "INSERT INTO passwords VALUES ('usr_service', 'person', 'x', 0)",
    "a second password": "INSERT INTO passwords VALUES ('usr_owner', 'person', 'x', 0)",
    "a password of nobody": "INSERT INTO passwords VALUES ('usr_gone', 'person', 'x', 0)",
    "an empty password hash": "UPDATE passwords SET hash = ''",
    "a second operator": "UPDATE tenants SET operator = TRUE WHERE id = 'ten_b'",
    "an operator that is disabled": TENANT.format("status = 'disabled'"),
    "a tenant's status nobody knows": "UPDATE tenants SET status = 'lost' WHERE id = 'ten_b'",
    "a tenant's plan that is not there": TENANT.format("plan = 'gone'"),
    "a living tenant without a plan": TENANT.format("plan = NULL"),
    "the name of another tenant": TENANT.format("name = 'ten_b'"),
    "an empty tenant name": TENANT.format("name = ''"),
    "a tenant name without end": TENANT.format("name = '" + "n" * 256 + "'"),
    "the plan of the living, deleted": "DELETE FROM plans WHERE name = 'free'",
    "a negative figure": PLAN.format("requests_per_hour = -1"),
    "a negative burst": PLAN.format("burst = -1"),
    "a count nobody knows": PLAN.format("count_by = 'moon'"),
    "an empty plan name": "INSERT INTO plans SELECT '', 1, 1, '{}', 'user', 0, 0, NULL FROM plans WHERE name = 'free'",
    "a change of a kind nobody knows": "INSERT INTO changes (transaction_id, kind, subject_id, at) VALUES (0, 'x', 'y', 0)",
    "a second bound of the feed": "INSERT INTO feed_bounds VALUES (2, 0)",
    "a user who has credentials, deleted": "DELETE FROM users WHERE id = 'usr_owner'",
    "a tenant who has users, deleted": "DELETE FROM tenants WHERE id = 'ten_a'",
}


async def fill(store: SqlStore) -> None:
    """Another tenant with a key, a second user, a service, and a second key to refer to."""
    await store.create_tenant(tenant("ten_b"), event())
    await store.create_user(user("usr_b", "ten_b"), event())
    await store.create_user(user("usr_2"), event())
    await store.create_user(user("usr_service", kind="service", email=None), event())
    for key in (credential("key_b", tenant_id="ten_b", user_id="usr_b"), credential("key_other")):
        await store.create_credential(key, secret(key), event())


async def test_what_must_not_be_is_refused(url: str, store: SqlStore) -> None:
    """A bug, a second program or a person with psql would otherwise leave rows that decide wrongly for years."""
    await fill(store)
    accepted = []
    for what, statement in BROKEN.items():
        try:
            await run_sql(url, statement)
        except REFUSED:
            continue
        accepted.append(what)
    assert accepted == []


@pytest.mark.parametrize("bytes_", [0, 31, 33])
async def test_a_digest_has_32_bytes(url: str, store: SqlStore, bytes_: int) -> None:
    """A truncated digest would be found by many secrets."""
    assert await store.is_founded()
    literal = f"'\\x{'00' * bytes_}'" if is_postgres(url) else f"x'{'00' * bytes_}'"
    with pytest.raises(REFUSED, match="digest_length"):
        await run_sql(url, KEY.format(f"digest = {literal}"))


@pytest.mark.parametrize(
    "statement",
    [
        KEY.format("expires_at = 2, overlap_ends_at = 2"),
        KEY.format("overlap_ends_at = 2"),
        KEY.format("status = 'revoked', revoked_at = 1, revocation_reason = 'x'"),
        KEY.format("parent_id = 'key_other', root_id = 'key_other'"),
        PLAN.format("requests_per_hour = NULL, burst = 0"),
        USER.format("email = NULL, email_folded = NULL, scopes = ''"),
        "UPDATE users SET status = 'deleted', email_folded = 'usr_owner@example.com' WHERE id = 'usr_2'",
        "UPDATE tenants SET status = 'deleted', plan = NULL, name = 'ten_a' WHERE id = 'ten_b'",
    ],
)
async def test_what_may_be_is_taken(url: str, store: SqlStore, statement: str) -> None:
    """A constraint that is too strict is an outage."""
    await fill(store)
    await run_sql(url, statement)
