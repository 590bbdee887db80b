"""Every command shows how it is called, and what it shows can be called."""

from __future__ import annotations

import re
import shlex

import pytest
from typer.core import TyperCommand, TyperGroup

from bonafides.cli.program import root, run
from docs.commands import commands, commands_page, examples

COMMANDS = dict(commands())
CONTRACT = (
    "init serve audit verify doctor migrate",
    "keys create", "keys list", "keys show", "keys update", "keys rotate", "keys disable", "keys enable", "keys revoke",
    "keys usage", "keys import",
    "users create", "users list", "users show", "users update", "users delete", "users reset-password",
    "users reset-factors",
    "users invite", "users notifications",
    "tenants create", "tenants list", "tenants show", "tenants update",
    "plans put", "plans list", "plans show", "plans delete",
    "peppers rotate", "keys lineage", "keys networks",
    "tokens create", "tokens list", "tokens show", "tokens revoke",
    "bearer-tokens list", "bearer-tokens show", "bearer-tokens revoke",
    "denials show",
    "clients create", "clients list", "clients show", "clients disable", "clients enable", "clients delete",
    "clients rotate-secret", "registration-tokens create", "registration-tokens list", "registration-tokens delete",
    "signing-keys list", "signing-keys rotate", "sessions list", "sessions end",
    "webhooks create", "webhooks list", "webhooks show", "webhooks disable", "webhooks enable", "webhooks delete",
    "webhooks rotate-secret", "webhooks test", "webhooks log", "webhooks update", "webhooks resend",
)  # fmt: skip


def parse(line: str) -> None:
    """Read a command line as the program would, and carry nothing out."""
    words = shlex.split(line)
    at = words.index("bonafides")
    words = words[
        at + 1 : next((place for place, word in enumerate(words) if word in {"<", "|"} and place > at), None)
    ]
    command: object = root()
    path = "bonafides"
    while isinstance(command, TyperGroup) and words:
        path, command = f"{path} {words[0]}", command.commands[words[0]]
        words = words[1:]
    assert isinstance(command, TyperCommand | TyperGroup)
    command.make_context(path, words)


def test_every_command_of_the_contract_is_there() -> None:
    """A script that was written by the contract would find a command missing."""
    wanted = {f"bonafides {name}" for name in (*CONTRACT[0].split(), *CONTRACT[1:])}
    assert set(COMMANDS) == wanted


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_that_can_be_called(name: str) -> None:
    """Whoever copies the example would be told that it cannot be understood."""
    lines = examples(COMMANDS[name])
    assert lines
    for line in lines:
        assert re.search(rf"(^|\| ){name}( |$)", line), line
        assert len(line) <= 76, f"would be folded in a window of 80 columns: {line}"
        parse(line)


@pytest.mark.parametrize(
    "group",
    [
        "keys",
        "users",
        "tenants",
        "plans",
        "peppers",
        "tokens",
        "bearer-tokens",
        "denials",
        "signing-keys",
        "sessions",
        "clients",
        "registration-tokens",
        "webhooks",
    ],
)
def test_every_group_has_an_example_that_can_be_called(group: str) -> None:
    """The same, for whoever asks for the help of the noun alone."""
    lines = (root().commands[group].epilog or "").split("\n\n")[1:]
    assert lines
    for line in lines:
        parse(line)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_shows_the_example_and_every_option(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An option that the help leaves out is an option that nobody uses."""
    monkeypatch.setenv("COLUMNS", "80")
    assert run([*name.split()[1:], "--help"]) == 0
    shown = capsys.readouterr().out
    for line in examples(COMMANDS[name]):
        assert line in shown
    for parameter in COMMANDS[name].params:
        assert all(option in shown for option in parameter.opts if option.startswith("--"))


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"bonafides serve"}))
def test_every_command_speaks_json(name: str) -> None:
    """A script would have to read a table."""
    assert "--json" in {option for parameter in COMMANDS[name].params for option in parameter.opts}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_in_the_reference(name: str) -> None:
    """A generator that leaves something out would pass its own check."""
    section = commands_page().split(f"## {name}\n")[1].split("\n## ")[0]
    command: TyperCommand = COMMANDS[name]
    for parameter in command.params:
        assert all(f"`{option}`" in section for option in parameter.opts if option.startswith("--"))
    for line in examples(command):
        assert line in section
