"""`bonafides doctor`: finds what is wrong with an installation, and says how to mend it."""

from __future__ import annotations

import asyncio
from typing import Final

import typer
from rich.text import Text

from bonafides.cli.checks import Check, State, check_everything
from bonafides.cli.options import AsJson, Database, example
from bonafides.cli.terminal import console, print_json, print_line
from bonafides.resources import Resource

SICK: Final = 1

_MARKS: Final = {State.OK: ("✓", "green"), State.WARNING: ("!", "yellow"), State.FAILURE: ("✗", "red")}


def doctor(*, database: Database = None, as_json: AsJson = False) -> None:
    """Check clock, settings, database, peppers, files and Valkey, and say how to mend what is wrong.

    Changes nothing. Exits with 1 if something is wrong (✗); a warning (!) is no failure.
    """
    checks = asyncio.run(check_everything(database))
    sick = any(check.state is State.FAILURE for check in checks)
    if as_json:
        print_json({"ok": not sick, "checks": [_resource(check) for check in checks]})
    else:
        _print(checks, sick=sick)
    if sick:
        raise typer.Exit(SICK)


def _resource(check: Check) -> Resource:
    return {"name": check.name, "state": str(check.state), "message": check.message, "mend": check.mend}


def _print(checks: list[Check], *, sick: bool) -> None:
    out = console()
    for check in checks:
        mark, colour = _MARKS[check.state]
        out.print(Text.assemble((mark, colour), f" {check.name}: {check.message}"), soft_wrap=True)
        if check.mend is not None:
            print_line(f"    {check.mend}")
    warnings = sum(check.state is State.WARNING for check in checks)
    print_line("")
    if sick:
        print_line("Something is wrong: mend what is marked ✗.")
    else:
        print_line(f"Nothing is wrong. Warnings: {warnings}." if warnings else "All is well.")


def add_to(program: typer.Typer) -> None:
    """Make it a command of the program."""
    program.command(epilog=example("bonafides doctor", "bonafides doctor --json"))(doctor)
