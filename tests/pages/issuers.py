"""Servers for clients of OAuth that go by this machine's clock, as stock clients do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port
from tests.serving import FakeClock, RunningServer, running, settings_for
from tests.web.tenancy import UNMETERED


@contextmanager
def served(folder: Path, **settings: Any) -> Iterator[RunningServer]:
    """A server behind a proxy of this machine, with scopes for applications.

    Args:
        folder: Where its files go.
        settings: By name, and what differs.
    """
    common = {"trusted_proxies": ["127.0.0.1"], "scopes": ["invoices:read", "invoices:write"]}
    chosen = settings_for(f"sqlite:///{folder}/test.db", folder, **(common | settings))
    with running(chosen, FakeClock(int(time.time()) * 1_000_000)) as server:
        server.create_plan(UNMETERED)
        yield server


def at_home() -> dict[str, Any]:
    """Settings of a server whose issuer is the very URL at which it is reached."""
    port = free_port()
    return {"port": port, "public_url": f"http://127.0.0.1:{port}"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server whose issuer is where it is reached, and that takes all that clients may be allowed."""
    folder = tmp_path_factory.mktemp("server")
    allowed = {
        "request_objects": "signed",
        "implicit_grant_for_certification": True,
        "self_registration": True,
    }
    with served(folder, **at_home(), **allowed) as it:
        yield it
