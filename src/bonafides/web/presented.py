"""How a request presents a credential: in one header, in one way, and never in its URL."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import parse_qsl, unquote_to_bytes

from bonafides.errors import UnreadableCredential
from bonafides.secret import contains_own_secret, contains_secret, redact

Headers = Iterable[tuple[bytes, bytes]]
Presented = Callable[[Headers], bytes | None]
"""Finds the credential that a request presents, None if it presents none."""

_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_URL_NAMES: Final = frozenset(
    {"access-token", "api-key", "apikey", "x-api-key", "authorization", "credential"}
)
_ROUNDS_MAX: Final = 5
"""Encodings within encodings that are looked through; a URL with more of them has something to hide."""

TWO: Final = "Two credentials were presented. Send one, in Authorization or in X-API-Key."
IN_URL: Final = (
    "A credential must not be sent in the URL, where logs keep it. Send it in the Authorization header, "
    "and rotate this one."
)


def presented(headers: Headers) -> bytes | None:
    """The credential that a request presents, None if it presents none.

    Args:
        headers: Names in lower case, as ASGI gives them.

    Raises:
        UnreadableCredential: Two are presented, or one in a form that cannot be read.

    See: RFC 6750 §2, RFC 7617 §2
    """
    found: list[bytes] = []
    for name, value in headers:
        if name == b"authorization":
            credential = of_authorization(value)
        elif name == b"x-api-key":
            credential = clean(value.strip(), "X-API-Key")
        else:
            continue
        if credential:
            found.append(credential)
    if len(found) > 1:
        raise UnreadableCredential(TWO, field="Authorization")
    return found[0] if found else None


def of_authorization(value: bytes) -> bytes:
    """The credential in an Authorization header; empty where its scheme is none that the server takes."""
    words = value.split()
    if not words:
        return b""
    scheme = words[0].lower()
    if scheme in {b"bearer", b"basic"}:
        if len(words) == 1:
            return b""
        if words[2:]:
            message = "The Authorization header must hold one credential after its scheme."
            raise UnreadableCredential(message, field="Authorization")
        return clean(words[1], "Authorization") if scheme == b"bearer" else _of_basic(words[1])
    return clean(words[0], "Authorization") if len(words) == 1 else b""


def _of_basic(encoded: bytes) -> bytes:
    """The credential of a Basic pair: the user name if the password is empty, else the password."""
    try:
        pair = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        message = "The Authorization header's Basic part is not base64."
        raise UnreadableCredential(message, field="Authorization") from None
    user_name, _, password = pair.partition(b":")
    return clean(password or user_name, "Authorization")


def clean(credential: bytes, field: str) -> bytes:
    """A credential as it was presented in a field, if it can be one.

    Raises:
        UnreadableCredential: It holds spaces or control characters.
    """
    if _CONTROL.search(credential) or b" " in credential or b"\t" in credential:
        message = f"{field} must not contain spaces or control characters in the credential."
        raise UnreadableCredential(message, field=field)
    return credential


def loggable_path(path: str) -> str:
    """A path for the log, without the secrets in it, and without itself where one is still encoded in it.

    Args:
        path: Decoded once, as ASGI gives it.
    """
    text = redact(path)
    return "[redacted]" if "%" in text and _holds_secret(text.encode("utf-8", "replace")) else text


def _holds_secret(text: bytes, contains: Callable[[str], bool] = contains_secret) -> bool:
    """Whether something in a part of a URL looks like a secret, however often it was encoded."""
    for _ in range(_ROUNDS_MAX):
        if contains(text.decode("latin-1")):
            return True
        decoded = unquote_to_bytes(text)
        if decoded == text:
            return False
        text = decoded
    return True


_CARRIED: Final = {
    "/oauth/authorize": frozenset({"state", "nonce", "id_token_hint", "request"}),
    "/oauth/logout": frozenset({"state", "id_token_hint"}),
    "/login": frozenset({"next"}),
}


def carried_by(path: str) -> frozenset[str]:
    """The parameters of a page of ours that may look like a JWT.

    Clients of OAuth put what they like into `state`, and send an ID token back as a hint: neither opens anything here.
    """
    return _CARRIED.get(path, frozenset())


def refuse_credential_in_url(raw_path: bytes, query: bytes, carried: frozenset[str] = frozenset()) -> None:
    """Refuse a request whose URL carries a credential, however it is encoded.

    Args:
        raw_path: As received.
        query: As received, without the question mark.
        carried: Parameters that may look like a JWT, but not like a secret of ours.

    Raises:
        UnreadableCredential: It does; the credential is not used and not repeated.
    """
    if not query and b"_" not in raw_path and b"%" not in raw_path and b"eyJ" not in raw_path:
        return
    rest = query
    if carried:
        pairs = query.split(b"&")
        rest = b"&".join(pair for pair in pairs if pair.partition(b"=")[0].decode("latin-1") not in carried)
    if _holds_secret(raw_path) or _holds_secret(rest) or _holds_secret(query, contains_own_secret):
        raise UnreadableCredential(IN_URL, field="URL")
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if value and name.strip().lower().replace("_", "-") in _URL_NAMES:
            raise UnreadableCredential(IN_URL, field="URL")
