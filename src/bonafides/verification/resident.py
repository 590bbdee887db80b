"""The in-memory index of credentials: bounded, evicted by use, with known misses.

It caches who a credential speaks for, never a verdict. What it holds is only as good as the change
feed: `feed.Feed` tells when it may be trusted, and `apply` makes it forget.
"""

from __future__ import annotations

import ipaddress
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, Final, TypeVar
from weakref import WeakValueDictionary

from msgspec import Struct, field

from bonafides.model import (
    STANDARD_SCOPES,
    Change,
    ChangeKind,
    CountBy,
    CredentialKind,
    Delegation,
    Plan,
    Principal,
    Role,
    Verifiable,
    ceiling,
)
from bonafides.verification.limiter import Counter

T = TypeVar("T")

_RECENT_CHANGES: Final = 4_096
_SHARED_MAX: Final = 4_096
_OLDEST_MAX: Final = 1_000
_NEVER_US: Final = 2**63 - 1

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Owner:
    """The user behind residents. `current` turns False when the user or their tenant changes."""

    __slots__ = ("__weakref__", "current", "role", "tenant_id", "user_id")

    def __init__(self, user_id: str, tenant_id: str, role: Role) -> None:
        self.user_id = user_id
        self.tenant_id = tenant_id
        self.role = role
        self.current = True


class PlanSlot:
    """Where the figures of a plan stand, shared by all residents on it and replaced in place.

    So a changed plan costs one look-up, not one for each of its credentials.
    """

    __slots__ = ("__weakref__", "current", "hourly", "plan")

    def __init__(self, plan: Plan) -> None:
        self.put(plan)

    def put(self, plan: Plan) -> None:
        """Take new figures."""
        self.plan = plan
        self.hourly = {kind: plan.hourly(kind) for kind in CredentialKind}
        self.current = True


class Bounds(Struct, gc=False, eq=False):
    """What can speak against a credential beside its scopes and its limit.

    Args:
        usable: As in `Verifiable`.
        ends_at_us: Microseconds since the epoch, None for no end.
        networks: Where it may be used from; empty for anywhere.
        delegation: Of an access token.
        open_until_us: Until when nothing but its limit can speak against a request that needs no scope and
            proves no key; 0 where something may.
        seen_from: The address within the networks from which it was last used.
    """

    usable: bool
    ends_at_us: int | None
    networks: tuple[Network, ...]
    delegation: Delegation | None
    open_until_us: int
    seen_from: str | None = None

    def admits(self, address: str | None) -> bool:
        """Whether it may be used from an address; an unknown one is nowhere."""
        if not self.networks or (address is not None and address == self.seen_from):
            return True
        if not within(address, self.networks):
            return False
        self.seen_from = address
        return True


class Tally(Struct, gc=False, eq=False):
    """What was accepted of a credential in a minute and is not gathered yet.

    Args:
        until_us: The end of the minute.
        network: Where the latest came from; empty where nobody knows.
        last_us: When the latest came.
        accepted: How many there were.
        elsewhere: How many of them came before the network changed, and are noted.
    """

    until_us: int
    network: str
    last_us: int
    accepted: int = 1
    elsewhere: int = 0


UNCOUNTED: Final = Tally(0, "", 0, 0)
"""Of a minute that is over, so nothing is added to it."""


class Resident(Struct, gc=False, eq=False):
    """One credential in memory: what every request on it is judged by.

    There may be a million of them, so it holds nothing that can be shared, is one object, and stays out
    of the garbage collector's rounds: it is part of no circle.
    """

    digest: bytes
    credential_id: str
    root_id: str
    kind: CredentialKind
    name: str
    scopes: frozenset[str]
    owner: Owner
    plan: PlanSlot
    bounds: Bounds | None
    """None where nothing but its limit can speak against a request that needs no scope."""
    counter: Counter | None = None
    counted_under: Plan | None = None
    tally: Tally = field(default_factory=lambda: UNCOUNTED)
    """`UNCOUNTED` while nothing is counted that `usage.Uses` has not gathered."""
    touched: bool = False
    rendered: Any = None
    """Whatever the web keeps with a resident, to answer sooner."""

    @property
    def principal(self) -> Principal:
        """Who it speaks for."""
        owner = self.owner
        return Principal(
            user_id=owner.user_id,
            tenant_id=owner.tenant_id,
            scopes=self.scopes,
            credential_id=self.credential_id,
            kind=self.kind,
            name=self.name,
            role=owner.role,
            delegation=self.delegation,
        )

    @property
    def usable(self) -> bool:
        """False if it, or something above it, is disabled, revoked or deleted."""
        return self.bounds is None or self.bounds.usable

    @property
    def ends_at_us(self) -> int | None:
        """When it ends, None for never."""
        return None if self.bounds is None else self.bounds.ends_at_us

    @property
    def networks(self) -> tuple[Network, ...]:
        """Where it may be used from; empty for anywhere."""
        return () if self.bounds is None else self.bounds.networks

    @property
    def delegation(self) -> Delegation | None:
        """What is known of an access token beside what every credential has."""
        return None if self.bounds is None else self.bounds.delegation

    @property
    def current(self) -> bool:
        """Whether nothing that it was made from has changed since."""
        return self.owner.current and self.plan.current

    def subject(self) -> str:
        """Whose count its requests belong to, as its plan says."""
        count_by = self.plan.plan.count_by
        if count_by is CountBy.CREDENTIAL:
            return self.root_id
        return self.owner.user_id if count_by is CountBy.USER else self.owner.tenant_id


class ResidentIndex:
    """Residents by digest and by id, at most `residents_max` of them.

    Room is made in the order in which they came: the oldest leaves, unless it was used since it came or
    was last spared; then it is spared, and counts as the youngest.

    Args:
        residents_max: Residents kept.
        misses_max: Digests remembered as unknown.
        defined_scopes: Every scope that this installation knows.
    """

    def __init__(self, *, residents_max: int, misses_max: int, defined_scopes: frozenset[str]) -> None:
        self._residents_max = residents_max
        self._misses_half = max(1, misses_max // 2)
        self._defined_scopes = defined_scopes
        self._by_digest: dict[bytes, Resident] = {}
        self._by_id: dict[str, Resident] = {}
        self._oldest: list[Resident] = []
        self._misses: set[bytes] = set()
        self._older_misses: set[bytes] = set()
        self._owners: WeakValueDictionary[str, Owner] = WeakValueDictionary()
        self._plans: WeakValueDictionary[str, PlanSlot] = WeakValueDictionary()
        self._shared: dict[Any, Any] = {}
        self._recent: deque[tuple[int, str]] = deque(maxlen=_RECENT_CHANGES)
        self._last_created_epoch = 0
        self.epoch = 0
        """Rises with every change applied; what was read before it may be outdated."""

    def __len__(self) -> int:
        return len(self._by_digest)

    def get(self, digest: bytes) -> Resident | None:
        """The resident with this digest, if there is one and nothing behind it has changed."""
        resident = self._by_digest.get(digest)
        if resident is None or not (resident.owner.current and resident.plan.current):
            return None
        resident.touched = True
        return resident

    def is_known_miss(self, digest: bytes) -> bool:
        """Whether the database was asked for this digest since the last credential was created."""
        return digest in self._misses or digest in self._older_misses

    def note_miss(self, digest: bytes, epoch: int) -> None:
        """Remember that the database, asked at this epoch, does not know the digest."""
        if epoch < self._last_created_epoch:
            return
        self._misses.add(digest)
        if len(self._misses) >= self._misses_half:
            self._older_misses = self._misses
            self._misses = set()

    def admit(self, found: Verifiable, digest: bytes, epoch: int) -> Resident:
        """Make a resident of what a look-up found.

        It is kept only if nothing that concerns it has changed since the look-up began; otherwise the
        answer serves the requests that waited for it and is forgotten.

        Args:
            found: The look-up's answer.
            digest: Under the newest pepper, whatever the stored one is.
            epoch: `self.epoch` when the look-up began.
        """
        trusted = not self._changed_since(epoch, (found.id, found.user_id, found.tenant_id, found.plan.name))
        if not trusted:
            owner, plan = Owner(found.user_id, found.tenant_id, found.role), PlanSlot(found.plan)
        else:
            owner, plan = self._owner(found), self._plan(found.plan)
        most = ceiling(found.role, found.user_scopes, self._defined_scopes)
        if found.delegation is not None:
            most |= STANDARD_SCOPES
        resident = Resident(
            digest=digest,
            credential_id=found.id,
            root_id=found.id if found.root_id == found.id else found.root_id,
            kind=found.kind,
            name=self._one(found.name),
            scopes=self._one(found.scopes & most),
            owner=owner,
            plan=plan,
            bounds=_bounds(found),
        )
        if trusted:
            self._insert(resident)
        return resident

    def apply(self, changes: Iterable[Change]) -> None:
        """Forget what these changes have made outdated."""
        for change in changes:
            self.epoch += 1
            self._recent.append((self.epoch, change.subject_id))
            match change.kind:
                case ChangeKind.CREDENTIAL_CREATED:
                    self._last_created_epoch = self.epoch
                    self._misses.clear()
                    self._older_misses.clear()
                case ChangeKind.CREDENTIAL:
                    resident = self._by_id.get(change.subject_id)
                    if resident is not None:
                        self._remove(resident)
                case ChangeKind.USER:
                    owner = self._owners.pop(change.subject_id, None)
                    if owner is not None:
                        owner.current = False
                case ChangeKind.TENANT:
                    for owner in [
                        owner for owner in self._owners.values() if owner.tenant_id == change.subject_id
                    ]:
                        owner.current = False
                        self._owners.pop(owner.user_id, None)
                case ChangeKind.PLAN:
                    slot = self._plans.get(change.subject_id)
                    if slot is not None:
                        slot.current = False
                case ChangeKind.SIGNING_KEY:  # pragma: no branch - mypy refuses a kind without a case
                    pass  # a credential that was found is known by its digest, whoever signed it

    def clear(self) -> None:
        """Forget everything; said when changes may have been missed."""
        self.epoch += 1
        self._recent.clear()
        self._recent.append((self.epoch + 1, ""))
        self.epoch += 1
        self._last_created_epoch = self.epoch
        self._misses.clear()
        self._older_misses.clear()
        self._by_digest.clear()
        self._by_id.clear()
        self._oldest.clear()
        self._owners.clear()
        self._plans.clear()

    def _changed_since(self, epoch: int, subjects: Sequence[str]) -> bool:
        if epoch == self.epoch:
            return False
        if self._recent[0][0] > epoch + 1:
            return True
        return any(when > epoch and subject in subjects for when, subject in self._recent)

    def _one(self, value: T) -> T:
        """The one object for all values that equal this one, as long as it is remembered."""
        if len(self._shared) >= _SHARED_MAX:
            self._shared.clear()
        one: T = self._shared.setdefault(value, value)
        return one

    def _owner(self, found: Verifiable) -> Owner:
        owner = self._owners.get(found.user_id)
        if owner is None or owner.role is not found.role:
            if owner is not None:
                owner.current = False  # the look-up saw a change that the feed has yet to tell
            owner = Owner(found.user_id, self._one(found.tenant_id), found.role)
            self._owners[found.user_id] = owner
        return owner

    def _plan(self, plan: Plan) -> PlanSlot:
        slot = self._plans.get(plan.name)
        if slot is None:
            slot = self._plans[plan.name] = PlanSlot(plan)
        elif not slot.current:
            slot.put(plan)
        return slot

    def _insert(self, resident: Resident) -> None:
        previous = self._by_id.get(resident.credential_id)
        if previous is not None:
            self._remove(previous)
        if len(self._by_digest) >= self._residents_max:
            self._evict()
        self._by_digest[resident.digest] = resident
        self._by_id[resident.credential_id] = resident

    def _remove(self, resident: Resident) -> None:
        del self._by_digest[resident.digest]
        del self._by_id[resident.credential_id]
        resident.rendered = None

    def _evict(self) -> None:
        """Remove one resident; ends after two rounds at the most."""
        while True:
            if not self._oldest:
                # Some at a time: what was removed before them is passed over each time that a dict is begun.
                self._oldest = list(islice(self._by_digest.values(), _OLDEST_MAX))
                self._oldest.reverse()
            resident = self._oldest.pop()
            if self._by_digest.get(resident.digest) is not resident:
                continue
            if not resident.touched:
                self._remove(resident)
                return
            resident.touched = False
            self._by_digest[resident.digest] = self._by_digest.pop(resident.digest)


def _bounds(found: Verifiable) -> Bounds | None:
    if found.usable and found.ends_at_us is None and not found.allowed_ips and found.delegation is None:
        return None
    delegation, ends_at_us = found.delegation, found.ends_at_us
    is_open = found.usable and not found.allowed_ips and (delegation is None or delegation.jkt is None)
    return Bounds(
        found.usable,
        ends_at_us,
        parse_networks(found.allowed_ips),
        delegation,
        open_until_us=(_NEVER_US if ends_at_us is None else ends_at_us) if is_open else 0,
    )


def parse_networks(allowed_ips: Sequence[str]) -> tuple[Network, ...]:
    """The networks of stored CIDRs; they were checked when they were stored."""
    return tuple(ipaddress.ip_network(cidr) for cidr in allowed_ips)


def within(address: str | None, networks: Sequence[Network]) -> bool:
    """Whether an address lies in one of the networks; an unknown or unreadable one does not.

    An IPv4 address in IPv6 spelling (::ffff:192.0.2.1) is the IPv4 address.
    """
    if address is None:
        return False
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in networks)
