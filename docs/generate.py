"""Writes `docs/reference/` from the code, so that it cannot differ; `--check` fails where it does."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from bonafides.errors import WIRE_CODES
from bonafides.settings import SETTINGS_FILE
from bonafides.web.portal.described_settings import described_settings
from docs.commands import commands_page
from docs.description import description_page
from docs.secret_format import secret_format_page
from docs.security import security_page

REFERENCE: Final = Path(__file__).parent / "reference"
WARNING: Final = "Written by `make docs` from the code; a change made here is lost."
HEADINGS: Final = {".md": f"<!-- {WARNING} -->\n\n", ".yaml": f"# {WARNING}\n"}


def settings_page() -> str:
    """Every setting with its type, default and help."""
    rows = [
        (f"`{each.name}`", f"`{each.variable}`", each.kind, each.default, each.text)
        for each in described_settings()
    ]
    return (
        "# Settings\n\n"
        f"Command-line flags win over environment variables, those over `{SETTINGS_FILE}` in the working folder,\n"
        "that over the defaults. Lists are separated by commas in a variable. An unknown name stops the start.\n\n"
        + _table(("name", "variable", "type", "default", "what it does"), rows)
    )


def errors_page() -> str:
    """Every value that `error` can have on the wire."""
    rows = [(f"`{code}`", meaning) for code, meaning in WIRE_CODES.items()]
    return (
        "# Errors\n\nThe field `error` of an error's body is one of these; they never change meaning.\n\n"
        + _table(("error", "when"), rows)
    )


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "settings.md": settings_page,
    "errors.md": errors_page,
    "cli.md": commands_page,
    "security.md": security_page,
    "secret-format.md": secret_format_page,
    "openapi.yaml": description_page,
}


@functools.cache
def contents() -> Mapping[str, str]:
    """What each file must hold, by its name."""
    return {name: HEADINGS[Path(name).suffix] + page() for name, page in PAGES.items()}


def stale(folder: Path) -> list[str]:
    """Name the files in `folder` that are missing, differ from what the code says, or that nothing writes."""
    wanted = contents()
    found = (
        {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} if folder.is_dir() else {}
    )
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def write(folder: Path) -> None:
    """Make `folder` hold exactly the generated pages."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.name not in PAGES:
            path.unlink()
    for name, content in contents().items():
        (folder / name).write_text(content, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` say which are stale."""
    if arguments == ["--check"]:
        if names := stale(REFERENCE):
            sys.stderr.write(
                f"docs/reference is not what the code says: {', '.join(names)}. Run `make docs`.\n"
            )
            return 1
        return 0
    if arguments:
        sys.stderr.write("usage: python -m docs.generate [--check]\n")
        return 2
    write(REFERENCE)
    return 0


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = tuple(head)
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
