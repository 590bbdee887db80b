"""What the figures of a plan would have refused of the last week's requests, before they bind the next one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bonafides import intake
from bonafides.authority import Authority
from bonafides.model import Clock, CountBy, CredentialKind, UsageSpan
from bonafides.store import UsageStore

DAYS: Final = 7
LOOKED_AT_MAX: Final = 100_000
PRECISION: Final = (
    "Counted by whole hours of the clock, while windows open with a first request: of requests around the turn of an hour, more or fewer may "
    "be refused. The burst is not judged, because usage is not kept by the second. Tokens that are forgotten count as bearer tokens."
)

_HOUR_US: Final = UsageSpan.HOUR * 1_000_000


@dataclass(frozen=True, slots=True)
class DryRun:
    """What figures would have done.

    Args:
        since_us: The beginning of the first hour that was looked at.
        until_us: The end of the last.
        requests: Of all that is on the plan now, admitted or refused for their number.
        would_refuse: How many of them would have been refused for their number.
        subjects: Of how many keys, users or tenants; whichever the figures count together.
        at_least: Whether there was too much to look at all of it; the busiest hours were.
    """

    since_us: int
    until_us: int
    requests: int
    would_refuse: int
    subjects: int
    at_least: bool


class DryRuns:
    """Judges figures by the usage that was counted.

    Args:
        store: Where it is.
        clock: Until when.
    """

    def __init__(self, store: UsageStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def judge(
        self,
        authority: Authority,
        *,
        name: str,
        requests_per_hour: int | None,
        per_method: Mapping[CredentialKind, int | None],
        count_by: CountBy,
    ) -> DryRun:
        """What these figures would have refused, of the last seven days, to whatever is on the plan now.

        Args:
            authority: The operator's.
            name: Of the plan.
            requests_per_hour: None for no limit.
            per_method: Hourly figures for kinds of credential.
            count_by: Whose requests would be counted together.

        Raises:
            Forbidden: The caller is not the operator.
            InvalidRequest: A name or figure is out of bounds.
        """
        authority.require_operator("try plans")
        plan = intake.plan_name(name)
        hourly = intake.figure(requests_per_hour, "requests_per_hour")
        until_us = self._clock.micros() // _HOUR_US * _HOUR_US + _HOUR_US
        since_us = until_us - DAYS * 24 * _HOUR_US
        figures = dict.fromkeys(CredentialKind, hourly)
        figures |= {kind: intake.figure(value, f"per_method.{kind}") for kind, value in per_method.items()}
        requests, hours = await self._store.demand_on(
            plan, count_by, UsageSpan.HOUR, since_us, until_us, least=_least(figures), rows_max=LOOKED_AT_MAX
        )
        found = [(subject, refused(asked, figures)) for (_, subject), asked in hours.items()]
        return DryRun(
            since_us,
            until_us,
            requests,
            sum(number for _, number in found),
            len({subject for subject, number in found if number}),
            len(hours) == LOOKED_AT_MAX,
        )


def _least(figures: Mapping[CredentialKind, int | None]) -> int | None:
    limits = [figure for figure in figures.values() if figure is not None]
    return min(limits, default=None)


def refused(asked: Mapping[CredentialKind, int], figures: Mapping[CredentialKind, int | None]) -> int:
    """Of the requests of one count in one hour; where kinds share it, those with the smaller figure came first."""
    used = turned_away = 0
    for kind in sorted(asked, key=lambda kind: (figures[kind] is None, figures[kind] or 0)):
        figure = figures[kind]
        admitted = asked[kind] if figure is None else min(asked[kind], max(0, figure - used))
        used += admitted
        turned_away += asked[kind] - admitted
    return turned_away
