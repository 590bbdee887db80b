"""Metrics are what Prometheus reads, count what happened, and do not grow with what clients make up."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.faults.wire import Wire
from tests.processes import ServerProcess, process
from tests.serving import RunningServer, running, settings_for

SERIES_MAX = 1_000
"""Far more than there are routes, methods and statuses that occur, and far fewer than what the tests make up."""


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[RunningServer]:
    """A server that has counted nothing yet."""
    with running(settings_for(f"sqlite:///{tmp_path}/bonafides.db", tmp_path)) as server:
        yield server


def families(server: RunningServer) -> dict[str, Metric]:
    """The metrics as Prometheus' own parser reads them."""
    answer = server.admin.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def answers(server: RunningServer, **labels: str) -> float:
    """How many answers with these labels were counted."""
    samples = families(server)["bonafides_http_requests"].samples
    return sum(
        sample.value
        for sample in samples
        if sample.name.endswith("_total") and labels.items() <= sample.labels.items()
    )


def test_every_family_can_be_read_and_says_what_it_is(house: RunningServer) -> None:
    """A text that the scraper refuses is an operator without eyes."""
    key = house.create_key()
    house.client(key["key"]).get("/v1/auth/verify")
    found = families(house)
    assert found.keys() >= {"bonafides_http_requests", "bonafides_http_request_seconds", "bonafides_verdicts"}
    for family in found.values():
        assert family.name.startswith("bonafides_")
        assert family.documentation.endswith(".")
        assert family.type in {"counter", "gauge", "histogram"}
    assert found["bonafides_memory_trusted"].samples[0].value == 1


def test_what_is_counted_is_what_happened(fresh: RunningServer) -> None:
    """A figure that is almost right hides exactly what one looks for; hot answers count like all others."""
    client = fresh.client(fresh.create_key(plan="enterprise")["key"])
    for _ in range(20):
        assert client.get("/v1/auth/verify").status_code == 200
    for _ in range(3):
        assert client.get("/auth/forward").status_code == 204
        assert client.get("/v1/api-keys/key_unknown").status_code == 404
        assert client.get("/v1/auth/verify?scope=nothing").status_code == 403
        assert fresh.client().get("/v1/auth/verify").status_code == 401
        with Wire(fresh.url) as wire:
            wire.send(b"\x00\r\n\r\n")
            assert wire.answer().status == 400
    assert answers(fresh, route="/v1/auth/verify", method="GET", status="200") == 20
    assert answers(fresh, route="/v1/auth/verify", status="403") == 3
    assert answers(fresh, route="/v1/auth/verify", status="401") == 3
    assert answers(fresh, route="/auth/forward", status="204") == 3
    assert answers(fresh, route="/v1/api-keys/{key_id}", status="404") == 3
    assert answers(fresh, route="/v1/api-keys", method="POST", status="201") == 1
    assert answers(fresh, route="unmatched", status="400") == 3
    samples = families(fresh)["bonafides_verdicts"].samples
    accepted = {
        sample.labels["kind"]: sample.value
        for sample in samples
        if sample.labels.get("outcome") == "accepted"
    }
    assert accepted["api_key"] >= 20 + 3 + 3
    refused = [sample for sample in samples if sample.labels.get("outcome") == "missing_api_key"]
    assert refused[0].value >= 3


def test_what_clients_make_up_makes_no_series(fresh: RunningServer) -> None:
    """Each series stays in memory for ever, here and in Prometheus: a scanner would fill both in an hour."""
    client = fresh.admin
    before = sum(len(family.samples) for family in families(fresh).values())
    for number in range(250):
        word = secrets.token_hex(6)
        client.request(f"X{word.upper()}" if number % 7 == 0 else "GET", f"/{word}/{word}?{word}={word}")
        client.get(f"/v1/api-keys/{word}")
        client.get(f"/auth/forward/envoy/{word}")
        client.get("/v1/auth/verify", params={"scope": word})
        client.get("/v1/auth/verify", headers={"Authorization": f"Bearer {word}", "User-Agent": word})
        client.post("/v1/credentials/verify", json={"credential": word})
        with Wire(fresh.url) as wire:
            wire.send(f"{word} / HTTP/1.1\r\n\r\n".encode())
            wire.answer()
        fresh.clock.advance(2)
    found = families(fresh)
    after = sum(len(family.samples) for family in found.values())
    assert after < SERIES_MAX
    assert after - before < 300
    for family in found.values():
        for sample in family.samples:
            for value in sample.labels.values():
                assert len(value) < 60
                assert not any(len(part) == 12 and part.isalnum() and part.isascii() and part == part.lower()
                               and any(digit.isdigit() for digit in part) for part in value.split("/"))  # fmt: skip


def test_metrics_are_the_operators_alone(fresh: RunningServer) -> None:
    """They tell who is busy when; a customer has no business with that."""
    stranger = fresh.create_tenant_user_key()["key"]["key"]
    assert fresh.client(stranger).get("/metrics").status_code == 403
    assert fresh.client().get("/metrics").status_code == 401
    assert fresh.client(fresh.create_key(scopes=["read"])["key"]).get("/metrics").status_code == 403


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[tuple[ServerProcess, str]]:
    """A server with an address for metrics alone, and that address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    with process(f"sqlite:///{tmp_path}/bonafides.db", tmp_path, metrics_address=address) as server:
        yield server, f"http://{address}"


def test_an_address_of_their_own_serves_metrics_and_nothing_else(apart: tuple[ServerProcess, str]) -> None:
    """What is reachable without a credential must not be the API."""
    server, url = apart
    assert server.admin.get("/v1/auth/verify").status_code == 200
    with httpx2.Client(base_url=url, trust_env=False, verify=False, timeout=20) as scraper:
        answer = scraper.get("/metrics")
        assert answer.status_code == 200
        found = {family.name for family in text_string_to_metric_families(answer.text)}
        assert "bonafides_http_requests" in found
        assert scraper.get("/metrics?x=1").status_code == 200
        for path in ("/", "/v1/auth/verify", "/healthz", "/metricsx", "/%2e%2e/metrics"):
            assert scraper.get(path).status_code == 404
        assert scraper.post("/metrics").status_code == 404
    # The main address goes on asking for the operator's credential.
    assert server.client().get("/metrics").status_code == 401
    assert server.admin.get("/metrics").status_code == 200


def test_a_bad_scraper_does_no_harm(apart: tuple[ServerProcess, str]) -> None:
    """The small server has bounds of its own."""
    server, url = apart
    slow, noisy, endless = Wire(url), Wire(url), Wire(url)
    slow.send(b"GET /metrics HTT")
    noisy.send(b"\x00\xff\r\n\r\n")
    assert noisy.answer().status == 404
    try:
        for _ in range(64):
            endless.send(b"a" * 2**20)
        pytest.fail("it took in 64 MB of one request")
    except OSError:
        pass
    assert slow.closed(10)
    for wire in (slow, noisy, endless):
        wire.socket.close()
    assert httpx2.get(f"{url}/metrics", trust_env=False, verify=False).status_code == 200
    assert server.stop() == 0
    assert not [line for line in server.log() if line["level"] != "info"]


def test_an_address_that_is_taken_is_told_in_a_sentence(
    apart: tuple[ServerProcess, str], tmp_path: Path
) -> None:
    """A traceback does not say which setting to change."""
    server, url = apart
    folder = tmp_path / "second"
    folder.mkdir()
    second = ServerProcess(
        f"sqlite:///{folder}/bonafides.db", folder, metrics_address=url.removeprefix("http://")
    )
    second.init()
    second.launch("serve")
    assert second.wait() not in {0, -6, -9, -11}
    assert "metrics_address" in second.stderr()
    assert "Traceback" not in second.stderr()
    assert server.client().get("/healthz").status_code == 200
