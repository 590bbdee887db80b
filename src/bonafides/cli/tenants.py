"""`bonafides tenants`: the organisations that everything belongs to."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from bonafides.cli.options import (
    LIMIT_DEFAULT,
    AsJson,
    Cursor,
    Database,
    Limit,
    duration,
    example,
    exclude,
    named,
    require_some,
)
from bonafides.cli.session import Session, work
from bonafides.cli.terminal import Columns, print_page, print_thing
from bonafides.cli.users import Switch
from bonafides.model import UNCHANGED, Replayed, Status, TenantChanges
from bonafides.resources import Resource, tenant_resource

commands = typer.Typer(
    name="tenants",
    help="Create, list and change tenants.",
    epilog=example("bonafides tenants create acme --plan pro"),
    no_args_is_help=True,
)

COLUMNS: Final[Columns] = {
    "ID": lambda tenant: tenant["id"],
    "NAME": lambda tenant: tenant["name"],
    "PLAN": lambda tenant: tenant["plan"],
    "STATUS": lambda tenant: tenant["status"],
    "OPERATOR": lambda tenant: tenant["operator"],
    "CREATED": lambda tenant: tenant["created_at"],
}

TenantArgument = Annotated[str, typer.Argument(metavar="TENANT_ID", help="The tenant's id, such as ten_….")]


@commands.command(epilog=example("bonafides tenants create acme --plan pro"))
def create(
    *,
    name: Annotated[str | None, typer.Argument(help="A name that no other tenant has.")] = None,
    name_option: Annotated[str | None, typer.Option("--name", help="The same.")] = None,
    plan: Annotated[str | None, typer.Option("--plan", help="The plan of its keys; by default free.")] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Create a tenant; make its first owner next."""
    called = named(name, name_option, "NAME")

    async def do(session: Session) -> Resource:
        tenant = await session.rooms.directory.create_tenant(session.authority, name=called, plan=plan)
        if isinstance(tenant, Replayed):
            raise TypeError("replayed without a claim")
        return tenant_resource(tenant)

    made = work(database, None, do)
    owner = f"bonafides users create --tenant {made['id']} --role owner --email ada@example.com"
    print_thing(made, as_json=as_json, heading=f"Created. Make its first owner next:\n\n  {owner}\n")


@commands.command("list", epilog=example("bonafides tenants list"))
def list_tenants(
    *, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None, database: Database = None, as_json: AsJson = False
) -> None:
    """List tenants, newest first."""

    async def do(session: Session) -> Resource:
        found = await session.rooms.directory.tenants(
            session.authority, session.page(limit, cursor, "tenants")
        )
        return session.listed(
            found, limit, "tenants", tenant_resource, lambda tenant: (tenant.created_at, tenant.id)
        )

    print_page(work(database, None, do), COLUMNS, as_json=as_json, noun="tenants")


@commands.command(epilog=example("bonafides tenants show ten_0Nf4gQ2s9XbR7mT1kVwZaC"))
def show(*, tenant_id: TenantArgument, database: Database = None, as_json: AsJson = False) -> None:
    """Show a tenant."""

    async def do(session: Session) -> Resource:
        return tenant_resource(await session.rooms.directory.visible_tenant(session.authority, tenant_id))

    print_thing(work(database, None, do), as_json=as_json)


@commands.command(epilog=example("bonafides tenants update ten_0Nf4gQ2s9XbR7mT1kVwZaC --plan pro"))
def update(
    *,
    tenant_id: TenantArgument,
    name: Annotated[str | None, typer.Option("--name", help="What it is called.")] = None,
    plan: Annotated[str | None, typer.Option("--plan", help="The plan of its keys.")] = None,
    status: Annotated[
        Switch | None, typer.Option("--status", help="A disabled tenant's credentials are refused.")
    ] = None,
    token_seconds_max: Annotated[
        int | None,
        typer.Option(
            "--token-seconds-max",
            metavar="TIME",
            parser=duration,
            help="How long a new personal access token may last: 90d.",
        ),
    ] = None,
    no_token_seconds_max: Annotated[
        bool, typer.Option("--no-token-seconds-max", help="Allow personal access tokens without end.")
    ] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Change a tenant; what is not named stays. It binds the next request."""
    exclude(("--token-seconds-max", token_seconds_max), ("--no-token-seconds-max", no_token_seconds_max))
    require_some([name, plan, status, token_seconds_max, no_token_seconds_max])
    changes = TenantChanges(
        name=UNCHANGED if name is None else name,
        plan=UNCHANGED if plan is None else plan,
        status=UNCHANGED if status is None else Status(status),
        personal_access_token_seconds_max=(
            UNCHANGED if token_seconds_max is None and not no_token_seconds_max else token_seconds_max
        ),
    )

    async def do(session: Session) -> Resource:
        return tenant_resource(
            await session.rooms.directory.change_tenant(session.authority, tenant_id, changes)
        )

    print_thing(work(database, None, do), as_json=as_json, heading="Changed.\n")
