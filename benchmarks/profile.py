"""Where the time of a hot request goes: `python -m benchmarks.profile`.

One connection without a socket is fed the same request over and over, so that what is left is our own
work and the parser's; the kernel's and the event loop's share is not in it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import cProfile
import math
import pstats
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import uvicorn
import uvloop
from uvicorn.server import ServerState

from benchmarks.service import ENDLESS, Installation, serving
from bonafides.app import Rooms, SystemClock, build, open_rooms
from bonafides.audit import Recorder
from bonafides.keyring import require_peppers
from bonafides.model import Actor, AuditEvent, Plan
from bonafides.verification.verifier import Facts
from bonafides.web.connection import Connection
from bonafides.web.fastlane import FastLane
from bonafides.web.rendered import Rendered
from bonafides.web.requestids import RequestIds

_COUNT: Final = 20_000
_ROUNDS: Final = 5
_TURNS: Final = 10
_DATE: Final = [(b"date", b"Sun, 22 Nov 2026 01:30:38 GMT")]
_COLLECTED: Final = re.compile(r"Collected\s*:\s*(\d+)")


class Hole:
    """A transport that answers vanish into."""

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Nothing is known of the other end but its address."""
        return ("127.0.0.1", 50_000) if name == "peername" else default

    def write(self, _data: bytes) -> None:
        """Forget an answer."""

    def is_closing(self) -> bool:
        """Never: it has no end."""
        return False

    def close(self) -> None:
        """It has no end."""


@dataclass(frozen=True, slots=True)
class Hot:
    """A resident key, and a connection on which it is presented."""

    rooms: Rooms
    lane: FastLane
    key: bytes
    receive: Callable[[bytes], None]


@contextlib.asynccontextmanager
async def _hot(installation: Installation, others: Iterable[str] = ()) -> AsyncIterator[Hot]:
    settings = installation.settings
    key = installation.founded.api_key.encode()
    async with open_rooms(settings, require_peppers(settings), clock=SystemClock()) as rooms:
        await rooms.feed.read()
        # Nobody follows the feed here, so memory is trusted for as long as it takes.
        rooms.feed.trusted_until = math.inf
        application = build(rooms)
        await rooms.store.put_plan(*_endless(rooms, installation))
        for credential in (key, *(other.encode() for other in others)):
            await rooms.verifier.verify(credential, Facts())
        config = uvicorn.Config(cast("Any", application.asgi), log_config=None)
        config.load()
        state = ServerState()
        state.default_headers = _DATE
        connection = Connection(config=config, server_state=state, app_state={}, lane=application.lane)
        connection.connection_made(cast("asyncio.Transport", Hole()))
        yield Hot(rooms, application.lane, key, connection.data_received)
        connection.connection_lost(None)


def _endless(rooms: Rooms, installation: Installation) -> tuple[Plan, AuditEvent]:
    event = Recorder(rooms.clock, rooms.entropy).event(
        "plan.put", Actor(None, None, "benchmark"), installation.founded.tenant_id, "enterprise"
    )
    return Plan("enterprise", ENDLESS, ENDLESS), event


async def _carry_out(installation: Installation, work: Callable[[Hot], None]) -> None:
    async with _hot(installation) as hot:
        work(hot)


def head(key: bytes) -> bytes:
    """The request that is profiled."""
    return (
        b"GET /v1/auth/verify HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nAuthorization: Bearer " + key + b"\r\n\r\n"
    )


def microseconds(work: Callable[[], object], count: int = _COUNT) -> float:
    """Processor time of one call, the best of some rounds."""
    best = math.inf
    for _ in range(_ROUNDS):
        began = time.process_time()
        for _ in range(count):
            work()
        best = min(best, time.process_time() - began)
    return best / count * 1e6


def parts(hot: Hot) -> None:
    """Print what the parts of a hot request cost."""
    rooms, lane, key, receive = hot.rooms, hot.lane, hot.key, hot.receive
    data = head(key)
    receive(data)
    asked = lane.recall(data)
    resident = rooms.verifier.resident(key)
    if asked is None or resident is None:
        raise RuntimeError("the lane does not take the request")
    now_us = rooms.clock.micros()
    counter = rooms.verifier.counter(resident, now_us)
    digest, origin, empty = asked.digest, lane.origin("127.0.0.1"), microseconds(lambda: None)
    rendered: Rendered = resident.rendered
    request_id = RequestIds(rooms.entropy).next_bytes
    form, body = rendered.form, rendered.verify
    figures = partial(form.figures, counter, now_us, _DATE[0][1], len(body))
    work: dict[str, Callable[[], object]] = {
        "whole request": lambda: receive(data),
        "· recall the head (keyed SHA-256, look-up)": lambda: lane.recall(data),
        "· answer": lambda: lane.answer(asked, origin, _DATE),
        "· · the resident by its digest, feed fresh": lambda: rooms.verifier.resident_of(digest),
        "· · its counter": lambda: rooms.verifier.counter(resident, now_us),
        "· · count in hour and burst": lambda: counter.spend(10**9, 10**9, 1, now_us),
        "· · the time": rooms.clock.micros,
        "· · format the moving figures": lambda: form.ok % figures(request_id()) + body,
        "for comparison: digest of the credential": lambda: rooms.verifier.digest(key),
        "for comparison: parse the head anew": lambda: lane.parse(
            b"GET", b"/v1/auth/verify", [(b"host", b"127.0.0.1"), (b"authorization", b"Bearer " + key)]
        ),
    }
    for name, call in work.items():
        print(f"{microseconds(call) - empty:8.2f} µs  {name}")


async def _kinds(installation: Installation) -> None:
    """Print what a request costs by the kind of its credential, in turn, because the machine's speed changes."""
    with serving(installation, anywhere=True) as service:
        service.make_plan()
        key = service.make_key()
        credentials = {
            "API key": key,
            "personal access token": service.make_personal_token(),
            "bearer token": service.make_bearer_token(key),
            "JWT of a login": service.make_login_token(),
        }
    async with _hot(installation, credentials.values()) as hot:
        best = dict.fromkeys(credentials, math.inf)
        for _ in range(_TURNS):
            for name, credential in credentials.items():
                work = partial(hot.receive, head(credential.encode()))
                best[name] = min(best[name], microseconds(work, _COUNT // _TURNS))
    for name, found in best.items():
        print(f"{found:8.2f} µs  whole request, {name}: {best['API key'] / found:.2f} of a key's speed")


def functions(hot: Hot) -> None:
    """Print which functions the time is spent in; the profiler's own cost is in it."""
    data = head(hot.key)
    hot.receive(data)
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(_COUNT):
        hot.receive(data)
    profile.disable()
    pstats.Stats(profile).sort_stats("tottime").print_stats(16)


def _await_order(hot: Hot) -> None:
    """Answer as many requests as each line of the input says; for a counter of instructions outside."""
    data = head(hot.key)
    for _ in range(100):
        hot.receive(data)
    print("ready", flush=True)
    for line in sys.stdin:
        for _ in range(int(line)):
            hot.receive(data)
        print("done", flush=True)


def instructions(count: int = _COUNT) -> float | None:
    """Instructions of one request, counted by callgrind; None where it is not installed."""
    valgrind, control = shutil.which("valgrind"), shutil.which("callgrind_control")
    if valgrind is None or control is None:
        return None
    with tempfile.TemporaryDirectory(prefix="bonafides-profile-") as folder:
        process = subprocess.Popen(
            [
                valgrind, "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/out",
                sys.executable, "-m", "benchmarks.profile", "--await-order",
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        if process.stdin is None or process.stdout is None:
            return None
        process.stdout.readline()
        subprocess.run([control, "-i", "on", str(process.pid)], check=True, capture_output=True)
        process.stdin.write(f"{count}\n")
        process.stdin.flush()
        process.stdout.readline()
        subprocess.run([control, "-i", "off", str(process.pid)], check=True, capture_output=True)
        _, said = process.communicate()
    collected = _COLLECTED.search(said)
    return int(collected[1]) / count if collected else None


def main() -> None:
    """Print what was asked for; all of it by default."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument(
        "--no-callgrind", action="store_true", help="do not count instructions, which is slow"
    )
    parser.add_argument("--await-order", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if not chosen.await_order:
        with tempfile.TemporaryDirectory(prefix="bonafides-profile-") as folder:
            uvloop.run(_kinds(Installation.make(Path(folder))))
    for work in [_await_order] if chosen.await_order else [parts, functions]:
        with tempfile.TemporaryDirectory(prefix="bonafides-profile-") as folder:
            uvloop.run(_carry_out(Installation.make(Path(folder)), work))
    if not (chosen.await_order or chosen.no_callgrind):
        counted = instructions()
        print("callgrind is not installed" if counted is None else f"{counted:,.0f} instructions a request")


if __name__ == "__main__":
    main()
