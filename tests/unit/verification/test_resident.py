"""Credentials in memory: bounded, evicted by use, and never served after a change that concerns them."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
)

from bonafides.model import (
    ADMIN,
    BUILT_IN_SCOPES,
    CREDENTIALS_VERIFY,
    READ,
    WRITE,
    Change,
    ChangeKind,
    CountBy,
    CredentialKind,
    Delegation,
    Plan,
    Role,
    Verifiable,
)
from bonafides.verification import resident as module
from bonafides.verification.resident import Resident, ResidentIndex, parse_networks, within

FREE = Plan("free", 1_000, 50, {CredentialKind.JWT_SESSION: 2_000})


def digest(name: str) -> bytes:
    """What the verifier would ask for."""
    return name.encode().rjust(32, b".")


def found(identity: str = "key_1", **fields: Any) -> Verifiable:
    """What a look-up finds; usable, without an end, unless a test says otherwise."""
    made = Verifiable(
        id=identity,
        kind=CredentialKind.API_KEY,
        name=f"name of {identity}",
        digest=digest(identity),
        pepper_id="p1",
        tenant_id="ten_1",
        user_id="usr_1",
        root_id=f"root of {identity}",
        scopes=frozenset({READ, WRITE}),
        ends_at_us=None,
        usable=True,
        allowed_ips=(),
        role=Role.MEMBER,
        user_scopes=None,
        plan=FREE,
    )
    return replace(made, **fields)


def index_of(residents_max: int = 10, misses_max: int = 10) -> ResidentIndex:
    """An empty index."""
    return ResidentIndex(residents_max=residents_max, misses_max=misses_max, defined_scopes=BUILT_IN_SCOPES)


def admit(index: ResidentIndex, *credentials: Verifiable) -> list[Resident]:
    """Take in what was looked up just now."""
    return [index.admit(credential, digest(credential.id), index.epoch) for credential in credentials]


def present(index: ResidentIndex, names: Iterable[str]) -> set[str]:
    """Which of these are in memory, without using them."""
    return {name for name in names if digest(name) in index._by_digest}


# what a resident is


@pytest.mark.parametrize(
    ("fields", "open_until_us"),
    [
        ({"ends_at_us": 7}, 7),
        ({"ends_at_us": 7, "usable": False}, 0),
        ({"ends_at_us": 7, "allowed_ips": ("192.0.2.1",)}, 0),
        ({"allowed_ips": ("192.0.2.1",)}, 0),
        ({"ends_at_us": 7, "delegation": Delegation("cli_1", ())}, 7),
        ({"delegation": Delegation("cli_1", ())}, 2**63 - 1),
        ({"ends_at_us": 7, "delegation": Delegation("cli_1", (), "thumb")}, 0),
    ],
)
def test_whatever_may_speak_against_a_credential_is_looked_at(
    fields: dict[str, Any], open_until_us: int
) -> None:
    """The lane would let a disabled key in, or one from anywhere, or a token that is bound to another key."""
    (made,) = admit(index_of(), found(**fields))
    assert made.bounds is not None
    assert made.bounds.open_until_us == open_until_us


def test_a_resident_tells_what_was_found() -> None:
    """A credential that speaks for somebody else after it was remembered is the worst of all faults."""
    index = index_of()
    (made,) = admit(index, found(ends_at_us=7, allowed_ips=("192.0.2.0/24", "2001:db8::/32")))
    assert index.get(digest("key_1")) is made
    principal = made.principal
    assert (principal.credential_id, principal.user_id, principal.tenant_id) == ("key_1", "usr_1", "ten_1")
    assert (principal.kind, principal.name, principal.role) == (
        CredentialKind.API_KEY,
        "name of key_1",
        Role.MEMBER,
    )
    assert (made.ends_at_us, made.usable, made.digest) == (7, True, digest("key_1"))
    assert made.networks == parse_networks(("192.0.2.0/24", "2001:db8::/32"))
    assert made.plan.plan is FREE
    assert made.plan.hourly[CredentialKind.API_KEY] == 1_000
    assert made.plan.hourly[CredentialKind.JWT_SESSION] == 2_000
    assert set(made.plan.hourly) == set(CredentialKind)
    assert made.current
    assert len(index) == 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {READ, WRITE}),
        ({"scopes": BUILT_IN_SCOPES}, {READ, WRITE}),
        ({"scopes": BUILT_IN_SCOPES, "role": Role.ADMIN}, BUILT_IN_SCOPES),
        ({"user_scopes": frozenset({READ})}, {READ}),
        ({"user_scopes": frozenset()}, set()),
        ({"scopes": BUILT_IN_SCOPES, "user_scopes": BUILT_IN_SCOPES}, {READ, WRITE, CREDENTIALS_VERIFY}),
        (
            {"scopes": frozenset({ADMIN}), "user_scopes": frozenset({ADMIN}), "role": Role.OWNER},
            {ADMIN},
        ),
        ({"scopes": frozenset({READ, "gone"}), "role": Role.OWNER}, {READ}),
    ],
)
def test_a_resident_never_has_a_scope_that_its_owner_lacks(
    fields: dict[str, Any], expected: set[str]
) -> None:
    """Somebody who was demoted would keep, in old keys, what they may no longer do."""
    (made,) = admit(index_of(), found(**fields))
    assert made.principal.scopes == expected


def test_equal_scopes_are_kept_once() -> None:
    """A million keys with the same scopes must not hold a million sets."""
    index = index_of()
    one, other = admit(index, found("a"), found("b"))
    assert one.principal.scopes is other.principal.scopes


@pytest.mark.parametrize(
    ("count_by", "subject"),
    [(CountBy.CREDENTIAL, "root of key_1"), (CountBy.USER, "usr_1"), (CountBy.TENANT, "ten_1")],
)
def test_requests_count_for_whom_the_plan_says(count_by: CountBy, subject: str) -> None:
    """Counted for the wrong one, a limit throttles strangers or nobody."""
    (made,) = admit(index_of(), found(plan=replace(FREE, count_by=count_by)))
    assert made.subject() == subject


# bounds and eviction


@given(st.integers(1, 6), st.lists(st.integers(0, 12), max_size=60))
def test_memory_is_bounded_whatever_is_looked_up(residents_max: int, wanted: list[int]) -> None:
    """An attacker with many keys must not take the server's memory."""
    index = index_of(residents_max)
    for number in wanted:
        if index.get(digest(f"key_{number}")) is None:
            admit(index, found(f"key_{number}"))
        assert index.get(digest(f"key_{number}")) is not None
        assert len(index) == len(index._by_id) <= residents_max


def test_what_is_used_stays_and_what_is_not_leaves_first() -> None:
    """A busy key that is evicted costs its client a look-up in the middle of its traffic."""
    index = index_of(4)
    admit(index, *(found(name) for name in "abcd"))
    for name in "ac":
        index.get(digest(name))
    admit(index, found("e"), found("f"))
    assert present(index, "abcdef") == set("acef")


@given(st.integers(2, 8), st.integers(1, 60), st.integers(0, 7))
def test_a_key_in_steady_use_survives_any_number_of_keys_used_once(
    residents_max: int, others: int, before: int
) -> None:
    """Whoever walks through a million keys must not push the busy ones out."""
    index = index_of(residents_max)
    admit(index, *(found(f"early_{number}") for number in range(before)), found("busy"))
    for number in range(others):
        assert index.get(digest("busy")) is not None
        admit(index, found(f"other_{number}"))
    assert index.get(digest("busy")) is not None
    assert len(index) == min(residents_max, before + others + 1)


def test_where_all_are_in_use_one_leaves_all_the_same() -> None:
    """A hand that goes round for ever stops the server."""
    index = index_of(3)
    admit(index, *(found(name) for name in "abc"))
    for name in "abc":
        index.get(digest(name))
    admit(index, found("d"))
    assert len(index) == 3
    assert digest("d") in index._by_digest
    # The others lost their mark in that round: the next to leave is the one that follows.
    admit(index, found("e"))
    assert present(index, "abcde") == set("cde")


def test_one_resident_is_enough() -> None:
    """The smallest setting that is allowed must work."""
    index = index_of(1)
    for name in "aab":
        admit(index, found(name))
        assert index.get(digest(name)) is not None
    assert len(index) == 1


def test_a_credential_that_is_looked_up_again_takes_its_own_place() -> None:
    """Two residents of one credential: a change would reach only one of them."""
    index = index_of(3)
    (first,) = admit(index, found("a"))
    (second,) = admit(index, found("a", name="renamed"))
    assert index.get(digest("a")) is second is not first
    assert len(index) == 1


def test_a_digest_that_was_renewed_replaces_the_old_one() -> None:
    """After a rotation of the pepper no second entry of the same key may stay behind."""
    index = index_of(3)
    admit(index, found("a"))
    index.admit(found("a"), digest("a renewed"), index.epoch)
    assert index.get(digest("a")) is None
    assert index.get(digest("a renewed")) is not None
    assert len(index) == 1


def test_freed_places_are_taken_before_anybody_is_evicted() -> None:
    """A revoked key's place must not be lost."""
    index = index_of(3)
    admit(index, *(found(name) for name in "abc"))
    index.apply([Change(ChangeKind.CREDENTIAL, "b")])
    admit(index, found("d"))
    assert present(index, "abcd") == set("acd")


# changes


CHANGES = {
    "its own": Change(ChangeKind.CREDENTIAL, "key_1"),
    "its user's": Change(ChangeKind.USER, "usr_1"),
    "its tenant's": Change(ChangeKind.TENANT, "ten_1"),
    "its plan's": Change(ChangeKind.PLAN, "free"),
}
STRANGERS = [
    Change(ChangeKind.CREDENTIAL, "key_2"),
    Change(ChangeKind.CREDENTIAL_CREATED, "key_3"),
    Change(ChangeKind.USER, "usr_2"),
    Change(ChangeKind.TENANT, "ten_2"),
    Change(ChangeKind.PLAN, "pro"),
]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_change_that_concerns_a_resident_ends_it(change: Change) -> None:
    """A revoked key, a disabled user, a demoted owner: each must be refused on the very next request."""
    index = index_of()
    (made,) = admit(index, found())
    index.apply([change])
    assert index.get(digest("key_1")) is None
    if change.kind is not ChangeKind.CREDENTIAL:
        assert not made.current
    (again,) = admit(index, found(name="as it is now"))
    assert index.get(digest("key_1")) is again
    assert again.current


def test_changes_that_concern_others_leave_a_resident_alone() -> None:
    """Each revocation would otherwise send everybody's next request to the database."""
    index = index_of()
    (made,) = admit(index, found())
    index.apply(STRANGERS)
    assert index.get(digest("key_1")) is made


def test_a_change_of_a_tenant_or_user_ends_all_of_theirs_and_no_others() -> None:
    """Disabling a tenant must not leave one key of one of its users."""
    index = index_of()
    admit(
        index,
        found("a", user_id="usr_1"),
        found("b", user_id="usr_1"),
        found("c", user_id="usr_2"),
        found("d", user_id="usr_3", tenant_id="ten_2"),
    )
    index.apply([Change(ChangeKind.USER, "usr_1")])
    assert {name for name in "abcd" if index.get(digest(name))} == {"c", "d"}
    index.apply([Change(ChangeKind.TENANT, "ten_1")])
    assert {name for name in "abcd" if index.get(digest(name))} == {"d"}


def test_a_changed_plan_costs_one_look_up_for_all_on_it() -> None:
    """A plan with a million keys on it would otherwise send a million look-ups at once."""
    index = index_of()
    admit(index, *(found(name) for name in "abc"))
    index.apply([Change(ChangeKind.PLAN, "free")])
    assert all(index.get(digest(name)) is None for name in "abc")
    changed = replace(FREE, requests_per_hour=7)
    admit(index, found("b", plan=changed))
    for name in "abc":
        resident = index.get(digest(name))
        assert resident is not None
        assert resident.plan.plan is changed
        assert resident.plan.hourly[CredentialKind.API_KEY] == 7


def test_a_plan_that_is_in_force_is_not_replaced_by_a_look_up() -> None:
    """Every look-up would otherwise swap the figures that others are counted by."""
    index = index_of()
    one, other = admit(index, found("a"), found("b", plan=replace(FREE)))
    assert one.plan is other.plan
    assert one.plan.plan is FREE


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_look_up_from_before_a_change_is_not_remembered(change: Change) -> None:
    """The answer was on its way while the key was revoked: it must not bring the key back."""
    index = index_of()
    epoch = index.epoch
    index.apply([change])
    made = index.admit(found(), digest("key_1"), epoch)
    assert made.principal.credential_id == "key_1"
    assert index.get(digest("key_1")) is None
    assert len(index) == 0


def test_a_look_up_from_before_a_change_of_others_is_remembered() -> None:
    """On a busy server something changes during every look-up; nothing would ever be remembered."""
    index = index_of()
    epoch = index.epoch
    index.apply(STRANGERS)
    made = index.admit(found(), digest("key_1"), epoch)
    assert index.get(digest("key_1")) is made


def test_a_stale_look_up_does_not_touch_what_others_share() -> None:
    """Old figures of a plan, put in place of new ones, would bind everybody on it."""
    index = index_of()
    (current,) = admit(index, found("a"))
    epoch = index.epoch
    index.apply([Change(ChangeKind.PLAN, "free")])
    new = replace(FREE, requests_per_hour=7)
    admit(index, found("a", plan=new))
    stale = index.admit(found("b"), digest("b"), epoch)
    assert stale.plan.plan is FREE
    assert current.plan.plan is new


def test_a_look_up_that_took_thousands_of_changes_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What concerned it may be among those that are forgotten by now."""
    monkeypatch.setattr(module, "_RECENT_CHANGES", 4)
    index = index_of()
    epoch = index.epoch
    strangers = [Change(ChangeKind.CREDENTIAL, f"other_{number}") for number in range(5)]
    index.apply(strangers[:4])
    assert index.get(index.admit(found(), digest("key_1"), epoch).digest) is not None
    index.apply(strangers[4:])
    index.admit(found("key_2"), digest("key_2"), epoch)
    assert index.get(digest("key_2")) is None
    index.admit(found("key_2"), digest("key_2"), epoch + 1)
    assert index.get(digest("key_2")) is not None


def test_clearing_forgets_everything_and_what_is_on_its_way() -> None:
    """Changes were missed: nothing from before may be believed, neither yes nor no."""
    index = index_of(3)
    (made,) = admit(index, found("a"))
    index.note_miss(digest("missing"), index.epoch)
    epoch = index.epoch
    index.clear()
    assert len(index) == 0
    assert index.get(digest("a")) is None
    assert not index.is_known_miss(digest("missing"))
    index.admit(found("b"), digest("b"), epoch)
    index.note_miss(digest("missing"), epoch)
    assert index.get(digest("b")) is None
    assert not index.is_known_miss(digest("missing"))
    admit(index, *(found(name) for name in "cdef"))
    index.note_miss(digest("missing"), index.epoch)
    assert len(index) == 3
    assert index.is_known_miss(digest("missing"))
    assert made.plan is not index._by_id["f"].plan


def test_what_nobody_uses_any_more_is_freed() -> None:
    """Owners and plans of evicted credentials would otherwise pile up."""
    index = index_of(1)
    admit(index, found("a", user_id="usr_a", plan=replace(FREE, name="plan_a")))
    admit(index, found("b", user_id="usr_b", plan=replace(FREE, name="plan_b")))
    gc.collect()
    assert list(index._owners) == ["usr_b"]
    assert list(index._plans) == ["plan_b"]


# known misses


def test_a_miss_is_remembered_until_a_credential_is_created() -> None:
    """Guessing costs no look-ups; yet a key that was created a moment ago must work at once."""
    index = index_of()
    index.note_miss(digest("new"), index.epoch)
    assert index.is_known_miss(digest("new"))
    assert not index.is_known_miss(digest("other"))
    index.apply([Change(ChangeKind.CREDENTIAL, "x"), Change(ChangeKind.PLAN, "x")])
    assert index.is_known_miss(digest("new"))
    index.apply([Change(ChangeKind.CREDENTIAL_CREATED, "new")])
    assert not index.is_known_miss(digest("new"))


def test_a_miss_from_before_a_creation_is_not_remembered() -> None:
    """The look-up ran while the key was created: its client would be refused for as long as it is remembered."""
    index = index_of()
    epoch = index.epoch
    index.apply([Change(ChangeKind.CREDENTIAL_CREATED, "new")])
    index.note_miss(digest("new"), epoch)
    assert not index.is_known_miss(digest("new"))
    index.note_miss(digest("missing"), index.epoch)
    assert index.is_known_miss(digest("missing"))


def test_a_miss_from_before_another_change_is_remembered() -> None:
    """Only creation can turn a miss into a hit."""
    index = index_of()
    epoch = index.epoch
    index.apply([Change(ChangeKind.CREDENTIAL, "x")])
    index.note_miss(digest("missing"), epoch)
    assert index.is_known_miss(digest("missing"))


def test_misses_of_both_generations_are_forgotten_on_creation() -> None:
    """A miss that survives in the older half refuses a key that was just made."""
    index = index_of(misses_max=4)
    for name in "abc":
        index.note_miss(digest(name), index.epoch)
    assert all(index.is_known_miss(digest(name)) for name in "abc")
    index.apply([Change(ChangeKind.CREDENTIAL_CREATED, "x")])
    assert not any(index.is_known_miss(digest(name)) for name in "abc")


@given(st.integers(1, 12), st.integers(1, 60))
def test_misses_take_bounded_memory_and_the_latest_are_kept(misses_max: int, count: int) -> None:
    """Whoever guesses a billion keys must not take the server's memory; guessing one twice is free."""
    index = index_of(misses_max=misses_max)
    for number in range(count):
        index.note_miss(digest(str(number)), index.epoch)
        assert index.is_known_miss(digest(str(number)))
    remembered = [number for number in range(count) if index.is_known_miss(digest(str(number)))]
    assert len(remembered) <= max(2, misses_max)
    kept = min(count, max(1, misses_max // 2))
    assert remembered[-kept:] == list(range(count - kept, count))


# addresses


@pytest.mark.parametrize(
    ("address", "networks", "expected"),
    [
        ("192.0.2.7", ("192.0.2.0/24",), True),
        ("192.0.3.7", ("192.0.2.0/24",), False),
        ("192.0.3.7", ("192.0.2.0/24", "192.0.3.7/32"), True),
        ("::ffff:192.0.2.7", ("192.0.2.0/24",), True),
        ("::ffff:192.0.3.7", ("192.0.2.0/24",), False),
        ("2001:db8::1", ("2001:db8::/32",), True),
        ("2001:db9::1", ("2001:db8::/32",), False),
        ("2001:db8::1", ("192.0.2.0/24",), False),
        ("192.0.2.7", ("2001:db8::/32",), False),
        ("192.0.2.7", ("::/0",), False),
        (None, ("0.0.0.0/0", "::/0"), False),
        ("unix", ("0.0.0.0/0", "::/0"), False),
        ("", ("0.0.0.0/0",), False),
        ("192.0.2.7", (), False),
    ],
)
def test_an_address_is_within_its_networks(
    address: str | None, networks: tuple[str, ...], *, expected: bool
) -> None:
    """A key that is bound to an office must not work from anywhere else, in any spelling."""
    assert within(address, parse_networks(networks)) is expected


# the whole, against a model


NAMES = ["key_0", "key_1", "key_2"]
USER_OF = {"key_0": "usr_0", "key_1": "usr_0", "key_2": "usr_1"}
TENANT_OF = {"key_0": "ten_0", "key_1": "ten_0", "key_2": "ten_1"}
PLAN_OF = {"key_0": "plan_0", "key_1": "plan_1", "key_2": "plan_0"}
STEPS = 50
VERSION_SCOPES = frozenset(f"v{number}" for number in range(STEPS + 1))

names = st.sampled_from(NAMES)
# Of signing keys nothing is in this memory.
kinds = st.sampled_from([kind for kind in ChangeKind if kind is not ChangeKind.SIGNING_KEY])


@dataclass
class World:
    """The database, as it is now: each thing has a version, and each commit appends a change."""

    versions: dict[str, int] = field(default_factory=dict)
    created: set[str] = field(default_factory=set)
    feed: list[Change] = field(default_factory=list)

    def version(self, subject: str) -> int:
        """How often it has changed."""
        return self.versions.get(subject, 0)


@dataclass
class LookUp:
    """A look-up on its way: what the database said then, and the epoch at which it was asked."""

    name: str
    found: Verifiable | None
    epoch: int


class IndexMachine(RuleBasedStateMachine):
    """Look-ups and changes in any order: what is served is never older than what was applied.

    Versions travel in fields that the index takes from one source each: the credential's in its name,
    the user's in the scopes, the tenant's in the end, the plan's in its hourly figure.
    """

    look_ups = Bundle("look_ups")

    @initialize(residents_max=st.integers(1, 4), misses_max=st.integers(1, 4))
    def build(self, residents_max: int, misses_max: int) -> None:
        self.residents_max = residents_max
        self.misses_max = misses_max
        self.index = ResidentIndex(
            residents_max=residents_max, misses_max=misses_max, defined_scopes=VERSION_SCOPES
        )
        self.world = World()
        self.applied = World()

    # The database changes

    @rule(kind=kinds, name=names)
    def commit(self, kind: ChangeKind, name: str) -> None:
        if kind is ChangeKind.CREDENTIAL_CREATED and name in self.world.created:
            kind = ChangeKind.CREDENTIAL
        elif kind is ChangeKind.CREDENTIAL and name not in self.world.created:
            kind = ChangeKind.CREDENTIAL_CREATED
        subject = {
            ChangeKind.USER: USER_OF[name],
            ChangeKind.TENANT: TENANT_OF[name],
            ChangeKind.PLAN: PLAN_OF[name],
        }.get(kind, name)
        if kind is ChangeKind.CREDENTIAL_CREATED:
            self.world.created.add(name)
        self.world.versions[subject] = self.world.version(subject) + 1
        self.world.feed.append(Change(kind, subject))

    # The feed arrives

    @precondition(lambda self: self.world.feed)
    @rule(most=st.integers(1, 5) | st.just(1_000))
    def apply(self, most: int) -> None:
        count = min(most, len(self.world.feed))
        changes, self.world.feed = self.world.feed[:count], self.world.feed[count:]
        self.index.apply(changes)
        for change in changes:
            self.applied.versions[change.subject_id] = self.applied.version(change.subject_id) + 1
            if change.kind is ChangeKind.CREDENTIAL_CREATED:
                self.applied.created.add(change.subject_id)

    @rule()
    def lose_the_feed(self) -> None:
        """As the follower does: the position is taken, then memory is emptied."""
        self.world.feed.clear()
        self.index.clear()
        self.applied = World(dict(self.world.versions), set(self.world.created))

    # Look-ups race with it

    @rule(target=look_ups, name=names)
    def ask(self, name: str) -> LookUp:
        return LookUp(name, self.snapshot(name), self.index.epoch)

    def snapshot(self, name: str) -> Verifiable | None:
        if name not in self.world.created:
            return None
        version = self.world.version
        return found(
            name,
            name=str(version(name)),
            user_id=USER_OF[name],
            tenant_id=TENANT_OF[name],
            role=Role.OWNER,
            scopes=VERSION_SCOPES,
            user_scopes=frozenset({f"v{version(USER_OF[name])}"}),
            ends_at_us=version(TENANT_OF[name]),
            plan=Plan(PLAN_OF[name], version(PLAN_OF[name]), None),
        )

    @rule(look_up=consumes(look_ups))
    def answer(self, look_up: LookUp) -> None:
        if look_up.found is None:
            self.index.note_miss(digest(look_up.name), look_up.epoch)
            return
        made = self.index.admit(look_up.found, digest(look_up.name), look_up.epoch)
        # Whoever waited is served what the database said, or something newer.
        assert made.principal.name == look_up.found.name
        assert made.principal.scopes == look_up.found.user_scopes
        assert made.ends_at_us == look_up.found.ends_at_us
        hourly, asked = made.plan.plan.requests_per_hour, look_up.found.plan.requests_per_hour
        assert hourly is not None
        assert asked is not None
        assert hourly >= min(asked, self.applied.version(PLAN_OF[look_up.name]))

    @rule(
        name=names, during=st.lists(st.tuples(kinds, names), min_size=1, max_size=3), apply=st.integers(0, 3)
    )
    def race(self, name: str, during: list[tuple[ChangeKind, str]], apply: int) -> None:
        """The shortest race: something changes, and is told, while one look-up is on its way."""
        look_up = self.ask(name)
        for kind, other in during:
            self.commit(kind, other)
        if apply:
            self.apply(apply)
        self.answer(look_up)

    @rule(name=names)
    def request(self, name: str) -> None:
        """As the verifier does: from memory, or by a look-up that nothing interrupts."""
        if self.index.get(digest(name)) is None and not self.index.is_known_miss(digest(name)):
            self.answer(self.ask(name))

    # Always

    @invariant()
    def it_serves_nothing_outdated(self) -> None:
        if not hasattr(self, "index"):
            return
        applied = self.applied.version
        for name, resident in zip(NAMES, map(self.peek, NAMES), strict=True):
            if resident is None:
                continue
            (user_scope,) = resident.principal.scopes
            hourly = resident.plan.hourly[CredentialKind.API_KEY]
            assert resident.principal.credential_id == name
            assert int(resident.principal.name) >= applied(name)
            assert int(user_scope.removeprefix("v")) >= applied(USER_OF[name])
            assert resident.ends_at_us is not None
            assert resident.ends_at_us >= applied(TENANT_OF[name])
            assert hourly is not None
            assert hourly >= applied(PLAN_OF[name])

    def peek(self, name: str) -> Resident | None:
        """What a request would be served, without using it."""
        resident = self.index._by_digest.get(digest(name))
        touched = resident is not None and resident.touched
        served = self.index.get(digest(name))
        if served is not None:
            served.touched = touched
        return served

    @invariant()
    def it_refuses_nobody_who_exists(self) -> None:
        if hasattr(self, "index"):
            assert not any(self.index.is_known_miss(digest(name)) for name in self.applied.created)

    @invariant()
    def it_is_bounded(self) -> None:
        if not hasattr(self, "index"):
            return
        index = self.index
        assert len(index) <= self.residents_max
        assert len(index._misses) + len(index._older_misses) <= max(2, self.misses_max)

    @invariant()
    def it_agrees_with_itself(self) -> None:
        if not hasattr(self, "index"):
            return
        index = self.index
        residents = list(index._by_digest.values())
        assert {id(resident) for resident in residents} == {
            id(resident) for resident in index._by_id.values()
        }


IndexMachine.TestCase.settings = settings(
    stateful_step_count=STEPS, phases=[phase for phase in Phase if phase is not Phase.explain]
)
TestIndexMachine = IndexMachine.TestCase


def test_a_change_of_a_plan_that_nobody_is_on_changes_nothing() -> None:
    """The operator prepares a plan before anybody is moved to it."""
    index = index_of()
    (made,) = admit(index, found())
    index.apply([Change(ChangeKind.PLAN, "unused"), Change(ChangeKind.CREDENTIAL, "key_9")])
    assert index.get(digest("key_1")) is made


def test_one_that_is_gone_is_not_evicted_again() -> None:
    """Whoever was revoked between two evictions must not stop the one who makes room."""
    index = index_of(3)
    admit(index, *(found(name) for name in "abc"), found("d"))
    index.apply([Change(ChangeKind.CREDENTIAL, "b")])
    admit(index, found("e"), found("f"))
    assert present(index, "abcdef") == set("def")


def test_residents_are_not_the_collectors_business() -> None:
    """A million of them would stop the server for a second each time that garbage is looked for."""
    (made,) = admit(index_of(), found(ends_at_us=7))
    assert not any(map(gc.is_tracked, (made, made.bounds)))


def test_a_resident_takes_little_memory() -> None:
    """A million credentials in memory must fit a small machine: what is equal is kept once."""
    index = index_of()

    def read(text: str) -> str:
        return text.encode().decode()  # a string of its own, as a driver gives it

    one, other = (
        index.admit(found(read(name), root_id=read(name), name=read("CI job")), digest(name), index.epoch)
        for name in ("key_1", "key_2")
    )
    assert one.root_id is one.credential_id
    assert one.name is other.name
    assert one.owner is other.owner
    assert one.bounds is None
    assert sys.getsizeof(one) <= 128


def test_what_is_kept_once_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every key has a name of its own: the table of names must not grow with every key ever seen."""
    monkeypatch.setattr(module, "_SHARED_MAX", 4)
    index = index_of(2)
    for number in range(20):
        (made,) = admit(index, found(f"key_{number}"))
        assert made.name == f"name of key_{number}"
    assert len(index._shared) <= 4


def test_a_look_up_that_sees_a_new_role_before_the_feed_does_is_believed() -> None:
    """Somebody was promoted a moment ago: their next key has the new role, and older ones are read again."""
    index = index_of()
    (before,) = admit(index, found("a"))
    (after,) = admit(index, found("b", role=Role.ADMIN))
    assert after.principal.role is Role.ADMIN
    assert index.get(digest("b")) is after
    assert index.get(digest("a")) is None
    assert not before.current
    index.apply([Change(ChangeKind.USER, "usr_1")])
    assert index.get(digest("b")) is None


def test_changes_of_what_nobody_has_in_memory_are_only_counted() -> None:
    """The feed tells of every change there is, and most are of credentials that this process never saw."""
    index = index_of()
    epoch = index.epoch
    unseen = [
        Change(kind, "unseen")
        for kind in (
            ChangeKind.USER,
            ChangeKind.PLAN,
            ChangeKind.CREDENTIAL,
            ChangeKind.TENANT,
            ChangeKind.USER,
        )
    ]
    index.apply(unseen)
    assert index.epoch == epoch + len(unseen)
    assert len(index) == 0


def test_an_access_token_keeps_whom_it_was_given_to_and_its_standard_scopes() -> None:
    """Userinfo would refuse every token, and a resource server could not tell which client is at its door."""
    delegation = Delegation("cli_1", ("https://api.example",), "thumb")
    index = index_of()
    scopes = frozenset({"read", "openid"})
    plain = index.admit(found("key_1", scopes=scopes), digest("key_1"), index.epoch)
    token = index.admit(found("oat_1", scopes=scopes, delegation=delegation), digest("oat_1"), index.epoch)
    assert (plain.principal.delegation, plain.principal.scopes) == (None, frozenset({"read"}))
    assert (token.principal.delegation, token.principal.scopes) == (delegation, scopes)
