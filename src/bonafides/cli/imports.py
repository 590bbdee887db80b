"""`bonafides keys import`: keys from elsewhere, by what was kept of them there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Self, TextIO

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bonafides.cli.options import AsJson, Database, TenantId, example, words
from bonafides.cli.session import Session, work
from bonafides.cli.terminal import error_console, print_json, print_line
from bonafides.credentials.dumps import DumpFormat, read
from bonafides.credentials.foreign_keys import SCHEMES
from bonafides.credentials.imports import ImportReport, ImportWish
from bonafides.errors import Misconfigured
from bonafides.resources import Resource

SHOWN_MAX: Final = 20


def import_keys(
    *,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What another program wrote down.", show_default=False)
    ],
    form: Annotated[
        DumpFormat, typer.Option("--format", help="Whose words it uses; auto: told by its first entry.")
    ] = DumpFormat.AUTO,
    scheme: Annotated[
        str | None,
        typer.Option(
            "--scheme",
            metavar="NAME",
            help=f"What made its hashes, where it does not say: {', '.join(SCHEMES)}.",
        ),
    ] = None,
    hmac_key_file: Annotated[
        Path | None, typer.Option("--hmac-key-file", help="The key of HMAC-SHA-256 digests; kept sealed.")
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(
            "--user",
            "--user-id",
            metavar="USER",
            help="Whose keys, where the file does not say: an id or an e-mail address; else the first owner's.",
        ),
    ] = None,
    scopes: Annotated[
        list[str] | None,
        typer.Option(
            "--scopes", "--scope", metavar="SCOPES", help="Of keys that name none; separated by commas."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would happen.")] = False,
    tenant: TenantId = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Import keys that go on working as they are: CSV, JSON lines, dumps of Kong, Unkey, djangorestframework-api-key.

    What is there already is passed over, so an import that was broken off is run again. Ends with status 1 if
    an entry was refused.
    """
    hmac_key = None if hmac_key_file is None else _key_in(hmac_key_file)

    async def do(session: Session) -> Resource:
        owner = await session.user(user) if user is not None else await session.first_owner()
        keys = await session.rooms.imports.reader(scheme=scheme, hmac_key=hmac_key)
        with _opened(file) as text:
            found, entries = read(text, form, session.now)
            wish = ImportWish(owner, f"{found}: {file.name}"[:200], words(scopes), dry_run)
            with _Told(text, file.stat().st_size) as told:
                report = await session.rooms.imports.run(session.authority, entries, keys, wish, told)
        return {"format": str(found), "dry_run": dry_run, **_resource(report)}

    told = work(database, tenant, do)
    if as_json:
        print_json(told)
    else:
        _print(told)
    if told["refused"]:
        raise typer.Exit(1)


def _key_in(file: Path) -> bytes:
    try:
        return file.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise Misconfigured(f"{file} cannot be read: {error.strerror}.") from None


def _opened(file: Path) -> TextIO:
    try:
        return file.open(encoding="utf-8-sig", errors="surrogateescape", newline="")
    except OSError as error:
        raise Misconfigured(f"{file} cannot be read: {error.strerror}.") from None


class _Told:
    """A progress bar on standard error, by how much of the file was read; nothing where that is no terminal."""

    def __init__(self, text: TextIO, size: int) -> None:
        self._text = text
        console = error_console()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("reading", total=size)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, report: ImportReport) -> None:
        told = (
            f"{report.imported:,} imported, {report.already_here:,} already here, {report.refused:,} refused"
        )
        self._progress.update(self._task, completed=self._text.buffer.tell(), description=told)


def _resource(report: ImportReport) -> Resource:
    return {
        "id": report.id,
        "imported": report.imported,
        "already_here": report.already_here,
        "refused": report.refused,
        "refusals": [{"line": refusal.line, "reason": refusal.reason} for refusal in report.refusals],
    }


def _print(told: Resource) -> None:
    verb = "would be imported" if told["dry_run"] else "imported"
    print_line(
        f"{told['format']}: {told['imported']} {verb}, {told['already_here']} already here, {told['refused']} refused."
    )
    for refusal in told["refusals"][:SHOWN_MAX]:
        print_line(f"  line {refusal['line']}: {refusal['reason']}")
    if told["refused"] > SHOWN_MAX:
        print_line(f"  and {told['refused'] - SHOWN_MAX} more; --json tells the first thousand")


def add_to(commands: typer.Typer) -> None:
    """Make it a command of `keys`."""
    commands.command("import", epilog=example("bonafides keys import keys.csv --dry-run"))(import_keys)
