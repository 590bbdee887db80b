"""What was found: as a table, as JSON, as Markdown and as a picture."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.measure import Row
from benchmarks.picture import Bar, picture

_HEADINGS: Final = (
    "what", "median", "best", "unit", "of nginx", "of HAProxy", "of oidc-provider", "target", "reached",
)  # fmt: skip
_FIGURES: Final = frozenset({"median", "best", "of nginx", "of HAProxy", "of oidc-provider"})
BEGIN: Final = "<!-- table -->"
END: Final = "<!-- end of table -->"
_THEIRS: Final = ("nginx", "haproxy", "oidc-provider", "better-auth")


def as_data(rows: Sequence[Row], circumstances: dict[str, Any]) -> dict[str, Any]:
    """All that was found, for JSON."""
    return {**circumstances, "rows": [_row(row) for row in rows]}


def show(found: dict[str, Any]) -> None:
    """Print the table."""
    table = Table(
        title=f"{found['date']} · {found['machine']['processor']}, {found['machine']['cores']} cores"
    )
    for heading in _HEADINGS:
        table.add_column(heading, justify="right" if heading in _FIGURES else "left")
    for row in found["rows"]:
        table.add_row(*_cells(row))
    console = Console(width=None if Console().is_terminal else 200)
    console.print(table)
    for what, why in found.get("left_out", {}).items():
        console.print(f"left out: {what}: {why}", highlight=False)


def markdown(found: dict[str, Any]) -> str:
    """The same table for a document."""
    lines = [
        "| " + " | ".join(_HEADINGS) + " |",
        "| " + " | ".join("--:" if heading in _FIGURES else "---" for heading in _HEADINGS) + " |",
    ]
    lines += ["| " + " | ".join(_cells(row)) + " |" for row in found["rows"]]
    return "\n".join(lines)


def placed(table: str, document: str) -> str:
    """A document with this table instead of the one between its marks."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the document has no {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def drawn(found: dict[str, Any]) -> str:
    """The rows that are counted per CPU-second, as bars."""
    bars = [
        Bar(
            row["title"].replace("`", ""),
            row["median"],
            ours=not row["name"].startswith(_THEIRS),
        )
        for row in found["rows"]
        if row["unit"] == "per CPU-second"
    ]
    machine = found["machine"]
    return picture(
        "Answers per CPU-second",
        f"median, {found['date']}, {machine['processor']}, {machine['cores']} cores",
        bars,
    )


def _row(row: Row) -> dict[str, Any]:
    ratios = {name: round(ratio, 4) for name in row.beside if (ratio := row.ratio(name)) is not None}
    return {
        "name": row.name,
        "title": row.title,
        "unit": row.unit,
        "median": _rounded(row.median),
        "best": _rounded(row.best),
        "runs": [_rounded(run) for run in row.runs],
        "ratios": ratios,
        "beside": {name: [_rounded(run) for run in runs] for name, runs in row.beside.items()},
        "target": ", ".join(str(target) for target in row.targets) or None,
        "reached": row.reached,
        "notes": row.notes,
    }


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    def ratio(*names: str) -> str:
        return next((f"{row['ratios'][name]:.2f}" for name in names if name in row["ratios"]), "")

    reached = {True: "yes", False: "no", None: ""}[row["reached"]]
    figures = (_shown(row["median"]), _shown(row["best"]))
    return (
        row["title"],
        *figures,
        row["unit"],
        ratio("nginx"),
        ratio("haproxy", "haproxy-behind"),
        ratio("oidc-provider"),
        row["target"] or "",
        reached,
    )


def _shown(figure: float) -> str:
    return f"{figure:,.2f}" if figure % 1 else f"{figure:,.0f}"


def _rounded(figure: float) -> float:
    return round(figure) if figure >= 100 else round(figure, 3)  # noqa: PLR2004 - four digits either way


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Show a result of benchmarks as Markdown, and draw it.")
    parser.add_argument(
        "results", type=Path, nargs="+", help="files that --json wrote, of one machine and day"
    )
    parser.add_argument("--picture", type=Path, help="where to draw it, as SVG")
    parser.add_argument(
        "--into", type=Path, help=f"a document whose table between {BEGIN} and {END} is replaced"
    )
    chosen = parser.parse_args()
    parts = [json.loads(path.read_text()) for path in chosen.results]
    result = {
        **parts[0],
        "rows": [row for part in parts for row in part["rows"]],
        "left_out": {what: why for part in parts for what, why in part.get("left_out", {}).items()},
    }
    if chosen.into:
        chosen.into.write_text(placed(markdown(result), chosen.into.read_text()))
    else:
        print(markdown(result))
    if chosen.picture:
        chosen.picture.write_text(drawn(result))
