"""Where a request came from; `X-Forwarded-For` counts only from a proxy that the operator named."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from bonafides.settings import Network

_HOPS_MAX: Final = 32

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse(text: str) -> IpAddress | None:
    """An address in any of the spellings that proxies write: bare, with a port, in brackets.

    An IPv4 address in IPv6 spelling is the IPv4 address, so that it cannot be two things at once.
    """
    bare = text.strip().strip('"')
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


# The same few ends of connections come with each request. What headers say is up to whoever writes them, and is not kept.
_parse_peer: Final = lru_cache(maxsize=4_096)(parse)


@lru_cache(maxsize=4_096)
def _spelt(peer: str) -> str:
    """The one spelling of the other end's address."""
    return str(_parse_peer(peer))


def client_address(
    peer: str | None, headers: Iterable[tuple[bytes, bytes]], trusted: Sequence[Network]
) -> str | None:
    """The address of the client, as far as it can be believed.

    The hops of `X-Forwarded-For` are read from the right, where trusted proxies write; the first that is
    not a trusted proxy is the client. What stands left of it anyone could have written.

    Args:
        peer: The other end of the connection.
        headers: The request's; names in lower case.
        trusted: The operator's proxies.
    """
    address = _parse_peer(peer) if peer else None
    if peer is None or address is None:
        return peer
    if not trusted or not _is_trusted(address, trusted):
        return _spelt(peer)
    return str(forwarded_for(headers, trusted) or address)


def is_proxy(peer: str | None, trusted: Sequence[Network]) -> bool:
    """Whether the other end of a connection is one of the operator's proxies."""
    address = _parse_peer(peer) if peer and trusted else None
    return address is not None and _is_trusted(address, trusted)


def forwarded_for(headers: Iterable[tuple[bytes, bytes]], trusted: Sequence[Network]) -> IpAddress | None:
    """The client's address as `X-Forwarded-For` tells it, if the request comes through a trusted proxy; None if it does not tell."""
    address: IpAddress | None = None
    hops = [
        hop
        for name, value in headers
        if name == b"x-forwarded-for"
        for hop in value.decode("latin-1").split(",")
    ]
    for hop in reversed(hops[-_HOPS_MAX:]):
        earlier = parse(hop)
        if earlier is None:
            break
        address = earlier
        if not _is_trusted(address, trusted):
            break
    return address


def _is_trusted(address: IpAddress, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)
