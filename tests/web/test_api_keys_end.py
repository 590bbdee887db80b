"""§4: `disable`, `enable` and `DELETE`: how a key ends, for a while or for ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.web.tenancy import Json, Tenancy, every, refusal, tenancy_on

PATH = "/v1/api-keys"


def shown(tenancy: Tenancy, key: Json) -> Json:
    """The key as it is listed now, without the time of its last use."""
    answer: Json = tenancy.api.get(f"{PATH}/{key['id']}").json()
    del answer["last_used_at"]
    return answer


def test_a_disabled_key_is_refused_until_it_is_enabled(tenancy: Tenancy) -> None:
    """Whoever is unsure whether a key leaked could only revoke it, and break production."""
    key = tenancy.key()
    client, path = tenancy.api, f"{PATH}/{key['id']}"
    assert tenancy.verify(key["key"]).status_code == 200
    for _ in range(2):
        disabled = client.post(f"{path}/disable")
        assert disabled.status_code == 200
        assert disabled.json()["status"] == "disabled"
        assert refusal(tenancy.verify(key["key"])) == (401, "invalid_api_key")
        assert refusal(tenancy.client(key["key"]).get("/v1/api-keys")) == (401, "invalid_api_key")
    for _ in range(2):
        enabled = client.post(f"{path}/enable")
        assert enabled.status_code == 200
        assert enabled.json()["status"] == "active"
        assert tenancy.verify(key["key"]).status_code == 200


def test_a_revoked_key_is_refused_for_ever(tenancy: Tenancy) -> None:
    """A leaked key would come back with a slip of the finger."""
    key = tenancy.key()
    path = f"{PATH}/{key['id']}"
    assert tenancy.verify(key["key"]).status_code == 200
    revoked = tenancy.api.delete(path)
    assert revoked.status_code == 200
    assert revoked.json()["status"] == "revoked"
    assert revoked.json()["revoked_at"] == revoked.json()["updated_at"]
    assert refusal(tenancy.verify(key["key"])) == (401, "invalid_api_key")
    for verb in ("enable", "disable", "rotate"):
        answer = tenancy.api.post(f"{path}/{verb}")
        assert refusal(answer) == (409, "conflict"), verb
        assert key["id"] in answer.json()["message"]
    assert refusal(tenancy.verify(key["key"])) == (401, "invalid_api_key")
    assert tenancy.api.get(path).status_code == 200, "the record stays"


def test_a_second_revocation_changes_nothing(fresh_tenancy: Tenancy) -> None:
    """A retry after a lost answer would fail, or overwrite when and why it was."""
    tenancy = fresh_tenancy
    key = tenancy.key()
    first = tenancy.api.request("DELETE", f"{PATH}/{key['id']}", json={"reason": "leaked in a log"})
    tenancy.server.clock.advance(60)
    before = tenancy.everything()
    second = tenancy.api.request("DELETE", f"{PATH}/{key['id']}", json={"reason": "another"})
    assert second.status_code == 200
    assert second.json() == first.json()
    assert tenancy.everything() == before


@pytest.mark.parametrize("how", ["body", "query"])
def test_a_reason_is_kept(tenancy: Tenancy, how: str) -> None:
    """Nobody would know half a year later whether a key was leaked or merely old."""
    key = tenancy.key()
    reason = "found in a public repository · ticket #7"
    tenancy.server.clock.advance(1)
    answer = tenancy.api.request(
        "DELETE",
        f"{PATH}/{key['id']}",
        json={"reason": reason} if how == "body" else None,
        params={"reason": reason} if how == "query" else None,
    )
    assert answer.json()["revocation_reason"] == reason
    event = every(tenancy.api, "/v1/audit", subject_id=key["id"])[0]
    assert event["action"] == "api_key.revoked"
    assert event["details"]["reason"] == reason


def test_a_malformed_revocation_changes_nothing(fresh_tenancy: Tenancy) -> None:
    """A slip in the body would revoke without the reason that the audit asks for."""
    tenancy = fresh_tenancy
    key = tenancy.key()
    before = tenancy.everything()
    cases: list[tuple[object, str]] = [
        ({"reason": ""}, "reason"),
        ({"reason": 7}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": "two\nlines"}, "reason"),
        ({"why": "x"}, "why"),
        ([], "body"),
    ]
    for body, field in cases:
        answer = tenancy.api.request("DELETE", f"{PATH}/{key['id']}", json=body)
        assert refusal(answer) == (400, "invalid_request"), body
        assert answer.json()["field"] == field
    for reason in ("", "x" * 501, "two\nlines"):
        answer = tenancy.api.delete(f"{PATH}/{key['id']}", params={"reason": reason})
        assert refusal(answer) == (400, "invalid_request"), reason
        assert answer.json()["field"] == "reason"
    assert tenancy.everything() == before


@pytest.mark.parametrize("verb", ["disable", "enable", "revoke"])
def test_whose_keys_one_may_end(fresh_tenancy: Tenancy, verb: str) -> None:
    """A customer could switch off another's production."""
    tenancy, other = fresh_tenancy, tenancy_on(fresh_tenancy.server)
    member, colleague = tenancy.user(), tenancy.user()
    keys = [tenancy.key(user_id=member["id"]), tenancy.key(user_id=colleague["id"]), tenancy.owner_key]
    reader = tenancy.key(user_id=member["id"], scopes=["read"])
    before = (tenancy.everything(), other.everything())
    method, suffix = ("DELETE", "") if verb == "revoke" else ("POST", f"/{verb}")

    def end(key: Json, by: str) -> tuple[int, str]:
        return refusal(tenancy.client(by).request(method, f"{PATH}/{key['id']}{suffix}"))

    for key in keys[1:]:
        assert end(key, keys[0]["key"]) == (404, "not_found"), "a colleague's"
    for key in keys:
        assert end(key, other.owner_key["key"]) == (404, "not_found"), "another tenant's"
        assert end(key, reader["key"]) == (403, "insufficient_scope"), "with a key that may only read"
    assert (tenancy.everything(), other.everything()) == before
    assert end(keys[1], tenancy.owner_key["key"])[0] == 200
    assert end(keys[0], keys[0]["key"])[0] == 200, "one's own"


def test_ending_twice_at_once_is_one_event(fresh_tenancy: Tenancy) -> None:
    """The audit trail would tell of things that did not happen."""
    key = fresh_tenancy.key()
    clients = [fresh_tenancy.server.client(fresh_tenancy.owner_key["key"]) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda client: client.delete(f"{PATH}/{key['id']}"), clients))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert len(every(fresh_tenancy.api, "/v1/audit", action="api_key.revoked")) == 1


def test_a_key_may_end_itself(tenancy: Tenancy) -> None:
    """Whoever finds a leaked key could not stop it with nothing but the key in hand."""
    key = tenancy.key()
    assert tenancy.client(key["key"]).delete(f"{PATH}/{key['id']}").status_code == 200
    assert refusal(tenancy.verify(key["key"])) == (401, "invalid_api_key")


def test_a_revoked_key_keeps_no_children(tenancy: Tenancy) -> None:
    """The reason shows whoever looks at the child where to look further."""
    key = tenancy.key()
    child = tenancy.api.post(f"{PATH}/{key['id']}/rotate").json()
    tenancy.api.delete(f"{PATH}/{key['id']}")
    assert shown(tenancy, child)["status"] == "revoked"
    assert shown(tenancy, child)["revocation_reason"] == "parent revoked"
    assert refusal(tenancy.api.post(f"{PATH}/{child['id']}/enable")) == (409, "conflict")
