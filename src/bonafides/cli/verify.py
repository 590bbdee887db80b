"""`bonafides verify`: whether a credential is good, as a resource server would be told."""

from __future__ import annotations

import ipaddress
import sys
from typing import Annotated, Final

import typer

from bonafides import intake
from bonafides.cli.options import AsJson, Database, example, words
from bonafides.cli.session import Session, work
from bonafides.cli.terminal import print_thing
from bonafides.resources import Resource, verdict_resource
from bonafides.verification.verifier import Facts

NOT_VALID: Final = 1
FROM_INPUT: Final = "-"
CREDENTIAL_BYTES_MAX: Final = 65_536


def verify(
    *,
    credential: Annotated[
        str,
        typer.Argument(
            help="The credential; - reads it from standard input, where no other process can see it."
        ),
    ],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope", "--scopes", metavar="SCOPES", help="Scopes that it must have, separated by commas."
        ),
    ] = None,
    ip: Annotated[
        str | None, typer.Option("--ip", metavar="ADDRESS", help="Where it was presented from.")
    ] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Verify a credential without counting a request. Exits with 0: valid, 1: not valid, 3: cannot be known."""
    address = _address(ip)
    presented = _presented(credential)
    scopes = intake.scope_words(" ".join(words(scope) or ()))

    async def do(session: Session) -> Resource:
        facts = Facts(address=address, scopes=scopes, cost=0)
        return verdict_resource(await session.rooms.verifier.verify(presented, facts))

    verdict = work(database, None, do)
    print_thing(verdict, as_json=as_json, heading="Valid.\n" if verdict["valid"] else "Not valid.\n")
    if not verdict["valid"]:
        raise typer.Exit(NOT_VALID)


def _presented(credential: str) -> bytes:
    if credential == FROM_INPUT:
        return sys.stdin.buffer.read(CREDENTIAL_BYTES_MAX).strip()
    return credential.encode("utf-8", "surrogateescape")


def _address(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise typer.BadParameter("Write an IPv4 or IPv6 address.", param_hint="--ip") from None


def add_to(program: typer.Typer) -> None:
    """Make it a command of the program."""
    program.command(
        epilog=example(
            'printf %s "$KEY" | bonafides verify - --scope read', "bonafides verify - --json < key.txt"
        )
    )(verify)
