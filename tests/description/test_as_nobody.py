"""Made-up requests of somebody without a good credential."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bonafides.web.examples import EXAMPLES
from tests.description.prober import BY_PASSWORD, SECONDS_MAX, Prober
from tests.serving import running, settings_for

pytestmark = pytest.mark.timeout(SECONDS_MAX)


@pytest.fixture(scope="module")
def prober(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prober]:
    """Nobody, at a server on SQLite."""
    folder = tmp_path_factory.mktemp("nobody")
    settings = settings_for(
        f"sqlite:///{folder}/bonafides.db", folder, address_requests_per_minute=10_000_000
    )
    with running(settings) as server:
        prober = Prober(server, None, {}, lambda _: False)
        yield prober
        prober.close()


@pytest.mark.parametrize("operation_id", EXAMPLES)
def test_nobody_gets_what_is_declared_and_no_further(operation_id: str, prober: Prober) -> None:
    """A caller without a credential could break a call, or be let into it."""
    prober.run(operation_id)


def test_nobody_got_anywhere(prober: Prober) -> None:
    """A call that takes a credential would have been answered without one."""
    for operation in prober.description.operations():
        succeeded = [status for status in prober.statuses[operation.id] if status < 300]
        open_to_all = not operation.declared["security"] and operation.id not in BY_PASSWORD
        assert bool(succeeded) == open_to_all, operation.id
