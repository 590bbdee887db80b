"""Limits that several processes share: each leases units from the store, and spends them without asking.

The sum of what is leased never exceeds a limit, so neither does what is spent, whoever dies when. Why, and
how large a lease is: docs/decisions/0007-quota-leases.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final
from weakref import WeakValueDictionary

from typing_extensions import override

from bonafides.errors import Unavailable
from bonafides.model import Clock, Lease, LeaseAsk, Remembered
from bonafides.store import LimitStore
from bonafides.verification.limiter import HOUR_SECONDS, SECOND_US, Counter

_FIRST_WISH: Final = 128
_WISH_MAX: Final = 4_096
_HURRIED_US: Final = 5 * SECOND_US
"""A lease that is spent sooner is too small: it should last through an outage for as long as memory is trusted."""
_IDLE_US: Final = SECOND_US
_BATCH_MAX: Final = 256


class LeaseNeededError(Exception):
    """The units in hand do not tell whether a request is admitted; nothing was counted.

    Args:
        counter: Whose units are spent.
        hourly: As for `Counter.spend`.
        burst: As for `Counter.spend`.
        cost: As for `Counter.spend`.
    """

    def __init__(self, counter: LeasedCounter, hourly: int | None, burst: int | None, cost: int) -> None:
        super().__init__()
        self.counter = counter
        self.hourly = hourly
        self.burst = burst
        self.cost = cost


class LeasedCounter(Counter):
    """A subject's counter that admits what it has units for, and knows what all have spent as of its last lease.

    Args:
        subject: Whose limits.
    """

    __slots__ = (
        "__weakref__",
        "_refill",
        "asked_spent",
        "asked_units",
        "blocked_by_hour",
        "burst",
        "era",
        "granted",
        "hour_spent",
        "hourly",
        "leased_us",
        "low",
        "own_ends_us",
        "own_used",
        "refused_cost",
        "refused_until_us",
        "spent_us",
        "subject",
        "units",
        "until_us",
        "wish",
    )

    def __init__(self, subject: str, refill: Callable[[LeaseNeededError], object]) -> None:
        super().__init__()
        self.subject = subject
        self._refill = refill
        self.asked_units = 0
        self.asked_spent = 0
        self.era = ""
        self.hour_spent = 0
        self.low = 0
        self.hourly: int | None = None
        self.burst: int | None = None
        self.granted = 0
        self.units = 0
        self.until_us = 0
        self.refused_until_us = 0
        self.refused_cost = 0
        self.blocked_by_hour = False
        self.own_ends_us = 0
        self.own_used = 0
        self.leased_us = 0
        self.spent_us = 0
        self.wish = _FIRST_WISH

    @override
    def spend(self, hourly: int | None, burst: int | None, cost: int, now_us: int) -> bool:
        """The same as `Counter.spend`, from the units in hand.

        Raises:
            LeaseNeededError: They do not tell; nothing was counted.
        """
        if hourly is None and burst is None:
            return True
        if cost == 0:
            return super().spend(hourly, burst, 0, now_us)
        if hourly == self.hourly and burst == self.burst:
            if self.units >= cost and now_us < self.until_us:
                self.units -= cost
                self.hour_used += cost
                if now_us >= self.burst_ends_us:
                    self.burst_ends_us = now_us + SECOND_US
                    self.burst_used = 0
                self.burst_used += cost
                if now_us >= self.own_ends_us:
                    self.own_ends_us = now_us + SECOND_US
                    self.own_used = 0
                self.own_used += cost
                self.spent_us = now_us
                if self.units < self.low:
                    self.low = 0
                    self._refill(LeaseNeededError(self, hourly, burst, cost))
                return True
            if now_us < self.refused_until_us and cost >= self.refused_cost:
                self._show_refusal(cost)
                return False
        raise LeaseNeededError(self, hourly, burst, cost)

    def ask(self, holder: str, wanted: int, least: int, now_us: int, *, keeps: bool) -> LeaseAsk:
        """Account for what was spent, and wish for more. What is not kept cannot be spent any more."""
        self.asked_spent = self.granted - self.units
        if not keeps:
            self.units = 0
        self.asked_units = self.units
        return LeaseAsk(
            self.subject,
            holder,
            self.hourly,
            self.burst,
            self.asked_spent,
            keeps,
            self.own_used if now_us < self.own_ends_us else 0,
            max(0, self.own_ends_us - now_us),
            wanted,
            least,
            Remembered(
                self.era,
                max(0, self.hour_ends_us - now_us),
                self.hour_used,
                self.hour_spent + self.granted,
                self.granted,
                max(0, self.until_us - now_us),
            ),
        )

    def take(self, lease: Lease, asked_us: int, least: int) -> None:
        """Take over what a lease gives and tells.

        Args:
            lease: The answer to `ask`.
            asked_us: When that was; its times count from there, so that a slow answer only shortens them.
            least: The least that was of use.
        """
        meanwhile = self.asked_units - self.units
        hour_ends_us = asked_us + lease.hour_left_us
        if abs(hour_ends_us - self.hour_ends_us) < SECOND_US:
            # What is shown as left never rises within a window, though others may give units back.
            self.hour_used = max(self.hour_used, lease.hour_used + meanwhile)
            self.hour_spent += self.asked_spent
        else:
            self.hour_used = lease.hour_used + meanwhile
            self.hour_ends_us = hour_ends_us
            self.hour_spent = 0
        self.era = lease.era
        if lease.burst_left_us:
            self.burst_used = lease.burst_used + meanwhile
            self.burst_ends_us = asked_us + lease.burst_left_us
        self.granted = self.asked_units + lease.units
        self.units += lease.units
        self.low = self.units // 2
        self.until_us = asked_us + lease.valid_us
        self.leased_us = asked_us
        self.refused_until_us = asked_us + lease.refused_us
        self.refused_cost = least
        self.blocked_by_hour = lease.by_hour

    def keep(self, lease: Lease, asked_us: int) -> None:
        """Take over that the store has taken the account, and nothing more.

        Args:
            lease: The answer to an `ask` that wished for nothing.
            asked_us: When that was.
        """
        self.hour_spent += self.asked_spent
        self.granted = self.asked_units
        self.until_us = asked_us + lease.valid_us
        self.era = lease.era

    def _show_refusal(self, cost: int) -> None:
        """Show the window without room as used up, so that the refusal says which one it was."""
        if self.blocked_by_hour:
            self.hour_used = max(self.hour_used, (self.hourly or 0) - cost + 1)
        else:
            self.burst_used = max(self.burst_used, (self.burst or 0) - cost + 1)


class Leases:
    """Leases units for the counters of this process.

    Asks that meet are carried to the store together, one for a subject at a time.

    Args:
        store: Hands out.
        holder: This process, by a name that no other one has or had.
        clock: The time.
        admit_unknown: Whether requests are admitted that nobody can count, while the store is away.
    """

    def __init__(self, store: LimitStore, holder: str, clock: Clock, *, admit_unknown: bool) -> None:
        self._store = store
        self._holder = holder
        self._clock = clock
        self._admit_unknown = admit_unknown
        self._holding: dict[str, LeasedCounter] = {}
        self._waiting: dict[str, tuple[LeaseNeededError, asyncio.Future[None]]] = {}
        # One ask about a subject at a time: an account that comes late would give back what the next one got.
        self._under_way: dict[str, asyncio.Future[None]] = {}
        # A subject has one counter as long as anybody holds it, or two would account for one lease.
        self._counters: WeakValueDictionary[str, LeasedCounter] = WeakValueDictionary()
        self._worker: asyncio.Task[None] | None = None
        # The memory of the store, part by part, as of the last reminder that came to its end.
        self._eras: dict[int, str] = {}
        self.uncounted = 0
        """Requests that were admitted without a count."""

    def counter(self, subject: str) -> Counter:
        """The counter of a subject."""
        counter = self._counters.get(subject)
        if counter is None:
            counter = self._counters[subject] = LeasedCounter(subject, self._soon)
        return counter

    async def renew(self, needed: LeaseNeededError) -> None:
        """Return when the counter tells more than it did: units, or that there are none.

        Raises:
            Unavailable: The store cannot be asked.
        """
        await asyncio.shield(self._soon(needed))

    def _soon(self, needed: LeaseNeededError) -> asyncio.Future[None]:
        """Done when the store has answered the next ask about this counter, or the one that is under way."""
        subject = needed.counter.subject
        answer = self._under_way.get(subject)
        if answer is None:
            entry = self._waiting.get(subject)
            if entry is None:
                answer = asyncio.get_running_loop().create_future()
                self._waiting[subject] = (needed, answer)
            else:
                answer = entry[1]
            if self._worker is None:
                self._worker = asyncio.create_task(self._work())
        return answer

    async def give_back(self) -> None:
        """Return units that are not used any more, or not valid; said every second.

        Raises:
            Unavailable: The store cannot be asked; they are lost until their windows end.
        """
        now_us = self._clock.micros()
        await self._give_back_those(
            lambda counter: now_us >= counter.until_us or now_us - counter.spent_us >= _IDLE_US
        )

    async def give_back_all(self) -> None:
        """Return every unit; said at the end.

        Raises:
            Unavailable: As for `give_back`.
        """
        await self._give_back_those(lambda _: True)

    async def begin(self) -> None:
        """Return when units can be had; said before the first request.

        Raises:
            Unavailable: The store cannot be asked.
        """
        await self.remind()
        await self._store.settle()

    async def remind(self) -> None:
        """Tell a store that has lost its memory what this process knows; said every second.

        Raises:
            Unavailable: The store cannot be asked, or not all of it; the next call tells the rest.
        """
        eras = await self._store.eras()
        if any(self._eras.get(part, era) != era for part, era in eras.items()):
            now_us = self._clock.micros()
            lost = [
                counter
                for counter in list(self._counters.values())
                if now_us < counter.hour_ends_us
                and counter.era not in {"", eras.get(self._store.part(counter.subject), counter.era)}
            ]
            if not await self._account(lost, keeps=True):
                return
        self._eras |= eras

    async def _give_back_those(self, which: Callable[[LeasedCounter], bool]) -> None:
        await self._account([counter for counter in self._holding.values() if which(counter)], keeps=False)

    async def _account(self, counters: Sequence[LeasedCounter], *, keeps: bool) -> bool:
        """Tell the store what was spent, and give the rest back or keep it; no more is asked for.

        Returns:
            Whether all were told of; for those that were not, an ask is under way, whatever comes of it.
        """
        told = 0
        for start in range(0, len(counters), _BATCH_MAX):
            # One account at a time: an older one that comes later would give back what the next ask got.
            batch = [
                counter
                for counter in counters[start : start + _BATCH_MAX]
                if counter.subject not in self._under_way and counter.subject not in self._waiting
            ]
            if batch:
                await self._account_for(batch, keeps=keeps)
                told += len(batch)
        return told == len(counters)

    async def _account_for(self, batch: Sequence[LeasedCounter], *, keeps: bool) -> None:
        now_us = self._clock.micros()
        accounted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._under_way |= dict.fromkeys((counter.subject for counter in batch), accounted)
        try:
            leases = await self._store.lease(
                [
                    counter.ask(self._holder, 0, 0, now_us, keeps=keeps and now_us < counter.until_us)
                    for counter in batch
                ],
                now_us,
            )
            for counter, lease in zip(batch, leases, strict=True):
                if isinstance(lease, Lease):
                    counter.keep(lease, now_us)
                    self._remember(counter)
            _raise_first(leases)
        finally:
            for counter in batch:
                del self._under_way[counter.subject]
            accounted.set_result(None)

    def _remember(self, counter: LeasedCounter) -> None:
        """Hold who has units, so that they are given back whatever becomes of the credential."""
        if counter.granted:
            self._holding[counter.subject] = counter
        else:
            self._holding.pop(counter.subject, None)

    async def _work(self) -> None:
        try:
            while self._waiting:
                names = list(self._waiting)[:_BATCH_MAX]
                batch = [self._waiting.pop(name) for name in names]
                self._under_way |= {needed.counter.subject: answer for needed, answer in batch}
                await self._ask(batch)
                for name in names:
                    del self._under_way[name]
        finally:
            self._worker = None

    async def _ask(self, batch: Sequence[tuple[LeaseNeededError, asyncio.Future[None]]]) -> None:
        now_us = self._clock.micros()
        asks = [self._wish(needed, now_us) for needed, _ in batch]
        try:
            leases = await self._store.lease(asks, now_us)
        except Exception as error:  # noqa: BLE001 - raised where the answer is awaited
            for needed, answer in batch:
                self._do_without(needed, answer, error, now_us)
            return
        for (needed, answer), lease in zip(batch, leases, strict=True):
            if isinstance(lease, Unavailable):
                self._do_without(needed, answer, lease, now_us)
                continue
            counter = needed.counter
            counter.take(lease, now_us, needed.cost)
            self._remember(counter)
            answer.set_result(None)

    def _wish(self, needed: LeaseNeededError, now_us: int) -> LeaseAsk:
        """More than last time if that did not last, less if much of it was left."""
        counter = needed.counter
        if counter.granted:
            hurried = now_us - counter.leased_us < _HURRIED_US
            counter.wish = min(_WISH_MAX, counter.wish * 2) if hurried else max(1, counter.wish // 2)
        # What was leased under other figures may be more than the new ones allow.
        same = (counter.hourly, counter.burst) == (needed.hourly, needed.burst)
        counter.hourly, counter.burst = needed.hourly, needed.burst
        keeps = same and now_us < counter.until_us
        least = max(1, needed.cost - counter.units) if keeps else needed.cost
        return counter.ask(self._holder, max(counter.wish, least), least, now_us, keeps=keeps)

    def _do_without(
        self, needed: LeaseNeededError, answer: asyncio.Future[None], error: Exception, now_us: int
    ) -> None:
        """The store is away: what was in hand counts as spent, and more is admitted only if the operator says so."""
        if not self._admit_unknown:
            answer.set_exception(
                error if isinstance(error, Unavailable) else Unavailable(internal=repr(type(error)))
            )
            answer.exception()  # marked as seen: whoever asked may have left
            return
        counter = needed.counter
        if counter.units < needed.cost:
            self.uncounted += needed.cost
            counter.granted += needed.cost
            counter.units = needed.cost
            counter.until_us = now_us + HOUR_SECONDS * SECOND_US
        answer.set_result(None)


def _raise_first(leases: Iterable[Lease | Unavailable]) -> None:
    for lease in leases:
        if isinstance(lease, Unavailable):
            raise lease
