"""Only the whole credential is the credential: no part of it, nothing around it, nothing like it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from bonafides.secret import ALPHABET, checksum
from tests.attacks.cast import Party, refused
from tests.attacks.pathways import PATHWAYS, PRESENTATIONS, everywhere, outcomes
from tests.attacks.wire import request, wire
from tests.serving import RunningServer

INVALID: Final = {"invalid_api_key", "invalid_token", "missing_api_key", "invalid_request"}


@pytest.fixture(scope="module")
def key(house: RunningServer, mine: Party) -> Iterator[str]:
    """A good key, which is still good after every attack."""
    made: str = house.create_key(user_id=mine.owner.id, scopes=["read"])["key"]
    yield made
    assert outcomes(house, made) == everywhere("accepted")


def with_checksum(head: str) -> str:
    """A string of the look of a key, with the checksum that belongs to it."""
    return f"{head}_{checksum(head)}"


def prefixes(key: str) -> list[str]:
    """Every proper beginning."""
    return [key[:length] for length in range(len(key))]


def suffixes(key: str) -> list[str]:
    """Every proper end."""
    return [key[start:] for start in range(1, len(key))]


def without_one(key: str) -> list[str]:
    """Every way to leave out one character."""
    return [key[:place] + key[place + 1 :] for place in range(len(key))]


def with_one_more(key: str) -> list[str]:
    """Characters put before, behind and between."""
    return [
        key[:place] + letter + key[place:] for place in (0, 10, 40, len(key)) for letter in "0aZ_-.=/+%\u00e9"
    ]


def with_one_changed(key: str) -> list[str]:
    """Every character, exchanged for another."""
    return [
        key[:place] + ALPHABET[(ALPHABET.find(key[place]) + 1) % 62] + key[place + 1 :]
        for place in range(len(key))
    ]


def with_two_swapped(key: str) -> list[str]:
    """Neighbours, exchanged."""
    pairs = ((place, key[place], key[place + 1]) for place in range(len(key) - 1))
    return [
        key[:place] + after + before + key[place + 2 :] for place, before, after in pairs if before != after
    ]


def with_a_checksum_of_their_own(key: str) -> list[str]:
    """Parts of the secret, made whole again as the format asks: what a checksum alone would let through."""
    head = key.rpartition("_")[0]
    payload = head.removeprefix("bf_key_")
    identifier, random = payload[:22], payload[22:]
    others = ("pat", "tok", "oat", "ort", "sec")
    return [
        *(with_checksum(f"bf_{kind}_{payload}") for kind in others),
        with_checksum(f"bf_key_{identifier}{'0' * 22}"),
        with_checksum(f"bf_key_{identifier}{random[:-1]}0"),
        with_checksum(f"bf_key_{identifier}{random.swapcase()}"),
        with_checksum(f"bf_key_{'0' * 22}{random}"),
        with_checksum(f"bf_key_{random}{identifier}"),
        with_checksum(f"bf_key_{identifier}{identifier}"),
        with_checksum(f"bf_key_{identifier}"),
        with_checksum(f"bf_key_{payload}0"),
        with_checksum(f"bf_key_{payload[:-1]}"),
    ]


def of_another_case(key: str) -> list[str]:
    """The same letters in other sizes."""
    return [key.upper(), key.lower(), key.swapcase(), key.title(), "BF_KEY_" + key[7:], "bf_KEY_" + key[7:]]


def in_disguise(key: str) -> list[str]:
    """Around the key, what a lenient reader strips."""
    return [
        f'"{key}"',
        f"'{key}'",
        f"<{key}>",
        f"{key},",
        f"{key};",
        f"{key}.",
        f"Bearer:{key}",
        f"bearer={key}",
        f"{key},{key}",
        f"{key}{key}",
        f"key={key}",
        f"{key}=",
        f"{key}%00",
        f"\u200b{key}",
        f"{key}\u00a0",
        key.replace("_", "\uff3f"),
        key.replace("_", "-"),
        key.encode().hex(),
    ]


MANGLED: Final[dict[str, Callable[[str], list[str]]]] = {
    function.__name__: function
    for function in (
        prefixes,
        suffixes,
        without_one,
        with_one_more,
        with_one_changed,
        with_two_swapped,
        with_a_checksum_of_their_own,
        of_another_case,
        in_disguise,
    )
}


@pytest.mark.parametrize("mangle", MANGLED.values(), ids=MANGLED)
def test_nothing_but_the_whole_key_verifies(
    house: RunningServer, key: str, mangle: Callable[[str], list[str]]
) -> None:
    """Attack 4 (CVE-2026-27840): a part of a token was accepted as the token."""
    assert house.client(key).get("/v1/auth/verify").status_code == 200
    with wire(house.url) as connection:
        for mangled in mangle(key):
            for header in (
                f"Authorization: Bearer {mangled}",
                f"Authorization: {mangled}",
                f"X-API-Key: {mangled}",
            ):
                line = header.encode("utf-8").decode("latin-1")
                connection.send(request("GET", "/v1/auth/verify", line))
                reply = connection.reply()
                assert reply.status in {400, 401}, header
                assert reply.json()["error"] in INVALID, header


@pytest.mark.parametrize("mangle", MANGLED.values(), ids=MANGLED)
def test_nothing_but_the_whole_key_verifies_for_a_resource_server(
    house: RunningServer, key: str, mangle: Callable[[str], list[str]]
) -> None:
    """Attack 4: what a resource server passes on is judged by the same rule, bytes as they are."""
    for mangled in mangle(key):
        if mangled:
            answer = house.admin.post("/v1/credentials/verify", json={"credential": mangled}).json()
            assert (answer["valid"], answer["code"] in INVALID) == (False, True), mangled
    for around in (f" {key}", f"{key} ", f"{key}\n", f"\t{key}", f"Bearer {key}"):
        assert (
            house.admin.post("/v1/credentials/verify", json={"credential": around}).json()["valid"] is False
        )


@pytest.mark.parametrize("pathway", PATHWAYS)
def test_a_sample_is_refused_on_every_way_in(house: RunningServer, key: str, pathway: str) -> None:
    """Attack 4: the second way in lacked the first one's check."""
    samples = [key[:-1], key[:-7], key + "0", key[1:], *with_a_checksum_of_their_own(key)]
    for mangled in samples:
        assert PATHWAYS[pathway](house, mangled) in INVALID


@pytest.mark.parametrize("present", ["basic as user name", "basic as password"])
def test_basic_cuts_nothing_off(house: RunningServer, key: str, present: str) -> None:
    """Attack 4, RFC 7617 §2: user name and password are split at the first colon, and used as they are."""
    client = house.client()
    headers = PRESENTATIONS[present]
    assert client.get("/v1/auth/verify", headers=headers(key)).status_code == 200
    for mangled in (key[:-1], key + "0", f" {key}", f"{key}\n", f"{key}\x00", f"x:{key}", f"{key}:{key}x"):
        answer = client.get("/v1/auth/verify", headers=headers(mangled))
        assert answer.status_code in {400, 401}, mangled


@pytest.mark.parametrize(
    "encoded",
    ["", "=", "!!!!", "Y", "YTpi\xff", "YTpi=", "YTpiYw", "YTpiYw===", "YTp\niYw==", "YTpi YTpi"],
)
def test_broken_basic_is_refused(house: RunningServer, encoded: str) -> None:
    """Attack 4: a decoder that skips what it does not know makes many strings into one credential."""
    with wire(house.url) as connection:
        connection.send(request("GET", "/v1/auth/verify", f"Authorization: Basic {encoded}"))
        reply = connection.reply()
        assert reply.status in {400, 401}
        assert reply.json()["error"] in INVALID


def test_the_random_part_is_what_counts(house: RunningServer, key: str) -> None:
    """Attack 4, ASVS 11.5.1: whoever sees a key's id and its display must still guess 128 bits."""
    shown = house.client(key).get("/v1/auth/verify").json()["credential"]["id"].removeprefix("key_")
    assert key.startswith(f"bf_key_{shown}")
    random = key.split("_")[2][22:]
    assert len(random) == 22
    assert 62**22 > 2**128
    display = house.admin.get(f"/v1/api-keys/key_{shown}").json()["display"]
    assert random not in display
    for _ in range(50):
        guess = with_checksum(f"bf_key_{shown}" + "".join(secrets.choice(ALPHABET) for _ in range(22)))
        assert refused(house.client(guess).get("/v1/auth/verify"), 401, "invalid_api_key")
