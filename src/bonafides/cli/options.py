"""The options that commands share, and how what people type becomes values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import typer

LIMIT_DEFAULT: Final = 50
LIMIT_MAX: Final = 1_000
NONE: Final = "none"

_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DURATION: Final = re.compile(r"(\d{1,12})([smhdw]?)", re.ASCII)

Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="sqlite:///file, a file name, or postgresql://…; rather set BONAFIDES_DATABASE if it has a password.",
    ),
]
Valkey = Annotated[
    str | None,
    typer.Option(
        "--valkey",
        metavar="URL",
        help="valkey://…: where nodes share exact limits; rather set BONAFIDES_VALKEY if it has a password.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, as the HTTP API answers.")]
TenantId = Annotated[
    str | None,
    typer.Option(
        "--tenant", "--tenant-id", metavar="ID", help="Whose; by default the operator's own tenant."
    ),
]
Search = Annotated[
    str | None,
    typer.Option(
        "--search",
        metavar="WORDS",
        help="Only those in whose name, or what else is shown of them, it stands.",
    ),
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=LIMIT_MAX, help="How many to list at most.")]
Cursor = Annotated[
    str | None, typer.Option("--cursor", metavar="TEXT", help="`next_cursor` of the page before.")
]


def example(*lines: str) -> str:
    """The end of a command's help: how to call it."""
    return "\n\n".join(["Example:", *lines])


def words(values: Iterable[str] | None) -> list[str] | None:
    """The words of an option that may be repeated, and may hold several, separated by commas or blanks."""
    if values is None:
        return None
    return [word for value in values for word in re.split(r"[,\s]+", value) if word]


def moment(text: str) -> datetime:
    """A time such as 2030-01-01T00:00:00Z."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("Write a time such as 2030-01-01T00:00:00Z.") from None


def duration(text: str) -> int:
    """Seconds, from a number of them or a number with a unit: 90, 15m, 12h, 30d, 4w."""
    # A default comes here as well, and that is a number.
    match = _DURATION.fullmatch(str(text))
    if match is None:
        raise typer.BadParameter("Write seconds, or a number with a unit: 90, 15m, 12h, 30d, 4w.")
    return int(match[1]) * _SECONDS[match[2]]


def json_object(text: str) -> dict[str, Any]:
    """A JSON object."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise typer.BadParameter("""Write a JSON object, such as '{"team": "billing"}'.""")
    return value


def figure(text: str) -> int | None:
    """A whole number, or `none` for no limit."""
    if text == NONE:
        return None
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter("Write a whole number, or none for no limit.") from None


def named(argument: str | None, option: str | None, hint: str) -> str:
    """What was given as an argument or as the option of the same meaning; exactly one of them."""
    if (argument is None) == (option is None):
        raise typer.BadParameter(f"Give it once: as an argument, or as --{hint.lower()}.", param_hint=hint)
    return argument if argument is not None else str(option)


def require_some(changes: Sequence[object]) -> None:
    """Refuse a change of nothing."""
    if all(change is None or change is False for change in changes):
        raise typer.BadParameter("Say what to change.", param_hint="options")


def exclude(*options: tuple[str, object]) -> None:
    """Refuse options that contradict each other."""
    given = [name for name, value in options if value is not None and value is not False]
    if len(given) > 1:
        raise typer.BadParameter("Give one of them.", param_hint=given)
