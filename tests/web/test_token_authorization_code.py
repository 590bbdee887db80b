"""`/oauth/token`, for a client that people let do something: codes, refresh tokens, who they are, and the end of it."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import jwt
import pytest

from bonafides.oauth.authorize import CODE_SECONDS
from tests.web.oauth import REDIRECT_URI, VERIFIER, App, app, challenge_of, new_verifier, public_app
from tests.web.people import login, person
from tests.web.tenancy import Json, Tenancy, refusal
from tests.web.test_token_client_credentials import claims_in, oauth_error

AT_ONCE = 50
GRACE_SECONDS = 10


def is_good(tenancy: Tenancy, token: str) -> bool:
    """Whether a request with this access token is let in."""
    return tenancy.verify(token).status_code == 200


def all_at_once(tenancy: Tenancy, made: App, **fields: str) -> list[httpx2.Response]:
    """The same call, many times in the same moment."""
    client = tenancy.server.client()

    def ask(_: int) -> httpx2.Response:
        return client.post("/oauth/token", data={**made.body, **fields}, auth=made.auth)

    with ThreadPoolExecutor(10) as pool:
        return list(pool.map(ask, range(AT_ONCE)))


def test_a_code_gives_tokens_that_speak_for_the_person(tenancy: Tenancy) -> None:
    """A client could not do what somebody let it do, or would do it as somebody else."""
    made, user = app(tenancy), tenancy.user()
    told = made.granted(user, "openid email offline_access read")
    assert told.keys() == {
        "access_token",
        "token_type",
        "expires_in",
        "scope",
        "refresh_token",
        "id_token",
    }
    assert (told["expires_in"], told["scope"]) == (3600, "email offline_access openid read")
    identity = tenancy.verify(told["access_token"]).json()
    assert (identity["user_id"], identity["scopes"]) == (
        user["id"],
        ["email", "offline_access", "openid", "read"],
    )
    assert identity["credential"]["kind"] == "oauth_access_token"
    told = tenancy.api.post("/oauth/introspect", data={"token": told["access_token"]}).json()
    assert (told["sub"], told["client_id"], told["scope"]) == (
        user["id"],
        made.id,
        "email offline_access openid read",
    )


def test_an_id_token_says_who_has_logged_in(tenancy: Tenancy) -> None:
    """OpenID Connect Core §2, ASVS 9.2.3: a client must see that it is for it, for this login and this token."""
    made, user = app(tenancy), tenancy.user()
    told = made.granted(user)
    token, issuer = told["id_token"], tenancy.server.settings.base_url
    (key,) = (
        each
        for each in jwt.PyJWKSet.from_dict(tenancy.client().get("/.well-known/jwks.json").json()).keys
        if each.key_id == jwt.get_unverified_header(token)["kid"]
    )
    claims = jwt.decode(
        token, key, [key.algorithm_name], audience=made.id, issuer=issuer, options={"verify_iat": False}
    )
    now = tenancy.server.clock.now_us // 1_000_000
    digest = hashlib.sha512(told["access_token"].encode()).digest()
    assert claims == {
        "iss": issuer,
        "sub": user["id"],
        "aud": made.id,
        "iat": now,
        "exp": now + 3600,
        "auth_time": now - 90,
        "amr": ["pwd"],
        "nonce": "n-0S6",
        "sid": "ses_0000000000000000000000",
        "at_hash": urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode(),
    }
    assert refusal(tenancy.verify(token)) == (401, "invalid_token")
    assert "id_token" not in made.granted(user, "read")


def test_a_code_is_redeemed_once_and_a_second_use_ends_what_it_gave(tenancy: Tenancy) -> None:
    """ASVS 10.4.2, RFC 6749 §4.1.2: two have the code, and nobody knows which of them is the client."""
    made, user = app(tenancy), tenancy.user()
    code = made.code(user)
    told = made.redeem(code).json()
    assert is_good(tenancy, told["access_token"])
    assert oauth_error(made.redeem(code)) == (400, "invalid_grant")
    assert refusal(tenancy.verify(told["access_token"])) == (401, "invalid_token")
    assert oauth_error(made.refresh(told["refresh_token"])) == (400, "invalid_grant")


def test_of_many_who_redeem_a_code_at_once_one_does(tenancy: Tenancy) -> None:
    """ASVS 2.3.4, ASVS 10.4.2: a race would give tokens to both who have the code."""
    made, user = app(tenancy), tenancy.user()
    answers = all_at_once(
        tenancy,
        made,
        grant_type="authorization_code",
        code=made.code(user),
        redirect_uri=REDIRECT_URI,
        code_verifier=VERIFIER,
    )
    good = [answer for answer in answers if answer.status_code == 200]
    assert len(good) == 1
    assert {answer.json()["error"] for answer in answers if answer.status_code != 200} == {"invalid_grant"}
    assert not is_good(tenancy, good[0].json()["access_token"])


@pytest.mark.parametrize(
    ("asked", "redeemed"),
    [
        ({}, {"code_verifier": None}),
        ({}, {"code_verifier": "x" * 43}),
        ({}, {"code_verifier": VERIFIER[:-1]}),
        ({}, {"code_verifier": VERIFIER + "="}),
        ({"code_challenge": VERIFIER}, {}),
        ({"code_challenge": None}, {}),
        ({"code_challenge": None}, {"code_verifier": None}),
        ({}, {"redirect_uri": None}),
        ({}, {"redirect_uri": REDIRECT_URI + "/"}),
        ({}, {"redirect_uri": "https://shop.example/other"}),
        ({"redirect_uri_given": False}, {"redirect_uri": "https://shop.example/other"}),
    ],
)
def test_a_code_is_for_who_asked_for_it(tenancy: Tenancy, asked: Json, redeemed: Json) -> None:
    """Attack 9, attack 10, RFC 7636, RFC 9700 §4.8, ASVS 10.4.6: PKCE was skipped, or taken out of the request."""
    made, user = app(tenancy), tenancy.user()
    code = made.code(user, **asked)
    assert oauth_error(made.redeem(code, **redeemed)) == (400, "invalid_grant")


def test_a_wrong_proof_does_not_spend_the_code(tenancy: Tenancy) -> None:
    """Whoever saw a code without its verifier could take it from the client."""
    made, user = app(tenancy), tenancy.user()
    code = made.code(user)
    assert oauth_error(made.redeem(code, code_verifier=new_verifier())) == (400, "invalid_grant")
    assert made.redeem(code).status_code == 200


def test_a_code_of_another_client_is_none(tenancy: Tenancy) -> None:
    """Attack 13 (ZITADEL CVE-2026-55672): a code was good for whoever presented it, and could be spent for others."""
    made, other, user = app(tenancy), public_app(tenancy), tenancy.user()
    code = made.code(user)
    assert oauth_error(other.redeem(code)) == (400, "invalid_grant")
    told = made.redeem(code).json()
    assert oauth_error(other.redeem(code)) == (400, "invalid_grant")
    assert is_good(tenancy, told["access_token"])
    assert oauth_error(other.refresh(told["refresh_token"])) == (400, "invalid_grant")
    assert made.refresh(told["refresh_token"]).status_code == 200


def test_a_code_lasts_a_minute(tenancy: Tenancy) -> None:
    """ASVS 10.4.3: a code in a log would be good for hours."""
    made, user = app(tenancy), tenancy.user()
    code = made.code(user)
    tenancy.server.clock.advance(CODE_SECONDS)
    assert oauth_error(made.redeem(code)) == (400, "invalid_grant")


def test_older_clients_may_go_without_pkce_where_somebody_said_so(tenancy: Tenancy) -> None:
    """A guide from before PKCE would work with no client at all, or for every client."""
    made, user = app(tenancy, require_pkce=False), tenancy.user()
    code = made.code(user, code_challenge=None, redirect_uri_given=False)
    assert made.redeem(code, code_verifier=None, redirect_uri=None).status_code == 200
    assert oauth_error(made.redeem(made.code(user, code_challenge=None))) == (400, "invalid_grant")
    verifier = new_verifier()
    proven = made.code(user, code_challenge=challenge_of(verifier))
    assert oauth_error(made.redeem(proven, code_verifier=None)) == (400, "invalid_grant")
    assert made.redeem(proven, code_verifier=verifier).status_code == 200


def test_what_a_person_lost_is_lost_to_the_client(tenancy: Tenancy) -> None:
    """Attack 6, ASVS 7.4.2: tokens outlived the user, the tenant's client or the scope."""
    made = app(tenancy)
    narrowed, disabled = tenancy.user(), tenancy.user()
    told = made.granted(narrowed, "read write")
    tenancy.api.patch(f"/v1/users/{narrowed['id']}", json={"scopes": ["read"]})
    assert tenancy.verify(told["access_token"]).json()["scopes"] == ["read"]
    told, waiting = made.granted(disabled), made.code(disabled)
    tenancy.api.patch(f"/v1/users/{disabled['id']}", json={"status": "disabled"})
    assert refusal(tenancy.verify(told["access_token"])) == (401, "invalid_token")
    assert oauth_error(made.refresh(told["refresh_token"])) == (400, "invalid_grant")
    assert oauth_error(made.redeem(waiting)) == (400, "invalid_grant")
    told = made.granted(narrowed)
    tenancy.api.patch(f"/v1/clients/{made.id}", json={"status": "disabled"})
    assert refusal(tenancy.verify(told["access_token"])) == (401, "invalid_token")
    tenancy.api.patch(f"/v1/clients/{made.id}", json={"status": "active"})
    assert is_good(tenancy, told["access_token"])


def test_a_refresh_token_is_followed_by_another(tenancy: Tenancy) -> None:
    """ASVS 10.4.5: a refresh token that never changes is a password."""
    made, user = app(tenancy), tenancy.user()
    first = made.granted(user)
    second = made.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert (second["scope"], second["expires_in"]) == (first["scope"], 3600)
    old, new = claims_in(first["id_token"]), claims_in(second["id_token"])
    assert {name: new[name] for name in ("iss", "sub", "aud", "auth_time")} == {
        name: old[name] for name in ("iss", "sub", "aud", "auth_time")
    }
    assert "nonce" not in new
    for told in (first, second):
        assert is_good(tenancy, told["access_token"])
    narrow = made.refresh(second["refresh_token"], scope="read").json()
    assert narrow["scope"] == "read"
    assert tenancy.verify(narrow["access_token"]).json()["scopes"] == ["read"]
    assert made.refresh(narrow["refresh_token"]).json()["scope"] == "offline_access openid read"


def test_a_refresh_gives_no_more_than_was_granted(tenancy: Tenancy) -> None:
    """RFC 6749 §6, attack 15: a client would ask for more where nobody is asked."""
    made, user = app(tenancy, audiences=["https://api.example"]), tenancy.user()
    told = made.granted(user, "read")
    assert oauth_error(made.refresh(told["refresh_token"], scope="read write")) == (400, "invalid_scope")
    wrong = made.refresh(told["refresh_token"], resource="https://api.example")
    assert oauth_error(wrong) == (400, "invalid_target")
    assert made.refresh(told["refresh_token"]).status_code == 200


def test_resources_are_those_that_were_granted(tenancy: Tenancy) -> None:
    """RFC 8707 §2.2: a token for everything would be asked for, where a person let it have one."""
    one, other = "https://one.example", "https://other.example"
    made, user = app(tenancy, audiences=[one, other], access_token_format="jwt"), tenancy.user()
    told = made.granted(user, resources=(one,))
    assert claims_in(told["access_token"])["aud"] == one
    assert claims_in(told["access_token"])["sub"] == user["id"]
    code = made.code(user, resources=(one, other))
    assert claims_in(made.redeem(code, resource=other).json()["access_token"])["aud"] == other
    refused = made.redeem(made.code(user, resources=(one,)), resource=other)
    assert oauth_error(refused) == (400, "invalid_target")


def test_a_lost_answer_is_given_again(tenancy: Tenancy) -> None:
    """Whose connection broke would have to log in again."""
    made, user = app(tenancy), tenancy.user()
    told = made.granted(user)
    once, again = (made.refresh(told["refresh_token"]).json() for _ in range(2))
    assert once == again
    assert is_good(tenancy, once["access_token"])


@pytest.mark.parametrize("how", ["late", "followed"])
def test_a_second_use_ends_all_that_the_person_let_the_client_do(tenancy: Tenancy, how: str) -> None:
    """Attack 18, RFC 9700 §4.14.2, ASVS 10.4.5: a thief would go on with the token that was taken."""
    made, user = public_app(tenancy), tenancy.user()
    first = made.granted(user)
    second = made.refresh(first["refresh_token"]).json()
    if how == "late":
        tenancy.server.clock.advance(GRACE_SECONDS + 1)
    else:
        assert made.refresh(second["refresh_token"]).status_code == 200
    assert oauth_error(made.refresh(first["refresh_token"])) == (400, "invalid_grant")
    for told in (first, second):
        assert refusal(tenancy.verify(told["access_token"])) == (401, "invalid_token")
    assert oauth_error(made.refresh(second["refresh_token"])) == (400, "invalid_grant")


def test_of_many_who_refresh_at_once_one_does(tenancy: Tenancy) -> None:
    """Attack 18 (Keycloak CVE-2026-1035, better-auth CVE-2026-53517): each of them got tokens of its own."""
    made, user = public_app(tenancy), tenancy.user()
    told = made.granted(user)
    answers = all_at_once(tenancy, made, grant_type="refresh_token", refresh_token=told["refresh_token"])
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


def test_a_refresh_token_ends(tenancy: Tenancy) -> None:
    """ASVS 10.4.8, ASVS 7.6.1: by not being used, and however it is used."""
    settings = tenancy.server.settings
    made, user = app(tenancy), tenancy.user()
    idle = made.granted(user)["refresh_token"]
    used = made.granted(user)["refresh_token"]
    ends = tenancy.server.clock.now_us + settings.session_seconds_max * 1_000_000
    tenancy.server.clock.advance(settings.session_idle_seconds)
    assert oauth_error(made.refresh(idle)) == (400, "invalid_grant")
    assert oauth_error(made.refresh(used)) == (400, "invalid_grant")
    used = made.granted(user)["refresh_token"]
    ends = tenancy.server.clock.now_us + settings.session_seconds_max * 1_000_000
    while tenancy.server.clock.now_us + settings.session_idle_seconds * 1_000_000 < ends:
        tenancy.server.clock.advance(settings.session_idle_seconds - 60)
        used = made.refresh(used).json()["refresh_token"]
    tenancy.server.clock.advance((ends - tenancy.server.clock.now_us) / 1_000_000)
    assert oauth_error(made.refresh(used)) == (400, "invalid_grant")


def test_a_client_gives_back_what_it_was_given(tenancy: Tenancy) -> None:
    """RFC 7009: an access token alone; with a refresh token all that it goes on with."""
    made, user = app(tenancy), tenancy.user()
    first, second = made.granted(user), made.granted(user)
    refreshed = made.refresh(second["refresh_token"]).json()
    own = made.by_itself()["access_token"]
    for token in (first["access_token"], refreshed["refresh_token"], own):
        for _ in range(2):
            answer = made.revoke(token, token_type_hint="access_token")
            assert (answer.status_code, answer.content) == (200, b"")
    assert refusal(tenancy.verify(first["access_token"])) == (401, "invalid_token")
    assert made.refresh(first["refresh_token"]).status_code == 200
    for token in (second["access_token"], refreshed["access_token"], own):
        assert refusal(tenancy.verify(token)) == (401, "invalid_token")
    assert oauth_error(made.refresh(refreshed["refresh_token"])) == (400, "invalid_grant")


def test_nobody_gives_back_what_is_not_theirs(tenancy: Tenancy) -> None:
    """RFC 7009 §2.1: another client's token, a key, or one that is none: nothing happens, and nothing is told."""
    made, other, user = app(tenancy), app(tenancy), tenancy.user()
    told, key = made.granted(user), tenancy.key()["key"]
    for token in (told["access_token"], told["refresh_token"], key, "x"):
        assert other.revoke(token).status_code == 200
    assert is_good(tenancy, told["access_token"])
    assert is_good(tenancy, key)
    assert made.refresh(told["refresh_token"]).status_code == 200
    other.auth = None
    assert oauth_error(other.revoke(told["access_token"])) == (401, "invalid_client")
    assert oauth_error(tenancy.client().post("/oauth/revoke", data={}, auth=made.auth))[0] == 400


def test_a_person_is_described_as_far_as_they_allowed(tenancy: Tenancy) -> None:
    """OpenID Connect Core §5.3: a client would know more than the person let it."""
    made, user = app(tenancy), tenancy.user(name="Ada")
    told: dict[str, Any] = {"sub": user["id"]}
    for scopes, more in (
        ("openid", {}),
        ("openid profile", {"name": "Ada"}),
        ("openid email", {"email": user["email"], "email_verified": False}),
    ):
        client = tenancy.client(made.granted(user, scopes)["access_token"])
        for answer in (client.get("/oauth/userinfo"), client.post("/oauth/userinfo")):
            assert answer.status_code == 200
            claims = answer.json()
            claims.pop("updated_at", None)
            assert claims == {**told, **more}
    for token in (made.granted(user, "read profile")["access_token"], made.by_itself()["access_token"]):
        answer = tenancy.client(token).get("/oauth/userinfo")
        assert refusal(answer) == (403, "insufficient_scope")
    assert refusal(tenancy.client(tenancy.owner_key["key"]).get("/oauth/userinfo")) == (
        403,
        "insufficient_scope",
    )


def test_who_changes_their_password_puts_clients_out_too(tenancy: Tenancy) -> None:
    """ASVS 7.4.3: whoever had the old password would keep what they let a client of theirs do."""
    made, who = app(tenancy), person(tenancy)
    user = {"id": who.id, "tenant_id": tenancy.id}
    api = tenancy.client(login(who).json()["token"])
    own = api.get("/v1/sessions").json()["data"][0]["id"]
    elsewhere, here = made.granted(user), made.granted(user, session_id=own)

    def good() -> list[bool]:
        return [is_good(tenancy, each["access_token"]) for each in (elsewhere, here)]

    old, new = who.password, "several quiet paper lanterns"
    body = {"current_password": old, "new_password": new, "keep_sessions": True}
    assert api.post("/v1/auth/password", json=body).status_code == 200
    assert good() == [True, True]
    body = {"current_password": new, "new_password": old}
    assert api.post("/v1/auth/password", json=body).json() == {"ended_sessions": 0}
    assert good() == [False, True]
    assert oauth_error(made.refresh(elsewhere["refresh_token"])) == (400, "invalid_grant")
    assert api.delete("/v1/sessions").json() == {"ended": 1}
    assert good() == [False, False]


def test_the_server_says_where_everything_is(tenancy: Tenancy) -> None:
    """RFC 8414 §3, RFC 9728: a client finds it under the name that its standard has, and compares the issuer."""
    base = tenancy.server.settings.base_url
    one, other = (
        tenancy.client().get(f"/.well-known/{name}").json()
        for name in ("oauth-authorization-server", "openid-configuration")
    )
    assert one == other
    assert one["issuer"] == base
    assert one["token_endpoint"] == f"{base}/oauth/token"
    assert one["code_challenge_methods_supported"] == ["S256"]
    assert set(one["grant_types_supported"]) >= {
        "authorization_code",
        "client_credentials",
        "refresh_token",
    }
    assert "password" not in one["grant_types_supported"]
    behind = tenancy.client().get("/.well-known/openid-configuration/elsewhere")
    assert refusal(behind) == (404, "not_found")
    resource = tenancy.client().get("/.well-known/oauth-protected-resource").json()
    assert (resource["resource"], resource["authorization_servers"]) == (base, [base])


def test_a_client_introspects_its_own_tokens_and_no_others(tenancy: Tenancy) -> None:
    """RFC 7662 §2.1, attack 23: whoever found a token could ask about it, or nobody without a key of ours."""
    made, other, user = app(tenancy), app(tenancy), tenancy.user()
    server = app(tenancy, grant_types=["client_credentials"], scopes=["credentials:verify"])
    token, key = made.granted(user)["access_token"], tenancy.key()["key"]

    def asked(by: App, what: str, **fields: str) -> httpx2.Response:
        return tenancy.client().post("/oauth/introspect", data={"token": what, **fields}, auth=by.auth)

    assert asked(made, token).json()["client_id"] == made.id
    assert asked(server, token).json()["active"]
    assert asked(server, key).json()["active"]
    for by, what in ((other, token), (made, key), (made, "x")):
        assert asked(by, what).json() == {"active": False}
    form = {"client_id": made.id, "client_secret": made.client["client_secret"]}
    assert tenancy.client().post("/oauth/introspect", data={"token": token, **form}).json()["active"]
    wrong = tenancy.client().post("/oauth/introspect", data={"token": token}, auth=(made.id, "x"))
    assert oauth_error(wrong) == (401, "invalid_client")
    public = public_app(tenancy)
    nobody = tenancy.client().post("/oauth/introspect", data={"token": token, "client_id": public.id})
    assert oauth_error(nobody) == (401, "invalid_client")
