"""Which network an address is in: as much of where a credential is used from as is kept."""

from __future__ import annotations

import ipaddress
import sys
from functools import lru_cache
from typing import Final

UNKNOWN: Final = ""
"""The network of what comes from nobody knows where."""

_IPV4_PREFIX: Final = 24
_IPV6_PREFIX: Final = 48
_ADDRESSES_MAX: Final = 16_384


@lru_cache(maxsize=_ADDRESSES_MAX)
def network_of(address: str | None) -> str:
    """The network of an address: 256 of IPv4, or a site of IPv6; the same object for the same network.

    Whose network it is, and about where, can be told from it; which machine or person of theirs, cannot.
    """
    if address is None:
        return UNKNOWN
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return UNKNOWN
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    if isinstance(parsed, ipaddress.IPv6Address):
        # Without its zone, which is a name of the machine's own.
        network: object = ipaddress.ip_network((int(parsed), _IPV6_PREFIX), strict=False)
    else:
        network = ipaddress.ip_network((int(parsed), _IPV4_PREFIX), strict=False)
    return sys.intern(str(network))
