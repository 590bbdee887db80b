"""The session cookie: set by the server, and accepted from its own pages alone.

Browsers send it along by themselves, so whose page made them do it decides whether it counts. They say so
in `Sec-Fetch-Site`, which no page can forge, and where they do not know that header, in `Origin`. What sends
neither is no browser, and cannot be made to send somebody else's cookie.

See: Fetch Metadata §2.3, RFC 6265bis §4.1.3.2 and §5.5
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from bonafides.secret import Shape, shape
from bonafides.web.presented import Headers, presented

TOKEN: Final = "__Host-session"
REFRESH_TOKEN: Final = "__Host-refresh"

_ATTRIBUTES: Final = "Path=/; Secure; HttpOnly; SameSite=Strict"
_VALUE: Final = re.compile(rb"[!#-+\--:<-\[\]-~]+")
_OWN_PAGES: Final = frozenset({b"same-origin", b"none"})
_PORTS: Final = {"http": 80, "https": 443}

Header = tuple[bytes, bytes]


class Cookies:
    """Finds credentials in cookies, where they count.

    Args:
        base_url: The server's own.
    """

    def __init__(self, base_url: str) -> None:
        self._origin = _origin_of(base_url)

    def credential(self, headers: Headers) -> bytes | None:
        """The credential that a request presents: in a header, else in the cookie; None if in neither.

        In the cookie, only what the server puts there counts: a key that lies in one is no credential.

        Raises:
            InvalidRequest: Two headers present one, or one does in a form that cannot be read.
        """
        found = presented(headers)
        if found is not None:
            return found
        cookie = self.find(headers, TOKEN)
        return cookie if cookie is not None and shape(cookie) is Shape.JWT else None

    def find(self, headers: Headers, name: str) -> bytes | None:
        """A cookie of ours, if a page of ours or no browser sends it; None where it is sent twice."""
        if not self.is_own(headers):
            return None
        prefix = name.encode("ascii") + b"="
        values = [
            pair[len(prefix) :]
            for header, value in headers
            if header == b"cookie"
            for pair in (part.strip() for part in value.split(b";"))
            if pair.startswith(prefix)
        ]
        return values[0] if len(values) == 1 and _VALUE.fullmatch(values[0]) else None

    def is_own(self, headers: Headers) -> bool:
        """Whether no other site's page makes a browser send this request, as far as browsers tell."""
        sites = [value for name, value in headers if name == b"sec-fetch-site"]
        if sites:
            return all(site in _OWN_PAGES for site in sites)
        origins = [value for name, value in headers if name == b"origin"]
        return all(_origin_of(origin.decode("latin-1")) == self._origin for origin in origins)


def setting(name: str, value: str, ends_at: datetime, now: datetime) -> Header:
    """The header that puts a secret into a browser, where no script reads it and no other host gets it.

    See: OWASP ASVS 3.3.1 to 3.3.4
    """
    seconds = max(0, int((ends_at - now).total_seconds()))
    return b"set-cookie", f"{name}={value}; Max-Age={seconds}; {_ATTRIBUTES}".encode("ascii")


def clearing(name: str) -> Header:
    """The header that takes it out again."""
    return b"set-cookie", f"{name}=; Max-Age=0; {_ATTRIBUTES}".encode("ascii")


def _origin_of(url: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port; None where it has none, as `null` has none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if not parts.scheme or not parts.hostname:
        return None
    return parts.scheme, parts.hostname, port or _PORTS.get(parts.scheme)
