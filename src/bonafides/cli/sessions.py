"""`bonafides sessions`: who is logged in, and ending it."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from bonafides.cli.options import LIMIT_DEFAULT, AsJson, Cursor, Database, Limit, TenantId, example
from bonafides.cli.session import Session, work
from bonafides.cli.terminal import Columns, print_json, print_line, print_page
from bonafides.errors import InvalidRequest
from bonafides.resources import Resource, session_resource

commands = typer.Typer(
    name="sessions",
    help="List and end the sessions of people who are logged in.",
    epilog=example("bonafides sessions list --user ada@example.com"),
    no_args_is_help=True,
)

COLUMNS: Final[Columns] = {
    "ID": lambda session: session["id"],
    "USER": lambda session: session["user_id"],
    "DEVICE": lambda session: session["device"],
    "ADDRESS": lambda session: session["address"],
    "LAST USED": lambda session: session["last_used_at"],
    "ENDS": lambda session: session["ends_at"],
}

User = Annotated[
    str | None,
    typer.Option("--user", "--user-id", metavar="USER", help="Whose: an id or an e-mail address."),
]


@commands.command("list", epilog=example("bonafides sessions list --user ada@example.com"))
def list_sessions(
    *,
    user: User = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    tenant: TenantId = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List the sessions that have not ended, newest first."""

    async def do(session: Session) -> Resource:
        user_id = (await session.user(user)).id if user is not None else None
        context = f"sessions {user_id}"
        found = await session.rooms.sessions.page(
            session.authority, session.page(limit, cursor, context), user_id=user_id
        )
        return session.listed(
            found,
            limit,
            context,
            lambda live: session_resource(live, None),
            lambda live: (live.session.created_at, live.session.id),
        )

    print_page(work(database, tenant, do), COLUMNS, as_json=as_json, noun="sessions")


@commands.command(
    epilog=example(
        "bonafides sessions end ses_0Nf4gQ2s9XbR7mT1kVwZaC",
        "bonafides sessions end --user ada@example.com",
    )
)
def end(
    *,
    session_id: Annotated[
        str | None, typer.Argument(metavar="SESSION_ID", help="Its id; or name a user.")
    ] = None,
    user: User = None,
    tenant: TenantId = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """End a session, or every session of a user, with all their tokens, at once."""
    if (session_id is None) == (user is None):
        raise InvalidRequest("Name a session, or a user with --user.", field="SESSION_ID")

    async def do(session: Session) -> Resource:
        if session_id is not None:
            await session.rooms.sessions.end(session.authority, session_id)
            return {"ended": 1}
        whose = (await session.user(user or "")).id
        return {"ended": await session.rooms.sessions.end_all(session.authority, user_id=whose)}

    ended = work(database, tenant, do)
    if as_json:
        print_json(ended)
    else:
        print_line(f"Ended {ended['ended']} session{'' if ended['ended'] == 1 else 's'}.")
