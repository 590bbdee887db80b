# ruff: noqa: ASYNC240 - nothing else runs on these event loops
"""Migrations: forward from every revision, with rows, once, and to exactly the schema that the program knows."""

from __future__ import annotations

import asyncio
import shutil
import stat
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, inspect

from bonafides.errors import Misconfigured, Unavailable
from bonafides.model import UsageSpan, UsageSubject
from bonafides.store import migrations
from bonafides.store.migrations import RevisionStatus, configuration, migrate, revision_status
from bonafides.store.tables import REVISION, metadata
from tests.store.databases import open_store, run_sql

FIRST: Final = (
    "INSERT INTO plans VALUES ('free', 100, NULL, '{}', 'credential', 1, 1)",
    "INSERT INTO tenants VALUES ('ten_1', 'Ten', 'active', 'free', TRUE, 1, 1)",
    "INSERT INTO users VALUES ('usr_1', 'ten_1', 'person', 'A@x.org', 'a@x.org', '', 'owner', NULL, 'active', 1, 1)",
    "INSERT INTO passwords VALUES ('usr_1', 'person', '$argon2id$', 1)",
    "INSERT INTO changes (transaction_id, kind, subject_id, at) VALUES (0, 'tenant', 'ten_1', 1)",
    """
    INSERT INTO audit_events VALUES
    ('evt_1', 1, 'ten_1', 'founded', 'tenant', 'ten_1', NULL, NULL, 'cli', NULL, NULL, '{}')
    """,
)
SECOND: Final = (
    *FIRST,
    "INSERT INTO usage_counts VALUES (60, 60000000, 'ten_1', 'usr_1', 'key_1', 'accepted', 2)",
    "INSERT INTO usage_writers VALUES ('1', 1, 1)",
)
FOURTH: Final = (
    "INSERT INTO plans VALUES ('free', 100, NULL, '{}', 'credential', 1, 1, 600)",
    "INSERT INTO tenants VALUES ('ten_1', 'Ten', 'active', 'free', TRUE, 1, 1, 86400)",
    *SECOND[2:],
)
SEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "0001": FIRST,
    "0002": SECOND,
    "0003": (
        *SECOND,
        "INSERT INTO limit_windows VALUES ('key_1', 9, 5, 9, 5, 1)",
        "INSERT INTO limit_holders VALUES ('key_1', 'one', 3, 9, 9)",
    ),
    "0004": FOURTH,
    "0005": (
        "INSERT INTO plans VALUES ('free', 100, NULL, '{}', 'credential', 1, 1, 600)",
        "INSERT INTO tenants VALUES ('ten_1', 'Ten', 'active', 'free', TRUE, 1, 1, 86400)",
        *SECOND[2:],
        "INSERT INTO denials VALUES ('req_1', 1, NULL, NULL, NULL, NULL, 'invalid_api_key', 'shape', '{}')",
        "INSERT INTO expiry_notices VALUES ('key_1', 1, 30)",
    ),
    "0006": (
        *FOURTH,
        """
        INSERT INTO signing_keys VALUES ('one', 'EdDSA', 'current', '{}', 'x', 'p1', 1, 1, NULL, NULL)
        """,
        "INSERT INTO guesses VALUES ('subject', 3, 9, 1)",
        "INSERT INTO known_places VALUES ('usr_1', 'place', 1)",
        "INSERT INTO totp_factors VALUES ('usr_1', 'x', 'p1', -1, 1, NULL)",
        "INSERT INTO changes (transaction_id, kind, subject_id, at) VALUES (0, 'signing_key', 'one', 1)",
    ),
    "0007": (
        *FOURTH,
        """
        INSERT INTO users VALUES
        ('cli_1', 'ten_1', 'service', NULL, NULL, 'Shop', 'member', 'read', 'active', 1, 1)
        """,
        """
        INSERT INTO clients VALUES
        ('cli_1', 'ten_1', 'Shop', 'client_credentials', '', '', '', 'read', '', 'client_secret_basic', '{}', '{}',
        TRUE, FALSE, FALSE, 'opaque', NULL, FALSE, NULL, NULL, 'usr_1', 1, 1)
        """,
        "INSERT INTO consents VALUES ('con_1', 'usr_1', 'cli_1', 'ten_1', 'read', '', 1, 1)",
    ),
    "0008": (
        *FOURTH,
        "INSERT INTO foreign_digests VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'p1', 'key_1', 'abcdefgh', '$2b$')",
        "INSERT INTO foreign_rules VALUES ('hash:8', 'hash', '', 8)",
    ),
    "0009": (
        *FOURTH,
        "INSERT INTO signing_keys VALUES ('one', 'RS256', 'beside', '{}', 'x', 'p1', 1, 1, NULL, NULL)",
        "INSERT INTO signing_keys VALUES ('two', 'ES256', 'beside', '{}', 'x', 'p1', 1, 1, NULL, NULL)",
        "UPDATE credentials SET act = '{}' WHERE id = 'key_1'",
    ),
    "0010": (
        *FOURTH,
        """
        INSERT INTO passkeys VALUES
        ('psk_1', 'usr_1', 'id', 'key', 0, 'usb', 'aaguid', 'Key', TRUE, FALSE, 1, NULL, NULL)
        """,
    ),
    "0011": (
        *FOURTH[:2],
        *FIRST[2:],
        "INSERT INTO usage_counts VALUES (60, 60000000, 'ten_1', 'usr_1', 'tok_1', 'accepted', 2, 'key_1')",
    ),
    "0012": (
        *FOURTH[:2],
        *FIRST[2:],
        "INSERT INTO letters VALUES ('ltr_1', 'sealed', 'p1', 1, 1, 2, 0)",
    ),
    "0013": (
        *FOURTH[:2],
        *FIRST[2:],
        """
        INSERT INTO webhooks VALUES
        ('whk_1', 'ten_1', 'Watch', 'https://x.org/', '*', 'active', NULL, 0, NULL, NULL, 'sealed', 'p1', '', NULL, NULL, 'usr_1', 1, 1)
        """,
        "INSERT INTO webhook_deliveries VALUES ('whk_1', 'evt_1', 'api_key.revoked', 'waiting', 1, 1, 0, '[]')",
        "INSERT INTO used_scopes VALUES ('key_1', 'read', 1)",
    ),
    "0014": (
        *FOURTH[:2],
        *FIRST[2:],
        "INSERT INTO notification_settings VALUES ('usr_1', 'new_places', 1)",
    ),
    "0015": (
        *FOURTH[:2],
        *FIRST[2:],
        "INSERT INTO usage_totals VALUES (60, 60000000, 'ten_1', 'accepted', 2)",
    ),
    "0016": (
        *FOURTH[:2],
        *FIRST[2:],
        "INSERT INTO used_networks VALUES ('key_1', '192.0.2.0/24', 'ten_1', 'usr_1', 1, 2, 3)",
    ),
}
"""For each revision, rows as its own program wrote them. A new revision adds its own."""


def at(url: str, work: Callable[[Connection], Any]) -> Any:
    """Run work on a connection of either database."""
    return migrations._run(url, work, writing=True)


def upgrade_to(revision: str) -> Callable[[Connection], None]:
    """Work that goes no further than a revision."""

    def work(connection: Connection) -> None:
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    return work


def test_the_program_needs_the_newest_revision() -> None:
    """A revision that the program does not know of would make every server refuse its own database."""
    script = ScriptDirectory.from_config(configuration())
    assert script.get_heads() == [REVISION]
    assert sorted(SEEDS) == sorted(revision.revision for revision in script.walk_revisions())


def test_a_fresh_database_gets_the_schema(database_url: str) -> None:
    """The first start on an empty machine."""
    assert revision_status(database_url) == RevisionStatus(None)
    assert not revision_status(database_url).up_to_date
    migrate(database_url)
    assert revision_status(database_url) == RevisionStatus(REVISION)
    assert revision_status(database_url).up_to_date
    migrate(database_url)


@pytest.mark.parametrize("revision", sorted(SEEDS))
def test_every_earlier_revision_is_brought_forward_with_its_rows(
    url: str, database_url: str, revision: str, sqlite_path: Path
) -> None:
    """Whoever upgrades after a year must find every tenant and key where they were."""
    del url
    sqlite_path.unlink(missing_ok=True)
    if database_url.startswith("sqlite"):
        sqlite_path.touch()
    at(database_url, upgrade_to(revision))
    asyncio.run(run_sql(database_url, *SEEDS[revision]))
    migrate(database_url)

    async def check() -> None:
        store = open_store(database_url)
        try:
            await store.ping()
            tenant, user = await store.find_tenant("ten_1"), await store.find_user("usr_1", "ten_1")
            assert tenant is not None
            assert user is not None
            assert (tenant.name, user.email) == ("Ten", "A@x.org")
            # Sums of a tenant are younger than what they are of.
            counted = sum("usage_counts" in seed or "usage_totals" in seed for seed in SEEDS[revision])
            sums = await store.usage_of(UsageSubject("ten_1"), UsageSpan.MINUTE, [60_000_000])
            assert sums == ({(60_000_000, "accepted"): 2} if counted else {})
        finally:
            await store.close()

    asyncio.run(check())


def test_the_migrated_schema_is_the_one_of_the_tables(url: str) -> None:
    """Statements are written against the tables; a column that only one of the two has fails in production."""

    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    def checks(connection: Connection) -> set[str | None]:
        found = inspect(connection)
        return {check["name"] for table in metadata.tables for check in found.get_check_constraints(table)}

    assert at(url, differences) == []
    assert at(url, checks) == {
        constraint.name
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }


def test_migrating_at_once_is_safe(database_url: str) -> None:
    """Several nodes that start together after an upgrade."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, [database_url] * 4))
    assert revision_status(database_url).up_to_date


def test_a_failed_migration_leaves_nothing(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A schema that is half there can neither be used nor migrated."""

    def break_off(connection: Connection) -> None:
        upgrade_to(REVISION)(connection)
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(migrations, "_upgrade", break_off)
        with pytest.raises(RuntimeError):
            migrate(database_url)
    assert revision_status(database_url) == RevisionStatus(None)
    migrate(database_url)


def test_a_newer_database_is_refused(url: str) -> None:
    """An old program on a new schema would write rows that lack what the new one relies on."""
    asyncio.run(run_sql(url, "UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Misconfigured, match=r"9999.*newer"):
        migrate(url)


async def test_ping_wants_the_schema_of_this_program(url: str) -> None:
    """A node that was not upgraded must leave the load balancer, not answer with errors."""
    store = open_store(url)
    await store.ping()
    await run_sql(url, "UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(Unavailable) as caught:
        await store.ping()
    assert "0000" in caught.value.internal
    await run_sql(url, "DROP TABLE alembic_version")
    with pytest.raises(Unavailable):
        await store.ping()
    await store.close()


async def test_a_database_without_a_schema_is_not_founded(database_url: str, sqlite_path: Path) -> None:
    """`init` and `serve` ask this before they make anything."""
    sqlite_path.touch()
    store = open_store(database_url)
    assert not await store.is_founded()
    await store.close()


def test_the_file_is_its_owners_alone(sqlite_path: Path) -> None:
    """Another user of the machine could read every digest and password hash."""
    migrate(str(sqlite_path))
    assert stat.S_IMODE(sqlite_path.stat().st_mode) == 0o600


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    """Per cent signs, question marks and spaces mean something to URLs and to Alembic."""
    folder = tmp_path / "100 %? #1"
    folder.mkdir()
    migrate(f"sqlite:///{folder}/bona fides?.db")
    assert [path.name for path in folder.iterdir()] == ["bona fides?.db"]
    home = tmp_path / "50%(here)s"
    shutil.copytree(Path(migrations.__file__).parent, home)
    assert ScriptDirectory(str(home)).get_heads() == [REVISION]


def test_a_folder_that_is_not_there_is_an_outage(tmp_path: Path) -> None:
    """A volume that was not mounted is told as such, without a traceback."""
    with pytest.raises(Unavailable):
        migrate(str(tmp_path / "not mounted" / "bonafides.db"))
