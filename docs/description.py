"""The API description as the server answers it at `/openapi.yaml`, with the settings that it has by default."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

import httpx2
from structlog.testing import capture_logs

from bonafides.app import build, open_rooms
from bonafides.secret import Peppers, new_pepper, parse_pepper
from bonafides.settings import Settings

PATH: Final = "/openapi.yaml"


class StoppedClock:
    """A clock that nothing in the description depends on."""

    def micros(self) -> int:
        """Some moment, for the limits by address."""
        return 1_900_000_000_000_000

    def monotonic(self) -> float:
        """No time passes."""
        return 0.0


@cache
def description_page() -> str:
    """What a server answers that nobody has configured."""
    return asyncio.run(_answered())


async def _answered() -> str:
    with tempfile.TemporaryDirectory() as folder:
        # The description needs no row, so the database stays without a schema.
        settings = Settings(database=str(Path(folder) / "bonafides.db"))
        peppers = Peppers([parse_pepper(new_pepper(secrets.token_bytes))])
        async with open_rooms(settings, peppers, clock=StoppedClock()) as rooms:
            transport = httpx2.ASGITransport(app=build(rooms).asgi)
            async with httpx2.AsyncClient(transport=transport, base_url=settings.base_url) as client:
                with capture_logs():
                    answer = await client.get(PATH)
        return answer.raise_for_status().text
