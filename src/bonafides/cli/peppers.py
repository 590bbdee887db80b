"""`bonafides peppers`: the keys of the digests, which are all that is stored of a credential."""

from __future__ import annotations

import secrets

import typer

from bonafides.cli.options import AsJson, Database, example
from bonafides.cli.session import settings_in_force
from bonafides.cli.terminal import print_json, print_line
from bonafides.keyring import require_peppers, rotate_pepper

commands = typer.Typer(
    name="peppers",
    help="Rotate the key of the stored digests.",
    epilog=example("bonafides peppers rotate"),
    no_args_is_help=True,
)


@commands.callback()
def _peppers() -> None:
    """Rotate the key of the stored digests."""


@commands.command(epilog=example("bonafides peppers rotate"))
def rotate(*, database: Database = None, as_json: AsJson = False) -> None:
    """Put a new pepper in front of the old ones; keys move to it as they are used. Restart every server next."""
    settings = settings_in_force(database=database)
    newest = rotate_pepper(settings, secrets.token_bytes)
    ids = require_peppers(settings).ids
    if as_json:
        print_json({"newest": newest.id, "peppers": list(ids)})
        return
    print_line(
        f"The pepper {newest.id} is now the first of {len(ids)} in {settings.pepper_path}. No key changes.\n\n"
        "1. Copy the file to every node, and back it up apart from the database.\n"
        "2. Restart every server now: until then it does not know keys that are made from here on.\n"
        "3. Keep the old peppers. bonafides doctor says when one digests no key any more."
    )
