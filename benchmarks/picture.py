"""Bars as SVG, readable on a light and on a dark page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

_WIDTH: Final = 900
_LEFT: Final = 440
_RIGHT: Final = 90
_LINE: Final = 26
_TOP: Final = 64

_STYLE: Final = """
    text { font: 13px system-ui, sans-serif; fill: #1f2328; }
    .title { font-size: 17px; font-weight: 600; }
    .small { font-size: 12px; fill: #59636e; }
    .ours { fill: #0a7d55; } .theirs { fill: #8c959f; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; } .small { fill: #9198a1; } .ours { fill: #3fb98a; } .theirs { fill: #6e7681; }
    }
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; ours are coloured."""

    label: str
    figure: float
    ours: bool = True


def picture(title: str, subtitle: str, bars: Sequence[Bar]) -> str:
    """The bars below each other, each with its figure."""
    longest = max((bar.figure for bar in bars), default=1) or 1
    height = _TOP + len(bars) * _LINE + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        f"  <title>{escape(title)}</title>",
        f"  <style>{_STYLE}  </style>",
        f'  <text class="title" x="12" y="26">{escape(title)}</text>',
        f'  <text class="small" x="12" y="46">{escape(subtitle)}</text>',
    ]
    for at, bar in enumerate(bars):
        top = _TOP + at * _LINE
        length = max(1.0, bar.figure / longest * (_WIDTH - _LEFT - _RIGHT))
        kind = "ours" if bar.ours else "theirs"
        parts += [
            f'  <text x="{_LEFT - 8}" y="{top + 14}" text-anchor="end">{escape(bar.label)}</text>',
            f'  <rect class="{kind}" x="{_LEFT}" y="{top}" width="{length:.1f}" height="18" rx="2"/>',
            f'  <text x="{_LEFT + length + 6:.1f}" y="{top + 14}">{bar.figure:,.0f}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])
