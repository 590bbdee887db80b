"""What every forked process has imported already: see `tests/forked.py`."""

import gc

import bonafides.app
import bonafides.cli  # noqa: F401 - to have it

# What is never searched for garbage stays one copy for all.
gc.freeze()
