"""An installation and its server, with as many keys as a measurement needs."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import create_engine, insert
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.load import Request
from benchmarks.machine import on_core, server_core
from bonafides.app import SystemClock, prepare
from bonafides.installation import Founded
from bonafides.keyring import require_peppers
from bonafides.model import Credential, CredentialKind, CredentialStatus, DigestedSecret, to_datetime
from bonafides.secret import SecretKind, display, mint, new_id
from bonafides.settings import Settings
from bonafides.store.tables import credentials, row_of

# Counted like any other limit, and never reached: a refusal would be cheaper than an answer.
ENDLESS: Final = 10**9
PLAN: Final = {"name": "endless", "requests_per_hour": ENDLESS, "burst": ENDLESS}

_START_SECONDS_MAX: Final = 60
_ROWS_AT_ONCE: Final = 5_000
_SETTINGS_FILE: Final = "settings.json"


class ServiceError(RuntimeError):
    """The server did not start, or refused what it should not refuse."""


@dataclass(frozen=True, slots=True)
class Installation:
    """A database that was made ready, with one admin key."""

    settings: Settings
    founded: Founded
    folder: Path

    @staticmethod
    def make(folder: Path, database: str = "", **changes: Any) -> Installation:  # noqa: ANN401 - settings
        """Found an installation.

        Args:
            folder: Where its files go.
            database: URL; empty for a SQLite file.
            changes: Settings that differ. Logs are of warnings alone, and bad credentials are not
                limited by address, unless these say otherwise.
        """
        folder.mkdir(parents=True, exist_ok=True)
        values: dict[str, Any] = {
            "port": 0,
            "database": database or f"sqlite:///{folder / 'bonafides.db'}",
            "pepper_file": str(folder / "bonafides.pepper"),
            "log_level": "warning",
            "address_requests_per_minute": None,
            **changes,
        }
        settings = Settings(**values)
        founded = asyncio.run(prepare(settings, "admin@example.com", clock=SystemClock()))
        if founded is None:
            raise ServiceError("there was an installation already")
        (folder / _SETTINGS_FILE).write_text(json.dumps(values))
        return Installation(settings, founded, folder)

    def changed(self, **changes: Any) -> Installation:  # noqa: ANN401 - settings
        """The same installation, under other settings."""
        path = self.folder / _SETTINGS_FILE
        values = json.loads(path.read_text()) | changes
        path.write_text(json.dumps(values))
        return Installation(Settings(**values), self.founded, self.folder)

    def add_keys(self, count: int, *, plan: str = "enterprise") -> list[str]:
        """Put keys directly into the database, which need not have been made one by one; their secrets."""
        peppers = require_peppers(self.settings)
        now_us = SystemClock().micros()
        rows, keys = [], []
        for _ in range(count):
            identifier = new_id("key", now_us, secrets.token_bytes)
            key = mint(SecretKind.KEY, identifier, secrets.token_bytes)
            credential = _key(self.founded, identifier, display(key), plan, now_us)
            keys.append(key)
            rows.append(
                row_of(credential) | row_of(DigestedSecret(peppers.digest(key.encode()), peppers.newest_id))
            )
        if self.settings.database_scheme == "sqlite":
            engine = create_engine(self.settings.database_url)
            for at in range(0, count, _ROWS_AT_ONCE):
                with engine.begin() as connection:
                    connection.execute(insert(credentials), rows[at : at + _ROWS_AT_ONCE])
            engine.dispose()
        else:
            asyncio.run(_insert(self.settings.database_url, rows))
        return keys


def unknown_keys(count: int) -> list[str]:
    """Keys of the right form that no installation ever issued."""
    now_us = SystemClock().micros()
    return [
        mint(SecretKind.KEY, new_id("key", now_us, secrets.token_bytes), secrets.token_bytes)
        for _ in range(count)
    ]


class Service:
    """A running server."""

    def __init__(self, installation: Installation, process: subprocess.Popen[str], port: int) -> None:
        self.installation = installation
        self.pid = process.pid
        self.port = port
        self.admin = installation.founded.api_key

    def call(
        self, method: str, path: str, body: object = None, *, key: str = ""
    ) -> tuple[int, dict[str, Any]]:
        """One call over a connection of its own; the status and the JSON that it answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {key or self.admin}", "Content-Type": "application/json"}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        return answer.status, json.loads(said) if said else {}

    def make_plan(self) -> None:
        """A plan whose limits are counted and never reached."""
        self.require(*self.call("POST", "/v1/plans", PLAN))

    def make_key(self, **wish: Any) -> str:  # noqa: ANN401 - JSON
        """A key on the plan without end, resident."""
        said = self.require(
            *self.call("POST", "/v1/api-keys", {"name": "bench", "plan": PLAN["name"], **wish})
        )
        key: str = said["key"]
        self.require(*self.call("GET", "/v1/auth/verify", key=key))
        return key

    def make_personal_token(self) -> str:
        """A personal access token of the admin, whose tenant is on the plan without end, resident."""
        self._let_the_tenant_go_on()
        said = self.require(*self.call("POST", "/v1/personal-access-tokens", {"description": "bench"}))
        return self._resident(said["token"])

    def make_bearer_token(self, key: str) -> str:
        """What a key is exchanged for, resident; it counts for the key."""
        said = self.require(*self.call("POST", "/bim/apikey/authenticate", key=key))
        return self._resident(said["token"])

    def make_login_token(self) -> str:
        """The JWT of a login of the admin, whose tenant is on the plan without end, resident."""
        self._let_the_tenant_go_on()
        founded = self.installation.founded
        body = {"username": founded.email, "password": founded.password}
        said = self.require(*self.call("POST", "/v1/auth/login", body))
        return self._resident(said["token"])

    def _let_the_tenant_go_on(self) -> None:
        tenant = self.installation.founded.tenant_id
        self.require(*self.call("PATCH", f"/v1/tenants/{tenant}", {"plan": PLAN["name"]}))

    def _resident(self, token: str) -> str:
        self.require(*self.call("GET", "/v1/auth/verify", key=token))
        return token

    def require(self, status: int, said: dict[str, Any]) -> dict[str, Any]:
        """What was said, if it was good."""
        if status >= http.client.BAD_REQUEST:
            raise ServiceError(f"{status}: {said}")
        return said


@contextlib.contextmanager
def serving(installation: Installation, *, anywhere: bool = False) -> Iterator[Service]:
    """Serve an installation until the block ends, on the server's core alone unless it may run anywhere."""
    log = installation.folder / "server.log"
    with log.open("w") as errors, contextlib.nullcontext() if anywhere else on_core(server_core()):
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.serve", str(installation.folder / _SETTINGS_FILE)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        if process.stdout is None:
            raise ServiceError("the server has no output")
        url = process.stdout.readline().strip()
        if not url:
            raise ServiceError(f"the server did not start:\n{log.read_text()}")
        yield Service(installation, process, int(url.rpartition(":")[2]))
    finally:
        ended = process.poll()
        process.terminate()
        try:
            process.communicate(timeout=_START_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        if ended is not None:
            print(f"the server ended by itself with {ended}:\n{log.read_text()}", file=sys.stderr)


def bearer(key: str) -> str:
    """The header that presents a key."""
    return f"Authorization: Bearer {key}"


def verify_request(key: str, *headers: str, query: str = "") -> Request:
    """Who am I?"""
    return Request(f"/v1/auth/verify{query}", (bearer(key), *headers))


def _key(founded: Founded, identifier: str, shown: str, plan: str, now_us: int) -> Credential:
    now = to_datetime(now_us)
    return Credential(
        id=identifier,
        kind=CredentialKind.API_KEY,
        tenant_id=founded.tenant_id,
        user_id=founded.user_id,
        name="bench",
        scopes=frozenset({"read", "write"}),
        plan=plan,
        status=CredentialStatus.ACTIVE,
        expires_at=None,
        overlap_ends_at=None,
        parent_id=None,
        root_id=identifier,
        allowed_ips=(),
        metadata={},
        display=shown,
        created_by=founded.user_id,
        created_at=now,
        updated_at=now,
        last_used_at=None,
        revoked_at=None,
        revocation_reason=None,
    )


async def _insert(url: str, rows: list[dict[str, Any]]) -> None:
    engine = create_async_engine(f"postgresql+asyncpg://{url.partition('://')[2]}")
    for at in range(0, len(rows), _ROWS_AT_ONCE):
        async with engine.begin() as connection:
            await connection.execute(insert(credentials), rows[at : at + _ROWS_AT_ONCE])
    await engine.dispose()
