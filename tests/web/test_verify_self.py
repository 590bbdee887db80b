"""§3: `/v1/auth/verify`, by the credential itself."""

from __future__ import annotations

import secrets

import httpx2
import pytest

from tests.web.tenancy import ALL_SCOPES, Tenancy, refusal

METHODS = ["GET", "POST"]


def ask(tenancy: Tenancy, key: str, method: str, query: str = "") -> httpx2.Response:
    """Let a key verify itself."""
    return tenancy.client(key).request(method, f"/v1/auth/verify{query}")


@pytest.mark.parametrize("method", METHODS)
def test_the_answer_says_who_and_what(tenancy: Tenancy, method: str) -> None:
    """Clients in the field read these names; one more or less breaks the strict ones."""
    key = tenancy.key(name="ci", scopes=["write", "read"], expires_at="2100-01-01T00:00:00+01:00")
    answer = ask(tenancy, key["key"], method)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json() == {
        "authenticated": True,
        "user_id": tenancy.owner["id"],
        "scopes": ["read", "write"],
        "expires_at": "2099-12-31T23:00:00Z",
        "tenant_id": tenancy.id,
        "credential": {"id": key["id"], "kind": "api_key", "name": "ci"},
    }


def test_a_key_without_an_end_says_null(tenancy: Tenancy) -> None:
    """A client that plans its rotation would compute with a date that is none."""
    assert ask(tenancy, tenancy.key()["key"], "GET").json()["expires_at"] is None


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "query",
    [
        "",
        "?scope=",
        "?scope=read",
        "?scope=read+write",
        "?scope=write%20read",
        "?scope=read+read",
        "?scope=+read++",
        "?scope=invoices:read",
        "?scope=invoices%3Aread",
    ],
)
def test_scopes_that_it_has_are_enough(tenancy: Tenancy, method: str, query: str) -> None:
    """However a client library encodes a space or a colon, a good key must pass."""
    key = tenancy.key(scopes=["read", "write", "invoices:read"])
    assert ask(tenancy, key["key"], method, query).status_code == 200


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("query", "needed"),
    [
        ("?scope=admin", "admin"),
        ("?scope=write+admin+read", "admin read write"),
        ("?scope=unheard-of", "unheard-of"),
        ("?scope=READ", "READ"),
        ("?scope=re", "re"),
        ("?scope=read,write", "read,write"),
    ],
)
def test_a_scope_that_it_lacks_is_refused_by_name(
    tenancy: Tenancy, method: str, query: str, needed: str
) -> None:
    """An API would let through what the key's maker left out."""
    key = tenancy.key(scopes=["read", "write"])
    answer = ask(tenancy, key["key"], method, query)
    assert refusal(answer) == (403, "insufficient_scope")
    assert answer.json()["scope"] == needed
    assert f'scope="{needed}"' in answer.headers["WWW-Authenticate"]
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("scope", ["re%22ad", "re%5Cad", "re%00ad", "r%C3%A9ad", "re%0Aad", "a" * 2001])
def test_a_scope_that_cannot_be_one_is_malformed(tenancy: Tenancy, method: str, scope: str) -> None:
    """A quotation mark in a scope would break out of the challenge in `WWW-Authenticate`."""
    answer = ask(tenancy, tenancy.owner_key["key"], method, f"?scope={scope}")
    assert refusal(answer) == (400, "invalid_request")
    assert answer.json()["field"] in {"scope", "URL"}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?scope=admin&scope=read", "scope"),
        ("?scope=read&scope=read", "scope"),
        ("?scope=admin&scope=", "scope"),
        ("?scopes=admin", "scopes"),
        ("?Scope=admin", "Scope"),
        ("?scope=read&x=1", "x"),
    ],
)
def test_a_parameter_that_would_check_nothing_is_malformed(
    tenancy: Tenancy, method: str, query: str, field: str
) -> None:
    """An API that asks for `scopes=admin`, or twice, would let everybody in."""
    answer = ask(tenancy, tenancy.key(scopes=["read"])["key"], method, query)
    assert refusal(answer) == (400, "invalid_request")
    assert answer.json()["field"] == field


def test_the_body_of_a_post_is_not_read(tenancy: Tenancy) -> None:
    """A proxy that copies the method and the body of the original request would get 400."""
    client = tenancy.client(tenancy.owner_key["key"])
    for content in (b"", b"{not json", b"\xff" * 100):
        assert client.post("/v1/auth/verify", content=content).status_code == 200


def test_scopes_are_those_of_the_key_not_of_its_owner(tenancy: Tenancy) -> None:
    """A read-only key of an owner would be as powerful as the owner."""
    assert ask(tenancy, tenancy.key(scopes=["read"])["key"], "GET").json()["scopes"] == ["read"]
    assert ask(tenancy, tenancy.key(scopes=[])["key"], "GET").json()["scopes"] == []
    assert ask(tenancy, tenancy.key(scopes=ALL_SCOPES)["key"], "GET").json()["scopes"] == ALL_SCOPES


@pytest.mark.parametrize(
    ("credential", "error"),
    [
        ("x", "invalid_api_key"),
        ("sk_live_0123456789abcdef", "invalid_api_key"),
        ("bf_", "invalid_api_key"),
        ("bf_key_", "invalid_api_key"),
        ("bf_pat_0123", "invalid_api_key"),
        ("bf_new_0123", "invalid_api_key"),
        ("bf_tok_0123", "invalid_token"),
        ("bf_oat_0123", "invalid_token"),
        ("bf_ort_0123", "invalid_token"),
        ("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", "invalid_token"),
        ("eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2ln", "invalid_token"),
        ("eyJ.no", "invalid_token"),
    ],
)
def test_what_is_unknown_is_named_by_its_look(tenancy: Tenancy, credential: str, error: str) -> None:
    """A client would refresh a token where it should ask a person for a key, or the other way round."""
    answer = tenancy.verify(credential)
    assert refusal(answer) == (401, error)
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_the_words_of_a_refusal(tenancy: Tenancy) -> None:
    """Scripts and support pages quote these sentences."""
    assert tenancy.verify(None).json()["message"] == "No API key provided in the Authorization header."
    assert tenancy.verify("bf_key_wrong").json()["message"] == "The API key provided is invalid."


def test_a_changed_character_is_a_refused_key(tenancy: Tenancy) -> None:
    """Half a match would be as good as a whole one."""
    key = tenancy.key()["key"]
    for place in (0, 3, 7, 20, 40, len(key) - 8, len(key) - 1):
        other = "a" if key[place] != "a" else "b"
        assert tenancy.verify(key[:place] + other + key[place + 1 :]).status_code == 401, place
    for damaged in (key[:-1], key + "0", key + " x", key.swapcase(), key[::-1], f"{key}_{key}"):
        assert tenancy.verify(damaged).status_code in {400, 401}, damaged
    assert tenancy.verify(key).status_code == 200


def test_unknown_revoked_and_disabled_look_the_same(tenancy: Tenancy) -> None:
    """Whoever finds an old key in a log would learn that it was once good, and whose."""
    revoked, disabled = tenancy.key(), tenancy.key()
    tenancy.api.delete(f"/v1/api-keys/{revoked['id']}")
    tenancy.api.post(f"/v1/api-keys/{disabled['id']}/disable")
    unknown = "bf_key_" + secrets.token_hex(22) + "_000000"
    answers = [tenancy.verify(key) for key in (revoked["key"], disabled["key"], unknown)]
    bodies = [{**answer.json(), "request_id": ""} for answer in answers]
    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert bodies[0] == bodies[1] == bodies[2]
    challenges = {answer.headers["WWW-Authenticate"] for answer in answers}
    assert len(challenges) == 1


def test_an_error_in_a_management_call_still_names_the_caller_good(tenancy: Tenancy) -> None:
    """A good key on a wrong path would look refused, and its owner would rotate it for nothing."""
    client = tenancy.client(tenancy.key(plan=tenancy.plan(100))["key"])
    missing = client.get("/v1/nothing-here")
    assert refusal(missing) == (404, "not_found")
    assert missing.headers["X-RateLimit-Limit"] == "100"
    wrong = client.put("/v1/auth/verify")
    assert refusal(wrong) == (405, "invalid_request")
    assert wrong.headers["Allow"] == "GET, HEAD, POST"
    assert wrong.headers["X-RateLimit-Remaining"] == "98"
