"""One request and its answer, as far as every layer of the web needs to know about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from bonafides.model import Actor, Allowance, Principal, Verdict
from bonafides.web.answers import HeaderList, ending_of


class Dialect(Enum):
    """Whose names the clients of a path know for what is in an error."""

    OWN = "own"
    ACCOUNT = "account"
    """`/api/auth`: the status is repeated as `statusCode`."""
    OAUTH = "oauth"
    """`/oauth`: the message is repeated as `error_description` (RFC 6749 §5.2)."""
    PAGE = "page"
    """A page that was asked for by a browser: a failure is a page, too."""


SCOPE_KEY = "bonafides.exchange"


@dataclass(slots=True)
class Exchange:
    """What is known of the request under way; made by the gate, filled in by who learns more.

    Args:
        request_id: Told to the client and written into every log line and audit event.
        address: Where it came from, as far as it can be believed.
        problem_json: Whether the client asked for RFC 9457 errors.
        allowance: What its answer's rate-limit headers tell; None where nobody has counted it yet.
        principal: Whom its credential speaks for, once that is known.
        ends_at_us: When that credential ends, None for never.
        counted: Whether this path is counted at all; probes and pages are not.
        dialect: Which names its errors have beside our own.
        cookies: Set or cleared by its answer, whatever that is.
        told: What else the headers of its answer tell, whatever that is.
        by_proof: Whether it presents a token with a proof of a key.
    """

    request_id: str
    address: str | None
    problem_json: bool = False
    allowance: Allowance | None = None
    principal: Principal | None = None
    ends_at_us: int | None = None
    counted: bool = True
    dialect: Dialect = Dialect.OWN
    cookies: HeaderList = field(default_factory=list)
    told: HeaderList = field(default_factory=list)
    by_proof: bool = False
    outcome: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def actor(self, principal: Principal, via: str = "api") -> Actor:
        """Who does what this request asks for, as the audit trail tells it."""
        return Actor(
            user_id=principal.user_id,
            credential_id=principal.credential_id,
            via=via,
            request_id=self.request_id,
            address=self.address,
        )

    def take(self, verdict: Verdict) -> None:
        """Tell in the answer what a verdict on the request's own credential says."""
        self.allowance = verdict.allowance
        self.principal = verdict.principal
        self.ends_at_us = ending_of(verdict)
