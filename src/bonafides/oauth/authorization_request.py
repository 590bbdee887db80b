"""An authorization request: what a client asks of a person, read and judged before anybody is asked.

It is judged in two stages. Until the client is known and the redirect URI is proven to be its own, whatever is
wrong is told to the person alone: an answer to an unproven URI would make the server lead people anywhere.
From then on it is told to the client, with its `state` and our `iss`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from bonafides.errors import InvalidRequest
from bonafides.oauth.claims import needs_acr, scopes_asked_for
from bonafides.oauth.client_metadata import CODE, IN_BROWSER, in_order
from bonafides.oauth.redirect_uris import is_registered, with_parameters

OPENID: Final = "openid"
OFFLINE_ACCESS: Final = "offline_access"
IDENTITY_SCOPES: Final = frozenset({OPENID, "profile", "email", OFFLINE_ACCESS})
"""Scopes of OpenID Connect: they open no API, so no ceiling of a user bounds them."""

PUSHED_PREFIX: Final = "urn:ietf:params:oauth:request_uri:"
RESOURCES_MAX: Final = 10
PAIRS_MAX: Final = 50
VALUE_MAX: Final = 4_096
MAX_AGE_MAX: Final = 10 * 366 * 86_400

_REPEATABLE: Final = frozenset({"resource"})
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")
_DIGITS: Final = re.compile(r"[0-9]{1,12}")
_UNSAFE: Final = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")


class ResponseMode(StrEnum):
    """How the answer gets to the client."""

    QUERY = "query"
    FORM_POST = "form_post"
    FRAGMENT = "fragment"
    """Of tokens alone: what stands there never reaches a server by itself."""


class Prompt(StrEnum):
    """What the client wants the person to be asked, or not.

    See: OpenID Connect Core §3.1.2.1
    """

    NONE = "none"
    LOGIN = "login"
    CONSENT = "consent"
    SELECT_ACCOUNT = "select_account"


class AskingClient(Protocol):
    """What is read of the client that asks."""

    @property
    def id(self) -> str: ...
    @property
    def redirect_uris(self) -> Sequence[str]: ...
    @property
    def grant_types(self) -> Collection[str]: ...
    @property
    def response_types(self) -> Collection[str]: ...
    @property
    def scopes(self) -> frozenset[str]: ...
    @property
    def audiences(self) -> Sequence[str]: ...
    @property
    def token_endpoint_auth_method(self) -> str: ...
    @property
    def require_pkce(self) -> bool: ...
    @property
    def registered(self) -> bool: ...
    @property
    def metadata(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Parameters:
    """A request as it was sent: unknown and empty parameters are gone, and which were given twice is known.

    See: RFC 6749 §3.1
    """

    values: Mapping[str, str]
    resources: tuple[str, ...]
    repeated: frozenset[str]

    def get(self, name: str) -> str | None:
        """The value of a parameter; None where it is absent, and where nobody can say which of two is meant."""
        return None if name in self.repeated else self.values.get(name)


KNOWN: Final = frozenset(
    {
        "acr_values",
        "claims",
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "dpop_jkt",
        "id_token_hint",
        "login_hint",
        "max_age",
        "nonce",
        "prompt",
        "redirect_uri",
        "registration",
        "request",
        "request_uri",
        "response_mode",
        "response_type",
        "scope",
        "state",
        "ui_locales",
    }
)


@dataclass(frozen=True, slots=True)
class Unproven:
    """Why nothing may be sent to the client: for the person alone."""

    message: str


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the answer goes, proven to be the client's own.

    Args:
        redirect_uri: In full, the port of an app on the machine itself included.
        named: Whether the request has named it; then the token request has to name it too.
        mode: How it gets there.
        state: Sent back as it was.
    """

    redirect_uri: str
    named: bool
    mode: ResponseMode
    state: str | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the client does not get what it asks for, as it is told.

    See: RFC 6749 §4.1.2.1
    """

    error: str
    description: str


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that is well-formed, and that its client may make."""

    client_id: str
    destination: Destination
    scopes: frozenset[str]
    response_type: str = CODE
    resources: tuple[str, ...] = ()
    code_challenge: str | None = None
    nonce: str | None = None
    prompt: frozenset[Prompt] = frozenset()
    max_age: int | None = None
    login_hint: str | None = None
    id_token_hint: str | None = None
    dpop_jkt: str | None = None
    acr_values: tuple[str, ...] = ()
    ui_locales: tuple[str, ...] = ()
    claims: Mapping[str, Any] = field(default_factory=dict)


def pairs_of(encoded: str) -> list[tuple[str, str]]:
    """The pairs of a query or a form, in their order.

    Raises:
        InvalidRequest: It is not in UTF-8, holds NUL characters, or has more pairs than any request needs.
    """
    try:
        pairs = parse_qsl(encoded, keep_blank_values=True, max_num_fields=PAIRS_MAX, errors="strict")
    except ValueError:
        message = f"The parameters are not in UTF-8, or there are more than {PAIRS_MAX} of them."
        raise InvalidRequest(message, field="query") from None
    if any("\x00" in part for pair in pairs for part in pair):
        message = "The parameters must not contain NUL characters."
        raise InvalidRequest(message, field="query")
    return pairs


def read(pairs: Iterable[tuple[str, str]]) -> Parameters:
    """The parameters of a request: what is not known is ignored, what is empty counts as absent."""
    values: dict[str, str] = {}
    resources: list[str] = []
    repeated: set[str] = set()
    for name, value in pairs:
        if not value:
            continue
        if name in _REPEATABLE:
            resources.append(value)
        elif name in KNOWN:
            if name in values:
                repeated.add(name)
            values[name] = value
    return Parameters(values, tuple(resources), frozenset(repeated))


def written(parameters: Parameters) -> list[tuple[str, str]]:
    """The pairs of a request, to be carried through a page; what is repeated is carried as it will be refused."""
    pairs = [
        (name, value) for name, value in parameters.values.items() for _ in range(_times(parameters, name))
    ]
    return pairs + [("resource", resource) for resource in parameters.resources]


def _times(parameters: Parameters, name: str) -> int:
    return 2 if name in parameters.repeated else 1


def destination_of(
    parameters: Parameters, client: AskingClient, *, implicit: bool = False
) -> Destination | Unproven:
    """Where the answer goes, or why it goes nowhere.

    Args:
        parameters: As sent.
        client: Who asks.
        implicit: Whether tokens may be given there at all.

    See: RFC 9700 §2.1 and §4.11.2
    """
    if "redirect_uri" in parameters.repeated:
        return Unproven("The application has named two addresses to return to. Go back to it, and try again.")
    asked = parameters.get("redirect_uri")
    if asked is None:
        if OPENID in (parameters.get("scope") or "").split(" ") or len(client.redirect_uris) != 1:
            return Unproven(
                "The application does not say where to return to: redirect_uri is missing from its request."
            )
        destination = client.redirect_uris[0]
    elif not is_registered(asked, client.redirect_uris):
        return Unproven(
            "The application asks to return to an address that is not registered for it (redirect_uri). "
            "Somebody may be trying to deceive you; do not go on."
        )
    else:
        destination = asked
    mode = ResponseMode.QUERY
    if implicit and in_order(parameters.get("response_type") or "") in IN_BROWSER:
        mode = ResponseMode.FRAGMENT
    if parameters.get("response_mode") == ResponseMode.FORM_POST:
        mode = ResponseMode.FORM_POST
    return Destination(
        redirect_uri=destination,
        named=asked is not None,
        mode=mode,
        state=parameters.get("state"),
    )


def judge(
    parameters: Parameters,
    client: AskingClient,
    destination: Destination,
    *,
    defined_scopes: frozenset[str],
    audiences: Sequence[str],
    pushed: bool = False,
    implicit: bool = False,
) -> AuthorizationRequest | Refusal:
    """The request, if it is well-formed and the client may make it.

    Args:
        parameters: As sent, or as pushed before.
        client: Who asks.
        destination: Already proven.
        defined_scopes: Every scope that this installation knows.
        audiences: Resources for which every client may ask; this server is one.
        pushed: Whether the client has proven who it is while it sent them.
        implicit: Whether tokens may be given in the answer itself.
    """
    return (
        _refused_form(parameters, client, pushed=pushed, implicit=implicit)
        or _refused_challenge(parameters, client)
        or _refused_values(parameters)
        or refused_resources(parameters, (*audiences, *client.audiences))
        or _accepted(parameters, client, destination, defined_scopes)
    )


def _refused_form(
    parameters: Parameters, client: AskingClient, *, pushed: bool, implicit: bool
) -> Refusal | None:
    if parameters.repeated:
        return _invalid(f"{min(parameters.repeated)} must be given once.")
    for name, value in parameters.values.items():
        if len(value) > VALUE_MAX:
            return _invalid(f"{name} must be at most {VALUE_MAX} characters long.")
    if parameters.get("request") is not None:
        return Refusal("request_not_supported", "Request objects are not taken: push the request instead.")
    if parameters.get("request_uri") is not None:
        return Refusal("request_uri_not_supported", "Only the request_uri of a pushed request is taken.")
    if parameters.get("registration") is not None:
        return Refusal("registration_not_supported", "Clients are registered before they ask.")
    if client.metadata.get("require_pushed_authorization_requests") is True and not pushed:
        return _invalid("This client has to push its authorization requests.")
    return _refused_type(parameters, client, implicit=implicit)


def _refused_type(parameters: Parameters, client: AskingClient, *, implicit: bool) -> Refusal | None:
    response_type = parameters.get("response_type")
    if response_type is None:
        return _invalid("response_type is required: code.")
    if implicit and in_order(response_type) in IN_BROWSER:
        return _refused_in_browser(parameters, client, in_order(response_type))
    if response_type != CODE:
        return Refusal("unsupported_response_type", "response_type must be code.")
    mode = parameters.get("response_mode")
    if mode not in {None, ResponseMode.QUERY, ResponseMode.FORM_POST}:
        return _invalid("response_mode must be query or form_post.")
    if "authorization_code" not in client.grant_types:
        return Refusal("unauthorized_client", "This client may not use the authorization_code grant.")
    return None


def _refused_in_browser(parameters: Parameters, client: AskingClient, kind: str) -> Refusal | None:
    """Why the client gets no tokens in the answer itself.

    See: OpenID Connect Core §3.2.2.1, OAuth 2.0 Multiple Response Types §3 and §5
    """
    if kind not in client.response_types:
        return Refusal("unauthorized_client", "This client has not registered this response_type.")
    if parameters.get("response_mode") not in {None, ResponseMode.FRAGMENT, ResponseMode.FORM_POST}:
        return _invalid("response_mode must be fragment or form_post where tokens are asked for.")
    if parameters.get("nonce") is None:
        return _invalid("nonce is required where tokens are asked for: it tells them from another's.")
    if parameters.resources or parameters.get("dpop_jkt") is not None:
        return _invalid("resource and dpop_jkt go with response_type=code.")
    beyond = set((parameters.get("scope") or "").split(" ")) - IDENTITY_SCOPES
    if beyond or OPENID not in (parameters.get("scope") or "").split(" "):
        return Refusal(
            "invalid_scope", "scope must hold openid, and nothing that opens more than /oauth/userinfo."
        )
    return None


def _refused_challenge(parameters: Parameters, client: AskingClient) -> Refusal | None:
    """Why the request's PKCE challenge does not do.

    Without a method it would be `plain`, which shows the secret to whoever sees the request.

    See: RFC 7636 §4.3 and §4.4.1, RFC 9700 §2.1.1
    """
    challenge, method = parameters.get("code_challenge"), parameters.get("code_challenge_method")
    if challenge is None:
        if method is not None:
            return _invalid("code_challenge_method is given without a code_challenge.")
        if client.require_pkce and parameters.get("response_type") == CODE:
            return _invalid("code_challenge is required, with code_challenge_method=S256 (PKCE).")
        return None
    if method != "S256":
        return _invalid("code_challenge_method must be S256.")
    if _CHALLENGE.fullmatch(challenge) is None:
        return _invalid("code_challenge must be the 43 characters of a SHA-256 digest in base64url.")
    return None


def _refused_values(parameters: Parameters) -> Refusal | None:
    prompt = (parameters.get("prompt") or "").split()
    unknown = sorted(set(prompt) - frozenset(Prompt))
    if unknown:
        return _invalid(f"prompt knows {', '.join(Prompt)}.")
    if Prompt.NONE in prompt and len(set(prompt)) > 1:
        return _invalid("prompt=none goes with no other prompt.")
    max_age = parameters.get("max_age")
    if max_age is not None and (_DIGITS.fullmatch(max_age) is None or int(max_age) > MAX_AGE_MAX):
        return _invalid("max_age must be a whole number of seconds.")
    claims = _claims_of(parameters)
    if claims is None:
        return _invalid("claims must be a JSON object.")
    if needs_acr(claims):
        return Refusal("unmet_authentication_requirements", "No login here is of a class that has a name.")
    thumbprint = parameters.get("dpop_jkt")
    if thumbprint is not None and _CHALLENGE.fullmatch(thumbprint) is None:
        return _invalid("dpop_jkt must be the SHA-256 thumbprint of a key in base64url.")
    return None


def _claims_of(parameters: Parameters) -> Mapping[str, Any] | None:
    """The claims that are asked for by name; None where that is no JSON object.

    See: OpenID Connect Core §5.5
    """
    try:
        claims = msgspec.json.decode(parameters.get("claims") or "{}")
    except (msgspec.DecodeError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None


def refused_resources(parameters: Parameters, allowed: Collection[str]) -> Refusal | None:
    """Why the client gets no token for what it names.

    See: RFC 8707 §2
    """
    if len(parameters.resources) > RESOURCES_MAX:
        return Refusal("invalid_target", f"At most {RESOURCES_MAX} resources may be named.")
    for resource in parameters.resources:
        if not is_resource(resource):
            return Refusal("invalid_target", "resource must be an absolute URI without a fragment.")
        if resource not in allowed:
            return Refusal("invalid_target", "This client gets no tokens for that resource.")
    return None


def is_resource(value: str) -> bool:
    """Whether it can name a protected resource: an absolute URI without a fragment."""
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(
        len(value) <= VALUE_MAX
        and parts.scheme
        and (parts.netloc or parts.path)
        and "#" not in value
        and not re.search(r"[^\x21-\x7e]", value)
    )


def _accepted(
    parameters: Parameters, client: AskingClient, destination: Destination, defined_scopes: frozenset[str]
) -> AuthorizationRequest | Refusal:
    scopes = scopes_asked(parameters.get("scope"), client, defined_scopes)
    if isinstance(scopes, Refusal):
        return scopes
    max_age, default_max_age = parameters.get("max_age"), client.metadata.get("default_max_age")
    if max_age is not None:
        default_max_age = int(max_age)
    claims = _claims_of(parameters) or {}
    if OPENID in scopes:
        scopes |= scopes_asked_for(claims) & client.scopes
    kind = in_order(parameters.get("response_type") or CODE)
    if kind != CODE:
        # Nothing goes on that was given so: OpenID Connect Core §11.
        scopes -= {OFFLINE_ACCESS}
    return AuthorizationRequest(
        client_id=client.id,
        destination=destination,
        scopes=scopes,
        response_type=kind,
        resources=tuple(dict.fromkeys(parameters.resources)),
        code_challenge=parameters.get("code_challenge"),
        nonce=parameters.get("nonce"),
        prompt=frozenset(Prompt(word) for word in (parameters.get("prompt") or "").split()),
        max_age=default_max_age if isinstance(default_max_age, int) else None,
        login_hint=parameters.get("login_hint"),
        id_token_hint=parameters.get("id_token_hint"),
        dpop_jkt=parameters.get("dpop_jkt"),
        acr_values=tuple((parameters.get("acr_values") or "").split()),
        ui_locales=tuple((parameters.get("ui_locales") or "").split()),
        claims=claims,
    )


def scopes_asked(
    scope: str | None, client: AskingClient, defined_scopes: frozenset[str]
) -> frozenset[str] | Refusal:
    """The scopes that a client asks a person for: each one is known here and allowed to it.

    Without any it asks for what it is allowed, but for `admin` and the person's own data: those are asked for by name.
    One that has registered itself gets what it may have of what it names, as when it did: agents name all that
    the metadata of a resource lists.

    See: RFC 6749 §3.3, OWASP ASVS 10.4.11
    """
    known = defined_scopes | IDENTITY_SCOPES
    if scope is None:
        default = (client.scopes & defined_scopes) - {"admin"}
        return default or Refusal("invalid_scope", "scope is required.")
    if _SCOPE.fullmatch(scope) is None:
        return Refusal("invalid_scope", "scope must be scope names separated by single spaces.")
    asked = frozenset(scope.split(" "))
    unknown = sorted(asked - known)
    if unknown:
        return Refusal("invalid_scope", f"{plain(unknown[0][:64])} is not a scope here.")
    beyond = sorted(asked - client.scopes)
    if beyond and not (client.registered and asked & client.scopes):
        return Refusal("invalid_scope", f"This client may not ask for {beyond[0]}.")
    return asked & client.scopes


Told = str | Refusal | tuple[tuple[str, str], ...]
"""What a client gets: a code, why it gets none, or tokens."""


def answer_parameters(destination: Destination, issuer: str, outcome: Told) -> list[tuple[str, str]]:
    """What the client is told: a code, tokens, or why there are none, its state, and who says so.

    Args:
        destination: Where it is told.
        issuer: Ours, so that no answer of ours passes for another server's.
        outcome: The code, the tokens, or the refusal.

    See: RFC 6749 §4.1.2, OpenID Connect Core §3.2.2.5, RFC 9207 §2
    """
    if isinstance(outcome, Refusal):
        told = [("error", outcome.error), ("error_description", plain(outcome.description))]
    elif isinstance(outcome, str):
        told = [("code", outcome)]
    else:
        told = list(outcome)
    if destination.state is not None:
        told.append(("state", destination.state))
    return [*told, ("iss", issuer)]


def answer_uri(destination: Destination, issuer: str, outcome: Told) -> str:
    """The redirect that tells the client, in response mode `query` or `fragment`."""
    if destination.mode is ResponseMode.FRAGMENT:
        return f"{destination.redirect_uri}#{urlencode(answer_parameters(destination, issuer, outcome))}"
    return with_parameters(destination.redirect_uri, answer_parameters(destination, issuer, outcome))


def plain(text: str) -> str:
    """Text in the characters that an `error_description` may have.

    See: RFC 6749 §4.1.2.1
    """
    return _UNSAFE.sub("?", text)


def _invalid(description: str) -> Refusal:
    return Refusal("invalid_request", description)
