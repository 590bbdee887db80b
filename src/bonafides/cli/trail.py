"""`bonafides audit`: who did what to which thing, when and from where."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from bonafides.cli.options import LIMIT_DEFAULT, AsJson, Cursor, Database, Limit, TenantId, example
from bonafides.cli.session import Session, work
from bonafides.cli.terminal import Columns, print_page
from bonafides.resources import Resource, event_resource

COLUMNS: Final[Columns] = {
    "AT": lambda event: event["at"],
    "ACTION": lambda event: event["action"],
    "SUBJECT": lambda event: event["subject"]["id"],
    "WHO": lambda event: event["actor"]["user_id"] or event["actor"]["via"],
    "ADDRESS": lambda event: event["actor"]["address"],
    "DETAILS": lambda event: event["details"],
}


def audit(
    *,
    action: Annotated[
        str | None, typer.Option("--action", help="Only this action, such as api_key.revoked.")
    ] = None,
    subject: Annotated[
        str | None,
        typer.Option("--subject", "--subject-id", metavar="ID", help="Only what happened to this thing."),
    ] = None,
    actor: Annotated[
        str | None,
        typer.Option(
            "--actor",
            metavar="USER",
            help="Only what this user did: an id or an e-mail address.",
        ),
    ] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    tenant: TenantId = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List the tenant's audit events, newest first."""

    async def do(session: Session) -> Resource:
        actor_id = (await session.user(actor)).id if actor is not None and "@" in actor else actor
        context = f"audit {action} {subject} {actor_id}"
        found = await session.rooms.audit.events(
            session.authority,
            session.page(limit, cursor, context),
            action=action,
            subject_id=subject,
            actor_user_id=actor_id,
        )
        return session.listed(found, limit, context, event_resource, lambda event: (event.at, event.id))

    print_page(work(database, tenant, do), COLUMNS, as_json=as_json, noun="events")


def add_to(program: typer.Typer) -> None:
    """Make it a command of the program."""
    program.command(epilog=example("bonafides audit --action api_key.revoked --limit 10"))(audit)
