"""`bonafides serve`: greets a first user, answers, learns of the command line's changes, and drains."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.cli.conftest import EMAIL, Bonafides

READY = re.compile(r"Bonafides is ready: (http://\S+)")
START_SECONDS_MAX = 60


@contextmanager
def serve(home: Path, *options: str, **environment: str) -> Iterator[tuple[str, str, subprocess.Popen[str]]]:
    """A server until the block ends: its URL, what it said before it was ready, and its process."""
    command = [sys.executable, "-m", "bonafides", "serve", "--port", "0", *options]
    with started(command, home, os.environ | environment) as told:
        yield told


@contextmanager
def started(
    command: Sequence[str], home: Path, environment: Mapping[str, str]
) -> Iterator[tuple[str, str, subprocess.Popen[str]]]:
    """The same of a server that this command starts in that folder."""
    with (home / "server.log").open("a") as log:
        process = subprocess.Popen(
            command,
            cwd=home,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        assert process.stdout is not None
        try:
            said = ""
            for line in process.stdout:
                match = READY.fullmatch(line.strip())
                if match:
                    yield match[1], said, process
                    break
                said += line
            else:
                pytest.fail(f"never ready: {said} {(home / 'server.log').read_text()}")
        finally:
            process.terminate()
            try:
                process.wait(START_SECONDS_MAX)
            finally:
                process.kill()
                process.stdout.close()


def answer(url: str, key: str) -> int:
    """How a server answers a key about itself."""
    return httpx2.get(
        f"{url}/v1/auth/verify", headers={"Authorization": f"Bearer {key}"}, trust_env=False
    ).status_code


def test_an_empty_folder_becomes_a_server_with_a_first_user(home: Path, bonafides: Bonafides) -> None:
    """The stranger of the README would have to read the manual before the first answer."""
    with serve(home) as (url, said, process):
        keys = re.findall(r"^  export KEY=(bf_key_\w+)$", said, re.MULTILINE)
        assert len(keys) == said.count("bf_key_") == 1
        assert "admin@example.com" in said
        assert len(re.findall(rf"^  {url}/set-up#bf_inv_\w+$", said, re.MULTILINE)) == 1
        assert f'  curl -H "Authorization: Bearer $KEY" {url}/v1/auth/verify' in said.splitlines()
        assert url in httpx2.get(f"{url}/docs.md", trust_env=False).text
        assert answer(url, keys[0]) == 200
        assert httpx2.get(f"{url}/v1/auth/verify", trust_env=False).status_code == 401
        made = bonafides("keys", "create", "x", "--json").json
        assert answer(url, made["key"]) == 200
        bonafides("keys", "revoke", made["id"])
        within(5, lambda: answer(url, made["key"]) == 401)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    log = (home / "server.log").read_text()
    assert keys[0] not in log
    assert made["key"] not in log
    with serve(home) as (url, said, process):
        assert said == ""
        assert answer(url, keys[0]) == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def test_the_same_on_postgresql(home: Path, postgres_url: str, bonafides: Bonafides) -> None:
    """An operator who outgrew SQLite would find another first run."""
    where = {"BONAFIDES_DATABASE": postgres_url}
    with serve(home, **where) as (url, said, _):
        (key,) = re.findall(r"export KEY=(bf_key_\w+)", said)
        assert answer(url, key) == 200
        made = bonafides("keys", "create", "x", "--json", **where).json
        within(5, lambda: answer(url, made["key"]) == 200)
        bonafides("keys", "disable", made["id"], **where)
        within(5, lambda: answer(url, made["key"]) == 401)


def test_an_installation_that_exists_is_served_as_it_is(
    home: Path, founded: dict[str, str], make_key: Callable[..., dict[str, Any]]
) -> None:
    """A restart would show secrets, or make a second admin."""
    made = make_key()
    with serve(home, "--public-url", "https://api.example.com", "--log-format", "console") as (url, said, _):
        assert said == ""
        assert answer(url, founded["api_key"]) == answer(url, made["key"]) == 200


@pytest.mark.usefixtures("founded")
def test_a_port_that_is_taken_is_one_sentence(bonafides: Bonafides) -> None:
    """A second start would end with a traceback of the socket library."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = bonafides("serve", "--port", port, "--log-level", "error")
    assert (done.status, done.out) == (1, "")
    assert f"port {port}: it is in use" in done.err


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--production",), "public_url must be an https:// URL"),
        (("--public-url", "ftp://x"), "--public-url: must look like https://"),
        (("--trusted-proxies", "0.0.0.0/0"), "--trusted-proxies: a network of every address"),
        (("--port", "70000"), "--port: "),
        (("--workers", "0"), "--workers: "),
        (("--database", "mysql://x/y"), "--database: must be"),
    ],
)
def test_an_unsafe_start_is_refused_before_anything_is_made(
    bonafides: Bonafides, home: Path, options: tuple[str, ...], reason: str
) -> None:
    """A server would run open to the internet, or leave an installation behind that was never started."""
    done = bonafides("serve", *options)
    assert (done.status, done.out) == (1, "")
    assert reason in done.err
    assert list(home.iterdir()) == []


@pytest.mark.usefixtures("founded")
def test_a_lost_pepper_stops_the_start(bonafides: Bonafides, home: Path) -> None:
    """The server would start and refuse every key that there is."""
    (home / "bonafides.pepper").unlink()
    done = bonafides("serve", "--port", "0")
    assert (done.status, done.out) == (1, "")
    assert "Restore it from a backup" in done.err
    assert EMAIL not in done.err


def within(seconds: float, happens: Callable[[], bool]) -> None:
    """Fail unless something happens in time."""
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.02)
