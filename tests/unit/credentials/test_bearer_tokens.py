"""Bearer tokens, from the side that issues them: never more than their key, never longer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bonafides.credentials.api_keys import KeyChanges
from bonafides.credentials.bearer_tokens import SECONDS_DEFAULT
from bonafides.errors import Forbidden, InvalidRequest, NotFound
from bonafides.model import (
    Accepted,
    CredentialKind,
    CredentialStatus,
    Page,
    Principal,
    Reason,
    Role,
    to_datetime,
)
from bonafides.secret import Shape, shape
from bonafides.verification.verifier import Facts
from tests.unit.conftest import House

ALL = Page(limit=100)


async def test_a_token_is_its_keys_child(house: House) -> None:
    """A leaked key could be revoked, and its tokens not."""
    key = await house.make_key(name="ci", plan=None)
    made = await house.exchange(key)
    token = made.credential
    assert shape(made.secret.encode()) is Shape.WHOLE
    assert made.secret.startswith("bf_tok_")
    assert (token.kind, token.name) == (CredentialKind.BEARER_TOKEN, "ci")
    assert (token.parent_id, token.root_id) == (key.credential.id, key.credential.id)
    assert (token.user_id, token.tenant_id) == (key.credential.user_id, key.credential.tenant_id)
    assert token.expires_at == token.created_at + timedelta(seconds=SECONDS_DEFAULT)
    assert (await house.principal_of(made)).kind is CredentialKind.BEARER_TOKEN
    (event,) = await house.rooms.audit.events(house.operator, ALL, action="bearer_token.created")
    assert event.subject_id == token.id
    assert event.details == {
        "parent_id": key.credential.id,
        "scopes": ["read", "write"],
        "display": token.display,
    }


async def test_of_key_plan_and_request_the_nearest_tells_how_long(house: House) -> None:
    """A client that wants a token for a minute, or an operator that wants them short, would be overheard."""
    await house.make_plan("brief", bearer_token_seconds=100)
    key = await house.make_key(plan="brief")

    async def life(**wish: Any) -> float:
        token = (await house.exchange(key, **wish)).credential
        assert token.expires_at is not None
        return (token.expires_at - token.created_at).total_seconds()

    assert await life() == 100
    assert await life(expires_in=30) == 30
    assert await life(expires_in=3_000) == 100
    await house.rooms.api_keys.change(house.operator, key.credential.id, KeyChanges(bearer_token_seconds=200))
    assert await life() == 200
    await house.rooms.api_keys.change(house.operator, key.credential.id, KeyChanges(expires_in=50))
    assert await life() == 50
    for seconds in (0, -1):
        with pytest.raises(InvalidRequest, match="expires_in must be between"):
            await house.exchange(key, expires_in=seconds)
    with pytest.raises(InvalidRequest, match="bearer_token_seconds must be between"):
        await house.make_key(bearer_token_seconds=0)
    with pytest.raises(InvalidRequest, match="bearer_token_seconds must be between"):
        await house.make_plan("never", bearer_token_seconds=0)


async def test_a_token_has_no_scope_that_its_key_lacks(house: House) -> None:
    """A read-only key would be exchanged for more."""
    key = await house.make_key(scopes=["read", "write"])
    assert (await house.exchange(key, scopes=["read"])).credential.scopes == {"read"}
    assert (await house.exchange(key, scopes=[])).credential.scopes == frozenset()
    with pytest.raises(Forbidden, match="the key does not have the scope admin") as caught:
        await house.exchange(key, scopes=["read", "admin"])
    assert caught.value.scopes == {"admin"}
    with pytest.raises(InvalidRequest, match="not a scope here"):
        await house.exchange(key, scopes=["unheard-of"])


async def test_a_token_loses_what_its_key_loses(house: House) -> None:
    """For an hour after a key was narrowed, its tokens would still do what it may not."""
    key = await house.make_key(scopes=["read", "write"])
    made = await house.exchange(key)
    assert (await house.principal_of(made)).scopes == {"read", "write"}
    await house.rooms.api_keys.change(house.operator, key.credential.id, KeyChanges(scopes=["read"]))
    assert (await house.principal_of(made)).scopes == {"read"}
    await house.rooms.api_keys.set_status(house.operator, key.credential.id, CredentialStatus.DISABLED)
    verdict = await house.rooms.verifier.verify(made.secret.encode(), Facts())
    assert not isinstance(verdict, Accepted)
    assert verdict.reason is Reason.INVALID_TOKEN


async def test_only_a_key_that_there_is_can_be_exchanged(house: House) -> None:
    """A token that leaked would be exchanged for fresh ones for ever."""
    key = await house.make_key()
    token = await house.exchange(key)
    principal = await house.principal_of(token)
    assert await house.rooms.bearer_tokens.issue(principal, house.operator.actor) is None
    gone = Principal(
        user_id=principal.user_id,
        tenant_id=principal.tenant_id,
        scopes=principal.scopes,
        credential_id="key_gone",
        kind=CredentialKind.API_KEY,
        name="",
        role=Role.OWNER,
    )
    assert await house.rooms.bearer_tokens.issue(gone, house.operator.actor) is None


async def test_tokens_are_listed_and_ended_by_the_rules_of_every_credential(house: House) -> None:
    """A colleague would see or end the tokens of another; or a key would be taken for a token."""
    member = await house.make_user(role=Role.MEMBER)
    key = await house.make_key(member)
    made = await house.exchange(key)
    own, tokens = house.authority_of(member), house.rooms.bearer_tokens
    assert [token.id for token in await tokens.page(own, ALL)] == [made.credential.id]
    assert [token.id for token in await tokens.page(own, ALL, parent_id="key_x")] == []
    stranger = house.authority_of(await house.make_user(role=Role.MEMBER))
    with pytest.raises(NotFound, match="There is no bearer token"):
        await tokens.get(stranger, made.credential.id)
    with pytest.raises(NotFound, match="There is no bearer token"):
        await tokens.get(own, key.credential.id)
    ended = await tokens.set_status(own, made.credential.id, CredentialStatus.REVOKED)
    assert ended.revoked_at == to_datetime(house.clock.now_us)
    assert (await house.principal_of(key)).kind is CredentialKind.API_KEY
