"""What tests of the pages share: what they ask of the rooms is tested on every database elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.elsewhere import Elsewhere, elsewhere
from tests.serving import RunningServer, running, settings_for
from tests.web.tenancy import Tenancy, tenancy_on


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server on which each file has a tenant of its own."""
    folder = tmp_path_factory.mktemp("pages")
    settings = settings_for(
        f"sqlite:///{folder / 'bonafides.db'}",
        folder,
        trusted_proxies=["127.0.0.1"],
        scopes=["invoices:read", "invoices:write"],
    )
    with running(settings) as running_server:
        running_server.create_plan("unmetered")
        admin_key_id = running_server.admin.get("/v1/auth/verify").json()["credential"]["id"]
        answer = running_server.admin.patch(f"/v1/api-keys/{admin_key_id}", json={"plan": "unmetered"})
        assert answer.status_code == 200, answer.text
        yield running_server


@pytest.fixture(scope="module")
def tenancy(server: RunningServer) -> Tenancy:
    """A tenant of the file's own."""
    return tenancy_on(server)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    """Where clients describe themselves, and keep what they ask for."""
    with elsewhere(tmp_path_factory.mktemp("there")) as other:
        yield other
