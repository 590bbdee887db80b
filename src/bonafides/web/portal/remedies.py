"""What to do about each error: for whoever reads its page."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

REMEDIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "invalid_request": "Read `message` and `field`, and change that part of the request. The same request is refused again.",
        "missing_api_key": "Send your credential in the header `Authorization: Bearer …`. A proxy or a redirect may have dropped it.",
        "invalid_api_key": (
            "Check that the whole key was copied, without spaces, and that it is a key of this server. If it was revoked or disabled, "
            "ask its owner for another one: a key that was refused never becomes good by itself."
        ),
        "invalid_token": "Get a new token: exchange your key again, refresh, or log in. If that goes on, the key or session behind it has ended.",
        "token_expired": "Get a new credential. Answers carry `X-Credential-Expires-At` in the last 14 days before an end, so that it surprises nobody.",
        "invalid_credentials": "Check the user name and the password. After several wrong ones, wait as long as `Retry-After` says, or reset the password.",
        "invalid_client": (
            "Check the client's id and secret, that the secret has not run out, and that it is sent in the one way that the client is registered for."
        ),
        "invalid_dpop_proof": (
            "Make a new proof for each request, with its method (`htm`), its URL without the query (`htu`), the time (`iat`), a `jti` of its own and, beside a token, "
            "`ath`; and sign it with the key that the token is bound to. A clock that is wrong by minutes has the same effect."
        ),
        "use_dpop_nonce": "Send the same request again with a new proof whose `nonce` is the value of the header `DPoP-Nonce`. Keep it for the next ones.",
        "invalid_grant": (
            "Begin again. A code is good once, for the client, the `redirect_uri` and the `code_verifier` that it was made for; a refresh token that "
            "was renewed is no longer good."
        ),
        "unauthorized_client": "Have an admin allow this grant for the client, or use one that it has.",
        "unsupported_grant_type": "Use one of the grants that the discovery document lists.",
        "invalid_request_object": "Sign the object as the client has registered, for this server, with an end in the future.",
        "unsupported_response_type": "Ask with `response_type=code`.",
        "authorization_pending": "Ask again after the interval that the first answer named, until somebody has decided.",
        "slow_down": "Wait five seconds longer between two questions from now on.",
        "access_denied": "The person decided against it. Ask again only when they begin anew.",
        "expired_token": "Begin a new request, and show its new code.",
        "invalid_scope": "Ask for scopes that exist here and that the client may have; without `scope` you get all of these.",
        "invalid_target": "Ask for a resource that the client is registered for.",
        "invalid_client_metadata": "Read `field`, and change that line of what the client says of itself.",
        "invalid_redirect_uri": (
            "Register an `https` URI, a loopback address, or a scheme of the application's own, without a fragment; what comes back is compared letter by letter."
        ),
        "insufficient_scope": (
            "`scope` names what is needed. Have a credential made that has it; nobody can give more than they have themselves. Where `WWW-Authenticate` "
            "says `insufficient_user_authentication`, prove anew who you are at `/v1/auth/step-up`."
        ),
        "ip_not_allowed": "Call from an address that the credential is bound to, or have its owner change `allowed_ips`.",
        "not_found": "Check the id and the path. What belongs to somebody else looks the same as what does not exist.",
        "conflict": "Read `message`: it names what is in the way. Change that, or choose another name.",
        "rate_limit_exceeded": "Wait for as many seconds as `Retry-After` says. If that happens often, ask for a larger plan.",
        "unavailable": "Try again after `Retry-After`. Nothing is decided about your credential, and nothing was done.",
        "internal_error": "Try again, and give the request's id to whoever runs this server if it goes on.",
    }
)
