"""`bonafides users`: people who may log in, and services which only hold credentials."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated, Final

import typer

from bonafides.cli.options import (
    LIMIT_DEFAULT,
    AsJson,
    Cursor,
    Database,
    Limit,
    Search,
    TenantId,
    example,
    exclude,
    require_some,
    words,
)
from bonafides.cli.session import Session, work
from bonafides.cli.terminal import Columns, print_json, print_line, print_made, print_page, print_thing
from bonafides.errors import InvalidRequest
from bonafides.letters import CHOOSE
from bonafides.model import UNCHANGED, Replayed, Role, Status, Topic, User, UserChanges, UserKind
from bonafides.resources import (
    Resource,
    invitation_resource,
    notifications_resource,
    reset_resource,
    user_resource,
)

commands = typer.Typer(
    name="users",
    help="Create, list, change and delete users.",
    epilog=example("bonafides users create --email ada@example.com --role admin"),
    no_args_is_help=True,
)

COLUMNS: Final[Columns] = {
    "ID": lambda user: user["id"],
    "NAME": lambda user: user["name"],
    "E-MAIL": lambda user: user["email"],
    "KIND": lambda user: user["kind"],
    "ROLE": lambda user: user["role"],
    "STATUS": lambda user: user["status"],
    "CREATED": lambda user: user["created_at"],
}

UserName = Annotated[str, typer.Argument(metavar="USER", help="An id, or an e-mail address in the tenant.")]
Scopes = Annotated[
    list[str] | None,
    typer.Option(
        "--scopes", "--scope", metavar="SCOPES", help="The most that their credentials may have; by commas."
    ),
]


class Switch(StrEnum):
    """What a user or tenant can be set to."""

    ACTIVE = "active"
    DISABLED = "disabled"


@commands.command(
    epilog=example(
        "bonafides users create --email ada@example.com --role admin",
        "bonafides users create --kind service --name billing --scopes read",
    )
)
def create(
    *,
    email: Annotated[
        str | None, typer.Option("--email", help="A person needs one; unique in the tenant.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="A service needs one.")] = None,
    kind: Annotated[UserKind, typer.Option("--kind", help="A person, or a program.")] = UserKind.PERSON,
    role: Annotated[Role, typer.Option("--role", help="What they are in the tenant.")] = Role.MEMBER,
    scopes: Scopes = None,
    tenant: TenantId = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Create a person, or with --kind service a program's user."""

    async def do(session: Session) -> Resource:
        user = await session.rooms.directory.create_user(
            session.authority,
            kind=kind,
            name=name,
            email=email,
            role=role,
            scopes=words(scopes),
            tenant_id=None,
        )
        if isinstance(user, Replayed):
            raise TypeError("replayed without a claim")
        return user_resource(user)

    print_thing(work(database, tenant, do), as_json=as_json, heading="Created.\n")


@commands.command("list", epilog=example("bonafides users list --search ada@"))
def list_users(
    *,
    search: Search = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    tenant: TenantId = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List the tenant's users, newest first."""

    async def do(session: Session) -> Resource:
        context = f"users {search or ''}"
        found = await session.rooms.directory.users(
            session.authority, session.page(limit, cursor, context), search=search
        )
        return session.listed(found, limit, context, user_resource, lambda user: (user.created_at, user.id))

    print_page(work(database, tenant, do), COLUMNS, as_json=as_json, noun="users")


@commands.command(
    epilog=example(
        "bonafides users notifications ada@example.com",
        "bonafides users notifications ada@example.com --off new_places",
    )
)
def notifications(
    user: UserName,
    *,
    on: Annotated[
        list[Topic] | None, typer.Option("--on", help="They get letters of it from now on; may be repeated.")
    ] = None,
    off: Annotated[
        list[Topic] | None, typer.Option("--off", help="They get none any more; may be repeated.")
    ] = None,
    tenant: TenantId = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Show or choose which letters a person gets; changes of their account they are always told of."""
    wanted = dict.fromkeys(on or (), True) | dict.fromkeys(off or (), False)
    if both := sorted(set(on or ()) & set(off or ())):
        raise InvalidRequest(f"--on and --off both name {both[0]}. Choose one.", field="on")

    async def do(session: Session) -> Resource:
        found = await session.user(user)
        settings = session.rooms.notifications
        return notifications_resource(await settings.change(session.authority, found.id, wanted))

    print_thing(work(database, tenant, do), as_json=as_json)


@commands.command(epilog=example("bonafides users show ada@example.com"))
def show(
    *, user: UserName, tenant: TenantId = None, database: Database = None, as_json: AsJson = False
) -> None:
    """Show a user."""
    _change(database, tenant, lambda session: session.user(user), as_json=as_json)


@commands.command("reset-password", epilog=example("bonafides users reset-password ada@example.com"))
def reset_password(
    *, user: UserName, tenant: TenantId = None, database: Database = None, as_json: AsJson = False
) -> None:
    """Let a person choose a password, their first one or another, with a token that is shown this once."""

    async def do(session: Session) -> Resource:
        found = await session.user(user)
        return reset_resource(await session.rooms.password_changes.start_reset(session.authority, found.id))

    started = work(database, tenant, do)
    words = "Give them this token; it serves once. They send it to /v1/auth/password/reset."
    print_made(started, "token", as_json=as_json, words=words)


@commands.command(epilog=example("bonafides users invite ada@example.com"))
def invite(
    *, user: UserName, tenant: TenantId = None, database: Database = None, as_json: AsJson = False
) -> None:
    """Let a person choose their first password: by mail, or with a token that is shown this once."""

    async def do(session: Session) -> Resource:
        found = await session.user(user)
        return invitation_resource(await session.rooms.password_mails.invite(session.authority, found.id))

    invitation = work(database, tenant, do)
    if invitation["token"] is None:
        print_thing(invitation, as_json=as_json, heading="They get a mail with a link.\n")
        return
    words = f"Give them this token; it serves once, on the page {CHOOSE}."
    print_made(invitation, "token", as_json=as_json, words=words)


@commands.command("reset-factors", epilog=example("bonafides users reset-factors ada@example.com"))
def reset_factors(
    *, user: UserName, tenant: TenantId = None, database: Database = None, as_json: AsJson = False
) -> None:
    """Remove every second factor of somebody who has lost theirs, and end their sessions."""

    async def do(session: Session) -> Resource:
        found = await session.user(user)
        ended = await session.rooms.second_factors.reset(session.authority, found.id)
        return {"user_id": found.id, "ended_sessions": ended}

    done = work(database, tenant, do)
    if as_json:
        print_json(done)
    else:
        print_line(
            f"{done['user_id']} has no second factor any more; {done['ended_sessions']} sessions have ended."
        )


@commands.command(epilog=example("bonafides users update ada@example.com --role owner"))
def update(
    *,
    user: UserName,
    name: Annotated[str | None, typer.Option("--name", help="What they are called.")] = None,
    email: Annotated[str | None, typer.Option("--email", help="Their new address.")] = None,
    role: Annotated[Role | None, typer.Option("--role", help="What they are in the tenant.")] = None,
    scopes: Scopes = None,
    role_scopes: Annotated[
        bool, typer.Option("--role-scopes", help="No scopes of their own: the role's.")
    ] = False,
    status: Annotated[
        Switch | None, typer.Option("--status", help="A disabled user's credentials are refused.")
    ] = None,
    tenant: TenantId = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Change a user; what is not named stays. It binds the next request of each of their credentials."""
    exclude(("--scopes", scopes), ("--role-scopes", role_scopes))
    require_some([name, email, role, scopes, role_scopes, status])
    own = words(scopes)
    changes = UserChanges(
        name=UNCHANGED if name is None else name,
        email=UNCHANGED if email is None else email,
        role=UNCHANGED if role is None else role,
        scopes=UNCHANGED if own is None and not role_scopes else None if own is None else frozenset(own),
        status=UNCHANGED if status is None else Status(status),
    )

    async def change(session: Session) -> User:
        found = await session.user(user)
        return await session.rooms.directory.change_user(session.authority, found.id, changes)

    _change(database, tenant, change, as_json=as_json, heading="Changed.\n")


@commands.command(epilog=example("bonafides users delete ada@example.com --yes"))
def delete(
    *,
    user: UserName,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    tenant: TenantId = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Delete a user and revoke all their credentials, for ever; a person at a terminal is asked first."""
    if not yes and not as_json and sys.stdin.isatty():
        typer.confirm(f"Delete {user} and revoke all their credentials, for ever?", abort=True, err=True)

    async def do(session: Session) -> Resource:
        found = await session.user(user)
        await session.rooms.directory.delete_user(session.authority, found.id)
        return {"id": found.id, "object": "user", "deleted": True}

    deleted = work(database, tenant, do)
    if as_json:
        print_json(deleted)
    else:
        print_line(f"Deleted {deleted['id']}. All their credentials are revoked.")


def _change(
    database: str | None,
    tenant: str | None,
    change: Callable[[Session], Awaitable[User]],
    *,
    as_json: bool,
    heading: str | None = None,
) -> None:
    """Do something to a user and show them as they are then."""

    async def do(session: Session) -> Resource:
        return user_resource(await change(session))

    print_thing(work(database, tenant, do), as_json=as_json, heading=heading)
