"""What the head of a hot request asks: read once, and recalled when the same head comes again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bonafides.errors import InvalidRequest
from bonafides.intake import scope_words
from bonafides.model import Entropy
from bonafides.verification.networks import UNKNOWN
from bonafides.verification.verifier import NO_SCOPES, Facts
from bonafides.web.answers import HeaderList
from bonafides.web.presented import of_authorization, refuse_credential_in_url
from bonafides.web.problems import takes_problem_json
from bonafides.web.verify import ORIGINAL_URL_HEADERS, PROXIES

_TARGETS_MAX: Final = 4_096
_HEADS_MAX: Final = 16_384
_VERIFY: Final = b"/v1/auth/verify"
_FORWARD: Final = frozenset({b"/auth/forward", *(b"/auth/forward/" + name.encode() for name in PROXIES)})
_PLAIN_QUERY: Final = re.compile(rb"scope=([A-Za-z0-9._:/*+-]{1,500})")
_CLEAN: Final = re.compile(rb"[^\x00-\x20\x7f]+")
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
class Target:
    """What a request line asks for."""

    forward: bool
    route: str
    scopes: frozenset[str]
    facts: Facts
    """The same for the verifier, for a credential that may come from anywhere."""


class Asked:
    """A request of the plain form, parsed: what is asked, by the digest of which credential.

    It is a function of the request's head alone, so a head that comes again need not be parsed again.
    It holds no secret, and no verdict.
    """

    __slots__ = (
        "digest",
        "facts",
        "forward",
        "method",
        "network",
        "problem_json",
        "scopes",
        "tally",
        "target",
    )

    def __init__(
        self, target: Target, method: str, digest: bytes, tally: list[int], *, problem_json: bool
    ) -> None:
        self.target = target
        self.method = method
        self.forward = target.forward
        self.scopes = target.scopes
        self.facts = target.facts
        self.digest = digest
        self.tally = tally
        self.problem_json = problem_json
        self.network = UNKNOWN
        """Which it came from, if it came through a proxy of the operator's and says so."""


Tally = Callable[[str, str, int], list[int]]
"""The count of one kind of answer, by route, method and status."""


class Heads:
    """Reads the heads of hot requests.

    Args:
        digest: The digest by which memory knows a credential.
        tally: Where the answers to a head are counted.
        entropy: For the key of the digests of heads.
    """

    def __init__(self, digest: Callable[[bytes], bytes], tally: Tally, entropy: Entropy) -> None:
        self._digest = digest
        self._tally = tally
        self._targets: dict[bytes, Target] = {}
        self._known: dict[bytes, Asked] = {}
        # Of the digests of hashlib the soonest for heads of hundreds of bytes, where the processor has instructions for it.
        self._keyed = hashlib.sha256(entropy(32))

    def recall(self, head: bytes) -> Asked | None:
        """What a request head asks that came before, byte for byte; `remember` was told of it then."""
        keyed = self._keyed.copy()
        keyed.update(head)
        return self._known.get(keyed.digest())

    def remember(self, head: bytes, asked: Asked) -> Asked:
        """Recall this head when it comes again; what was remembered of it before stays, and is returned.

        What is kept of the head is its digest, for it holds a secret.
        """
        if len(self._known) >= _HEADS_MAX:
            self._known.clear()
        keyed = self._keyed.copy()
        keyed.update(head)
        return self._known.setdefault(keyed.digest(), asked)

    def parse(self, method: bytes, url: bytes, headers: HeaderList) -> tuple[Asked, bytes] | None:
        """What a request without a body asks, and its credential; None where the application has to read it.

        Args:
            method: As parsed.
            url: The request target as received.
            headers: Names in lower case.
        """
        if method not in {b"GET", b"POST"}:
            return None
        target = self._targets.get(url) or self._learn(url)
        if target is None or (target.forward and method != b"GET"):
            return None
        read = _read(headers, forward=target.forward)
        if read is None:
            return None
        credential, problem_json = read
        verb = method.decode("ascii")
        tally = self._tally(target.route, verb, 204 if target.forward else 200)
        asked = Asked(target, verb, self._digest(credential), tally, problem_json=problem_json)
        return asked, credential

    def _learn(self, url: bytes) -> Target | None:
        """What a request target asks for; None for all that the lane does not know or does not want."""
        path, question_mark, query = url.partition(b"?")
        try:
            refuse_credential_in_url(path, query)
        except InvalidRequest:
            return None
        scopes: frozenset[str] | None = NO_SCOPES
        if question_mark:
            match = _PLAIN_QUERY.fullmatch(query)
            scopes = _scopes(match[1]) if match is not None else None
        target = None
        if scopes is not None and (path == _VERIFY or path in _FORWARD):
            target = Target(path != _VERIFY, path.decode("ascii"), scopes, Facts(None, scopes))
        if target is not None:
            if len(self._targets) >= _TARGETS_MAX:
                self._targets.clear()
            self._targets[url] = target
        return target


def _read(headers: HeaderList, *, forward: bool) -> tuple[bytes, bool] | None:
    """The one credential, and whether RFC 9457 errors are wanted; None for headers that are not plain."""
    credential: bytes | None = None
    problem_json = False
    for name, value in headers:
        watched = _WATCHED.get(name)
        if watched is None:
            continue
        if watched in {_AUTHORIZATION, _X_API_KEY}:
            if credential is not None:
                return None
            credential = plain_credential(value) if watched == _AUTHORIZATION else value.strip()
            if not credential or _CLEAN.fullmatch(credential) is None:
                return None
        elif watched == _ACCEPT:
            problem_json = problem_json or takes_problem_json(value)
        elif watched == _ORIGINAL_URL:
            if forward and _SUSPECT_URL.search(value) is not None:
                return None
        elif not _is_harmless(watched, value):
            return None
    return (credential, problem_json) if credential is not None else None


def _is_harmless(watched: int, value: bytes) -> bool:
    """Whether a header that can change how a request is read says here that it does not."""
    if watched == _CONTENT_LENGTH:
        return value == b"0"
    return watched == _CONNECTION and value.lower() == b"keep-alive"


def plain_credential(value: bytes) -> bytes | None:
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


def waits_for_nothing(headers: HeaderList) -> bool:
    """Whether a request with a body may be held until the body is there, as far as its headers tell."""
    for name, value in headers:
        watched = _WATCHED.get(name)
        if watched in {_STAYS_OUT, _CONNECTION} and not _is_harmless(watched, value):
            return False
    return True
