"""Charts as drawings made on the server: figures in, shapes out; a table stands behind each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bonafides.model import Usage, UsagePeriod, to_datetime

WIDTH: Final = 720
HEIGHT: Final = 220

_LEFT: Final = 52
_TOP: Final = 12
_FLOOR: Final = 190
_GAP: Final = 2
_ROUND: Final = (1, 2, 5)
_FORMS: Final = {UsagePeriod.HOUR: "%H:%M", UsagePeriod.DAY: "%H:%M", UsagePeriod.MONTH: "%d %b"}


@dataclass(frozen=True, slots=True)
class Bar:
    """The requests of a bucket: a rectangle of what was accepted, and one of what was refused upon it.

    Args:
        x: Where it begins, from the left.
        width: Of both.
        accepted: Top and height of the lower one.
        refused: Top and height of the upper one.
        words: What it says.
    """

    x: float
    width: float
    accepted: tuple[float, float]
    refused: tuple[float, float]
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table behind the chart."""

    start: datetime
    accepted: int
    refused: int
    reasons: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of usage.

    Args:
        bars: One for each bucket.
        rules: Heights of the lines across, with the figures that they stand for.
        labels: Places below the bars, with the time that is there.
        rows: The same in figures, the latest first, without those in which nothing happened.
    """

    bars: Sequence[Bar]
    rules: Sequence[tuple[float, int]]
    labels: Sequence[tuple[float, str]]
    rows: Sequence[Row]


def chart_of(usage: Usage) -> Chart:
    """The chart of a period."""
    rows = [
        Row(
            to_datetime(bucket.starts_at_us),
            bucket.accepted,
            sum(bucket.refused.values()),
            sorted(bucket.refused.items()),
        )
        for bucket in usage.buckets
    ]
    most = _rounded(max((row.accepted + row.refused for row in rows), default=0))
    step = (WIDTH - _LEFT) / len(rows)
    form = _FORMS[usage.period]
    return Chart(
        bars=[_bar(row, _LEFT + place * step, step - _GAP, most, form) for place, row in enumerate(rows)],
        rules=[(_height(figure, most), figure) for figure in sorted({0, most // 2, most})],
        labels=[
            (round(_LEFT + place * step, 1), rows[place].start.strftime(form))
            for place in range(0, len(rows), max(1, len(rows) // 6))
        ],
        rows=[row for row in reversed(rows) if row.accepted or row.refused],
    )


def _bar(row: Row, x: float, width: float, most: int, form: str) -> Bar:
    middle = _height(row.accepted, most)
    top = _height(row.accepted + row.refused, most)
    words = f"{row.start.strftime(form)} UTC: {row.accepted:,} accepted, {row.refused:,} refused"
    return Bar(
        round(x, 1),
        round(width, 1),
        (middle, round(_FLOOR - middle, 1)),
        (top, round(middle - top, 1)),
        words,
    )


def _height(figure: int, most: int) -> float:
    return round(_FLOOR - (_FLOOR - _TOP) * figure / most, 1)


def _rounded(figure: int) -> int:
    """The next figure that reads well on an axis; at least 10."""
    scale = 10
    while True:
        for step in _ROUND:
            if step * scale >= figure:
                return step * scale
        scale *= 10
