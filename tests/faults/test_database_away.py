"""While the database is away: what memory knows is served as long as it may be, and the rest is 503, soon."""

from __future__ import annotations

import resource
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from bonafides.secret import SecretKind, mint, new_id
from tests.faults.outages import (
    Outage,
    back_up,
    crashed,
    frozen,
    locked,
    moved_away,
    replace_by_copy,
    stopped,
)
from tests.postgres import PostgresServer
from tests.processes import process
from tests.serving import RunningServer, running, settings_for

pytestmark = pytest.mark.slow

STALENESS_SECONDS: Final = 2.0
ANSWER_SECONDS_MAX: Final = 8.0
# A request that met a lock would wait for 2.5 s; one that did not may still meet a busy machine.
UNHINDERED_SECONDS_MAX: Final = 2.4
RETURN_SECONDS_MAX: Final = 10.0


@dataclass
class Scene:
    """A server, and a way to take its database away."""

    server: RunningServer
    outage: Outage


@pytest.fixture(params=["stopped", "crashed", "frozen", "moved away"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """A server whose database can be taken away altogether; once for each way."""
    if request.param == "moved away":
        path = tmp_path / "bonafides.db"
        url, outage = f"sqlite:///{path}", partial(moved_away, path)
    else:
        postgres: PostgresServer = request.getfixturevalue("own_postgres")
        ways = {"stopped": stopped, "crashed": crashed, "frozen": frozen}
        url, outage = postgres.create_database(), partial(ways[request.param], postgres)
    with running(settings_for(url, tmp_path, max_staleness_seconds=STALENESS_SECONDS)) as server:
        yield Scene(server, outage)


@dataclass
class Call:
    """A request that needs the database, if memory may not be used."""

    credential: str
    method: str = "GET"
    path: str = "/v1/auth/verify"
    body: dict[str, Any] | None = None

    def send(self, server: RunningServer) -> tuple[httpx2.Response, float]:
        """The answer, and how many seconds it took."""
        with httpx2.Client(base_url=server.url, timeout=60, trust_env=False, verify=False) as client:
            client.headers["Authorization"] = f"Bearer {self.credential}"
            began = time.monotonic()
            answer = client.request(self.method, self.path, json=self.body)
            return answer, time.monotonic() - began


def assert_unavailable(answer: httpx2.Response, seconds: float) -> None:
    """The server said that it cannot know, in the one shape and in bounded time."""
    assert answer.status_code == 503, answer.text
    problem = answer.json()
    assert problem["error"] == "unavailable"
    assert problem["code"] == 503
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert int(answer.headers["retry-after"]) >= 1
    assert seconds < ANSWER_SECONDS_MAX


def unknown_key() -> str:
    """A key of the right form that nobody was ever given."""
    return mint(SecretKind.KEY, new_id("key", 1, secrets.token_bytes), secrets.token_bytes)


def wait_for(server: RunningServer, call: Call, status: int) -> float:
    """Repeat a call until it has this status; the seconds that it took."""
    began = time.monotonic()
    while True:
        answer, _ = call.send(server)
        if answer.status_code == status:
            return time.monotonic() - began
        assert answer.status_code == 503, answer.text
        assert time.monotonic() - began < RETURN_SECONDS_MAX, "service did not return"
        time.sleep(0.02)


def test_what_cannot_be_known_is_503_and_service_returns(
    scene: Scene, record_property: Callable[[str, object], None]
) -> None:
    """ASVS 16.5.2, ASVS 16.5.3: a "no" would lock good clients out, a "yes" would let anyone in, and a hang would take the API along."""
    server = scene.server
    known, cold, later = (server.create_key(plan="enterprise") for _ in range(3))
    admin = server.founded.api_key
    assert Call(known["key"]).send(server)[0].status_code == 200
    unknowable = [
        Call(cold["key"]),
        Call(unknown_key()),
        Call(cold["key"], "GET", "/auth/forward"),
        Call(admin, "POST", "/v1/credentials/verify", {"credential": cold["key"]}),
        Call(admin, "POST", "/v1/api-keys", {"name": "while the database is away"}),
        Call(admin, "GET", "/v1/api-keys"),
        Call(admin, "DELETE", f"/v1/api-keys/{known['id']}"),
        Call(admin, "GET", "/v1/audit"),
        Call(admin, "GET", "/readyz"),
    ]
    with scene.outage():
        gone_at = time.monotonic()
        with ThreadPoolExecutor(4 * len(unknowable)) as pool:
            answers = list(pool.map(lambda call: call.send(server), unknowable * 4))
        for answer, seconds in answers:
            assert_unavailable(answer, seconds)
        time.sleep(max(0.0, gone_at + STALENESS_SECONDS + 0.1 - time.monotonic()))
        # Memory is too old now: not even what was known is answered from it, neither yes nor no.
        for call in (Call(known["key"]), Call(known["key"], "GET", "/auth/forward"), *unknowable[:4]):
            assert_unavailable(*call.send(server))
        # What needs no database is answered as ever.
        client = server.client()
        assert client.get("/healthz").status_code == 200
        assert client.get("/openapi.json").status_code == 200
        assert client.get("/v1/auth/verify").json()["error"] == "missing_api_key"
        assert client.get("/v1/auth/verify", headers={"X-API-Key": "nonsense"}).status_code == 401
    longest = max(seconds for _, seconds in answers)
    returned = wait_for(server, Call(cold["key"]), 200)
    ready = wait_for(server, Call(admin, "GET", "/readyz"), 200)
    record_property("seconds", f"longest {longest:.2f}, return {returned:.2f}, ready {ready:.2f}")
    assert Call(later["key"]).send(server)[0].status_code == 200
    assert Call(unknown_key()).send(server)[0].status_code == 401
    server.create_key(name="after the database returned")


def test_memory_serves_as_long_as_it_may_and_no_longer(scene: Scene) -> None:
    """Too short, and every hiccup of the database is everybody's outage; too long, and revoked keys live on."""
    server = scene.server
    known = server.create_key(plan="enterprise")
    timeline: list[tuple[float, float, int]] = []
    failures: list[BaseException] = []
    stop = threading.Event()

    def ask() -> None:
        try:
            client = server.client(known["key"])
            while not stop.is_set():
                began = time.monotonic()
                status = client.get("/v1/auth/verify").status_code
                timeline.append((began, time.monotonic(), status))
                stop.wait(0.02)
        except BaseException as error:  # noqa: BLE001 - shown below
            failures.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        time.sleep(0.3)
        going_at = time.monotonic()
        with scene.outage():
            gone_at = time.monotonic()
            time.sleep(STALENESS_SECONDS + 1)
            returning_at = time.monotonic()
        back_at = time.monotonic()
        while not (timeline[-1][2] == 200 and timeline[-1][0] > back_at):
            assert time.monotonic() - back_at < RETURN_SECONDS_MAX, "service did not return"
            time.sleep(0.02)
    finally:
        stop.set()
        asking.join()
    assert not failures
    assert {status for _, _, status in timeline} <= {200, 503}
    assert all(status == 200 for _, ended, status in timeline if ended < going_at)
    # What hangs during the outage may still be answered after it, by the database.
    served = max(began for began, ended, status in timeline if status == 200 and ended < returning_at)
    assert served - going_at > STALENESS_SECONDS - 0.6, "memory was given up too early"
    assert served - gone_at < STALENESS_SECONDS + 0.05, "memory was used for too long"


def test_no_request_waits_for_long_whenever_it_comes(tmp_path: Path, own_postgres: PostgresServer) -> None:
    """Those who queue behind one that waits would wait for its time and for theirs, and so on."""
    with running(settings_for(own_postgres.create_database(), tmp_path)) as server:
        cold = server.create_key(plan="enterprise")
        admin = server.founded.api_key
        kinds = [
            Call(cold["key"]),
            Call(admin, "GET", "/v1/api-keys"),
            Call(admin, "POST", "/v1/api-keys", {"name": "late"}),
            Call(admin, "GET", "/readyz"),
        ]
        for call in kinds:
            call.send(server)

        def send(place: tuple[int, Call]) -> tuple[Call, float, httpx2.Response, float]:
            number, call = place
            time.sleep(max(0.0, frozen_at + number * 0.15 - time.monotonic()))
            return (call, number * 0.15, *call.send(server))

        places = [(number, call) for number in range(40) for call in kinds]
        with frozen(own_postgres), ThreadPoolExecutor(len(places)) as pool:
            frozen_at = time.monotonic()
            results = list(pool.map(send, places))
        for _, came, answer, seconds in results:
            if came < STALENESS_SECONDS and answer.status_code == 200:
                continue  # from memory, as it should be
            assert_unavailable(answer, seconds)


def test_an_outage_does_not_use_up_the_limit_of_an_address(
    tmp_path: Path, own_postgres: PostgresServer
) -> None:
    """Clients behind one gateway would be refused with 429 after the database has returned."""
    settings = settings_for(own_postgres.create_database(), tmp_path, address_requests_per_minute=20)
    with running(settings) as server:
        cold = server.create_key(plan="enterprise")
        with stopped(own_postgres):
            for _ in range(30):
                assert_unavailable(*Call(cold["key"]).send(server))
        wait_for(server, Call(cold["key"]), 200)


def test_a_restart_of_the_database_is_hardly_noticed(tmp_path: Path, own_postgres: PostgresServer) -> None:
    """Databases are restarted for every update; nobody restarts their API for that."""
    settings = settings_for(own_postgres.create_database(), tmp_path)
    with running(settings) as server:
        cold = [server.create_key(plan="enterprise")["key"] for _ in range(4)]
        for key in cold:
            own_postgres.restart()
            assert wait_for(server, Call(key), 200) < 3
            assert wait_for(server, Call(server.founded.api_key, "GET", "/v1/api-keys"), 200) < 3


def test_a_database_that_takes_no_new_connections_goes_on_serving(
    tmp_path: Path, own_postgres: PostgresServer
) -> None:
    """The connections that are there are good; a server that throws them away makes an outage of nothing."""
    with running(settings_for(own_postgres.create_database(), tmp_path)) as server:
        cold = [server.create_key(plan="enterprise")["key"] for _ in range(3)]
        assert Call(cold[0]).send(server)[0].status_code == 200
        with own_postgres.paused():
            time.sleep(STALENESS_SECONDS + 0.5)
            assert Call(cold[1]).send(server)[0].status_code == 200
            assert Call(server.founded.api_key, "GET", "/readyz").send(server)[0].status_code == 200


def test_a_database_that_refuses_us_is_an_outage(tmp_path: Path, own_postgres: PostgresServer) -> None:
    """An administrator's slip is not a mistake of the client's, and not a bug; it ends when the slip does."""
    own_postgres.sql("CREATE ROLE bonafides LOGIN PASSWORD 'unused'")
    url = own_postgres.create_database()
    name = url.rsplit("/", 1)[1]
    own_postgres.sql(f"ALTER DATABASE {name} OWNER TO bonafides")
    own_postgres.sql("GRANT ALL ON SCHEMA public TO bonafides", name)
    with running(settings_for(url.replace("postgres@", "bonafides@"), tmp_path)) as server:
        cold = server.create_key(plan="enterprise")
        admin = server.founded.api_key
        tables = own_postgres.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", name).split()
        for table in tables:
            own_postgres.sql(f"ALTER TABLE {table} OWNER TO postgres", name)
        time.sleep(STALENESS_SECONDS + 0.5)
        for call in (Call(cold["key"]), Call(admin, "GET", "/readyz"), Call(admin, "GET", "/v1/api-keys")):
            assert_unavailable(*call.send(server))
        for table in tables:
            own_postgres.sql(f"ALTER TABLE {table} OWNER TO bonafides", name)
        wait_for(server, Call(cold["key"]), 200)
        wait_for(server, Call(admin, "GET", "/readyz"), 200)


def test_a_file_that_somebody_else_locks_stops_writing_alone(tmp_path: Path) -> None:
    """A backup that holds the lock must not take verification down, nor make writers wait without end."""
    path = tmp_path / "bonafides.db"
    with running(settings_for(f"sqlite:///{path}", tmp_path)) as server:
        known, cold = (server.create_key(plan="enterprise") for _ in range(2))
        assert Call(known["key"]).send(server)[0].status_code == 200
        admin = server.founded.api_key

        def write(number: int) -> tuple[httpx2.Response, float]:
            # One after the other, so that some come while others wait already: the worst case for a queue.
            time.sleep(number * 0.4)
            return Call(admin, "POST", "/v1/api-keys", {"name": f"locked {number}"}).send(server)

        with locked(path), ThreadPoolExecutor(10) as pool:
            writing = [pool.submit(write, number) for number in range(10)]
            for _ in range(10):
                for call in (Call(known["key"]), Call(cold["key"]), Call(admin, "GET", "/readyz")):
                    answer, seconds = call.send(server)
                    assert answer.status_code == 200
                    assert seconds < UNHINDERED_SECONDS_MAX
                time.sleep(0.3)
            for future in writing:
                assert_unavailable(*future.result())
        wait_for(server, Call(admin, "POST", "/v1/api-keys", {"name": "unlocked"}), 201)
        names = [key["name"] for key in server.admin.get("/v1/api-keys").json()["data"]]
        assert "unlocked" in names
        assert not [name for name in names if name.startswith("locked")], "503, and carried out nevertheless"


def test_a_full_disk_stops_writing_alone(tmp_path: Path) -> None:
    """Verification needs no room on the disk; and what was acknowledged before the disk was full is there."""
    with process(f"sqlite:///{tmp_path}/bonafides.db", tmp_path, last_used_flush_seconds=3600) as server:
        admin = server.admin
        kept = [admin.post("/v1/api-keys", json={"name": f"early {n}"}).json() for n in range(3)]
        _, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        written = max(file.stat().st_size for file in tmp_path.glob("bonafides.db*"))
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (written, hard))
        refused = 0
        for number in range(30):
            began = time.monotonic()
            answer = admin.post("/v1/api-keys", json={"name": f"late {number}"})
            if answer.status_code == 201:
                kept.append(answer.json())
            else:
                assert_unavailable(answer, time.monotonic() - began)
                refused += 1
        assert refused > 10
        for key in kept:
            assert server.client(key["key"]).get("/v1/auth/verify").status_code == 200
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (hard, hard))
        kept.append(admin.post("/v1/api-keys", json={"name": "room again"}).json())
        listed = {key["id"] for key in admin.get("/v1/api-keys", params={"limit": 100}).json()["data"]}
        assert listed - {admin.get("/v1/auth/verify").json()["credential"]["id"]} == {
            key["id"] for key in kept
        }
        server.kill()
        server.serve()
        for key in kept:
            assert server.client(key["key"]).get("/v1/auth/verify").status_code == 200


def test_a_backup_that_is_put_in_place_is_what_counts(tmp_path: Path) -> None:
    """Memory of the database that was there before would let in what the restored one does not know."""
    path = tmp_path / "bonafides.db"
    with running(settings_for(f"sqlite:///{path}", tmp_path)) as server:
        early = server.create_key(plan="enterprise")
        back_up(path, tmp_path / "backup.db")
        late = server.create_key(plan="enterprise")
        for key in (early, late):
            assert Call(key["key"]).send(server)[0].status_code == 200
        assert server.admin.delete(f"/v1/api-keys/{early['id']}").status_code == 200
        assert Call(early["key"]).send(server)[0].status_code == 401
        replace_by_copy(path, tmp_path / "backup.db")
        deadline = time.monotonic() + STALENESS_SECONDS + 3
        while True:
            statuses = [Call(key["key"]).send(server)[0].status_code for key in (early, late)]
            if statuses == [200, 401]:
                break
            assert time.monotonic() < deadline, statuses
            time.sleep(0.05)
        server.create_key(name="after the restore")
