"""The command line: `bonafides`, one file per noun."""

from bonafides.cli.program import main

__all__ = ["main"]
