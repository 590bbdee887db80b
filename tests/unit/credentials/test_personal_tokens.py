"""Personal access tokens, from the side that issues them: one's own, within one's scopes and the tenant's policy."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bonafides.authority import Authority
from bonafides.credentials.holdings import Made
from bonafides.credentials.personal_tokens import TokenWish
from bonafides.errors import Conflict, Forbidden, InvalidRequest, NotFound
from bonafides.model import (
    Accepted,
    Actor,
    CredentialKind,
    CredentialStatus,
    IdempotencyClaim,
    Page,
    Reason,
    Replayed,
    Role,
    Status,
    TenantChanges,
    UserChanges,
    to_datetime,
)
from bonafides.verification.verifier import Facts
from tests.unit.conftest import House

ALL = Page(limit=100)


async def make(house: House, authority: Authority, **wish: Any) -> Made:
    """Make a token of the caller's own."""
    made = await house.rooms.personal_tokens.create(
        authority, TokenWish(**{"description": "a script", **wish})
    )
    assert isinstance(made, Made)
    return made


async def refused(house: House, made: Made) -> Reason | None:
    """Why it is refused now; None if it is not."""
    await house.rooms.feed.read()
    verdict = await house.rooms.verifier.verify(made.secret.encode(), Facts())
    return None if isinstance(verdict, Accepted) else verdict.reason


async def test_a_token_speaks_for_whoever_made_it(house: House) -> None:
    """A script would act for somebody else than its author."""
    member = await house.make_user(role=Role.MEMBER)
    made = await make(house, house.authority_of(member))
    token = made.credential
    assert made.secret.startswith("bf_pat_")
    assert await refused(house, made) is None
    assert (token.kind, token.name) == (CredentialKind.PERSONAL_ACCESS_TOKEN, "a script")
    assert (token.user_id, token.tenant_id, token.created_by) == (member.id, member.tenant_id, member.id)
    assert token.scopes == {"read", "write"}
    assert (token.expires_at, token.root_id) == (None, token.id)
    (event,) = await house.rooms.audit.events(house.operator, ALL, action="personal_access_token.created")
    assert event.details == {
        "description": "a script",
        "user_id": member.id,
        "scopes": ["read", "write"],
        "display": token.display,
    }


async def test_nobody_makes_one_that_speaks_for_another(house: House) -> None:
    """An admin would act as a colleague, and the trail would name the colleague."""
    member = await house.make_user(role=Role.MEMBER)
    with pytest.raises(Forbidden, match="speaks for whoever makes it"):
        await make(house, house.operator, user_id=member.id)
    command_line = replace(house.operator, user_id=None, actor=Actor(None, None, "command line"))
    assert (await make(house, command_line, user_id=member.id)).credential.user_id == member.id
    with pytest.raises(InvalidRequest, match="say whose"):
        await make(house, command_line)
    with pytest.raises(NotFound):
        await make(house, command_line, user_id="usr_nobody")


async def test_a_token_has_no_scope_that_its_user_or_maker_lacks(house: House) -> None:
    """A read-only key would make itself a token that writes."""
    member = await house.make_user(role=Role.MEMBER)
    with pytest.raises(
        InvalidRequest, match="the personal access token's owner does not have the scope admin"
    ):
        await make(house, replace(house.operator, user_id=member.id), scopes=["admin"])
    weak = house.authority_of(member, frozenset({"write"}))
    assert (await make(house, weak)).credential.scopes == {"write"}
    with pytest.raises(Forbidden, match="does not have the scope read"):
        await make(house, weak, scopes=["read"])


async def test_it_ends_with_its_user(house: House) -> None:
    """Attack 6 (CVE-2025-3230): personal access tokens outlived the deactivation of their user."""
    member = await house.make_user(role=Role.MEMBER)
    made = await make(house, house.authority_of(member))
    await house.rooms.directory.change_user(house.operator, member.id, UserChanges(status=Status.DISABLED))
    assert await refused(house, made) is Reason.INVALID_KEY
    with pytest.raises(Conflict, match="is disabled"):
        await make(house, house.authority_of(member))


async def test_a_tenants_policy_sets_the_longest_life(house: House) -> None:
    """An organisation that forbids tokens without end would have them nevertheless."""
    tenant = await house.make_tenant()
    owner = house.authority_of(await house.make_user(tenant.id))
    await make(house, owner)
    changes = TenantChanges(personal_access_token_seconds_max=86_400)
    await house.rooms.directory.change_tenant(owner, tenant.id, changes)
    for wish in ({}, {"expires_in": 86_401}):
        with pytest.raises(InvalidRequest, match="86400 seconds at most") as caught:
            await make(house, owner, **wish)
        assert caught.value.field == "expires_at"
    made = await make(house, owner, expires_in=86_400)
    assert made.credential.expires_at == to_datetime(house.clock.now_us) + timedelta(days=1)
    with pytest.raises(InvalidRequest, match="personal_access_token_seconds_max must be between"):
        await house.rooms.directory.change_tenant(
            owner, tenant.id, TenantChanges(personal_access_token_seconds_max=0)
        )
    free = TenantChanges(personal_access_token_seconds_max=None)
    await house.rooms.directory.change_tenant(owner, tenant.id, free)
    assert (await make(house, owner)).credential.expires_at is None


async def test_a_call_that_is_sent_twice_makes_one(house: House) -> None:
    """A retry after a lost answer would leave a token that nobody knows of."""

    def claimed(call: str) -> IdempotencyClaim:
        return IdempotencyClaim(
            b"k" * 32, call.encode().ljust(32), b"sealed", to_datetime(2_000_000_000_000_000)
        )

    async def call(body: str) -> Made | Replayed:
        return await house.rooms.personal_tokens.create(
            house.operator, TokenWish("once"), claim_for=lambda _: claimed(body)
        )

    assert isinstance(await call("a"), Made)
    assert await call("a") == Replayed(b"sealed")
    with pytest.raises(Conflict, match="Idempotency-Key"):
        await call("b")
    assert len(await house.rooms.personal_tokens.page(house.operator, ALL)) == 1


async def test_it_is_ended_by_its_user(house: House) -> None:
    """Whoever loses a laptop must be able to end what was on it."""
    member = await house.make_user(role=Role.MEMBER)
    own = house.authority_of(member)
    made = await make(house, own)
    await house.rooms.personal_tokens.set_status(
        own, made.credential.id, CredentialStatus.REVOKED, reason="lost"
    )
    assert await refused(house, made) is Reason.INVALID_KEY
    with pytest.raises(Conflict, match="and that is final"):
        await house.rooms.personal_tokens.set_status(own, made.credential.id, CredentialStatus.ACTIVE)
