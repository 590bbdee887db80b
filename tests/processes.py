"""Servers in processes of their own, which a test may signal, kill and start again."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import httpx2

from bonafides.app import SystemClock, prepare
from bonafides.installation import Founded
from bonafides.settings import load
from tests.forked import Forked

START_SECONDS_MAX: Final = 90.0
"""For several workers, on a machine that is busy with other tests."""
END_SECONDS_MAX: Final = 60.0

_READY: Final = re.compile(r"^Bonafides is ready: (\S+)\n", re.MULTILINE)


class ServerProcess:
    """`bonafides serve` in a process of its own, over a database that it founds when it is first started.

    Everything that the process says is kept in files, across restarts.

    Args:
        database: As for `--database`.
        folder: The process's working folder: pepper, logs and, on SQLite, usually the database.
        settings: By name, as `BONAFIDES_*` environment variables. A port of its own and no limit by address
            are the default.
    """

    def __init__(self, database: str, folder: Path, **settings: object) -> None:
        self.database = database
        self.folder = folder
        self.settings: dict[str, object] = {
            "port": 0,
            "pepper_file": str(folder / "test.pepper"),
            "address_requests_per_minute": "none",
            "database_connections_max": 4,
            "last_used_flush_seconds": 0.2,
            "usage_flush_seconds": 0.2,
            **settings,
        }
        self.url = ""
        self.begin: Callable[[], None] | None = None
        """Called in the process before all else; a function of a module, or a part of one."""
        self._process: Forked | None = None
        self._founded: Founded | None = None
        self._clients: list[httpx2.Client] = []

    @property
    def founded(self) -> Founded:
        """The installation's first user, with their password and key."""
        assert self._founded is not None
        return self._founded

    @property
    def pid(self) -> int:
        """Of the process that was started last."""
        assert self._process is not None
        return self._process.pid

    def init(self) -> Founded:
        """Found the installation, once; in this process, because that is sooner than `bonafides init`."""
        if self._founded is None:
            settings = load({}, self._environment(), self.folder)
            self._founded = asyncio.run(prepare(settings, "admin@example.com", clock=SystemClock()))
        return self.founded

    def start(self) -> None:
        """Start the server over an installation, made if it is the first time; return once it is ready."""
        self.init()
        self.serve()

    def serve(self) -> None:
        """Start the server over what is there, and return once it has printed its ready line."""
        said = len(self.stdout())
        self.launch("serve")
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            ready = _READY.search(self.stdout(), said)
            if ready is not None:
                self.url = ready[1]
                return
            assert self.exit_status() is None, self.stderr()
            time.sleep(0.01)
        self.kill()
        raise AssertionError(f"no ready line within {START_SECONDS_MAX:g} s:\n{self.stderr()}")

    def launch(self, *command: str) -> None:
        """Start a command of `bonafides` without waiting for anything."""
        assert self._process is None or self._process.poll() is not None, "it runs already"
        self._process = Forked(command, self.folder, self._environment(), self.begin)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server's process."""
        assert self._process is not None
        self._process.send_signal(number)

    def exit_status(self) -> int | None:
        """How the process ended; None while it runs."""
        assert self._process is not None
        return self._process.poll()

    def wait(self, seconds: float = END_SECONDS_MAX) -> int:
        """Wait for the process to end by itself, and return its exit status."""
        assert self._process is not None
        return self._process.wait(seconds)

    def stop(self) -> int:
        """Send SIGTERM and return the exit status."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """End the process as a power cut would: no warning, nothing written."""
        self.signal(signal.SIGKILL)
        self.wait()

    def close(self) -> None:
        """End whatever runs."""
        for client in self._clients:
            client.close()
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def client(self, credential: str | None = None, **options: Any) -> httpx2.Client:
        """A client that presents a credential, for the URL of the last start."""
        headers = {"Authorization": f"Bearer {credential}"} if credential else {}
        client = httpx2.Client(
            base_url=self.url,
            headers=headers,
            **{"trust_env": False, "verify": False, "timeout": 30, **options},
        )
        self._clients.append(client)
        return client

    @property
    def admin(self) -> httpx2.Client:
        """A client with the installation's admin key."""
        return self.client(self.founded.api_key)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, for a bare socket."""
        host, _, port = self.url.rpartition("/")[2].rpartition(":")
        return host, int(port)

    def stdout(self) -> str:
        """Everything that every process of this server has written to standard output."""
        return self._said("stdout")

    def stderr(self) -> str:
        """Everything that every process of this server has written to standard error."""
        return self._said("stderr")

    def log(self) -> list[dict[str, Any]]:
        """The structured log: every line of standard error, read as JSON."""
        return [json.loads(line) for line in self.stderr().splitlines()]

    def _said(self, name: str) -> str:
        path = self.folder / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BONAFIDES_")}
        values = {"database": self.database, **self.settings}
        return kept | {f"BONAFIDES_{name.upper()}": str(value) for name, value in values.items()}


class Startable(Protocol):
    """What a test starts and has to close, whether or not it came up."""

    def start(self) -> object:
        """Start it, and wait until it answers."""

    def close(self) -> None:
        """End it, and leave nothing behind."""


StartableT = TypeVar("StartableT", bound=Startable)


@contextmanager
def started(server: StartableT) -> Iterator[StartableT]:
    """A server for as long as the context lasts."""
    try:
        server.start()
        yield server
    finally:
        server.close()


@contextmanager
def process(database: str, folder: Path, **settings: object) -> Iterator[ServerProcess]:
    """A running server process, which is gone when the block ends."""
    with started(ServerProcess(database, folder, **settings)) as server:
        yield server
