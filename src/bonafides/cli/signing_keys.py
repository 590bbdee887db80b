"""`bonafides signing-keys`: list and rotate the keys that sign tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import typer

from bonafides.cli.options import AsJson, Database, example
from bonafides.cli.session import Session, work
from bonafides.cli.terminal import Columns, print_page
from bonafides.model import SigningKey
from bonafides.resources import Resource, page_resource, signing_key_resource

commands = typer.Typer(
    name="signing-keys",
    help="List and rotate the keys that sign tokens.",
    epilog=example("bonafides signing-keys rotate"),
    no_args_is_help=True,
)

COLUMNS: Final[Columns] = {
    "ID": lambda key: key["id"],
    "ALGORITHM": lambda key: key["algorithm"],
    "STATUS": lambda key: key["status"],
    "SIGNS SINCE": lambda key: key["activated_at"],
    "PUBLISHED UNTIL": lambda key: key["published_until"],
}


def _shown(keys: Sequence[SigningKey]) -> Resource:
    return page_resource([signing_key_resource(key) for key in keys], None)


@commands.command("list", epilog=example("bonafides signing-keys list --json"))
def list_keys(*, database: Database = None, as_json: AsJson = False) -> None:
    """List every published key, the current one first."""

    async def do(session: Session) -> Resource:
        return _shown(await session.rooms.signing_keys.records(session.authority))

    print_page(work(database, None, do), COLUMNS, as_json=as_json, noun="signing keys")


@commands.command(epilog=example("bonafides signing-keys rotate", "bonafides signing-keys rotate --force"))
def rotate(
    *,
    force: Annotated[
        bool,
        typer.Option("--force", help="Also where the next key was published less than five minutes ago."),
    ] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Let the next key sign from now on; the one before stays published for what it has signed."""

    async def do(session: Session) -> Resource:
        return _shown(await session.rooms.signing_keys.rotate(session.authority, force=force))

    print_page(work(database, None, do), COLUMNS, as_json=as_json, noun="signing keys")
