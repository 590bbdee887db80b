"""Who guesses is limited by where they are, in whatever spelling, from whichever of their many addresses."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Final

import httpx2
import pytest

from bonafides.secret import SecretKind, mint, new_id
from tests.attacks.cast import Party, house_settings, party, refused
from tests.attacks.pathways import PRESENTATIONS
from tests.serving import START_US, RunningServer, running

LIMIT: Final = 8


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that believes this machine about addresses, and admits few guesses from one."""
    folder = tmp_path_factory.mktemp("proxied")
    settings = house_settings(folder, trusted_proxies=("127.0.0.1",), address_requests_per_minute=LIMIT)
    with running(settings) as server:
        server.create_plan("enterprise")
        server.create_plan("free")
        yield server


@pytest.fixture(scope="module")
def there(proxied: RunningServer) -> Party:
    """A tenant of that server."""
    return party(proxied)


@pytest.fixture(autouse=True)
def new_minute(proxied: RunningServer) -> None:
    """Every test starts with nothing counted."""
    proxied.clock.advance(61)


def guess() -> str:
    """A key of the right look, with its checksum, that nobody has."""
    return mint(SecretKind.KEY, new_id("key", START_US, secrets.token_bytes), secrets.token_bytes)


def statuses(
    server: RunningServer, addresses: list[str], *, key: str | None = None, path: str = "/v1/auth/verify"
) -> list[int]:
    """What one bad request from each of these addresses gets."""
    client = server.client()
    found = []
    for address in addresses:
        headers = {"X-Forwarded-For": address, "Authorization": f"Bearer {key or guess()}"}
        found.append(client.get(path, headers=headers).status_code)
    return found


SAME_IPV4: Final = [
    "192.0.2.33",
    "192.0.2.33:1",
    "192.0.2.33:65535",
    "::ffff:192.0.2.33",
    "::FFFF:C000:0221",
    "[::ffff:192.0.2.33]",
    "[::ffff:c000:221]:443",
    "0:0:0:0:0:ffff:192.0.2.33",
    "0000:0000:0000:0000:0000:ffff:c000:0221",
    '"192.0.2.33"',
    "::ffff:c000:221%eth0",
]
SAME_IPV6: Final = [
    "2001:db8:1:2::1",
    "2001:db8:1:2::2",
    "2001:db8:1:2:ffff:ffff:ffff:ffff",
    "2001:0DB8:0001:0002:0000:0000:0000:0003",
    "[2001:db8:1:2::4]",
    "[2001:db8:1:2::5]:443",
    '"[2001:db8:1:2::6]:1"',
    "2001:db8:1:2:3::7",
    "2001:db8:1:2::192.0.2.1",
    "2001:db8:1:2::8%eth0",
    "2001:db8:1:2:8000::",
    "2001:db8:1:2::",
]


@pytest.mark.parametrize("addresses", [SAME_IPV4, SAME_IPV6], ids=["one IPv4 address", "one IPv6 network"])
@pytest.mark.parametrize("path", ["/v1/auth/verify", "/auth/forward", "/v1/users/me"])
def test_another_spelling_is_the_same_address(
    proxied: RunningServer, addresses: list[str], path: str
) -> None:
    """Attack 40 (CVE-2026-45364): each spelling, and each of the 2^64 addresses of one line, had a limit of its own."""
    assert len(addresses) > LIMIT
    found = statuses(proxied, addresses, path=path)
    assert found == [401] * LIMIT + [429] * (len(addresses) - LIMIT)


def test_a_random_walk_through_one_network_is_one_guesser(proxied: RunningServer) -> None:
    """Attack 40: privacy addresses change by themselves; a guesser changes theirs with each guess."""
    walk = [
        f"2001:db8:77:88:{secrets.randbits(16):x}:{secrets.randbits(16):x}::{place:x}" for place in range(30)
    ]
    assert statuses(proxied, walk).count(401) == LIMIT


def test_neighbours_are_not_punished(proxied: RunningServer) -> None:
    """Attack 40, ASVS 6.1.1: too coarse a group locks out those who live next door."""
    statuses(proxied, [*["2001:db8:1:2::1"] * LIMIT, *["192.0.2.33"] * LIMIT])
    assert statuses(proxied, ["2001:db8:1:2::1", "192.0.2.33"]) == [429, 429]
    assert (
        statuses(proxied, ["2001:db8:1:3::1", "2001:db8:1:1::1", "192.0.2.34", "::192.0.2.33"]) == [401] * 4
    )


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Bearer bf_key_damaged"},
        {"Authorization": "Bearer bf_tok_damaged"},
        {"Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."},
        {"Authorization": "Basic eDp5"},
        {"X-API-Key": "nonsense"},
        {"Authorization": "Bearer a", "X-API-Key": "b"},
        {"Authorization": "Basic !"},
    ],
)
def test_every_kind_of_bad_request_counts(proxied: RunningServer, bad: dict[str, str]) -> None:
    """Attack 40, ASVS 2.4.1: a kind that is not counted is the kind that floods."""
    client = proxied.client()
    headers = {**bad, "X-Forwarded-For": "198.51.100.1"}
    found = [client.get("/v1/auth/verify", headers=headers).status_code for _ in range(LIMIT + 3)]
    assert set(found[:LIMIT]) <= {400, 401}
    assert found[LIMIT:] == [429] * 3


def test_kinds_and_paths_share_one_count(proxied: RunningServer) -> None:
    """Attack 40, attack 41: a limit for each way in is no limit for who uses them all."""
    client = proxied.client()
    paths = [
        "/v1/auth/verify",
        "/auth/forward",
        "/auth/forward/caddy",
        "/v1/users/me",
        "/v1/api-keys",
        "/audit",
        "/metrics",
        "/nowhere",
    ]
    found = []
    for path, present in zip(paths * 2, [*PRESENTATIONS.values()] * 4, strict=False):
        headers = {**present(guess()), "X-Forwarded-For": "198.51.100.2"}
        found.append(client.get(path, headers=headers).status_code)
    assert 429 not in found[:LIMIT]
    assert set(found[LIMIT:]) == {429}


def test_a_refusal_tells_when_and_nothing_else(proxied: RunningServer, there: Party) -> None:
    """Attack 40, ASVS 6.3.8: past the limit, a good guess must look like a bad one."""
    statuses(proxied, ["198.51.100.3"] * LIMIT)
    cold = proxied.create_key(user_id=there.owner.id)["key"]
    headers = {"X-Forwarded-For": "198.51.100.3"}
    good = proxied.client(cold).get("/v1/auth/verify", headers=headers)
    bad = proxied.client(guess()).get("/v1/auth/verify", headers=headers)
    for answer in (good, bad):
        assert refused(answer, 429, "rate_limit_exceeded")
        assert answer.headers["retry-after"] == "60"
        assert answer.headers["x-ratelimit-remaining"] == "0"
    assert _words(good) == _words(bad)


def _words(answer: httpx2.Response) -> str:
    message: str = answer.json()["message"]
    return message


def test_who_is_known_is_not_locked_out_by_a_neighbour(proxied: RunningServer, there: Party) -> None:
    """ASVS 6.1.1: somebody in the same office would stop everybody's programs with a few bad requests."""
    address = {"X-Forwarded-For": "198.51.100.4"}
    for path in ("/v1/auth/verify", "/auth/forward", "/v1/users/me"):
        assert proxied.client(there.member.key).get(path, headers=address).status_code in {200, 204}
    statuses(proxied, ["198.51.100.4"] * (LIMIT + 5))
    for path in ("/v1/auth/verify", "/auth/forward", "/v1/users/me"):
        assert proxied.client(there.member.key).get(path, headers=address).status_code in {200, 204}


def test_good_requests_use_up_nothing(proxied: RunningServer, there: Party) -> None:
    """ASVS 6.1.1: a busy client, resident or not, must not be taken for a guesser."""
    address = {"X-Forwarded-For": "198.51.100.5"}
    for _ in range(2 * LIMIT):
        key = proxied.create_key(user_id=there.owner.id)["key"]
        assert proxied.client(key).get("/v1/auth/verify", headers=address).status_code == 200
    assert statuses(proxied, ["198.51.100.5"]) == [401]


def test_the_minute_passes(proxied: RunningServer) -> None:
    """ASVS 6.1.1: a limit that does not end is a lock-out."""
    assert statuses(proxied, ["198.51.100.6"] * (LIMIT + 1))[-1] == 429
    proxied.clock.advance(59)
    assert statuses(proxied, ["198.51.100.6"]) == [429]
    proxied.clock.advance(1)
    assert statuses(proxied, ["198.51.100.6"]) == [401]


def test_one_known_miss_is_counted_each_time(proxied: RunningServer) -> None:
    """Attack 40: a guess that is remembered as wrong is cheap, but it is still a guess."""
    assert statuses(proxied, ["198.51.100.7"] * (LIMIT + 2), key=guess()) == [401] * LIMIT + [429] * 2
