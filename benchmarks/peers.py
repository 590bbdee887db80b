"""Other authentication servers, on Node.js, that are measured beside ours where it is found."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.load import Request
from benchmarks.yardsticks import YardstickError, running
from tests.ports import free_port

FOLDER: Final = Path(__file__).parent / "node"
NODE: Final = shutil.which("node")

_OIDC: Final = "oidc-provider"
_BETTER_AUTH: Final = "better-auth"
_OIDC_CLIENT: Final = base64.b64encode(b"bench:bench-secret").decode("ascii")
FORM: Final = "application/x-www-form-urlencoded"
RESOURCE: Final = "https://api.example.com"
"""For which tokens are JWTs (RFC 9068)."""
TOKEN_WISH: Final = f"grant_type=client_credentials&scope=read&resource={RESOURCE}"
_SECONDS_MAX: Final = 20.0


@dataclass(frozen=True, slots=True)
class Peer:
    """A running server, and what it is asked.

    Args:
        name: Of its row.
        title: What is done.
    """

    name: str
    title: str
    pid: int
    port: int
    request: Request


@contextlib.contextmanager
def peers(folder: Path, left_out: dict[str, str]) -> Iterator[list[Peer]]:
    """Every peer that is installed; why another is not there is added to `left_out`."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        found = []
        for name, start in ((_OIDC, oidc_provider), (_BETTER_AUTH, better_auth)):
            try:
                found.append(stack.enter_context(start(folder)))
            except YardstickError as error:
                left_out[name] = str(error)
        yield found


def versions() -> dict[str, str]:
    """Which versions are installed."""
    found = {}
    for name in (_OIDC, _BETTER_AUTH):
        with contextlib.suppress(OSError):
            described = json.loads((FOLDER / "node_modules" / name / "package.json").read_text())
            found[name] = str(described["version"])
    return found


@contextlib.contextmanager
def oidc_provider(folder: Path) -> Iterator[Peer]:
    """node-oidc-provider in memory, introspecting an opaque token for a client with a secret."""
    with _served(_OIDC, folder) as (pid, port, _):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS_MAX)
        headers = {"Authorization": f"Basic {_OIDC_CLIENT}", "Content-Type": FORM}
        connection.request("POST", "/token", "grant_type=client_credentials&scope=read", headers)
        token = json.loads(connection.getresponse().read())["access_token"]
        connection.close()
        request = Request(
            "/token/introspection",
            (f"Authorization: Basic {_OIDC_CLIENT}",),
            "POST",
            f"token={token}",
            FORM,
        )
        yield Peer(_OIDC, "node-oidc-provider, in memory: introspection", pid, port, request)


@contextlib.contextmanager
def oidc_provider_signing(folder: Path) -> Iterator[Peer]:
    """The same, giving a client tokens that are signed; it keeps nothing of them."""
    folder.mkdir(parents=True, exist_ok=True)
    with _served(_OIDC, folder) as (pid, port, _):
        request = Request("/token", (f"Authorization: Basic {_OIDC_CLIENT}",), "POST", TOKEN_WISH, FORM)
        title = "node-oidc-provider, in memory: client credentials, a JWT by ES256"
        yield Peer(f"{_OIDC}-token", title, pid, port, request)


@contextlib.contextmanager
def better_auth(folder: Path) -> Iterator[Peer]:
    """better-auth with its API key plugin, keeping everything in the process: verification of a key."""
    with _served(_BETTER_AUTH, folder) as (pid, port, log):
        deadline = time.monotonic() + _SECONDS_MAX
        while not log.read_text().endswith("\n"):
            if time.monotonic() > deadline:
                raise YardstickError(f"it did not say its key: {log.read_text()}")
            time.sleep(0.02)
        key = log.read_text().split()[-1]
        request = Request("/", (f"Authorization: Bearer {key}",))
        yield Peer(_BETTER_AUTH, "better-auth, in the process: verify an API key", pid, port, request)


@contextlib.contextmanager
def _served(name: str, folder: Path) -> Iterator[tuple[int, int, Path]]:
    if NODE is None:
        raise YardstickError("Node.js was not found")
    if not (FOLDER / "node_modules" / name).is_dir():
        raise YardstickError("its packages are not installed; `make bench` installs them where npm is found")
    port = free_port()
    log = folder / f"{name}.log"
    command = ["/usr/bin/env", "NODE_ENV=production", NODE, str(FOLDER / f"{name}.mjs"), str(port)]
    with running(command, port, log) as pid:
        yield pid, port, log
