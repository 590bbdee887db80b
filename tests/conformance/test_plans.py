"""The suite's configurations fit the server that is started for them: its modules get where they mean to go."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit

import pytest
from joserfc import jwk

from tests.conformance.modules import CHALLENGE, VERIFIER, Held, Json, Suite, module_of
from tests.conformance.plans import (
    FAPI,
    FOLDER,
    LOGOUTS_REFUSED,
    LOGOUTS_SHOWN,
    PLANS,
    SUITE,
    Plan,
    documents,
    written,
)

WALKED: Final = [plan for plan in PLANS if plan.method is not None and not plan.fapi]
HELD: Final = [plan for plan in PLANS if plan.fapi]
METADATA: Final[dict[str, list[str]]] = {
    "response_types_supported": ["code", "id_token", "id_token token"],
    "grant_types_supported": ["authorization_code", "implicit"],
    "request_object_signing_alg_values_supported": ["RS256", "none"],
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": ["RS256", "ES256"],
    "userinfo_signing_alg_values_supported": ["RS256", "ES256"],
    "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
    "token_endpoint_auth_signing_alg_values_supported": ["ES256", "RS256"],
    "dpop_signing_alg_values_supported": ["ES256"],
    "code_challenge_methods_supported": ["S256"],
    "scopes_supported": ["openid", "offline_access"],
    "claims_supported": ["sub"],
}
"""What the lists of the metadata must hold, for one plan or another."""


@pytest.mark.parametrize("plan", WALKED, ids=lambda plan: plan.file)
def test_the_client_of_each_plan_gets_through(suite: Suite, plan: Plan) -> None:
    """The suite would stop at its first step, for want of a client, a password or a button."""
    module = module_of(suite, plan.file)
    mode = "form_post" if plan.file.startswith("formpost") else None
    brought = module.goes(scope="openid profile email", response_mode=mode)
    assert (brought["state"], brought["iss"]) == ("s", suite.url), brought
    tokens = module.redeems(brought["code"])
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert module.http.get("/oauth/userinfo", headers=headers).json()["email"]
    assert "RS256" in {key["alg"] for key in module.reads_keys()}
    assert module.goes(prompt="none", response_mode=mode)["code"]


def test_modules_that_want_pictures_of_pages_get_them(suite: Suite) -> None:
    """A module whose picture nobody takes waits until the suite gives it up."""
    for name, change in (("oidcc-prompt-login", {"prompt": "login"}), ("oidcc-max-age-1", {"max_age": "0"})):
        module = module_of(suite, "basic", name)
        assert module.goes()["code"]
        assert module.goes(**change)["code"]
        assert module.screen.pictures == ["Sign in"] * 2
    for name, bad in (
        ("oidcc-ensure-registered-redirect-uri", {"redirect_uri": f"{SUITE}/elsewhere"}),
        ("oidcc-ensure-redirect-uri-in-authorization-request", {"redirect_uri": None}),
    ):
        module = module_of(suite, "basic", name)
        assert module.goes(**bad) == {}
        assert len(module.screen.pictures) == 1
    module = module_of(suite, "basic")
    assert module.goes(response_type=None)["error"] == "invalid_request"
    assert module.goes(prompt="none")["error"] == "login_required"


def test_modules_of_logouts_end_where_they_should(suite: Suite) -> None:
    """The plans for logouts would stop at a page that nobody answers, or end no login."""
    names = ["", *(f"-{name}" for name in (*LOGOUTS_REFUSED, *LOGOUTS_SHOWN))]
    for name in names:
        module = module_of(suite, "rp-initiated-logout", f"oidcc-rp-initiated-logout{name}")
        hint = module.redeems(module.goes()["code"])["id_token"]
        back = f"{SUITE}/test/a/{module.told['alias']}/post_logout_redirect"
        said = {"id_token_hint": hint, "post_logout_redirect_uri": back, "state": "z" * 128}
        match name[1:]:
            case "bad-id-token-hint" | "modified-id-token-hint":
                said["id_token_hint"] = hint[:-20]
            case "bad-post-logout-redirect-uri" | "query-added-to-post-logout-redirect-uri":
                said["post_logout_redirect_uri"] = f"{back}?foo=bar"
            case "no-id-token-hint":
                del said["id_token_hint"]
            case "no-params":
                said = {}
            case "no-post-logout-redirect-uri":
                del said["post_logout_redirect_uri"]
            case "only-state":
                said = {"state": "z"}
            case _:
                assert not name
        brought = module.screen.go(f"{suite.url}/oauth/logout?{urlencode(said)}")
        assert brought == ({} if name else {"state": "z" * 128}), name
        assert len(module.screen.pictures) == (1 if name else 0), name
        if name[1:] not in LOGOUTS_REFUSED:
            assert module.goes(prompt="none")["error"] == "login_required", name


@pytest.mark.parametrize("plan", HELD, ids=lambda plan: plan.file)
def test_a_client_of_fapi_gets_through(suite: Suite, plan: Plan) -> None:
    """FAPI 2.0: nothing of it had been walked, and each of these steps is one at which the suite would stop."""
    module = module_of(suite, plan.file)
    assert isinstance(module, Held)
    metadata = module.http.get(module.told["server"]["discoveryUrl"]).json()
    assert metadata["issuer"] == suite.url
    redirect_uri = f"{module.callback}?dummy1=lorem&dummy2=ipsum"
    brought = module.screen.go(module.pushes("client2", redirect_uri=redirect_uri))
    assert (brought["dummy1"], brought["dummy2"], brought["iss"]) == ("lorem", "ipsum", suite.url)
    fields: Json = {"grant_type": "authorization_code", "code_verifier": VERIFIER}
    wrong = module.gets(**fields, redirect_uri=redirect_uri, code=brought["code"])
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")
    brought = module.screen.go(module.pushes())
    assert brought["state"] == "s"
    fields |= {"redirect_uri": module.callback, "code": brought["code"]}
    unbound, _ = module.proof(aud=suite.url)
    alone = module.http.post("/oauth/token", data={**fields, **unbound})
    assert (alone.status_code, alone.json()["error"]) == (400, "invalid_request")
    tokens = module.gets(**fields).json()
    assert (tokens["token_type"], "id_token" in tokens) == ("DPoP", plan.openid)
    resource = module.told["resource"]["resourceUrl"].removeprefix(suite.url)
    for scheme in ("DPoP", "dPOp"):
        proof = module.demonstrates("GET", resource, tokens["access_token"])
        headers = {"Authorization": f"{scheme} {tokens['access_token']}", **proof}
        assert module.http.get(resource, headers=headers).status_code == 200
    assert module.http.get(resource, params={"access_token": tokens["access_token"]}).status_code in {
        400,
        401,
    }
    again: Json = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    for _ in range(2):
        renewed = module.gets(**again).json()
        assert renewed["token_type"] == "DPoP"
        assert "refresh_token" not in renewed
    assert module.gets("client2", **again).json()["error"] == "invalid_grant"
    assert module.gets(**fields).json()["error"] == "invalid_grant"


def test_a_proof_may_say_when_it_begins_and_ends(suite: Suite) -> None:
    """FAPI 2.0: a module has `nbf` and `exp` in its proofs, and goes on only where they are taken."""
    module = module_of(suite, "fapi2-openid", f"{FAPI}check-dpop-proof-nbf-exp")
    assert isinstance(module, Held)
    times: Json = {"nbf": int(time.time()), "exp": int(time.time()) + 300}
    brought = module.screen.go(module.pushes())
    said, _ = module.proof(aud=suite.url)
    fields = {"grant_type": "authorization_code", "code_verifier": VERIFIER, "redirect_uri": module.callback}
    proof = module.demonstrates("POST", "/oauth/token", **times)
    answer = module.http.post("/oauth/token", data={**fields, "code": brought["code"], **said}, headers=proof)
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    headers = {
        "Authorization": f"DPoP {token}",
        **module.demonstrates("GET", "/v1/auth/verify", token, **times),
    }
    assert module.http.get("/v1/auth/verify", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["openid-configuration", "oauth-authorization-server"])
def test_the_metadata_is_what_the_suite_looks_for(suite: Suite, path: str) -> None:
    """Its first module of each plan would fail, all but where `plans.py` says so: the conditions are those of its source."""
    url = f"{suite.url}/.well-known/{path}"
    answer = suite.client().get(url)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    told = answer.json()
    assert url == f"{told['issuer']}/.well-known/{path}"
    assert urlsplit(told["issuer"]).query == urlsplit(told["issuer"]).fragment == ""
    endpoints = {name: value for name, value in told.items() if name.endswith(("_endpoint", "_uri"))}
    assert {"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"} <= endpoints.keys()
    assert {"registration_endpoint", "end_session_endpoint"} <= endpoints.keys()
    assert all(value.startswith("https://") for value in endpoints.values()), endpoints
    for name, wanted in METADATA.items():
        assert set(wanted) <= set(told[name]), name
    scopes = told["scopes_supported"]
    assert all(re.fullmatch(r"[\x21\x23-\x5b\x5d-\x7e]+", scope) for scope in scopes), scopes
    assert "none" not in told["id_token_signing_alg_values_supported"]
    assert told["backchannel_logout_supported"] is told["backchannel_logout_session_supported"] is True
    for name in ("request_parameter_supported", "request_uri_parameter_supported"):
        assert told[name] is True
    keys = module_of(suite, "config").reads_keys()
    assert len({key["kid"] for key in keys}) == len(keys)
    assert not any(key.keys() & {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} for key in keys)
    for key in keys:
        # `VerifyNewJwksHasNewSigningKey` knows no others.
        assert key["kty"] in {"RSA", "EC"}
        assert jwk.import_key(key).as_dict(private=False)["kty"] == key["kty"]


def test_modules_of_fapi_that_end_on_a_page_are_pictured(suite: Suite) -> None:
    """FAPI 2.0: a pushed request serves once, its own client, and who has only looked at the page may come again."""
    module = module_of(suite, "fapi2-openid", f"{FAPI}user-rejects-authentication")
    assert isinstance(module, Held)
    assert module.screen.go(module.pushes("client2"))["error"] == "access_denied"
    looks = f"{FAPI}par-ensure-reused-request-uri-prior-to-auth-completion-succeeds"
    module = module_of(suite, "fapi2-openid", looks)
    assert isinstance(module, Held)
    address = module.pushes()
    assert module.screen.go(address) == {}
    assert module.screen.go(address)["code"]
    module = module_of(suite, "fapi2-openid", f"{FAPI}par-attempt-reuse-request_uri")
    assert isinstance(module, Held)
    address = module.pushes()
    assert module.screen.go(address)["code"]
    assert module.screen.go(address) == {}
    other = module.told["client2"]["client_id"]
    address = module.pushes().replace(module.told["client"]["client_id"], other)
    assert module.screen.go(address) == {}
    assert len(module.screen.pictures) == 2
    module = module_of(suite, "fapi2-openid")
    unpushed = module.goes(code_challenge=CHALLENGE, code_challenge_method="S256")
    assert unpushed["error"] == "invalid_request"


def test_the_files_are_those_that_the_plans_make() -> None:
    """The suite would be told of clients that the server does not know; mend: python -m tests.conformance.plans."""
    wanted = {name: written(document) for name, document in documents().items()}
    found = {path.name: path.read_text(encoding="utf-8") for path in Path(FOLDER).glob("*.json")}
    assert found == wanted
    assert all(json.loads(text) for text in found.values())
