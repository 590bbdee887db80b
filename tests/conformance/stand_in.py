"""Who stands in for the operator while the suite runs: rotates the signing keys when a module waits for that.

The suite's module `oidcc-server-rotate-keys` reads the keys, says "Please rotate the keys, then press the Start
button", and reads them again. `run-test-plan.py` presses the button at once, so nobody could be in time. But every
module begins by reading the metadata and then the keys, and only this one reads the keys once more: whoever reads them
without having read the metadata just before is at that step.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import urlsplit

from typing_extensions import override

from bonafides.app import Rooms, SystemClock
from bonafides.errors import Conflict
from bonafides.model import SigningAlgorithm
from bonafides.outgoing import Outgoing
from bonafides.web.gate import AsgiApp
from bonafides.web.oauth.discovery import OAUTH, OPENID

KEYS: Final = "/.well-known/jwks.json"
TOGETHER_SECONDS: Final = 5.0
"""Within which a module that begins reads the metadata and the keys."""
EARLIER_SECONDS: Final = 3_600
"""How long ago the first keys were published, as far as they know: so they may be rotated from the start."""
SUITE_SECONDS_MAX: Final = 3.0
AGAIN_SECONDS: Final = 5.0
"""Between two looks whether the suite runs."""

Rotate = Callable[[], Awaitable[object]]


class StandIn:
    """An application before which somebody rotates the keys in time.

    Args:
        application: Answers.
        rotate: Rotates them.
        monotonic: Seconds that never run backwards.
    """

    def __init__(
        self, application: AsgiApp, rotate: Rotate, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._application = application
        self._rotate = rotate
        self._monotonic = monotonic
        self._begun = float("-inf")
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer, and rotate first where that is waited for."""
        path = scope.get("path")
        if path in {OPENID, OAUTH}:
            self._begun = self._monotonic()
        elif path == KEYS:
            async with self._lock:
                if not self._begins():
                    await self._rotate()
        await self._application(scope, receive, send)

    def _begins(self) -> bool:
        """Whether these keys are read by a module that begins; one that is skipped reads the metadata alone."""
        begun, self._begun = self._begun, float("-inf")
        return begun >= self._monotonic() - TOGETHER_SECONDS


def rotating(rooms: Rooms, tenant_id: str) -> Rotate:
    """What `bonafides signing-keys rotate` does, and with `--force` where it was done just now."""

    async def rotate() -> None:
        authority = rooms.local_authority(tenant_id)
        try:
            await rooms.signing_keys.rotate(authority)
        except Conflict:
            await rooms.signing_keys.rotate(authority, force=True)

    return rotate


class EarlierClock(SystemClock):
    """The machine's clock, an hour ago."""

    @override
    def micros(self) -> int:
        """Microseconds since the Unix epoch, UTC."""
        return super().micros() - EARLIER_SECONDS * 1_000_000


async def publish_keys(rooms: Rooms) -> None:
    """Make the keys that clients of the plans ask for; none of another kind, which the suite cannot compare."""
    for algorithm in (SigningAlgorithm.ES256, SigningAlgorithm.RS256):
        await rooms.signing_keys.ensure(algorithm)


def pinned(suite: str) -> ssl.SSLContext | None:
    """Trust in the one certificate that the suite shows now, whatever name is in it; None where nobody answers.

    That of its image is `CN=localhost`, and nothing else: no name that anybody calls it by.
    """
    parts = urlsplit(suite)
    try:
        shown = ssl.get_server_certificate(
            (parts.hostname or "", parts.port or 443), timeout=SUITE_SECONDS_MAX
        )
    except OSError:
        return None
    context = ssl.create_default_context(cadata=shown)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


async def trust(outgoing: Outgoing, suite: str) -> None:
    """Call the suite by the certificate that it shows, as soon as it runs."""
    context = await asyncio.to_thread(pinned, suite)
    while context is None:
        await asyncio.sleep(AGAIN_SECONDS)
        context = await asyncio.to_thread(pinned, suite)
    outgoing._context = context
