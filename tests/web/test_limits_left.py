"""`GET /v1/limits`: what is left, to whoever may see it, without counting."""

from __future__ import annotations

import httpx2

from tests.web.tenancy import Json, Tenancy, refusal, tenancy_on

PATH = "/v1/limits"


def left(client: httpx2.Client, **query: str) -> Json:
    """What a client is told."""
    answer = client.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def test_what_is_left_of_a_key_is_told_without_counting(tenancy: Tenancy) -> None:
    """An owner could only find out by spending requests, or from a caller's headers."""
    key = tenancy.key(plan=tenancy.plan(5))
    untouched = left(tenancy.api, credential_id=key["id"])
    assert [window["remaining"] for window in untouched["windows"]] == [5]
    answer = [tenancy.verify(key["key"]) for _ in range(2)][-1]
    found = [left(tenancy.api, credential_id=key["id"]) for _ in range(3)][-1]
    assert (found["plan"], found["count_by"]) == (key["plan"], "credential")
    (hour,) = found["windows"]
    assert (hour["name"], hour["limit"], hour["remaining"]) == ("hour", 5, 3)
    assert answer.headers["x-ratelimit-remaining"] == "3"
    token = tenancy.exchange(key["key"])
    (shared,) = left(tenancy.api, credential_id=token["id"])["windows"]
    assert shared["remaining"] == 2, "children share their parent's count"


def test_what_is_left_of_a_user_or_a_tenant_is_told_where_their_plan_counts_so(tenancy: Tenancy) -> None:
    """Of two keys that share one count, each would seem to have all of it."""
    own = tenancy_on(tenancy.server)
    member = own.user()["id"]
    asked: dict[str, dict[str, str]] = {"user": {"user_id": member}, "tenant": {"tenant_id": own.id}}
    assert left(own.api)["windows"] == [], "there is no limit"
    for count_by, query in asked.items():
        plan = own.plan(7, count_by=count_by)
        assert own.operator.patch(f"/v1/tenants/{own.id}", json={"plan": plan}).status_code == 200
        keys = [own.key(user_id=member) for _ in range(2)]
        for key in keys:
            assert own.verify(key["key"]).status_code == 200
        found = left(own.operator, **query)
        assert (found["plan"], found["count_by"]) == (plan, count_by)
        assert [window["remaining"] for window in found["windows"]] == [5]
        assert left(own.operator, credential_id=keys[0]["id"])["windows"] == found["windows"]
        smaller = count_by == "user"
        assert (left(own.operator, **asked["tenant"])["windows"] == []) is smaller
        assert left(own.operator, **asked["user"])["windows"] == found["windows"]


def test_a_credential_of_others_is_unknown(tenancy: Tenancy) -> None:
    """Attack 24: whoever knows an id would learn how much somebody else asks."""
    key = tenancy.key()
    stranger = tenancy_on(tenancy.server)
    answers = [stranger.api.get(PATH, params={"credential_id": each}) for each in (key["id"], "key_nothing")]
    assert [refusal(answer) for answer in answers] == [(404, "not_found")] * 2
    member = tenancy.member()
    assert refusal(member.get(PATH, params={"credential_id": key["id"]})) == (404, "not_found")
    assert refusal(member.get(PATH, params={"user_id": tenancy.owner["id"]})) == (403, "insufficient_scope")
