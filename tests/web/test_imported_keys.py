"""Keys from elsewhere at the server: presented as they always were, in every way, and ended at once."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import bcrypt
import pytest

from bonafides.app import open_rooms
from bonafides.credentials.dumps import Entry
from bonafides.credentials.imports import ImportReport, ImportWish
from bonafides.keyring import require_peppers
from tests.serving import FakeClock, RunningServer, running, serving, settings_for
from tests.web.tenancy import eventually

KEY = "sk_live_from_elsewhere"
SLOW = "gh-slow~key.of/elsewhere="
LONG = "k" * 4_000
REQUEST_ID = re.compile(rb"req_[0-9A-Za-z]{22}")


@dataclass(frozen=True)
class Pair:
    """Two servers on one database under one clock: one with the fast lane, one without."""

    fast: RunningServer
    slow: RunningServer


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """The two servers, which have refused the keys before anything was imported."""
    settings = settings_for(f"sqlite:///{tmp_path / 'bonafides.db'}", tmp_path)
    clock = FakeClock()
    with ExitStack() as stack:
        fast = stack.enter_context(running(settings, clock))
        slow = stack.enter_context(serving(settings, fast.founded, clock))
        lane = slow.application.lane
        for step in ("recall", "parse", "asks"):
            setattr(lane, step, lambda *_: None)
        yield Pair(fast, slow)


def entries() -> list[Entry]:
    """What another program kept of its keys."""
    hashed = bcrypt.hashpw(SLOW.encode(), bcrypt.gensalt(4)).decode()
    return [
        Entry(1, hash=hashlib.sha256(KEY.encode()).hexdigest(), name="quick"),
        Entry(2, hash=hashed, prefix=SLOW[:8], name="slow"),
        Entry(3, hash=hashlib.sha256(LONG.encode()).hexdigest(), name="long"),
        Entry(4, hash=hashlib.sha256(b"switched-off").hexdigest(), enabled=False),
    ]


def bring(server: RunningServer) -> ImportReport:
    """Import them beside the servers, as the command line does."""

    async def run() -> ImportReport:
        peppers = require_peppers(server.settings)
        async with open_rooms(server.settings, peppers, clock=server.clock) as rooms:
            authority = rooms.local_authority(server.founded.tenant_id)
            owner = await rooms.directory.user(authority, server.founded.user_id)
            keys = await rooms.imports.reader()
            wish = ImportWish(owner, "a test")
            return await rooms.imports.run(authority, entries(), keys, wish, lambda _: None)

    return asyncio.run(run())


def status(server: RunningServer, key: str) -> int:
    """What becomes of a request with this key."""
    return server.client(key).get("/v1/auth/verify").status_code


def answer(server: RunningServer, head: bytes) -> tuple[int, bytes]:
    """An answer, without what differs from one request to the next."""
    found = server.raw(head)
    return found.status_code, REQUEST_ID.sub(b"", found.content)


def until(expected: int, server: RunningServer, *keys: str) -> None:
    """Wait until requests with these keys are answered so."""
    for key in keys:
        eventually(partial(lambda key: status(server, key) == expected, key))


def test_imported_keys_are_noticed_by_servers_that_run(pair: Pair) -> None:
    """After the import every server would have to be started again, and until then refuse every customer."""
    for server in (pair.fast, pair.slow):
        assert status(server, KEY) == 401
    assert bring(pair.fast).imported == 4
    for server in (pair.fast, pair.slow):
        until(200, server, KEY, SLOW, LONG)
    assert status(pair.fast, "switched-off") == 401
    assert status(pair.fast, SLOW[:-1]) == 401


@pytest.mark.parametrize("imported", [False, True])
def test_the_lane_and_the_application_agree_on_strings_of_every_look(
    pair: Pair,
    imported: bool,  # noqa: FBT001 - before and after
) -> None:
    """One of two requests would be refused, by who answers it."""
    if imported:
        bring(pair.fast)
        for server in (pair.fast, pair.slow):
            until(200, server, KEY)
    for key in (KEY, SLOW, LONG, "switched-off", "nobody's", SLOW[:8] + "nobody's", "x"):
        for head in (
            b"GET /v1/auth/verify HTTP/1.1\r\nAuthorization: Bearer %s",
            b"GET /v1/auth/verify HTTP/1.1\r\nX-API-Key: %s",
            b"GET /v1/auth/verify?scopes=admin HTTP/1.1\r\nX-API-Key: %s",
            b"GET /auth/forward HTTP/1.1\r\nAuthorization: Bearer %s",
        ):
            for _ in range(2):  # cold, and from memory
                shown = head % key.encode()
                assert answer(pair.fast, shown) == answer(pair.slow, shown), (key, head)


def test_a_revoked_imported_key_is_dead_on_the_next_request(pair: Pair) -> None:
    """Whoever imports a leaked key must be able to end it at once."""
    bring(pair.fast)
    for key, name in ((KEY, "quick"), (SLOW, "slow")):
        until(200, pair.fast, key)
        listed = pair.fast.admin.get("/v1/api-keys").json()["data"]
        [found] = [one for one in listed if one["name"] == name]
        assert found["display"].startswith("imported" if name == "quick" else SLOW[:4])
        assert pair.fast.admin.delete(f"/v1/api-keys/{found['id']}").status_code == 200
        assert status(pair.fast, key) == 401
        until(401, pair.slow, key)


def test_an_imported_key_may_be_asked_about(pair: Pair) -> None:
    """Resource servers ask by introspection and by the verify call."""
    bring(pair.fast)
    until(200, pair.fast, KEY)
    told = pair.fast.admin.post("/oauth/introspect", data={"token": KEY}).json()
    assert told["active"] is True
    told = pair.fast.admin.post("/v1/credentials/verify", json={"credential": KEY}).json()
    assert told["valid"] is True
