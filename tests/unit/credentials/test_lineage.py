"""Lineage: who sees a family of credentials, and what a revocation would end."""

from __future__ import annotations

import pytest

from bonafides.credentials import lineage
from bonafides.credentials.holdings import Made
from bonafides.errors import NotFound
from bonafides.model import CredentialStatus, Role
from tests.unit.conftest import House


async def test_it_tells_what_ends_with_whom(house: House) -> None:
    """Somebody would revoke a key in the night without knowing what stops."""
    key = (await house.make_key()).credential
    successor = await house.rooms.api_keys.rotate(house.operator, key.id)
    assert isinstance(successor, Made)
    tokens = [await house.exchange(successor), await house.exchange(successor)]
    ended, lasting = (token.credential for token in tokens)
    await house.rooms.bearer_tokens.set_status(house.operator, ended.id, CredentialStatus.REVOKED)
    family = await house.rooms.lineage.family(house.operator, key.id)
    child = successor.credential.id
    assert {member.id for member in family.members} == {key.id, child, ended.id, lasting.id}
    assert family.ends_with_it == {key.id, child, lasting.id}
    assert family.whole
    assert (await house.rooms.lineage.family(house.operator, lasting.id)).ends_with_it == {lasting.id}
    house.clock.now_us += 3_600_000_000
    # The first key's overlap and the token have ended by themselves; the successor goes on.
    assert (await house.rooms.lineage.family(house.operator, key.id)).ends_with_it == {child}


async def test_only_whom_it_concerns_sees_it(house: House) -> None:
    """A colleague would learn which keys somebody has."""
    member = await house.make_user(role=Role.MEMBER)
    key = await house.make_key(member)
    own = house.authority_of(member)
    assert (await house.rooms.lineage.family(own, key.credential.id)).credential == key.credential
    for stranger in (
        house.authority_of(await house.make_user(role=Role.MEMBER)),
        house.authority_of(await house.make_user((await house.make_tenant()).id)),
    ):
        with pytest.raises(NotFound, match="There is no credential"):
            await house.rooms.lineage.family(stranger, key.credential.id)
    with pytest.raises(NotFound, match="There is no credential"):
        await house.rooms.lineage.family(own, "key_unknown")


async def test_a_large_family_is_told_in_part_and_said_to_be(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One key with a million tokens would take the server's memory; or its list would be taken for the whole."""
    monkeypatch.setattr(lineage, "MEMBERS_MAX", 2)
    key = await house.make_key()
    await house.exchange(key)
    assert (await house.rooms.lineage.family(house.operator, key.credential.id)).whole
    await house.exchange(key)
    family = await house.rooms.lineage.family(house.operator, key.credential.id)
    assert (len(family.members), family.whole) == (2, False)
