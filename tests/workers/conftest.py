"""A server of several worker processes, for the tests of a file together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.processes import ServerProcess, process

WORKERS = 4


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def crew(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of four workers on each database."""
    folder = tmp_path_factory.mktemp("crew")
    database = f"sqlite:///{folder}/bonafides.db"
    if request.param == "postgresql":
        database = request.getfixturevalue("postgres").create_database()
    # Across nodes, tests/workers/test_nodes.py counts.
    with process(database, folder, workers=WORKERS, limits_across="machine") as server:
        yield server
