"""The benchmarks work; how fast anything is, no test ever says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks import cold, crew, nodes
from benchmarks.measure import QUICK, Row, Target, Workplace
from benchmarks.report import BEGIN, END, as_data, drawn, markdown, placed

CIRCUMSTANCES = {"date": "2030-01-01", "machine": {"processor": "a processor", "cores": 2}}


def test_a_row_with_a_server_of_its_own_is_measured(tmp_path: Path) -> None:
    """Whoever changes a call that the benchmarks use would only notice when somebody measures."""
    effort = replace(QUICK, revocations=2, residents=1_010)
    place = Workplace(tmp_path, effort)
    accepted, delay = cold.revocation(place)
    (memory,) = cold.memory(place)
    (elsewhere,) = crew.revocation(place)
    (between,) = nodes.revocation(place)
    assert elsewhere.median > 0
    assert between.median > 0
    assert accepted.runs == [0]
    assert delay.median > 0
    assert memory.notes["residents"] == 1_010


def test_what_was_found_is_shown_in_every_form(tmp_path: Path) -> None:
    """A result that cannot be shown after minutes of measuring is lost to whoever waited for it."""
    yardstick = Row("nginx", "nginx", runs=[100.0, 200.0])
    ours = Row(
        "verify",
        "verify <fast>",
        runs=[70.0, 120.0],
        beside={"nginx": [100.0, 200.0]},
        target=Target(0.6, "nginx"),
    )
    found = as_data([yardstick, ours], CIRCUMSTANCES)
    path = tmp_path / "found.json"
    path.write_text(json.dumps(found))
    assert "| verify <fast> | 95 | 120 | per CPU-second | 0.65 |" in markdown(json.loads(path.read_text()))
    document = f"# Title\n{BEGIN}\nold\n{END}\nrest\n"
    assert "old" not in placed(markdown(found), document)
    assert placed(markdown(found), document).endswith("rest\n")
    assert "verify &lt;fast&gt;" in drawn(found)
    assert ET.fromstring(drawn(found)).tag.endswith("svg")  # noqa: S314 - our own picture


def test_every_target_of_a_row_is_to_be_reached() -> None:
    """A row that is faster than a slow peer would look as if it were as fast as nginx."""
    beside = {"nginx": [100.0], "peer": [5.0]}
    half, fivefold = Target(0.5, "nginx"), Target(5, "peer")
    assert Row("a", "a", runs=[40.0], beside=beside, target=half, further=fivefold).reached is False
    assert Row("b", "b", runs=[60.0], beside=beside, target=half, further=fivefold).reached is True
    assert Row("c", "c", runs=[60.0], target=half, further=fivefold).reached is None


def test_a_target_below_is_reached_from_below() -> None:
    """Memory above its bound must not look like a success in the table."""
    assert Row("memory", "memory", runs=[600], target=Target(500, most=True)).reached is False
    assert Row("memory", "memory", runs=[400], target=Target(500, most=True)).reached is True
