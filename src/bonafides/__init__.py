"""Bonafides: issues, verifies, meters, rotates and revokes every credential an API hands out."""

from typing import Final

__version__: Final = "0.1.0"
