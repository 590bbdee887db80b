"""The server as `make conformance-server` starts it."""

from __future__ import annotations

import select
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

import pytest

from tests.conformance.modules import Suite
from tests.conformance.server import READY
from tests.elsewhere import elsewhere
from tests.ports import free_port

START_SECONDS_MAX: Final = 90


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """The server as `make conformance-server` starts it, on a free port."""
    folder = tmp_path_factory.mktemp("conformance")
    port = free_port()
    command = [sys.executable, "-m", "tests.conformance.server", "--port", str(port), "--folder", str(folder)]
    with (
        elsewhere(tmp_path_factory.mktemp("there")) as there,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            until = time.monotonic() + START_SECONDS_MAX
            line = ""
            while READY not in line:
                readable, _, _ = select.select([process.stdout], [], [], until - time.monotonic())
                assert readable, "the server is not ready"
                line = process.stdout.readline()
                assert line, "the server has ended"
            trusted = ssl.create_default_context(cafile=str(folder / "certificate.pem"))
            with ExitStack() as opened:
                yield Suite("localhost", port, trusted, opened, there)
        finally:
            process.terminate()
