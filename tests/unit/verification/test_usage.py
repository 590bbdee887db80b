"""Last uses and usage: gathered in memory, written in batches, never lost to a database that is away for a while."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, cast

import pytest

from bonafides.errors import Unavailable
from bonafides.model import ACCEPTED, DigestedSecret, Reason, UsageKey, to_datetime
from bonafides.verification.resident import Resident
from bonafides.verification.usage import Uses, UsesStore
from tests.unit.clocks import START_US, HandClock
from tests.unit.verification.test_resident import admit, found, index_of

MINUTE_US: Final = 60_000_000
HOME: Final = "192.0.2.0/24"
AWAY: Final = "2001:db8:1::/48"
MINUTE_BEGAN_US: Final = START_US // MINUTE_US * MINUTE_US


@dataclass
class Ledger:
    """Takes batches, when it can."""

    batches: list[tuple[Mapping[str, datetime], Mapping[str, DigestedSecret]]] = field(default_factory=list)
    counts: dict[tuple[str, int], Mapping[UsageKey, int]] = field(default_factory=dict)
    scopes: list[Mapping[tuple[str, str], datetime]] = field(default_factory=list)
    networks: list[Mapping[tuple[str, str], tuple[datetime, int]]] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)
    failing: bool = False
    networks_failing: bool = False
    doubtful: bool = False
    refusing: bool = False
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def record_use(
        self, last_used: Mapping[str, datetime], redigested: Mapping[str, DigestedSecret]
    ) -> None:
        """Write a batch."""
        await self.gate.wait()
        if self.failing:
            raise Unavailable
        self.batches.append((dict(last_used), dict(redigested)))

    async def record_scopes(self, first_used: Mapping[tuple[str, str], datetime]) -> None:
        """Write first uses of scopes."""
        if self.failing:
            raise Unavailable
        self.scopes.append(dict(first_used))

    async def record_networks(self, used: Mapping[tuple[str, str], tuple[datetime, int]]) -> None:
        """Write where credentials were used from."""
        if self.networks_failing:
            raise Unavailable
        self.networks.append(dict(used))

    async def record_usage(
        self, writer: str, batch: int, counts: Mapping[UsageKey, int], _at: datetime
    ) -> None:
        """Write counts, the same batch once."""
        await self.gate.wait()
        self.sent.append(len(counts))
        if self.refusing:
            raise RuntimeError("a row that no table takes")
        if not self.failing:
            self.counts.setdefault((writer, batch), dict(counts))
        if self.failing or self.doubtful:
            raise Unavailable

    @property
    def totals(self) -> Counter[tuple[int, str, str]]:
        """Requests by minute since the start, credential and outcome."""
        found: Counter[tuple[int, str, str]] = Counter()
        for counts in self.counts.values():
            for key, requests in counts.items():
                minute = (key.starts_at_us - MINUTE_BEGAN_US) // MINUTE_US
                found[minute, key.credential_id, key.outcome] += requests
        return found


@pytest.fixture
def ledger() -> Ledger:
    """A database that can be away."""
    return Ledger()


@pytest.fixture
def uses(ledger: Ledger) -> Uses:
    """What has gathered: nothing yet."""
    return Uses(cast("UsesStore", ledger), HandClock(), "this process")


def resident(name: str = "key_1") -> Resident:
    """A credential in memory."""
    return admit(index_of(), found(name))[0]


SECRETS = [DigestedSecret(bytes([number]) * 32, "p1") for number in range(3)]


async def test_many_uses_are_one_entry_with_the_latest_time(uses: Uses, ledger: Ledger) -> None:
    """A write for each request would make the database the limit of every API behind this server."""
    one, other = resident("key_1"), resident("key_2")
    for offset in range(5):
        uses.note(one, HOME, START_US + offset)
    uses.note(other, HOME, START_US)
    await uses.flush()
    assert ledger.batches == [({"key_1": to_datetime(START_US + 4), "key_2": to_datetime(START_US)}, {})]


async def test_nothing_gathered_writes_nothing(uses: Uses, ledger: Ledger) -> None:
    """An idle server leaves the disk alone."""
    await uses.flush()
    uses.note(resident(), HOME, START_US)
    await uses.flush()
    await uses.flush()
    assert len(ledger.batches) == 1


async def test_a_use_after_a_flush_is_in_the_next(uses: Uses, ledger: Ledger) -> None:
    """A key's last use would stand still after its first batch."""
    one = resident()
    uses.note(one, HOME, START_US)
    await uses.flush()
    uses.note(one, HOME, START_US + 1)
    await uses.flush()
    assert [batch["key_1"] for batch, _ in ledger.batches] == [
        to_datetime(START_US),
        to_datetime(START_US + 1),
    ]


async def test_a_use_during_a_flush_is_in_the_next(uses: Uses, ledger: Ledger) -> None:
    """A slow disk must not swallow what happens meanwhile."""
    one = resident()
    uses.note(one, HOME, START_US)
    ledger.gate.clear()
    flushing = asyncio.create_task(uses.flush())
    await asyncio.sleep(0)
    uses.note(one, HOME, START_US + 1)
    ledger.gate.set()
    await flushing
    await uses.flush()
    assert [batch["key_1"] for batch, _ in ledger.batches] == [
        to_datetime(START_US),
        to_datetime(START_US + 1),
    ]


async def test_a_scope_is_noted_once_for_the_first_of_a_lineage(
    uses: Uses, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request would be a write, or a key that is only exchanged would seem to need nothing."""

    def first_of(root_id: str) -> Resident:
        made = resident()
        made.root_id = root_id
        return made

    key, session = first_of("key_1"), first_of("ses_1")
    for offset in range(3):
        uses.note_scopes(key, frozenset({"read"}), START_US + offset)
        uses.note_scopes(session, frozenset({"read"}), START_US)
    ledger.failing = True
    with pytest.raises(Unavailable):
        await uses.flush()
    ledger.failing = False
    uses.note_scopes(key, frozenset({"read", "write"}), START_US + 9)
    await uses.flush()
    await uses.flush()
    first = {("key_1", "read"): to_datetime(START_US), ("key_1", "write"): to_datetime(START_US + 9)}
    assert ledger.scopes == [first]
    monkeypatch.setattr("bonafides.verification.usage._SCOPES_MAX", 1)
    for name in ("key_1", "key_2"):
        uses.note_scopes(first_of(name), frozenset({"admin"}), START_US)
    await uses.flush()
    assert ledger.scopes[1:] == [{("key_1", "admin"): to_datetime(START_US)}]


async def test_renewed_digests_are_written_on_their_own(uses: Uses, ledger: Ledger) -> None:
    """A rotation of the pepper comes to an end only if what was found is digested anew."""
    uses.redigest("key_1", SECRETS[0])
    uses.redigest("key_1", SECRETS[1])
    await uses.flush()
    assert ledger.batches == [({}, {"key_1": SECRETS[1]})]


async def test_what_could_not_be_written_is_kept(uses: Uses, ledger: Ledger) -> None:
    """An outage of a minute must not lose a minute of last uses, nor write an older time over a newer."""
    one, other = resident("key_1"), resident("key_2")
    uses.note(one, HOME, START_US)
    uses.note(other, HOME, START_US)
    uses.redigest("key_1", SECRETS[0])
    uses.redigest("key_2", SECRETS[0])
    ledger.failing = True
    ledger.gate.clear()
    flushing = asyncio.create_task(uses.flush())
    await asyncio.sleep(0)
    uses.note(one, HOME, START_US + 1)
    uses.redigest("key_2", SECRETS[2])
    ledger.gate.set()
    with pytest.raises(Unavailable):
        await flushing
    ledger.failing = False
    uses.note(other, HOME, START_US + 2)
    await uses.flush()
    await uses.flush()
    assert ledger.batches == [
        (
            {"key_1": to_datetime(START_US + 1), "key_2": to_datetime(START_US + 2)},
            {"key_1": SECRETS[0], "key_2": SECRETS[2]},
        )
    ]


async def test_a_credential_that_came_back_keeps_its_latest_use(uses: Uses, ledger: Ledger) -> None:
    """Evicted and looked up again, a key is in memory twice: its last use must not move back."""
    early, late = resident(), resident()
    uses.note(late, HOME, START_US + 5)
    uses.note(early, HOME, START_US)
    await uses.flush()
    assert ledger.batches == [({"key_1": to_datetime(START_US + 5)}, {})]


async def test_requests_are_counted_in_their_own_minute(uses: Uses, ledger: Ledger) -> None:
    """A flush that falls behind the minute's end would move a second of requests into the next minute, or the next day."""
    one, other = resident("key_1"), resident("key_2")
    end_us = MINUTE_BEGAN_US + MINUTE_US
    for at_us in (end_us - 2, end_us - 1, end_us, end_us + 1, end_us + 2):
        uses.note(one, HOME, at_us)
    uses.note(other, HOME, end_us - 1)
    uses.note(other, HOME, end_us + 2 * MINUTE_US)
    await uses.flush_counts()
    assert ledger.totals == {
        (0, "key_1", ACCEPTED): 2,
        (1, "key_1", ACCEPTED): 3,
        (0, "key_2", ACCEPTED): 1,
        (3, "key_2", ACCEPTED): 1,
    }


async def test_what_was_made_from_something_counts_for_its_lineage(uses: Uses, ledger: Ledger) -> None:
    """What a key did through tokens could not be summed once these are forgotten."""
    index = index_of()
    for one in admit(index, found("tok_1", root_id="key_1"), found("key_1", root_id="key_1")):
        uses.note(one, HOME, START_US)
    await uses.flush_counts()
    (counts,) = ledger.counts.values()
    assert {key.credential_id: key.root_id for key in counts} == {"tok_1": "key_1", "key_1": None}


async def test_refusals_are_counted_by_their_reason(uses: Uses, ledger: Ledger) -> None:
    """Whoever asks why a customer's calls fail would have to guess."""
    one = resident()
    uses.note(one, HOME, START_US)
    for reason in (Reason.RATE, Reason.SCOPE, Reason.RATE):
        uses.note_refusal(one, reason, START_US)
    await uses.flush_counts()
    assert ledger.totals == {
        (0, "key_1", "accepted"): 1,
        (0, "key_1", "rate_limit_exceeded"): 2,
        (0, "key_1", "insufficient_scope"): 1,
    }
    (key, *_) = ledger.counts["this process", 1]
    principal = one.principal
    assert (key.tenant_id, key.user_id) == (principal.tenant_id, principal.user_id)


async def test_every_request_is_counted_once(uses: Uses, ledger: Ledger) -> None:
    """Whatever is flushed between two requests, neither may be missing from a bill, or be on it twice."""
    one, came_back = resident(), resident()
    for offset in range(30):
        uses.note(one if offset % 3 else came_back, HOME, START_US + offset)
        if offset % 4 == 0:
            await uses.flush()
        if offset % 5 == 0:
            await uses.flush_counts()
    await uses.flush_counts()
    await uses.flush_counts()
    assert ledger.totals == {(0, "key_1", ACCEPTED): 30}
    assert uses.waiting == 0
    assert [number for _, number in ledger.counts] == list(range(1, len(ledger.counts) + 1))
    await uses.flush()
    assert ledger.batches[-1] == ({"key_1": to_datetime(START_US + 29)}, {})


@pytest.mark.parametrize("trouble", ["failing", "doubtful"])
async def test_counts_that_may_not_be_written_are_sent_again(
    uses: Uses, ledger: Ledger, trouble: str
) -> None:
    """A connection that breaks during the commit leaves in doubt what was written: neither lost nor doubled."""
    one = resident()
    setattr(ledger, trouble, True)
    for offset in range(3):
        uses.note(one, HOME, START_US + offset)
        with pytest.raises(Unavailable):
            await uses.flush_counts()
    assert uses.waiting > 0
    setattr(ledger, trouble, False)
    uses.note(one, HOME, START_US + 3)
    await uses.flush_counts()
    assert ledger.totals == {(0, "key_1", ACCEPTED): 4}
    assert (uses.waiting, uses.lost) == (0, 0)


async def test_a_flush_that_is_broken_off_loses_nothing(uses: Uses, ledger: Ledger) -> None:
    """A drain ends the flush that is under way and begins the last one."""
    one = resident()
    uses.note(one, HOME, START_US)
    ledger.gate.clear()
    flushing = asyncio.create_task(uses.flush_counts())
    await asyncio.sleep(0)
    uses.note(one, HOME, START_US + 1)
    flushing.cancel()
    await asyncio.gather(flushing, return_exceptions=True)
    ledger.gate.set()
    await uses.flush_counts()
    assert ledger.totals == {(0, "key_1", ACCEPTED): 2}


async def test_flushes_that_meet_write_everything_once(uses: Uses, ledger: Ledger) -> None:
    """A batch that two of them take for theirs would be forgotten before it is written."""
    one = resident()
    uses.note(one, HOME, START_US)
    ledger.gate.clear()
    first = asyncio.create_task(uses.flush_counts())
    await asyncio.sleep(0)
    uses.note(one, HOME, START_US + 1)
    second = asyncio.create_task(uses.flush_counts())
    await asyncio.sleep(0)
    ledger.gate.set()
    await asyncio.gather(first, second)
    assert ledger.totals == {(0, "key_1", ACCEPTED): 2}


async def test_a_long_outage_does_not_fill_the_memory(ledger: Ledger) -> None:
    """A disk that is full for a day would end the verification of everybody's keys; what is lost is told."""
    uses = Uses(cast("UsesStore", ledger), HandClock(), "this process", waiting_max=3)
    ledger.failing = True
    for number in range(6):
        uses.note(resident(f"key_{number}"), HOME, START_US)
        with pytest.raises(Unavailable):
            await uses.flush_counts()
    uses.note_refusal(resident("key_1"), Reason.RATE, START_US)
    assert (uses.waiting, uses.lost) == (3, 4)
    ledger.failing = False
    await uses.flush_counts()
    uses.note(resident("key_9"), HOME, START_US)
    await uses.flush_counts()
    assert sum(ledger.totals.values()) == 4
    assert uses.lost == 4


async def test_what_is_never_taken_does_not_hold_up_the_rest(uses: Uses, ledger: Ledger) -> None:
    """One bad row would stop the counting of everybody for good."""
    uses.note(resident(), HOME, START_US)
    ledger.refusing = True
    with pytest.raises(RuntimeError):
        await uses.flush_counts()
    ledger.refusing = False
    uses.note(resident("key_2"), HOME, START_US)
    await uses.flush_counts()
    assert ledger.totals == {(0, "key_2", ACCEPTED): 1}
    assert uses.lost == 1


async def test_batches_are_bounded(uses: Uses, ledger: Ledger) -> None:
    """A million keys in one statement would run into the database's patience, again and again."""
    one = resident()
    for minute in range(9_000):
        uses.note_refusal(one, Reason.RATE, START_US + minute * MINUTE_US)
    await uses.flush_counts()
    assert sum(ledger.sent) == 9_000
    assert max(ledger.sent) <= 4_000
    assert sum(ledger.totals.values()) == 9_000


async def test_each_network_has_its_own_count_and_last_use(uses: Uses, ledger: Ledger) -> None:
    """A key that two machines use by turns would be shown at one of them, or twice as busy."""
    one = resident("key_1")
    for offset, network in enumerate((HOME, HOME, AWAY, HOME, AWAY)):
        uses.note(one, network, START_US + offset)
    uses.note(one, AWAY, START_US + MINUTE_US)
    await uses.flush_counts()
    uses.note(one, HOME, START_US + MINUTE_US + 1)
    await uses.flush()
    assert ledger.networks == [
        {
            ("key_1", HOME): (to_datetime(START_US + MINUTE_US + 1), 4),
            ("key_1", AWAY): (to_datetime(START_US + MINUTE_US), 3),
        }
    ]
    await uses.flush()
    assert len(ledger.networks) == 1
    await uses.flush_counts()
    assert sum(ledger.totals.values()) == 7


async def test_networks_are_kept_of_what_lasts_where_they_are_known(uses: Uses, ledger: Ledger) -> None:
    """Every token of an hour would leave a row behind, and a question that names no address a network without a name."""
    for name, network in (("tok_1", HOME), ("key_1", ""), ("pat_1", AWAY)):
        uses.note(resident(name), network, START_US)
    await uses.flush()
    assert ledger.networks == [{("pat_1", AWAY): (to_datetime(START_US), 1)}]


async def test_networks_are_not_kept_where_nobody_wants_them(ledger: Ledger) -> None:
    """An operator who may not keep addresses would keep them."""
    uses = Uses(cast("UsesStore", ledger), HandClock(), "this process", networks=False)
    uses.note(resident(), HOME, START_US)
    await uses.flush()
    assert ledger.networks == []


async def test_networks_wait_for_a_database_that_is_away(ledger: Ledger) -> None:
    """An outage would make a key look as if it was nowhere; a long one must not fill the memory."""
    uses = Uses(cast("UsesStore", ledger), HandClock(), "this process", waiting_max=2)
    ledger.networks_failing = True
    for offset, name in enumerate(("key_1", "key_2", "key_1", "key_3")):
        uses.note(resident(name), HOME, START_US + offset)
        with pytest.raises(Unavailable):
            await uses.flush()
    ledger.networks_failing = False
    await uses.flush()
    assert ledger.networks == [
        {("key_1", HOME): (to_datetime(START_US + 2), 2), ("key_2", HOME): (to_datetime(START_US + 1), 1)}
    ]
