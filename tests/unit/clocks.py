"""A clock that stands still until a test moves it, by the microsecond."""

from __future__ import annotations

from typing import Final

START_US: Final = 1_900_000_000_000_000
"""2030-03-17T17:46:40Z."""


class HandClock:
    """Wall clock and monotonic clock, moved together or apart."""

    def __init__(self, now_us: int = START_US) -> None:
        self.now_us = now_us
        self.seconds = 0.0

    def micros(self) -> int:
        """Microseconds since the Unix epoch, UTC."""
        return self.now_us

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return self.seconds

    def advance(self, seconds: float) -> None:
        """Let time pass, on both."""
        self.now_us += round(seconds * 1_000_000)
        self.seconds += seconds
