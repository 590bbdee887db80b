"""The server that is measured, as a process: `python -m benchmarks.serve SETTINGS`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bonafides.cli  # noqa: F401 - garbage is searched for as seldom as under `bonafides serve`
from bonafides.app import run
from bonafides.keyring import require_peppers
from bonafides.settings import Settings

if __name__ == "__main__":
    settings = Settings(**json.loads(Path(sys.argv[1]).read_text()))
    sys.exit(run(settings, require_peppers(settings), lambda url: print(url, flush=True)))
