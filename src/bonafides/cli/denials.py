"""`bonafides denials`: why a request was refused."""

from __future__ import annotations

from typing import Annotated

import typer

from bonafides.cli.options import AsJson, Database, example
from bonafides.cli.session import Session, work
from bonafides.cli.terminal import print_thing, shown
from bonafides.resources import Resource, denial_resource

commands = typer.Typer(
    name="denials",
    help="Say why a request was refused.",
    epilog=example("bonafides denials show req_3R3UcQL6NmT5t100000002"),
    no_args_is_help=True,
)


@commands.callback()
def _denials() -> None:
    """Say why a request was refused."""


@commands.command(epilog=example("bonafides denials show req_3R3UcQL6NmT5t100000002"))
def show(
    *,
    request_id: Annotated[str, typer.Argument(metavar="REQUEST_ID", help="As the refusal told it: req_…")],
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Say which check refused a request of the last day, and by which figures."""

    async def do(session: Session) -> Resource:
        return denial_resource(await session.rooms.denial_reports.get(session.authority, request_id))

    denial = work(database, None, do)
    if not as_json:
        checks = {check["check"]: _outcome(check) for check in denial.pop("checks")}
        denial = {**denial, **checks}
    print_thing(denial, as_json=as_json, heading=f"{denial['explanation']}\n")


def _outcome(check: Resource) -> str:
    if check["outcome"] != "refused":
        return str(check["outcome"]).replace("_", " ")
    figures = " ".join(f"{name}={shown(value)}" for name, value in check["figures"].items())
    return f"REFUSED {figures}".rstrip()
