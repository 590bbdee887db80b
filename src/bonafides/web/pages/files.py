"""Style sheet, script and icon of the pages: served under names that change with what is in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Final

from fastapi import APIRouter, Response

from bonafides.errors import NotFound
from bonafides.web.answers import Answer
from bonafides.web.replies import reply

PREFIX: Final = "/static/"

_TYPES: Final = MappingProxyType(
    {
        "site.css": b"text/css; charset=utf-8",
        "site.js": b"text/javascript; charset=utf-8",
        "passkeys.js": b"text/javascript; charset=utf-8",
        "icon.svg": b"image/svg+xml",
    }
)
_INERT: Final = (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; sandbox")
"""An image that is opened by itself is a page, and may hold scripts."""
_FOR_EVER: Final = (b"cache-control", b"public, max-age=31536000, immutable")


@dataclass(frozen=True, slots=True)
class File:
    """One file, under its public name."""

    name: str
    content_type: bytes
    text: bytes


@cache
def files() -> dict[str, File]:
    """Every file by its own name: nothing else of the disk is ever served."""
    found = {}
    for name, content_type in _TYPES.items():
        text = resources.files("bonafides.web").joinpath("static", name).read_bytes()
        digest = hashlib.blake2b(text, digest_size=8).hexdigest()
        stem, _, ending = name.rpartition(".")
        found[name] = File(f"{stem}.{digest}.{ending}", content_type, text)
    return found


def routes(others: Iterable[File]) -> APIRouter:
    """The route of the files, and of others that are served beside them."""
    router = APIRouter()
    served = {file.name: file for file in (*files().values(), *others)}

    @router.get(PREFIX + "{name}", include_in_schema=False)
    async def static(name: str) -> Response:
        file = served.get(name)
        if file is None:
            message = "There is no such file."
            raise NotFound(message)
        return reply(Answer(200, [(b"content-type", file.content_type), _FOR_EVER, _INERT], file.text))

    return router
