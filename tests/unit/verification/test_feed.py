"""Memory is trusted as long as the change feed is read in time, and not a moment longer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from bonafides.errors import Unavailable
from bonafides.model import Actor, AuditEvent, Change, ChangeKind, Plan, to_datetime
from bonafides.store import FeedPosition, Store
from bonafides.store.sqlite import open_sqlite
from bonafides.verification.feed import Feed
from bonafides.verification.mark import Mark, create_mark
from tests.unit.clocks import START_US, HandClock


@dataclass
class Interrupted:
    """The store's feed, over a line that a test can cut."""

    store: Store
    clock: HandClock
    failure: Exception | None = None
    takes_seconds: float = 0.0
    hearing: bool = False
    calls: list[str] = field(default_factory=list)
    reads: asyncio.Event = field(default_factory=asyncio.Event)

    def _answer(self, call: str) -> None:
        self.calls.append(call)
        self.clock.advance(self.takes_seconds)
        self.reads.set()
        if self.failure is not None:
            raise self.failure

    async def feed_position(self) -> FeedPosition:
        """Where the feed ends."""
        self._answer("position")
        return await self.store.feed_position()

    async def changes_since(self, position: FeedPosition) -> tuple[Sequence[Change], FeedPosition]:
        """What has changed."""
        self._answer("since")
        return await self.store.changes_since(position)

    async def listen(self, wake: Callable[[], None]) -> None:
        """Nobody calls."""

    def hears(self) -> bool:
        """Whether a call would be heard."""
        return self.hearing

    async def prune(self, before: datetime) -> None:
        """Forget old entries."""
        await self.store.prune(before)


@dataclass
class Memory:
    """What the feed tells memory to forget; None stands for everything."""

    told: list[Sequence[Change] | None] = field(default_factory=list)
    complaints: list[Unavailable] = field(default_factory=list)

    def names(self) -> list[str | None]:
        """Whose change was told, in order."""
        return [
            name
            for changes in self.told
            for name in ([None] if changes is None else [change.subject_id for change in changes])
        ]


@pytest.fixture
async def store(migrated_sqlite_url: str) -> AsyncIterator[Store]:
    """The database that another process writes to."""
    store = open_sqlite(migrated_sqlite_url)
    yield store
    await store.close()


@pytest.fixture
def line(store: Store, clock: HandClock) -> Interrupted:
    """The way to the database."""
    return Interrupted(store, clock)


@pytest.fixture
def memory() -> Memory:
    """What listens to the feed."""
    return Memory()


@pytest.fixture
def feed(line: Interrupted, memory: Memory, clock: HandClock) -> Feed:
    """A follower that trusts memory for two seconds; the database forgets changes after a minute."""
    return Feed(
        line,
        memory.told.append,
        clock,
        max_staleness_seconds=2,
        poll_seconds=0.001,
        retention_seconds=60,
        forget_all=lambda: memory.told.append(None),
        complain=memory.complaints.append,
        mark=Mark(),
    )


async def change(store: Store, name: str, at_us: int = START_US) -> None:
    """Something that another process commits."""
    at = to_datetime(at_us)
    event = AuditEvent(f"evt_{name}", at, "ten_1", "plan.put", "plan", name, Actor(None, None, "test"))
    await store.put_plan(Plan(name, 1, 1, created_at=at, updated_at=at), event)


async def until(condition: Callable[[], bool]) -> None:
    """Let others run until something has happened."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for knows nothing of this test
            await asyncio.sleep(0.001)


async def test_memory_is_not_trusted_before_the_first_reading(feed: Feed) -> None:
    """A server that has just started knows nothing of what was revoked while it was down."""
    assert not feed.is_fresh()
    await feed.read()
    assert feed.is_fresh()


async def test_trust_begins_with_the_reading_and_ends_to_the_moment(feed: Feed, clock: HandClock) -> None:
    """A revocation elsewhere binds here within the two seconds that were promised, even if the feed stops."""
    await feed.read()
    clock.seconds = 1.999
    assert feed.is_fresh()
    clock.seconds = 2.0
    assert not feed.is_fresh()


async def test_a_slow_reading_is_trusted_from_its_beginning(
    feed: Feed, line: Interrupted, clock: HandClock
) -> None:
    """What was committed while the database took its time to answer is not in the answer."""
    line.takes_seconds = 0.75
    await feed.read()
    assert feed.trusted_until == 2.0
    assert clock.seconds == 1.5
    clock.seconds = 2.0
    assert not feed.is_fresh()


async def test_every_change_is_told_once_and_in_order(feed: Feed, memory: Memory, store: Store) -> None:
    """A change that is missed leaves a revoked key working; one told twice costs a look-up."""
    await change(store, "before")
    await feed.read()
    assert memory.names() == [None]
    await change(store, "a")
    await change(store, "b")
    await feed.read()
    await feed.read()
    await change(store, "c")
    await feed.read()
    assert memory.names() == [None, "a", "b", "c"]
    assert all(
        found.kind is ChangeKind.PLAN for changes in memory.told if changes is not None for found in changes
    )


async def test_nothing_is_told_where_nothing_changed(feed: Feed, memory: Memory) -> None:
    """Twenty readings a second must cost memory nothing."""
    for _ in range(3):
        await feed.read()
    assert memory.told == [None]


async def test_the_position_is_taken_before_memory_is_emptied(
    feed: Feed, line: Interrupted, memory: Memory
) -> None:
    """What is looked up between emptying and the position would never be told that it is outdated."""
    told_at_position: list[int] = []
    position = line.feed_position

    async def watched() -> FeedPosition:
        told_at_position.append(len(memory.told))
        return await position()

    line.feed_position = watched  # type: ignore[method-assign]
    await feed.read()
    assert told_at_position == [0]
    assert memory.told == [None]


async def test_a_failed_reading_changes_nothing_and_lets_memory_age(
    feed: Feed, line: Interrupted, memory: Memory, store: Store, clock: HandClock
) -> None:
    """The database away: known keys verify for two more seconds, then 503; nothing is lost when it returns."""
    await feed.read()
    line.failure = Unavailable(internal="gone")
    clock.advance(1)
    await change(store, "meanwhile")
    with pytest.raises(Unavailable):
        await feed.read()
    assert feed.is_fresh()
    clock.advance(1)
    assert not feed.is_fresh()
    line.failure = None
    await feed.read()
    assert feed.is_fresh()
    assert memory.names() == [None, "meanwhile"]


async def test_a_failed_first_reading_leaves_memory_untrusted(feed: Feed, line: Interrupted) -> None:
    """A server that starts without its database must not answer from an empty memory."""
    line.failure = Unavailable()
    with pytest.raises(Unavailable):
        await feed.read()
    assert not feed.is_fresh()
    line.failure = None
    await feed.read()
    assert feed.is_fresh()


async def test_memory_that_fails_to_forget_is_asked_again(
    store: Store, clock: HandClock, memory: Memory
) -> None:
    """A change that was read but not applied is a revocation that never binds."""
    failures = [RuntimeError("once")]

    def apply(changes: Sequence[Change]) -> None:
        if failures:
            raise failures.pop()
        memory.told.append(changes)

    feed = Feed(
        store,
        apply,
        clock,
        max_staleness_seconds=2,
        poll_seconds=0.001,
        retention_seconds=60,
        forget_all=lambda: None,
        complain=memory.complaints.append,
        mark=Mark(),
    )
    await feed.read()
    await change(store, "a")
    clock.advance(1)
    with pytest.raises(RuntimeError):
        await feed.read()
    assert feed.trusted_until == 2
    await feed.read()
    assert memory.names() == ["a"]


@pytest.mark.parametrize(("silence", "forgets"), [(30.0, False), (30.001, True)])
async def test_after_half_of_the_retention_everything_is_forgotten(
    feed: Feed, memory: Memory, clock: HandClock, *, silence: float, forgets: bool
) -> None:
    """A process that slept may have slept through a change that is pruned by now."""
    await feed.read()
    clock.seconds = silence
    await feed.read()
    assert memory.told == ([None, None] if forgets else [None])
    await feed.read()
    assert len(memory.told) == (2 if forgets else 1)


async def test_a_feed_that_was_pruned_unread_starts_anew(
    feed: Feed, memory: Memory, store: Store, clock: HandClock
) -> None:
    """A follower that cannot go on must forget everything at once, not stay blind until a restart."""
    await feed.read()
    await change(store, "lost")
    await store.prune(to_datetime(START_US) + timedelta(seconds=1))
    clock.advance(1)
    await feed.read()
    assert memory.told == [None, None]
    assert feed.trusted_until == 3
    await change(store, "next", START_US + 5_000_000)
    await feed.read()
    assert memory.names() == [None, None, "next"]


async def test_following_reads_again_and_again(
    feed: Feed, line: Interrupted, memory: Memory, store: Store
) -> None:
    """A revocation elsewhere reaches this process without anybody asking."""
    following = asyncio.create_task(feed.follow())
    try:
        await until(lambda: memory.told == [None])
        await change(store, "a")
        await until(lambda: memory.names() == [None, "a"])
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    assert memory.complaints == []
    assert line.calls.count("position") == 1


async def test_a_follower_that_is_nudged_reads_at_once(
    line: Interrupted, memory: Memory, store: Store, clock: HandClock
) -> None:
    """A key revoked in one worker would work in the others until each happened to look."""
    patient = Feed(
        line,
        memory.told.append,
        clock,
        max_staleness_seconds=2,
        poll_seconds=3_600,
        retention_seconds=60,
        forget_all=lambda: memory.told.append(None),
        complain=memory.complaints.append,
        mark=Mark(),
    )
    following = asyncio.create_task(patient.follow())
    try:
        await until(lambda: memory.told == [None])
        await change(store, "a")
        patient.nudge()
        await until(lambda: memory.names() == [None, "a"])
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


@pytest.mark.parametrize(
    ("poll_seconds", "max_staleness_seconds", "idle_seconds"),
    [(0.05, 2, 0.2), (0.4, 2, 0.5), (1, 2, 1), (0.001, 0.06, 0.004)],
)
async def test_what_wakes_the_follower_makes_it_look_less_often_and_never_too_late(
    line: Interrupted,
    clock: HandClock,
    memory: Memory,
    monkeypatch: pytest.MonkeyPatch,
    poll_seconds: float,
    max_staleness_seconds: float,
    idle_seconds: float,
) -> None:
    """A wake-up that is lost would leave a revoked key working for good, or memory untrusted between two readings."""
    waited: list[float] = []
    timeout, here = asyncio.timeout, asyncio.get_running_loop()

    def watched(seconds: float) -> asyncio.Timeout:
        # Servers of other tests may be running in this process, in threads of their own.
        if asyncio.get_running_loop() is not here:
            return timeout(seconds)
        waited.append(seconds)
        return timeout(0)

    monkeypatch.setattr("bonafides.verification.feed.asyncio.timeout", watched)
    feed = Feed(
        line,
        memory.told.append,
        clock,
        max_staleness_seconds=max_staleness_seconds,
        poll_seconds=poll_seconds,
        retention_seconds=60,
        forget_all=lambda: None,
        complain=memory.complaints.append,
        mark=Mark(),
    )
    following = asyncio.create_task(feed.follow())
    try:
        while len(waited) < 2:  # noqa: ASYNC110 - as in `until`, whose own bound would be counted
            await asyncio.sleep(0.001)
        line.hearing = True
        heard = len(waited)
        while len(waited) < heard + 3:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    assert waited[0] == poll_seconds
    assert waited[-1] == idle_seconds
    assert idle_seconds <= max_staleness_seconds / 2


@pytest.mark.parametrize("failure", [Unavailable(internal="away"), ValueError("a row of the future")])
async def test_following_survives_failures_and_complains_once_a_row(
    feed: Feed, line: Interrupted, memory: Memory, failure: Exception
) -> None:
    """A follower that dies makes the server slow for good; one that complains each time fills the disk."""
    line.failure = failure
    following = asyncio.create_task(feed.follow())
    try:
        for complaints in (1, 2):
            line.failure, line.calls = failure, []
            await until(lambda: len(line.calls) > 3)
            assert len(memory.complaints) == complaints
            line.failure, line.calls = None, []
            await until(lambda: line.calls.count("since") > 3)
            assert feed.is_fresh()
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    expected = "away" if isinstance(failure, Unavailable) else "<class 'ValueError'>"
    assert [complaint.internal for complaint in memory.complaints] == [expected] * 2
    assert "future" not in str(memory.complaints)


async def test_what_another_worker_takes_away_is_not_trusted_from_its_commit_on(
    line: Interrupted, memory: Memory, clock: HandClock, store: Store
) -> None:
    """A call that revokes would have answered, and some worker that has yet to hear of it say yes."""
    shared = create_mark()
    follower = Feed(
        line,
        memory.told.append,
        clock,
        max_staleness_seconds=2,
        poll_seconds=60,
        retention_seconds=60,
        forget_all=lambda: memory.told.append(None),
        complain=memory.complaints.append,
        mark=Mark(shared),
    )
    other, another = Mark(shared, 2), Mark(shared, 3)
    await follower.read()
    assert follower.is_fresh()
    await change(store, "a")
    other.put()
    assert not follower.is_fresh()
    await follower.read()
    assert follower.is_fresh()
    assert memory.names() == [None, "a"]
    # Two at once, of which one stands: both were committed before.
    other.put()
    another.put()
    assert not follower.is_fresh()
    following = asyncio.create_task(follower.follow())
    await until(follower.is_fresh)
    # Whoever has looked in vain need not wait until the feed is read again by itself.
    other.put()
    await until(follower.is_fresh)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def test_a_reading_knows_nothing_of_what_was_marked_while_it_went_on(
    feed: Feed, monkeypatch: pytest.MonkeyPatch, line: Interrupted
) -> None:
    """What was committed after the database had answered would be taken for read."""
    mark = Mark()
    feed._marked = mark.word
    await feed.read()
    changes_since = line.changes_since

    async def late(position: FeedPosition) -> tuple[Sequence[Change], FeedPosition]:
        answer = await changes_since(position)
        mark.put()
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(line, "changes_since", late)
        await feed.read()
    assert not feed.is_fresh()
    await feed.read()
    assert feed.is_fresh()
