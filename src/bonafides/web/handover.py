"""Connections that change hands: whoever accepted one gives it to the process that serves logins.

A login costs some milliseconds of an event loop and of threads that share its lock, and verification would wait for them. So a
process of its own does it, on a connection that it is handed by its descriptor, with what was read of it. The
kernel is the queue. A full one, or a process that is not there, is no failure: whoever accepted the connection then
serves the login itself. See docs/decisions/0028-logins-in-a-process-of-their-own.md.
"""

from __future__ import annotations

import asyncio
import mmap
import socket
import sys
from collections.abc import Callable
from typing import Final

PATHS: Final = frozenset(
    {
        b"/v1/auth/login",
        b"/v1/auth/login/second-factor",
        b"/v1/auth/login/passkey",
        b"/v1/auth/login/passkey/options",
        b"/v1/auth/refresh",
        b"/v1/auth/password/forgotten",
        b"/v1/auth/password/reset",
        b"/login",
        b"/login/second-factor",
        b"/login/second-factor/passkey",
        b"/login/passkey",
        b"/forgotten-password",
        b"/choose-password",
    }
)
"""What a process for logins serves: calls that prove in their body who somebody is, and on which no limit of a credential is counted."""

Give = Callable[[bytes, socket.socket], bool]
"""Hands over a connection with what was read of it, or says that nobody takes it."""
Take = Callable[[bytes, socket.socket], None]
"""Is handed what was read of a connection, and the connection."""

_POST: Final = b"POST "
_PATH_MAX: Final = 128
_DATA_MAX: Final = 65_536
"""What is given with a connection at most; a request of which more was read stays where it is."""
_SAID_EACH_SECONDS: Final = 0.05
_AWAY_SECONDS_MAX: Final = 0.25


def is_for_logins(data: bytes) -> bool:
    """Whether the bytes with which a request begins ask for something in `PATHS`."""
    if not data.startswith(_POST):
        return False
    # A path that is not whole yet could go on.
    path, end, _ = data[len(_POST) : _PATH_MAX].replace(b"?", b" ", 1).partition(b" ")
    return bool(end) and path in PATHS


class Handover:
    """The way of connections to the process for logins. Make it before the processes are forked that share it.

    Who takes has idle time alone and may have to wait for it; so it says time and again that it is there, and where
    it has not for a while, nothing is handed over. On a machine without idle time logins are served where they come.
    """

    def __init__(self) -> None:
        self._giving, self._taking = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (self._giving, self._taking):
            end.settimeout(0.0)
        # When whoever takes was last there, on the system's monotonic clock; 0 where nobody takes.
        self._there = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("d")
        self._saying: asyncio.TimerHandle | None = None

    @staticmethod
    def is_possible() -> bool:
        """Whether this system can hand over a connection together with what was read of it."""
        return sys.platform == "linux"

    def begin(self, take: Take) -> None:
        """Take connections from now on.

        Args:
            take: Given what was read of a connection, and the connection.
        """
        asyncio.get_running_loop().add_reader(self._taking, self._take, take)
        self._say()

    def end(self) -> None:
        """Say that nobody takes connections for now; any process may say it."""
        if self._saying is not None:
            self._saying.cancel()
        self._there[0] = 0.0

    def rest(self, take: Take) -> None:
        """Take what is still on its way, after `end`, and nothing more."""
        asyncio.get_running_loop().remove_reader(self._taking)
        while self._take(take):
            pass

    def drop(self) -> None:
        """Close what is still on its way, after `end`: whoever waits on it sees at once that nobody answers."""
        self.rest(lambda _, connection: connection.close())

    def give(self, data: bytes, connection: socket.socket) -> bool:
        """Hand over a connection, which the caller then closes; False, with nothing done, where nobody takes it.

        Args:
            data: What was read of it.
            connection: Its socket.
        """
        away_seconds = asyncio.get_running_loop().time() - self._there[0]
        if away_seconds > _AWAY_SECONDS_MAX or len(data) > _DATA_MAX:
            return False
        try:
            socket.send_fds(self._giving, [data], [connection.fileno()])
        except OSError:
            return False  # so many are on their way that it is sooner done here
        return True

    def giver(self, want: Callable[[], None]) -> Give:
        """Hands over connections as `give` does.

        Args:
            want: Called where nobody takes them: somebody should.
        """

        def give(data: bytes, connection: socket.socket) -> bool:
            if self.give(data, connection):
                return True
            if not self._there[0]:
                want()
            return False

        return give

    def close(self) -> None:
        """Let go of it, in a process that neither gives nor takes any more."""
        self._giving.close()
        self._taking.close()

    def _say(self) -> None:
        loop = asyncio.get_running_loop()
        self._there[0] = loop.time()
        self._saying = loop.call_later(_SAID_EACH_SECONDS, self._say)

    def _take(self, take: Take) -> bool:
        """Take one: what makes a busy process slow makes it take fewer, and the others serve more themselves."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self._taking, _DATA_MAX, 1)
        except OSError:
            return False
        if not descriptors:
            return False
        take(data, socket.socket(fileno=descriptors[0]))
        return True
