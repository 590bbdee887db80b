"""Memory keeps who a credential speaks for, never a verdict: every request is judged by all that it says."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import pytest

from bonafides.audit import Recorder
from bonafides.model import Actor, DigestedSecret
from bonafides.secret import SecretKind, mint, new_id
from bonafides.store import Store
from bonafides.store.sqlite import open_sqlite
from tests.attacks.cast import NARROWED, OWN_SCOPE, Party, as_, house_settings, party, somebody
from tests.attacks.pathways import everywhere, outcomes
from tests.serving import START_US, RunningServer, running

ASK: Final = "/v1/credentials/verify"


@pytest.fixture
def there(house: RunningServer) -> Party:
    """A tenant of a test's own."""
    return party(house)


def test_every_scope_is_judged_anew(house: RunningServer, there: Party) -> None:
    """Attack 24 (GHSA-qvp4-rpmr-xwrr): a verdict for one scope was given to a request for another."""
    client = house.client(house.create_key(user_id=there.owner.id, scopes=["read", OWN_SCOPE])["key"])
    allowed = {"", "read", OWN_SCOPE, f"read {OWN_SCOPE}", "read read"}
    asked = [
        *allowed,
        "write",
        "admin",
        "read write",
        f"{OWN_SCOPE} admin",
        "READ",
        "read,write",
        "*",
        "nonsense",
    ]
    for path, good in (("/v1/auth/verify", 200), ("/auth/forward", 204)):
        for scope in (*asked, *reversed(asked)):
            status = client.get(path, params={"scope": scope} if scope else {}).status_code
            assert status == (good if scope in allowed else 403), (path, scope)


def test_every_address_is_judged_anew(house: RunningServer, there: Party) -> None:
    """Attack 24: a verdict for an allowed address was given to every address."""
    key = house.create_key(user_id=there.owner.id, allowed_ips=["192.0.2.0/24", "2001:db8::/48"])["key"]
    good = ["192.0.2.1", "192.0.2.255", "2001:db8::1", "2001:db8:0:ffff::1", "::ffff:192.0.2.1"]
    bad = [
        "192.0.3.1",
        "127.0.0.1",
        "2001:db8:1::1",
        "::1",
        "::ffff:192.0.3.1",
        "::192.0.2.1",
        "64:ff9b::192.0.2.1",
        None,
    ]
    client = as_(house, there.owner)
    for ip in itertools.chain(*zip(good * 2, bad * 2, strict=False)):
        verdict = client.post(ASK, json={"credential": key, "ip": ip}).json()
        assert verdict["valid"] is (ip in good), ip
    assert house.client(key).get("/v1/auth/verify").status_code == 403


def test_every_asker_is_judged_anew(house: RunningServer, there: Party) -> None:
    """Attack 24, attack 47: what one tenant's resource server was told was told to another's."""
    stranger = party(house)
    for asker, valid in itertools.islice(itertools.cycle([(there, True), (stranger, False)]), 6):
        verdict = as_(house, asker.owner).post(ASK, json={"credential": there.member.key}).json()
        assert verdict["valid"] is valid


def test_two_keys_are_never_mixed_up(house: RunningServer, there: Party) -> None:
    """Attack 24: a cache key that is cut or folded gives one caller the other's identity."""
    keys = [house.create_key(user_id=somebody.id) for somebody in there for _ in range(3)]
    clients = [house.client(key["key"]) for key in keys]
    for _ in range(3):
        for key, client in zip(keys, clients, strict=True):
            shown = client.get("/v1/auth/verify").json()
            assert (shown["credential"]["id"], shown["user_id"]) == (key["id"], key["user_id"])
            headers = client.get("/auth/forward").headers
            assert (headers["x-auth-credential"], headers["x-auth-user"]) == (key["id"], key["user_id"])


@pytest.mark.parametrize(
    ("patch", "question", "expected"),
    [
        ({"scopes": ["read"]}, {"scope": "write"}, "insufficient_scope"),
        ({"allowed_ips": ["198.51.100.1"]}, {"ip": "192.0.2.1"}, "ip_not_allowed"),
        ({"expires_in": 1}, {}, "token_expired"),
    ],
)
def test_a_change_binds_the_next_request(
    house: RunningServer, there: Party, patch: dict[str, Any], question: dict[str, Any], expected: str
) -> None:
    """Attack 24, ASVS 8.3.2: what was changed must not be waited for until a cache forgets."""
    key = house.create_key(user_id=there.owner.id, scopes=["read", "write"])
    client = as_(house, there.owner)
    ask = {"credential": key["key"], "ip": "192.0.2.1", **question}
    assert client.post(ASK, json=ask).json()["valid"] is True
    assert client.patch(f"/v1/api-keys/{key['id']}", json=patch).status_code == 200
    house.clock.advance(1 if "expires_in" in patch else 0)
    assert client.post(ASK, json=ask).json()["code"] == expected


def test_a_users_change_binds_all_their_keys_at_once(house: RunningServer, there: Party) -> None:
    """Attack 24, ASVS 8.3.2: the user's list is half of every verdict on their keys."""
    user = somebody(house, there.id, "admin", scopes=NARROWED)
    key = house.create_key(user_id=user.id, scopes=["admin", "write"])
    client = house.client(key["key"])
    assert client.get("/v1/auth/verify?scope=write").status_code == 200
    as_(house, there.owner).patch(f"/v1/users/{user.id}", json={"scopes": ["admin"]})
    assert client.get("/v1/auth/verify?scope=write").status_code == 403
    assert client.get("/v1/auth/verify?scope=admin").status_code == 200
    assert client.get("/auth/forward").headers["x-auth-scopes"] == "admin"
    assert as_(house, user).get("/v1/auth/verify?scope=read").status_code == 403


def test_a_plan_is_looked_up_by_its_name_not_remembered_by_its_figures(
    house: RunningServer, there: Party
) -> None:
    """Attack 24, ASVS 2.4.1: a limit that was lowered, or lifted, binds the next request of who is resident."""
    name = f"plan-{secrets.token_hex(4)}"
    house.create_plan(name, requests_per_hour=100)
    client = house.client(house.create_key(user_id=there.owner.id, plan=name)["key"])
    assert client.get("/v1/auth/verify").headers["x-ratelimit-remaining"] == "99"
    house.create_plan(name, requests_per_hour=2)
    assert client.get("/v1/auth/verify").headers["x-ratelimit-remaining"] == "0"
    assert client.get("/v1/auth/verify").status_code == 429
    house.create_plan(name, requests_per_hour=3)
    assert client.get("/v1/auth/verify").headers["x-ratelimit-remaining"] == "0"


async def import_key(store: Store, server: RunningServer, like: dict[str, Any], key: str) -> None:
    """Write a key whose secret was made elsewhere into a store, as a copy of one that there is."""
    rooms = server.rooms
    model = await store.find_credential(like["id"], like["tenant_id"])
    assert model is not None
    identifier = f"key_{key.split('_')[2][:22]}"
    digested = DigestedSecret(rooms.peppers.digest(key.encode()), rooms.peppers.newest_id)
    event = Recorder(rooms.clock, secrets.token_bytes).event(
        "api_key.created", Actor(None, None, via="import"), model.tenant_id, identifier
    )
    await store.create_credential(replace(model, id=identifier, root_id=identifier), digested, event)


def unborn_key() -> str:
    """A key that nobody has stored yet."""
    return mint(SecretKind.KEY, new_id("key", START_US, secrets.token_bytes), secrets.token_bytes)


def test_a_miss_that_is_remembered_does_not_outlive_the_keys_birth(
    house: RunningServer, there: Party
) -> None:
    """Attack 24: whoever asks for a key before it is stored would keep it from ever working (poisoning)."""
    like, key = house.create_key(user_id=there.owner.id), unborn_key()
    for _ in range(2):
        assert outcomes(house, key) == everywhere("invalid_api_key")
    done = asyncio.run_coroutine_threadsafe(import_key(house.rooms.store, house, like, key), house.loop)
    done.result(10)
    assert outcomes(house, key) == everywhere("accepted")


def test_a_miss_does_not_outlive_a_birth_in_another_process(house: RunningServer, there: Party) -> None:
    """Attack 24: the same, where the change feed has to bring the news; within the promised staleness."""
    like, key = house.create_key(user_id=there.owner.id), unborn_key()
    assert outcomes(house, key) == everywhere("invalid_api_key")

    async def elsewhere() -> None:
        store = open_sqlite(house.settings.database_url, on_commit=lambda _: None, connections_max=1)
        try:
            await import_key(store, house, like, key)
        finally:
            await store.close()

    asyncio.run(elsewhere())
    client = house.client(key)
    deadline = time.monotonic() + house.settings.max_staleness_seconds
    while client.get("/v1/auth/verify").status_code != 200:
        assert time.monotonic() < deadline
    assert outcomes(house, key) == everywhere("accepted")


@pytest.fixture
def forgetful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with room for next to nothing in its memory."""
    folder = tmp_path_factory.mktemp("forgetful")
    settings = house_settings(folder, resident_credentials_max=3, known_misses_max=4)
    with running(settings) as server:
        server.create_plan("enterprise")
        server.create_plan("free")
        yield server


def test_a_flood_of_misses_pushes_nobody_out(forgetful: RunningServer) -> None:
    """Attack 24: guesses would fill the memory, or take the place of good keys in it."""
    good = forgetful.create_key()["key"]
    client = forgetful.client(good)
    assert client.get("/v1/auth/verify").status_code == 200
    resident = len(forgetful.rooms.index)
    guesses = [unborn_key() for _ in range(40)]
    for guess in guesses + guesses:
        assert forgetful.client(guess).get("/v1/auth/verify").status_code == 401
    assert len(forgetful.rooms.index) == resident
    assert client.get("/v1/auth/verify").status_code == 200


def test_eviction_forgets_no_verdicts_and_no_counts(forgetful: RunningServer) -> None:
    """Attack 24, ASVS 2.4.1: whoever pushes their own key out of memory would start with a fresh limit."""
    forgetful.create_plan("ten", requests_per_hour=10)
    spent = forgetful.create_key(plan="ten")["key"]
    revoked = forgetful.create_key()
    assert forgetful.client(revoked["key"]).get("/v1/auth/verify").status_code == 200
    forgetful.admin.delete(f"/v1/api-keys/{revoked['id']}")
    statuses = []
    for _ in range(14):
        statuses.append(forgetful.client(spent).get("/v1/auth/verify").status_code)
        for _ in range(2):
            others = forgetful.create_key()["key"]
            assert forgetful.client(others).get("/v1/auth/verify").status_code == 200
        assert forgetful.client(revoked["key"]).get("/v1/auth/verify").status_code == 401
    assert statuses == [200] * 10 + [429] * 4
