"""The rule by which shares of a limit are handed out to many holders: their sum never exceeds the limit.

A unit is one request. It is counted when it is handed out, so whoever holds it may spend it without asking;
what is given back unspent is counted off again. In each burst window there are at most as many units in
all hands, spent or not, as the burst allows. Why, and what a dead holder costs: docs/decisions/0007-quota-leases.md.

`hand_out` is the same rule for a store that may lose its memory, docs/decisions/0008-leases-in-valkey.md;
`leasing.lua` is a translation of it, line by line.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from bonafides.model import Lease, LeaseAsk

SECOND_US: Final = 1_000_000
HOUR_US: Final = 3_600 * SECOND_US
VALID_US: Final = 10 * SECOND_US
"""How long a lease lasts; a holder that died is no longer reckoned with in a burst after that."""
RETRY_US: Final = SECOND_US // 4
"""While others hold units that they may give back, a refusal is not for long."""

_HOUR_SHARE: Final = 100
_BURST_SHARE: Final = 8
_FREE_SHARE: Final = 4


@dataclass(slots=True)
class Held:
    """What one holder has been handed out.

    Args:
        units: How many.
        until_us: Until when they may be spent.
        burst_ends_us: The last burst window that they are counted in.
    """

    units: int
    until_us: int
    burst_ends_us: int


@dataclass(slots=True)
class Windows:
    """A subject's windows and who holds units of them.

    Args:
        hour_ends_us: End of the hour, 0 if none was opened.
        hour_used: Units handed out in it and not given back.
        burst_ends_us: End of the second.
        burst_used: Units that may have been spent in it.
        seen_us: The latest time that any holder has told; time does not run backwards for a subject.
        held: By holder.
        era: The memory of the store that this is in.
        least_used: What was used of the hour when the last memory was lost, at least.
        told: What each holder, who has said so since, had taken of it.
    """

    hour_ends_us: int = 0
    hour_used: int = 0
    burst_ends_us: int = 0
    burst_used: int = 0
    seen_us: int = 0
    held: dict[str, Held] = field(default_factory=dict)
    era: str = ""
    least_used: int = 0
    told: dict[str, int] = field(default_factory=dict)


def hand_out(windows: Windows, ask: LeaseAsk, era: str, now_us: int, *, settling: bool) -> Lease | None:
    """The same as `lease`, in a store that may have lost windows: holders tell it what they know of them.

    Args:
        windows: The subject's, as they are in the store, changed in place.
        ask: The holder's account and wish.
        era: The memory of the store: another one since the last was lost.
        now_us: The holder's time, microseconds since the epoch.
        settling: Whether holders may not have told yet what they know.

    Returns:
        None if units are wished for and the store cannot know yet whether there are any.
    """
    _remember(windows, ask, era, max(now_us, windows.seen_us))
    if settling and ask.wanted:
        return None
    return replace(lease(windows, ask, now_us), era=era)


def _remember(windows: Windows, ask: LeaseAsk, era: str, now_us: int) -> None:
    """Take over what the holder knows of an hour that was lost, once."""
    if windows.era != era:
        # What has survived may lack the end: it is one more witness of what was used at least.
        windows.era = era
        windows.least_used = windows.hour_used
        windows.told.clear()
        windows.held.clear()
    if now_us >= windows.hour_ends_us:
        windows.hour_used = windows.least_used = 0
        windows.told.clear()
        windows.held.clear()
    known = ask.remembers
    if known.era in {"", era} or known.hour_left_us <= 0 or ask.holder in windows.told:
        return
    counted = max(windows.least_used, sum(windows.told.values()))
    windows.told[ask.holder] = known.hour_taken
    windows.least_used = max(windows.least_used, known.hour_used)
    windows.hour_used += max(windows.least_used, sum(windows.told.values())) - counted
    windows.hour_ends_us = max(windows.hour_ends_us, now_us + known.hour_left_us)
    if known.granted:
        windows.held[ask.holder] = Held(known.granted, now_us + known.valid_left_us, windows.burst_ends_us)
        if now_us < windows.burst_ends_us:
            windows.burst_used += known.granted


def lease(windows: Windows, ask: LeaseAsk, now_us: int) -> Lease:
    """Take the holder's account, and hand out what there is room for.

    Args:
        windows: The subject's, changed in place.
        ask: The holder's account and wish.
        now_us: The holder's time, microseconds since the epoch.
    """
    now_us = windows.seen_us = max(now_us, windows.seen_us)
    if now_us >= windows.hour_ends_us:
        # No unit outlives its hour, so whatever anybody has of the last one is of no use any more.
        windows.held.clear()
        windows.hour_used = 0
        windows.hour_ends_us = now_us + HOUR_US if ask.wanted else 0
    own = windows.held.pop(ask.holder, None)
    rest = max(0, own.units - ask.spent) if own is not None else 0
    kept = rest if ask.keeps and own is not None and own.until_us > now_us else 0
    windows.hour_used -= rest - kept
    _bring_up_to_date(windows, ask, own, rest, now_us)
    if kept:
        windows.burst_used += kept
    units, by_hour = _room(windows, ask)
    lasts_us = min(VALID_US, windows.hour_ends_us - now_us)
    windows.hour_used += units
    windows.burst_used += units
    if units + kept:
        windows.held[ask.holder] = Held(units + kept, now_us + lasts_us, windows.burst_ends_us)
    blocked_us = (windows.hour_ends_us if by_hour else windows.burst_ends_us) - now_us
    # A window opens with a request that is admitted, not with one that is refused.
    if not windows.burst_used:
        windows.burst_ends_us = 0
    if not windows.hour_used:
        windows.hour_ends_us = 0
    in_hands = [held for held in windows.held.values() if held.until_us > now_us]
    counted = [held for held in in_hands if held.burst_ends_us == windows.burst_ends_us]
    return Lease(
        units=units,
        valid_us=lasts_us if units + kept else 0,
        hour_left_us=max(0, windows.hour_ends_us - now_us),
        hour_used=windows.hour_used - sum(held.units for held in in_hands),
        burst_left_us=max(0, windows.burst_ends_us - now_us),
        burst_used=windows.burst_used - sum(held.units for held in counted),
        refused_us=0 if units else max(0, min(blocked_us, RETRY_US) if in_hands else blocked_us),
        by_hour=by_hour,
    )


def _bring_up_to_date(windows: Windows, ask: LeaseAsk, own: Held | None, rest: int, now_us: int) -> None:
    """Count the second as it is without what the holder has left; open a new one where the last has ended."""
    if now_us < windows.burst_ends_us:
        if own is not None and own.burst_ends_us == windows.burst_ends_us:
            windows.burst_used -= rest
        return
    # What was accounted for before is counted in the second that has ended.
    recent = min(ask.recent, ask.spent) if ask.burst_left_us > 0 else 0
    if not (ask.wanted or recent):
        return
    # Whoever spends in a second that only they know of has opened it for all, though not before the last one had ended.
    opened_us = max(windows.burst_ends_us, now_us + min(ask.burst_left_us, SECOND_US) - SECOND_US)
    windows.burst_ends_us = (opened_us if recent else now_us) + SECOND_US
    windows.burst_used = recent
    for other in windows.held.values():
        if other.until_us > now_us:
            windows.burst_used += other.units
            other.burst_ends_us = windows.burst_ends_us


def _room(windows: Windows, ask: LeaseAsk) -> tuple[int, bool]:
    """How many units are handed out, and if none are, whether it is for the hour's sake."""
    if not ask.wanted:
        return 0, False
    units = max(ask.wanted, ask.least)
    for limit, used, share, by_hour in (
        (ask.hourly, windows.hour_used, _HOUR_SHARE, True),
        (ask.burst, windows.burst_used, _BURST_SHARE, False),
    ):
        if limit is not None:
            free = limit - used
            if free < ask.least:
                return 0, by_hour
            # A share of what is left, so that others get theirs, and so that little is lost with who dies.
            units = min(units, max(ask.least, min(limit // share, free // _FREE_SHARE)))
    return units, False
