"""Look-ups: shared by all who wait, never older than a change, and a failure for nobody's yes or no."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import pytest

from bonafides.errors import Unavailable
from bonafides.model import (
    BUILT_IN_SCOPES,
    READ,
    Change,
    ChangeKind,
    CredentialKind,
    DigestedSecret,
    ForeignHash,
    ForeignRule,
    ForeignScheme,
    Plan,
    Role,
    Verifiable,
)
from bonafides.secret import Peppers, foreign_digest, parse_pepper
from bonafides.store import CredentialStore, ForeignStore
from bonafides.verification.foreign import Foreign
from bonafides.verification.lookup import Flood, LookUps
from bonafides.verification.resident import Resident, ResidentIndex

PEPPERS = Peppers([parse_pepper("1" * 64), parse_pepper("2" * 64)])
KEY = b"bf_key_one"


@dataclass
class SlowStore:
    """A database whose answers a test lets go, one after the other; it answers as of when it was asked."""

    rows: dict[bytes, Verifiable] = field(default_factory=dict)
    asked: list[list[bytes]] = field(default_factory=list)
    open: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1_000_000))
    failure: Exception | None = None
    rules: list[ForeignRule] = field(default_factory=list)
    hashes: list[ForeignHash] = field(default_factory=list)
    compared: list[str] = field(default_factory=list)

    async def foreign_rules(self) -> Sequence[ForeignRule]:
        """How imported keys are recognised."""
        return list(self.rules)

    async def find_foreign_hashes(self, prefixes: Sequence[str], rows_max: int) -> Sequence[ForeignHash]:
        """The hashes, whatever a string begins with."""
        assert prefixes
        return self.hashes[:rows_max]

    async def matches(self, presented: bytes, encoded: str) -> bool:
        """Whether the hash is the string itself; slow as a look-up is."""
        self.compared.append(encoded)
        await asyncio.sleep(0)
        return presented.decode() == encoded

    async def find_verifiable(self, digests: Sequence[bytes]) -> Mapping[bytes, Verifiable]:
        """What is known of these digests."""
        self.asked.append(list(digests))
        rows, failure = {digest: self.rows[digest] for digest in digests if digest in self.rows}, self.failure
        await self.open.acquire()
        if failure is not None:
            raise failure
        return rows

    def hold(self) -> None:
        """Answer nobody until `open.release`."""
        self.open = asyncio.Semaphore(0)

    def put(self, credential: bytes, name: str = "key_1", *, digest: bytes | None = None) -> Verifiable:
        """A usable credential."""
        digest = digest or PEPPERS.digest(credential)
        newest = digest == PEPPERS.digest(credential)
        self.rows[digest] = Verifiable(
            id=name,
            kind=CredentialKind.API_KEY,
            name=name,
            digest=digest,
            pepper_id=PEPPERS.ids[0 if newest else 1],
            tenant_id="ten_1",
            user_id="usr_1",
            root_id=name,
            scopes=frozenset({READ}),
            ends_at_us=None,
            usable=True,
            allowed_ips=(),
            role=Role.MEMBER,
            user_scopes=None,
            plan=Plan("free", 1, 1),
        )
        return self.rows[digest]


@dataclass
class Desk:
    """Look-ups over a slow store."""

    store: SlowStore
    index: ResidentIndex
    redigested: list[tuple[str, DigestedSecret]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.foreign = Foreign(cast("ForeignStore", self.store), PEPPERS, self.store)
        self.look_ups = LookUps(
            cast("CredentialStore", self.store),
            self.index,
            PEPPERS,
            self.foreign,
            lambda name, secret: self.redigested.append((name, secret)),
        )

    def ask(self, credential: bytes = KEY) -> asyncio.Task[Resident | None]:
        """Somebody who asks for a credential."""
        return asyncio.create_task(self.look_ups.find(credential, PEPPERS.digest(credential)))


@pytest.fixture
def desk() -> Desk:
    """An empty memory over an empty database."""
    index = ResidentIndex(residents_max=1_000, misses_max=1_000, defined_scopes=BUILT_IN_SCOPES)
    return Desk(SlowStore(), index)


async def settle() -> None:
    """Let everybody go on who can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_is_found_becomes_resident(desk: Desk) -> None:
    """Every request would otherwise cost a trip to the database."""
    desk.store.put(KEY)
    resident = await desk.ask()
    assert resident is not None
    assert resident.principal.credential_id == "key_1"
    assert desk.index.get(PEPPERS.digest(KEY)) is resident
    assert desk.store.asked == [[PEPPERS.digest(KEY), *PEPPERS.older(KEY)]]
    assert desk.redigested == []


async def test_what_is_not_found_becomes_a_known_miss(desk: Desk) -> None:
    """Whoever repeats a wrong key must not keep the database busy."""
    assert await desk.ask() is None
    assert desk.index.is_known_miss(PEPPERS.digest(KEY))
    assert desk.redigested == []


async def test_a_credential_under_an_older_pepper_is_found_and_digested_anew(desk: Desk) -> None:
    """After a rotation of the pepper every old key would be dead, or its old pepper needed for ever."""
    desk.store.put(KEY, digest=PEPPERS.older(KEY)[0])
    resident = await desk.ask()
    assert resident is not None
    assert desk.index.get(PEPPERS.digest(KEY)) is resident
    assert desk.redigested == [("key_1", DigestedSecret(PEPPERS.digest(KEY), PEPPERS.newest_id))]


async def test_the_newest_digest_wins(desk: Desk) -> None:
    """A key whose row was digested anew in this moment is found once."""
    desk.store.put(KEY, "new")
    desk.store.put(KEY, "old", digest=PEPPERS.older(KEY)[0])
    resident = await desk.ask()
    assert resident is not None
    assert resident.principal.credential_id == "new"


async def test_concurrent_misses_share_one_look_up(desk: Desk) -> None:
    """A busy key after a restart would send thousands of look-ups at once."""
    desk.store.put(KEY)
    desk.store.hold()
    waiters = [desk.ask() for _ in range(50)]
    await settle()
    waiters += [desk.ask() for _ in range(50)]
    await settle()
    desk.store.open.release()
    found = await asyncio.gather(*waiters)
    assert len(desk.store.asked) == 1
    assert all(resident is found[0] for resident in found)


async def test_misses_that_gather_meanwhile_share_one_trip(desk: Desk) -> None:
    """A thousand keys after a restart must not be a thousand trips to the database."""
    credentials = [b"bf_key_%d" % number for number in range(300)]
    for credential in credentials:
        desk.store.put(credential, credential.decode())
    desk.store.hold()
    first = desk.ask()
    await settle()
    waiters = [desk.ask(credential) for credential in credentials for _ in range(2)]
    await settle()
    assert len(desk.store.asked) == 1
    for _ in range(3):
        desk.store.open.release()
    residents = await asyncio.gather(*waiters)
    assert await first is None
    assert [len(digests) for digests in desk.store.asked] == [2, 512, 88]
    assert {resident.principal.credential_id for resident in residents if resident is not None} == {
        credential.decode() for credential in credentials
    }


async def test_a_look_up_from_before_a_change_never_serves_a_request_from_after_it(desk: Desk) -> None:
    """A key would work once more after its revocation was acknowledged."""
    desk.store.put(KEY)
    desk.store.hold()
    before = desk.ask()
    await settle()
    digest = PEPPERS.digest(KEY)
    desk.store.rows[digest] = replace(desk.store.rows[digest], usable=False)
    desk.index.apply([Change(ChangeKind.CREDENTIAL, "key_1")])
    after = [desk.ask(), desk.ask()]
    await settle()
    for _ in range(2):
        desk.store.open.release()
    old = await before
    assert old is not None
    assert old.usable
    late, too_late = await asyncio.gather(*after)
    assert late is not None
    assert late is too_late
    assert not late.usable
    assert desk.index.get(digest) is late
    assert len(desk.store.asked) == 2


async def test_a_miss_from_before_a_creation_never_serves_a_request_from_after_it(desk: Desk) -> None:
    """A new key would be refused on its first use."""
    desk.store.hold()
    before = desk.ask()
    await settle()
    desk.store.put(KEY)
    desk.index.apply([Change(ChangeKind.CREDENTIAL_CREATED, "key_1")])
    after = desk.ask()
    await settle()
    for _ in range(2):
        desk.store.open.release()
    assert await before is None
    assert await after is not None
    assert not desk.index.is_known_miss(PEPPERS.digest(KEY))


async def test_a_failure_is_unavailable_for_all_who_waited_and_for_nobody_else(desk: Desk) -> None:
    """The database away is never "invalid key"; when it is back, nobody has to restart anything."""
    desk.store.put(KEY)
    desk.store.failure = Unavailable(internal="away")
    desk.store.hold()
    waiters = [desk.ask(), desk.ask(), desk.ask(b"bf_key_other")]
    await settle()
    for _ in range(2):
        desk.store.open.release()
    outcomes = await asyncio.gather(*waiters, return_exceptions=True)
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
    assert not desk.index.is_known_miss(PEPPERS.digest(KEY))
    desk.store.failure = None
    desk.store.open = asyncio.Semaphore(9)
    assert await desk.ask() is not None


async def test_an_unforeseen_failure_is_unavailable_and_tells_nothing(desk: Desk) -> None:
    """A driver's error may quote the row that it could not read."""
    desk.store.failure = ValueError("secret row")
    with pytest.raises(Unavailable) as caught:
        await desk.ask()
    assert caught.value.internal == "<class 'ValueError'>"
    assert "secret" not in caught.value.public


async def test_a_malformed_row_harms_its_own_waiters_alone(desk: Desk) -> None:
    """One bad row would otherwise leave everybody who asked at the same time waiting for ever."""
    digest = PEPPERS.digest(KEY)
    desk.store.put(KEY)
    desk.store.rows[digest] = replace(desk.store.rows[digest], allowed_ips=("nonsense",))
    desk.store.put(b"bf_key_good", "key_2")
    desk.store.hold()
    first = desk.ask(b"bf_key_first")
    await settle()
    waiters = [desk.ask(), desk.ask(b"bf_key_good")]
    await settle()
    for _ in range(9):
        desk.store.open.release()
    bad, good = await asyncio.gather(*waiters, return_exceptions=True)
    assert await first is None
    assert isinstance(bad, Unavailable)
    assert isinstance(good, Resident)
    with pytest.raises(Unavailable):
        await desk.ask()


@pytest.mark.parametrize("failure", [None, Unavailable()])
async def test_a_waiter_who_leaves_does_not_hurt_the_others(desk: Desk, failure: Exception | None) -> None:
    """A client that hangs up would cancel the look-up of everybody who waits for the same key."""
    desk.store.put(KEY)
    desk.store.failure = failure
    desk.store.hold()
    leaving, staying = desk.ask(), desk.ask()
    await settle()
    leaving.cancel()
    await settle()
    assert leaving.cancelled()
    desk.store.open.release()
    if failure is None:
        assert await staying is not None
    else:
        with pytest.raises(Unavailable):
            await staying
    assert len(desk.store.asked) == 1


async def test_where_all_leave_the_answer_is_kept(desk: Desk) -> None:
    """The trip was paid for; the next request is served from memory."""
    desk.store.put(KEY)
    desk.store.hold()
    leaving = desk.ask()
    await settle()
    leaving.cancel()
    desk.store.open.release()
    await settle()
    assert desk.index.get(PEPPERS.digest(KEY)) is not None


# Imported keys

OLD_KEY = b"sk_live_from_elsewhere"
SHA256 = ForeignRule("sha256", ForeignScheme.SHA256)
SLOW = ForeignRule("hash:8", ForeignScheme.HASH, b"", 8)


def imported(scheme: ForeignScheme = ForeignScheme.SHA256) -> bytes:
    """What is kept of the old key."""
    return PEPPERS.every_foreign(str(scheme), foreign_digest(scheme, OLD_KEY))[0]


async def test_an_imported_key_is_found_by_the_digest_of_the_other_program(desk: Desk) -> None:
    """Who moves here would have to give every customer a new key."""
    desk.store.rules.append(SHA256)
    desk.store.put(OLD_KEY, digest=imported())
    resident = await desk.ask(OLD_KEY)
    assert resident is not None
    assert desk.index.get(PEPPERS.digest(OLD_KEY)) is resident
    assert desk.redigested == [("key_1", DigestedSecret(PEPPERS.digest(OLD_KEY), PEPPERS.newest_id))]


async def test_where_nothing_was_imported_nothing_more_is_looked_up(desk: Desk) -> None:
    """Every made-up string would cost more for those who never import."""
    await desk.foreign.load()
    assert not desk.foreign.expected
    assert await desk.ask(OLD_KEY) is None
    assert desk.store.asked == [list(PEPPERS.candidates(OLD_KEY))]


async def test_our_own_keys_are_never_looked_up_as_imported_ones(desk: Desk) -> None:
    """A cold key of ours would be digested once more for each import that ever was."""
    desk.store.rules += [SHA256, SLOW]
    await desk.ask(b"bf_key_one")
    assert desk.store.asked == [list(PEPPERS.candidates(b"bf_key_one"))]


async def test_one_key_imported_in_two_forms_stays_what_it_was_first(desk: Desk) -> None:
    """A revoked key would come back with the next import, or its digest be written twice, which the database refuses."""
    desk.store.rules += [SHA256, ForeignRule("sha512", ForeignScheme.SHA512)]
    desk.store.put(OLD_KEY, "key_2", digest=imported())
    desk.store.put(OLD_KEY, "key_1", digest=imported(ForeignScheme.SHA512))
    resident = await desk.ask(OLD_KEY)
    assert resident is not None
    assert resident.principal.credential_id == "key_1"
    assert desk.redigested == []


async def test_a_slow_hash_is_compared_once_for_all_who_ask(desk: Desk) -> None:
    """A client with a hundred requests at its start would keep a processor busy for a minute."""
    desk.store.rules.append(SLOW)
    desk.store.put(OLD_KEY, digest=b"h" * 32)
    desk.store.hashes.append(ForeignHash(b"h" * 32, OLD_KEY.decode()))
    asking = [desk.ask(OLD_KEY) for _ in range(20)]
    found = await asyncio.gather(*asking)
    assert all(found)
    assert len(desk.store.compared) == 1
    assert desk.redigested == [("key_1", DigestedSecret(PEPPERS.digest(OLD_KEY), PEPPERS.newest_id))]
    assert desk.index.get(PEPPERS.digest(OLD_KEY)) is not None


async def test_a_string_that_no_slow_hash_is_of_becomes_a_known_miss(desk: Desk) -> None:
    """Whoever repeats a wrong key that begins like a good one must not keep a processor busy."""
    desk.store.rules.append(SLOW)
    desk.store.hashes.append(ForeignHash(b"h" * 32, "another key"))
    assert await desk.ask(OLD_KEY) is None
    assert desk.index.is_known_miss(PEPPERS.digest(OLD_KEY))
    assert len(desk.store.compared) == 1


async def test_a_miss_from_before_an_import_is_not_remembered(desk: Desk) -> None:
    """A key presented while it is imported would stay unknown until the next one is made."""
    desk.store.rules.append(SLOW)
    desk.store.hold()
    asking = desk.ask(OLD_KEY)
    await settle()
    created = Change(ChangeKind.CREDENTIAL_CREATED, "imp_1")
    desk.store.rules.append(SHA256)
    desk.index.apply([created])
    desk.foreign.apply([created])
    desk.store.put(OLD_KEY, digest=imported())
    desk.store.open.release()
    assert await asking is None
    assert not desk.index.is_known_miss(PEPPERS.digest(OLD_KEY))
    desk.store.open.release()
    assert await desk.ask(OLD_KEY) is not None


async def test_whoever_waits_with_an_older_question_gets_the_answer_to_the_younger(desk: Desk) -> None:
    """Of two requests right after an import, the second would be told what was true before it."""
    desk.store.rules.append(SLOW)
    desk.store.hold()
    first = desk.ask(b"somebody else's")
    await settle()
    waiting = desk.ask(OLD_KEY)
    await settle()
    created = Change(ChangeKind.CREDENTIAL_CREATED, "imp_1")
    desk.store.rules.append(SHA256)
    desk.index.apply([created])
    desk.foreign.apply([created])
    desk.store.put(OLD_KEY, digest=imported())
    younger = desk.ask(OLD_KEY)
    await settle()
    for _ in range(3):
        desk.store.open.release()
    assert await first is None
    assert await younger is not None
    assert await waiting is not None


async def test_in_a_flood_of_strangers_look_ups_gather(desk: Desk) -> None:
    """Each stranger who is answered at once asks again at once, until those who are known wait for them."""
    desk.store.put(KEY)
    strangers = [desk.ask(b"bf_key_%d" % number) for number in range(600)]
    assert await asyncio.gather(*strangers) == [None] * 600
    before = len(desk.store.asked)
    known = desk.ask()
    await settle()
    late = desk.ask(b"bf_key_late")
    await settle()
    assert len(desk.store.asked) == before
    assert await known is not None
    assert await late is None
    assert len(desk.store.asked) == before + 1


def test_a_flood_is_over_a_second_after_its_end() -> None:
    """A delay that stays would punish who comes after an attack."""
    flood = Flood()
    assert not flood.is_on(100.0)
    for now in (100.5, 100.9):
        for _ in range(150):
            flood.note()
        assert flood.is_on(now) is (now > 100.5)
    assert flood.is_on(101.4)
    assert not flood.is_on(102.5)
    for _ in range(201):
        flood.note()
    assert flood.is_on(102.6)
    assert not flood.is_on(110.0)
