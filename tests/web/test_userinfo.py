"""`/oauth/userinfo` and single claims: what a client asks to know of a person, and how it is told."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest

from tests.pages.browsing import visitor
from tests.pages.clients import answered, application, consent_page
from tests.web.oauth import app
from tests.web.tenancy import Tenancy, refusal
from tests.web.test_token_client_credentials import claims_in

USERINFO = "/oauth/userinfo"
OF_PERSON = ("openid", "profile", "email", "read")


def test_a_client_gets_userinfo_signed_as_it_says(tenancy: Tenancy) -> None:
    """OpenID Connect Core §5.3.2: whoever hands it on could change who the person is."""
    signing = app(tenancy, userinfo_signed_response_alg="RS256")
    user = tenancy.user()
    answer = tenancy.client(signing.granted(user, "openid email")["access_token"]).get(USERINFO)
    assert answer.headers["content-type"] == "application/jwt"
    assert answer.headers["cache-control"] == "no-store"
    keys = jwt.PyJWKSet.from_dict(tenancy.client().get("/.well-known/jwks.json").json())
    key = keys[jwt.get_unverified_header(answer.text)["kid"]]
    told = jwt.decode(answer.text, key, ["RS256"], audience=signing.id)
    assert told == {
        "iss": tenancy.server.settings.base_url,
        "aud": signing.id,
        "sub": user["id"],
        "email": user["email"],
        "email_verified": False,
    }
    assert refusal(tenancy.client(answer.text).get(USERINFO))[0] == 401


def test_how_it_is_signed_is_changed_and_taken_back(tenancy: Tenancy) -> None:
    """A client that cannot read it any more would have to be made anew."""
    signing = app(tenancy, userinfo_signed_response_alg="ES256")
    token = tenancy.client(signing.granted(tenancy.user(), "openid")["access_token"])
    assert token.get(USERINFO).headers["content-type"] == "application/jwt"
    path = f"/v1/clients/{signing.id}"
    assert tenancy.api.get(path).json()["userinfo_signed_response_alg"] == "ES256"
    tenancy.api.patch(path, json={"userinfo_signed_response_alg": None})
    assert token.get(USERINFO).headers["content-type"] == "application/json"
    refused = tenancy.api.patch(path, json={"userinfo_signed_response_alg": "none"})
    assert refused.json()["field"].startswith("userinfo_signed_response_alg")


def test_single_claims_are_asked_for_and_told(tenancy: Tenancy) -> None:
    """OpenID Connect Core §5.5: a client would take all of a person's data to know their name."""
    program = application(tenancy, *OF_PERSON)
    wanted = {"id_token": {"email": None}, "userinfo": {"name": {"essential": True}, "shoe_size": None}}
    browser = visitor(tenancy)
    read = consent_page(browser, program.path(scope="openid", claims=json.dumps(wanted)))
    assert "See your name" in read.words
    assert "See your e-mail address" in read.words
    code = program.answer(answered(browser, read))["code"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": program.id,
        "client_secret": program.secret or "",
        "redirect_uri": program.redirect_uri,
        "code_verifier": program.verifier,
    }
    tokens = tenancy.client().post("/oauth/token", data=form).json()
    assert tokens["scope"] == "email openid profile"
    told = claims_in(tokens["id_token"])
    assert "email" in told
    assert "name" not in told
    assert "name" in tenancy.client(tokens["access_token"]).get(USERINFO).json()


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"id_token": {"acr": {"essential": True, "values": ["gold"]}}}, "unmet_authentication_requirements"),
        ({"id_token": {"sub": {"value": "usr_other"}}}, "login_required"),
    ],
)
def test_what_nobody_here_can_meet_is_said(tenancy: Tenancy, asked: dict[str, Any], error: str) -> None:
    """OpenID Connect Core §5.5.1: a client would take one person, or one login, for another."""
    program = application(tenancy, *OF_PERSON)
    path = program.path(scope="openid", prompt="none", claims=json.dumps(asked))
    assert program.answer(visitor(tenancy).send("GET", path))["error"] == error


def test_a_client_is_told_no_more_than_it_may_know(tenancy: Tenancy) -> None:
    """OpenID Connect Core §5.5: `claims` would be a way round the scopes that a client was given."""
    program = application(tenancy, "openid", "read")
    wanted = {"userinfo": {"email": {"essential": True}}, "id_token": {"name": None}}
    read = consent_page(visitor(tenancy), program.path(scope="openid", claims=json.dumps(wanted)))
    assert "See your" not in read.words


def test_userinfo_is_no_hint(tenancy: Tenancy) -> None:
    """A signed answer that is handed on would log the person out without a question."""
    made_for = app(tenancy, userinfo_signed_response_alg="RS256")
    token = made_for.granted(tenancy.user(), "openid")["access_token"]
    hint = tenancy.client(token).get(USERINFO).text
    answer = tenancy.client().get("/oauth/logout", params={"id_token_hint": hint})
    assert answer.status_code == 400
