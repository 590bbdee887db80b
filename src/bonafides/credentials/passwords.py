"""Passwords: argon2id, off the event loop. The only file that knows argon2."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

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

T = TypeVar("T")


class Passwords:
    """Hashes and checks passwords, a bounded number at once: memory is what an attacker spends.

    Its threads stand behind all others of the process, so that verification does not wait for logins.

    Args:
        at_once_max: Hashes under way at the same time; each takes 19 MiB.
        memory_kib: Of one; less is for tests alone.
        passes: Over that memory.

    See: OWASP ASVS 11.4.2
    """

    def __init__(self, *, at_once_max: int = 2, memory_kib: int = MEMORY_KIB, passes: int = PASSES) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=LANES)
        self._parameters = f"$argon2id$v=19$m={memory_kib},t={passes},p={LANES}"
        self._threads = ThreadPoolExecutor(at_once_max, "passwords", initializer=step_back)
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """The encoded argon2id hash of a password.

        Raises:
            Unavailable: Too many wait already.
        """
        return await self._run(lambda: self._hasher.hash(normalised(password)))

    async def check(self, password: str, encoded: str) -> bool:
        """Whether a password is the one that was hashed.

        Raises:
            Unavailable: Too many wait already.
        """
        return await self._run(lambda: self._matches(password, encoded))

    def nobodys(self, entropy: Entropy) -> str:
        """A hash that no password has, and that takes as long to check as any other."""
        salt, digest = (
            b64encode(entropy(size)).rstrip(b"=").decode("ascii") for size in (_SALT_BYTES, _HASH_BYTES)
        )
        return f"{self._parameters}${salt}${digest}"

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= _WAITING_MAX:
            raise Unavailable(internal=f"passwords: {self._waiting} are waiting to be checked")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    def _matches(self, password: str, encoded: str) -> bool:
        try:
            return self._hasher.verify(encoded, normalised(password))
        except (Argon2Error, InvalidHashError, UnicodeEncodeError):
            return False


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
