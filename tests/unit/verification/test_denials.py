"""Why requests were refused: the true cause for the owner, and a bounded number of rows whoever floods."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

import pytest

from bonafides.credentials.holdings import Made
from bonafides.errors import Unavailable
from bonafides.model import (
    Cause,
    Check,
    CredentialChanges,
    CredentialKind,
    CredentialStatus,
    Denial,
    Link,
    Principal,
    Reason,
    Rejected,
    Role,
    Standing,
    Status,
    TenantChanges,
    UserChanges,
    Verdict,
    to_datetime,
    to_micros,
)
from bonafides.secret import SecretKind, mint, new_id
from bonafides.store import DenialStore
from bonafides.verification.denials import Denials
from bonafides.verification.limiter import NO_LIMIT
from bonafides.verification.verifier import Facts
from tests.unit.clocks import START_US
from tests.unit.conftest import House

ADDRESS: Final = "192.0.2.7"
SECOND_US: Final = 1_000_000
PRINCIPAL: Final = Principal(
    "usr_1", "ten_1", frozenset({"read"}), "key_1", CredentialKind.API_KEY, "a key", Role.MEMBER
)


@dataclass
class Shelf:
    """Takes denials, when it can."""

    written: list[Denial] = field(default_factory=list)
    asked: list[Sequence[str]] = field(default_factory=list)
    trouble: Exception | None = None
    known: dict[str, Standing] = field(default_factory=dict)

    async def standings(self, credential_ids: Sequence[str]) -> Mapping[str, Standing]:
        """Nothing is known of anybody, but for what a test says."""
        self.asked.append(credential_ids)
        return self.known

    async def record_denials(self, refused: Sequence[Denial]) -> None:
        """Write a batch."""
        await asyncio.sleep(0)
        if self.trouble is not None:
            raise self.trouble
        self.written += refused


@pytest.fixture
def shelf() -> Shelf:
    """A database that can be away."""
    return Shelf()


def denials_on(shelf: Shelf, **bounds: int) -> Denials:
    """Denials that nobody has written yet."""
    return Denials(cast("DenialStore", shelf), **bounds)


def refused(check: Check = Check.SCOPE, credential_id: str | None = "key_1") -> Rejected:
    """A refusal with a cause."""
    principal = None if credential_id is None else replace(PRINCIPAL, credential_id=credential_id)
    return Rejected(Reason.SCOPE, NO_LIMIT, cause=Cause(check, principal, ADDRESS))


async def test_what_was_noted_is_written_once(shelf: Shelf) -> None:
    """A denial that is written a second later for ever would grow the table without an end."""
    denials = denials_on(shelf)
    await denials.flush()
    denials.note("req_1", refused(), START_US)
    denials.note("req_2", Rejected(Reason.MISSING, NO_LIMIT), START_US)
    assert denials.waiting == 1
    await asyncio.gather(denials.flush(), denials.flush())
    await denials.flush()
    (denial,) = shelf.written
    assert denial == Denial(
        "req_1",
        to_datetime(START_US),
        "ten_1",
        "usr_1",
        "key_1",
        CredentialKind.API_KEY,
        Reason.SCOPE,
        Check.SCOPE,
        {"needed": [], "held": ["read"]},
    )
    assert not shelf.asked, "nobody has to be asked about a scope"


async def test_a_flood_of_one_key_is_a_few_rows_and_leaves_room_for_others(shelf: Shelf) -> None:
    """A client in a loop over its limit would fill the disk, or have everybody else's denials forgotten."""
    denials = denials_on(shelf, same_a_second=2, same_a_minute=5, all_a_second=100)
    start_us = START_US - START_US % (60 * SECOND_US)
    number = 0
    for second in range(60):
        for _ in range(50):
            number += 1
            denials.note(f"req_{number}", refused(Check.LOOK_UP), start_us + second * SECOND_US)
    denials.note("another check", refused(Check.STATUS), start_us + 59 * SECOND_US)
    denials.note("another key", refused(Check.LOOK_UP, "key_2"), start_us + 59 * SECOND_US)
    denials.note("nobody's", refused(Check.LOOK_UP, None), start_us + 59 * SECOND_US)
    denials.note("the next minute", refused(Check.LOOK_UP), start_us + 60 * SECOND_US)
    await denials.flush()
    names = [denial.request_id for denial in shelf.written]
    assert names == [
        "req_1",
        "req_2",
        "req_51",
        "req_52",
        "req_101",
        "another check",
        "another key",
        "nobody's",
        "the next minute",
    ]
    assert denials.passed_over == 3000 - 5


async def test_a_flood_of_many_keys_is_bounded_too(shelf: Shelf) -> None:
    """A thousand keys that expire at midnight would write a thousand rows a second."""
    denials = denials_on(shelf, all_a_second=10)
    for number in range(100):
        denials.note(f"req_{number}", refused(Check.SCOPE, f"key_{number}"), START_US + number)
    assert (denials.waiting, denials.passed_over) == (10, 90)


async def test_an_outage_is_waited_for_and_does_not_fill_the_memory(shelf: Shelf) -> None:
    """Denials of an outage are what people ask about most; a day of them must not end the server."""
    denials = denials_on(shelf, waiting_max=3)
    shelf.trouble = Unavailable()
    for second in range(6):
        denials.note(f"req_{second}", refused(), START_US + second * SECOND_US)
        with pytest.raises(Unavailable):
            await denials.flush()
    assert (denials.waiting, denials.passed_over) == (3, 3)
    shelf.trouble = None
    await denials.flush()
    assert [denial.request_id for denial in shelf.written] == ["req_0", "req_1", "req_2"]
    assert denials.waiting == 0


async def test_what_is_never_taken_does_not_hold_up_the_rest(shelf: Shelf) -> None:
    """One bad row would end the answers for everybody."""
    denials = denials_on(shelf)
    denials.note("bad", refused(), START_US)
    shelf.trouble = RuntimeError("a row that no table takes")
    with pytest.raises(RuntimeError):
        await denials.flush()
    shelf.trouble = None
    denials.note("good", refused(), START_US)
    await denials.flush()
    assert [denial.request_id for denial in shelf.written] == ["good"]
    assert denials.passed_over == 1


async def test_what_is_gone_is_told_as_memory_knew_it(shelf: Shelf) -> None:
    """A token that was forgotten in the second of its end would have no answer at all."""
    denials = denials_on(shelf)
    ended = Cause(Check.EXPIRY, PRINCIPAL, ends_at_us=START_US)
    denials.note("req_1", Rejected(Reason.EXPIRED, NO_LIMIT, cause=ended), START_US)
    await denials.flush()
    assert shelf.asked == [["key_1"]]
    assert shelf.written[0].figures == {"ended_at_us": START_US}


async def test_of_several_ancestors_the_one_that_ended_is_named(shelf: Shelf) -> None:
    """The parent, which is good, would be renewed in vain."""
    active = CredentialStatus.ACTIVE
    links = [Link(name, active, None, None, None, None) for name in ("key_1", "key_0")]
    oldest = Link("key_first", active, to_datetime(START_US), None, None, None)
    shelf.known["key_1"] = Standing((*links, oldest), Status.ACTIVE, Status.ACTIVE)
    denials = denials_on(shelf)
    ended = Cause(Check.EXPIRY, PRINCIPAL, ends_at_us=START_US)
    denials.note("req_1", Rejected(Reason.EXPIRED, NO_LIMIT, cause=ended), START_US)
    await denials.flush()
    (denial,) = shelf.written
    assert denial.refused_by is Check.LINEAGE
    assert denial.figures == {"credential_id": "key_first", "ended_at_us": START_US}


# Over a real store: what the owner learns


async def denial_of(house: House, credential: Made | bytes, facts: Facts | None = None) -> Denial:
    """Why a credential is refused."""
    presented = credential.secret.encode() if isinstance(credential, Made) else credential
    verdict: Verdict = await house.rooms.verifier.verify(presented, facts or Facts(ADDRESS))
    assert isinstance(verdict, Rejected)
    request_id = new_id("req", START_US, os.urandom)
    house.rooms.denials.note(request_id, verdict, house.clock.micros())
    return await house.rooms.denial_reports.get(house.operator, request_id)


async def told(house: House, key: Made) -> tuple[Check, dict[str, Any]]:
    """The check that refused a key, and its figures, from the database and from memory alike."""
    cold, warm = await denial_of(house, key), await denial_of(house, key)
    assert (cold.refused_by, cold.figures) == (warm.refused_by, warm.figures)
    assert cold.credential_id == key.credential.id
    assert (cold.tenant_id, cold.user_id) == (key.credential.tenant_id, key.credential.user_id)
    return cold.refused_by, dict(cold.figures)


async def set_status(house: House, key: Made, status: CredentialStatus, **why: str) -> None:
    """Disable or revoke a key."""
    await house.rooms.api_keys.set_status(house.operator, key.credential.id, status, **why)


async def test_a_disabled_and_a_revoked_key_are_told_apart(house: House) -> None:
    """Its owner would look for a mistake in their client where somebody has ended the key."""
    disabled, revoked = await house.make_key(), await house.make_key()
    await set_status(house, disabled, CredentialStatus.DISABLED)
    await set_status(house, revoked, CredentialStatus.REVOKED, reason="leaked")
    nothing = {"of": "credential", "since_us": None, "reason": None}
    assert await told(house, disabled) == (Check.STATUS, {**nothing, "status": "disabled"})
    assert await told(house, revoked) == (
        Check.STATUS,
        {"of": "credential", "status": "revoked", "since_us": START_US, "reason": "leaked"},
    )


async def test_a_disabled_user_and_tenant_are_told(house: House) -> None:
    """Both look like a bad key to whoever presents it; the admin must learn which switch to turn."""
    tenant = await house.make_tenant()
    user = await house.make_user(tenant.id, Role.MEMBER)
    key = await house.make_key(user)
    await house.rooms.directory.change_user(house.operator, user.id, UserChanges(status=Status.DISABLED))
    assert await told(house, key) == (Check.STATUS, {"of": "user", "status": "disabled"})
    await house.rooms.directory.change_user(house.operator, user.id, UserChanges(status=Status.ACTIVE))
    await house.rooms.directory.change_tenant(
        house.operator, tenant.id, TenantChanges(status=Status.DISABLED)
    )
    assert await told(house, key) == (Check.STATUS, {"of": "tenant", "status": "disabled"})


async def test_an_ended_parent_is_named(house: House) -> None:
    """Lineage ends what was made from a key at once; nobody would find out why without its id."""
    first = await house.make_key(expires_in=1000)
    second = await house.rooms.api_keys.rotate(house.operator, first.credential.id)
    assert isinstance(second, Made)
    third = await house.rooms.api_keys.rotate(house.operator, second.credential.id)
    assert isinstance(third, Made)
    await set_status(house, second, CredentialStatus.DISABLED)
    assert await told(house, third) == (
        Check.LINEAGE,
        {"credential_id": second.credential.id, "status": "disabled"},
    )
    await set_status(house, first, CredentialStatus.REVOKED)
    assert await told(house, third) == (
        Check.LINEAGE,
        {"credential_id": first.credential.id, "status": "revoked"},
    )


async def test_whose_time_is_up_is_told(house: House) -> None:
    """An expired key, a rotated one and the successor of an expired one are mended in three ways."""
    first = await house.make_key(expires_in=1000)
    ends_us = START_US + 1000 * SECOND_US
    second = await house.rooms.api_keys.rotate(house.operator, first.credential.id, overlap_seconds=10)
    assert isinstance(second, Made)
    # The parent's expiry was moved after its successor took it over.
    await house.rooms.store.change_credential(
        second.credential.id,
        second.credential.tenant_id,
        CredentialChanges(expires_at=None),
        house.rooms.installation._recorder.event("test", house.operator.actor, "ten", "key"),
    )
    house.clock.advance(20)
    await house.rooms.feed.read()
    overlap = {"ended_at_us": START_US + 10 * SECOND_US, "by": "overlap_ends_at"}
    assert await told(house, first) == (Check.EXPIRY, overlap)
    house.clock.advance(2000)
    await house.rooms.feed.read()
    other = await house.make_key(expires_in=5)
    expires_at = other.credential.expires_at
    assert expires_at is not None
    house.clock.advance(5)
    await house.rooms.feed.read()
    own = {"ended_at_us": to_micros(expires_at), "by": "expires_at"}
    assert await told(house, other) == (Check.EXPIRY, own)
    check, figures = await told(house, second)
    assert check is Check.LINEAGE
    assert figures["credential_id"] == first.credential.id
    assert figures["ended_at_us"] <= ends_us


async def test_what_was_mended_meanwhile_is_told_as_it_was(house: House) -> None:
    """Between the refusal and the writing an admin may have turned the switch back."""
    key = await house.make_key()
    await set_status(house, key, CredentialStatus.DISABLED)
    verdict = await house.rooms.verifier.verify(key.secret.encode(), Facts(ADDRESS))
    assert isinstance(verdict, Rejected)
    house.rooms.denials.note("req_1", verdict, house.clock.micros())
    expiring = await house.make_key(expires_in=5)
    house.clock.advance(5)
    await house.rooms.feed.read()
    verdict = await house.rooms.verifier.verify(expiring.secret.encode(), Facts(ADDRESS))
    assert isinstance(verdict, Rejected)
    house.rooms.denials.note("req_2", verdict, house.clock.micros())
    await set_status(house, key, CredentialStatus.ACTIVE)
    await house.rooms.store.change_credential(
        expiring.credential.id,
        expiring.credential.tenant_id,
        CredentialChanges(expires_at=None),
        house.rooms.installation._recorder.event("test", house.operator.actor, "ten", "key"),
    )
    first = await house.rooms.denial_reports.get(house.operator, "req_1")
    assert (first.refused_by, first.figures) == (Check.STATUS, {})
    second = await house.rooms.denial_reports.get(house.operator, "req_2")
    assert second.refused_by is Check.EXPIRY
    assert second.figures == {"ended_at_us": START_US + 5 * SECOND_US}


async def test_address_scope_and_limit_are_told_with_their_figures(house: House) -> None:
    """These are what a client's author can mend, once they know the figure."""
    await house.make_plan("two", requests_per_hour=2)
    key = await house.make_key(allowed_ips=["192.0.2.0/24"], scopes=["read"], plan="two")
    away = await denial_of(house, key, Facts("198.51.100.1"))
    assert (away.refused_by, away.figures) == (
        Check.ADDRESS,
        {"address": "198.51.100.1", "allowed_ips": ["192.0.2.0/24"]},
    )
    narrow = await denial_of(house, key, Facts(ADDRESS, frozenset({"read", "write"})))
    assert (narrow.refused_by, narrow.figures) == (
        Check.SCOPE,
        {"needed": ["read", "write"], "held": ["read"]},
    )
    over = await denial_of(house, key, Facts(ADDRESS, cost=3))
    assert (over.reason, over.refused_by) == (Reason.RATE, Check.LIMIT)
    assert over.figures == {
        "window": "hour",
        "limit": 2,
        "seconds": 3600,
        "remaining": 2,
        "cost": 3,
        "resets_at_us": START_US + 3600 * SECOND_US,
        "plan": "two",
    }


async def test_what_is_nobodys_is_nobodys(house: House) -> None:
    """A typo has no owner; only the operator, whom its sender asks, can see what became of it."""
    typo = await denial_of(house, b"bf_key_nothing")
    assert (typo.refused_by, typo.tenant_id, typo.credential_id) == (Check.SHAPE, None, None)
    unknown = mint(SecretKind.KEY, new_id("key", START_US, os.urandom), os.urandom).encode()
    for _ in range(2):
        found = await denial_of(house, unknown)
        assert (found.refused_by, found.figures) == (Check.LOOK_UP, {"address": ADDRESS})
    tenant = await house.make_tenant()
    key = await house.make_key()
    hidden = await denial_of(house, key, Facts(ADDRESS, tenant=tenant.id))
    assert (hidden.refused_by, hidden.tenant_id, hidden.credential_id) == (Check.LOOK_UP, None, None)
