"""What black-box tests of the API share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from bonafides.installation import Founded
from tests.serving import FakeClock, RunningServer, running, serving, settings_for
from tests.web.tenancy import Tenancy, tenancy_on


@pytest.fixture(scope="module")
def tenancy(shared_server: RunningServer) -> Tenancy:
    """A tenant of the file's own, on SQLite and on PostgreSQL; each test makes users, keys and plans of its own."""
    return tenancy_on(shared_server)


@pytest.fixture
def fresh_tenancy(shared_server: RunningServer) -> Tenancy:
    """A tenant of the test's own, in which nothing else happens."""
    return tenancy_on(shared_server)


@pytest.fixture
def serve_again(tmp_path: Path) -> Callable[[str], AbstractContextManager[RunningServer]]:
    """Serves a database, founded when it is first served, with one clock throughout."""
    clock = FakeClock()
    founded: list[Founded] = []

    @contextmanager
    def serve(url: str) -> Iterator[RunningServer]:
        settings = settings_for(url, tmp_path)
        if founded:
            with serving(settings, founded[0], clock) as server:
                yield server
        else:
            with running(settings, clock) as server:
                founded.append(server.founded)
                yield server

    return serve
