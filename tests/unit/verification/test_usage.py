"""Last uses: gathered in memory, written in batches, never lost to a database that is away for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

import pytest

from bonafides.errors import Unavailable
from bonafides.model import DigestedSecret, to_datetime
from bonafides.store import CredentialStore
from bonafides.verification.resident import Resident
from bonafides.verification.usage import Uses
from tests.unit.clocks import START_US
from tests.unit.verification.test_resident import admit, found, index_of


@dataclass
class Ledger:
    """Takes batches, when it can."""

    batches: list[tuple[Mapping[str, datetime], Mapping[str, DigestedSecret]]] = field(default_factory=list)
    failing: bool = False
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


@pytest.fixture
def ledger() -> Ledger:
    """A database that can be away."""
    return Ledger()


@pytest.fixture
def uses(ledger: Ledger) -> Uses:
    """What has gathered: nothing yet."""
    return Uses(cast("CredentialStore", ledger))


def resident(name: str = "key_1") -> Resident:
    """A credential in memory."""
    return admit(index_of(), found(name))[0]


SECRETS = [DigestedSecret(bytes([number]) * 32, "p1") for number in range(3)]


async def test_many_uses_are_one_entry_with_the_latest_time(uses: Uses, ledger: Ledger) -> None:
    """A write for each request would make the database the limit of every API behind this server."""
    one, other = resident("key_1"), resident("key_2")
    for offset in range(5):
        uses.note(one, START_US + offset)
    uses.note(other, START_US)
    await uses.flush()
    assert ledger.batches == [({"key_1": to_datetime(START_US + 4), "key_2": to_datetime(START_US)}, {})]


async def test_nothing_gathered_writes_nothing(uses: Uses, ledger: Ledger) -> None:
    """An idle server leaves the disk alone."""
    await uses.flush()
    uses.note(resident(), START_US)
    await uses.flush()
    await uses.flush()
    assert len(ledger.batches) == 1


async def test_a_use_after_a_flush_is_in_the_next(uses: Uses, ledger: Ledger) -> None:
    """A key's last use would stand still after its first batch."""
    one = resident()
    uses.note(one, START_US)
    await uses.flush()
    uses.note(one, START_US + 1)
    await uses.flush()
    assert [batch["key_1"] for batch, _ in ledger.batches] == [
        to_datetime(START_US),
        to_datetime(START_US + 1),
    ]


async def test_a_use_during_a_flush_is_in_the_next(uses: Uses, ledger: Ledger) -> None:
    """A slow disk must not swallow what happens meanwhile."""
    one = resident()
    uses.note(one, START_US)
    ledger.gate.clear()
    flushing = asyncio.create_task(uses.flush())
    await asyncio.sleep(0)
    uses.note(one, START_US + 1)
    ledger.gate.set()
    await flushing
    await uses.flush()
    assert [batch["key_1"] for batch, _ in ledger.batches] == [
        to_datetime(START_US),
        to_datetime(START_US + 1),
    ]


async def test_renewed_digests_are_written_on_their_own(uses: Uses, ledger: Ledger) -> None:
    """A rotation of the pepper comes to an end only if what was found is digested anew."""
    uses.redigest("key_1", SECRETS[0])
    uses.redigest("key_1", SECRETS[1])
    await uses.flush()
    assert ledger.batches == [({}, {"key_1": SECRETS[1]})]


async def test_what_could_not_be_written_is_kept(uses: Uses, ledger: Ledger) -> None:
    """An outage of a minute must not lose a minute of last uses, nor write an older time over a newer."""
    one, other = resident("key_1"), resident("key_2")
    uses.note(one, START_US)
    uses.note(other, START_US)
    uses.redigest("key_1", SECRETS[0])
    uses.redigest("key_2", SECRETS[0])
    ledger.failing = True
    ledger.gate.clear()
    flushing = asyncio.create_task(uses.flush())
    await asyncio.sleep(0)
    uses.note(one, START_US + 1)
    uses.redigest("key_2", SECRETS[2])
    ledger.gate.set()
    with pytest.raises(Unavailable):
        await flushing
    ledger.failing = False
    uses.note(other, START_US + 2)
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
    uses.note(late, START_US + 5)
    uses.note(early, START_US)
    await uses.flush()
    assert ledger.batches == [({"key_1": to_datetime(START_US + 5)}, {})]
