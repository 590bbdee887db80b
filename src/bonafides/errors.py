"""Every failure that can reach a client, once, with its stable code.

A denial of a credential is not here: it is a value (`model.Rejected`). An exception means that the
request itself is wrong, clashes with what exists, or that the server cannot know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class AppError(Exception):
    """A failure whose `public` sentence may be shown to anyone; `internal` never leaves the log.

    Args:
        public: A sentence for a person that says what to do; no secret, nothing of the inside.
        field: The name of the offending input, dotted, where one is to blame.
        internal: What an operator needs to know, for the log alone.
    """

    code: ClassVar[str] = "internal_error"

    def __init__(self, public: str, *, field: str | None = None, internal: str = "") -> None:
        super().__init__(public)
        self.public = public
        self.field = field
        self.internal = internal


class InvalidRequest(AppError):
    """The request is malformed; `field` says where."""

    code = "invalid_request"


class UnreadableCredential(InvalidRequest):
    """A credential is presented twice, where it must not be, or so that it cannot be read."""


class PayloadTooLarge(InvalidRequest):
    """The body is longer than the server reads."""


class UnsupportedMediaType(InvalidRequest):
    """The body is of a type that this call does not read."""


class HeaderFieldsTooLarge(InvalidRequest):
    """The request's head is longer than the server reads."""


class RequestTimeout(InvalidRequest):
    """The request did not arrive in the time that the server waits for it."""


class MethodNotAllowed(InvalidRequest):
    """The path exists, but not for this method."""

    def __init__(self, public: str, *, allow: str) -> None:
        super().__init__(public)
        self.allow = allow


class Forbidden(AppError):
    """The caller is known and may not do this; `scopes` are what it would need.

    See: RFC 6750 §3.1
    """

    code = "insufficient_scope"

    def __init__(
        self, public: str, *, scopes: frozenset[str] = frozenset(), field: str | None = None
    ) -> None:
        super().__init__(public, field=field)
        self.scopes = scopes


class ProofNeeded(Forbidden):
    """The caller has logged in too long ago for this; proving anew who they are helps.

    Args:
        within_seconds: How long ago that may be.

    See: RFC 9470 §3
    """

    def __init__(self, *, within_seconds: int) -> None:
        super().__init__(
            "This needs a fresh proof that it is you. Send your password, or a code if you have a second factor, "
            "to /v1/auth/step-up, and repeat the call with the token that you get."
        )
        self.within_seconds = within_seconds


class NotFound(AppError):
    """There is no such thing, or it is not the caller's: the two look the same."""

    code = "not_found"


class Conflict(AppError):
    """The change clashes with what exists; the sentence names it."""

    code = "conflict"


class InvalidCredentials(AppError):
    """A name and a password that do not belong together; it is not told which of the two is wrong."""

    code = "invalid_credentials"

    def __init__(self, public: str = "The user name or the password is wrong.") -> None:
        super().__init__(public)


class InvalidClient(AppError):
    """Whoever calls did not prove that they are the client that they say; it is not told what was wrong.

    See: RFC 6749 §5.2
    """

    code = "invalid_client"

    def __init__(self, public: str = "The client is unknown, or did not prove who it is.") -> None:
        super().__init__(public)


class InvalidGrant(AppError):
    """The code, token or assertion is not good, or is not this client's."""

    code = "invalid_grant"


class DpopError(AppError):
    """A request is not proven to come from who holds a key; `at_resource` where it presents a token with it."""

    at_resource = False


class InvalidDpopProof(DpopError):
    """The proof is missing or malformed, is for another request, or was used before."""

    code = "invalid_dpop_proof"


class UseDpopNonce(DpopError):
    """The proof is good but for the nonce, which the answer tells."""

    code = "use_dpop_nonce"


class UnauthorizedClient(AppError):
    """The client may not use this grant."""

    code = "unauthorized_client"


class UnsupportedGrantType(AppError):
    """There is no such grant here."""

    code = "unsupported_grant_type"


class InvalidRequestObject(AppError):
    """A request object cannot be read, or is not one of the client that sends it.

    See: RFC 9101 §6.2
    """

    code = "invalid_request_object"


class UnsupportedResponseType(AppError):
    """Only codes are given at the authorization endpoint."""

    code = "unsupported_response_type"


class AuthorizationPending(AppError):
    """Nobody has decided yet about the device's request.

    See: RFC 8628 §3.5
    """

    code = "authorization_pending"


class SlowDown(AppError):
    """The device asks too often, and has to wait longer from then on.

    See: RFC 8628 §3.5
    """

    code = "slow_down"


class AccessDenied(AppError):
    """The person has said no."""

    code = "access_denied"


class ExpiredDeviceCode(AppError):
    """The device's request has ended before anybody decided.

    See: RFC 8628 §3.5
    """

    code = "expired_token"


class InvalidScope(AppError):
    """A scope is unknown, malformed, or more than may be had."""

    code = "invalid_scope"


class InvalidTarget(AppError):
    """A resource is unknown, malformed, or not the client's to ask for.

    See: RFC 8707 §2
    """

    code = "invalid_target"


class InvalidClientMetadata(AppError):
    """What a client says of itself is malformed, or does not go together; `field` says where.

    See: RFC 7591 §3.2.2
    """

    code = "invalid_client_metadata"


class InvalidRedirectUri(AppError):
    """A client may not register this redirect URI.

    See: RFC 7591 §3.2.2
    """

    code = "invalid_redirect_uri"


class TooManyRequests(AppError):
    """Somebody was wrong too often, and has to wait.

    Args:
        retry_after_seconds: How long; at least 1.
    """

    code = "rate_limit_exceeded"

    def __init__(self, *, retry_after_seconds: int) -> None:
        super().__init__(f"Rate limit exceeded. Try again in {retry_after_seconds} seconds.")
        self.retry_after_seconds = retry_after_seconds


class Unavailable(AppError):
    """The server cannot know the answer now, and so gives none.

    Args:
        retry_after_seconds: When asking again may help; at least 1.
    """

    code = "unavailable"

    def __init__(
        self,
        public: str = "The service cannot answer right now. Try again shortly.",
        *,
        retry_after_seconds: int = 1,
        internal: str = "",
    ) -> None:
        super().__init__(public, internal=internal)
        self.retry_after_seconds = retry_after_seconds


class Overloaded(Unavailable):
    """The server could know, but whoever asks has asked for more of it than it gives at once."""


class Misconfigured(AppError):
    """A setting is unknown, wrong or unsafe; the sentence says what to change. Stops the start."""

    code = "misconfigured"


class AlreadyInitialised(Conflict):
    """The database already holds an installation; nothing was changed."""


WIRE_CODES: Mapping[str, str] = {
    "invalid_request": "The request is malformed; the message names the field and says why.",
    "missing_api_key": "No credential was presented.",
    "invalid_api_key": "The API key or personal access token is unknown, revoked or disabled, or has no known shape.",
    "invalid_token": "The token is malformed, unknown, revoked or wrongly signed.",
    "token_expired": "The credential is past its expiry.",
    "invalid_credentials": "The user name or the password is wrong.",
    "invalid_client": "OAuth: the client is unknown, or did not prove who it is.",
    "invalid_grant": "OAuth: the code, token or assertion is not good, or is not this client's.",
    "invalid_dpop_proof": "OAuth: the proof of a key (DPoP) is missing or malformed, is for another request, or was used before.",
    "use_dpop_nonce": "OAuth: the proof of a key (DPoP) must repeat the nonce that the header `DPoP-Nonce` tells.",
    "unauthorized_client": "OAuth: the client may not use this grant.",
    "unsupported_grant_type": "OAuth: there is no such grant here.",
    "invalid_request_object": "OAuth: a request object cannot be read, or is not one of the client that sends it.",
    "unsupported_response_type": "OAuth: authorization requests are answered with a code alone.",
    "authorization_pending": "OAuth: nobody has decided yet about the device's request; ask again after its interval.",
    "slow_down": "OAuth: the device asks too often, and has to wait five seconds longer each time.",
    "access_denied": "OAuth: the person has said no.",
    "expired_token": "OAuth: the device's request has ended; begin again.",
    "invalid_scope": "OAuth: a scope is unknown, malformed, or more than may be had.",
    "invalid_target": "OAuth: a resource is unknown, malformed, or not the client's to ask for.",
    "invalid_client_metadata": "OAuth: what a client registers is malformed, or does not go together; `field` says where.",
    "invalid_redirect_uri": "OAuth: a client may not register this redirect URI.",
    "insufficient_scope": "The credential is good, but may not do this; `scope` lists what is needed.",
    "ip_not_allowed": "The credential is good, but not from this address.",
    "not_found": "There is no such thing, or it is not yours.",
    "conflict": "The request clashes with what exists; the message names it.",
    "rate_limit_exceeded": "Too many requests; `Retry-After` says when to come back.",
    "unavailable": "The server cannot know the answer now; try again after `Retry-After`.",
    "internal_error": "Something failed that should not have; quote the request id to the operator.",
}
