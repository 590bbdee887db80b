"""`bonafides migrate`: bring the database to the schema of this program."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from bonafides.cli.options import AsJson, Database, example
from bonafides.cli.session import settings_in_force
from bonafides.cli.terminal import print_json, print_line
from bonafides.resources import Resource
from bonafides.settings import Settings


def migrate(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "--status", help="Only say what would be done.")
    ] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Bring the database to the schema of this program: forward, whole or not at all. Back it up first."""
    settings = settings_in_force(database=database)
    outcome = asyncio.run(_migrate(settings, dry_run=dry_run))
    if as_json:
        print_json(outcome)
        return
    was, now = outcome["from"] or "no schema", outcome["to"]
    if outcome["up_to_date"] and not outcome["migrated"]:
        print_line(f"The database has schema {now}. There is nothing to do.")
    elif dry_run:
        print_line(f"The database has {was}, and this program needs {now}. Run: bonafides migrate")
    else:
        print_line(f"Migrated the database from {was} to {now}.")


async def _migrate(settings: Settings, *, dry_run: bool) -> Resource:
    from bonafides import app  # noqa: PLC0415 - the rooms take a second to import, and --help needs none of them

    before = await app.schema(settings)
    migrating = not (before.up_to_date or dry_run)
    if migrating:
        await app.upgrade(settings)
    return {
        "from": before.current,
        "to": before.needed,
        "up_to_date": before.up_to_date or migrating,
        "migrated": migrating,
    }


def add_to(program: typer.Typer) -> None:
    """Make it a command of the program."""
    program.command(epilog=example("bonafides migrate --dry-run", "bonafides migrate"))(migrate)
