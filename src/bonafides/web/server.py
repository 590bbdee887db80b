"""Serving: one process, one event loop, uvicorn with our protocol; a ready line at the start, a drain at the end."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from types import FrameType
from typing import Any, Final, Protocol

import uvicorn
from typing_extensions import override

from bonafides.errors import Misconfigured
from bonafides.web.connection import Connection
from bonafides.web.fastlane import FastLane
from bonafides.web.gate import AsgiApp
from bonafides.web.handover import Give, Handover

Announce = Callable[[str], None]
"""Told the URL once requests are answered."""

_FILES_MAX: Final = 65_536


class Server(uvicorn.Server):
    """uvicorn's server, which says when it is ready, and ends with 0 when it was asked to end.

    Args:
        config: uvicorn's.
        announce: Told the URL.
    """

    def __init__(self, config: uvicorn.Config, announce: Announce) -> None:
        super().__init__(config)
        self._announce = announce

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce(url_of(self.config.host, self.bound_port))

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # uvicorn raises the signal again after its drain, so that the exit status would not be 0.
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True

    @property
    def bound_port(self) -> int:
        """The port that it listens on, also where the setting was 0."""
        listening = self.servers[0].sockets[0]
        port: int = listening.getsockname()[1]
        return port


class LoginServer(Server):
    """A server that listens nowhere: it is handed connections, answers one request on each, and closes them.

    Args:
        config: uvicorn's.
        announce: Told an empty URL.
        handover: How they come.
    """

    def __init__(self, config: uvicorn.Config, announce: Announce, handover: Handover) -> None:
        super().__init__(config, announce)
        self._handover = handover
        self._adopting: set[asyncio.Task[None]] = set()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await uvicorn.Server.startup(self, [])
        self._handover.begin(self._take)
        self._announce("")

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._handover.end()
        self._handover.rest(self._take)
        await asyncio.gather(*self._adopting)
        await super().shutdown([])

    def _take(self, data: bytes, connection: socket.socket) -> None:
        adopting = asyncio.create_task(self._adopt(data, connection))
        self._adopting.add(adopting)
        adopting.add_done_callback(self._adopting.discard)

    async def _adopt(self, data: bytes, connection: socket.socket) -> None:
        new: Any = self.config.http_protocol_class
        protocol = partial(new, config=self.config, server_state=self.server_state, app_state={}, first=data)
        with contextlib.suppress(OSError):  # it has ended meanwhile
            await asyncio.get_running_loop().connect_accepted_socket(protocol, connection)


def url_of(host: str, port: int) -> str:
    """The URL of a server that listens there."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def free_port(host: str) -> int:
    """A port that nobody listens on.

    Raises:
        Misconfigured: The address cannot be listened on.
    """
    try:
        with _bound(host, 0, shared=False) as free:
            return int(free.getsockname()[1])
    except OSError:
        message = f"Nothing can listen on {host}: it is not this machine's."
        raise Misconfigured(message, field="host") from None


def hold_port(host: str, port: int) -> socket.socket:
    """A bound socket that does not listen: workers of this user may listen on its port, others may not.

    Raises:
        Misconfigured: The address cannot be listened on.
    """
    try:
        # A socket that shares the port would also share it with another server that does, unnoticed.
        with _bound(host, port, shared=False) as free:
            port = free.getsockname()[1]
        return _bound(host, port, shared=True)
    except OSError:
        message = f"Nothing can listen on {host} port {port}: it is in use, or not this machine's."
        raise Misconfigured(message, field="port") from None


def shared_listener(host: str, port: int) -> socket.socket:
    """A socket of this worker's own on a port that workers share; the system deals out the connections.

    Raises:
        Misconfigured: The address cannot be listened on.
    """
    try:
        return _bound(host, port, shared=True)
    except OSError:
        message = f"Nothing can listen on {host} port {port}: it is in use, or not this machine's."
        raise Misconfigured(message, field="port") from None


def _bound(host: str, port: int, *, shared: bool) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
    except BaseException:
        bound.close()
        raise
    return bound


def take_files() -> None:
    """Take as many open files as the system lets this process have: each connection is one.

    What a process has unasked is often 1,024, which as many idle clients use up.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, _FILES_MAX)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(
            OSError, ValueError
        ):  # a system may have a lower bound that it does not tell
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Stoppable(Protocol):
    """A server that can be asked to end."""

    should_exit: bool


def server_of(
    app: AsgiApp,
    lane: FastLane,
    announce: Announce,
    *,
    give: Give | None = None,
    handover: Handover | None = None,
) -> Server:
    """A server for an application; `await server.serve()` runs it until it is asked to end.

    Args:
        app: The application.
        lane: Answers hot requests before it; its settings hold the address and the bounds.
        announce: Told the URL once requests are answered.
        give: Hands on connections whose next request is a login.
        handover: How these come, if this is the server that is handed them, and listens nowhere itself.
    """
    settings = lane.settings
    application: Any = app
    protocol: Any = partial(Connection, lane=lane, give=give)
    config = uvicorn.Config(
        application,
        host=settings.host,
        port=settings.port,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=settings.drain_seconds_max,
        backlog=2048,
    )
    return Server(config, announce) if handover is None else LoginServer(config, announce, handover)


async def serve_metrics(
    text: Callable[[], Awaitable[bytes]], content_type: str, address: str
) -> asyncio.Server:
    """A small server of metrics alone, on an address of its own, without a credential.

    Args:
        text: The metrics.
        content_type: Their type.
        address: `host:port`.

    Raises:
        Misconfigured: The address cannot be listened on.
    """
    host, _, port = address.rpartition(":")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(5):
                request = await reader.readuntil(b"\r\n\r\n")
            good = request.startswith((b"GET /metrics ", b"GET /metrics?"))
            body = await text() if good else b"GET /metrics is all there is here.\n"
            status = b"200 OK" if good else b"404 Not Found"
            kind = content_type.encode("ascii") if good else b"text/plain; charset=utf-8"
            head = b"HTTP/1.1 %s\r\ncontent-type: %s\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
            writer.write(head % (status, kind, len(body)) + body)
            await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            return
        finally:
            writer.close()

    try:
        return await asyncio.start_server(answer, host.strip("[]"), int(port))
    except OSError:
        message = f"metrics_address: nothing can listen on {address}: it is in use, or not this machine's."
        raise Misconfigured(message, field="metrics_address") from None
