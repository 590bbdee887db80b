"""What black-box tests of the API share."""

from __future__ import annotations

import pytest

from tests.serving import RunningServer
from tests.web.tenancy import Tenancy, tenancy_on


@pytest.fixture(scope="module")
def tenancy(shared_server: RunningServer) -> Tenancy:
    """A tenant of the file's own, on SQLite and on PostgreSQL; each test makes users, keys and plans of its own."""
    return tenancy_on(shared_server)


@pytest.fixture
def fresh_tenancy(shared_server: RunningServer) -> Tenancy:
    """A tenant of the test's own, in which nothing else happens."""
    return tenancy_on(shared_server)
