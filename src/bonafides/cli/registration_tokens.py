"""`bonafides registration-tokens`: what lets somebody register OAuth clients."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from bonafides.cli.options import (
    LIMIT_DEFAULT,
    AsJson,
    Cursor,
    Database,
    Limit,
    TenantId,
    duration,
    example,
    named,
    words,
)
from bonafides.cli.session import Session, work
from bonafides.cli.terminal import Columns, print_json, print_line, print_page, print_thing
from bonafides.model import Replayed
from bonafides.oauth.registrations import LIFETIME_SECONDS, LIFETIME_SECONDS_MAX, USES_MAX
from bonafides.resources import Resource, initial_token_resource

commands = typer.Typer(
    name="registration-tokens",
    help="Let somebody register OAuth clients by themselves (RFC 7591).",
    epilog=example("bonafides registration-tokens create partners --scopes read"),
    no_args_is_help=True,
)

COLUMNS: Final[Columns] = {
    "ID": lambda token: token["id"],
    "NAME": lambda token: token["name"],
    "SCOPES": lambda token: token["scopes"],
    "USES LEFT": lambda token: "any" if token["uses_left"] is None else str(token["uses_left"]),
    "EXPIRES": lambda token: token["expires_at"],
}


@commands.command(
    epilog=example(
        "bonafides registration-tokens create partners --scopes read",
        "bonafides registration-tokens create fleet --uses 100 --expires-in 30d",
    )
)
def create(
    *,
    name: Annotated[str | None, typer.Argument(help="To tell it from others.")] = None,
    name_option: Annotated[str | None, typer.Option("--name", help="The same.")] = None,
    scopes: Annotated[
        list[str] | None,
        typer.Option(
            "--scopes", "--scope", metavar="SCOPES", help="What such clients may have at most; by commas."
        ),
    ] = None,
    uses: Annotated[
        int, typer.Option("--uses", min=1, max=USES_MAX, help="How many clients may be registered by it.")
    ] = 1,
    expires_in: Annotated[
        int,
        typer.Option(
            "--expires-in",
            metavar="TIME",
            parser=duration,
            help="When it ends: 90, 15m, 12h, 7d; else a week.",
        ),
    ] = LIFETIME_SECONDS,
    tenant: TenantId = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Create an initial access token, and show it this once."""
    called = named(name, name_option, "NAME")

    async def do(session: Session) -> Resource:
        made = await session.rooms.registrations.make_token(
            session.authority,
            called,
            words(scopes) or (),
            uses=uses,
            expires_in=min(expires_in, LIFETIME_SECONDS_MAX),
            tenant_id=tenant,
        )
        if isinstance(made, Replayed):
            raise TypeError("replayed without a claim")
        return {**initial_token_resource(made.record), "initial_access_token": made.secret}

    told = work(database, tenant, do)
    if as_json:
        print_json(told)
        return
    secret = told.pop("initial_access_token")
    heading = (
        f"This is the initial access token. It is shown this once, and cannot be read again.\n\n  {secret}\n"
    )
    print_thing(told, as_json=False, heading=heading)


@commands.command("list", epilog=example("bonafides registration-tokens list --json"))
def list_tokens(
    *,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    tenant: TenantId = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List the tenant's initial access tokens that have not ended, newest first."""

    async def do(session: Session) -> Resource:
        page = session.page(limit, cursor, "registration-tokens")
        found = await session.rooms.registrations.tokens(session.authority, page)
        return session.listed(
            found,
            limit,
            "registration-tokens",
            initial_token_resource,
            lambda token: (token.created_at, token.id),
        )

    print_page(work(database, tenant, do), COLUMNS, as_json=as_json, noun="initial access tokens")


@commands.command(epilog=example("bonafides registration-tokens delete iat_0Nf4gQ2s9XbR7mT1kVwZaC"))
def delete(
    *,
    token_id: Annotated[str, typer.Argument(metavar="TOKEN_ID", help="The token's id, such as iat_….")],
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """End an initial access token; the clients that were registered by it stay."""

    async def do(session: Session) -> None:
        await session.rooms.registrations.remove_token(session.authority, token_id)

    work(database, None, do)
    if as_json:
        print_json({"id": token_id, "deleted": True})
    else:
        print_line(f"Deleted {token_id}.")
