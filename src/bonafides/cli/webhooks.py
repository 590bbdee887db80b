"""`bonafides webhooks`: URLs that are told of events."""

from __future__ import annotations

from typing import Annotated, Any, Final

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
    require_some,
    words,
)
from bonafides.cli.session import Session, work
from bonafides.cli.terminal import Columns, print_json, print_line, print_page, print_thing
from bonafides.model import Replayed
from bonafides.resources import Resource, delivery_resource, webhook_resource
from bonafides.webhook import EVERY_EVENT, WebhookChanges, WebhookStatus
from bonafides.webhooks import OVERLAP_SECONDS_DEFAULT

commands = typer.Typer(
    name="webhooks",
    help="Have URLs told of events, see what they were told, and test them.",
    epilog=example("bonafides webhooks create watch --url https://example.com/hooks"),
    no_args_is_help=True,
)

COLUMNS: Final[Columns] = {
    "ID": lambda webhook: webhook["id"],
    "NAME": lambda webhook: webhook["name"],
    "URL": lambda webhook: webhook["url"],
    "EVENTS": lambda webhook: webhook["events"],
    "STATUS": lambda webhook: webhook["status"],
    "FAILURES": lambda webhook: webhook["failures"],
}
LOG_COLUMNS: Final[Columns] = {
    "EVENT": lambda delivery: delivery["event_id"],
    "ACTION": lambda delivery: delivery["action"],
    "STATUS": lambda delivery: delivery["status"],
    "CREATED": lambda delivery: delivery["created_at"],
    "ANSWERS": lambda delivery: [
        str(attempt["status"] or attempt["reason"]) for attempt in delivery["attempts"]
    ],
}

WebhookId = Annotated[str, typer.Argument(metavar="WEBHOOK_ID", help="The webhook's id, such as whk_….")]


@commands.command(
    epilog=example(
        "bonafides webhooks create watch --url https://example.com/hooks",
        "bonafides webhooks create keys --url https://x.example --events 'api_key.*'",
    )
)
def create(
    *,
    name: Annotated[str | None, typer.Argument(help="To tell it from others.")] = None,
    name_option: Annotated[str | None, typer.Option("--name", help="The same.")] = None,
    url: Annotated[str, typer.Option("--url", help="What is told; https.")],
    events: Annotated[
        list[str] | None,
        typer.Option("--events", "--event", metavar="EVENTS", help="Of what; by commas; else of everything."),
    ] = None,
    tenant: TenantId = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Have a URL told of events, and show the secret of its signatures this once."""
    called = named(name, name_option, "NAME")
    chosen = words(events)

    async def do(session: Session) -> Resource:
        outcome = await session.rooms.webhooks.create(
            session.authority, called, url, chosen or [EVERY_EVENT], tenant_id=session.authority.tenant_id
        )
        if isinstance(outcome, Replayed):
            raise TypeError("replayed without a claim")
        return {**webhook_resource(outcome.webhook), "secret": outcome.secret}

    print_thing(
        work(database, tenant, do), as_json=as_json, heading="Keep the secret: it is shown this once.\n"
    )


@commands.command("list", epilog=example("bonafides webhooks list"))
def list_webhooks(
    *,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    tenant: TenantId = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List webhooks, newest first."""

    async def do(session: Session) -> Resource:
        context = f"webhooks {session.authority.tenant_id}"
        found = await session.rooms.webhooks.page(session.authority, session.page(limit, cursor, context))
        return session.listed(
            found, limit, context, webhook_resource, lambda webhook: (webhook.created_at, webhook.id)
        )

    print_page(work(database, tenant, do), COLUMNS, as_json=as_json, noun="webhooks")


@commands.command(epilog=example("bonafides webhooks show whk_03GANXBih9sU1kN8eDf5QW"))
def show(*, webhook_id: WebhookId, database: Database = None, as_json: AsJson = False) -> None:
    """Show a webhook, and how it fares."""

    async def do(session: Session) -> Resource:
        return webhook_resource(await session.rooms.webhooks.get(session.authority, webhook_id))

    print_thing(work(database, None, do), as_json=as_json)


@commands.command(
    epilog=example(
        "bonafides webhooks update whk_03GANXBih9sU1kN8eDf5QW --url https://x.example",
        "bonafides webhooks update whk_03GANXBih9sU1kN8eDf5QW --events 'user.*'",
    )
)
def update(
    *,
    webhook_id: WebhookId,
    name: Annotated[str | None, typer.Option("--name", help="To tell it from others.")] = None,
    url: Annotated[str | None, typer.Option("--url", help="What is told; https.")] = None,
    events: Annotated[
        list[str] | None,
        typer.Option("--events", "--event", metavar="EVENTS", help="Of what, instead of before; by commas."),
    ] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Change a webhook; what is left out stays."""
    given: dict[str, Any] = {"name": name, "url": url}
    if (chosen := words(events)) is not None:
        given["events"] = frozenset(chosen)
    changes = {field: value for field, value in given.items() if value is not None}
    require_some([*changes])

    async def do(session: Session) -> Resource:
        webhooks = session.rooms.webhooks
        return webhook_resource(
            await webhooks.change(session.authority, webhook_id, WebhookChanges(**changes))
        )

    print_thing(work(database, None, do), as_json=as_json)


@commands.command(epilog=example("bonafides webhooks disable whk_03GANXBih9sU1kN8eDf5QW"))
def disable(*, webhook_id: WebhookId, database: Database = None, as_json: AsJson = False) -> None:
    """Tell it nothing any more; what waits for it is not delivered."""
    _set_status(webhook_id, WebhookStatus.DISABLED, database, as_json=as_json)


@commands.command(epilog=example("bonafides webhooks enable whk_03GANXBih9sU1kN8eDf5QW"))
def enable(*, webhook_id: WebhookId, database: Database = None, as_json: AsJson = False) -> None:
    """Tell it again of what happens from now on."""
    _set_status(webhook_id, WebhookStatus.ACTIVE, database, as_json=as_json)


def _set_status(webhook_id: str, status: WebhookStatus, database: str | None, *, as_json: bool) -> None:
    async def do(session: Session) -> Resource:
        changes = WebhookChanges(status=status)
        return webhook_resource(await session.rooms.webhooks.change(session.authority, webhook_id, changes))

    print_thing(work(database, None, do), as_json=as_json)


@commands.command(
    "rotate-secret", epilog=example("bonafides webhooks rotate-secret whk_03GANXBih9sU1kN8eDf5QW")
)
def rotate_secret(
    *,
    webhook_id: WebhookId,
    overlap_seconds: Annotated[
        int | None,
        typer.Option(
            "--overlap", metavar="TIME", parser=duration, help="How long the old one goes on: 2h; else a day."
        ),
    ] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Give it another secret, and show that this once."""

    async def do(session: Session) -> Resource:
        outcome = await session.rooms.webhooks.rotate(
            session.authority,
            webhook_id,
            overlap_seconds=OVERLAP_SECONDS_DEFAULT if overlap_seconds is None else overlap_seconds,
        )
        if isinstance(outcome, Replayed):
            raise TypeError("replayed without a claim")
        return {**webhook_resource(outcome.webhook), "secret": outcome.secret}

    print_thing(
        work(database, None, do), as_json=as_json, heading="Keep the secret: it is shown this once.\n"
    )


@commands.command("test", epilog=example("bonafides webhooks test whk_03GANXBih9sU1kN8eDf5QW"))
def send_test(*, webhook_id: WebhookId, database: Database = None, as_json: AsJson = False) -> None:
    """Send it a test event from this machine, and show what it answers."""

    async def do(session: Session) -> Resource:
        return delivery_resource(await session.rooms.deliveries.test(session.authority, webhook_id))

    print_thing(work(database, None, do), as_json=as_json)


@commands.command(epilog=example("bonafides webhooks log whk_03GANXBih9sU1kN8eDf5QW"))
def log(
    *,
    webhook_id: WebhookId,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List what a webhook was told in the last 30 days, newest first."""

    async def do(session: Session) -> Resource:
        context = f"webhook deliveries {webhook_id}"
        found = await session.rooms.webhooks.deliveries(
            session.authority, webhook_id, session.page(limit, cursor, context)
        )
        return session.listed(
            found, limit, context, delivery_resource, lambda each: (each.created_at, each.event_id)
        )

    print_page(work(database, None, do), LOG_COLUMNS, as_json=as_json, noun="deliveries")


@commands.command(
    epilog=example("bonafides webhooks resend whk_03GANXBih9sU1kN8eDf5QW evt_03GANXBih9sU1kN8e")
)
def resend(
    *,
    webhook_id: WebhookId,
    event_id: Annotated[str, typer.Argument(metavar="EVENT_ID", help="Of a delivery that its log shows.")],
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Tell a webhook once more what it was told before; the server does, soon."""

    async def do(session: Session) -> Resource:
        webhooks = session.rooms.webhooks
        return delivery_resource(await webhooks.resend(session.authority, webhook_id, event_id))

    print_thing(work(database, None, do), as_json=as_json)


@commands.command(epilog=example("bonafides webhooks delete whk_03GANXBih9sU1kN8eDf5QW"))
def delete(*, webhook_id: WebhookId, database: Database = None, as_json: AsJson = False) -> None:
    """Delete a webhook, and the log of what it was told."""

    async def do(session: Session) -> Resource:
        await session.rooms.webhooks.delete(session.authority, webhook_id)
        return {"id": webhook_id, "object": "webhook", "deleted": True}

    deleted = work(database, None, do)
    if as_json:
        print_json(deleted)
    else:
        print_line(f"Deleted the webhook {webhook_id}.")
