"""§1 and §4: probes, metrics, the description, and the addresses behind which the server believes itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.serving import RunningServer, running, settings_for
from tests.web.tenancy import Tenancy, refusal


@pytest.mark.parametrize(("path", "status"), [("/healthz", "ok"), ("/readyz", "ready")])
def test_probes_need_no_credential(tenancy: Tenancy, path: str, status: str) -> None:
    """A load balancer has none."""
    answer = tenancy.client().get(path)
    assert (answer.status_code, answer.json()) == (200, {"status": status})
    assert tenancy.client("wrong").get(path).status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"


def test_metrics_are_the_operators_alone(tenancy: Tenancy) -> None:
    """A customer would read how much the others use."""
    assert refusal(tenancy.client().get("/metrics")) == (401, "missing_api_key")
    assert refusal(tenancy.client("wrong").get("/metrics")) == (401, "invalid_api_key")
    assert refusal(tenancy.api.get("/metrics")) == (403, "insufficient_scope")
    assert refusal(tenancy.member().get("/metrics")) == (403, "insufficient_scope")
    answer = tenancy.operator.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_metrics_count_what_is_answered(tenancy: Tenancy) -> None:
    """A flood of refusals would be invisible; and ids in labels would grow without end."""

    def count(line: str) -> float:
        found = [row for row in tenancy.operator.get("/metrics").text.splitlines() if row.startswith(line)]
        return sum(float(row.rpartition(" ")[2]) for row in found)

    accepted = 'bonafides_verdicts_total{kind="api_key",outcome="accepted"}'
    unknown = 'bonafides_verdicts_total{kind="unknown",outcome="invalid_api_key"}'
    answers = 'bonafides_http_requests_total{method="GET",route="/v1/auth/verify",status="401"}'
    before = count(accepted), count(unknown), count(answers)
    key = tenancy.key()
    for _ in range(5):
        tenancy.verify(key["key"])
        tenancy.verify("wrong")
    after = count(accepted), count(unknown), count(answers)
    assert after[0] - before[0] >= 5
    assert (after[1] - before[1], after[2] - before[2]) == (5, 5)
    text = tenancy.operator.get("/metrics").text
    assert not any(name in text for name in (key["id"], key["key"], tenancy.id, tenancy.owner["id"]))


def test_the_description_is_the_same_in_both_forms(tenancy: Tenancy) -> None:
    """A client generated from one would not fit the other."""
    as_json = tenancy.client().get("/openapi.json")
    as_yaml = tenancy.client().get("/openapi.yaml")
    assert as_json.headers["Content-Type"] == "application/json"
    assert as_yaml.headers["Content-Type"] == "application/yaml"
    assert as_json.json() == yaml.safe_load(as_yaml.text)
    assert as_json.json()["openapi"].startswith("3.1")
    assert as_json.json()["servers"][0]["url"] == "https://api.example.com"


def test_the_page_of_all_calls_loads_nothing(tenancy: Tenancy) -> None:
    """Behind a company's firewall it would stay blank; and a script from elsewhere could read keys."""
    answer = tenancy.client().get("/docs/api-reference")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "<script" not in answer.text
    for path in ("/v1/api-keys", "/v1/auth/verify", "/v1/credentials/verify", "/auth/forward"):
        assert path in answer.text


def test_the_front_door_says_where_to_go(tenancy: Tenancy) -> None:
    """Whoever opens the URL from the ready line would see an error."""
    answer = tenancy.client().get("/")
    assert answer.status_code == 200
    assert answer.json()["docs"] == "https://api.example.com/docs"


@pytest.fixture
def fresh_server(database_url: str, tmp_path: Path) -> Iterator[RunningServer]:
    """A server as somebody finds it who has changed no setting; it trusts no proxy."""
    settings = settings_for(database_url, tmp_path, address_requests_per_minute=1200)
    with running(settings) as server:
        yield server


def test_a_new_installation(fresh_server: RunningServer) -> None:
    """The first key is what everything else is made with, so it must not run dry."""
    admin = fresh_server.admin
    answer = admin.get("/v1/auth/verify?scope=admin+read+write+credentials:verify")
    assert answer.status_code == 200
    assert answer.headers["RateLimit-Policy"] == '"burst";q=1000;w=1', "the plan is enterprise"
    assert answer.json()["user_id"] == fresh_server.founded.user_id
    assert answer.json()["tenant_id"] == fresh_server.founded.tenant_id
    me = admin.get("/v1/users/me").json()
    assert (me["email"], me["role"], me["kind"]) == ("admin@example.com", "owner", "person")
    assert [key["plan"] for key in admin.get("/v1/api-keys").json()["data"]] == ["enterprise"]
    names = {plan["name"] for plan in admin.get("/v1/plans").json()["data"]}
    assert names == {"free", "pro", "enterprise"}
    free = fresh_server.create_key()
    verified = fresh_server.client(free["key"]).get("/v1/auth/verify")
    assert verified.headers["RateLimit-Policy"] == '"hour";q=1000;w=3600, "burst";q=50;w=1', (
        "free is the default"
    )
    anonymous = fresh_server.client().get("/v1/auth/verify")
    assert anonymous.headers["RateLimit-Policy"] == '"address";q=1200;w=60'


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP"],
)
def test_without_a_trusted_proxy_nobody_says_where_they_come_from(
    fresh_server: RunningServer, header: str
) -> None:
    """Anybody could come from an allowed network, and from a new address for every guess."""
    bound = fresh_server.create_key(allowed_ips=["192.0.2.0/24"])
    local = fresh_server.create_key(allowed_ips=["127.0.0.1"])
    value = "for=192.0.2.1" if header == "Forwarded" else "192.0.2.1"
    for path in ("/v1/auth/verify", "/auth/forward", "/v1/api-keys"):
        away = fresh_server.client(bound["key"]).get(path, headers={header: value})
        assert refusal(away) == (403, "ip_not_allowed"), path
        assert fresh_server.client(local["key"]).get(path, headers={header: value}).is_success, path
    remaining = [
        int(
            fresh_server.client()
            .get("/v1/auth/verify", headers={header: value[:-1] + digit})
            .headers["X-RateLimit-Remaining"]
        )
        for digit in "123"
    ]
    assert remaining == [1199, 1198, 1197]


@pytest.mark.parametrize("header", ["Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP"])
def test_a_trusted_proxy_speaks_by_one_header(tenancy: Tenancy, header: str) -> None:
    """A proxy strips the header that it knows, and lets a client's other one through."""
    key = tenancy.key(allowed_ips=["192.0.2.0/24"])
    value = "for=192.0.2.1" if header == "Forwarded" else "192.0.2.1"
    answer = tenancy.client(key["key"]).get("/v1/auth/verify", headers={header: value})
    assert refusal(answer) == (403, "ip_not_allowed")


@pytest.mark.parametrize("host", ["evil.example", "localhost:1", "", '"><script>'])
def test_a_made_up_host_changes_no_link(tenancy: Tenancy, host: str) -> None:
    """A link in an error would lead to whoever sent it, or a cache would keep it for others."""
    for credential in (tenancy.owner_key["key"], "wrong"):
        headers = {"Host": host, "X-Forwarded-Host": host, "X-Forwarded-Proto": "gopher"}
        answer = tenancy.client(credential).get("/v1/auth/verify", headers=headers)
        assert answer.status_code in {200, 400, 401}
        assert host == "" or host not in answer.text + str(answer.headers)
        assert "gopher" not in answer.text + str(answer.headers)
