"""What the OpenID Foundation's conformance suite is told of this server: a configuration for each plan, and its clients.

`python -m tests.conformance.plans` writes `plans/*.json`. Everything in them is made of the names below, so that
the server that is started for the suite knows the same clients.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from bonafides.secret import SecretKind, mint

FOLDER: Final = Path(__file__).parent / "plans"
HOST: Final = "localhost"
PORT: Final = 9443
SUITE: Final = "https://localhost.emobix.co.uk:8443"
EMAIL: Final = "conformance@example.com"
PASSWORD: Final = "seven conformant harbours"
WAIT_SECONDS: Final = 10
FAPI: Final = "fapi2-security-profile-final-"
"""What the names of its modules begin with."""
REFUSED: Final = "The application.s request cannot be answered"
"""On the page that says why nobody is led on, as a regular expression."""
LEAVE: Final = "button[name='decision'][value='leave']"
LOGOUTS_REFUSED: Final = (
    "bad-id-token-hint",
    "bad-post-logout-redirect-uri",
    "modified-id-token-hint",
    "no-id-token-hint",
    "query-added-to-post-logout-redirect-uri",
)
LOGOUTS_SHOWN: Final = ("no-params", "no-post-logout-redirect-uri", "only-state")
_ORDER: Final = int("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551", 16)

Json = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """A plan of the suite, and what it needs of a client.

    Args:
        file: Of its configuration, and the alias under which the suite runs it.
        plan: As `run-test-plan.py` takes it, with its variants.
        method: How its clients prove who they are; None where it registers them itself.
        fapi: Whether its clients are those of FAPI 2.0.
        openid: Whether it asks who the person is.
    """

    file: str
    plan: str
    method: str | None = "client_secret_basic"
    fapi: bool = False
    openid: bool = True


_STATIC: Final = "[server_metadata=discovery][client_registration=static_client]"
_CODE: Final = "[response_type=code][client_registration=static_client]"
_MODES: Final = "[response_type=code][response_mode=default]"
_FAPI: Final = (
    "fapi2-security-profile-final-test-plan[client_auth_type=private_key_jwt][sender_constrain=dpop]"
    "[fapi_profile=plain_fapi][openid={}]"
)
PLANS: Final = (
    Plan("config", "oidcc-config-certification-test-plan", None),
    Plan("basic", f"oidcc-basic-certification-test-plan{_STATIC}"),
    Plan("formpost-basic", f"oidcc-formpost-basic-certification-test-plan{_STATIC}"),
    Plan("dynamic", "oidcc-dynamic-certification-test-plan[response_type=code]", None),
    Plan("rp-initiated-logout", f"oidcc-rp-initiated-logout-certification-test-plan{_CODE}"),
    Plan("backchannel-logout", f"oidcc-backchannel-rp-initiated-logout-certification-test-plan{_CODE}"),
    *(
        Plan(f"oidcc-{method}", f"oidcc-test-plan[client_auth_type={method}]{_MODES}{_STATIC}", method)
        for method in ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")
    ),
    Plan("fapi2-openid", _FAPI.format("openid_connect"), "private_key_jwt", fapi=True),
    Plan("fapi2-oauth", _FAPI.format("plain_oauth"), "private_key_jwt", fapi=True, openid=False),
)
SECOND_METHOD: Final = "client_secret_post"
"""Of the client with which a plan tries the other way to send a secret."""


@dataclass(frozen=True)
class StaticClient:
    """A client that the server knows before the suite comes.

    Args:
        name: Unique, and what its id, secret and key are made of.
    """

    name: str
    plan: Plan
    method: str

    @property
    def id(self) -> str:
        """Its `client_id`."""
        return "cli_" + hashlib.sha256(self.name.encode()).hexdigest()[:22]

    @property
    def secret(self) -> str:
        """Its secret."""
        return mint(SecretKind.SEC, f"sec_{self.id[4:]}", lambda size: self._noise()[:size])

    @property
    def private_key(self) -> Json:
        """What it signs with, as a private JWK."""
        key = ec.derive_private_key(int.from_bytes(self._noise(), "big") % _ORDER, ec.SECP256R1())
        point = key.public_key().public_numbers()
        numbers = {"d": key.private_numbers().private_value, "x": point.x, "y": point.y}
        told = {
            name: base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()
            for name, number in numbers.items()
        }
        return {"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.name, **told}

    @property
    def public_key(self) -> Json:
        """The same, without what nobody else may know."""
        return {name: value for name, value in self.private_key.items() if name != "d"}

    def redirect_uris(self, suite: str) -> tuple[str, ...]:
        """Where the suite takes answers."""
        base = f"{suite}/test/a/{alias_of(self.plan)}/callback"
        return (base, f"{base}?dummy1=lorem&dummy2=ipsum")

    def post_logout_redirect_uris(self, suite: str) -> tuple[str, ...]:
        """Where the suite expects people after a logout."""
        return (f"{suite}/test/a/{alias_of(self.plan)}/post_logout_redirect",)

    def backchannel_logout_uri(self, suite: str) -> str:
        """Where the suite takes logout tokens."""
        return f"{suite}/test/a/{alias_of(self.plan)}/backchannel_logout"

    def told(self) -> Json:
        """What the suite knows of it."""
        known: Json = {"client_id": self.id}
        if self.method.startswith("client_secret"):
            known["client_secret"] = self.secret
        if self.method == "private_key_jwt":
            known["jwks"] = {"keys": [self.private_key]}
        if self.plan.fapi:
            scope = "openid offline_access read" if self.plan.openid else "read"
            known |= {"scope": scope, "dpop_signing_alg": "ES256", "id_token_signed_response_alg": "ES256"}
        return known

    def _noise(self) -> bytes:
        return hashlib.sha256(f"conformance {self.name}".encode()).digest()


def alias_of(plan: Plan) -> str:
    """Under which the suite runs a plan."""
    return f"bonafides-{plan.file}"


def clients_of(plan: Plan) -> dict[str, StaticClient]:
    """The clients of a plan, by the name that its configuration gives them."""
    if plan.method is None:
        return {}
    found = {name: StaticClient(f"{plan.file}-{name}", plan, plan.method) for name in ("client", "client2")}
    if plan.method == "client_secret_basic":
        second = StaticClient(f"{plan.file}-post", plan, SECOND_METHOD)
        found["client_secret_post"] = second
    return found


def _login(where: str, *, seen: str | None = None) -> Json:
    """Sign in, if the page for it comes.

    Args:
        where: The server's URL.
        seen: What is done with a picture of the page, before anything is filled in.
    """
    picture = [] if seen is None else [["wait", "xpath", "//*", WAIT_SECONDS, "Sign in", seen]]
    return {
        "task": "Sign in",
        "optional": True,
        "match": f"{where}/login*",
        "commands": [
            *picture,
            ["text", "name", "username", EMAIL],
            ["text", "name", "password", PASSWORD],
            ["click", "css", "form[action='/login'] button"],
        ],
    }


def _click(task: str, where: str, button: str) -> Json:
    return {
        "task": task,
        "optional": True,
        "match": where,
        "commands": [["click", "css", button, "optional"]],
    }


def _pictured(where: str, words: str) -> Json:
    """Take a picture of a page of ours."""
    wait = ["wait", "xpath", "//*", WAIT_SECONDS, words, "update-image-placeholder"]
    return {"task": "Our page", "match": f"{where}/*", "commands": [wait]}


def _answered(where: str, decision: str = "allow", seen: str | None = None) -> list[Json]:
    """All steps to an answer, of which only the last one always comes."""
    back = ["wait", "id", "submission_complete", WAIT_SECONDS]
    button = f"button[name='decision'][value='{decision}']"
    return [
        _login(where, seen=seen),
        _click("Answer", f"{where}/oauth/authorize*", button),
        _click("Answer by form", f"{where}/oauth/*", "form[data-submits] button"),
        {"task": "Back at the suite", "match": "*/test/*/callback*", "commands": [back]},
    ]


def _on(where: str, path: str, tasks: list[Json], times: int | None = None) -> Json:
    """What is done when the suite sends the browser to a path of ours; the first that fits counts."""
    return {
        "match": f"{where}{path}*",
        **({} if times is None else {"match-limit": times}),
        "tasks": tasks,
    }


def _overrides(where: str) -> Json:
    """Modules in which the browser does something else than to sign in and allow.

    See: the suite's own configurations of its `.gitlab-ci` and `scripts`
    """
    authorize, logout = "/oauth/authorize", "/oauth/logout"
    signs_in = _on(where, authorize, _answered(where))
    signs_in_once = _on(where, authorize, _answered(where), 1)
    refused = [_on(where, authorize, [_pictured(where, REFUSED)])]
    refused_then = [signs_in_once, *refused]
    pictured = [_on(where, authorize, _answered(where, seen="update-image-placeholder-optional"))]
    shown = [_on(where, authorize, [_login(where), _pictured(where, "Allow")])]
    stays = [signs_in, _on(where, logout, [_pictured(where, REFUSED)])]
    leave = _click("Sign out", f"{where}{logout}*", LEAVE)
    leaves = [signs_in, _on(where, logout, [leave, _pictured(where, "You are signed out")])]
    denied = [_on(where, authorize, _answered(where, "deny"))]
    looks = [_on(where, authorize, [{"task": "Look", "match": f"{where}/*"}], 1), signs_in]
    browsers = {
        "oidcc-prompt-login": pictured,
        "oidcc-max-age-1": pictured,
        "oidcc-ensure-registered-redirect-uri": refused,
        "oidcc-ensure-redirect-uri-in-authorization-request": refused,
        "oidcc-redirect-uri-query-mismatch": refused,
        "oidcc-redirect-uri-query-added": refused,
        "oidcc-registration-logo-uri": shown,
        "oidcc-registration-policy-uri": shown,
        "oidcc-registration-tos-uri": shown,
        **{f"oidcc-rp-initiated-logout-{name}": stays for name in LOGOUTS_REFUSED},
        **{f"oidcc-rp-initiated-logout-{name}": leaves for name in LOGOUTS_SHOWN},
        f"{FAPI}user-rejects-authentication": denied,
        f"{FAPI}par-ensure-reused-request-uri-prior-to-auth-completion-succeeds": looks,
        f"{FAPI}par-attempt-reuse-request_uri": refused_then,
        f"{FAPI}par-attempt-to-use-expired-request_uri": refused,
        f"{FAPI}par-attempt-to-use-request_uri-for-different-client": refused,
    }
    return {name: {"browser": browser} for name, browser in browsers.items()}


def configuration(plan: Plan, host: str = HOST, port: int = PORT) -> Json:
    """All that the suite is told for a plan."""
    where = f"https://{host}:{port}"
    leave = _click("Sign out", f"{where}/oauth/logout*", LEAVE)
    back = {"task": "Back at the suite", "match": "*/test/*/post_logout_redirect*"}
    metadata = "oauth-authorization-server" if plan.fapi and not plan.openid else "openid-configuration"
    told: Json = {
        "alias": alias_of(plan),
        "description": f"Bonafides: {plan.plan}",
        "server": {"discoveryUrl": f"{where}/.well-known/{metadata}", "login_hint": EMAIL},
        **{name: client.told() for name, client in clients_of(plan).items()},
        "resource": {"resourceUrl": f"{where}/{'v1/auth/verify' if plan.fapi else 'oauth/userinfo'}"},
        "browser": [
            _on(where, "/oauth/authorize", _answered(where)),
            _on(where, "/oauth/logout", [leave, back]),
        ],
        "override": _overrides(where),
    }
    if plan.method is None:
        told["client"] = {"client_name": "conformance"}
        told["client2"] = {"client_name": "conformance 2"}
    return told


SKIPS: Final = (
    ("oidcc-scope-address", "No address of a person is kept, so the scope is not offered."),
    ("oidcc-scope-phone", "No telephone number of a person is kept, so the scope is not offered."),
    ("oidcc-scope-all", "It asks for both of these."),
    ("oidcc-idtoken-unsigned", "ID tokens are always signed."),
    ("oidcc-registration-sector-uri", "Subjects are the same for all clients."),
    ("oidcc-registration-sector-bad", "The same."),
    (f"{FAPI}ensure-signed-client-assertion-with-RS256-fails", "The keys are ES256: it asks for RSA keys."),
)
"""What the suite skips here by itself, and why."""

FAILURES: Final[Mapping[str, Sequence[tuple[str, str, str, str]]]] = {
    "oidcc-userinfo-post-body": (
        (
            "",
            "UserInfoEndpointWithAccessTokenInBodyNotSupported",
            "warning",
            "Tokens are taken from headers alone; RFC 6750 lets a server do so.",
        ),
    ),
}
"""What fails or warns here, by module: block, condition, result, and why."""


def skips() -> list[Json]:
    """The same, as `run-test-plan.py --expected-skips-file` reads it."""
    return [
        {"test-name": name, "variant": "*", "configuration-filename": "*.json", "comment": why}
        for name, why in SKIPS
    ]


def failures() -> list[Json]:
    """The same, as `run-test-plan.py --expected-failures-file` reads it."""
    return [
        {
            "test-name": name,
            "variant": "*",
            "configuration-filename": "*.json",
            "current-block": block,
            "condition": condition,
            "expected-result": result,
            "comment": why,
        }
        for name, expected in FAILURES.items()
        for block, condition, result, why in expected
    ]


def documents() -> dict[str, Any]:
    """Every file of `plans/`, by its name."""
    files: dict[str, Any] = {f"{plan.file}.json": configuration(plan) for plan in PLANS}
    files["expected-skips.json"] = skips()
    files["expected-failures.json"] = failures()
    files["plans.json"] = [{"plan": plan.plan, "configuration": f"{plan.file}.json"} for plan in PLANS]
    return files


def written(document: object) -> str:
    """A document as it stands in its file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, document in documents().items():
        (FOLDER / file).write_text(written(document), encoding="utf-8")
