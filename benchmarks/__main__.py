"""`python -m benchmarks`: measure, print the table, write JSON and a picture."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks import cold, crew, logins, nodes, peers, resident, scale, tokens
from benchmarks.load import WRK
from benchmarks.machine import description, versions
from benchmarks.measure import QUICK, Effort, Row, Workplace
from benchmarks.report import as_data, drawn, show

# What is measured together, in the same minutes, by the name that `--only` takes.
CONTESTS: Final[dict[str, Callable[[Workplace], list[Row]]]] = {
    "resident": resident.resident,
    "behind": resident.behind_nginx,
    "flood": resident.flood,
    "cold": cold.cold,
    "create": cold.create,
    "tokens": tokens.tokens,
    "memory": cold.memory,
    "revocation": cold.revocation,
    "workers": crew.revocation,
    "nodes": nodes.revocation,
    "logins": logins.logins,
    "scale": scale.scale,
}


# Takes a quarter of an hour and ten gigabytes, so it is measured when it is asked for, or briefly.
_LONG: Final = frozenset({"scale"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was chosen; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short run of each: to see that all works")
    parser.add_argument(
        "--only", action="append", choices=CONTESTS, help="measure this alone; may be repeated"
    )
    parser.add_argument("--runs", type=int, help=f"rounds (default {Effort().runs})")
    parser.add_argument("--seconds", type=float, help=f"of each run (default {Effort().seconds:g})")
    parser.add_argument("--residents", type=int, help=f"keys in memory (default {Effort().residents:,})")
    parser.add_argument(
        "--scale",
        type=int,
        metavar="KEYS",
        help=f"in the database, a tenth of them in memory (default {Effort().scale_keys:,})",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was found")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw it, as SVG")
    parser.add_argument("--date", help="what to write as the date (default: today)")
    chosen = parser.parse_args(arguments)
    if sys.platform != "linux":
        parser.error("processor time is read from /proc, so this needs Linux")
    effort = QUICK if chosen.quick else Effort()
    if chosen.runs:
        effort = replace(effort, runs=chosen.runs)
    if chosen.seconds:
        effort = replace(effort, seconds=chosen.seconds)
    if chosen.residents:
        effort = replace(effort, residents=chosen.residents)
    if chosen.scale:
        effort = replace(effort, scale_keys=chosen.scale, scale_residents=chosen.scale // 10)
    circumstances: dict[str, Any] = {
        "date": chosen.date or datetime.now(UTC).date().isoformat(),
        "command": shlex.join(
            ["python", "-m", "benchmarks", *(arguments if arguments is not None else sys.argv[1:])]
        ),
        "load": "wrk -t1 -c32" if WRK else "benchmarks.client, 32 connections",
        "machine": description(),
        "versions": versions() | peers.versions(),
        "effort": {name: getattr(effort, name) for name in Effort.__slots__},
    }
    everyday = CONTESTS if chosen.quick else [name for name in CONTESTS if name not in _LONG]
    rows: list[Row] = []
    left_out: dict[str, str] = {}
    for name, measured in CONTESTS.items():
        if name not in (chosen.only or everyday):
            continue
        with tempfile.TemporaryDirectory(prefix="bonafides-bench-") as folder:
            print(f"{name} ...", file=sys.stderr, flush=True)
            Path(folder).chmod(0o755)
            rows += measured(Workplace(Path(folder), effort, left_out))
    circumstances["left_out"] = left_out
    found = as_data(rows, circumstances)
    show(found)
    if chosen.json:
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    if chosen.picture:
        chosen.picture.write_text(drawn(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
