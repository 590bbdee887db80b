"""Plan limits and bursts, counted exactly in one process.

A window opens with the first request and lasts its whole length; the next one opens with the first
request after it. Nothing is counted unless everything admits it: a request that the burst refuses does
not use up the hour.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from typing import Final, Protocol

from typing_extensions import override

from bonafides.errors import Unavailable
from bonafides.model import Allowance, Window

SECOND_US: Final = 1_000_000
HOUR_SECONDS: Final = 3_600
BURST_SECONDS: Final = 1
ADDRESS_SECONDS: Final = 60
NO_LIMIT: Final = Allowance(())

_HOUR_US: Final = HOUR_SECONDS * SECOND_US
_ADDRESS_US: Final = ADDRESS_SECONDS * SECOND_US
_IPV6_PREFIX: Final = 64
_SWEPT_AT_ONCE: Final = 5_000


class Counter:
    """What one subject has used: an hour's window and a second's, each with its end."""

    __slots__ = ("burst_ends_us", "burst_used", "hour_ends_us", "hour_used")

    def __init__(self) -> None:
        self.hour_ends_us = 0
        self.hour_used = 0
        self.burst_ends_us = 0
        self.burst_used = 0

    def spend(self, hourly: int | None, burst: int | None, cost: int, now_us: int) -> bool:
        """Count a request, or count nothing and return False where a quota has no room for it.

        Args:
            hourly: Requests an hour, None for no limit.
            burst: Requests within a second, None for no limit.
            cost: How many requests this one counts for; 0 asks without opening a window.
            now_us: Microseconds since the epoch.
        """
        hour_used = self.hour_used if now_us < self.hour_ends_us else 0
        burst_used = self.burst_used if now_us < self.burst_ends_us else 0
        if (hourly is not None and hour_used + cost > hourly) or (
            burst is not None and burst_used + cost > burst
        ):
            return False
        if cost:
            if now_us >= self.hour_ends_us:
                self.hour_ends_us = now_us + _HOUR_US
            if now_us >= self.burst_ends_us:
                self.burst_ends_us = now_us + SECOND_US
            self.hour_used = hour_used + cost
            self.burst_used = burst_used + cost
        return True

    def refresh(self) -> None:
        """Take over what others have counted since; there are none while one process counts."""

    def allowance(
        self, hourly: int | None, burst: int | None, now_us: int, *, refused_cost: int | None = None
    ) -> Allowance:
        """What is left, the policy that binds most first.

        That is the hour, whose pace is the slower, unless the burst is what refuses.

        Args:
            hourly: As for `spend`.
            burst: As for `spend`.
            now_us: Microseconds since the epoch.
            refused_cost: The cost that `spend` has just refused, None if it did not.
        """
        windows = []
        refusing: Window | None = None
        if hourly is not None:
            live = now_us < self.hour_ends_us
            used = self.hour_used if live else 0
            ends = self.hour_ends_us if live else now_us + _HOUR_US
            windows.append(Window("hour", hourly, HOUR_SECONDS, max(0, hourly - used), ends))
            if refused_cost is not None and used + refused_cost > hourly:
                refusing = windows[-1]
        if burst is not None:
            live = now_us < self.burst_ends_us
            used = self.burst_used if live else 0
            ends = self.burst_ends_us if live else now_us + SECOND_US
            windows.append(Window("burst", burst, BURST_SECONDS, max(0, burst - used), ends))
            if refusing is None and refused_cost is not None:
                refusing = windows.pop()
                windows.insert(0, refusing)
        if refusing is None:
            return Allowance(tuple(windows))
        return refusal(tuple(windows), refusing.resets_at_us, now_us)


def refusal(windows: tuple[Window, ...], resets_at_us: int, now_us: int) -> Allowance:
    """The allowance of a refused request, with the whole seconds until its window ends; at least 1."""
    wait = max(1, -(-(resets_at_us - now_us) // SECOND_US))
    return Allowance(windows, admitted=False, retry_after_seconds=wait)


class Limiter:
    """The counters of every subject: a lineage's root, a user or a tenant.

    A counter whose windows have ended may be dropped at any time, so a holder of one must ask for it
    anew once `hour_ends_us` has passed; until then there is one counter for a subject, and one only.

    Args:
        new: Makes the counter of a subject.
    """

    def __init__(self, new: Callable[[str], Counter] | None = None) -> None:
        self._new = new or _counted_here
        self._counters: dict[str, Counter] = {}

    def __len__(self) -> int:
        return len(self._counters)

    def counter(self, subject: str) -> Counter:
        """The counter of a subject, new if it has none."""
        counter = self._counters.get(subject)
        if counter is None:
            counter = self._counters[subject] = self._new(subject)
        return counter

    def sweep(self, now_us: int) -> Iterator[None]:
        """Drop the counters whose windows have ended, some at each step, so that requests are answered between two."""
        subjects = iter(list(self._counters))
        while some := list(islice(subjects, _SWEPT_AT_ONCE)):
            for subject in some:
                counter = self._counters[subject]
                if counter.hour_ends_us <= now_us and counter.burst_ends_us <= now_us:
                    del self._counters[subject]
            yield


def _counted_here(_: str) -> Counter:
    return Counter()


class Uncounted(Counter):
    """The counter of a process that must not count: nothing is admitted there that has a limit."""

    __slots__ = ()

    @override
    def spend(self, hourly: int | None, burst: int | None, cost: int, now_us: int) -> bool:
        raise Unavailable(internal="limits: not counted in this process")


class AddressWindow:
    """What one address has sent: when its window ends, 0 before it opened, and how many requests."""

    __slots__ = ("ends_us", "used")

    def __init__(self, ends_us: int = 0, used: int = 0) -> None:
        self.ends_us = ends_us
        self.used = used


class AddressWindows(Protocol):
    """Where the windows of addresses are kept, in bounded memory."""

    def holding(self, group: str, now_us: int) -> AbstractContextManager[AddressWindow]:
        """The open window of an address, or a new one; what is changed inside the context is kept."""
        ...


class LocalAddressWindows:
    """Windows in the memory of one process.

    Args:
        addresses_max: How many are remembered; past it the oldest tenth is forgotten.
    """

    def __init__(self, addresses_max: int = 100_000) -> None:
        self._addresses_max = addresses_max
        self._windows: dict[str, AddressWindow] = {}

    def __len__(self) -> int:
        return len(self._windows)

    @contextmanager
    def holding(self, group: str, now_us: int) -> Iterator[AddressWindow]:
        """As `AddressWindows` says."""
        window = self._windows.get(group)
        if window is not None and now_us < window.ends_us:
            yield window
            return
        window = AddressWindow()
        yield window
        if window.ends_us:
            self._windows.pop(group, None)
            self._make_room()
            self._windows[group] = window

    def _make_room(self) -> None:
        """Forget the windows that ended first or will: they stand in the order in which they opened.

        A tenth at a time, so that a flood of new addresses does not pay for a search each.
        """
        if len(self._windows) >= self._addresses_max:
            for group in list(islice(self._windows, max(1, self._addresses_max // 10))):
                del self._windows[group]


class AddressLimiter:
    """Requests without a good credential, counted by address.

    An IPv6 client owns a /64 and can speak from any address in it, so the /64 is what is counted; an
    IPv4 address counts the same in whatever spelling it comes.

    Args:
        limit: Requests in a window of a minute, None for no limit.
        clock: Microseconds since the epoch.
        windows: Where they are counted.
    """

    def __init__(
        self, limit: int | None, clock: Callable[[], int], windows: AddressWindows | None = None
    ) -> None:
        self._limit = limit
        self._clock = clock
        self._windows = windows if windows is not None else LocalAddressWindows()

    def spend(self, address: str | None, asker: str = "") -> Allowance:
        """Count a request of this address, or return an allowance that does not admit it.

        Args:
            address: Where the request came from; None is not counted.
            asker: Who says so, if it is not this server that saw it. What one says never counts against an
                address elsewhere, or anybody could lock out anybody.
        """
        if self._limit is None or address is None:
            return NO_LIMIT
        now_us = self._clock()
        with self._windows.holding(asker + group_of(address), now_us) as window:
            window.ends_us = window.ends_us or now_us + _ADDRESS_US
            if window.used >= self._limit:
                return refusal((self._state(window, now_us),), window.ends_us, now_us)
            window.used += 1
            return Allowance((self._state(window, now_us),))

    def exhausted(self, address: str | None) -> Allowance | None:
        """The allowance of an address that has used up its limit, None while it has not; counts nothing."""
        if self._limit is None or address is None:
            return None
        now_us = self._clock()
        with self._windows.holding(group_of(address), now_us) as window:
            if window.used < self._limit:
                return None
            return refusal((self._state(window, now_us),), window.ends_us, now_us)

    def give_back(self, address: str | None, asker: str = "") -> None:
        """Undo one `spend`: the credential turned out to be good."""
        if self._limit is not None and address is not None:
            with self._windows.holding(asker + group_of(address), self._clock()) as window:
                window.used = max(0, window.used - 1)

    def peek(self, address: str | None) -> Allowance:
        """What is left, without counting."""
        if self._limit is None or address is None:
            return NO_LIMIT
        now_us = self._clock()
        with self._windows.holding(group_of(address), now_us) as window:
            return Allowance((self._state(window, now_us),))

    def _state(self, window: AddressWindow, now_us: int) -> Window:
        limit = self._limit or 0
        ends_us = window.ends_us or now_us + _ADDRESS_US
        return Window("address", limit, ADDRESS_SECONDS, max(0, limit - window.used), ends_us)


def group_of(address: str) -> str:
    """What is counted together with this address: itself for IPv4, its /64 for IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.IPv6Address(int(parsed) >> (128 - _IPV6_PREFIX) << (128 - _IPV6_PREFIX)))
    return str(parsed)
