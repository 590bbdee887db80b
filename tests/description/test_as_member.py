"""Made-up requests of a tenant's member, with the key of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from bonafides.model import ADMIN, CREDENTIALS_VERIFY
from bonafides.web.examples import EXAMPLES
from tests.described import Operation
from tests.description.prober import BY_PASSWORD, SECONDS_MAX, UNMET, Prober
from tests.description.worlds import members_targets, unlimited_plan
from tests.serving import running, settings_for

pytestmark = pytest.mark.timeout(SECONDS_MAX)

BEYOND: Final = frozenset({ADMIN, CREDENTIALS_VERIFY})
"""Scopes that a member does not have."""


def _is_theirs(operation: Operation) -> bool:
    return bool(operation.declared["security"]) and BEYOND.isdisjoint(
        operation.declared.get("x-required-scopes", ())
    )


@pytest.fixture(scope="module")
def prober(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prober]:
    """A member's key, at a server on SQLite."""
    folder = tmp_path_factory.mktemp("member")
    settings = settings_for(
        f"sqlite:///{folder}/bonafides.db", folder, address_requests_per_minute=10_000_000
    )
    with running(settings) as server:
        member = server.create_tenant_user_key(role="member", scopes=["read", "write"])
        plan = {"plan": unlimited_plan(server)}
        assert server.admin.patch(f"/v1/tenants/{member['tenant']['id']}", json=plan).status_code == 200
        prober = Prober(server, member["key"]["key"], members_targets(server, member), _is_theirs)
        yield prober
        prober.close()


@pytest.mark.parametrize("operation_id", EXAMPLES)
def test_a_member_gets_what_is_declared_and_no_further(operation_id: str, prober: Prober) -> None:
    """A member could break a call, or be answered in a way that their client does not know."""
    prober.run(operation_id)


def test_a_member_got_as_far_as_their_scopes(prober: Prober) -> None:
    """A member would be let into administration, or kept from what is theirs."""
    for operation in prober.description.operations():
        succeeded = [status for status in prober.statuses[operation.id] if status < 300]
        needed = operation.declared.get("x-required-scopes", ())
        within = not BEYOND.intersection(needed) and operation.id not in BY_PASSWORD
        assert bool(succeeded) == within or operation.id in UNMET, (
            operation.id,
            prober.statuses[operation.id],
        )
