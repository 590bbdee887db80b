"""OAuth clients in the store: each is a user too, and what they were let do follows them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bonafides.delegation import (
    AuthMethod,
    Client,
    ClientChanges,
    ClientSecret,
    NewClient,
    TokenFormat,
)
from bonafides.model import (
    EVERYWHERE,
    Change,
    ChangeKind,
    CredentialKind,
    CredentialStatus,
    Delegation,
    Page,
    Replayed,
    Role,
    Status,
    TenantChanges,
    UserKind,
)
from bonafides.store import Clash, Reused
from bonafides.store.clients import SECRETS_MAX
from bonafides.store.sql import SqlStore
from tests.store.databases import run_sql
from tests.store.records import LATER, NOW, claim, credential, digest, event, secret, tenant, user

DEFINED = frozenset({"read", "write", "admin"})


def client(identity: str = "cli_1", **fields: Any) -> Client:
    """A program of the founding tenant."""
    made = Client(
        id=identity,
        tenant_id="ten_a",
        name="Shop",
        grant_types=frozenset({"client_credentials"}),
        response_types=frozenset({"code", "id_token token"}),
        redirect_uris=("https://b.example/cb", "https://a.example/cb"),
        post_logout_redirect_uris=(),
        scopes=frozenset({"read", "openid"}),
        audiences=("https://api.example",),
        token_endpoint_auth_method=AuthMethod.BASIC,
        jwks={"keys": []},
        metadata={"client_uri": "https://a.example"},
        require_pkce=True,
        first_party=False,
        dpop_bound=False,
        token_format=TokenFormat.JWT,
        access_token_seconds=600,
        registered=False,
        status=Status.ACTIVE,
        created_by="usr_owner",
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(made, **fields)


def secret_of(owner: Client, identity: str, **fields: Any) -> ClientSecret:
    """A secret of a client that never ends."""
    return replace(ClientSecret(identity, owner.id, "first", "bf_sec_…", None, NOW, None), **fields)


def new(made: Client, **fields: Any) -> NewClient:
    """All that begins with a client."""
    service = user(
        made.id,
        made.tenant_id,
        kind=UserKind.SERVICE,
        email=None,
        name=made.name,
        role=Role.MEMBER,
        scopes=made.scopes & DEFINED,
    )
    own = credential(
        made.id,
        kind=CredentialKind.OAUTH_ACCESS_TOKEN,
        tenant_id=made.tenant_id,
        user_id=made.id,
        scopes=made.scopes,
        client_id=made.id,
        allowed_ips=(),
    )
    held = secret_of(made, f"sec_{made.id}")
    return replace(NewClient(made, service, own, secret(own), held, secret(held.id)), **fields)


def token_of(made: Client, identity: str, **fields: Any) -> Any:
    """An access token of the client's own."""
    return credential(
        identity,
        **{
            "kind": CredentialKind.OAUTH_ACCESS_TOKEN,
            "tenant_id": made.tenant_id,
            "user_id": made.id,
            "scopes": made.scopes,
            "parent_id": made.id,
            "root_id": made.id,
            "expires_at": LATER,
            "allowed_ips": (),
            "client_id": made.id,
            "audiences": made.audiences,
            **fields,
        },
    )


async def begun(store: SqlStore, made: Client | None = None) -> Client:
    """A client that was just made."""
    outcome = await store.create_client(new(made or client()), event("client.created"))
    assert isinstance(outcome, Client)
    return outcome


async def granted(store: SqlStore, url: str, made: Client, identity: str) -> str:
    """Something that the founding owner lets a client do, with a token of it."""
    own = credential(
        identity, kind=CredentialKind.OAUTH_ACCESS_TOKEN, expires_at=LATER, client_id=made.id, allowed_ips=()
    )
    await store.create_credential(own, secret(own), event())
    await run_sql(
        url,
        "INSERT INTO grants (id, tenant_id, user_id, client_id, scopes, resources, methods, claims, created_at, ends_at) "
        f"VALUES ('{identity}', 'ten_a', 'usr_owner', '{made.id}', 'read', '', 'pwd', '{{}}', 1, 2)",
    )
    token = token_of(made, f"oat_{identity}", user_id="usr_owner", parent_id=identity, root_id=identity)
    await store.create_credential(token, secret(token), event())
    return str(token.id)


async def is_usable(store: SqlStore, identity: str) -> bool:
    """Whether a request with this credential would be let in."""
    found = await store.find_verifiable([digest(identity)])
    return found[digest(identity)].usable


async def test_a_client_is_made_whole(store: SqlStore, told: list[Change]) -> None:
    """A client without its user has no subject, and one without its credential could not act."""
    made = await begun(store)
    assert told == [Change(ChangeKind.USER, "cli_1"), Change(ChangeKind.CREDENTIAL_CREATED, "cli_1")]
    assert await store.find_client("cli_1", "ten_a") == made == client()
    assert await store.find_client("cli_1", EVERYWHERE) == made
    assert await store.find_client("cli_1", "ten_b") is None
    service = await store.find_user("cli_1", "ten_a")
    assert service is not None
    assert (service.kind, service.scopes, service.role) == (
        UserKind.SERVICE,
        frozenset({"read"}),
        Role.MEMBER,
    )
    token = token_of(made, "oat_1", jkt="thumb")
    await store.create_credential(token, secret(token), event())
    found = (await store.find_verifiable([digest("oat_1")]))[digest("oat_1")]
    assert (found.usable, found.delegation) == (
        True,
        Delegation("cli_1", ("https://api.example",), "thumb"),
    )
    acting = token_of(made, "oat_2", act={"sub": "usr_b", "act": {"sub": "usr_a"}})
    await store.create_credential(acting, secret(acting), event())
    found = (await store.find_verifiable([digest("oat_2")]))[digest("oat_2")]
    assert found.delegation is not None
    assert found.delegation.actors == ("usr_b", "usr_a")
    assert await store.find_credential("oat_2", "ten_a") == acting


async def test_a_client_is_presented_with_its_secret(store: SqlStore) -> None:
    """A secret of another client, or of nobody, must prove nothing."""
    made = await begun(store)
    other = await begun(store, client("cli_2"))
    for digests, held in (
        ([secret("sec_cli_1").digest], "sec_cli_1"),
        ([b"x" * 32, secret("sec_cli_1").digest], "sec_cli_1"),
        ([secret("sec_cli_2").digest], None),
        ([], None),
    ):
        found = await store.present_client("cli_1", digests)
        assert found is not None
        assert (found.client, found.live) == (made, True)
        assert (None if found.secret is None else found.secret.id) == held
    assert await store.present_client("cli_3", []) is None
    await store.change_client(other.id, "ten_a", ClientChanges(status=Status.DISABLED), DEFINED, event())
    found = await store.present_client("cli_2", [secret("sec_cli_2").digest])
    assert found is not None
    assert not found.live


async def test_a_client_of_a_disabled_tenant_is_not_live(store: SqlStore) -> None:
    """A tenant that is switched off would go on getting tokens."""
    await store.create_tenant(tenant("ten_b"), event())
    await begun(store, client("cli_b", tenant_id="ten_b"))
    await store.change_tenant("ten_b", TenantChanges(status=Status.DISABLED), event())
    found = await store.present_client("cli_b", [])
    assert found is not None
    assert not found.live


async def test_making_a_client_again_makes_none(store: SqlStore) -> None:
    """A lost answer would leave a client behind that nobody knows of."""
    made = new(client())
    assert await store.create_client(made, event(), claim=claim("one")) == client()
    again = new(client("cli_2"))
    assert isinstance(await store.create_client(again, event(), claim=claim("one")), Replayed)
    assert isinstance(await store.create_client(again, event(), claim=claim("one", "other")), Reused)
    assert await store.find_client("cli_2", EVERYWHERE) is None


async def test_a_client_without_a_secret_has_none(store: SqlStore) -> None:
    """A public client that is given one would be told to keep what it cannot."""
    public = client(token_endpoint_auth_method=AuthMethod.NONE)
    made = new(public, secret=None, digested=None, registration=secret("registration"))
    assert await store.create_client(made, event()) == public
    assert await store.list_client_secrets("cli_1") == []


async def test_clients_are_listed_by_tenant(store: SqlStore) -> None:
    """A tenant would see another's programs."""
    await store.create_tenant(tenant("ten_b"), event())
    one, other = await begun(store), await begun(store, client("cli_2"))
    foreign = await begun(store, client("cli_b", tenant_id="ten_b"))
    assert await store.list_clients("ten_a", Page(10)) == [other, one]
    assert await store.list_clients("ten_b", Page(10)) == [foreign]
    assert await store.list_clients(EVERYWHERE, Page(1)) == [foreign]


async def test_a_change_reaches_the_user_and_the_credential(store: SqlStore, told: list[Change]) -> None:
    """What is taken from a client would stay with its tokens."""
    made = await begun(store)
    token = token_of(made, "oat_1")
    await store.create_credential(token, secret(token), event())
    told.clear()
    changes = ClientChanges(
        name="Store", scopes=frozenset({"admin", "openid"}), redirect_uris=(), access_token_seconds=None
    )
    at = event("client.changed", at=LATER)
    changed = await store.change_client("cli_1", "ten_a", changes, DEFINED, at)
    assert changed == replace(
        made,
        name="Store",
        scopes=frozenset({"admin", "openid"}),
        redirect_uris=(),
        access_token_seconds=None,
        updated_at=LATER,
    )
    assert changed == await store.find_client("cli_1", "ten_a")
    assert told == [Change(ChangeKind.USER, "cli_1")]
    service = await store.find_user("cli_1", "ten_a")
    assert service is not None
    assert (service.name, service.scopes, service.role) == ("Store", frozenset({"admin"}), Role.ADMIN)
    found = (await store.find_verifiable([digest("oat_1")]))[digest("oat_1")]
    assert found.scopes == frozenset({"openid"})
    assert await store.change_client("cli_1", "ten_b", changes, DEFINED, at) is None
    assert await store.change_client("cli_9", "ten_a", changes, DEFINED, at) is None


async def test_what_people_let_it_do_is_disabled_and_enabled_with_it(
    store: SqlStore, told: list[Change], url: str
) -> None:
    """Attack 6: tokens of a client that was switched off went on working."""
    made = await begun(store)
    await begun(store, client("cli_2"))
    mine, others = (
        await granted(store, url, made, "grt_1"),
        await granted(store, url, client("cli_2"), "grt_2"),
    )
    for status, usable in ((Status.DISABLED, False), (Status.ACTIVE, True)):
        told.clear()
        await store.change_client("cli_1", "ten_a", ClientChanges(status=status), DEFINED, event())
        assert set(told) == {
            Change(ChangeKind.USER, "cli_1"),
            Change(ChangeKind.CREDENTIAL, "grt_1"),
            Change(ChangeKind.CREDENTIAL, mine),
        }
        assert await is_usable(store, mine) is usable
        assert await is_usable(store, others)


async def test_everything_ends_with_a_deleted_client(store: SqlStore, url: str) -> None:
    """Attack 6: whoever holds a token of it, or its secret, would go on."""
    made = await begun(store)
    theirs = await granted(store, url, made, "grt_1")
    own = token_of(made, "oat_1")
    await store.create_credential(own, secret(own), event())
    gone = await store.change_client("cli_1", "ten_a", ClientChanges(status=Status.DELETED), DEFINED, event())
    assert gone is not None
    assert await store.find_client("cli_1", EVERYWHERE) is None
    assert await store.present_client("cli_1", [secret("sec_cli_1").digest]) is None
    assert await store.list_client_secrets("cli_1") == []
    for identity in ("cli_1", "oat_1", "grt_1", theirs):
        found = await store.find_credential(identity, EVERYWHERE)
        assert found is not None
        assert (found.status, found.revocation_reason) == (CredentialStatus.REVOKED, "client deleted")
    changes = ClientChanges(status=Status.ACTIVE)
    assert await store.change_client("cli_1", "ten_a", changes, DEFINED, event()) is None


async def test_secrets_come_and_go(store: SqlStore) -> None:
    """A secret could not be replaced without an outage, or would never end."""
    made = await begun(store)
    second = secret_of(made, "sec_2", name="second", expires_at=LATER)
    assert await store.add_client_secret(second, secret("sec_2"), event()) == second
    first = secret_of(made, "sec_cli_1")
    assert await store.list_client_secrets("cli_1") == [second, first]
    third, soon = secret_of(made, "sec_3"), NOW + timedelta(minutes=5)
    outcome = await store.add_client_secret(third, secret("sec_3"), event(), others_end_at=soon)
    assert outcome == third
    ends = {each.id: each.expires_at for each in await store.list_client_secrets("cli_1")}
    assert ends == {"sec_cli_1": soon, "sec_2": soon, "sec_3": None}
    late = event(at=soon)
    assert await store.add_client_secret(secret_of(made, "sec_4"), secret("sec_4"), late)
    assert {each.id for each in await store.list_client_secrets("cli_1")} == {"sec_3", "sec_4"}
    assert await store.remove_client_secret("cli_1", "sec_4", event())
    assert not await store.remove_client_secret("cli_1", "sec_4", event())
    assert not await store.remove_client_secret("cli_1", "sec_3", event(tenant_id="ten_b"))
    assert not await store.remove_client_secret("cli_2", "sec_3", event())


async def test_whoever_keeps_a_client_in_memory_is_told_of_its_secrets(store: SqlStore) -> None:
    """A secret that was deleted, or given an end, would go on opening tokens wherever it was in memory."""
    made = await begun(store)
    for change in (
        store.add_client_secret(secret_of(made, "sec_2"), secret("sec_2"), event(), others_end_at=LATER),
        store.remove_client_secret("cli_1", "sec_2", event()),
    ):
        before = await store.feed_position()
        assert await change
        changed, _ = await store.changes_since(before)
        assert changed == [Change(ChangeKind.USER, "cli_1")]


async def test_adding_a_secret_again_adds_none(store: SqlStore) -> None:
    """A lost answer would leave a secret behind that nobody knows, and that counts."""
    made = await begun(store)
    for identity, request, expected in (
        ("sec_2", "r", None),
        ("sec_3", "r", Replayed),
        ("sec_4", "s", Reused),
    ):
        outcome = await store.add_client_secret(
            secret_of(made, identity), secret(identity), event(), claim=claim("one", request)
        )
        assert isinstance(outcome, expected or ClientSecret)
    assert len(await store.list_client_secrets("cli_1")) == 2


async def test_a_client_has_some_secrets_at_most(store: SqlStore) -> None:
    """Each one is a way in; and what is refused must not use up a claim."""
    made = await begun(store)
    outcomes = await asyncio.gather(
        *(
            store.add_client_secret(
                secret_of(made, f"sec_{number}"), secret(f"sec_{number}"), event(), claim=claim(f"{number}")
            )
            for number in range(SECRETS_MAX)
        )
    )
    assert outcomes.count(Clash("secrets")) == 1
    refused = outcomes.index(Clash("secrets"))
    await store.remove_client_secret("cli_1", "sec_cli_1", event())
    again = secret_of(made, f"sec_{refused}")
    added = await store.add_client_secret(again, secret(again.id), event(), claim=claim(f"{refused}"))
    assert added == again
    nobodys = secret_of(client("cli_9"), "sec_nobody")
    assert await store.add_client_secret(nobodys, secret("sec_nobody"), event(), claim=claim("x")) is None
