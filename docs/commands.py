"""The page of the command line, from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from bonafides.cli.program import root

EXAMPLE: Final = "Example:"


def commands() -> Iterator[tuple[str, TyperCommand]]:
    """Every command that does something, with its full name."""
    yield from _within("bonafides", root())


def _within(name: str, group: TyperGroup) -> Iterator[tuple[str, TyperCommand]]:
    for word, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _within(f"{name} {word}", command)
        elif isinstance(command, TyperCommand):
            yield f"{name} {word}", command


def examples(command: TyperCommand) -> Sequence[str]:
    """The command lines at the end of a command's help."""
    lines = (command.epilog or "").split("\n\n")
    return lines[1:] if lines[0] == EXAMPLE else []


def commands_page() -> str:
    """Every command with its arguments, options and examples."""
    text = (
        "# Command line\n\n"
        "Every command works on the database itself, whether or not a server runs; a running server learns of\n"
        "the change at once. `--json` prints one document, as the HTTP API answers; else people get tables.\n"
        'Failures are one sentence on standard error, with `--json` as `{"error", "message"}`.\n\n'
        "| exit status | meaning |\n| --- | --- |\n"
        "| 0 | done; of `verify`: the credential is valid |\n"
        "| 1 | failed; of `verify`: not valid; of `doctor`: something is wrong |\n"
        "| 2 | the command line cannot be understood |\n"
        "| 3 | of `verify`: cannot be known |\n"
    )
    return text + "".join(_section(name, command) for name, command in commands())


def _section(name: str, command: TyperCommand) -> str:
    lines = [f"\n## {name}\n", " ".join((command.help or "").split("\n")).replace("  ", "\n\n"), ""]
    lines += ["```sh", *examples(command), "```", ""]
    rows = [_row(parameter) for parameter in command.params]
    if rows:
        lines += ["| argument or option | what it is |", "| --- | --- |", *rows]
    return "\n".join(lines) + "\n"


def _row(parameter: object) -> str:
    if isinstance(parameter, TyperArgument):
        metavar = parameter.metavar or (parameter.name or "").upper()
        named = f"`{metavar}`" if parameter.required else f"`[{metavar}]`"
        return f"| {named} | {parameter.help or ''} |"
    if isinstance(parameter, TyperOption):
        names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
        metavar = f" `{parameter.metavar}`" if parameter.metavar else ""
        required = " Required." if parameter.required else ""
        return f"| {names}{metavar} | {parameter.help or ''}{required} |"
    raise TypeError(f"{parameter!r} is neither an argument nor an option")
