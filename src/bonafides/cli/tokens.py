"""`bonafides tokens` and `bonafides bearer-tokens`: personal access tokens, and what keys were exchanged for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
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
    exclude,
    moment,
    words,
)
from bonafides.cli.session import Session, work
from bonafides.cli.terminal import Columns, print_made, print_page, print_thing
from bonafides.credentials.holdings import Holdings
from bonafides.credentials.personal_tokens import TokenWish
from bonafides.model import Credential, CredentialStatus, Replayed, ShownStatus
from bonafides.resources import Resource, bearer_token_resource, personal_token_resource

commands = typer.Typer(
    name="tokens",
    help="Issue, list and revoke personal access tokens.",
    epilog=example("bonafides tokens create backups --user ada@example.com --expires-in 90d"),
    no_args_is_help=True,
)
bearer_commands = typer.Typer(
    name="bearer-tokens",
    help="List and revoke the bearer tokens that keys were exchanged for.",
    epilog=example("bonafides bearer-tokens list --key key_0Nf4gQ2s9XbR7mT1kVwZaC"),
    no_args_is_help=True,
)

COLUMNS: Final[Columns] = {
    "ID": lambda token: token["id"],
    "DESCRIPTION": lambda token: token["description"],
    "TOKEN": lambda token: token["display"],
    "STATUS": lambda token: token["status"],
    "SCOPES": lambda token: token["scopes"],
    "EXPIRES": lambda token: token["expires_at"],
    "LAST USED": lambda token: token["last_used_at"],
}
BEARER_COLUMNS: Final[Columns] = {
    "ID": lambda token: token["id"],
    "KEY": lambda token: token["parent_id"],
    "TOKEN": lambda token: token["display"],
    "STATUS": lambda token: token["status"],
    "SCOPES": lambda token: token["scopes"],
    "EXPIRES": lambda token: token["expires_at"],
    "LAST USED": lambda token: token["last_used_at"],
}

TokenId = Annotated[
    str,
    typer.Argument(metavar="TOKEN_ID", help="The token's id, such as pat_… or tok_…; not the token itself."),
]
Reason = Annotated[str | None, typer.Option("--reason", help="Why, for the audit trail.")]
OfUser = Annotated[
    str | None,
    typer.Option("--user", "--user-id", metavar="USER", help="Only this user's: an id or an e-mail address."),
]
OfStatus = Annotated[
    ShownStatus | None, typer.Option("--status", help="Only those that are shown with this status.")
]


@commands.command(epilog=example("bonafides tokens create backups --user ada@example.com --expires-in 90d"))
def create(
    *,
    description: Annotated[str, typer.Argument(help="What the token is for.")],
    user: Annotated[
        str,
        typer.Option("--user", "--user-id", metavar="USER", help="Whose: an id or an e-mail address."),
    ],
    scopes: Annotated[
        list[str] | None,
        typer.Option(
            "--scopes", "--scope", metavar="SCOPES", help="Scopes, separated by commas; may be repeated."
        ),
    ] = None,
    expires_at: Annotated[
        datetime | None,
        typer.Option(
            "--expires-at", metavar="TIME", parser=moment, help="When it expires: 2030-01-01T00:00:00Z."
        ),
    ] = None,
    expires_in: Annotated[
        int | None,
        typer.Option(
            "--expires-in", metavar="TIME", parser=duration, help="The same, from now on: 90d, 12h, 600."
        ),
    ] = None,
    tenant: TenantId = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Issue a personal access token, and show it this once."""
    exclude(("--expires-at", expires_at), ("--expires-in", expires_in))

    async def do(session: Session) -> Resource:
        owner = await session.user(user)
        wish = TokenWish(description, words(scopes), expires_at, expires_in, owner.id)
        made = await session.rooms.personal_tokens.create(session.authority, wish)
        if isinstance(made, Replayed):
            raise TypeError("replayed without a claim")
        return {**personal_token_resource(made.credential, session.now), "token": made.secret}

    made = work(database, tenant, do)
    print_made(
        made,
        "token",
        as_json=as_json,
        words="This is the token. It is shown this once, and cannot be read again.",
    )


@commands.command("list", epilog=example("bonafides tokens list --user ada@example.com"))
def list_tokens(
    *,
    user: OfUser = None,
    status: OfStatus = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    tenant: TenantId = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List the tenant's personal access tokens, newest first, without their secrets."""

    async def do(session: Session) -> Resource:
        return await _listed(session, user, None, status, limit, cursor)

    print_page(work(database, tenant, do), COLUMNS, as_json=as_json, noun="personal access tokens")


@bearer_commands.command("list", epilog=example("bonafides bearer-tokens list --status active"))
def list_bearer_tokens(
    *,
    key: Annotated[
        str | None, typer.Option("--key", metavar="KEY_ID", help="Only those made from this key.")
    ] = None,
    user: OfUser = None,
    status: OfStatus = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    tenant: TenantId = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List the tenant's bearer tokens, newest first, without their secrets."""

    async def do(session: Session) -> Resource:
        return await _listed(session, user, key, status, limit, cursor, bearer=True)

    print_page(work(database, tenant, do), BEARER_COLUMNS, as_json=as_json, noun="bearer tokens")


async def _listed(
    session: Session,
    user: str | None,
    key_id: str | None,
    status: ShownStatus | None,
    limit: int,
    cursor: str | None,
    *,
    bearer: bool = False,
) -> Resource:
    holdings: Holdings = session.rooms.bearer_tokens if bearer else session.rooms.personal_tokens
    render = bearer_token_resource if bearer else personal_token_resource
    user_id = (await session.user(user)).id if user is not None else None
    context = f"{holdings.species.kind} {user_id} {key_id} {status}"
    page = session.page(limit, cursor, context)
    found = await holdings.page(session.authority, page, user_id=user_id, parent_id=key_id, status=status)
    now = session.now
    return session.listed(
        found, limit, context, lambda token: render(token, now), lambda token: (token.created_at, token.id)
    )


def _add_single(
    group: typer.Typer,
    holdings_of: Callable[[Session], Holdings],
    render: Callable[[Credential, datetime], Resource],
    noun: str,
    token_id: str,
) -> None:
    """The commands on a single token: every kind is shown and revoked alike.

    Args:
        group: Of that kind.
        holdings_of: That kind, in a session.
        render: A token as JSON.
        noun: Its name in a sentence.
        token_id: Of the examples.
    """
    words_before = f"bonafides {group.info.name}"

    @group.command(
        epilog=example(f"{words_before} show {token_id}"), help=f"Show a {noun}, without its secret."
    )
    def show(*, token_id: TokenId, database: Database = None, as_json: AsJson = False) -> None:
        async def do(session: Session) -> Resource:
            return render(await holdings_of(session).get(session.authority, token_id), session.now)

        print_thing(work(database, None, do), as_json=as_json)

    @group.command(
        epilog=example(f"{words_before} revoke {token_id} --reason leaked"),
        help=f"Revoke a {noun}, for ever and at once; what it was made from goes on.",
    )
    def revoke(
        *, token_id: TokenId, reason: Reason = None, database: Database = None, as_json: AsJson = False
    ) -> None:
        async def do(session: Session) -> Resource:
            status = CredentialStatus.REVOKED
            ended = await holdings_of(session).set_status(session.authority, token_id, status, reason=reason)
            return render(ended, session.now)

        print_thing(work(database, None, do), as_json=as_json, heading="Revoked, for ever.\n")


_add_single(
    commands,
    lambda session: session.rooms.personal_tokens,
    personal_token_resource,
    "personal access token",
    "pat_0Nf4gQ2s9XbR7mT1kVwZaC",
)
_add_single(
    bearer_commands,
    lambda session: session.rooms.bearer_tokens,
    bearer_token_resource,
    "bearer token",
    "tok_0Nf4gQ2s9XbR7mT1kVwZaC",
)
