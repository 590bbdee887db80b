"""Passwords: argon2id, off the event loop. The only file that knows argon2."""

from __future__ import annotations

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

MEMORY_KIB: Final = 19_456
PASSES: Final = 2
LANES: Final = 1


class Passwords:
    """Hashes and checks passwords, a bounded number at once: memory is what an attacker spends.

    Args:
        at_once_max: Hashes under way at the same time; each takes 19 MiB.

    See: OWASP ASVS 11.4.2
    """

    def __init__(self, *, at_once_max: int = 2) -> None:
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
        self._room = asyncio.Semaphore(at_once_max)

    async def hash(self, password: str) -> str:
        """The encoded argon2id hash of a password, exactly as received."""
        async with self._room:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def check(self, password: str, encoded: str) -> bool:
        """Whether a password is the one that was hashed."""
        async with self._room:
            return await asyncio.to_thread(self._matches, password, encoded)

    def _matches(self, password: str, encoded: str) -> bool:
        try:
            return self._hasher.verify(encoded, password)
        except (Argon2Error, InvalidHashError):
            return False
