"""Made-up requests of whoever may do everything: the operator, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bonafides.web.examples import EXAMPLES
from tests.description.prober import BY_PASSWORD, SECONDS_MAX, UNMET, Prober
from tests.description.worlds import operators_targets, unlimited_plan
from tests.postgres import PostgresServer
from tests.serving import running, settings_for

pytestmark = pytest.mark.timeout(SECONDS_MAX)


@pytest.fixture(scope="module")
def prober(tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer) -> Iterator[Prober]:
    """The key of the operator, at a server on PostgreSQL."""
    folder: Path = tmp_path_factory.mktemp("operator")
    url = postgres.create_database()
    with running(settings_for(url, folder, address_requests_per_minute=10_000_000)) as server:
        plan = {"plan": unlimited_plan(server)}
        own = f"/v1/tenants/{server.founded.tenant_id}"
        assert server.admin.patch(own, json=plan).status_code == 200
        key = server.create_key(scopes=["read", "write", "admin", "credentials:verify"])
        prober = Prober(server, key["key"], operators_targets(server), lambda _: True)
        yield prober
        prober.close()
    postgres.drop_database(url)


@pytest.mark.parametrize("operation_id", EXAMPLES)
def test_the_operator_gets_what_is_declared(operation_id: str, prober: Prober) -> None:
    """An operator could break the server, or be answered in a way that their client does not know."""
    prober.run(operation_id)


def test_the_operator_got_everywhere(prober: Prober) -> None:
    """A test that never gets behind the door says nothing about what is there."""
    for operation in prober.description.operations():
        statuses = prober.statuses[operation.id]
        if operation.id in BY_PASSWORD | UNMET:
            continue
        assert any(status < 300 for status in statuses), (operation.id, statuses)
