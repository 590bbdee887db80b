"""`bonafides serve`: answer requests until a signal asks to end."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated, Literal

import typer

from bonafides.cli.first_run import greet
from bonafides.cli.options import Database, Valkey, example
from bonafides.cli.session import settings_in_force
from bonafides.keyring import require_peppers


def serve(
    *,
    host: Annotated[
        str | None, typer.Option("--host", help="Address to listen on; by default 127.0.0.1.")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", help="Port to listen on; by default 8000. 0 takes a free one.")
    ] = None,
    workers: Annotated[int | None, typer.Option("--workers", help="Worker processes; by default 1.")] = None,
    database: Database = None,
    valkey: Valkey = None,
    public_url: Annotated[
        str | None,
        typer.Option("--public-url", metavar="URL", help="Where clients reach the server, behind a proxy."),
    ] = None,
    trusted_proxies: Annotated[
        str | None,
        typer.Option(
            "--trusted-proxies", metavar="CIDRS", help="Whose X-Forwarded-* is believed, by commas."
        ),
    ] = None,
    metrics_address: Annotated[
        str | None,
        typer.Option("--metrics-address", metavar="HOST:PORT", help="An address for /metrics alone."),
    ] = None,
    production: Annotated[
        bool | None, typer.Option("--production/--no-production", help="Refuse unsafe settings.")
    ] = None,
    log_format: Annotated[
        Literal["json", "console"] | None, typer.Option("--log-format", help="Lines of JSON, or columns.")
    ] = None,
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"] | None,
        typer.Option("--log-level", help="The least severe line."),
    ] = None,
) -> None:
    """Start the server; on an empty database, make an installation first and show its key.

    Every other setting is a variable BONAFIDES_… or a line of bonafides.toml: see docs/reference/settings.md.
    """
    settings = settings_in_force(
        host=host,
        port=port,
        workers=workers,
        database=database,
        valkey=valkey,
        public_url=public_url,
        trusted_proxies=trusted_proxies,
        metrics_address=metrics_address,
        production=production,
        log_format=log_format,
        log_level=log_level,
    )
    from bonafides import app, set_up  # noqa: PLC0415 - the rooms take a second to import, and --help needs none

    settings = app.with_port(settings)
    founded = asyncio.run(app.prepare(settings, set_up.FIRST_EMAIL, clock=app.SystemClock(), set_up=True))
    if founded is not None:
        greet(founded, settings)
    raise typer.Exit(app.run(settings, require_peppers(settings), _announce))


def _announce(url: str) -> None:
    sys.stdout.write(f"Bonafides is ready: {url}\n")
    sys.stdout.flush()


def add_to(program: typer.Typer) -> None:
    """Make it a command of the program."""
    program.command(
        epilog=example(
            "bonafides serve",
            "bonafides serve --database postgresql://bonafides@localhost/bonafides",
        )
    )(serve)
