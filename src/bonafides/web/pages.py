"""The readable description at `/docs`: one page, made from the OpenAPI description, without a network."""

from __future__ import annotations

from typing import Any

from bonafides.settings import Settings


def docs_page(schema: dict[str, Any], settings: Settings) -> bytes:
    """The page, in UTF-8."""
    return b""


def docs_style() -> bytes:
    """Its style sheet."""
    return b""
