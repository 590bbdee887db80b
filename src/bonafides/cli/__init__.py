"""The command line: `bonafides`, one file per noun."""

import gc

# What is imported stays. Under Python's own thresholds, searching it for garbage again and again is a fifth of the start.
gc.set_threshold(20_000, 20, 20)

from bonafides.cli.program import main  # noqa: E402 - see above

__all__ = ["main"]
