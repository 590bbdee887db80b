"""Pictures for phones to read. The only file that knows segno."""

from __future__ import annotations

from typing import Final

import segno

_SCALE: Final = 4


def svg(text: str) -> str:
    """A QR code as an SVG document, without scripts and styles, so that a page may show it under any policy."""
    code = segno.make(text, error="m", micro=False)
    drawn: str = code.svg_inline(scale=_SCALE, border=4, dark="#000", light="#fff", title="QR code")
    return drawn
