"""Strings of no look of ours: what they may be the keys of, and how much finding out may cost."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest

from bonafides.errors import Overloaded, Unavailable
from bonafides.model import Change, ChangeKind, ForeignHash, ForeignRule, ForeignScheme
from bonafides.secret import Peppers, parse_pepper
from bonafides.store import ForeignStore
from bonafides.verification.foreign import Foreign

PEPPERS = Peppers([parse_pepper("1" * 64), parse_pepper("2" * 64)])
KEY = b"sk_live_from_elsewhere"
SHA256 = ForeignRule("sha256", ForeignScheme.SHA256)
SHA512 = ForeignRule("sha512", ForeignScheme.SHA512)
SHORT = ForeignRule("hash:4", ForeignScheme.HASH, b"", 4)
LONG = ForeignRule("hash:8", ForeignScheme.HASH, b"", 8)
IMPORTED = Change(ChangeKind.CREDENTIAL_CREATED, "imp_1")


@dataclass
class Elsewhere:
    """Rules and slow hashes, and a comparison that takes as long as a test wants."""

    rules: list[ForeignRule] = field(default_factory=list)
    hashes: list[ForeignHash] = field(default_factory=list)
    asked: list[tuple[list[str], int]] = field(default_factory=list)
    read: int = 0
    reading: int = 0
    readers_max: int = 0
    compared: list[str] = field(default_factory=list)
    going_on: asyncio.Event = field(default_factory=asyncio.Event)
    failure: Exception | None = None

    async def foreign_rules(self) -> Sequence[ForeignRule]:
        """The rules as they were when they were asked for."""
        self.read += 1
        rules = list(self.rules)
        await asyncio.sleep(0)
        return rules

    async def find_foreign_hashes(self, prefixes: Sequence[str], rows_max: int) -> Sequence[ForeignHash]:
        """Every hash."""
        self.asked.append((list(prefixes), rows_max))
        self.reading += 1
        self.readers_max = max(self.readers_max, self.reading)
        await asyncio.sleep(0)
        self.reading -= 1
        return self.hashes

    async def matches(self, presented: bytes, encoded: str) -> bool:
        """Whether the hash is the string itself."""
        self.compared.append(encoded)
        await self.going_on.wait()
        if self.failure is not None:
            raise self.failure
        return presented.decode() == encoded


@pytest.fixture
def elsewhere() -> Elsewhere:
    """Nothing was imported yet."""
    return Elsewhere()


@pytest.fixture
def foreign(elsewhere: Elsewhere) -> Foreign:
    """What knows of it."""
    return Foreign(cast("ForeignStore", elsewhere), PEPPERS, elsewhere)


def of_hash(name: str, key: bytes = KEY) -> ForeignHash:
    """A slow hash that this key is of."""
    return ForeignHash(name.encode().rjust(32), key.decode())


async def settle() -> None:
    """Let everybody go on who can."""
    for _ in range(10):
        await asyncio.sleep(0)


def comparing(foreign: Foreign, presented: bytes, *hashes: ForeignHash) -> asyncio.Task[bytes | None]:
    """Somebody who presents a string that begins as the keys of these hashes do."""
    return asyncio.create_task(foreign.match(presented, PEPPERS.digest(presented), hashes))


async def test_strings_are_expected_until_it_is_known_that_none_was_imported(foreign: Foreign) -> None:
    """An imported key presented right after a start would be refused by its look."""
    assert foreign.expected
    await foreign.load()
    assert not foreign.expected


async def test_an_import_is_noticed(foreign: Foreign, elsewhere: Elsewhere) -> None:
    """Imported keys would be refused until the server is started again."""
    await foreign.load()
    foreign.apply([Change(ChangeKind.CREDENTIAL_CREATED, "key_1")])
    expected = [foreign.expected]
    elsewhere.rules.append(SHA256)
    foreign.apply([IMPORTED])
    expected.append(foreign.expected)
    assert len((await foreign.clues(KEY)).digests) == 2
    assert [*expected, foreign.expected] == [False, True, True]


async def test_the_rules_are_read_once(foreign: Foreign, elsewhere: Elsewhere) -> None:
    """Every unknown string would cost a query more."""
    elsewhere.rules.append(SHA256)
    await foreign.load()
    await foreign.clues(KEY)
    await foreign.clues(KEY)
    assert elsewhere.read == 1
    foreign.forget()
    await foreign.clues(KEY)
    assert elsewhere.read == 2


async def test_rules_that_were_read_during_an_import_are_not_kept(
    foreign: Foreign, elsewhere: Elsewhere
) -> None:
    """The answer from before it would hide every key that it brought."""
    loading = asyncio.create_task(foreign.load())
    await asyncio.sleep(0)
    elsewhere.rules.append(SHA256)
    foreign.apply([IMPORTED])
    await loading
    assert foreign.expected
    assert (await foreign.clues(KEY)).digests


async def test_a_string_is_known_by_every_digest_that_others_would_have_made(
    foreign: Foreign, elsewhere: Elsewhere
) -> None:
    """Keys of a second import would be unknown, or those from before the pepper was rotated."""
    keyed = PEPPERS.foreign_rule(b"k" * 32, os.urandom)
    elsewhere.rules += [keyed, SHA256, SHA512, ForeignRule("plain", ForeignScheme.PLAIN)]
    clues = await foreign.clues(KEY)
    assert clues.hashes == ()
    assert clues.digests == (
        *PEPPERS.every_foreign(keyed.id, hmac.digest(b"k" * 32, KEY, "sha256")),
        *PEPPERS.every_foreign("sha256", hashlib.sha256(KEY).digest()),
        *PEPPERS.every_foreign("sha512", hashlib.sha512(KEY).digest()),
    )
    assert elsewhere.asked == []


async def test_a_rule_whose_pepper_is_gone_is_passed_over(foreign: Foreign, elsewhere: Elsewhere) -> None:
    """One lost key of digests would make every unknown string an error."""
    others = Peppers([parse_pepper("3" * 64)])
    elsewhere.rules += [others.foreign_rule(b"k" * 32, os.urandom), SHA256]
    assert len((await foreign.clues(KEY)).digests) == 2


@pytest.mark.parametrize(
    ("presented", "asked"),
    [
        (KEY, [(["sk_live_", "sk_l"], 8)]),
        (b"sk_live_", [(["sk_l"], 4)]),
        (b"sk_l", []),
        (b"caf\xc3\xa9-au-lait", []),
    ],
)
async def test_slow_hashes_are_asked_for_by_every_length_that_fits(
    foreign: Foreign, elsewhere: Elsewhere, presented: bytes, asked: list[tuple[list[str], int]]
) -> None:
    """A key of one dump would hide behind those of another; and a whole key is no beginning of itself."""
    elsewhere.rules += [SHORT, LONG]
    await foreign.clues(presented)
    assert elsewhere.asked == asked


async def test_made_up_strings_do_not_take_every_connection(foreign: Foreign, elsewhere: Elsewhere) -> None:
    """A flood of them would keep everybody else from the database."""
    elsewhere.rules.append(LONG)
    await asyncio.gather(*(foreign.clues(KEY + bytes([65 + number])) for number in range(20)))
    assert len(elsewhere.asked) == 20
    assert elsewhere.readers_max == 2


async def test_the_hash_that_was_made_of_a_string_is_found_among_several(
    foreign: Foreign, elsewhere: Elsewhere
) -> None:
    """Two keys that begin alike would be one."""
    elsewhere.going_on.set()
    hashes = [of_hash("other", b"another key"), of_hash("its own")]
    assert await comparing(foreign, KEY, *hashes) == hashes[1].digest
    assert await comparing(foreign, b"sk_live_unknown", *hashes) is None
    assert len(elsewhere.compared) == 4


async def test_however_many_present_one_string_it_is_compared_once(
    foreign: Foreign, elsewhere: Elsewhere
) -> None:
    """A client with a hundred connections would keep a processor busy for a minute."""
    asking = [comparing(foreign, KEY, of_hash("one")) for _ in range(50)]
    await settle()
    elsewhere.going_on.set()
    assert set(await asyncio.gather(*asking)) == {of_hash("one").digest}
    assert len(elsewhere.compared) == 1


async def test_whoever_knows_how_a_key_begins_keeps_few_others_waiting(
    foreign: Foreign, elsewhere: Elsewhere
) -> None:
    """Made-up strings with the beginning of one key would fill the queue for everybody's keys."""
    made_up = [
        comparing(foreign, b"sk_live_%d" % number, of_hash("attacked", b"its key")) for number in range(10)
    ]
    await settle()
    with pytest.raises(Overloaded):
        await comparing(foreign, b"sk_live_more", of_hash("attacked", b"its key"))
    good = comparing(foreign, KEY, of_hash("another"))
    await settle()
    elsewhere.going_on.set()
    assert await good == of_hash("another").digest
    outcomes = await asyncio.gather(*made_up, return_exceptions=True)
    assert outcomes == [None] * 4 + [outcome for outcome in outcomes if isinstance(outcome, Overloaded)]
    # What was waiting is forgotten, so there is room again.
    assert await comparing(foreign, b"sk_live_later", of_hash("attacked", b"its key")) is None


async def test_the_queue_has_an_end(foreign: Foreign, elsewhere: Elsewhere) -> None:
    """Whoever knows how many keys begin would have comparisons wait for hours, and memory with them."""
    asking = [
        comparing(foreign, KEY + b"%d" % number, of_hash(f"hash {number // 4}")) for number in range(40)
    ]
    await settle()
    elsewhere.going_on.set()
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert outcomes[:32] == [None] * 32
    assert all(isinstance(outcome, Overloaded) for outcome in outcomes[32:])


async def test_a_failed_comparison_is_told_to_whoever_asked_and_forgotten(
    foreign: Foreign, elsewhere: Elsewhere
) -> None:
    """One failure would be the answer for ever, or be told to nobody."""
    elsewhere.failure = Unavailable(internal="no memory")
    elsewhere.going_on.set()
    asking, leaving = comparing(foreign, KEY, of_hash("one")), comparing(foreign, KEY, of_hash("one"))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(Unavailable):
        await asking
    elsewhere.failure = None
    assert await comparing(foreign, KEY, of_hash("one")) == of_hash("one").digest


async def test_whoever_leaves_takes_nobodys_answer_along(foreign: Foreign, elsewhere: Elsewhere) -> None:
    """A client that hangs up would end the comparison that others wait for."""
    leaving, staying = comparing(foreign, KEY, of_hash("one")), comparing(foreign, KEY, of_hash("one"))
    await settle()
    leaving.cancel()
    await settle()
    elsewhere.going_on.set()
    assert await staying == of_hash("one").digest


async def test_a_comparison_that_is_ended_with_the_server_is_no_error(foreign: Foreign) -> None:
    """Every stop under load would end in a traceback."""
    asking = comparing(foreign, KEY, of_hash("one"))
    await settle()
    for comparison in foreign._comparisons.values():
        comparison.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert foreign._comparisons == {}
