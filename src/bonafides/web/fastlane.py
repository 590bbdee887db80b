"""Answers verification before any ASGI machinery.

The lane takes what it is sure of: a request in the plain form, with one credential. Everything else it
leaves to the application, whose answers it matches byte for byte; so it holds no rule of its own, only a
shorter way to the same verdict. What costs is made once: the head of an answer for each plan and the body
for each credential; a request formats the moving figures into them. What is not in memory is looked up
while the connection waits.

Good answers are counted in the metrics and in the credential's usage, and are not logged one by one.
Refusals are, but for those of a limit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from bonafides.directory import Directory
from bonafides.errors import AppError, InvalidRequest, Unavailable
from bonafides.intake import scope_words
from bonafides.model import (
    CREDENTIALS_VERIFY,
    Accepted,
    Clock,
    CredentialKind,
    Entropy,
    Reason,
    Rejected,
    Verdict,
)
from bonafides.resources import identity_resource
from bonafides.settings import Settings
from bonafides.verification.denials import Denials
from bonafides.verification.leases import LeaseNeededError
from bonafides.verification.limiter import SECOND_US, AddressLimiter, Counter
from bonafides.verification.networks import UNKNOWN, network_of
from bonafides.verification.resident import Resident
from bonafides.verification.usage import Uses
from bonafides.verification.verifier import NO_SCOPES, Facts, Verifier
from bonafides.web.access import log, note_access
from bonafides.web.address import client_address, forwarded_for, is_proxy
from bonafides.web.answers import (
    NO_STORE,
    WARNED_US,
    Answer,
    HeaderList,
    ending_of,
    expiry_headers,
    expiry_line,
    json_answer,
    limit_headers,
)
from bonafides.web.bodies import SCOPE_TEXT_MAX
from bonafides.web.exchange import Exchange
from bonafides.web.forms import FORM
from bonafides.web.gate import common_headers
from bonafides.web.heads import Asked, Heads, plain_credential, waits_for_nothing
from bonafides.web.introspection import PATH as INTROSPECTION_PATH
from bonafides.web.metrics import Metrics
from bonafides.web.problems import Problems
from bonafides.web.rendered import (
    SOON_US,
    Form,
    Rendered,
    Shelf,
    forward_lines,
    forward_text,
    introspection_body,
    question_body,
    verify_body,
)
from bonafides.web.requestids import RequestIds
from bonafides.web.written import written

if TYPE_CHECKING:
    from bonafides.web.oauth.lane import TokenLane

_RENDERED_MAX: Final = 50_000
_FORMS_MAX: Final = 1_024
_LATE_SECONDS: Final = 0.2
NOWHERE: Final = Facts(None, NO_SCOPES)
_MAY_ASK: Final = frozenset({CREDENTIALS_VERIFY})
_QUESTION: Final = b"/v1/credentials/verify"
_INTROSPECTION: Final = INTROSPECTION_PATH.encode("ascii")
_MEDIA_TYPES: Final = {_QUESTION: b"application/json", _INTROSPECTION: FORM.encode("ascii")}
_PLAIN_FORM: Final = re.compile(rb"token=([0-9A-Za-z_.-]+)(?:&token_type_hint=[0-9A-Za-z_.-]*)?")
_QUESTION_BYTES_MAX: Final = 16_384
_FORWARDED_MAX: Final = 8_192
_FORWARDED_BYTES_MAX: Final = 128
"""Longer chains of addresses are read each time."""
_NO_CONTENT: Final = 204


@dataclass(frozen=True, slots=True)
class Late:
    """The last answer of a connection, to be written after a while.

    Whoever sends bad credentials past the limit of their address gets their refusals slowly and over a new
    connection each, so that guessing at full speed costs the guesser and not the server.
    """

    answer: bytes
    seconds: float = _LATE_SECONDS


class Origin:
    """Where the requests of a connection come from.

    The same head on the same connection comes from the same address, so that it need not be read again:
    `asked` and `facts` are the last whose credential is bound to addresses.

    Args:
        network: Which the other end of the connection is in; None for a proxy of the operator's, which says where each
            request comes from.
        proxy: And which that proxy is in.
    """

    __slots__ = ("asked", "facts", "network", "proxy")

    def __init__(self, network: str | None = UNKNOWN, proxy: str = UNKNOWN) -> None:
        self.network = network
        self.proxy = proxy
        self.asked: Asked | None = None
        self.facts = NOWHERE


class Asking(NamedTuple):
    """A parsed request with what is not kept of it: the credential itself, and where it comes from."""

    asked: Asked
    credential: bytes
    address: str | None


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
        uses: Told of each request on a known credential.
        denials: Told of each refusal.
        metrics: Takes the lane's counts when it is read.
        problems: Renders refusals.
        request_ids: Names requests.
        settings: Bounds and trusted proxies.
        clock: The time.
        entropy: For the key of the digests of heads.
        tokens: Answers clients that ask for tokens.
    """

    def __init__(  # noqa: PLR0913 - the lane stands where the gate, the guard and the calls stand together
        self,
        *,
        verifier: Verifier,
        directory: Directory,
        addresses: AddressLimiter,
        uses: Uses,
        denials: Denials,
        metrics: Metrics,
        problems: Problems,
        request_ids: RequestIds,
        settings: Settings,
        clock: Clock,
        entropy: Entropy,
        tokens: TokenLane,
    ) -> None:
        self._verifier = verifier
        self.tokens = tokens
        self._directory = directory
        self._addresses = addresses
        self._uses = uses
        self._denials = denials
        self._problems = problems
        self._next_id = request_ids.next_bytes
        self._clock = clock
        self._micros: Callable[[], int] = clock.micros
        self._trusted = settings.trusted_proxies
        self._forwarded: dict[tuple[bytes, ...], str] = {}
        self._common = common_headers(settings)
        self._forms: dict[tuple[int | None, int | None], Form] = {}
        self._shelf = Shelf(_RENDERED_MAX)
        self._decode = msgspec.json.Decoder(Question).decode
        self._accepted = dict.fromkeys(CredentialKind, 0)
        self._tallies: dict[tuple[str, str, int], list[int]] = {}
        self._asked_tallies = {url: self._tally(url.decode("ascii"), "POST", 200) for url in _MEDIA_TYPES}
        self._issuer = settings.base_url
        heads = Heads(verifier.digest, self._tally, entropy)
        self.recall = heads.recall
        self.remember = heads.remember
        self._parse = heads.parse
        self.parse = self._parse_forwarded if self._trusted else heads.parse
        self._resident = verifier.resident_of
        self.settings = settings
        metrics.before_reading(self._hand_in_counts)
        self._metrics = metrics

    def origin(self, peer: str | None) -> Origin:
        """Where the requests of a connection come from whose other end this is."""
        network = network_of(client_address(peer, (), self._trusted))
        return Origin(None, network) if is_proxy(peer, self._trusted) else Origin(network)

    def _parse_forwarded(self, method: bytes, url: bytes, headers: HeaderList) -> tuple[Asked, bytes] | None:
        parsed = self._parse(method, url, headers)
        if parsed is not None:
            parsed[0].network = self._forwarded_network(headers)
        return parsed

    def _forwarded_network(self, headers: HeaderList) -> str:
        """The network that the headers of a request tell of, if it came through a proxy of the operator's."""
        values = tuple(value for name, value in headers if name == b"x-forwarded-for")
        if not values:
            return UNKNOWN
        network = self._forwarded.get(values)
        if network is None:
            address = forwarded_for(headers, self._trusted)
            network = UNKNOWN if address is None else network_of(str(address))
            if sum(map(len, values)) <= _FORWARDED_BYTES_MAX:
                if len(self._forwarded) >= _FORWARDED_MAX:
                    self._forwarded.clear()
                self._forwarded[values] = network
        return network

    def answer(self, asked: Asked, origin: Origin, defaults: HeaderList) -> bytes | None:
        """The whole answer from memory, or None, with nothing counted, where the application has to find it.

        Args:
            asked: The request, parsed.
            origin: What is known of the address behind the last head of its connection.
            defaults: uvicorn's default headers; the date.
        """
        resident = self._resident(asked.digest)
        if resident is None:
            return None
        now_us = self._micros()
        bounds = resident.bounds
        if (bounds is not None and now_us >= bounds.open_until_us) or asked.scopes:
            facts = asked.facts
            if resident.networks:
                if origin.asked is not asked:
                    return None
                facts = origin.facts
            if self._verifier.objection(resident, facts, now_us) is not None:
                return None
        network = origin.network
        if network is None:
            network = asked.network or origin.proxy
        return self._admit(resident, asked, network, now_us, defaults)

    def answer_from(
        self, asked: Asked, headers: HeaderList, peer: str | None, origin: Origin, defaults: HeaderList
    ) -> bytes | None:
        """The same as `answer`, for a request whose address is at hand.

        Args:
            asked: The request, parsed.
            headers: Of the request, for its address.
            peer: The other end of the connection.
            origin: Told of that address, where the credential is bound to some.
            defaults: uvicorn's default headers; the date.
        """
        resident = self._resident(asked.digest)
        if resident is not None and resident.networks:
            origin.asked, origin.facts = asked, Facts(self._address(peer, headers), asked.scopes)
        return self.answer(asked, origin, defaults)

    def tell(self, asking: Asking, defaults: HeaderList) -> bytes | Late | None:
        """The whole answer without a look-up, refusals included; None, with nothing counted, where it takes one.

        Args:
            asking: The request, with what presents its credential.
            defaults: uvicorn's default headers; the date.
        """
        facts = Facts(asking.address, asking.asked.scopes)
        if self._resident(asking.asked.digest) is None and self._verifier.trusts_memory():
            exhausted = self._addresses.exhausted(facts.address)
            if exhausted is not None:
                rejected = Rejected(Reason.RATE, exhausted)
                return Late(self._told(asking, rejected, defaults, last=True, logged=False))
        try:
            verdict = self._verifier.verdict_at_hand(asking.credential, asking.asked.digest, facts)
        except Unavailable as error:
            return self._told_unavailable(asking, error, defaults)
        return None if verdict is None else self._told(asking, verdict, defaults)

    async def look_up(self, asking: Asking, defaults: HeaderList) -> bytes:
        """The whole answer by a look-up.

        Args:
            asking: The request, with what presents its credential.
            defaults: uvicorn's default headers; the date.
        """
        asked = asking.asked
        facts = Facts(asking.address, asked.scopes)
        try:
            found = await self._verifier.find(asking.credential, asked.digest, facts)
            if isinstance(found, Rejected):
                return self._told(asking, found, defaults)
            now_us = self._micros()
            if self._verifier.objection(found, facts, now_us) is None:
                # Most credentials come once or in a crowd: what is rendered is kept from the second time on.
                network = network_of(asking.address)
                answer = self._admit(found, asked, network, now_us, defaults, kept=False)
                if answer is not None:
                    return answer
            verdict = await self._verifier.verdict_on(found, facts)
        except Unavailable as error:
            return self._told_unavailable(asking, error, defaults)
        return self._told(asking, verdict, defaults)

    def asking(self, parsed: tuple[Asked, bytes], headers: HeaderList, peer: str | None) -> Asking:
        """A parsed request, with what its look-up and its refusal need."""
        return Asking(*parsed, self._address(peer, headers))

    def _admit(
        self,
        resident: Resident,
        asked: Asked,
        network: str,
        now_us: int,
        defaults: HeaderList,
        *,
        kept: bool = True,
    ) -> bytes | None:
        """Count a request that nothing but its limit speaks against, and answer it; None where it cannot be counted."""
        counter = self._verifier.counter(resident, now_us)
        rendered: Rendered | None = resident.rendered
        if rendered is None or rendered.plan is not resident.plan.plan:
            rendered = self._rendered(resident, kept=kept)
        form = rendered.form
        try:
            if not counter.spend(form.hourly, form.burst, 1, now_us):
                return self._limited(asked, resident, now_us, defaults)
        except (LeaseNeededError, Unavailable):
            return None  # who is asked next waits for a lease, or says why there is none
        count = resident.tally
        if now_us < count.until_us and count.network is network:
            count.last_us = now_us
            count.accepted += 1
        else:
            self._uses.note(resident, network, now_us)
        asked.tally[0] += 1
        self._accepted[resident.kind] += 1
        date, request_id = defaults[0][1], self._next_id()
        still = rendered.still_forward if asked.forward else rendered.still_verify
        if (
            still is not None
            and still.from_us <= now_us < still.until_us
            and still.date is date
            and still.hour_ends_us == counter.hour_ends_us
        ):
            return still.told(counter, request_id)
        return self._in_full(rendered, resident, asked, counter, now_us, date, request_id)

    def _in_full(
        self,
        rendered: Rendered,
        resident: Resident,
        asked: Asked,
        counter: Counter,
        now_us: int,
        date: bytes,
        request_id: bytes,
    ) -> bytes:
        """The answer to a request that was admitted, with every figure formatted."""
        form = rendered.form
        again, rendered.used_us = now_us - rendered.used_us < SOON_US, now_us
        warning, ends_at_us = b"", resident.ends_at_us
        if ends_at_us is not None:
            until_warned_us = ends_at_us - WARNED_US - now_us
            if until_warned_us <= 0:
                warning = expiry_line(ends_at_us)
                request_id += warning
            elif until_warned_us <= SECOND_US:
                again = False  # what is kept for the second would not say it
        if asked.forward:
            if not rendered.forward:
                rendered.forward = forward_text(resident)
            if again:
                rendered.still_forward = form.still(counter, now_us, date, rendered.forward, b"", warning)
            return form.no_content % form.figures(counter, now_us, date, rendered.forward, request_id)
        body = rendered.verify
        if not body:
            body = rendered.verify = verify_body(resident)
        if again:
            rendered.still_verify = form.still(counter, now_us, date, len(body), body, warning)
        return form.ok % form.figures(counter, now_us, date, len(body), request_id) + body

    def asks(self, method: bytes, url: bytes, headers: HeaderList) -> bool:
        """Whether the lane wants to see the request's body before it says no."""
        if url in _MEDIA_TYPES:
            return method == b"POST" and waits_for_nothing(headers)
        return self.tokens.asks(method, url, headers)

    def answer_question(
        self, url: bytes, headers: HeaderList, body: bytearray, peer: str | None, defaults: HeaderList
    ) -> bytes | None:
        """The whole answer to a resource server's question, or None where the application has to find it."""
        if url not in _MEDIA_TYPES or len(body) > _QUESTION_BYTES_MAX or b"\\u0000" in body:
            return None
        now_us = self._micros()
        caller = self._asking(headers, _MEDIA_TYPES[url], peer, now_us)
        if caller is None:
            return None
        about = self._introspected(body) if url == _INTROSPECTION else self._questioned(body)
        resident = None if about is None else self._asked_about(*about, caller, now_us)
        if resident is None:
            return None
        counter = self._verifier.counter(resident, now_us)
        rendered: Rendered | None = resident.rendered
        if rendered is None or rendered.plan is not resident.plan.plan:
            rendered = self._rendered(resident)
        form = rendered.form
        try:
            if not counter.spend(form.hourly, form.burst, 1, now_us):
                return None
        except (LeaseNeededError, Unavailable):
            return None
        # Where the caller heard of it, the question does not say.
        self._uses.note(resident, UNKNOWN, now_us)
        self._uses.note(caller, network_of(self._address(peer, headers)), now_us)
        self._asked_tallies[url][0] += 1
        self._accepted[resident.kind] += 1
        if url == _INTROSPECTION:
            told = rendered.introspection
            if not told:
                told = rendered.introspection = introspection_body(resident, self._issuer)
        else:
            told = rendered.question
            if not told:
                told = rendered.question = question_body(resident)
        request_id, ends_at_us = self._next_id(), caller.ends_at_us
        if ends_at_us is not None and ends_at_us - now_us <= WARNED_US:
            request_id += expiry_line(ends_at_us)
        return form.ok % form.figures(counter, now_us, defaults[0][1], len(told), request_id) + told

    def _asking(
        self, headers: HeaderList, media_type: bytes, peer: str | None, now_us: int
    ) -> Resident | None:
        """The resource server that asks, if it is in memory and may, and sends what it should."""
        credential: bytes | None = None
        typed = False
        for name, value in headers:
            if name == b"authorization":
                if credential is not None:
                    return None
                credential = plain_credential(value)
            elif name == b"content-type" and not typed and value.lower() == media_type:
                typed = True
            elif name in {b"x-api-key", b"content-type"}:
                return None
        caller = self._verifier.resident(credential) if credential and typed else None
        if caller is None:
            return None
        address = self._address(peer, headers) if caller.networks else None
        objection = self._verifier.objection(caller, Facts(address, _MAY_ASK), now_us)
        return caller if objection is None else None

    def _introspected(self, body: bytearray) -> tuple[bytes, frozenset[str]] | None:
        """The credential in a form of the plain kind."""
        match = _PLAIN_FORM.fullmatch(body)
        return None if match is None else (bytes(match[1]), NO_SCOPES)

    def _questioned(self, body: bytearray) -> tuple[bytes, frozenset[str]] | None:
        """The credential in a question of the plain kind, and what it must have."""
        try:
            question = self._decode(body)
            scopes = scope_words(question.scope) if question.scope else NO_SCOPES
        except (msgspec.MsgspecError, InvalidRequest, RecursionError, UnicodeDecodeError):
            return None
        if question.ip is not None or question.cost != 1 or len(question.scope) > SCOPE_TEXT_MAX:
            return None
        return question.credential.encode(), scopes

    def _asked_about(
        self, credential: bytes, scopes: frozenset[str], caller: Resident, now_us: int
    ) -> Resident | None:
        """The credential that is asked about, if it is in memory and nothing but its limit speaks against it."""
        sees = self._directory.known_sight(caller.owner.tenant_id)
        resident = self._verifier.resident(credential) if sees is not None else None
        if sees is None or resident is None:
            return None
        objection = self._verifier.objection(resident, Facts(None, scopes, 1, sees), now_us)
        return resident if objection is None else None

    def refusal(self, error: AppError, peer: str | None) -> tuple[bytes, Answer]:
        """The answer for what never became a request, and its id; it is counted and logged as if it had.

        Args:
            error: What is wrong with it.
            peer: The other end of the connection.
        """
        exchange = Exchange(request_id=self._next_id().decode("ascii"), address=peer)
        answer = self._problems.of_error(error, exchange, self._micros())
        self._tally("unmatched", "other", answer.status)[0] += 1
        note_access(exchange, None, None, answer.status, None)
        return exchange.request_id.encode("ascii"), answer

    def _rendered(self, resident: Resident, *, kept: bool = True) -> Rendered:
        """The lasting parts of a resident's answers, made anew; of those kept, the oldest are forgotten."""
        plan = resident.plan.plan
        limits = (resident.plan.hourly[resident.kind], plan.burst)
        form = self._forms.get(limits)
        if form is None:
            if len(self._forms) >= _FORMS_MAX:
                self._forms.clear()
            form = self._forms[limits] = Form(*limits, self._common)
        rendered = Rendered(plan, form)
        if kept:
            if resident.rendered is None:
                resident.rendered = rendered
                self._shelf.put(resident)
            else:
                resident.rendered = rendered
        return rendered

    def _limited(self, asked: Asked, resident: Resident, now_us: int, defaults: HeaderList) -> bytes:
        """The refusal of a good credential that has used up its limit."""
        counter = self._verifier.counter(resident, now_us)
        rejected = self._verifier.over_limit(resident, asked.facts, counter, now_us)
        # At full speed a line for each would cost more than the answer; the metrics count them.
        return self._told(Asking(asked, b"", None), rejected, defaults, logged=False)

    def _told(
        self,
        asking: Asking,
        verdict: Verdict,
        defaults: HeaderList,
        *,
        last: bool = False,
        logged: bool = True,
    ) -> bytes:
        """The answer that a verdict becomes; a refusal is logged, as the application logs it."""
        asked = asking.asked
        now_us = self._micros()
        request_id = self._next_id()
        self._metrics.count_verdict(verdict)
        if isinstance(verdict, Accepted):
            asked.tally[0] += 1
            answer = (
                Answer(204, [*forward_lines(verdict.principal), NO_STORE], b"")
                if asked.forward
                else json_answer(200, identity_resource(verdict.principal, verdict.expires_at_us))
            )
            return self._written(answer, request_id, verdict, now_us, defaults)
        exchange = Exchange(
            request_id.decode("ascii"), asking.address, asked.problem_json, principal=verdict.principal
        )
        self._denials.note(exchange.request_id, verdict, now_us)
        answer = self._problems.of_rejection(verdict, exchange, now_us)
        self._tally(asked.target.route, asked.method, answer.status)[0] += 1
        if logged:
            note_access(exchange, asked.method, asked.target.route, answer.status, None)
        return self._written(answer, request_id, verdict, now_us, defaults, last=last)

    def _told_unavailable(self, asking: Asking, error: Unavailable, defaults: HeaderList) -> bytes:
        now_us = self._micros()
        request_id = self._next_id()
        exchange = Exchange(request_id.decode("ascii"), asking.address, asking.asked.problem_json)
        log.error("unavailable", request_id=exchange.request_id, reason=error.internal)
        answer = self._problems.of_error(error, exchange, now_us)
        self._tally(asking.asked.target.route, asking.asked.method, answer.status)[0] += 1
        note_access(exchange, asking.asked.method, asking.asked.target.route, answer.status, None)
        return self._written(answer, request_id, None, now_us, defaults)

    def _written(
        self,
        answer: Answer,
        request_id: bytes,
        verdict: Verdict | None,
        now_us: int,
        defaults: HeaderList,
        *,
        last: bool = False,
    ) -> bytes:
        """An answer as the bytes that the application's would be."""
        headers = [(b"date", defaults[0][1]), *answer.headers]
        if answer.status != _NO_CONTENT:
            headers.append((b"content-length", b"%d" % len(answer.body)))
        headers.append((b"x-request-id", request_id))
        if verdict is not None:
            headers += expiry_headers(ending_of(verdict), now_us)
        headers += self._common[0]
        if verdict is not None:
            headers += limit_headers(verdict.allowance, now_us)
        headers += self._common[1]
        if last:
            headers.append((b"connection", b"close"))
        return written(answer.status, headers, answer.body)

    def _address(self, peer: str | None, headers: HeaderList) -> str | None:
        return client_address(peer, headers, self._trusted)

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
        for kind, count in self._accepted.items():
            if count:
                self._metrics.add_accepted(kind, count)
            self._accepted[kind] = 0
