"""The look that an operator gives the pages: a name, a logo and a colour, which is made to be readable by day and by night."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bonafides.settings import Settings
from bonafides.web.pages.files import PREFIX, File

CONTRAST_MIN: Final = 4.5
"""Of text against what is behind it (WCAG 2.2, 1.4.3)."""

Colour = tuple[int, int, int]

_DAY_PAPER: Final = (0xF5, 0xF6, 0xF8)
_NIGHT_PAPER: Final = (0x2C, 0x32, 0x3E)
"""The darkest paper of the day and the lightest of the night: what is read there is read on the others."""
_DAY_INK: Final = (0xFF, 0xFF, 0xFF)
_NIGHT_INK: Final = (0x0C, 0x12, 0x20)
_BLACK: Final = (0, 0, 0)
_STEPS: Final = 50
_LINEAR_MAX: Final = 0.04045
_SVG: Final = "svg"
_TYPES: Final = {_SVG: b"image/svg+xml", "png": b"image/png"}


class Theme:
    """What the frame of every page shows.

    Args:
        settings: Of name, logo and colour.
    """

    def __init__(self, settings: Settings) -> None:
        self.name = settings.brand_name
        self.style = style_of(settings.brand_color) if settings.brand_color else b""
        self._style = _file("theme", "css", b"text/css; charset=utf-8", self.style) if self.style else None
        self._logo: File | None = None
        if settings.brand_logo:
            content = Path(settings.brand_logo).read_bytes()
            ending = "png" if content.startswith(b"\x89PNG") else _SVG
            self._logo = _file("logo", ending, _TYPES[ending], content)

    @property
    def files(self) -> Iterator[File]:
        """What is served beside the pages' own files."""
        yield from (file for file in (self._style, self._logo) if file is not None)

    @property
    def style_path(self) -> str | None:
        """Of the style sheet that gives the colour; None where there is none."""
        return None if self._style is None else PREFIX + self._style.name

    @property
    def logo_path(self) -> str | None:
        """Of the logo; None for ours."""
        return None if self._logo is None else PREFIX + self._logo.name


def style_of(color: str) -> bytes:
    """A style sheet with the colour by day and by night, each as near to it as can be read.

    Args:
        color: As `#rrggbb`.
    """
    wanted = int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
    day = readable(wanted, _BLACK, (_DAY_PAPER, _DAY_INK))
    night = readable(wanted, _DAY_INK, (_NIGHT_PAPER, _NIGHT_INK))
    return (
        f":root {{ --accent: {_hex(day)}; --on-accent: {_hex(_DAY_INK)}; }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ --accent: {_hex(night)}; --on-accent: {_hex(_NIGHT_INK)}; }} }}\n"
    ).encode("ascii")


def readable(wanted: Colour, towards: Colour, against: tuple[Colour, ...]) -> Colour:
    """The colour, moved no further than needed until it can be read against all of these.

    Args:
        wanted: What it should be.
        towards: Which end leads away from them: black or white.
        against: What it stands on, or stands on it.
    """
    mixed = wanted
    for step in range(_STEPS + 1):
        share = step / _STEPS
        red, green, blue = (
            round(one + (other - one) * share) for one, other in zip(wanted, towards, strict=True)
        )
        mixed = red, green, blue
        if all(contrast(mixed, other) >= CONTRAST_MIN for other in against):
            break
    return mixed


def contrast(one: Colour, other: Colour) -> float:
    """The ratio of their luminances, 1 to 21.

    See: WCAG 2.2, "contrast ratio"
    """
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = (_linear(part / 255) for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= _LINEAR_MAX else float(((part + 0.055) / 1.055) ** 2.4)


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _file(stem: str, ending: str, content_type: bytes, content: bytes) -> File:
    digest = hashlib.blake2b(content, digest_size=8).hexdigest()
    return File(f"{stem}.{digest}.{ending}", content_type, content)
