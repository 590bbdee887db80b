"""Several workers are one server: one count for each limit, one directory, one sum of metrics."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from tests.processes import ServerProcess
from tests.workers.conftest import WORKERS
from tests.workers.connections import Connection, Told, one_to_each

pytestmark = pytest.mark.slow

SEEN_SECONDS_MAX: Final = 2.0
"""For a change to reach every worker, on a machine that is busy with other tests; `make bench` measures it."""


PASSWORD: Final = "seven quiet harbours"


def make_plan(crew: ServerProcess, name: str, requests_per_hour: int | None, burst: int | None) -> str:
    """The name of a new plan."""
    wish = {"name": name, "requests_per_hour": requests_per_hour, "burst": burst}
    assert crew.admin.post("/v1/plans", json=wish).status_code in {200, 201}
    return name


def make_key(crew: ServerProcess, **wish: object) -> dict[str, str]:
    """A new key, as its creation answered."""
    answer = crew.admin.post("/v1/api-keys", json={"name": "workers", **wish})
    assert answer.status_code == 201, answer.text
    made: dict[str, str] = answer.json()
    return made


@pytest.fixture
def connections(crew: ServerProcess) -> Iterator[list[Connection]]:
    """A connection to each worker."""
    opened = one_to_each(crew, WORKERS, make_key(crew, plan="enterprise")["key"])
    yield opened
    for connection in opened:
        connection.close()


def hammer(connections: list[Connection], key: str, requests: int) -> list[list[Told]]:
    """What each connection was told, all of them at full speed at once."""
    together = threading.Barrier(len(connections))

    def one(connection: Connection) -> list[Told]:
        together.wait()
        return [connection.verify(key) for _ in range(requests)]

    with ThreadPoolExecutor(len(connections)) as pool:
        return list(pool.map(one, connections))


def test_the_hour_admits_exactly_its_limit(crew: ServerProcess, connections: list[Connection]) -> None:
    """Every worker more would sell the plan once more."""
    key = make_key(crew, plan=make_plan(crew, "hour", 300, None))["key"]
    told = hammer(connections, key, 150)
    admitted = [each.remaining for line in told for each in line if each.status == 200]
    assert sorted(admitted, reverse=True) == list(range(299, -1, -1))
    for line in told:
        left = [each.remaining for each in line]
        assert left == sorted(left, reverse=True)
    refused = [each for line in told for each in line if each.status != 200]
    assert {(each.status, each.remaining) for each in refused} == {(429, 0)}
    assert len({each.worker for line in told for each in line}) == WORKERS


def test_the_burst_admits_no_more_in_a_second(crew: ServerProcess, connections: list[Connection]) -> None:
    """An API behind four workers would get four bursts at once."""
    key = make_key(crew, plan=make_plan(crew, "burst", None, 20))["key"]
    began = time.monotonic()
    told = hammer(connections, key, 60)
    windows_max = int(time.monotonic() - began) + 2
    admitted = sum(each.status == 200 for line in told for each in line)
    assert 20 <= admitted <= 20 * windows_max


def refused_by_all(connections: list[Connection], credential: str) -> None:
    """Every worker refuses a credential now: the call that took it away has answered."""
    assert {connection.verify(credential).status for connection in connections} == {401}


def test_a_revoked_key_is_refused_by_every_worker(crew: ServerProcess, connections: list[Connection]) -> None:
    """A revocation at one worker would leave the key good at the others, until they have heard of it."""
    for _ in range(40):
        made = make_key(crew, plan="enterprise")
        for connection in connections:
            assert connection.verify(made["key"]).status == 200
        assert crew.admin.delete(f"/v1/api-keys/{made['id']}").status_code == 200
        refused_by_all(connections, made["key"])


def log_in(crew: ServerProcess, username: str, password: str) -> str:
    """The JWT of a new login."""
    answer = crew.admin.post("/v1/auth/login", json={"username": username, "password": password})
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["token"]
    return token


def test_a_logout_and_a_disabled_user_end_jwts_at_every_worker(
    crew: ServerProcess, connections: list[Connection]
) -> None:
    """Attack 6, ASVS 7.4.1, ASVS 7.4.2: a signature stays good, so each worker has to be told that the login is over."""
    user = crew.admin.post("/v1/users", json={"email": f"{secrets.token_hex(6)}@example.com"}).json()
    begun = crew.admin.post(f"/v1/users/{user['id']}/password-reset").json()
    chosen = {"token": begun["token"], "new_password": PASSWORD}
    assert crew.admin.post("/v1/auth/password/reset", json=chosen).status_code == 204
    left, stayed = (log_in(crew, user["email"], PASSWORD) for _ in range(2))
    for token in (left, stayed):
        assert {connection.verify(token).status for connection in connections} == {200}
    assert crew.client(left).post("/v1/auth/logout").status_code == 204
    refused_by_all(connections, left)
    assert {connection.verify(stayed).status for connection in connections} == {200}
    assert crew.admin.patch(f"/v1/users/{user['id']}", json={"status": "disabled"}).status_code == 200
    refused_by_all(connections, stayed)


def test_what_a_new_key_has_signed_is_good_at_every_worker(
    crew: ServerProcess, connections: list[Connection]
) -> None:
    """Whoever logs in a moment after a rotation would be refused by each worker that has not heard of the key."""
    for _ in range(3):
        turned = crew.admin.post("/v1/signing-keys/rotate", json={"force": True})
        assert turned.status_code == 200, turned.text
        token = log_in(crew, crew.founded.email, crew.founded.password)
        assert [connection.verify(token).status for connection in connections] == [200] * WORKERS


def test_a_key_made_at_one_worker_is_known_at_every_other(
    crew: ServerProcess, connections: list[Connection]
) -> None:
    """A client would be refused by the next worker with the key that it was just given."""
    unknown = make_key(crew, plan="enterprise")
    assert crew.admin.delete(f"/v1/api-keys/{unknown['id']}").status_code == 200
    for _ in range(5):
        made = make_key(crew, plan="enterprise")
        assert [connection.verify(made["key"]).status for connection in connections] == [200] * WORKERS


def test_a_changed_plan_binds_everywhere(crew: ServerProcess, connections: list[Connection]) -> None:
    """A limit that was lowered in an emergency would hold at one worker alone."""
    key = make_key(crew, plan=make_plan(crew, "changed", 1_000, None))["key"]
    for connection in connections:
        assert connection.verify(key).status == 200
    make_plan(crew, "changed", 4, None)
    deadline = time.monotonic() + SEEN_SECONDS_MAX
    while any(connection.verify(key).status == 200 for connection in connections):
        assert time.monotonic() < deadline


def test_metrics_are_the_sum_of_all(crew: ServerProcess, connections: list[Connection]) -> None:
    """A scrape would show one worker's share, another one each time, and rates that make no sense."""
    key = make_key(crew, plan="enterprise")["key"]

    def accepted() -> float:
        text = crew.admin.get("/metrics").text
        found = re.search(
            r'^bonafides_http_requests_total\{method="GET",route="/v1/auth/verify",status="200"\} (\S+)$',
            text,
            re.MULTILINE,
        )
        assert "bonafides_memory_trusted 1.0" in text
        return float(found[1]) if found else 0.0

    before = accepted()
    hammer(connections, key, 25)
    assert accepted() - before == 25 * WORKERS
