"""Checks on what people type: names, addresses, scopes, networks, metadata, moments.

Each check returns the value in its stored form, or raises `InvalidRequest` that names the field and
says what to do.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bonafides.errors import InvalidRequest
from bonafides.secret import contains_secret

TEXT_MAX: Final = 200
EMAIL_MAX: Final = 254
METADATA_BYTES_MAX: Final = 16_384
ALLOWED_IPS_MAX: Final = 100
PLAN_FIGURE_MAX: Final = 2**53
LIFETIME_SECONDS_MAX: Final = 100 * 366 * 86_400

# Characters that change how a line reads without being seen: control and format characters, and what reverses
# the direction of writing. Joiners stay, because scripts and emoji need them.
_UNSEEN: Final = (
    r"\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff"
    "\U000e0000-\U000e0fff"
)
_SURROGATES: Final = r"\ud800-\udfff"
_MAPPED_PREFIX: Final = 96

# The patterns are published in the API description, so they keep to what regular expressions have in common.
TEXT_PATTERN: Final = rf"^[^{_UNSEEN}]*[^{_UNSEEN}\s][^{_UNSEEN}]*$"
EMAIL_PATTERN: Final = rf"^[^@\s\"(),:;<>\[\]\\{_UNSEEN}]+@([^@\s.\"(),:;<>\[\]\\{_UNSEEN}]+\.)+[^@\s.\"(),:;<>\[\]\\{_UNSEEN}]+$"
PLAN_NAME_PATTERN: Final = r"^[a-z0-9][a-z0-9._-]{0,63}$"
SCOPE_WORDS_PATTERN: Final = r"^[\x20\x21\x23-\x5b\x5d-\x7e]*$"

_UNSEEN_CHARACTER: Final = re.compile(f"[{_UNSEEN}{_SURROGATES}]")
_EMAIL: Final = re.compile(EMAIL_PATTERN)
_PLAN_NAME: Final = re.compile(PLAN_NAME_PATTERN)
_SCOPE_WORDS: Final = re.compile(SCOPE_WORDS_PATTERN)


def text(value: str, field: str, *, longest: int = TEXT_MAX) -> str:
    """A name that a person gave: not empty, of bounded length, of characters that can be seen."""
    if _UNSEEN_CHARACTER.search(value) is not None:
        message = f"{field} must not contain control characters, line breaks or invisible characters."
        raise InvalidRequest(message, field=field)
    stripped = value.strip()
    if not stripped:
        message = f"{field} must not be empty."
        raise InvalidRequest(message, field=field)
    if len(stripped) > longest:
        message = f"{field} must be at most {longest} characters long."
        raise InvalidRequest(message, field=field)
    _refuse_secret(stripped, field)
    return stripped


def email(value: str, field: str = "email") -> str:
    """An e-mail address of the common form; whether it exists is not known."""
    if (
        len(value) > EMAIL_MAX
        or _EMAIL.fullmatch(value) is None
        or _UNSEEN_CHARACTER.search(value) is not None
    ):
        message = f"{field} must be an e-mail address such as ada@example.com."
        raise InvalidRequest(message, field=field)
    _refuse_secret(value, field)
    return value


def scopes(values: Iterable[str], defined: frozenset[str], field: str = "scopes") -> frozenset[str]:
    """Scopes that this installation knows."""
    asked = frozenset(values)
    unknown = sorted(asked - defined)
    if unknown:
        message = (
            f"{field}: {unknown[0][:100]!a} is not a scope here. Known scopes: {' '.join(sorted(defined))}."
        )
        raise InvalidRequest(message, field=field)
    return asked


def scope_words(value: str, field: str = "scope") -> frozenset[str]:
    """The words of a scope string as a request names what it needs.

    See: RFC 6749 §3.3
    """
    if _SCOPE_WORDS.fullmatch(value) is None:
        message = f"{field} must be scope names separated by spaces."
        raise InvalidRequest(message, field=field)
    return frozenset(value.split(" ")) - {""}


def allowed_ips(values: Iterable[str], field: str = "allowed_ips") -> tuple[str, ...]:
    """Addresses and networks in CIDR form, IPv4 and IPv6, each in its canonical spelling.

    An IPv4 network in IPv6 spelling is taken as the IPv4 network.
    """
    networks: list[str] = []
    for position, value in enumerate(values):
        place = f"{field}.{position}"
        if position >= ALLOWED_IPS_MAX:
            message = f"{field} may hold at most {ALLOWED_IPS_MAX} networks."
            raise InvalidRequest(message, field=field)
        try:
            network = ipaddress.ip_network(value.strip(), strict=True)
        except ValueError:
            message = (
                f"{place} must be an address or a network such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32, "
                "without bits set after the prefix."
            )
            raise InvalidRequest(message, field=place) from None
        mapped = getattr(network.network_address, "ipv4_mapped", None)
        if mapped is not None and network.prefixlen >= _MAPPED_PREFIX:
            network = ipaddress.ip_network((mapped, network.prefixlen - _MAPPED_PREFIX))
        if "%" in str(network):
            message = f"{place} must not name a zone."
            raise InvalidRequest(message, field=place)
        networks.append(str(network))
    return tuple(dict.fromkeys(networks))


def metadata(value: Mapping[str, Any], field: str = "metadata") -> Mapping[str, Any]:
    """Any JSON object of at most 16 KB, kept as it is."""
    try:
        encoded = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
    except (ValueError, TypeError, RecursionError):
        message = f"{field} must be a JSON object of ordinary values."
        raise InvalidRequest(message, field=field) from None
    if len(encoded) > METADATA_BYTES_MAX:
        message = f"{field} must be at most {METADATA_BYTES_MAX} bytes of JSON; this is {len(encoded)}."
        raise InvalidRequest(message, field=field)
    if b"\\u0000" in encoded:
        message = f"{field} must not contain NUL characters."
        raise InvalidRequest(message, field=field)
    _refuse_secret(encoded.decode(), field)
    return value


def expiry(expires_at: datetime | None, expires_in: int | None, now: datetime) -> datetime | None:
    """When something made now shall expire: a moment in the future, or after so many seconds, or never."""
    if expires_at is not None and expires_in is not None:
        message = "Give expires_at or expires_in, not both."
        raise InvalidRequest(message, field="expires_in")
    if expires_in is not None:
        return now + timedelta(seconds=seconds(expires_in, "expires_in"))
    if expires_at is None:
        return None
    if expires_at.tzinfo is None:
        message = "expires_at must name its offset, such as 2030-01-01T00:00:00Z."
        raise InvalidRequest(message, field="expires_at")
    # Aware datetimes subtract exactly whatever their offsets, even at the edges where converting overflows.
    if not 0 < (expires_at - now).total_seconds() <= LIFETIME_SECONDS_MAX:
        message = "expires_at must be in the future, and at most 100 years ahead."
        raise InvalidRequest(message, field="expires_at")
    return expires_at.astimezone(UTC)


def seconds(value: int, field: str) -> int:
    """How long something made now shall last."""
    if not 1 <= value <= LIFETIME_SECONDS_MAX:
        message = f"{field} must be between 1 and {LIFETIME_SECONDS_MAX} seconds."
        raise InvalidRequest(message, field=field)
    return value


def plan_name(value: str, field: str = "name") -> str:
    """A plan's name: a short word that fits into a URL and a header."""
    if _PLAN_NAME.fullmatch(value) is None:
        message = f"{field} must be 1 to 64 lower-case letters, digits, dots, dashes or underscores."
        raise InvalidRequest(message, field=field)
    return value


def figure(value: int | None, field: str) -> int | None:
    """A limit of a plan: None for no limit, else a count that can be met."""
    if value is not None and not 0 <= value <= PLAN_FIGURE_MAX:
        message = f"{field} must be null for no limit, or between 0 and {PLAN_FIGURE_MAX}."
        raise InvalidRequest(message, field=field)
    return value


def _refuse_secret(value: str, field: str) -> None:
    """Refuse a credential where it would be kept and shown: rows, lists and the audit trail are not for secrets."""
    if contains_secret(value):
        message = f"{field} must not contain a credential. If this one is in use, rotate it."
        raise InvalidRequest(message, field=field)
