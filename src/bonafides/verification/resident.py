"""The in-memory index of credentials: bounded, evicted by use, with known misses.

It caches who a credential speaks for, never a verdict. What it holds is only as good as the change
feed: `feed.Feed` tells when it may be trusted, and `apply` makes it forget.
"""

from __future__ import annotations

import ipaddress
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final
from weakref import WeakValueDictionary

from bonafides.model import (
    Change,
    ChangeKind,
    CountBy,
    CredentialKind,
    Plan,
    Principal,
    Verifiable,
    ceiling,
)
from bonafides.verification.limiter import Counter

_RECENT_CHANGES: Final = 4_096

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Owner:
    """The user behind residents. `current` turns False when the user or their tenant changes."""

    __slots__ = ("__weakref__", "current", "tenant_id", "user_id")

    def __init__(self, user_id: str, tenant_id: str) -> None:
        self.user_id = user_id
        self.tenant_id = tenant_id
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


class Resident:
    """One credential in memory: what every request on it is judged by."""

    __slots__ = (
        "accepted",
        "counted_under",
        "counted_until_us",
        "counter",
        "digest",
        "ends_at_us",
        "guarded",
        "last_used_us",
        "networks",
        "owner",
        "plan",
        "principal",
        "rendered",
        "root_id",
        "slot",
        "touched",
        "usable",
    )

    def __init__(
        self, found: Verifiable, digest: bytes, principal: Principal, owner: Owner, plan: PlanSlot
    ) -> None:
        self.digest = digest
        self.principal = principal
        self.root_id = found.root_id
        self.ends_at_us = found.ends_at_us
        self.usable = found.usable
        self.networks = parse_networks(found.allowed_ips)
        self.guarded = bool(self.networks) or self.ends_at_us is not None or not self.usable
        """Whether more than its limit can speak against a request that needs no scope."""
        self.owner = owner
        self.plan = plan
        self.counter: Counter | None = None
        self.counted_under: Plan | None = None
        self.last_used_us = 0
        self.accepted = 0
        self.counted_until_us = 0
        """End of the minute that `accepted` is of; 0 while nothing is counted that `usage.Uses` has not gathered."""
        self.touched = False
        self.slot = -1
        self.rendered: Any = None
        """Whatever the web keeps with a resident, to answer sooner."""

    @property
    def current(self) -> bool:
        """Whether nothing that it was made from has changed since."""
        return self.owner.current and self.plan.current

    def subject(self) -> str:
        """Whose count its requests belong to, as its plan says."""
        count_by = self.plan.plan.count_by
        if count_by is CountBy.CREDENTIAL:
            return self.root_id
        return self.principal.user_id if count_by is CountBy.USER else self.principal.tenant_id


class ResidentIndex:
    """Residents by digest and by id, at most `residents_max` of them.

    Room is made by the clock algorithm: a hand goes round and evicts the first resident that was not
    used since the hand last passed it.

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
        self._ring: list[Resident | None] = []
        self._free: list[int] = []
        self._hand = 0
        self._misses: set[bytes] = set()
        self._older_misses: set[bytes] = set()
        self._owners: WeakValueDictionary[str, Owner] = WeakValueDictionary()
        self._plans: WeakValueDictionary[str, PlanSlot] = WeakValueDictionary()
        self._scope_sets: dict[frozenset[str], frozenset[str]] = {}
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
            owner, plan = Owner(found.user_id, found.tenant_id), PlanSlot(found.plan)
        else:
            owner, plan = self._owner(found), self._plan(found.plan)
        scopes = found.scopes & ceiling(found.role, found.user_scopes, self._defined_scopes)
        principal = Principal(
            user_id=owner.user_id,
            tenant_id=owner.tenant_id,
            scopes=self._scope_sets.setdefault(scopes, scopes),
            credential_id=found.id,
            kind=found.kind,
            name=found.name,
            role=found.role,
        )
        resident = Resident(found, digest, principal, owner, plan)
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
                case ChangeKind.PLAN:  # pragma: no branch - mypy refuses a kind without a case
                    slot = self._plans.get(change.subject_id)
                    if slot is not None:
                        slot.current = False

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
        self._ring.clear()
        self._free.clear()
        self._hand = 0
        self._owners.clear()
        self._plans.clear()

    def _changed_since(self, epoch: int, subjects: Sequence[str]) -> bool:
        if epoch == self.epoch:
            return False
        if self._recent[0][0] > epoch + 1:
            return True
        return any(when > epoch and subject in subjects for when, subject in self._recent)

    def _owner(self, found: Verifiable) -> Owner:
        owner = self._owners.get(found.user_id)
        if owner is None:
            owner = self._owners[found.user_id] = Owner(found.user_id, found.tenant_id)
        return owner

    def _plan(self, plan: Plan) -> PlanSlot:
        slot = self._plans.get(plan.name)
        if slot is None:
            slot = self._plans[plan.name] = PlanSlot(plan)
        elif not slot.current:
            slot.put(plan)
        return slot

    def _insert(self, resident: Resident) -> None:
        previous = self._by_id.get(resident.principal.credential_id)
        if previous is not None:
            self._remove(previous)
        if self._free:
            resident.slot = self._free.pop()
            self._ring[resident.slot] = resident
        elif len(self._ring) < self._residents_max:
            resident.slot = len(self._ring)
            self._ring.append(resident)
        else:
            resident.slot = self._evict()
            self._ring[resident.slot] = resident
        self._by_digest[resident.digest] = resident
        self._by_id[resident.principal.credential_id] = resident

    def _remove(self, resident: Resident) -> None:
        del self._by_digest[resident.digest]
        del self._by_id[resident.principal.credential_id]
        self._ring[resident.slot] = None
        self._free.append(resident.slot)

    def _evict(self) -> int:
        """Free a slot of the full ring and return it; ends after two rounds at the most."""
        while True:
            slot = self._hand
            self._hand = (slot + 1) % len(self._ring)
            resident = self._ring[slot]
            if resident is not None and not resident.touched:
                self._remove(resident)
                return self._free.pop()
            if resident is not None:
                resident.touched = False


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
