"""§6: requests with no or a bad credential are limited by address, before any look-up."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import httpx2
import pytest

from tests.postgres import PostgresServer
from tests.serving import RunningServer, running, settings_for
from tests.web.tenancy import Tenancy, eventually, refusal, tenancy_on

LIMIT = 10


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def limited_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server that admits ten requests a minute from an address without a good credential."""
    folder = tmp_path_factory.mktemp("limited")
    url = f"sqlite:///{folder / 'bonafides.db'}"
    if request.param == "postgresql":
        postgres: PostgresServer = request.getfixturevalue("postgres")
        url = postgres.create_database()
    settings = settings_for(
        url,
        folder,
        trusted_proxies=["127.0.0.1"],
        address_requests_per_minute=LIMIT,
        scopes=["invoices:read", "invoices:write"],
        max_staleness_seconds=60,  # a machine that is busy with other tests must not forget a good key
    )
    with running(settings) as server:
        server.create_plan("unmetered")
        yield server


@pytest.fixture
def limited(limited_server: RunningServer) -> Tenancy:
    """A tenant on it, in a minute of its own."""
    limited_server.clock.advance(61)
    return tenancy_on(limited_server)


def an_address() -> str:
    """An IPv4 address that nobody has come from yet."""
    return f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"


def unknown_key() -> str:
    """A string of no known shape; a new one each time, so that nothing remembers it."""
    return f"sk_{secrets.token_hex(12)}"


def remaining(answer: httpx2.Response) -> int:
    """What is left by the header."""
    return int(answer.headers["X-RateLimit-Remaining"])


def statuses(tenancy: Tenancy, credential: str | None, addresses: list[str]) -> list[int]:
    """The statuses of a request from each address."""
    return [tenancy.verify(credential, address).status_code for address in addresses]


@pytest.mark.parametrize(
    "credential",
    [None, "wrong", "bf_key_damaged", "bf_tok_damaged", "eyJhbGciOiJub25lIn0.e30.", "well-formed"],
)
def test_an_address_is_admitted_so_often_a_minute(limited: Tenancy, credential: str | None) -> None:
    """Guessing, and floods of nonsense, would cost the server as much as they like."""
    if credential == "well-formed":
        revoked = limited.key()
        limited.api.delete(f"/v1/api-keys/{revoked['id']}")
        credential = revoked["key"]
    address = an_address()
    began = limited.server.clock.micros() / 1e6
    for used in range(1, LIMIT + 1):
        answer = limited.verify(credential, address)
        assert answer.status_code == 401
        assert remaining(answer) == LIMIT - used
        assert answer.headers["X-RateLimit-Limit"] == str(LIMIT)
        assert int(answer.headers["X-RateLimit-Reset"]) == pytest.approx(began + 60, abs=1)
        assert answer.headers["RateLimit-Policy"] == f'"address";q={LIMIT};w=60'
        assert answer.headers["RateLimit"] == f'"address";r={LIMIT - used};t=60'
    refused = limited.verify(credential, address)
    assert refusal(refused) == (429, "rate_limit_exceeded")
    assert refused.headers["Retry-After"] == "60"
    assert refused.json()["message"] == "Rate limit exceeded. Try again in 60 seconds."
    assert remaining(refused) == 0
    limited.server.clock.advance(59.9)
    assert limited.verify(credential, address).status_code == 429
    limited.server.clock.advance(0.1)
    assert limited.verify(credential, address).status_code == 401


def test_every_kind_of_failure_shares_the_count(limited: Tenancy) -> None:
    """Somebody who mixes them would have so many times the guesses."""
    address = {"X-Forwarded-For": an_address()}
    anonymous = limited.client()
    calls: list[Callable[[], httpx2.Response]] = [
        lambda: anonymous.get("/v1/auth/verify", headers=address),
        lambda: anonymous.get("/auth/forward", headers={**address, "X-API-Key": unknown_key()}),
        lambda: anonymous.get("/v1/api-keys", headers=address),
        lambda: anonymous.post("/v1/credentials/verify", headers=address),
        lambda: anonymous.get("/v1/nothing-here", headers=address),
        lambda: anonymous.put("/v1/api-keys", headers=address),
        lambda: anonymous.get("/v1/auth/verify?api_key=x", headers=address),
        lambda: anonymous.get("/v1/auth/verify", headers={**address, "Authorization": "Bearer a b"}),
        lambda: anonymous.get("/v1/auth/verify", headers={**address, "Authorization": "a", "X-API-Key": "b"}),
        lambda: anonymous.get("/audit", headers=address),
    ]
    assert [remaining(call()) for call in calls] == list(range(LIMIT - 1, -1, -1))
    assert {call().status_code for call in calls} == {429}


def test_addresses_count_apart(limited: Tenancy) -> None:
    """One attacker would lock everybody out."""
    busy, quiet = an_address(), an_address()
    assert statuses(limited, None, [busy] * (LIMIT + 2)) == [401] * LIMIT + [429] * 2
    assert statuses(limited, None, [quiet]) == [401]


def test_an_ipv6_client_is_its_64_bit_network(limited: Tenancy) -> None:
    """A single machine has 18 quintillion addresses to guess from."""
    network = f"2001:db8:{secrets.randbelow(65536):x}:{secrets.randbelow(65536):x}"
    within = [f"{network}:{n:x}::{secrets.randbelow(65536):x}" for n in range(LIMIT)]
    assert statuses(limited, None, within) == [401] * LIMIT
    assert statuses(limited, None, [f"{network}::1", f"{network}:ffff:ffff:ffff:ffff"]) == [429, 429]
    assert statuses(limited, None, [f"[{network}::1]:443", f"{network.upper()}:0:0:0:1"]) == [429, 429]
    neighbour = f"2001:db9:{secrets.randbelow(65536):x}::1"
    assert statuses(limited, None, [neighbour]) == [401]


def test_an_ipv4_address_is_one_in_every_spelling(limited: Tenancy) -> None:
    """Writing it another way would double the guesses."""
    address = an_address()
    spellings = [
        address,
        f"::ffff:{address}",
        f"{address}:8080",
        f"[::ffff:{address}]:80",
        f"203.0.113.9,{address}",
    ]
    assert statuses(limited, None, spellings * 2) == [401] * LIMIT
    assert statuses(limited, None, spellings) == [429] * len(spellings)


def test_what_the_client_writes_into_forwarded_for_does_not_help(limited: Tenancy) -> None:
    """An attacker would choose a new address for each guess."""
    address = an_address()
    claims = [f"{an_address()}, {address}" for _ in range(LIMIT)]
    assert statuses(limited, None, claims) == [401] * LIMIT
    assert statuses(limited, None, [f"{an_address()}, {an_address()}, {address}"]) == [429]


def test_a_good_credential_is_not_counted_by_address(limited: Tenancy) -> None:
    """An office behind one address would be locked out by its own work."""
    address = an_address()
    assert statuses(limited, limited.key()["key"], [address] * (2 * LIMIT)) == [200] * 2 * LIMIT
    for _ in range(2 * LIMIT):
        assert limited.verify(limited.key()["key"], address).status_code == 200, (
            "each looked up for the first time"
        )
    assert remaining(limited.verify(None, address)) == LIMIT - 1


def test_a_good_key_goes_on_working_from_an_address_that_is_used_up(limited: Tenancy) -> None:
    """Anybody in the same building could stop a customer."""
    key, busy, quiet = limited.key()["key"], an_address(), an_address()
    assert statuses(limited, None, [busy] * (LIMIT + 1))[-1] == 429

    def works() -> bool:
        """News of the key's creation may throw it out of memory between the two; it comes once."""
        assert limited.verify(key, quiet).status_code == 200
        return limited.verify(key, busy).status_code == 200

    eventually(works)


def test_past_the_limit_nothing_is_looked_up(limited: Tenancy) -> None:
    """The flood would go on in the database; and 401 or 429 would tell a good guess from a bad one."""
    address = an_address()
    fresh = limited.key()["key"]
    assert statuses(limited, None, [address] * LIMIT) == [401] * LIMIT
    assert limited.verify(fresh, address).status_code == 429, "it was never seen, so it cannot be known"
    assert limited.verify(fresh, an_address()).status_code == 200


def test_a_scope_or_address_refused_does_not_count_by_address(limited: Tenancy) -> None:
    """The credential was good, and has a count of its own."""
    key, address = limited.key(scopes=[], allowed_ips=["192.0.2.1"])["key"], an_address()
    assert statuses(limited, key, [address] * (2 * LIMIT)) == [403] * 2 * LIMIT
    assert remaining(limited.verify(None, address)) == LIMIT - 1


def test_an_expired_key_counts_by_address(limited: Tenancy) -> None:
    """A client that does not notice would knock for ever."""
    key, address = limited.key(expires_in=1)["key"], an_address()
    limited.server.clock.advance(2)
    assert statuses(limited, key, [address] * (LIMIT + 1)) == [401] * LIMIT + [429]


def test_questions_about_credentials_do_not_count_for_the_asker(limited: Tenancy) -> None:
    """A resource server would be locked out by its own clients' mistakes."""
    for _ in range(2 * LIMIT):
        assert limited.ask(unknown_key())["code"] == "invalid_api_key"
    assert limited.verify(limited.owner_key["key"], "127.0.0.1").status_code == 200


def test_probes_and_pages_are_not_counted(limited: Tenancy) -> None:
    """A load balancer's probe would be refused, and the server taken out of service."""
    address = {"X-Forwarded-For": an_address()}
    for _ in range(LIMIT):
        for path in ("/healthz", "/readyz", "/openapi.json"):
            assert limited.client().get(path, headers=address).status_code == 200
