"""What the store needs of a database."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

from sqlalchemy import Connection

from bonafides.errors import Unavailable
from bonafides.model import Change, Verifiable
from bonafides.store import FeedPosition

T = TypeVar("T")

Key = tuple[str, ...]
Row = Sequence[Any]


class Question(NamedTuple):
    """A statement that finds at most one row for a key.

    Args:
        one: For SQLite; it takes the parts of a key.
        many: For PostgreSQL; it takes a list for each part, and its rows begin with the key.
    """

    one: str
    many: str


@dataclass(frozen=True, slots=True)
class Version:
    """A state of the database's content: `number` differs after every commit, `identity` in another database."""

    identity: Hashable
    number: int


class Contention(Unavailable):
    """Another transaction was in the way, and this one was undone: carrying it out again may succeed."""


class News(NamedTuple):
    """What a reader of the change feed has not seen.

    Args:
        version: Of the database that was read; None if it cannot tell.
        changes: In the order of their commits, or one that nobody can tell from it.
        end: Where the reader is now.
    """

    version: Version | None
    changes: Sequence[Change]
    end: FeedPosition


class Database(Protocol):
    """One kind of database: where work is run, and how its failures are told.

    Every method raises `Unavailable` when the database cannot be asked.
    """

    async def read(self, work: Callable[[Connection], T]) -> T:
        """What `work` finds; it writes nothing."""
        ...

    async def write(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns, once all that it wrote is durable; nothing is written if it raises."""
        ...

    async def look_up(self, digests: Sequence[bytes]) -> Mapping[bytes, Verifiable]:
        """The cold look-up, by the shortest way to the driver."""
        ...

    async def ask(self, question: Question, keys: Sequence[Key]) -> Mapping[Key, Row]:
        """The row that a question finds for each key, by the same way; a key without one is left out."""
        ...

    async def news(self, start: FeedPosition, known: Version | None) -> News | None:
        """Every change committed between `start` and now, in one view; None if the database is as it was.

        Args:
            start: Where the reader is.
            known: The version of which the reader has seen all.

        Raises:
            FeedLost: Some of them were pruned, or this is not the database that `start` came from.
        """
        ...

    async def version(self) -> Version | None:
        """The version of what the database holds, for less than asking it; None if it cannot tell."""
        ...

    async def close(self) -> None:
        """Finish what is under way and close every connection."""
        ...


class SignallingDatabase(Database, Protocol):
    """A database over which processes can tell each other that there is something to read."""

    def announce(self) -> None:
        """Tell other processes that changes were committed, if there is a way that is sooner than their next look."""
        ...

    async def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` when another process tells that, for ever; what was told may be lost."""
        ...

    def hears(self) -> bool:
        """Whether `listen` would hear of it, as far as was tried."""
        ...
