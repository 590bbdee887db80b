"""Where answers may be sent: what a client may register, and what then matches, character by character."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlencode, urlsplit

from bonafides.errors import InvalidRequest

REDIRECT_URI_MAX: Final = 2_048

# A port that is free is one of this machine's own, whoever asks; a name that only begins like one of these is not.
_LOOPBACK: Final = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]|localhost))(?::([0-9]{1,5}))?((?:[/?].*)?)")
_PORT_MAX: Final = 65_535
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")
_ALLOWED: Final = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")
_ENCODED: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
# What a browser runs, reads from the machine, or shows as a page of whoever sent it there.
_REFUSED_SCHEMES: Final = frozenset(
    {
        "about",
        "blob",
        "chrome",
        "chrome-extension",
        "data",
        "file",
        "filesystem",
        "ftp",
        "intent",
        "javascript",
        "jar",
        "mailto",
        "moz-extension",
        "resource",
        "vbscript",
        "view-source",
        "ws",
        "wss",
    }
)


def check_redirect_uri(value: str, field: str = "redirect_uris") -> str:
    """A redirect URI as a client may register it: absolute, without a fragment, and nothing that a browser runs.

    `https` anywhere, `http` on the machine itself alone, and the private schemes of apps.

    Raises:
        InvalidRequest: It is none.

    See: RFC 6749 §3.1.2, RFC 8252 §7, RFC 7591 §5
    """
    message = _objection(value)
    if message:
        raise InvalidRequest(f"{field}: {value[:100]!a} {message}", field=field)
    return value


def _objection(value: str) -> str:
    if len(value) > REDIRECT_URI_MAX:
        return f"is longer than {REDIRECT_URI_MAX} characters."
    if "#" in value:
        return "must not have a fragment."
    if _ALLOWED.fullmatch(value) is None or _ENCODED.search(value) is not None:
        return "holds characters that no URI has, or that must be percent-encoded."
    scheme, colon, rest = value.partition(":")
    if not colon or not rest or _SCHEME.fullmatch(scheme) is None:
        return (
            "must be an absolute URI whose scheme is in lower case, such as https://app.example.com/callback."
        )
    if scheme in _REFUSED_SCHEMES:
        return f"must not use the scheme {scheme}."
    if scheme not in {"http", "https"}:
        return ""
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "names no host that can be reached."
    if not host or "@" in parts.netloc:
        return "must name a host, and no user."
    if scheme == "http" and _LOOPBACK.fullmatch(value) is None:
        return "must use https; http is for 127.0.0.1, [::1] and localhost alone."
    return ""


def is_registered(asked: str, registered: Iterable[str]) -> bool:
    """Whether an answer may be sent there: it is registered as it stands, or is, but for its port, on the machine itself.

    See: RFC 9700 §2.1, RFC 8252 §7.3, OWASP ASVS 10.4.1
    """
    return any(asked == known or _differs_in_port(asked, known) for known in registered)


def _differs_in_port(asked: str, known: str) -> bool:
    ours, theirs = _LOOPBACK.fullmatch(known), _LOOPBACK.fullmatch(asked)
    if ours is None or theirs is None:
        return False
    port = theirs[2]
    return ours[1] == theirs[1] and ours[3] == theirs[3] and (port is None or 0 < int(port) <= _PORT_MAX)


def is_loopback(uri: str) -> bool:
    """Whether it leads to a program on the machine of who follows it."""
    return _LOOPBACK.fullmatch(uri) is not None


def is_web_page(uri: str) -> bool:
    """Whether only whoever owns its host can answer there, as far as TLS tells."""
    return uri.startswith("https://")


def origin_shown(uri: str) -> str:
    """Where it leads, as a person can recognise it: the host of a web page, else the scheme of an app."""
    parts = urlsplit(uri)
    if parts.scheme in {"http", "https"}:
        return parts.netloc
    return f"{parts.scheme}:"


def form_action_source(uri: str) -> str:
    """The source expression of a content security policy that lets a form lead there.

    See: CSP3 §2.3.1
    """
    parts = urlsplit(uri)
    if parts.scheme in {"http", "https"} and not parts.netloc.startswith("["):
        return f"{parts.scheme}://{parts.netloc}"
    # A policy cannot name an IPv6 address, nor the host of an app.
    return f"{parts.scheme}:"


def with_parameters(uri: str, parameters: Iterable[tuple[str, str]]) -> str:
    """The URI with parameters added to its query, whatever it holds already.

    See: RFC 6749 §3.1.2
    """
    joint = "" if uri.endswith(("?", "&")) else "&" if "?" in uri else "?"
    return uri + joint + urlencode(list(parameters))
