"""The README's sample application is made known and started as it is printed, and people log in to it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.pages.browsing import Browser
from tests.pages.clients import answered, consent_page, target_of
from tests.pages.test_nodejs_clients import server as server  # noqa: PLC0414 - its issuer is where it is reached
from tests.ports import free_port
from tests.serving import RunningServer

ROOT: Final = Path(__file__).parents[2]
PAGE_URL: Final = "http://127.0.0.1:8000"
PAGE_PORT: Final = "9000"
FIELD: Final = re.compile(r"^\$ (field\(\) .*)$", re.MULTILINE)
BLOCK: Final = re.compile(r"```sh\n([^`]*examples/web_application\.py\n)```")


@pytest.fixture
def shop(server: RunningServer) -> Iterator[str]:
    """Where it is, once the README's commands have started it."""
    port = str(free_port())
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    field, block = FIELD.search(page), BLOCK.search(page)
    assert field is not None
    assert block is not None
    commands = block[1].replace(PAGE_URL, server.url).replace(PAGE_PORT, port)
    # The shell becomes the last command, so that this can be ended.
    commands = f"{field[1]}\n{commands}".replace("\npython3 ", "\nexec python3 ")
    environment = {**os.environ, "KEY": server.founded.api_key, "ISSUER": server.url, "PORT": port}
    command = ["/bin/bash", "-c", commands]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line == f"The shop is open: http://127.0.0.1:{port}\n", line
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def greeted(there: httpx2.Client) -> bool:
    """Whether the shop knows who is there."""
    return "Hello, admin@example.com." in there.get("/").text


def test_the_reader_logs_in_to_the_sample_and_out(server: RunningServer, shop: str) -> None:
    """Whoever follows the page to its end would stand before an error, in the very part that is hardest to write alone."""
    founded = server.founded
    browser = Browser(server)
    with httpx2.Client(base_url=shop, trust_env=False) as there:
        assert not greeted(there)
        path = there.get("/login").headers["location"].removeprefix(server.url)
        login = browser.get(path).form("/login")
        fields = {"username": founded.email, "password": founded.password}
        onward = target_of(browser.submit(login, **fields))
        assert onward is not None
        back = answered(browser, consent_page(browser, onward)).headers["location"]
        assert back.startswith(f"{shop}/callback?")
        with httpx2.Client(base_url=shop, trust_env=False) as other:
            assert other.get(back).status_code == 403, "another browser may not use it"
        assert there.get(back).headers["location"] == "/"
        assert greeted(there)
        away = there.get("/logout").headers["location"]
        assert browser.send("GET", away.removeprefix(server.url)).headers["location"] == f"{shop}/"
        assert not greeted(there)
    assert urlsplit(path).path == "/oauth/authorize"
    assert browser.send("GET", "/v1/auth/verify").status_code == 401
