"""Every failure as an answer: one table of statuses, one body, two renderings.

The body repeats the status; `Accept: application/problem+json` gets the same facts as RFC 9457.
Nothing of an exception but its public sentence ever gets here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from bonafides import errors
from bonafides.model import Reason, Rejected
from bonafides.oauth.foreign_keys import ALGORITHMS
from bonafides.resources import reason_message, time_text
from bonafides.secret import redact
from bonafides.web.answers import NO_STORE, Answer, HeaderList, json_bytes
from bonafides.web.exchange import Dialect, Exchange

STATUS: Final[Mapping[type[errors.AppError], int]] = {
    errors.InvalidRequest: 400,
    errors.UnreadableCredential: 400,
    errors.MethodNotAllowed: 405,
    errors.RequestTimeout: 408,
    errors.PayloadTooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.HeaderFieldsTooLarge: 431,
    errors.InvalidCredentials: 401,
    errors.InvalidClient: 401,
    errors.InvalidGrant: 400,
    errors.InvalidDpopProof: 400,
    errors.UseDpopNonce: 400,
    errors.UnauthorizedClient: 400,
    errors.UnsupportedGrantType: 400,
    errors.InvalidRequestObject: 400,
    errors.UnsupportedResponseType: 400,
    errors.AuthorizationPending: 400,
    errors.SlowDown: 400,
    errors.AccessDenied: 400,
    errors.ExpiredDeviceCode: 400,
    errors.InvalidScope: 400,
    errors.InvalidTarget: 400,
    errors.InvalidClientMetadata: 400,
    errors.InvalidRedirectUri: 400,
    errors.TooManyRequests: 429,
    errors.Forbidden: 403,
    errors.ProofNeeded: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.AlreadyInitialised: 409,
    errors.Unavailable: 503,
    errors.Misconfigured: 500,
    errors.AppError: 500,
}
REASON_STATUS: Final[Mapping[Reason, int]] = {
    Reason.MISSING: 401,
    Reason.INVALID_KEY: 401,
    Reason.INVALID_TOKEN: 401,
    Reason.EXPIRED: 401,
    Reason.SCOPE: 403,
    Reason.ADDRESS: 403,
    Reason.RATE: 429,
}
INTERNAL: Final = "Something failed on the server. Try again, and quote the request_id if it goes on."

_TITLES: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


_PROBLEM_JSON: Final = b"application/problem+json"
_NEVER: Final = re.compile(rb"q=0(\.0*)?")


def takes_problem_json(accept: bytes) -> bool:
    """Whether an `Accept` header asks for RFC 9457 by its name; a wildcard does not.

    See: RFC 9110 §12.5.1
    """
    for media_range in accept.lower().split(b","):
        media_type, *parameters = (part.strip() for part in media_range.split(b";"))
        if media_type == _PROBLEM_JSON:
            return not any(_NEVER.fullmatch(parameter) for parameter in parameters)
    return False


ErrorPage = Callable[[int, str, str, Exchange], tuple[HeaderList, bytes]]
"""Headers and body of a page, from a failure's status, its title, what it says and the request."""


class Problems:
    """Renders failures.

    Args:
        base_url: Of the documentation and metadata that answers point to.
        page: Renders those of pages; without it they look as those of calls do.
    """

    def __init__(self, base_url: str, page: ErrorPage | None = None) -> None:
        self._base_url = base_url
        self._page = page
        self._challenge = (
            f'Bearer realm="bonafides", resource_metadata="{base_url}/.well-known/oauth-protected-resource"'
        )

    def of_error(self, error: errors.AppError, exchange: Exchange, now_us: int) -> Answer:
        """The answer for an exception that may be shown."""
        status = STATUS[type(error)]
        headers: HeaderList = []
        facts: dict[str, Any] = {}
        message = redact(error.public)
        if error.field is not None:
            facts["field"] = redact(error.field)
        if isinstance(error, errors.DpopError) and error.at_resource:
            status = 401
            headers.append(self._authenticate(error.code, message, by_proof=True))
        if isinstance(error, errors.InvalidCredentials):
            headers.append((b"www-authenticate", self._challenge.encode("ascii")))
        if isinstance(error, errors.UnreadableCredential):
            # RFC 6750 §3: nothing in it opens anything, so it says how to present what would.
            headers.append(self._authenticate(error.code, message))
        if isinstance(error, errors.InvalidClient):
            headers.append((b"www-authenticate", b'Basic realm="bonafides"'))
        if isinstance(error, errors.Unavailable | errors.TooManyRequests):
            headers.append((b"retry-after", b"%d" % error.retry_after_seconds))
        if isinstance(error, errors.MethodNotAllowed):
            headers.append((b"allow", error.allow.encode("ascii")))
        if isinstance(error, errors.RequestTimeout):
            headers.append((b"connection", b"close"))
        if isinstance(error, errors.ProofNeeded):
            name, value = self._authenticate("insufficient_user_authentication", message)
            headers.append((name, value + b', max_age="%d"' % error.within_seconds))
        elif isinstance(error, errors.Forbidden):
            facts["scope"] = " ".join(sorted(error.scopes))
            headers.append(self._authenticate("insufficient_scope", message, error.scopes))
        return self._render(status, error.code, message, facts, headers, exchange, now_us)

    def of_rejection(self, rejected: Rejected, exchange: Exchange, now_us: int) -> Answer:
        """The answer for a refused credential; its `Retry-After` comes with the rate-limit headers.

        See: RFC 6750 §3, RFC 9728 §5.1
        """
        status = REASON_STATUS[rejected.reason]
        message = reason_message(rejected)
        headers: HeaderList = []
        facts: dict[str, Any] = {}
        match rejected.reason:
            case Reason.MISSING:
                headers.append((b"www-authenticate", self._challenge.encode("ascii")))
            case Reason.SCOPE:
                facts["scope"] = " ".join(sorted(rejected.scopes))
                headers.append(
                    self._authenticate(
                        "insufficient_scope", message, rejected.scopes, by_proof=exchange.by_proof
                    )
                )
            case Reason.ADDRESS:
                headers.append(self._authenticate("ip_not_allowed", message, by_proof=exchange.by_proof))
            case Reason.RATE:
                pass
            case _:
                headers.append(self._authenticate("invalid_token", message, by_proof=exchange.by_proof))
        return self._render(status, str(rejected.reason), message, facts, headers, exchange, now_us)

    def of_failure(self, exchange: Exchange, now_us: int) -> Answer:
        """The answer for what should not have happened; it tells nothing but the request's id."""
        return self._render(500, errors.AppError.code, INTERNAL, {}, [], exchange, now_us)

    def _authenticate(
        self,
        error: str,
        description: str,
        scopes: frozenset[str] = frozenset(),
        *,
        by_proof: bool = False,
    ) -> tuple[bytes, bytes]:
        plain = description.encode("ascii", "replace").decode("ascii").replace("\\", "").replace('"', "'")
        challenge = self._challenge
        if by_proof:
            # RFC 9449 §7.1.
            challenge = f'DPoP{challenge.removeprefix("Bearer")}, algs="{" ".join(ALGORITHMS)}"'
        value = f'{challenge}, error="{error}", error_description="{plain}"'
        if scopes:
            value += f', scope="{" ".join(sorted(scopes))}"'
        return (b"www-authenticate", value.encode("ascii"))

    def _render(
        self,
        status: int,
        code: str,
        message: str,
        facts: Mapping[str, Any],
        headers: HeaderList,
        exchange: Exchange,
        now_us: int,
    ) -> Answer:
        timestamp = time_text(now_us // 1_000_000 * 1_000_000)
        doc_url = f"{self._base_url}/docs/errors/{code}"
        exchange.outcome = code
        if exchange.dialect is Dialect.PAGE and self._page is not None:
            page_headers, page = self._page(status, _TITLES[status], message, exchange)
            return Answer(status, [*page_headers, *headers], page)
        if exchange.dialect is Dialect.ACCOUNT:
            facts = {**facts, "statusCode": status}
        elif exchange.dialect is Dialect.OAUTH:
            # What a description may hold: RFC 6749 §5.2.
            plain = message.encode("ascii", "replace").decode("ascii").replace("\\", "/").replace('"', "'")
            facts = {**facts, "error_description": plain}
        if exchange.problem_json:
            body: dict[str, Any] = {
                "type": doc_url,
                "title": _TITLES[status],
                "status": status,
                "detail": message,
                "error": code,
                "timestamp": timestamp,
                "request_id": exchange.request_id,
                **facts,
            }
            content_type = _PROBLEM_JSON
        else:
            body = {
                "error": code,
                "message": message,
                "code": status,
                "timestamp": timestamp,
                "request_id": exchange.request_id,
                "doc_url": doc_url,
                **facts,
            }
            content_type = b"application/json"
        return Answer(status, [(b"content-type", content_type), NO_STORE, *headers], json_bytes(body))
