"""The lasting parts of a resident's answers, and the figures that move between them."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from bonafides.model import Plan, Principal
from bonafides.resources import active_resource, identity_resource
from bonafides.verification.limiter import Counter
from bonafides.verification.resident import Resident
from bonafides.web.answers import JSON, NO_STORE, HeaderList, json_bytes, limit_template
from bonafides.web.verify import forward_headers

_SECOND_US: Final = 1_000_000
SOON_US: Final = 50_000
"""What is used again so soon is worth an answer in pieces for the rest of the second."""
_TIDY_MIN: Final = 1_000


class Form:
    """What all answers under the same limits share: templates for `%`, whose figures `figures` gives.

    Args:
        hourly: Requests an hour, None for no limit.
        burst: Requests within a second, None for no limit.
        common: The headers of every answer, before and after the rate-limit headers.
    """

    __slots__ = ("burst", "hourly", "no_content", "ok")

    def __init__(self, hourly: int | None, burst: int | None, common: tuple[HeaderList, HeaderList]) -> None:
        self.hourly = hourly
        self.burst = burst
        tail = [b"x-request-id: %b", *(name + b": " + value for name, value in common[0])]
        tail += limit_template(hourly, burst)
        tail += [name + b": " + value for name, value in common[1]]
        kind = [name + b": " + value for name, value in (JSON, NO_STORE)]
        self.ok = b"\r\n".join(
            [b"HTTP/1.1 200 OK", b"date: %b", *kind, b"content-length: %d", *tail, b"\r\n"]
        )
        self.no_content = b"\r\n".join(
            [b"HTTP/1.1 204 No Content", b"date: %b", b"%bcache-control: no-store", *tail, b"\r\n"]
        )

    def still(
        self, counter: Counter, now_us: int, date: bytes, own: bytes | int, body: bytes, warning: bytes
    ) -> Still | None:
        """The answer of this second in pieces; None unless it has the figures of an hour and of a burst.

        Args:
            counter: As for `figures`.
            now_us: As for `figures`.
            date: As for `figures`.
            own: As for `figures`.
            body: Of the answer; empty for forward authentication.
            warning: The line that stands behind the id, if the credential ends soon.
        """
        if self.hourly is None or self.burst is None:
            return None
        ends_us = counter.hour_ends_us
        wait = -(-(ends_us - now_us) // _SECOND_US)
        template = self.no_content if isinstance(own, bytes) else self.ok
        before, *between, after = template.replace(b"%d", b"%b").split(b"%b")
        own_text = own if isinstance(own, bytes) else b"%d" % own
        return Still(
            from_us=ends_us - wait * _SECOND_US,
            until_us=ends_us - (wait - 1) * _SECOND_US,
            hour_ends_us=ends_us,
            hourly=self.hourly,
            burst=self.burst,
            date=date,
            pieces=(
                before + date + between[0] + own_text + between[1],
                warning + between[2],
                between[3] + b"%d" % -(-ends_us // _SECOND_US) + between[4],
                between[5] + b"%d" % wait + between[6],
                after + body,
            ),
        )

    def figures(
        self, counter: Counter, now_us: int, date: bytes, own: bytes | int, request_id: bytes
    ) -> tuple[bytes | int, ...]:
        """What moves from answer to answer, in the order of the templates.

        Args:
            counter: Which has just admitted the request.
            now_us: Microseconds since the epoch.
            date: The Date header's value.
            own: The length of the body, or the lines of forward authentication.
            request_id: The X-Request-Id header's value.
        """
        burst = self.burst
        if self.hourly is not None:
            ends_us = counter.hour_ends_us
            left = self.hourly - counter.hour_used
            resets_at = -(-ends_us // _SECOND_US)
            wait = -(-(ends_us - now_us) // _SECOND_US)
            if burst is not None:
                return (date, own, request_id, left, resets_at, left, wait, burst - counter.burst_used)
            return (date, own, request_id, left, resets_at, left, wait)
        if burst is not None:
            left = burst - counter.burst_used
            return (date, own, request_id, left, -(-counter.burst_ends_us // _SECOND_US), left)
        return (date, own, request_id)


class Still(Struct, gc=False, eq=False):
    """An answer in which, for up to a second, nothing moves but its id and what is left.

    It holds from `from_us` until before `until_us`, under one Date, while the hour ends at `hour_ends_us`.
    """

    from_us: int
    until_us: int
    hour_ends_us: int
    hourly: int
    burst: int
    date: bytes
    pieces: tuple[bytes, bytes, bytes, bytes, bytes]
    """Between them stand the id, what is left of the hour, twice, and what is left of the burst."""

    def told(self, counter: Counter, request_id: bytes) -> bytes:
        """The whole answer.

        Args:
            counter: Which has just admitted the request.
            request_id: The X-Request-Id header's value.
        """
        head, named, reset, wait, tail = self.pieces
        left = b"%d" % (self.hourly - counter.hour_used)
        burst_left = b"%d" % (self.burst - counter.burst_used)
        return b"".join((head, request_id, named, left, reset, left, wait, burst_left, tail))


class Rendered(Struct, gc=False, eq=False):
    """The parts of a resident's answers that stay the same while its plan does; each made when it is first asked for."""

    plan: Plan
    form: Form
    verify: bytes = b""
    forward: bytes = b""
    question: bytes = b""
    introspection: bytes = b""
    used_us: int = 0
    """When an answer was last made in full."""
    still_verify: Still | None = None
    still_forward: Still | None = None


class Shelf:
    """Which residents have something rendered: at most so many, and none that memory has forgotten for long.

    Args:
        room: How many; past it, the oldest tenth lose what was rendered.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._residents: list[Resident] = []
        self._tidied_at = min(room, _TIDY_MIN)

    def __len__(self) -> int:
        return len(self._residents)

    def put(self, resident: Resident) -> None:
        """Something is rendered for a resident that had nothing."""
        self._residents.append(resident)
        if len(self._residents) > self._tidied_at:
            self._tidy()

    def _tidy(self) -> None:
        # `ResidentIndex` takes it from those that it forgets.
        kept = [each for each in self._residents if each.rendered is not None]
        if len(kept) >= self._room:
            leaving = len(kept) - self._room * 9 // 10
            for each in kept[:leaving]:
                each.rendered = None
            kept = kept[leaving:]
        self._residents = kept
        self._tidied_at = min(self._room, max(2 * len(kept), _TIDY_MIN))


def verify_body(resident: Resident) -> bytes:
    """What a good credential is told of itself."""
    return json_bytes(identity_resource(resident.principal, resident.ends_at_us))


def question_body(resident: Resident) -> bytes:
    """What a resource server is told of a good credential."""
    return json_bytes({"valid": True, **identity_resource(resident.principal, resident.ends_at_us)})


def introspection_body(resident: Resident, issuer: str) -> bytes:
    """What a resource server is told of a good credential in the words of RFC 7662."""
    return json_bytes(active_resource(resident.principal, resident.ends_at_us, issuer))


def forward_text(resident: Resident) -> bytes:
    """The identity headers of forward authentication, each with the end of its line."""
    return b"".join(name + b": " + value + b"\r\n" for name, value in forward_lines(resident.principal))


def forward_lines(principal: Principal) -> HeaderList:
    """The identity headers of forward authentication, as they are sent."""
    return [(name.lower().encode(), value.encode()) for name, value in forward_headers(principal).items()]
