"""What clients read of this server before they first use it, under every name that they look for it by.

See: RFC 8414, OpenID Connect Discovery 1.0
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Response

from bonafides.credentials.signing_keys import SigningKeys
from bonafides.delegation import AuthMethod, GrantType
from bonafides.errors import NotFound
from bonafides.model import STANDARD_SCOPES
from bonafides.oauth.authorization_request import ResponseMode
from bonafides.oauth.claims import CLAIMS
from bonafides.oauth.client_metadata import CODE, IN_BROWSER
from bonafides.oauth.foreign_keys import ALGORITHMS, UNSIGNED
from bonafides.oauth.request_objects import Taken
from bonafides.resources import REGISTRATION_PATH
from bonafides.settings import Settings
from bonafides.web.answers import json_answer
from bonafides.web.introspection import PATH as INTROSPECTION_PATH
from bonafides.web.oauth.logout import LOGOUT
from bonafides.web.oauth.requests import DEVICE_PATH, PAR_PATH
from bonafides.web.oauth.token import REVOCATION_PATH, TOKEN_PATH
from bonafides.web.oauth.userinfo import PATH as USERINFO_PATH
from bonafides.web.replies import reply
from bonafides.web.schemas import ServerMetadata

OAUTH: Final = "/.well-known/oauth-authorization-server"
OPENID: Final = "/.well-known/openid-configuration"

_PROVEN: Final = [str(method) for method in AuthMethod if method is not AuthMethod.NONE]


class Discovery:
    """Describes the server.

    Args:
        settings: For its URL and its scopes.
        signing_keys: How tokens are signed.
        grant_types: The grants there are.
    """

    def __init__(self, settings: Settings, signing_keys: SigningKeys, grant_types: Sequence[str]) -> None:
        self._settings = settings
        self._signing_keys = signing_keys
        self._grant_types = grant_types
        self.path = urlsplit(settings.base_url).path

    def metadata(self) -> dict[str, Any]:
        """The metadata; the issuer in it is that of tokens, letter by letter."""
        issuer = self._settings.base_url
        implicit = self._settings.implicit_grant_for_certification
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/oauth/authorize",
            "end_session_endpoint": issuer + LOGOUT,
            "token_endpoint": issuer + TOKEN_PATH,
            "jwks_uri": f"{issuer}/.well-known/jwks.json",
            "revocation_endpoint": issuer + REVOCATION_PATH,
            "introspection_endpoint": issuer + INTROSPECTION_PATH,
            "userinfo_endpoint": issuer + USERINFO_PATH,
            "pushed_authorization_request_endpoint": issuer + PAR_PATH,
            "device_authorization_endpoint": issuer + DEVICE_PATH,
            "registration_endpoint": issuer + REGISTRATION_PATH,
            "scopes_supported": sorted(self._settings.defined_scopes | STANDARD_SCOPES),
            "response_types_supported": [CODE, *(sorted(IN_BROWSER) if implicit else ())],
            "response_modes_supported": [
                str(mode) for mode in ResponseMode if implicit or mode is not ResponseMode.FRAGMENT
            ],
            "grant_types_supported": [*self._grant_types, *([GrantType.IMPLICIT] if implicit else ())],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": list(self._signing_keys.offered_algorithms()),
            "userinfo_signing_alg_values_supported": list(self._signing_keys.offered_algorithms()),
            "display_values_supported": ["page"],
            "claim_types_supported": ["normal"],
            "token_endpoint_auth_methods_supported": [str(method) for method in AuthMethod],
            "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
            "revocation_endpoint_auth_methods_supported": [str(method) for method in AuthMethod],
            "revocation_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
            "introspection_endpoint_auth_methods_supported": _PROVEN,
            "introspection_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
            "code_challenge_methods_supported": ["S256"],
            "dpop_signing_alg_values_supported": list(ALGORITHMS),
            "claims_supported": [*CLAIMS, "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr"],
            "claims_parameter_supported": True,
            "backchannel_logout_supported": True,
            "backchannel_logout_session_supported": True,
            "authorization_response_iss_parameter_supported": True,
            "client_id_metadata_document_supported": self._settings.client_id_documents,
            "request_parameter_supported": bool(self._objects()),
            "request_uri_parameter_supported": bool(self._objects()),
            **self._objects(),
            "require_pushed_authorization_requests": False,
        }

    def _objects(self) -> dict[str, Any]:
        """How requests may be written down, where they may be at all.

        See: RFC 9101 §10.5, OpenID Connect Discovery §3
        """
        taken = Taken(self._settings.request_objects)
        if taken is Taken.OFF:
            return {}
        unsigned = [UNSIGNED] if taken is Taken.ANY else []
        return {
            "require_request_uri_registration": True,
            "request_object_signing_alg_values_supported": [*ALGORITHMS, *unsigned],
        }


def routes(discovery: Discovery) -> APIRouter:
    """The routes of discovery: by both names, and, for an issuer with a path, with that path behind them."""
    router = APIRouter(tags=["OAuth 2.0"])

    def answer() -> Response:
        return reply(json_answer(200, discovery.metadata()))

    for path, operation_id, summary in (
        (OAUTH, "getAuthorizationServer", "Metadata of this authorization server (RFC 8414)"),
        (OPENID, "getOpenidConfiguration", "Metadata of this OpenID provider (OpenID Connect Discovery)"),
    ):

        async def metadata() -> Response:
            return answer()

        async def behind(issuer_path: str) -> Response:
            if f"/{issuer_path}" != discovery.path:
                message = "There is no issuer of this path here."
                raise NotFound(message)
            return answer()

        responses: dict[int | str, dict[str, Any]] = {
            200: {"model": ServerMetadata, "description": "Where everything is, and what is supported."}
        }
        router.add_api_route(
            path, metadata, methods=["GET"], operation_id=operation_id, summary=summary, responses=responses
        )
        router.add_api_route(f"{path}/{{issuer_path:path}}", behind, methods=["GET"], include_in_schema=False)
    return router
