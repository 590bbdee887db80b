"""Passwords: argon2id, off the event loop and, in a server, in processes of their own. The only file that knows argon2."""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
import threading
from base64 import b64encode
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from bonafides.credentials.password_rules import normalised
from bonafides.errors import Unavailable
from bonafides.model import Entropy

MEMORY_KIB: Final = 19_456
PASSES: Final = 2
LANES: Final = 1

_WAITING_MAX: Final = 200
_NICENESS: Final = 15
_SALT_BYTES: Final = 16
_HASH_BYTES: Final = 32

_HEAD: Final = struct.Struct(">cI")
_HASH: Final = b"h"
_CHECK: Final = b"c"
_RIGHT: Final = b"right"
_WRONG: Final = b"wrong"

Elsewhere = Callable[[bytes], Awaitable[bytes]]
"""Has `Passwords.work` done in another process; raises `ConnectionError` once that is not possible any more."""


class Passwords:
    """Hashes and checks passwords, a bounded number at once: memory is what an attacker spends.

    Without another process, its threads stand behind all others of this one.

    Args:
        at_once_max: Hashes under way at the same time in this process; each takes 19 MiB.
        memory_kib: Of one; less is for tests alone.
        passes: Over that memory.
        elsewhere: Where hashing is done, if not in this process.

    See: OWASP ASVS 11.4.2
    """

    def __init__(
        self,
        *,
        at_once_max: int = 2,
        memory_kib: int = MEMORY_KIB,
        passes: int = PASSES,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self._elsewhere = elsewhere
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=LANES)
        self._parameters = f"$argon2id$v=19$m={memory_kib},t={passes},p={LANES}"
        self._threads = ThreadPoolExecutor(at_once_max, "passwords", initializer=step_back)
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """The encoded argon2id hash of a password.

        Raises:
            Unavailable: Too many wait already, or nobody could hash it.
        """
        return (await self._run(_job(_HASH, password))).decode("ascii")

    async def check(self, password: str, encoded: str) -> bool:
        """Whether a password is the one that was hashed.

        Raises:
            Unavailable: Too many wait already, or nobody could check it.
        """
        return await self._run(_job(_CHECK, password, encoded)) == _RIGHT

    def nobodys(self, entropy: Entropy) -> str:
        """A hash that no password has, and that takes as long to check as any other."""
        salt, digest = (
            b64encode(entropy(size)).rstrip(b"=").decode("ascii") for size in (_SALT_BYTES, _HASH_BYTES)
        )
        return f"{self._parameters}${salt}${digest}"

    def work(self, job: bytes) -> bytes:
        """Do what was asked for; it takes as long as hashing takes."""
        kind, size = _HEAD.unpack_from(job)
        rest = job[_HEAD.size :]
        password = normalised(rest[size:].decode("utf-8", "surrogatepass"))
        if kind == _HASH:
            return self._hasher.hash(password).encode("ascii")
        return _RIGHT if self._matches(password, rest[:size].decode("utf-8", "surrogatepass")) else _WRONG

    async def _run(self, job: bytes) -> bytes:
        if self._waiting >= _WAITING_MAX:
            raise Unavailable(internal=f"passwords: {self._waiting} are waiting to be checked")
        self._waiting += 1
        try:
            if self._elsewhere is not None:
                with contextlib.suppress(ConnectionError):
                    return await self._elsewhere(job)
            return await asyncio.get_running_loop().run_in_executor(self._threads, self.work, job)
        finally:
            self._waiting -= 1

    def _matches(self, password: str, encoded: str) -> bool:
        try:
            return self._hasher.verify(encoded, password)
        except (Argon2Error, InvalidHashError, UnicodeEncodeError):
            return False


def _job(kind: bytes, password: str, encoded: str = "") -> bytes:
    first, second = (text.encode("utf-8", "surrogatepass") for text in (encoded, password))
    return _HEAD.pack(kind, len(first)) + first + second


def step_back() -> None:
    """Let every other thread go first; only Linux knows a thread's own priority."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def argon2_matches(presented: bytes, encoded: str) -> bool:
    """Whether an argon2 hash that another program made, of whichever variant and figures, is of this string."""
    try:
        return PasswordHasher().verify(encoded, presented)
    except (Argon2Error, InvalidHashError):
        return False
