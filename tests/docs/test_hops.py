"""Every `file:name` that the map and the flows speak of exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "bonafides"
PAGES = [ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs" / "flows").glob("*.md"))]
ROOMS = ("credentials", "oauth", "verification", "web", "web/pages", "web/portal")
HOP = re.compile(r"`([a-z_/]+\.py):(\w+)`")
PLACE = re.compile(r"`([a-z_]+(?:/[a-z_]+)*(?:\.py|/))`")


def _names(path: Path) -> set[str]:
    """Everything that a file defines, at whatever depth."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_hop_exists(page: Path) -> None:
    """A newcomer who follows a hop that is gone stops trusting the map."""
    text = page.read_text(encoding="utf-8")
    for file, name in HOP.findall(text):
        assert name in _names(SOURCE / file), f"{page.name}: {file}:{name}"
    for place in PLACE.findall(text):
        assert any((base / place).exists() for base in (SOURCE, *(SOURCE / room for room in ROOMS), ROOT)), (
            place
        )


def test_the_map_shows_every_room() -> None:
    """A room that is not on the map is found by accident."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = [
        path.name for path in SOURCE.iterdir() if not path.name.startswith("_") and path.name != "py.typed"
    ]
    for room in rooms:
        assert f"`{room}`" in text or f"`{room}/`" in text, room
