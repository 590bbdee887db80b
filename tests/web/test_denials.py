"""`GET /v1/denials/{request_id}`: why a request was denied, for whose credential it was."""

from __future__ import annotations

import httpx2
import pytest

from tests.web.tenancy import Json, Tenancy, refusal

CHECKS = ["shape", "look_up", "status", "expiry", "lineage", "address", "scope", "limit"]
NEAR, AWAY = "192.0.2.1", "198.51.100.1"


def why(tenancy: Tenancy, refused: httpx2.Response, client: httpx2.Client | None = None) -> Json:
    """The cause of a refusal, as a client sees it; the owner unless it is named."""
    request_id = refused.headers["x-request-id"]
    answer = (client or tenancy.api).get(f"/v1/denials/{request_id}")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    assert found["request_id"] == request_id
    assert [check["check"] for check in found["checks"]] == CHECKS
    outcomes = [check["outcome"] for check in found["checks"]]
    place = CHECKS.index(found["refused_by"])
    assert outcomes == ["passed"] * place + ["refused"] + ["not_reached"] * (len(CHECKS) - place - 1)
    assert all(not check["figures"] for check in found["checks"] if check["outcome"] != "refused")
    return found


def figures(found: Json) -> Json:
    """Those of the check that refused."""
    (refused,) = [check["figures"] for check in found["checks"] if check["outcome"] == "refused"]
    told: Json = refused
    return told


def test_the_caller_of_a_refused_request_learns_nothing_new(tenancy: Tenancy) -> None:
    """What the owner is told is for the owner: whoever found the key must not learn what was done about it."""
    disabled, revoked = tenancy.key(), tenancy.key()
    tenancy.api.post(f"/v1/api-keys/{disabled['id']}/disable")
    tenancy.api.request("DELETE", f"/v1/api-keys/{revoked['id']}", json={"reason": "seen on a forum"})
    answers = [tenancy.verify(key["key"]) for key in (disabled, revoked, {"key": "hello"})]
    assert len({answer.json()["message"] for answer in answers}) == 1
    assert {refusal(answer) for answer in answers} == {(401, "invalid_api_key")}
    assert why(tenancy, answers[0])["explanation"] == "The API key is disabled."
    found = why(tenancy, answers[1])
    assert found["explanation"].endswith("(seen on a forum).")
    assert found["credential"] == {"id": revoked["id"], "kind": "api_key"}
    assert (found["tenant_id"], found["user_id"]) == (tenancy.id, tenancy.owner["id"])
    assert found["error"] == "invalid_api_key"


@pytest.mark.parametrize(
    "path", ["/v1/auth/verify", "/auth/forward", "/v1/api-keys", "/v1/auth/verify?scope="]
)
def test_every_way_of_refusing_is_remembered(tenancy: Tenancy, path: str) -> None:
    """The cause of one in three refusals would be missing, and nobody would know of which."""
    key = tenancy.key(plan=tenancy.plan(2), allowed_ips=[NEAR])
    client = tenancy.client(key["key"])
    away = why(tenancy, client.get(path, headers={"X-Forwarded-For": AWAY}))
    assert away["refused_by"] == "address"
    assert figures(away) == {"address": AWAY, "allowed_ips": [f"{NEAR}/32"]}
    assert AWAY in away["explanation"]
    for _ in range(2):
        assert client.get(path, headers={"X-Forwarded-For": NEAR}).is_success
    over = client.get(path, headers={"X-Forwarded-For": NEAR})
    assert over.status_code == 429
    told = figures(why(tenancy, over))
    assert (told["window"], told["limit"], told["remaining"], told["cost"]) == ("hour", 2, 0, 1)
    assert told["resets_at"].endswith("Z")


def test_scopes_and_expiry_are_told_by_their_figures(tenancy: Tenancy) -> None:
    """`insufficient_scope` says what is needed; only the owner may know what the key has."""
    key = tenancy.key(scopes=["read"], expires_in=100)
    found = why(tenancy, tenancy.verify(key["key"], scope="read write"))
    assert figures(found) == {"needed": ["read", "write"], "held": ["read"]}
    assert found["explanation"] == "The API key lacks the scope write."
    tenancy.server.clock.advance(100)
    found = why(tenancy, tenancy.verify(key["key"]))
    assert figures(found) == {"ended_at": key["expires_at"], "by": "expires_at"}
    assert found["error"] == "token_expired"


def test_a_resource_servers_question_goes_by_its_request_id(tenancy: Tenancy) -> None:
    """The client was refused by somebody else's API, which can only pass on the id that it got from here."""
    key = tenancy.key(scopes=["read"])
    asked = tenancy.api.post("/v1/credentials/verify", json={"credential": key["key"], "scope": "write"})
    assert asked.json()["valid"] is False
    found = why(tenancy, asked)
    assert (found["refused_by"], found["credential"]["id"]) == ("scope", key["id"])


def test_a_request_that_was_not_denied_has_no_denial(tenancy: Tenancy) -> None:
    """An accepted request costs no row, and its id opens nothing."""
    accepted = tenancy.verify(tenancy.key()["key"])
    answer = tenancy.api.get(f"/v1/denials/{accepted.headers['x-request-id']}")
    assert refusal(answer) == (404, "not_found")


def test_a_denial_is_kept_for_a_day(tenancy: Tenancy) -> None:
    """Where people's clients are is not to be read a year later."""
    refused = tenancy.verify(tenancy.key(scopes=["read"])["key"], scope="write")
    tenancy.server.clock.advance(86_400 - 1)
    assert why(tenancy, refused)
    tenancy.server.clock.advance(2)
    gone = tenancy.api.get(f"/v1/denials/{refused.headers['x-request-id']}")
    assert refusal(gone) == (404, "not_found")
