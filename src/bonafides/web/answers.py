"""Answers before they are sent: status, headers, body; and the headers that every answer carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import msgspec

from bonafides.model import Accepted, Allowance, Verdict
from bonafides.resources import time_text

HeaderList = list[tuple[bytes, bytes]]

JSON: Final = (b"content-type", b"application/json")
NO_STORE: Final = (b"cache-control", b"no-store")

EXPIRES: Final = b"x-credential-expires-at"
WARNED_US: Final = 14 * 86_400 * 1_000_000
"""How long before a credential's end its answers say when it is."""

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; `allowance` becomes its rate-limit headers."""

    status: int
    headers: HeaderList
    body: bytes


def json_bytes(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """The JSON text of a value."""
    return _encode(value)


def json_answer(status: int, value: Mapping[str, Any], *headers: tuple[bytes, bytes]) -> Answer:
    """An answer with a JSON object for its body."""
    return Answer(status, [JSON, NO_STORE, *headers], json_bytes(value))


def limit_headers(allowance: Allowance, now_us: int) -> HeaderList:
    """Both families of rate-limit headers: the policy that binds most, and all of them.

    No window means no limit, and no header.

    Args:
        allowance: What is left.
        now_us: Microseconds since the epoch, for the seconds until a reset.

    See: draft-ietf-httpapi-ratelimit-headers-10 §3 and §4
    """
    if not allowance.windows:
        return []
    binding = allowance.windows[0]
    policies = ", ".join(
        f'"{window.name}";q={window.limit};w={window.seconds}' for window in allowance.windows
    )
    states = ", ".join(
        f'"{window.name}";r={window.remaining};t={max(0, -(-(window.resets_at_us - now_us) // 1_000_000))}'
        for window in allowance.windows
    )
    headers = [
        (b"x-ratelimit-limit", b"%d" % binding.limit),
        (b"x-ratelimit-remaining", b"%d" % binding.remaining),
        (b"x-ratelimit-reset", b"%d" % -(-binding.resets_at_us // 1_000_000)),
        (b"ratelimit-policy", policies.encode("ascii")),
        (b"ratelimit", states.encode("ascii")),
    ]
    if not allowance.admitted:
        headers.append((b"retry-after", b"%d" % allowance.retry_after_seconds))
    return headers


def limit_template(hourly: int | None, burst: int | None) -> list[bytes]:
    """The lines of `limit_headers` for an admitted request, with `%d` where a figure moves.

    In order: what is left and the reset of the policy that binds most, then what is left (and, of the
    hour, the seconds until its reset) of each policy. A second that has just been counted in always
    ends within one second.

    Args:
        hourly: Requests an hour, None for no limit.
        burst: Requests within a second, None for no limit.
    """
    policies, states = [], []
    if hourly is not None:
        policies.append(b'"hour";q=%d;w=3600' % hourly)
        states.append(b'"hour";r=%d;t=%d')
    if burst is not None:
        policies.append(b'"burst";q=%d;w=1' % burst)
        states.append(b'"burst";r=%d;t=1')
    if not policies:
        return []
    return [
        b"x-ratelimit-limit: %d" % (hourly if hourly is not None else burst or 0),
        b"x-ratelimit-remaining: %d",
        b"x-ratelimit-reset: %d",
        b"ratelimit-policy: " + b", ".join(policies),
        b"ratelimit: " + b", ".join(states),
    ]


def ending_of(verdict: Verdict) -> int | None:
    """When the credential ends that a verdict is on, in microseconds since the epoch; None for never, or a bad one."""
    if isinstance(verdict, Accepted):
        return verdict.expires_at_us
    return None if verdict.principal is None or verdict.cause is None else verdict.cause.ends_at_us


def expiry_headers(ends_at_us: int | None, now_us: int) -> HeaderList:
    """The warning that the presented credential ends soon; none where it does not.

    Args:
        ends_at_us: Its own end or that of what it was made from, None for never.
        now_us: Microseconds since the epoch.
    """
    if ends_at_us is None or ends_at_us - now_us > WARNED_US:
        return []
    return [(EXPIRES, _moment(ends_at_us))]


def expiry_line(ends_at_us: int) -> bytes:
    """The line of `expiry_headers`, to be written behind the value of the header before it."""
    return b"\r\n" + EXPIRES + b": " + _moment(ends_at_us)


@lru_cache(maxsize=4_096)
def _moment(at_us: int) -> bytes:
    return time_text(at_us).encode("ascii")
