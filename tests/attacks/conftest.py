"""Servers that a whole file of attacks shares: an attack that leaves a mark on them has succeeded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.attacks.cast import Party, house_settings, party
from tests.serving import RunningServer, running


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A founded server on SQLite with a fake clock, for all tests of a file."""
    folder = tmp_path_factory.mktemp("house")
    with running(house_settings(folder)) as server:
        # The plans of new tenants and of the operator: a file sends more in one frozen second than they admit.
        server.create_plan("enterprise")
        server.create_plan("free")
        yield server


@pytest.fixture(scope="module")
def mine(house: RunningServer) -> Party:
    """The attackers' own tenant."""
    return party(house)


@pytest.fixture(scope="module")
def theirs(house: RunningServer) -> Party:
    """The victims' tenant."""
    return party(house)
