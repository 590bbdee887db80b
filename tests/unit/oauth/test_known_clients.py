"""Clients in memory: asked for once, and never believed longer than the change feed is read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from bonafides.errors import Unavailable
from bonafides.model import Change, ChangeKind
from bonafides.oauth import known_clients
from bonafides.oauth.known_clients import KnownClients

GOOD = (b"good",)


@dataclass
class Found:
    """As much of a presented client as is looked at."""

    client_id: str
    secret: str | None


@dataclass
class Clients:
    """A store with one secret, which can be away, and which another process may change while it is asked."""

    asked: list[tuple[str, Sequence[bytes]]] = field(default_factory=list)
    fresh: bool = True
    away: bool = False
    meanwhile: list[Change] = field(default_factory=list)
    known: KnownClients = field(init=False)

    def __post_init__(self) -> None:
        self.known = KnownClients(cast("Any", self), lambda: self.fresh)

    async def present_client(self, client_id: str, digests: Sequence[bytes]) -> Found | None:
        """The verb of the store."""
        self.asked.append((client_id, digests))
        if self.away:
            raise Unavailable(internal="away")
        await asyncio.sleep(0)
        self.known.apply(self.meanwhile)
        return Found(client_id, "sec_1" if digests == GOOD else None)

    async def present(self, client_id: str = "cli_1", digests: tuple[bytes, ...] = GOOD) -> bool:
        """Present a client; whether the store was asked."""
        before = len(self.asked)
        found = await self.known.present(client_id, digests)
        assert found is not None
        assert cast("Any", found).client_id == client_id
        return len(self.asked) > before


@pytest.fixture
def clients() -> Clients:
    """A store, and what is known of it."""
    return Clients()


async def test_a_client_is_asked_for_once(clients: Clients) -> None:
    """Each token would cost a read of the database."""
    assert await clients.present()
    assert not await clients.present()
    assert await clients.present("cli_2")
    assert not await clients.present("cli_2")


@pytest.mark.parametrize(
    "change",
    [Change(ChangeKind.USER, "cli_1"), Change(ChangeKind.TENANT, "ten_a")],
)
async def test_a_changed_client_is_asked_for_again(clients: Clients, change: Change) -> None:
    """Attack 6: a client that was disabled, or whose secret was deleted, would go on getting tokens."""
    await clients.present()
    clients.known.apply([change])
    assert await clients.present()
    assert not await clients.present()


async def test_what_others_change_is_no_reason_to_ask(clients: Clients) -> None:
    """Every token is a change of its own: memory would be of no use."""
    await clients.present()
    clients.known.apply([Change(ChangeKind.CREDENTIAL_CREATED, "oat_1"), Change(ChangeKind.USER, "cli_2")])
    assert not await clients.present()


async def test_what_was_read_before_a_change_is_not_kept(clients: Clients) -> None:
    """An answer that was under way during a revocation would undo it for as long as memory lasts."""
    clients.meanwhile = [Change(ChangeKind.USER, "cli_1")]
    await clients.present()
    clients.meanwhile = []
    assert await clients.present()
    assert not await clients.present()


async def test_memory_that_may_be_outdated_is_not_believed(clients: Clients) -> None:
    """ASVS 16.5.3: without the feed nobody would hear of a secret that was deleted elsewhere; then the answer is 503."""
    await clients.present()
    clients.fresh = False
    assert await clients.present()
    clients.away = True
    with pytest.raises(Unavailable):
        await clients.known.present("cli_1", GOOD)
    clients.fresh = True
    assert not await clients.present()


async def test_everything_is_forgotten_when_changes_may_be_missing(clients: Clients) -> None:
    """A change that nobody read would never be heard of."""
    await clients.present()
    clients.known.forget()
    assert await clients.present()


async def test_a_secret_that_is_none_is_asked_for_each_time(clients: Clients) -> None:
    """ASVS 6.3.8: guesses would fill memory, and the time of an answer would tell which clients there are."""
    for _ in range(2):
        assert await clients.present(digests=(b"guess",))
        assert await clients.present(digests=())


async def test_memory_is_bounded(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million clients would take all memory there is."""
    monkeypatch.setattr(known_clients, "_CLIENTS_MAX", 3)
    for number in range(4):
        await clients.present(f"cli_{number}")
    assert not await clients.present("cli_3")
    assert await clients.present("cli_0")
