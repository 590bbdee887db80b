"""Answers verification of resident credentials before any ASGI machinery.

The lane takes what it is sure of: a request in the plain form, with one credential that is in memory and
good. Everything else it leaves to the application, whose answers it matches byte for byte; so it holds no
rule of its own, only a shorter way to the same verdict. What costs is made once: the head of an answer
for each plan and the body for each credential; a request formats the moving figures into them.

Hot answers are counted in the metrics and in the credential's usage, and are not logged one by one.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from bonafides.directory import Directory
from bonafides.errors import AppError, InvalidRequest
from bonafides.intake import scope_words
from bonafides.model import CREDENTIALS_VERIFY, Clock, Entropy, Plan, Reason, Rejected
from bonafides.resources import identity_resource
from bonafides.settings import Settings
from bonafides.verification.limiter import AddressLimiter, Counter
from bonafides.verification.resident import Resident
from bonafides.verification.usage import Uses
from bonafides.verification.verifier import NO_SCOPES, Facts, Verifier
from bonafides.web.address import client_address
from bonafides.web.answers import (
    JSON,
    NO_STORE,
    Answer,
    HeaderList,
    json_bytes,
    limit_headers,
    limit_template,
)
from bonafides.web.exchange import Exchange
from bonafides.web.gate import common_headers
from bonafides.web.metrics import Metrics
from bonafides.web.presented import of_authorization
from bonafides.web.problems import Problems
from bonafides.web.requestids import RequestIds
from bonafides.web.verify import ORIGINAL_URL_HEADERS, PROXIES, forward_headers

_RENDERED_MAX: Final = 50_000
_TARGETS_MAX: Final = 4_096
_HEADS_MAX: Final = 16_384
_LATE_SECONDS: Final = 0.1
_QUESTION: Final = b"/v1/credentials/verify"
_QUESTION_BYTES_MAX: Final = 16_384
_VERIFY: Final = b"/v1/auth/verify"
_FORWARD: Final = frozenset({b"/auth/forward", *(b"/auth/forward/" + name.encode() for name in PROXIES)})
_PLAIN_QUERY: Final = re.compile(rb"scope=([A-Za-z0-9._:/*+-]{1,500})")
_SUSPECT_URL: Final = re.compile(rb"%|_|eyJ|(?i:token|key|authorization|credential)")

_AUTHORIZATION: Final = 1
_X_API_KEY: Final = 2
_ACCEPT: Final = 3
_STAYS_OUT: Final = 4
_CONTENT_LENGTH: Final = 5
_CONNECTION: Final = 6
_ORIGINAL_URL: Final = 7
_WATCHED: Final = {
    b"authorization": _AUTHORIZATION,
    b"x-api-key": _X_API_KEY,
    b"accept": _ACCEPT,
    b"expect": _STAYS_OUT,
    b"transfer-encoding": _STAYS_OUT,
    b"upgrade": _STAYS_OUT,
    b"content-encoding": _STAYS_OUT,
    b"content-length": _CONTENT_LENGTH,
    b"connection": _CONNECTION,
    **dict.fromkeys(ORIGINAL_URL_HEADERS, _ORIGINAL_URL),
}


@dataclass(frozen=True, slots=True)
class Late:
    """The last answer of a connection, to be written after a while.

    Whoever sends bad credentials past the limit of their address gets their refusals slowly and over a new
    connection each, so that guessing at full speed costs the guesser and not the server.
    """

    answer: bytes
    seconds: float = _LATE_SECONDS


@dataclass(frozen=True, slots=True)
class Target:
    """What a request line asks for."""

    forward: bool
    route: str
    scopes: frozenset[str]


class Asked:
    """A request of the plain form, parsed: what is asked, by the digest of which credential.

    It is a function of the request's head alone, so a head that comes again need not be parsed again.
    It holds no secret, and no verdict.
    """

    __slots__ = ("digest", "forward", "problem_json", "scopes", "tally", "target")

    def __init__(self, target: Target, digest: bytes, tally: list[int], *, problem_json: bool) -> None:
        self.target = target
        self.forward = target.forward
        self.scopes = target.scopes
        self.digest = digest
        self.tally = tally
        self.problem_json = problem_json


class Rendered:
    """The parts of a resident's answers that stay the same while its plan does."""

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


class Question(msgspec.Struct, forbid_unknown_fields=True):
    """A resource server's question, in the form that the lane takes."""

    credential: str
    scope: str = ""
    ip: str | None = None
    cost: int = 1


class FastLane:
    """Answers hot requests; one for all connections of a process.

    Args:
        verifier: Judges; the lane has no rule of its own.
        directory: Knows whose credentials a resource server may ask about.
        addresses: Tells which addresses are past their limit.
        uses: Told of each accepted request.
        metrics: Takes the lane's counts when it is read.
        problems: Renders refusals.
        request_ids: Names requests.
        settings: Bounds and trusted proxies.
        clock: The time.
        entropy: For the key of the digests of heads.
    """

    def __init__(
        self,
        *,
        verifier: Verifier,
        directory: Directory,
        addresses: AddressLimiter,
        uses: Uses,
        metrics: Metrics,
        problems: Problems,
        request_ids: RequestIds,
        settings: Settings,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._verifier = verifier
        self._directory = directory
        self._addresses = addresses
        self._uses = uses
        self._problems = problems
        self._next_id = request_ids.next_bytes
        self._clock = clock
        self._micros: Callable[[], int] = clock.micros
        self._trusted = settings.trusted_proxies
        self._common = common_headers(settings)
        self._targets: dict[bytes, Target | None] = {}
        self._rendered: deque[Resident] = deque()
        self._decode = msgspec.json.Decoder(Question).decode
        self._tallies: dict[tuple[str, str, int], list[int]] = {}
        self._asked_tally = self._tally(_QUESTION.decode("ascii"), "POST", 200)
        self._heads: dict[bytes, Asked] = {}
        self._heads_key = hashlib.blake2b(key=entropy(32), digest_size=16)
        self._digest = verifier.digest
        self._resident = verifier.resident_of
        self.settings = settings
        metrics.before_reading(self._hand_in_counts)
        self._metrics = metrics

    def recall(self, head: bytes) -> Asked | None:
        """What a request head asks that came before, byte for byte; `remember` was told of it then."""
        keyed = self._heads_key.copy()
        keyed.update(head)
        return self._heads.get(keyed.digest())

    def remember(self, head: bytes, asked: Asked) -> None:
        """Recall this head when it comes again. What is kept is its digest, for the head holds a secret."""
        if len(self._heads) >= _HEADS_MAX:
            self._heads.clear()
        keyed = self._heads_key.copy()
        keyed.update(head)
        self._heads[keyed.digest()] = asked

    def parse(self, method: bytes, url: bytes, headers: HeaderList) -> Asked | None:
        """What a request without a body asks; None where the application has to read it.

        Args:
            method: As parsed.
            url: The request target as received.
            headers: Names in lower case.
        """
        if method not in {b"GET", b"POST"}:
            return None
        try:
            target = self._targets[url]
        except KeyError:
            target = self._learn(url)
        if target is None or (target.forward and method != b"GET"):
            return None
        credential: bytes | None = None
        problem_json = False
        for name, value in headers:
            watched = _WATCHED.get(name)
            if watched is None:
                continue
            if watched in {_AUTHORIZATION, _X_API_KEY}:
                if credential is not None:
                    return None
                credential = _plain_credential(value) if watched == _AUTHORIZATION else value.strip()
                if not credential:
                    return None
            elif watched == _ACCEPT:
                problem_json = b"application/problem+json" in value
            elif watched == _ORIGINAL_URL:
                if target.forward and _SUSPECT_URL.search(value) is not None:
                    return None
            elif not (
                (watched == _CONTENT_LENGTH and value == b"0")
                or (watched == _CONNECTION and value.lower() == b"keep-alive")
            ):
                return None
        if credential is None:
            return None
        tally = self._tally(target.route, method.decode("ascii"), 204 if target.forward else 200)
        return Asked(target, self._digest(credential), tally, problem_json=problem_json)

    def answer(self, asked: Asked, defaults: HeaderList) -> bytes | None:
        """The whole answer from memory, or None, with nothing counted, where the application has to find it.

        Args:
            asked: The request, parsed.
            defaults: uvicorn's default headers; the date.
        """
        resident = self._resident(asked.digest)
        if resident is None:
            return None
        now_us = self._micros()
        if resident.guarded or asked.scopes:
            if resident.networks:
                return None
            if self._verifier.objection(resident, Facts(None, asked.scopes), now_us) is not None:
                return None
        return self._admit(resident, asked, now_us, defaults)

    def answer_from(
        self, asked: Asked, headers: HeaderList, peer: str | None, defaults: HeaderList
    ) -> bytes | Late | None:
        """The same as `answer`, for a request whose address is at hand.

        Args:
            asked: The request, parsed.
            headers: Of the request, for its address.
            peer: The other end of the connection.
            defaults: uvicorn's default headers; the date.
        """
        resident = self._resident(asked.digest)
        if resident is None:
            return self._refuse_exhausted(asked, headers, peer, defaults)
        if not resident.networks:
            return self.answer(asked, defaults)
        now_us = self._micros()
        facts = Facts(self._address(peer, headers), asked.scopes)
        if self._verifier.objection(resident, facts, now_us) is not None:
            return None
        return self._admit(resident, asked, now_us, defaults)

    def _admit(self, resident: Resident, asked: Asked, now_us: int, defaults: HeaderList) -> bytes:
        """Count a request that nothing but its limit speaks against, and answer it."""
        counter = self._verifier.counter(resident, now_us)
        rendered: Rendered | None = resident.rendered
        if rendered is None or rendered.plan is not resident.plan.plan:
            rendered = self._render(resident)
        if not counter.spend(rendered.hourly, rendered.burst, 1, now_us):
            return self._limited(asked, resident, now_us, defaults)
        if resident.unsaved:
            resident.last_used_us = now_us
        else:
            self._uses.note(resident, now_us)
        asked.tally[0] += 1
        template = rendered.forward if asked.forward else rendered.verify
        return template % self._figures(counter, rendered, now_us, defaults)

    def asks(self, method: bytes, url: bytes, headers: HeaderList) -> bool:
        """Whether the lane wants to see the request's body before it says no."""
        return (
            url == _QUESTION
            and method == b"POST"
            and not any(_WATCHED.get(name) in {_STAYS_OUT, _CONNECTION} for name, _ in headers)
        )

    def answer_question(
        self, url: bytes, headers: HeaderList, body: bytearray, peer: str | None, defaults: HeaderList
    ) -> bytes | None:
        """The whole answer to a resource server's question, or None where the application has to find it."""
        if url != _QUESTION or len(body) > _QUESTION_BYTES_MAX or b"\\u0000" in body:
            return None
        caller_credential: bytes | None = None
        for name, value in headers:
            if name == b"authorization":
                if caller_credential is not None:
                    return None
                caller_credential = _plain_credential(value)
            elif name == b"x-api-key" or (name == b"content-type" and value.lower() != b"application/json"):
                return None
        if not caller_credential:
            return None
        caller = self._verifier.resident(caller_credential)
        if caller is None:
            return None
        now_us = self._micros()
        address = self._address(peer, headers) if caller.networks else None
        sees = self._directory.known_sight(caller.principal.tenant_id)
        if sees is None:
            return None
        if (
            self._verifier.objection(caller, Facts(address, frozenset({CREDENTIALS_VERIFY})), now_us)
            is not None
        ):
            return None
        try:
            question = self._decode(body)
            scopes = scope_words(question.scope) if question.scope else NO_SCOPES
        except (msgspec.MsgspecError, InvalidRequest, RecursionError, UnicodeDecodeError):
            return None
        if question.ip is not None or question.cost != 1 or len(question.scope) > 2_000:
            return None
        resident = self._verifier.resident(question.credential.encode())
        if (
            resident is None
            or self._verifier.objection(resident, Facts(None, scopes, 1, sees), now_us) is not None
        ):
            return None
        counter = self._verifier.counter(resident, now_us)
        rendered: Rendered | None = resident.rendered
        if rendered is None or rendered.plan is not resident.plan.plan:
            rendered = self._render(resident)
        if not counter.spend(rendered.hourly, rendered.burst, 1, now_us):
            return None
        self._uses.note(resident, now_us)
        self._uses.note(caller, now_us)
        self._asked_tally[0] += 1
        return rendered.question % self._figures(counter, rendered, now_us, defaults)

    def refusal(self, error: AppError) -> tuple[bytes, Answer]:
        """The answer for what never became a request, and its id."""
        exchange = Exchange(request_id=self._next_id().decode("ascii"), address=None)
        return exchange.request_id.encode("ascii"), self._problems.of_error(error, exchange, self._micros())

    def _figures(
        self, counter: Counter, rendered: Rendered, now_us: int, defaults: HeaderList
    ) -> tuple[bytes | int, ...]:
        """What moves from answer to answer, in the order of `limit_template`."""
        date = defaults[0][1]
        request_id = self._next_id()
        burst = rendered.burst
        if rendered.hourly is not None:
            ends_us = counter.hour_ends_us
            left = rendered.hourly - counter.hour_used
            resets_at = -(-ends_us // 1_000_000)
            wait = -(-(ends_us - now_us) // 1_000_000)
            if burst is not None:
                return (date, request_id, left, resets_at, left, wait, burst - counter.burst_used)
            return (date, request_id, left, resets_at, left, wait)
        if burst is not None:
            left = burst - counter.burst_used
            return (date, request_id, left, -(-counter.burst_ends_us // 1_000_000), left)
        return (date, request_id)

    def _render(self, resident: Resident) -> Rendered:
        """Make the lasting parts of a resident's answers, and forget the oldest ones made."""
        plan = resident.plan.plan
        principal = resident.principal
        limits = limit_template(resident.plan.hourly[principal.kind], plan.burst)
        tail = [b"x-request-id: %b", *(name + b": " + value for name, value in self._common[0]), *limits]
        tail += [name + b": " + value for name, value in self._common[1]]
        identity = json_bytes(identity_resource(principal, resident.ends_at_us))
        question = json_bytes({"valid": True, **identity_resource(principal, resident.ends_at_us)})
        forward = [f"{name.lower()}: {value}".encode() for name, value in forward_headers(principal).items()]
        rendered = Rendered(
            plan,
            resident.plan.hourly[principal.kind],
            _template(b"200 OK", [], identity, tail),
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
            _template(b"200 OK", [], question, tail),
        )
        if resident.rendered is None:
            self._rendered.append(resident)
            if len(self._rendered) > _RENDERED_MAX:
                self._rendered.popleft().rendered = None
        resident.rendered = rendered
        return rendered

    def _limited(self, asked: Asked, resident: Resident, now_us: int, defaults: HeaderList) -> bytes:
        """The refusal of a good credential that has used up its limit."""
        hourly = resident.plan.hourly[resident.principal.kind]
        counter = self._verifier.counter(resident, now_us)
        left = counter.allowance(hourly, resident.plan.plan.burst, now_us, refused_cost=1)
        rejected = Rejected(Reason.RATE, left, resident.principal.kind, principal=resident.principal)
        return self._rejection(asked, rejected, now_us, defaults)

    def _refuse_exhausted(
        self, asked: Asked, headers: HeaderList, peer: str | None, defaults: HeaderList
    ) -> Late | None:
        """Refuse late what comes from an address that is past its limit of bad credentials; else leave it."""
        allowance = self._addresses.exhausted(self._address(peer, headers))
        if allowance is None or not self._verifier.trusts_memory():
            return None
        rejected = Rejected(Reason.RATE, allowance)
        return Late(self._rejection(asked, rejected, self._micros(), defaults, last=True))

    def _rejection(
        self, asked: Asked, rejected: Rejected, now_us: int, defaults: HeaderList, *, last: bool = False
    ) -> bytes:
        request_id = self._next_id()
        exchange = Exchange(request_id.decode("ascii"), None, problem_json=asked.problem_json)
        answer = self._problems.of_rejection(rejected, exchange, now_us)
        self._metrics.count_verdict(rejected)
        self._tally(asked.target.route, "GET", answer.status)[0] += 1
        headers = [
            (b"date", defaults[0][1]),
            *answer.headers,
            (b"content-length", b"%d" % len(answer.body)),
            (b"x-request-id", request_id),
            *self._common[0],
            *limit_headers(rejected.allowance, now_us),
            *self._common[1],
        ]
        if last:
            headers.append((b"connection", b"close"))
        head = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        return b"HTTP/1.1 429 Too Many Requests\r\n" + head + b"\r\n" + answer.body

    def _address(self, peer: str | None, headers: HeaderList) -> str | None:
        return client_address(peer, headers, self._trusted)

    def _learn(self, url: bytes) -> Target | None:
        """What a request target asks for; None for all that the lane does not know or does not want."""
        path, question_mark, query = url.partition(b"?")
        scopes: frozenset[str] | None = NO_SCOPES
        if question_mark:
            match = _PLAIN_QUERY.fullmatch(query)
            scopes = _scopes(match[1]) if match is not None else None
        target = None
        if scopes is not None and (path == _VERIFY or path in _FORWARD):
            target = Target(path != _VERIFY, path.decode("ascii"), scopes)
        if target is not None:
            if len(self._targets) >= _TARGETS_MAX:
                self._targets.clear()
            self._targets[url] = target
        return target

    @property
    def answered(self) -> int:
        """How many requests the lane has answered since its counts were last handed in."""
        return sum(tally[0] for tally in self._tallies.values())

    def _tally(self, route: str, method: str, status: int) -> list[int]:
        """The count of one kind of answer, shared by whoever adds to it."""
        return self._tallies.setdefault((route, method, status), [0])

    def _hand_in_counts(self) -> None:
        for (route, method, status), tally in self._tallies.items():
            count, tally[0] = tally[0], 0
            if count:
                self._metrics.add_answers(method, route, status, count)


def _plain_credential(value: bytes) -> bytes | None:
    """The credential of an Authorization header in any of its forms, None where it cannot be read."""
    if value[:7] == b"Bearer " and b" " not in value[7:]:
        return value[7:]
    try:
        return of_authorization(value)
    except InvalidRequest:
        return None


def _scopes(text: bytes) -> frozenset[str] | None:
    try:
        return scope_words(text.decode("ascii").replace("+", " "))
    except InvalidRequest:  # pragma: no cover - the pattern lets no such word through
        return None


def _escaped(line: bytes) -> bytes:
    """A line that passes through `%` as it is."""
    return line.replace(b"%", b"%%")


def _template(status: bytes, headers: HeaderList, body: bytes, tail: list[bytes]) -> bytes:
    lines: Iterator[bytes] = (name + b": " + value for name, value in (JSON, NO_STORE, *headers))
    length = b"content-length: %d" % len(body)
    return b"\r\n".join([b"HTTP/1.1 " + status, b"date: %b", *lines, length, *tail, b"", _escaped(body)])
