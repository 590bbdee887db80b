"""`bonafides clients`: programs that ask for tokens, for themselves or on behalf of people."""

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
from bonafides.delegation import AuthMethod, ClientChanges, TokenFormat
from bonafides.model import UNCHANGED, Replayed, Status
from bonafides.oauth.clients import ClientWish
from bonafides.resources import Resource, client_resource, client_secret_resource

commands = typer.Typer(
    name="clients",
    help="Create, list, disable and delete OAuth clients, and rotate their secrets.",
    epilog=example("bonafides clients create nightly --grant client_credentials --scopes read"),
    no_args_is_help=True,
)

COLUMNS: Final[Columns] = {
    "ID": lambda client: client["id"],
    "NAME": lambda client: client["name"],
    "STATUS": lambda client: client["status"],
    "GRANTS": lambda client: client["grant_types"],
    "SCOPES": lambda client: client["scopes"],
    "CREATED": lambda client: client["created_at"],
}

ClientId = Annotated[str, typer.Argument(metavar="CLIENT_ID", help="The client's id, such as cli_….")]


@commands.command(
    epilog=example(
        "bonafides clients create nightly --grant client_credentials --scopes read",
        "bonafides clients create shop --redirect-uri https://shop.example.com/cb",
    )
)
def create(
    *,
    name: Annotated[str | None, typer.Argument(help="Shown to people who are asked for consent.")] = None,
    name_option: Annotated[str | None, typer.Option("--name", help="The same.")] = None,
    scopes: Annotated[
        list[str] | None,
        typer.Option(
            "--scopes", "--scope", metavar="SCOPES", help="What its tokens may have at most; by commas."
        ),
    ] = None,
    grants: Annotated[
        list[str] | None,
        typer.Option(
            "--grant",
            "--grant-types",
            metavar="GRANTS",
            help="How it may get tokens; by commas; else authorization_code.",
        ),
    ] = None,
    redirect_uris: Annotated[
        list[str] | None,
        typer.Option("--redirect-uri", metavar="URI", help="Where people are sent back to; may be repeated."),
    ] = None,
    auth_method: Annotated[
        AuthMethod | None,
        typer.Option("--auth-method", help="How it proves who it is; none: a public client."),
    ] = None,
    token_format: Annotated[
        TokenFormat,
        typer.Option("--token-format", help="Access tokens as secrets of this server, or signed."),
    ] = TokenFormat.OPAQUE,
    without_pkce: Annotated[
        bool,
        typer.Option("--without-pkce", help="For an older confidential client that cannot use PKCE."),
    ] = False,
    first_party: Annotated[
        bool, typer.Option("--first-party", help="Its users are not asked for consent.")
    ] = False,
    jwks_uri: Annotated[
        str | None, typer.Option("--jwks-uri", metavar="URI", help="Where its public keys stand.")
    ] = None,
    post_logout_redirect_uris: Annotated[
        list[str] | None,
        typer.Option(
            "--post-logout-uri",
            metavar="URI",
            help="Where people may go after it has signed them out.",
        ),
    ] = None,
    dpop_bound: Annotated[
        bool, typer.Option("--dpop-bound", help="Its tokens are bound to a key of its own (RFC 9449).")
    ] = False,
    pushes_requests: Annotated[
        bool, typer.Option("--pushes-requests", help="It pushes every request (RFC 9126).")
    ] = False,
    tenant: TenantId = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Create an OAuth client, and show its secret this once."""
    called = named(name, name_option, "NAME")
    said = {"jwks_uri": jwks_uri, "require_pushed_authorization_requests": pushes_requests or None}
    wanted = words(grants)
    changes = ClientChanges(
        grant_types=UNCHANGED if wanted is None else frozenset(wanted),
        redirect_uris=tuple(redirect_uris or ()),
        token_endpoint_auth_method=UNCHANGED if auth_method is None else auth_method,
        token_format=token_format,
        require_pkce=not without_pkce,
        first_party=first_party,
        post_logout_redirect_uris=tuple(post_logout_redirect_uris or ()),
        dpop_bound=dpop_bound,
        metadata={about: value for about, value in said.items() if value is not None},
    )

    async def do(session: Session) -> Resource:
        made = await session.rooms.clients.create(
            session.authority, ClientWish(called, words(scopes) or (), changes, tenant)
        )
        if isinstance(made, Replayed):
            raise TypeError("replayed without a claim")
        secret = None if made.secret is None else made.secret.secret
        return {**client_resource(made.client), "client_secret": secret}

    _show_secret(work(database, tenant, do), as_json=as_json)


def _show_secret(made: Resource, *, as_json: bool) -> None:
    """A new secret, alone on its line, so that it can be copied; then what is known of it."""
    secret = made["client_secret"]
    if as_json or secret is None:
        print_thing(made, as_json=as_json)
        return
    del made["client_secret"]
    heading = f"This is the client secret. It is shown this once, and cannot be read again.\n\n  {secret}\n"
    print_thing(made, as_json=False, heading=heading)


@commands.command("list", epilog=example("bonafides clients list --json"))
def list_clients(
    *,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    tenant: TenantId = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List the tenant's OAuth clients, newest first."""

    async def do(session: Session) -> Resource:
        page = session.page(limit, cursor, "clients")
        found = await session.rooms.clients.page(session.authority, page)
        return session.listed(
            found, limit, "clients", client_resource, lambda client: (client.created_at, client.id)
        )

    print_page(work(database, tenant, do), COLUMNS, as_json=as_json, noun="OAuth clients")


@commands.command(epilog=example("bonafides clients show cli_0Nf4gQ2s9XbR7mT1kVwZaC"))
def show(*, client_id: ClientId, database: Database = None, as_json: AsJson = False) -> None:
    """Show an OAuth client, and which secrets it has."""

    async def do(session: Session) -> Resource:
        client = await session.rooms.clients.get(session.authority, client_id)
        secrets = await session.rooms.clients.secrets(session.authority, client_id)
        return {**client_resource(client), "secrets": [client_secret_resource(each) for each in secrets]}

    print_thing(work(database, None, do), as_json=as_json)


@commands.command(epilog=example("bonafides clients disable cli_0Nf4gQ2s9XbR7mT1kVwZaC"))
def disable(*, client_id: ClientId, database: Database = None, as_json: AsJson = False) -> None:
    """Disable an OAuth client, and every token that it was given, until it is enabled."""
    _set_status(client_id, Status.DISABLED, database, as_json=as_json)


@commands.command(epilog=example("bonafides clients enable cli_0Nf4gQ2s9XbR7mT1kVwZaC"))
def enable(*, client_id: ClientId, database: Database = None, as_json: AsJson = False) -> None:
    """Enable a disabled OAuth client."""
    _set_status(client_id, Status.ACTIVE, database, as_json=as_json)


def _set_status(client_id: str, status: Status, database: str | None, *, as_json: bool) -> None:
    async def do(session: Session) -> Resource:
        changes = ClientChanges(status=status)
        return client_resource(await session.rooms.clients.change(session.authority, client_id, changes))

    print_thing(work(database, None, do), as_json=as_json)


@commands.command(epilog=example("bonafides clients delete cli_0Nf4gQ2s9XbR7mT1kVwZaC"))
def delete(*, client_id: ClientId, database: Database = None, as_json: AsJson = False) -> None:
    """Delete an OAuth client, and end every token that it was given. Final."""

    async def do(session: Session) -> None:
        await session.rooms.clients.delete(session.authority, client_id)

    work(database, None, do)
    if as_json:
        print_json({"id": client_id, "deleted": True})
    else:
        print_line(f"Deleted {client_id}.")


@commands.command(
    "rotate-secret",
    epilog=example("bonafides clients rotate-secret cli_0Nf4gQ2s9XbR7mT1kVwZaC --overlap 1d"),
)
def rotate_secret(
    *,
    client_id: ClientId,
    name: Annotated[str, typer.Option("--name", help="To tell the new one from the others.")] = "rotated",
    overlap: Annotated[
        int,
        typer.Option(
            "--overlap",
            "--overlap-seconds",
            metavar="TIME",
            parser=duration,
            help="How long the others go on working: 90, 15m, 12h, 7d.",
        ),
    ] = 86_400,
    expires_in: Annotated[
        int | None,
        typer.Option(
            "--expires-in", metavar="TIME", parser=duration, help="When the new one ends; else never."
        ),
    ] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Give an OAuth client a new secret, shown this once; the others end after the overlap (a day)."""

    async def do(session: Session) -> Resource:
        made = await session.rooms.clients.add_secret(
            session.authority, client_id, name, expires_in=expires_in, overlap_seconds=overlap
        )
        if isinstance(made, Replayed):
            raise TypeError("replayed without a claim")
        return {**client_secret_resource(made.record), "client_secret": made.secret}

    _show_secret(work(database, None, do), as_json=as_json)
