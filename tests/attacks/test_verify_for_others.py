"""A resource server asks about somebody's credential: it learns what is its own, and spends nothing of others'."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any, Final

import httpx2
import pytest

from bonafides.secret import SecretKind, mint, new_id
from tests.attacks.cast import Party, as_, house_settings, party, refused, somebody
from tests.serving import START_US, RunningServer, running

ASK: Final = "/v1/credentials/verify"
ADDRESS_LIMIT: Final = 12


def unknown_key() -> str:
    """A key that nobody ever made, of the right look."""
    return mint(SecretKind.KEY, new_id("key", START_US, secrets.token_bytes), secrets.token_bytes)


def told(client: httpx2.Client, credential: str, **question: object) -> dict[str, Any]:
    """What a resource server is told."""
    answer = client.post(ASK, json={"credential": credential, **question})
    assert answer.status_code == 200, answer.text
    verdict: dict[str, Any] = answer.json()
    return verdict


@pytest.mark.parametrize("cold", [True, False])
def test_a_foreign_credential_looks_like_one_that_never_was(
    house: RunningServer,
    mine: Party,
    theirs: Party,
    cold: bool,  # noqa: FBT001
) -> None:
    """Attack 47, ASVS 8.4.1: a resource server would learn whose keys are good elsewhere, and what they may do."""
    key = house.create_key(user_id=theirs.owner.id, allowed_ips=["192.0.2.7"], expires_in=60)["key"]
    client = as_(house, mine.owner)
    if not cold:
        house.client(key).get("/v1/auth/verify")
    for question in ({}, {"ip": "192.0.2.7"}, {"scope": "read"}, {"scope": "admin"}, {"cost": 0}):
        for _ in range(2):
            assert told(client, key, **question) == told(client, unknown_key(), **question)


def test_a_foreign_credential_looks_unknown_in_every_state(
    house: RunningServer, mine: Party, theirs: Party
) -> None:
    """Attack 47: an expired, a disabled and a spent key of others must not differ from each other either."""
    client = as_(house, mine.owner)
    house.create_plan("one", requests_per_hour=1)
    expired = house.create_key(user_id=theirs.owner.id, expires_in=1)
    disabled = house.create_key(user_id=theirs.owner.id)
    spent = house.create_key(user_id=theirs.owner.id, plan="one")
    house.admin.post(f"/v1/api-keys/{disabled['id']}/disable")
    house.clock.advance(2)
    assert house.client(spent["key"]).get("/v1/auth/verify").status_code == 200
    assert house.client(spent["key"]).get("/v1/auth/verify").status_code == 429
    stranger = told(client, unknown_key())
    for key in (expired, disabled, spent):
        for _ in range(2):
            assert told(client, key["key"]) == stranger


def test_a_foreign_question_spends_nothing(house: RunningServer, mine: Party, theirs: Party) -> None:
    """ASVS 6.1.1: anybody with a tenant of their own could use up others' limits with `cost`."""
    house.create_plan("few", requests_per_hour=5)
    key = house.create_key(user_id=theirs.owner.id, plan="few")["key"]
    client = as_(house, mine.owner)
    victim = house.client(key)
    assert victim.get("/v1/auth/verify").headers["x-ratelimit-remaining"] == "4"
    for cost in (1, 5, 1_000_000):
        assert told(client, key, cost=cost)["valid"] is False
    assert victim.get("/v1/auth/verify").headers["x-ratelimit-remaining"] == "3"


def test_a_foreign_question_does_not_count_as_a_use(house: RunningServer, mine: Party, theirs: Party) -> None:
    """Attack 47: `last_used_at` would show a use that was none, and hide that a key lies idle."""
    key = house.create_key(user_id=theirs.owner.id)
    told(as_(house, mine.owner), key["key"])
    house.loop.call_soon_threadsafe(lambda: None)
    assert house.admin.get(f"/v1/api-keys/{key['id']}").json()["last_used_at"] is None


def test_the_question_needs_its_scope(house: RunningServer, mine: Party) -> None:
    """ASVS 8.2.1: everybody's key would be an oracle for stolen keys."""
    for who in (mine.member, mine.service):
        assert refused(
            as_(house, who).post(ASK, json={"credential": unknown_key()}), 403, "insufficient_scope"
        )
    assert refused(house.client().post(ASK, json={"credential": mine.owner.key}), 401, "missing_api_key")
    narrow = house.create_key(user_id=mine.owner.id, scopes=["admin", "read", "write"])["key"]
    assert refused(house.client(narrow).post(ASK, json={"credential": narrow}), 403, "insufficient_scope")


def test_the_asker_is_judged_like_anybody(house: RunningServer, mine: Party) -> None:
    """ASVS 8.3.1: a resource server's own disabled, expired or misplaced key would go on asking."""
    wish = {"user_id": mine.owner.id, "scopes": ["credentials:verify"]}
    disabled = house.create_key(**wish)
    expired = house.create_key(**wish, expires_in=1)
    elsewhere = house.create_key(**wish, allowed_ips=["192.0.2.7"])
    question = {"credential": mine.member.key}
    for key in (disabled, expired):
        assert house.client(key["key"]).post(ASK, json=question).status_code == 200
    house.admin.post(f"/v1/api-keys/{disabled['id']}/disable")
    house.clock.advance(2)
    for _ in range(2):
        assert refused(house.client(disabled["key"]).post(ASK, json=question), 401, "invalid_api_key")
        assert refused(house.client(expired["key"]).post(ASK, json=question), 401, "token_expired")
        assert refused(house.client(elsewhere["key"]).post(ASK, json=question), 403, "ip_not_allowed")


def test_the_operators_resource_server_knows_every_tenants_credentials(
    house: RunningServer, theirs: Party
) -> None:
    """ASVS 8.4.1: the one who runs the installation is the exception, and must be the only one."""
    assert told(house.admin, theirs.member.key)["tenant_id"] == theirs.id
    operators_member = somebody(
        house, house.founded.tenant_id, "member", scopes=["read", "credentials:verify"]
    )
    assert told(as_(house, operators_member), theirs.member.key)["valid"] is True


def test_a_credential_that_is_asked_about_needs_an_address_if_it_has_networks(
    house: RunningServer, mine: Party
) -> None:
    """ASVS 11.2.5: a resource server that forgets `ip` would open what was bound to a network."""
    key = house.create_key(user_id=mine.owner.id, allowed_ips=["192.0.2.0/24"])["key"]
    client = as_(house, mine.owner)
    for _ in range(2):
        assert told(client, key)["code"] == "ip_not_allowed"
        assert told(client, key, ip="198.51.100.1")["code"] == "ip_not_allowed"
        assert told(client, key, ip="127.0.0.1")["code"] == "ip_not_allowed"
        assert told(client, key, ip="::ffff:192.0.2.9")["valid"] is True
        assert told(client, key, ip="192.0.2.9")["valid"] is True
    for ip in ("", "localhost", "192.0.2", "192.0.2.9, 198.51.100.1", "0xC0000209"):
        assert refused(client.post(ASK, json={"credential": key, "ip": ip}), 400, "invalid_request")


@pytest.fixture
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that admits few requests without a good credential from one address."""
    folder = tmp_path_factory.mktemp("guarded")
    with running(house_settings(folder, address_requests_per_minute=ADDRESS_LIMIT)) as server:
        server.create_plan("free")
        yield server


def test_a_tenant_cannot_lock_out_an_address_for_others(guarded: RunningServer) -> None:
    """ASVS 6.1.1: by naming a victim's address with bad keys, any tenant once used up that address's limit."""
    attacker, victim = party(guarded), party(guarded)
    asker = as_(guarded, attacker.owner)
    codes = [told(asker, unknown_key(), ip="127.0.0.1")["code"] for _ in range(3 * ADDRESS_LIMIT)]
    assert codes[-1] == "rate_limit_exceeded", "the attacker's own questions are limited"
    fresh = guarded.create_key(user_id=victim.owner.id)["key"]
    assert guarded.client(fresh).get("/v1/auth/verify").status_code == 200
    assert refused(guarded.client(unknown_key()).get("/v1/auth/verify"), 401, "invalid_api_key")
    cold = guarded.create_key(user_id=victim.member.id)["key"]
    assert told(as_(guarded, victim.owner), cold, ip="127.0.0.1")["valid"] is True


def test_guessing_through_a_resource_server_is_limited_too(guarded: RunningServer) -> None:
    """Attack 40, ASVS 6.3.1: the second way in must not lack the first one's check."""
    asker = as_(guarded, party(guarded).owner)
    codes = [
        told(asker, unknown_key(), ip=f"2001:db8::{place:x}")["code"] for place in range(ADDRESS_LIMIT + 1)
    ]
    assert codes == ["invalid_api_key"] * ADDRESS_LIMIT + ["rate_limit_exceeded"]
