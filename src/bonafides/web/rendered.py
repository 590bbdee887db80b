"""The lasting parts of a resident's answers, and the figures that move between them."""

from __future__ import annotations

from typing import Final

from bonafides.model import Plan, Principal
from bonafides.resources import identity_resource
from bonafides.verification.limiter import Counter
from bonafides.verification.resident import Resident
from bonafides.web.answers import JSON, NO_STORE, HeaderList, json_bytes, limit_template
from bonafides.web.verify import forward_headers

_SECOND_US: Final = 1_000_000


class Rendered:
    """The parts of a resident's answers that stay the same while its plan does.

    Each is a template for `%`, whose figures `figures` gives.
    """

    __slots__ = ("burst", "forward", "hourly", "plan", "question", "verify")

    def __init__(
        self, plan: Plan, hourly: int | None, verify: bytes, forward: bytes, question: bytes
    ) -> None:
        self.plan = plan
        self.hourly = hourly
        self.burst = plan.burst
        self.verify = verify
        self.forward = forward
        self.question = question

    def figures(
        self, counter: Counter, now_us: int, date: bytes, request_id: bytes
    ) -> tuple[bytes | int, ...]:
        """What moves from answer to answer, in the order of `limit_template`.

        Args:
            counter: Which has just admitted the request.
            now_us: Microseconds since the epoch.
            date: The Date header's value.
            request_id: The X-Request-Id header's value.
        """
        burst = self.burst
        if self.hourly is not None:
            ends_us = counter.hour_ends_us
            left = self.hourly - counter.hour_used
            resets_at = -(-ends_us // _SECOND_US)
            wait = -(-(ends_us - now_us) // _SECOND_US)
            if burst is not None:
                return (date, request_id, left, resets_at, left, wait, burst - counter.burst_used)
            return (date, request_id, left, resets_at, left, wait)
        if burst is not None:
            left = burst - counter.burst_used
            return (date, request_id, left, -(-counter.burst_ends_us // _SECOND_US), left)
        return (date, request_id)


def render(resident: Resident, common: tuple[HeaderList, HeaderList]) -> Rendered:
    """Make the lasting parts of a resident's answers.

    Args:
        resident: Whose.
        common: The headers of every answer, before and after the rate-limit headers.
    """
    plan = resident.plan.plan
    principal = resident.principal
    limits = limit_template(resident.plan.hourly[principal.kind], plan.burst)
    tail = [b"x-request-id: %b", *(name + b": " + value for name, value in common[0]), *limits]
    tail += [name + b": " + value for name, value in common[1]]
    identity = json_bytes(identity_resource(principal, resident.ends_at_us))
    question = json_bytes({"valid": True, **identity_resource(principal, resident.ends_at_us)})
    forward = [name + b": " + value for name, value in forward_lines(principal)]
    return Rendered(
        plan,
        resident.plan.hourly[principal.kind],
        _template(identity, tail),
        b"\r\n".join(
            [
                b"HTTP/1.1 204 No Content",
                b"date: %b",
                *map(_escaped, forward),
                b"cache-control: no-store",
                *tail,
                b"\r\n",
            ]
        ),
        _template(question, tail),
    )


def forward_lines(principal: Principal) -> HeaderList:
    """The identity headers of forward authentication, as they are sent."""
    return [(name.lower().encode(), value.encode()) for name, value in forward_headers(principal).items()]


def _escaped(line: bytes) -> bytes:
    """A line that passes through `%` as it is."""
    return line.replace(b"%", b"%%")


def _template(body: bytes, tail: list[bytes]) -> bytes:
    lines = (name + b": " + value for name, value in (JSON, NO_STORE))
    length = b"content-length: %d" % len(body)
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"date: %b", *lines, length, *tail, b"", _escaped(body)])
