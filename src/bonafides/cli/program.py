"""The program `bonafides`: every command under its name, and every failure as one sentence."""

from __future__ import annotations

import functools
import os
import sys
import traceback
from typing import Annotated, Final

import typer
from typer.core import TyperGroup

from bonafides import __version__
from bonafides.cli import (
    clients,
    denials,
    doctor,
    first_run,
    imports,
    keys,
    peppers,
    plans,
    registration_tokens,
    schema,
    serving,
    sessions,
    signing_keys,
    tenants,
    tokens,
    trail,
    users,
    verify,
    webhooks,
)
from bonafides.cli.terminal import complain, complain_of_usage, never_fail, withdraw
from bonafides.errors import AppError, Misconfigured
from bonafides.secret import redact

FAILED: Final = 1
MISUSED: Final = 2
CANNOT_KNOW: Final = 3
"""Of `verify`, where 1 means that the credential is not valid."""
INTERRUPTED: Final = 130
PRIVATE: Final = 0o077
"""What this program writes is for its owner alone: databases and peppers."""

program = typer.Typer(
    name="bonafides",
    help="Issues, verifies, meters, rotates and revokes every credential an API hands out.",
    epilog="Example: bonafides serve",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
first_run.add_to(program)
serving.add_to(program)
imports.add_to(keys.commands)
program.add_typer(keys.commands)
program.add_typer(tokens.commands)
program.add_typer(tokens.bearer_commands)
program.add_typer(clients.commands)
program.add_typer(registration_tokens.commands)
program.add_typer(users.commands)
program.add_typer(tenants.commands)
program.add_typer(plans.commands)
trail.add_to(program)
program.add_typer(denials.commands)
verify.add_to(program)
doctor.add_to(program)
schema.add_to(program)
program.add_typer(peppers.commands)
program.add_typer(signing_keys.commands)
program.add_typer(sessions.commands)
program.add_typer(webhooks.commands)


def _version(asked: bool) -> None:  # noqa: FBT001 - Typer calls it with the option's value
    if asked:
        typer.echo(f"bonafides {__version__}")
        raise typer.Exit


@program.callback()
def _bonafides(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Issues, verifies, meters, rotates and revokes every credential an API hands out."""


def main(arguments: list[str] | None = None) -> None:
    """Carry out a command line, this process's own by default, and exit with its status."""
    os.umask(PRIVATE)
    never_fail()
    given = sys.argv[1:] if arguments is None else arguments
    try:
        status = run(given)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        withdraw()
        status = FAILED
    sys.exit(status)


@functools.cache
def root() -> TyperGroup:
    """The tree of commands, as it is parsed and documented."""
    tree = typer.main.get_command(program)
    if not isinstance(tree, TyperGroup):
        raise TypeError("the program is a group of commands")
    return tree


def run(arguments: list[str]) -> int:
    """The exit status of a command line; whatever failed was told in a sentence on standard error."""
    as_json = "--json" in arguments
    failed = CANNOT_KNOW if arguments[:1] == ["verify"] else FAILED
    try:
        status = root().main(args=arguments, prog_name="bonafides", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except typer.TyperException as error:
        complain_of_usage(error, as_json=as_json)
        return MISUSED
    except AppError as error:
        complain(error, as_json=as_json)
        return failed
    except Exception as error:  # noqa: BLE001 - people get a sentence, whatever it was
        complain(_unexpected(error), as_json=as_json)
        return failed
    return status if isinstance(status, int) else 0


def _unexpected(error: Exception) -> AppError:
    """What to tell of an error that nobody foresaw: its name, and how to see more; of a file, what is with it."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror is not None:
        return Misconfigured(f"{error.filename} cannot be used: {error.strerror}.")
    if os.environ.get("BONAFIDES_LOG_LEVEL") == "debug":
        sys.stderr.write(redact("".join(traceback.format_exception(error))))
    return AppError(
        f"Something failed that should not have ({type(error).__name__}). "
        "Set BONAFIDES_LOG_LEVEL=debug to see where, and please report it."
    )
