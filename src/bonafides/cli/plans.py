"""`bonafides plans`: how many requests are admitted."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from bonafides.cli.options import (
    LIMIT_DEFAULT,
    NONE,
    AsJson,
    Cursor,
    Database,
    Limit,
    duration,
    example,
    figure,
)
from bonafides.cli.session import Session, work
from bonafides.cli.terminal import Columns, print_json, print_line, print_page, print_thing
from bonafides.model import CountBy, CredentialKind, Replayed
from bonafides.resources import Resource, plan_resource

commands = typer.Typer(
    name="plans",
    help="Change and list plans: they bind the next request.",
    epilog=example("bonafides plans put gold --requests-per-hour 50000 --burst 500"),
    no_args_is_help=True,
)


def _limit(value: object) -> object:
    return "unlimited" if value is None else value


COLUMNS: Final[Columns] = {
    "NAME": lambda plan: plan["name"],
    "AN HOUR": lambda plan: _limit(plan["requests_per_hour"]),
    "A SECOND": lambda plan: _limit(plan["burst"]),
    "COUNTED BY": lambda plan: plan["count_by"],
    "BY METHOD": lambda plan: [f"{kind}={_limit(value)}" for kind, value in plan["per_method"].items()],
}

PlanName = Annotated[str, typer.Argument(metavar="NAME", help="The plan's name, such as free.")]


@commands.command(
    epilog=example(
        "bonafides plans put gold --requests-per-hour 50000 --burst 500",
        "bonafides plans put free --requests-per-hour 2000 --burst none",
    )
)
def put(
    *,
    name: PlanName,
    requests_per_hour: Annotated[
        str,
        typer.Option("--requests-per-hour", metavar="N", help=f"How many an hour, or {NONE} for no limit."),
    ],
    burst: Annotated[
        str, typer.Option("--burst", metavar="N", help=f"How many a second, or {NONE} for no limit.")
    ],
    per_method: Annotated[
        list[str] | None,
        typer.Option("--per-method", metavar="KIND=N", help="An hourly figure for one kind of credential."),
    ] = None,
    count_by: Annotated[
        CountBy, typer.Option("--count-by", help="Whose requests are counted together.")
    ] = CountBy.CREDENTIAL,
    bearer_token_seconds: Annotated[
        int | None,
        typer.Option(
            "--token-seconds", metavar="TIME", parser=duration, help="How long bearer tokens last: 600, 2h."
        ),
    ] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Create a plan, or give the one of that name these figures."""
    methods = dict(_method(text) for text in per_method or ())
    hourly, each_second = figure(requests_per_hour), figure(burst)

    async def do(session: Session) -> tuple[Resource, bool]:
        outcome = await session.rooms.plans.put(
            session.authority,
            name=name,
            requests_per_hour=hourly,
            burst=each_second,
            per_method=methods,
            count_by=count_by,
            bearer_token_seconds=bearer_token_seconds,
        )
        if isinstance(outcome, Replayed):
            raise TypeError("replayed without a claim")
        plan, is_new = outcome
        return plan_resource(plan), is_new

    plan, is_new = work(database, None, do)
    print_thing(
        plan, as_json=as_json, heading="Created.\n" if is_new else "Changed. It binds the next request.\n"
    )


def _method(text: str) -> tuple[CredentialKind, int | None]:
    kind, separator, value = text.partition("=")
    if not separator or kind not in set(CredentialKind):
        kinds = ", ".join(CredentialKind)
        raise typer.BadParameter(f"Write KIND=N, where KIND is one of: {kinds}.", param_hint="--per-method")
    return CredentialKind(kind), figure(value)


@commands.command("list", epilog=example("bonafides plans list"))
def list_plans(
    *, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None, database: Database = None, as_json: AsJson = False
) -> None:
    """List plans, newest first."""

    async def do(session: Session) -> Resource:
        found = await session.rooms.plans.page(session.page(limit, cursor, "plans"))
        return session.listed(found, limit, "plans", plan_resource, lambda plan: (plan.created_at, plan.name))

    print_page(work(database, None, do), COLUMNS, as_json=as_json, noun="plans")


@commands.command(epilog=example("bonafides plans show free"))
def show(*, name: PlanName, database: Database = None, as_json: AsJson = False) -> None:
    """Show a plan."""

    async def do(session: Session) -> Resource:
        return plan_resource(await session.rooms.plans.get(name))

    print_thing(work(database, None, do), as_json=as_json)


@commands.command(epilog=example("bonafides plans delete gold"))
def delete(*, name: PlanName, database: Database = None, as_json: AsJson = False) -> None:
    """Delete a plan that no tenant and no key is on."""

    async def do(session: Session) -> Resource:
        await session.rooms.plans.delete(session.authority, name)
        return {"name": name, "object": "plan", "deleted": True}

    deleted = work(database, None, do)
    if as_json:
        print_json(deleted)
    else:
        print_line(f"Deleted the plan {name}.")
