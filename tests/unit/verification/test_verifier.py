"""Who is this, may they, how much is left: every verdict, over a real store, from memory and from the database."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bonafides.app import open_rooms
from bonafides.credentials.api_keys import KeyChanges
from bonafides.credentials.holdings import Made
from bonafides.errors import Unavailable
from bonafides.installation import Founded
from bonafides.model import (
    ADMIN,
    READ,
    WRITE,
    Accepted,
    Actor,
    Allowance,
    AuditEvent,
    CountBy,
    CredentialKind,
    CredentialStatus,
    DigestedSecret,
    Reason,
    Rejected,
    Role,
    Status,
    UserChanges,
    Verdict,
    to_datetime,
)
from bonafides.secret import Peppers, SecretKind, mint, new_id, parse_pepper
from bonafides.verification.verifier import ANY_KEY, NO_SCOPES, Facts, Verifier
from tests.unit.clocks import START_US, HandClock
from tests.unit.conftest import PEPPERS, House, settings_of

ADDRESS = "192.0.2.7"
HERE = Facts(address=ADDRESS)
HOUR_US = 3_600_000_000


def at_hand(verifier: Verifier, credential: bytes, facts: Facts) -> Verdict | None:
    """The verdict without a look-up."""
    return verifier.verdict_at_hand(credential, verifier.digest(credential), facts)


def secret_of(kind: SecretKind) -> bytes:
    """A whole secret that nobody has."""
    return mint(kind, new_id(str(kind), START_US, os.urandom), os.urandom).encode()


@pytest.fixture
async def strict(founded_sqlite: Founded, sqlite_path: Path, clock: HandClock) -> AsyncIterator[House]:
    """An installation that allows an address three requests a minute without a good credential."""
    settings = settings_of(sqlite_path, address_requests_per_minute=3)
    async with open_rooms(settings, PEPPERS, clock=clock) as rooms:
        await rooms.feed.read()
        yield House(rooms, founded_sqlite, clock)


async def verify(house: House, key: Made | bytes | None, facts: Facts = HERE) -> Verdict:
    """The verdict on a key."""
    credential = key.secret.encode() if isinstance(key, Made) else key
    return await house.rooms.verifier.verify(credential, facts)


async def reason(house: House, key: Made | bytes | None, facts: Facts = HERE) -> Reason | None:
    """Why a key is refused; None if it is not."""
    verdict = await verify(house, key, facts)
    return None if isinstance(verdict, Accepted) else verdict.reason


async def remaining(house: House, key: Made) -> dict[str, int]:
    """What is left, by window, without counting."""
    verdict = await verify(house, key, Facts(cost=0))
    return {window.name: window.remaining for window in verdict.allowance.windows}


def take_database_away(house: House) -> None:
    """From now on nothing can be looked up."""
    path = Path(house.rooms.settings.database)
    path.rename(path.with_suffix(".away"))


def bring_database_back(house: House) -> None:
    """The outage is over."""
    path = Path(house.rooms.settings.database)
    path.with_suffix(".away").rename(path)


async def make_other_kind(
    house: House, kind: CredentialKind, secret: SecretKind, **values_more: Any
) -> bytes:
    """A credential of a kind that is not an API key."""
    template = (await house.make_key()).credential
    identifier = new_id(str(secret), START_US, os.urandom)
    presented = mint(secret, identifier, os.urandom).encode()
    values: dict[str, Any] = {
        name: getattr(template, name) for name in template.__dataclass_fields__ if name != "ends_at"
    }
    values |= {"id": identifier, "kind": kind, "root_id": identifier, **values_more}
    at = to_datetime(START_US)
    event = AuditEvent(
        new_id("evt", START_US, os.urandom),
        at,
        template.tenant_id,
        "token.made",
        "token",
        identifier,
        Actor(None, None, "test"),
    )
    await house.rooms.store.create_credential(
        type(template)(**values), DigestedSecret(PEPPERS.digest(presented), PEPPERS.newest_id), event
    )
    return presented


# Good credentials


async def test_a_good_key_is_accepted_from_the_database_and_from_memory(house: House) -> None:
    """The same key, the same answer: who it speaks for must not depend on what happens to be in memory."""
    made = await house.make_key(expires_in=60)
    facts = Facts(ADDRESS, frozenset({READ}))
    cold = await verify(house, made, facts)
    warm = at_hand(house.rooms.verifier, made.secret.encode(), facts)
    for verdict in (cold, warm):
        assert isinstance(verdict, Accepted)
        principal = verdict.principal
        assert principal.credential_id == made.credential.id
        assert (principal.user_id, principal.tenant_id) == (house.founded.user_id, house.founded.tenant_id)
        assert principal.scopes == {READ, WRITE}
        assert principal.kind is CredentialKind.API_KEY
        assert verdict.expires_at_us == START_US + 60_000_000
        assert verdict.allowance.admitted


async def test_facts_ask_for_nothing_unless_told(house: House) -> None:
    """A forgotten argument must not widen or narrow what is asked."""
    assert Facts() == Facts(None, NO_SCOPES, 1)
    assert Facts().asker == ""
    assert Facts(tenant="ten_1").asker == "ten_1"
    assert await reason(house, await house.make_key(), Facts()) is None


async def test_a_key_in_memory_needs_no_database(house: House) -> None:
    """The database away: who is known and fresh goes on, who is not gets 503 and never "invalid"."""
    known, unknown = await house.make_key(), await house.make_key()
    assert await reason(house, known) is None
    assert house.rooms.verifier.trusts_memory()
    take_database_away(house)
    assert await reason(house, known) is None
    with pytest.raises(Unavailable):
        await verify(house, unknown)
    house.clock.advance(house.rooms.settings.max_staleness_seconds)
    assert not house.rooms.verifier.trusts_memory()
    assert at_hand(house.rooms.verifier, known.secret.encode(), HERE) is None
    assert house.rooms.verifier.resident(known.secret.encode()) is None
    with pytest.raises(Unavailable):
        await verify(house, known)


async def test_memory_that_is_not_fresh_is_not_asked(house: House) -> None:
    """A key that was revoked by another process while the feed stood still would go on working."""
    made = await house.make_key()
    assert await reason(house, made) is None
    house.clock.advance(2)
    assert at_hand(house.rooms.verifier, made.secret.encode(), HERE) is None
    assert await reason(house, made) is None
    await house.rooms.feed.read()
    assert at_hand(house.rooms.verifier, made.secret.encode(), HERE) is not None


async def test_memory_knows_a_credential_by_its_digest(house: House) -> None:
    """The fast lane asks by digest; it must meet the same credential."""
    made = await house.make_key()
    await verify(house, made)
    verifier = house.rooms.verifier
    resident = verifier.resident(made.secret.encode())
    assert resident is not None
    assert verifier.resident_of(verifier.digest(made.secret.encode())) is resident
    assert at_hand(verifier, secret_of(SecretKind.KEY), HERE) is None


async def test_a_key_that_was_digested_under_an_older_pepper_is_found(
    founded_sqlite: Founded, sqlite_path: Path, clock: HandClock
) -> None:
    """On the day that a pepper is rotated, every customer would be locked out."""
    settings = settings_of(sqlite_path)
    async with open_rooms(settings, PEPPERS, clock=clock) as rooms:
        made = await House(rooms, founded_sqlite, clock).make_key()
    rotated = Peppers([parse_pepper("2" * 64), parse_pepper("1" * 64)])
    async with open_rooms(settings, rotated, clock=clock) as rooms:
        await rooms.feed.read()
        assert await reason(House(rooms, founded_sqlite, clock), made) is None


async def test_each_accepted_request_is_noted_and_no_refused_one(house: House) -> None:
    """Whoever looks for unused keys to revoke must be able to trust "last used"."""
    used, refused = await house.make_key(), await house.make_key()
    house.clock.advance(1)
    await verify(house, used)
    await verify(house, refused, Facts(scopes=frozenset({ADMIN})))
    await house.rooms.uses.flush()
    keys = house.rooms.api_keys
    assert (await keys.get(house.operator, used.credential.id)).last_used_at == to_datetime(
        START_US + 1_000_000
    )
    assert (await keys.get(house.operator, refused.credential.id)).last_used_at is None


# Bad credentials


SHAPES = [
    (b"", Reason.INVALID_KEY),
    (b"hunter2", Reason.INVALID_KEY),
    (b"bf_key_x", Reason.INVALID_KEY),
    (b"bf_pat_x", Reason.INVALID_KEY),
    (b"bf_tok_x", Reason.INVALID_TOKEN),
    (b"bf_oat_x", Reason.INVALID_TOKEN),
    (b"bf_ort_x", Reason.INVALID_TOKEN),
    (b"eyJhbGciOiJub25lIn0.e30.c2ln", Reason.INVALID_TOKEN),
    (b"eyJhbGciOiJub25lIn0.e3", Reason.INVALID_TOKEN),
]


@pytest.mark.parametrize(("presented", "expected"), SHAPES)
async def test_what_has_no_good_shape_is_refused_without_a_look_up(
    house: House, presented: bytes, expected: Reason
) -> None:
    """Typos and noise must not reach the database, nor be taken for an outage."""
    take_database_away(house)
    assert await verify(house, presented) == Rejected(expected, Allowance(()))


async def test_nothing_presented_is_missing(house: House) -> None:
    """A client without a key is told to send one, not that its key is wrong."""
    assert await verify(house, None) == Rejected(Reason.MISSING, Allowance(()))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (SecretKind.KEY, Reason.INVALID_KEY),
        (SecretKind.PAT, Reason.INVALID_KEY),
        (SecretKind.TOK, Reason.INVALID_TOKEN),
        (SecretKind.OAT, Reason.INVALID_TOKEN),
        (SecretKind.ORT, Reason.INVALID_TOKEN),
    ],
)
async def test_the_unknown_are_refused_and_remembered(
    house: House, kind: SecretKind, expected: Reason
) -> None:
    """The second try of a wrong key costs no look-up; a client of tokens is told `invalid_token`."""
    presented = secret_of(kind)
    assert await verify(house, presented) == Rejected(expected, Allowance(()))
    take_database_away(house)
    assert await verify(house, presented) == Rejected(expected, Allowance(()))
    # A miss from a memory that is too old proves nothing.
    house.clock.advance(2)
    with pytest.raises(Unavailable):
        await verify(house, presented)


@pytest.mark.parametrize(
    ("kind", "secret", "expected"),
    [
        (CredentialKind.API_KEY, SecretKind.KEY, Reason.INVALID_KEY),
        (CredentialKind.PERSONAL_ACCESS_TOKEN, SecretKind.PAT, Reason.INVALID_KEY),
        (CredentialKind.BEARER_TOKEN, SecretKind.TOK, Reason.INVALID_TOKEN),
        (CredentialKind.OAUTH_ACCESS_TOKEN, SecretKind.OAT, Reason.INVALID_TOKEN),
    ],
)
async def test_unknown_revoked_and_somebody_elses_differ_in_nothing_on_the_wire(
    house: House, kind: CredentialKind, secret: SecretKind, expected: Reason
) -> None:
    """Whoever holds a stolen key learns nothing of whose it was, nor a tenant of another's keys."""
    presented = await make_other_kind(house, kind, secret)
    assert await reason(house, presented) is None
    assert await reason(house, presented, Facts(tenant=house.founded.tenant_id)) is None
    assert await verify(house, presented, Facts(tenant="ten_other")) == Rejected(
        expected, Allowance(()), kind
    )
    owner = house.founded.user_id
    other = await house.make_user()
    await house.rooms.directory.change_user(
        house.authority_of(other), owner, UserChanges(status=Status.DISABLED)
    )
    assert await verify(house, presented) == Rejected(expected, Allowance(()), kind)
    assert (await verify(house, secret_of(secret))).allowance == Allowance(())


@pytest.mark.parametrize("status", [CredentialStatus.DISABLED, CredentialStatus.REVOKED])
async def test_a_key_that_was_ended_is_refused_on_the_next_request(
    house: House, status: CredentialStatus
) -> None:
    """The acknowledgement of a revocation is a promise."""
    made = await house.make_key()
    assert await reason(house, made) is None
    await house.rooms.api_keys.set_status(house.operator, made.credential.id, status)
    assert await reason(house, made) is Reason.INVALID_KEY
    assert await reason(house, made) is Reason.INVALID_KEY


async def test_expiry_is_exact_to_the_microsecond(house: House) -> None:
    """`expires_at` is the first moment at which the key no longer works."""
    made = await house.make_key(expires_in=1)
    await verify(house, made)
    house.clock.now_us = START_US + 999_999
    assert await reason(house, made) is None
    house.clock.now_us = START_US + 1_000_000
    assert await verify(house, made) == Rejected(Reason.EXPIRED, Allowance(()), CredentialKind.API_KEY)


# Address, scope, and their order


async def test_a_key_works_from_its_networks_alone(house: House) -> None:
    """A stolen key is worth nothing outside of the office; the refusal counts nothing."""
    made = await house.make_key(allowed_ips=["192.0.2.0/24"])
    assert await reason(house, made, Facts("192.0.2.255")) is None
    for address in ("192.0.3.1", None, "2001:db8::1"):
        verdict = await verify(house, made, Facts(address))
        assert isinstance(verdict, Rejected)
        assert verdict.reason is Reason.ADDRESS
        assert verdict.kind is CredentialKind.API_KEY
        assert verdict.principal is not None
        assert verdict.principal.credential_id == made.credential.id
        assert verdict.allowance.admitted


async def test_a_missing_scope_is_named_and_counts_nothing(house: House) -> None:
    """A developer is told what to ask for; a client that lacks it does not lose its hour."""
    await house.make_plan("small", 10, 5)
    made = await house.make_key(scopes=[READ], plan="small")
    wanted = frozenset({READ, WRITE})
    verdict = await verify(house, made, Facts(scopes=wanted))
    assert isinstance(verdict, Rejected)
    assert (verdict.reason, verdict.scopes, verdict.kind) == (Reason.SCOPE, wanted, CredentialKind.API_KEY)
    assert verdict.principal is not None
    assert [window.remaining for window in verdict.allowance.windows] == [10, 5]
    assert await reason(house, made, Facts(scopes=frozenset({READ}))) is None


async def test_objections_come_in_order(house: House) -> None:
    """Status, expiry, address, scope, limit: an earlier one hides what a later one would tell."""
    await house.make_plan("none", 0, 0)
    made = await house.make_key(expires_in=10, allowed_ips=[ADDRESS], scopes=[READ], plan="none")
    far = Facts("198.51.100.1", frozenset({WRITE}))
    near = Facts(ADDRESS, frozenset({WRITE}))
    good = Facts(ADDRESS, frozenset({READ}))
    assert await reason(house, made, good) is Reason.RATE
    assert await reason(house, made, near) is Reason.SCOPE
    assert await reason(house, made, far) is Reason.ADDRESS
    house.clock.now_us += 10_000_000
    assert await reason(house, made, far) is Reason.EXPIRED
    await house.rooms.api_keys.set_status(house.operator, made.credential.id, CredentialStatus.REVOKED)
    assert await reason(house, made, far) is Reason.INVALID_KEY


async def test_a_token_that_is_bound_to_a_key_is_good_with_it_alone(house: House) -> None:
    """RFC 9449 §7.1: who has found such a token could use it; and a proof beside another credential proves nothing."""
    bound, free = [
        await make_other_kind(
            house, CredentialKind.OAUTH_ACCESS_TOKEN, SecretKind.OAT, client_id="cli_1", audiences=(), jkt=jkt
        )
        for jkt in ("thumb", None)
    ]
    for _ in range(2):
        assert await reason(house, bound) is Reason.INVALID_TOKEN
        assert await reason(house, bound, replace(HERE, jkt="other")) is Reason.INVALID_TOKEN
        assert await reason(house, bound, replace(HERE, jkt="thumb")) is None
        assert await reason(house, bound, replace(HERE, jkt=ANY_KEY)) is None
        assert await reason(house, free) is None
        assert await reason(house, free, replace(HERE, jkt="thumb")) is Reason.INVALID_TOKEN
    key = await house.make_key()
    assert await reason(house, key, replace(HERE, jkt="thumb")) is Reason.INVALID_TOKEN
    assert await reason(house, key, replace(HERE, jkt=ANY_KEY)) is None


async def test_a_scope_that_its_owner_loses_is_lost_at_once(house: House) -> None:
    """Demotion binds the keys that were made before."""
    user = await house.make_user(role=Role.ADMIN)
    made = await house.make_key(user, scopes=[READ, ADMIN])
    wants_admin = Facts(scopes=frozenset({ADMIN}))
    assert await reason(house, made, wants_admin) is None
    await house.rooms.directory.change_user(house.operator, user.id, UserChanges(role=Role.MEMBER))
    assert await reason(house, made, wants_admin) is Reason.SCOPE
    assert await reason(house, made) is None


# Limits


async def test_the_limit_is_exact_and_the_refusal_says_when(house: House) -> None:
    """The limit, and not one more; what is left is on every answer."""
    await house.make_plan("small", 3, None)
    made = await house.make_key(plan="small")
    for left in (2, 1, 0):
        verdict = await verify(house, made)
        assert isinstance(verdict, Accepted)
        (window,) = verdict.allowance.windows
        assert (window.remaining, window.resets_at_us) == (left, START_US + HOUR_US)
    house.clock.now_us += 1_000_000
    verdict = await verify(house, made)
    assert isinstance(verdict, Rejected)
    assert (verdict.reason, verdict.kind) == (Reason.RATE, CredentialKind.API_KEY)
    assert verdict.allowance.retry_after_seconds == 3_599
    assert not verdict.allowance.admitted
    assert verdict.principal is not None
    assert verdict.scopes == frozenset()
    house.clock.now_us = START_US + HOUR_US
    assert await reason(house, made) is None


async def test_a_request_costs_what_it_says(house: House) -> None:
    """A resource server may charge a heavy call for several."""
    await house.make_plan("small", 10, 10)
    made = await house.make_key(plan="small")
    assert await reason(house, made, Facts(cost=7)) is None
    assert await reason(house, made, Facts(cost=4)) is Reason.RATE
    assert await reason(house, made, Facts(cost=3)) is None
    assert await remaining(house, made) == {"hour": 0, "burst": 0}


async def test_the_burst_refuses_first_where_it_is_smaller(house: House) -> None:
    """Fifty in a second are not a thousand in an hour."""
    await house.make_plan("small", 100, 2)
    made = await house.make_key(plan="small")
    assert [await reason(house, made) for _ in range(3)] == [None, None, Reason.RATE]
    verdict = await verify(house, made)
    assert verdict.allowance.windows[0].name == "burst"
    assert verdict.allowance.retry_after_seconds == 1
    house.clock.now_us += 1_000_000
    assert await reason(house, made) is None


async def test_each_kind_has_its_own_figure(house: House) -> None:
    """`per_method` says how much each kind of credential may."""
    await house.make_plan("mixed", 5, None, per_method={CredentialKind.BEARER_TOKEN: 9})
    key = await house.make_key(plan="mixed")
    assert (await verify(house, key)).allowance.windows[0].limit == 5
    await house.rooms.api_keys.change(house.operator, key.credential.id, KeyChanges(plan="mixed"))
    token = await make_other_kind(house, CredentialKind.BEARER_TOKEN, SecretKind.TOK)
    await house.make_plan("free", 6, None, per_method={CredentialKind.BEARER_TOKEN: 9})
    assert (await verify(house, token)).allowance.windows[0].limit == 9


@pytest.mark.parametrize(
    ("count_by", "shared"),
    [
        (CountBy.CREDENTIAL, {"own"}),
        (CountBy.USER, {"own", "same user"}),
        (CountBy.TENANT, {"own", "same user", "same tenant"}),
    ],
)
async def test_requests_count_together_as_the_plan_says(
    house: House, count_by: CountBy, shared: set[str]
) -> None:
    """Counted apart, a tenant has its limit as often as it has keys; counted together, strangers pay."""
    await house.make_plan("shared", 10, None, count_by=count_by)
    tenant, stranger_tenant = await house.make_tenant(plan="shared"), await house.make_tenant(plan="shared")
    user, colleague = await house.make_user(tenant.id), await house.make_user(tenant.id)
    keys = {
        "own": await house.make_key(user),
        "same user": await house.make_key(user),
        "same tenant": await house.make_key(colleague),
        "stranger": await house.make_key(await house.make_user(stranger_tenant.id)),
    }
    await verify(house, keys["own"], Facts(cost=4))
    left = {name: (await remaining(house, key))["hour"] for name, key in keys.items()}
    assert left == {name: 6 if name in shared else 10 for name in keys}


async def test_a_changed_plan_binds_the_next_request_and_keeps_the_count(house: House) -> None:
    """An operator who lowers a limit sees it lowered; who raises it gives no second hour."""
    await house.make_plan("small", 10, None)
    made = await house.make_key(plan="small")
    await verify(house, made, Facts(cost=4))
    await house.make_plan("small", 5, None)
    assert (await remaining(house, made))["hour"] == 1
    await house.make_plan("small", 10, None, count_by=CountBy.USER)
    assert (await remaining(house, made))["hour"] == 10
    await house.make_plan("small", 10, None)
    assert (await remaining(house, made))["hour"] == 6


async def test_a_plan_that_counts_otherwise_now_does_so_for_every_key_in_memory(house: House) -> None:
    """A user whose keys count together from now on would keep the separate count of each key that was in memory."""
    await house.make_plan("shared", 10, None)
    keys = [await house.make_key(plan="shared") for _ in range(2)]
    for key in keys:
        await verify(house, key, Facts(cost=4))
    await house.make_plan("shared", 10, None, count_by=CountBy.USER)
    # The first of them is looked up, and tells the other, which is still in memory, of the plan's new figures.
    assert [(await remaining(house, key))["hour"] for key in keys] == [10, 10]
    await verify(house, keys[1], Facts(cost=3))
    assert [(await remaining(house, key))["hour"] for key in keys] == [7, 7]


async def test_a_rotated_key_and_its_successor_share_their_count(house: House) -> None:
    """Rotation must not be a way to a second hour."""
    await house.make_plan("small", 10, None)
    made = await house.make_key(plan="small")
    await verify(house, made, Facts(cost=4))
    successor = await house.rooms.api_keys.rotate(house.operator, made.credential.id)
    assert isinstance(successor, Made)
    assert (await remaining(house, successor))["hour"] == 6
    assert (await remaining(house, made))["hour"] == 6


async def test_a_counter_that_was_swept_is_asked_for_anew(house: House) -> None:
    """A resident that counts on a counter of its own, beside the subject's, admits twice."""
    await house.make_plan("shared", 2, None, count_by=CountBy.USER)
    one, other = await house.make_key(plan="shared"), await house.make_key(plan="shared")
    assert await reason(house, one) is None
    assert await reason(house, other) is None
    house.clock.now_us = START_US + HOUR_US
    list(house.rooms.limiter.sweep(house.clock.now_us))
    assert len(house.rooms.limiter) == 0
    assert [await reason(house, key) for key in (one, other, one)] == [None, None, Reason.RATE]


async def test_the_counter_is_the_subjects_as_long_as_its_window_lasts(house: House) -> None:
    """Asked for on each request it would be slow; kept too long it would be the wrong one."""
    made = await house.make_key()
    await verify(house, made)
    verifier = house.rooms.verifier
    resident = verifier.resident(made.secret.encode())
    assert resident is not None
    counter = verifier.counter(resident, START_US)
    assert counter is house.rooms.limiter.counter(resident.subject())
    list(house.rooms.limiter.sweep(START_US + 2 * HOUR_US))
    assert verifier.counter(resident, START_US + HOUR_US - 1) is counter
    assert verifier.counter(resident, START_US + HOUR_US) is not counter


# Addresses


GUESSES: dict[str, Callable[[], bytes | None]] = {
    "nothing": lambda: None,
    "noise": lambda: b"noise",
    "damaged": lambda: b"bf_key_x",
    "unknown": lambda: secret_of(SecretKind.KEY),
}


@pytest.mark.parametrize("guess", GUESSES.values(), ids=GUESSES.keys())
async def test_whoever_has_no_good_credential_is_limited_by_address(
    strict: House, guess: Callable[[], bytes | None]
) -> None:
    """Guessing keys is slowed down before any look-up; what is left is told on each answer."""
    left = []
    for _ in range(3):
        verdict = await verify(strict, guess())
        assert isinstance(verdict, Rejected)
        assert verdict.reason is not Reason.RATE
        left.append(verdict.allowance.windows[0].remaining)
    assert left == [2, 1, 0]
    take_database_away(strict)
    refused = await verify(strict, guess())
    assert isinstance(refused, Rejected)
    assert refused.reason is Reason.RATE
    assert refused.allowance.retry_after_seconds == 60


async def test_a_known_miss_counts_by_address_too(strict: House) -> None:
    """The same wrong key again and again is an attack like any other."""
    presented = secret_of(SecretKind.KEY)
    assert [await reason(strict, presented) for _ in range(4)] == [
        *[Reason.INVALID_KEY] * 3,
        Reason.RATE,
    ]


async def test_a_revoked_or_expired_key_counts_by_address_and_keeps_its_kind(strict: House) -> None:
    """A forgotten cron job with a dead key is slowed down; the metrics still say what kind it was."""
    made = await strict.make_key(expires_in=1)
    await verify(strict, made)
    strict.clock.now_us += 1_000_000
    verdicts = [await verify(strict, made) for _ in range(4)]
    assert [verdict.reason for verdict in verdicts if isinstance(verdict, Rejected)] == [
        *[Reason.EXPIRED] * 3,
        Reason.RATE,
    ]
    assert {verdict.kind for verdict in verdicts if isinstance(verdict, Rejected)} == {CredentialKind.API_KEY}


async def test_a_good_key_never_uses_up_its_address(strict: House) -> None:
    """An office behind one address, with a thousand good keys, is not an attacker."""
    keys = [await strict.make_key() for _ in range(5)]
    for key in keys + keys:
        assert await reason(strict, key) is None
    assert strict.rooms.addresses.peek(ADDRESS).windows[0].remaining == 3


async def test_an_address_that_is_used_up_does_not_stop_keys_in_memory(strict: House) -> None:
    """One attacker in the building must not lock the others out."""
    known = await strict.make_key()
    await verify(strict, known)
    for _ in range(4):
        await verify(strict, None)
    assert await reason(strict, None) is Reason.RATE
    assert await reason(strict, known) is None
    assert await reason(strict, await strict.make_key()) is Reason.RATE
    assert await reason(strict, None, Facts("198.51.100.1")) is Reason.MISSING


async def test_what_one_tenant_says_of_an_address_does_not_count_for_another(strict: House) -> None:
    """A resource server could otherwise have its rival's clients refused, by naming their addresses."""
    for _ in range(4):
        await verify(strict, b"noise", Facts(ADDRESS, tenant="ten_1"))
    assert await reason(strict, b"noise", Facts(ADDRESS, tenant="ten_1")) is Reason.RATE
    assert await reason(strict, b"noise", Facts(ADDRESS, tenant="ten_2")) is Reason.INVALID_KEY
    assert await reason(strict, b"noise", Facts(ADDRESS)) is Reason.INVALID_KEY
    good = await strict.make_key()
    own = Facts(ADDRESS, tenant=strict.founded.tenant_id)
    assert await reason(strict, good, own) is None
    assert [await reason(strict, b"noise", own) for _ in range(4)][2:] == [Reason.INVALID_KEY, Reason.RATE]


async def test_an_outage_does_not_use_up_an_address(strict: House) -> None:
    """When the database returns, clients that asked in vain must not find themselves throttled."""
    made = await strict.make_key()
    take_database_away(strict)
    for _ in range(5):
        with pytest.raises(Unavailable):
            await verify(strict, made)
    bring_database_back(strict)
    assert strict.rooms.addresses.peek(ADDRESS).windows[0].remaining == 3
    assert await reason(strict, made) is None


async def test_what_one_tenant_asks_costs_its_own_count_and_no_other(strict: House) -> None:
    """A resource server would use up its rival's addresses by unknown keys, good ones, or while the database is away."""
    own = Facts(ADDRESS, tenant=strict.founded.tenant_id)

    async def left(facts: Facts) -> int:
        verdict = await verify(strict, b"noise", facts)
        assert isinstance(verdict, Rejected)
        assert verdict.reason is Reason.INVALID_KEY
        return verdict.allowance.windows[0].remaining

    assert await reason(strict, secret_of(SecretKind.KEY), own) is Reason.INVALID_KEY
    assert await left(HERE) == 2
    assert await reason(strict, await strict.make_key(), own) is None
    assert await left(own) == 1
    unknown = await strict.make_key()
    take_database_away(strict)
    with pytest.raises(Unavailable):
        await verify(strict, unknown, own)
    assert await left(own) == 0
    assert await left(HERE) == 1


@pytest.fixture
async def leasing_house(founded_sqlite: Founded, sqlite_path: Path, clock: HandClock) -> AsyncIterator[House]:
    """An installation whose limits are leased from the database, as those of many nodes are."""
    async with open_rooms(settings_of(sqlite_path, limits_across="nodes"), PEPPERS, clock=clock) as rooms:
        await rooms.feed.read()
        yield House(rooms, founded_sqlite, clock)


async def test_limits_across_nodes_are_leased_on_the_way(leasing_house: House) -> None:
    """A key in memory whose lease is spent must get another one, not a look-up and not a refusal."""
    house = leasing_house
    await house.make_plan("leased", 7, None)
    made = await house.make_key(plan="leased")
    assert [await reason(house, made) for _ in range(9)] == [None] * 7 + [Reason.RATE] * 2
    other = await house.make_key(plan="leased")
    assert await reason(house, other) is None
    assert at_hand(house.rooms.verifier, other.secret.encode(), HERE) is None


async def test_whoever_gets_no_lease_in_time_is_not_refused(
    leasing_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the server cannot know, it says so: not yes, not no, and not nothing."""
    house = leasing_house
    await house.make_plan("leased", 7, None)
    made = await house.make_key(plan="leased")

    async def nothing(_: object) -> None:
        """What a lease comes to that others have spent."""

    monkeypatch.setattr(house.rooms.leases, "renew", nothing)
    with pytest.raises(Unavailable):
        await reason(house, made)


async def signed(house: House, **changes: object) -> bytes:
    """A token as a login makes it, of which the store knows nothing."""
    now = house.clock.now_us // 1_000_000
    claims = {
        "sub": "usr_1",
        "jti": "jwt_1",
        "scope": "read",
        "tenant_id": "ten_1",
        "iat": now,
        "exp": now + 60,
    }
    token = await house.rooms.signing_keys.sign({**claims, **changes})
    return token.encode()


async def kept(house: House, token: bytes) -> None:
    """Make the store know a token, as one of the founder's sessions."""
    now = to_datetime(house.clock.now_us)
    key = await house.make_key()
    secret = DigestedSecret(PEPPERS.digest(token), PEPPERS.newest_id)
    wanted = replace(
        key.credential,
        id="jwt_1",
        root_id="jwt_1",
        kind=CredentialKind.JWT_SESSION,
        expires_at=now + timedelta(seconds=60),
    )
    event = AuditEvent(
        "evt_jwt",
        now,
        wanted.tenant_id,
        "jwt_session.created",
        "jwt_session",
        "jwt_1",
        Actor(None, None, "test"),
    )
    await house.rooms.store.create_credential(wanted, secret, event)


async def test_a_signed_token_is_good_if_it_is_known_too(house: House) -> None:
    """ASVS 9.1.1: a signing key that was stolen would make a token of any user."""
    token = await signed(house)
    assert await reason(house, token) is Reason.INVALID_TOKEN
    await kept(house, token)
    assert await reason(house, token) is None
    house.rooms.index.clear()
    assert await reason(house, token) is None
    house.clock.advance(60)
    await house.rooms.feed.read()
    assert await reason(house, token) is Reason.EXPIRED
    house.rooms.index.clear()
    assert await reason(house, token) is Reason.EXPIRED


async def test_a_token_that_was_forgotten_after_its_end_is_still_told_so(house: House) -> None:
    """A client would be told to give up where it should refresh."""
    token = await signed(house)
    house.clock.advance(60)
    assert await reason(house, token) is Reason.EXPIRED


async def test_made_up_tokens_are_not_looked_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attack 32: a flood of made-up tokens would become a flood of queries."""
    head, payload, signature = (await signed(house)).split(b".")
    made_up = [head + b"." + payload + b"." + signature[::-1], b"eyJhbGciOiJub25lIn0.e30.", b"eyJ.e30."]

    async def none(*_: object) -> None:
        raise AssertionError("looked up")

    monkeypatch.setattr(house.rooms.verifier._look_ups, "find", none)
    for token in made_up:
        assert await reason(house, token) is Reason.INVALID_TOKEN


async def test_a_token_of_a_key_that_is_new_is_good_at_once(house: House, sqlite_path: Path) -> None:
    """A rotation would refuse the logins of the next moments wherever it is not known yet."""
    await house.rooms.signing_keys.maintain()
    async with open_rooms(settings_of(sqlite_path), PEPPERS, clock=house.clock) as elsewhere:
        there = House(elsewhere, house.founded, house.clock)
        for _ in range(2):
            await elsewhere.signing_keys.rotate(house.operator, force=True)
        token = await signed(there)
        await kept(there, token)
    assert await reason(house, token) is None
