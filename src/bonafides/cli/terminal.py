"""What a command prints: one JSON document for programs, or tables for people; complaints on standard error."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bonafides.errors import AppError, Unavailable
from bonafides.resources import Resource
from bonafides.secret import redact

NOTHING: Final = "-"
WIDE: Final = 10_000
"""Columns of what is no terminal: a program reads it, so nothing is folded."""

Columns = Mapping[str, Callable[[Resource], object]]
"""What to show of a resource, by heading."""


def console() -> Console:
    """Standard output. What it prints is shown as it is: a name in brackets is no markup."""
    return Console(
        file=sys.stdout,
        markup=False,
        highlight=False,
        emoji=False,
        width=None if sys.stdout.isatty() else WIDE,
    )


def error_console() -> Console:
    """Standard error, for what is shown while a command works."""
    return Console(file=sys.stderr, markup=False, highlight=False, emoji=False)


def print_json(value: Mapping[str, Any]) -> None:
    """The one document of a command with `--json`."""
    plain = not (sys.stdout.encoding or "").lower().startswith("utf")
    indent = 2 if sys.stdout.isatty() else None
    sys.stdout.write(json.dumps(value, ensure_ascii=plain, indent=indent) + "\n")


def print_thing(thing: Resource, *, as_json: bool, heading: str | None = None) -> None:
    """One resource: its document, or its fields one below the other.

    Args:
        thing: As it is on the wire.
        as_json: For a program.
        heading: A sentence for people, above it.
    """
    if as_json:
        print_json(thing)
        return
    if heading is not None:
        print_line(heading)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold")
    grid.add_column(overflow="fold")
    for name, value in thing.items():
        if name != "object":
            grid.add_row(Text(name), Text(shown(value)))
    _print_table(grid)


def print_made(made: Resource, field: str, *, as_json: bool, words: str) -> None:
    """A new thing with its secret alone on its line, so that it can be copied; then what is known of it.

    Args:
        made: As it is on the wire.
        field: Where its secret is.
        as_json: For a program.
        words: What the secret is, for people, and what is done with it.
    """
    if as_json:
        print_json(made)
        return
    known = {name: value for name, value in made.items() if name != field}
    print_thing(known, as_json=False, heading=f"{words}\n\n  {made[field]}\n")


def print_page(page: Resource, columns: Columns, *, as_json: bool, noun: str) -> None:
    """A page of a listing: its document, or a table.

    Args:
        page: `{"data", "next_cursor"}`.
        columns: Of the table.
        as_json: For a program.
        noun: What is listed, in the plural.
    """
    if as_json:
        print_json(page)
        return
    things: Sequence[Resource] = page["data"]
    if not things:
        print_line(f"There are no {noun} here.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in columns:
        table.add_column(heading, overflow="fold")
    for thing in things:
        table.add_row(*(Text(shown(value(thing))) for value in columns.values()))
    _print_table(table)
    if page["next_cursor"] is not None:
        print_line(f"\nThere are more. Go on with: --cursor {page['next_cursor']}")


def print_usage(usage: Resource, *, as_json: bool) -> None:
    """The usage of a period: its document, or a table of the buckets in which there was any.

    Args:
        usage: As it is on the wire.
        as_json: For a program.
    """
    if as_json:
        print_json(usage)
        return
    rows = [bucket for bucket in usage["buckets"] if bucket["accepted"] or bucket["refused"]]
    if not rows:
        print_line(f"There were no requests since {usage['start']}.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in ("FROM", "ACCEPTED", "REFUSED"):
        table.add_column(heading, overflow="fold")
    for name, requests in [*((row["start"], row) for row in rows), ("total", usage["total"])]:
        refused = [f"{reason}={count}" for reason, count in requests["refused"].items()]
        table.add_row(Text(name), Text(str(requests["accepted"])), Text(shown(refused)))
    _print_table(table)


def print_family(family: Resource, *, as_json: bool) -> None:
    """A family of credentials: its document, or its tree, with what would end marked.

    Args:
        family: As it is on the wire.
        as_json: For a program.
    """
    if as_json:
        print_json(family)
        return
    depths: dict[str, int] = {}
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in ("ID", "KIND", "NAME", "STATUS", "EXPIRES", "ENDS WITH IT"):
        table.add_column(heading, overflow="fold")
    for member in family["members"]:
        depth = depths[member["id"]] = depths.get(member["parent_id"], -1) + 1
        names = ("kind", "name", "status", "expires_at")
        cells = [shown(member[name]) for name in names]
        table.add_row(
            Text("  " * depth + member["id"]), *map(Text, cells), "yes" if member["ends_with_it"] else ""
        )
    _print_table(table)
    if not family["whole"]:
        print_line("\nThere are more; these are the oldest.")


def _print_table(table: Table) -> None:
    out = console()
    with out.capture() as printed:
        out.print(table)
    # Tables are padded to their full width, which whoever copies a line would copy too.
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in printed.get().splitlines())


def print_line(text: str) -> None:
    """A line for people, exactly as it is: never folded, so that it can be copied."""
    console().print(Text(text), soft_wrap=True)


def shown(value: object) -> str:
    """A JSON value as a person reads it in a table."""
    match value:
        case None | "":
            return NOTHING
        case list() | dict() if not value:
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case list() if all(isinstance(item, str) for item in value):
            return " ".join(value)
        case dict() | list():
            return _printable(json.dumps(value, ensure_ascii=False))
        case _:
            return _printable(str(value))


def _printable(text: str) -> str:
    """The text without what would move the cursor, recolour the terminal or turn the reading direction."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text
    )


def complain(error: AppError, *, as_json: bool) -> None:
    """A failure on standard error: what is wrong and what to do. Whoever runs the program may know the inside."""
    message = error.public
    if isinstance(error, Unavailable) and error.internal:
        message = f"The database cannot be asked ({error.internal}). Run: bonafides doctor"
    _complain(error.code, redact(message), as_json=as_json)


def complain_of_usage(error: typer.TyperException, *, as_json: bool) -> None:
    """A command line that cannot be understood, on standard error; nothing where help was shown instead."""
    message = error.format_message().strip()
    if not message:
        return
    context = getattr(error, "ctx", None)
    path = "bonafides" if context is None else context.command_path
    _complain("invalid_request", f"{message} See: {path} --help", as_json=as_json)


def _complain(code: str, message: str, *, as_json: bool) -> None:
    sys.stderr.write((json.dumps({"error": code, "message": message}) if as_json else message) + "\n")


def never_fail() -> None:
    """Let a terminal that lacks a character show its number instead."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def withdraw() -> None:
    """Print nothing more, not even what is still buffered: nobody reads it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
