"""The page of security lines: which of them a test covers, by the docstrings of the tests themselves."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

REPOSITORY: Final = Path(__file__).parents[1]
TESTS: Final = REPOSITORY / "tests"
LIST: Final = Path(__file__).with_suffix(".toml")

_NAMED: Final = re.compile(r"\b(?:attack (\d+)|ASVS (\d+\.\d+\.\d+))(?!\d)", re.IGNORECASE)


def docstrings(folder: Path = TESTS) -> Iterator[tuple[Path, str]]:
    """The docstring of every test, with its file."""
    for path in sorted(folder.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                yield path.relative_to(folder.parent), ast.get_docstring(node) or ""


def due() -> Mapping[str, str]:
    """Every line that concerns what is built."""
    lines: Mapping[str, str] = _read()["due"]
    return lines


def later() -> Mapping[str, tuple[str, str]]:
    """Every other line, with why no test covers it."""
    return {line: (text, group["why"]) for group in _read()["later"] for line, text in group["lines"].items()}


def covering(lines: Iterable[str], named: Iterable[tuple[Path, str]]) -> Mapping[str, list[str]]:
    """The files whose tests name each line."""
    patterns = {line: re.compile(rf"\b{re.escape(line)}(?!\d)", re.IGNORECASE) for line in lines}
    found: dict[str, set[str]] = {line: set() for line in patterns}
    for path, docstring in named:
        for line, pattern in patterns.items():
            if pattern.search(docstring):
                found[line].add(path.as_posix())
    return {line: sorted(files) for line, files in found.items()}


def unknown(named: Iterable[tuple[Path, str]]) -> list[str]:
    """What tests name that is in no table of the list."""
    known = {line.lower() for line in (*due(), *later())}
    return sorted(
        {
            match[0]
            for _, docstring in named
            for match in _NAMED.finditer(docstring)
            if match[0].lower() not in known
        }
    )


def security_page() -> str:
    """Every line with the tests that cover it, or why none does."""
    covered = covering(due(), docstrings())
    rows = [(line, text, "<br>".join(f"`{file}`" for file in covered[line])) for line, text in due().items()]
    return (
        "# Security, line by line\n\n"
        "Requirements of OWASP ASVS 5.0 and of RFCs, and attacks that worked on others. The files are those whose\n"
        "tests name the line in a docstring: search them for it.\n\n"
        + _table(("line", "what must hold", "tests"), rows)
        + "\n## Not covered by a test\n\n"
        + _table(
            ("line", "what must hold", "why"), [(line, text, why) for line, (text, why) in later().items()]
        )
    )


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = tuple(head)
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _read() -> dict[str, Any]:
    return tomllib.loads(LIST.read_text(encoding="utf-8"))
