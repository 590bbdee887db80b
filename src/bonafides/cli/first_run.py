"""`bonafides init`: an empty database becomes an installation; and what its first user is told."""

from __future__ import annotations

import asyncio
import shlex
from typing import TYPE_CHECKING, Annotated

import typer
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bonafides import intake
from bonafides.cli.options import AsJson, Database, example
from bonafides.cli.session import settings_in_force
from bonafides.cli.terminal import console, print_json, print_line
from bonafides.errors import AlreadyInitialised
from bonafides.settings import Settings

if TYPE_CHECKING:
    from bonafides.installation import Founded


def init(
    *,
    email: Annotated[str, typer.Option("--email", help="The first admin's e-mail address.")],
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Make an empty database into an installation: tenant, admin, key and plans, shown this once."""
    settings = settings_in_force(database=database)
    address = intake.email(email)
    founded = asyncio.run(_found(settings, address))
    if founded is None:
        raise AlreadyInitialised("This database already holds an installation. Nothing was changed.")
    if as_json:
        print_json(
            {
                "tenant_id": founded.tenant_id,
                "user_id": founded.user_id,
                "email": founded.email,
                "password": founded.password,
                "api_key": founded.api_key,
            }
        )
        return
    greet(
        founded,
        settings,
        start="bonafides serve" + (f" --database {shlex.quote(database)}" if database else ""),
    )


async def _found(settings: Settings, email: str) -> Founded | None:
    from bonafides import app  # noqa: PLC0415 - the rooms take a second to import, and --help needs none of them

    return await app.prepare(settings, email, clock=app.SystemClock())


def greet(founded: Founded, settings: Settings, *, start: str | None = None) -> None:
    """Tell a new installation's first user who they are and what to do next, to copy.

    Args:
        founded: What was made.
        settings: Where the server answers.
        start: The command that starts it, where it does not run yet.
    """
    grid = Table.grid(padding=(0, 2))
    for name, value in (
        ("tenant", founded.tenant_id),
        ("user", founded.user_id),
        ("e-mail", founded.email),
        ("password", founded.password),
    ):
        grid.add_row(name, Text(value))
    grid.add_row("pepper", Text("in BONAFIDES_PEPPERS" if settings.peppers else f"in {settings.pepper_path}"))
    title = "Bonafides: a new installation. The password and the key are shown this once."
    console().print(Panel(grid, title=title, title_align="left", expand=False))
    url = settings.base_url if settings.port or settings.public_url else "http://127.0.0.1:PORT"
    link = f"{url}/set-up#{founded.set_up_code}"
    in_browser = ("Go on in a browser, within a day (what follows the # is the code):", "", f"  {link}", "")
    lines = [
        *(() if founded.set_up_code is None else in_browser),
        "Back up the pepper apart from the database: without it, no key can be checked.",
        "",
        "The admin's API key, in full:",
        "",
        f"  export KEY={founded.api_key}",
        "",
        *(() if start is None else ("Start the server:", "", f"  {start}", "")),
        "Then see who the key speaks for, and make a key that can do less:",
        "",
        f'  curl -H "Authorization: Bearer $KEY" {url}/v1/auth/verify',
        "",
        '  curl -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\',
        f"""    -d '{{"name": "my first key", "scopes": ["read"]}}' {url}/v1/api-keys""",
        "",
    ]
    print_line("\n".join(lines))


def add_to(program: typer.Typer) -> None:
    """Make it a command of the program."""
    program.command(epilog=example("bonafides init --email admin@example.com"))(init)
