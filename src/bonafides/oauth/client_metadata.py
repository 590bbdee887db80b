"""Checks on what a client says of itself: grants, redirect URIs, keys; one set of them, whoever makes the client."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from bonafides.delegation import AuthMethod, Client, GrantType
from bonafides.errors import InvalidRequest
from bonafides.model import SigningAlgorithm
from bonafides.oauth.foreign_keys import ALGORITHMS, UNSIGNED, check_key_set
from bonafides.oauth.redirect_uris import check_redirect_uri, is_web_page
from bonafides.outgoing import may_be_named

GRANT_TYPES: Final = frozenset(
    {
        GrantType.AUTHORIZATION_CODE,
        GrantType.REFRESH_TOKEN,
        GrantType.CLIENT_CREDENTIALS,
        GrantType.DEVICE_CODE,
        GrantType.TOKEN_EXCHANGE,
        GrantType.JWT_BEARER,
    }
)
"""What a client may be allowed here."""
CODE: Final = "code"
ID_TOKEN: Final = "id_token"
ID_TOKEN_AND_TOKEN: Final = "id_token token"
IN_BROWSER: Final = frozenset({ID_TOKEN, ID_TOKEN_AND_TOKEN})
"""Response types that give tokens at the authorization endpoint itself (OpenID Connect Core §3.2)."""
METHOD_NAMED: Final = "auth_method_named"
"""In a client's metadata: somebody has said how it sends its secret; else it may send it in either way."""
ID_TOKEN_ALGORITHM: Final = "id_token_signed_response_alg"
USERINFO_ALGORITHM: Final = "userinfo_signed_response_alg"
REQUEST_URIS: Final = "request_uris"
REQUEST_ALGORITHM: Final = "request_object_signing_alg"
SIGNS_REQUESTS: Final = "require_signed_request_object"
SAID_METADATA: Final = (
    "application_type",
    "contacts",
    "default_acr_values",
    "default_max_age",
    "initiate_login_uri",
    "require_auth_time",
    "software_id",
    "software_version",
    "subject_type",
)
"""What a client that registers itself may say beside what every client has (RFC 7591 §2, OpenID Connect Registration §2)."""
URIS_MAX: Final = 50
URI_LENGTH_MAX: Final = 2_000
ACCESS_TOKEN_SECONDS: Final = 3_600
ACCESS_TOKEN_SECONDS_MIN: Final = 60
URI_PATTERN: Final = r"^[A-Za-z][A-Za-z0-9+.-]*:[!$-;=?-Z_a-z~\[\]]+$"

_URI: Final = re.compile(URI_PATTERN)
_NEEDS_ANOTHER: Final = frozenset({GrantType.REFRESH_TOKEN})


def checked(client: Client, *, implicit: bool = False) -> Client:
    """The client, if all that it says goes together.

    Args:
        client: As it would be.
        implicit: Whether the implicit grant is switched on.

    Raises:
        InvalidRequest: Naming the field that does not.

    See: RFC 7591 §2, OAuth 2.1 §2.3
    """
    _check_grants(client, GRANT_TYPES | {GrantType.IMPLICIT} if implicit else GRANT_TYPES)
    _check_response_types(client)
    _check_uris(client)
    if client.jwks:
        check_key_set(client.jwks, "jwks")
    _check_key_place(client)
    _check_logout_place(client)
    _check_signed(client)
    _check_request_objects(client)
    seconds = client.access_token_seconds
    if seconds is not None and not ACCESS_TOKEN_SECONDS_MIN <= seconds <= ACCESS_TOKEN_SECONDS:
        raise _wrong(
            "access_token_seconds",
            f"must be between {ACCESS_TOKEN_SECONDS_MIN} and {ACCESS_TOKEN_SECONDS} seconds",
        )
    _check_shown(client.metadata)
    return client


def _check_response_types(client: Client) -> None:
    wanted = response_types_of(client.grant_types)
    if GrantType.IMPLICIT not in client.grant_types:
        if client.response_types != wanted:
            raise _wrong(
                "response_types", 'must be ["code"] with the grant authorization_code, and empty without it'
            )
        return
    given = client.response_types & IN_BROWSER
    if not given or client.response_types - given != wanted - IN_BROWSER:
        raise _wrong(
            "response_types",
            f"the grant implicit needs {' or '.join(sorted(IN_BROWSER))}, and authorization_code needs code",
        )
    if not all(is_web_page(uri) for uri in client.redirect_uris):
        raise _wrong("redirect_uris", "the grant implicit sends tokens to https alone")
    if client.dpop_bound:
        raise _wrong("dpop_bound_access_tokens", "what the grant implicit gives cannot be bound to a key")


def _check_grants(client: Client, known: frozenset[str]) -> None:
    unknown = client.grant_types - known
    if unknown:
        raise _wrong(
            "grant_types",
            f"{min(unknown)[:100]!a} is not a grant here. There is {', '.join(sorted(known))}",
        )
    if not client.grant_types - _NEEDS_ANOTHER:
        raise _wrong("grant_types", "name a grant by which the client gets its first token")
    with_codes = GrantType.AUTHORIZATION_CODE in client.grant_types
    if (with_codes or GrantType.IMPLICIT in client.grant_types) and not client.redirect_uris:
        raise _wrong("redirect_uris", "the grant authorization_code needs one at least")
    if client.is_public and GrantType.CLIENT_CREDENTIALS in client.grant_types:
        raise _wrong(
            "token_endpoint_auth_method",
            "a client without credentials of its own cannot use client_credentials",
        )
    if client.is_public and GrantType.TOKEN_EXCHANGE in client.grant_types:
        raise _wrong(
            "token_endpoint_auth_method",
            "a client without credentials of its own cannot exchange what others presented to it",
        )
    if GrantType.JWT_BEARER in client.grant_types and not client.has_keys:
        raise _wrong("jwks", "the grant jwt-bearer needs the client's public keys, or jwks_uri")
    if client.is_public and with_codes and not client.require_pkce:
        raise _wrong("require_pkce", "a public client must prove that a code is for it")
    if (client.token_endpoint_auth_method is AuthMethod.PRIVATE_KEY_JWT) and not client.has_keys:
        raise _wrong("jwks", "private_key_jwt needs the client's public keys, or jwks_uri")


def _check_uris(client: Client) -> None:
    for uri in (*client.redirect_uris, *client.post_logout_redirect_uris):
        check_redirect_uri(
            uri, "redirect_uris" if uri in client.redirect_uris else "post_logout_redirect_uris"
        )
    for uri in client.audiences:
        check_resource(uri, "audiences")
    for name in ("redirect_uris", "post_logout_redirect_uris", "audiences"):
        if len(getattr(client, name)) > URIS_MAX:
            raise _wrong(name, f"may hold {URIS_MAX} URIs at most")


def _check_key_place(client: Client) -> None:
    """Keys stand in one place.

    See: RFC 7591 §2 and §5
    """
    if client.jwks_uri is None:
        return
    if client.jwks:
        raise _wrong("jwks_uri", "jwks and jwks_uri cannot both be given")
    if not may_be_named(client.jwks_uri):
        raise _wrong("jwks_uri", "must be an https URL, without a user name or a fragment")


def _check_logout_place(client: Client) -> None:
    """Logouts are told from server to server.

    See: OpenID Connect Back-Channel Logout §2.2
    """
    uri = client.metadata.get("backchannel_logout_uri")
    if uri is not None and not may_be_named(uri):
        raise _wrong("backchannel_logout_uri", "must be an https URL, without a user name or a fragment")


def _check_signed(client: Client) -> None:
    for name in (ID_TOKEN_ALGORITHM, USERINFO_ALGORITHM):
        said = client.metadata.get(name)
        if said is not None and said not in set(SigningAlgorithm):
            raise _wrong(name, f"must be one of {', '.join(SigningAlgorithm)}")


def _check_request_objects(client: Client) -> None:
    """Request objects stand where anybody may be sent to, and who has to sign them can.

    See: RFC 7591 §5, OpenID Connect Registration §2, RFC 9101 §10.5
    """
    uris = client.metadata.get(REQUEST_URIS) or ()
    if len(uris) > URIS_MAX:
        raise _wrong(REQUEST_URIS, f"may hold {URIS_MAX} URIs at most")
    # The fragment says which version of the object is meant: it is not sent.
    if not all(may_be_named(uri.partition("#")[0]) for uri in uris):
        raise _wrong(REQUEST_URIS, "must be https URLs, without a user name")
    named = client.metadata.get(REQUEST_ALGORITHM)
    if named not in {None, UNSIGNED, *ALGORITHMS}:
        raise _wrong(REQUEST_ALGORITHM, f"must be one of {', '.join((*ALGORITHMS, UNSIGNED))}")
    signs = client.metadata.get(SIGNS_REQUESTS) is True
    if signs and named == UNSIGNED:
        raise _wrong(REQUEST_ALGORITHM, "a client that has to sign its requests must not leave them unsigned")
    if signs and not client.has_keys:
        raise _wrong("jwks", f"{SIGNS_REQUESTS} needs the client's public keys, or jwks_uri")


def check_resource(uri: str, field: str) -> None:
    """Refuse what names no resource.

    Raises:
        InvalidRequest: It is not an absolute URI without a fragment.

    See: RFC 8707 §2
    """
    _parts(uri, field)
    if "#" in uri:
        raise _wrong(field, "a resource must not have a fragment")


def _parts(uri: str, field: str) -> SplitResult:
    if len(uri) > URI_LENGTH_MAX:
        raise _wrong(field, f"a URI must be at most {URI_LENGTH_MAX} characters long")
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018 - raises where it is none
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    if _URI.fullmatch(uri.replace("#", "")) is None or not parts.scheme or "@" in parts.netloc:
        raise _wrong(field, "must be absolute URIs, without a user name")
    return parts


def _check_shown(metadata: Mapping[str, Any]) -> None:
    """Pages show these links to people who do not know the client yet.

    See: RFC 7591 §5
    """
    for name in ("client_uri", "logo_uri", "policy_uri", "tos_uri", "initiate_login_uri"):
        uri = metadata.get(name)
        if uri is None:
            continue
        parts = _parts(uri, name)
        if parts.scheme != "https" or not parts.hostname:
            raise _wrong(name, "must be an https URL")


def _wrong(field: str, why: str) -> InvalidRequest:
    return InvalidRequest(f"{field}: {why}.", field=field)


def response_types_of(grant_types: Sequence[str] | frozenset[str]) -> frozenset[str]:
    """The response types that go with these grants."""
    codes = {CODE} if GrantType.AUTHORIZATION_CODE in grant_types else set()
    return frozenset(codes | (IN_BROWSER if GrantType.IMPLICIT in grant_types else set()))


def in_order(response_type: str) -> str:
    """A response type as it is known here: the order of its words means nothing (OAuth 2.0 Multiple Response Types §4)."""
    return " ".join(sorted(response_type.split(" ")))
