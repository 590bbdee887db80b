"""What a caller may do is decided in one place, and every refusal names what is needed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bonafides.authority import Authority
from bonafides.errors import Forbidden, NotFound
from bonafides.model import ADMIN, BUILT_IN_SCOPES, EVERYWHERE, READ, WRITE, Actor, Role

ADMINISTRATOR = Authority(
    actor=Actor("usr_1", "key_1", "api"),
    tenant_id="ten_1",
    user_id="usr_1",
    role=Role.ADMIN,
    scopes=BUILT_IN_SCOPES,
    grantable=BUILT_IN_SCOPES,
    operator=False,
)
OPERATOR = replace(ADMINISTRATOR, operator=True)
MEMBER = replace(ADMINISTRATOR, role=Role.MEMBER, scopes=frozenset({READ}), grantable=frozenset({READ}))


def test_a_caller_reaches_its_own_tenant_alone_and_the_operator_all() -> None:
    """A reach that is too wide shows one customer another's keys."""
    assert MEMBER.reach == ADMINISTRATOR.reach == "ten_1"
    assert OPERATOR.reach is EVERYWHERE
    for authority in (MEMBER, ADMINISTRATOR, OPERATOR):
        assert authority.tenant(None) == authority.tenant("ten_1") == "ten_1"
    assert OPERATOR.tenant("ten_2") == "ten_2"
    with pytest.raises(NotFound) as caught:
        ADMINISTRATOR.tenant("ten_2")
    assert caught.value.field == "tenant_id"


def test_administration_needs_the_scope_admin() -> None:
    """A leaked read-only key of an owner must not manage anything."""
    assert not MEMBER.administers
    ADMINISTRATOR.require_administration("list users")
    with pytest.raises(Forbidden) as caught:
        MEMBER.require_administration("list users")
    assert caught.value.scopes == {ADMIN}
    assert caught.value.public == "You need the scope admin to list users."


def test_the_operators_calls_are_the_operators() -> None:
    """A customer's admin would change everybody's limits."""
    OPERATOR.require_operator("change plans")
    with pytest.raises(Forbidden) as caught:
        ADMINISTRATOR.require_operator("change plans")
    assert caught.value.scopes == {ADMIN}
    assert "change plans" in caught.value.public


def test_nobody_gives_what_they_do_not_have() -> None:
    """A key could otherwise make itself a stronger one."""
    MEMBER.require_grantable(frozenset({READ}))
    with pytest.raises(Forbidden) as caught:
        MEMBER.require_grantable(frozenset({READ, WRITE, ADMIN}), "role")
    assert caught.value.scopes == {ADMIN, WRITE}
    assert caught.value.field == "role"


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("own", Role)
def test_nobody_acts_upon_the_more_powerful(role: Role, own: Role) -> None:
    """An admin could otherwise remove the owner; only in other tenants has the operator no equal."""
    authority = replace(ADMINISTRATOR, role=own)
    operator = replace(OPERATOR, role=own)
    operator.require_rank(role, "ten_2", "delete them")
    if role.rank >= own.rank:
        authority.require_rank(role, "ten_1", "delete them")
        operator.require_rank(role, "ten_1", "delete them")
        return
    for caller in (authority, operator):
        with pytest.raises(Forbidden) as caught:
            caller.require_rank(role, "ten_1", "delete them")
        assert caught.value.public == f"Only an {role} may delete them."
