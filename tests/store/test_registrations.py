"""Registration in the store: who may register clients, how often, and which client a token is of."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from bonafides.delegation import ClientChanges, InitialAccessToken, NewClient
from bonafides.model import (
    EVERYWHERE,
    DigestedSecret,
    Page,
    Replayed,
    Role,
    Status,
    TenantChanges,
    UserChanges,
)
from bonafides.store import Reused
from bonafides.store.sql import SqlStore
from tests.store.records import LATER, NOW, claim, digest, event, tenant, user
from tests.store.test_clients import DEFINED, client, new


def token(identity: str = "iat_1", **fields: Any) -> InitialAccessToken:
    """One that lets two clients in."""
    made = InitialAccessToken(
        identity, "ten_a", "partners", "bf_iat_…", frozenset({"read"}), 2, "usr_owner", NOW, LATER
    )
    return replace(made, **fields)


def secret(name: str) -> DigestedSecret:
    """What is kept of a token's secret."""
    return DigestedSecret(digest(name), "p1")


def registering(identity: str) -> NewClient:
    """A client with a registration of its own."""
    return replace(new(client(identity, registered=True)), registration=secret(f"rat {identity}"))


async def test_a_token_is_found_by_its_digest_alone(store: SqlStore) -> None:
    """Whoever reads the database could register clients by what stands in it."""
    made = token()
    assert await store.add_initial_token(made, secret("one"), event("x")) == made
    assert await store.present_initial_token([digest("one")], NOW) == made
    assert await store.present_initial_token([digest("two")], NOW) is None
    assert await store.present_initial_token([digest("one")], LATER) is None
    assert await store.find_initial_token(made.id, "ten_a") == made
    assert await store.find_initial_token(made.id, "ten_b") is None
    assert await store.list_initial_tokens("ten_a", Page(10), NOW) == [made]
    assert await store.list_initial_tokens(EVERYWHERE, Page(10), LATER) == []


async def test_a_call_that_is_sent_twice_makes_one_token(store: SqlStore) -> None:
    """A lost answer would leave a token behind that nobody has and nobody ends."""
    first = await store.add_initial_token(token(), secret("one"), event("x"), claim=claim("k"))
    again = await store.add_initial_token(token("iat_2"), secret("two"), event("x"), claim=claim("k"))
    other = await store.add_initial_token(
        token("iat_3"), secret("three"), event("x"), claim=claim("k", "another")
    )
    assert isinstance(first, InitialAccessToken)
    assert isinstance(again, Replayed)
    assert isinstance(other, Reused)


async def test_a_token_ends_with_who_made_it(store: SqlStore) -> None:
    """ASVS 7.4.2: who was sent away would go on letting others in."""
    await store.create_user(user("usr_b", role=Role.MEMBER), event("x"))
    await store.add_initial_token(token(created_by="usr_b"), secret("one"), event("x"))
    await store.add_initial_token(token("iat_2", created_by=None), secret("two"), event("x"))
    assert await store.present_initial_token([digest("one")], NOW) is not None
    await store.change_user("usr_b", "ten_a", UserChanges(status=Status.DISABLED), event("x"))
    assert await store.present_initial_token([digest("one")], NOW) is None
    assert await store.present_initial_token([digest("two")], NOW) is not None
    await store.create_tenant(tenant("ten_b"), event("x"))
    elsewhere = token("iat_3", tenant_id="ten_b", created_by=None)
    await store.add_initial_token(elsewhere, secret("three"), event("x"))
    assert await store.present_initial_token([digest("three")], NOW) == elsewhere
    await store.change_tenant("ten_b", TenantChanges(status=Status.DISABLED), event("x"))
    assert await store.present_initial_token([digest("three")], NOW) is None


async def test_the_last_use_of_a_token_is_one_clients(store: SqlStore) -> None:
    """Of many who hold one token, more would get in than it was made for."""
    await store.add_initial_token(token(), secret("one"), event("x"))
    outcomes = await asyncio.gather(
        *(
            store.register_client(registering(f"cli_{number}"), "iat_1", event("client.registered"))
            for number in range(6)
        )
    )
    assert sorted(outcomes) == [False] * 4 + [True] * 2
    assert len(await store.list_clients("ten_a", Page(10))) == 2
    assert await store.present_initial_token([digest("one")], NOW) is None


async def test_a_token_without_a_figure_is_never_used_up(store: SqlStore) -> None:
    """A partner's installer would stop after the first one."""
    await store.add_initial_token(token(uses_left=None), secret("one"), event("x"))
    for number in range(3):
        assert await store.register_client(registering(f"cli_{number}"), "iat_1", event("x"))
    found = await store.present_initial_token([digest("one")], NOW)
    assert found is not None
    assert found.uses_left is None


async def test_a_client_is_found_by_its_own_registration(store: SqlStore) -> None:
    """One client could change another."""
    for number in (1, 2):
        assert await store.register_client(registering(f"cli_{number}"), None, event("x"))
    found = await store.find_registered_client("cli_1", [digest("rat cli_1")])
    assert found is not None
    assert (found.id, found.registered) == ("cli_1", True)
    assert await store.find_registered_client("cli_1", [digest("rat cli_2")]) is None
    disabled = ClientChanges(status=Status.DISABLED)
    await store.change_client("cli_1", "ten_a", disabled, DEFINED, event("x"))
    assert await store.find_registered_client("cli_1", [digest("rat cli_1")]) is None
    await store.create_tenant(tenant("ten_b"), event("x"))
    foreign = replace(
        new(client("cli_3", tenant_id="ten_b", created_by=None)), registration=secret("rat cli_3")
    )
    assert await store.register_client(foreign, None, event("x"))
    assert await store.find_registered_client("cli_3", [digest("rat cli_3")]) is not None
    await store.change_tenant("ten_b", TenantChanges(status=Status.DISABLED), event("x"))
    assert await store.find_registered_client("cli_3", [digest("rat cli_3")]) is None


async def test_a_token_is_removed_in_its_own_tenant(store: SqlStore) -> None:
    """An admin could end what another tenant has made."""
    await store.add_initial_token(token(), secret("one"), event("x"))
    assert not await store.remove_initial_token("iat_1", event("x", tenant_id="ten_b"))
    assert await store.remove_initial_token("iat_1", event("x"))
    assert not await store.remove_initial_token("iat_1", event("x"))


async def test_what_lets_nobody_in_is_forgotten(store: SqlStore) -> None:
    """The table would only ever grow."""
    await store.add_initial_token(token(), secret("one"), event("x"))
    await store.add_initial_token(token("iat_2", uses_left=1), secret("two"), event("x"))
    assert await store.register_client(registering("cli_1"), "iat_2", event("x"))
    await store.prune_initial_tokens(NOW)
    assert await store.find_initial_token("iat_1", "ten_a") is not None
    assert await store.find_initial_token("iat_2", "ten_a") is None
    await store.prune_initial_tokens(LATER)
    assert await store.find_initial_token("iat_1", "ten_a") is None


async def test_what_clients_register_by_needs_its_pepper(store: SqlStore) -> None:
    """`doctor` would call a pepper superfluous without which clients can no longer prove who they are."""
    before = (await store.pepper_ids()).get("p1", 0)
    await store.add_initial_token(token(), secret("one"), event("x"))
    assert await store.register_client(registering("cli_1"), None, event("x"))
    counted = (await store.pepper_ids())["p1"] - before
    assert counted >= 3
