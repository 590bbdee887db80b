"""What several files of fault tests ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.serving import RunningServer, running, settings_for


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A founded server on SQLite with a fake clock, for all tests of a file that break nothing."""
    folder = tmp_path_factory.mktemp("house")
    with running(settings_for(f"sqlite:///{folder}/bonafides.db", folder)) as server:
        yield server
