"""§3: `POST /oauth/introspect` (RFC 7662), for every kind of credential."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.web.oauth import app
from tests.web.tenancy import Json, Tenancy, refusal, seconds_of

PATH = "/oauth/introspect"


def introspected(tenancy: Tenancy, token: str, **fields: str) -> Json:
    """What a resource server of the tenant is told."""
    answer = tenancy.api.post(PATH, data={"token": token, **fields})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    told: Json = answer.json()
    return told


def test_a_good_credential_of_each_kind_is_active(tenancy: Tenancy) -> None:
    """A resource server that speaks RFC 7662 alone could take OAuth tokens only."""
    key = tenancy.key(expires_in=7200)
    token = tenancy.exchange(key["key"], scope="read")
    mine = tenancy.client(key["key"]).post("/v1/personal-access-tokens", json={"description": "x"}).json()
    for secret, kind, made, ends in (
        (key["key"], "api_key", key, key["expires_at"]),
        (token["token"], "bearer_token", token, token["tokenExpiration"]),
        (mine["token"], "personal_access_token", mine, None),
    ):
        told = introspected(tenancy, secret, token_type_hint="access_token")
        assert told.pop("exp", None) == (int(seconds_of(ends)) if ends else None)
        assert told == {
            "active": True,
            "scope": " ".join(made["scopes"]),
            "token_type": "Bearer",
            "sub": key["user_id"],
            "iss": tenancy.server.settings.base_url,
            "jti": made["id"],
            "tenant_id": tenancy.id,
            "kind": kind,
        }


def test_of_what_is_not_good_nothing_is_told(tenancy: Tenancy) -> None:
    """Attack 23 (CVE-2026-18208): an inactive token leaked its claims; attack 22: an ended one was active."""
    bound, ended, revoked = (
        tenancy.key(allowed_ips=["192.0.2.0/24"]),
        tenancy.key(expires_in=1),
        tenancy.key(),
    )
    spent = tenancy.key(plan=tenancy.plan(requests_per_hour=0))
    foreign = tenancy.server.create_tenant_user_key()["key"]
    tenancy.server.clock.advance(1)
    tenancy.api.delete(f"/v1/api-keys/{revoked['id']}")
    for secret in (
        bound["key"],
        ended["key"],
        revoked["key"],
        spent["key"],
        foreign["key"],
        "x",
        f"{bound['key']}0",
    ):
        assert introspected(tenancy, secret) == {"active": False}
    assert introspected(tenancy, bound["key"], ip="192.0.2.7")["active"]
    assert tenancy.operator.post(PATH, data={"token": foreign["key"]}).json()["active"]


def test_it_counts_for_the_credential_and_not_for_the_caller(tenancy: Tenancy) -> None:
    """A resource server would use up its own limit with every user's request, or nobody's."""
    key = tenancy.key(plan=tenancy.plan(requests_per_hour=2))
    for left in ("1", "0"):
        answer = tenancy.api.post(PATH, data={"token": key["key"]})
        assert (answer.json()["active"], answer.headers["x-ratelimit-remaining"]) == (True, left)
    assert introspected(tenancy, key["key"]) == {"active": False}
    assert refusal(tenancy.verify(key["key"])) == (429, "rate_limit_exceeded")


def test_whoever_asks_must_be_known_and_allowed(tenancy: Tenancy) -> None:
    """RFC 7662 §2.1: without that, introspection is an oracle for whoever guesses tokens."""
    key = tenancy.key()["key"]
    nobody = tenancy.client().post(PATH, data={"token": key})
    assert refusal(nobody) == (401, "missing_api_key")
    assert nobody.json()["error_description"] == nobody.json()["message"]
    weak = tenancy.client(key).post(PATH, data={"token": key})
    assert refusal(weak) == (403, "insufficient_scope")
    assert weak.json()["scope"] == "credentials:verify"


@pytest.mark.parametrize(
    ("sent", "field", "status"),
    [
        ({}, "Content-Type", 415),
        ({"json": {"token": "x"}}, "Content-Type", 415),
        ({"data": {"token": ""}}, "token", 400),
        ({"data": {"other": "x"}}, "token", 400),
        ({"data": {"token": "x", "ip": "here"}}, "ip", 400),
        (
            {"content": b"token=a&token=b", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
            "token",
            400,
        ),
        (
            {"content": b"token=%00", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
            "body",
            400,
        ),
        (
            {"content": b"token=\xff", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
            "body",
            400,
        ),
    ],
)
def test_a_malformed_question_is_told_where(
    tenancy: Tenancy, sent: dict[str, Any], field: str, status: int
) -> None:
    """Attack 55: of a field that is given twice, the first or the last might win."""
    answer: httpx2.Response = tenancy.api.post(PATH, **sent)
    assert refusal(answer) == (status, "invalid_request")
    assert answer.json()["field"] == field
    assert answer.json()["error_description"] == answer.json()["message"]


def test_a_client_may_send_its_secret_form_encoded(tenancy: Tenancy) -> None:
    """RFC 6749 §2.3.1: a library that encodes every character that it may would be taken for somebody with a bad key."""
    made = app(tenancy)
    token = made.by_itself()["access_token"]
    pair = [text.replace("_", "%5F") for text in (made.id, made.client["client_secret"])]
    client = tenancy.server.client()
    answer = client.post("/oauth/introspect", data={"token": token}, auth=(pair[0], pair[1]))
    assert answer.status_code == 200, answer.text
    assert answer.json()["client_id"] == made.id
