"""Methods: the ones that a path knows, HEAD beside GET, and a refusal that names them."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest

from tests.serving import RunningServer, running, settings_for


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for the whole file."""
    folder = tmp_path_factory.mktemp("server")
    with running(settings_for(f"sqlite:///{folder}/bonafides.db", folder)) as server:
        yield server


@pytest.mark.parametrize(
    ("path", "method", "allow"),
    [
        ("/v1/api-keys", "PUT", "GET, HEAD, POST"),
        ("/v1/api-keys/key_0", "POST", "DELETE, GET, HEAD, PATCH"),
        ("/v1/credentials/verify", "GET", "POST"),
        ("/v1/auth/verify", "DELETE", "GET, HEAD, POST"),
        ("/healthz", "POST", "GET, HEAD"),
        ("/auth/forward/nginx", "POST", "GET, HEAD"),
        ("/auth/forward/envoy", "POST", "GET, HEAD"),
        ("/v1/plans", "TRACE", "GET, HEAD, POST"),
        ("/v1/users/me", "DELETE", "GET, HEAD"),
        ("/v1/users/me2", "PUT", "DELETE, GET, HEAD, PATCH"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    server: RunningServer, path: str, method: str, allow: str
) -> None:
    """ASVS 13.4.4, ASVS 13.4.6: a client with a wrong method could not find out which one to use; none is told what we run."""
    refused = server.admin.request(method, path)
    assert (refused.status_code, refused.headers["allow"]) == (405, allow)
    assert refused.json()["message"] == f"This method is not allowed here. Allowed: {allow}."
    assert not {"server", "x-powered-by", "via"} & set(refused.headers)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/v1/users/me", "/openapi.json", "/v1/auth/verify"])
def test_head_is_get_without_the_body(server: RunningServer, path: str) -> None:
    """Monitors and caches that ask with HEAD would take a healthy server for a broken one."""
    got, head = server.admin.get(path), server.admin.head(path)
    assert head.status_code == got.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == got.headers["content-length"]
    assert set(head.headers) == set(got.headers)


def test_the_connection_lives_on_after_head(server: RunningServer) -> None:
    """A body sent after HEAD would be read as the next answer on the connection."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=20)
    try:
        for method in ("HEAD", "GET", "HEAD", "GET"):
            connection.request(method, "/healthz")
            answer = connection.getresponse()
            assert answer.status == 200
            assert answer.read() == (b"" if method == "HEAD" else b'{"status":"ok"}')
    finally:
        connection.close()


def test_head_counts_as_a_get_of_its_route(server: RunningServer) -> None:
    """Requests of monitors would be missing from the metrics, or make a label of their own."""
    server.admin.head("/healthz")
    assert 'method="HEAD",route="/healthz",status="200"' in server.admin.get("/metrics").text


def test_head_of_a_path_that_has_no_get_is_refused(server: RunningServer) -> None:
    """HEAD must not reach a call that changes something."""
    assert server.admin.head("/v1/credentials/verify").status_code == 405
