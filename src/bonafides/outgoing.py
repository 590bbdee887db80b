"""Calls to other people's servers, at addresses that strangers may have written down. The only file that knows httpx2.

Whoever registers a client names URLs that this server then asks: for keys, for what the client says of
itself, to tell it of a logout. Such a URL must never become a way into the network that the server stands in.

See: RFC 7591 §5, OWASP ASVS 13.2.4 and 13.2.5
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from types import MappingProxyType
from typing import Final
from urllib.parse import SplitResult, urlsplit

import httpx2
import structlog
from typing_extensions import override

BYTES_MAX: Final = 65_536
"""Of an answer."""
SECONDS_MAX: Final = 5.0
"""For all of a call, from the look-up of the name to the last byte."""
AT_ONCE_MAX: Final = 16
URL_LENGTH_MAX: Final = 2_000
THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1"})

_PORTS: Final = MappingProxyType({"https": 443, "http": 80})

# Ways to write an IPv4 address within IPv6 that some network may translate: NAT64 and 6to4.
_TRANSLATED: Final = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"), ip_network("2002::/16"))
_HOST: Final = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z.-]*[0-9A-Za-z])?")
_REST: Final = re.compile(r"[!$-;=?-Z_a-z~%]*")

log = structlog.get_logger("bonafides.outgoing")

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Every address of a host's name."""


@dataclass(frozen=True, slots=True, repr=False)
class Fetched:
    """What a server has answered, whatever it means.

    Args:
        headers: By lower-case name.
    """

    status: int
    body: bytes
    headers: Mapping[str, str]

    @override
    def __repr__(self) -> str:
        return f"Fetched({self.status}, {len(self.body)} bytes)"


class Missed(StrEnum):
    """Why there is no answer, as far as somebody may be told who has named the URL."""

    NOT_ALLOWED = "not_allowed"
    TOO_SLOW = "too_slow"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class Unfetched:
    """There is no answer, and why: for the log; who has named the URL is told `missed` at most."""

    reason: str
    missed: Missed = Missed.NO_ANSWER


class Plain(Enum):
    """Where http does in place of https."""

    NEVER = "never"
    THIS_MACHINE = "this machine"
    ANYWHERE = "anywhere"

    def allows(self, host: str) -> bool:
        """Whether that host may be called by http."""
        return self is Plain.ANYWHERE or (self is Plain.THIS_MACHINE and host in THIS_MACHINE)


class _NotAllowed(Exception):
    """A URL is not one that is called."""


class Outgoing:
    """Calls URLs that others have named: https alone, public addresses alone, little at a time, and no redirects.

    The name is looked up once; every address is judged, and the connection goes to one that was judged, so that
    a name that changes between two look-ups wins nothing.

    Args:
        private: Whether addresses of private networks, and of this machine, are called too.
        plain: Where http does in place of https.
        resolve: Looks a name up; the system's way unless a test knows better.
        context: What is trusted; the system's authorities, or those of `SSL_CERT_FILE`.
    """

    def __init__(
        self,
        *,
        private: bool = False,
        plain: Plain = Plain.NEVER,
        resolve: Resolve | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._private = private
        self._plain = plain
        self._resolve = resolve or _looked_up
        self._context = context
        self._slots = asyncio.Semaphore(AT_ONCE_MAX)

    async def get(
        self, url: str, *, accept: str = "application/json", bytes_max: int = BYTES_MAX
    ) -> Fetched | Unfetched:
        """What stands at a URL."""
        return await self._call("GET", url, {"Accept": accept}, None, bytes_max)

    async def post(
        self, url: str, form: Mapping[str, str], *, bytes_max: int = BYTES_MAX
    ) -> Fetched | Unfetched:
        """What a URL answers to a form."""
        return await self._call("POST", url, {"Accept": "application/json"}, form, bytes_max)

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Fetched | Unfetched:
        """What a URL answers to a body, without that answer's own, of which nothing is read."""
        return await self._call("POST", url, headers, body, None)

    async def _call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        sent: Mapping[str, str] | bytes | None,
        bytes_max: int | None,
    ) -> Fetched | Unfetched:
        missed = Missed.NO_ANSWER
        try:
            async with asyncio.timeout(SECONDS_MAX), self._slots:
                return await self._exchange(method, url, headers, sent, bytes_max)
        except _NotAllowed as refused:
            reason, missed = str(refused), Missed.NOT_ALLOWED
        except TimeoutError:
            reason, missed = "it took too long", Missed.TOO_SLOW
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            reason = type(error).__name__
        # The rest of a webhook's URL is often all that whoever calls it has to know.
        log.warning("not_fetched", host=_host_of(url), reason=reason)
        return Unfetched(reason, missed)

    async def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        sent: Mapping[str, str] | bytes | None,
        bytes_max: int | None,
    ) -> Fetched:
        parts = checked_url(url, plain=self._plain)
        host, usual = parts.hostname or "", _PORTS[parts.scheme]
        port = parts.port or usual
        address = await self._address(host, port)
        literal = f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004
        target = f"{parts.scheme}://{literal}:{port}{parts.path or '/'}" + (
            f"?{parts.query}" if parts.query else ""
        )
        if self._context is None:
            self._context = await asyncio.to_thread(ssl.create_default_context)
        # No connection is kept: it is known by its address, and two names may share one.
        limits = httpx2.Limits(max_keepalive_connections=0)
        async with (
            httpx2.AsyncClient(
                verify=self._context, trust_env=False, follow_redirects=False, limits=limits
            ) as client,
            client.stream(
                method,
                target,
                headers={
                    **headers,
                    "Host": host if port == usual else f"{host}:{port}",
                    "User-Agent": "bonafides",
                    "Accept-Encoding": "identity",
                },
                content=sent if isinstance(sent, bytes) else None,
                data=None if isinstance(sent, bytes) else sent,
                extensions={"sni_hostname": host},
            ) as answer,
        ):
            body = b"" if bytes_max is None else await _read(answer, bytes_max)
            return Fetched(
                answer.status_code, body, {name.lower(): value for name, value in answer.headers.items()}
            )

    async def _address(self, host: str, port: int) -> Address:
        """The address to call, if all that the name has may be called."""
        found = [ip_address(each.partition("%")[0]) for each in await self._resolve(host, port)]
        if not found:
            message = "the name has no address"
            raise _NotAllowed(message)
        if not self._private and not all(is_public(each) for each in found):
            message = "it is an address of a private network"
            raise _NotAllowed(message)
        return found[0]


async def _read(answer: httpx2.Response, bytes_max: int) -> bytes:
    if answer.headers.get("content-encoding", "identity") != "identity":
        message = "it is compressed, though nobody asked for that"
        raise _NotAllowed(message)
    body = b""
    async for part in answer.aiter_raw():
        body += part
        if len(body) > bytes_max:
            message = f"it is longer than {bytes_max} bytes"
            raise _NotAllowed(message)
    return body


def checked_url(url: str, *, plain: Plain = Plain.NEVER) -> SplitResult:
    """The parts of a URL that may be called, as far as its text tells.

    Args:
        url: As somebody has written it.
        plain: Where http does, too.

    Raises:
        _NotAllowed: It is not https, or written so that two readers may take it for two things.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        message = "it is no URL"
        raise _NotAllowed(message) from None
    host = parts.hostname or ""
    written = f"{host}:{port}" if port is not None else host
    if (
        not (parts.scheme == "https" or (parts.scheme == "http" and plain.allows(host)))
        or len(url) > URL_LENGTH_MAX
        or _HOST.fullmatch(host) is None
        or parts.netloc.lower() != written
        or parts.fragment
        or port == 0
        or _REST.fullmatch(parts.path + parts.query) is None
    ):
        message = "it is not a plain https URL"
        raise _NotAllowed(message)
    return parts


def _host_of(url: str) -> str | None:
    """The host that a URL names, if it can be read."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def may_be_named(url: str, *, plain: Plain = Plain.NEVER) -> bool:
    """Whether a URL looks like one that may be called; where its name leads is judged each time it is."""
    try:
        checked_url(url, plain=plain)
    except _NotAllowed:
        return False
    return True


def is_public(address: Address) -> bool:
    """Whether an address is one that everybody reaches: of no private network, nor of this machine."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if any(address in network for network in _TRANSLATED):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


async def _looked_up(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
