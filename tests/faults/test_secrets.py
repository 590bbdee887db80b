"""Secrets appear in no log, error, metric, row or file: a test makes them, drives everything, and greps (ASVS 16.2.5)."""

from __future__ import annotations

import base64
import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from bonafides.secret import SecretKind, mint, new_id
from tests.faults.needles import Needles
from tests.faults.wire import Wire
from tests.postgres import PostgresServer
from tests.processes import ServerProcess, process
from tests.serving import RunningServer

MISPLACED_HEADERS: Final = (
    "User-Agent", "Referer", "Cookie", "X-Request-Id", "Traceparent", "Accept", "Accept-Language", "Origin",
    "Content-Type", "Content-Encoding", "Idempotency-Key", "X-Forwarded-For", "X-Forwarded-Host",
    "X-Forwarded-Uri", "X-Original-URL", "Forwarded", "From", "Expect", "If-Match", "Range", "Upgrade",
)  # fmt: skip
SHOWN_ONCE: Final = frozenset({"key"})
"""The fields in which an answer shows the secret that it has just made."""


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that logs all it can, in a process of its own."""
    if request.param == "sqlite":
        database = f"sqlite:///{tmp_path}/bonafides.db"
    else:
        postgres: PostgresServer = request.getfixturevalue("postgres")
        database = postgres.create_database().replace("postgres@", f"postgres:{DATABASE_PASSWORD}@")
    with process(
        database, tmp_path, log_level="debug", metrics_address="127.0.0.1:0", trusted_proxies="127.0.0.1"
    ) as server:
        yield server


DATABASE_PASSWORD: Final = secrets.token_hex(16)


class Leaks:
    """Drives a server with secrets where they belong and where they do not, and keeps all that it says.

    Args:
        server: The server.
    """

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.needles = Needles()
        self.said: list[str] = []
        self.requests = 0
        self._client = server.admin
        self._nobody = server.client()
        self._know(server)

    def _know(self, server: ServerProcess) -> None:
        self.needles.add_credential("the admin's key", server.founded.api_key)
        self.needles.add("the admin's password", server.founded.password.encode())
        self.needles.add("the database's password", DATABASE_PASSWORD.encode())
        for line in (server.folder / "test.pepper").read_text().split():
            self.needles.add("a pepper's text", line.encode())
            self.needles.add("a pepper", bytes.fromhex(line))

    def make_credentials(self) -> dict[str, str]:
        """Keys of every way of making one, and strings that look like credentials and are none of ours."""
        made: dict[str, str] = {}
        replayed = secrets.token_urlsafe(24)
        self.needles.add("an Idempotency-Key", replayed.encode())
        made["a key"] = self._take("a key", self._client.post("/v1/api-keys", json={"name": "plain"}))
        first, again = (
            self._client.post("/v1/api-keys", json={"name": "x"}, headers={"Idempotency-Key": replayed})
            for _ in range(2)
        )
        made["a replayed key"] = self._take("a replayed key", first)
        assert self._take("a replayed key", again) == made["a replayed key"]
        rotation = self._client.post(f"/v1/api-keys/{first.json()['id']}/rotate")
        made["a successor"] = self._take("a successor", rotation)
        for kind in SecretKind:
            made[f"an unknown {kind}"] = mint(kind, new_id(kind, 1, secrets.token_bytes), secrets.token_bytes)
            self.needles.add_credential(f"an unknown {kind}", made[f"an unknown {kind}"])
        damaged = made["a key"][:-1] + ("0" if made["a key"][-1] != "0" else "1")
        made["a damaged key"] = damaged
        claims = base64.urlsafe_b64encode(secrets.token_bytes(40)).decode().rstrip("=")
        signature = base64.urlsafe_b64encode(secrets.token_bytes(64)).decode().rstrip("=")
        made["a JWT"] = f"eyJhbGciOiJFZERTQSJ9.{claims}.{signature}"
        self.needles.add("a JWT's signature", signature.encode())
        return made

    def _take(self, name: str, answer: httpx2.Response) -> str:
        assert answer.status_code == 201, answer.text
        secret: str = answer.json()["key"]
        self.needles.add_credential(name, secret)
        return secret

    def send(self, method: str, path: str, **options: Any) -> None:
        """Send a request, and keep the answer but for what it shows once."""
        try:
            answer = self._client.request(method, path, **options)
        except (httpx2.InvalidURL, httpx2.LocalProtocolError):
            return  # a client that does not even send it
        self.requests += 1
        body = answer.text
        if answer.status_code == 201 and answer.headers["content-type"] == "application/json":
            shown = answer.json()
            for name in SHOWN_ONCE & shown.keys():
                self.needles.add_credential("one more key", shown.pop(name))
            body = json.dumps(shown)
        assert answer.status_code != 500, answer.text
        self.said.append(f"{answer.status_code} {answer.headers!r} {body}")

    def present(self, secret: str) -> None:
        """Present a credential in every way in which one may be."""
        basic = base64.b64encode(f"user:{secret}".encode()).decode()
        for headers in (
            {"Authorization": f"Bearer {secret}"},
            {"Authorization": secret},
            {"Authorization": f"Basic {basic}"},
            {"X-API-Key": secret},
            {"Authorization": f"Bearer {secret} {secret}"},
            {"Authorization": f"Bearer\t{secret}"},
            {"Authorization": f"Digest {secret}"},
            {"X-API-Key": secret, "Authorization": f"Bearer {secret}"},
            {"X-API-Key": f"{secret} {secret}"},
            {"X-API-Key": f"{secret}\x7f"},
        ):
            for path in ("/v1/auth/verify", "/auth/forward", "/v1/api-keys", "/v1/auth/verify?scope=nothing"):
                answer = self._nobody.get(path, headers=headers)
                self.requests += 1
                self.said.append(f"{answer.headers!r} {answer.text}")
        for question in (
            {"credential": secret},
            {"credential": f"x{secret}"},
            {"credential": secret, "ip": secret},
        ):
            self.send("POST", "/v1/credentials/verify", json=question)

    def misplace(self, secret: str, number: int, operation: tuple[str, str, Any]) -> None:
        """Put a secret where it does not belong in a call: into every second place, of which two calls have all."""
        method, path, body = operation
        place = path.replace("{", "").replace("}", "")
        twice = "".join(f"%25{ord(letter):02X}" for letter in secret)
        urls = (
            f"{place}?api_key={secret}", f"{place}?x={secret}", f"{place}?{secret}=1", f"{place}?{twice}",
            f"{place}/{secret}", f"{place}/{twice}", f"{place}/x%0A{secret}", f"/{secret}{place}",
            path.format_map(_Everywhere(secret)), path.format_map(_Everywhere(twice)),
            f"{place}?cursor={secret}", f"{place}?scope={secret}", f"{place}?reason={secret}",
            f"{place}?user_id={secret}&limit=abc",
        )  # fmt: skip
        bodies = (
            *_with_secret(body, secret),
            {secret: secret},
            [secret],
            secret,
            {"metadata": {secret: secret}},
        )
        texts = (secret, f'{{"name": "{secret}', f'{{"{secret}": NaN}}', f"key={secret}")
        types = ("application/json", f"text/{secret}")
        calls: list[tuple[str, dict[str, Any]]] = [
            *((url, {"json": body}) for url in urls),
            *((place, {"json": wrong}) for wrong in bodies),
            *(
                (place, {"content": text, "headers": {"Content-Type": media_type}})
                for media_type in types
                for text in texts
            ),
        ]
        for url, options in calls[number % 2 :: 2]:
            self.send(method, url, **options)

    def misplace_in_headers(self, secret: str) -> None:
        """Put a secret into every header, of calls of every sort: before, behind and without the guard."""
        for method, path, body in (
            ("GET", "/v1/auth/verify", None),
            ("GET", "/auth/forward", None),
            ("POST", "/v1/api-keys", {"name": "plain"}),
            ("GET", "/v1/audit", None),
            ("GET", "/readyz", None),
            ("GET", "/nowhere", None),
        ):
            for name in MISPLACED_HEADERS:
                self.send(method, path, json=body, headers={name: secret})
            self.send(method, path, json=body, headers={secret: "1"})

    def misplace_on_the_wire(self, secret: str) -> None:
        """The same in requests that no library would send."""
        for head in (
            f"{secret} / HTTP/1.1",
            f"GET http://{secret}@localhost/v1/auth/verify HTTP/1.1",
            f"GET http://{secret}/v1/auth/verify HTTP/1.1",
            f"GET /v1/auth/verify#{secret} HTTP/1.1",
            f"GET /v1/auth/verify HTTP/{secret}",
            f"GET /{secret} {secret} HTTP/1.1",
            f"GET /v1/auth/verify HTTP/1.1\r\nHost: {secret}",
            f"GET /v1/auth/verify HTTP/1.1\r\nAuthorization: Bearer {secret}\r\nAuthorization: Bearer {secret}",
            f"GET /v1/auth/verify HTTP/1.1\r\nAuthorization: Bearer {secret}\x01",
            f"GET /v1/auth/verify HTTP/1.1\r\nTransfer-Encoding: {secret}",
            f"GET /v1/auth/verify HTTP/1.1\r\nContent-Length: {secret}",
            f"POST /v1/api-keys HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{secret}",
            f"CONNECT {secret}:443 HTTP/1.1",
        ):
            with Wire(self.server.url) as wire:
                wire.send(head.encode() + b"\r\n\r\n")
                try:
                    answer = wire.answer()
                except ConnectionError:
                    continue
                self.requests += 1
                self.said.append(f"{answer.headers!r} {answer.body!r}")

    def operations(self) -> Iterator[tuple[str, str, Any]]:
        """Every call, with a body that would be good."""
        described = self._client.get("/openapi.json").json()
        for path, methods in described["paths"].items():
            for method, declared in methods.items():
                if method in {"get", "post", "put", "patch", "delete"}:
                    content = declared.get("requestBody", {}).get("content", {})
                    yield method.upper(), path, content.get("application/json", {}).get("example")


class _Everywhere(dict[str, str]):
    """One value for every parameter of a path."""

    def __init__(self, value: str) -> None:
        super().__init__()
        self._value = value

    def __missing__(self, _: str) -> str:
        return self._value


def _with_secret(body: Any, secret: str) -> Iterator[Any]:
    """The body with the secret in the place of each of its values and names, one at a time."""
    if isinstance(body, dict):
        for name, value in body.items():
            yield {**body, name: secret}
            yield {**body, name: [secret]}
            yield {**body, secret: value}
            for wrong in _with_secret(value, secret):
                yield {**body, name: wrong}


@contextmanager
def table_renamed(server: ServerProcess, postgres: PostgresServer | None) -> Iterator[None]:
    """Statements fail, and their messages are logged."""

    def run(statement: str) -> None:
        if postgres is not None:
            postgres.sql(statement, server.database.rsplit("/", 1)[1])
            return
        connection = sqlite3.connect(server.database.removeprefix("sqlite:///"))
        try:
            connection.execute(statement)
        finally:
            connection.close()

    run("ALTER TABLE credentials RENAME TO elsewhere")
    try:
        yield
    finally:
        run("ALTER TABLE elsewhere RENAME TO credentials")


def rows_of(server: ServerProcess, postgres: PostgresServer | None) -> list[str | bytes]:
    """All that the database holds: every row as text, and the bytes of its files."""
    if postgres is None:
        connection = sqlite3.connect(server.database.removeprefix("sqlite:///"))
        try:
            rows: list[str | bytes] = list(connection.iterdump())
        finally:
            connection.close()
        return rows
    name = server.database.rsplit("/", 1)[1]
    tables = postgres.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", name).split()
    assert "credentials" in tables
    return [postgres.log(), *(postgres.sql(f"SELECT t::text FROM {table} t", name) for table in tables)]


def files_of(server: ServerProcess, postgres: PostgresServer) -> list[bytes]:
    """The bytes of the database's files and of PostgreSQL's write-ahead log."""
    name = server.database.rsplit("/", 1)[1]
    oid = postgres.sql("SELECT oid FROM pg_database WHERE datname = current_database()", name)
    postgres.sql("CHECKPOINT", name)
    folders = [postgres.home / "data" / folder for folder in (f"base/{oid}", "pg_wal")]
    return [file.read_bytes() for folder in folders for file in folder.iterdir() if file.is_file()]


@pytest.mark.timeout(400)
def test_secrets_are_nowhere(server: ServerProcess, request: pytest.FixtureRequest) -> None:
    """A key that lies in a log is known to everybody who reads logs, and to every service that they are sent to."""
    postgres = None if server.database.startswith("sqlite") else request.getfixturevalue("postgres")
    leaks = Leaks(server)
    made = leaks.make_credentials()
    for secret in made.values():
        leaks.present(secret)
    own = made["a key"]
    # What answers and logs say does not depend on the database: every call on one, each fourth on the other.
    for number, operation in enumerate(list(leaks.operations())[:: 1 if postgres is None else 4]):
        leaks.misplace(own, number, operation)
    leaks.misplace_in_headers(own)
    leaks.misplace_on_the_wire(own)
    leaks.misplace_on_the_wire(server.founded.api_key)
    with table_renamed(server, postgres):
        leaks.present(made["an unknown key"])
        leaks.send("POST", "/v1/api-keys", json={"name": "while it fails"})
        leaks.send("GET", "/v1/audit")
    for path in ("/v1/audit?limit=100", "/v1/api-keys?limit=100", "/v1/users", "/v1/tenants", "/metrics"):
        leaks.send("GET", path)
    assert leaks.requests > 800
    # While it runs, so that what SQLite has not yet written back is looked at too.
    files = [
        file
        for file in server.folder.rglob("*")
        if file.is_file() and not file.name.startswith("test.pepper")
    ]
    assert leaks.needles.found_in(*(file.read_bytes() for file in files)) == []
    assert server.stop() == 0
    places: dict[str, list[str | bytes]] = {
        "logs": [server.stderr(), server.stdout()],
        "answers": ["\n".join(leaks.said)],
        "rows": rows_of(server, postgres),
    }
    for name, place in places.items():
        assert leaks.needles.found_in(*place) == [], name
    if postgres is not None:
        assert leaks.needles.plain().found_in(*files_of(server, postgres)) == []
    # The search would find something: what is shown of keys on purpose is there.
    assert made["a key"].split("_")[2][:22] in server.stderr()
    assert "bf_key_[redacted]" not in server.url


KEPT_TEXTS: Final = {
    "a key's name": ("/v1/api-keys", {"name": "{}"}, "name"),
    "a key's metadata": ("/v1/api-keys", {"name": "x", "metadata": {"a": [{"b": "see {}"}]}}, "metadata"),
    "a name in a key's metadata": ("/v1/api-keys", {"name": "x", "metadata": {"{}": 1}}, "metadata"),
    "a user's name": ("/v1/users", {"kind": "service", "name": "for {}"}, "name"),
    "an e-mail address": ("/v1/users", {"email": "{}@example.com"}, "email"),
    "a tenant's name": ("/v1/tenants", {"name": "{}"}, "name"),
}


@pytest.mark.parametrize(("path", "body", "field"), KEPT_TEXTS.values(), ids=KEPT_TEXTS.keys())
def test_a_credential_is_not_taken_for_a_text_to_keep(
    house: RunningServer, path: str, body: dict[str, Any], field: str
) -> None:
    """People paste into the wrong box; there it would be shown to everybody who may list keys."""
    key = house.create_key()["key"]
    for secret in (key, f"eyJhbGciOiJFZERTQSJ9.{secrets.token_hex(20)}.{secrets.token_hex(32)}"):
        wrong = json.loads(json.dumps(body).replace("{}", secret))
        answer = house.admin.post(path, json=wrong)
        assert answer.status_code == 400
        assert answer.json()["field"] == field
        assert secret not in answer.text
    right = json.loads(json.dumps(body).replace("{}", "bf_key"))
    assert house.admin.post(path, json=right).status_code == 201


def test_the_search_finds_what_it_should() -> None:
    """A search that finds nothing proves nothing, unless it is known to find."""
    needles = Needles()
    secret = mint(SecretKind.KEY, new_id("key", 1, secrets.token_bytes), secrets.token_bytes)
    needles.add_credential("a key", secret)
    random = secret.split("_")[2][22:]
    for place in (
        f"GET /?key={secret}",
        f"…{random}…",
        f"{random[:11]}",
        f"{random[-11:]}x",
        secret.encode().hex(),
        random.encode().hex().upper(),
        base64.b64encode(f"user:{secret}".encode()).decode(),
        base64.b64encode(f"us:{secret}:x".encode()).decode(),
        base64.urlsafe_b64encode(f"u:{random}".encode()).decode(),
    ):
        assert needles.found_in(place), place
        assert needles.found_in(f"before {place} after".encode()), place
    assert not needles.found_in(secret.split("_")[2][:22], "bf_key_[redacted]", secret[-6:])
