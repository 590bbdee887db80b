"""The log is lines of JSON that only the server writes, and an unforeseen failure is told to it alone."""

from __future__ import annotations

import io
import json
import logging
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

import httpx2
import pytest
import structlog

from bonafides.credentials.api_keys import ApiKeys
from bonafides.errors import Unavailable
from bonafides.logs import configure_logs
from bonafides.secret import SecretKind, mint, new_id
from tests.faults.wire import Wire
from tests.processes import ServerProcess, process
from tests.serving import RunningServer

HOSTILE: Final = {
    "a line": "%0A2030-01-01%20{}",
    "a line of JSON": "%0D%0A%7B%22event%22:%22request%22,%22status%22:200%7D%0A",
    "an escape sequence": "%1B[2J%1B[31mred",
    "an 8-bit control sequence": "%C2%9B31m",
    "a bell and a backspace": "%07%08%08%08",
    "what ends a line elsewhere": "%E2%80%A8%C2%85%0B%0C",
    "text that reads backwards": "%E2%80%AEgnp.exe",
    "broken UTF-8": "%FF%FE%C3%28",
    "quotes": "%22,%22status%22:200,%22x%22:%22",
    "encoded twice": "%250A%251B[31m",
    "very long": "a" * 6_000,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server in a process of its own that logs all it can."""
    folder: Path = tmp_path_factory.mktemp("logs")
    with process(f"sqlite:///{folder}/bonafides.db", folder, log_level="debug") as server:
        yield server


def requests_logged(server: ServerProcess, since: int, count: int) -> list[dict[str, Any]]:
    """The lines on requests, of those written since there were so many; each comes soon after its answer."""
    deadline = time.monotonic() + 5
    while True:
        lines = [line for line in server.log()[since:] if line["event"] == "request"]
        if len(lines) >= count or time.monotonic() > deadline:
            return lines
        time.sleep(0.01)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_request_writes_one_line_whatever_it_says(server: ServerProcess, text: str) -> None:
    """Whoever can write lines into the log can hide what they did (ASVS 16.4.1)."""
    before = len(server.log())
    ids = []
    for path in (f"/nowhere/{text}", f"/v1/api-keys/{text}", f"/v1/plans/x?limit={text}"):
        with Wire(server.url) as wire:
            wire.request(
                "GET", path, f"Authorization: Bearer {server.founded.api_key}", f"User-Agent: {text}"
            )
            ids.append(wire.answer().headers["x-request-id"])
    lines = requests_logged(server, before, len(ids))
    assert [line["request_id"] for line in lines] == ids
    for line in lines:
        assert line["status"] in {400, 404}
        assert line["credential_id"] or line["status"] == 400
    written = server.stderr().splitlines()[before:]
    assert len(written) == len(server.log()) - before
    assert all(line.isprintable() and line.isascii() for line in written)


def test_every_answer_can_be_found_by_its_id(server: ServerProcess) -> None:
    """ASVS 16.2.1: a customer quotes a request id; an operator who cannot find it cannot help."""
    before = len(server.log())
    client = server.admin
    answers = [
        client.get("/v1/api-keys"),
        client.get("/v1/users/me"),
        client.post("/v1/api-keys", json={"name": ""}),
        client.post("/v1/api-keys", content=b"{", headers={"Content-Type": "application/json"}),
        client.get("/nowhere"),
        client.put("/v1/api-keys"),
        client.get("/v1/auth/verify", headers={"Authorization": "Bearer nonsense"}),
        client.get("/v1/auth/verify?api_key=x"),
        httpx2.get(f"{server.url}/readyz", trust_env=False, verify=False),
    ]
    ids = {answer.headers["x-request-id"]: answer.status_code for answer in answers}
    for noise in (
        b"\x00\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
    ):
        with Wire(server.url) as wire:
            wire.send(noise)
            refused = wire.answer()
            ids[refused.headers["x-request-id"]] = refused.status
    lines = requests_logged(server, before, len(ids))
    assert ids.items() <= {line["request_id"]: line["status"] for line in lines}.items()
    for line in lines:
        assert line.keys() >= {
            "timestamp",
            "level",
            "method",
            "path",
            "status",
            "outcome",
            "address",
            "milliseconds",
        }


def test_the_console_form_cannot_be_written_either(tmp_path: Path) -> None:
    """The form for people goes to a terminal, which obeys what it is shown."""
    with process(f"sqlite:///{tmp_path}/bonafides.db", tmp_path, log_format="console") as server:
        for text in HOSTILE.values():
            with Wire(server.url) as wire:
                wire.request("GET", f"/nowhere/{text}", f"User-Agent: {text}")
                assert wire.answer().status in {400, 401, 404}
        assert server.stop() == 0
        lines = server.stderr().removesuffix("\n").split("\n")
        assert len([line for line in lines if " request " in line]) == len(HOSTILE)
        assert all(line.isprintable() for line in lines)
        assert not [line for line in lines if not line[:4].isdigit()]


@pytest.fixture
def log_of_this_process() -> Iterator[io.StringIO]:
    """What the server in this process logs, in the way in which a server does."""
    root, library = logging.getLogger(), logging.getLogger("uvicorn.error")
    was = (root.handlers[:], root.level, library.level, structlog.get_config())
    configure_logs(form="json", level="info")
    # Loggers that are kept would go on writing into this test's log when it is over.
    structlog.configure(**{**structlog.get_config(), "cache_logger_on_first_use": False})
    written = io.StringIO()
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)
    yield written
    root.handlers[:], root.level, library.level = was[0], was[1], was[2]
    structlog.configure(**was[3])


@pytest.mark.parametrize("form", ["raised", "chained", "noted", "grouped", "in a name"])
def test_an_unforeseen_failure_tells_the_client_nothing_and_the_log_no_secret(
    house: RunningServer,
    monkeypatch: pytest.MonkeyPatch,
    log_of_this_process: io.StringIO,
    form: str,
) -> None:
    """The one thing that nobody has thought of must not be what gives the keys away (ASVS 13.4.2, ASVS 16.5.1)."""
    secret = mint(SecretKind.KEY, new_id("key", 1, secrets.token_bytes), secrets.token_bytes)
    random = secret.split("_")[2][22:]
    inside = "relation credentials of host db.internal"

    async def fail(*_: object, **__: object) -> NoReturn:
        local = f"{secret} in a local"
        error: Exception = RuntimeError(f"{inside}: {secret}")
        if form == "chained":
            error.__cause__ = KeyError(secret)
        if form == "noted":
            error.add_note(f"it was {local}")
        if form == "grouped":
            raise ExceptionGroup(f"several {secret}", [error, ValueError(secret)])
        if form == "in a name":
            error = type(f"Odd{secret}Error", (Exception,), {})(inside)
        raise error

    monkeypatch.setattr(ApiKeys, "page", fail)
    answers = [
        house.admin.get("/v1/api-keys", headers={"Accept": accept})
        for accept in ("*/*", "application/problem+json")
    ]
    log_lines = log_of_this_process.getvalue()
    for answer in answers:
        assert answer.status_code == 500
        assert answer.json()["error"] == "internal_error"
        assert answer.json()["request_id"] == answer.headers["x-request-id"]
        assert "retry-after" not in answer.headers
        for part in (random, "internal:", "credentials", "RuntimeError", "Traceback", inside, "Odd"):
            assert part not in answer.text
    failures = [json.loads(line) for line in log_lines.splitlines() if "unexpected_failure" in line]
    assert [line["request_id"] for line in failures] == [answer.headers["x-request-id"] for answer in answers]
    assert inside in log_lines, "an operator has to learn what happened"
    assert "in fail" in json.dumps(failures) or '"fail"' in json.dumps(failures), "and where"
    assert random not in log_lines
    assert random[:12] not in log_lines


def test_an_outage_is_told_to_the_log_and_not_to_the_client(
    house: RunningServer, monkeypatch: pytest.MonkeyPatch, log_of_this_process: io.StringIO
) -> None:
    """Attack 52: an error that names the database's host and user has been a weakness of its own (CVE-2024-32967)."""

    async def fail(*_: object, **__: object) -> NoReturn:
        raise Unavailable(internal="user bonafides at db.internal refused")

    monkeypatch.setattr(ApiKeys, "page", fail)
    answer = house.admin.get("/v1/api-keys")
    assert answer.status_code == 503
    assert "db.internal" not in answer.text
    lines = [json.loads(line) for line in log_of_this_process.getvalue().splitlines()]
    assert [line["reason"] for line in lines if line["event"] == "unavailable"] == [
        "user bonafides at db.internal refused"
    ]


def test_a_library_logs_through_the_same_pipeline(log_of_this_process: io.StringIO) -> None:
    """A library's own handler would write plain text with whatever is in it."""
    secret = mint(SecretKind.KEY, new_id("key", 1, secrets.token_bytes), secrets.token_bytes)
    for name in ("asyncio", "uvicorn.error", "some.library"):
        logging.getLogger(name).error("it failed with %s\n%s", secret, {"key": secret})
        logging.getLogger(name).error("and again", exc_info=ValueError(secret))
    written = log_of_this_process.getvalue().splitlines()
    assert len(written) == 6
    for line in written:
        assert json.loads(line)["level"] == "error"
        assert secret.split("_")[2][22:34] not in line
