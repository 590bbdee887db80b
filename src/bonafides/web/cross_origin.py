"""Which calls the scripts of other sites may make: those that clients of OAuth in a browser need, and that no cookie counts for.

The value is the same for every site, so nothing that a site sends is ever repeated; and no answer lets a browser send what it
keeps for us along. Where people are sent, where secrets are needed and where things are managed, there is none of this.

See: RFC 9700 §2.6, OAuth 2.0 for Browser-Based Applications
"""

from __future__ import annotations

from typing import Final

from bonafides.web.answers import Answer, HeaderList

_ANY: Final = (b"access-control-allow-origin", b"*")
_SHOWN: Final = (b"access-control-expose-headers", b"WWW-Authenticate, DPoP-Nonce, Retry-After")
_PATHS: Final = frozenset(
    {"/oauth/token", "/oauth/revoke", "/oauth/par", "/oauth/userinfo", "/oauth/register"}
)
_BELOW: Final = ("/.well-known/", "/oauth/register/")
_PREFLIGHT: Final[HeaderList] = [
    _ANY,
    (b"access-control-allow-methods", b"GET, POST, PUT, DELETE"),
    (b"access-control-allow-headers", b"Authorization, Content-Type, DPoP, MCP-Protocol-Version"),
    (b"access-control-max-age", b"7200"),
]


def is_open(path: str) -> bool:
    """Whether scripts of other sites may call this path."""
    return path in _PATHS or path.startswith(_BELOW)


def headers_for(path: str) -> HeaderList:
    """What each answer at a path tells browsers."""
    return [_ANY, _SHOWN] if is_open(path) else []


def preflight(method: str, path: str, headers: HeaderList) -> Answer | None:
    """The answer to a browser that asks what it may send; None where nobody asks, or nothing is open.

    See: Fetch standard, CORS-preflight request
    """
    asks = method == "OPTIONS" and any(name == b"access-control-request-method" for name, _ in headers)
    return Answer(200, _PREFLIGHT, b"") if asks and is_open(path) else None
