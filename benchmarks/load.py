"""Load: sends requests from the other core and counts what came back."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks.client import Order, write_order
from benchmarks.machine import load_core, on_core

CONNECTIONS: Final = 32
WRK: Final = shutil.which("wrk")

_REQUESTS: Final = re.compile(r"(\d+) requests in ([\d.]+)(m?)s")
_REFUSED: Final = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_P99: Final = re.compile(r"99%\s+([\d.]+)(us|ms|s)")
_IN_MS: Final = {"us": 0.001, "ms": 1.0, "s": 1_000.0}
_SOCKET_ERRORS: Final = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")


class LoadError(RuntimeError):
    """The load generator failed."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request that is sent over and over.

    Args:
        headers: In the form `Name: value`.
        body: Whatever `kind` says, or nothing.
        kind: The body's media type.
    """

    path: str
    headers: tuple[str, ...] = ()
    method: str = "GET"
    body: str = ""
    kind: str = "application/json"

    def text(self, port: int) -> str:
        """The request as it goes over the wire."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *self.headers]
        if self.body:
            lines += [f"Content-Type: {self.kind}", f"Content-Length: {len(self.body.encode())}"]
        return "\r\n".join([*lines, "", self.body])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back: good answers, other answers, lost connections; and where wrk sent, how long the slowest hundredth took."""

    good: int
    bad: int
    lost: int
    seconds: float
    p99_ms: float | None = None

    @property
    def answered(self) -> int:
        """All answers."""
        return self.good + self.bad


class Client:
    """The small client as a process, so that something else may be done while it sends."""

    def __init__(self, order: Order) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="bonafides-load-")
        path = Path(self._folder.name) / "order.json"
        write_order(order, path)
        with on_core(load_core()):
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.client", str(path)], stdout=subprocess.PIPE, text=True
            )

    def outcome(self) -> Outcome:
        """Wait until all is sent."""
        said, _ = self._process.communicate()
        self._folder.cleanup()
        if self._process.returncode != 0:
            raise LoadError("the load client failed; what it said stands above")
        result = json.loads(said)
        answers = {int(status): count for status, count in result["answers"].items()}
        good = sum(count for status, count in answers.items() if status // 100 == 2)  # noqa: PLR2004 - 2xx
        bad = sum(answers.values()) - good - answers.get(0, 0)
        return Outcome(good, bad, max(0, result["reconnects"]) + answers.get(0, 0), result["seconds"])


def send(order: Order) -> Outcome:
    """Have the small client carry out an order."""
    return Client(order).outcome()


def hammer(
    port: int, request: Request, seconds: float, *, keys: Sequence[str] = (), connections: int = CONNECTIONS
) -> Outcome:
    """Send one request over and over, with wrk where it is found.

    Args:
        port: Where to, on this machine.
        request: What; `{key}` in a header stands for one of the keys, in turn.
        seconds: For how long.
        keys: Credentials.
        connections: How many requests are under way at a time.
    """
    with tempfile.TemporaryDirectory(prefix="bonafides-load-") as name:
        folder = Path(name)
        if WRK is not None:
            return _wrk(WRK, port, request, seconds, keys, connections, folder)
        order = Order(port=port, request=request.text(port), connections=connections, seconds=seconds)
        if keys:
            (folder / "keys").write_text("\n".join(keys))
            order = replace(order, keys=str(folder / "keys"), repeated=True)
        return send(order)


def _wrk(
    program: str,
    port: int,
    request: Request,
    seconds: float,
    keys: Sequence[str],
    connections: int,
    folder: Path,
) -> Outcome:
    command = [program, "--latency", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
    if keys:
        (folder / "keys").write_text("\n".join(keys))
        (folder / "script.lua").write_text(_in_turn(request, folder / "keys"))
        command += ["-s", str(folder / "script.lua")]
    elif request.body:
        script = f"wrk.method = '{request.method}'\nwrk.body = [[{request.body}]]\n"
        (folder / "script.lua").write_text(script)
        command += ["-s", str(folder / "script.lua"), "-H", f"Content-Type: {request.kind}"]
    if not keys:
        command += [part for header in request.headers for part in ("-H", header)]
    command.append(f"http://127.0.0.1:{port}{request.path}")
    with on_core(load_core()):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    total = _REQUESTS.search(done.stdout)
    if done.returncode != 0 or total is None:
        raise LoadError(f"wrk failed with {done.returncode}:\n{done.stdout}{done.stderr}")
    refused = _REFUSED.search(done.stdout)
    errors = _SOCKET_ERRORS.search(done.stdout)
    bad = int(refused[1]) if refused else 0
    lost = sum(int(count) for count in errors.groups()) if errors else 0
    took = float(total[2]) / (1000 if total[3] else 1)
    slowest = _P99.search(done.stdout)
    p99_ms = float(slowest[1]) * _IN_MS[slowest[2]] if slowest else None
    return Outcome(int(total[1]) - bad, bad, lost, took, p99_ms)


def _in_turn(request: Request, keys: Path) -> str:
    """A script for wrk that presents one key after the other."""
    headers = ", ".join(
        f"[{json.dumps(name)}] = {json.dumps(value.strip())}"
        for name, _, value in (header.partition(":") for header in request.headers)
    )
    return f"""
local requests, at = {{}}, 0
init = function()
  for key in io.lines({json.dumps(str(keys))}) do
    local headers = {{ {headers} }}
    headers["Host"] = wrk.headers["Host"]
    for name, value in pairs(headers) do headers[name] = value:gsub("{{key}}", key) end
    requests[#requests + 1] = wrk.format({json.dumps(request.method)}, {json.dumps(request.path)}, headers)
  end
end
request = function()
  at = at % #requests + 1
  return requests[at]
end
"""
