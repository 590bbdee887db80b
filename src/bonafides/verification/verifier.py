"""Who is this, may they, how much is left: the hot path, read top to bottom.

The order is: shape, checksum, look-up, status, expiry, lineage, address, scope, limit; free before
costly, reading before spending. It starts at refused and upgrades. A credential in memory skips the
first two, because its digest has proven them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from bonafides.errors import Overloaded, Unavailable
from bonafides.model import (
    EVERYWHERE,
    Accepted,
    Allowance,
    Cause,
    Check,
    Clock,
    CredentialKind,
    Principal,
    Reason,
    Rejected,
    Signed,
    TenantScope,
    Verdict,
)
from bonafides.secret import Peppers, Shape, shape
from bonafides.verification.foreign import Foreign
from bonafides.verification.leases import LeaseNeededError, Leases
from bonafides.verification.limiter import AddressLimiter, Counter, Limiter
from bonafides.verification.lookup import LookUps
from bonafides.verification.networks import network_of
from bonafides.verification.resident import Resident, ResidentIndex
from bonafides.verification.usage import Uses

NO_SCOPES: Final[frozenset[str]] = frozenset()
ANY_KEY: Final = "*"
"""In place of a thumbprint: whoever asks judges by themselves whether a token's holder has its key."""

_REASON_OF_SHAPE: Final = {
    Shape.DAMAGED_KEY: Reason.INVALID_KEY,
    Shape.DAMAGED_TOKEN: Reason.INVALID_TOKEN,
}
_LOOKED_UP: Final = frozenset({Shape.WHOLE, Shape.JWT})
_KEYS: Final = frozenset({CredentialKind.API_KEY, CredentialKind.PERSONAL_ACCESS_TOKEN})
_BAD_OF_KIND: Final = {
    kind: Reason.INVALID_KEY if kind in _KEYS else Reason.INVALID_TOKEN for kind in CredentialKind
}
_BAD: Final = frozenset({Reason.INVALID_KEY, Reason.INVALID_TOKEN, Reason.EXPIRED})
"""Objections to the credential itself; such a request counts by address, as one without a credential does."""
_CHECK_OF: Final = {
    Reason.INVALID_KEY: Check.STATUS,
    Reason.INVALID_TOKEN: Check.STATUS,
    Reason.EXPIRED: Check.EXPIRY,
    Reason.ADDRESS: Check.ADDRESS,
    Reason.SCOPE: Check.SCOPE,
}
"""Which check speaks by an objection; status and expiry are those of the lineage too."""
_LEASES_MAX: Final = 64
_TOKEN_PREFIXES: Final = (b"bf_tok_", b"bf_oat_", b"bf_ort_", b"eyJ")
_JWT_PREFIX: Final = b"eyJ"
_OF_SIGNATURE: Final = {
    Signed.BAD: Reason.INVALID_TOKEN,
    Signed.UNKNOWN_KEY: Reason.INVALID_TOKEN,
    Signed.EXPIRED: Reason.EXPIRED,
}


class Freshness(Protocol):
    """Whether memory may be trusted now; `feed.Feed` knows."""

    def is_fresh(self) -> bool:
        """False when the change feed was not read for too long."""
        ...


class Signatures(Protocol):
    """What checksums are for our own secrets: tells made-up tokens without a look-up."""

    def judge(self, token: bytes, now_us: int) -> Signed:
        """What a signature and the claims under it say."""
        ...

    async def learn(self) -> None:
        """Learn of keys that are not known yet, if there may be any.

        Raises:
            Unavailable: Nobody can be asked.
        """
        ...


@dataclass(frozen=True, slots=True)
class Facts:
    """What a credential is judged against beside itself.

    Args:
        address: Where the request came from; None if whoever asks did not say.
        scopes: What the request needs; all of them.
        cost: How many requests it counts for.
        tenant: Whoever asks sees the credentials of this tenant; others are unknown to them.
        jkt: Thumbprint of the key that whoever presents it has proven to hold; None where nothing is proven.
    """

    address: str | None = None
    scopes: frozenset[str] = NO_SCOPES
    cost: int = 1
    tenant: TenantScope = EVERYWHERE
    jkt: str | None = None

    @property
    def asker(self) -> str:
        """Who says that the request came from `address`: a tenant, or empty for the operator and this server."""
        return "" if self.tenant is EVERYWHERE else self.tenant


class Verifier:
    """Judges every presented credential of every kind.

    Args:
        peppers: For the digest of what was presented.
        index: Credentials in memory.
        freshness: Whether that memory may be used.
        look_ups: The way to the database.
        signatures: The gate before it, for signed tokens.
        foreign: Knows whether strings of no look of ours may be keys.
        limiter: Counts of good credentials.
        addresses: Counts of requests without one.
        uses: Told of each request on a known credential.
        clock: The time that expiry and limits go by.
    """

    def __init__(  # noqa: PLR0913 - each is a step of the way that a request takes
        self,
        *,
        peppers: Peppers,
        index: ResidentIndex,
        freshness: Freshness,
        look_ups: LookUps,
        signatures: Signatures,
        foreign: Foreign,
        limiter: Limiter,
        addresses: AddressLimiter,
        leases: Leases,
        uses: Uses,
        clock: Clock,
    ) -> None:
        self._peppers = peppers
        self._index = index
        self._is_fresh = freshness.is_fresh
        self._look_ups = look_ups
        self._signatures = signatures
        self._foreign = foreign
        self._limiter = limiter
        self._addresses = addresses
        self._leases = leases
        self._uses = uses
        self._clock = clock
        self.digest = peppers.digest
        """The digest by which memory knows a credential."""

    async def verify(self, credential: bytes | None, facts: Facts) -> Verdict:
        """The verdict on a presented credential; a denial is a value.

        Args:
            credential: As presented, None if nothing was.
            facts: What it is judged against.

        Raises:
            Unavailable: The server cannot know; never taken for a yes or a no.
        """
        if credential is None:
            return self._refuse(Reason.MISSING, facts)
        digest = self.digest(credential)
        verdict = self.verdict_at_hand(credential, digest, facts)
        return verdict if verdict is not None else await self.verdict_from_store(credential, digest, facts)

    def verdict_at_hand(self, credential: bytes, digest: bytes, facts: Facts) -> Verdict | None:
        """The verdict as far as memory and the credential itself tell; None, with nothing counted, where it takes a look-up.

        Args:
            credential: As presented.
            digest: Of it.
            facts: What it is judged against.

        Raises:
            Unavailable: It cannot be counted.
        """
        fresh = self._is_fresh()
        resident = self._index.get(digest) if fresh else None
        if resident is not None:
            try:
                return self._judge(resident, facts)
            except LeaseNeededError:
                return None
        looks = shape(credential)
        if looks not in _LOOKED_UP and not (looks is Shape.UNKNOWN and self._foreign.expected):
            reason = _REASON_OF_SHAPE.get(looks) or _unknown(credential)
            return self._refuse(reason, facts, cause=_nobodys(Check.SHAPE, facts))
        if fresh and self._index.is_known_miss(digest):
            return self._refuse(_unknown(credential), facts, cause=_nobodys(Check.LOOK_UP, facts))
        return None

    async def verdict_from_store(self, credential: bytes, digest: bytes, facts: Facts) -> Verdict:
        """The verdict by a look-up, or by a lease of its limits, for what `verdict_at_hand` does not know.

        Raises:
            Unavailable: The server cannot know; never taken for a yes or a no.
        """
        found = await self.find(credential, digest, facts)
        return found if isinstance(found, Rejected) else await self.verdict_on(found, facts)

    async def find(self, credential: bytes, digest: bytes, facts: Facts) -> Resident | Rejected:
        """What `verdict_at_hand` does not tell of: a credential to be looked up, or a lease of its limits.

        Raises:
            Unavailable: The server cannot know; never taken for a yes or a no.
        """
        resident = self.resident_of(digest)
        if resident is not None:
            return resident
        spent = self._addresses.spend(facts.address, facts.asker)
        if not spent.admitted:
            return Rejected(Reason.RATE, spent, cause=_nobodys(Check.LIMIT, facts))
        try:
            forged = await self._forged(credential)
            if forged is not None:
                return Rejected(forged, spent, cause=_nobodys(Check.SHAPE, facts))
            resident = await self._look_ups.find(credential, digest)
        except Overloaded:
            raise
        except Unavailable:
            # An outage must not use up what good clients may ask.
            self._addresses.give_back(facts.address, facts.asker)
            raise
        if resident is None:
            return Rejected(_unknown(credential), spent, cause=_nobodys(Check.LOOK_UP, facts))
        self._addresses.give_back(facts.address, facts.asker)
        return resident

    async def _forged(self, credential: bytes) -> Reason | None:
        """What a signed token's own text says against it; None for any other credential.

        Whether it was ended, only the store knows: a good signature alone is good for nothing.
        """
        if not credential.startswith(_JWT_PREFIX):
            return None
        signed = self._signatures.judge(credential, self._clock.micros())
        if signed is Signed.UNKNOWN_KEY:
            await self._signatures.learn()
            signed = self._signatures.judge(credential, self._clock.micros())
        return _OF_SIGNATURE.get(signed)

    async def verdict_on(self, resident: Resident, facts: Facts) -> Verdict:
        """The verdict on what `find` has found, with a lease where the units in hand do not tell.

        Raises:
            Unavailable: It cannot be counted.
        """
        for _ in range(_LEASES_MAX):
            try:
                return self._judge(resident, facts)
            except LeaseNeededError as needed:
                await self._leases.renew(needed)
        # Whoever waited with it has spent each lease before its turn came.
        raise Unavailable(internal="leases: others spent every one")

    def trusts_memory(self) -> bool:
        """Whether memory may be used now."""
        return self._is_fresh()

    def resident(self, credential: bytes) -> Resident | None:
        """What memory knows of a credential; None where it knows nothing or may not be trusted."""
        return self.resident_of(self._peppers.digest(credential))

    def resident_of(self, digest: bytes) -> Resident | None:
        """The same as `resident`, by the credential's digest."""
        return self._index.get(digest) if self._is_fresh() else None

    def objection(self, resident: Resident, facts: Facts, now_us: int) -> Reason | None:
        """What speaks against a known credential, limits apart; None if nothing does.

        Status, then expiry, both with those of its lineage; then address, then scope, whose use is noted.
        """
        bounds = resident.bounds
        if bounds is not None and not bounds.usable:
            return _BAD_OF_KIND[resident.kind]
        if facts.tenant is not EVERYWHERE and facts.tenant != resident.owner.tenant_id:
            return _BAD_OF_KIND[resident.kind]
        delegation = bounds.delegation if bounds is not None else None
        if facts.jkt not in (delegation.jkt if delegation is not None else None, ANY_KEY):
            # RFC 9449 §7.1: a token that is bound to a key says nothing without it, nor does a proof beside another.
            return Reason.INVALID_TOKEN
        if bounds is not None:
            if bounds.ends_at_us is not None and bounds.ends_at_us <= now_us:
                return Reason.EXPIRED
            if not bounds.admits(facts.address):
                return Reason.ADDRESS
        if facts.scopes:
            if not facts.scopes <= resident.scopes:
                return Reason.SCOPE
            self._uses.note_scopes(resident, facts.scopes, now_us)
        return None

    def counter(self, resident: Resident, now_us: int) -> Counter:
        """The resident's counter, asked for anew when its window ended or its plan changed."""
        counter = resident.counter
        plan = resident.plan.plan
        if counter is None or now_us >= counter.hour_ends_us or resident.counted_under is not plan:
            counter = resident.counter = self._limiter.counter(resident.subject())
            resident.counted_under = plan
        return counter

    def over_limit(self, resident: Resident, facts: Facts, counter: Counter, now_us: int) -> Rejected:
        """The refusal of a good credential for which its counter has no room; it counts in the usage."""
        self._uses.note_refusal(resident, Reason.RATE, now_us)
        principal = resident.principal
        hourly = resident.plan.hourly[principal.kind]
        left = counter.allowance(hourly, resident.plan.plan.burst, now_us, refused_cost=facts.cost)
        cause = _cause(Check.LIMIT, resident, principal, facts)
        return Rejected(Reason.RATE, left, principal.kind, principal=principal, cause=cause)

    def _judge(self, resident: Resident, facts: Facts) -> Verdict:
        now_us = self._clock.micros()
        objection = self.objection(resident, facts, now_us)
        if objection is not None and objection in _BAD:
            return self._refuse_bad(resident, objection, facts, now_us)
        counter = self.counter(resident, now_us)
        hourly = resident.plan.hourly[resident.kind]
        burst = resident.plan.plan.burst
        if objection is not None:
            counter.refresh()
            left = counter.allowance(hourly, burst, now_us)
            self._uses.note_refusal(resident, objection, now_us)
            principal = resident.principal
            cause = _cause(_CHECK_OF[objection], resident, principal, facts)
            return Rejected(objection, left, principal.kind, facts.scopes, principal, cause)
        if not counter.spend(hourly, burst, facts.cost, now_us):
            return self.over_limit(resident, facts, counter, now_us)
        self._uses.note(resident, network_of(facts.address), now_us)
        return Accepted(resident.principal, resident.ends_at_us, counter.allowance(hourly, burst, now_us))

    def _refuse_bad(self, resident: Resident, objection: Reason, facts: Facts, now_us: int) -> Rejected:
        """Refuse a known credential that is not good for anything; to those who may not see it, it is unknown."""
        if facts.tenant is not EVERYWHERE and facts.tenant != resident.owner.tenant_id:
            return self._refuse(objection, facts, resident.kind, _nobodys(Check.LOOK_UP, facts))
        cause = _cause(_CHECK_OF[objection], resident, resident.principal, facts)
        refused = self._refuse(objection, facts, resident.kind, cause)
        self._uses.note_refusal(resident, refused.reason, now_us)
        return refused

    def _refuse(
        self, reason: Reason, facts: Facts, kind: CredentialKind | None = None, cause: Cause | None = None
    ) -> Rejected:
        """Refuse what has no good credential: it counts by address, and past that limit is only told so."""
        spent: Allowance = self._addresses.spend(facts.address, facts.asker)
        return Rejected(reason if spent.admitted else Reason.RATE, spent, kind, cause=cause)


def _nobodys(check: Check, facts: Facts) -> Cause:
    return Cause(check, address=facts.address)


def _cause(check: Check, resident: Resident, principal: Principal, facts: Facts) -> Cause:
    return Cause(
        check,
        principal,
        facts.address,
        facts.scopes,
        resident.networks,
        resident.ends_at_us,
        resident.plan.plan.name,
        facts.cost,
    )


def _unknown(credential: bytes) -> Reason:
    """What a whole credential is told that nobody knows."""
    return Reason.INVALID_TOKEN if credential.startswith(_TOKEN_PREFIXES) else Reason.INVALID_KEY
