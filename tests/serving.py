"""Servers for black-box tests: real sockets, real databases, and a clock that the test moves."""

from __future__ import annotations

import asyncio
import functools
import http.client
import logging
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import httpx2
import structlog

from bonafides import app as composition
from bonafides.app import Application, Rooms, build, housekeeping, open_rooms, prepare
from bonafides.credentials.passwords import Passwords
from bonafides.installation import Founded
from bonafides.keyring import require_peppers
from bonafides.mail import Carry, carrier_of
from bonafides.settings import Settings
from bonafides.web.server import Server, server_of

# Servers of this process log for nobody; what logs hold is tested on servers of their own.
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _carrier_of(settings: Settings) -> Carry | None:
    """As the product's, but letters that would be shown to who has started the server are shown to nobody."""
    carry = carrier_of(settings)
    return carry if carry is None or settings.smtp_host else lambda _message: None


# Servers write from threads of their own, past what a test captures, into the log of the whole run.
mock.patch.object(composition, "carrier_of", _carrier_of).start()

START_US = 1_900_000_000_000_000
"""Where a fake clock begins: 2030-03-17, long after anything that the tests make."""


def weak_passwords() -> Passwords:
    """Hashes that take no time: the real ones would take most of a test's."""
    return Passwords(memory_kib=8, passes=1)


class FakeClock:
    """A wall clock that stands still until a test moves it; its monotonic side is the machine's own."""

    def __init__(self, now_us: int = START_US) -> None:
        self.now_us = now_us

    def micros(self) -> int:
        """Microseconds since the Unix epoch, UTC."""
        return self.now_us

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()

    def advance(self, seconds: float) -> None:
        """Move the wall clock."""
        self.now_us += round(seconds * 1_000_000)


@dataclass
class RunningServer:
    """A server in a thread of this process, on a port of its own."""

    url: str
    founded: Founded
    clock: FakeClock
    rooms: Rooms
    application: Application
    settings: Settings
    loop: asyncio.AbstractEventLoop
    clients: list[httpx2.Client] = field(default_factory=list)

    def client(self, credential: str | None = None, **options: Any) -> httpx2.Client:
        """A client that presents a credential (the installation's admin key: `server.founded.api_key`)."""
        headers = {"Authorization": f"Bearer {credential}"} if credential else {}
        # There is no TLS here to check, and reading the certificate authorities costs a client 70 ms.
        settings = {"trust_env": False, "verify": False, "timeout": 20, **options}
        client = httpx2.Client(base_url=self.url, headers=headers, **settings)
        self.clients.append(client)
        return client

    @functools.cached_property
    def admin(self) -> httpx2.Client:
        """A client with the installation's admin key."""
        return self.client(self.founded.api_key)

    @functools.cached_property
    def nobody(self) -> httpx2.Client:
        """A client that presents nothing of its own, for requests that carry all they need."""
        return self.client()

    def past_the_lane(self, method: str, path: str, headers: dict[str, str]) -> httpx2.Response:
        """The application's own answer, which the fast lane before it did not see."""
        transport = httpx2.ASGITransport(self.application.asgi)

        async def ask() -> httpx2.Response:
            request = httpx2.Request(method, self.url + path, headers=headers)
            answer = await transport.handle_async_request(request)
            await answer.aread()
            return answer

        return asyncio.run_coroutine_threadsafe(ask(), self.loop).result(20)

    def raw(self, head: bytes, body: bytes = b"") -> httpx2.Response:
        """The answer to a request sent byte for byte, for what no client library would send.

        Args:
            head: Request line and headers, without `Host`, `Connection` and the empty line at the end.
            body: Sent after it.
        """
        url = httpx2.URL(self.url)
        with socket.create_connection((url.host, url.port or 80), timeout=20) as connection:
            connection.sendall(head + b"\r\nHost: " + url.netloc + b"\r\nConnection: close\r\n\r\n" + body)
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            return httpx2.Response(answer.status, headers=answer.getheaders(), content=answer.read())

    def create_key(self, **wish: Any) -> dict[str, Any]:
        """Make a key as the admin; the answer's JSON, with `key`."""
        answer = self.admin.post("/v1/api-keys", json={"name": "test", **wish})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def create_plan(self, name: str, **figures: Any) -> None:
        """Make or change a plan as the admin."""
        body = {"name": name, "requests_per_hour": None, "burst": None, **figures}
        answer = self.admin.post("/v1/plans", json=body)
        assert answer.status_code in {200, 201}, answer.text

    def create_tenant_user_key(
        self, *, role: str = "owner", scopes: list[str] | None = None
    ) -> dict[str, Any]:
        """A tenant of its own with one user and one key: `{"tenant", "user", "key"}`."""
        tenant = self.admin.post("/v1/tenants", json={"name": f"tenant {secrets.token_hex(6)}"}).json()
        email = f"{secrets.token_hex(6)}@example.com"
        user = self.admin.post(
            "/v1/users", json={"email": email, "role": role, "tenant_id": tenant["id"]}
        ).json()
        wish: dict[str, Any] = {"user_id": user["id"], "tenant_id": tenant["id"]}
        if scopes is not None:
            wish["scopes"] = scopes
        return {"tenant": tenant, "user": user, "key": self.create_key(**wish)}


def settings_for(database_url: str, folder: Path, **changes: Any) -> Settings:
    """Settings of a test's server: a free port, a pepper file in the test's folder, no limit by address."""
    values: dict[str, Any] = {
        "database": database_url,
        "port": 0,
        "pepper_file": str(folder / "test.pepper"),
        "address_requests_per_minute": None,
        "database_connections_max": 4,
        "last_used_flush_seconds": 0.05,
        "usage_flush_seconds": 0.05,
        **changes,
    }
    return Settings(**values)


@contextmanager
def running(settings: Settings, clock: FakeClock | None = None) -> Iterator[RunningServer]:
    """Found an installation on an empty database and serve it until the block ends."""
    clock = clock or FakeClock()
    founded = asyncio.run(prepare(settings, "admin@example.com", clock=clock, passwords=weak_passwords()))
    assert founded is not None
    with serving(settings, founded, clock) as server:
        yield server


@contextmanager
def serving(settings: Settings, founded: Founded, clock: FakeClock) -> Iterator[RunningServer]:
    """Serve a database that is founded already."""
    ready: list[RunningServer] = []
    failure: list[BaseException] = []
    started = threading.Event()
    servers: list[Server] = []

    async def serve() -> None:
        async with (
            open_rooms(settings, require_peppers(settings), clock=clock, passwords=weak_passwords()) as rooms,
            housekeeping(rooms),
        ):
            application = build(rooms)

            def announce(url: str) -> None:
                loop = asyncio.get_running_loop()
                ready.append(RunningServer(url, founded, clock, rooms, application, settings, loop))
                started.set()

            servers.append(server_of(application.asgi, application.lane, announce))
            await servers[0].serve()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:  # noqa: BLE001 - shown to the test
            failure.append(error)
        finally:
            started.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    # No assertion: the attacks also run under `python -O`, which would not wait.
    if not started.wait(30):
        raise TimeoutError("the server did not start")
    if failure:
        raise failure[0]
    try:
        yield ready[0]
    finally:
        for client in ready[0].clients:
            client.close()
        servers[0].should_exit = True
        thread.join(30)
    if failure:
        raise failure[0]
