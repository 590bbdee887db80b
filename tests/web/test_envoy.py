"""Envoy's ext_authz asks with the method, path and query of the request that it holds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.serving import RunningServer, running, settings_for


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for the whole file."""
    folder = tmp_path_factory.mktemp("server")
    with running(settings_for(f"sqlite:///{folder}/bonafides.db", folder)) as server:
        yield server


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
def test_any_method_and_path_is_asked_about(server: RunningServer, method: str) -> None:
    """Envoy would refuse every request but GET of an API that it protects."""
    key = server.create_key(scopes=["read"])
    answer = server.client(key["key"]).request(method, "/auth/forward/envoy/orders/7")
    assert answer.status_code == 204
    assert answer.headers["x-auth-credential"] == key["id"]
    assert server.client().request(method, "/auth/forward/envoy/orders/7").status_code == 401


def test_the_original_query_is_not_ours(server: RunningServer) -> None:
    """A client whose API has a parameter `scope` of its own would be refused, or could choose what is asked of it."""
    client = server.client(server.create_key(scopes=["read"])["key"])
    assert client.get("/auth/forward/envoy/orders?scope=admin").status_code == 204
    assert client.get("/auth/forward/envoy/orders?scope=a&scope=b&x=%22").status_code == 204
    assert client.get("/auth/forward/envoy?scope=admin").status_code == 403
