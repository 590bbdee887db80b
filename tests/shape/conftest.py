"""A tenant on each kind of database, to look at the shapes of answers."""

from __future__ import annotations

import pytest

from tests.serving import RunningServer
from tests.web.tenancy import Tenancy, tenancy_on


@pytest.fixture(scope="module")
def tenancy(shared_server: RunningServer) -> Tenancy:
    """A tenant of the file's own, on SQLite and on PostgreSQL."""
    return tenancy_on(shared_server)
