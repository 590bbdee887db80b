"""Nothing tells whether a guessed key's id exists: not the words, not the way the answer is found, not its time."""

from __future__ import annotations

import secrets
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import pytest

from bonafides.secret import ALPHABET, SecretKind, checksum, mint, new_id
from tests.attacks.cast import Party
from tests.attacks.wire import request, wire
from tests.serving import START_US, RunningServer

SAMPLES: Final = 120
ROUNDS: Final = 6


def random_part() -> str:
    """22 characters as those of a secret."""
    return "".join(secrets.choice(ALPHABET) for _ in range(22))


def of_unknown_id() -> str:
    """A key of an id that was never given."""
    return mint(SecretKind.KEY, new_id("key", START_US, secrets.token_bytes), secrets.token_bytes)


def of_known_id(key_id: str) -> str:
    """A key of an id that there is, with another secret, and the checksum that belongs to it."""
    head = f"bf_key_{key_id.removeprefix('key_')}{random_part()}"
    return f"{head}_{checksum(head)}"


def differ(left: Sequence[float], right: Sequence[float]) -> bool:
    """Whether the typical times of two ways differ by more than a busy machine explains.

    Medians do not see outliers. What worked on others was a delay of 100 ms and more, or a slow hash, on one
    way alone; a quarter of the whole and half a millisecond are far below that.
    """
    one, other = statistics.median(left), statistics.median(right)
    return abs(one - other) > max(0.0005, min(one, other) / 4)


def times(
    server: RunningServer, ways: Sequence[Callable[[], bytes]], expected: int
) -> tuple[list[float], ...]:
    """How long each way takes, measured in turn, so that what disturbs one disturbs the others too."""
    found: tuple[list[float], ...] = tuple([] for _ in ways)
    with wire(server.url) as connection:
        for _ in range(SAMPLES):
            for way, taken in zip(ways, found, strict=True):
                sent = way()
                began = time.perf_counter()
                connection.send(sent)
                reply = connection.reply()
                taken.append(time.perf_counter() - began)
                assert reply.status == expected
    return found


def always_differ(server: RunningServer, ways: Sequence[Callable[[], bytes]], expected: int = 401) -> bool:
    """Whether two ways differ in every round; chance differs in some, an oracle in all."""
    return all(differ(*times(server, ways, expected)) for _ in range(ROUNDS))


@pytest.mark.parametrize("delay", [0.05, 0.005])
def test_the_measure_sees_an_oracle(delay: float) -> None:
    """Attack 3: a test that cannot fail proves nothing."""
    quick = [0.001 + secrets.randbelow(1_000) / 1e6 for _ in range(SAMPLES)]
    slow = [taken + delay for taken in quick]
    assert differ(quick, slow)
    assert not differ(quick, [taken * 1.1 for taken in quick])


@pytest.mark.parametrize("present", ["Authorization: Bearer {}", "X-API-Key: {}", "Authorization: {}"])
def test_an_id_that_exists_takes_no_other_time(house: RunningServer, mine: Party, present: str) -> None:
    """Attack 3 (CVE-2026-23996), ASVS 6.3.8: only where the id was right did the answer wait, and told so."""
    ways = [
        lambda: request("GET", "/v1/auth/verify", present.format(of_known_id(mine.owner.key_id))),
        lambda: request("GET", "/v1/auth/verify", present.format(of_unknown_id())),
    ]
    assert not always_differ(house, ways)


def test_a_wrong_checksum_takes_no_other_time_either(house: RunningServer, mine: Party) -> None:
    """Attack 3: a typo in a good key must not be told from a typo in none."""

    def broken(key: str) -> bytes:
        return request("GET", "/v1/auth/verify", key=key[:-1] + ("0" if key[-1] != "0" else "1"))

    ways = [lambda: broken(mine.owner.key), lambda: broken(of_unknown_id())]
    assert not always_differ(house, ways)


def test_a_guess_that_is_repeated_takes_no_other_time(house: RunningServer, mine: Party) -> None:
    """Attack 3: the memory of misses would be an oracle of its own."""
    known, unknown = of_known_id(mine.owner.key_id), of_unknown_id()
    ways = [
        lambda: request("GET", "/v1/auth/verify", key=known),
        lambda: request("GET", "/v1/auth/verify", key=unknown),
    ]
    assert not always_differ(house, ways)


def test_a_foreign_key_takes_no_other_time_than_none(
    house: RunningServer, mine: Party, theirs: Party
) -> None:
    """Attack 3, attack 47: a resource server that was handed a foreign key could tell that it is one."""

    def question(key: str) -> bytes:
        body = f'{{"credential":"{key}"}}'.encode()
        headers = ("Content-Type: application/json", f"Content-Length: {len(body)}")
        return request("POST", "/v1/credentials/verify", *headers, body=body, key=mine.owner.key)

    unknown = of_unknown_id()
    ways = [lambda: question(theirs.owner.key), lambda: question(unknown)]
    assert not always_differ(house, ways, expected=200)


def test_both_are_found_out_in_the_same_way(
    house: RunningServer, mine: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack 3: whatever a machine's clock shows, one look-up by digest for either is why it shows nothing."""
    asked: list[int] = []
    store = house.rooms.store
    find = store.find_verifiable

    async def counted(digests: Sequence[bytes]) -> Any:
        asked.append(len(digests))
        return await find(digests)

    monkeypatch.setattr(store, "find_verifiable", counted)
    guesses = [of_known_id(mine.owner.key_id)] * 3 + [of_unknown_id()] * 3
    answers = [house.client(guess).get("/v1/auth/verify") for guess in guesses]
    assert asked == [1, 1], "one digest for each, once; then it is a known miss"
    seen = [
        (
            answer.status_code,
            answer.json()["error"],
            answer.json()["message"],
            answer.headers["www-authenticate"],
        )
        for answer in answers
    ]
    assert len(set(seen)) == 1


def test_the_management_calls_tell_no_ids_either(house: RunningServer, mine: Party, theirs: Party) -> None:
    """Attack 3, attack 47: an id of another tenant takes as long to be unknown as one that never was."""
    ways = [
        lambda: request("GET", f"/v1/api-keys/{theirs.owner.key_id}", key=mine.owner.key),
        lambda: request("GET", f"/v1/api-keys/key_{random_part()}", key=mine.owner.key),
    ]
    assert not always_differ(house, ways, expected=404)
